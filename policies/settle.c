/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/settle.h"

#include <assert.h>
#include <math.h>

/* Lengths that an interval is widened to, ms. */
static const int64_t wider_ms[] = {60000,   300000,   900000,
                                   3600000, 14400000, 86400000};

static int64_t fit_interval(const struct settle_terms *t)
{
    int64_t span_ms = t->to_ms - t->from_ms;
    int64_t ms = t->interval_ms;
    for (size_t i = 0; i < sizeof(wider_ms) / sizeof(wider_ms[0]); i++) {
        if ((span_ms - 1) / ms < SETTLE_INTERVALS_MAX) {
            return ms;
        }
        ms = wider_ms[i] > ms ? wider_ms[i] : ms;
    }
    return (span_ms - 1) / SETTLE_INTERVALS_MAX + 1 > ms
               ? (span_ms - 1) / SETTLE_INTERVALS_MAX + 1
               : ms;
}

void settle_init(struct settle *s, const struct settle_terms *terms)
{
    assert(terms->to_ms > terms->from_ms && terms->interval_ms > 0);
    *s = (struct settle){.terms = *terms, .reach_s = NAN, .error_rms_w = NAN};
    int64_t ms = fit_interval(terms);
    s->terms.interval_ms = ms;
    for (int64_t at = terms->from_ms; at < terms->to_ms; at += ms) {
        int64_t end = terms->to_ms - at > ms ? at + ms : terms->to_ms;
        s->intervals[s->n++] = (struct settle_interval){
            .from_ms = at, .to_ms = end, .baseline_w = terms->baseline_w};
    }
}

static double excess_of(const struct settle_piece *p, double grid_w)
{
    switch ((enum utility_kind)p->kind) {
    case UTILITY_IMPORT_MAX:
    case UTILITY_SETPOINT:
    case UTILITY_EMERGENCY:
        return grid_w - p->value;
    case UTILITY_EXPORT_MAX:
        return -grid_w - p->value;
    default:
        return NAN;
    }
}

bool settle_asked(const struct settle_terms *t, int64_t at_ms, double grid_w,
                  struct settle_piece *piece, double *excess_w)
{
    bool asked = false;
    for (int64_t i = 0; i < t->n_pieces; i++) {
        const struct settle_piece *p = &t->pieces[i];
        double excess = excess_of(p, isfinite(grid_w) ? grid_w : 0.0);
        if (at_ms < p->start_ms || at_ms >= p->end_ms || !isfinite(excess)) {
            continue;
        }
        if (!asked || excess > *excess_w) {
            *piece = *p;
            *excess_w = excess;
        }
        asked = true;
    }
    return asked;
}

static void forget_oldest(struct settle_mean *m)
{
    int64_t k = m->first++ % SETTLE_ROWS_MAX;
    m->sum_ws -= m->excess_ws[k];
    m->length_s -= m->row_s[k];
}

/* The mean excess over the last 'average_s', with this row. */
static double mean_excess_w(struct settle_mean *m, double average_s,
                            const struct settle_row *row, double excess_w)
{
    if (m->next - m->first == SETTLE_ROWS_MAX) {
        forget_oldest(m);
    }
    int64_t k = m->next++ % SETTLE_ROWS_MAX;
    m->excess_ws[k] = excess_w * row->length_s;
    m->row_s[k] = row->length_s;
    m->sum_ws += m->excess_ws[k];
    m->length_s += m->row_s[k];
    while (m->next - m->first > 1 &&
           m->length_s - m->row_s[m->first % SETTLE_ROWS_MAX] >=
               average_s - 1e-6) {
        forget_oldest(m);
    }
    return m->next - m->first == 1 ? excess_w : m->sum_ws / m->length_s;
}

static void judge(struct settle *s, const struct settle_row *row)
{
    struct settle_piece piece;
    double excess_w = 0.0;
    if (!settle_asked(&s->terms, row->at_ms, row->grid_w, &piece, &excess_w)) {
        s->mean.first = s->mean.next;
        s->mean.sum_ws = 0.0;
        s->mean.length_s = 0.0;
        return;
    }
    double before_s = s->asked_s;
    s->asked_s += row->length_s;
    if (!isfinite(row->grid_w)) {
        return;
    }
    s->judged_s += row->length_s;
    s->error_sum_w2s += excess_w * excess_w * row->length_s;
    double most_w = SETTLE_TOLERANCE_PU * fabs(piece.value);
    if (excess_w > most_w) {
        s->rows_above_s += row->length_s;
        s->excess_wh += excess_w * row->length_s / 3600.0;
    } else if (isnan(s->reach_s)) {
        s->reach_s = before_s;
    }
    bool reached = !isnan(s->reach_s);
    double judged_w =
        reached ? mean_excess_w(&s->mean, s->terms.average_s, row, excess_w)
                : excess_w;
    if (judged_w <= most_w) {
        return;
    }
    s->above_s += row->length_s;
    s->above_later_s += reached ? row->length_s : 0.0;
    if (judged_w > s->excess_max_w) {
        s->excess_max_w = judged_w;
        s->excess_max_at_ms = row->at_ms;
    }
}

void settle_push(struct settle *s, const struct settle_row *row)
{
    const struct settle_terms *t = &s->terms;
    if (row->at_ms < t->from_ms || row->at_ms >= t->to_ms) {
        return;
    }
    judge(s, row);
    if (isfinite(row->grid_w)) {
        struct settle_interval *i =
            &s->intervals[(row->at_ms - t->from_ms) / t->interval_ms];
        i->metered_w += row->grid_w * row->length_s;
        i->known_s += row->length_s;
        s->known_s += row->length_s;
    }
    if (isfinite(row->ramp_w_per_s) &&
        fabs(row->ramp_w_per_s) > fabs(s->ramp_max_w_per_s)) {
        s->ramp_max_w_per_s = row->ramp_w_per_s;
        s->ramp_max_at_ms = row->at_ms;
    }
}

void settle_close(struct settle *s)
{
    for (int64_t k = 0; k < s->n; k++) {
        struct settle_interval *i = &s->intervals[k];
        i->metered_w = i->known_s > 0.0 ? i->metered_w / i->known_s : NAN;
    }
    if (s->judged_s > 0.0) {
        s->error_rms_w = sqrt(s->error_sum_w2s / s->judged_s);
    }
}

void settle_baseline(struct settle *s, int64_t interval, double baseline_w)
{
    assert(interval >= 0 && interval < s->n);
    s->intervals[interval].baseline_w = baseline_w;
}

void settle_sum(struct settle *s)
{
    s->baseline_wh = 0.0;
    s->metered_wh = 0.0;
    s->delivered_wh = 0.0;
    for (int64_t k = 0; k < s->n; k++) {
        struct settle_interval *i = &s->intervals[k];
        double h = i->known_s / 3600.0;
        i->delivered_wh = (i->baseline_w - i->metered_w) * h;
        if (isfinite(i->delivered_wh)) {
            s->baseline_wh += i->baseline_w * h;
            s->metered_wh += i->metered_w * h;
            s->delivered_wh += i->delivered_wh;
        }
    }
}
