/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/edges.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double heights[EDGE_HEIGHTS] = {1.0, 2.0, 5.0, 10.0, 20.0, 50.0};
static const double lengths_s[EDGE_LENGTHS] = {0.0, 0.2, 0.5, 1.0, 5.0, 30.0};

const double *edges_heights(void)
{
    return heights;
}

const double *edges_lengths_s(void)
{
    return lengths_s;
}

void edges_init(struct edges *e, const struct site_grid *grid, double period_s)
{
    assert(period_s > 0.0);
    memset(e, 0, sizeof(*e));
    e->least_w = grid->ramp_max_w_per_s * grid->ramp_average_s;
    e->ramp_w_per_s = grid->ramp_max_w_per_s;
    e->period_s = period_s;
}

static int64_t class_of(const double *bounds, int64_t n, double x)
{
    int64_t i = n - 1;
    while (i > 0 && x < bounds[i]) {
        i--;
    }
    return i;
}

static void keep_top(struct edges *e)
{
    double height_w = fabs(e->now.height_w);
    int64_t at = e->n_top < EDGE_TOP ? e->n_top : EDGE_TOP - 1;
    if (e->n_top == EDGE_TOP && height_w <= fabs(e->top[at].height_w)) {
        return;
    }
    while (at > 0 && fabs(e->top[at - 1].height_w) < height_w) {
        e->top[at] = e->top[at - 1];
        at--;
    }
    e->top[at] = e->now;
    e->n_top += e->n_top < EDGE_TOP;
}

static void close_edge(struct edges *e)
{
    e->open = 0;
    e->n++;
    e->length_max_s = fmax(e->length_max_s, e->now.length_s);
    e->length_sum_s += e->now.length_s;
    int64_t h = class_of(heights, EDGE_HEIGHTS,
                         fabs(e->now.height_w) / fmax(e->least_w, 1e-9));
    /* half a tick, so that a class bound is not a matter of rounding */
    int64_t l =
        class_of(lengths_s, EDGE_LENGTHS, e->now.length_s + 0.5 * e->period_s);
    e->histogram[h][l]++;
    keep_top(e);
}

void edges_resume(struct edges *e)
{
    e->known = 0;
    e->open = 0;
}

bool edges_push(struct edges *e, double grid_w)
{
    double foot_w = e->known != 0 ? e->last_w : grid_w;
    bool begins = e->open == 0 && fabs(grid_w - foot_w) > e->least_w;
    bool ended = false;
    if (begins) {
        e->open = 1;
        e->foot_w = foot_w;
        e->now = (struct edge){.tick = e->ticks};
    }
    if (e->open != 0) {
        double away_w = grid_w - e->foot_w;
        double age_s = (double)(e->ticks - e->now.tick) * e->period_s;
        ended =
            age_s >= EDGE_MAX_S ||
            (!begins && fabs(away_w) <= e->least_w + e->ramp_w_per_s * age_s);
        e->now.length_s = age_s;
        if (fabs(away_w) > fabs(e->now.height_w)) {
            e->now.height_w = away_w;
        }
    }
    if (ended) {
        close_edge(e);
    }
    e->last_w = grid_w;
    e->known = 1;
    e->ticks++;
    return ended;
}
