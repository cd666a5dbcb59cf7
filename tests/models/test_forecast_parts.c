/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/forecast_parts: what is done for several horizons at once is
 * what would be done for each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/forecast_parts.h"
#include "models/random.h"

enum { N_STEPS = 3000, N_LAWS = 7 };

static struct forecast f;

static void start(void)
{
    static const struct forecast_cfg cfg = {
        .grid_s = 1.0,
        .horizon_s = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600},
        .n_horizons = 10,
    };
    forecast_init(&f, &cfg);
}

/* Loads with far and near copies, with ties, told of and not. */
struct load {
    const char *name;
    int period, inner;
    double noise, hint;
};

static double load_at(const struct load *l, int k, uint64_t *random)
{
    double notch = k % l->period >= l->period - l->period / 8 ? -150.0 : 0.0;
    double beat = k % l->inner == 0 ? 60.0 : 0.0;
    return 450.0 + notch + beat + random_draw(random, -l->noise, l->noise);
}

static bool same_lags(const struct forecast_horizon *a,
                      const struct forecast_horizon *b)
{
    return memcmp(a->far, b->far, sizeof(a->far)) == 0 &&
           memcmp(a->near, b->near, sizeof(a->near)) == 0;
}

/* Returns how many searches one after the other were not made. */
static int choose_both_ways(void)
{
    struct forecast_choice shared;
    shared.far.shortest = shared.near.shortest = 0;
    int n_shared = 0;
    for (int64_t i = 0; i < f.cfg.n_horizons; i++) {
        struct forecast_horizon alone = f.h[i];
        struct forecast_horizon after = f.h[i];
        struct forecast_choice fresh;
        fresh.far.shortest = fresh.near.shortest = 0;
        struct forecast_lag before = shared.far.old[0];
        forecast_choose(&f, &alone, &fresh);
        forecast_choose(&f, &after, &shared);
        assert_true(same_lags(&alone, &after));
        n_shared += i > 0 && shared.far.old[0].lag == before.lag &&
                    shared.far.shortest >= f.h[i].steps;
    }
    return n_shared;
}

static void a_search_shared_finds_what_one_alone_does(void **state)
{
    (void)state;
    static const struct load loads[] = {
        {"noisy", 90, 7, 20.0, 0.0},  {"exact", 90, 7, 0.0, 0.0},
        {"told", 240, 9, 5.0, 240.0}, {"told, exact", 64, 8, 0.0, 8.0},
        {"short", 8, 3, 10.0, 0.0},   {"noise", 90, 7, 500.0, 17.0},
    };
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        const struct load *l = &loads[i];
        uint64_t random = random_seed(i + 1);
        int n_shared = 0;
        start();
        f.hint = l->hint;
        for (int k = 0; k < N_STEPS; k++) {
            forecast_step(&f, load_at(l, k, &random), 1.0);
            n_shared += k % 7 == 0 ? choose_both_ways() : 0;
        }
        print_message("%s (seed %zu): %d searches shared\n", l->name, i + 1,
                      n_shared);
        assert_true(n_shared > 0);
    }
}

/* Views and what came, of laws that have learnt differently. */
static void teach(struct forecast_law laws[N_LAWS], uint64_t *random)
{
    for (int k = 0; k < N_LAWS; k++) {
        struct forecast_view v = {.base = 10.0 * k};
        double came = v.base;
        for (int i = 0; i < FORECAST_FEATURES; i++) {
            v.x[i] = random_draw(random, -1.0, 1.0);
            came += v.x[i] * (i % (k + 2) == 0 ? 3.0 : 0.5);
        }
        forecast_law_learn(&laws[k], &v, came);
    }
}

static void laws_solved_together_are_as_each_alone(void **state)
{
    (void)state;
    static struct forecast_law alone[N_LAWS];
    static struct forecast_law abreast[N_LAWS];
    uint64_t seeds[2] = {random_seed(5), random_seed(5)};
    struct forecast_law *all[N_LAWS];
    for (int k = 0; k < N_LAWS; k++) {
        all[k] = &abreast[k];
    }
    for (int n = 0; n < 400; n++) {
        teach(alone, &seeds[0]);
        teach(abreast, &seeds[1]);
        for (int k = 0; k < N_LAWS; k++) {
            struct forecast_law *one[] = {&alone[k]};
            forecast_law_solve(one, 1);
        }
        forecast_law_solve(all, N_LAWS);
        assert_memory_equal(alone, abreast, sizeof(alone));
    }
    assert_true(alone[0].theta[0] > 2.0 && alone[0].theta[0] < 3.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_shared_finds_what_one_alone_does),
        cmocka_unit_test(laws_solved_together_are_as_each_alone),
    };
    return cmocka_run_group_tests_name("forecast_parts", tests, NULL, NULL);
}
