/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_search.h"

#include <math.h>

const double schedule_both_min_pu = 1e-6;

/* A dive gives directions to one part of the horizon after the other, so that
 * what is left follows what the parts before it made of themselves. */
enum { PARTS = 3 };

/* Near enough to round, as a part of the cost. */
static const double rough_pu = 1e-3;

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

/* A battery on its way through the horizon: energies that the directions so
 * far leave within reach, and how far behind the iterate's they are with the
 * powers that it takes. */
struct track {
    double lo;
    double hi;
    double behind;
    /* of the step at hand */
    bool both;
    bool can[2];     /* go [out, in] */
    double step[2];  /* of the energy at full power, >= 0 */
    double go[2];    /* at the power that the iterate takes, >= 0 */
    double power[2]; /* likewise, into the battery */
    int way;         /* 0: out, 1: in */
};

/* What the batteries of a step may take from the others together. */
struct room {
    double lo;
    double hi;
    double h;
};

static bool reaches(const struct schedule_lp_battery *b, int t,
                    const struct track *at, int way)
{
    double lo = fmax(at->lo - (way == 0 ? at->step[0] : 0.0), b->low[t]);
    double hi = fmin(at->hi + (way == 1 ? at->step[1] : 0.0), b->high[t]);
    return lo <= hi;
}

static void look_at(const struct schedule_search *at, int i, int t,
                    struct track *track)
{
    const struct schedule_lp *lp = &at->s->lp;
    const struct schedule_lp_battery *q = &lp->batteries[i];
    const struct schedule_battery *b = &at->p->batteries[i];
    int8_t way = at->s->ways.at[i][t];
    struct schedule_flow f = schedule_flow(lp, i, t);
    double k_in = b->charge_eff_pu * lp->h[t];
    double k_out = lp->h[t] / b->discharge_eff_pu;
    track->both = f.both_pu > schedule_both_min_pu;
    track->step[0] = way == SCHEDULE_WAY_IN ? 0.0 : q->out_max[t] * k_out;
    track->step[1] = way == SCHEDULE_WAY_OUT ? 0.0 : q->in_max[t] * k_in;
    if (!track->both) {
        return;
    }
    double share = f.in / q->in_max[t] + f.out / q->out_max[t];
    share = fmin(share, 1.0);
    track->power[0] = -share * q->out_max[t];
    track->power[1] = share * q->in_max[t];
    track->go[0] = -track->power[0] * k_out;
    track->go[1] = track->power[1] * k_in;
    track->behind += f.in * k_in - f.out * k_out;
    track->can[0] = reaches(q, t, track, 0);
    track->can[1] = reaches(q, t, track, 1);
    bool in = fabs(track->behind - track->go[1]) <=
              fabs(track->behind + track->go[0]);
    track->way = track->can[in] || !track->can[!in] ? in : !in;
}

static double value(const struct schedule_lp *lp, int col, int t)
{
    size_t at = (size_t)col * (size_t)lp->n + (size_t)t;
    return col < 0 ? 0.0 : lp->lo[at] + lp->ipm.xl[at];
}

/* What the grid has left for those that do both, what else there is as the
 * iterate has it. */
static struct room room(const struct schedule_search *at, int t,
                        const struct track *tracks)
{
    const struct schedule_lp *lp = &at->s->lp;
    double in = value(lp, lp->import, t) + value(lp, lp->import_over, t);
    double out = value(lp, lp->export, t) + value(lp, lp->export_over, t);
    double rest = in - out;
    for (int i = 0; i < lp->n_batteries; i++) {
        if (tracks[i].both) {
            struct schedule_flow f = schedule_flow(lp, i, t);
            rest -= f.in - f.out;
        }
    }
    double most = at->p->import_max_w[t] / lp->unit_w;
    double least = at->p->export_per_kwh[t] < 0.0
                       ? out
                       : at->p->export_max_w[t] / lp->unit_w;
    if (lp->peak_row >= 0) {
        size_t last = (size_t)lp->peak_room * (size_t)lp->n + (size_t)t;
        most = fmin(most, lp->lo[last] + lp->ipm.xl[last] + in);
    }
    return (struct room){-least - rest, most - rest, lp->h[t]};
}

/* How far all of them are from the iterate, and what does not fit the grid. */
static double off(const struct schedule_lp *lp, const struct track *tracks,
                  const struct room *r)
{
    double sum = 0.0;
    double power = 0.0;
    for (int i = 0; i < lp->n_batteries; i++) {
        const struct track *q = &tracks[i];
        if (q->both) {
            double go = q->way == 1 ? q->go[1] : -q->go[0];
            sum += fabs(q->behind - go);
            power += q->power[q->way];
        }
    }
    double over = fmax(power - r->hi, 0.0) + fmax(r->lo - power, 0.0);
    return sum + over * r->h;
}

/* Turns one after the other round as long as that brings them nearer. */
static void agree(const struct schedule_lp *lp, struct track *tracks,
                  const struct room *r)
{
    double now = off(lp, tracks, r);
    for (int k = 0; k < lp->n_batteries; k++) {
        int best = -1;
        for (int i = 0; i < lp->n_batteries; i++) {
            struct track *q = &tracks[i];
            if (!q->both || !q->can[!q->way]) {
                continue;
            }
            q->way = !q->way;
            double then = off(lp, tracks, r);
            q->way = !q->way;
            if (then < now) {
                now = then;
                best = i;
            }
        }
        if (best < 0) {
            break;
        }
        tracks[best].way = !tracks[best].way;
    }
}

static void walk_on(struct schedule_search *at, int t, struct track *tracks)
{
    const struct schedule_lp *lp = &at->s->lp;
    for (int i = 0; i < lp->n_batteries; i++) {
        const struct schedule_lp_battery *b = &lp->batteries[i];
        struct track *q = &tracks[i];
        if (q->both) {
            bool in = q->way == 1;
            at->s->ways.at[i][t] = in ? SCHEDULE_WAY_IN : SCHEDULE_WAY_OUT;
            q->behind -= in ? q->go[1] : -q->go[0];
            q->step[in ? 0 : 1] = 0.0;
        }
        double lo = fmax(q->lo - q->step[0], b->low[t]);
        double hi = fmin(q->hi + q->step[1], b->high[t]);
        if (lo <= hi) {
            q->lo = lo;
            q->hi = hi;
        }
    }
}

/* Steps before 'to' that do both get directions by which the stored energies
 * follow the iterate's as closely as the grid lets them, unless only the other
 * one leaves windows within reach. */
static bool round_ways(struct schedule_search *at, int to)
{
    const struct schedule_lp *lp = &at->s->lp;
    struct track tracks[SCHEDULE_BATTERIES_MAX];
    bool any = false;
    for (int i = 0; i < lp->n_batteries; i++) {
        const struct schedule_battery *b = &at->p->batteries[i];
        double start = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
        start /= lp->unit_w;
        tracks[i] = (struct track){.lo = start, .hi = start};
    }
    for (int t = 0; t < to; t++) {
        bool both = false;
        for (int i = 0; i < lp->n_batteries; i++) {
            look_at(at, i, t, &tracks[i]);
            both = both || tracks[i].both;
        }
        if (both) {
            struct room r = room(at, t, tracks);
            agree(lp, tracks, &r);
        }
        walk_on(at, t, tracks);
        any = any || both;
    }
    return any;
}

void schedule_round(struct schedule_search *at)
{
    double before = at->best_cur;
    if (!schedule_search_over(at) && round_ways(at, at->s->lp.n)) {
        schedule_search_solve(at, -INFINITY);
        at->fits = at->best_cur < before;
    }
}

void schedule_dive(struct schedule_search *at)
{
    int n = at->s->lp.n;
    double rough = at->rough_pu;
    at->rough_pu = rough_pu;
    for (int k = 1; k < PARTS && !schedule_search_over(at); k++) {
        if (round_ways(at, n * k / PARTS)) {
            schedule_search_solve(at, -INFINITY);
        }
    }
    at->rough_pu = 0.0;
    schedule_round(at);
    at->rough_pu = rough;
}
