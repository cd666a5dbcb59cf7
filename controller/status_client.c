/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_client - asks a running controller and says it in words. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
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
#include "models/units.h"

enum { ANSWER_MAX = 4 * 1024 * 1024 };

const char *status_path(const char *database, char *out, size_t size)
{
    snprintf(out, size, "%s.sock", database);
    return out;
}

static enum err connect_to(const char *path, int *out)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(at.sun_path)) {
        return ERR_RANGE;
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) {
        return ERR_IO;
    }
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || write(fd, "status\n", 7) != 7) {
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
    int fd = -1;
    enum err e = connect_to(path, &fd);
    if (e != ERR_NONE) {
        return e;
    }
    e = read_all(fd, clock_mono_ms() + (int64_t)(timeout_s * 1e3), json);
    close(fd);
    return e;
}

static double number(const cJSON *o, const char *group, const char *name)
{
    const cJSON *g =
        group != NULL ? cJSON_GetObjectItemCaseSensitive(o, group) : o;
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(g, name);
    return cJSON_IsNumber(n) ? n->valuedouble : NAN;
}

static const char *word(const cJSON *o, const char *group, const char *name)
{
    const cJSON *g =
        group != NULL ? cJSON_GetObjectItemCaseSensitive(o, group) : o;
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(g, name);
    return cJSON_IsString(s) ? s->valuestring : "?";
}

/* "unknown" instead of a number that is not there. */
static const char *watts(double w, char out[32])
{
    if (!isfinite(w)) {
        snprintf(out, 32, "unknown");
        return out;
    }
    return units_power_text(w, out, 32);
}

static void print_grid(const cJSON *o)
{
    char power[32], reference[32], most[32], swing[32];
    printf("grid       %s of %s, held near %s, meter %s\n",
           watts(number(o, "grid", "power_w"), power),
           watts(number(o, "grid", "import_max_w"), most),
           watts(number(o, "grid", "reference_w"), reference),
           word(o, "grid", "meter"));
    printf("ramp       %.3g of %.3g MW/min, swing in 60 s %s\n",
           number(o, "grid", "ramp_w_per_s") * 60e-6,
           number(o, "grid", "ramp_max_w_per_s") * 60e-6,
           watts(number(o, "grid", "pp60_w"), swing));
    printf("load       %s asked, %s served, %s held back, other %s\n",
           watts(number(o, "load", "demand_w"), power),
           watts(number(o, "load", "served_w"), reference),
           watts(number(o, "load", "shed_w"), most),
           watts(number(o, "load", "other_w"), swing));
}

static void print_assets(const cJSON *o)
{
    char power[32], set[32];
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "batteries"))
    {
        printf("battery    %s: %s, set %s, %.1f %% charged, %s\n",
               word(item, NULL, "name"),
               watts(number(item, NULL, "power_w"), power),
               watts(number(item, NULL, "set_w"), set),
               number(item, NULL, "soc_pu") * 100.0, word(item, NULL, "state"));
    }
    printf("pods       %.0f of %.0f online, %.0f capped, %s\n",
           number(o, "pods", "online"), number(o, "pods", "n"),
           number(o, "pods", "capped"),
           watts(number(o, "pods", "power_w"), power));
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "fleets"))
    {
        printf("fleet      %s: %.0f of %.0f online, %.0f computing with %s, "
               "%.0f charging\n",
               word(item, NULL, "name"), number(item, NULL, "online"),
               number(item, NULL, "nodes"), number(item, NULL, "computing"),
               watts(number(item, NULL, "compute_w"), power),
               number(item, NULL, "charging"));
    }
    printf("price      %.4g %s/MWh (%s)\n", number(o, "price", "per_kwh") * 1e3,
           word(o, "price", "currency"), word(o, "price", "source"));
    printf("plan       %s, %.0f s old\n", word(o, "plan", "status"),
           number(o, "plan", "age_s"));
}

static void print_sentences(const cJSON *o)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "why"))
    {
        printf("why        %s\n",
               cJSON_IsString(item) ? item->valuestring : "?");
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "alarms"))
    {
        printf("alarm      %s: %s\n", word(item, NULL, "severity"),
               word(item, NULL, "text"));
    }
}

enum err status_print(const char *json)
{
    cJSON *o = cJSON_ParseWithOpts(json, NULL, 1);
    if (!cJSON_IsObject(o) ||
        cJSON_GetObjectItemCaseSensitive(o, "grid") == NULL) {
        cJSON_Delete(o);
        return ERR_SYNTAX;
    }
    char up[32];
    printf("%s         %s, %s, up %s, tick %.0f\n", "site",
           word(o, NULL, "site"),
           strcmp(word(o, NULL, "mode"), "shadow") == 0
               ? "in shadow: nothing is written to devices"
               : "under control",
           units_duration_text(number(o, NULL, "uptime_s"), up, sizeof(up)),
           number(o, NULL, "tick"));
    print_grid(o);
    print_assets(o);
    print_sentences(o);
    printf("loop       %.0f overruns, step p99 %.0f us, jitter p99 %.1f ms\n",
           number(o, "loop", "overruns"), number(o, "loop", "step_p99_s") * 1e6,
           number(o, "loop", "jitter_p99_s") * 1e3);
    cJSON_Delete(o);
    return ERR_NONE;
}

static int tell(const char *path, bool as_json)
{
    char *json = NULL;
    enum err e = status_ask(path, 3.0, &json);
    if (e != ERR_NONE) {
        cli_error("status",
                  "no controller answers at %s: %s; start one with 'ballast "
                  "run SITE' (same user), and ask from the same folder or for "
                  "its DATABASE",
                  path, e == ERR_IO ? "nobody listens" : err_text(e));
        return EXIT_NO;
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
    const struct cli_option options[] = {
        {"json", CLI_FLAG, &as_json, NULL, "one JSON object on stdout"},
    };
    const struct cli cli = {
        .command = "status",
        .args = "SITE|DATABASE",
        .about = "Asks the running controller of a site how things stand. It\n"
                 "answers beside its history database. Exit code 1 where no\n"
                 "controller answers.",
        .example = "  ballast status site.yaml --json\n"
                   "  ballast status ballast-demo/ballast.db\n",
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
    char database[SITE_TEXT_MAX * 2];
    char path[SITE_TEXT_MAX * 2 + 8];
    if (!history_where(argv[1], database, sizeof(database))) {
        return EXIT_USAGE;
    }
    return tell(status_path(database, path, sizeof(path)), as_json);
}
