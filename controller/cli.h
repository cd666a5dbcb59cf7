/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli - options of a subcommand: one table feeds the parser, the checks and
 * `--help`.
 */
#ifndef CONTROLLER_CLI_H
#define CONTROLLER_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes of every subcommand. */
enum {
    EXIT_DONE = 0,
    EXIT_NO = 1,    /* the answer is no */
    EXIT_USAGE = 2, /* wrong usage or unreadable input */
};

enum cli_kind {
    CLI_FLAG,     /* bool: true where given */
    CLI_TEXT,     /* const char * */
    CLI_TEXTS,    /* struct cli_texts: may be given several times */
    CLI_WORD,     /* const char *; "" where nothing or an option follows */
    CLI_NUMBER,   /* double, finite */
    CLI_COUNT,    /* long, >= 1 */
    CLI_DURATION, /* double, seconds, > 0 */
};

enum { CLI_TEXTS_MAX = 16 };

struct cli_texts {
    const char *at[CLI_TEXTS_MAX];
    int n;
};

struct cli_option {
    const char *name; /* without the dashes */
    enum cli_kind kind;
    void *into;
    const char *arg; /* what stands for its argument in the help */
    const char *help;
};

struct cli {
    const char *command; /* "replay" */
    const char *args;    /* "SITE --load FILE" */
    const char *about;   /* a sentence or two */
    const char *example; /* one or more lines, each with its newline */
    const struct cli_option *options;
    size_t n_options;
    int min_args; /* positional arguments */
    int max_args;
};

/*
 * Parse argv (argv[0] is the subcommand's name).  Options take "--name value"
 * or "--name=value"; "--" ends them.  Positional arguments are left in
 * argv[1..*n_args].  With --help the help is printed.
 *
 * Returns -1 to go on, or the exit code: EXIT_DONE after --help, EXIT_USAGE
 * after a message on stderr.
 */
int cli_parse(const struct cli *cli, int argc, char **argv, int *n_args);

/* "ballast COMMAND: " and a message on stderr, with a newline. */
void cli_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Where the shipped files lie: 'kind' is "maps" or "sites".  $BALLAST_DATA,
 * else beside the executable in the source tree, else PREFIX/share/ballast.
 * Static storage, one per kind.
 */
const char *cli_data_dir(const char *kind);

#endif
