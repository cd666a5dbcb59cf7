/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/account_events: what is put down to an instruction where some
 * work can wait. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay/account_events.h"
#include "tests/site_fixture.h"

static const double HOUR_S = 3600.0;

/* Two pods of 15 MW: firm work at 2 a kWh, and such as can wait. */
static struct site *two_pods(void)
{
    struct site *site = fixture_site(1, 2, 0);
    site->control.period_s = HOUR_S;
    site->n_classes = 2;
    site->classes[0] = (struct site_class){.value_per_kwh = 2.0, .firm = true};
    site->classes[1] =
        (struct site_class){.value_per_kwh = 1.0, .deadline_s = 8.0 * HOUR_S};
    site->pods[0].class_id = 0;
    site->pods[1].class_id = 1;
    return site;
}

/* An hour under a limit, with what the pods are asked for and draw, in MW. */
static const struct {
    double demand[2];
    double power[2];
    double burn[2];
    double battery;
    double shed_mwh; /* held back */
    double less_mwh; /* not drawn */
    double cur;      /* what is held back is worth */
} rows[] = {
    {{10, 10}, {10, 10}, {0, 0}, 0, 0, 0, 0},
    {{10, 10}, {8, 10}, {0, 0}, 0, 2, 2, 4e3},
    {{10, 10}, {10, 7}, {0, 0}, 0, 0, 3, 0},
    {{10, 10}, {8, 7}, {0, 0}, -1, 2, 6, 4e3},
    /* what is done by now is no substitute for what is held back */
    {{10, 10}, {8, 13}, {0, 0}, 0, 2, -1, 4e3},
    {{10, 10}, {10, 13}, {0, 0}, 0, 0, -3, 0},
    /* nor is what is burnt */
    {{10, 1}, {8, 4}, {0, 3}, 0, 2, 2, 4e3},
    {{1, 10}, {5, 8}, {4, 0}, 0, 0, 2, 0},
};

static void what_can_wait_is_apart(void **state)
{
    (void)state;
    struct site *site = two_pods();
    struct plant *plant = calloc(1, plant_size(site));
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        plant_init(plant, site, 0.0, 1);
        plant->demand_w = plant->pods_w = plant->burn_w = 0.0;
        for (int i = 0; i < 2; i++) {
            struct plant_pod *p = &plant->pods[i];
            p->demand_w = 1e6 * rows[r].demand[i];
            p->power_w = 1e6 * rows[r].power[i];
            p->burn_w = 1e6 * rows[r].burn[i];
            plant->demand_w += p->demand_w;
            plant->pods_w += p->power_w;
            plant->burn_w += p->burn_w;
        }
        plant->battery_w = 1e6 * rows[r].battery;
        struct account_events a = {.in_force_s = 0.0};
        account_events_tick(&a,
                            &(struct account_events_tick){.site = site,
                                                          .plant = plant,
                                                          .price_per_kwh = 0.1,
                                                          .import_max_w = 20e6,
                                                          .cap_w = 20e6});
        double shed_mwh = a.shed_ws / HOUR_S / 1e6;
        double less_mwh = a.less_ws / HOUR_S / 1e6;
        if (fabs(shed_mwh - rows[r].shed_mwh) > 1e-9 ||
            fabs(less_mwh - rows[r].less_mwh) > 1e-9 ||
            fabs(a.shed_cur - rows[r].cur) > 1e-6 ||
            fabs(a.class_shed_ws[0] - a.shed_ws) > 1.0 ||
            fabs(a.saved_cur - 100.0 * rows[r].less_mwh) > 1e-6) {
            fail_msg("row %zu: held back %g MWh for %g, less %g MWh", r,
                     shed_mwh, a.shed_cur, less_mwh);
        }
        assert_true(fabs(a.class_shed_ws[1]) < 1e-9);
    }
    free(plant);
    free(site);
}

/* The way back from an instruction ends when nothing is held back any more,
 * whatever is put off for its price then. */
static void it_does_not_go_on_for_what_is_put_off(void **state)
{
    (void)state;
    struct site *site = two_pods();
    struct plant *plant = calloc(1, plant_size(site));
    plant_init(plant, site, 0.0, 1);
    plant->demand_w = 20e6;
    plant->pods_w = 15e6;
    plant->pods[0].demand_w = plant->pods[0].power_w = 10e6;
    plant->pods[1].demand_w = 10e6;
    plant->pods[1].power_w = 5e6;
    struct account_events a = {.in_force_s = 0.0};
    struct account_events_tick t = {
        .site = site, .plant = plant, .import_max_w = 20e6, .cap_w = 20e6};
    account_events_tick(&a, &t);
    assert_true(fabs(a.under_way_s - HOUR_S) < 1e-9);
    t.import_max_w = t.cap_w = site->grid.import_max_w;
    account_events_tick(&a, &t);
    assert_true(fabs(a.under_way_s - HOUR_S) < 1e-9);
    free(plant);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_wait_is_apart),
        cmocka_unit_test(it_does_not_go_on_for_what_is_put_off),
    };
    return cmocka_run_group_tests_name("replay/account_events", tests, NULL,
                                       NULL);
}
