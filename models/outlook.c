/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/outlook.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/outlook_experts.h"
#include "models/rls.h"

/* Geometric: each lead time learns for those around it. */
static const int64_t LEADS[OUTLOOK_LEADS] = {
    1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 48, 72, 96, 144, 192, 288, 432, 576,
};

static const double LOSS_DAYS = 10.0; /* an expert's record is remembered */
static const double LOSS_POWER = 4.0; /* weight = loss^-that */
/* A record of less than that says little: the weight grows with it. */
static const double TRUST_DAYS = 0.5;
static const double MEAN_DAYS = 28.0;
static const double ODD = 30.0;   /* spreads off: no part of the series */
static const int64_t ODD_RUN = 4; /* in a row they are */
static const double RIDGE = 10.0; /* in squared spreads */
static const double DAY_SPREAD_GAIN = 0.05;

static void say_nothing(struct outlook_said *said)
{
    for (int e = 0; e < OUTLOOK_EXPERTS; e++) {
        said->by[e] = NAN;
    }
    said->all = NAN;
}

/* Where the forecast of 'slot' is kept until it comes. */
static struct outlook_said *
said_of(struct outlook *o, const struct outlook_lead *lead, int64_t slot)
{
    return &o->said[lead->ring + slot % lead->ahead];
}

static void init_lead(struct outlook *o, int64_t ahead)
{
    struct outlook_lead *l = &o->leads[o->n_leads];
    l->ahead = ahead;
    if (o->n_leads > 0) {
        l->ring = l[-1].ring + l[-1].ahead;
    }
    conformal_init(&l->conformal);
    conformal_past_init(&l->past, ahead);
    for (int i = 0; i < OUTLOOK_PURE; i++) {
        struct rls r = {l->weight[i], l->inverse[i], OUTLOOK_RESIDUALS, 1.0};
        rls_init(&r, RIDGE);
    }
    struct rls law = {l->law, l->law_inverse, OUTLOOK_INPUTS, 1.0};
    rls_init(&law, RIDGE);
    o->n_leads++;
}

void outlook_init(struct outlook *o, const struct outlook_cfg *cfg)
{
    assert(cfg->slot_s >= 300.0 && cfg->slot_s <= 3600.0);
    assert(cfg->n_ahead >= 1 && cfg->n_ahead <= OUTLOOK_SLOTS_MAX);
    memset(o, 0, sizeof(*o));
    o->cfg = *cfg;
    o->day = llround(86400.0 / cfg->slot_s);
    o->week = 7 * o->day;
    assert(o->day <= OUTLOOK_DAY_MAX && o->week % 28 == 0);
    o->last = NAN;
    o->mean = NAN;
    o->day_mean = NAN;
    o->spread = 1.0;
    for (int i = 0; i < OUTLOOK_MEMORY; i++) {
        o->memory[i] = NAN;
    }
    for (int i = 0; i < OUTLOOK_LEADS && LEADS[i] <= cfg->n_ahead; i++) {
        init_lead(o, LEADS[i]);
    }
    for (int i = 0; i < OUTLOOK_RING; i++) {
        say_nothing(&o->said[i]);
    }
    outlook_experts_init(o);
}

int64_t outlook_lead_of(const struct outlook *o, int64_t k)
{
    int64_t i = 0;
    while (i + 1 < o->n_leads &&
           k * k > o->leads[i].ahead * o->leads[i + 1].ahead) {
        i++;
    }
    return i;
}

/* Weighted by what each has been worth at that lead time. */
static double combine(const struct outlook *o, const struct outlook_lead *lead,
                      const double by[OUTLOOK_EXPERTS])
{
    double trusted = TRUST_DAYS * (double)o->day;
    double best = INFINITY;
    double sum = 0.0;
    double weight = 0.0;
    for (int e = 0; e < OUTLOOK_EXPERTS; e++) {
        if (isfinite(by[e])) {
            best = fmin(best, lead->loss[e]);
        }
    }
    for (int e = 0; e < OUTLOOK_EXPERTS; e++) {
        if (!isfinite(by[e])) {
            continue;
        }
        double loss = lead->loss[e];
        double w = loss > best ? pow(best / loss, LOSS_POWER) : 1.0;
        w *= (1.0 + (double)lead->n_scored[e]) /
             (trusted + (double)lead->n_scored[e]);
        sum += w * by[e];
        weight += w;
    }
    return weight > 0.0 ? sum / weight : NAN;
}

static double clamp(const struct outlook *o, double x)
{
    return fmax(o->cfg.min, fmin(x, o->cfg.max));
}

/* How uncertain that time of day is, over the day's mean. */
static double spread_at(const struct outlook *o, int64_t slot)
{
    double sum = 0.0;
    for (int64_t i = 0; i < o->day; i++) {
        sum += (double)o->day_spread[i];
    }
    double own = (double)o->day_spread[slot % o->day] * (double)o->day;
    return sum > 0.0 ? fmax(0.3, fmin(own / sum, 3.0)) : 1.0;
}

/* What 'said' of the newest slot comes true now. */
static void score(struct outlook *o, struct outlook_lead *lead, double value)
{
    const struct outlook_said *said = said_of(o, lead, o->newest);
    double n_kept = LOSS_DAYS * (double)o->day;
    for (int e = 0; e < OUTLOOK_EXPERTS; e++) {
        double error = fabs(value - (double)said->by[e]);
        if (isfinite(error)) {
            double n = fmin((double)++lead->n_scored[e], n_kept);
            lead->loss[e] += (error - lead->loss[e]) / n;
        }
    }
    double error = value - (double)said->all;
    double spread = spread_at(o, o->newest);
    conformal_feed_late(&lead->conformal, &lead->past, error, spread);
    if (isfinite(error) && lead->ahead == o->leads[o->n_leads / 2].ahead) {
        float *s = &o->day_spread[o->newest % o->day];
        *s = (float)((double)*s + DAY_SPREAD_GAIN * (fabs(error) - (double)*s));
    }
}

/* What all say now, to be scored later. */
static void say(struct outlook *o, struct outlook_lead *lead)
{
    int64_t slot = o->newest + lead->ahead;
    struct outlook_said *said = said_of(o, lead, slot);
    double by[OUTLOOK_EXPERTS];
    outlook_experts_say(o, lead, lead->ahead, by);
    for (int e = 0; e < OUTLOOK_EXPERTS; e++) {
        said->by[e] = (float)by[e];
    }
    said->all = (float)combine(o, lead, by);
}

/* Nothing comes true in a gap, but time passes. */
static void miss(struct outlook *o)
{
    for (int64_t i = 0; i < o->n_leads; i++) {
        struct outlook_lead *l = &o->leads[i];
        conformal_feed_late(&l->conformal, &l->past, NAN, 1.0);
    }
}

/* A slot without a value of its own: 'value' is NAN. */
static void advance(struct outlook *o, double value)
{
    o->newest++;
    o->n++;
    o->memory[o->newest & (OUTLOOK_MEMORY - 1)] = (float)value;
}

/* Mean and spread of the series, slow; all other numbers are told in them. */
static void learn_scale(struct outlook *o, double value)
{
    double n = fmin((double)o->n_finite, MEAN_DAYS * (double)o->day);
    if (o->n_finite == 1) {
        o->mean = value;
        o->spread = fmax(fabs(value) * 1e-3, 1e-6);
        return;
    }
    o->mean += (value - o->mean) / n;
    double far = fmin(fabs(value - o->mean), ODD * o->spread);
    o->spread = fmax(o->spread + (far - o->spread) / n,
                     fmax(fabs(o->mean) * 1e-6, 1e-9));
}

/* A lone value far off is a fault of the meter; four in a row are news. */
static double believed(struct outlook *o, double value)
{
    double most = ODD * o->spread;
    bool known = o->n_finite > o->day;
    if (!known || fabs(value - o->mean) <= most || o->odd >= ODD_RUN) {
        o->odd = known && fabs(value - o->mean) > most ? o->odd : 0;
        return value;
    }
    o->odd++;
    return value > o->mean ? o->mean + most : o->mean - most;
}

static void drop_past_steps(struct outlook *o)
{
    int64_t end_ms = llround((double)(o->newest + 1) * o->cfg.slot_s * 1e3);
    int64_t n = 0;
    for (int64_t i = 0; i < o->n_steps; i++) {
        if (o->steps[i].at_ms >= end_ms) {
            o->steps[n++] = o->steps[i];
        }
    }
    o->n_steps = n;
}

static void learn(struct outlook *o, double value)
{
    o->n_finite++;
    o->last = value;
    learn_scale(o, value);
    for (int64_t i = 0; i < o->n_leads; i++) {
        score(o, &o->leads[i], value);
        outlook_lead_learn(o, &o->leads[i], value);
    }
    outlook_experts_learn(o, value);
}

void outlook_feed(struct outlook *o, int64_t start_ms, double value)
{
    int64_t slot_ms = llround(o->cfg.slot_s * 1e3);
    int64_t slot = start_ms / slot_ms;
    if (start_ms < 0 || (o->n > 0 && slot <= o->newest)) {
        return;
    }
    if (o->n == 0 || slot - o->newest > OUTLOOK_MEMORY) {
        struct outlook_cfg cfg = o->cfg;
        outlook_init(o, &cfg);
        o->newest = slot - 1;
    }
    while (slot - o->newest > 1) {
        advance(o, NAN);
        miss(o);
        for (int64_t i = 0; i < o->n_leads; i++) {
            struct outlook_lead *l = &o->leads[i];
            say_nothing(said_of(o, l, o->newest + l->ahead));
        }
    }
    bool measured = isfinite(value) && fabs(value) < 1e30;
    double x = measured ? clamp(o, value) : NAN;
    x = measured ? believed(o, x) : NAN;
    advance(o, x);
    if (measured) {
        learn(o, (double)(float)x);
    } else {
        miss(o);
    }
    drop_past_steps(o);
    for (int64_t i = 0; i < o->n_leads; i++) {
        say(o, &o->leads[i]);
    }
}

void outlook_announce(struct outlook *o, int64_t at_ms, double change)
{
    if (isfinite(change) && o->n_steps < OUTLOOK_STEPS_MAX) {
        o->steps[o->n_steps++] = (struct outlook_step){at_ms, change};
    }
}

/* Of a change, what is left of it a slot later: as much as of what lay off the
 * usual so far, and of one like it that lasted. */
static double lasts_pu(const struct outlook *o, double change)
{
    double one = change / o->spread * (change / o->spread);
    double own = o->rest_own + one;
    return own > 0.0 ? fmax(0.0, fmin((o->rest_now + one) / own, 1.0)) : 1.0;
}

/* What the announced changes add to a slot, the one under way by its share.  A
 * job that ends is followed by the next: they fade as the series does. */
static double announced(const struct outlook *o, int64_t slot)
{
    double start_ms = (double)slot * o->cfg.slot_s * 1e3;
    double length_ms = o->cfg.slot_s * 1e3;
    double sum = 0.0;
    for (int64_t i = 0; i < o->n_steps; i++) {
        double change = o->steps[i].change;
        double after = (start_ms - (double)o->steps[i].at_ms) / length_ms + 1.0;
        double share = fmax(0.0, fmin(after, 1.0));
        double since = fmax(after - 1.0, 0.0);
        sum += share * pow(lasts_pu(o, change), since) * change;
    }
    return sum;
}

struct outlook_at outlook_ahead(const struct outlook *o, int64_t k)
{
    assert(k >= 1 && k <= o->cfg.n_ahead);
    if (o->n_finite == 0) {
        return (struct outlook_at){NAN, NAN, NAN, NAN};
    }
    const struct outlook_lead *lead = &o->leads[outlook_lead_of(o, k)];
    double by[OUTLOOK_EXPERTS];
    outlook_experts_say(o, lead, k, by);
    double mean = combine(o, lead, by) + announced(o, o->newest + k);
    double spread = spread_at(o, o->newest + k);
    const struct conformal *c = &lead->conformal;
    return (struct outlook_at){
        .mean = clamp(o, mean),
        .q10 = clamp(o, mean + conformal_offset(c, CONFORMAL_Q10, spread)),
        .q50 = clamp(o, mean + conformal_offset(c, CONFORMAL_Q50, spread)),
        .q90 = clamp(o, mean + conformal_offset(c, CONFORMAL_Q90, spread)),
    };
}

double outlook_expert(const struct outlook *o, enum outlook_expert e, int64_t k)
{
    double by[OUTLOOK_EXPERTS];
    outlook_experts_say(o, &o->leads[outlook_lead_of(o, k)], k, by);
    return by[e];
}
