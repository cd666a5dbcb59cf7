/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_wear - a battery's cycle counter and life engine, a sample at a time,
 * against the same equations written down plainly in double precision. */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/life.h"
#include "models/life_pack.h"
#include "models/random.h"
#include "replay/bench.h"

enum { SAMPLES = 500000, SEED = 1 };
enum { PACKS = 1000000, WARM_UP_MIN = 8, COUNTED_MIN = 5 };

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

/* As its sensor tells it: in steps of 0.1 K, with noise. */
static double sensed_c(uint64_t *random, double temp_c)
{
    double noisy_c = temp_c + random_draw(random, -0.05, 0.05);
    return round(10.0 * noisy_c) / 10.0;
}

static double sensed_pu(uint64_t *random, double soc_pu, double noise)
{
    return fmin(fmax(soc_pu + random_draw(random, -noise, noise), 0.0), 1.0);
}

/* A walk of the state of charge that turns at every eighth sample, as the
 * smoothing of a training load makes it (../shared/vectors, grid_smoothing),
 * with noise below the deadband, and a temperature that follows the weather.
 * No sample is like the one before. */
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
        walk[i] =
            (struct life_sample){.dt_s = 60.0,
                                 .soc_pu = sensed_pu(&random, soc_pu, 3e-4),
                                 .temp_c = sensed_c(&random, temp_c),
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

/* A car: most stand, some charge, some drive; now and then one changes. */
struct car {
    float soc_pu;
    float temp_c;
    float step_pu; /* a minute; 0: at rest */
};

static void drive(struct car *cars, struct life_sample *s, uint64_t *random)
{
    for (size_t i = 0; i < PACKS; i++) {
        struct car *c = &cars[i];
        double u = random_draw(random, 0.0, 40.0);
        if (u < 1.0) {
            c->step_pu = u < 0.7 ? 0.0F : u < 0.85 ? 0.0016F : -0.003F;
        }
        bool rests = c->step_pu == 0.0F;
        double step = (double)c->step_pu;
        /* Driving is uneven, and brakes give back. */
        step += step < 0.0 ? random_draw(random, -0.003, 0.004) : 0.0;
        double soc_pu = fmin(fmax((double)c->soc_pu + step, 0.05), 0.95);
        double drift_k = rests ? 0.005 * (12.0 - (double)c->temp_c) : 0.03;
        c->soc_pu = (float)soc_pu;
        c->temp_c += (float)fmin(drift_k, 40.0 - (double)c->temp_c);
        s[i] =
            (struct life_sample){.dt_s = 60.0,
                                 .soc_pu = sensed_pu(random, soc_pu, 2e-4),
                                 .temp_c = sensed_c(random, (double)c->temp_c),
                                 .rate_per_h = NAN};
    }
}

static void park(struct life_pack *packs, struct car *cars, uint64_t *random)
{
    for (size_t i = 0; i < PACKS; i++) {
        life_pack_init(&packs[i], CHEMISTRY_NCA);
        cars[i] = (struct car){.soc_pu = (float)random_draw(random, 0.2, 0.9),
                               .temp_c = (float)random_draw(random, 5.0, 35.0)};
    }
}

struct fleet_time {
    double minute_ns[COUNTED_MIN]; /* per pack */
    double day_ns;                 /* the minute that ends everybody's day */
};

static void time_minutes(struct life_pack *packs, struct life_sample *s,
                         struct car *cars, struct fleet_time *out)
{
    uint64_t random = random_seed(SEED);
    park(packs, cars, &random);
    for (int i = -WARM_UP_MIN; i < COUNTED_MIN + 1; i++) {
        drive(cars, s, &random);
        if (i == COUNTED_MIN) {
            for (size_t k = 0; k < PACKS; k++) {
                packs[k].today_s = (float)LIFE_DAY_S - 60.0F;
            }
        }
        int64_t from_ns = cpu_ns();
        size_t n_refused = life_pack_feed(packs, s, PACKS);
        double took_ns = (double)(cpu_ns() - from_ns) / PACKS;
        assert(n_refused == 0);
        (void)n_refused;
        if (i == COUNTED_MIN) {
            out->day_ns = took_ns;
        } else {
            out->minute_ns[i < 0 ? 0 : i] = took_ns;
        }
    }
}

/* False without memory. */
static bool time_fleet(struct fleet_time *out)
{
    struct life_pack *packs = calloc(PACKS, sizeof(*packs));
    struct life_sample *s = calloc(PACKS, sizeof(*s));
    struct car *cars = calloc(PACKS, sizeof(*cars));
    bool fits = packs != NULL && s != NULL && cars != NULL;
    if (fits) {
        time_minutes(packs, s, cars, out);
    }
    free(packs);
    free(s);
    free(cars);
    return fits;
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
    free(walk);
    struct fleet_time fleet;
    if (!isfinite(sum) || isnan(naive_ns) || !time_fleet(&fleet)) {
        snprintf(run->why, sizeof(run->why), "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    bench_add(run, "rainflow_ns", rainflow_ns);
    bench_add(run, "life_ns", life_ns);
    bench_add(run, "naive_ns", naive_ns);
    bench_add(run, "naive_ratio", naive_ns / life_ns);
    bench_add(run, "pack_ns",
              bench_quantile(fleet.minute_ns, COUNTED_MIN, 0.5));
    bench_add(run, "pack_day_ns", fleet.day_ns);
    bench_add(run, "life_bytes", (double)sizeof(struct life));
    bench_add(run, "pack_bytes", (double)sizeof(struct life_pack));
    bench_add(run, "packs_mb", (double)sizeof(struct life_pack) * PACKS / 1e6);
    return ERR_NONE;
}
