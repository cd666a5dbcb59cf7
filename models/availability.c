/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/availability.h"

#include <math.h>
#include <string.h>

static const double ENDS_H[AVAILABILITY_BUCKETS] = {
#define AVAILABILITY_END(name, hours) hours,
    AVAILABILITY_BUCKET_LIST(AVAILABILITY_END)
#undef AVAILABILITY_END
};

static const double HABIT_GAIN = 0.15; /* a week's share in the memory */
static const double LOSS_DAYS = 10.0;
static const double LOSS_POWER = 2.0;

enum { BY_HABIT, BY_DEPARTURE, BY_BOTH };

void availability_init(struct availability *a, double slot_s, int64_t n_ahead,
                       double nodes)
{
    memset(a, 0, sizeof(*a));
    struct outlook_cfg cfg = {slot_s, n_ahead, 0.0, nodes};
    outlook_init(&a->habit, &cfg);
    a->nodes = nodes;
    for (int64_t i = 0; i < a->habit.n_leads; i++) {
        conformal_init(&a->conformal[i]);
        conformal_past_init(&a->past[i], a->habit.leads[i].ahead);
    }
    for (int i = 0; i < OUTLOOK_RING; i++) {
        a->said[i][BY_HABIT] = NAN;
        a->said[i][BY_DEPARTURE] = NAN;
        a->said[i][BY_BOTH] = NAN;
    }
}

enum availability_bucket availability_bucket(double hours)
{
    if (!isfinite(hours)) {
        return AVAILABILITY_NOT_SAID;
    }
    int i = 0;
    while (i < AVAILABILITY_LATER && hours > ENDS_H[i]) {
        i++;
    }
    return (enum availability_bucket)i;
}

static double plugged_sum(const struct availability *a)
{
    double sum = 0.0;
    for (int i = 0; i < AVAILABILITY_BUCKETS; i++) {
        sum += a->now.plugged[i];
    }
    return sum;
}

/* The share of cars without a departure that is still there 'k' slots on. */
static double share_left(const struct availability *a, int64_t k)
{
    double share = 1.0;
    for (int64_t i = 1; i <= k; i++) {
        int64_t slot = (a->habit.newest + i) % a->habit.week;
        share *= 1.0 - (double)a->leavers[slot];
    }
    return share;
}

double availability_staying(const struct availability *a, double hours)
{
    double sum = 0.0;
    double from_h = 0.0;
    for (int i = 0; i < AVAILABILITY_NOT_SAID; i++) {
        /* spread evenly over the bucket */
        double share = (ENDS_H[i] - hours) / (ENDS_H[i] - from_h);
        sum += fmax(0.0, fmin(share, 1.0)) * a->now.plugged[i];
        from_h = ENDS_H[i];
    }
    int64_t k = llround(hours * 3600.0 / a->habit.cfg.slot_s);
    return sum + share_left(a, k) * a->now.plugged[AVAILABILITY_NOT_SAID];
}

/* Who is here and stays, and who comes and has not left again. */
static double by_departure(const struct availability *a, int64_t k)
{
    double arrived = 0.0;
    for (int64_t i = 1; i <= k; i++) {
        int64_t slot = (a->habit.newest + i) % a->habit.week;
        arrived *= 1.0 - (double)a->leavers[slot];
        arrived += (double)a->arrivals[slot];
    }
    double hours = (double)k * a->habit.cfg.slot_s / 3600.0;
    return fmin(availability_staying(a, hours) + arrived, a->nodes);
}

static double both(const struct availability *a, int64_t lead,
                   const double by[2])
{
    if (!isfinite(by[BY_HABIT])) {
        return by[BY_DEPARTURE];
    }
    double habit = pow(a->loss[lead][BY_HABIT] + 1e-6, -LOSS_POWER);
    double departure = pow(a->loss[lead][BY_DEPARTURE] + 1e-6, -LOSS_POWER);
    return (habit * by[BY_HABIT] + departure * by[BY_DEPARTURE]) /
           (habit + departure);
}

static float *said_of(struct availability *a, int64_t lead, int64_t slot)
{
    const struct outlook_lead *l = &a->habit.leads[lead];
    return a->said[l->ring + slot % l->ahead];
}

static void score(struct availability *a, int64_t lead, double plugged)
{
    const float *said = said_of(a, lead, a->habit.newest);
    double keep = 1.0 - 1.0 / (LOSS_DAYS * (double)a->habit.day);
    for (int i = 0; i < 2; i++) {
        double error = fabs(plugged - (double)said[i]);
        if (isfinite(error)) {
            double *loss = &a->loss[lead][i];
            *loss = keep * *loss + (1.0 - keep) * error;
        }
    }
    double error = plugged - (double)said[BY_BOTH];
    conformal_feed_late(&a->conformal[lead], &a->past[lead], error, 1.0);
}

/* Nothing was said in the slots between 'heard' and the newest: what lies in
 * their places is of other slots. */
static void miss(struct availability *a, int64_t lead)
{
    int64_t ahead = a->habit.leads[lead].ahead;
    int64_t first = a->habit.newest - ahead;
    for (int64_t slot = first > a->heard ? first : a->heard + 1;
         slot < a->habit.newest; slot++) {
        float *said = said_of(a, lead, slot + ahead);
        said[BY_HABIT] = said[BY_DEPARTURE] = said[BY_BOTH] = NAN;
        conformal_feed_late(&a->conformal[lead], &a->past[lead], NAN, 1.0);
    }
}

static void say(struct availability *a, int64_t lead)
{
    int64_t k = a->habit.leads[lead].ahead;
    float *said = said_of(a, lead, a->habit.newest + k);
    double by[2] = {outlook_ahead(&a->habit, k).mean, by_departure(a, k)};
    said[BY_HABIT] = (float)by[BY_HABIT];
    said[BY_DEPARTURE] = (float)by[BY_DEPARTURE];
    said[BY_BOTH] = (float)both(a, lead, by);
}

static bool is_count(const struct availability *a, double n)
{
    return n >= 0.0 && n <= a->nodes;
}

static bool possible(const struct availability *a,
                     const struct availability_now *now)
{
    bool ok = is_count(a, now->arrived) && is_count(a, now->left);
    double sum = 0.0;
    for (int i = 0; i < AVAILABILITY_BUCKETS; i++) {
        ok = ok && is_count(a, now->plugged[i]);
        sum += now->plugged[i];
    }
    return ok && is_count(a, sum);
}

void availability_feed(struct availability *a, int64_t start_ms,
                       const struct availability_now *now)
{
    if (!possible(a, now)) {
        return;
    }
    double before = plugged_sum(a);
    int64_t newest = a->habit.newest;
    int64_t n = a->habit.n;
    a->now = *now;
    double plugged = plugged_sum(a);
    outlook_feed(&a->habit, start_ms, plugged);
    if (a->habit.newest == newest && n > 0) {
        return;
    }
    a->heard = n > 0 ? a->heard : a->habit.newest - 1;
    int64_t slot = a->habit.newest % a->habit.week;
    float *arrivals = &a->arrivals[slot];
    float *leavers = &a->leavers[slot];
    double share = before > 0.0 ? fmin(now->left / before, 1.0) : 0.0;
    double gain = a->habit.n > a->habit.week ? HABIT_GAIN : 1.0;
    *arrivals += (float)(gain * (now->arrived - (double)*arrivals));
    *leavers += (float)(gain * (share - (double)*leavers));
    for (int64_t i = 0; i < a->habit.n_leads; i++) {
        miss(a, i);
        score(a, i, plugged);
        say(a, i);
    }
    a->heard = a->habit.newest;
}

struct availability_at availability_ahead(const struct availability *a,
                                          int64_t k)
{
    if (a->habit.n == 0) {
        return (struct availability_at){NAN, NAN, NAN, NAN};
    }
    int64_t lead = outlook_lead_of(&a->habit, k);
    double by[2] = {outlook_ahead(&a->habit, k).mean, by_departure(a, k)};
    double mean = both(a, lead, by);
    const struct conformal *c = &a->conformal[lead];
    struct availability_at at = {
        .mean = mean,
        .q10 = mean + conformal_offset(c, CONFORMAL_Q10, 1.0),
        .q50 = mean + conformal_offset(c, CONFORMAL_Q50, 1.0),
        .q90 = mean + conformal_offset(c, CONFORMAL_Q90, 1.0),
    };
    at.q10 = fmax(0.0, fmin(at.q10, a->nodes));
    at.q50 = fmax(0.0, fmin(at.q50, a->nodes));
    at.q90 = fmax(0.0, fmin(at.q90, a->nodes));
    return at;
}
