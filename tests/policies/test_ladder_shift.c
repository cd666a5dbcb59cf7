/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/ladder: the last plan moved on, while it grows old and
 * cars come and go. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/policies/ladder_fixture.h"

static void the_last_plan_is_moved_on_and_grows_old(void **state)
{
    (void)state;
    start();
    leave_a_good_one();
    struct schedule *first = malloc(sizeof(*first));
    assert_non_null(first);
    *first = f->answer;
    struct ladder_request r = {.budget = {.stop = always}};
    r.at_ms = noon_ms + 4 * 900000;
    f->problem.batteries[0].soc_start_pu = first->soc_pu[0][3];
    f->problem.batteries[0].segments[0].start_pu = first->soc_pu[0][3] - 0.1;
    assert_int_equal(climb(&r), PLAN_SHIFTED);
    for (int64_t t = 0; t < 40; t++) {
        assert_true(
            fabs(f->answer.battery_w[0][t] - first->battery_w[0][t + 4]) < 1.0);
    }
    free(first);
    r.at_ms = noon_ms + 7200000;
    assert_int_equal(climb(&r), PLAN_SHIFTED);
    r.at_ms = noon_ms + 7200001;
    assert_int_equal(climb(&r), PLAN_RULE);
    assert_int_equal(verdict_on(PLAN_SHIFTED), LADDER_TOO_OLD);
    r.at_ms = noon_ms - 1;
    assert_int_equal(climb(&r), PLAN_RULE);
    r.at_ms = noon_ms + 900000;
    f->problem.batteries[0].name[0] = 'c';
    assert_int_equal(climb(&r), PLAN_RULE);
    assert_int_equal(verdict_on(PLAN_SHIFTED), LADDER_OTHER_ASSETS);
}

/* Cars that need 'need_wh' by the end of step 'until'. */
static void park(const char *name, double need_wh, int64_t until)
{
    struct schedule_problem *p = &f->problem;
    struct schedule_battery *b = &p->batteries[p->n_batteries++];
    memset(b, 0, sizeof(*b));
    snprintf(b->name, sizeof(b->name), "%s", name);
    b->energy_wh = need_wh;
    fill(b->charge_max_w, until, 1e6);
    fill(b->soc_floor_pu + until - 1, STEPS + 1 - until, 0.9);
    fill(b->soc_ceiling_pu, STEPS, 1.0);
    b->charge_eff_pu = b->discharge_eff_pu = 0.9;
    b->soc_max_pu = 1.0;
    b->soc_end_min_pu = NAN;
    b->n_segments = 1;
    b->segments[0].width_pu = 1.0;
}

/* Those that stay do what they were to do, those that came charge, those that
 * left are no reason to forget the batteries. */
static void cars_come_and_go_and_the_last_plan_is_moved_on(void **state)
{
    (void)state;
    static const struct {
        const char *names[3]; /* "" none */
        int64_t was[3];       /* store of the last plan, -1: new */
    } rows[] = {
        {{"lot@1", "lot@2", "lot@3"}, {1, 2, 3}},
        {{"lot@2", "lot@3", ""}, {2, 3, 0}},
        {{"lot@3", "", ""}, {3, 0, 0}},
        {{"lot@2", "lot@4", "lot@3"}, {2, -1, 3}},
        {{"lot@5", "lot@1", "lot@1"}, {-1, 1, -1}},
        {{"", "", ""}, {0, 0, 0}},
    };
    struct schedule *first = malloc(sizeof(*first));
    assert_non_null(first);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start();
        park("lot@1", 1e6, 40);
        park("lot@2", 2e6, 50);
        park("lot@3", 3e6, 60);
        struct ladder_request r = {.at_ms = noon_ms};
        assert_int_equal(climb(&r), PLAN_OPTIMAL);
        *first = f->answer;
        make_day(&f->problem);
        for (int k = 0; k < 3; k++) {
            const char *name = rows[i].names[k];
            if (name[0] != '\0') {
                park(name, 1e6 * (double)(name[4] - '0'), 50);
            }
        }
        r.budget.stop = always;
        assert_int_equal(climb(&r), PLAN_SHIFTED);
        check_passes();
        for (int64_t b = 0; b < f->problem.n_batteries; b++) {
            int64_t was = b == 0 ? 0 : rows[i].was[b - 1];
            double off_w = 0.0;
            double sum_w = 0.0;
            for (int64_t t = 0; t < 40; t++) {
                double was_w = was >= 0 ? first->battery_w[was][t] : 0.0;
                off_w = fmax(off_w, fabs(f->answer.battery_w[b][t] - was_w));
                sum_w += f->answer.battery_w[b][t];
            }
            assert_true(was >= 0 ? off_w < 1.0 : sum_w > 1e6);
        }
    }
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_plan_is_moved_on_and_grows_old),
        cmocka_unit_test(cars_come_and_go_and_the_last_plan_is_moved_on),
    };
    return cmocka_run_group_tests_name("ladder_shift", tests, set_up,
                                       tear_down);
}
