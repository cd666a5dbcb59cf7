/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the batteries and packs live through, told to their life engines.
 *
 * Whatever time passed since the last sample goes into the next: one that was
 * silent, or a controller that was off, lives on at the state of charge and
 * temperature between the last and the next.  Time is the monotonic clock's.
 *
 * A state of charge moves by what the power moves.  What it moves beyond, and
 * beyond the steps and noise of a reading, is its gauge correcting itself: it
 * shifts the scale and is no cycle (models/life_shift.h).
 */
#include <assert.h>
#include <math.h>

#include "controller/step/step_parts.h"
#include "models/life_shift.h"
#include "models/wear.h"

static const double SLOW_S = 600.0;     /* a temperature may be so old */
static const double ASSUMED_C = 25.0;   /* where none is known */
static const double NOISE_PU = 0.02;    /* two steps of a gauge in percent */
static const double MARGIN = 1.5;       /* of a worn battery, with losses */
static const double CAR_PER_H = 4.0;    /* driven, or charged at its best */
static const double CAR_MAX_W = 1.5e6;  /* of any charger */
static const double PACK_OLD_S = 900.0; /* of telemetry on change */

void age_init(const struct step_cfg *cfg, struct step_state *state)
{
    const struct site *site = &cfg->site;
    for (int i = 0; i < site->n_batteries; i++) {
        life_init(&state->life[i], site->batteries[i].chemistry,
                  RAINFLOW_DEPTH);
        state->age[i].credit_pu = NOISE_PU;
        state->age[i].soh_pu = NAN;
    }
    for (int f = 0; f < site->n_fleets; f++) {
        struct node_state *first = &state->nodes[site->fleets[f].first_node];
        for (int i = 0; i < site->fleets[f].nodes; i++) {
            if (i == 0) {
                life_pack_init(&first->life, site->fleets[f].chemistry);
            }
            first[i].life = first->life;
        }
    }
}

static double since_s(double gap_s, int64_t then_ms, int64_t now_ms)
{
    double s = then_ms > 0 ? (double)(now_ms - then_ms) / 1e3 : 0.0;
    return fmin(fmax(gap_s, 0.0) + fmax(s, 0.0), LIFE_GAP_MAX_S);
}

static bool is_lived_at(double temp_c)
{
    return temp_c >= LIFE_TEMP_MIN_C && temp_c <= LIFE_TEMP_MAX_C;
}

static double most_w(const struct site_battery *s)
{
    return fmax(s->charge_max_w, s->discharge_max_w);
}

/* How far the state of charge can have moved within 'dt_s'; where the power
 * was not known, at the ratings. */
static double reach_pu(const struct age_battery *a,
                       const struct site_battery *s, double dt_s)
{
    double unknown_h = fmax(dt_s - a->known_s, 0.0) / 3600.0;
    return MARGIN * (a->moved_wh + unknown_h * most_w(s)) / s->energy_wh;
}

/* What of a movement its power does not explain; signed. */
static double jump_pu(struct age_battery *a, double moved_pu, double reach)
{
    double allowed_pu = a->credit_pu + reach;
    double over_pu = fabs(moved_pu) - allowed_pu;
    a->credit_pu = fmin(fmax(-over_pu, 0.0), NOISE_PU);
    if (!(over_pu > 0.0)) {
        return 0.0;
    }
    if (over_pu > NOISE_PU) { /* a reading that flickers corrects nothing */
        a->n_jumps++;
        a->jumped_pu += over_pu;
    }
    return copysign(over_pu, moved_pu);
}

/* The mean power over the time in which it was known, as a C-rate; else what
 * the state of charge says, within the ratings. */
static double rate_per_h(const struct age_battery *a,
                         const struct site_battery *s, double moved_pu,
                         double dt_s)
{
    if (a->known_s > 0.0) {
        return a->moved_wh / s->energy_wh / a->known_s * 3600.0;
    }
    double rate = dt_s > 0.0 ? fabs(moved_pu) / dt_s * 3600.0 : 0.0;
    return fmin(rate, most_w(s) / s->energy_wh);
}

/* Through the terminals where that was known, else by the state of charge. */
static double used_efc(const struct age_battery *a,
                       const struct site_battery *s, double moved_pu)
{
    return a->known_s > 0.0 ? wear_efc(s, a->moved_wh) : fabs(moved_pu) / 2.0;
}

static double temperature_c(struct age_battery *a, const struct reading *r,
                            int64_t mono_ms)
{
    double c = reading_value(r, mono_ms, SLOW_S);
    a->is_assumed = !is_lived_at(c);
    return a->is_assumed ? ASSUMED_C : c;
}

static void correct(struct life *life, struct age_battery *a,
                    const struct reading *r, int64_t mono_ms)
{
    if (reading_quality(r, mono_ms, SLOW_S) == QUALITY_GOOD &&
        life_measured(life, r->value) == LIFE_SOH_TAKEN) {
        a->soh_pu = r->value;
    }
}

static void live(struct life *life, const struct life_sample *sample)
{
    enum err e = life_feed(life, sample);
    assert(e == ERR_NONE);
    (void)e;
}

static void sample_battery(const struct step_cfg *cfg, struct step_state *state,
                           const struct snapshot *in, int i, double soc_pu)
{
    struct age_battery *a = &state->age[i];
    struct life *life = &state->life[i];
    const struct site_battery *s = &cfg->site.batteries[i];
    const struct battery_in *b = &in->batteries[i];
    double dt_s = since_s(a->gap_s, a->mono_ms, in->mono_ms);
    double moved_pu = life->cycles.n_fed > 0 ? soc_pu - life->cycles.last : 0.0;
    double over_pu = jump_pu(a, moved_pu, reach_pu(a, s, dt_s));
    if (fabs(over_pu) > 0.0) {
        life_shift(life, over_pu);
    }
    live(life, &(struct life_sample){
                   .dt_s = dt_s,
                   .soc_pu = soc_pu,
                   .temp_c = temperature_c(a, &b->temperature_c, in->mono_ms),
                   .rate_per_h = rate_per_h(a, s, moved_pu - over_pu, dt_s),
               });
    correct(life, a, &b->soh_pu, in->mono_ms);
    wear_warranty_use(&a->warranty, s, used_efc(a, s, moved_pu - over_pu),
                      dt_s);
    a->mono_ms = in->mono_ms;
    a->gap_s = 0.0;
    a->moved_wh = 0.0;
    a->known_s = 0.0;
}

void age_batteries(const struct step_cfg *cfg, struct step_state *state,
                   const struct snapshot *in, const struct estimate *est)
{
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct battery_estimate *e = &est->batteries[i];
        struct age_battery *a = &state->age[i];
        if (e->known && a->mono_ms > 0) {
            a->moved_wh += fabs(e->power_w) * in->dt_s / 3600.0;
            a->known_s += in->dt_s;
        }
        bool turn = (i + state->turn) % cfg->n_turns == 0;
        if (turn && e->soc_pu >= 0.0 && e->soc_pu <= 1.0) {
            sample_battery(cfg, state, in, i, e->soc_pu);
        }
    }
    state->turn = (state->turn + 1) % cfg->n_turns;
}

/* What is drawn for charging, where it is known; driving is not. */
static double pack_rate_per_h(const struct site_fleet *fleet,
                              const struct node_in *node, double moved_pu,
                              double dt_s)
{
    bool plugged = node->flags & NODE_PLUGGED;
    double w = node->charge_w;
    double pu = plugged && w >= 0.0 && w <= CAR_MAX_W
                    ? w / fleet->pack_wh
                    : fabs(moved_pu) / fmax(dt_s, 1.0) * 3600.0;
    return fmin(pu, CAR_PER_H);
}

/* A pack that drove off and came back did move as far as it says. */
static double pack_jump_pu(double moved_pu, double dt_s)
{
    double over_pu = fabs(moved_pu) - NOISE_PU - CAR_PER_H * dt_s / 3600.0;
    return over_pu > 0.0 ? copysign(over_pu, moved_pu) : 0.0;
}

static void sample_node(struct node_state *n, const struct site_fleet *fleet,
                        const struct node_in *node, int64_t mono_ms)
{
    struct life_sample sample = {
        .dt_s = since_s(n->age.gap_s, n->age.mono_ms, mono_ms),
        .soc_pu = node->soc_pu,
        .temp_c = is_lived_at(node->pack_c) ? node->pack_c : ASSUMED_C,
    };
    double moved_pu = n->life.begun ? node->soc_pu - (double)n->life.last : 0.0;
    double over_pu = pack_jump_pu(moved_pu, sample.dt_s);
    if (fabs(over_pu) > 0.0) {
        life_pack_shift(&n->life, over_pu);
    }
    sample.rate_per_h =
        pack_rate_per_h(fleet, node, moved_pu - over_pu, sample.dt_s);
    size_t n_refused = life_pack_feed(&n->life, &sample, 1);
    assert(n_refused == 0);
    (void)n_refused;
    n->age = (struct age_node){.mono_ms = mono_ms};
}

void age_node(struct step_state *state, const struct snapshot *in,
              const struct site_fleet *fleet, int64_t i)
{
    const struct node_in *node = &in->nodes[i];
    double age_s = (double)(in->mono_ms - node->pack_mono_ms) / 1e3;
    bool fresh = node->pack_mono_ms > 0 && age_s >= -1.0 && age_s <= PACK_OLD_S;
    if (fresh && node->soc_pu >= 0.0 && node->soc_pu <= 1.0) {
        sample_node(&state->nodes[i], fleet, node, in->mono_ms);
    }
}
