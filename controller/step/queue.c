/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/queue.h"

#include <math.h>

#include "controller/step/foresee.h"
#include "controller/step/step_parts.h"
#include "models/clamp.h"

static const double AT_CAP_PU = 0.97; /* draws this of its cap: wants more */
static const double USUAL_S = 900.0;  /* of what is usual */
static const double LOW_S = 86400.0;  /* in which its lowest is forgotten */
static const int64_t SLOTS = 4;       /* measured, before an outlook counts */
static const double HOUR_S = 3600.0;

/* A cap that was raised shows no sooner. */
static const double EASE_S = 30.0;
/* Work in so many hours of the class' full power is none. */
static const double LEAST_H = 1e-3;
/* Pods that want more for so long after all should be done have more to do than
 * was usual. */
static const double GIVE_UP_S = 1.5 * 3600.0;

/* What is left is done over that time at least, and with that part of what may
 * come on top at least: more may wait than is known of. */
static const double TAPER_S = 600.0;
static const double CREEP_PU = 0.25;

/* Of its deadline: done before. */
static const double EARLY_PU = 0.125;

/* The pods of a class. */
struct drawn {
    double w;
    bool pressed; /* some would draw more */
};

void queue_init(struct queue queues[SITE_CLASSES_MAX])
{
    for (int c = 0; c < SITE_CLASSES_MAX; c++) {
        queues[c] = (struct queue){.usual_w = NAN};
    }
}

void queue_resume(const struct step_cfg *cfg, struct queue *q, int class_id,
                  double gap_s)
{
    q->easy_s = 0.0;
    if (gap_s > 0.0) {
        (void)backlog_step(
            &q->waits, &(struct backlog_flow){
                           .deadline_s = cfg->site.classes[class_id].deadline_s,
                           .dt_s = gap_s,
                       });
    }
}

/* A pod at a limit of its own is not held back by anybody. */
static void look(const struct step_cfg *cfg, const struct step_state *state,
                 const struct estimate *est, struct drawn *drawn)
{
    for (int i = 0; i < cfg->site.n_pods; i++) {
        double cap_w = state->shed.cap_w[i];
        double w = isfinite(est->pod_w[i]) ? est->pod_w[i] : cap_w;
        struct drawn *d = &drawn[cfg->shed.class_id[i]];
        d->w += w;
        d->pressed = d->pressed || (cap_w < cfg->shed.power_max_w[i] &&
                                    cap_w < state->shed.pods[i].limit_w &&
                                    w >= AT_CAP_PU * cap_w);
    }
}

static void learn(struct queue *q, double w, double dt_s)
{
    double gain = isfinite(q->usual_w) ? dt_s / (dt_s + USUAL_S) : 1.0;
    double before_w = isfinite(q->usual_w) ? q->usual_w : 0.0;
    q->low_w = isfinite(q->usual_w) ? q->low_w : w;
    q->usual_w = before_w + gain * (w - before_w);
    q->low_w += (q->usual_w - q->low_w) * dt_s / (dt_s + LOW_S);
    q->low_w = fmin(q->low_w, q->usual_w);
    q->free_w = q->least_w = w;
}

static void add_up(const struct step_cfg *cfg, int class_id, struct queue *q,
                   double dt_s)
{
    double deadline_s = cfg->site.classes[class_id].deadline_s;
    double least_wh = LEAST_H * cfg->shed.class_max_w[class_id];
    (void)backlog_step(&q->waits, &(struct backlog_flow){
                                      .deadline_s = deadline_s,
                                      .asked_w = q->free_w,
                                      .done_w = q->now_w,
                                      .dt_s = dt_s,
                                  });
    bool over = q->waits.wh <= least_wh && !(q->easy_s > 0.0);
    q->over_s = over ? q->over_s + dt_s : 0.0;
    if (q->over_s >= fmin(deadline_s, GIVE_UP_S)) {
        q->more_w += q->now_w - q->free_w;
        q->over_s = 0.0;
    }
    if (q->easy_s >= EASE_S) {
        q->waits = (struct backlog){.wh = 0.0};
        q->more_w = 0.0;
        q->over_s = 0.0;
        q->behind = 0;
    }
}

void queue_step(const struct step_cfg *cfg, struct step_state *state,
                const struct snapshot *in, const struct estimate *est)
{
    if (!cfg->any_waits) {
        return;
    }
    struct drawn drawn[SITE_CLASSES_MAX] = {{0.0, false}};
    look(cfg, state, est, drawn);
    const struct foresee *f = foresee_in(cfg, state);
    for (int c = 0; c < cfg->site.n_classes; c++) {
        if (!cfg->waits[c]) {
            continue;
        }
        struct queue *q = &state->queues[c];
        const struct drawn *d = &drawn[c];
        double max_w = cfg->shed.class_max_w[c];
        bool full = q->behind && d->w >= AT_CAP_PU * max_w;
        q->now_w = d->w;
        q->easy_s = d->pressed || full ? 0.0 : fmin(q->easy_s + in->dt_s, 1e9);
        q->behind |= d->pressed;
        if (!q->behind) {
            learn(q, d->w, in->dt_s);
            continue;
        }
        if (!isfinite(q->usual_w)) {
            q->usual_w = q->low_w = d->w;
        }
        struct outlook_at at =
            foresee_slot(foresee_class_in(f, c), in->utc_ms, SLOTS);
        double mean_w = isfinite(at.mean) ? at.mean : q->usual_w;
        double least_w = isfinite(at.q10) ? fmin(at.q10, q->low_w) : q->low_w;
        q->free_w = clamp(mean_w + q->more_w, 0.0, max_w);
        q->least_w = clamp(least_w + q->more_w, 0.0, q->free_w);
        add_up(cfg, c, q, in->dt_s);
    }
}

/* Several classes may be done at the same time. */
static double share_w(const struct step_cfg *cfg,
                      const struct step_state *state, int class_id,
                      double covered_w)
{
    double sum_w = 0.0;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        bool behind = cfg->waits[c] && state->queues[c].behind;
        sum_w += behind ? cfg->shed.class_max_w[c] : 0.0;
    }
    double part = cfg->shed.class_max_w[class_id] / sum_w;
    return part * covered_w / cfg->load_per_pod;
}

double queue_beside_w(const struct queue *q, double covered_w)
{
    double less_w = q->behind ? q->free_w - q->least_w : q->usual_w - q->low_w;
    return fmax(covered_w - less_w, CREEP_PU * covered_w);
}

double queue_budget_w(const struct step_cfg *cfg,
                      const struct step_state *state, int class_id,
                      double planned_w, double covered_w)
{
    const struct queue *q = &state->queues[class_id];
    double max_w = cfg->shed.class_max_w[class_id];
    if (!q->behind) {
        return planned_w;
    }
    double deadline_s = cfg->site.classes[class_id].deadline_s;
    double most_w = share_w(cfg, state, class_id, covered_w);
    double creep = fmin(CREEP_PU + q->over_s / HOUR_S, 1.0);
    double left_w = q->waits.wh * HOUR_S / TAPER_S;
    double slow_w = q->free_w + creep * most_w;
    double top_w = fmax(q->free_w + queue_beside_w(q, most_w), slow_w);
    double may_w = clamp(q->free_w + left_w, slow_w, top_w);
    double fast_w = fmin(top_w, max_w);
    double takes_s = max_w / cfg->shed.return_w_per_s + TAPER_S;
    double spare_s = backlog_spare_s(&q->waits, deadline_s, fast_w);
    bool late = spare_s < EARLY_PU * deadline_s + takes_s;
    return late ? may_w : fmin(planned_w, may_w);
}

double queue_edge_w(const struct step_cfg *cfg, const struct step_state *state)
{
    double w = 0.0;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        const struct queue *q = &state->queues[c];
        if (cfg->waits[c] && q->behind) {
            double in_force_w = state->shed.class_w[c];
            bool budget = in_force_w < cfg->shed.class_max_w[c];
            double may_w = budget ? fmax(in_force_w, q->now_w) : q->now_w;
            w += fmax(may_w - q->least_w, 0.0);
        }
    }
    return w * cfg->load_per_pod;
}

double queue_sum_wh(const struct step_cfg *cfg, const struct step_state *state)
{
    double wh = 0.0;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        wh += cfg->waits[c] ? state->queues[c].waits.wh : 0.0;
    }
    return wh;
}

double queue_behind_w(const struct step_cfg *cfg,
                      const struct step_state *state)
{
    double w = 0.0;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        const struct queue *q = &state->queues[c];
        if (cfg->waits[c] && q->behind) {
            w += cfg->load_per_pod * (q->free_w - q->now_w) -
                 state->shed.class_held_w[c];
        }
    }
    return w;
}

bool queue_valid(const struct queue *q)
{
    static const double POWER_MAX_W = 1e13;
    static const double LONG_S = 1e12;
    bool usual =
        isnan(q->usual_w) || (q->usual_w >= 0.0 && q->usual_w <= POWER_MAX_W);
    return backlog_valid(&q->waits) && usual && q->now_w >= 0.0 &&
           q->now_w <= POWER_MAX_W && q->free_w >= 0.0 &&
           q->free_w <= POWER_MAX_W && q->least_w >= 0.0 &&
           q->least_w <= q->free_w && fabs(q->low_w) <= POWER_MAX_W &&
           fabs(q->more_w) <= POWER_MAX_W && q->easy_s >= 0.0 &&
           q->easy_s <= LONG_S && q->over_s >= 0.0 && q->over_s <= LONG_S &&
           (q->behind == 0 || q->behind == 1);
}
