/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/explain.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "controller/clock.h"
#include "controller/explain_events.h"
#include "controller/explain_sentence.h"
#include "controller/history_read.h"
#include "controller/history_where.h"
#include "controller/site_file.h"
#include "models/calendar.h"
#include "models/units.h"

/* Within this time of what was kept last, the controller was running. */
static const int64_t near_ms = 30000;

/* What the historian may still have in hand. */
static const int64_t unwritten_ms = 5000;

static const char command[] = "explain";

/* What was found around the time asked for. */
struct found {
    int64_t at_ms;
    bool has_decision;
    bool has_second;
    struct history_decision decision;
    struct explain_events events;
    struct second_row second; /* ends in batteries, of which none are read */
};

static bool is_near(const struct found *f)
{
    return (f->has_second && f->at_ms - f->second.at_ms <= near_ms) ||
           (f->has_decision && f->at_ms - f->decision.at_ms <= near_ms);
}

static void print_power(const char *what, double power_w)
{
    char text[32];
    if (isfinite(power_w)) {
        printf("    %-18s %s\n", what,
               units_power_text(power_w, text, sizeof(text)));
    }
}

static void print_second(const struct second_row *s)
{
    const double *v = s->values;
    char at[CALENDAR_TEXT_MAX];
    printf("  in the second of %s:\n", calendar_format_utc(s->at_ms, at));
    print_power("grid", v[SECOND_grid_mean_w]);
    print_power("  held at", v[SECOND_grid_ref_w]);
    print_power("  limit", v[SECOND_grid_limit_w]);
    if (isfinite(v[SECOND_ramp_max_w_per_s])) {
        char ramp[32];
        printf("    %-18s %s\n", "  steepest ramp",
               units_ramp_text(v[SECOND_ramp_max_w_per_s], ramp, sizeof(ramp)));
    }
    print_power("pods", v[SECOND_pods_w]);
    print_power("held back", v[SECOND_shed_w]);
    print_power("batteries", v[SECOND_battery_w]);
    print_power("  as planned", v[SECOND_plan_battery_w]);
    if (isfinite(v[SECOND_soc_pu])) {
        printf("    %-18s %.1f %%\n", "state of charge",
               100.0 * v[SECOND_soc_pu]);
    }
    if (s->degraded > 0) {
        printf("    %-18s %" PRId64 " input%s at %s worst case\n", "degraded",
               s->degraded, s->degraded == 1 ? "" : "s",
               s->degraded == 1 ? "its" : "their");
    }
}

/* The end of what is known before the time asked for. */
static int64_t known_until_ms(const struct found *f)
{
    int64_t until_ms = f->has_decision ? f->decision.at_ms : INT64_MIN;
    if (f->has_second && f->second.at_ms + 1000 > until_ms) {
        until_ms = f->second.at_ms + 1000;
    }
    return until_ms;
}

static bool ran_then(const struct found *f)
{
    return f->at_ms - known_until_ms(f) <= unwritten_ms;
}

static const struct second_row *second_of(const struct found *f)
{
    bool then = f->has_second && f->at_ms - f->second.at_ms <= unwritten_ms;
    return then ? &f->second : NULL;
}

/* One sentence for the time asked for. */
static void print_sentence(const struct found *f)
{
    char at[CALENDAR_TEXT_MAX];
    char sentence[EXPLAIN_SENTENCE_MAX];
    printf("%s: %s.\n", calendar_format_utc(f->at_ms, at),
           explain_sentence(&f->decision, second_of(f), sentence));
}

/* Its numbers are those of its own instant, not of the time asked for. */
static void print_decision(const struct found *f)
{
    const struct history_decision *d = &f->decision;
    char at[CALENDAR_TEXT_MAX];
    char since[CALENDAR_TEXT_MAX];
    if (ran_then(f)) {
        print_sentence(f);
    } else {
        char until[CALENDAR_TEXT_MAX];
        printf("%s: the controller was not running: what is known ends at "
               "%s.\n",
               calendar_format_utc(f->at_ms, at),
               calendar_format_utc(known_until_ms(f), until));
    }
    printf("  as decided at %s (tick %" PRId64
           "; for this reason since %s): %s\n",
           calendar_format_utc(d->at_ms, at), d->tick,
           calendar_format_utc(d->since_ms, since), d->lines[0].text);
    for (int i = 1; i < d->n_lines; i++) {
        printf("  and: %s\n", d->lines[i].text);
    }
    if (d->n_suppressed > 0) {
        printf("  %" PRId64 " change%s just before it %s not kept\n",
               d->n_suppressed, d->n_suppressed == 1 ? "" : "s",
               d->n_suppressed == 1 ? "was" : "were");
    }
}

static void print_text(const struct found *f)
{
    if (f->has_decision) {
        print_decision(f);
    }
    if (ran_then(f)) {
        explain_events_print(&f->events);
    }
    if (f->has_second) {
        print_second(&f->second);
    }
}

static void add_instant(cJSON *o, const char *name, int64_t at_ms)
{
    char at[CALENDAR_TEXT_MAX];
    cJSON_AddStringToObject(o, name, calendar_format_utc(at_ms, at));
}

static void add_lines(cJSON *o, const struct history_decision *d)
{
    cJSON *why = cJSON_AddArrayToObject(o, "why");
    for (int i = 0; i < d->n_lines; i++) {
        const struct history_line *l = &d->lines[i];
        cJSON *line = cJSON_CreateObject();
        cJSON_AddStringToObject(line, "code", l->code);
        cJSON_AddStringToObject(line, "asset", l->asset);
        cJSON_AddNumberToObject(line, "value", l->value);
        cJSON_AddNumberToObject(line, "limit", l->limit);
        cJSON_AddNumberToObject(line, "need", l->need);
        cJSON_AddStringToObject(line, "text", l->text);
        cJSON_AddItemToArray(why, line);
    }
}

static void add_second(cJSON *o, const struct second_row *row)
{
#define COLUMN_NAME(column, member, how) #column,
    static const char *const names[] = {SECOND_LIST(COLUMN_NAME)};
#undef COLUMN_NAME
    cJSON *s = cJSON_AddObjectToObject(o, "second");
    add_instant(s, "at", row->at_ms);
    cJSON_AddNumberToObject(s, "degraded", (double)row->degraded);
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        cJSON_AddNumberToObject(s, names[i], row->values[i]);
    }
}

static void print_json(const struct found *f)
{
    cJSON *o = cJSON_CreateObject();
    add_instant(o, "at", f->at_ms);
    if (f->has_decision) {
        char sentence[EXPLAIN_SENTENCE_MAX];
        if (ran_then(f)) {
            cJSON_AddStringToObject(
                o, "sentence",
                explain_sentence(&f->decision, second_of(f), sentence));
        }
        add_instant(o, "since", f->decision.since_ms);
        add_instant(o, "said", f->decision.at_ms);
        cJSON_AddNumberToObject(o, "tick", (double)f->decision.tick);
        cJSON_AddNumberToObject(o, "suppressed",
                                (double)f->decision.n_suppressed);
        add_lines(o, &f->decision);
    }
    if (ran_then(f)) {
        explain_events_add(o, &f->events);
    }
    if (f->has_second) {
        add_second(o, &f->second);
    }
    char *text = cJSON_Print(o);
    puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(o);
}

static void say_nothing_known(const struct found *f)
{
    char at[CALENDAR_TEXT_MAX];
    char last[CALENDAR_TEXT_MAX];
    calendar_format_utc(f->at_ms, at);
    if (!f->has_second) {
        cli_error(command, "nothing is known of %s or before it", at);
        return;
    }
    cli_error(command,
              "nothing is known of %s: the controller was not running; the "
              "last second before it that is known is %s",
              at, calendar_format_utc(f->second.at_ms, last));
}

/* Fills 'f' for f->at_ms from the database at 'path'. */
static int ask(const char *path, struct found *f)
{
    struct history_reader *r = NULL;
    char why[200] = "";
    if (history_read_open(path, &r, why, sizeof(why)) != ERR_NONE) {
        history_where_missing(command, path, why, "for its DATABASE");
        return EXIT_USAGE;
    }
    f->has_decision = history_read_decision(r, f->at_ms, &f->decision);
    f->has_second = history_read_second(r, f->at_ms, &f->second);
    explain_events_read(r, f->at_ms, &f->events);
    int exit_code = EXIT_DONE;
    if (history_read_error(r)[0] != '\0') {
        cli_error(command, "%s: %s", path, history_read_error(r));
        exit_code = EXIT_USAGE;
    } else if (!is_near(f)) {
        say_nothing_known(f);
        exit_code = EXIT_NO;
    }
    history_read_close(r);
    return exit_code;
}

int explain_main(int argc, char **argv)
{
    const char *at = "now";
    bool json = false;
    const struct cli_option options[] = {
        {"at", CLI_TEXT, &at, "TIME", "RFC 3339, or now (default)"},
        {"json", CLI_FLAG, &json, NULL, "for machines"},
    };
    const struct cli cli = {
        .command = command,
        .args = "SITE|DATABASE",
        .about = "What the controller did at a time, what bound it, and by "
                 "how much: from the history\nthat it keeps.  Exit code 1 "
                 "where nothing is known of that time.",
        .example = "  ballast explain site.yaml --at 2026-11-21T14:03:00Z\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_args = 1,
        .max_args = 1,
    };
    int n_args = 0;
    int exit_code = cli_parse(&cli, argc, argv, &n_args);
    if (exit_code >= 0) {
        return exit_code;
    }
    struct found f = {.at_ms = clock_utc_ms()};
    if (strcmp(at, "now") != 0 &&
        calendar_parse_utc(at, &f.at_ms) != ERR_NONE) {
        cli_error(command,
                  "--at: \"%s\": expected an instant such as "
                  "2026-11-21T14:03:00Z, or now",
                  at);
        return EXIT_USAGE;
    }
    char path[4096];
    if (!history_where(argv[1], path, sizeof(path))) {
        return EXIT_USAGE;
    }
    exit_code = ask(path, &f);
    if (exit_code == EXIT_DONE && json) {
        print_json(&f);
    } else if (exit_code == EXIT_DONE) {
        print_text(&f);
    }
    return exit_code;
}
