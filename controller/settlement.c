/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/settlement.h"

#include <math.h>
#include <string.h>

#include "models/calendar.h"

static const double INTERVAL_S = 300.0;

struct settlement_terms settlement_terms_of(const struct site *site)
{
    const struct site_baseline *b = &site->utility.baseline;
    struct settlement_terms t = {.baseline = baseline_preset(),
                                 .interval_s = INTERVAL_S};
    if (!b->present) {
        return t;
    }
    t.baseline.method =
        b->method == 0 ? BASELINE_HIGH_DAYS : BASELINE_METER_BEFORE;
    t.baseline.high = b->high;
    t.baseline.most = b->most;
    t.baseline.look_back = b->look_back;
    t.baseline.adjust = b->adjust;
    t.baseline.adjust_from_s = b->adjust_from_s;
    t.baseline.adjust_to_s = b->adjust_to_s;
    t.baseline.cap_pu = b->cap_pu;
    t.baseline.before_s = b->before_s;
    (void)settlement_holidays(b->holidays, &t); /* checked with the file */
    return t;
}

bool settlement_holidays(const char *text, struct settlement_terms *t)
{
    t->n_holidays = 0;
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        char day[16] = "";
        int64_t local_ms = 0;
        if (n == 10) {
            memcpy(day, text, n);
        }
        if (n != 10 || t->n_holidays == BASELINE_HOLIDAYS_MAX ||
            calendar_parse_local(day, &local_ms) != ERR_NONE) {
            return false;
        }
        t->holidays[t->n_holidays++] = calendar_day_of(local_ms);
        text += n + (text[n] == ',' ? 1 : 0);
    }
    return true;
}

bool settlement_begin(struct settlement *s)
{
    s->in.terms = &s->terms.baseline;
    s->in.n_holidays = s->terms.n_holidays;
    s->in.holidays = s->terms.holidays;
    s->evidence_wh = 0.0;
    const struct settle_terms terms = {
        .from_ms = s->in.event.from_ms,
        .to_ms = s->in.event.to_ms,
        .interval_ms = (int64_t)llround(s->terms.interval_s * 1e3),
        .n_pieces = s->n_pieces,
        .pieces = s->pieces,
        .baseline_w = NAN,
        .average_s = s->site->grid.import_average_s,
    };
    settle_init(&s->settle, &terms);
    s->has_evidence = s->evidence_path[0] != '\0';
    if (!s->has_evidence) {
        return true;
    }
    s->evidence.from_ms = terms.from_ms;
    s->evidence.to_ms = terms.to_ms;
    return evidence_span_read(&s->evidence, s->evidence_path) == ERR_NONE;
}

void settlement_row(struct settlement *s, const struct settle_row *row)
{
    settle_push(&s->settle, row);
    if (s->has_evidence && s->evidence.n_minutes > 0 && isfinite(row->grid_w) &&
        row->at_ms >= s->evidence.first_ms &&
        row->at_ms < s->evidence.last_ms) {
        s->evidence_wh += row->grid_w * row->length_s / 3600.0;
    }
}

void settlement_end(struct settlement *s)
{
    settle_close(&s->settle);
    baseline_make(&s->in, &s->baseline);
    for (int64_t i = 0; i < s->settle.n; i++) {
        const struct baseline_span span = {s->settle.intervals[i].from_ms,
                                           s->settle.intervals[i].to_ms};
        settle_baseline(&s->settle, i, baseline_w(&s->baseline, &s->in, span));
    }
    settle_sum(&s->settle);
}
