/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/prices.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/calendar.h"

/* When the day-ahead auction of the next day is published, local time. */
static const int64_t published_ms = 13 * INT64_C(3600000);

void prices_clear(struct prices *p)
{
    free(p->per_kwh);
    free(p->settle_per_kwh);
    free(p->ahead_per_kwh);
    p->ahead_per_kwh = NULL;
    p->per_kwh = NULL;
    p->settle_per_kwh = NULL;
    p->n = 0;
}

enum err prices_known_parse(const char *text, enum prices_known *known)
{
#define KNOWN_TEXT(name, text) [PRICES_##name] = text,
    static const char *const names[PRICES_KNOWN_COUNT] = {
        PRICES_KNOWN_LIST(KNOWN_TEXT)};
#undef KNOWN_TEXT
    for (int i = 0; i < PRICES_KNOWN_COUNT; i++) {
        if (strcmp(names[i], text) == 0) {
            *known = (enum prices_known)i;
            return ERR_NONE;
        }
    }
    return ERR_UNKNOWN;
}

/* Step that holds 'utc_ms', rounded toward the past; may lie outside. */
static int64_t step_of(const struct prices *p, int64_t utc_ms)
{
    int64_t since_ms = utc_ms - p->start_at_ms;
    int64_t step = since_ms / p->step_ms;
    return since_ms % p->step_ms < 0 ? step - 1 : step;
}

static int64_t end_ms(const struct prices *p)
{
    return p->start_at_ms + (int64_t)p->n * p->step_ms;
}

/* The last published local day's end. */
static int64_t day_ahead_until_ms(const struct prices *p, int64_t utc_ms)
{
    int64_t local_ms = zone_utc_to_local(&p->zone, utc_ms);
    int64_t day = calendar_day_of(local_ms);
    bool published = local_ms - day * CALENDAR_DAY_MS >= published_ms;
    int64_t until_ms = 0;
    zone_local_to_utc(&p->zone, (day + (published ? 2 : 1)) * CALENDAR_DAY_MS,
                      false, &until_ms);
    return until_ms;
}

static int64_t until_ms(const struct prices *p, enum prices_known known,
                        int64_t utc_ms)
{
    int64_t until_ms = end_ms(p);
    switch (known) {
    case PRICES_DAY_AHEAD:
        until_ms = day_ahead_until_ms(p, utc_ms);
        break;
    case PRICES_NOW:
        until_ms = p->start_at_ms + (step_of(p, utc_ms) + 1) * p->step_ms;
        break;
    case PRICES_ALL:
        break;
    case PRICES_KNOWN_COUNT:
        assert(false);
    }
    return until_ms < end_ms(p) ? until_ms : end_ms(p);
}

int64_t prices_known_until_ms(const struct prices *p, int64_t utc_ms)
{
    return until_ms(p, p->known, utc_ms);
}

/* The steps of a series from the one that holds 'utc_ms' on. */
static void fill(const struct prices *p, const double *per_kwh, int64_t utc_ms,
                 int64_t known_ms, struct price_in *out)
{
    memset(out, 0, sizeof(*out));
    out->value_per_kwh = NAN;
    out->step_s = (double)p->step_ms / 1e3;
    int64_t from = step_of(p, utc_ms);
    from = from < 0 ? 0 : from;
    int64_t to = step_of(p, known_ms - 1) + 1;
    if (to - from > PRICE_SLOTS_MAX) {
        to = from + PRICE_SLOTS_MAX;
    }
    while (to > from && isnan(per_kwh[to - 1])) {
        to--;
    }
    out->start_at_ms = p->start_at_ms + from * p->step_ms;
    out->n_slots = to > from ? to - from : 0;
    out->expires_at_ms = out->start_at_ms + out->n_slots * p->step_ms;
    if (out->n_slots > 0) {
        memcpy(out->per_kwh, per_kwh + from,
               (size_t)out->n_slots * sizeof(out->per_kwh[0]));
    }
}

void prices_fill(const struct prices *p, int64_t utc_ms, int64_t mono_ms,
                 struct price_in *out)
{
    assert(mono_ms > 0 && p->n > 0);
    fill(p, p->per_kwh, utc_ms, prices_known_until_ms(p, utc_ms), out);
    out->mono_ms = mono_ms;
}

void prices_fill_ahead(const struct prices *p, int64_t utc_ms, int64_t mono_ms,
                       struct price_in *out)
{
    assert(mono_ms > 0 && p->n > 0 && p->ahead_per_kwh != NULL);
    int64_t known_ms = until_ms(p, PRICES_DAY_AHEAD, utc_ms);
    fill(p, p->ahead_per_kwh, utc_ms, known_ms, out);
    out->mono_ms = mono_ms;
}

double prices_settle_per_kwh(const struct prices *p, int64_t utc_ms)
{
    int64_t step = step_of(p, utc_ms);
    return step >= 0 && step < (int64_t)p->n ? p->settle_per_kwh[step] : NAN;
}

size_t prices_missing(const struct prices *p, int64_t from_ms, int64_t to_ms)
{
    size_t n = 0;
    if (to_ms <= from_ms) {
        return 0;
    }
    int64_t last = step_of(p, to_ms - 1);
    for (int64_t step = step_of(p, from_ms); step <= last; step++) {
        bool inside = step >= 0 && step < (int64_t)p->n;
        n += !inside || isnan(p->settle_per_kwh[step]);
    }
    return n;
}
