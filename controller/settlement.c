/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/settlement.h"

#include <math.h>
#include <string.h>

static const double INTERVAL_S = 300.0;

struct settlement_terms settlement_preset(void)
{
    return (struct settlement_terms){.baseline = baseline_preset(),
                                     .interval_s = INTERVAL_S};
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
