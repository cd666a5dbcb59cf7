/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Declares the rows and columns of a problem; schedule_lp_fill.c gives them
 * their numbers. */
#include "policies/schedule_lp.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "policies/schedule_lp_fill.h"

static int column(struct schedule_lp *lp)
{
    assert(lp->ipm.n_cols < IPM_COLS_MAX);
    lp->ipm.cols[lp->ipm.n_cols].n_entries = 0;
    return lp->ipm.n_cols++;
}

static void entry(struct schedule_lp *lp, int col, struct ipm_entry e)
{
    struct ipm_col *c = &lp->ipm.cols[col];
    if (e.row < 0) {
        return;
    }
    assert(c->n_entries < IPM_ENTRIES_MAX);
    c->entries[c->n_entries++] = e;
}

/* A column of the grid's power: balance, peak (of imports) and ramp. */
static int grid_column(struct schedule_lp *lp, double sign)
{
    int c = column(lp);
    entry(lp, c, (struct ipm_entry){lp->balance_row, 0, sign, NULL});
    if (sign > 0.0) {
        entry(lp, c, (struct ipm_entry){lp->peak_row, 0, 1.0, NULL});
        entry(lp, c, (struct ipm_entry){lp->peak_row, 1, -1.0, NULL});
    }
    entry(lp, c, (struct ipm_entry){lp->ramp_row, 0, sign, lp->ramp_on});
    entry(lp, c, (struct ipm_entry){lp->ramp_row, 1, -sign, NULL});
    return c;
}

static void grid_columns(struct schedule_lp *lp,
                         const struct schedule_problem *p)
{
    bool soft = !lp->kept[SCHEDULE_IMPORT];
    bool any[4] = {false};
    for (int t = 0; t < lp->n; t++) {
        double hi = lp->grid_hi[t] * lp->unit_w;
        double lo = lp->grid_lo[t] * lp->unit_w;
        any[0] = any[0] || hi > 0.0;
        any[1] = any[1] || (soft && hi > p->import_max_w[t]);
        any[2] = any[2] || (lo < 0.0 && p->export_max_w[t] > 0.0);
        any[3] = any[3] || (soft && -lo > p->export_max_w[t]);
    }
    lp->import = any[0] ? grid_column(lp, 1.0) : -1;
    lp->import_over = any[1] ? grid_column(lp, 1.0) : -1;
    lp->export = any[2] ? grid_column(lp, -1.0) : -1;
    lp->export_over = any[3] ? grid_column(lp, -1.0) : -1;
    lp->peak_room = lp->peak_rise = -1;
    if (lp->peak_row >= 0) {
        lp->peak_room = column(lp);
        entry(lp, lp->peak_room,
              (struct ipm_entry){lp->peak_row, 0, 1.0, NULL});
        entry(lp, lp->peak_room,
              (struct ipm_entry){lp->peak_row, 1, -1.0, NULL});
        lp->peak_rise = column(lp);
        entry(lp, lp->peak_rise,
              (struct ipm_entry){lp->peak_row, 0, -1.0, NULL});
    }
    lp->ramp = lp->ramp_over = lp->ramp_under = -1;
    if (lp->ramp_row >= 0) {
        int *cols[] = {&lp->ramp, &lp->ramp_over, &lp->ramp_under};
        const double sign[] = {-1.0, -1.0, 1.0};
        for (int i = 0; i < (lp->kept[SCHEDULE_RAMP] ? 1 : 3); i++) {
            *cols[i] = column(lp);
            entry(lp, *cols[i],
                  (struct ipm_entry){lp->ramp_row, 0, sign[i], lp->ramp_on});
        }
    }
}

static void class_columns(struct schedule_lp *lp,
                          const struct schedule_problem *p, int k)
{
    lp->unserved[k] = lp->shed[k] = lp->served[k] = -1;
    lp->queue[k] = lp->late[k] = -1;
    if (!p->classes[k].deferrable) {
        int *cols[] = {&lp->unserved[k], &lp->shed[k]};
        for (int i = 0; i < (lp->kept[SCHEDULE_FLOOR] ? 1 : 2); i++) {
            *cols[i] = column(lp);
            entry(lp, *cols[i],
                  (struct ipm_entry){lp->balance_row, 0, 1.0, NULL});
        }
        return;
    }
    int row = lp->queue_row[k];
    lp->served[k] = column(lp);
    entry(lp, lp->served[k],
          (struct ipm_entry){lp->balance_row, 0, -1.0, NULL});
    entry(lp, lp->served[k], (struct ipm_entry){row, 0, 1.0, lp->h});
    int *waits[] = {&lp->queue[k], &lp->late[k]};
    for (int i = 0; i < (p->classes[k].late_per_kwh_h > 0.0 ? 2 : 1); i++) {
        *waits[i] = column(lp);
        entry(lp, *waits[i], (struct ipm_entry){row, 0, 1.0, NULL});
        entry(lp, *waits[i], (struct ipm_entry){row, 1, -1.0, NULL});
    }
}

static int power_column(struct schedule_lp *lp, struct ipm_entry soc,
                        double sign, int limit_row)
{
    int c = column(lp);
    entry(lp, c, (struct ipm_entry){lp->balance_row, 0, sign, NULL});
    entry(lp, c, soc);
    entry(lp, c, (struct ipm_entry){limit_row, 0, 1.0, NULL});
    return c;
}

static void side_column(struct schedule_lp *lp, struct schedule_lp_side *side,
                        double sign)
{
    side->room = -1;
    if (side->row >= 0) {
        side->room = column(lp);
        entry(lp, side->room, (struct ipm_entry){side->row, 0, sign, NULL});
    }
}

static void segment_sides(struct schedule_lp *lp,
                          struct schedule_lp_battery *out, int s)
{
    struct schedule_lp_side *bottom = &out->bottoms[s];
    struct schedule_lp_side *top = &out->tops[s];
    entry(lp, out->charge[s],
          (struct ipm_entry){bottom->row, 0, 1.0, bottom->in});
    entry(lp, out->energy[s],
          (struct ipm_entry){bottom->row, 0, 1.0, bottom->on});
    entry(lp, out->discharge[s],
          (struct ipm_entry){top->row, 0, 1.0, top->out});
    entry(lp, out->energy[s], (struct ipm_entry){top->row, 0, 1.0, top->on});
    side_column(lp, bottom, -1.0);
    side_column(lp, top, 1.0);
}

/* What the rows of a battery leave, and what they lack. */
static void slack_columns(struct schedule_lp *lp,
                          const struct schedule_battery *b,
                          struct schedule_lp_battery *out)
{
    out->charge_room = out->discharge_room = out->sum = out->missing = -1;
    out->one_room = out->below = out->above = -1;
    if (out->one_row >= 0) {
        out->one_room = column(lp);
        entry(lp, out->one_room,
              (struct ipm_entry){out->one_row, 0, 1.0, NULL});
    }
    if (out->charge_row >= 0) {
        out->charge_room = column(lp);
        entry(lp, out->charge_room,
              (struct ipm_entry){out->charge_row, 0, 1.0, NULL});
        out->discharge_room = column(lp);
        entry(lp, out->discharge_room,
              (struct ipm_entry){out->discharge_row, 0, 1.0, NULL});
    }
    if (out->sum_row >= 0) {
        out->sum = column(lp);
        entry(lp, out->sum,
              (struct ipm_entry){out->sum_row, 0, -1.0, out->sum_on});
    }
    if (out->sum_row >= 0 && lp->give) {
        out->below = column(lp);
        entry(lp, out->below,
              (struct ipm_entry){out->sum_row, 0, 1.0, out->sum_on});
        out->above = column(lp);
        entry(lp, out->above,
              (struct ipm_entry){out->sum_row, 0, -1.0, out->sum_on});
    }
    if (isfinite(b->soc_end_min_pu) && !lp->kept[SCHEDULE_SOC_END] &&
        !lp->give) {
        bool sum = out->sum_row >= 0;
        out->missing = column(lp);
        entry(lp, out->missing,
              (struct ipm_entry){sum ? out->sum_row : out->soc_row[0], 0,
                                 sum ? 1.0 : -1.0, lp->last});
    }
}

static void battery_columns(struct schedule_lp *lp,
                            const struct schedule_battery *b,
                            struct schedule_lp_battery *out)
{
    const struct schedule_lp_side *sides[] = {&out->bottom, &out->top};
    for (int s = 0; s < out->store.n_segments; s++) {
        int row = out->soc_row[s];
        struct ipm_entry in = {row, 0, -b->charge_eff_pu, lp->h};
        struct ipm_entry from = {row, 0, 1.0 / b->discharge_eff_pu, lp->h};
        out->charge[s] = power_column(lp, in, -1.0, out->charge_row);
        entry(lp, out->charge[s],
              (struct ipm_entry){out->one_row, 0, 1.0, out->in_share});
        out->discharge[s] = power_column(lp, from, 1.0, out->discharge_row);
        entry(lp, out->discharge[s],
              (struct ipm_entry){out->one_row, 0, 1.0, out->out_share});
        for (int i = 0; i < 2; i++) {
            entry(lp, out->charge[s],
                  (struct ipm_entry){sides[i]->row, 0, 1.0, sides[i]->in});
            entry(lp, out->discharge[s],
                  (struct ipm_entry){sides[i]->row, 0, 1.0, sides[i]->out});
        }
        int e = out->energy[s] = column(lp);
        entry(lp, e, (struct ipm_entry){row, 0, 1.0, NULL});
        entry(lp, e, (struct ipm_entry){row, 1, -1.0, NULL});
        entry(lp, e, (struct ipm_entry){out->sum_row, 0, 1.0, out->sum_on});
        for (int i = 0; i < 2; i++) {
            entry(lp, e,
                  (struct ipm_entry){sides[i]->row, 0, 1.0, out->rooms_on});
        }
        segment_sides(lp, out, s);
    }
    side_column(lp, &out->bottom, -1.0);
    side_column(lp, &out->top, 1.0);
    slack_columns(lp, b, out);
}

static bool peak_matters(const struct schedule_lp *lp,
                         const struct schedule_problem *p)
{
    for (int t = 0; t < lp->n; t++) {
        if (p->peak_per_kw > 0.0 &&
            lp->grid_hi[t] * lp->unit_w > fmax(p->peak_w, 0.0)) {
            return true;
        }
    }
    return false;
}

static bool ramp_matters(const struct schedule_lp *lp,
                         const struct schedule_problem *p)
{
    double hi = isfinite(p->grid_start_w) ? p->grid_start_w : -INFINITY;
    double lo = isfinite(p->grid_start_w) ? p->grid_start_w : INFINITY;
    double step_s = INFINITY;
    for (int t = 0; t < lp->n; t++) {
        hi = fmax(hi, lp->grid_hi[t] * lp->unit_w);
        lo = fmin(lo, lp->grid_lo[t] * lp->unit_w);
        step_s = fmin(step_s, p->step_s[t]);
    }
    return p->ramp_max_w_per_s * step_s < hi - lo;
}

/* Without the rows for one direction at a time. */
static int most_columns(const struct schedule_lp *lp)
{
    int n = 9 + 3 * lp->n_classes;
    for (int i = 0; i < lp->n_batteries; i++) {
        n += 3 * lp->batteries[i].store.n_segments + 5;
    }
    return n;
}

/* The time-coupled rows first: ramp and peak lead, because they alone reach
 * over a whole stage.  The balance comes last of the local ones, because the
 * others are coupled with it. */
static void rows(struct schedule_lp *lp, const struct schedule_problem *p)
{
    int n = 0;
    lp->ramp_row = ramp_matters(lp, p) ? n++ : -1;
    lp->peak_row = peak_matters(lp, p) ? n++ : -1;
    for (int k = 0; k < lp->n_classes; k++) {
        lp->queue_row[k] = p->classes[k].deferrable ? n++ : -1;
    }
    for (int i = 0; i < lp->n_batteries; i++) {
        struct schedule_lp_battery *b = &lp->batteries[i];
        for (int s = 0; s < b->store.n_segments; s++) {
            b->soc_row[s] = n++;
        }
    }
    lp->ipm.n_coupled = n;
    for (int i = 0; i < lp->n_batteries; i++) {
        struct schedule_lp_battery *b = &lp->batteries[i];
        bool several = b->store.n_segments > 1;
        b->sum_row = b->sum_on ? n++ : -1;
        b->charge_row = several ? n++ : -1;
        b->discharge_row = several ? n++ : -1;
    }
    /* As many as there is room for. */
    int left = IPM_ROWS_MAX - 1 - n;
    int free_cols = IPM_COLS_MAX - most_columns(lp);
    left = left < free_cols ? left : free_cols;
    for (int i = 0; i < lp->n_batteries; i++) {
        struct schedule_lp_battery *b = &lp->batteries[i];
        b->one_row = b->in_share && left-- > 0 ? n++ : -1;
    }
    for (int i = 0; i < lp->n_batteries; i++) {
        struct schedule_lp_battery *b = &lp->batteries[i];
        bool fits = b->rooms_on && b->one_row >= 0 && left >= 2;
        left -= fits ? 2 : 0;
        b->bottom.row = fits ? n++ : -1;
        b->top.row = fits ? n++ : -1;
    }
    for (int i = 0; i < lp->n_batteries; i++) {
        struct schedule_lp_battery *b = &lp->batteries[i];
        for (int s = 0; s < b->store.n_segments; s++) {
            bool fits = b->bottoms[s].on && b->bottom.row >= 0 && left >= 2;
            left -= fits ? 2 : 0;
            b->bottoms[s].row = fits ? n++ : -1;
            b->tops[s].row = fits ? n++ : -1;
        }
    }
    lp->balance_row = n++;
    lp->ipm.n_rows = n;
    assert(n <= IPM_ROWS_MAX);
}

/* All but the tables of the normal equations, which ipm_open sets and which are
 * more than a MB. */
static void clear(struct schedule_lp *lp)
{
    size_t tables = offsetof(struct schedule_lp, ipm.normal);
    size_t after = tables + sizeof(lp->ipm.normal);
    memset(lp, 0, tables);
    memset((char *)lp + after, 0, sizeof(*lp) - after);
}

bool schedule_lp_open(struct schedule_lp *lp, const struct schedule_problem *p,
                      const struct schedule_ways *ways, struct ipm_memory *m)
{
    clear(lp);
    lp->n = lp->ipm.n_stages = (int)p->n_steps;
    lp->n_batteries = (int)p->n_batteries;
    lp->n_classes = (int)p->n_classes;
    if (ways) {
        memcpy(lp->kept, ways->kept, sizeof(lp->kept));
        lp->give = ways->give;
        lp->within = ways->within;
    }
    if (lp->give) {
        schedule_penalties(p, &lp->penalties);
    } else {
        schedule_penalties_held(p, &lp->penalties);
    }
    if (!schedule_lp_shapes(lp, p, ways, m)) {
        return false;
    }
    rows(lp, p);
    grid_columns(lp, p);
    for (int k = 0; k < lp->n_classes; k++) {
        class_columns(lp, p, k);
    }
    for (int i = 0; i < lp->n_batteries; i++) {
        battery_columns(lp, &p->batteries[i], &lp->batteries[i]);
    }
    lp->lo = ipm_take(m, (size_t)lp->ipm.n_cols * (size_t)lp->n);
    if (!lp->lo || !ipm_open(&lp->ipm, m)) {
        return false;
    }
    schedule_lp_fill(lp, p, ways);
    return true;
}
