/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/life_model, life_rates and life_calendar: rates against their
 * sources, and the fast ones against the plain. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/life_calendar.h"
#include "models/life_model.h"
#include "models/life_tables.h"
#include "models/random.h"

#define KERNEL "../shared/vectors/wear/kernel/"

enum { SEED = 20261121, COLUMNS = 8 };

static bool close_to(double got, double want, double relative)
{
    return fabs(got - want) <= relative * fabs(want) + 1e-300;
}

/* Calls 'row' with each line's numbers behind the header. */
static void each_row(const char *name, void (*row)(const double *x))
{
    char path[256];
    char line[512];
    snprintf(path, sizeof(path), KERNEL "%s.csv", name);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        print_message("skip: no %s\n", path);
        skip();
    }
    int n = 0;
    while (fgets(line, sizeof(line), f) != NULL) {
        double x[COLUMNS] = {0.0};
        char *at = line;
        for (int k = 0; k < COLUMNS && *at != '\0' && *at != '\n'; k++) {
            x[k] = strtod(at, &at);
            at += *at == ',';
        }
        if (n++ > 0) {
            row(x);
        }
    }
    fclose(f);
    assert_true(n > 50);
}

/* Columns: temperature_C, soc, dod, crate, rates. */
static struct life_stress stress_of(const double *x)
{
    return (struct life_stress){.temp_k = x[0] + LIFE_ZERO_C_K,
                                .depth_pu = x[2],
                                .rate_per_h = x[3],
                                .mean_pu = x[1],
                                .volt_v = life_sanyo_v(x[1])};
}

static void check_pair(enum life_model_id id, const double *x)
{
    const struct life_model *m = life_model(id);
    struct life_stress s = stress_of(x);
    assert_true(
        close_to(life_calendar_k(&m->loss_t, s.temp_k, x[1]), x[4], 1e-11));
    assert_true(close_to(life_cycle_k(&m->loss_n, &s), x[5], 1e-11));
}

static void lfp_row(const double *x)
{
    check_pair(LIFE_LFP_250, x);
}

static void nca_row(const double *x)
{
    check_pair(LIFE_NCA, x);
}

static void kokam_row(const double *x)
{
    check_pair(LIFE_NMC, x);
    struct life_stress s = stress_of(x);
    assert_true(close_to(life_knee_efc(&s), fmax(x[6], 1.0), 1e-11));
}

static void sanyo_row(const double *x)
{
    check_pair(LIFE_NMC_SCHMALSTIEG, x);
    const struct life_model *m = life_model(LIFE_NMC_SCHMALSTIEG);
    struct life_stress s = stress_of(x);
    double ohm_t = life_calendar_k(&m->ohm_t, s.temp_k, x[1]);
    assert_true(close_to(ohm_t, x[6], 1e-11));
    /* Slightly negative for shallow cycles in the source: no rate here. */
    double ohm_n = life_cycle_k(&m->ohm_n, &s);
    assert_true(close_to(ohm_n, fmax(x[7], 0.0), 1e-10));
}

static void anode_row(const double *x)
{
    assert_true(close_to(life_anode_v(x[0]), x[1], 1e-11));
}

static void ocv_row(const double *x)
{
    assert_true(close_to(life_sanyo_v(x[0]), x[1], 1e-12));
}

/* sqrt(before^2 + gain) - before without cancellation: p is 1/2 here. */
static double stepped(double before, double k, double dx)
{
    double gain = k * k * dx;
    return gain / (sqrt(before * before + gain) + before);
}

/* temperature_C, soc, dt_s, qloss_before, dq, dr */
static void naumann_calendar_row(const double *x)
{
    const struct life_model *m = life_model(LIFE_LFP_NAUMANN);
    double temp_k = x[0] + LIFE_ZERO_C_K;
    double days = x[2] / 86400.0;
    double k = life_calendar_k(&m->loss_t, temp_k, x[1]);
    double tolerance = x[3] > 0.0 ? 1e-8 : 1e-11;
    assert_true(close_to(stepped(x[3], k, days), x[4], tolerance));
    assert_true(
        close_to(days * life_calendar_k(&m->ohm_t, temp_k, x[1]), x[5], 1e-11));
}

/* depth, c_rate, qloss_before, dq, dr */
static void naumann_cycle_row(const double *x)
{
    const struct life_model *m = life_model(LIFE_LFP_NAUMANN);
    struct life_stress s = {
        .temp_k = 298.15, .depth_pu = x[0], .rate_per_h = x[1]};
    double efc = x[0] / 2.0;
    double k = life_cycle_k(&m->loss_n, &s);
    double tolerance = x[2] > 0.0 ? 1e-8 : 1e-11;
    assert_true(close_to(stepped(x[2], k, efc), x[3], tolerance));
    /* Negative above 1.05 C in the source: no rate here. */
    double ohm = efc * life_cycle_k(&m->ohm_n, &s);
    assert_true(close_to(ohm, fmax(x[4], 0.0), 1e-11));
}

static void rates_are_the_sources(void **state)
{
    (void)state;
    each_row("Lfp_Gr_250AhPrismatic", lfp_row);
    each_row("Nca_Gr_Panasonic3Ah_Battery", nca_row);
    each_row("Nmc111_Gr_Kokam75Ah_Battery", kokam_row);
    each_row("Nmc111_Gr_Sanyo2Ah_Battery", sanyo_row);
    each_row("anode_potential", anode_row);
    each_row("sanyo_ocv", ocv_row);
    each_row("naumann_unit_calendar", naumann_calendar_row);
    each_row("naumann_unit_cycle", naumann_cycle_row);
}

static void table_is_the_formula(void **state)
{
    (void)state;
    for (int i = 0; i <= LIFE_ANODE_STEPS; i++) {
        double v = life_anode_v((double)i / LIFE_ANODE_STEPS);
        assert_true(fabs(life_anode_table_v[i] - v) < 1e-9);
    }
}

/* Every model, over its fitted temperatures and all states of charge. */
static void fast_rates_are_the_formula(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED + 3);
    print_message("seed %d\n", SEED + 3);
    for (int i = 0; i < 200000; i++) {
        const struct life_model *m =
            life_model((enum life_model_id)(i % LIFE_MODEL_COUNT));
        const struct life_span *fitted = &m->fitted.calendar_c;
        double temp_c = random_draw(&random, -20.0, 80.0);
        double soc_pu = random_draw(&random, 0.02, 1.0);
        double temp_k =
            fmin(fmax(temp_c, fitted->min), fitted->max) + LIFE_ZERO_C_K;
        struct life_heat heat = {.loss = 0.0F};
        struct life_rates got[2];
        for (int again = 0; again < 2; again++) {
            got[again] = life_calendar_rates(m, temp_c, soc_pu, &heat);
        }
        assert_memory_equal(&got[0], &got[1], sizeof(got[0]));
        bool table = m->loss_t.of_soc == LIFE_ANODE;
        double tolerance = !table ? 1e-6 : soc_pu < 0.2 ? 5e-3 : 1e-4;
        double loss = life_calendar_k(&m->loss_t, temp_k, soc_pu);
        double ohm = life_calendar_k(&m->ohm_t, temp_k, soc_pu);
        assert_true(close_to((double)got[0].loss, loss, tolerance));
        assert_true(close_to((double)got[0].ohm, ohm, tolerance));
    }
}

static void fast_speeds_are_the_formula(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED + 4);
    print_message("seed %d\n", SEED + 4);
    for (int i = 0; i < 200000; i++) {
        const struct life_model *m =
            life_model((enum life_model_id)(i % LIFE_MODEL_COUNT));
        struct life_stress s = {.temp_k = random_draw(&random, 0.0, 50.0) +
                                          LIFE_ZERO_C_K,
                                .depth_pu = random_draw(&random, 0.0, 1.0),
                                .rate_per_h = random_draw(&random, 0.0, 2.0),
                                .volt_v = random_draw(&random, 3.3, 4.2)};
        const struct life_cycle_law *laws[] = {&m->loss_n, &m->ohm_n};
        for (int k = 0; k < 2; k++) {
            double rate = life_cycle_k(laws[k], &s);
            double want = laws[k]->a == 0.0
                              ? 0.0
                              : laws[k]->per_efc * pow(rate, 1.0 / laws[k]->p);
            assert_true(close_to(life_cycle_speed(laws[k], &s), want, 1e-9));
        }
    }
}

/* What is computed once for two laws is the same in both. */
static void laws_that_share_are_alike(void **state)
{
    (void)state;
    for (int id = 0; id < LIFE_MODEL_COUNT; id++) {
        const struct life_model *m = life_model((enum life_model_id)id);
        const struct life_calendar_law *a = &m->loss_t;
        const struct life_calendar_law *b = &m->ohm_t;
        bool by_exponent = a->of_soc == LIFE_ANODE || a->of_soc == LIFE_SOC;
        assert_true(a->a > 0.0);
        assert_true(
            !by_exponent || b->a == 0.0 ||
            (a->of_soc == b->of_soc && a->b_k == b->b_k && a->c_k == b->c_k));
    }
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        const struct life_model *m =
            life_model(life_guard_model((enum chemistry)c));
        const struct life_model *price =
            life_model(life_price_model((enum chemistry)c));
        assert_false(price->shares_calendar);
        if (m->shares_calendar) {
            assert_memory_equal(&m->loss_t, &price->loss_t, sizeof(m->loss_t));
            assert_memory_equal(&m->ohm_t, &price->ohm_t, sizeof(m->ohm_t));
            assert_memory_equal(&m->fitted.calendar_c,
                                &price->fitted.calendar_c,
                                sizeof(m->fitted.calendar_c));
        }
    }
}

/* Xu's segments: 71, 214, 464 USD/MWh at 100 USD/kWh over 20 %. */
static void bound_of_nca_is_the_segment_table(void **state)
{
    (void)state;
    const struct life_cycle_law *law = &life_model(LIFE_NCA_BOUND)->loss_n;
    static const double want[][2] = {
        {0.1, 71.0},
        {0.2, 71.0},
        {0.6, (71.0 + 2.0 * 214.0) / 3.0},
        {1.0, (71.0 + 2.0 * 214.0 + 2.0 * 464.0) / 5.0}};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        struct life_stress s = {.temp_k = 298.15, .depth_pu = want[i][0]};
        double usd_per_mwh = life_cycle_k(law, &s) * 1000.0 * 100.0 / 0.2;
        assert_true(close_to(usd_per_mwh, want[i][1], 1e-12));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_the_sources),
        cmocka_unit_test(table_is_the_formula),
        cmocka_unit_test(fast_rates_are_the_formula),
        cmocka_unit_test(fast_speeds_are_the_formula),
        cmocka_unit_test(laws_that_share_are_alike),
        cmocka_unit_test(bound_of_nca_is_the_segment_table),
    };
    return cmocka_run_group_tests_name("models/life_model", tests, NULL, NULL);
}
