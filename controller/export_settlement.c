/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export_settlement - the settlement of an event, from history and evidence. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "controller/clock.h"
#include "controller/event_book.h"
#include "controller/evidence_keeper.h"
#include "controller/export.h"
#include "controller/history_read.h"
#include "controller/settlement.h"
#include "controller/settlement_options.h"
#include "controller/site_file.h"
#include "controller/zone_file.h"
#include "models/calendar.h"

enum {
    CELL_MS = 60000,
    CELLS_MAX = (BASELINE_LOOK_BACK_MAX + 8) * 1440,
    OTHERS_MAX = EVENT_SPANS_MAX,
    KNOWN_LEAST_S = 30, /* of a minute */
    LISTED_MAX = 12,    /* events named in a message */
};

/* An instruction that lasts longer is a contract, not an event. */
static const int64_t EVENT_LONGEST_MS = CALENDAR_DAY_MS;
/* No settlement is longer. */
static const int64_t SPAN_LONGEST_MS = 7 * CALENDAR_DAY_MS;

/* All that one settlement needs; too much for a stack. */
struct gather {
    struct settlement s;
    struct zone zone;
    struct event_spans spans;
    struct baseline_span others[OTHERS_MAX];
    struct baseline_load load;
    double cells_w[CELLS_MAX];
    struct history_reader *history;
    const struct export_cfg *cfg;
};

static void take_event(void *user, const struct history_event *row)
{
    event_spans_take(user, row);
}

static int64_t end_of(const struct event_span *e, int64_t now_ms)
{
    return e->asked.end_at_ms < now_ms ? e->asked.end_at_ms : now_ms;
}

static void list_events(const struct gather *g)
{
    int from = g->spans.n > LISTED_MAX ? g->spans.n - LISTED_MAX : 0;
    for (int i = from; i < g->spans.n; i++) {
        const struct event_span *e = &g->spans.spans[i];
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
    for (int i = 0; i < g->spans.n; i++) {
        const struct event_span *e = &g->spans.spans[i];
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
    for (int i = 0; i < g->spans.n && !has_limit; i++) {
        const struct event_span *e = &g->spans.spans[i];
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
    history_read_events(
        g->history, (struct history_span){0, now_ms},
        (struct history_kinds){EVENT_BOOK_BEGIN, EVENT_BOOK_END}, take_event,
        &g->spans);
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

/* Other events: those that do not touch this one. */
static void take_others(struct gather *g)
{
    struct baseline_in *in = &g->s.in;
    for (int i = 0; i < g->spans.n; i++) {
        const struct utility_in *u = &g->spans.spans[i].asked;
        bool is_event = u->end_at_ms != INT64_MAX &&
                        u->end_at_ms - u->start_at_ms <= EVENT_LONGEST_MS;
        bool apart = u->end_at_ms <= in->event.from_ms ||
                     u->start_at_ms >= in->event.to_ms;
        if (is_event && apart) {
            g->others[in->n_others++] =
                (struct baseline_span){u->start_at_ms, u->end_at_ms};
        }
    }
    in->others = g->others;
}

static void take_cell(void *user, int64_t at_ms, double grid_w, int64_t known_s)
{
    struct gather *g = user;
    int64_t k = (at_ms - g->load.start_ms) / CELL_MS;
    if (k >= 0 && k < g->load.n && known_s >= KNOWN_LEAST_S) {
        g->cells_w[k] = grid_w;
    }
}

static void read_load(struct gather *g)
{
    const struct baseline_span *e = &g->s.in.event;
    int64_t days = g->s.terms.baseline.look_back + 2;
    int64_t from_ms = e->from_ms - days * CALENDAR_DAY_MS;
    from_ms = from_ms > 0 ? from_ms - from_ms % CELL_MS : 0;
    int64_t n = (e->from_ms - from_ms) / CELL_MS + 1;
    g->load = (struct baseline_load){.start_ms = from_ms,
                                     .cell_ms = CELL_MS,
                                     .n = n < CELLS_MAX ? n : CELLS_MAX,
                                     .w = g->cells_w};
    for (int64_t i = 0; i < g->load.n; i++) {
        g->cells_w[i] = NAN;
    }
    history_read_load(g->history,
                      (struct history_span){from_ms, e->from_ms - 1}, CELL_MS,
                      take_cell, g);
    g->s.in.load = &g->load;
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
    if (zone_file_load(site->time_zone, &g->zone, why, sizeof(why)) !=
        ERR_NONE) {
        cli_error("export", "time zone %s: %s", site->time_zone, why);
        return false;
    }
    if (history_read_open(site->history.file, &g->history, why, sizeof(why)) !=
        ERR_NONE) {
        cli_error("export", "%s: %s", site->history.file, why);
        return false;
    }
    g->s.in.zone = &g->zone;
    /* without evidence the settlement says so */
    if (!evidence_path(site, g->s.evidence_path)) {
        g->s.evidence_path[0] = '\0';
    }
    return true;
}

static int settle(struct gather *g, const struct site *site,
                  const struct export_settlement *asked)
{
    double limit_w = NAN;
    g->s.site = site;
    g->s.source = "history";
    g->s.event = asked->event != NULL ? asked->event : "";
    g->s.made_ms = clock_utc_ms();
    if (!settlement_options(asked, &g->s.terms, &limit_w) ||
        !open_sources(g, site) || !choose_span(g, asked, limit_w)) {
        return EXIT_USAGE;
    }
    take_others(g);
    read_load(g);
    return write_it(g);
}

int export_settlement(const struct export_cfg *cfg,
                      const struct export_settlement *asked)
{
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
