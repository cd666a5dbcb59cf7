/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/openadr_baseline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/log.h"
#include "controller/past_load.h"
#include "models/dr_event.h"

/* What was metered before an event has been committed by then. */
static const int64_t SETTLED_MS = 60000;
static const int64_t AGAIN_MS = 900000;

struct openadr_baseline {
    const struct site *site;
    struct settlement_terms terms;
    char id[DR_ID_MAX];
    int64_t made_ms; /* UTC; 0: never */
    struct baseline_in in;
    struct baseline baseline;
    struct past_load past;
};

enum err openadr_baseline_open(const struct site *site,
                               struct openadr_baseline **out)
{
    struct openadr_baseline *b = calloc(1, sizeof(*b));
    if (b == NULL) {
        return ERR_MEMORY;
    }
    b->site = site;
    b->terms = settlement_terms_of(site);
    *out = b;
    return ERR_NONE;
}

void openadr_baseline_close(struct openadr_baseline *b)
{
    free(b);
}

static bool is_fresh(const struct openadr_baseline *b, const char *id,
                     const struct baseline_span *event, int64_t utc_ms)
{
    bool settled = b->made_ms >= event->from_ms + SETTLED_MS;
    bool recent = utc_ms >= b->made_ms && utc_ms - b->made_ms < AGAIN_MS &&
                  (utc_ms < event->from_ms || b->made_ms >= event->from_ms);
    return b->made_ms > 0 && strcmp(b->id, id) == 0 &&
           b->in.event.from_ms == event->from_ms &&
           b->in.event.to_ms == event->to_ms && (settled || recent);
}

static void tell(const struct openadr_baseline *b)
{
    const struct baseline *made = &b->baseline;
    if (made->fell_back) {
        log_line(LOG_WARN, b->id,
                 "baseline of event %s: %lld of %lld days are like it, and "
                 "known: %s",
                 b->id, (long long)made->n_eligible,
                 (long long)b->terms.baseline.high,
                 made->method == BASELINE_METER_BEFORE
                     ? "the meter before stands in"
                     : "the quarter hour before stands in");
    }
}

/* The history that there is; none is as good as an empty one. */
static void make(struct openadr_baseline *b)
{
    char why[200] = "";
    struct history_reader *history = NULL;
    enum err e =
        history_read_open(b->site->history.file, &history, why, sizeof(why));
    if (e == ERR_NONE) {
        e = past_load_open(&b->past, b->site->time_zone, history, why,
                           sizeof(why));
    }
    if (e == ERR_NONE) {
        past_load_read(&b->past, history, &b->in);
        baseline_make(&b->in, &b->baseline);
        snprintf(why, sizeof(why), "%s", history_read_error(history));
        tell(b);
    }
    if (why[0] != '\0') {
        log_line(LOG_WARN, "openadr baseline", "baseline of event %s: %s",
                 b->id, why);
    }
    if (history != NULL) {
        history_read_close(history);
    }
}

const struct baseline *openadr_baseline_of(struct openadr_baseline *b,
                                           const char *id,
                                           struct baseline_span event,
                                           int64_t utc_ms)
{
    if (!is_fresh(b, id, &event, utc_ms)) {
        snprintf(b->id, sizeof(b->id), "%s", id);
        b->made_ms = utc_ms;
        b->in = (struct baseline_in){.terms = &b->terms.baseline,
                                     .event = event,
                                     .n_holidays = b->terms.n_holidays,
                                     .holidays = b->terms.holidays};
        b->baseline = (struct baseline){.method = BASELINE_UNKNOWN};
        make(b);
    }
    return &b->baseline;
}

double openadr_baseline_w(const struct openadr_baseline *b,
                          struct baseline_span span)
{
    return baseline_w(&b->baseline, &b->in, span);
}
