/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/shed: budgets over a hall and its classes, in turns,
 * whoever disobeys or cannot give just now. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/shed.h"
#include "tests/policies/shed_fixture.h"
#include "tests/site_fixture.h"

/* As many pods as there may be, of four classes, with priorities. */
static void make_hall(struct shed_cfg *cfg, struct shed_state *s, int n,
                      uint64_t *seed)
{
    struct site *site = fixture_site(1, n, 0);
    site->n_classes = 4;
    for (int c = 0; c < 4; c++) {
        site->classes[c] =
            (struct site_class){.value_per_kwh = 1.0 + c / 2, .firm = c > 0};
    }
    for (int i = 0; i < n; i++) {
        struct site_pod *pod = &site->pods[i];
        pod->power_max_w = random_draw(seed, 0.5e6, 2e6);
        pod->cap_min_w = random_draw(seed, 0.0, 0.5) * pod->power_max_w;
        pod->cap_step_w = random_draw(seed, 0.0, 1.0) < 0.5 ? 0.0 : 10e3;
        pod->priority = (int)random_draw(seed, 0.0, 3.0);
        pod->class_id = (int)random_draw(seed, 0.0, 4.0);
        pod->checkpoint_hold_s = 30.0;
    }
    shed_init(cfg, site);
    shed_reset(cfg, s);
    free(site);
}

/* Budgets of any kind: caps stay within floor and power_max in whole steps,
 * and all together within the budget wherever the floors leave it. */
static void the_budget_is_met_wherever_floors_allow(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    static double power_w[SITE_PODS_MAX];
    uint64_t seed = random_seed(21);
    print_message("seed 21\n");
    for (int turn = 0; turn < 40; turn++) {
        int n = 1 + (int)random_draw(&seed, 0.0, 60.0);
        make_hall(&cfg, &s, n, &seed);
        for (int k = 0; k < 300; k++) {
            struct shed_in in = asked(0.0, 0.0);
            for (int i = 0; i < n; i++) {
                double w = random_draw(&seed, 0.0, cfg.power_max_w[i]);
                power_w[i] = fmin(w, s.cap_w[i]);
                in.pods_w += power_w[i];
            }
            in.over_w = random_draw(&seed, -0.3, 0.3) * cfg.power_max_sum_w;
            double target_w = in.pods_w - in.over_w;
            bool bound = in.over_w > 0.0 || !shed_is_open(&cfg, &s);
            double missing_w = shed_step(&cfg, &s, &in, power_w);
            double sum_w = 0.0;
            for (int i = 0; i < n; i++) {
                double above_w = s.cap_w[i] - cfg.cap_min_w[i];
                double steps = above_w / cfg.step_w[i];
                bool whole = fabs(steps - round(steps)) < 1e-3 ||
                             s.cap_w[i] == cfg.power_max_w[i];
                assert_true(above_w >= -1e-6 && whole);
                assert_true(s.cap_w[i] <= cfg.power_max_w[i]);
                sum_w += s.cap_w[i];
            }
            double most_w = fmax(target_w, cfg.floor_sum_w);
            if (bound && !shed_is_open(&cfg, &s) && sum_w > most_w + 1.0) {
                fail_msg("caps of %g W, %g W asked", sum_w, most_w);
            }
            assert_true(missing_w >= 0.0);
            assert_true(!bound ||
                        missing_w <=
                            fmax(cfg.floor_sum_w - target_w, 0.0) + 1.0);
            assert_true(shed_valid(&cfg, &s));
        }
    }
}

/* All draw what they may: nobody of a lower standing has more than its floor
 * while one of a higher is held back by more than its step. */
static void a_lower_standing_gives_all_before_a_higher_gives(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    static double power_w[SITE_PODS_MAX];
    uint64_t seed = random_seed(22);
    print_message("seed 22\n");
    for (int turn = 0; turn < 200; turn++) {
        int n = 2 + (int)random_draw(&seed, 0.0, 40.0);
        make_hall(&cfg, &s, n, &seed);
        memcpy(power_w, cfg.power_max_w, sizeof(power_w));
        struct shed_in in = asked(cfg.power_max_sum_w, 0.0);
        double range_w = cfg.power_max_sum_w - cfg.floor_sum_w;
        in.over_w = random_draw(&seed, 0.01, 0.99) * range_w;
        shed_step(&cfg, &s, &in, power_w);
        int64_t served = -1; /* the lowest rank with more than its floor */
        for (int64_t k = 0; k < n; k++) {
            int64_t i = cfg.order[k];
            served = s.cap_w[i] > cfg.cap_min_w[i] + 1.0 ? cfg.rank[k] : served;
        }
        for (int64_t k = 0; k < n; k++) {
            int64_t i = cfg.order[k];
            double held_w = cfg.power_max_w[i] - s.cap_w[i];
            if (cfg.rank[k] < served && held_w > cfg.step_w[i]) {
                fail_msg("rank %d gives %g W before %d", (int)cfg.rank[k],
                         held_w, (int)served);
            }
        }
    }
}

/* Ten equal pods of which one is spared by checkpoints for half of the time:
 * over an hour the others are not held back longer than it. */
static void nobody_among_equals_is_held_back_all_the_time(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = fixture_site(1, 10, 0);
    for (int i = 0; i < 10; i++) {
        site->pods[i].checkpoint_hold_s = 60.0;
    }
    shed_init(&cfg, site);
    shed_reset(&cfg, &s);
    double power_w[10];
    double held_wh[10] = {0.0};
    for (int k = 0; k < 36000; k++) {
        struct shed_in in = asked(0.0, 0.0);
        for (int i = 0; i < 10; i++) {
            power_w[i] = fmin(15e6, s.cap_w[i]);
            held_wh[i] += (15e6 - power_w[i]) * 0.1 / 3600.0;
            in.pods_w += power_w[i];
            struct shed_pod_seen seen = {.power_w = power_w[i]};
            seen.inlet_c = seen.coolant_c = seen.servers_w = NAN;
            shed_see(&cfg, &s, i, &seen, 0.1);
        }
        if (k % 1200 == 0) {
            shed_mark(&cfg, &s, 3, JOB_CHECKPOINT_START);
        }
        in.over_w = in.pods_w - 120e6;
        shed_step(&cfg, &s, &in, power_w);
        if (k % 1200 < 590 && k > 0 && s.phases[3].hold_s > 0.0) {
            assert_true(s.cap_w[3] >= power_w[3] - 1.0);
        }
    }
    double most_wh = 0.0;
    double least_wh = INFINITY;
    for (int i = 0; i < 10; i++) {
        most_wh = fmax(most_wh, held_wh[i]);
        least_wh = fmin(least_wh, held_wh[i]);
    }
    if (most_wh > 1.15 * least_wh) {
        fail_msg("held back between %g and %g Wh", least_wh, most_wh);
    }
    free(site);
}

/* One that does not obey: what it draws comes off the others at once. */
static void others_give_in_place_of_one_that_disobeys(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = make(&cfg, &s);
    double power_w[4] = {10e6, 10e6, 10e6, 10e6};
    double drawn_w = 40e6;
    int at = -1;
    for (int k = 0; k < 100; k++) {
        struct shed_in in = asked(drawn_w, drawn_w - 32e6);
        drawn_w = 0.0;
        shed_step(&cfg, &s, &in, power_w);
        for (int i = 0; i < 4; i++) {
            power_w[i] = i == 0 ? 10e6 : fmin(10e6, s.cap_w[i]);
            drawn_w += power_w[i];
            struct shed_pod_seen seen = {.power_w = power_w[i]};
            seen.inlet_c = seen.coolant_c = seen.servers_w = NAN;
            shed_see(&cfg, &s, i, &seen, 0.1);
        }
        at = at < 0 && s.pods[0].apart ? k : at;
        assert_true(at < 0 || k < at + 2 || drawn_w <= 32e6 + 1.0);
        assert_true(at >= 0 || k < 40);
    }
    assert_true(s.cap_w[0] < 10e6 && s.cap_w[3] == 10e6);
    free(site);
}

/* A checkpoint is capped no lower while the others' floors leave it, and is
 * where they do not. */
static void a_checkpoint_is_spared_while_others_can_give(void **state)
{
    (void)state;
    static const struct {
        double over_w;
        bool spared;
    } rows[] = {{6e6, true}, {17e6, true}, {23e6, false}};
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        static struct shed_cfg cfg;
        static struct shed_state s;
        struct site *site = make(&cfg, &s);
        cfg.checkpoint_hold_s[0] = 30.0;
        double power_w[4] = {10e6, 10e6, 10e6, 10e6};
        shed_mark(&cfg, &s, 0, JOB_CHECKPOINT_START);
        struct shed_in in = asked(40e6, rows[r].over_w);
        shed_step(&cfg, &s, &in, power_w);
        assert_true((s.cap_w[0] == 10e6) == rows[r].spared);
        shed_mark(&cfg, &s, 0, JOB_CHECKPOINT_END);
        shed_step(&cfg, &s, &in, power_w);
        assert_true(s.cap_w[0] < 10e6);
        free(site);
    }
}

/* Work that can wait comes down to its class's budget at the ramp, the lower
 * priority of it first, and comes back likewise. */
static void a_class_keeps_its_budget(void **state)
{
    (void)state;
    static struct shed_cfg cfg;
    static struct shed_state s;
    struct site *site = fixture_site(1, 4, 0);
    site->n_classes = 2;
    site->classes[1] = (struct site_class){.value_per_kwh = 1.0};
    for (int i = 0; i < 4; i++) {
        site->pods[i].power_max_w = 10e6;
        site->pods[i].cap_min_w = 2e6;
        site->pods[i].class_id = i / 2;
        site->pods[i].priority = i;
    }
    shed_init(&cfg, site);
    shed_reset(&cfg, &s);
    double class_w[2] = {INFINITY, 9e6};
    double before_w = 40e6;
    double power_w[4] = {10e6, 10e6, 10e6, 10e6};
    for (int k = 0; k < 8000; k++) {
        struct shed_in in = asked(before_w, -100e6);
        class_w[1] = k < 4000 ? 9e6 : INFINITY;
        in.class_w = class_w;
        shed_step(&cfg, &s, &in, power_w);
        double sum_w = 0.0;
        for (int i = 0; i < 4; i++) {
            power_w[i] = fmin(10e6, s.cap_w[i]);
            sum_w += power_w[i];
        }
        double step_w = cfg.return_w_per_s * 0.1 + cfg.step_w[0];
        assert_true(before_w - sum_w <= step_w + 1.0);
        before_w = sum_w;
        assert_true(s.cap_w[0] == 10e6 && s.cap_w[1] == 10e6);
        if (k == 3999) {
            assert_true(s.cap_w[2] + s.cap_w[3] <= 9e6 + 1.0);
            assert_true(s.cap_w[2] + s.cap_w[3] >= 9e6 - 3.0 * cfg.step_w[0]);
            assert_true(s.cap_w[3] > s.cap_w[2]);
            assert_true(s.held_w == 0.0 && s.waiting_w > 10.9e6);
        }
    }
    assert_true(s.cap_w[2] == 10e6 && s.cap_w[3] == 10e6);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_is_met_wherever_floors_allow),
        cmocka_unit_test(a_lower_standing_gives_all_before_a_higher_gives),
        cmocka_unit_test(nobody_among_equals_is_held_back_all_the_time),
        cmocka_unit_test(others_give_in_place_of_one_that_disobeys),
        cmocka_unit_test(a_checkpoint_is_spared_while_others_can_give),
        cmocka_unit_test(a_class_keeps_its_budget),
    };
    return cmocka_run_group_tests_name("shed_budget", tests, NULL, NULL);
}
