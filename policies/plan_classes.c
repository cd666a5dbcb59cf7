/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "policies/plan_parts.h"

/* Of what a class can do: less than that is no difference. */
static const double little_pu = 0.01;

/* Of what prices can give: what waits in vain costs that in its deadline, and
 * what is late that in an hour: in a slot of five minutes more than all. */
static const double vain_pu = 0.03;
static const double late_pu = 15.0;
/* Where prices are flat they give that part of themselves. */
static const double flat_pu = 0.1;

static double spread_per_kwh(const struct problem *p)
{
    double lo = INFINITY;
    double hi = -INFINITY;
    double most = 1e-3;
    for (int64_t t = 0; t < p->n_slots; t++) {
        lo = fmin(lo, p->import_per_kwh[t]);
        hi = fmax(hi, p->import_per_kwh[t]);
        most = fmax(most, fabs(p->import_per_kwh[t]));
    }
    return fmax(hi - lo, flat_pu * most);
}

void plan_pose_classes(const struct site *site, const struct problem *p,
                       struct plan_stores *stores, struct schedule_problem *out)
{
    double spread = spread_per_kwh(p);
    stores->n_classes = 0;
    out->n_classes = 0;
    for (int k = 0; k < site->n_classes; k++) {
        const struct problem_class *c = &p->classes[k];
        if (!c->planned || !(c->max_w > 0.0)) {
            continue;
        }
        struct schedule_class *to = &out->classes[out->n_classes++];
        memcpy(to->name, site->classes[k].name, SITE_NAME_MAX);
        to->value_per_kwh = site->classes[k].value_per_kwh;
        to->deferrable = true;
        to->min_pu = 0.0;
        to->max_w = c->max_w * c->per_w;
        to->delay_per_kwh_h = vain_pu * spread * 3600.0 / c->deadline_s;
        to->late_per_kwh_h = late_pu * spread;
        for (int64_t t = 0; t < p->n_slots; t++) {
            to->demand_w[t] = c->demand_w[t] * c->per_w;
            to->queue_max_wh[t] = c->queue_max_wh[t] * c->per_w;
        }
        stores->class_id[stores->n_classes++] = k;
    }
}

/* A class that never waits in the plan has no budget: what comes beyond the
 * forecast is done, too. */
void plan_read_classes(const struct plan_solver *s, const struct problem *p,
                       struct plan *out)
{
    for (int64_t i = 0; i < s->stores.n_classes; i++) {
        int64_t k = s->stores.class_id[i];
        const struct problem_class *c = &p->classes[k];
        double queue_wh = 0.0;
        for (int64_t t = 0; t < p->n_slots; t++) {
            double served_w = s->schedule.served_w[i][t] / c->per_w;
            double h = p->step_s[t] / 3600.0;
            double little_wh = little_pu * c->max_w * h;
            double left_wh = (c->demand_w[t] - served_w) * h;
            bool waits = queue_wh > little_wh || left_wh > little_wh;
            queue_wh = fmax(queue_wh + left_wh, 0.0);
            if (waits) {
                out->class_w[k][t] = c->least_w + served_w;
            }
        }
    }
}
