/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_wear - a battery's cycle counter and life engine, a sample at a time,
 * against the same equations written down plainly in double precision. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/life.h"
#include "models/life_pack.h"
#include "models/random.h"
#include "replay/bench.h"

enum { SAMPLES = 500000, PACKS = 100000, SEED = 1 };

/* The plain way: an unbounded stack, every law as it is printed. */
struct naive {
    double *stack;
    size_t n;
    double y_t[LIFE_ROLES];
    double y_n[LIFE_ROLES];
};

/* Others may use the core: what counts is what the thread itself took. */
static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A walk of the state of charge that turns at every eighth sample, as the
 * smoothing of a training load makes it (../shared/vectors, grid_smoothing),
 * and a temperature in the steps of a battery's own sensor. */
static struct life_sample *make_walk(size_t n)
{
    struct life_sample *walk = calloc(n, sizeof(*walk));
    uint64_t random = random_seed(SEED);
    double soc_pu = 0.5;
    double step = 0.0;
    for (size_t i = 0; i < n && walk != NULL; i++) {
        step = 0.93 * step + random_draw(&random, -0.002, 0.002);
        soc_pu += step;
        if (soc_pu < 0.1 || soc_pu > 0.9) {
            step = -step;
            soc_pu = fmin(fmax(soc_pu, 0.1), 0.9);
        }
        double temp_c = 25.0 + 5.0 * sin((double)i / 200.0);
        walk[i] = (struct life_sample){.dt_s = 60.0,
                                       .soc_pu = soc_pu,
                                       .temp_c = round(10.0 * temp_c) / 10.0,
                                       .rate_per_h = fabs(step) * 60.0};
    }
    return walk;
}

static double time_rainflow(const struct life_sample *walk, double *sum)
{
    struct rainflow r;
    rainflow_init(&r, LIFE_DEADBAND_PU, RAINFLOW_DEPTH);
    int64_t from_ns = cpu_ns();
    for (int i = 0; i < SAMPLES; i++) {
        const struct life_sample *s = &walk[i];
        struct rainflow_sample x = {s->soc_pu, s->dt_s, s->temp_c,
                                    s->rate_per_h};
        enum err e = rainflow_feed(&r, &x);
        assert(e == ERR_NONE);
        (void)e;
        struct rainflow_cycle c;
        while (rainflow_take(&r, &c)) {
            *sum += c.count * c.range;
        }
    }
    return (double)(cpu_ns() - from_ns) / SAMPLES;
}

static double time_life(const struct life_sample *walk, double *sum)
{
    struct life l;
    life_init(&l, CHEMISTRY_LFP, RAINFLOW_DEPTH);
    int64_t from_ns = cpu_ns();
    for (int i = 0; i < SAMPLES; i++) {
        enum err e = life_feed(&l, &walk[i]);
        assert(e == ERR_NONE);
        (void)e;
    }
    double took_ns = (double)(cpu_ns() - from_ns);
    *sum += life_loss(&l, LIFE_PRICE, true).capacity_pu;
    return took_ns / SAMPLES;
}

static double naive_step(double y, double k, double p, double dx)
{
    return k > 0.0 ? k * pow(pow(y / k, 1.0 / p) + dx, p) : y;
}

static void naive_cycle(struct naive *v, const struct life_sample *s,
                        double depth_pu, double count)
{
    for (int i = 0; i < LIFE_ROLES; i++) {
        const struct life_model *m =
            life_model(i == LIFE_PRICE ? LIFE_LFP_250 : LIFE_LFP_NAUMANN);
        struct life_stress x = {.temp_k = s->temp_c + LIFE_ZERO_C_K,
                                .depth_pu = depth_pu,
                                .rate_per_h = s->rate_per_h};
        v->y_n[i] = naive_step(v->y_n[i], life_cycle_k(&m->loss_n, &x),
                               m->loss_n.p, count * depth_pu);
    }
}

static void naive_turn(struct naive *v, const struct life_sample *s)
{
    while (v->n >= 3) {
        const double *top = &v->stack[v->n - 1];
        double x = fabs(top[0] - top[-1]);
        double y = fabs(top[-1] - top[-2]);
        if (x < y) {
            return;
        }
        naive_cycle(v, s, y, v->n == 3 ? 0.5 : 1.0);
        if (v->n == 3) {
            v->stack[0] = v->stack[1];
            v->stack[1] = v->stack[2];
            v->n = 2;
        } else {
            v->stack[v->n - 3] = v->stack[v->n - 1];
            v->n -= 2;
        }
    }
}

static void naive_feed(struct naive *v, const struct life_sample *s)
{
    for (int i = 0; i < LIFE_ROLES; i++) {
        const struct life_model *m =
            life_model(i == LIFE_PRICE ? LIFE_LFP_250 : LIFE_LFP_NAUMANN);
        double k =
            life_calendar_k(&m->loss_t, s->temp_c + LIFE_ZERO_C_K, s->soc_pu);
        v->y_t[i] = naive_step(v->y_t[i], k, m->loss_t.p, s->dt_s / 86400.0);
    }
    size_t n = v->n;
    bool goes_on = n >= 2 && (v->stack[n - 1] - v->stack[n - 2]) *
                                     (s->soc_pu - v->stack[n - 1]) >=
                                 0.0;
    v->stack[goes_on ? n - 1 : v->n++] = s->soc_pu;
    naive_turn(v, s);
}

static double time_naive(const struct life_sample *walk, double *sum)
{
    struct naive v = {.stack = calloc(SAMPLES, sizeof(*v.stack))};
    if (v.stack == NULL) {
        return NAN;
    }
    int64_t from_ns = cpu_ns();
    for (int i = 0; i < SAMPLES; i++) {
        naive_feed(&v, &walk[i]);
    }
    double took_ns = (double)(cpu_ns() - from_ns);
    *sum += v.y_t[0] + v.y_n[0];
    free(v.stack);
    return took_ns / SAMPLES;
}

/* A minute of a fleet, per pack. */
static double time_packs(const struct life_sample *walk, double *sum)
{
    struct life_pack *packs = calloc(PACKS, sizeof(*packs));
    if (packs == NULL) {
        return NAN;
    }
    for (int i = 0; i < PACKS; i++) {
        life_pack_init(&packs[i], CHEMISTRY_NCA);
    }
    *sum += (double)life_pack_feed(packs, walk, PACKS);
    *sum += (double)life_pack_feed(packs, walk + PACKS, PACKS);
    int64_t from_ns = cpu_ns();
    *sum += (double)life_pack_feed(packs, walk + 2 * PACKS, PACKS);
    double took_ns = (double)(cpu_ns() - from_ns);
    free(packs);
    return took_ns / PACKS;
}

enum err bench_wear(struct bench_run *run)
{
    struct life_sample *walk = make_walk(SAMPLES);
    if (walk == NULL) {
        snprintf(run->why, sizeof(run->why), "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    double sum = 0.0; /* so that the compiler keeps the work */
    double rainflow_ns = time_rainflow(walk, &sum);
    double life_ns = time_life(walk, &sum);
    double naive_ns = time_naive(walk, &sum);
    double pack_ns = time_packs(walk, &sum);
    free(walk);
    if (!isfinite(sum) || isnan(naive_ns) || isnan(pack_ns)) {
        snprintf(run->why, sizeof(run->why), "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    bench_add(run, "rainflow_ns", rainflow_ns);
    bench_add(run, "life_ns", life_ns);
    bench_add(run, "naive_ns", naive_ns);
    bench_add(run, "naive_ratio", naive_ns / life_ns);
    bench_add(run, "pack_ns", pack_ns);
    bench_add(run, "life_bytes", (double)sizeof(struct life));
    bench_add(run, "pack_bytes", (double)sizeof(struct life_pack));
    return ERR_NONE;
}
