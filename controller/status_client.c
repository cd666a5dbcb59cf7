/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_client - asks a running controller. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "controller/cli.h"
#include "controller/clock.h"
#include "controller/history_where.h"
#include "controller/status.h"
#include "controller/status_fleet.h"

enum { ANSWER_MAX = 4 * 1024 * 1024 };

const char *status_path(const char *database, char *out, size_t size)
{
    snprintf(out, size, "%s.sock", database);
    return out;
}

bool status_where(const char *given, char *out, size_t size)
{
    char database[SITE_TEXT_MAX * 2];
    bool found = history_where(given, database, sizeof(database));
    if (found) {
        status_path(database, out, size);
    }
    return found;
}

static enum err connect_to(const char *path, const char *request, int *out)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(at.sun_path)) {
        return ERR_RANGE;
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    char line[STATUS_REQUEST_MAX + 1];
    int n = snprintf(line, sizeof(line), "%s\n", request);
    if (n >= (int)sizeof(line)) {
        return ERR_RANGE;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) {
        return ERR_IO;
    }
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
        write(fd, line, (size_t)n) != n) {
        close(fd);
        return ERR_IO;
    }
    *out = fd;
    return ERR_NONE;
}

/* Reads to the end of the stream. */
static enum err read_all(int fd, int64_t until_ms, char **json)
{
    char *text = NULL;
    size_t n = 0;
    size_t room = 0;
    for (;;) {
        if (room - n < 2) {
            room = room == 0 ? 16384 : 2 * room;
            char *more = room <= ANSWER_MAX ? realloc(text, room) : NULL;
            if (more == NULL) {
                free(text);
                return ERR_MEMORY;
            }
            text = more;
        }
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = until_ms - clock_mono_ms();
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0) {
            free(text);
            return ERR_TIMEOUT;
        }
        ssize_t got = read(fd, text + n, room - n - 1);
        if (got < 0 && errno != EAGAIN && errno != EINTR) {
            free(text);
            return ERR_IO;
        }
        if (got == 0) {
            text[n] = '\0';
            *json = text;
            return ERR_NONE;
        }
        n += got > 0 ? (size_t)got : 0;
    }
}

enum err status_ask(const char *path, double timeout_s, char **json)
{
    return status_request(path, "status", timeout_s, json);
}

enum err status_request(const char *path, const char *request, double timeout_s,
                        char **json)
{
    int fd = -1;
    enum err e = connect_to(path, request, &fd);
    if (e != ERR_NONE) {
        return e;
    }
    e = read_all(fd, clock_mono_ms() + (int64_t)(timeout_s * 1e3), json);
    close(fd);
    return e;
}

int status_nobody(const char *path, enum err e)
{
    cli_error("status",
              "no controller answers at %s: %s; start one with 'ballast "
              "run SITE' (same user), and ask from the same folder or for "
              "its DATABASE",
              path, e == ERR_IO ? "nobody listens" : err_text(e));
    return EXIT_NO;
}

static int tell(const char *path, bool as_json)
{
    char *json = NULL;
    enum err e = status_ask(path, 3.0, &json);
    if (e != ERR_NONE) {
        return status_nobody(path, e);
    }
    if (as_json) {
        puts(json);
    } else {
        e = status_print(json);
    }
    if (e != ERR_NONE) {
        cli_error("status", "the controller has nothing to say yet: %s", json);
    }
    free(json);
    return e == ERR_NONE ? EXIT_DONE : EXIT_NO;
}

int status_main(int argc, char **argv)
{
    bool as_json = false;
    struct status_page page = {.from = 1, .n = STATUS_CARS_MAX};
    const struct cli_option options[] = {
        {"json", CLI_FLAG, &as_json, NULL, "one JSON object on stdout"},
        {"fleet", CLI_TEXT, &page.fleet, "NAME",
         "the cars of that fleet, one by one"},
        {"from", CLI_COUNT, &page.from, "N",
         "with --fleet: the first car; default 1"},
        {"cars", CLI_COUNT, &page.n, "N",
         "with --fleet: how many; default and most 1000"},
    };
    const struct cli cli = {
        .command = "status",
        .args = "SITE|DATABASE",
        .about = "Asks the running controller of a site how things stand. It\n"
                 "answers beside its history database. Exit code 1 where no\n"
                 "controller answers.",
        .example = "  ballast status site.yaml --json\n"
                   "  ballast status ballast-demo/ballast.db\n"
                   "  ballast status site.yaml --fleet lot1 --cars 20\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_args = 1,
        .max_args = 1,
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    if (page.fleet == NULL && (page.from != 1 || page.n != STATUS_CARS_MAX)) {
        cli_error("status", "--from and --cars need --fleet NAME: whose cars?");
        return EXIT_USAGE;
    }
    char path[SITE_TEXT_MAX * 2 + 8];
    if (!status_where(argv[1], path, sizeof(path))) {
        return EXIT_USAGE;
    }
    return page.fleet != NULL ? status_cars_tell(path, &page, as_json)
                              : tell(path, as_json);
}
