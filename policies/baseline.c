/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/baseline.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "models/calendar.h"

/* A day-of factor is not made from next to nothing, W. */
static const double LEAST_W = 1e-3;

struct baseline_terms baseline_preset(void)
{
    return (struct baseline_terms){
        .method = BASELINE_HIGH_DAYS,
        .high = 5,
        .most = 10,
        .look_back = 45,
        .gap_max_pu = 0.1,
        .low_pu = 0.25,
        .adjust = BASELINE_ADJUST_MULTIPLY,
        .adjust_from_s = 4.0 * 3600.0,
        .adjust_to_s = 2.0 * 3600.0,
        .cap_pu = 0.2,
        .before_s = 900.0,
    };
}

enum err baseline_check(const struct baseline_terms *t, const char **why)
{
    const struct {
        bool good;
        const char *why;
    } rules[] = {
        {t->method == BASELINE_HIGH_DAYS || t->method == BASELINE_METER_BEFORE,
         "a method that is none of ours"},
        {t->high >= 1 && t->high <= t->most,
         "days used: expected 1 to those compared"},
        {t->most <= t->look_back, "more days compared than looked back"},
        {t->look_back <= BASELINE_LOOK_BACK_MAX, "more than 90 days back"},
        {t->gap_max_pu >= 0.0 && t->gap_max_pu < 1.0, "gaps: expected 0 to 1"},
        {t->low_pu >= 0.0 && t->low_pu < 1.0, "low days: expected 0 to 1"},
        {t->adjust >= 0 && t->adjust < BASELINE_ADJUSTS,
         "an adjustment that is none of ours"},
        {t->adjust_to_s >= 0.0 && t->adjust_from_s > t->adjust_to_s &&
             t->adjust_from_s <= 86400.0,
         "the day-of window must begin before it ends, within a day"},
        {t->cap_pu >= 0.0, "the cap is negative"},
        {t->before_s > 0.0 && t->before_s <= 86400.0,
         "meter before: expected up to a day"},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (!rules[i].good) {
            *why = rules[i].why;
            return ERR_RANGE;
        }
    }
    return ERR_NONE;
}

double baseline_load_w(const struct baseline_load *load,
                       struct baseline_span span, double *known_pu)
{
    double sum = 0.0;
    double known = 0.0;
    int64_t end_ms = load->start_ms + load->n * load->cell_ms;
    int64_t from =
        span.from_ms > load->start_ms ? span.from_ms : load->start_ms;
    int64_t to = span.to_ms < end_ms ? span.to_ms : end_ms;
    while (from < to) {
        int64_t k = (from - load->start_ms) / load->cell_ms;
        int64_t next = load->start_ms + (k + 1) * load->cell_ms;
        next = next < to ? next : to;
        if (isfinite(load->w[k])) {
            sum += load->w[k] * (double)(next - from);
            known += (double)(next - from);
        }
        from = next;
    }
    if (known_pu != NULL) {
        double whole = (double)(span.to_ms - span.from_ms);
        *known_pu = whole > 0.0 ? known / whole : 0.0;
    }
    return known > 0.0 ? sum / known : NAN;
}

static int64_t local_day(const struct baseline_in *in, int64_t utc_ms)
{
    return calendar_day_of(zone_utc_to_local(in->zone, utc_ms));
}

/* The same local times on another day; ends where local time ends. */
static struct baseline_span on_day(const struct baseline_in *in,
                                   struct baseline_span span, int64_t day)
{
    int64_t back_ms =
        (local_day(in, in->event.from_ms) - day) * CALENDAR_DAY_MS;
    struct baseline_span s;
    zone_local_to_utc(in->zone,
                      zone_utc_to_local(in->zone, span.from_ms) - back_ms,
                      false, &s.from_ms);
    zone_local_to_utc(in->zone,
                      zone_utc_to_local(in->zone, span.to_ms) - back_ms, false,
                      &s.to_ms);
    return s;
}

static bool is_free_day(const struct baseline_in *in, int64_t day)
{
    int weekday = calendar_weekday(day);
    bool is_free = weekday == 0 || weekday == 6;
    for (int64_t i = 0; i < in->n_holidays; i++) {
        is_free = is_free || in->holidays[i] == day;
    }
    return is_free;
}

/* Whether another event, or this one, touches the local day or the time of
 * the event on it. */
static bool had_event(const struct baseline_in *in, int64_t day)
{
    struct baseline_span at = on_day(in, in->event, day);
    bool had = at.to_ms > in->event.from_ms;
    for (int64_t i = 0; i < in->n_others && !had; i++) {
        const struct baseline_span *o = &in->others[i];
        bool same_day = local_day(in, o->from_ms) <= day &&
                        local_day(in, o->to_ms - 1) >= day;
        bool touches = o->from_ms < at.to_ms && o->to_ms > at.from_ms;
        had = o->to_ms > o->from_ms && (same_day || touches);
    }
    return had;
}

/* What keeps a day out, whatever the others drew; USED for an eligible one. */
static void judge_day(const struct baseline_in *in, struct baseline_day *d)
{
    double known_pu = 0.0;
    int64_t event_day = local_day(in, in->event.from_ms);
    d->mean_w =
        baseline_load_w(in->load, on_day(in, in->event, d->day), &known_pu);
    d->fate = BASELINE_DAY_USED;
    if (is_free_day(in, d->day) != is_free_day(in, event_day)) {
        d->fate = BASELINE_DAY_CLASS;
    } else if (had_event(in, d->day)) {
        d->fate = BASELINE_DAY_EVENT;
    } else if (!isfinite(d->mean_w) ||
               1.0 - known_pu > in->terms->gap_max_pu + 1e-9) {
        d->fate = BASELINE_DAY_GAPS;
    }
}

/* Days that drew far less, as in an outage or a shutdown. */
static void drop_low(const struct baseline_in *in, struct baseline *b)
{
    double sum_w = 0.0;
    int64_t n = 0;
    for (int64_t i = 0; i < b->n_days; i++) {
        bool in_sum = b->days[i].fate == BASELINE_DAY_USED;
        sum_w += in_sum ? b->days[i].mean_w : 0.0;
        n += in_sum;
    }
    double least_w = n > 0 ? in->terms->low_pu * sum_w / (double)n : 0.0;
    for (int64_t i = 0; i < b->n_days; i++) {
        struct baseline_day *d = &b->days[i];
        if (d->fate == BASELINE_DAY_USED && least_w > 0.0 &&
            d->mean_w < least_w) {
            d->fate = BASELINE_DAY_LOW;
        }
    }
}

/* The latest 'most', and of those the 'high' that drew most; of equal ones the
 * later. */
static void choose(const struct baseline_in *in, struct baseline *b)
{
    for (int64_t i = 0; i < b->n_days; i++) {
        struct baseline_day *d = &b->days[i];
        if (d->fate != BASELINE_DAY_USED) {
            continue;
        }
        if (b->n_eligible == in->terms->most) {
            d->fate = BASELINE_DAY_OLDER;
        } else {
            b->n_eligible++;
        }
    }
    for (b->n_used = b->n_eligible; b->n_used > in->terms->high; b->n_used--) {
        struct baseline_day *least = NULL;
        for (int64_t i = 0; i < b->n_days; i++) {
            struct baseline_day *d = &b->days[i];
            if (d->fate == BASELINE_DAY_USED &&
                (least == NULL || d->mean_w <= least->mean_w)) {
                least = d;
            }
        }
        assert(least != NULL);
        least->fate = BASELINE_DAY_LOWER;
    }
}

/* Mean of the days used, not adjusted. */
static double days_w(const struct baseline *b, const struct baseline_in *in,
                     struct baseline_span span)
{
    double sum_w = 0.0;
    int64_t n = 0;
    for (int64_t i = 0; i < b->n_days; i++) {
        if (b->days[i].fate != BASELINE_DAY_USED) {
            continue;
        }
        double w =
            baseline_load_w(in->load, on_day(in, span, b->days[i].day), NULL);
        sum_w += isfinite(w) ? w : 0.0;
        n += isfinite(w);
    }
    return n > 0 ? sum_w / (double)n : NAN;
}

static struct baseline_span window(const struct baseline_in *in, double from_s,
                                   double to_s)
{
    int64_t start_ms = in->event.from_ms;
    return (struct baseline_span){start_ms - (int64_t)llround(from_s * 1e3),
                                  start_ms - (int64_t)llround(to_s * 1e3)};
}

static double cap(struct baseline *b, double x, double most)
{
    b->capped = fabs(x) > most;
    return b->capped ? copysign(most, x) : x;
}

static void adjust(const struct baseline_in *in, struct baseline *b)
{
    const struct baseline_terms *t = in->terms;
    struct baseline_span at = window(in, t->adjust_from_s, t->adjust_to_s);
    double known_pu = 0.0;
    double today_w = baseline_load_w(in->load, at, &known_pu);
    double then_w = days_w(b, in, at);
    if (t->adjust == BASELINE_ADJUST_NONE || !isfinite(today_w) ||
        !isfinite(then_w) || 1.0 - known_pu > t->gap_max_pu + 1e-9) {
        return;
    }
    if (t->adjust == BASELINE_ADJUST_MULTIPLY && then_w > LEAST_W) {
        b->adjusted = true;
        b->asked = today_w / then_w;
        b->factor_pu = 1.0 + cap(b, b->asked - 1.0, t->cap_pu);
    } else if (t->adjust == BASELINE_ADJUST_ADD) {
        b->adjusted = true;
        b->asked = today_w - then_w;
        b->offset_w = cap(b, b->asked, t->cap_pu * fabs(then_w));
    }
}

void baseline_make(const struct baseline_in *in, struct baseline *out)
{
    const struct baseline_terms *t = in->terms;
    *out = (struct baseline){.factor_pu = 1.0, .asked = NAN};
    out->before_w =
        baseline_load_w(in->load, window(in, t->before_s, 0.0), NULL);
    int64_t event_day = local_day(in, in->event.from_ms);
    bool by_days = t->method == BASELINE_HIGH_DAYS;
    for (int64_t i = 0; i < t->look_back && by_days; i++) {
        out->days[i].day = event_day - 1 - i;
        judge_day(in, &out->days[i]);
        out->n_days++;
    }
    drop_low(in, out);
    choose(in, out);
    if (by_days && out->n_eligible >= t->high) {
        out->method = BASELINE_HIGH_DAYS;
        adjust(in, out);
        return;
    }
    out->fell_back = by_days;
    out->n_used = 0;
    out->method =
        isfinite(out->before_w) ? BASELINE_METER_BEFORE : BASELINE_UNKNOWN;
}

double baseline_w(const struct baseline *b, const struct baseline_in *in,
                  struct baseline_span span)
{
    switch ((enum baseline_method)b->method) {
    case BASELINE_HIGH_DAYS:
        return days_w(b, in, span) * b->factor_pu + b->offset_w;
    case BASELINE_METER_BEFORE:
        return b->before_w;
    case BASELINE_UNKNOWN:
    case BASELINE_METHODS:
        break;
    }
    return NAN;
}

const char *baseline_method_name(enum baseline_method method)
{
#define TEXT(name, text) text,
    static const char *const texts[] = {BASELINE_METHOD_LIST(TEXT)};
    return texts[method];
}

const char *baseline_fate_name(enum baseline_fate fate)
{
    static const char *const texts[] = {BASELINE_DAY_LIST(TEXT)};
    return texts[fate];
}

const char *baseline_adjust_name(enum baseline_adjust adjust_how)
{
    static const char *const texts[] = {BASELINE_ADJUST_LIST(TEXT)};
#undef TEXT
    return texts[adjust_how];
}
