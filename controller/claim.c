/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/claim.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "models/sha256.h"

enum { TEXT_MAX = SITE_TEXT_MAX + SITE_NAME_MAX + 64, DIGEST_BYTES = 16 };

/* The name is a digest: an address may be longer than a name. */
static socklen_t name_of(const char *text, struct sockaddr_un *name)
{
    unsigned char digest[SHA256_SIZE];
    sha256(text, strlen(text), digest);
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    char *to = name->sun_path + 1; /* the first byte is 0: no file */
    int n = snprintf(to, sizeof(name->sun_path) - 1, "ballast-");
    for (int i = 0; i < DIGEST_BYTES; i++) {
        snprintf(to + n, 3, "%02x", digest[i]);
        n += 2;
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* False where another one has it. */
static bool take(struct claim *c, const char *text)
{
    assert(c->n < (int)(sizeof(c->fds) / sizeof(c->fds[0])));
    struct sockaddr_un name;
    socklen_t size = name_of(text, &name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) {
        return true;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (bind(fd, (struct sockaddr *)&name, size) != 0) {
        bool taken = errno == EADDRINUSE;
        close(fd);
        return !taken;
    }
    c->fds[c->n++] = fd;
    return true;
}

static enum err refuse(const char *text, char *why, size_t why_size)
{
    snprintf(why, why_size,
             "another controller on this machine steers %s; stop that one, "
             "watch beside it with --shadow, or give --take-over where you "
             "know what you do",
             text);
    return ERR_REFUSED;
}

enum err claim_take(struct claim *c, const struct site *site, char *why,
                    size_t why_size)
{
    char text[TEXT_MAX];
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_modbus *m = &site->batteries[i].modbus;
        if (!m->present) {
            continue;
        }
        snprintf(text, sizeof(text), "the battery at %s, port %d, unit %d",
                 m->host, m->port, m->unit);
        if (!take(c, text)) {
            return refuse(text, why, why_size);
        }
    }
    if (site->mqtt.present) {
        snprintf(text, sizeof(text), "site %s at the broker %s, port %d",
                 site->name, site->mqtt.host, site->mqtt.port);
        if (!take(c, text)) {
            return refuse(text, why, why_size);
        }
    }
    return ERR_NONE;
}

void claim_release(struct claim *c)
{
    while (c->n > 0) {
        close(c->fds[--c->n]);
    }
}
