/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/life*: rates against their sources, steps that do not depend
 * on how time is cut, clamps, flags and the multiplier. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/life.h"
#include "models/life_pack.h"
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

static struct life_sample sample(double dt_s, double soc_pu, double temp_c)
{
    return (struct life_sample){dt_s, soc_pu, temp_c, NAN};
}

static void feed(struct life *l, struct life_sample s)
{
    assert_int_equal(life_feed(l, &s), ERR_NONE);
}

static void cut_steps_come_to_the_same(void **state)
{
    (void)state;
    static const double cuts[] = {86400.0, 3600.0, 60.0};
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        double first = 0.0;
        for (int k = 0; k < 3; k++) {
            struct life l;
            life_init(&l, (enum chemistry)c, RAINFLOW_DEPTH);
            for (double t = 0.0; t <= 30.0 * 86400.0; t += cuts[k]) {
                feed(&l, sample(cuts[k], 0.6, 30.0));
            }
            double loss = life_loss(&l, LIFE_GUARD, true).calendar_pu;
            first = k == 0 ? loss : first;
            assert_true(close_to(loss, first, 1e-12));
            const struct life_model *m =
                life_model((enum life_model_id)l.model[LIFE_GUARD]);
            double k_t = life_calendar_k(&m->loss_t, 303.15, 0.6);
            assert_true(close_to(loss, k_t * pow(30.0, m->loss_t.p), 2e-4));
        }
    }
}

static struct life_sample walk(uint64_t *random, double *soc_pu, double dt_s)
{
    double step = random_draw(random, -0.05, 0.05);
    *soc_pu = fmin(fmax(*soc_pu + step, 0.0), 1.0);
    return sample(dt_s, *soc_pu, random_draw(random, -20.0, 60.0));
}

static void loss_only_grows_and_stays_finite(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED);
    print_message("seed %d\n", SEED);
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        struct life l;
        double soc_pu = 0.5;
        double booked[LIFE_ROLES] = {0.0};
        life_init(&l, (enum chemistry)c, RAINFLOW_DEPTH);
        for (int i = 0; i < 20000; i++) {
            feed(&l, walk(&random, &soc_pu, 900.0));
            for (int r = 0; r < LIFE_ROLES; r++) {
                const struct life_channels *x = &l.channels[r];
                double sum = x->loss_t + x->loss_n + x->ohm_t + x->ohm_n;
                assert_true(isfinite(sum) && sum >= booked[r]);
                booked[r] = sum;
                struct life_loss shut = life_loss(&l, (enum life_role)r, false);
                struct life_loss open = life_loss(&l, (enum life_role)r, true);
                assert_true(isfinite(open.resistance_pu));
                assert_true(open.cycle_pu >= shut.cycle_pu);
                assert_true(open.capacity_pu >= 0.0 && open.capacity_pu <= 1.0);
            }
        }
    }
}

static void saved_and_restored_goes_on_the_same(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED + 1);
    struct life a;
    struct life b;
    life_init(&a, CHEMISTRY_NMC, RAINFLOW_DEPTH);
    life_init(&b, CHEMISTRY_NMC, RAINFLOW_DEPTH);
    double soc_pu = 0.5;
    for (int i = 0; i < 5000; i++) {
        struct life_sample s = walk(&random, &soc_pu, 60.0);
        feed(&a, s);
        feed(&b, s);
        (void)life_worse(&b); /* looking books nothing */
        struct life saved = b;
        memset(&b, 0x5a, sizeof(b));
        b = saved;
    }
    assert_memory_equal(&a, &b, sizeof(a));
}

static void inputs_outside_are_clamped_and_named(void **state)
{
    (void)state;
    struct life cold;
    struct life edge;
    life_init(&cold, CHEMISTRY_LFP, RAINFLOW_DEPTH);
    life_init(&edge, CHEMISTRY_LFP, RAINFLOW_DEPTH);
    for (int i = 0; i < 200; i++) {
        double soc_pu = i % 2 == 0 ? 0.05 : 0.95;
        feed(&cold, (struct life_sample){3600.0, soc_pu, -20.0, 3.0});
        feed(&edge, (struct life_sample){3600.0, soc_pu, 10.0, 1.0});
    }
    struct life_loss a = life_loss(&cold, LIFE_PRICE, true);
    struct life_loss b = life_loss(&edge, LIFE_PRICE, true);
    assert_true(close_to(a.calendar_pu, b.calendar_pu, 1e-12));
    assert_true(close_to(a.cycle_pu, b.cycle_pu, 1e-12));
    assert_int_equal(life_seen(&edge, LIFE_PRICE), 0);
    unsigned flags = life_seen(&cold, LIFE_PRICE);
    assert_int_equal(flags, 1U << LIFE_FLAG_CALENDAR_COLD |
                                1U << LIFE_FLAG_CYCLE_COLD |
                                1U << LIFE_FLAG_FAST);
    assert_int_equal(life_seen(&cold, LIFE_PRICE), 0);
    char text[80];
    assert_string_equal(life_flag_text(LIFE_LFP_250, LIFE_FLAG_CALENDAR_COLD,
                                       text, sizeof(text)),
                        "temperature below 10 C");
    /* A flag is told again while it lasts, also where nothing changes. */
    feed(&cold, sample(1.0, 0.95, -20.0));
    assert_int_equal(life_seen(&cold, LIFE_PRICE),
                     1U << LIFE_FLAG_CALENDAR_COLD);
}

static void bad_samples_change_nothing(void **state)
{
    (void)state;
    static const struct life_sample bad[] = {
        {NAN, 0.5, 25.0, NAN},     {-1.0, 0.5, 25.0, NAN},
        {1.0, NAN, 25.0, NAN},     {1.0, 1.01, 25.0, NAN},
        {1.0, -0.1, 25.0, NAN},    {1.0, 0.5, NAN, NAN},
        {1.0, 0.5, 1e3, NAN},      {1.0, 0.5, 25.0, -1.0},
        {1.0, 0.5, 25.0, INFINITY}};
    struct life l;
    life_init(&l, CHEMISTRY_NCA, RAINFLOW_DEPTH);
    feed(&l, sample(1.0, 0.5, 25.0));
    struct life before = l;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(life_feed(&l, &bad[i]), ERR_RANGE);
        assert_memory_equal(&l, &before, sizeof(l));
    }
}

static void a_jump_in_no_time_has_no_rate(void **state)
{
    (void)state;
    static const double steps_s[] = {0.0, 5e-324, 1e-300, 1e-9, 1e-3};
    for (size_t i = 0; i < sizeof(steps_s) / sizeof(steps_s[0]); i++) {
        struct life l;
        life_init(&l, CHEMISTRY_LFP, RAINFLOW_DEPTH);
        feed(&l, sample(0.0, 0.1, 25.0));
        feed(&l, sample(steps_s[i], 0.9, 25.0));
        feed(&l, sample(3600.0, 0.1, 25.0));
        assert_true(isfinite(life_loss(&l, LIFE_GUARD, true).capacity_pu));
    }
}

/* A year of daily cycles of the given depth. */
static void live_a_year(struct life *l, double low_pu, double high_pu)
{
    for (int h = 0; h < 24 * 365; h++) {
        double into = fmod(h, 24.0) / 24.0;
        double up = into < 0.5 ? 2.0 * into : 2.0 - 2.0 * into;
        feed(l, sample(3600.0, low_pu + up * (high_pu - low_pu), 30.0));
    }
}

static void multiplier_follows_the_measurement(void **state)
{
    (void)state;
    struct life l;
    life_init(&l, CHEMISTRY_LFP, RAINFLOW_DEPTH);
    assert_int_equal(life_measured(&l, 0.99), LIFE_SOH_TOO_SOON);
    live_a_year(&l, 0.4, 0.6);
    assert_int_equal(life_measured(&l, 0.8), LIFE_SOH_NO_FULL_CYCLE);
    assert_int_equal(life_measured(&l, NAN), LIFE_SOH_IMPLAUSIBLE);
    assert_int_equal(life_measured(&l, 1.5), LIFE_SOH_IMPLAUSIBLE);
    assert_true(life_scale(&l) == 1.0);
    double last = 1.0;
    for (int year = 0; year < 8; year++) {
        live_a_year(&l, 0.05, 0.95);
        struct life_loss x = life_loss(&l, LIFE_PRICE, false);
        double plain = (1.0 - x.capacity_pu) / life_scale(&l);
        assert_int_equal(life_measured(&l, 1.0 - 1.5 * plain), LIFE_SOH_TAKEN);
        assert_int_equal(life_measured(&l, 0.5), LIFE_SOH_TOO_SOON);
        assert_true(life_scale(&l) > last && life_scale(&l) < 1.5);
        last = life_scale(&l);
    }
    assert_true(last > 1.45);
}

static void pack_in_small_lives_like_a_battery(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED + 2);
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        struct life_pack packs[2];
        struct life l;
        double soc_pu = 0.5;
        life_init(&l, (enum chemistry)c, RAINFLOW_DEPTH);
        life_pack_init(&packs[0], (enum chemistry)c);
        life_pack_init(&packs[1], CHEMISTRY_LFP_NAUMANN);
        for (int i = 0; i < 20000; i++) {
            struct life_sample s[2] = {walk(&random, &soc_pu, 60.0),
                                       sample(60.0, 0.3, 50.0)};
            s[0].temp_c = 25.0 + floor(i / 500.0) / 4.0;
            feed(&l, s[0]);
            assert_int_equal(life_pack_feed(packs, s, 2), 0);
        }
        for (int r = 0; r < LIFE_ROLES; r++) {
            struct life_loss a = life_loss(&l, (enum life_role)r, true);
            struct life_loss b =
                life_pack_loss(&packs[0], (enum life_role)r, true);
            assert_true(close_to(b.calendar_pu, a.calendar_pu, 1e-4));
            assert_true(fabs(b.capacity_pu - a.capacity_pu) <
                        0.07 * (1.0 - a.capacity_pu) + 1e-6);
        }
    }
}

static void state_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct life) <= 1200);
    assert_true(sizeof(struct life_pack) <= 256);
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
        cmocka_unit_test(cut_steps_come_to_the_same),
        cmocka_unit_test(loss_only_grows_and_stays_finite),
        cmocka_unit_test(saved_and_restored_goes_on_the_same),
        cmocka_unit_test(inputs_outside_are_clamped_and_named),
        cmocka_unit_test(bad_samples_change_nothing),
        cmocka_unit_test(a_jump_in_no_time_has_no_rate),
        cmocka_unit_test(multiplier_follows_the_measurement),
        cmocka_unit_test(pack_in_small_lives_like_a_battery),
        cmocka_unit_test(state_is_small),
    };
    return cmocka_run_group_tests_name("models/life", tests, NULL, NULL);
}
