/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/generator: the shapes it promises, found in its output; the
 * same numbers for a seed in any order; markers that fit the power. */
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/generator.h"
#include "replay/trace.h"

static struct generator *make(enum generator_kind kind, uint64_t seed)
{
    struct generator_cfg cfg = {
        .kind = kind, .seed = seed, .duration_s = 3600.0, .peak_w = 100e6};
    struct generator *g = generator_open(&cfg);
    assert_non_null(g);
    return g;
}

/* Where the job's training begins: its PHASE marker. */
static double training_from(struct generator *g)
{
    struct job_in m[8];
    int n = generator_markers(g, 0.0, 300.0, m, 8);
    for (int i = 0; i < n; i++) {
        if (m[i].event == JOB_PHASE) {
            assert_true(m[i].period_s == 10.95);
            return (double)m[i].at_ms / 1e3;
        }
    }
    fail_msg("no start of training within 300 s");
    return 0.0;
}

static double correlation(const double *x, int n, int lag)
{
    double mean = 0.0;
    for (int i = 0; i < n; i++) {
        mean += x[i] / n;
    }
    double a = 0.0;
    double b = 0.0;
    for (int i = 0; i + lag < n; i++) {
        a += (x[i] - mean) * (x[i + lag] - mean);
    }
    for (int i = 0; i < n - lag; i++) {
        b += (x[i] - mean) * (x[i] - mean);
    }
    return a / b;
}

/* Lag of the strongest correlation between two lags, in seconds. */
static double period(const double *x, int n, double from_s, double to_s,
                     double dt_s)
{
    double best = -2.0;
    int at = 0;
    for (int lag = (int)(from_s / dt_s); lag <= (int)(to_s / dt_s); lag++) {
        double c = correlation(x, n, lag);
        if (c > best) {
            best = c;
            at = lag;
        }
    }
    return at * dt_s;
}

static void test_training_shape(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct generator *g = make(GENERATOR_TRAINING, seed);
        double from_s = training_from(g);

        /* One stretch between evaluations: the iteration. */
        static double x[12000];
        for (int i = 0; i < 2580; i++) {
            x[i] = generator_at(g, from_s + 142.0 + i * 0.05);
        }
        double iteration = period(x, 2580, 5.0, 16.0, 0.05);
        if (fabs(iteration - 10.95) > 0.1) {
            fail_msg("seed %d: iteration %g s", (int)seed, iteration);
        }
        double high = 0.0;
        double low = 1e9;
        for (int i = 0; i < 2580; i++) {
            high = fmax(high, x[i]);
            low = fmin(low, x[i]);
        }
        assert_true(high > 95e6 && high <= 100e6);
        assert_true(fabs(1.0 - low / high - 0.13) < 0.03);

        /* Ten minutes: the evaluation, 13 s long and 33 % deep. */
        int deep = 0;
        double deep_w = 0.0;
        for (int i = 0; i < 12000; i++) {
            x[i] = generator_at(g, from_s + i * 0.1);
            if (x[i] < 75e6) {
                deep++;
                deep_w += x[i];
            }
        }
        double cycle = period(x, 6000, 120.0, 160.0, 0.1);
        assert_true(fabs(cycle - 142.0) < 0.2);
        double notches = floor(1200.0 / 142.0);
        assert_true(fabs(deep * 0.1 / notches - 12.5) < 0.6);
        assert_true(fabs(1.0 - deep_w / deep / 97.5e6 - 0.33) < 0.02);
        generator_close(g);
    }
}

static void test_jobs_start_and_stop(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct generator *g = make(GENERATOR_TRAINING, seed);
        static struct job_in m[200];
        int n = generator_markers(g, 0.0, 3600.0, m, 200);
        int count[JOB_COUNT] = {0};
        for (int i = 0; i < n; i++) {
            count[m[i].event]++;
            assert_true(i == 0 || m[i].at_ms >= m[i - 1].at_ms);
            assert_true(m[i].pod == -1 && m[i].seq == 0);
        }
        /* The default hour shows all there is. */
        assert_true(count[JOB_START] == 2 && count[JOB_STOP] == 1);
        assert_true(count[JOB_CHECKPOINT_START] == 1);
        assert_true(count[JOB_CHECKPOINT_END] == 1);
        assert_true(count[JOB_EVAL_START] >= 15);
        assert_true(count[JOB_EVAL_START] - count[JOB_EVAL_END] <= 1);
        /* What a marker says is what the power does around it.  A notch may
         * fall into a checkpoint, so the medians of all must fit. */
        int fits = 0;
        for (int i = 0; i < n; i++) {
            double t_s = (double)m[i].at_ms / 1e3;
            double before = generator_at(g, t_s - 0.1);
            double after = generator_at(g, t_s + 1.2);
            bool falls = m[i].power_to_w < m[i].power_from_w;
            fits += falls ? after < before - 5e6
                          : after > before + 5e6 ||
                                fabs(after - m[i].power_to_w) < 16e6;
        }
        assert_true(fits >= n * 9 / 10);
        /* Several jobs on a long run. */
        static struct job_in many[4096];
        n = generator_markers(g, 0.0, 4 * 86400.0, many, 4096);
        int starts = 0;
        for (int i = 0; i < n; i++) {
            starts += many[i].event == JOB_START;
        }
        assert_true(starts >= 5);
        generator_close(g);
    }
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

/* The power depends on seed and instant alone, in whatever order one asks,
 * and windows of markers add up. */
static void test_deterministic_by_seed(void **state)
{
    (void)state;
    uint64_t seed = 3;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int kind = 0; kind < GENERATOR_COUNT; kind++) {
        struct generator *a = make((enum generator_kind)kind, 9);
        struct generator *b = make((enum generator_kind)kind, 9);
        struct generator *c = make((enum generator_kind)kind, 10);
        int same = 0;
        for (int i = 0; i < 20000; i++) {
            double t_s = i * 5.3;
            double forward = generator_at(a, t_s);
            assert_true(forward >= 0.0 && forward <= 100e6);
            generator_at(b, (double)(next(&seed) % 500000) * 0.3);
            assert_true(generator_at(b, t_s) == forward);
            same += generator_at(c, t_s) == forward;
        }
        assert_true(same < 200);

        static struct job_in whole[2048];
        int n = generator_markers(a, 0.0, 40000.0, whole, 2048);
        int k = 0;
        double from_s = 0.0;
        while (from_s < 40000.0) {
            double to_s =
                fmin(40000.0, from_s + 0.1 + (double)(next(&seed) % 300));
            struct job_in part[64];
            int got = generator_markers(b, from_s, to_s, part, 64);
            for (int i = 0; i < got; i++, k++) {
                assert_true(k < n && part[i].at_ms == whole[k].at_ms &&
                            part[i].event == whole[k].event);
            }
            from_s = to_s;
        }
        assert_true(k == n && (n > 0) == (kind != GENERATOR_INFERENCE));
        /* A short list holds the earliest. */
        struct job_in few[3];
        int got = generator_markers(a, 0.0, 40000.0, few, 3);
        assert_true(got == (n < 3 ? n : 3));
        for (int i = 0; i < got; i++) {
            assert_true(few[i].at_ms == whole[i].at_ms);
        }
        generator_close(a);
        generator_close(b);
        generator_close(c);
    }
}

static void test_inference_day_and_week(void **state)
{
    (void)state;
    struct generator *g = make(GENERATOR_INFERENCE, 4);
    double night = 0.0;
    double noon = 0.0;
    double saturday = 0.0;
    for (int day = 0; day < 70; day++) {
        for (int i = 0; i < 60; i++) {
            double t_s = day * 86400.0 + i * 60.0;
            bool weekend = day % 7 >= 5;
            night += weekend ? 0.0 : generator_at(g, t_s + 3 * 3600) / 3000;
            noon += weekend ? 0.0 : generator_at(g, t_s + 15 * 3600) / 3000;
            saturday += weekend ? generator_at(g, t_s + 15 * 3600) / 1200 : 0.0;
        }
    }
    assert_true(noon > 1.4 * night);
    assert_true(fabs(saturday / noon - 0.88) < 0.04);
    generator_close(g);
}

static void test_parse(void **state)
{
    (void)state;
    struct generator_cfg cfg;
    char why[256] = "";
    assert_int_equal(generator_parse("training", 5e6, &cfg, why, sizeof(why)),
                     ERR_NONE);
    assert_true(cfg.kind == GENERATOR_TRAINING && cfg.seed == 1);
    assert_true(cfg.duration_s == 3600.0 && cfg.peak_w == 5e6);
    assert_int_equal(generator_parse("mixed,seed=7,days=2.5,power=150 MW", 5e6,
                                     &cfg, why, sizeof(why)),
                     ERR_NONE);
    assert_true(cfg.kind == GENERATOR_MIXED && cfg.seed == 7);
    assert_true(cfg.duration_s == 216000.0 && cfg.peak_w == 150e6);

    static const char *const bad[] = {
        "",
        "trainin",
        "training,",
        "training,seed",
        "training,seed=",
        "training,seed=-1",
        "training,seed=1.5",
        "training,days=0",
        "training,days=nan",
        "training,days=1e9",
        "training,power=5",
        "training,power=-5 MW",
        "training,powerful=5 MW",
        "training,seed=1,,days=1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why[0] = '\0';
        if (generator_parse(bad[i], 5e6, &cfg, why, sizeof(why)) == ERR_NONE ||
            strstr(why, "expected") == NULL) {
            fail_msg("%s: %s", bad[i], why);
        }
    }
}

static void test_as_a_trace_it_is_labelled_synthetic(void **state)
{
    (void)state;
    struct trace_cfg cfg = {.load = "gen:training,seed=3",
                            .scale = 2.0,
                            .repeat = 2,
                            .peak_w = 1e6};
    struct trace t;
    char why[256] = "";
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_NONE);
    assert_true(t.synthetic && strstr(t.name, "synthetic") != NULL);
    assert_true(t.duration_s == 7200.0);
    size_t cursor = 0;
    double first = trace_at(&t, 100.0, &cursor);
    assert_true(fabs(trace_at(&t, 3700.0, &cursor) - first) < 1.0);
    assert_true(first > 1.0e6 && first <= 2.0e6);
    trace_clear(&t);

    cfg.column = "ac_kw";
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_UNKNOWN);
    cfg.column = NULL;
    cfg.load = "gen:nothing";
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training_shape),
        cmocka_unit_test(test_jobs_start_and_stop),
        cmocka_unit_test(test_deterministic_by_seed),
        cmocka_unit_test(test_inference_day_and_week),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_as_a_trace_it_is_labelled_synthetic),
    };
    return cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
