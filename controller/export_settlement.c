/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export_settlement - the settlement of an event, from history and evidence. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "controller/clock.h"
#include "controller/evidence_keeper.h"
#include "controller/export.h"
#include "controller/history_read.h"
#include "controller/history_where.h"
#include "controller/past_load.h"
#include "controller/settlement.h"
#include "controller/settlement_options.h"
#include "controller/site_file.h"
#include "models/calendar.h"

enum { LISTED_MAX = 12 /* events named in a message */ };

/* No settlement is longer. */
static const int64_t SPAN_LONGEST_MS = 7 * CALENDAR_DAY_MS;

/* All that one settlement needs; too much for a stack. */
struct gather {
    struct settlement s;
    struct past_load past;
    struct history_reader *history;
    const struct export_cfg *cfg;
};

static int64_t end_of(const struct event_span *e, int64_t now_ms)
{
    return e->asked.end_at_ms < now_ms ? e->asked.end_at_ms : now_ms;
}

static void list_events(const struct gather *g)
{
    int from = g->past.spans.n > LISTED_MAX ? g->past.spans.n - LISTED_MAX : 0;
    for (int i = from; i < g->past.spans.n; i++) {
        const struct event_span *e = &g->past.spans.spans[i];
        char text[HISTORY_TEXT_MAX];
        event_book_text(&e->asked, text, sizeof(text));
        cli_error("export", "it has \"%s\": %s", e->asked.id, text);
    }
}

static void add_piece(struct settlement *s, const struct settle_piece *p)
{
    if (s->n_pieces < SETTLE_PIECES_MAX && p->end_ms > p->start_ms) {
        s->pieces[s->n_pieces++] = *p;
    }
}

/* The span is that of all that the event asked. */
static bool take_named(struct gather *g, const char *id, int64_t now_ms)
{
    struct settlement *s = &g->s;
    struct baseline_span *span = &s->in.event;
    *span = (struct baseline_span){INT64_MAX, INT64_MIN};
    for (int i = 0; i < g->past.spans.n; i++) {
        const struct event_span *e = &g->past.spans.spans[i];
        int64_t end_ms = end_of(e, now_ms);
        if (!event_span_is(e, id) || end_ms <= e->asked.start_at_ms) {
            continue;
        }
        if (s->n_pieces == SETTLE_PIECES_MAX) {
            cli_error("export",
                      "%s: asks for more than %d things; settle it "
                      "in parts by --from and --to",
                      id, SETTLE_PIECES_MAX);
            return false;
        }
        add_piece(s, &(struct settle_piece){e->asked.kind, e->asked.start_at_ms,
                                            end_ms, e->asked.value});
        if (e->asked.start_at_ms < span->from_ms) {
            span->from_ms = e->asked.start_at_ms;
        }
        span->to_ms = end_ms > span->to_ms ? end_ms : span->to_ms;
    }
    if (s->n_pieces == 0) {
        cli_error("export",
                  "%s: the history knows no event \"%s\" that has "
                  "begun",
                  g->cfg->given, id);
        list_events(g);
    }
    return s->n_pieces > 0;
}

/* Of a span of time: what held in it, unless a limit is given. */
static bool take_span(struct gather *g, bool has_limit, int64_t now_ms)
{
    struct settlement *s = &g->s;
    s->in.event = (struct baseline_span){g->cfg->from_ms, g->cfg->to_ms};
    if (g->cfg->from_ms == INT64_MIN || g->cfg->to_ms == INT64_MAX) {
        cli_error("export", "--settlement: say --event, or --from and --to");
        list_events(g);
        return false;
    }
    for (int i = 0; i < g->past.spans.n && !has_limit; i++) {
        const struct event_span *e = &g->past.spans.spans[i];
        if (e->asked.start_at_ms < s->in.event.to_ms &&
            end_of(e, now_ms) > s->in.event.from_ms) {
            add_piece(
                s, &(struct settle_piece){e->asked.kind, e->asked.start_at_ms,
                                          end_of(e, now_ms), e->asked.value});
        }
    }
    return true;
}

static bool check_span(const struct gather *g)
{
    const struct baseline_span *e = &g->s.in.event;
    if (e->to_ms <= e->from_ms) {
        cli_error("export", "--settlement: it ends before it begins");
        return false;
    }
    if (e->to_ms - e->from_ms > SPAN_LONGEST_MS) {
        cli_error("export", "--settlement: longer than a week; settle it in "
                            "parts by --from and --to");
        return false;
    }
    return true;
}

static bool choose_span(struct gather *g, const struct export_settlement *asked,
                        double limit_w)
{
    int64_t now_ms = clock_utc_ms();
    bool good = asked->event != NULL ? take_named(g, asked->event, now_ms)
                                     : take_span(g, isfinite(limit_w), now_ms);
    if (!good || !check_span(g)) {
        return false;
    }
    if (isfinite(limit_w)) {
        g->s.n_pieces = 0;
        add_piece(&g->s, &(struct settle_piece){UTILITY_IMPORT_MAX,
                                                g->s.in.event.from_ms,
                                                g->s.in.event.to_ms, limit_w});
    }
    return true;
}

static void take_row(void *user, const struct second_row *row)
{
    struct gather *g = user;
    settlement_row(&g->s,
                   &(struct settle_row){
                       .at_ms = row->at_ms,
                       .length_s = 1.0,
                       .grid_w = row->values[SECOND_grid_mean_w],
                       .ramp_w_per_s = row->values[SECOND_ramp_max_w_per_s]});
}

static int write_it(struct gather *g)
{
    struct settlement *s = &g->s;
    if (!settlement_begin(s)) {
        cli_error("export", "%s: %s", s->evidence_path, strerror(errno));
        return EXIT_USAGE;
    }
    const struct history_span span = {s->in.event.from_ms,
                                      s->in.event.to_ms - 1};
    history_read_seconds(g->history, span, take_row, g);
    settlement_end(s);
    if (history_read_error(g->history)[0] != '\0') {
        cli_error("export", "%s: %s", g->cfg->given,
                  history_read_error(g->history));
        return EXIT_USAGE;
    }
    if (!(s->settle.known_s > 0.0)) {
        cli_error("export", "%s: nothing is kept of that time", g->cfg->given);
        return EXIT_NO;
    }
    char *text = settlement_text(s);
    if (text == NULL) {
        cli_error("export", "%s", err_text(ERR_MEMORY));
        return EXIT_USAGE;
    }
    fputs(text, g->cfg->out);
    free(text);
    if (s->baseline.fell_back) {
        cli_error("export",
                  "too few days are like it (%lld of %lld): the baseline is "
                  "the meter before",
                  (long long)s->baseline.n_eligible,
                  (long long)s->terms.baseline.high);
    }
    return EXIT_DONE;
}

static bool open_sources(struct gather *g, const struct site *site)
{
    char why[200] = "";
    if (history_read_open(site->history.file, &g->history, why, sizeof(why)) !=
        ERR_NONE) {
        history_where_missing("export", site->history.file, why, NULL);
        return false;
    }
    if (past_load_open(&g->past, site->time_zone, g->history, why,
                       sizeof(why)) != ERR_NONE) {
        cli_error("export", "time zone %s: %s", site->time_zone, why);
        return false;
    }
    /* without evidence the settlement says so */
    if (!evidence_path(site, g->s.evidence_path)) {
        g->s.evidence_path[0] = '\0';
    }
    return true;
}

static int settle(struct gather *g, const struct site *site,
                  const struct export_settlement *asked)
{
    struct settlement_asked out;
    g->s.site = site;
    g->s.source = "history";
    g->s.event = asked->event != NULL ? asked->event : "";
    g->s.made_ms = clock_utc_ms();
    if (!settlement_options(site, asked, &out)) {
        return EXIT_USAGE;
    }
    g->s.terms = out.terms;
    if (!open_sources(g, site) || !choose_span(g, asked, out.limit_w)) {
        return EXIT_USAGE;
    }
    g->s.in.terms = &g->s.terms.baseline;
    past_load_read(&g->past, g->history, &g->s.in);
    return write_it(g);
}

int export_settlement(const struct export_cfg *cfg,
                      const struct export_settlement *asked)
{
    if (history_is_database(cfg->given)) {
        cli_error("export",
                  "%s is a database: --settlement needs the site file, for "
                  "its time zone, its baseline and its evidence",
                  cfg->given);
        return EXIT_USAGE;
    }
    struct gather *g = calloc(1, sizeof(*g));
    struct site *site = site_file_load(cfg->given);
    int code = EXIT_USAGE;
    if (g != NULL && site != NULL) {
        g->cfg = cfg;
        code = settle(g, site, asked);
        if (g->history != NULL) {
            history_read_close(g->history);
        }
    }
    free(site);
    free(g);
    return code;
}
