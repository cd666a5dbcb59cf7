/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/guard: what may be asked of a pack. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "models/reason.h"
#include "policies/guard.h"

static const int64_t MONO = 100000000;
static const double PACK_WH = 75e3;
static const double OVERHEAD = 1.15; /* kWh from the pack per kWh of compute */

static struct guard_terms terms_of(double compute_w)
{
    struct site_fleet fleet = {
        .pack_wh = PACK_WH, .compute_w = compute_w, .chemistry = CHEMISTRY_NCA};
    return guard_terms_of(&fleet);
}

static struct guard_cfg cfg_of(double compute_w)
{
    struct guard_terms terms = terms_of(compute_w);
    struct guard_cfg cfg;
    guard_init(&cfg, &terms);
    return cfg;
}

static struct node_in good(void)
{
    return (struct node_in){
        .pack_mono_ms = MONO,
        .agent_mono_ms = MONO,
        .soc_pu = 0.7,
        .soc_limit_pu = 0.8,
        .energy_wh = 52e3,
        .charge_w = 0.0,
        .compute_w = 0.0,
        .compute_avail_w = 800.0,
        .pack_c = 20.0,
        .ambient_c = 15.0,
        .departs_soc_pu = 0.6,
        .flags = NODE_ONLINE | NODE_PLUGGED | NODE_CONSENT | NODE_PARKED |
                 NODE_HAS_DEPARTURE,
    };
}

static struct guard_now now_of(const struct node_in *node)
{
    return (struct guard_now){
        .node = node, .mono_ms = MONO, .energy_per_kwh = 0.05};
}

/* A guard that has seen a rested car once. */
static struct guard_state rested(const struct guard_cfg *cfg)
{
    struct node_in node = good();
    struct guard_now now = now_of(&node);
    struct guard_state state = {0};
    guard_step(cfg, &state, &now);
    return state;
}

static void assert_answer(enum reason got, enum reason want, const char *what)
{
    if (got != want) {
        fail_msg("%s: %s, expected %s", what, reason_word(got),
                 reason_word(want));
    }
}

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

/* --- a simulated car ------------------------------------------------- */

struct car {
    uint64_t random;
    struct node_in said; /* what was heard last */
    int64_t mono_ms;
    double soc_pu, pack_c, ambient_c; /* in truth */
    double capacity_wh;
    bool plugged;   /* in truth: power comes from the charger */
    bool pack_says; /* telemetry arrives */
    bool agent_says;
    double lease_w;
    int64_t lease_ms;
    double drawn_w;
    double from_pack_wh; /* in truth, losses included */
    double computed_wh;
};

static double draw(struct car *c, double lo, double hi)
{
    return random_draw(&c->random, lo, hi);
}

static struct car car_make(uint64_t seed)
{
    struct car c = {.random = random_seed(seed), .said = good()};
    c.mono_ms = MONO;
    c.soc_pu = draw(&c, 0.5, 0.95);
    c.ambient_c = draw(&c, 8.0, 32.0);
    c.pack_c = c.ambient_c + draw(&c, 0.0, 6.0);
    c.capacity_wh = draw(&c, 0.7, 1.0) * PACK_WH;
    c.plugged = c.pack_says = c.agent_says = true;
    c.said.departs_soc_pu = draw(&c, 0.0, 0.8);
    return c;
}

/* The car obeys its lease to its end, by the charger or by its pack. */
static void car_run(struct car *c, double dt_s)
{
    int64_t end_ms = c->mono_ms + (int64_t)(dt_s * 1e3);
    double on_s = fmax(fmin((double)(c->lease_ms - c->mono_ms) / 1e3, dt_s), 0);
    double wh = c->lease_w * on_s / 3600.0;
    c->drawn_w = end_ms <= c->lease_ms ? c->lease_w : 0.0;
    c->computed_wh += wh;
    if (!c->plugged) {
        c->from_pack_wh += wh * OVERHEAD;
        c->soc_pu -= wh * OVERHEAD / c->capacity_wh;
    }
    struct thermal_cfg pack = thermal_of_pack(PACK_WH);
    struct thermal_in in = {.ambient_c = c->ambient_c,
                            .coolant_heat_w = wh * 3600.0 / dt_s,
                            .dt_s = dt_s};
    c->pack_c = thermal_step(&pack, c->pack_c, &in);
    c->mono_ms = end_ms;
}

static void car_say(struct car *c)
{
    if (c->pack_says) {
        c->said.pack_mono_ms = c->mono_ms;
        c->said.soc_pu = c->soc_pu;
        c->said.pack_c = c->pack_c;
        c->said.flags &= ~(int64_t)NODE_PLUGGED;
        c->said.flags |= c->plugged ? NODE_PLUGGED : 0;
    }
    if (c->agent_says) {
        c->said.agent_mono_ms = c->mono_ms;
        c->said.compute_w = c->drawn_w;
        c->said.ambient_c = c->ambient_c;
    }
}

static struct guard_now car_now(const struct car *c)
{
    return (struct guard_now){
        .node = &c->said, .mono_ms = c->mono_ms, .energy_per_kwh = 0.1};
}

/* Book, ask, and hand the car its lease; true where granted. */
static bool car_ask(struct car *c, const struct guard_cfg *cfg,
                    struct guard_state *s, double want_w)
{
    struct guard_now now = car_now(c);
    guard_step(cfg, s, &now);
    bool may = guard_ask(cfg, s, &now, want_w) == REASON_NODE_OK;
    guard_grant(s, &now, may ? want_w : 0.0);
    if (may) {
        c->lease_w = want_w;
        c->lease_ms = c->mono_ms + (int64_t)(guard_lease_s() * 1e3);
    } else if (c->agent_says) {
        c->lease_ms = c->mono_ms;
    }
    return may;
}

/* Chargers fail, lines fail, the weather changes, an owner charges. */
static void car_suffer(struct car *c)
{
    double u = draw(c, 0.0, 1.0);
    if (u < 0.01) {
        c->plugged = !c->plugged;
    } else if (u < 0.02) {
        c->pack_says = !c->pack_says;
    } else if (u < 0.03) {
        c->agent_says = !c->agent_says;
    } else if (u < 0.04) {
        c->ambient_c = draw(c, -5.0, 45.0);
    } else if (u < 0.05) {
        c->soc_pu = fmax(c->soc_pu, draw(c, 0.3, 0.95));
    } else if (u < 0.055) {
        c->pack_c += draw(c, -5.0, 5.0);
    }
}

/* --- properties ------------------------------------------------------ */

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

enum { LOOKS = 3000 };

/* Over every window of a run the charge stays within the grants. */
static void assert_windows(const double *at_days, const double *loss_ppm,
                           double grant_ppm)
{
    for (int i = 0; i < LOOKS; i += 7) {
        for (int k = i; k < LOOKS; k += 7) {
            double most = (at_days[k] - at_days[i] + 7.0) * grant_ppm;
            assert_true(loss_ppm[k] - loss_ppm[i] <= most + 1e-9);
        }
    }
}

static void spending_stays_within_the_grants(void **state)
{
    (void)state;
    print_message("seeds 400 to 429\n");
    double spent_ppm = 0.0;
    int n_empty = 0;
    for (uint64_t seed = 400; seed < 430; seed++) {
        static double at_days[LOOKS], loss_ppm[LOOKS];
        struct car c = car_make(seed);
        struct guard_terms terms = terms_of(draw(&c, 100.0, 1000.0));
        terms.from_pack = seed % 2 == 0;
        terms.chemistry = (enum chemistry)(seed % CHEMISTRY_COUNT);
        struct guard_cfg cfg;
        guard_init(&cfg, &terms);
        struct guard_state s = {0};
        for (int i = 0; i < LOOKS; i++) {
            car_run(&c, draw(&c, 1.0, 120.0));
            car_suffer(&c);
            car_say(&c);
            car_ask(&c, &cfg, &s, terms.compute_w);
            at_days[i] = (double)(c.mono_ms - MONO) / 86400e3;
            loss_ppm[i] = s.ledger.loss_ppm;
            if (s.mono_ms != 0 && s.budget_ppm < -1e-9) {
                fail_msg("seed %d, look %d: %.6f ppm left", (int)seed, i,
                         s.budget_ppm);
            }
            assert_true(i == 0 || loss_ppm[i] >= loss_ppm[i - 1]);
            struct guard_now now = car_now(&c);
            n_empty += guard_ask(&cfg, &s, &now, terms.compute_w) ==
                       REASON_NODE_BUDGET;
        }
        assert_windows(at_days, loss_ppm, terms.budget_ppm_per_day);
        spent_ppm += s.ledger.loss_ppm;
    }
    assert_true(spent_ppm > 30.0 && n_empty > 100);
}

/* The last grant before the budget is gone, and then the charger is lost and
 * nobody hears of it until the pack's state is too old. */
static void the_last_grant_is_paid_for(void **state)
{
    (void)state;
    print_message("seeds 700 to 1199\n");
    int n_granted = 0;
    for (uint64_t seed = 700; seed < 1200; seed++) {
        struct car c = car_make(seed);
        struct guard_cfg cfg = cfg_of(draw(&c, 100.0, 1000.0));
        struct guard_state s = {0};
        c.soc_pu = guard_floor_pu(&cfg, &c.said) + draw(&c, 0.0, 0.3);
        c.soc_pu = fmin(c.soc_pu, 1.0);
        car_say(&c);
        struct guard_now now = car_now(&c);
        guard_step(&cfg, &s, &now);
        s.budget_ppm = draw(&c, 0.0, cfg.terms.budget_ppm_per_day);
        n_granted += car_ask(&c, &cfg, &s, cfg.terms.compute_w);
        c.plugged = c.pack_says = false;
        for (int i = 0; i < 60; i++) {
            car_run(&c, 20.0);
            car_say(&c);
            car_ask(&c, &cfg, &s, cfg.terms.compute_w);
        }
        c.pack_says = true;
        for (int i = 0; i < 2880; i++) { /* until the heat is gone */
            car_say(&c);
            car_ask(&c, &cfg, &s, cfg.terms.compute_w);
            assert_true(s.budget_ppm >= -1e-9);
            car_run(&c, 60.0);
        }
    }
    assert_true(n_granted > 100);
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

/* A day of 1 kW at the plug costs what the budget gives, from the pack many
 * times that; a charged loss is never given back. */
static void plugged_in_is_the_cheap_way(void **state)
{
    (void)state;
    double b = guard_budget_ppm_per_day(0.30, 0.13, 2922.0);
    assert_true(fabs(b - 5.8) < 0.05);
    assert_true(guard_budget_ppm_per_day(0.1, 0.2, 2922.0) == 0.0);
    assert_true(guard_budget_ppm_per_day(0.9, 0.1, 1.0) == 20.0);
    assert_true(guard_budget_ppm_per_day(NAN, 0.1, 1.0) == 0.0);

    struct guard_cfg cfg = cfg_of(1e3);
    struct node_in n = good();
    struct guard_now now = now_of(&n);
    double plug = guard_price_per_kwh(&cfg, &now);
    assert_true(plug > 0.001 && plug < 0.02);
    n.pack_c = 35.0;
    assert_true(guard_price_per_kwh(&cfg, &now) > 1.5 * plug);
    n.pack_c = 20.0;
    n.soc_pu = 0.5;
    assert_true(guard_price_per_kwh(&cfg, &now) < plug);
    n.flags &= ~(int64_t)NODE_PLUGGED;
    assert_true(guard_price_per_kwh(&cfg, &now) > 10.0 * plug);
    n.flags = 0;
    assert_true(isinf(guard_price_per_kwh(&cfg, &now)));
}

/* An idle week fills the budget to seven days and no further; a wild clock
 * neither fills nor empties it. */
static void a_week_is_carried_over_and_no_more(void **state)
{
    (void)state;
    struct guard_cfg cfg = cfg_of(500.0);
    double b = cfg.terms.budget_ppm_per_day;
    struct guard_state s = rested(&cfg);
    assert_true(s.budget_ppm == b);
    struct node_in n = good();
    struct guard_now now = now_of(&n);
    for (int i = 0; i < 1440; i++) {
        now.mono_ms += 60000;
        guard_step(&cfg, &s, &now);
    }
    assert_true(fabs(s.budget_ppm - 2.0 * b) < 1e-9);
    for (int i = 0; i < 20 * 1440; i++) {
        now.mono_ms += 60000;
        guard_step(&cfg, &s, &now);
    }
    assert_true(s.budget_ppm == 7.0 * b);
    now.mono_ms = MONO;
    guard_step(&cfg, &s, &now);
    now.mono_ms = INT64_MAX / 2;
    guard_step(&cfg, &s, &now);
    assert_true(s.budget_ppm == 7.0 * b && s.ledger.loss_ppm == 0.0);
    n.compute_w = 500.0;
    now.mono_ms += (int64_t)1e12;
    n.agent_mono_ms = n.pack_mono_ms = now.mono_ms;
    guard_step(&cfg, &s, &now); /* no more than a lease of it is known */
    assert_true(s.ledger.compute_wh == 500.0 * guard_lease_s() / 3600.0);
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
        cmocka_unit_test(absurd_wishes_are_refused),
        cmocka_unit_test(worse_never_turns_a_refusal_into_a_grant),
        cmocka_unit_test(departure_holds_with_the_charger_lost_at_any_moment),
        cmocka_unit_test(spending_stays_within_the_grants),
        cmocka_unit_test(the_last_grant_is_paid_for),
        cmocka_unit_test(ledger_is_the_sum_of_what_was_granted),
        cmocka_unit_test(a_drain_at_the_plug_is_booked),
        cmocka_unit_test(plugged_in_is_the_cheap_way),
        cmocka_unit_test(a_week_is_carried_over_and_no_more),
        cmocka_unit_test(hostile_values_break_nothing),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
