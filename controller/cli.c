/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/cli.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/units.h"

enum { ERROR_MAX = 4096 };

/* A message may quote a file that nobody vouches for: what could steer a
 * terminal becomes '?'. */
static void make_plain(char *text)
{
    unsigned char *at = (unsigned char *)text;
    for (; *at != '\0'; at++) {
        bool c1 = at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F;
        if ((*at < ' ' && *at != '\n' && *at != '\t') || *at == 0x7F || c1) {
            *at = '?';
        }
    }
}

void cli_error(const char *command, const char *format, ...)
{
    char text[ERROR_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    make_plain(text);
    fprintf(stderr, "ballast %s: %s\n", command, text);
}

static void print_help(const struct cli *cli)
{
    printf("usage: ballast %s%s%s%s\n\n%s\n", cli->command,
           cli->args[0] != '\0' ? " " : "", cli->args,
           cli->n_options > 0 ? " [options]" : "", cli->about);
    if (cli->n_options > 0) {
        printf("\noptions:\n");
    }
    for (size_t i = 0; i < cli->n_options; i++) {
        const struct cli_option *o = &cli->options[i];
        char left[64];
        snprintf(left, sizeof(left), "--%s %s", o->name,
                 o->arg != NULL ? o->arg : "");
        printf("  %-28s %s\n", left, o->help);
    }
    printf("\nexample:\n%s", cli->example);
}

static bool read_double(const char *text, double *out)
{
    char *end = NULL;
    double x = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(x)) {
        return false;
    }
    *out = x;
    return true;
}

static bool read_count(const char *text, long *out)
{
    char *end = NULL;
    long n = strtol(text, &end, 10);
    if (end == text || *end != '\0' || n < 1 || n == LONG_MAX) {
        return false;
    }
    *out = n;
    return true;
}

/* What 'value' should have been, or NULL where it was taken. */
static const char *store(const struct cli_option *o, const char *value)
{
    switch (o->kind) {
    case CLI_FLAG:
        *(bool *)o->into = true;
        return NULL;
    case CLI_TEXT:
    case CLI_WORD:
        *(const char **)o->into = value;
        return NULL;
    case CLI_TEXTS: {
        struct cli_texts *t = o->into;
        if (t->n == CLI_TEXTS_MAX) {
            return "given fewer times";
        }
        t->at[t->n++] = value;
        return NULL;
    }
    case CLI_NUMBER:
        return read_double(value, o->into) ? NULL : "a number";
    case CLI_COUNT:
        return read_count(value, o->into) ? NULL : "a whole number from 1";
    case CLI_DURATION: {
        double s = 0.0;
        if (units_parse(UNIT_DURATION, value, NULL, &s) != ERR_NONE ||
            s <= 0.0) {
            return "a duration such as '90 s' or '5min'";
        }
        *(double *)o->into = s;
        return NULL;
    }
    }
    return "known";
}

static const struct cli_option *find(const struct cli *cli, const char *name,
                                     size_t n)
{
    for (size_t i = 0; i < cli->n_options; i++) {
        if (strlen(cli->options[i].name) == n &&
            strncmp(cli->options[i].name, name, n) == 0) {
            return &cli->options[i];
        }
    }
    return NULL;
}

/* Takes the option at argv[*i] and its argument; false after a message. */
static bool take_option(const struct cli *cli, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2;
    size_t n = strcspn(name, "=");
    const struct cli_option *o = find(cli, name, n);
    if (o == NULL) {
        cli_error(cli->command, "no option '%s'; see 'ballast %s --help'",
                  argv[*i], cli->command);
        return false;
    }
    const char *value = name[n] == '=' ? name + n + 1 : NULL;
    if (o->kind == CLI_FLAG && value != NULL) {
        cli_error(cli->command, "--%s takes no value", o->name);
        return false;
    }
    if (o->kind == CLI_WORD && value == NULL) {
        bool follows = *i + 1 < argc && argv[*i + 1][0] != '-';
        value = follows ? argv[++*i] : "";
    }
    if (o->kind != CLI_FLAG && value == NULL) {
        if (*i + 1 >= argc) {
            cli_error(cli->command, "--%s wants %s", o->name, o->arg);
            return false;
        }
        value = argv[++*i];
    }
    const char *expected = store(o, value);
    if (expected != NULL) {
        cli_error(cli->command, "--%s: \"%s\": expected %s", o->name, value,
                  expected);
        return false;
    }
    return true;
}

int cli_parse(const struct cli *cli, int argc, char **argv, int *n_args)
{
    int n = 0;
    bool options = true;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && (strcmp(argv[i], "--help") == 0 ||
                               strcmp(argv[i], "-h") == 0)) {
            print_help(cli);
            return EXIT_DONE;
        } else if (options && strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(cli, argc, argv, &i)) {
                return EXIT_USAGE;
            }
        } else {
            argv[++n] = argv[i];
        }
    }
    if (n > cli->max_args) {
        cli_error(cli->command, "'%s' is not expected here; see --help",
                  argv[cli->max_args + 1]);
        return EXIT_USAGE;
    }
    if (n < cli->min_args) {
        cli_error(cli->command, "usage: ballast %s %s; see --help",
                  cli->command, cli->args);
        return EXIT_USAGE;
    }
    *n_args = n;
    return -1;
}

/* The folder of the running executable in 'out'; false where unknown. */
static bool own_folder(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    if (n <= 0) {
        return false;
    }
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    return true;
}

const char *cli_data_dir(const char *kind)
{
    static char found[2][PATH_MAX];
    bool maps = strcmp(kind, "maps") == 0;
    char *out = found[maps ? 0 : 1];
    const char *given = getenv("BALLAST_DATA");
    if (given != NULL) {
        snprintf(out, PATH_MAX, "%s/%s", given, kind);
        return out;
    }
    char own[PATH_MAX - 64];
    if (!own_folder(own, sizeof(own))) {
        snprintf(own, sizeof(own), ".");
    }
    /* the executable lies in the source tree, in its build folder, or is
     * installed */
    const char *const below[] = {"", "/..", "/../.."};
    const char *tree = maps ? "adapters/maps" : "replay/sites";
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        snprintf(out, PATH_MAX, "%s%s/%s", own, below[i], tree);
        if (access(out, R_OK) == 0) {
            return out;
        }
    }
    snprintf(out, PATH_MAX, "%s/../share/ballast/%s", own, kind);
    return out;
}
