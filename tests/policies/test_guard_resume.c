/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/guard_resume: a restart never grants more than none. */
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
#include "policies/guard_resume.h"
#include "tests/fleet_fixture.h"

enum { SEED = 20261205, RUNS = 2000 };

static const double PACK_WH = 75e3;
static const int64_t STEP_MS = 2000;
static const int64_t REBOOTED_MS = 5000; /* the clock of the next run */

static struct guard_cfg cfg_of(double compute_w)
{
    struct site_fleet fleet = fleet_usual(compute_w);
    struct guard_terms terms = guard_terms_of(&fleet);
    struct guard_cfg cfg;
    guard_init(&cfg, &terms);
    return cfg;
}

/* A car, its controller and the time. */
struct world {
    struct guard_cfg cfg;
    struct guard_state guard;
    int64_t mono_ms;
    int64_t lease_ms; /* end, as the car knows it */
    double lease_w;
    double rise_k;
    struct node_in node;
};

static void world_init(struct world *w, uint64_t *random)
{
    *w = (struct world){.cfg = cfg_of(1000.0), .mono_ms = 100000000};
    w->node = (struct node_in){
        .soc_pu = random_draw(random, 0.6, 0.95),
        .soc_limit_pu = 1.0,
        .energy_wh = NAN,
        .compute_avail_w = 1000.0,
        .pack_c = 20.0,
        .ambient_c = random_draw(random, 12.0, 20.0),
        .departs_soc_pu = 0.5,
        .flags = NODE_ONLINE | NODE_PLUGGED | NODE_CONSENT | NODE_PARKED |
                 NODE_HAS_DEPARTURE,
    };
}

static struct guard_now now_of(const struct world *w)
{
    return (struct guard_now){
        .node = &w->node, .mono_ms = w->mono_ms, .energy_per_kwh = 0.05};
}

/* Two seconds; with 'controls' the controller grants what it may. */
static void world_step(struct world *w, double want_w, bool controls)
{
    double dt_s = (double)STEP_MS / 1e3;
    w->mono_ms += STEP_MS;
    double compute_w = w->mono_ms <= w->lease_ms ? w->lease_w : 0.0;
    w->rise_k = thermal_rise(&w->cfg.thermal, w->rise_k, compute_w, dt_s);
    if (!(w->node.flags & NODE_PLUGGED)) {
        w->node.soc_pu -= compute_w * 1.15 * dt_s / 3600.0 / PACK_WH;
    }
    w->node.pack_c = 20.0 + w->rise_k;
    w->node.compute_w = compute_w;
    w->node.agent_mono_ms = w->mono_ms;
    if (w->mono_ms % 60000 < STEP_MS || w->node.pack_mono_ms == 0) {
        w->node.pack_mono_ms = w->mono_ms;
    }
    struct guard_now now = now_of(w);
    guard_step(&w->cfg, &w->guard, &now);
    if (!controls) {
        return;
    }
    bool may = guard_ask(&w->cfg, &w->guard, &now, want_w) == REASON_NODE_OK;
    guard_grant(&w->guard, &now, may ? want_w : 0.0);
    w->lease_w = may ? want_w : w->lease_w;
    w->lease_ms = may ? w->guard.lease_mono_ms : w->lease_ms;
}

/* The world as a controller sees it that was started 'gap' after the save. */
static struct world restarted(const struct world *w,
                              const struct guard_state *saved,
                              const struct guard_gap *gap)
{
    struct world r = *w;
    r.guard = *saved;
    guard_resume(&r.cfg, &r.guard, gap);
    r.mono_ms = gap->now_mono_ms;
    r.lease_ms += gap->now_mono_ms - w->mono_ms;
    r.node.agent_mono_ms += gap->now_mono_ms - w->mono_ms;
    r.node.pack_mono_ms = gap->now_mono_ms;
    return r;
}

/* The restarted guard grants nothing that the other one, which never
 * stopped, does not: counted by whether it grants. */
static void count_asks(struct world *w, struct world *r, int *n_yes, int *n_no)
{
    struct guard_now then = now_of(w);
    struct guard_now now = now_of(r);
    for (double ask_w = 50.0; ask_w <= 1000.0; ask_w += 190.0) {
        bool none =
            guard_ask(&w->cfg, &w->guard, &then, ask_w) == REASON_NODE_OK;
        bool again =
            guard_ask(&r->cfg, &r->guard, &now, ask_w) == REASON_NODE_OK;
        assert_true(none || !again);
        *n_yes += again;
        *n_no += none && !again;
    }
}

static void a_restart_never_grants_more_than_none(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint64_t random = random_seed(SEED);
    int n_yes = 0;
    int n_no = 0;
    for (int run = 0; run < RUNS; run++) {
        struct world w;
        world_init(&w, &random);
        double want_w = random_draw(&random, 100.0, 1000.0);
        int busy = (int)random_draw(&random, 10.0, 6000.0);
        for (int i = 0; i < busy; i++) {
            world_step(&w, want_w, true);
        }
        if (run % 3 == 0) {
            w.node.flags &= ~(int64_t)NODE_PLUGGED;
        }
        struct guard_state saved = w.guard;
        struct guard_gap gap = {.then_mono_ms = w.mono_ms};
        gap.blind_s = run % 2 == 0 ? 60.0 : 0.0;
        int blind = (int)random_draw(&random, 0.0, gap.blind_s / 2.0);
        for (int i = 0; i < blind; i++) {
            world_step(&w, want_w, true);
        }
        int away = (int)exp(random_draw(&random, 0.0, 9.0));
        for (int i = 0; i < away; i++) {
            world_step(&w, want_w, false);
        }
        gap.gap_s = (double)(w.mono_ms - gap.then_mono_ms) / 1e3;
        gap.now_mono_ms = run % 4 == 0 ? REBOOTED_MS : w.mono_ms;
        struct world r = restarted(&w, &saved, &gap);
        w.guard.computing = 0; /* both were interrupted */
        w.node.flags |= NODE_PLUGGED;
        r.node.flags |= NODE_PLUGGED;
        for (int i = 0; i < 3; i++) {
            count_asks(&w, &r, &n_yes, &n_no);
            assert_true(r.guard.ledger.compute_wh >=
                        saved.ledger.compute_wh - 1e-9);
            assert_true(r.guard.ledger.owed_cur >= saved.ledger.owed_cur);
            assert_true(r.guard.unseen_wh >= 0.0);
            w.node.pack_mono_ms = w.mono_ms;
            r.node.pack_mono_ms = r.mono_ms;
            world_step(&w, 0.0, false);
            world_step(&r, 0.0, false);
        }
    }
    print_message("%d granted after a restart, %d refused that were none\n",
                  n_yes, n_no);
    assert_true(n_yes > RUNS); /* and it does go on */
}

static void what_a_lease_drew_is_not_forgotten(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED);
    struct world w;
    world_init(&w, &random);
    for (int i = 0; i < 100; i++) {
        world_step(&w, 600.0, true);
    }
    struct guard_state saved = w.guard;
    assert_true(saved.lease_w > 599.0);
    static const struct {
        double gap_s;
        double blind_s;
        double least_wh; /* more than was unseen */
    } rows[] = {
        {0.0, 0.0, 0.0},      {60.0, 0.0, 10.0}, /* of the lease */
        {3600.0, 0.0, 20.0},                     /* all of the lease */
        {60.0, 60.0, 16.0},                      /* the most there is */
        {3600.0, 60.0, 50.0}, /* of the blind time and a lease */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct guard_state s = saved;
        struct guard_gap gap = {.then_mono_ms = w.mono_ms,
                                .now_mono_ms = REBOOTED_MS,
                                .gap_s = rows[i].gap_s,
                                .blind_s = rows[i].blind_s};
        guard_resume(&w.cfg, &s, &gap);
        assert_true(s.unseen_wh >= saved.unseen_wh + 0.99 * rows[i].least_wh);
        assert_true(s.unseen_wh <=
                    saved.unseen_wh + 1.1 * rows[i].least_wh + 1e-9);
        assert_true(s.budget_ppm <= saved.budget_ppm);
        assert_true(s.rise_k >= saved.rise_k);
        assert_int_equal(s.mono_ms, REBOOTED_MS);
        assert_int_equal(s.computing, 0);
        assert_true(guard_valid(&w.cfg, &s));
    }
}

/* A car that has never spoken begins with its first grant, unless a run was
 * killed in which it may have spent it. */
static void a_first_grant_is_given_once(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED);
    static const struct {
        double blind_s;
        bool granted;
    } rows[] = {{0.0, true}, {60.0, false}};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_init(&w, &random);
        struct guard_gap gap = {.then_mono_ms = 1000,
                                .now_mono_ms = REBOOTED_MS,
                                .gap_s = 100.0,
                                .blind_s = rows[i].blind_s};
        guard_resume(&w.cfg, &w.guard, &gap);
        world_step(&w, 500.0, false);
        double grant_ppm = w.cfg.terms.budget_ppm_per_day;
        double want_ppm = rows[i].granted ? grant_ppm : 0.0;
        assert_true(fabs(w.guard.budget_ppm - want_ppm) < 1e-9);
    }
}

static void impossible_books_are_refused(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED);
    struct world w;
    world_init(&w, &random);
    for (int i = 0; i < 100; i++) {
        world_step(&w, 600.0, true);
    }
    assert_true(guard_valid(&w.cfg, &w.guard));
#define BAD(member, value)                     \
    do {                                       \
        struct guard_state s = w.guard;        \
        s.member = value;                      \
        assert_false(guard_valid(&w.cfg, &s)); \
    } while (0)
    BAD(budget_ppm, NAN);
    BAD(budget_ppm, 7.1 * w.cfg.terms.budget_ppm_per_day);
    BAD(budget_ppm, -INFINITY);
    BAD(rise_k, -0.1);
    BAD(rise_k, NAN);
    BAD(rest_c, INFINITY);
    BAD(ambient_c, 1e9);
    BAD(unseen_wh, -1.0);
    BAD(unsure_wh, NAN);
    BAD(soc_ref_pu, 1.01);
    BAD(soc_news_pu, -0.01);
    BAD(lease_w, 2001.0);
    BAD(computing, 2);
    BAD(mono_ms, -1);
    BAD(lease_mono_ms, INT64_MAX);
    BAD(spent_km, NAN);
    BAD(spent_km, -1.0);
    BAD(ledger.owed_cur, -1.0);
    BAD(ledger.loss_ppm, NAN);
    BAD(ledger.compute_wh, INFINITY);
#undef BAD
}

/* Nobody is paid for what a killed controller might have granted, nor before a
 * car has spoken; but both its accounts have less. */
static void a_guess_is_owed_to_nobody(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED);
    for (int leased = 0; leased < 2; leased++) {
        struct world w;
        world_init(&w, &random);
        w.node.departs_soc_pu = leased ? 0.5 : 1.0; /* it gets none */
        for (int i = 0; i < 100; i++) {
            world_step(&w, 1000.0, true);
        }
        assert_true((w.guard.lease_w > 0.0) == (leased == 1));
        struct guard_state saved = w.guard;
        struct guard_gap gap = {.then_mono_ms = w.mono_ms,
                                .now_mono_ms = REBOOTED_MS,
                                .gap_s = 1000.0,
                                .blind_s = 60.0};
        guard_resume(&w.cfg, &w.guard, &gap);
        struct node_in silent = {.flags = 0};
        struct guard_now now = {.node = &silent, .mono_ms = REBOOTED_MS};
        struct guard_state before = w.guard;
        guard_step(&w.cfg, &w.guard, &now);
        assert_true(fabs(w.guard.unseen_wh - before.unseen_wh) <= 0.0);
        assert_true(w.guard.ledger.pack_wh <= saved.ledger.pack_wh);
        w.node.flags &= ~(int64_t)NODE_PLUGGED;
        w.node.compute_w = 0.0;
        w.node.agent_mono_ms = REBOOTED_MS;
        w.node.pack_mono_ms = REBOOTED_MS;
        now.node = &w.node;
        guard_step(&w.cfg, &w.guard, &now);
        const struct guard_ledger *l = &w.guard.ledger;
        assert_true(l->pack_wh <= 1.15 * l->compute_wh);
        assert_true(leased ? l->pack_wh > 0.0 : l->owed_cur <= 0.0);
        double km = 1.15 * 180.0 / 3600.0 * 1000.0 / 160.0;
        assert_true(w.guard.spent_km >= saved.spent_km + km - 1e-3);
        assert_true(w.guard.budget_ppm < saved.budget_ppm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_never_grants_more_than_none),
        cmocka_unit_test(what_a_lease_drew_is_not_forgotten),
        cmocka_unit_test(a_first_grant_is_given_once),
        cmocka_unit_test(impossible_books_are_refused),
        cmocka_unit_test(a_guess_is_owed_to_nobody),
    };
    return cmocka_run_group_tests_name("guard_resume", tests, NULL, NULL);
}
