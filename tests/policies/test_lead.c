/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/lead: how far to go ahead of what is announced. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/lead.h"

static const double RAMP = 10e6 / 60.0;

static double of(const struct lead_jump *jumps, int n)
{
    struct lead lead = {.n = 0};
    for (int i = 0; i < n; i++) {
        lead_add(&lead, jumps[i]);
    }
    return lead_w(&lead, RAMP);
}

static void close_to(double w, double expected_w)
{
    if (!(fabs(w - expected_w) < 1.0)) {
        fail_msg("%f instead of %f", w, expected_w);
    }
}

static void table(void **state)
{
    (void)state;
    static const struct {
        struct lead_jump jumps[3];
        int n;
        double lead_w;
    } rows[] = {
        {.n = 0},
        {{{300.0, 60e6}}, 1, 0.0},   /* half of it takes 180 s */
        {{{60.0, 60e6}}, 1, 20e6},   /* 120 s under way */
        {{{60.0, -60e6}}, 1, -20e6}, /* a stop */
        {{{0.0, 60e6}}, 1, 30e6},    /* half way when it comes */
        {{{-5.0, 60e6}}, 1, 15e6},   /* the level has followed half of it */
        {{{-10.0, 60e6}}, 1, 0.0},
        /* one of 60 MW in the middle, however they are told */
        {{{80.0, 30e6}, {40.0, 30e6}}, 2, 20e6},
        /* the second is far: only the first counts */
        {{{30.0, 30e6}, {900.0, 30e6}}, 2, 10e6},
        /* and it is back after 12 s */
        {{{0.0, -60e6}, {12.0, 60e6}}, 2, -1e6},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        close_to(of(rows[i].jumps, rows[i].n), rows[i].lead_w);
    }
}

/* A grid that follows it takes a quarter of what one takes that waits. */
static void half_way_takes_a_quarter(void **state)
{
    (void)state;
    uint64_t seed = random_seed(11);
    for (int k = 0; k < 50; k++) {
        double jump_w = random_draw(&seed, -90e6, 90e6);
        double grid_w = 0.0;
        double stored_ws = 0.0;
        double least_ws = 0.0;
        double most_ws = 0.0;
        for (double t_s = -600.0; t_s < 900.0; t_s += 0.5) {
            struct lead_jump jump = {-t_s, jump_w};
            double load_w = t_s < 0.0 ? 0.0 : jump_w;
            double to_w = load_w + (t_s < 0.0 ? of(&jump, 1) : 0.0);
            double step_w = 0.5 * RAMP;
            grid_w += fmax(-step_w, fmin(to_w - grid_w, step_w));
            stored_ws += 0.5 * (grid_w - load_w);
            least_ws = fmin(least_ws, stored_ws);
            most_ws = fmax(most_ws, stored_ws);
        }
        double late_ws = jump_w * jump_w / (2.0 * RAMP);
        double used = (most_ws - least_ws) / late_ws;
        if (!(used < 0.27) && fabs(jump_w) > 5e6) {
            fail_msg("%f of %f MW, case %d", used, jump_w / 1e6, k);
        }
    }
}

static void full_list_keeps_the_nearest(void **state)
{
    (void)state;
    uint64_t seed = random_seed(12);
    struct lead lead = {.n = 0};
    for (int k = 0; k < 4 * LEAD_JUMPS_MAX; k++) {
        double in_s = random_draw(&seed, 100.0, 1000.0);
        lead_add(&lead, (struct lead_jump){in_s, 1e6});
    }
    lead_add(&lead, (struct lead_jump){1.0, 2e6});
    lead_add(&lead, (struct lead_jump){2000.0, 2e6});
    assert_int_equal(lead.n, LEAD_JUMPS_MAX);
    assert_true(lead.jumps[0].in_s == 1.0);
    for (int64_t i = 1; i < lead.n; i++) {
        assert_true(lead.jumps[i - 1].in_s <= lead.jumps[i].in_s);
        assert_true(lead.jumps[i].in_s < 2000.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(half_way_takes_a_quarter),
        cmocka_unit_test(full_list_keeps_the_nearest),
    };
    return cmocka_run_group_tests_name("lead", tests, NULL, NULL);
}
