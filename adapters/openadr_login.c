/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "adapters/json_in.h"
#include "adapters/secret_file.h"

enum { PEM_BYTES_MAX = 32768 };

static const char pem_begin[] = "-----BEGIN ";

/* The certificate and password that the site's owner gave us. */
static enum err take_own(const struct openadr_login_cfg *cfg,
                         struct openadr_login *out, char why[HTTP_WHY_MAX])
{
    enum err e = ERR_NONE;
    if (cfg->cert_file[0] != '\0') {
        e = secret_file_check(cfg->cert_file, false, why, HTTP_WHY_MAX);
        if (e == ERR_NONE) {
            e = secret_file_check(cfg->key_file, true, why, HTTP_WHY_MAX);
        }
        out->cert_file = cfg->cert_file;
        out->key_file = cfg->key_file;
    }
    if (e == ERR_NONE && cfg->user[0] != '\0') {
        out->user = cfg->user;
        if (cfg->password_file[0] != '\0') {
            const struct secret_file file = {cfg->password_file, out->secret,
                                             sizeof(out->secret)};
            e = secret_file_read(&file, why, HTTP_WHY_MAX);
            out->password = out->secret;
        }
    }
    return e;
}

static bool is_pem(const char *text)
{
    return strncmp(text, pem_begin, sizeof(pem_begin) - 1) == 0 &&
           strlen(text) < PEM_BYTES_MAX;
}

static enum err take_handed(const cJSON *login, struct openadr_login *out,
                            char why[HTTP_WHY_MAX])
{
    const char *ca = NULL;
    const char *cert = NULL;
    const char *key = NULL;
    if (json_in_text(login, "clientCert", &cert) != JSON_IN_OK ||
        json_in_text(login, "clientKey", &key) != JSON_IN_OK || !is_pem(cert) ||
        !is_pem(key)) {
        snprintf(why, HTTP_WHY_MAX,
                 "the MQTT notifier asks for a certificate: "
                 "notifier_cert_file and notifier_key_file are not set, and "
                 "it hands out none");
        return ERR_UNKNOWN;
    }
    if (temp_folder_make(&out->folder) != ERR_NONE) {
        snprintf(why, HTTP_WHY_MAX,
                 "no folder in $TMPDIR or /tmp for the certificate: %s",
                 strerror(errno));
        return ERR_IO;
    }
    const struct temp_folder *folder = &out->folder;
    bool good =
        temp_folder_write(folder, "cert.pem", cert, out->cert_pem) ==
            ERR_NONE &&
        temp_folder_write(folder, "key.pem", key, out->key_pem) == ERR_NONE;
    out->cert_file = out->cert_pem;
    out->key_file = out->key_pem;
    if (good && json_in_text(login, "caCert", &ca) == JSON_IN_OK &&
        is_pem(ca)) {
        good = temp_folder_write(folder, "ca.pem", ca, out->ca_pem) == ERR_NONE;
        out->ca_file = out->ca_pem;
    }
    if (!good) {
        snprintf(why, HTTP_WHY_MAX,
                 "the certificate cannot be kept in %.100s: %s", folder->path,
                 strerror(errno));
    }
    return good ? ERR_NONE : ERR_IO;
}

static enum err take_token(const struct openadr_login_cfg *cfg,
                           const cJSON *login, struct openadr_login *out)
{
    const char *user = NULL;
    if (json_in_text(login, "username", &user) != JSON_IN_OK ||
        cfg->token[0] == '\0') {
        return ERR_UNKNOWN;
    }
    out->user = strcmp(user, "{clientID}") == 0 ? cfg->client : user;
    out->password = cfg->token;
    return ERR_NONE;
}

enum err openadr_login_make(const struct openadr_login_cfg *cfg,
                            const cJSON *authentication,
                            struct openadr_login *out, char why[HTTP_WHY_MAX])
{
    *out = (struct openadr_login){.user = "",
                                  .password = "",
                                  .ca_file = cfg->ca_file,
                                  .cert_file = "",
                                  .key_file = ""};
    enum err e = take_own(cfg, out, why);
    if (e != ERR_NONE || authentication == NULL ||
        json_in_is_text(authentication, "method", "ANONYMOUS")) {
        return e;
    }
    if (json_in_is_text(authentication, "method", "CERTIFICATE")) {
        return out->cert_file[0] != '\0'
                   ? ERR_NONE
                   : take_handed(authentication, out, why);
    }
    e = json_in_is_text(authentication, "method", "OAUTH2_BEARER_TOKEN")
            ? take_token(cfg, authentication, out)
            : ERR_UNKNOWN;
    if (e != ERR_NONE) {
        snprintf(why, HTTP_WHY_MAX,
                 "the MQTT notifier asks for a login that we do not have");
    }
    return e;
}

void openadr_login_clear(struct openadr_login *l)
{
    temp_folder_remove(&l->folder);
    secret_file_wipe(l->secret, sizeof(l->secret));
    *l = (struct openadr_login){.user = ""};
}
