/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/thermal and models/pack_life: what compute does to a pack. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/pack_life.h"
#include "models/random.h"
#include "models/thermal.h"

static const char STUDY[] = "../shared/vectors/wear/one_kw_study.csv";
static const double STUDY_SOC_PU = 0.743563;
static const double STUDY_C = 20.2359;
static const double STUDY_DAYS = 2922.0;

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) {
        fail_msg("%.9g, expected %.9g +- %.3g", got, want, tolerance);
    }
}

static void a_kilowatt_warms_as_estimated(void **state)
{
    (void)state;
    struct thermal_cfg sealed = thermal_of(&(struct thermal_parts){
        .capacity_j_per_k = 450e3, .coolant_w_per_k = 100.0});
    assert_near(thermal_rise(&sealed, 0.0, 1e3, 3600.0), 8.0, 1e-9);
    assert_near(thermal_rise_k_per_h(&sealed, 1e3), 8.0, 1e-9);
    assert_true(isinf(thermal_rise_settled(&sealed, 1e3)));
    assert_true(thermal_rise_settled(&sealed, 0.0) == 0.0);

    struct thermal_cfg car = thermal_of_pack(75e3);
    assert_near(1.0 / car.k_per_j, 450e3, 1e-6);
    assert_near(thermal_rise_settled(&car, 1e3), 3.81, 0.01);
    assert_near(thermal_rise_k_per_h(&car, 1e3), 2.67, 0.01);
    /* Left alone it loses 63 % of a difference in six hours. */
    assert_near(thermal_rise(&car, 10.0, 0.0, 6.0 * 3600.0), 3.679, 0.001);
}

static void an_interval_may_be_cut_anywhere(void **state)
{
    (void)state;
    uint64_t seed = random_seed(11);
    print_message("seed 11\n");
    for (int k = 0; k < 20000; k++) {
        struct thermal_cfg car =
            thermal_of_pack(random_draw(&seed, 40e3, 120e3));
        struct thermal_in in = {
            .ambient_c = random_draw(&seed, -20.0, 45.0),
            .pack_heat_w = random_draw(&seed, 0.0, 500.0),
            .coolant_heat_w = random_draw(&seed, -1e3, 1e3),
            .dt_s = random_draw(&seed, 0.0, 1e5),
        };
        in.coolant_heat_w = fmax(in.coolant_heat_w, 0.0);
        double start_c = random_draw(&seed, -20.0, 60.0);
        double whole_c = thermal_step(&car, start_c, &in);
        double first_s = random_draw(&seed, 0.0, in.dt_s);
        struct thermal_in part = in;
        part.dt_s = first_s;
        double cut_c = thermal_step(&car, start_c, &part);
        part.dt_s = in.dt_s - first_s;
        assert_near(thermal_step(&car, cut_c, &part), whole_c, 1e-9);
    }
}

/* The rise by compute is the same whatever else warms the pumped pack. */
static void heat_adds_up(void **state)
{
    (void)state;
    uint64_t seed = random_seed(12);
    print_message("seed 12\n");
    struct thermal_cfg car = thermal_of_pack(75e3);
    for (int k = 0; k < 20000; k++) {
        struct thermal_in in = {
            .ambient_c = random_draw(&seed, -20.0, 45.0),
            .coolant_heat_w = random_draw(&seed, 1.0, 900.0),
            .dt_s = random_draw(&seed, 0.0, 1e5),
        };
        double start_c = random_draw(&seed, -20.0, 60.0);
        double without_c = thermal_step(&car, start_c, &in);
        double w = random_draw(&seed, 0.1, 1e3);
        in.coolant_heat_w += w;
        double with_c = thermal_step(&car, start_c, &in);
        assert_near(with_c - without_c, thermal_rise(&car, 0.0, w, in.dt_s),
                    1e-9);
    }
}

static void life_rates_rise_and_are_never_negative(void **state)
{
    (void)state;
    uint64_t seed = random_seed(13);
    print_message("seed 13\n");
    for (int k = 0; k < 50000; k++) {
        enum chemistry chem =
            (enum chemistry)random_draw(&seed, 0.0, CHEMISTRY_COUNT);
        const struct pack_life *life = pack_life_of(chem);
        double s = random_draw(&seed, -0.5, 1.5);
        double c = random_draw(&seed, -80.0, 150.0);
        double more = random_draw(&seed, 0.0, 0.5);
        double ppm = life->calendar_ppm_per_day(s, c);
        assert_true(ppm >= 0.0 && ppm < 1e3 && life->scale >= 1.0);
        assert_true(life->calendar_ppm_per_day(s + more, c) >= ppm);
        assert_true(life->calendar_ppm_per_day(s, c + 20.0 * more) >= ppm);
        assert_true(life->cycle_ppm_per_efc(s + more) >=
                    life->cycle_ppm_per_efc(s));
    }
    const struct pack_life *nca = pack_life_of(CHEMISTRY_NCA);
    double worst = nca->calendar_ppm_per_day(1.0, PACK_LIFE_MAX_C);
    assert_true(nca->calendar_ppm_per_day(NAN, NAN) == worst);
    assert_true(nca->calendar_ppm_per_day(INFINITY, 1e300) == worst);
    assert_true(nca->cycle_ppm_per_efc(NAN) == nca->cycle_ppm_per_efc(1.0));
}

/* Loss over eight years of the row whose scenario begins so, NCA. */
static double study_loss_pu(FILE *f, const char *scenario)
{
    char line[512];
    rewind(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        const char *text = line[0] == '"' ? line + 1 : line;
        const char *model = strstr(line, "Nca_Gr_Panasonic3Ah_Battery,");
        double soc_pu, mean_c, efc, six_pu, eight_pu;
        if (strncmp(text, scenario, strlen(scenario)) == 0 && model != NULL &&
            sscanf(strchr(model, ','), ",%lf,%lf,%lf,%lf,%lf", &soc_pu, &mean_c,
                   &efc, &six_pu, &eight_pu) == 5) {
            return eight_pu;
        }
    }
    fail_msg("no row '%s' in %s", scenario, STUDY);
    return NAN;
}

/* Eight hours a day some kelvin warmer, by the two rates and by the study. */
static void heat_costs_what_the_study_found(void **state)
{
    (void)state;
    static const struct {
        const char *scenario;
        double rise_k;
    } rows[] = {{"E plugged", 5.0}, {"F plugged", 10.0}, {"G plugged", 20.0}};
    FILE *f = fopen(STUDY, "r");
    if (f == NULL) {
        print_message("no %s\n", STUDY);
        skip();
    }
    const struct pack_life *nca = pack_life_of(CHEMISTRY_NCA);
    double rest = nca->calendar_ppm_per_day(STUDY_SOC_PU, STUDY_C);
    double base_pu = study_loss_pu(f, "A base");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double warm =
            nca->calendar_ppm_per_day(STUDY_SOC_PU, STUDY_C + rows[i].rise_k);
        double ours = (warm - rest) / 3.0;
        double theirs =
            (study_loss_pu(f, rows[i].scenario) - base_pu) / STUDY_DAYS * 1e6;
        print_message("+%g K: %.2f ppm a day, %.2f in the study\n",
                      rows[i].rise_k, ours, theirs);
        assert_near(ours, theirs, 0.2 * theirs);
    }
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kilowatt_warms_as_estimated),
        cmocka_unit_test(an_interval_may_be_cut_anywhere),
        cmocka_unit_test(heat_adds_up),
        cmocka_unit_test(life_rates_rise_and_are_never_negative),
        cmocka_unit_test(heat_costs_what_the_study_found),
    };
    return cmocka_run_group_tests_name("thermal", tests, NULL, NULL);
}
