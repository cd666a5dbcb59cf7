/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/rainflow.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/rainflow_step.h"

void rainflow_init(struct rainflow *r, double deadband, int depth)
{
    assert(deadband >= 0.0);
    assert(depth >= RAINFLOW_DEPTH_MIN && depth <= RAINFLOW_DEPTH);
    memset(r, 0, sizeof(*r));
    r->deadband = deadband;
    r->depth = (uint8_t)depth;
}

static void add_leg(struct rainflow_sums *to, const struct rainflow_leg *l)
{
    to->duration_s += (double)l->duration_s;
    to->temp_cs += (double)l->temp_cs;
    to->travel += (double)l->travel;
    to->moving_s += (double)l->moving_s;
}

static void leg_add(struct rainflow_leg *to, const struct rainflow_leg *l)
{
    to->duration_s += l->duration_s;
    to->temp_cs += l->temp_cs;
    to->travel += l->travel;
    to->moving_s += l->moving_s;
}

static bool is_good(const struct rainflow_sample *s)
{
    return isfinite(s->value) && isfinite(s->dt_s) && isfinite(s->temp_c) &&
           isfinite(s->rate_per_h) && s->dt_s >= 0.0 && s->rate_per_h >= 0.0;
}

enum err rainflow_feed(struct rainflow *r, const struct rainflow_sample *s)
{
    assert(!r->due);
    if (!is_good(s)) {
        return ERR_RANGE;
    }
    rainflow_step(r, s);
    return ERR_NONE;
}

/* The cycle from turning point 'i' to the next. */
static struct rainflow_cycle cycle_at(const struct rainflow *r, int i,
                                      double count)
{
    const struct rainflow_leg *l = &r->leg[i + 1];
    double a = r->value[i];
    double b = r->value[i + 1];
    bool timed = l->duration_s > 0.0F;
    return (struct rainflow_cycle){
        .range = fabs(a - b),
        .mean = 0.5 * (a + b),
        .count = count,
        .i_start = (int64_t)r->index[i],
        .i_end = (int64_t)r->index[i + 1],
        .temp_c = timed ? (double)(l->temp_cs / l->duration_s) : r->last_temp_c,
        .rate_per_h =
            l->moving_s > 0.0F ? (double)(l->travel / l->moving_s) : 0.0,
        .duration_s = (double)l->duration_s,
    };
}

static void move_point(struct rainflow *r, int to, int from)
{
    r->value[to] = r->value[from];
    r->index[to] = r->index[from];
    r->leg[to] = r->leg[from];
}

/* The first turning point goes. */
static void drop_start(struct rainflow *r)
{
    for (int i = 1; i < r->n; i++) {
        move_point(r, i - 1, i);
    }
    r->n--;
}

/* The two points before the newest go; the newest's leg spans the gap. */
static void drop_pair(struct rainflow *r)
{
    int top = r->n - 1;
    leg_add(&r->leg[top], &r->leg[top - 1]);
    leg_add(&r->leg[top], &r->leg[top - 2]);
    move_point(r, top - 2, top);
    r->n = (uint8_t)(r->n - 2);
}

/* The two newest points go; the open leg spans the gap. */
static void drop_newest(struct rainflow *r)
{
    add_leg(&r->to_tip, &r->leg[r->n - 1]);
    add_leg(&r->to_tip, &r->leg[r->n - 2]);
    r->n = (uint8_t)(r->n - 2);
}

/* 5.4.4 with X the newest range and Y the one before. */
static bool close_one(struct rainflow *r, struct rainflow_cycle *out)
{
    int top = r->n - 1;
    if (top < 2) {
        return false;
    }
    double x = fabs(r->value[top] - r->value[top - 1]);
    double y = fabs(r->value[top - 1] - r->value[top - 2]);
    if (x < y) {
        return false;
    }
    bool at_start = top == 2;
    *out = cycle_at(r, top - 2, at_start ? 0.5 : 1.0);
    if (at_start) {
        drop_start(r);
    } else {
        drop_pair(r);
    }
    return true;
}

bool rainflow_take(struct rainflow *r, struct rainflow_cycle *out)
{
    if (!r->due) {
        return false;
    }
    if (close_one(r, out)) {
        return true;
    }
    r->due = false;
    if (r->n < r->depth) {
        return false;
    }
    *out = cycle_at(r, r->n - 2, 1.0);
    drop_newest(r);
    return true;
}

int rainflow_open(const struct rainflow *r,
                  struct rainflow_cycle out[RAINFLOW_DEPTH])
{
    assert(!r->due);
    if (r->n_fed < 2) {
        return 0;
    }
    struct rainflow copy = *r;
    rainflow_push_tip(&copy);
    int n = 0;
    while (close_one(&copy, &out[n])) {
        n++;
    }
    for (int i = 0; i + 1 < copy.n; i++) {
        out[n++] = cycle_at(&copy, i, 0.5);
    }
    return n;
}
