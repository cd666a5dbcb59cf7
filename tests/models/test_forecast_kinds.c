/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/forecast: on series whose best forecast is known it comes
 * near it, and its bands hold what they promise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/forecast_state.h"
#include "models/random.h"

enum { H1, H5, H60, N_HORIZONS, N = 8000, WARM = 2000 };

static const int LEADS[N_HORIZONS] = {1, 5, 60};
static const double TURN = 6.283185307179586;

static struct forecast f;

/* A series: its value at k, and the best forecast of the value 'lead' after
 * the newest one. */
struct kind {
    const char *name;
    double (*next)(double last, int k, uint64_t *r);
    double (*best)(double newest, int k, int lead);
    double most; /* our mean miss in that of the best forecast; */
    double room; /* or this much more */
};

static double gauss(uint64_t *r)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) {
        sum += random_draw(r, 0.0, 1.0);
    }
    return sum;
}

static double white(double last, int k, uint64_t *r)
{
    (void)last;
    (void)k;
    return 100.0 + 5.0 * gauss(r);
}

static double hundred(double newest, int k, int lead)
{
    (void)newest;
    (void)k;
    (void)lead;
    return 100.0;
}

static double drawn_back(double last, int k, uint64_t *r)
{
    return k == 0 ? 100.0 : 100.0 + 0.9 * (last - 100.0) + gauss(r);
}

static double back_by_then(double newest, int k, int lead)
{
    (void)k;
    return 100.0 + pow(0.9, lead) * (newest - 100.0);
}

static double walk(double last, int k, uint64_t *r)
{
    return k == 0 ? 1000.0 : last + gauss(r);
}

static double stays(double newest, int k, int lead)
{
    (void)k;
    (void)lead;
    return newest;
}

static double wave(int k)
{
    return 100.0 + 20.0 * sin(TURN * k / 37.3);
}

static double sine(double last, int k, uint64_t *r)
{
    (void)last;
    (void)r;
    return wave(k);
}

static double noisy_sine(double last, int k, uint64_t *r)
{
    (void)last;
    return wave(k) + 2.0 * gauss(r);
}

static double wave_then(double newest, int k, int lead)
{
    (void)newest;
    return wave(k + lead);
}

static double noisy_ramp(double last, int k, uint64_t *r)
{
    (void)last;
    return 0.5 * k + 2.0 * gauss(r);
}

static double ramp_then(double newest, int k, int lead)
{
    (void)newest;
    return 0.5 * (k + lead);
}

static const struct kind kinds[] = {
    {"white noise", white, hundred, 1.04, 0.0},
    {"AR(1)", drawn_back, back_by_then, 1.08, 0.0},
    {"random walk", walk, stays, 1.1, 0.0},
    {"sine", sine, wave_then, 1.0, 0.6},
    {"sine and noise", noisy_sine, wave_then, 1.3, 0.0},
    {"ramp and noise", noisy_ramp, ramp_then, 1.3, 0.0},
};

struct misses {
    double ours, best;
    int inside, n;
};

static void run(const struct kind *kind, uint64_t seed,
                struct misses out[N_HORIZONS])
{
    static const struct forecast_cfg cfg = {
        .grid_s = 1.0, .horizon_s = {1, 5, 60}, .n_horizons = N_HORIZONS};
    static double y[N];
    static struct forecast_at said[N][N_HORIZONS];
    uint64_t r = random_seed(seed);
    forecast_init(&f, &cfg);
    for (int k = 0; k < N; k++) {
        y[k] = kind->next(k > 0 ? y[k - 1] : 0.0, k, &r);
        forecast_step(&f, y[k], 1.0);
        for (int i = 0; i < N_HORIZONS; i++) {
            said[k][i] = forecast_at(&f, i);
            int made = k - LEADS[i];
            if (made < WARM) {
                continue;
            }
            const struct forecast_at *a = &said[made][i];
            double best = kind->best(y[made], made, LEADS[i]);
            out[i].ours += fabs(y[k] - a->mean);
            out[i].best += fabs(y[k] - best);
            out[i].inside += y[k] >= a->q10 && y[k] <= a->q90;
            out[i].n++;
        }
    }
}

static void each_kind_is_forecast_about_as_well_as_can_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (uint64_t seed = 1; seed <= 2; seed++) {
            struct misses m[N_HORIZONS] = {{0}};
            run(&kinds[i], seed, m);
            for (int h = 0; h < N_HORIZONS; h++) {
                double ours = m[h].ours / m[h].n;
                double best = m[h].best / m[h].n;
                if (ours > kinds[i].most * best + kinds[i].room) {
                    fail_msg("%s, seed %d, %d s: %g, best %g", kinds[i].name,
                             (int)seed, LEADS[h], ours, best);
                }
            }
        }
    }
}

static void eighty_percent_band_holds_eighty_percent(void **state)
{
    (void)state;
    static const size_t noisy[] = {0, 1, 2, 4, 5};
    for (size_t i = 0; i < sizeof(noisy) / sizeof(noisy[0]); i++) {
        struct misses m[N_HORIZONS] = {{0}};
        run(&kinds[noisy[i]], 3, m);
        for (int h = 0; h < N_HORIZONS; h++) {
            double inside = (double)m[h].inside / m[h].n;
            if (fabs(inside - 0.8) > 0.04) {
                fail_msg("%s, %d s: %g", kinds[noisy[i]].name, LEADS[h],
                         inside);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_forecast_about_as_well_as_can_be),
        cmocka_unit_test(eighty_percent_band_holds_eighty_percent),
    };
    return cmocka_run_group_tests_name("forecast_kinds", tests, NULL, NULL);
}
