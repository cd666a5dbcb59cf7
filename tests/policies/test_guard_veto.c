/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/guard: what may be asked of a pack, and what never. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/policies/guard_fixture.h"

/* One row: what differs from a car that may compute. */
struct row {
    const char *what;
    size_t at; /* of the double that is set, in struct node_in */
    double value;
    int64_t flags_off;
    int64_t flags_on;
    enum reason want;
};
#define AT(name) offsetof(struct node_in, name)

static const struct row rows[] = {
    {"as it is", AT(soc_pu), 0.7, 0, 0, REASON_NODE_OK},
    {"silent", AT(soc_pu), 0.7, NODE_ONLINE, 0, REASON_NODE_STALE},
    {"soc unknown", AT(soc_pu), NAN, 0, 0, REASON_NODE_STALE},
    {"pack unknown", AT(pack_c), NAN, 0, 0, REASON_NODE_STALE},
    {"soc over 1", AT(soc_pu), 1.01, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"soc under 0", AT(soc_pu), -0.01, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"pack infinite", AT(pack_c), INFINITY, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"pack of ice", AT(pack_c), -300.0, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"ambient absurd", AT(ambient_c), 1e9, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"charge absurd", AT(charge_w), 1e300, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"discharging", AT(charge_w), -500.0, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"computes 2 MW", AT(compute_w), 2e6, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"offers -1 W", AT(compute_avail_w), -1.0, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"energy absurd", AT(energy_wh), 1e9, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"needs 120 %", AT(departs_soc_pu), 1.2, 0, 0, REASON_NODE_IMPLAUSIBLE},
    {"ambient unknown", AT(ambient_c), NAN, 0, 0, REASON_NODE_OK},
    {"alarm", AT(soc_pu), 0.7, 0, NODE_ALARM, REASON_NODE_ALARM},
    {"driving", AT(soc_pu), 0.7, NODE_PARKED, 0, REASON_NODE_IN_USE},
    {"unplugged", AT(soc_pu), 0.7, NODE_PLUGGED, 0, REASON_NODE_UNPLUGGED},
    {"no consent", AT(soc_pu), 0.7, NODE_CONSENT, 0, REASON_NODE_NO_CONSENT},
    {"needs it all", AT(soc_pu), 0.6, 0, 0, REASON_NODE_DEPARTURE},
    {"no departure, half full", AT(soc_pu), 0.53, NODE_HAS_DEPARTURE, 0,
     REASON_NODE_OK},
    {"no departure, less", AT(soc_pu), 0.5, NODE_HAS_DEPARTURE, 0,
     REASON_NODE_DEPARTURE},
    {"needs nothing", AT(departs_soc_pu), 0.0, 0, 0, REASON_NODE_OK},
    {"no need said, half", AT(departs_soc_pu), NAN, 0, 0, REASON_NODE_OK},
    {"cold", AT(pack_c), 10.0, 0, 0, REASON_NODE_COLD},
    {"cool", AT(pack_c), 10.1, 0, 0, REASON_NODE_OK},
    {"hot", AT(pack_c), 35.1, 0, 0, REASON_NODE_HOT},
    {"soon hot", AT(pack_c), 34.0, 0, 0, REASON_NODE_HOT},
    {"warmer than at rest", AT(pack_c), 27.0, 0, 0, REASON_NODE_HEATING},
    {"a little warmer", AT(pack_c), 23.0, 0, 0, REASON_NODE_OK},
};

static void first_veto_is_named(void **state)
{
    (void)state;
    struct guard_cfg cfg = cfg_of(800.0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct node_in node = good();
        memcpy((char *)&node + r->at, &r->value, sizeof(r->value));
        node.flags = (node.flags & ~r->flags_off) | r->flags_on;
        struct guard_state s = rested(&cfg);
        struct guard_now now = now_of(&node);
        assert_answer(guard_ask(&cfg, &s, &now, 800.0), r->want, r->what);
    }
}

static void age_alone_refuses(void **state)
{
    (void)state;
    static const struct {
        int64_t agent_ms, pack_ms; /* age; negative: from the future */
        enum reason want;
    } ages[] = {
        {60000, 900000, REASON_NODE_OK},  {60001, 0, REASON_NODE_STALE},
        {0, 900001, REASON_NODE_STALE},   {-1000, -1000, REASON_NODE_OK},
        {-1001, 0, REASON_NODE_STALE},    {0, -1001, REASON_NODE_STALE},
        {MONO, 0, REASON_NODE_STALE},     {0, MONO, REASON_NODE_STALE},
        {MONO + 1, 0, REASON_NODE_STALE},
    };
    struct guard_cfg cfg = cfg_of(800.0);
    struct guard_state s = rested(&cfg);
    for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        struct node_in node = good();
        node.agent_mono_ms = MONO - ages[i].agent_ms;
        node.pack_mono_ms = MONO - ages[i].pack_ms;
        struct guard_now now = now_of(&node);
        assert_answer(guard_ask(&cfg, &s, &now, 800.0), ages[i].want, "age");
    }
    struct guard_state new = {0};
    struct node_in node = good();
    struct guard_now now = now_of(&node);
    assert_answer(guard_ask(&cfg, &new, &now, 800.0), REASON_NODE_STALE,
                  "never seen");
}

/* Whoever is refused for the km is refused nothing else, and gets them back
 * with time. */
static void virtual_km_run_out(void **state)
{
    (void)state;
    struct guard_cfg cfg = cfg_of(800.0);
    struct guard_state s = rested(&cfg);
    struct node_in node = good();
    struct guard_now now = now_of(&node);
    double risk_km = 800.0 * 1020.0 / 3600.0 * OVERHEAD / 160.0;
    double full_km = 1000.0 / 12.0;
    s.spent_km = full_km - risk_km - 0.2;
    assert_answer(guard_ask(&cfg, &s, &now, 800.0), REASON_NODE_OK, "left");
    s.spent_km = full_km - risk_km + 0.01;
    assert_answer(guard_ask(&cfg, &s, &now, 800.0), REASON_NODE_KM, "spent");
    double spent_km = s.spent_km;
    for (int i = 0; i < 1440; i++) {
        now.mono_ms += 60000;
        node.agent_mono_ms = node.pack_mono_ms = now.mono_ms;
        guard_step(&cfg, &s, &now);
    }
    assert_answer(guard_ask(&cfg, &s, &now, 800.0), REASON_NODE_OK, "later");
    double day_km = (1000.0 - full_km) / 365.25; /* a year in all: 1000 */
    assert_true(fabs(spent_km - s.spent_km - day_km) < 1e-9);
    struct guard_terms none = terms_of(800.0);
    none.virtual_km_per_year = 0.0;
    guard_init(&cfg, &none);
    s = rested(&cfg);
    now.mono_ms = node.agent_mono_ms = node.pack_mono_ms = MONO;
    assert_answer(guard_ask(&cfg, &s, &now, 800.0), REASON_NODE_KM, "none");
}

/* What would stop a car from beginning lets it go on. */
static void limits_have_a_spread(void **state)
{
    (void)state;
    static const struct {
        double soc_pu, pack_c;
        enum reason begin, go_on;
    } at[] = {
        {0.7, 10.0, REASON_NODE_COLD, REASON_NODE_OK},
        {0.7, 5.0, REASON_NODE_COLD, REASON_NODE_COLD},
        {0.7, 37.0, REASON_NODE_HOT, REASON_NODE_OK},
        {0.7, 41.0, REASON_NODE_HOT, REASON_NODE_HOT},
        {0.607, 20.0, REASON_NODE_DEPARTURE, REASON_NODE_OK},
        {0.604, 20.0, REASON_NODE_DEPARTURE, REASON_NODE_DEPARTURE},
    };
    struct guard_cfg cfg = cfg_of(800.0);
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        struct guard_state s = rested(&cfg);
        struct node_in node = good();
        node.soc_pu = at[i].soc_pu;
        node.pack_c = at[i].pack_c;
        s.rest_c = at[i].pack_c;
        struct guard_now now = now_of(&node);
        assert_answer(guard_ask(&cfg, &s, &now, 800.0), at[i].begin, "begin");
        guard_grant(&s, &now, 800.0);
        assert_answer(guard_ask(&cfg, &s, &now, 800.0), at[i].go_on, "go on");
        guard_grant(&s, &now, 0.0);
        assert_answer(guard_ask(&cfg, &s, &now, 800.0), at[i].begin, "again");
    }
}

static void absurd_wishes_are_refused(void **state)
{
    (void)state;
    static const double wishes[] = {NAN, INFINITY, -INFINITY, -1.0, 801.0, 1e9};
    struct guard_cfg cfg = cfg_of(800.0);
    struct guard_state s = rested(&cfg);
    struct node_in node = good();
    struct guard_now now = now_of(&node);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        assert_answer(guard_ask(&cfg, &s, &now, wishes[i]),
                      REASON_NODE_IMPLAUSIBLE, "wish");
    }
    struct guard_cfg strong = cfg_of(1.3e3); /* 3.5 K/h */
    assert_answer(guard_ask(&strong, &s, &now, 1.3e3), REASON_NODE_HEATING,
                  "fast");
    struct guard_terms tiny = terms_of(50.0);
    tiny.pack_wh = 1.2e3;
    tiny.budget_ppm_per_day = 1e3;
    s.budget_ppm = 1e3;
    node.energy_wh = 700.0;
    node.compute_avail_w = 50.0;
    struct guard_cfg small;
    guard_init(&small, &tiny);
    node.soc_pu = 0.7;
    node.departs_soc_pu = 0.2;
    assert_answer(guard_ask(&small, &s, &now, 50.0), REASON_NODE_OK, "5 %");
    tiny.pack_wh = 1.0e3;
    guard_init(&small, &tiny);
    assert_answer(guard_ask(&small, &s, &now, 50.0), REASON_NODE_RATE, "rate");
}

static void worsen(struct car *c, struct node_in *n, int how)
{
    switch (how) {
    case 0:
        n->pack_c += draw(c, 0.0, 30.0);
        break;
    case 1:
        n->pack_c -= draw(c, 0.0, 30.0);
        break;
    case 2:
        n->soc_pu -= draw(c, 0.0, 0.5);
        break;
    case 3:
        n->agent_mono_ms -= (int64_t)draw(c, 0.0, 9e4);
        n->pack_mono_ms -= (int64_t)draw(c, 0.0, 1.2e6);
        break;
    }
}

/* A refusal for heat may well end when the pack cools, one for cold when it
 * warms; no other may. */
static bool may_end(enum reason why, int how)
{
    return (how == 0 && why == REASON_NODE_COLD) ||
           (how == 1 && (why == REASON_NODE_HOT || why == REASON_NODE_HEATING));
}

static void worse_never_turns_a_refusal_into_a_grant(void **state)
{
    (void)state;
    print_message("seeds 100 to 139\n");
    int n_refused = 0;
    int n_granted = 0;
    for (uint64_t seed = 100; seed < 140; seed++) {
        struct car c = car_make(seed);
        struct guard_cfg cfg = cfg_of(draw(&c, 100.0, 1000.0));
        cfg.terms.from_pack = seed % 4 == 0;
        struct guard_state s = {0};
        for (int i = 0; i < 1500; i++) {
            car_run(&c, draw(&c, 1.0, 60.0));
            car_suffer(&c);
            car_say(&c);
            struct guard_now now = car_now(&c);
            car_ask(&c, &cfg, &s, cfg.terms.compute_w);
            struct node_in any = c.said;
            any.soc_pu = draw(&c, 0.0, 1.0);
            any.pack_c = draw(&c, -10.0, 50.0);
            struct guard_now now_any = now;
            now_any.node = &any;
            enum reason why =
                guard_ask(&cfg, &s, &now_any, cfg.terms.compute_w);
            n_granted += why == REASON_NODE_OK;
            n_refused += why != REASON_NODE_OK;
            for (int how = 0; how < 4; how++) {
                struct node_in worse = any;
                worsen(&c, &worse, how);
                struct guard_now then = now_any;
                then.node = &worse;
                enum reason still =
                    guard_ask(&cfg, &s, &then, cfg.terms.compute_w);
                assert_true(why == REASON_NODE_OK || may_end(why, how) ||
                            still != REASON_NODE_OK);
            }
        }
    }
    assert_true(n_granted > 1000 && n_refused > 1000);
}

/* Any bits for doubles: the books stay finite and nothing is granted on
 * impossible values. */
static void hostile_values_break_nothing(void **state)
{
    (void)state;
    print_message("seed 600\n");
    static const double bad[] = {NAN,    INFINITY, -INFINITY, 1e308,
                                 -1e308, -1.0,     5e-324,    1e9};
    static const size_t fields[] = {
        AT(soc_pu),    AT(soc_limit_pu),    AT(energy_wh),
        AT(charge_w),  AT(compute_w),       AT(pack_c),
        AT(ambient_c), AT(compute_avail_w), AT(departs_soc_pu)};
    struct guard_cfg cfg = cfg_of(800.0);
    struct guard_state s = rested(&cfg);
    uint64_t seed = random_seed(600);
    int64_t mono_ms = MONO;
    for (int k = 0; k < 200000; k++) {
        struct node_in n = good();
        mono_ms += (int64_t)random_draw(&seed, -1e3, 6e4);
        n.pack_mono_ms = n.agent_mono_ms = mono_ms;
        double v = bad[(size_t)random_draw(&seed, 0.0, 8.0)];
        size_t at = fields[(size_t)random_draw(&seed, 0.0, 9.0)];
        memcpy((char *)&n + at, &v, sizeof(v));
        struct guard_now now = {.node = &n, .mono_ms = mono_ms};
        now.energy_per_kwh = bad[(size_t)random_draw(&seed, 0.0, 8.0)];
        guard_step(&cfg, &s, &now);
        enum reason why = guard_ask(&cfg, &s, &now, 800.0);
        assert_true(why != REASON_NODE_OK ||
                    (n.soc_pu >= 0.6 && n.soc_pu <= 1.0 && n.pack_c > 5.0));
        guard_grant(&s, &now, why == REASON_NODE_OK ? 800.0 : 0.0);
        const struct guard_ledger *l = &s.ledger;
        assert_true(isfinite(s.budget_ppm) && isfinite(s.rise_k) &&
                    isfinite(s.rest_c) && isfinite(s.ambient_c) &&
                    isfinite(l->owed_cur) && isfinite(l->loss_ppm) &&
                    isfinite(l->compute_wh) && isfinite(l->pack_wh));
        double w = guard_charge_max_w(&cfg, &now);
        assert_true(w >= 0.0 && w <= PACK_WH);
        assert_true(guard_price_per_kwh(&cfg, &now) >= 0.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_veto_is_named),
        cmocka_unit_test(age_alone_refuses),
        cmocka_unit_test(limits_have_a_spread),
        cmocka_unit_test(virtual_km_run_out),
        cmocka_unit_test(absurd_wishes_are_refused),
        cmocka_unit_test(worse_never_turns_a_refusal_into_a_grant),
        cmocka_unit_test(hostile_values_break_nothing),
    };
    return cmocka_run_group_tests_name("guard, veto", tests, NULL, NULL);
}
