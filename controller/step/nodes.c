/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "controller/step/foresee.h"
#include "controller/step/step_parts.h"
#include "policies/fleet.h"

static const double WORTH_MIN_PER_KWH = 1e-6;

static double value_of(const struct site *site, const struct site_fleet *fleet)
{
    bool given = fleet->class_id >= 0 && fleet->class_id < site->n_classes;
    return given ? site->classes[fleet->class_id].value_per_kwh : INFINITY;
}

int cars_buckets(const struct step_cfg *cfg, const struct step_state *state,
                 int64_t utc_ms, struct bucket out[PLAN_BUCKETS_MAX],
                 struct bucket_must must[SITE_FLEETS_MAX])
{
    struct bucket all[SITE_FLEETS_MAX * BUCKET_FLEET_MAX];
    int n = 0;
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        struct bucket_fleet cars = cars_in(cfg, state, f);
        cars.now_s = bucket_clock_s(utc_ms);
        must[f] = (struct bucket_must){0.0, 0.0};
        if (cfg->site.fleets[f].behind_poi) {
            n += bucket_sum(&cars, &all[n], &must[f]);
        }
    }
    n = bucket_join(all, n, PLAN_BUCKETS_MAX);
    n = n < PLAN_BUCKETS_MAX ? n : PLAN_BUCKETS_MAX;
    memcpy(out, all, (size_t)n * sizeof(all[0]));
    return n;
}

/* What the pods of each class are held back from, for the grid or for their
 * own sake. */
static void held_by_class(const struct step_cfg *cfg,
                          const struct step_state *state,
                          double held_w[SITE_CLASSES_MAX])
{
    const struct shed_state *shed = &state->shed;
    for (int i = 0; i < cfg->site.n_pods; i++) {
        double under_w = shed->demand_w[i] - shed->cap_w[i];
        bool capped = shed->cap_w[i] < cfg->shed.power_max_w[i];
        held_w[cfg->shed.class_id[i]] +=
            capped && under_w > 0.0 ? under_w : 0.0;
    }
}

/* What of this tick the cars of all fleets have in common. */
struct tick {
    const struct snapshot *in;
    const struct node_terms *terms;
    bool restrict_load;
    int slot;                         /* of the plan; -1: none */
    double held_w[SITE_CLASSES_MAX];  /* by the caps of a class's pods */
    double taken_w[SITE_CLASSES_MAX]; /* of that, given to fleets */
    int64_t from;                     /* whose turn it is */
    int64_t to;
};

/* And those of one. */
struct orders {
    struct bucket_order charge;
    struct bucket_work_order work;
    bool plans_charge;
};

/* Work that is to be taken over goes to the first fleets of its class; what
 * they cannot do is left to the next.  Cars behind the grid connection would
 * bring back the load that the pods are held back for. */
static struct bucket_work_order order_work(const struct step_cfg *cfg,
                                           const struct bucket_fleet *cars,
                                           struct tick *tick)
{
    const struct site_fleet *fleet = &cfg->site.fleets[cars->fleet];
    int c = fleet->class_id;
    if (!fleet->takes_over || fleet->behind_poi || !(tick->held_w[c] > 0.0)) {
        return bucket_no_work();
    }
    double worth_per_kwh = fmax(value_of(&cfg->site, fleet), WORTH_MIN_PER_KWH);
    double left_w = fmax(tick->held_w[c] - tick->taken_w[c], 0.0);
    double taken_w = 0.0;
    struct bucket_work_order order =
        bucket_work_order(cars, worth_per_kwh, left_w, &taken_w);
    tick->taken_w[c] += taken_w;
    return order;
}

static struct orders order_fleet(const struct step_cfg *cfg,
                                 const struct step_state *state, int f,
                                 struct tick *tick)
{
    const struct site_fleet *fleet = &cfg->site.fleets[f];
    struct bucket_fleet cars = cars_in(cfg, state, f);
    cars.now_s = bucket_clock_s(tick->in->utc_ms);
    struct orders o = {.work = order_work(cfg, &cars, tick)};
    double want_w = tick->slot < 0
                        ? INFINITY
                        : tick->terms->plan->fleet_charge_w[f][tick->slot];
    if (isfinite(want_w)) {
        double all_w = 0.0;
        want_w = tick->restrict_load ? 0.0 : fmax(want_w, 0.0);
        want_w = fmin(want_w, fleet->feeder_max_w);
        o.charge = bucket_order(&cars, want_w, &all_w);
        o.plans_charge = true;
    }
    return o;
}

/* One car: the feeder is debited with what it may draw, and what it is seen
 * to draw is added up. */
static void decide_node(struct step_state *state, const struct fleet_in *fin,
                        int f, const struct fleet_car *car)
{
    struct node_state *n = &state->nodes[car->index];
    const struct node_in *node = car->node;
    double granted_w = n->command.charge_w + n->command.compute_w;
    double left_w = fin->fleet->feeder_max_w - (state->feeder_w[f] - granted_w);
    n->command = fleet_node(fin, car, left_w);
    if (state->islanded && fin->fleet->behind_poi) {
        n->command.charge_w = 0.0;
    }
    state->feeder_w[f] +=
        n->command.charge_w + n->command.compute_w - granted_w;

    double charge_w = isfinite(node->charge_w) ? node->charge_w : 0.0;
    double compute_w = isfinite(node->compute_w) ? node->compute_w : 0.0;
    /* an unplugged car computes on its pack, not on the grid */
    bool plugged = node->flags & NODE_PLUGGED;
    double drawn_w = charge_w + (plugged ? compute_w : 0.0);
    state->drawn_w[f] += drawn_w - n->drawn_w;
    state->compute_w[f] += compute_w - n->compute_w;
    n->drawn_w = drawn_w;
    n->compute_w = compute_w;
}

/* The cars of fleet 'f' whose turn it is. */
static void turn_fleet(const struct step_cfg *cfg, struct step_state *state,
                       struct tick *tick, int f, struct node_command *out)
{
    const struct site_fleet *fleet = &cfg->site.fleets[f];
    const struct snapshot *in = tick->in;
    struct orders orders = order_fleet(cfg, state, f, tick);
    struct fleet_in fin = {
        .fleet = fleet,
        .guard = &cfg->guards[f],
        .mono_ms = in->mono_ms,
        .utc_ms = in->utc_ms,
        .energy_per_kwh = tick->terms->price_per_kwh,
        .value_per_kwh = value_of(&cfg->site, fleet),
        .cheap = tick->terms->cheap,
        .restrict_load = tick->restrict_load,
        .stride = &cfg->strides[f],
        .charge = orders.plans_charge ? &orders.charge : NULL,
        .work = fleet->takes_over ? &orders.work : NULL,
    };
    int64_t first = fleet->first_node;
    int64_t end = first + fleet->nodes;
    int64_t from = tick->from > first ? tick->from : first;
    struct bucket_car bucket;
    struct bucket_work *works = cars_work_of(cfg, state);
    int64_t lived = (from + state->round) % cfg->n_rounds;
    for (int64_t i = from; i < tick->to && i < end; i++) {
        struct fleet_car car = {.node = &in->nodes[i],
                                .guard = &state->nodes[i].guard,
                                .bucket = &bucket,
                                .work = &works[i],
                                .index = i};
        decide_node(state, &fin, f, &car);
        cars_put(cfg, state, i, &bucket);
        if (lived == 0) { /* one round of so many */
            age_node(state, in, fleet, i);
            foresee_node(cfg, state, in, f, i);
        }
        lived = lived + 1 < cfg->n_rounds ? lived + 1 : 0;
        out[i] = state->nodes[i].command;
    }
}

/* Of the work of throttled pods, what cars are seen to do. */
static double moved_w(const struct step_cfg *cfg,
                      const struct step_state *state, const struct tick *tick)
{
    double by_class_w[SITE_CLASSES_MAX] = {0.0};
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        const struct site_fleet *fleet = &cfg->site.fleets[f];
        if (fleet->takes_over && !fleet->behind_poi) {
            by_class_w[fleet->class_id] += state->compute_w[f];
        }
    }
    double sum_w = 0.0;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        sum_w += fmin(fmax(by_class_w[c], 0.0), tick->held_w[c]);
    }
    return sum_w;
}

void commands_nodes(const struct step_cfg *cfg, struct step_state *state,
                    const struct snapshot *in, const struct node_terms *terms,
                    struct step_out *out)
{
    int64_t n = cfg->site.n_nodes;
    const struct plan *plan = terms->plan;
    struct tick tick = {
        .in = in,
        .terms = terms,
        .restrict_load = state->held_w > 0.0,
        .slot = in->tick >= plan->from_tick ? plan_slot(plan, in->utc_ms) : -1,
        .from = n * state->slice / cfg->n_slices,
        .to = n * (state->slice + 1) / cfg->n_slices,
    };
    state->slice = (state->slice + 1) % cfg->n_slices;
    state->round += state->slice == 0;
    if (n > 0 && state->held_w + state->waiting_w > 0.0) {
        held_by_class(cfg, state, tick.held_w);
    }
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        turn_fleet(cfg, state, &tick, f, out->nodes);
    }
    foresee_nodes_done(cfg, state);
    out->record.moved_w = moved_w(cfg, state, &tick);
    out->node_from = tick.from;
    out->node_to = tick.to;
    out->n_nodes = n;
}
