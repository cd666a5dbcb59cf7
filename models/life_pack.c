/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/life_pack.h"

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
    l->heat = (struct life_rates){.loss = p->heat};
    l->capacity_pu = (double)p->capacity_pu;
    l->today_s = p->today_s;
    l->soh_gain = (double)p->scale_gain;
    l->soh_weight = (double)p->scale_weight;
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
    p->today_s = l->today_s;
}

void life_pack_init(struct life_pack *p, enum chemistry c)
{
    struct life l;
    life_init(&l, c, LIFE_PACK_DEPTH);
    memset(p, 0, sizeof(*p));
    p->chemistry = (uint8_t)c;
    p->scale_gain = (float)l.soh_gain;
    p->scale_weight = (float)l.soh_weight;
    store(p, &l);
}

size_t life_pack_feed(struct life_pack *packs, const struct life_sample *s,
                      size_t n)
{
    struct life l;
    life_init(&l, CHEMISTRY_LFP, LIFE_PACK_DEPTH);
    size_t n_refused = 0;
    for (size_t i = 0; i < n; i++) {
        /* A single-precision tip and a double sample would never be equal
         * again: a pack at rest would seem to turn. */
        struct life_sample one = s[i];
        one.soc_pu = (double)(float)one.soc_pu;
        one.temp_c = (double)(float)one.temp_c;
        load(&packs[i], &l);
        if (life_feed(&l, &one) == ERR_NONE) {
            store(&packs[i], &l);
        } else {
            n_refused++;
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
