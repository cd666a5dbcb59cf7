/* SPDX-License-Identifier: GPL-3.0-or-later */
/* step_parts - what the parts of the step pass on within a tick: estimate,
 * limits, reserve; and the parts, file by file. */
#ifndef CONTROLLER_STEP_STEP_PARTS_H
#define CONTROLLER_STEP_STEP_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/step/step_state.h"
#include "policies/reserve.h"

struct battery_estimate {
    bool usable;     /* may be given a share */
    bool writable;   /* takes commands at all */
    bool known;      /* it says its power */
    double power_w;  /* known, or its worst case */
    double beside_w; /* of that, what load_w does not hold */
    double soc_pu;   /* NAN where not known */
    double charge_max_w;
    double discharge_max_w;
    enum reason why; /* REASON_NONE where usable */
};

/* What is taken to be true in this tick. */
struct estimate {
    struct battery_estimate batteries[SITE_BATTERIES_MAX];
    double pod_w[SITE_PODS_MAX]; /* NAN: silent */
    bool metered;                /* grid_w is the meter's */
    double grid_w;
    double load_w;    /* grid power without the batteries */
    double battery_w; /* sum of what is known, + charge */
    double pods_w;
    double fleet_w; /* behind the POI */
    double fleet_compute_w;
    double other_w;
    double charge_max_w; /* of the usable batteries together */
    double discharge_max_w;
    double stored_wh; /* of the usable ones */
    double track_wh;  /* the same without the jumps of their gauges */
    double usable_wh; /* capacity of the usable ones */
    double home_wh;
    double price_per_kwh;
    int64_t degraded;
};

/* The limits that hold now, all of them merged. */
struct caps {
    double import_w;
    double reach_w;    /* above, the ramp comes too late for a limit ... */
    double late_w;     /* ... of the utility: this one; INFINITY: none */
    double must_w;     /* above, the way down to a limit has begun */
    double export_w;   /* hard, >= 0 */
    double floor_w;    /* of the grid power: near -export_w, or a set-point */
    bool urgent;       /* emergency: at once, whatever the ramp */
    bool island;       /* cut off from the grid */
    bool back;         /* just back, and at once */
    enum reason why;   /* REASON_IMPORT, _EVENT, _EMERGENCY or _SETPOINT */
    enum reason below; /* REASON_EXPORT, _EVENT_EXPORT or _SETPOINT */
};

/* The loss of any battery that may trip, but not of the last one. */
struct reserve_trip {
    double rise_w;      /* of the grid: what one of them gives now, >= 0 */
    double drop_w;      /* what one of them takes */
    double left_up_w;   /* that the others can give for as long as the grid
                         * needs to follow, and the pods give up; INFINITY
                         * where none may trip */
    double left_down_w; /* that they can take */
    double gives_w;     /* by all of them now; < 0: taken */
    int64_t worst;      /* the battery that is missed most */
};

/* What the load may do at once, and what the batteries can do about it. */
struct reserve_now {
    double full_w;      /* the most that the load can draw */
    double rise_w;      /* that should be covered now, >= 0 */
    double must_rise_w; /* of that, what the load could: compute is held */
    double drop_w;
    double told_wh;   /* kept because the utility says an outage may come */
    double listed_w;  /* the largest listed drop, whatever draws it */
    double stays_w;   /* of the load in a listed drop; INFINITY: none listed */
    double stop_w;    /* jobs that may end at once: floors hold it up */
    double takes_w;   /* the batteries, + charge, until the grid has followed */
    double beside_w;  /* by batteries that take no commands */
    double leaks_w;   /* an edge beyond passes before a battery answers */
    double lead_lo_w; /* <= 0: the grid may go so far ahead of a stop */
    double lead_hi_w; /* >= 0: of a start, with the other edges covered */
    struct reserve_cover up;
    struct reserve_cover down;
    double shift_lo_w; /* of the batteries from rest, by plan and recentring */
    double shift_hi_w;
    double ends_w;     /* the load may fall by so much when no work waits */
    double later_w;    /* work that waited may draw beside the usual: that
                        * falls away at once when all of it is done */
    double grid_max_w; /* beyond, a listed drop is not covered */
    double load_max_w; /* the same for what may be drawn now */
    struct reserve_trip trip;
};

struct step_scratch {
    struct estimate est;
    struct caps caps;
    double planned_w; /* what the plan asks of the batteries, + charge */
    double peak_w;    /* that the batteries hold; INFINITY: they need not */
    double lead_w;    /* of the grid, ahead of announced jobs */
    double target_w;  /* where the grid power should go in the long run */
    struct level_both ahead; /* how far the load may move at once */
    struct reserve_now reserve;
    struct floors_seen seen[SITE_PODS_MAX];
    struct share_battery share[SITE_BATTERIES_MAX];
};

/* estimate.c: fresh values, worst cases for the others. */
void estimate_make(const struct step_cfg *cfg, struct step_state *state,
                   const struct snapshot *in, struct estimate *est,
                   struct tick_record *record);

/* estimate.c: what pod 'i' draws, NAN for one that says nothing fresh. */
double estimate_pod_w(const struct step_cfg *cfg, const struct snapshot *in,
                      int i);

/* meter.c: false where 'metered_w' is not finite, stands still while what it
 * measures moves, or misses what the pods say they draw.  'est' has the pods,
 * batteries and fleets. */
bool meter_believed(const struct step_cfg *cfg, struct step_state *state,
                    const struct estimate *est, double metered_w, double dt_s);

/* meter.c: what the load is beside 'modelled_w', for when the meter is lost. */
void meter_learn(const struct step_cfg *cfg, struct step_state *state,
                 const struct estimate *est, double modelled_w, double dt_s);

/* caps.c: site, utility events and emergencies; of several the tightest, so a
 * stricter limit of the site or of an operator wins over the utility's.  Of two
 * set-points the lower one holds, and a limit goes before a set-point. 'load_w'
 * is the level of the load, NAN where it is not known yet. */
struct caps caps_now(const struct step_cfg *cfg, const struct snapshot *in,
                     double load_w);

/* caps.c: how fast the grid may go, by ramp and swing limit. */
double caps_pace_w_per_s(const struct site_grid *grid);

/* pace.c: how fast the grid gets on a long way, measured while it is on one;
 * half of what the limits allow before the first.  After every
 * smooth_step(). */
void pace_init(const struct step_cfg *cfg, struct step_state *state);
void pace_learn(const struct step_cfg *cfg, struct step_state *state,
                const struct smooth_in *asked, const struct smooth_out *out,
                double dt_s);

/* One that it can have, of a state read back. */
bool pace_valid(const struct step_cfg *cfg, double pace);

/* track.c: what plan and recentring want in the batteries, + charge; sets
 * scratch->planned_w to the plan's part. */
double track_plan(const struct step_cfg *cfg, const struct step_state *state,
                  struct step_scratch *scratch, const struct snapshot *in,
                  const struct plan *plan);

/* lag.c: how late the batteries answer: as the site file has it at first, then
 * as measured; after every tick it is told what was asked. */
void lag_init(const struct step_cfg *cfg, struct step_state *state);
void lag_measure(const struct step_cfg *cfg, struct step_state *state,
                 const struct estimate *est, double dt_s);
void lag_told(const struct step_cfg *cfg, struct step_state *state,
              const struct estimate *est);

/* freeze.c: true while the voltage is outside of what equipment has to run on,
 * for a minute at most, where it was inside before;
 * every command is then given again as it was, and what the grid does is not
 * given back afterwards. */
bool freeze_now(const struct step_cfg *cfg, struct step_state *state,
                const struct snapshot *in);
void freeze_hold(const struct step_cfg *cfg, struct step_state *state,
                 struct step_scratch *scratch, const struct snapshot *in,
                 struct step_out *out);

/* island.c: whether the site is cut off, before anything is judged; and what
 * holds then: the grid where it is, the load within what the batteries give
 * for as long as they are to last.  In the way back the grid takes the load
 * over, or follows it inside the ramp. */
void island_begin(const struct step_cfg *cfg, struct step_state *state,
                  const struct snapshot *in);
void island_hold(struct step_state *state, struct step_scratch *scratch,
                 const struct snapshot *in);

/* island.c: the load that may be served; INFINITY where not cut off. */
double island_load_w(const struct step_cfg *cfg,
                     const struct step_scratch *scratch,
                     const struct snapshot *in);

/* edges.c: which edges of the load should be covered now: what the site lists,
 * or has seen of late, and what jobs have announced.  'e' has nothing yet. */
void edges_find(const struct step_cfg *cfg, const struct step_state *state,
                const struct estimate *est, const struct snapshot *in,
                struct reserve_now *e);

/* edges.c: jumps of the load that were announced for the time in which what
 * is asked now is answered. */
double edges_due_w(const struct step_cfg *cfg, const struct step_state *state,
                   const struct step_scratch *scratch,
                   const struct snapshot *in);

/* trip.c: ramp, its mean, and how late the batteries answer. */
struct reserve_cfg trip_terms(const struct step_cfg *cfg,
                              const struct step_state *state);

/* trip.c: what pods that obey make up for at once where a battery that gave
 * 'edge_w' trips; 'pod_w' as estimate_pod_w() has it. */
double trip_pods_w(const struct step_cfg *cfg, const struct step_state *state,
                   const double *pod_w, double edge_w);

/* Of the batteries' power, what a plan does not use each way. */
struct trip_kept {
    double charge_w;
    double discharge_w;
};

/* trip.c: so that the others, and the pods, can take the place of the largest
 * that may trip. */
struct trip_kept trip_kept(const struct step_cfg *cfg,
                           const struct step_state *state,
                           const struct snapshot *in);

/* reserve.c: whether the edges that must be covered now are: the site's
 * contingencies and what jobs have announced, against energy, power and
 * latency of the batteries from where the grid is held. */
void reserve_find(const struct step_cfg *cfg, const struct step_state *state,
                  const struct snapshot *in, const struct estimate *est,
                  struct reserve_now *e);

/* hold.c: what the pods draw, and burn for their floors. */
void hold_look(const struct step_cfg *cfg, struct step_state *state,
               struct step_scratch *scratch, const struct snapshot *in);

/* hold.c: the floors that a stop of jobs asks for where the batteries cannot
 * take it. */
void hold_floors(const struct step_cfg *cfg, struct step_state *state,
                 struct step_scratch *scratch, double dt_s,
                 struct tick_record *record);

/* hold.c: of a drop of the pods' load the part that no floor holds, 0 .. 1. */
double hold_falls_pu(const struct step_cfg *cfg, const struct step_state *state,
                     const struct estimate *est);

/* reserve.c: says which edge is not covered, and by how much. */
void reserve_explain(const struct step_cfg *cfg, const struct reserve_now *e,
                     struct tick_record *record);

/* wish.c: where the grid power should go: the level of the load, what plan and
 * recentring move into the batteries, and ahead of announced jobs. */
struct smooth_in wish_make(const struct step_cfg *cfg,
                           const struct step_state *state,
                           struct step_scratch *scratch,
                           const struct snapshot *in, const struct plan *plan);

/* way.c: by how much the load may rise at once: INFINITY, but little where the
 * grid falls behind on its way down to a limit; 'mean_w' is of the grid.  The
 * edges of a load that swings leave it no ramp. */
double way_rise_max_w(const struct step_cfg *cfg, struct step_state *state,
                      const struct caps *caps, double mean_w);

/* What the pods are asked for. */
struct pods_ask {
    double discharge_w; /* that the batteries are wanted to give */
    double load_max_w;  /* of the load at the POI; INFINITY: no limit */
    double rise_max_w;  /* at once, of what was drawn last; INFINITY: none */
    double later_w;     /* of the load at the POI, to do what waited */
    const struct plan *plan;
};

/* pods.c: takes over the caps that the pods have.  A pod is told nothing
 * before it has said under which cap it is: letting all go at once would be a
 * step for the grid. */
void pods_find(const struct step_cfg *cfg, struct step_state *state,
               const struct snapshot *in, const struct estimate *est);

/* pods.c: holds pods back where the batteries together cannot hold the
 * reference, or the load is above its limit. */
void pods_shed(const struct step_cfg *cfg, struct step_state *state,
               const struct step_scratch *scratch, const struct snapshot *in,
               const struct pods_ask *ask, struct tick_record *record);

/* What the batteries shall do together. */
struct shares_ask {
    const struct snapshot *in;
    const struct plan *plan;
    double total_w; /* + charge */
};

/* shares.c: which battery gives how much.  What those that are not usable do
 * goes on; the others make up.  Returns what was shared. */
double shares_make(const struct step_cfg *cfg, struct step_state *state,
                   struct step_scratch *scratch, const struct shares_ask *ask);

/* pods.c: the caps as commands, each with why. */
void pods_command(const struct step_cfg *cfg, const struct step_state *state,
                  struct step_out *out);

/* pods_look.c: what the pods and their schedulers say, a slice of the pods a
 * tick. */
void pods_look(const struct step_cfg *cfg, struct step_state *state,
               const struct snapshot *in, const struct estimate *est);

/* What of this tick matters to the vehicles. */
struct node_terms {
    const struct plan *plan;
    double price_per_kwh;
    bool cheap; /* price low enough to charge ahead of need */
};

/* commands.c: the last gate, leases. */
void commands_batteries(const struct step_cfg *cfg, struct step_state *state,
                        struct step_scratch *scratch, const struct snapshot *in,
                        struct step_out *out);
/* nodes.c: those of the cars that have their turn in this tick. */
void commands_nodes(const struct step_cfg *cfg, struct step_state *state,
                    const struct snapshot *in, const struct node_terms *terms,
                    struct step_out *out);

/* cars.c: the cars as the fast passes see them, in the site's order, and the
 * end of the state, which they are.  At first they need nothing. */
void cars_init(const struct step_cfg *cfg, struct step_state *state);
void cars_put(const struct step_cfg *cfg, struct step_state *state, int64_t i,
              const struct bucket_car *car);
struct bucket_work *cars_work_of(const struct step_cfg *cfg,
                                 struct step_state *state);
size_t cars_end(const struct step_cfg *cfg);

/* cars.c: those of fleet 'f'; its clock is the caller's. */
struct bucket_fleet cars_in(const struct step_cfg *cfg,
                            const struct step_state *state, int f);

/* nodes.c: what the cars behind the grid connection need, for the planner, in
 * at most PLAN_BUCKETS_MAX buckets (of more than so many fleets the first);
 * returns how many.  'must' are those of each fleet that charge in any case.
 * One pass, 4 ms over a million cars. */
int cars_buckets(const struct step_cfg *cfg, const struct step_state *state,
                 int64_t utc_ms, struct bucket out[PLAN_BUCKETS_MAX],
                 struct bucket_must must[SITE_FLEETS_MAX]);

/* age.c: new batteries and packs. */
void age_init(const struct step_cfg *cfg, struct step_state *state);

/* age.c: the batteries live on, one sample a second each, a few of them in
 * every tick.  'est' has them. */
void age_batteries(const struct step_cfg *cfg, struct step_state *state,
                   const struct snapshot *in, const struct estimate *est);

/* age.c: node 'i' of 'fleet' has its turn, once a minute. */
void age_node(struct step_state *state, const struct snapshot *in,
              const struct site_fleet *fleet, int64_t i);

/* Adds a reason where there is room; the first is the most binding. */
void reason_add(struct tick_record *record, const struct reason_line *line);

#endif
