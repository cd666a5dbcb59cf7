/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * queue - work that waits, by classes that can.
 *
 * Nobody tells how much of it there is.  What a class would draw if none of it
 * had waited is the mean of its outlook for now (before there is one, what it
 * drew of late with nothing held back); that less what it draws, added up by
 * age, is what waits.  Once some has waited, nothing does any more only when
 * for a while no pod wants more than it gets, whatever the sum says: it may be
 * wrong either way.
 *
 * What is done later comes on top of the usual load, and when nothing waits any
 * more all pods may fall back at once, to what came meanwhile.  So no more
 * comes on top of the least that is likely than the batteries can take up, and
 * it goes down toward the end.
 */
#ifndef CONTROLLER_STEP_QUEUE_H
#define CONTROLLER_STEP_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/backlog.h"
#include "models/site.h"

struct step_cfg;
struct step_state;
struct snapshot;
struct estimate;

/* Of a class; powers are its pods'. */
struct queue {
    struct backlog waits; /* estimated */
    double usual_w;       /* drawn of late with nothing held back; NAN: not
                           * known */
    double low_w;         /* lowest of 'usual_w' of late */
    double now_w;         /* drawn now */
    double free_w;        /* would be drawn now if nothing had waited */
    double least_w;       /* no less than that, most likely; <= free_w */
    double more_w;        /* that is usual by now, beyond the above */
    double easy_s;        /* no pod wanted more, unbroken */
    double over_s;        /* some did, with nothing left by the estimate */
    int64_t behind;       /* 1: some was held back and may still wait */
};

void queue_init(struct queue queues[SITE_CLASSES_MAX]);

/* 'gap_s' have passed since it was as it is: what waits has waited for so much
 * longer. */
void queue_resume(const struct step_cfg *cfg, struct queue *q, int class_id,
                  double gap_s);

/* One tick, before the caps are set anew. */
void queue_step(const struct step_cfg *cfg, struct step_state *state,
                const struct snapshot *in, const struct estimate *est);

/* What a class may draw where the plan says 'planned_w' (INFINITY: nothing)
 * and the load may fall by 'covered_w' at once; INFINITY: whatever it likes.
 * What must be done now to be in time does not wait for the plan. */
double queue_budget_w(const struct step_cfg *cfg,
                      const struct step_state *state, int class_id,
                      double planned_w, double covered_w);

/* What may come on top of what is usual, of what the batteries can take up,
 * where less than usual may come. */
double queue_beside_w(const struct queue *q, double covered_w);

/* How far the load falls when nothing waits any more: what is drawn, or may be
 * by the budgets in force, beyond the usual. */
double queue_edge_w(const struct step_cfg *cfg, const struct step_state *state);

/* Of all classes: energy that waits; load that would be there beside what is,
 * and what the caps hold back, if none had waited (< 0 while it is done). */
double queue_sum_wh(const struct step_cfg *cfg, const struct step_state *state);
double queue_behind_w(const struct step_cfg *cfg,
                      const struct step_state *state);

bool queue_valid(const struct queue *q);

#endif
