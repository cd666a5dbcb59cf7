/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "models/clamp.h"
#include "models/forecast_parts.h"

static const double HELD = 1e12;  /* no power is larger */
static const int64_t SETTLES = 3; /* steps until an event's effect is read */
static const double EFFECT_GAIN = 0.3;
static const int64_t LASTS = 10;  /* steps that a start or stop is called so */
static const int64_t LOST = 600;  /* steps until an end is taken for lost */
static const double DIP_PU = 0.1; /* of the range: a notch */
static const double IDLE_PU = 0.15;
static const double PATTERN = 0.5; /* weight of the pattern that is training */

static bool is_break(int64_t event)
{
    return event == JOB_START || event == JOB_STOP;
}

static double told_rise(const struct forecast *f, const struct job_in *job)
{
    double rise = job->power_to_w - job->power_from_w;
    if (isfinite(rise)) {
        return max_of(-HELD, min_of(HELD, rise));
    }
    return f->n_effect[job->event] > 0 ? f->effect[job->event] : 0.0;
}

void forecast_marker(struct forecast *f, const struct job_in *job, double in_s)
{
    if (!isfinite(in_s) || job->event < 0 || job->event >= JOB_COUNT) {
        return;
    }
    double grid_s = f->cfg.grid_s;
    double steps = max_of(-1e6, min_of(1e6, ceil(in_s / grid_s)));
    int64_t at = f->now + (int64_t)steps;
    double hint = job->period_s / grid_s;
    if (isfinite(hint) && hint >= 2.0 && hint < FORECAST_LAGS) {
        f->hint = hint;
    }
    f->marks[f->n_marks % FORECAST_MARKS] = (struct forecast_mark){
        .at = at,
        .event = job->event,
        .rise = told_rise(f, job),
    };
    f->n_marks++;
    if (is_break(job->event) && at <= f->now && at > f->now - SETTLES) {
        forecast_distrust(f);
    }
}

/* What is still to come of the rise at a mark that has just gone by. */
static double outstanding(const struct forecast *f,
                          const struct forecast_mark *m)
{
    const double *y = forecast_past(f);
    double left = m->rise - (y[0] - y[f->now - m->at + 1]);
    return m->rise > 0.0 ? max_of(0.0, min_of(m->rise, left))
                         : min_of(0.0, max_of(m->rise, left));
}

double forecast_announced(const struct forecast *f, int64_t steps, bool *breaks)
{
    double rise = 0.0;
    *breaks = false;
    int64_t n = f->n_marks < FORECAST_MARKS ? f->n_marks : FORECAST_MARKS;
    for (int64_t i = 0; i < n; i++) {
        const struct forecast_mark *m = &f->marks[i];
        int64_t in = m->at - f->now;
        if (in <= steps && in > -SETTLES) {
            rise += in > 0 ? m->rise : outstanding(f, m);
            *breaks = *breaks || is_break(m->event);
        }
    }
    return rise;
}

int64_t forecast_next_mark(const struct forecast *f, int64_t steps)
{
    int64_t next = INT64_MAX;
    int64_t n = f->n_marks < FORECAST_MARKS ? f->n_marks : FORECAST_MARKS;
    for (int64_t i = 0; i < n; i++) {
        int64_t in = f->marks[i].at - f->now;
        next = in > steps && in < next ? in : next;
    }
    return next;
}

/* The rise that came with an event is what the next of its kind will bring. */
static void learn_effect(struct forecast *f, int64_t event)
{
    const double *y = forecast_past(f);
    double after = 0.0;
    double before = 0.0;
    for (int64_t i = 0; i < SETTLES; i++) {
        after += y[i];
        before += y[i + 2 * SETTLES];
    }
    double rise = (after - before) / (double)SETTLES;
    double gain = f->n_effect[event] == 0 ? 1.0 : EFFECT_GAIN;
    f->effect[event] += gain * (rise - f->effect[event]);
    f->n_effect[event]++;
}

void forecast_marks_pass(struct forecast *f)
{
    int64_t n = f->n_marks < FORECAST_MARKS ? f->n_marks : FORECAST_MARKS;
    for (int64_t i = 0; i < n; i++) {
        const struct forecast_mark *m = &f->marks[i];
        if (m->at + SETTLES == f->now && f->n > 3 * SETTLES) {
            learn_effect(f, m->event);
        }
        if (m->at == f->now && is_break(m->event)) {
            forecast_distrust(f);
        }
    }
}

/* What the scheduler has said last of the present. */
static enum forecast_regime marked(const struct forecast *f)
{
    static const enum forecast_regime regimes[JOB_COUNT] = {
        [JOB_START] = FORECAST_START,
        [JOB_STOP] = FORECAST_STOP,
        [JOB_CHECKPOINT_START] = FORECAST_CHECKPOINT,
        [JOB_EVAL_START] = FORECAST_EVALUATION,
    };
    const struct forecast_mark *last = NULL;
    int64_t n = f->n_marks < FORECAST_MARKS ? f->n_marks : FORECAST_MARKS;
    for (int64_t i = 0; i < n; i++) {
        const struct forecast_mark *m = &f->marks[i];
        if (m->at <= f->now && (last == NULL || m->at >= last->at)) {
            last = m;
        }
    }
    if (last == NULL) {
        return FORECAST_UNKNOWN;
    }
    bool over = f->now - last->at > (is_break(last->event) ? LASTS : LOST);
    return over ? FORECAST_UNKNOWN : regimes[last->event];
}

/* In a notch: one that the cycles knew of is an evaluation. */
static enum forecast_regime in_cycle(const struct forecast *f, double range)
{
    const struct forecast_level *l = &f->level;
    const double *y = forecast_past(f);
    double low = l->mean - DIP_PU * range;
    if (y[0] >= low || y[1] >= low) {
        return FORECAST_TRAINING;
    }
    const struct forecast_trust *t = &f->h[0].trust;
    return t->nowcast < low || t->holds != 0 ? FORECAST_EVALUATION
                                             : FORECAST_CHECKPOINT;
}

enum forecast_regime forecast_regime(const struct forecast *f)
{
    enum forecast_regime told = marked(f);
    if (told != FORECAST_UNKNOWN || f->n < LASTS) {
        return told;
    }
    const struct forecast_level *l = &f->level;
    double range = f->clean.hi - f->clean.lo;
    if (f->h[0].trust.holds != 0 &&
        forecast_pattern_weight(&f->h[0]) > PATTERN) {
        return in_cycle(f, range);
    }
    bool low = range > 0.0 && l->fast < f->clean.lo + IDLE_PU * range &&
               range > IDLE_PU * fabs(f->clean.hi);
    if (f->now - l->jumped_at < LASTS && l->jumped_at > 0) {
        return l->mean > l->before ? FORECAST_START
               : low               ? FORECAST_STOP
                                   : FORECAST_CHECKPOINT;
    }
    return low ? FORECAST_IDLE : FORECAST_STEADY;
}

const char *forecast_regime_name(enum forecast_regime r)
{
#define REGIME_TEXT(name, text) [FORECAST_##name] = text,
    static const char *const texts[] = {FORECAST_REGIME_LIST(REGIME_TEXT)};
#undef REGIME_TEXT
    return (unsigned)r < FORECAST_REGIME_COUNT ? texts[r] : "?";
}
