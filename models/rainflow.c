/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/rainflow.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void rainflow_init(struct rainflow *r, double deadband, int depth)
{
    assert(deadband >= 0.0);
    assert(depth >= RAINFLOW_DEPTH_MIN && depth <= RAINFLOW_DEPTH);
    memset(r, 0, sizeof(*r));
    r->deadband = deadband;
    r->depth = (uint8_t)depth;
}

static void sums_add(struct rainflow_sums *to, const struct rainflow_sums *s)
{
    to->duration_s += s->duration_s;
    to->temp_cs += s->temp_cs;
    to->travel += s->travel;
    to->moving_s += s->moving_s;
}

static void sums_add_leg(struct rainflow_sums *to, const struct rainflow_leg *l)
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

static void push_tip(struct rainflow *r)
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

static void move_tip(struct rainflow *r, double value)
{
    r->tip = value;
    r->tip_index = r->n_fed;
    if (r->past_tip.duration_s > 0.0) {
        sums_add(&r->to_tip, &r->past_tip);
        r->past_tip = (struct rainflow_sums){.duration_s = 0.0};
    }
}

static void begin(struct rainflow *r, double value)
{
    r->tip = value;
    push_tip(r);
}

/* The tip becomes a turning point; the new leg began there. */
static void turn(struct rainflow *r, double value)
{
    push_tip(r);
    r->to_tip = (struct rainflow_sums){.duration_s = 0.0};
    move_tip(r, value);
    r->way = (int8_t)-r->way;
    r->due = true;
}

static void go_on(struct rainflow *r, double value,
                  const struct rainflow_sums *since)
{
    double ahead = value - r->tip;
    if (r->way == 0 && fabs(ahead) > r->deadband) {
        r->way = ahead > 0.0 ? 1 : -1;
    }
    /* On a plateau the turning point is its last sample. */
    if (ahead * (double)r->way > 0.0 || ahead == 0.0) {
        sums_add(&r->to_tip, since);
        move_tip(r, value);
        return;
    }
    sums_add(&r->past_tip, since);
    if (r->way != 0 && fabs(ahead) > r->deadband) {
        turn(r, value);
    }
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
    if (r->n_fed == 0) {
        begin(r, s->value);
    } else {
        bool moves = s->rate_per_h >= RAINFLOW_REST_PER_H;
        struct rainflow_sums since = {
            .duration_s = s->dt_s,
            .temp_cs = s->dt_s * 0.5 * (s->temp_c + r->last_temp_c),
            .travel = moves ? s->dt_s * s->rate_per_h : 0.0,
            .moving_s = moves ? s->dt_s : 0.0,
        };
        go_on(r, s->value, &since);
    }
    r->last = s->value;
    r->last_temp_c = s->temp_c;
    r->n_fed++;
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
    sums_add_leg(&r->to_tip, &r->leg[r->n - 1]);
    sums_add_leg(&r->to_tip, &r->leg[r->n - 2]);
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
    push_tip(&copy);
    int n = 0;
    while (close_one(&copy, &out[n])) {
        n++;
    }
    for (int i = 0; i + 1 < copy.n; i++) {
        out[n++] = cycle_at(&copy, i, 0.5);
    }
    return n;
}
