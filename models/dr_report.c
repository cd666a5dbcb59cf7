/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/dr_report.h"

#include <string.h>

#include "models/dr_timing.h"

static const int64_t OPEN_EVERY_MS = 900000;
static const int64_t LEAST_MS = 1000; /* of an interval that is implied */

static bool open_due(const struct dr_report *r, const struct dr_report_event *e,
                     int64_t k, struct dr_report_due *out)
{
    if (e->to_ms != DR_FOREVER_MS && e->to_ms > e->from_ms &&
        k > (e->to_ms - e->from_ms) / OPEN_EVERY_MS) {
        return false;
    }
    /* one that takes no time is answered once, but for one that repeats */
    bool once = e->to_ms <= e->from_ms && r->repeat < 0;
    if (once && k > 0) {
        return false;
    }
    *out = (struct dr_report_due){.at_ms = e->from_ms + k * OPEN_EVERY_MS};
    return true;
}

/* Which intervals a report is about: number of them, and from one to the
 * next. */
struct pace {
    int64_t start;
    int64_t number;
    int64_t step;
};

static struct pace pace_of(const struct dr_report *r,
                           const struct dr_report_event *e)
{
    struct pace p = {r->start, r->number, r->frequency};
    if (e->n > 0 && (p.number < 1 || p.number > e->n)) {
        p.number = e->n;
    }
    p.number = p.number < 1 ? 1 : p.number;
    p.step = p.step < 1 ? p.number : p.step;
    if (p.start < 0 || (e->n > 0 && p.start >= e->n)) {
        p.start = !r->historical ? 0 : e->n > 0 ? e->n - 1 : p.number - 1;
    }
    return p;
}

static bool is_ours(const struct dr_report *r, const struct dr_report_event *e)
{
    bool counts = r->start >= 0 || r->number > 0 || r->frequency > 0;
    return e->n_spans == 0 || r->open || r->frequency == 0 ||
           (e->n == 0 && !counts);
}

bool dr_report_due(const struct dr_report *r, const struct dr_report_event *e,
                   int64_t k, struct dr_report_due *out)
{
    bool foreseen = r->kind != DR_REPORT_OPERATING_STATE;
    bool none = r->kind == DR_REPORT_UNKNOWN || k < 0 ||
                (!r->historical && !foreseen) ||
                (r->repeat >= 0 && k >= r->repeat);
    if (none) {
        return false;
    }
    if (is_ours(r, e)) {
        return open_due(r, e, k, out);
    }
    struct pace p = pace_of(r, e);
    int64_t number =
        p.number < DR_REPORT_LENGTH_MAX ? p.number : DR_REPORT_LENGTH_MAX;
    int64_t there = p.start + k * p.step - e->before;
    if (there < 0 || there >= e->n_spans) {
        return false;
    }
    if (!r->historical) {
        int64_t left = e->n_spans - there;
        *out = (struct dr_report_due){e->spans[there].start_ms, there,
                                      number < left ? number : left};
        return true;
    }
    int64_t n = number < there + 1 ? number : there + 1;
    *out = (struct dr_report_due){e->spans[there].end_ms, there + 1 - n, n};
    return out->at_ms != DR_FOREVER_MS;
}

int64_t dr_report_latest(const struct dr_report *r,
                         const struct dr_report_event *e, int64_t utc_ms)
{
    struct pace p = pace_of(r, e);
    struct dr_report_due due;
    int64_t k = 0;
    if (!is_ours(r, e) && e->before > p.start) {
        k = (e->before - p.start + p.step - 1) / p.step;
    }
    while (dr_report_due(r, e, k + 1, &due) && due.at_ms <= utc_ms) {
        k++;
    }
    return k;
}

/* As many whole rounds of the list as fit before 'utc_ms' are kept. */
static void about_list(const struct dr_timing *t, int64_t utc_ms,
                       struct dr_span *spans, struct dr_report_event *out)
{
    int64_t long_ms = dr_timing_list_ms(t);
    int64_t fit = DR_REPORT_SPANS_MAX / 2 / t->n;
    int64_t round = 0;
    if (fit > 0 && long_ms != DR_FOREVER_MS && utc_ms > out->from_ms) {
        round = (utc_ms - out->from_ms) / long_ms - fit;
        round = round > 0 ? round : 0;
    }
    int64_t from_ms = round > 0 ? out->from_ms + round * long_ms : 0;
    int64_t n =
        dr_timing_spans(t, from_ms, DR_FOREVER_MS, spans, DR_REPORT_SPANS_MAX);
    n = n < DR_REPORT_SPANS_MAX ? n : DR_REPORT_SPANS_MAX;
    int64_t skip = 0;
    while (round > 0 && skip < n && spans[skip].start_ms < from_ms) {
        skip++; /* the end of the round before */
    }
    out->before = round * t->n;
    out->n_spans = n - skip;
    out->spans = spans + skip;
}

static void about_implied(const struct dr_timing *t, int64_t utc_ms,
                          struct dr_span *spans, struct dr_report_event *out)
{
    int64_t each_ms = t->whole.duration.ms;
    int64_t end_ms = t->lasts ? out->to_ms : DR_FOREVER_MS;
    int64_t back = utc_ms > out->from_ms ? (utc_ms - out->from_ms) / each_ms -
                                               DR_REPORT_SPANS_MAX / 2
                                         : 0;
    out->before = back > 0 ? back : 0;
    int64_t at_ms = out->from_ms + out->before * each_ms;
    while (out->n_spans < DR_REPORT_SPANS_MAX && at_ms < end_ms) {
        spans[out->n_spans] = (struct dr_span){out->before + out->n_spans,
                                               at_ms, at_ms + each_ms};
        out->n_spans++;
        at_ms += each_ms;
    }
}

void dr_report_about(const struct dr_timing *t, int64_t utc_ms,
                     struct dr_span *spans, struct dr_report_event *out)
{
    const struct dr_period *whole = &t->whole;
    struct dr_span life;
    *out = (struct dr_report_event){.n = t->n, .spans = spans};
    if (dr_timing_life(t, &life)) {
        out->from_ms = life.start_ms;
        out->to_ms = life.end_ms;
        about_list(t, utc_ms, spans, out);
        return;
    }
    bool said = whole->start_ms != DR_NO_START;
    out->from_ms = said ? whole->start_ms : t->now_ms;
    out->to_ms = t->lasts ? dr_duration_after(out->from_ms, &t->life)
                 : whole->timed
                     ? dr_duration_after(out->from_ms, &whole->duration)
                     : out->from_ms;
    bool implies = t->n == 0 && whole->timed && !whole->duration.forever &&
                   whole->duration.months == 0 &&
                   whole->duration.ms >= LEAST_MS;
    if (implies) {
        about_implied(t, utc_ms, spans, out);
    }
}

static const struct {
    const char *type;
    const char *unit;
} rows[] = {
#define ROW(name, type, unit) {type, unit},
    DR_REPORT_LIST(ROW)
#undef ROW
};

enum dr_report_kind dr_report_kind(const char *type)
{
    for (int i = DR_REPORT_UNKNOWN + 1; i < DR_REPORT_KINDS; i++) {
        if (strcmp(rows[i].type, type) == 0) {
            return (enum dr_report_kind)i;
        }
    }
    return DR_REPORT_UNKNOWN;
}

const char *dr_report_type(enum dr_report_kind kind)
{
    return rows[kind].type;
}

const char *dr_report_unit(enum dr_report_kind kind)
{
    return rows[kind].unit;
}
