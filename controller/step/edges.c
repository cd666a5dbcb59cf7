/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which edges of the load must be covered now, and which one is due. */
#include <math.h>

#include "controller/step/step_parts.h"
#include "models/clamp.h"

static const double ANNOUNCED_S = 600.0; /* job edges ahead that count */
static const double OVERDUE_S = 60.0; /* a stop may come later than was said */
static const int64_t TOGETHER_MS = 1000;

/* How far the scheduler says that the load will jump, 0 where it does not. */
static double jump_w(const struct job_in *job)
{
    double w = job->power_to_w - job->power_from_w;
    return job->seq != 0 && isfinite(w) ? w : 0.0;
}

/* What jumps with marker 'i', which jumps: the pods of one job are announced
 * one by one. */
static double together_w(const struct snapshot *in, int i)
{
    double first_w = jump_w(&in->jobs[i]);
    double sum_w = 0.0;
    for (int j = 0; j < JOB_MARKERS_MAX; j++) {
        double w = jump_w(&in->jobs[j]);
        int64_t later_ms = in->jobs[j].at_ms - in->jobs[i].at_ms;
        if (w * first_w > 0.0 && later_ms >= 0 && later_ms <= TOGETHER_MS) {
            sum_w += w;
        }
    }
    return sum_w;
}

static void take_announced(const struct step_cfg *cfg,
                           const struct snapshot *in, struct reserve_now *e)
{
    for (int i = 0; i < JOB_MARKERS_MAX; i++) {
        const struct job_in *job = &in->jobs[i];
        double ahead_s = (double)(job->at_ms - in->utc_ms) / 1e3;
        if (!(fabs(jump_w(job)) > 0.0) || ahead_s < -OVERDUE_S ||
            ahead_s > ANNOUNCED_S) {
            continue;
        }
        double w = together_w(in, i);
        double stop_w = fmax(-w, 0.0);
        e->stop_w = fmax(e->stop_w, stop_w);
        if (ahead_s >= 0.0) {
            e->rise_w = fmax(e->rise_w, w);
            e->drop_w = fmax(e->drop_w, floors_left_w(&cfg->floors, stop_w));
        }
    }
}

/* What a listed drop leaves of the load: what trips draws less, too, where the
 * site is held below its full power. */
static double left_w(double drop_w, double load_w, double full_w)
{
    return fmax(load_w - drop_w, fmin(load_w, full_w - drop_w));
}

static void take_listed(const struct step_cfg *cfg, double load_w,
                        struct reserve_now *e)
{
    e->stays_w = INFINITY;
    for (int i = 0; i < cfg->site.grid.n_contingencies; i++) {
        const struct site_contingency *c = &cfg->site.grid.contingencies[i];
        e->rise_w = fmax(e->rise_w, c->rise_w);
        double stops_w = floors_left_w(&cfg->floors, c->stop_w);
        double drop_w = fmax(c->drop_w, stops_w);
        e->stop_w = fmax(e->stop_w, c->stop_w);
        e->listed_w = fmax(e->listed_w, drop_w);
        if (drop_w > 0.0) {
            double left = fmax(left_w(drop_w, load_w, e->full_w), 0.0);
            e->stays_w = fmin(e->stays_w, left);
            e->drop_w = fmax(e->drop_w, load_w - left);
        }
    }
}

/* The largest single pod, and the largest edge of the last hour.  What runs is
 * not held back for them, but it may not rise by more than what is covered. */
static void take_default(const struct step_cfg *cfg,
                         const struct step_state *state, struct reserve_now *e)
{
    struct level_both seen = level_range_edges(&state->range);
    e->stays_w = INFINITY;
    e->rise_w = fmax(cfg->pod_most_w, seen.up_w);
    e->drop_w = fmax(cfg->pod_most_w, seen.down_w);
    e->stop_w = e->drop_w;
}

void edges_find(const struct step_cfg *cfg, const struct step_state *state,
                const struct estimate *est, const struct snapshot *in,
                struct reserve_now *e)
{
    double beside_w = fmax(est->load_w - est->pods_w * cfg->load_per_pod, 0.0);
    e->full_w = beside_w + cfg->shed.power_max_sum_w * cfg->load_per_pod;
    if (isfinite(state->range.hi_w)) {
        e->full_w = fmax(e->full_w, state->range.hi_w);
    }
    e->rise_w = e->drop_w = e->listed_w = e->stop_w = 0.0;
    if (cfg->site.grid.contingencies_given) {
        take_listed(cfg, est->load_w, e);
    } else {
        take_default(cfg, state, e);
    }
    struct reserve_now must = {0};
    take_announced(cfg, in, &must);
    e->must_rise_w = e->rise_w;
    e->must_rise_w = fmax(e->must_rise_w, must.rise_w);
    e->rise_w = fmax(e->rise_w, must.rise_w);
    e->drop_w = fmax(e->drop_w, must.drop_w);
    e->stop_w = fmax(e->stop_w, must.stop_w);
    e->ends_w = cfg->any_waits ? queue_edge_w(cfg, state) : 0.0;
    e->drop_w = fmax(e->drop_w, e->ends_w);
    double more_w = fmax(e->full_w - est->load_w, 0.0);
    e->must_rise_w = fmin(e->must_rise_w, more_w);
    e->rise_w = fmin(e->rise_w, more_w);
    e->drop_w = fmax(0.0, fmin(e->drop_w, est->load_w));
}

/* A phase of a job leads to where the load has been of late: what goes further
 * is one that is there already, as two markers may name the same dip. */
static double within_range_w(const struct level_range *r, double load_w,
                             double jump_w)
{
    bool known = isfinite(r->lo_w) && isfinite(r->hi_w);
    return known ? clamp(jump_w, fmin(r->lo_w - load_w, 0.0),
                         fmax(r->hi_w - load_w, 0.0))
                 : jump_w;
}

double edges_due_w(const struct step_cfg *cfg, const struct step_state *state,
                   const struct step_scratch *scratch,
                   const struct snapshot *in)
{
    const struct estimate *est = &scratch->est;
    double load_w = est->load_w;
    double reach_s =
        (double)(state->lag.delay + 1) * cfg->site.control.period_s;
    int64_t until_ms = in->utc_ms + (int64_t)llround(reach_s * 1e3);
    double lasts_w = 0.0;
    double passes_w = 0.0;
    for (int i = 0; i < JOB_MARKERS_MAX; i++) {
        const struct job_in *job = &in->jobs[i];
        bool lasts = job->event == JOB_START || job->event == JOB_STOP;
        if (job->at_ms >= in->utc_ms && job->at_ms < until_ms) {
            lasts_w += lasts ? jump_w(job) : 0.0;
            passes_w += lasts ? 0.0 : jump_w(job);
        }
    }
    double due_w = lasts_w + within_range_w(&state->range, load_w, passes_w);
    due_w *= due_w < 0.0 ? hold_falls_pu(cfg, state, est) : 1.0;
    return fmax(-load_w,
                fmin(due_w, fmax(scratch->reserve.full_w - load_w, 0.0)));
}
