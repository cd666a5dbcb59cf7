/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/life_pack.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Of the two models of a chemistry at most one has a knee. */
static double *knee_of(struct life *l)
{
    bool second = life_model((enum life_model_id)l->model[1])->has_knee;
    return &l->channels[second ? 1 : 0].knee;
}

static struct rainflow_leg to_leg(const struct rainflow_sums *s)
{
    return (struct rainflow_leg){
        .duration_s = (float)s->duration_s,
        .temp_cs = (float)s->temp_cs,
        .travel = (float)s->travel,
        .moving_s = (float)s->moving_s,
    };
}

static struct rainflow_sums to_sums(const struct rainflow_leg *l)
{
    return (struct rainflow_sums){
        .duration_s = (double)l->duration_s,
        .temp_cs = (double)l->temp_cs,
        .travel = (double)l->travel,
        .moving_s = (double)l->moving_s,
    };
}

/* Into 'l', which life_init() has filled once: what the pack does not keep
 * stays as it is there. */
static void load(const struct life_pack *p, struct life *l)
{
    struct rainflow *r = &l->cycles;
    r->n = p->n_points;
    for (int i = 0; i < r->n; i++) {
        r->value[i] = (double)p->value[i];
        r->leg[i] = p->leg[i];
    }
    r->to_tip = to_sums(&p->to_tip);
    r->past_tip = to_sums(&p->past_tip);
    r->tip = (double)p->tip;
    r->last = (double)p->last;
    r->last_temp_c = (double)p->last_temp_c;
    r->way = p->way;
    r->n_fed = p->begun != 0 ? 2 : 0;
    enum chemistry c = (enum chemistry)p->chemistry;
    l->model[LIFE_PRICE] = (uint8_t)life_price_model(c);
    l->model[LIFE_GUARD] = (uint8_t)life_guard_model(c);
    for (int i = 0; i < LIFE_ROLES; i++) {
        l->channels[i].loss_t = p->loss_t[i];
        l->channels[i].loss_n = p->loss_n[i];
        l->today[i] = (struct life_day){.loss = (double)p->today[i]};
        l->rates[i] = (struct life_rates){.loss = p->rate[i]};
        l->flags[i] = p->flags[i];
        l->outside[i] = p->outside[i];
    }
    *knee_of(l) = (double)p->knee;
    l->heat = (struct life_heat){.loss = p->heat};
    l->capacity_pu = (double)p->capacity_pu;
    l->today_s = (double)p->today_s;
    l->last_half_s = p->last_half_s;
    l->soh_gain = p->scale_gain;
    l->soh_weight = p->scale_weight;
}

static void store(struct life_pack *p, struct life *l)
{
    const struct rainflow *r = &l->cycles;
    for (int i = 0; i < r->n; i++) {
        p->value[i] = (float)r->value[i];
        p->leg[i] = r->leg[i];
    }
    p->n_points = r->n;
    p->to_tip = to_leg(&r->to_tip);
    p->past_tip = to_leg(&r->past_tip);
    p->tip = (float)r->tip;
    p->last = (float)r->last;
    p->last_temp_c = (float)r->last_temp_c;
    p->way = r->way;
    p->begun = r->n_fed > 0;
    for (int i = 0; i < LIFE_ROLES; i++) {
        p->loss_t[i] = l->channels[i].loss_t;
        p->loss_n[i] = l->channels[i].loss_n;
        p->today[i] = (float)l->today[i].loss;
        p->rate[i] = l->rates[i].loss;
        p->flags[i] = l->flags[i];
        p->outside[i] = l->outside[i];
    }
    p->heat = l->heat.loss;
    p->knee = (float)*knee_of(l);
    p->capacity_pu = (float)l->capacity_pu;
    p->today_s = (float)l->today_s;
    p->last_half_s = l->last_half_s;
}

void life_pack_init(struct life_pack *p, enum chemistry c)
{
    struct life l;
    life_init(&l, c, LIFE_PACK_DEPTH);
    memset(p, 0, sizeof(*p));
    p->chemistry = (uint8_t)c;
    p->scale_gain = l.soh_gain;
    p->scale_weight = l.soh_weight;
    store(p, &l);
}

/* The models of the pack at hand: mostly those of the one before. */
struct pair {
    enum chemistry chemistry;
    enum life_model_id id[LIFE_ROLES];
    const struct life_model *model[LIFE_ROLES];
};

static struct pair pair_of(enum chemistry c)
{
    struct pair of = {
        .chemistry = c,
        .id = {[LIFE_PRICE] = life_price_model(c),
               [LIFE_GUARD] = life_guard_model(c)},
    };
    of.model[LIFE_PRICE] = life_model(of.id[LIFE_PRICE]);
    of.model[LIFE_GUARD] = life_model(of.id[LIFE_GUARD]);
    return of;
}

static void leg_take(struct rainflow_leg *to, const struct rainflow_leg *l)
{
    to->duration_s += l->duration_s;
    to->temp_cs += l->temp_cs;
    to->travel += l->travel;
    to->moving_s += l->moving_s;
}

/* rainflow_step() of a sample that does not turn. */
static void glide_cycles(struct life_pack *p, const struct life_sample *s,
                         bool ahead)
{
    double rate = life_rate_per_h(s, (double)p->last);
    bool moves = rate >= RAINFLOW_REST_PER_H;
    double warmth = s->temp_c + (double)p->last_temp_c;
    struct rainflow_leg since = {
        .duration_s = (float)s->dt_s,
        .temp_cs = (float)(s->dt_s * 0.5 * warmth),
        .travel = moves ? (float)(s->dt_s * rate) : 0.0F,
        .moving_s = moves ? (float)s->dt_s : 0.0F,
    };
    leg_take(&p->past_tip, &since);
    if (ahead) {
        leg_take(&p->to_tip, &p->past_tip);
        p->past_tip = (struct rainflow_leg){.duration_s = 0.0F};
        p->tip = (float)s->soc_pu;
    }
    p->last = (float)s->soc_pu;
    p->last_temp_c = (float)s->temp_c;
}

static void set_rates(struct life_pack *p, const struct pair *of,
                      const struct life_sample *s)
{
    struct life_heat heat = {.loss = p->heat};
    float rate = 0.0F;
    for (int i = 0; i < LIFE_ROLES; i++) {
        if (i == LIFE_PRICE || !of->model[i]->shares_calendar) {
            rate =
                life_calendar_rates(of->model[i], s->temp_c, s->soc_pu, &heat)
                    .loss;
        }
        p->rate[i] = rate;
    }
    p->heat = heat.loss;
}

/* The calendar's part of a sample, as in models/life.c. */
static void glide_calendar(struct life_pack *p, const struct pair *of,
                           const struct life_sample *s)
{
    float half_s = (float)(0.5 * s->dt_s);
    float around_s = p->last_half_s + half_s;
    bool warmer = s->temp_c != (double)p->last_temp_c;
    for (int i = 0; i < LIFE_ROLES; i++) {
        p->today[i] += around_s * p->rate[i];
        if (warmer) {
            p->outside[i] = (uint8_t)life_calendar_flags(of->id[i], s->temp_c);
        }
        p->flags[i] |= p->outside[i];
    }
    if (warmer) {
        p->heat = 0.0F;
    }
    if (warmer || s->soc_pu != (double)p->last) {
        set_rates(p, of, s);
    }
    p->last_half_s = half_s;
    p->today_s += (float)s->dt_s;
}

/* False, and nothing done, where more is to do than to move on. */
static bool glide(struct life_pack *p, const struct pair *of,
                  const struct life_sample *s)
{
    double by = s->soc_pu - (double)p->tip;
    bool ahead = by * (double)p->way > 0.0 || by == 0.0;
    bool turns = !ahead && fabs(by) > LIFE_DEADBAND_PU;
    bool day_ends = p->today_s + (float)s->dt_s >= (float)LIFE_DAY_S;
    if (p->begun == 0 || turns || day_ends) {
        return false;
    }
    glide_calendar(p, of, s);
    glide_cycles(p, s, ahead);
    return true;
}

size_t life_pack_feed(struct life_pack *packs, const struct life_sample *s,
                      size_t n)
{
    struct life l;
    life_init(&l, CHEMISTRY_LFP, LIFE_PACK_DEPTH);
    struct pair of = pair_of(CHEMISTRY_LFP);
    size_t n_refused = 0;
    for (size_t i = 0; i < n; i++) {
        struct life_sample one = s[i];
        if (!life_sample_good(&one)) {
            n_refused++;
            continue;
        }
        /* A single-precision tip and a double sample would never be equal
         * again: a pack at rest would seem to turn. */
        one.soc_pu = (double)(float)one.soc_pu;
        one.temp_c = (double)(float)one.temp_c;
        enum chemistry c = (enum chemistry)packs[i].chemistry;
        if (c != of.chemistry) {
            of = pair_of(c);
        }
        if (!glide(&packs[i], &of, &one)) {
            load(&packs[i], &l);
            enum err e = life_feed(&l, &one);
            assert(e == ERR_NONE);
            (void)e;
            store(&packs[i], &l);
        }
    }
    return n_refused;
}

struct life_loss life_pack_loss(const struct life_pack *p, enum life_role role,
                                bool open)
{
    struct life l;
    life_init(&l, (enum chemistry)p->chemistry, LIFE_PACK_DEPTH);
    load(p, &l);
    struct life_loss loss = life_loss(&l, role, open);
    loss.resistance_pu = 1.0;
    return loss;
}
