/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * guard - what may be asked of the pack of a parked vehicle.
 *
 * Compute takes nothing from a pack but by the guard's leave.  It asks, first
 * refusal wins:
 *
 *   vetoes  is the data fresh and possible, no alarm; is the car parked,
 *           plugged in, its owner agreed; would it still have what it needs at
 *           departure if the charger were lost now; is the pack, and will it
 *           be, neither cold nor hot, and would compute not warm it too much
 *   budget  is there wear left to give: a daily grant in ppm of the capacity,
 *           charged only with what compute adds over what would have been,
 *           never credited, kept for at most a week; and are there virtual km
 *           left: what the pack gave as if driven, a share of the warranty's
 *   price   what compute costs the pack, for the market to weigh; the guard
 *           itself never refuses by it
 *
 * Compute runs from the plug with the pack at rest.  Whatever it takes from a
 * pack all the same, because the charger was lost, is found by the next news
 * of the car and booked.  A pack is never discharged to the grid: there is no
 * such command.
 *
 * Three properties hold as long as a car draws no more than its lease:
 *   - what was charged in any window of d days is at most (d + 7) daily grants;
 *   - virtual km in any year are at most what the terms allow;
 *   - compute does not take a pack below what its departure needs, whenever
 *     the charger is lost.
 * And for the same state and question, a hotter, emptier, colder or staler car
 * never turns a refusal into a grant.
 *
 * Limits and their sources: ../shared/reference/degradation.md section 7.
 */
#ifndef POLICIES_GUARD_H
#define POLICIES_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "models/life_slope.h"
#include "models/reason.h"
#include "models/site.h"
#include "models/snapshot.h"
#include "models/thermal.h"

/* What holds for every car of a fleet; all > 0 where not said otherwise. */
struct guard_terms {
    double pack_wh;   /* nominal */
    double compute_w; /* most that is ever asked of one car */
    enum chemistry chemistry;
    bool from_pack;               /* owners let compute run unplugged */
    bool behind_poi;              /* the site pays what comes by the plug */
    double budget_ppm_per_day;    /* >= 0 */
    double end_loss_pu;           /* of capacity, at which a pack is spent */
    double replacement_per_kwh;   /* of the pack, site currency; >= 0 */
    double energy_per_kwh;        /* paid to owners; NAN: guard_now's */
    double consumption_wh_per_km; /* of driving, for virtual km */
    double virtual_km_per_year;   /* at most; >= 0 */
};

/* The terms and what follows from them; constant. */
struct guard_cfg {
    struct guard_terms terms;
    struct thermal_cfg thermal;
    struct life_slope wear;
    double warm_up_pu;  /* of a settled rise, reached within the outlook */
    double linger_days; /* K days left by each K when compute stops */
    double cur_per_ppm;
    double carry_km;   /* virtual, that may be saved up */
    double km_per_day; /* what a day brings */
    double k_per_w;    /* settled rise by compute */
    double k_per_wh;   /* first rise by compute */
    double pu_per_wh;  /* of the pack, by compute from it */
    double lost_pu;    /* of a worn pack, taken by lost_wh */
    double lost_wh;    /* computed at most before a lost charger is heard of */
};

/* What one car gave, and what it is owed for it. */
struct guard_ledger {
    double compute_wh; /* all compute */
    double pack_wh;    /* of it drawn from the pack, with losses */
    double awake_h;    /* computing */
    double virtual_km; /* pack_wh as if driven */
    double loss_ppm;   /* of capacity, added by compute */
    double owed_cur;   /* for loss and the owner's energy, site currency */
};

/* What is remembered of one pack; all zero at first.  Plain; a copy is a
 * checkpoint. */
struct guard_state {
    int64_t mono_ms;       /* of the last step; 0: none yet */
    int64_t pack_mono_ms;  /* of the last news of the pack */
    int64_t lease_mono_ms; /* end of the last lease */
    int64_t computing;     /* 1: the last answer was a grant */
    double lease_w;
    double soc_news_pu; /* as the pack last said */
    double soc_ref_pu;  /* from which draining is watched */
    double unseen_wh;   /* computed since the last news of the pack */
    double unsure_wh;   /* computed since soc_ref_pu was taken */
    double rise_k;      /* by compute, as modelled */
    double rest_c;      /* the pack had there been no compute */
    double ambient_c;   /* last known */
    double budget_ppm;  /* left */
    double spent_km;    /* virtual, of what may be saved up */
    struct guard_ledger ledger;
};
_Static_assert(sizeof(struct guard_state) <= 256, "a fleet has a million");

/* One look at one car. */
struct guard_now {
    const struct node_in *node;
    int64_t mono_ms;
    double energy_per_kwh; /* the market's price; NAN where not known */
    const struct thermal_stride *stride; /* from turn to turn; NULL: none */
};

/* What a fleet of the site file is given. */
struct guard_terms guard_terms_of(const struct site_fleet *fleet);

/* A day's wear in ppm: the share of what the warranty leaves over the loss
 * that is expected by its end, at most 20. */
double guard_budget_ppm_per_day(const struct site_warranty *warranty);

void guard_init(struct guard_cfg *cfg, const struct guard_terms *terms);

/* As after a long rest: all that may be saved up is there to give. */
void guard_fill(const struct guard_cfg *cfg, struct guard_state *state);

/* Book what has happened since the last step; first of all, at every look. */
void guard_step(const struct guard_cfg *cfg, struct guard_state *state,
                const struct guard_now *now);

/* May compute draw 'want_w'?  REASON_NODE_OK, or the first reason why not. */
enum reason guard_ask(const struct guard_cfg *cfg,
                      const struct guard_state *state,
                      const struct guard_now *now, double want_w);

/* What was decided: a lease of 'compute_w' from now, 0 for none. */
void guard_grant(struct guard_state *state, const struct guard_now *now,
                 double compute_w);

/* What the energy of a kWh of compute costs now: the market's price at the
 * site's plug, else what the owner is paid; 0 where nothing is known. */
double guard_energy_per_kwh(const struct guard_cfg *cfg,
                            const struct guard_now *now);

/* How long a lease holds without renewal. */
double guard_lease_s(void);

/* Wear of a kWh of compute, site currency, >= 0; INFINITY where the car says
 * too little to tell. */
double guard_price_per_kwh(const struct guard_cfg *cfg,
                           const struct guard_now *now);

/* Most that may go into the pack, >= 0: nothing when cold, hot, unplugged, in
 * alarm or silent. */
double guard_charge_max_w(const struct guard_cfg *cfg,
                          const struct guard_now *now);

/* The state of charge below which no compute begins: what the departure
 * needs, and what may be drawn before a lost charger is heard of. */
double guard_floor_pu(const struct guard_cfg *cfg, const struct node_in *node);

/* Its compute agent is online and was heard lately. */
bool guard_hears(const struct node_in *node, int64_t mono_ms);

/* Its pack was heard of lately. */
bool guard_hears_pack(const struct node_in *node, int64_t mono_ms);

/* Fresh and speaking: what every decision needs. */
bool guard_knows(const struct guard_now *now);

/* Nothing that the car says is impossible. */
bool guard_possible(const struct guard_cfg *cfg, const struct guard_now *now);

#endif
