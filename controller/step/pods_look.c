/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/step_state.h"

static const int64_t OLD_MS = 60000;  /* a marker that comes later is history */
static const double AHEAD_S = 1800.0; /* of an announced stop, at most */
static const double AHEAD_PU = 0.9;   /* of the ramp, on the way down to it */

static struct shed_pod_seen seen_of(const struct step_cfg *cfg,
                                    const struct snapshot *in,
                                    const struct estimate *est, int64_t i)
{
    const struct pod_in *p = &in->pods[i];
    int64_t now_ms = in->mono_ms;
    double age_s = cfg->pod_max_age_s;
    return (struct shed_pod_seen){
        .power_w = est->pod_w[i],
        .inlet_c = reading_value(&p->inlet_c, now_ms, age_s),
        .coolant_c = reading_value(&p->coolant_c, now_ms, age_s),
        .servers_w = reading_value(&p->servers_w, now_ms, age_s),
        .network_w = reading_value(&p->network_w, now_ms, age_s),
        .distribution_w = reading_value(&p->distribution_w, now_ms, age_s),
        .cooling_w = reading_value(&p->cooling_w, now_ms, age_s),
    };
}

static void hear(const struct step_cfg *cfg, struct step_state *state,
                 const struct job_in *job)
{
    int64_t from = job->pod >= 0 ? job->pod : 0;
    int64_t to = job->pod >= 0 ? job->pod + 1 : cfg->site.n_pods;
    for (int64_t i = from; i < to && i < cfg->site.n_pods; i++) {
        shed_mark(&cfg->shed, &state->shed, i, (enum job_event)job->event);
    }
}

/* Markers whose instant has come, in this tick or before they were heard. */
static void hear_markers(const struct step_cfg *cfg, struct step_state *state,
                         const struct snapshot *in)
{
    int64_t newest = state->marked_seq;
    for (int k = 0; k < JOB_MARKERS_MAX; k++) {
        const struct job_in *job = &in->jobs[k];
        bool fresh =
            job->seq > state->marked_seq || job->at_ms > state->marked_ms;
        if (job->seq != 0 && fresh && job->at_ms <= in->utc_ms &&
            job->at_ms > in->utc_ms - OLD_MS) {
            hear(cfg, state, job);
        }
        newest = job->seq > newest ? job->seq : newest;
    }
    state->marked_seq = newest;
    state->marked_ms = in->utc_ms;
}

double pods_look(const struct step_cfg *cfg, struct step_state *state,
                 const struct snapshot *in, const struct estimate *est)
{
    hear_markers(cfg, state, in);
    int64_t n = cfg->site.n_pods;
    int64_t from = n * state->seen_slice / cfg->n_looks;
    int64_t to = n * (state->seen_slice + 1) / cfg->n_looks;
    state->seen_slice = (state->seen_slice + 1) % cfg->n_looks;
    double age_s = 0.0;
    for (int64_t i = from; i < to; i++) {
        struct shed_pod_seen seen = seen_of(cfg, in, est, i);
        shed_see(&cfg->shed, &state->shed, i, &seen,
                 in->dt_s * (double)cfg->n_looks);
        bool heard = isfinite(seen.power_w);
        int64_t at_ms = in->pods[i].power_w.mono_ms;
        age_s += heard ? (double)(in->mono_ms - at_ms) / 1e3 : 0.0;
    }
    return to > from ? age_s / (double)(to - from) : 0.0;
}

/* What of the pods' present power ends with a stop. */
static double drop_of(const struct step_cfg *cfg, const struct estimate *est,
                      const struct job_in *job)
{
    bool one = job->pod >= 0 && job->pod < cfg->site.n_pods;
    double from_w = one ? est->pod_w[job->pod] : est->pods_w;
    double drop_w = from_w - job->power_to_w;
    return drop_w > 0.0 && isfinite(drop_w) ? drop_w : 0.0;
}

static bool is_ahead(const struct snapshot *in, const struct job_in *job)
{
    double ahead_s = (double)(job->at_ms - in->utc_ms) / 1e3;
    return job->seq != 0 && job->event == JOB_STOP && ahead_s > 0.0 &&
           ahead_s < AHEAD_S;
}

/* All stops up to that of 'last', and what may still be drawn of them: what the
 * batteries take at once, and what the ramp carries until then. */
static double part_before(const struct step_cfg *cfg, const struct snapshot *in,
                          const struct estimate *est, const struct job_in *last)
{
    double drop_w = 0.0;
    for (int k = 0; k < JOB_MARKERS_MAX; k++) {
        const struct job_in *job = &in->jobs[k];
        if (is_ahead(in, job) && job->at_ms <= last->at_ms) {
            drop_w += drop_of(cfg, est, job);
        }
    }
    double ahead_s = (double)(last->at_ms - in->utc_ms) / 1e3;
    double open_w = est->charge_max_w +
                    AHEAD_PU * cfg->site.grid.ramp_max_w_per_s * ahead_s;
    return drop_w > open_w ? open_w / drop_w : 1.0;
}

static void bound(const struct step_cfg *cfg, const struct estimate *est,
                  const struct job_in *job, double part, double *most_w)
{
    bool one = job->pod >= 0 && job->pod < cfg->site.n_pods;
    int64_t from = one ? job->pod : 0;
    int64_t to = one ? job->pod + 1 : cfg->site.n_pods;
    double share = one ? 1.0 : 1.0 / fmax(est->pods_w, 1.0);
    for (int64_t i = from; i < to; i++) {
        double w = est->pod_w[i];
        double after_w = one ? job->power_to_w : job->power_to_w * w * share;
        double bound_w = after_w + part * fmax(w - after_w, 0.0);
        if (isfinite(bound_w)) {
            most_w[i] = fmin(most_w[i], bound_w);
        }
    }
}

bool pods_stop_ahead(const struct step_cfg *cfg, const struct step_state *state,
                     const struct snapshot *in, const struct estimate *est,
                     double *most_w)
{
    (void)state;
    bool any = false;
    for (int k = 0; k < JOB_MARKERS_MAX; k++) {
        const struct job_in *job = &in->jobs[k];
        if (!is_ahead(in, job)) {
            continue;
        }
        double part = part_before(cfg, in, est, job);
        if (part >= 1.0) {
            continue;
        }
        for (int i = 0; i < cfg->site.n_pods && !any; i++) {
            most_w[i] = cfg->site.pods[i].power_max_w;
        }
        any = true;
        bound(cfg, est, job, part, most_w);
    }
    return any;
}
