/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contingencies of a site that lists none: what is not covered is told
 * beforehand, and may not rise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/loop_fixture.h"

static const struct reason_line *line_of(const struct step_out *out,
                                         enum reason code)
{
    for (int i = 0; i < out->record.n_why; i++) {
        if (out->record.why[i].code == code) {
            return &out->record.why[i];
        }
    }
    return NULL;
}

/* Nothing is listed: a pod that starts is more than the battery carries.  What
 * runs goes on, and is told of; no more than is covered comes on top of it. */
static void uncovered_pod_is_told_and_may_not_start_at_once(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 4, 0);
    site->pods[2].power_max_w = 40e6;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 60e6);
    for (int k = 0; k < 600; k++) {
        loop_tick(&f, 60e6);
        assert_true(f.plant->pods_w > 60e6 - 1.0);
    }
    const struct reason_line *line = line_of(f.out, REASON_RESERVE_POD);
    assert_non_null(line);
    assert_int_equal(line->asset, ASSET_POD);
    assert_int_equal(line->index, 2);
    assert_true(line->value == 40e6 && fabs(line->limit - 10e6) < 1e5);
    assert_true(fabs(f.out->record.reserve_short_w - 30e6) < 1e5);
    assert_true(f.out->record.shed_w < 1.0);
    for (int k = 0; k < 50; k++) {
        loop_tick(&f, 120e6);
        assert_true(f.plant->pods_w < 71e6);
        assert_true(f.plant->grid_w < 70.5e6);
    }
    for (int k = 0; k < 12000; k++) { /* and all of it comes in the end */
        loop_tick(&f, 120e6);
    }
    assert_true(f.plant->pods_w > 119.9e6);
    loop_close(&f);
}

/* Next to empty the battery covers nothing by what it says of its charge.  What
 * ran goes on after a dip: it is no growth. */
static void a_dip_is_no_less_afterwards(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 4, 0);
    site->batteries[0].sim_soc_start_pu = site->batteries[0].soc_min_pu + 0.008;
    struct loop_fixture f = loop_open(site, POLICY_BALLAST, 60e6);
    double shed_wh = 0.0;
    for (int k = 0; k < 3000; k++) {
        bool dip = k > 600 && k % 600 < 200;
        loop_tick(&f, dip ? 54e6 : 60e6);
        shed_wh += (f.plant->demand_w - f.plant->pods_w) / 36000.0;
    }
    if (shed_wh > 1e3) {
        fail_msg("%.0f Wh held back", shed_wh);
    }
    loop_close(&f);
}

/* Ten batteries cover any pod: no word, no cap. */
static void covered_pod_is_no_news(void **state)
{
    (void)state;
    struct loop_fixture f =
        loop_open(fixture_site(10, 4, 0), POLICY_BALLAST, 60e6);
    for (int k = 0; k < 600; k++) {
        loop_tick(&f, 60e6);
        assert_true(f.out->record.reserve_short_w == 0.0);
        assert_null(line_of(f.out, REASON_RESERVE_POD));
        assert_true(f.out->pods[0].cap_w == f.site->pods[0].power_max_w);
    }
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uncovered_pod_is_told_and_may_not_start_at_once),
        cmocka_unit_test(covered_pod_is_no_news),
        cmocka_unit_test(a_dip_is_no_less_afterwards),
    };
    return cmocka_run_group_tests_name("usual", tests, NULL, NULL);
}
