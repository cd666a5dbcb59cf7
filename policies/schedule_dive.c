/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_search.h"

#include <math.h>

const double schedule_both_min_pu = 1e-6;

struct schedule_flow schedule_flow(const struct schedule_lp *lp, int i, int t)
{
    const struct schedule_lp_battery *b = &lp->batteries[i];
    struct schedule_flow f = {0.0, 0.0, 0.0};
    for (int s = 0; s < b->store.n_segments; s++) {
        f.in += lp->ipm.xl[(size_t)b->charge[s] * (size_t)lp->n + (size_t)t];
        f.out +=
            lp->ipm.xl[(size_t)b->discharge[s] * (size_t)lp->n + (size_t)t];
    }
    if (b->in_max[t] > 0.0 && b->out_max[t] > 0.0) {
        f.both_pu = fmin(f.in / b->in_max[t], f.out / b->out_max[t]);
    }
    return f;
}

/* Energies that the directions so far leave within reach, and how far behind
 * the iterate's they are at full power. */
struct track {
    double lo;
    double hi;
    double behind;
};

/* False where the step's window is then out of reach. */
static bool go(const struct schedule_lp_battery *b, int t, const double by[2],
               struct track *at)
{
    double lo = fmax(at->lo - by[0], b->low[t]);
    double hi = fmin(at->hi + by[1], b->high[t]);
    if (!(lo <= hi)) {
        return false;
    }
    at->lo = lo;
    at->hi = hi;
    return true;
}

/* Steps that do both get the direction by which the stored energy follows the
 * iterate's as closely as full powers let it, unless only the other one leaves
 * windows within reach. */
static bool round_battery(struct schedule_search *at, int i)
{
    const struct schedule_lp *lp = &at->s->lp;
    const struct schedule_lp_battery *q = &lp->batteries[i];
    const struct schedule_battery *b = &at->p->batteries[i];
    double start = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    struct track track = {.lo = start / lp->unit_w, .hi = start / lp->unit_w};
    bool any = false;
    for (int t = 0; t < lp->n; t++) {
        int8_t *way = &at->s->ways.at[i][t];
        struct schedule_flow f = schedule_flow(lp, i, t);
        double k_in = b->charge_eff_pu * lp->h[t];
        double k_out = lp->h[t] / b->discharge_eff_pu;
        double down = *way == SCHEDULE_WAY_IN ? 0.0 : q->out_max[t] * k_out;
        double up = *way == SCHEDULE_WAY_OUT ? 0.0 : q->in_max[t] * k_in;
        if (!(f.both_pu > schedule_both_min_pu)) {
            go(q, t, (double[]){down, up}, &track);
            continue;
        }
        track.behind += f.in * k_in - f.out * k_out;
        bool in = fabs(track.behind - up) <= fabs(track.behind + down);
        if (!go(q, t, (double[]){in ? 0.0 : down, in ? up : 0.0}, &track)) {
            in = !in;
            go(q, t, (double[]){in ? 0.0 : down, in ? up : 0.0}, &track);
        }
        track.behind -= in ? up : -down;
        *way = in ? SCHEDULE_WAY_IN : SCHEDULE_WAY_OUT;
        any = true;
    }
    return any;
}

static bool round_ways(struct schedule_search *at)
{
    bool any = false;
    for (int i = 0; i < at->s->lp.n_batteries; i++) {
        any = round_battery(at, i) || any;
    }
    return any;
}

void schedule_dive(struct schedule_search *at)
{
    if (round_ways(at)) {
        schedule_search_solve(at, -INFINITY);
    }
}
