/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/foresee.h"
#include "controller/step/problem.h"
#include "policies/reserve.h"

static const int64_t SLOTS = 4; /* measured, before an outlook counts */
static const double HOUR_S = 3600.0;
/* Of its deadline: planned to be done before. */
static const double PLANNED_PU = 0.75;
/* Of the batteries, for what falls back when nothing waits any more. */
static const double POWER_PU = 0.5;
static const double ENERGY_PU = 0.1;
/* Of that, for a class that draws less than is foreseen. */
static const double UNSURE_PU = 0.75;
/* Of what a class can draw: may go unseen. */
static const double UNSEEN_PU = 0.5;

struct slot {
    int64_t from_ms;
    int64_t to_ms;
};

double problem_beside_w(const struct step_cfg *cfg,
                        const struct step_state *state)
{
    double power_w = 0.0;
    double energy_wh = 0.0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct site_battery *b = &cfg->site.batteries[i];
        power_w += POWER_PU * fmin(b->charge_max_w, b->transformer_va);
        energy_wh += ENERGY_PU * (b->soc_max_pu - b->soc_min_pu) * b->energy_wh;
    }
    struct reserve_cfg rc = {
        .ramp_max_w_per_s = cfg->site.grid.ramp_max_w_per_s,
        .ramp_average_s = cfg->site.grid.ramp_average_s,
        .latency_s = smooth_lag_ticks(&state->lag) * cfg->site.control.period_s,
    };
    struct reserve_side side = {.power_w = power_w, .energy_wh = energy_wh};
    return RESERVE_SURE_PU * reserve_cover(&rc, &side).edge_w;
}

/* What a class would draw in a slot; as usual where nothing is foreseen. */
static double free_w(const struct outlook *o, const struct queue *q,
                     struct slot s)
{
    double sum = 0.0;
    int64_t at_ms = s.from_ms;
    while (at_ms < s.to_ms) {
        int64_t next_ms = (at_ms / FORESEE_SLOT_MS + 1) * FORESEE_SLOT_MS;
        next_ms = next_ms < s.to_ms ? next_ms : s.to_ms;
        double mean_w = foresee_slot(o, at_ms, SLOTS).mean;
        mean_w = isfinite(mean_w) ? mean_w : q->usual_w;
        sum += mean_w * (double)(next_ms - at_ms);
        at_ms = next_ms;
    }
    return sum / (double)(s.to_ms - s.from_ms);
}

/* Above the floors. */
static double above_w(const struct problem_class *c, double room_w, double w)
{
    return fmax(fmin(w - c->least_w, room_w), 0.0);
}

/* What may wait at the end of slot 't': the oldest is done first, floors and
 * all, so what came within the time, and of what waits already what is not due
 * by then. */
static double in_time_wh(const struct problem *p, const struct problem_class *c,
                         const struct queue *q, int64_t t)
{
    double left_s = PLANNED_PU * c->deadline_s;
    double wh = 0.0;
    for (int64_t i = t; i >= 0 && left_s > 0.0; i--) {
        double s = fmin(p->step_s[i], left_s);
        double floor_w = c->demand_w[i] > 0.0 ? c->least_w : 0.0;
        wh += (floor_w + c->demand_w[i]) * s / HOUR_S;
        left_s -= s;
    }
    double early_s = (1.0 - PLANNED_PU) * c->deadline_s;
    double ahead_s = early_s;
    for (int64_t i = 0; i <= t; i++) {
        ahead_s += p->step_s[i];
    }
    return wh + backlog_then_wh(&q->waits, c->deadline_s, ahead_s);
}

static void describe(const struct step_cfg *cfg, const struct step_state *state,
                     int class_id, struct problem *p)
{
    const struct queue *q = &state->queues[class_id];
    struct problem_class *c = &p->classes[class_id];
    const struct outlook *o =
        foresee_class_in(foresee_in(cfg, state), class_id);
    *c = (struct problem_class){
        .planned = 1,
        .least_w = cfg->class_min_w[class_id],
        .per_w = cfg->load_per_pod,
        .deadline_s = cfg->site.classes[class_id].deadline_s,
    };
    double room_w = cfg->shed.class_max_w[class_id] - c->least_w;
    double now_w = q->now_w + state->shed.class_held_w[class_id];
    double most_w = 0.0;
    int64_t at_ms = p->start_at_ms;
    for (int64_t t = 0; t < p->n_slots; t++) {
        int64_t to_ms = at_ms + llround(p->step_s[t] * 1e3);
        struct slot s = {at_ms, to_ms};
        double later_w = above_w(c, room_w, free_w(o, q, s));
        double share = problem_soon_share(cfg, state, p->start_at_ms, at_ms);
        double in_load_w =
            share * above_w(c, room_w, now_w) + (1.0 - share) * later_w;
        p->load_w[t] = fmax(p->load_w[t] - c->per_w * in_load_w, 0.0);
        c->demand_w[t] = later_w;
        most_w = fmax(most_w, later_w);
        at_ms = to_ms;
    }
    most_w += queue_beside_w(q, problem_beside_w(cfg, state) / c->per_w);
    c->max_w = fmin(most_w, room_w);
    for (int64_t t = 0; t < p->n_slots; t++) {
        c->queue_max_wh[t] = in_time_wh(p, c, q, t);
    }
    c->demand_w[0] += q->waits.wh * HOUR_S / p->step_s[0];
}

/* What a class would draw while some of it waits nobody sees.  Nothing is put
 * off where less may come than is usual by more than the batteries can take up,
 * as was seen of late, or by half of what the class can draw. */
static bool may_wait(const struct step_cfg *cfg, const struct step_state *state,
                     int class_id)
{
    const struct queue *q = &state->queues[class_id];
    double covered_w = problem_beside_w(cfg, state) / cfg->load_per_pod;
    bool room = cfg->shed.class_max_w[class_id] > cfg->class_min_w[class_id];
    return cfg->waits[class_id] && room && isfinite(q->usual_w) &&
           q->usual_w - q->low_w < UNSURE_PU * covered_w &&
           UNSEEN_PU * cfg->shed.class_max_w[class_id] <
               covered_w / RESERVE_SURE_PU;
}

bool problem_classes(const struct step_cfg *cfg, const struct step_state *state,
                     struct problem *p)
{
    bool any = false;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        if (may_wait(cfg, state, c)) {
            describe(cfg, state, c, p);
            any = true;
        }
    }
    return any;
}
