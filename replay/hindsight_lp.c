/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Declares rows and columns; replay/hindsight_fill.c gives them numbers. */
#include "replay/hindsight_lp.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static int column(struct hindsight_lp *lp)
{
    assert(lp->ipm.n_cols < IPM_COLS_MAX);
    lp->ipm.cols[lp->ipm.n_cols].n_entries = 0;
    return lp->ipm.n_cols++;
}

static void entry(struct hindsight_lp *lp, int col, struct ipm_entry e)
{
    struct ipm_col *c = &lp->ipm.cols[col];
    if (e.row < 0) {
        return;
    }
    assert(c->n_entries < IPM_ENTRIES_MAX);
    c->entries[c->n_entries++] = e;
}

/* A state: what it is at the end of a step goes into the next. */
static void carried(struct hindsight_lp *lp, int col, int row, double k,
                    const double *keep)
{
    entry(lp, col, (struct ipm_entry){row, 0, k, NULL});
    entry(lp, col, (struct ipm_entry){row, 1, -k, keep});
}

static int grid_column(struct hindsight_lp *lp, double sign)
{
    int c = column(lp);
    entry(lp, c, (struct ipm_entry){lp->balance_row, 0, sign, NULL});
    carried(lp, c, lp->ramp_row, sign, NULL);
    entry(lp, c, (struct ipm_entry){lp->mean_row, 0, -sign, lp->demand.weight});
    entry(lp, c, (struct ipm_entry){lp->block_row, 0, -sign, lp->block.weight});
    return c;
}

static void grid_columns(struct hindsight_lp *lp)
{
    const struct site_grid *grid = &lp->truth->site->grid;
    lp->import = grid_column(lp, 1.0);
    lp->import_more = lp->block_row >= 0 ? grid_column(lp, 1.0) : -1;
    lp->export = grid->export_max_w > 0.0 ? grid_column(lp, -1.0) : -1;
    lp->ramp = lp->ramp_over = lp->ramp_under = -1;
    if (lp->ramp_row >= 0) {
        int *cols[] = {&lp->ramp, &lp->ramp_over, &lp->ramp_under};
        const double sign[] = {-1.0, -1.0, 1.0};
        for (int i = 0; i < 3; i++) {
            *cols[i] = column(lp);
            entry(lp, *cols[i],
                  (struct ipm_entry){lp->ramp_row, 0, sign[i], NULL});
        }
    }
    lp->mean = lp->peak_room = lp->peak_rise = -1;
    if (lp->mean_row >= 0) {
        lp->mean = column(lp);
        carried(lp, lp->mean, lp->mean_row, 1.0, lp->demand.keep);
        entry(lp, lp->mean,
              (struct ipm_entry){lp->peak_row, 0, 1.0, lp->demand.end});
        entry(lp, lp->mean,
              (struct ipm_entry){lp->peak_row, 1, -1.0, lp->month_end});
        lp->peak_room = column(lp);
        carried(lp, lp->peak_room, lp->peak_row, 1.0, lp->month_keep);
        lp->peak_rise = column(lp);
        entry(lp, lp->peak_rise,
              (struct ipm_entry){lp->peak_row, 0, -1.0, NULL});
    }
    lp->blocked = lp->over = -1;
    if (lp->block_row >= 0) {
        lp->blocked = column(lp);
        carried(lp, lp->blocked, lp->block_row, 1.0, lp->block.keep);
        lp->over = column(lp);
        entry(lp, lp->over, (struct ipm_entry){lp->block_row, 0, 1.0, NULL});
    }
}

static bool any_room(const struct hindsight_truth *truth, int class_id)
{
    for (int64_t t = 0; t < truth->n; t++) {
        if (truth->steps[t].room_w[class_id] > 0.0) {
            return true;
        }
    }
    return false;
}

static bool can_wait(const struct hindsight_lp *lp, int k)
{
    const struct site *site = lp->truth->site;
    return k < site->n_classes && !site->classes[k].firm &&
           any_room(lp->truth, k);
}

/* Energy that waits: in by what is held back, out by what is done beside. */
static void queue_columns(struct hindsight_lp *lp, int k)
{
    lp->more[k] = lp->queue[k] = lp->lost[k] = -1;
    if (lp->queue_row[k] < 0) {
        return;
    }
    entry(lp, lp->held[k],
          (struct ipm_entry){lp->queue_row[k], 0, -1.0, lp->h});
    lp->more[k] = column(lp);
    entry(lp, lp->more[k],
          (struct ipm_entry){lp->balance_row, 0, -1.0, lp->shed});
    entry(lp, lp->more[k],
          (struct ipm_entry){lp->saving_row, 0, 1.0, lp->cool_gain});
    entry(lp, lp->more[k], (struct ipm_entry){lp->queue_row[k], 0, 1.0, lp->h});
    lp->queue[k] = column(lp);
    carried(lp, lp->queue[k], lp->queue_row[k], 1.0, NULL);
    lp->lost[k] = column(lp);
    entry(lp, lp->lost[k], (struct ipm_entry){lp->queue_row[k], 0, 1.0, NULL});
}

static void class_columns(struct hindsight_lp *lp)
{
    for (int k = 0; k < SITE_CLASSES_MAX; k++) {
        lp->held[k] = -1;
        if (any_room(lp->truth, k)) {
            lp->held[k] = column(lp);
            entry(lp, lp->held[k],
                  (struct ipm_entry){lp->balance_row, 0, 1.0, lp->shed});
            entry(lp, lp->held[k],
                  (struct ipm_entry){lp->saving_row, 0, -1.0, lp->cool_gain});
        }
        queue_columns(lp, k);
    }
    lp->saving = -1;
    if (lp->saving_row >= 0) {
        lp->saving = column(lp);
        entry(lp, lp->saving,
              (struct ipm_entry){lp->balance_row, 0, 1.0, lp->cool_pu});
        carried(lp, lp->saving, lp->saving_row, 1.0, lp->cool_keep);
    }
}

/* Charging and discharging share the power: what one takes of its rating, the
 * other lacks.  So a circle through the battery gains little. */
static int power_column(struct hindsight_lp *lp, double sign, int power_row,
                        double rating_w)
{
    int c = column(lp);
    double k = rating_w > 0.0 ? lp->unit_w / rating_w : 0.0;
    entry(lp, c, (struct ipm_entry){lp->balance_row, 0, sign, NULL});
    entry(lp, c, (struct ipm_entry){power_row, 0, k, NULL});
    return c;
}

/* The highest (sign 1) or lowest (-1) energy so far, less the energy now. */
static void extreme_columns(struct hindsight_lp *lp, int row, double sign,
                            int *room, int *change)
{
    *room = *change = -1;
    if (row >= 0) {
        *room = column(lp);
        carried(lp, *room, row, sign, NULL);
        *change = column(lp);
        entry(lp, *change, (struct ipm_entry){row, 0, -sign, NULL});
    }
}

static void store_columns(struct hindsight_lp *lp, int i)
{
    const struct hindsight_store *s = &lp->stores->at[i];
    struct hindsight_lp_store *at = &lp->at[i];
    for (int k = 0; k < s->n_segments; k++) {
        int row = at->energy_row[k];
        at->charge[k] =
            power_column(lp, -1.0, at->power_row, s->charge_w * s->n);
        entry(lp, at->charge[k], (struct ipm_entry){row, 0, -s->eff_pu, lp->h});
        at->discharge[k] =
            power_column(lp, 1.0, at->power_row, s->discharge_w * s->n);
        entry(lp, at->discharge[k],
              (struct ipm_entry){row, 0, 1.0 / s->eff_pu, lp->h});
        at->energy[k] = column(lp);
        carried(lp, at->energy[k], row, 1.0, NULL);
        carried(lp, at->energy[k], at->top_row, 1.0, NULL);
        carried(lp, at->energy[k], at->bottom_row, 1.0, NULL);
    }
    at->room = column(lp);
    entry(lp, at->room, (struct ipm_entry){at->power_row, 0, 1.0, NULL});
    extreme_columns(lp, at->top_row, 1.0, &at->top_room, &at->top_rise);
    extreme_columns(lp, at->bottom_row, -1.0, &at->bottom_room,
                    &at->bottom_fall);
}

static bool ramp_matters(const struct hindsight_lp *lp)
{
    const struct hindsight_truth *t = lp->truth;
    double shortest_s = INFINITY;
    for (int64_t i = 0; i < t->n; i++) {
        shortest_s = fmin(shortest_s, t->steps[i].s);
    }
    return t->site->grid.ramp_max_w_per_s * shortest_s < 2.0 * lp->reach_w;
}

static bool limit_matters(const struct hindsight_lp *lp)
{
    for (int t = 0; t < lp->n; t++) {
        if (lp->truth->steps[t].limit_w < lp->reach_w) {
            return true;
        }
    }
    return false;
}

/* The rows that reach into the next step first. */
static void rows(struct hindsight_lp *lp)
{
    const struct site *site = lp->truth->site;
    bool cost = lp->aim == HINDSIGHT_COST;
    bool demand = cost && site->grid.demand_charge_per_kw > 0.0 &&
                  (lp->n_months > 1 || lp->reach_w > site->grid.billing_peak_w);
    int n = 0;
    lp->ramp_row = ramp_matters(lp) ? n++ : -1;
    lp->peak_row = demand ? n++ : -1;
    lp->mean_row = demand ? n++ : -1;
    lp->block_row = limit_matters(lp) ? n++ : -1;
    lp->saving_row = lp->cool_gain != NULL ? n++ : -1;
    for (int k = 0; k < SITE_CLASSES_MAX; k++) {
        lp->queue_row[k] = can_wait(lp, k) ? n++ : -1;
    }
    for (int i = 0; i < lp->stores->n; i++) {
        struct hindsight_lp_store *at = &lp->at[i];
        at->top_row = cost ? -1 : n++;
        at->bottom_row = cost ? -1 : n++;
        for (int k = 0; k < lp->stores->at[i].n_segments; k++) {
            at->energy_row[k] = n++;
        }
    }
    lp->ipm.n_coupled = n;
    for (int i = 0; i < lp->stores->n; i++) {
        lp->at[i].power_row = n++;
    }
    lp->balance_row = n++;
    lp->ipm.n_rows = n;
    assert(n <= IPM_ROWS_MAX);
}

size_t hindsight_lp_memory(const struct hindsight_truth *truth,
                           const struct hindsight_stores *stores)
{
    size_t segments = 0;
    for (int i = 0; i < stores->n; i++) {
        segments += (size_t)stores->at[i].n_segments;
    }
    size_t n = (size_t)truth->n + 8;
    size_t s = (size_t)stores->n;
    size_t coupled = 5 + SITE_CLASSES_MAX + segments + 2 * s;
    size_t rows = coupled + s + 1;
    size_t cols = 11 + 4 * SITE_CLASSES_MAX + 1 + 3 * segments + 5 * s;
    size_t pairs = rows * (rows + 1) / 2 + rows * rows;
    size_t vectors = 16 * cols + 4 * rows + pairs + s + 1 + 14;
    size_t width = 2 * coupled;
    return n * vectors + (n * coupled + width + 16) * (width + 17) +
           64 * (cols + rows);
}

bool hindsight_lp_open(struct hindsight_lp *lp, enum hindsight_aim aim,
                       const struct hindsight_truth *truth,
                       const struct hindsight_stores *stores,
                       struct ipm_memory *m)
{
    memset(lp, 0, sizeof(*lp));
    lp->truth = truth;
    lp->stores = stores;
    lp->aim = aim;
    lp->n = lp->ipm.n_stages = (int)truth->n;
    if (!hindsight_shapes(lp, m)) {
        return false;
    }
    rows(lp);
    grid_columns(lp);
    class_columns(lp);
    for (int i = 0; i < stores->n; i++) {
        store_columns(lp, i);
    }
    lp->lo = ipm_take(m, (size_t)lp->ipm.n_cols * (size_t)lp->n);
    return lp->lo != NULL && ipm_open(&lp->ipm, m);
}

double hindsight_lp_value(const struct hindsight_lp *lp, int col, int t)
{
    if (col < 0) {
        return 0.0;
    }
    size_t at = (size_t)col * (size_t)lp->n + (size_t)t;
    return (lp->lo[at] + lp->ipm.xl[at]) * lp->unit_w;
}
