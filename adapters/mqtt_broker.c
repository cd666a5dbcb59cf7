/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_broker.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "adapters/secret_file.h"

static enum err read_secrets(struct mqtt_broker *b, const struct site_mqtt *at,
                             char *why, size_t why_size)
{
    const char *open_files[] = {at->ca_file, at->cert_file};
    for (int i = 0; i < 2; i++) {
        if (open_files[i][0] != '\0' &&
            secret_file_check(open_files[i], false, why, why_size) !=
                ERR_NONE) {
            return ERR_RANGE;
        }
    }
    if (at->key_file[0] != '\0' &&
        secret_file_check(at->key_file, true, why, why_size) != ERR_NONE) {
        return ERR_RANGE;
    }
    if (at->password_file[0] == '\0') {
        return ERR_NONE;
    }
    struct secret_file file = {at->password_file, b->password,
                               sizeof(b->password)};
    return secret_file_read(&file, why, why_size);
}

/* Where to; an IPv6 address goes into brackets. */
static void print_uri(struct mqtt_broker *b, const struct site_mqtt *at)
{
    bool v6 = strchr(at->host, ':') != NULL;
    snprintf(b->uri, sizeof(b->uri), "%s://%s%s%s:%d",
             at->ca_file[0] != '\0' ? "ssl" : "tcp", v6 ? "[" : "", at->host,
             v6 ? "]" : "", at->port);
}

enum err mqtt_broker_open(const struct site_mqtt *at, struct mqtt_broker *out,
                          char *why, size_t why_size)
{
    memset(out, 0, sizeof(*out));
    print_uri(out, at);
    return read_secrets(out, at, why, why_size);
}

void mqtt_broker_wipe(struct mqtt_broker *b)
{
    secret_file_wipe(b->password, sizeof(b->password));
}

const char *mqtt_broker_trouble(const struct site_mqtt *at, int code)
{
    static const char *const refusals[] = {
        [1] = "the broker does not speak MQTT 3.1.1",
        [2] = "the broker refuses the client's name",
        [3] = "the broker is not ready",
        [4] = "wrong user name or password",
        [5] = "the broker does not allow it",
    };
    if (code >= 1 && code <= 5) {
        return refusals[code];
    }
    if (code != 0) {
        return at->ca_file[0] != '\0'
                   ? "no connection: nobody answers, or the certificate does "
                     "not fit the host name or the ca_file"
                   : "no connection: nobody answers there";
    }
    return "";
}
