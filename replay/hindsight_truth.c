/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/hindsight_truth.h"

#include <assert.h>
#include <math.h>

static const double FINE_UP_TO_S = 7200.0;

int64_t hindsight_step_ms(double duration_s, int64_t start_utc_ms)
{
    if (duration_s <= FINE_UP_TO_S) {
        return HINDSIGHT_FINE_MS;
    }
    int64_t last_ms = start_utc_ms + (int64_t)(duration_s * 1e3) - 1;
    for (int64_t ms = HINDSIGHT_COARSE_MS; ms <= HINDSIGHT_COARSEST_MS;
         ms += HINDSIGHT_COARSE_MS) {
        if (last_ms / ms - start_utc_ms / ms < HINDSIGHT_STEPS_MAX) {
            return ms;
        }
    }
    return 0;
}

int64_t hindsight_step_at(const struct hindsight_truth *t, double t_s)
{
    int64_t at_ms = t->start_utc_ms + (int64_t)llround(t_s * 1e3);
    return at_ms / t->step_ms - t->start_utc_ms / t->step_ms;
}

static void add_room(struct hindsight_step *s, const struct site *site,
                     const struct plant *p)
{
    for (int i = 0; i < site->n_pods; i++) {
        int k = site->pods[i].class_id;
        double asked_w = p->pods[i].demand_w;
        s->asked_w[k] += asked_w;
        s->room_w[k] += fmax(asked_w - site->pods[i].cap_min_w, 0.0);
        s->more_w[k] += fmax(site->pods[i].power_max_w - asked_w, 0.0);
    }
}

void hindsight_truth_add(struct hindsight_truth *t,
                         const struct replay_told *told)
{
    const struct plant *p = told->plant;
    double period_s = t->site->control.period_s;
    int64_t i = hindsight_step_at(t, (double)told->tick * period_s);
    assert(i >= 0 && i < HINDSIGHT_STEPS_MAX);
    struct hindsight_step *s = &t->steps[i];
    if (told->tick == 0) {
        t->start_w = p->grid_w - p->battery_w;
    }
    if (s->n_ticks == 0) {
        s->begin_ms =
            t->start_utc_ms + llround((double)told->tick * period_s * 1e3);
    }
    t->n = i + 1;
    s->n_ticks++;
    s->s += period_s;
    s->demand_w += p->demand_w;
    s->other_w += p->other_w;
    s->fleet_w += p->fleet_w;
    s->price_per_kwh += told->price_per_kwh;
    s->limit_w += told->import_max_w;
    add_room(s, t->site, p);
}

void hindsight_truth_end(struct hindsight_truth *t)
{
    double ticks = 0.0;
    double sum = 0.0;
    for (int64_t i = 0; i < t->n; i++) {
        struct hindsight_step *s = &t->steps[i];
        double n = (double)s->n_ticks;
        ticks += n;
        sum += s->price_per_kwh;
        s->demand_w /= n;
        s->other_w /= n;
        s->fleet_w /= n;
        s->price_per_kwh /= n;
        s->limit_w /= n;
        for (int k = 0; k < SITE_CLASSES_MAX; k++) {
            s->asked_w[k] /= n;
            s->room_w[k] /= n;
            s->more_w[k] /= n;
        }
    }
    t->mean_per_kwh = ticks > 0.0 ? sum / ticks : 0.0;
}
