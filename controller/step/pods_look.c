/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/step_parts.h"

static const int64_t OLD_MS = 60000; /* a marker that comes later is history */
static const double FADE = 0.98;     /* a tick: of the oldest power of late */

static struct shed_pod_seen seen_of(const struct step_cfg *cfg,
                                    const struct snapshot *in,
                                    const struct estimate *est, int64_t i)
{
    const struct pod_in *p = &in->pods[i];
    int64_t now_ms = in->mono_ms;
    double age_s = cfg->pod_max_age_s;
    return (struct shed_pod_seen){
        .power_w = est->pod_w[i],
        .age_s = (double)(now_ms - p->power_w.mono_ms) / 1e3,
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

void pods_look(const struct step_cfg *cfg, struct step_state *state,
               const struct snapshot *in, const struct estimate *est)
{
    hear_markers(cfg, state, in);
    int64_t n = cfg->site.n_pods;
    int64_t from = n * state->seen_slice / cfg->n_looks;
    int64_t to = n * (state->seen_slice + 1) / cfg->n_looks;
    state->seen_slice = (state->seen_slice + 1) % cfg->n_looks;
    state->pods_age_s *= FADE;
    for (int64_t i = from; i < to; i++) {
        struct shed_pod_seen seen = seen_of(cfg, in, est, i);
        shed_see(&cfg->shed, &state->shed, i, &seen,
                 in->dt_s * (double)cfg->n_looks);
        if (isfinite(seen.power_w)) {
            state->pods_age_s = fmax(state->pods_age_s, seen.age_s);
        }
    }
}
