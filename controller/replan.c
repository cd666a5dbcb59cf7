/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/replan.h"

#include <math.h>
#include <string.h>

static const double SOONEST_S = 5.0;
static const double AGAIN_S = 20.0; /* after a plan that was cut short */
static const int64_t QUARTER_MS = 900000;
static const double HOUR_S = 3600.0;
static const int64_t SHOWS_MS = 60000; /* after a job began or ended */
static const double REST_PU = 0.01;    /* of the rating: no direction */

enum { QUARTERS = 192 }; /* that a plan looks ahead */

/* FNV-1a */
static const uint64_t basis = 14695981039346656037u;
static const uint64_t prime = 1099511628211u;

static uint64_t mix(uint64_t h, uint64_t word)
{
    return (h ^ word) * prime;
}

static uint64_t bits(double x)
{
    uint64_t u = 0;
    memcpy(&u, &x, sizeof(u));
    return u;
}

void replan_init(struct replan *r)
{
    *r = (struct replan){.age_s = INFINITY};
}

/* What a feed says of the time to come; the same words said again are none.
 * Looked at when it speaks only. */
static uint64_t published(struct replan *r, int i, const struct snapshot *in)
{
    const struct price_in *p = &in->prices[i];
    if (p->mono_ms == r->price_mono_ms[i]) {
        return r->prices[i];
    }
    uint64_t h = 0;
    int64_t first = in->utc_ms / QUARTER_MS + 1;
    for (int64_t q = first; q < first + QUARTERS; q++) {
        double price = price_at(p, q * QUARTER_MS);
        if (isfinite(price)) {
            h ^= mix(mix((uint64_t)q, bits(price)), prime);
        }
    }
    r->price_mono_ms[i] = p->mono_ms;
    r->prices[i] = h;
    return h;
}

/* The newest job that was announced, and the newest one whose load shows: a
 * plan made when it began knows the load before it. */
static uint64_t newest_jobs(const struct snapshot *in)
{
    int64_t newest = 0;
    int64_t shows = 0;
    for (int i = 0; i < JOB_MARKERS_MAX; i++) {
        const struct job_in *j = &in->jobs[i];
        bool counts = j->event == JOB_START || j->event == JOB_STOP;
        newest = counts && j->seq > newest ? j->seq : newest;
        bool late = in->utc_ms - j->at_ms >= SHOWS_MS;
        shows = counts && late && j->seq > shows ? j->seq : shows;
    }
    return mix(mix(basis, (uint64_t)newest), (uint64_t)shows);
}

static uint64_t instructions(const struct snapshot *in)
{
    uint64_t h = basis;
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        const struct utility_in *u = &in->utility[i];
        if (u->id[0] == '\0') {
            continue;
        }
        uint64_t words[sizeof(*u) / sizeof(uint64_t)];
        memcpy(words, u, sizeof(words));
        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            h = mix(h, words[k]);
        }
    }
    return h;
}

/* What a plan depends on, as it is now. */
static void look(struct replan *r, const struct site *site,
                 const struct snapshot *in, uint64_t now[PLAN_CAUSE_COUNT])
{
    memset(now, 0, PLAN_CAUSE_COUNT * sizeof(*now));
    now[PLAN_BY_PRICE] = basis;
    for (int i = 0; i < site->n_prices; i++) {
        uint64_t h = mix(now[PLAN_BY_PRICE], published(r, i, in));
        now[PLAN_BY_PRICE] = mix(h, bits(price_at(&in->prices[i], in->utc_ms)));
    }
    now[PLAN_BY_BATTERY] = basis;
    for (int i = 0; i < site->n_batteries; i++) {
        bool ready = (in->batteries[i].flags & BATTERY_READY) == BATTERY_READY;
        now[PLAN_BY_BATTERY] = mix(now[PLAN_BY_BATTERY], ready);
    }
    now[PLAN_BY_INSTRUCTION] = instructions(in);
    now[PLAN_BY_JOB] = newest_jobs(in);
    now[PLAN_BY_MONTH] = (uint64_t)in->month_from_ms;
}

/* What speaks for a plan now, but that a while has gone by. */
static uint64_t changes(const struct replan *r,
                        const uint64_t now[PLAN_CAUSE_COUNT])
{
    if (isinf(r->age_s)) {
        return UINT64_C(1) << PLAN_BY_START;
    }
    uint64_t causes = 0;
    for (int c = 0; c < PLAN_CAUSE_COUNT; c++) {
        causes |= (uint64_t)(now[c] != r->seen[c]) << c;
    }
    return causes;
}

bool replan_due(struct replan *r, const struct site *site,
                const struct snapshot *in, bool under_way)
{
    uint64_t now[PLAN_CAUSE_COUNT];
    look(r, site, in, now);
    r->age_s += in->dt_s;
    uint64_t causes = changes(r, now);
    double every_s = site->control.plan_every_s;
    every_s = r->again ? fmin(every_s, AGAIN_S) : every_s;
    bool old = r->age_s >= every_s - 0.5 * site->control.period_s;
    bool due = old || (causes != 0 && r->age_s >= SOONEST_S);
    if (!due || under_way) {
        return false;
    }
    r->causes = causes != 0 ? causes : UINT64_C(1) << PLAN_BY_TIME;
    r->age_s = 0.0;
    r->again = false;
    memcpy(r->seen, now, sizeof(now));
    return true;
}

void replan_enter(struct replan *r, const struct plan *plan)
{
    r->again = plan->cut != 0 && plan->status > PLAN_FEASIBLE;
}

void plan_tally_enter(struct plan_tally *t, const struct plan *plan)
{
    t->n[plan->status]++;
    for (int c = 0; c < PLAN_CAUSE_COUNT; c++) {
        t->n_by[c] += plan->causes >> c & 1u;
    }
    t->n_kept += plan->kept != 0;
    t->n_cut += plan->cut != 0;
    t->n_violated += plan->n_violations > 0;
}

void plan_tally_tick(struct plan_tally *t, const struct site *site,
                     double planned_w, double dt_s)
{
    double rating_w = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        rating_w += site->batteries[i].charge_max_w;
    }
    int64_t now = planned_w > REST_PU * rating_w    ? 1
                  : planned_w < -REST_PU * rating_w ? -1
                                                    : 0;
    t->s += dt_s;
    if (now != 0) {
        t->n_turns += now * t->direction < 0;
        t->direction = now;
    }
}

double plan_tally_turns_per_day(const struct plan_tally *t)
{
    return t->s >= HOUR_S ? (double)t->n_turns * 24.0 * HOUR_S / t->s : NAN;
}
