/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rainflow_step - one sample into a cycle counter, in place: most samples only
 * move the tip, and a call would cost more than that. */
#ifndef MODELS_RAINFLOW_STEP_H
#define MODELS_RAINFLOW_STEP_H

#include <assert.h>
#include <math.h>

#include "models/rainflow.h"

static inline void rainflow_sums_add(struct rainflow_sums *to,
                                     const struct rainflow_sums *s)
{
    to->duration_s += s->duration_s;
    to->temp_cs += s->temp_cs;
    to->travel += s->travel;
    to->moving_s += s->moving_s;
}

static inline void rainflow_push_tip(struct rainflow *r)
{
    assert(r->n < RAINFLOW_DEPTH);
    r->value[r->n] = r->tip;
    r->index[r->n] = r->tip_index;
    r->leg[r->n] = (struct rainflow_leg){
        .duration_s = (float)r->to_tip.duration_s,
        .temp_cs = (float)r->to_tip.temp_cs,
        .travel = (float)r->to_tip.travel,
        .moving_s = (float)r->to_tip.moving_s,
    };
    r->n++;
}

static inline void rainflow_move_tip(struct rainflow *r, double value)
{
    r->tip = value;
    r->tip_index = r->n_fed;
    rainflow_sums_add(&r->to_tip, &r->past_tip);
    r->past_tip = (struct rainflow_sums){.duration_s = 0.0};
}

static inline void rainflow_begin(struct rainflow *r, double value)
{
    r->tip = value;
    rainflow_push_tip(r);
}

/* The tip becomes a turning point; the new leg began there. */
static inline void rainflow_turn(struct rainflow *r, double value)
{
    rainflow_push_tip(r);
    r->to_tip = (struct rainflow_sums){.duration_s = 0.0};
    rainflow_move_tip(r, value);
    r->way = (int8_t)-r->way;
    r->due = true;
}

static inline void rainflow_go_on(struct rainflow *r, double value,
                                  const struct rainflow_sums *since)
{
    double ahead = value - r->tip;
    if (r->way == 0 && fabs(ahead) > r->deadband) {
        r->way = ahead > 0.0 ? 1 : -1;
    }
    /* On a plateau the turning point is its last sample. */
    if (ahead * (double)r->way > 0.0 || ahead == 0.0) {
        rainflow_sums_add(&r->to_tip, since);
        rainflow_move_tip(r, value);
        return;
    }
    rainflow_sums_add(&r->past_tip, since);
    if (r->way != 0 && fabs(ahead) > r->deadband) {
        rainflow_turn(r, value);
    }
}

/* rainflow_feed() of a sample that is known to be good. */
static inline void rainflow_step(struct rainflow *r,
                                 const struct rainflow_sample *s)
{
    if (r->n_fed == 0) {
        rainflow_begin(r, s->value);
    } else {
        bool moves = s->rate_per_h >= RAINFLOW_REST_PER_H;
        struct rainflow_sums since = {
            .duration_s = s->dt_s,
            .temp_cs = s->dt_s * 0.5 * (s->temp_c + r->last_temp_c),
            .travel = moves ? s->dt_s * s->rate_per_h : 0.0,
            .moving_s = moves ? s->dt_s : 0.0,
        };
        rainflow_go_on(r, s->value, &since);
    }
    r->last = s->value;
    r->last_temp_c = s->temp_c;
    r->n_fed++;
}

#endif
