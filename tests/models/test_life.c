/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/life and models/life_pack: against the plain formula, steps
 * that do not depend on how time is cut, clamps, flags and the multiplier. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/life.h"
#include "models/life_pack.h"
#include "models/random.h"

enum { SEED = 20261121 };

static bool close_to(double got, double want, double relative)
{
    return fabs(got - want) <= relative * fabs(want) + 1e-300;
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

/* Sums of ten samples a second lose nothing. */
static void fast_samples_make_the_same_days(void **state)
{
    (void)state;
    struct life fast;
    struct life slow;
    life_init(&fast, CHEMISTRY_NCA, RAINFLOW_DEPTH);
    life_init(&slow, CHEMISTRY_NCA, RAINFLOW_DEPTH);
    for (int i = 0; i <= 31 * 864000; i++) {
        bool late = i % 36000 >= 18000;
        struct life_sample s = sample(0.1, 0.6, late ? 30.0 : 20.0);
        feed(&fast, s);
        s.dt_s = 1800.0;
        if (i % 18000 == 0) {
            feed(&slow, s);
        }
    }
    double want = life_loss(&slow, LIFE_PRICE, true).calendar_pu;
    double got = life_loss(&fast, LIFE_PRICE, true).calendar_pu;
    assert_true(close_to(got, want, 1e-3));
    assert_int_equal(life_measured(&fast, 0.99), LIFE_SOH_TAKEN);
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

/* The engine written down plainly, in double precision and with the C
 * library: day means of the printed law, every cycle on its own. */
struct plain {
    struct rainflow cycles;
    double loss_t; /* y^(1/p) */
    double loss_n;
    double sum; /* of the day, rate x s */
    double today_s;
    double k;
    double capacity_pu;
};

static double plain_k(const struct life_model *m, const struct life_sample *s)
{
    const struct life_span *f = &m->fitted.calendar_c;
    double temp_c = fmin(fmax(s->temp_c, f->min), f->max);
    return life_calendar_k(&m->loss_t, temp_c + LIFE_ZERO_C_K, s->soc_pu);
}

static void plain_book(struct plain *v, const struct life_model *m,
                       const struct rainflow_cycle *c)
{
    const struct life_fitted *f = &m->fitted;
    struct life_stress stress = {
        .temp_k =
            fmin(fmax(c->temp_c, f->cycle_c.min), f->cycle_c.max) + 273.15,
        .depth_pu = fmin(c->range, 1.0),
        .rate_per_h = fmin(c->rate_per_h, f->rate_per_h.max),
        .mean_pu = c->mean,
        .volt_v = life_sanyo_rms_v(c->mean, c->range)};
    double k = life_cycle_k(&m->loss_n, &stress);
    v->loss_n += c->count * c->range * v->capacity_pu * m->loss_n.per_efc *
                 pow(k, 1.0 / m->loss_n.p);
}

static void plain_feed(struct plain *v, const struct life_model *m,
                       const struct life_sample *s, bool first)
{
    double k = plain_k(m, s);
    double dt_s = first ? 0.0 : s->dt_s;
    v->sum += 0.5 * dt_s * (v->k + k);
    v->today_s += dt_s;
    v->k = k;
    if (v->today_s >= 86400.0) {
        v->loss_t +=
            pow(v->sum / v->today_s, 1.0 / m->loss_t.p) * v->today_s / 86400.0;
        v->sum = v->today_s = 0.0;
        v->capacity_pu =
            1.0 - pow(v->loss_t, m->loss_t.p) - pow(v->loss_n, m->loss_n.p);
    }
    struct rainflow_sample r = {s->soc_pu, dt_s, s->temp_c,
                                first ? 0.0 : s->rate_per_h};
    assert_int_equal(rainflow_feed(&v->cycles, &r), ERR_NONE);
    struct rainflow_cycle c;
    while (rainflow_take(&v->cycles, &c)) {
        plain_book(v, m, &c);
    }
}

/* Noise on both inputs, so that nothing stays the same for long, and times
 * when nothing changes at all. */
static struct life_sample noisy(uint64_t *random, double *soc_pu, int i)
{
    bool rests = i / 100 % 3 == 0;
    double step = rests ? 0.0 : random_draw(random, -0.03, 0.03);
    *soc_pu = fmin(fmax(*soc_pu + step, 0.05), 0.95);
    double temp_c = 20.0 + 12.0 * sin(i / 700.0);
    double noise = rests ? 0.0 : random_draw(random, -4e-4, 4e-4);
    return (struct life_sample){
        .dt_s = rests ? 60.0 : random_draw(random, 0.1, 300.0),
        .soc_pu = *soc_pu + noise,
        .temp_c = rests ? 20.0 : temp_c + random_draw(random, -1.0, 1.0),
        .rate_per_h = fabs(step) * 10.0};
}

static void engine_is_the_plain_formula(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED + 5);
    print_message("seed %d\n", SEED + 5);
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        struct life l;
        life_init(&l, (enum chemistry)c, RAINFLOW_DEPTH);
        struct plain v = {.capacity_pu = 1.0};
        rainflow_init(&v.cycles, LIFE_DEADBAND_PU, RAINFLOW_DEPTH);
        enum life_model_id id = life_price_model((enum chemistry)c);
        const struct life_model *m = life_model(id);
        double soc_pu = 0.5;
        for (int i = 0; i < 40000; i++) {
            struct life_sample s = noisy(&random, &soc_pu, i);
            feed(&l, s);
            plain_feed(&v, m, &s, i == 0);
        }
        const struct life_channels *got = &l.channels[LIFE_PRICE];
        /* The table of the graphite potential is the rest. */
        bool table = m->loss_t.of_soc == LIFE_ANODE;
        assert_true(got->loss_t > 0.0 && got->loss_n > 0.0);
        assert_true(close_to(got->loss_t, v.loss_t, table ? 3e-4 : 1e-6));
        assert_true(close_to(got->loss_n, v.loss_n, table ? 1e-5 : 1e-7));
    }
}

/* What a pack keeps in single precision, a battery with as short a stack
 * keeps in double.  Sums of months lose some mK of a cycle's temperature. */
static void pack_is_the_engine(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED + 6);
    print_message("seed %d\n", SEED + 6);
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        struct life l;
        struct life_pack pack;
        life_init(&l, (enum chemistry)c, LIFE_PACK_DEPTH);
        life_pack_init(&pack, (enum chemistry)c);
        double soc_pu = 0.5;
        for (int i = 0; i < 40000; i++) {
            struct life_sample s = noisy(&random, &soc_pu, i);
            s.soc_pu = (double)(float)s.soc_pu;
            s.temp_c = (double)(float)s.temp_c;
            feed(&l, s);
            assert_int_equal(life_pack_feed(&pack, &s, 1), 0);
            assert_int_equal(pack.flags[LIFE_PRICE], l.flags[LIFE_PRICE]);
        }
        assert_int_equal(pack.n_points, l.cycles.n);
        for (int r = 0; r < LIFE_ROLES; r++) {
            const struct life_channels *want = &l.channels[r];
            assert_true(close_to(pack.loss_t[r], want->loss_t, 1e-4));
            assert_true(close_to(pack.loss_n[r], want->loss_n, 1e-3));
        }
    }
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
        cmocka_unit_test(cut_steps_come_to_the_same),
        cmocka_unit_test(fast_samples_make_the_same_days),
        cmocka_unit_test(loss_only_grows_and_stays_finite),
        cmocka_unit_test(saved_and_restored_goes_on_the_same),
        cmocka_unit_test(inputs_outside_are_clamped_and_named),
        cmocka_unit_test(bad_samples_change_nothing),
        cmocka_unit_test(a_jump_in_no_time_has_no_rate),
        cmocka_unit_test(multiplier_follows_the_measurement),
        cmocka_unit_test(engine_is_the_plain_formula),
        cmocka_unit_test(pack_is_the_engine),
        cmocka_unit_test(pack_in_small_lives_like_a_battery),
        cmocka_unit_test(state_is_small),
    };
    return cmocka_run_group_tests_name("models/life", tests, NULL, NULL);
}
