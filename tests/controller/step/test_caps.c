/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/caps: what the utility's instructions leave open. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

enum { HOUR_MS = 3600000 };

static const double LOAD_W = 80e6;

/* A site of one battery and one pod that may import 100 MW, export 10 MW. */
static struct loop_fixture open_site(void)
{
    struct site *site = fixture_site(1, 1, 0);
    site->grid.import_max_w = 100e6;
    site->grid.export_max_w = 10e6;
    struct loop_fixture x = loop_open(site, POLICY_BALLAST, 80e6);
    x.in->utc_ms = LOOP_UTC_MS;
    return x;
}

static void tell(struct snapshot *in, int i, enum utility_kind kind,
                 double value)
{
    struct utility_in *u = &in->utility[i];
    *u = (struct utility_in){.kind = (int64_t)kind,
                             .start_at_ms = LOOP_UTC_MS,
                             .end_at_ms = LOOP_UTC_MS + HOUR_MS,
                             .value = value};
    snprintf(u->id, sizeof(u->id), "e%d", i);
}

static void each_kind_binds_what_it_is_about(void **state)
{
    (void)state;
    static const struct {
        enum utility_kind kind;
        double value;
        double import_w;
        double floor_w;
        enum reason why;
        enum reason below;
    } cases[] = {
        {UTILITY_IMPORT_MAX, 70e6, 70e6, -9.5e6, REASON_EVENT, REASON_EXPORT},
        /* one that is stricter here wins */
        {UTILITY_IMPORT_MAX, 120e6, 100e6, -9.5e6, REASON_IMPORT,
         REASON_EXPORT},
        {UTILITY_EMERGENCY, 60e6, 60e6, -9.5e6, REASON_EMERGENCY,
         REASON_EXPORT},
        {UTILITY_EXPORT_MAX, 2e6, 100e6, -1.5e6, REASON_IMPORT,
         REASON_EVENT_EXPORT},
        {UTILITY_EXPORT_MAX, 20e6, 100e6, -9.5e6, REASON_IMPORT, REASON_EXPORT},
        {UTILITY_SETPOINT, 50e6, 50e6, 50e6, REASON_SETPOINT, REASON_SETPOINT},
        {UTILITY_SETPOINT, -5e6, -5e6, -5e6, REASON_SETPOINT, REASON_SETPOINT},
        /* no more export than is allowed */
        {UTILITY_SETPOINT, -50e6, -10e6, -10e6, REASON_SETPOINT, REASON_EXPORT},
        {UTILITY_PRICE, 0.3, 100e6, -9.5e6, REASON_IMPORT, REASON_EXPORT},
        {UTILITY_RESERVE, 0.5, 100e6, -9.5e6, REASON_IMPORT, REASON_EXPORT},
        {UTILITY_IMPORT_MAX, NAN, 100e6, -9.5e6, REASON_IMPORT, REASON_EXPORT},
    };
    struct loop_fixture x = open_site();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tell(x.in, 40, cases[i].kind, cases[i].value);
        struct caps caps = caps_now(x.cfg, x.in, LOAD_W);
        if (fabs(caps.import_w - cases[i].import_w) > 0.6e6 ||
            fabs(caps.floor_w - cases[i].floor_w) > 0.1e6 ||
            caps.why != cases[i].why || caps.below != cases[i].below ||
            caps.urgent != (cases[i].kind == UTILITY_EMERGENCY)) {
            fail_msg("case %zu: %g to %g W, %s, %s", i, caps.floor_w,
                     caps.import_w, reason_word(caps.why),
                     reason_word(caps.below));
        }
    }
    loop_close(&x);
}

/* What is kept off an export limit charges nothing where the load is small. */
static void the_margin_ends_at_the_load(void **state)
{
    (void)state;
    static const double loads_w[] = {-1e6, 0.0, 0.2e6, 0.5e6, 80e6};
    static const double want_w[] = {0.0, 0.0, 0.2e6, 0.5e6, 0.5e6};
    struct loop_fixture x = open_site();
    x.cfg->site.grid.export_max_w = 0.0;
    for (size_t i = 0; i < sizeof(loads_w) / sizeof(loads_w[0]); i++) {
        struct caps caps = caps_now(x.cfg, x.in, loads_w[i]);
        assert_true(fabs(caps.floor_w - want_w[i]) < 1.0);
    }
    loop_close(&x);
}

static void a_limit_goes_before_a_set_point(void **state)
{
    (void)state;
    struct loop_fixture x = open_site();
    tell(x.in, 0, UTILITY_SETPOINT, 80e6);
    tell(x.in, 1, UTILITY_IMPORT_MAX, 60e6);
    struct caps caps = caps_now(x.cfg, x.in, LOAD_W);
    assert_true(fabs(caps.import_w - 60e6) < 0.6e6);
    assert_int_equal(caps.why, REASON_EVENT);
    assert_true(caps.floor_w <= caps.import_w);
    loop_close(&x);
}

/* What the ramp cannot reach by the start of a limit, and which limit. */
static void what_comes_too_late_for_the_ramp_is_known(void **state)
{
    (void)state;
    struct loop_fixture x = open_site();
    double ramp_w_per_s = x.cfg->site.grid.ramp_max_w_per_s;
    struct caps caps = caps_now(x.cfg, x.in, LOAD_W);
    assert_true(isinf(caps.reach_w) && isinf(caps.late_w));
    tell(x.in, 0, UTILITY_IMPORT_MAX, 60e6);
    x.in->utility[0].start_at_ms += 60000;
    caps = caps_now(x.cfg, x.in, LOAD_W);
    assert_true(fabs(caps.reach_w - 60e6 - 60.0 * ramp_w_per_s) < 1.0);
    assert_true(fabs(caps.late_w - 60e6) < 1.0);
    tell(x.in, 1, UTILITY_IMPORT_MAX, 50e6); /* holds already */
    caps = caps_now(x.cfg, x.in, LOAD_W);
    assert_true(fabs(caps.reach_w - 50e6) < 1.0);
    assert_true(fabs(caps.late_w - 50e6) < 1.0);
    x.in->utc_ms += HOUR_MS + 60000; /* both are over */
    caps = caps_now(x.cfg, x.in, LOAD_W);
    assert_true(isinf(caps.reach_w));
    loop_close(&x);
}

static void the_operators_limits_say_so(void **state)
{
    (void)state;
    static const struct {
        enum utility_kind kind;
        double value;
        enum reason why;
        enum reason below;
    } cases[] = {
        {UTILITY_IMPORT_MAX, 70e6, REASON_OPERATOR, REASON_EXPORT},
        {UTILITY_IMPORT_MAX, 90e6, REASON_EVENT, REASON_EXPORT},
        {UTILITY_EXPORT_MAX, 2e6, REASON_EVENT, REASON_OPERATOR_EXPORT},
        {UTILITY_SETPOINT, 50e6, REASON_OPERATOR_HOLD, REASON_OPERATOR_HOLD},
        /* a stricter one of the utility stays */
        {UTILITY_SETPOINT, 95e6, REASON_EVENT, REASON_OPERATOR_HOLD},
    };
    struct loop_fixture x = open_site();
    tell(x.in, 0, UTILITY_IMPORT_MAX, 80e6);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tell(x.in, UTILITY_LOCAL_AT, cases[i].kind, cases[i].value);
        struct caps caps = caps_now(x.cfg, x.in, LOAD_W);
        assert_int_equal(caps.why, cases[i].why);
        assert_int_equal(caps.below, cases[i].below);
        assert_true(caps.import_w <= 80e6);
        assert_true(fabs(caps.late_w - 80e6) < 1.0); /* only the utility's */
    }
    loop_close(&x);
}

/* A swing limit that is tighter than the ramp sets the pace of the way down. */
static void the_way_down_keeps_the_swing_limit(void **state)
{
    (void)state;
    struct loop_fixture x = open_site();
    tell(x.in, 0, UTILITY_IMPORT_MAX, 60e6);
    x.in->utility[0].start_at_ms += 5 * 60000;
    double free_w = caps_now(x.cfg, x.in, LOAD_W).import_w;
    x.cfg->site.grid.swing_max_w = 1e6;
    struct caps caps = caps_now(x.cfg, x.in, LOAD_W);
    assert_true(caps.import_w < free_w);
    assert_true(fabs(caps.reach_w - 65e6) < 1.0); /* 1 MW in each minute */
    loop_close(&x);
}

/* Of any instructions at any time: no number that is none, the floor never
 * above the cap, none of both looser than the site's own. */
static void random_instructions_never_loosen_the_site(void **state)
{
    (void)state;
    uint64_t seed = 41;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t random = random_seed(seed);
    struct loop_fixture x = open_site();
    for (int round = 0; round < 5000; round++) {
        for (int i = 0; i < 6; i++) {
            int kind = (int)random_draw(&random, 0.0, UTILITY_COUNT);
            tell(x.in, i, (enum utility_kind)kind,
                 random_draw(&random, -200e6, 200e6));
            x.in->utility[i].start_at_ms +=
                (int64_t)random_draw(&random, -HOUR_MS, HOUR_MS);
        }
        struct caps caps = caps_now(x.cfg, x.in, LOAD_W);
        if (!(caps.floor_w <= caps.import_w && caps.floor_w >= -10e6 &&
              caps.import_w <= 100e6 && caps.export_w >= 0.0 &&
              caps.export_w <= 10e6)) {
            fail_msg("round %d: %g to %g W, export %g W", round, caps.floor_w,
                     caps.import_w, caps.export_w);
        }
    }
    loop_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_binds_what_it_is_about),
        cmocka_unit_test(the_margin_ends_at_the_load),
        cmocka_unit_test(a_limit_goes_before_a_set_point),
        cmocka_unit_test(what_comes_too_late_for_the_ramp_is_known),
        cmocka_unit_test(the_operators_limits_say_so),
        cmocka_unit_test(the_way_down_keeps_the_swing_limit),
        cmocka_unit_test(random_instructions_never_loosen_the_site),
    };
    return cmocka_run_group_tests_name("caps", tests, NULL, NULL);
}
