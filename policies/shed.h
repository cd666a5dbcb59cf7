/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shed - what the pods must hold back when the batteries cannot hold a limit.
 *
 * The pods together get a budget: what they draw, less what is over.  It falls
 * at once and comes back no faster than the ramp and what the batteries have
 * free; every pod waits for a moment of its own before its cap rises.  Every
 * pod keeps its floor; what is left goes to the class of the highest value
 * first, in it to the highest priority, and among equals in proportion, more
 * to those that were held back more of late.
 *
 *   pods apart       do not obey (policies/shed_pod.h): what they draw is
 *                    taken off the budget of the others
 *   checkpoints      a pod that writes one is capped no lower, as long as the
 *                    others' floors leave what it draws
 *   own limits       heat, cooling and feeder of a pod
 *   class budgets    of work that can wait: taken at the ramp, at the end of a
 *                    pod's phase where its scheduler tells them
 *
 * Caps are whole steps of the pod.  They move when the budget asks for it, not
 * with every change of what the pods draw.
 */
#ifndef POLICIES_SHED_H
#define POLICIES_SHED_H

#include <stdbool.h>
#include <stdint.h>

#include "models/site.h"
#include "models/snapshot.h"
#include "policies/shed_pod.h"

struct shed_cfg {
    int64_t n;                    /* pods */
    int64_t order[SITE_PODS_MAX]; /* served first comes first */
    int64_t rank[SITE_PODS_MAX];  /* of order[k]; equals share */
    int64_t class_id[SITE_PODS_MAX];
    double cap_min_w[SITE_PODS_MAX];
    double power_max_w[SITE_PODS_MAX];
    double step_w[SITE_PODS_MAX];            /* of caps; 0: any */
    double checkpoint_hold_s[SITE_PODS_MAX]; /* 0: none */
    struct shed_pod_cfg pods[SITE_PODS_MAX];
    double floor_sum_w;
    double power_max_sum_w;
    double class_max_w[SITE_CLASSES_MAX]; /* sum of power_max */
    int64_t n_classes;
    double return_w_per_s; /* how fast the budget grows again */
};

/* Where a pod's jobs are, as its scheduler's markers say. */
struct shed_phase {
    double hold_s;  /* left of a checkpoint's least time */
    double since_s; /* since a phase ended; INFINITY: no marker was heard */
    double wait_s;  /* for the end of one, with a class budget due */
};

struct shed_state {
    double budget_w;                   /* at power_max_sum_w: no caps */
    double cap_w[SITE_PODS_MAX];       /* given last; power_max: no cap */
    double demand_w[SITE_PODS_MAX];    /* estimated, uncapped */
    double class_cap_w[SITE_PODS_MAX]; /* that its class leaves it */
    double deficit_s[SITE_PODS_MAX];   /* of power_max, held back of late */
    double raise_s[SITE_PODS_MAX];     /* before its cap may rise again */
    double settle_s[SITE_PODS_MAX];    /* before a new cap shows */
    struct shed_phase phases[SITE_PODS_MAX];
    struct shed_pod pods[SITE_PODS_MAX];
    double class_w[SITE_CLASSES_MAX]; /* budgets in force; class_max_w: none */
    double cut_w;     /* that class budgets may take in this tick */
    double at_ease_s; /* nobody was held back, unbroken, with caps out */
    double class_held_w[SITE_CLASSES_MAX]; /* of 'held_w' */
    double held_w;    /* held back for the budget: it wants to come back */
    double waiting_w; /* held back by class budgets and the pods' own limits */
    int64_t capped;   /* 1: some cap is below power_max */
    int64_t limited;  /* pods below power_max by limits of their own */
    int64_t n_why;    /* pods with something to report */
    uint64_t random;  /* of the moments at which caps rise */
};

struct shed_in {
    double pods_w; /* drawn now, all together */
    double over_w; /* by how much that must fall (+) or may rise (-) */
    double room_w; /* by how much it may rise at most, before it has */
    double free_w; /* the batteries can carry beside the ramp, >= 0 */
    double dt_s;
    const double *class_w; /* budget of each class; NULL: none */
};

void shed_init(struct shed_cfg *cfg, const struct site *site);
void shed_reset(const struct shed_cfg *cfg, struct shed_state *s);

/* Pod 'i' was found under a cap of 'cap_w' (not finite: under none). */
void shed_found(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
                double cap_w);

/* All are found and draw 'power_w' (NAN: not known): go on from there, the
 * caps are given back at the ramp. */
void shed_resume(const struct shed_cfg *cfg, struct shed_state *s,
                 const double *power_w);

/* A marker of pod 'i' whose instant has come. */
void shed_mark(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
               enum job_event event);

/* What was seen of pod 'i' in this tick, once before shed_step(). */
void shed_see(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
              const struct shed_pod_seen *seen, double dt_s);

/*
 * One tick; the caps are left in s->cap_w.  'power_w' has what each pod draws,
 * NAN for a silent one, which is taken to draw its cap.  Returns what is
 * still missing with every pod at its floor, 0 where the budget is met.
 */
double shed_step(const struct shed_cfg *cfg, struct shed_state *s,
                 const struct shed_in *in, const double *power_w);

/* What the pods can give up at once: what those that obey draw above their
 * floors, and how long it takes them.  Not those that write a checkpoint, nor
 * silent ones, whose 'power_w' is NAN. */
struct shed_gives {
    double power_w;
    double response_s;
};

struct shed_gives shed_gives(const struct shed_cfg *cfg,
                             const struct shed_state *s, const double *power_w);

/* True while no budget is in force. */
bool shed_is_open(const struct shed_cfg *cfg, const struct shed_state *s);

/* Every number of a state read back is one that it can have. */
bool shed_valid(const struct shed_cfg *cfg, const struct shed_state *s);

/* What each pod gets of a budget, before steps and waiting: shed_share.c. */
struct shed_lot {
    double floor_w;
    double most_w;
    double want_w;  /* floor .. most */
    double apart_w; /* NAN, or what it takes whatever its cap says */
    double kept_w;  /* NAN, or its cap during a checkpoint */
    double cap_w;   /* the answer */
};

/* Shares 'budget_w' out over the lots; returns what is missing for the floors
 * and what is taken anyway. */
double shed_share(const struct shed_cfg *cfg, const double *deficit_s,
                  double budget_w, struct shed_lot *lots);

#endif
