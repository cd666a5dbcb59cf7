/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/life_slope: against the laws it is made of, and against the
 * study of what a kilowatt does to a commuter's pack. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/life_model.h"
#include "models/life_slope.h"
#include "models/random.h"

#define VECTORS "../shared/vectors/wear/"

static const double DAYS = 2922.0;
static const double EFC = 336.0;

enum { SEED = 20261123, DRAWS = 50000 };

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) {
        fail_msg("%.9g, expected %.9g +- %.3g", got, want, tolerance);
    }
}

static struct life_slope slope_of(enum chemistry c)
{
    struct life_slope s;
    life_slope_init(&s, c);
    return s;
}

static const struct life_model *model_of(enum chemistry c, int role)
{
    return life_model(role == 0 ? life_price_model(c) : life_guard_model(c));
}

/* By the printed law. */
static double formula(const struct life_model *m, double soc_pu, double temp_c)
{
    double k = life_calendar_k(&m->loss_t, temp_c + LIFE_ZERO_C_K, soc_pu);
    return 1e6 * k * pow(DAYS, m->loss_t.p - 1.0);
}

static void rates_rise_and_are_never_negative(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED);
    print_message("seed %d\n", SEED);
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        struct life_slope w = slope_of((enum chemistry)c);
        for (int k = 0; k < DRAWS; k++) {
            double s = random_draw(&seed, -0.5, 1.5);
            double t = random_draw(&seed, -80.0, 150.0);
            double more = random_draw(&seed, 0.0, 0.5);
            double rise_k = 20.0 * random_draw(&seed, 0.0, 1.0);
            double ppm = life_slope_ppm_per_day(&w, s, t);
            assert_true(ppm >= 0.0 && ppm < 2e3);
            assert_true(life_slope_ppm_per_day(&w, s + more, t) >= ppm);
            assert_true(life_slope_ppm_per_day(&w, s, t + rise_k) >= ppm);
            double heat = life_slope_heat_ppm_per_day(&w, s, t, rise_k);
            assert_true(heat >= 0.0 && heat <= w.steepest * rise_k + 1e-9);
            assert_true(life_slope_heat_ppm_per_day(&w, s + more, t, rise_k) >=
                        heat - 1e-9);
            double at_rest =
                life_slope_ppm_per_day(&w, s, fmin(t, 50.0) - rise_k);
            assert_near(heat, ppm - at_rest, t < 0.0 ? ppm : 1e-9);
            double cycle = life_slope_ppm_per_efc(&w, s);
            assert_true(cycle >= 0.0 && cycle < 1e5);
            assert_true(life_slope_ppm_per_efc(&w, s + more) >= cycle);
        }
    }
}

static void what_is_no_number_is_the_worst(void **state)
{
    (void)state;
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        struct life_slope w = slope_of((enum chemistry)c);
        double worst = life_slope_ppm_per_day(&w, 1.0, LIFE_SLOPE_MAX_C);
        assert_true(life_slope_ppm_per_day(&w, NAN, NAN) == worst);
        assert_true(life_slope_ppm_per_day(&w, INFINITY, 1e300) == worst);
        double heat = life_slope_heat_ppm_per_day(&w, 1.0, 50.0, 3.0);
        assert_true(life_slope_heat_ppm_per_day(&w, NAN, NAN, 3.0) == heat);
        assert_true(life_slope_ppm_per_efc(&w, NAN) ==
                    life_slope_ppm_per_efc(&w, 1.0));
        assert_true(life_slope_ppm_per_efc(&w, -INFINITY) ==
                    life_slope_ppm_per_efc(&w, 0.0));
    }
}

/* Neither the level nor a rise of some kelvin is cheaper than by the law of
 * either model, nor is a slice of depth. */
static void worse_of_two_counts(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED + 1);
    print_message("seed %d\n", SEED + 1);
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        struct life_slope w = slope_of((enum chemistry)c);
        for (int k = 0; k < DRAWS; k++) {
            const struct life_model *m = model_of((enum chemistry)c, k % 2);
            double s = random_draw(&seed, 0.05, 1.0);
            double t = random_draw(&seed, 1.0, 49.0);
            double rise_k = random_draw(&seed, 0.5, 1.0) * fmin(t, 8.0);
            double law = formula(m, s, t);
            double rise = law - formula(m, s, t - rise_k);
            assert_true(life_slope_ppm_per_day(&w, s, t) >= 0.995 * law);
            assert_true(life_slope_heat_ppm_per_day(&w, s, t, rise_k) >=
                        0.97 * rise);
        }
    }
}

static double cycle_formula(const struct life_model *m, double depth_pu)
{
    double mean_pu = 1.0 - 0.5 * depth_pu;
    struct life_stress stress = {.temp_k = 298.15,
                                 .depth_pu = depth_pu,
                                 .rate_per_h = 0.05,
                                 .mean_pu = mean_pu,
                                 .volt_v = life_sanyo_rms_v(mean_pu, depth_pu)};
    const struct life_cycle_law *law = &m->loss_n;
    return 1e6 * depth_pu * life_cycle_k(law, &stress) *
           pow(law->per_efc * EFC, law->p) / EFC;
}

static void slices_make_up_the_cycle(void **state)
{
    (void)state;
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        struct life_slope w = slope_of((enum chemistry)c);
        double sum = 0.0;
        for (int i = 1; i <= LIFE_SLOPE_DEPTHS; i++) {
            double depth_pu = (double)i / LIFE_SLOPE_DEPTHS;
            sum += life_slope_ppm_per_efc(&w, depth_pu) / LIFE_SLOPE_DEPTHS;
            for (int role = 0; role < 2; role++) {
                double law =
                    cycle_formula(model_of((enum chemistry)c, role), depth_pu);
                assert_true(sum >= law * (1.0 - 1e-6));
            }
        }
    }
}

/* Where both models age alike by the clock it is that law; its cycles are the
 * published segments, 71, 214 and 464 USD/MWh. */
static void nca_is_its_law(void **state)
{
    (void)state;
    struct life_slope w = slope_of(CHEMISTRY_NCA);
    uint64_t seed = random_seed(SEED + 2);
    print_message("seed %d\n", SEED + 2);
    for (int k = 0; k < DRAWS; k++) {
        double s = random_draw(&seed, 0.0, 1.0);
        double t = random_draw(&seed, 0.0, 50.0);
        double want = formula(life_model(LIFE_NCA), s, t);
        assert_near(life_slope_ppm_per_day(&w, s, t), want, 1e-3 * want);
    }
    static const double bands[][2] = {{0.05, 142.0}, {0.2, 142.0},
                                      {0.21, 428.0}, {0.6, 428.0},
                                      {0.61, 928.0}, {1.0, 928.0}};
    for (size_t i = 0; i < sizeof(bands) / sizeof(bands[0]); i++) {
        assert_near(life_slope_ppm_per_efc(&w, bands[i][0]), bands[i][1], 1e-3);
    }
}

/* --- the study --------------------------------------------------------- */

static FILE *open_or_skip(const char *path)
{
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        print_message("skip: no %s\n", path);
        skip();
    }
    return f;
}

/* Loss over eight years of the row whose scenario begins so. */
static double study_loss_pu(FILE *f, const char *scenario, const char *model)
{
    char line[512];
    rewind(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        const char *text = line[0] == '"' ? line + 1 : line;
        const char *at = strstr(line, model);
        double x[5];
        if (strncmp(text, scenario, strlen(scenario)) == 0 && at != NULL &&
            sscanf(strchr(at, ','), ",%lf,%lf,%lf,%lf,%lf", &x[0], &x[1], &x[2],
                   &x[3], &x[4]) == 5) {
            return x[4];
        }
    }
    fail_msg("no row '%s' of %s", scenario, model);
    return NAN;
}

/* Mean cost of a rise from 9 to 17 h over the study's own week: the pack is
 * 4 K warmer in those hours than in the mean, and heat costs more there. */
static double week_ppm_per_day(FILE *f, const struct life_slope *w,
                               double rise_k)
{
    char line[256];
    double sum = 0.0;
    int n = 0;
    rewind(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        double t_s, soc_pu, temp_c;
        if (sscanf(line, "%lf,%lf,%lf", &t_s, &soc_pu, &temp_c) == 3) {
            double h = fmod(t_s / 3600.0, 24.0);
            bool warm = h >= 9.0 && h < 17.0;
            sum += warm ? life_slope_heat_ppm_per_day(w, soc_pu,
                                                      temp_c + rise_k, rise_k)
                        : 0.0;
            n++;
        }
    }
    assert_true(n > 1000);
    return sum / n;
}

/* Naumann's law was stepped sample by sample there, not by the mean rate of a
 * day: the warm hours weigh up to a tenth more. */
static const struct {
    enum chemistry chemistry;
    const char *models[2];
    double least; /* of the worse model in the study */
    double most;
} studied[] = {
    {CHEMISTRY_NCA, {"Nca_Gr_Panasonic3Ah", "Nca_Gr_Panasonic3Ah"}, 0.99, 1.01},
    {CHEMISTRY_LFP, {"Lfp_Gr_250Ah", "Naumann_LFP"}, 0.9, 1.1},
    {CHEMISTRY_NMC, {"Nmc111_Gr_Kokam", "Nmc111_Gr_Sanyo"}, 1.0, 1.05},
};

static void heat_costs_what_the_study_found(void **state)
{
    (void)state;
    static const struct {
        const char *scenario;
        double rise_k;
    } rows[] = {{"E plugged", 5.0}, {"F plugged", 10.0}, {"G plugged", 20.0}};
    FILE *study = open_or_skip(VECTORS "one_kw_study.csv");
    FILE *week = open_or_skip(VECTORS "profiles/ev_week.csv");
    for (size_t c = 0; c < sizeof(studied) / sizeof(studied[0]); c++) {
        struct life_slope w = slope_of(studied[c].chemistry);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            double theirs = 0.0;
            for (int m = 0; m < 2; m++) {
                const char *name = studied[c].models[m];
                double more_pu = study_loss_pu(study, rows[i].scenario, name) -
                                 study_loss_pu(study, "A base", name);
                theirs = fmax(theirs, more_pu / DAYS * 1e6);
            }
            double ours = week_ppm_per_day(week, &w, rows[i].rise_k);
            print_message("%s +%g K: %.2f ppm a day, %.2f in the study\n",
                          studied[c].models[1], rows[i].rise_k, ours, theirs);
            assert_true(ours >= studied[c].least * theirs);
            assert_true(ours <= studied[c].most * theirs);
        }
    }
    fclose(study);
    fclose(week);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_rise_and_are_never_negative),
        cmocka_unit_test(what_is_no_number_is_the_worst),
        cmocka_unit_test(worse_of_two_counts),
        cmocka_unit_test(slices_make_up_the_cycle),
        cmocka_unit_test(nca_is_its_law),
        cmocka_unit_test(heat_costs_what_the_study_found),
    };
    return cmocka_run_group_tests_name("models/life_slope", tests, NULL, NULL);
}
