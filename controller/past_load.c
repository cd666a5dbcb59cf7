/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/past_load.h"

#include <math.h>

#include "controller/zone_file.h"
#include "models/calendar.h"

enum { KNOWN_LEAST_S = 30 /* of a minute */ };

/* An instruction that lasts longer is a contract, not an event. */
static const int64_t EVENT_LONGEST_MS = CALENDAR_DAY_MS;
/* The same local time is that much earlier or later on another day. */
static const int64_t SHIFT_MS = 2 * 3600000;

static void take_event(void *user, const struct history_event *row)
{
    event_spans_take(user, row);
}

enum err past_load_open(struct past_load *p, const char *time_zone,
                        struct history_reader *history, char *why,
                        size_t why_size)
{
    p->spans.n = 0;
    enum err e = zone_file_load(time_zone, &p->zone, why, why_size);
    if (e == ERR_NONE) {
        history_read_events(
            history, (struct history_span){0, INT64_MAX},
            (struct history_kinds){EVENT_BOOK_BEGIN, EVENT_BOOK_END},
            take_event, &p->spans);
    }
    return e;
}

/* Those that do not touch this one. */
static void take_others(struct past_load *p, struct baseline_in *in)
{
    in->n_others = 0;
    for (int i = 0; i < p->spans.n; i++) {
        const struct utility_in *u = &p->spans.spans[i].asked;
        bool is_event = u->end_at_ms != INT64_MAX &&
                        u->end_at_ms - u->start_at_ms <= EVENT_LONGEST_MS;
        bool apart = u->end_at_ms <= in->event.from_ms ||
                     u->start_at_ms >= in->event.to_ms;
        if (is_event && apart) {
            p->others[in->n_others++] =
                (struct baseline_span){u->start_at_ms, u->end_at_ms};
        }
    }
    in->others = p->others;
}

static void take_cell(void *user, int64_t at_ms, double grid_w, int64_t known_s)
{
    struct past_load *p = user;
    int64_t k = (at_ms - p->load.start_ms) / PAST_CELL_MS;
    if (k >= 0 && k < p->load.n && known_s >= KNOWN_LEAST_S) {
        p->cells_w[k] = grid_w;
    }
}

void past_load_read(struct past_load *p, struct history_reader *history,
                    struct baseline_in *in)
{
    const struct baseline_span *e = &in->event;
    int64_t days = in->terms->look_back + 2;
    int64_t from_ms = e->from_ms - days * CALENDAR_DAY_MS;
    from_ms = from_ms > 0 ? from_ms - from_ms % PAST_CELL_MS : 0;
    int64_t n = (e->from_ms - from_ms) / PAST_CELL_MS + 1;
    p->load =
        (struct baseline_load){.start_ms = from_ms,
                               .cell_ms = PAST_CELL_MS,
                               .n = n < PAST_CELLS_MAX ? n : PAST_CELLS_MAX,
                               .w = p->cells_w};
    for (int64_t i = 0; i < p->load.n; i++) {
        p->cells_w[i] = NAN;
    }
    double before_s = fmax(in->terms->adjust_from_s, in->terms->before_s);
    int64_t ahead_ms = (int64_t)(before_s * 1e3) + SHIFT_MS;
    int64_t until_ms = from_ms; /* read so far */
    for (int64_t day = days; day >= 0; day--) {
        struct history_span s = {e->from_ms - ahead_ms - day * CALENDAR_DAY_MS,
                                 e->to_ms + SHIFT_MS - day * CALENDAR_DAY_MS};
        s.from_ms = s.from_ms > until_ms ? s.from_ms : until_ms;
        s.from_ms -= s.from_ms % PAST_CELL_MS;
        s.to_ms += PAST_CELL_MS - 1 - s.to_ms % PAST_CELL_MS;
        s.to_ms = s.to_ms < e->from_ms ? s.to_ms : e->from_ms - 1;
        if (s.to_ms > s.from_ms) {
            history_read_load(history, s, PAST_CELL_MS, take_cell, p);
            until_ms = s.to_ms + 1;
        }
    }
    take_others(p, in);
    in->zone = &p->zone;
    in->load = &p->load;
}
