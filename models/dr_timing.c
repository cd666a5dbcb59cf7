/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/dr_timing.h"

#include <assert.h>
#include <string.h>

#include "models/calendar.h"
#include "models/random.h"

enum { OVERLAP_SPANS = 256 }; /* looked at for contradictions */

enum err dr_start_parse(const char *text, int64_t *start_ms)
{
    if (strncmp(text, "0001-01-01", 10) == 0) {
        *start_ms = DR_NO_START;
        return ERR_NONE;
    }
    enum err e = calendar_parse_utc(text, start_ms);
    return e == ERR_SYNTAX ? calendar_parse_local(text, start_ms) : e;
}

/* Where the list stands while it is walked. */
struct walk {
    const struct dr_timing *t;
    uint64_t random;
    int64_t shift_ms;
    int64_t next_ms; /* end of the interval before */
    int64_t i;
};

static int64_t draw_ms(struct walk *w, int64_t random_ms)
{
    double ms = (double)random_ms;
    return random_ms > 0 ? (int64_t)random_draw(&w->random, -ms, ms) : 0;
}

static struct walk walk_from_start(const struct dr_timing *t)
{
    struct walk w = {.t = t, .random = random_seed(t->seed)};
    bool said = t->whole.start_ms != DR_NO_START;
    w.next_ms = said ? t->whole.start_ms : t->now_ms;
    w.shift_ms = draw_ms(&w, t->whole.random_ms);
    return w;
}

/* The next interval of the list as it comes the first time, without the
 * shift; false at its end. */
static bool walk_on(struct walk *w, struct dr_span *out)
{
    if (w->i >= w->t->n) {
        return false;
    }
    const struct dr_period *own = &w->t->intervals[w->i];
    bool placed = own->start_ms != DR_NO_START;
    if (own->random_ms > 0 && (placed || w->i == 0)) {
        w->shift_ms = draw_ms(w, own->random_ms);
    }
    int64_t start_ms = placed ? own->start_ms : w->next_ms;
    const struct dr_period *says = own->timed ? own : &w->t->whole;
    int64_t end_ms = DR_FOREVER_MS;
    if (says->timed) {
        end_ms = dr_duration_after(start_ms, &says->duration);
    }
    *out = (struct dr_span){w->i, start_ms, end_ms};
    w->next_ms = end_ms;
    w->i++;
    return true;
}

/* The list once: from its first start to its last end. */
static bool list_life(const struct dr_timing *t, struct dr_span *out)
{
    struct walk w = walk_from_start(t);
    struct dr_span s;
    bool any = false;
    while (walk_on(&w, &s)) {
        if (!any) {
            *out = s;
        }
        any = true;
        out->end_ms = s.end_ms > out->end_ms ? s.end_ms : out->end_ms;
        out->start_ms = s.start_ms < out->start_ms ? s.start_ms : out->start_ms;
    }
    return any && out->end_ms > out->start_ms;
}

static int64_t life_end_ms(const struct dr_timing *t,
                           const struct dr_span *list)
{
    return t->lasts ? dr_duration_after(list->start_ms, &t->life)
                    : list->end_ms;
}

static int64_t later(int64_t ms, int64_t by_ms)
{
    return ms == DR_FOREVER_MS ? ms : ms + by_ms;
}

bool dr_timing_life(const struct dr_timing *t, struct dr_span *out)
{
    if (!list_life(t, out)) {
        return false;
    }
    struct walk w = walk_from_start(t);
    struct dr_span first;
    walk_on(&w, &first); /* draws the shift of the chain */
    out->end_ms = later(life_end_ms(t, out), w.shift_ms);
    out->start_ms += w.shift_ms;
    return out->end_ms > out->start_ms;
}

int64_t dr_timing_list_ms(const struct dr_timing *t)
{
    struct dr_span list;
    if (!list_life(t, &list)) {
        return 0;
    }
    return list.end_ms == DR_FOREVER_MS ? DR_FOREVER_MS
                                        : list.end_ms - list.start_ms;
}

/* What spans are collected into, and for when. */
struct catch
{
    int64_t from_ms;
    int64_t to_ms;
    struct dr_span *out;
    int64_t max;
    int64_t n;
};

static void take(struct catch *c, const struct dr_span *s)
{
    if (s->start_ms < c->to_ms && s->end_ms > c->from_ms &&
        s->start_ms < s->end_ms) {
        if (c->n < c->max) {
            c->out[c->n] = *s;
        }
        c->n++;
    }
}

/* The list once, 'by_ms' later than the first time, cut at 'end_ms'. */
static void take_list(const struct dr_timing *t, int64_t by_ms, int64_t end_ms,
                      struct catch *c)
{
    struct walk w = walk_from_start(t);
    struct dr_span s;
    while (walk_on(&w, &s)) {
        s.end_ms = later(s.end_ms, by_ms);
        s.end_ms = s.end_ms < end_ms ? s.end_ms : end_ms;
        s.end_ms = later(s.end_ms, w.shift_ms);
        s.start_ms = later(s.start_ms, by_ms + w.shift_ms);
        take(c, &s);
    }
}

/* The largest shift that any interval may draw. */
static int64_t random_most_ms(const struct dr_timing *t)
{
    int64_t most_ms = t->whole.random_ms;
    for (int64_t i = 0; i < t->n; i++) {
        int64_t ms = t->intervals[i].random_ms;
        most_ms = ms > most_ms ? ms : most_ms;
    }
    return most_ms;
}

int64_t dr_timing_spans(const struct dr_timing *t, int64_t from_ms,
                        int64_t to_ms, struct dr_span *out, int64_t max)
{
    struct catch c = {from_ms, to_ms, out, max, 0};
    struct dr_span list;
    if (from_ms >= to_ms || !list_life(t, &list)) {
        return 0;
    }
    int64_t end_ms = life_end_ms(t, &list);
    int64_t by_ms = 0;
    int64_t long_ms = 0;
    if (list.end_ms != DR_FOREVER_MS) {
        long_ms = list.end_ms - list.start_ms;
        int64_t ahead_ms = from_ms - list.end_ms - random_most_ms(t);
        by_ms = ahead_ms > 0 ? ahead_ms / long_ms * long_ms : 0;
    }
    int64_t last_ms = to_ms < DR_FOREVER_MS - random_most_ms(t)
                          ? to_ms + random_most_ms(t)
                          : to_ms;
    do {
        take_list(t, by_ms, end_ms, &c);
        by_ms += long_ms;
    } while (long_ms > 0 && c.n <= max && list.start_ms + by_ms < end_ms &&
             list.start_ms + by_ms < last_ms);
    return c.n;
}

/* By start; the lists are mostly in order already. */
static void sort_spans(struct dr_span *spans, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        struct dr_span s = spans[i];
        int64_t k = i;
        for (; k > 0 && spans[k - 1].start_ms > s.start_ms; k--) {
            spans[k] = spans[k - 1];
        }
        spans[k] = s;
    }
}

bool dr_timing_overlaps(const struct dr_timing *t)
{
    struct dr_span spans[OVERLAP_SPANS];
    int64_t n = dr_timing_spans(t, 0, DR_FOREVER_MS, spans, OVERLAP_SPANS);
    n = n < OVERLAP_SPANS ? n : OVERLAP_SPANS;
    sort_spans(spans, n);
    for (int64_t i = 1; i < n; i++) {
        if (spans[i - 1].end_ms != DR_FOREVER_MS &&
            spans[i].start_ms < spans[i - 1].end_ms) {
            return true;
        }
    }
    return false;
}

struct dr_span dr_span_part(const struct dr_span *span, int64_t k, int64_t n)
{
    assert(n >= 1 && k >= 0 && k < n);
    struct dr_span part = *span;
    if (span->end_ms == DR_FOREVER_MS) {
        part.end_ms = k == 0 ? DR_FOREVER_MS : span->start_ms;
        return part;
    }
    int64_t ms = span->end_ms - span->start_ms;
    part.start_ms = span->start_ms + ms / n * k + ms % n * k / n;
    part.end_ms = span->start_ms + ms / n * (k + 1) + ms % n * (k + 1) / n;
    return part;
}
