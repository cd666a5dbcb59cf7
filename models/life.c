/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/life.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/fast.h"
#include "models/rainflow_step.h"

#define KNEE_POWER 10.0
#define KNEE_START 1e-8

static const double SCALE_SIGMA = 0.15;
static const double SOH_SIGMA = 0.01;
static const double SCALE_MIN = 0.25;
static const double SCALE_MAX = 4.0;
static const double SOH_EVERY_DAYS = 30.0;
static const float FULL_SWING_PU = 0.8F;

static double clamped(double x, const struct life_span *to)
{
    double low = x < to->max ? x : to->max;
    return low > to->min ? low : to->min;
}

unsigned life_calendar_flags(enum life_model_id id, double temp_c)
{
    const struct life_span *t = &life_model(id)->fitted.calendar_c;
    return (unsigned)(temp_c < t->min) << LIFE_FLAG_CALENDAR_COLD |
           (unsigned)(temp_c > t->max) << LIFE_FLAG_CALENDAR_HOT;
}

unsigned life_cycle_flags(enum life_model_id id, const struct life_stress *s)
{
    const struct life_fitted *f = &life_model(id)->fitted;
    double temp_c = s->temp_k - LIFE_ZERO_C_K;
    return (unsigned)(temp_c < f->cycle_c.min) << LIFE_FLAG_CYCLE_COLD |
           (unsigned)(temp_c > f->cycle_c.max) << LIFE_FLAG_CYCLE_HOT |
           (unsigned)(s->depth_pu < f->depth_pu.min) << LIFE_FLAG_SHALLOW |
           (unsigned)(s->rate_per_h > f->rate_per_h.max) << LIFE_FLAG_FAST;
}

const char *life_flag_text(enum life_model_id id, enum life_flag f, char *out,
                           size_t size)
{
#define FLAG_TEXT(name, text)                 \
    case LIFE_FLAG_##name:                    \
        snprintf(out, size, text, limits[f]); \
        break;
    const struct life_fitted *r = &life_model(id)->fitted;
    const double limits[LIFE_FLAG_COUNT] = {
        [LIFE_FLAG_CALENDAR_COLD] = r->calendar_c.min,
        [LIFE_FLAG_CALENDAR_HOT] = r->calendar_c.max,
        [LIFE_FLAG_CYCLE_COLD] = r->cycle_c.min,
        [LIFE_FLAG_CYCLE_HOT] = r->cycle_c.max,
        [LIFE_FLAG_SHALLOW] = r->depth_pu.min,
        [LIFE_FLAG_FAST] = r->rate_per_h.max,
    };
    assert((unsigned)f < LIFE_FLAG_COUNT && size > 0);
    switch (f) {
        LIFE_FLAG_LIST(FLAG_TEXT)
    case LIFE_FLAG_COUNT:
        break;
    }
#undef FLAG_TEXT
    return out;
}

void life_channels_init(struct life_channels *c)
{
    *c =
        (struct life_channels){.knee = pow(2.0 * KNEE_START, 1.0 / KNEE_POWER)};
}

void life_init(struct life *l, enum chemistry c, int depth)
{
    memset(l, 0, sizeof(*l));
    rainflow_init(&l->cycles, LIFE_DEADBAND_PU, depth);
    l->model[LIFE_PRICE] = (uint8_t)life_price_model(c);
    l->model[LIFE_GUARD] = (uint8_t)life_guard_model(c);
    for (int i = 0; i < LIFE_ROLES; i++) {
        life_channels_init(&l->channels[i]);
    }
    l->capacity_pu = 1.0;
    l->soc_min_pu = 1.0F;
    l->soh_weight = (float)(1.0 / (SCALE_SIGMA * SCALE_SIGMA));
    l->soh_gain = l->soh_weight;
}

double life_scale(const struct life *l)
{
    double scale = (double)l->soh_gain / (double)l->soh_weight;
    return fmin(fmax(scale, SCALE_MIN), SCALE_MAX);
}

static double grown(double state, double p)
{
    return state > 0.0 ? pow(state, p) : 0.0;
}

/* The sigmoid 2 (1/2 - 1/(1 + exp(z))) is tanh(z/2); 1.01 less it: how much
 * active material the capacity can use. */
static double active_pu(double knee)
{
    return 1.01 - tanh(0.5 * pow(knee, KNEE_POWER));
}

struct life_loss life_channels_loss(const struct life_channels *c,
                                    enum life_model_id id, double scale)
{
    const struct life_model *m = life_model(id);
    struct life_loss r = {
        .calendar_pu = scale * grown(c->loss_t, m->loss_t.p),
        .cycle_pu = scale * grown(c->loss_n, m->loss_n.p),
        .active_pu = INFINITY,
        .resistance_pu = 1.0,
    };
    if (m->ohm_t.a > 0.0) {
        r.resistance_pu +=
            grown(c->ohm_t, m->ohm_t.p) + grown(c->ohm_n, m->ohm_n.p);
    }
    r.capacity_pu = 1.0 - r.calendar_pu - r.cycle_pu;
    if (m->has_knee) {
        r.active_pu = active_pu(c->knee);
        r.resistance_pu = fmax(r.resistance_pu, -0.08 + 1.09 / r.active_pu);
        r.capacity_pu = fmin(r.capacity_pu, r.active_pu);
        r.cycle_pu = 1.0 - r.calendar_pu - r.capacity_pu;
    }
    r.capacity_pu = fmax(r.capacity_pu, 0.0);
    return r;
}

static unsigned book(struct life_channels *to, enum life_model_id id,
                     const struct rainflow_cycle *c, double efc)
{
    const struct life_model *m = life_model(id);
    struct life_stress s = {
        .temp_k = c->temp_c + LIFE_ZERO_C_K,
        .depth_pu = fmin(c->range, 1.0),
        .rate_per_h = c->rate_per_h,
        .mean_pu = c->mean,
    };
    unsigned flags = life_cycle_flags(id, &s);
    s.temp_k = clamped(c->temp_c, &m->fitted.cycle_c) + LIFE_ZERO_C_K;
    s.rate_per_h = clamped(c->rate_per_h, &m->fitted.rate_per_h);
    if (m->loss_n.of_depth == LIFE_SANYO) {
        s.volt_v = life_sanyo_rms_v(c->mean, c->range);
    }
    to->loss_n += efc * life_cycle_speed(&m->loss_n, &s);
    to->ohm_n += efc * life_cycle_speed(&m->ohm_n, &s);
    if (m->has_knee) {
        to->knee += efc / life_knee_efc(&s);
    }
    return flags;
}

/* Depth counts in present capacity, EFC in nominal. */
static double efc_of(const struct life *l, const struct rainflow_cycle *c)
{
    return c->count * c->range * l->capacity_pu;
}

static const struct life_model *model_of(const struct life *l, int role)
{
    return life_model((enum life_model_id)l->model[role]);
}

/* What a day's mean rate adds to y^(1/p). */
static double day_gain(const struct life_calendar_law *law, double sum,
                       double time_s)
{
    if (law->of_soc == LIFE_FLAT || !(sum > 0.0)) {
        return 0.0;
    }
    return fast_pow(sum / time_s, 1.0 / law->p) * time_s / LIFE_DAY_S;
}

static void book_day(struct life_channels *c, const struct life *l, int role)
{
    const struct life_model *m = model_of(l, role);
    double half_s = (double)l->last_half_s;
    double loss = l->today[role].loss + half_s * (double)l->rates[role].loss;
    double ohm = l->today[role].ohm + half_s * (double)l->rates[role].ohm;
    c->loss_t += day_gain(&m->loss_t, loss, l->today_s);
    c->ohm_t += day_gain(&m->ohm_t, ohm, l->today_s);
}

static void end_day(struct life *l)
{
    for (int i = 0; i < LIFE_ROLES; i++) {
        book_day(&l->channels[i], l, i);
        l->today[i] = (struct life_day){.loss = 0.0};
    }
    l->soh_age_days += (float)(l->today_s / LIFE_DAY_S);
    l->today_s = 0.0;
    l->last_half_s = 0.0F;
    l->capacity_pu = life_loss(l, LIFE_PRICE, false).capacity_pu;
}

/* What was known of the old temperature is void.  At most one model of a
 * chemistry keeps its heat. */
static void note_temperature(struct life *l, double temp_c)
{
    l->heat.loss = 0.0F;
    for (int i = 0; i < LIFE_ROLES; i++) {
        enum life_model_id id = (enum life_model_id)l->model[i];
        l->outside[i] = (uint8_t)life_calendar_flags(id, temp_c);
    }
}

/* Trapezoid rule.  A rate counts for the halves of the intervals before and
 * behind it, and is booked when the second is known: nothing waits for the
 * rate of this sample. */
static inline void add_rate(struct life *l, int role, double around_s)
{
    l->today[role].loss += around_s * (double)l->rates[role].loss;
    l->today[role].ohm += around_s * (double)l->rates[role].ohm;
}

static void set_rates(struct life *l, const struct rainflow_sample *s)
{
    const struct life_model *price = model_of(l, LIFE_PRICE);
    const struct life_model *guard = model_of(l, LIFE_GUARD);
    struct life_rates rates =
        life_calendar_rates(price, s->temp_c, s->value, &l->heat);
    l->rates[LIFE_PRICE] = rates;
    if (!guard->shares_calendar) {
        rates = life_calendar_rates(guard, s->temp_c, s->value, &l->heat);
    }
    l->rates[LIFE_GUARD] = rates;
}

/* A battery reports in steps: often nothing has changed, nor have the rates. */
static void advance_calendar(struct life *l, const struct rainflow_sample *s)
{
    double half_s = 0.5 * s->dt_s;
    double around_s = (double)l->last_half_s + half_s;
    add_rate(l, LIFE_PRICE, around_s);
    add_rate(l, LIFE_GUARD, around_s);
    bool warmer = s->temp_c != l->cycles.last_temp_c || l->cycles.n_fed == 0;
    if (warmer) {
        note_temperature(l, s->temp_c);
    }
    if (warmer || s->value != l->cycles.last) {
        set_rates(l, s);
    }
    l->flags[LIFE_PRICE] |= l->outside[LIFE_PRICE];
    l->flags[LIFE_GUARD] |= l->outside[LIFE_GUARD];
    l->last_half_s = (float)half_s;
    l->today_s += s->dt_s;
    if (l->today_s >= LIFE_DAY_S) {
        end_day(l);
    }
}

static void note_extreme(struct life *l, double soc_pu)
{
    l->soc_min_pu = (float)fmin((double)l->soc_min_pu, soc_pu);
    l->soc_max_pu = (float)fmax((double)l->soc_max_pu, soc_pu);
}

static void book_cycles(struct life *l)
{
    struct rainflow_cycle c;
    while (rainflow_take(&l->cycles, &c)) {
        double efc = efc_of(l, &c);
        l->efc += efc;
        for (int i = 0; i < LIFE_ROLES; i++) {
            enum life_model_id id = (enum life_model_id)l->model[i];
            l->flags[i] |= (uint8_t)book(&l->channels[i], id, &c, efc);
        }
    }
}

enum err life_feed(struct life *l, const struct life_sample *s)
{
    if (!life_sample_good(s)) {
        return ERR_RANGE;
    }
    bool first = l->cycles.n_fed == 0;
    struct rainflow_sample r = {
        .value = s->soc_pu,
        .dt_s = first ? 0.0 : s->dt_s,
        .temp_c = s->temp_c,
        .rate_per_h = first ? 0.0 : life_rate_per_h(s, l->cycles.last)};
    advance_calendar(l, &r);
    rainflow_step(&l->cycles, &r);
    if (l->cycles.due) {
        note_extreme(l, l->cycles.value[l->cycles.n - 1]);
        book_cycles(l);
    }
    return ERR_NONE;
}

struct life_channels life_channels_now(const struct life *l,
                                       enum life_role role, bool open)
{
    struct life_channels c = l->channels[role];
    enum life_model_id id = (enum life_model_id)l->model[role];
    book_day(&c, l, (int)role);
    if (open) {
        struct rainflow_cycle under_way[RAINFLOW_DEPTH];
        int n = rainflow_open(&l->cycles, under_way);
        for (int i = 0; i < n; i++) {
            book(&c, id, &under_way[i], efc_of(l, &under_way[i]));
        }
    }
    return c;
}

struct life_loss life_loss(const struct life *l, enum life_role role, bool open)
{
    struct life_channels c = life_channels_now(l, role, open);
    return life_channels_loss(&c, (enum life_model_id)l->model[role],
                              role == LIFE_PRICE ? life_scale(l) : 1.0);
}

enum life_role life_worse(const struct life *l)
{
    double price = life_loss(l, LIFE_PRICE, true).capacity_pu;
    double guard = life_loss(l, LIFE_GUARD, true).capacity_pu;
    return guard < price ? LIFE_GUARD : LIFE_PRICE;
}

static bool is_lfp(const struct life *l)
{
    return l->model[LIFE_PRICE] == LIFE_LFP_250 ||
           l->model[LIFE_PRICE] == LIFE_LFP_NAUMANN;
}

enum life_soh life_measured(struct life *l, double soh_pu)
{
    if (!(soh_pu >= 0.3 && soh_pu <= 1.1)) {
        return LIFE_SOH_IMPLAUSIBLE;
    }
    double age_days = (double)l->soh_age_days + l->today_s / LIFE_DAY_S;
    if (age_days < SOH_EVERY_DAYS) {
        return LIFE_SOH_TOO_SOON;
    }
    note_extreme(l, l->cycles.tip);
    if (is_lfp(l) && l->soc_max_pu - l->soc_min_pu < FULL_SWING_PU) {
        return LIFE_SOH_NO_FULL_CYCLE;
    }
    struct life_loss c =
        life_channels_loss(&l->channels[LIFE_PRICE],
                           (enum life_model_id)l->model[LIFE_PRICE], 1.0);
    double loss_pu = 1.0 - c.capacity_pu;
    double weight = loss_pu / (SOH_SIGMA * SOH_SIGMA);
    l->soh_gain += (float)(weight * fmax(1.0 - soh_pu, 0.0));
    l->soh_weight += (float)(weight * loss_pu);
    l->soh_age_days = (float)(-l->today_s / LIFE_DAY_S);
    l->soc_min_pu = 1.0F;
    l->soc_max_pu = 0.0F;
    return LIFE_SOH_TAKEN;
}

unsigned life_seen(struct life *l, enum life_role role)
{
    unsigned flags = l->flags[role];
    l->flags[role] = 0;
    return flags;
}
