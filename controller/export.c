/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "models/calendar.h"

static bool take_time(const char *option, const char *text, int64_t *at_ms)
{
    if (text == NULL || calendar_parse_utc(text, at_ms) == ERR_NONE) {
        return true;
    }
    cli_error("export",
              "%s: \"%s\": expected an instant such as 2026-11-21T14:03:00Z",
              option, text);
    return false;
}

struct options {
    bool evidence;
    bool history;
    bool settlement;
    struct export_settlement settle;
    const char *from;
    const char *to;
    const char *out;
    double every_s;
};

static bool check(const struct options *o)
{
    const struct export_settlement *s = &o->settle;
    if (o->evidence + o->history + o->settlement != 1) {
        cli_error("export", "say what: --evidence, --history or --settlement");
        return false;
    }
    if (!o->history && o->every_s > 0.0) {
        cli_error("export", "--every is for --history; a settlement has "
                            "--interval, evidence is written as it is");
        return false;
    }
    bool any = s->event != NULL || s->limit != NULL || s->baseline != NULL ||
               s->days != NULL || s->adjust != NULL || s->window != NULL ||
               s->cap != NULL || s->holidays != NULL || s->interval_s > 0.0;
    if (any && !o->settlement) {
        cli_error("export", "--event, --limit, --interval and what is said of "
                            "the baseline are for --settlement");
        return false;
    }
    return true;
}

/* NULL after a message. */
static FILE *open_out(const struct options *o)
{
    FILE *out = o->out != NULL ? fopen(o->out, "wb") : stdout;
    if (out == NULL) {
        cli_error("export", "%s: %s", o->out, strerror(errno));
    }
    return out;
}

/* False after a message. */
static bool close_out(const struct options *o, FILE *out)
{
    bool written = fflush(out) == 0 && ferror(out) == 0;
    written = (o->out == NULL || fclose(out) == 0) && written;
    if (!written) {
        cli_error("export", "%s: could not be written whole: %s",
                  o->out != NULL ? o->out : "standard output", strerror(errno));
    }
    return written;
}

static int write_out(const struct options *o, const char *text, size_t size)
{
    FILE *out = open_out(o);
    if (out == NULL) {
        return EXIT_USAGE;
    }
    fwrite(text, 1, size, out);
    return close_out(o, out) ? EXIT_DONE : EXIT_USAGE;
}

/* A settlement is small: it is in hand before a file is touched, so that one
 * that cannot be made leaves what was there. */
static int settle(const struct options *o, struct export_cfg *cfg)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL) {
        cli_error("export", "%s", strerror(errno));
        return EXIT_USAGE;
    }
    struct export_cfg to_memory = *cfg;
    to_memory.out = memory;
    int code = export_settlement(&to_memory, &o->settle);
    if (fclose(memory) != 0) {
        cli_error("export", "%s", strerror(errno));
        code = EXIT_USAGE;
    }
    if (code == EXIT_DONE) {
        code = write_out(o, text, size);
    }
    free(text);
    return code;
}

static int write_kept(const struct options *o, struct export_cfg *cfg)
{
    return o->evidence ? export_evidence(cfg) : export_history(cfg);
}

/* From the beginning of 'from'. */
static int copy_out(const struct options *o, FILE *from)
{
    char piece[65536];
    size_t n = 0;
    rewind(from);
    FILE *out = open_out(o);
    if (out == NULL) {
        return EXIT_USAGE;
    }
    while ((n = fread(piece, 1, sizeof(piece), from)) > 0 &&
           fwrite(piece, 1, n, out) == n) {
    }
    bool whole = ferror(from) == 0;
    if (!whole) {
        cli_error("export", "a temporary file cannot be read: %s",
                  strerror(errno));
    }
    return close_out(o, out) && whole ? EXIT_DONE : EXIT_USAGE;
}

/* Too much for the memory: it waits in a temporary file, so that what cannot
 * be written out leaves what was there. */
static int go_by_file(const struct options *o, struct export_cfg *cfg)
{
    cfg->out = tmpfile();
    if (cfg->out == NULL) {
        cli_error("export", "no temporary file: %s", strerror(errno));
        return EXIT_USAGE;
    }
    int code = write_kept(o, cfg);
    if (code == EXIT_DONE && (fflush(cfg->out) != 0 || ferror(cfg->out) != 0)) {
        cli_error("export", "a temporary file cannot be written: %s",
                  strerror(errno));
        code = EXIT_USAGE;
    }
    if (code == EXIT_DONE) {
        code = copy_out(o, cfg->out);
    }
    fclose(cfg->out);
    return code;
}

static int go(const struct options *o, struct export_cfg *cfg)
{
    if (o->settlement) {
        return settle(o, cfg);
    }
    if (o->out != NULL) {
        return go_by_file(o, cfg);
    }
    cfg->out = stdout;
    int code = write_kept(o, cfg);
    return close_out(o, cfg->out) ? code : EXIT_USAGE;
}

static int run(const struct options *o, const char *given)
{
    struct export_cfg cfg = {.given = given,
                             .from_ms = INT64_MIN,
                             .to_ms = INT64_MAX,
                             .every_s = o->every_s};
    if (!check(o) || !take_time("--from", o->from, &cfg.from_ms) ||
        !take_time("--to", o->to, &cfg.to_ms)) {
        return EXIT_USAGE;
    }
    return go(o, &cfg);
}

int export_main(int argc, char **argv)
{
    struct options o = {0};
    const struct cli_option options[] = {
        {"evidence", CLI_FLAG, &o.evidence, NULL,
         "the evidence log, for 'ballast verify'"},
        {"history", CLI_FLAG, &o.history, NULL, "the seconds kept, as CSV"},
        {"settlement", CLI_FLAG, &o.settlement, NULL,
         "what was delivered in an event, as JSON, for 'ballast verify'"},
        {"from", CLI_TEXT, &o.from, "TIME", "RFC 3339; default: the first"},
        {"to", CLI_TEXT, &o.to, "TIME", "RFC 3339; default: the last"},
        {"every", CLI_DURATION, &o.every_s, "DURATION",
         "history: one row per that, at least 1 s"},
        {"event", CLI_TEXT, &o.settle.event, "ID",
         "settlement: of the utility's event; else of --from to --to"},
        {"limit", CLI_TEXT, &o.settle.limit, "POWER",
         "settlement: what was asked; default: what the history says"},
        {"interval", CLI_DURATION, &o.settle.interval_s, "DURATION",
         "settlement: default 5 min"},
        {"baseline", CLI_TEXT, &o.settle.baseline, "METHOD",
         "settlement: high (default) or meter-before"},
        {"days", CLI_TEXT, &o.settle.days, "N/M",
         "settlement: the N highest of M days like it; default 5/10"},
        {"adjust", CLI_TEXT, &o.settle.adjust, "HOW",
         "settlement: multiply (default), add or none"},
        {"window", CLI_TEXT, &o.settle.window, "FROM/TO",
         "settlement: adjusted to then, before the start; default '4 h/2 h'"},
        {"cap", CLI_TEXT, &o.settle.cap, "FRACTION",
         "settlement: of the adjustment, or none; default '20 %'"},
        {"holidays", CLI_TEXT, &o.settle.holidays, "DAYS",
         "settlement: like weekends; 2026-11-26,2026-12-25"},
        {"out", CLI_TEXT, &o.out, "FILE", "default: standard output"},
    };
    const struct cli cli = {
        .command = "export",
        .args = "SITE|DATABASE|EVIDENCE",
        .about = "Writes out what a controller has kept, while it runs or "
                 "later.  A part of the\nevidence brings along what "
                 "'ballast verify' needs to check it.  Exit code 1 where\n"
                 "there is nothing of that time.  A settlement needs SITE.",
        .example = "  ballast export site.yaml --evidence --out "
                   "november.evidence\n"
                   "  ballast export site.yaml --history --every '1 min' "
                   "--from 2026-11-21T00:00:00Z\n"
                   "  ballast export site.yaml --settlement --event cap-7 "
                   "--out cap-7.settlement.json\n",
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
    return run(&o, argv[1]);
}
