/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/generator.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "replay/noise.h"

static const double pi = 3.14159265358979323846;
static const double day_s = 86400.0;

/* Of the peak. */
static const double idle_pu = 0.36;
static const double loading_pu = 0.62;
static const double train_pu = 0.975;
static const double checkpoint_pu = 0.55;

/* Of the training level. */
static const double dip_pu = 0.13;
static const double notch_pu = 0.33;

static const double iteration_s = 10.95;
static const double dip_s = 2.6; /* at the end of an iteration */
static const double edge_s = 0.3;
static const double cycle_s = 142.0;
static const double train_s = 129.0; /* of the cycle, the rest evaluates */
static const double checkpoint_every_s = 1800.0;

static const double training_share_pu = 0.6; /* of a mixed load */

enum {
    NOISE_FAST,   /* what sensors and schedulers do */
    NOISE_LEVEL,  /* of training, slow */
    NOISE_DEPTH,  /* of each dip and notch */
    NOISE_SECOND, /* inference: bursts of four lengths */
    NOISE_MINUTE,
    NOISE_QUARTER,
    NOISE_HOUR,
    NOISE_COUNT,
};

static const double spacing_s[NOISE_COUNT] = {
    [NOISE_FAST] = 0.5,    [NOISE_LEVEL] = 60.0,  [NOISE_DEPTH] = 1.0,
    [NOISE_SECOND] = 2.0,  [NOISE_MINUTE] = 40.0, [NOISE_QUARTER] = 600.0,
    [NOISE_HOUR] = 3600.0,
};

/* Seeds of what is not noise over time. */
enum { SEED_JOB = 100, SEED_CHECKPOINT = 101 };

/* One job; after 'stop_s' the cluster idles until 'next_s'. */
struct job {
    long number;
    double start_s;
    double train_at_s; /* loading is over */
    double stop_s;
    double next_s; /* start of the next job */
};

/* The save after 'number' half hours of training; it begins no later than
 * the job's stop allows, else never (from_s is INFINITY). */
struct save {
    long job;
    long number;
    double from_s;
    double to_s;
};

struct generator {
    struct generator_cfg cfg;
    gsl_rng *rng;
    struct noise noise[NOISE_COUNT];
    struct job job;       /* asked for last */
    struct save saves[2]; /* likewise, of even and of odd numbers */
};

static void seed_for(struct generator *g, uint64_t what, uint64_t number)
{
    uint64_t s = noise_seed(g->cfg.seed, what, number);
    gsl_rng_set(g->rng, (unsigned long)(s & 0xFFFFFFFFu));
}

/* The first job ends within the default hour, so that this shows a stop and
 * another start; the others last for hours. */
static struct job make_job(struct generator *g, long number, double start_s)
{
    seed_for(g, SEED_JOB, (uint64_t)number);
    struct job j = {.number = number, .start_s = start_s};
    if (number == 0) {
        j.start_s += gsl_ran_flat(g->rng, 30.0, 60.0);
    }
    j.train_at_s = j.start_s + gsl_ran_flat(g->rng, 15.0, 40.0);
    double hours = gsl_ran_lognormal(g->rng, log(5.0), 0.6);
    double run_s = number == 0 ? gsl_ran_flat(g->rng, 2400.0, 2760.0)
                               : 3600.0 * fmax(1.0, fmin(16.0, hours));
    j.stop_s = j.train_at_s + run_s;
    j.next_s = j.stop_s + gsl_ran_flat(g->rng, 180.0, 480.0);
    return j;
}

/* The job that runs or idles at 't_s', or the first one before its start. */
static struct job find_job(struct generator *g, double t_s)
{
    if (g->job.number < 0 || t_s < g->job.start_s) {
        g->job = make_job(g, 0, 0.0);
    }
    while (t_s >= g->job.next_s) {
        g->job = make_job(g, g->job.number + 1, g->job.next_s);
    }
    return g->job;
}

static struct save find_save(struct generator *g, const struct job *job,
                             long number)
{
    struct save *kept = &g->saves[number % 2 != 0];
    if (kept->job == job->number && kept->number == number) {
        return *kept;
    }
    seed_for(g, SEED_CHECKPOINT,
             (uint64_t)job->number * 4096u + (uint64_t)number);
    struct save s = {.job = job->number, .number = number};
    s.from_s = job->train_at_s + (double)number * checkpoint_every_s +
               gsl_ran_flat(g->rng, -60.0, 60.0);
    s.to_s = s.from_s + gsl_ran_flat(g->rng, 20.0, 40.0);
    if (number < 1 || s.to_s >= job->stop_s) {
        s.from_s = INFINITY;
        s.to_s = INFINITY;
    }
    *kept = s;
    return s;
}

/* 0 outside [0, length], 1 inside, with straight edges within it. */
static double trapezoid(double x, double length, double edge)
{
    double rise = fmin(x, length - x) / edge;
    return fmax(0.0, fmin(1.0, rise));
}

/* Evaluation notch and iteration dips, 'v_s' after the training began. */
static double cycle_level(struct generator *g, double v_s)
{
    double of_cycle_s = fmod(v_s, cycle_s);
    if (of_cycle_s >= train_s) {
        int64_t n = (int64_t)(v_s / cycle_s);
        double depth =
            notch_pu * (1.0 + 0.02 * noise_point(&g->noise[NOISE_DEPTH], n));
        double notch =
            trapezoid(of_cycle_s - train_s, cycle_s - train_s, 2.0 * edge_s);
        return 1.0 - depth * notch;
    }
    double of_iteration_s = fmod(of_cycle_s, iteration_s);
    double from_s = iteration_s - dip_s;
    if (of_iteration_s < from_s) {
        return 1.0;
    }
    int64_t n = (int64_t)(v_s / iteration_s);
    double depth =
        dip_pu * (1.0 + 0.05 * noise_point(&g->noise[NOISE_DEPTH], n));
    return 1.0 - depth * trapezoid(of_iteration_s - from_s, dip_s, edge_s);
}

static double training_pu(struct generator *g, double t_s)
{
    double noise = 0.004 * noise_at(&g->noise[NOISE_FAST], t_s);
    struct job job = find_job(g, t_s);
    if (t_s < job.start_s || t_s >= job.stop_s) {
        return idle_pu * (1.0 + noise);
    }
    if (t_s < job.train_at_s) {
        return loading_pu * (1.0 + 5.0 * noise);
    }
    double v_s = t_s - job.train_at_s;
    double level =
        train_pu * (1.0 + 0.003 * noise_at(&g->noise[NOISE_LEVEL], t_s));
    level *= cycle_level(g, v_s);
    struct save save = find_save(g, &job, lround(v_s / checkpoint_every_s));
    if (t_s >= save.from_s && t_s < save.to_s) {
        double in = trapezoid(t_s - save.from_s, save.to_s - save.from_s, 1.0);
        level = fmin(level, level + in * (checkpoint_pu - level));
    }
    return level * (1.0 + noise);
}

/* Most people write between breakfast and midnight and fewer at weekends. */
static double inference_pu(struct generator *g, double t_s)
{
    double angle = 2.0 * pi * (fmod(t_s, day_s) / day_s - 15.0 / 24.0);
    double of_day = 0.5 + 0.44 * cos(angle) + 0.06 * cos(2.0 * angle);
    double of_week_s = fmod(t_s, 7.0 * day_s);
    double weekend =
        trapezoid(of_week_s - 5.0 * day_s, 2.0 * day_s, 3.0 * 3600);
    double level = (0.46 + 0.30 * of_day) * (1.0 - 0.12 * weekend);
    level *= 1.0 + 0.020 * noise_at(&g->noise[NOISE_SECOND], t_s) +
             0.035 * noise_at(&g->noise[NOISE_MINUTE], t_s) +
             0.045 * noise_at(&g->noise[NOISE_QUARTER], t_s) +
             0.035 * noise_at(&g->noise[NOISE_HOUR], t_s);
    return fmax(idle_pu, level);
}

double generator_at(struct generator *g, double t_s)
{
    double pu = 0.0;
    switch (g->cfg.kind) {
    case GENERATOR_TRAINING:
        pu = training_pu(g, t_s);
        break;
    case GENERATOR_INFERENCE:
        pu = inference_pu(g, t_s);
        break;
    case GENERATOR_MIXED:
        pu = training_share_pu * training_pu(g, t_s) +
             (1.0 - training_share_pu) * inference_pu(g, t_s);
        break;
    case GENERATOR_COUNT:
        assert(false);
    }
    return g->cfg.peak_w * fmax(0.0, fmin(1.0, pu));
}

struct generator *generator_open(const struct generator_cfg *cfg)
{
    assert((unsigned)cfg->kind < GENERATOR_COUNT);
    assert(cfg->peak_w > 0.0 && isfinite(cfg->peak_w));
    assert(cfg->duration_s > 0.0);
    struct generator *g = calloc(1, sizeof(*g));
    if (g == NULL) {
        return NULL;
    }
    g->rng = gsl_rng_alloc(gsl_rng_taus2);
    if (g->rng == NULL) {
        free(g);
        return NULL;
    }
    g->cfg = *cfg;
    g->job.number = -1;
    g->saves[0].job = g->saves[1].job = -1;
    for (int i = 0; i < NOISE_COUNT; i++) {
        noise_init(&g->noise[i], g->rng, noise_seed(cfg->seed, (uint64_t)i, 0),
                   spacing_s[i]);
    }
    return g;
}

void generator_close(struct generator *g)
{
    if (g != NULL) {
        gsl_rng_free(g->rng);
        free(g);
    }
}

/* Markers found so far, the earliest 'max' of them, in order of time. */
struct marker_list {
    double from_s;
    double to_s;
    double scale_w;
    struct job_in *out;
    int max;
    int n;
};

struct marker {
    enum job_event event;
    double at_s;
    double from_pu;
    double to_pu;
};

static void post(struct marker_list *list, struct marker m)
{
    if (!(m.at_s >= list->from_s && m.at_s < list->to_s)) {
        return;
    }
    int64_t at_ms = llround(m.at_s * 1e3);
    int i = list->n;
    while (i > 0 && list->out[i - 1].at_ms > at_ms) {
        i--;
    }
    if (i >= list->max) {
        return;
    }
    list->n += list->n < list->max;
    for (int k = list->n - 1; k > i; k--) {
        list->out[k] = list->out[k - 1];
    }
    list->out[i] = (struct job_in){
        .pod = -1,
        .event = m.event,
        .at_ms = at_ms,
        .power_from_w = m.from_pu * list->scale_w,
        .power_to_w = m.to_pu * list->scale_w,
        .period_s = m.event == JOB_PHASE ? iteration_s : NAN,
    };
}

static void post_cycles(struct marker_list *list, const struct job *job)
{
    double low_pu = train_pu * (1.0 - notch_pu);
    /* From the cycle before, whose end may be the window's first instant. */
    double since_s = fmax(0.0, list->from_s - job->train_at_s);
    double n = fmax(0.0, floor(since_s / cycle_s) - 1.0);
    for (;; n += 1.0) {
        double at_s = job->train_at_s + n * cycle_s + train_s;
        double end_s = job->train_at_s + (n + 1.0) * cycle_s;
        if (at_s >= fmin(list->to_s, job->stop_s)) {
            return;
        }
        post(list, (struct marker){JOB_EVAL_START, at_s, train_pu, low_pu});
        post(list, (struct marker){JOB_EVAL_END, fmin(end_s, job->stop_s),
                                   low_pu, train_pu});
    }
}

static void post_saves(struct generator *g, struct marker_list *list,
                       const struct job *job)
{
    double since_s = fmax(0.0, list->from_s - job->train_at_s);
    long number = lround(floor(since_s / checkpoint_every_s));
    double at_s = job->train_at_s + (double)number * checkpoint_every_s;
    for (; at_s - 60.0 < list->to_s && at_s < job->stop_s + 60.0;
         at_s += checkpoint_every_s, number++) {
        struct save s = find_save(g, job, number);
        post(list, (struct marker){JOB_CHECKPOINT_START, s.from_s, train_pu,
                                   checkpoint_pu});
        post(list, (struct marker){JOB_CHECKPOINT_END, s.to_s, checkpoint_pu,
                                   train_pu});
    }
}

int generator_markers(struct generator *g, double from_s, double to_s,
                      struct job_in *out, int max)
{
    assert(from_s >= 0.0 && max >= 0);
    if (g->cfg.kind == GENERATOR_INFERENCE || !(from_s < to_s)) {
        return 0;
    }
    double share = g->cfg.kind == GENERATOR_MIXED ? training_share_pu : 1.0;
    struct marker_list list = {.from_s = from_s,
                               .to_s = to_s,
                               .scale_w = share * g->cfg.peak_w,
                               .out = out,
                               .max = max};
    /* The one that runs stays the last asked for: to go back is to begin with
     * the first. */
    struct job job = find_job(g, from_s);
    while (job.start_s < to_s && list.n < max) {
        post(&list,
             (struct marker){JOB_START, job.start_s, idle_pu, loading_pu});
        post(&list,
             (struct marker){JOB_PHASE, job.train_at_s, loading_pu, train_pu});
        post_cycles(&list, &job);
        post_saves(g, &list, &job);
        post(&list, (struct marker){JOB_STOP, job.stop_s, train_pu, idle_pu});
        if (job.next_s >= to_s) {
            break;
        }
        job = make_job(g, job.number + 1, job.next_s);
    }
    return list.n;
}
