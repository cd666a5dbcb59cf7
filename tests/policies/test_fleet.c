/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/fleet: who may compute, who charges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "models/reason.h"
#include "policies/fleet.h"
#include "tests/fleet_fixture.h"

static const int64_t MONO = 1000000;
static const int64_t UTC = 1763683200000;

static struct site_fleet lot;
static struct guard_cfg lot_guard;

static int park_the_lot(void **state)
{
    (void)state;
    lot = fleet_usual(160.0);
    lot.feeder_max_w = 1e6;
    struct guard_terms terms = guard_terms_of(&lot);
    guard_init(&lot_guard, &terms);
    return 0;
}

static struct node_in good(void)
{
    return (struct node_in){
        .pack_mono_ms = MONO - 1000,
        .agent_mono_ms = MONO - 1000,
        .soc_pu = 0.7,
        .soc_limit_pu = 0.8,
        .energy_wh = 52e3,
        .compute_avail_w = 160.0,
        .pack_c = 20.0,
        .ambient_c = 15.0,
        .departs_soc_pu = 0.6,
        .departs_at_ms = UTC + 3600 * 1000,
        .flags = NODE_ONLINE | NODE_PLUGGED | NODE_CONSENT | NODE_PARKED |
                 NODE_HAS_DEPARTURE,
    };
}

static struct fleet_in site_now(void)
{
    return (struct fleet_in){.fleet = &lot,
                             .guard = &lot_guard,
                             .mono_ms = MONO,
                             .utc_ms = UTC,
                             .energy_per_kwh = 0.05,
                             .value_per_kwh = INFINITY};
}

/* A car that is seen for the first time. */
static struct node_command decide(const struct fleet_in *in,
                                  const struct node_in *node,
                                  double feeder_left_w)
{
    struct guard_state guard = {0};
    struct bucket_car bucket;
    struct fleet_car car = {.node = node, .guard = &guard, .bucket = &bucket};
    return fleet_node(in, &car, feeder_left_w);
}

static void first_veto_is_named(void **state)
{
    (void)state;
    struct node_in rows[24];
    enum reason want[24];
    int n = 0;
    struct node_in x = good();
    rows[n] = x, want[n++] = REASON_NODE_OK;
    x = good(), x.flags &= ~(int64_t)NODE_PLUGGED;
    rows[n] = x, want[n++] = REASON_NODE_UNPLUGGED;
    x = good(), x.flags &= ~(int64_t)NODE_PARKED;
    rows[n] = x, want[n++] = REASON_NODE_IN_USE;
    x = good(), x.flags &= ~(int64_t)NODE_CONSENT;
    rows[n] = x, want[n++] = REASON_NODE_NO_CONSENT;
    x = good(), x.flags |= NODE_ALARM;
    rows[n] = x, want[n++] = REASON_NODE_ALARM;
    x = good(), x.flags &= ~(int64_t)NODE_ONLINE;
    rows[n] = x, want[n++] = REASON_NODE_STALE;
    x = good(), x.pack_c = 5.0;
    rows[n] = x, want[n++] = REASON_NODE_COLD;
    x = good(), x.pack_c = 50.0;
    rows[n] = x, want[n++] = REASON_NODE_HOT;
    x = good(), x.pack_c = NAN;
    rows[n] = x, want[n++] = REASON_NODE_STALE;
    x = good(), x.soc_pu = 0.5;
    rows[n] = x, want[n++] = REASON_NODE_DEPARTURE;
    x = good(), x.soc_pu = 1.8;
    rows[n] = x, want[n++] = REASON_NODE_IMPLAUSIBLE;
    x = good(), x.agent_mono_ms = MONO - 61000;
    rows[n] = x, want[n++] = REASON_NODE_STALE;
    x = good(), x.pack_mono_ms = 0;
    rows[n] = x, want[n++] = REASON_NODE_STALE;
    x = good(), x.compute_avail_w = NAN;
    rows[n] = x, want[n++] = REASON_NODE_NOT_OFFERED;
    x = good(), x.until_at_ms = UTC;
    rows[n] = x, want[n++] = REASON_NODE_NOT_OFFERED;
    struct fleet_in in = site_now();
    for (int i = 0; i < n; i++) {
        struct node_command c = decide(&in, &rows[i], 1e6);
        if (c.reason != (int64_t)want[i]) {
            fail_msg("row %d: %s, expected %s", i,
                     reason_word((enum reason)c.reason), reason_word(want[i]));
        }
        assert_true((c.compute_w > 0.0) == (want[i] == REASON_NODE_OK));
    }
}

static void departure_is_charged_for(void **state)
{
    (void)state;
    struct node_in x = good();
    x.soc_pu = 0.55;
    struct fleet_in in = site_now();
    in.value_per_kwh = 0.0; /* no work to hurry for */
    struct node_command c = decide(&in, &x, 1e6);
    /* 5 % of 75 kWh in an hour, with losses, a little early. */
    assert_true(c.charge_w > 75e3 * 0.05 / 0.9 && c.charge_w < 7.3e3);
    assert_true(c.charge_w < 7.2e3);
    x.departs_at_ms = UTC - 1000; /* late: all it can */
    assert_true(decide(&in, &x, 1e6).charge_w == 7.2e3);
    x.pack_c = 0.0; /* never when cold */
    assert_true(decide(&in, &x, 1e6).charge_w == 0.0);
}

/* A car that is refused for its charge alone gets it at once, if its work is
 * wanted and the site does not shed. */
static void work_that_waits_hurries_the_charge(void **state)
{
    (void)state;
    struct node_in x = good();
    x.soc_pu = 0.55;
    x.departs_at_ms = UTC + 10 * 3600 * 1000;
    struct fleet_in in = site_now();
    struct node_command c = decide(&in, &x, 1e6);
    assert_true(c.reason == REASON_NODE_DEPARTURE && c.charge_w == 7.2e3);
    in.restrict_load = true;
    double calm_w = decide(&in, &x, 1e6).charge_w;
    assert_true(calm_w > 0.0 && calm_w < 1e3);
    in.restrict_load = false;
    struct node_in no = x;
    no.flags &= ~(int64_t)NODE_CONSENT;
    assert_true(decide(&in, &no, 1e6).charge_w == calm_w);
    no = x;
    no.compute_avail_w = 0.0;
    assert_true(decide(&in, &no, 1e6).charge_w == calm_w);
    in.value_per_kwh = 0.01;
    assert_true(decide(&in, &x, 1e6).charge_w == calm_w);
    in.value_per_kwh = 3.0;
    x.soc_pu = 0.65; /* it has what it needs and may work */
    c = decide(&in, &x, 1e6);
    assert_true(c.compute_w == 160.0 && c.charge_w == 0.0);
}

static void cheap_power_fills_up_unless_the_site_sheds(void **state)
{
    (void)state;
    struct node_in x = good();
    struct fleet_in in = site_now();
    assert_true(decide(&in, &x, 1e6).charge_w == 0.0);
    in.cheap = true;
    assert_true(decide(&in, &x, 1e6).charge_w == 7.2e3);
    in.restrict_load = true;
    assert_true(decide(&in, &x, 1e6).charge_w == 0.0);
    in.restrict_load = false;
    x.soc_pu = 0.8;
    assert_true(decide(&in, &x, 1e6).charge_w == 0.0);
}

static void work_is_worth_energy_and_wear(void **state)
{
    (void)state;
    struct node_in x = good();
    struct fleet_in in = site_now();
    struct guard_now now = {.node = &x, .mono_ms = MONO};
    double wear_per_kwh = guard_price_per_kwh(in.guard, &now);
    assert_true(wear_per_kwh > 0.0 && wear_per_kwh < 0.05);
    in.value_per_kwh = 0.05 + 0.99 * wear_per_kwh;
    struct node_command c = decide(&in, &x, 1e6);
    assert_true(c.compute_w == 0.0 && c.reason == REASON_NODE_PRICE);
    in.value_per_kwh = 0.05 + 1.01 * wear_per_kwh;
    assert_true(decide(&in, &x, 1e6).compute_w == 160.0);
    in.energy_per_kwh = NAN; /* nothing known: the wear alone */
    in.value_per_kwh = 0.99 * wear_per_kwh;
    assert_true(decide(&in, &x, 1e6).reason == REASON_NODE_PRICE);
}

static void a_full_feeder_is_named(void **state)
{
    (void)state;
    struct node_in x = good();
    struct fleet_in in = site_now();
    assert_true(decide(&in, &x, 159.0).reason == REASON_NODE_FEEDER);
    assert_true(decide(&in, &x, 160.0).reason == REASON_NODE_OK);
}

static void a_cool_pack_is_charged_slowly(void **state)
{
    (void)state;
    struct site_fleet small = lot;
    small.pack_wh = 40e3;
    struct guard_cfg guard;
    struct guard_terms terms = guard_terms_of(&small);
    guard_init(&guard, &terms);
    struct node_in x = good();
    x.energy_wh = 28e3;
    struct fleet_in in = site_now();
    in.fleet = &small;
    in.guard = &guard;
    in.cheap = true;
    assert_true(decide(&in, &x, 1e6).charge_w == 7.2e3);
    x.pack_c = 10.0;
    assert_true(decide(&in, &x, 1e6).charge_w == 0.16 * 40e3);
    x.pack_c = 4.9;
    assert_true(decide(&in, &x, 1e6).charge_w == 0.0);
}

/* The plan decides when, the guard and the departure whether. */
static void a_planned_charge_comes_in_turn(void **state)
{
    (void)state;
    struct guard_state guard = {0};
    struct bucket_car told;
    struct node_in x = good();
    x.soc_pu = 0.5;
    x.departs_at_ms = UTC + 10 * 3600 * 1000;
    struct fleet_car car = {.node = &x, .guard = &guard, .bucket = &told};
    struct bucket_order nobody = {.full_s = 0, .part_s = 0};
    struct fleet_in in = site_now();
    in.value_per_kwh = 0.0;
    in.charge = &nobody;
    assert_true(fleet_node(&in, &car, 1e6).charge_w == 0.0);
    assert_int_equal(told.charge_w, 7200);
    assert_true(told.need_wh >= 75e3 * 0.1 && told.need_wh < 75e3 * 0.15);
    assert_int_equal(told.departs_s, bucket_clock_s(x.departs_at_ms));
    int32_t lax_s = told.start_s - bucket_clock_s(UTC);
    assert_true(lax_s > 7 * 3600 && lax_s < 9 * 3600);
    struct bucket_order half = {.part_s = told.start_s + 1, .part = 0.5f};
    in.charge = &half;
    assert_true(fleet_node(&in, &car, 1e6).charge_w == 3600.0);
    struct bucket_order all = {.full_s = BUCKET_NEVER};
    in.charge = &all;
    assert_true(fleet_node(&in, &car, 1e6).charge_w == 7200.0);
    assert_true(fleet_node(&in, &car, 1e3).charge_w == 1e3);
    x.charge_w = 7200.0; /* it keeps its turn */
    fleet_node(&in, &car, 1e6);
    assert_int_equal(told.start_s, bucket_clock_s(UTC) + lax_s - 900);
    x.pack_c = 0.0; /* never when cold, whatever is planned */
    assert_true(fleet_node(&in, &car, 1e6).charge_w == 0.0);
    assert_int_equal(told.start_s, BUCKET_NEVER);
    x.pack_c = 20.0;
    in.value_per_kwh = 3.0; /* work waits for it: no laxity */
    fleet_node(&in, &car, 1e6);
    assert_int_equal(told.start_s, bucket_clock_s(UTC));
    in.restrict_load = true;
    fleet_node(&in, &car, 1e6);
    assert_true(told.start_s > bucket_clock_s(UTC) + 3600);
}

/* A fleet that takes over works where there is work, and tells what it can. */
static void work_is_taken_over_and_given_back(void **state)
{
    (void)state;
    struct guard_state guard = {0};
    struct bucket_car told;
    struct bucket_work work;
    struct node_in x = good();
    struct fleet_car car = {
        .node = &x, .guard = &guard, .bucket = &told, .work = &work};
    struct bucket_work_order none = bucket_no_work();
    struct bucket_work_order some = {.full_per_kwh = 1.0f};
    struct fleet_in in = site_now();
    in.value_per_kwh = 3.0;
    in.work = &none;
    struct node_command c = fleet_node(&in, &car, 1e6);
    assert_true(c.compute_w == 0.0 && c.reason == REASON_NODE_NO_WORK);
    assert_true(work.w == 160 && work.per_kwh > 0.05f);
    float fresh_per_kwh = work.per_kwh;
    in.work = &some;
    c = fleet_node(&in, &car, 1e6);
    assert_true(c.compute_w == 160.0 && c.reason == REASON_NODE_OK);
    fleet_node(&in, &car, 1e6); /* one that works is kept */
    assert_true(work.per_kwh < fresh_per_kwh);
    in.work = &none;
    assert_true(fleet_node(&in, &car, 1e6).compute_w == 0.0);
    in.work = &some;
    x.flags &= ~(int64_t)NODE_CONSENT;
    c = fleet_node(&in, &car, 1e6);
    assert_true(c.compute_w == 0.0 && c.reason == REASON_NODE_NO_CONSENT);
    assert_int_equal(work.w, 0);
}

static double any(uint64_t *seed, double lo, double hi)
{
    double u = random_draw(seed, 0.0, 1.0);
    return u < 0.05 ? NAN : u < 0.1 ? 1e300 : random_draw(seed, lo, hi);
}

/* Whatever a car says: never negative, never over the feeder, never compute
 * without plug and consent. */
static void no_input_breaks_the_bounds(void **state)
{
    (void)state;
    uint64_t seed = random_seed(9);
    print_message("seed 9\n");
    for (int k = 0; k < 200000; k++) {
        struct node_in x = good();
        x.soc_pu = any(&seed, -0.2, 1.2);
        x.soc_limit_pu = any(&seed, -0.2, 1.2);
        x.compute_avail_w = any(&seed, -100.0, 2000.0);
        x.pack_c = any(&seed, -30.0, 60.0);
        x.departs_soc_pu = any(&seed, -1.0, 2.0);
        x.departs_at_ms = UTC + (int64_t)random_draw(&seed, -1e8, 1e8);
        x.flags = (int64_t)random_draw(&seed, 0.0, 64.0);
        struct fleet_in in = site_now();
        in.cheap = random_draw(&seed, 0.0, 1.0) < 0.5;
        double left_w = random_draw(&seed, -1e3, 8e3);
        struct bucket_order order = {
            .full_s = (int32_t)random_draw(&seed, 0.0, 2e9), .part = 0.5f};
        order.part_s = order.full_s + 64;
        in.charge = k % 2 == 0 ? &order : NULL;
        struct node_command c = decide(&in, &x, left_w);
        assert_true(c.charge_w >= 0.0 && c.compute_w >= 0.0);
        assert_true(c.charge_w + c.compute_w <= fmax(left_w, 0.0) + 1e-9);
        int64_t both = NODE_PLUGGED | NODE_CONSENT;
        assert_true(c.compute_w <= 0.0 || (x.flags & both) == both);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_veto_is_named),
        cmocka_unit_test(departure_is_charged_for),
        cmocka_unit_test(work_that_waits_hurries_the_charge),
        cmocka_unit_test(cheap_power_fills_up_unless_the_site_sheds),
        cmocka_unit_test(work_is_worth_energy_and_wear),
        cmocka_unit_test(a_full_feeder_is_named),
        cmocka_unit_test(a_cool_pack_is_charged_slowly),
        cmocka_unit_test(a_planned_charge_comes_in_turn),
        cmocka_unit_test(work_is_taken_over_and_given_back),
        cmocka_unit_test(no_input_breaks_the_bounds),
    };
    return cmocka_run_group_tests_name("fleet", tests, park_the_lot, NULL);
}
