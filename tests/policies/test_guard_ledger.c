/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/guard: where the energy came from, and what is owed for it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/policies/guard_fixture.h"

/* Whenever the charger is lost, heard of or not: what compute draws leaves
 * the pack what its departure needs. */
static void departure_holds_with_the_charger_lost_at_any_moment(void **state)
{
    (void)state;
    print_message("seeds 200 to 399\n");
    double lost_wh = 0.0;
    for (uint64_t seed = 200; seed < 400; seed++) {
        struct car c = car_make(seed);
        struct guard_cfg cfg = cfg_of(draw(&c, 100.0, 1000.0));
        cfg.terms.from_pack = seed % 4 == 0;
        double need_pu = c.said.departs_soc_pu;
        c.soc_pu = guard_floor_pu(&cfg, &c.said) + draw(&c, 0.0, 0.02);
        c.capacity_wh = 0.7 * PACK_WH;
        struct guard_state s = {0};
        int lost_at = (int)draw(&c, 0.0, 300.0);
        for (int i = 0; i < 600; i++) {
            double before_wh = c.from_pack_wh;
            car_run(&c, draw(&c, 1.0, 60.0));
            if (i == lost_at - 1) {
                /* the owner's heating took what a grant does not need */
                double least_pu = guard_floor_pu(&cfg, &c.said) - 0.01;
                c.soc_pu = fmin(c.soc_pu, least_pu + draw(&c, 0.0, 1e-3));
            }
            if (i == lost_at) {
                c.plugged = false;
                c.pack_says = seed % 2 == 0; /* the news may be lost as well */
            }
            if (i == lost_at + 60) {
                c.pack_says = true;
            }
            car_say(&c);
            car_ask(&c, &cfg, &s, draw(&c, 0.5, 1.0) * cfg.terms.compute_w);
            if (c.from_pack_wh > before_wh && c.soc_pu < need_pu) {
                fail_msg("seed %d: %.4f, needs %.4f", (int)seed, c.soc_pu,
                         need_pu);
            }
        }
        lost_wh += c.from_pack_wh;
    }
    assert_true(lost_wh > 1e3); /* the worst did happen */
}

static void ledger_is_the_sum_of_what_was_granted(void **state)
{
    (void)state;
    print_message("seeds 500 to 519\n");
    double pack_wh = 0.0;
    for (uint64_t seed = 500; seed < 520; seed++) {
        struct car c = car_make(seed);
        struct guard_terms terms = terms_of(500.0);
        terms.from_pack = true;
        terms.budget_ppm_per_day = 1e3; /* no bound here */
        struct guard_cfg cfg;
        guard_init(&cfg, &terms);
        struct guard_state s = {0};
        car_say(&c);
        car_ask(&c, &cfg, &s, 500.0);
        double granted_wh = 0.0;
        double awake_h = 0.0;
        for (int i = 0; i < 2000; i++) {
            double dt_s = floor(draw(&c, 1.0, 60.0));
            bool on = c.lease_ms > c.mono_ms;
            granted_wh += on ? 500.0 * dt_s / 3600.0 : 0.0;
            awake_h += on ? dt_s / 3600.0 : 0.0;
            car_run(&c, dt_s);
            car_say(&c);
            c.plugged = draw(&c, 0.0, 1.0) < 0.02 ? !c.plugged : c.plugged;
            car_ask(&c, &cfg, &s, 500.0);
        }
        const struct guard_ledger *l = &s.ledger;
        assert_true(fabs(l->compute_wh - granted_wh) < 1e-6);
        assert_true(fabs(l->compute_wh - c.computed_wh) < 1e-6);
        assert_true(fabs(l->awake_h - awake_h) < 1e-9);
        assert_true(fabs(l->virtual_km - l->pack_wh / 160.0) < 1e-9);
        double owed = l->loss_ppm * cfg.cur_per_ppm + l->pack_wh / 1e3 * 0.1;
        assert_true(fabs(l->owed_cur - owed) < 1e-9 * fmax(1.0, owed));
        /* The interval in which the plug is pulled or put counts by its end. */
        double slack_wh = 100.0 * 500.0 * OVERHEAD * 60.0 / 3600.0;
        assert_true(fabs(l->pack_wh - c.from_pack_wh) < slack_wh);
        pack_wh += l->pack_wh;
    }
    assert_true(pack_wh > 1e4);
}

/* Unplugged, yet nobody says so: the gauge tells, sooner or later. */
static void a_drain_at_the_plug_is_booked(void **state)
{
    (void)state;
    struct guard_cfg cfg = cfg_of(800.0);
    struct car c = car_make(7);
    c.soc_pu = 0.9;
    c.pack_c = c.ambient_c = 20.0;
    c.capacity_wh = PACK_WH;
    struct guard_state s = {0};
    c.said.departs_soc_pu = 0.3;
    for (int i = 0; i < 120; i++) {
        c.plugged = true;
        car_say(&c);
        car_ask(&c, &cfg, &s, 800.0);
        c.plugged = false; /* the breaker of the charger is open */
        car_run(&c, 60.0);
    }
    assert_true(c.from_pack_wh > 1500.0);
    double unseen_wh = 0.005 * PACK_WH + 800.0 / 60.0 * OVERHEAD;
    assert_true(s.ledger.pack_wh > c.from_pack_wh - 1.1 * unseen_wh);
    assert_true(s.ledger.pack_wh <= c.from_pack_wh);
}

/* Hours of compute at the plug while the gauge trembles by less than half a
 * per cent: nothing of it came from the pack. */
static void a_trembling_gauge_books_nothing(void **state)
{
    (void)state;
    print_message("seeds 1300 to 1319\n");
    double compute_wh = 0.0;
    for (uint64_t seed = 1300; seed < 1320; seed++) {
        struct car c = car_make(seed);
        struct guard_cfg cfg = cfg_of(draw(&c, 100.0, 1000.0));
        c.said.departs_soc_pu = 0.2;
        c.pack_c = c.ambient_c = 20.0;
        double true_pu = draw(&c, 0.5, 0.9);
        struct guard_state s = {0};
        for (int i = 0; i < 1000; i++) {
            c.soc_pu = true_pu + draw(&c, -0.00249, 0.00249);
            car_say(&c);
            car_ask(&c, &cfg, &s, cfg.terms.compute_w);
            car_run(&c, draw(&c, 1.0, 60.0));
        }
        assert_true(s.ledger.pack_wh == 0.0 && s.ledger.virtual_km == 0.0);
        compute_wh += s.ledger.compute_wh;
    }
    assert_true(compute_wh > 2e4);
}

/* Hours of compute at the plug, and then the pack empties all the same: the
 * owner heats the cabin.  No more of it is compute's than noise of the gauge
 * may have hidden, and what was computed since the news before; so no account
 * is overdrawn by it. */
static void an_owners_drain_is_not_booked_to_compute(void **state)
{
    (void)state;
    print_message("seeds 1400 to 1439\n");
    int n_booked = 0;
    for (uint64_t seed = 1400; seed < 1440; seed++) {
        struct car c = car_make(seed);
        struct guard_cfg cfg = cfg_of(draw(&c, 100.0, 1000.0));
        c.said.departs_soc_pu = 0.2;
        c.soc_pu = 0.9;
        c.pack_c = c.ambient_c = 20.0;
        struct guard_state s = {0};
        double most_wh = 0.005 * PACK_WH;
        for (int i = 0; i < 1500; i++) {
            double booked_wh = s.ledger.pack_wh;
            double computed_wh = c.computed_wh;
            car_run(&c, draw(&c, 1.0, 60.0));
            computed_wh = c.computed_wh - computed_wh;
            bool drains = draw(&c, 0.0, 1.0) < 0.01;
            c.soc_pu -= drains ? draw(&c, 0.004, 0.05) : 0.0;
            c.soc_pu = c.soc_pu < 0.4 ? 0.9 : c.soc_pu;
            car_say(&c);
            car_ask(&c, &cfg, &s, cfg.terms.compute_w);
            double now_wh = s.ledger.pack_wh - booked_wh;
            n_booked += now_wh > 0.0;
            assert_true(now_wh <= most_wh + computed_wh * OVERHEAD + 1e-9);
            assert_true(s.budget_ppm >= -1e-9 && s.spent_km <= 1000.0 / 12.0);
        }
    }
    assert_true(n_booked > 100);
}

/* Elsewhere the owner's plug feeds the computer, and the owner is paid for it;
 * at the site's plug only the pack's energy is the owner's. */
static void owners_are_paid_for_their_energy(void **state)
{
    (void)state;
    static const struct {
        bool behind_poi, plugged;
        double agreed, market; /* per kWh */
        double owed, costs;    /* of energy, per kWh of compute */
    } rows[] = {
        {true, true, NAN, 0.1, 0.0, 0.1},
        {true, true, 0.3, 0.1, 0.0, 0.1},
        {true, true, 0.3, -0.1, 0.0, -0.1},
        {true, false, NAN, 0.1, 0.115, 0.115},
        {true, false, 0.3, 0.1, 0.345, 0.345},
        {true, false, NAN, -0.1, 0.0, 0.0},
        {false, true, NAN, 0.1, 0.1, 0.1},
        {false, true, 0.3, 0.1, 0.3, 0.3},
        {false, true, NAN, NAN, 0.0, 0.0},
        {false, false, 0.3, 0.1, 0.345, 0.345},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct guard_terms terms = terms_of(500.0);
        terms.from_pack = true;
        terms.behind_poi = rows[i].behind_poi;
        terms.energy_per_kwh = rows[i].agreed;
        terms.replacement_per_kwh = 0.0; /* the energy alone */
        struct guard_cfg cfg;
        guard_init(&cfg, &terms);
        struct guard_state s = rested(&cfg);
        struct node_in n = good();
        n.flags &= rows[i].plugged ? -1 : ~(int64_t)NODE_PLUGGED;
        n.compute_w = 500.0;
        struct guard_now now = now_of(&n);
        now.energy_per_kwh = rows[i].market;
        for (int k = 0; k < 72; k++) { /* 500 W for two hours: 1 kWh */
            now.mono_ms += 100000;
            n.agent_mono_ms = n.pack_mono_ms = now.mono_ms;
            guard_step(&cfg, &s, &now);
        }
        assert_true(fabs(s.ledger.compute_wh - 1e3) < 1e-9);
        if (fabs(s.ledger.owed_cur - rows[i].owed) > 1e-9 ||
            fabs(guard_energy_per_kwh(&cfg, &now) - rows[i].costs) > 1e-9) {
            fail_msg("row %d: owed %.6f, costs %.6f", (int)i, s.ledger.owed_cur,
                     guard_energy_per_kwh(&cfg, &now));
        }
    }
}

static void assert_no_less(const struct guard_ledger *now,
                           const struct guard_ledger *then)
{
    assert_true(now->compute_wh >= then->compute_wh);
    assert_true(now->pack_wh >= then->pack_wh);
    assert_true(now->awake_h >= then->awake_h);
    assert_true(now->virtual_km >= then->virtual_km);
    assert_true(now->loss_ppm >= then->loss_ppm);
    assert_true(now->owed_cur >= then->owed_cur);
}

/* Whatever happens, and whatever the clock does, nothing once booked is taken
 * back; the pack never gives more than compute asked for. */
static void what_is_booked_stays_booked(void **state)
{
    (void)state;
    print_message("seeds 1500 to 1529\n");
    double compute_wh = 0.0;
    for (uint64_t seed = 1500; seed < 1530; seed++) {
        struct car c = car_make(seed);
        struct guard_terms terms = terms_of(draw(&c, 100.0, 1000.0));
        terms.from_pack = seed % 2 == 0;
        terms.behind_poi = seed % 3 != 0;
        struct guard_cfg cfg;
        guard_init(&cfg, &terms);
        struct guard_state s = {0};
        for (int i = 0; i < 3000; i++) {
            struct guard_ledger then = s.ledger;
            car_run(&c, draw(&c, 1.0, 120.0));
            car_suffer(&c);
            car_say(&c);
            struct guard_now now = car_now(&c);
            now.energy_per_kwh = draw(&c, -0.2, 0.5);
            now.mono_ms += (int64_t)draw(&c, -2e5, 2e5);
            guard_step(&cfg, &s, &now);
            car_ask(&c, &cfg, &s, terms.compute_w);
            assert_no_less(&s.ledger, &then);
            assert_true(s.ledger.pack_wh <=
                        s.ledger.compute_wh * OVERHEAD * (1.0 + 1e-12));
        }
        compute_wh += s.ledger.compute_wh;
    }
    assert_true(compute_wh > 1e4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(departure_holds_with_the_charger_lost_at_any_moment),
        cmocka_unit_test(ledger_is_the_sum_of_what_was_granted),
        cmocka_unit_test(a_drain_at_the_plug_is_booked),
        cmocka_unit_test(a_trembling_gauge_books_nothing),
        cmocka_unit_test(an_owners_drain_is_not_booked_to_compute),
        cmocka_unit_test(owners_are_paid_for_their_energy),
        cmocka_unit_test(what_is_booked_stays_booked),
    };
    return cmocka_run_group_tests_name("guard, ledger", tests, NULL, NULL);
}
