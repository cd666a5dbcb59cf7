/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/shed_class.h"

#include <math.h>
#include <string.h>

#include "models/clamp.h"

static const double PHASE_END_S = 10.0; /* after it a cut costs least */
static const double WAIT_S = 300.0;     /* for the end of one */
static const double CUT_S = 1.0; /* of the ramp, left from ticks without cuts */
enum { ROUNDS = 8 };             /* of sharing a budget out */

static double wanted_budget_w(const struct shed_cfg *cfg,
                              const struct shed_in *in, int64_t c)
{
    double w = in->class_w != NULL ? in->class_w[c] : INFINITY;
    return isfinite(w) ? clamp(w, 0.0, cfg->class_max_w[c])
                       : cfg->class_max_w[c];
}

bool shed_class_due(const struct shed_cfg *cfg, const struct shed_state *s,
                    const struct shed_in *in)
{
    for (int64_t c = 0; c < cfg->n_classes; c++) {
        if (s->class_w[c] < cfg->class_max_w[c] ||
            wanted_budget_w(cfg, in, c) < cfg->class_max_w[c]) {
            return true;
        }
    }
    return false;
}

/* Work that can wait need not be an edge for the grid: each class moves at its
 * part of the ramp, from what its pods want. */
static void move_budgets(const struct shed_cfg *cfg, struct shed_state *s,
                         const struct shed_in *in, const double *want_w)
{
    for (int64_t c = 0; c < cfg->n_classes; c++) {
        double max_w = cfg->class_max_w[c];
        double goal_w = wanted_budget_w(cfg, in, c);
        double step_w =
            cfg->return_w_per_s * in->dt_s * max_w / cfg->power_max_sum_w;
        if (goal_w < s->class_w[c]) {
            double from_w = fmin(s->class_w[c], want_w[c]);
            s->class_w[c] = fmax(fmin(goal_w, from_w), from_w - step_w);
            s->class_w[c] = fmin(s->class_w[c], max_w);
        } else {
            s->class_w[c] = fmin(goal_w, s->class_w[c] + step_w);
        }
        if (goal_w >= max_w && s->class_w[c] >= want_w[c]) {
            s->class_w[c] = max_w; /* nobody is held back by it any more */
        }
    }
}

/* A cut waits for the end of a phase, where the pod's scheduler tells them,
 * and for the least time of a checkpoint. */
static bool may_cut(struct shed_phase *phase, double dt_s)
{
    bool told = isfinite(phase->since_s);
    bool now = !told || phase->since_s <= PHASE_END_S;
    phase->wait_s = fmin(phase->wait_s + dt_s, WAIT_S);
    return !(phase->hold_s > 0.0) && (now || phase->wait_s >= WAIT_S);
}

/* Pods of one job end their phases, or their waiting, together: what they draw
 * goes down no faster than the grid may follow; a cut that has begun goes on.
 */
static void cut(struct shed_state *s, int64_t i, double w, double want_w)
{
    double from_w = fmin(s->class_cap_w[i], want_w);
    double by_w = fmin(fmax(from_w - w, 0.0), s->cut_w);
    s->cut_w -= by_w;
    s->class_cap_w[i] = fmax(from_w - by_w, w);
    if (s->class_cap_w[i] > w) {
        s->phases[i].wait_s = WAIT_S;
    }
}

/* The same part of what each pod can do above its floor: one that wants less
 * leaves the rest to those with more to do. */
static void bound(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
                  double part, double dt_s, struct shed_lot *lot)
{
    double w = cfg->power_max_w[i];
    if (part < 1.0) {
        w = lot->floor_w + part * (lot->most_w - lot->floor_w);
    }
    if (w >= s->class_cap_w[i]) {
        s->phases[i].wait_s = 0.0;
        s->class_cap_w[i] = w;
    } else if (may_cut(&s->phases[i], dt_s)) {
        cut(s, i, w, lot->want_w);
    }
    lot->most_w = clamp(s->class_cap_w[i], lot->floor_w, lot->most_w);
    lot->want_w = fmin(lot->want_w, lot->most_w);
}

/* Pods order[from .. to) of equal standing, which may be of several classes. */
struct rank {
    int64_t from;
    int64_t to;
};

/* What they take of class 'c' with 'part' of their range each, above their
 * floors; 'room_w' is what those could take that want more. */
static double taken_w(const struct shed_cfg *cfg, const struct shed_lot *lots,
                      const struct rank *rank, int64_t c, double part,
                      double *room_w)
{
    double sum_w = 0.0;
    *room_w = 0.0;
    for (int64_t k = rank->from; k < rank->to; k++) {
        const struct shed_lot *lot = &lots[cfg->order[k]];
        double range_w = lot->most_w - lot->floor_w;
        double want_w = lot->want_w - lot->floor_w;
        if (cfg->class_id[cfg->order[k]] == c) {
            bool more = want_w > part * range_w;
            sum_w += more ? part * range_w : want_w;
            *room_w += more ? range_w : 0.0;
        }
    }
    return sum_w;
}

/* The part of its range that each may take so that all take 'left_w'. */
static double find_part(const struct shed_cfg *cfg, const struct shed_lot *lots,
                        const struct rank *rank, int64_t c, double *left_w)
{
    double room_w;
    double all_w = taken_w(cfg, lots, rank, c, 1.0, &room_w);
    if (all_w <= *left_w) {
        *left_w -= all_w;
        return 1.0;
    }
    double part = 0.0;
    for (int n = 0; n < ROUNDS; n++) {
        double w = taken_w(cfg, lots, rank, c, part, &room_w);
        if (!(room_w > 0.0) || !(w < *left_w)) {
            break;
        }
        part = fmin(part + (*left_w - w) / room_w, 1.0);
    }
    *left_w = 0.0;
    return part;
}

static void share_rank(const struct shed_cfg *cfg, struct shed_state *s,
                       const struct rank *rank, double dt_s, double *left_w,
                       struct shed_lot *lots)
{
    double part[SITE_CLASSES_MAX];
    for (int64_t c = 0; c < cfg->n_classes; c++) {
        part[c] = find_part(cfg, lots, rank, c, &left_w[c]);
    }
    for (int64_t k = rank->from; k < rank->to; k++) {
        int64_t i = cfg->order[k];
        bound(cfg, s, i, part[cfg->class_id[i]], dt_s, &lots[i]);
    }
}

void shed_class_step(const struct shed_cfg *cfg, struct shed_state *s,
                     const struct shed_in *in, struct shed_lot *lots)
{
    double want_w[SITE_CLASSES_MAX] = {0.0};
    double left_w[SITE_CLASSES_MAX] = {0.0};
    for (int64_t i = 0; i < cfg->n; i++) {
        const struct shed_lot *lot = &lots[i];
        want_w[cfg->class_id[i]] += lot->want_w;
        left_w[cfg->class_id[i]] -= lot->floor_w;
    }
    move_budgets(cfg, s, in, want_w);
    s->cut_w = fmin(s->cut_w, CUT_S * cfg->return_w_per_s);
    s->cut_w += cfg->return_w_per_s * in->dt_s;
    for (int64_t c = 0; c < cfg->n_classes; c++) {
        left_w[c] = fmax(left_w[c] + s->class_w[c], 0.0);
    }
    struct rank rank = {0, 0};
    while (rank.from < cfg->n) {
        while (rank.to < cfg->n && cfg->rank[rank.to] == cfg->rank[rank.from]) {
            rank.to++;
        }
        share_rank(cfg, s, &rank, in->dt_s, left_w, lots);
        rank.from = rank.to;
    }
}
