/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the edges of the load that must be covered are. */
#include <math.h>

#include "controller/step/step_parts.h"

static const double SOC_ERROR_PU = 0.02; /* may be wrong by that */
static const double REFILL_S = 3600.0;   /* what is short comes back in */
static const double REFILL_PU = 0.1;     /* of the power at most */
static const double SAID_PU = 0.01;      /* of an edge: worth a word */
static const double SAID_W = 1e3;

/* What all batteries have one way, and the most of it that one has. */
struct side {
    struct reserve_side all;
    struct reserve_side most; /* of those that may trip; what it carries */
    int64_t most_by;          /* which has the most power */
};

static void add(struct side *s, bool may_trip, int64_t i,
                struct reserve_side one)
{
    s->all.power_w += one.power_w;
    s->all.energy_wh += one.energy_wh;
    if (may_trip) {
        s->most_by = one.power_w > s->most.power_w ? i : s->most_by;
        s->most.power_w = fmax(s->most.power_w, one.power_w);
        s->most.energy_wh = fmax(s->most.energy_wh, one.energy_wh);
        s->most.carried_w = fmax(s->most.carried_w, one.carried_w);
    }
}

/* Each way, less what the gauges may be wrong by; returns how many are
 * usable. */
static int find_sides(const struct step_cfg *cfg, const struct estimate *est,
                      struct side *up, struct side *down)
{
    int n = 0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct site_battery *b = &cfg->site.batteries[i];
        const struct battery_estimate *e = &est->batteries[i];
        if (e->usable) {
            double low_wh = b->soc_min_pu * b->energy_wh + b->reserve_wh;
            double held_wh = (e->soc_pu - SOC_ERROR_PU) * b->energy_wh - low_wh;
            double room_pu = b->soc_max_pu - e->soc_pu - SOC_ERROR_PU;
            double one_way = cfg->one_way_pu[i];
            struct reserve_side gives = {
                e->discharge_max_w, fmax(held_wh, 0.0) * one_way, -e->power_w};
            struct reserve_side takes = {
                e->charge_max_w, fmax(room_pu, 0.0) * b->energy_wh / one_way,
                e->power_w};
            add(up, cfg->may_trip[i], i, gives);
            add(down, cfg->may_trip[i], i, takes);
            n++;
        }
    }
    return n;
}

/* What the others can carry after a trip, until the grid has followed. */
static double left_after_w(const struct reserve_cfg *rc, const struct side *s)
{
    double energy_wh = fmax(s->all.energy_wh - s->most.energy_wh, 0.0);
    double power_w = fmax(s->all.power_w - s->most.power_w, 0.0);
    return fmin(power_w, reserve_carried_w(rc, energy_wh));
}

/* What the pods give up at once adds to that.  Of 'left_w' in all, the one that
 * trips has the share of its power, or that which it has now. */
static double pods_after_w(const struct step_cfg *cfg,
                           const struct step_state *state,
                           const struct estimate *est, const struct side *up,
                           double left_w)
{
    double part = up->most.power_w / fmax(up->all.power_w, 1.0);
    if (up->most.carried_w > 0.0) {
        double sum_w = fmax(up->all.carried_w, up->most.carried_w);
        part = fmax(part, up->most.carried_w / sum_w);
    }
    double edge_w = fmin(part * left_w, up->most.power_w);
    return trip_pods_w(cfg, state, est->pod_w, edge_w);
}

static void find_trip(const struct step_cfg *cfg,
                      const struct step_state *state,
                      const struct estimate *est, const struct side *up,
                      const struct side *down, struct reserve_trip *t)
{
    struct reserve_cfg rc = trip_terms(cfg, state);
    t->rise_w = up->most.carried_w;
    t->drop_w = down->most.carried_w;
    t->left_up_w = left_after_w(&rc, up);
    t->left_up_w += pods_after_w(cfg, state, est, up, t->left_up_w);
    t->left_down_w = left_after_w(&rc, down);
    t->gives_w = up->all.carried_w;
    t->worst = t->gives_w > 0.0 ? up->most_by : down->most_by;
}

/* What the utility wants to be kept for an outage that may come, beyond the
 * site's own reserve.  Smoothing and limits may go on drawing from it. */
static double told_wh(const struct step_cfg *cfg, const struct snapshot *in,
                      const struct estimate *est)
{
    double pu = utility_reserve_pu(in, in->utc_ms, in->utc_ms + 1);
    double wh = 0.0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct site_battery *b = &cfg->site.batteries[i];
        double window_wh = (b->soc_max_pu - b->soc_min_pu) * b->energy_wh;
        if (est->batteries[i].usable) {
            wh += fmax(pu * window_wh - b->reserve_wh, 0.0);
        }
    }
    return wh;
}

/* How far plan and recentring may move the batteries from rest. */
static void find_shift(const struct reserve_cfg *rc,
                       const struct reserve_side *up,
                       const struct reserve_side *down, struct reserve_now *e)
{
    double up_w = fmin(up->power_w - e->rise_w, e->trip.left_up_w);
    double down_w = fmin(down->power_w - e->drop_w, e->trip.left_down_w);
    e->shift_lo_w = -fmax(up_w, 0.0);
    e->shift_hi_w = fmax(down_w, 0.0);
    double short_up_wh =
        reserve_energy_wh(rc, e->rise_w) + e->told_wh - up->energy_wh;
    double short_down_wh = reserve_energy_wh(rc, e->drop_w) - down->energy_wh;
    double most_w = REFILL_PU * fmin(up->power_w, down->power_w);
    if (short_up_wh > 0.0 && short_down_wh <= 0.0) {
        e->shift_lo_w = fmin(short_up_wh * 3600.0 / REFILL_S, most_w);
        e->shift_hi_w = fmax(e->shift_hi_w, e->shift_lo_w);
    } else if (short_down_wh > 0.0 && short_up_wh <= 0.0) {
        e->shift_hi_w = -fmin(short_down_wh * 3600.0 / REFILL_S, most_w);
        e->shift_lo_w = fmin(e->shift_lo_w, e->shift_hi_w);
    }
}

/* What the batteries can do beside an edge of 'edge_w' the same way. */
static double spare_w(const struct reserve_cfg *rc,
                      const struct reserve_side *side, double edge_w)
{
    double held_ws = 3600.0 * fmax(side->energy_wh, 0.0);
    double most_w =
        fmin(side->power_w, sqrt(2.0 * rc->ramp_max_w_per_s * held_ws));
    return fmax(most_w - edge_w, 0.0);
}

/* How large a load may be in which a listed drop is covered: at full power it
 * would leave 'stays_w'.  INFINITY where all is covered. */
static double stop_max_w(const struct reserve_cfg *rc,
                         const struct reserve_side *down,
                         const struct reserve_now *e)
{
    if (!isfinite(e->stays_w)) {
        return INFINITY;
    }
    struct reserve_side rest = *down;
    rest.carried_w = 0.0;
    double drop_w = reserve_cover(rc, &rest).edge_w;
    double most_w = fmin(e->full_w - e->stays_w, e->listed_w);
    return most_w > drop_w ? e->stays_w + drop_w : INFINITY;
}

/* What they could take up at once with nothing to carry. */
static double later_max_w(const struct reserve_cfg *rc,
                          const struct reserve_side *down)
{
    struct reserve_side rest = *down;
    rest.carried_w = 0.0;
    return RESERVE_SURE_PU * reserve_cover(rc, &rest).edge_w;
}

/* What goes on whatever is asked: batteries that are not usable. */
static double beside_w(const struct step_cfg *cfg, const struct estimate *est)
{
    double w = 0.0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct battery_estimate *e = &est->batteries[i];
        w += e->usable ? 0.0 : e->beside_w;
    }
    return w;
}

/* Where the grid is held now. */
static double held_grid_w(const struct step_state *state,
                          const struct estimate *est)
{
    return isnan(state->smooth.ref_w) ? est->grid_w : state->smooth.out_w;
}

/* How far the load may rise at once.  Where no rise is listed, also back to
 * where it was of late, which is no growth, and by what the mean takes alone
 * beside what is carried already: what runs is not held for an edge that may
 * never come. */
static double risen_max_w(const struct step_cfg *cfg,
                          const struct step_state *state,
                          const struct estimate *est,
                          const struct reserve_now *e)
{
    const struct site_grid *grid = &cfg->site.grid;
    double most_w = est->load_w + fmax(e->up.edge_w, 0.0);
    if (!grid->contingencies_given) {
        double alone_w = grid->ramp_max_w_per_s * grid->ramp_average_s;
        double held_w = held_grid_w(state, est) - e->beside_w;
        most_w = fmax(most_w, fmin(est->load_w, held_w) + alone_w);
        most_w = fmax(most_w, state->range.hi_w);
    }
    return most_w;
}

void reserve_find(const struct step_cfg *cfg, const struct step_state *state,
                  const struct snapshot *in, const struct estimate *est,
                  struct reserve_now *e)
{
    edges_find(cfg, state, est, in, e);
    struct side gives = {.most_by = 0};
    struct side takes = {.most_by = 0};
    int n = find_sides(cfg, est, &gives, &takes);
    double held_w = held_grid_w(state, est);
    e->beside_w = beside_w(cfg, est);
    gives.all.carried_w = est->load_w + e->beside_w - held_w;
    takes.all.carried_w = -gives.all.carried_w;
    struct reserve_side up = gives.all;
    struct reserve_side down = takes.all;
    struct reserve_cfg rc = trip_terms(cfg, state);
    e->takes_w = fmin(down.power_w, reserve_carried_w(&rc, down.energy_wh));
    e->leaks_w = rc.ramp_max_w_per_s * rc.ramp_average_s * rc.ramp_average_s /
                 rc.latency_s;
    e->up = reserve_cover(&rc, &up);
    e->down = reserve_cover(&rc, &down);
    e->trip =
        (struct reserve_trip){.left_up_w = INFINITY, .left_down_w = INFINITY};
    if (n > 1 && gives.most.power_w + takes.most.power_w > 0.0) {
        find_trip(cfg, state, est, &gives, &takes, &e->trip);
    }
    e->told_wh = told_wh(cfg, in, est);
    e->later_w = later_max_w(&rc, &down);
    find_shift(&rc, &up, &down, e);
    e->lead_hi_w =
        fmin(spare_w(&rc, &down, e->drop_w), fmax(e->trip.left_down_w, 0.0));
    e->lead_lo_w =
        -fmin(spare_w(&rc, &up, e->rise_w), fmax(e->trip.left_up_w, 0.0));
    /* a listed drop is made smaller, as fast as the grid can follow; a listed
     * or announced rise is cut off where the batteries end */
    e->grid_max_w = stop_max_w(&rc, &down, e);
    e->load_max_w = fmax(e->grid_max_w, held_w);
    if (e->must_rise_w > 0.0 && e->up.edge_w < e->must_rise_w) {
        double most_w = risen_max_w(cfg, state, est, e);
        e->load_max_w = fmin(e->load_max_w, most_w);
    }
    /* an edge that all carry is let through; what the others and the pods could
     * not make up for without one that is listed is held back until the grid
     * has followed */
    bool listed = cfg->site.grid.contingencies_given;
    if (listed && up.carried_w > e->trip.left_up_w) {
        double over_w = up.carried_w - e->trip.left_up_w;
        e->load_max_w = fmin(e->load_max_w, est->load_w - over_w);
    }
}

/* Where nothing is listed and no edge of the last hour was larger, it is that
 * of a pod. */
static void say(const struct step_cfg *cfg, double edge_w, double covered_w,
                struct tick_record *record)
{
    double short_w = edge_w - covered_w;
    bool pod = !cfg->site.grid.contingencies_given &&
               edge_w <= cfg->pod_most_w + SAID_W;
    if (short_w > fmax(SAID_PU * edge_w, SAID_W)) {
        record->reserve_short_w = fmax(record->reserve_short_w, short_w);
        reason_add(record,
                   &(struct reason_line){
                       .code = pod ? REASON_RESERVE_POD : REASON_RESERVE,
                       .asset = pod ? ASSET_POD : ASSET_SITE,
                       .index = pod ? cfg->pod_most : 0,
                       .value = edge_w,
                       .limit = fmax(covered_w, 0.0),
                       .need = short_w,
                   });
    }
}

void reserve_explain(const struct step_cfg *cfg, const struct reserve_now *e,
                     struct tick_record *record)
{
    say(cfg, e->rise_w, e->up.edge_w, record);
    say(cfg, e->drop_w, e->down.edge_w, record);
    const struct reserve_trip *t = &e->trip;
    double left_w = t->gives_w > 0.0 ? t->left_up_w : t->left_down_w;
    double carried_w = fabs(t->gives_w);
    if (carried_w > (1.0 - SAID_PU) * left_w && carried_w > SAID_W) {
        reason_add(record, &(struct reason_line){
                               .code = REASON_TRIP,
                               .asset = ASSET_BATTERY,
                               .index = t->worst,
                               .value = carried_w,
                               .limit = left_w,
                           });
    }
}
