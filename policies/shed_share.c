/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdbool.h>

#include "models/clamp.h"
#include "policies/shed.h"

/* A pod that was held back for so long more than its equals goes first. */
static const double FAIR_S = 60.0;
enum { CORRECTIONS = 3 }; /* of what clamping takes from a share */

/* Pods order[from .. to) of equal standing. */
struct peers {
    const struct shed_cfg *cfg;
    const double *deficit_s;
    struct shed_lot *lots;
    int64_t from;
    int64_t to;
};

static bool is_kept(const struct shed_lot *lot)
{
    return isfinite(lot->kept_w);
}

/* What it takes of the budget is not for us to say. */
static bool is_fixed(const struct shed_lot *lot)
{
    return isfinite(lot->apart_w) || is_kept(lot);
}

static double room_of(const struct shed_lot *lot)
{
    return lot->want_w - lot->floor_w;
}

/* Mean of what they were held back, by what there is to give them. */
static double mean_deficit_s(const struct peers *p, double sum_w)
{
    double mean_s = 0.0;
    for (int64_t k = p->from; k < p->to; k++) {
        int64_t i = p->cfg->order[k];
        mean_s += is_fixed(&p->lots[i])
                      ? 0.0
                      : p->deficit_s[i] * room_of(&p->lots[i]);
    }
    return mean_s / sum_w;
}

/* Each gets 'part' of its room, and more or less by its deficit; returns the
 * sum.  Those apart get the same cap, should they come to obey it. */
static double give(const struct peers *p, double part, double mean_s)
{
    double given_w = 0.0;
    for (int64_t k = p->from; k < p->to; k++) {
        int64_t i = p->cfg->order[k];
        struct shed_lot *lot = &p->lots[i];
        double mine = part + (p->deficit_s[i] - mean_s) / FAIR_S;
        double w = clamp(mine, 0.0, 1.0) * room_of(lot);
        lot->cap_w = lot->floor_w + w;
        given_w += is_fixed(lot) ? 0.0 : w;
    }
    return given_w;
}

/* The rounding and clamping errors go where they do no harm: down. */
static void scale(const struct peers *p, double part)
{
    for (int64_t k = p->from; k < p->to; k++) {
        struct shed_lot *lot = &p->lots[p->cfg->order[k]];
        lot->cap_w = lot->floor_w + part * (lot->cap_w - lot->floor_w);
    }
}

/* Gives them what they want above their floors, as far as 'left_w' goes. */
static void serve(const struct peers *p, double *left_w)
{
    double sum_w = 0.0;
    for (int64_t k = p->from; k < p->to; k++) {
        const struct shed_lot *lot = &p->lots[p->cfg->order[k]];
        sum_w += is_fixed(lot) ? 0.0 : room_of(lot);
    }
    if (!(sum_w > *left_w)) {
        give(p, INFINITY, 0.0);
        *left_w -= sum_w;
        return;
    }
    double mean_s = mean_deficit_s(p, sum_w);
    double part = *left_w / sum_w;
    double given_w = give(p, part, mean_s);
    for (int n = 0; n < CORRECTIONS; n++) {
        part += (*left_w - given_w) / sum_w;
        given_w = give(p, part, mean_s);
    }
    if (given_w > *left_w) {
        scale(p, *left_w / given_w);
    }
    *left_w = 0.0;
}

/* What nobody asked for is room for all, in proportion to what is missing. */
static void spread_rest(const struct shed_cfg *cfg, struct shed_lot *lots,
                        double left_w)
{
    double room_w = 0.0;
    for (int64_t i = 0; i < cfg->n; i++) {
        room_w += is_fixed(&lots[i]) ? 0.0 : lots[i].most_w - lots[i].cap_w;
    }
    double part = room_w > left_w ? left_w / room_w : 1.0;
    for (int64_t i = 0; i < cfg->n; i++) {
        lots[i].cap_w += part * (lots[i].most_w - lots[i].cap_w);
    }
}

/* What is left above the floors; negative: it is not enough. */
static double above_floors_w(const struct shed_cfg *cfg, double budget_w,
                             const struct shed_lot *lots)
{
    double left_w = budget_w;
    for (int64_t i = 0; i < cfg->n; i++) {
        const struct shed_lot *lot = &lots[i];
        double kept_w = is_kept(lot) ? lot->want_w : lot->floor_w;
        left_w -= isfinite(lot->apart_w) ? lot->apart_w : kept_w;
    }
    return left_w;
}

double shed_share(const struct shed_cfg *cfg, const double *deficit_s,
                  double budget_w, struct shed_lot *lots)
{
    double left_w = above_floors_w(cfg, budget_w, lots);
    if (left_w < 0.0) { /* a limit of the grid comes before a checkpoint */
        for (int64_t i = 0; i < cfg->n; i++) {
            lots[i].kept_w = NAN;
        }
        left_w = above_floors_w(cfg, budget_w, lots);
    }
    double missing_w = fmax(-left_w, 0.0);
    left_w = fmax(left_w, 0.0);
    struct peers p = {cfg, deficit_s, lots, 0, 0};
    while (p.from < cfg->n) {
        while (p.to < cfg->n && cfg->rank[p.to] == cfg->rank[p.from]) {
            p.to++;
        }
        serve(&p, &left_w);
        p.from = p.to;
    }
    if (left_w > 0.0) {
        spread_rest(cfg, lots, left_w);
    }
    for (int64_t i = 0; i < cfg->n; i++) {
        if (is_kept(&lots[i])) {
            lots[i].cap_w = fmax(lots[i].cap_w, lots[i].kept_w);
        }
    }
    return missing_w;
}
