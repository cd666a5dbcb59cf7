/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/limits: a table of cases, then properties over
 * random inputs from a fixed seed, then the configuration check. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/step/limits.h"

#define BIT(id) (1u << LIMIT_##id)

/* A 10 kW battery behind a 20 kW connection that may feed in 5 kW. */
static const struct limits_cfg site = {
    .charge_max_w = 10e3,
    .discharge_max_w = 10e3,
    .soc_min_pu = 0.1,
    .soc_max_pu = 0.9,
    .import_max_w = 20e3,
    .export_max_w = 5e3,
    .ramp_max_w_per_s = 2e3,
};

static void test_cases(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct limits_in in; /* want, last, soc, others, dt */
        double set_w;
        unsigned bound;
    } cases[] = {
        {"free", {1e3, 0, 0.5, 0, 1}, 1e3, 0},
        {"rating", {15e3, 10e3, 0.5, 0, 1}, 10e3, BIT(RATING)},
        {"full", {1e3, 0, 0.9, 0, 1}, 0, BIT(SOC)},
        {"full may discharge", {-1e3, 0, 0.9, 0, 1}, -1e3, 0},
        {"empty", {-1e3, 0, 0.1, 0, 1}, 0, BIT(SOC)},
        {"import", {4e3, 3e3, 0.5, 18e3, 1}, 2e3, BIT(GRID)},
        {"export", {-4e3, -3e3, 0.5, -3e3, 1}, -2e3, BIT(GRID)},
        {"may jump", {5e3, 0, 0.5, 0, 1}, 5e3, 0},
        {"fuse beats ramp", {0, 0, 0.5, 26e3, 1}, -6e3, BIT(GRID)},
        {"empty beats fuse", {0, 0, 0.1, 26e3, 1}, 0, BIT(GRID)},
        {"no wish", {NAN, 0, 0.5, 0, 1}, 0, 0},
        {"no last", {5e3, NAN, 0.5, 0, 1}, 5e3, 0},
        {"no soc", {1e3, 1e3, NAN, 0, 1}, 0, 0},
        {"no meter", {1e3, 1e3, 0.5, NAN, 1}, 0, 0},
        {"no meter, far from 0", {9e3, 9e3, 0.5, NAN, 1}, 7e3, BIT(RAMP)},
        {"ramp grows with dt", {9e3, 9e3, 0.5, NAN, 2}, 5e3, BIT(RAMP)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct limits_out out = limits_apply(&site, &cases[i].in);
        if (fabs(out.set_w - cases[i].set_w) > 1e-9 ||
            out.bound != cases[i].bound) {
            fail_msg("%s: got %g W bound %#x, want %g W bound %#x",
                     cases[i].what, out.set_w, out.bound, cases[i].set_w,
                     cases[i].bound);
        }
    }
}

/* xorshift64*: the same numbers on every machine, unlike rand(). */
static double draw(uint64_t *s, double lo, double hi)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    double u = (double)((*s * 2685821657736338717u) >> 11) / 9007199254740992.0;
    return lo + u * (hi - lo);
}

static void test_properties(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        struct limits_in in = {
            .want_w = draw(&seed, -30e3, 30e3),
            .last_w = draw(&seed, -10e3, 10e3),
            .soc_pu = draw(&seed, 0.0, 1.0),
            .others_w = draw(&seed, -30e3, 40e3),
            .dt_s = draw(&seed, 0.1, 10.0),
        };
        struct limits_out out = limits_apply(&site, &in);

        /* The two limits that protect the battery hold whatever else. */
        assert_true(fabs(out.set_w) <= 10e3);
        assert_false(in.soc_pu <= 0.1 && out.set_w < 0.0);
        assert_false(in.soc_pu >= 0.9 && out.set_w > 0.0);
        /* A wish that broke nothing comes through untouched. */
        assert_true(out.bound != 0 || out.set_w == in.want_w);
        /* Asking for what was granted grants it again. */
        in.want_w = out.set_w;
        assert_true(limits_apply(&site, &in).set_w == out.set_w);
    }
}

static void test_check(void **state)
{
    (void)state;
    assert_int_equal(limits_check(&site), ERR_NONE);

    struct limits_cfg bad = site;
    bad.soc_min_pu = bad.soc_max_pu;
    assert_int_equal(limits_check(&bad), ERR_RANGE);
    bad = site;
    bad.export_max_w = -1.0;
    assert_int_equal(limits_check(&bad), ERR_RANGE);
    bad = site;
    bad.charge_max_w = NAN;
    assert_int_equal(limits_check(&bad), ERR_RANGE);
    bad = site;
    bad.ramp_max_w_per_s = 0.0;
    assert_int_equal(limits_check(&bad), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
