/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/life_check.h"

#include <string.h>

/* Far beyond what a dead battery reaches, far below what overflows. */
#define STATE_MAX 1e6
#define TIME_MAX_S 1e12
#define FLAGS_END (1u << LIFE_FLAG_COUNT)

/* False for what is not a number. */
static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

static bool sums_valid(double duration_s, double temp_cs, double travel,
                       double moving_s)
{
    return within(duration_s, 0.0, TIME_MAX_S) &&
           within(temp_cs, TIME_MAX_S * LIFE_TEMP_MIN_C,
                  TIME_MAX_S * LIFE_TEMP_MAX_C) &&
           within(travel, 0.0, TIME_MAX_S) && within(moving_s, 0.0, TIME_MAX_S);
}

static bool open_sums_valid(const struct rainflow_sums *s)
{
    return sums_valid(s->duration_s, s->temp_cs, s->travel, s->moving_s);
}

static bool leg_valid(const struct rainflow_leg *l)
{
    return sums_valid((double)l->duration_s, (double)l->temp_cs,
                      (double)l->travel, (double)l->moving_s);
}

/* Half of the last interval is within the day under way. */
static bool half_valid(float half_s, double today_s)
{
    return within((double)half_s, 0.0, 0.5 * today_s + 1.0);
}

/* A byte that is neither is no bool, and must not be read as one. */
static bool is_false(const bool *b)
{
    unsigned char byte = 1;
    memcpy(&byte, b, sizeof(byte));
    return byte == 0;
}

static bool cycles_valid(const struct rainflow *r)
{
    bool begun = r->n_fed > 0;
    bool ok = r->depth == RAINFLOW_DEPTH && r->n < r->depth &&
              (r->n > 0) == begun && r->way >= -1 && r->way <= 1 &&
              is_false(&r->due) &&
              within(r->deadband, LIFE_DEADBAND_PU, LIFE_DEADBAND_PU) &&
              within(r->tip, 0.0, 1.0) && within(r->last, 0.0, 1.0) &&
              within(r->last_temp_c, LIFE_TEMP_MIN_C, LIFE_TEMP_MAX_C) &&
              open_sums_valid(&r->to_tip) && open_sums_valid(&r->past_tip);
    for (int i = 0; ok && i < r->n; i++) {
        ok = within(r->value[i], 0.0, 1.0) && leg_valid(&r->leg[i]);
    }
    return ok;
}

static bool channels_valid(const struct life_channels *c)
{
    return within(c->loss_t, 0.0, STATE_MAX) &&
           within(c->loss_n, 0.0, STATE_MAX) &&
           within(c->ohm_t, 0.0, STATE_MAX) &&
           within(c->ohm_n, 0.0, STATE_MAX) && within(c->knee, 0.0, STATE_MAX);
}

static bool role_valid(const struct life *l, int role)
{
    return channels_valid(&l->channels[role]) &&
           within(l->today[role].loss, 0.0, STATE_MAX) &&
           within(l->today[role].ohm, 0.0, STATE_MAX) &&
           within((double)l->rates[role].loss, 0.0, STATE_MAX) &&
           within((double)l->rates[role].ohm, 0.0, STATE_MAX) &&
           l->flags[role] < FLAGS_END && l->outside[role] < FLAGS_END;
}

static bool gives_a_capacity(const struct life *l)
{
    for (int i = 0; i < LIFE_ROLES; i++) {
        struct life_loss loss = life_loss(l, (enum life_role)i, true);
        if (!within(loss.capacity_pu, 0.0, 1.0 + 1e-9) ||
            !within(loss.calendar_pu, 0.0, STATE_MAX)) {
            return false;
        }
    }
    return true;
}

bool life_valid(const struct life *l, enum chemistry c)
{
    return l->model[LIFE_PRICE] == (uint8_t)life_price_model(c) &&
           l->model[LIFE_GUARD] == (uint8_t)life_guard_model(c) &&
           cycles_valid(&l->cycles) && role_valid(l, LIFE_PRICE) &&
           role_valid(l, LIFE_GUARD) &&
           within((double)l->heat.loss, 0.0, STATE_MAX) &&
           within((double)l->heat.ohm, 0.0, STATE_MAX) &&
           within(l->efc, 0.0, STATE_MAX) &&
           within(l->capacity_pu, 0.0, 1.0 + 1e-9) &&
           within((double)l->soh_gain, 0.0, TIME_MAX_S) &&
           within((double)l->soh_weight, 1e-6, TIME_MAX_S) &&
           within(l->today_s, 0.0, LIFE_DAY_S) &&
           half_valid(l->last_half_s, l->today_s) &&
           within((double)l->soh_age_days, -1.0, TIME_MAX_S) &&
           within((double)l->soc_min_pu, 0.0, 1.0) &&
           within((double)l->soc_max_pu, 0.0, 1.0) && gives_a_capacity(l);
}

static bool pack_role_valid(const struct life_pack *p, int role)
{
    return within(p->loss_t[role], 0.0, STATE_MAX) &&
           within(p->loss_n[role], 0.0, STATE_MAX) &&
           within((double)p->today[role], 0.0, STATE_MAX) &&
           within((double)p->rate[role], 0.0, STATE_MAX) &&
           p->flags[role] < FLAGS_END && p->outside[role] < FLAGS_END;
}

static bool pack_cycles_valid(const struct life_pack *p)
{
    bool ok =
        p->begun <= 1 && p->n_points <= LIFE_PACK_POINTS &&
        (p->n_points > 0) == (p->begun == 1) && p->way >= -1 && p->way <= 1 &&
        within((double)p->tip, 0.0, 1.0) && within((double)p->last, 0.0, 1.0) &&
        within((double)p->last_temp_c, LIFE_TEMP_MIN_C, LIFE_TEMP_MAX_C) &&
        leg_valid(&p->to_tip) && leg_valid(&p->past_tip);
    for (int i = 0; ok && i < p->n_points; i++) {
        ok = within((double)p->value[i], 0.0, 1.0) && leg_valid(&p->leg[i]);
    }
    return ok;
}

static bool pack_gives_a_capacity(const struct life_pack *p)
{
    for (int i = 0; i < LIFE_ROLES; i++) {
        double left_pu = life_pack_loss(p, (enum life_role)i, true).capacity_pu;
        if (!within(left_pu, 0.0, 1.0 + 1e-9)) {
            return false;
        }
    }
    return true;
}

bool life_pack_valid(const struct life_pack *p, enum chemistry c)
{
    return p->chemistry == (uint8_t)c && pack_cycles_valid(p) &&
           pack_role_valid(p, LIFE_PRICE) && pack_role_valid(p, LIFE_GUARD) &&
           within((double)p->heat, 0.0, STATE_MAX) &&
           within((double)p->knee, 0.0, STATE_MAX) &&
           within((double)p->capacity_pu, 0.0, 1.0 + 1e-6) &&
           within((double)p->today_s, 0.0, LIFE_DAY_S) &&
           half_valid(p->last_half_s, (double)p->today_s) &&
           within((double)p->scale_gain, 0.0, TIME_MAX_S) &&
           within((double)p->scale_weight, 1e-6, TIME_MAX_S) &&
           pack_gives_a_capacity(p);
}
