/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/carry: what outlives a run comes back as it was, by
 * name. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/step/carry_layout.h"
#include "tests/controller/step/carry_fixture.h"
#include "tests/loop_fixture.h"

static void every_unit_is_found_by_its_name(void **state)
{
    (void)state;
    struct loop_fixture f = fresh();
    static const char *const names[UNITS] = {"site",
                                             "battery.block1",
                                             "battery.block2",
                                             "battery.block3",
                                             "fleet.lot.0000",
                                             "fleet.lot.0032",
                                             "forecast.load",
                                             "outlook.load",
                                             "outlook.price",
                                             "outlook.class.training",
                                             "outlook.fleet.lot"};
    for (int u = 0; u < UNITS; u++) {
        char name[CARRY_NAME_MAX];
        assert_string_equal(carry_name(f.cfg, u, name), names[u]);
        assert_int_equal(carry_find(f.cfg, names[u]), u);
    }
    static const char *const none[] = {"",
                                       "battery.",
                                       "battery.block4",
                                       "fleet.lot.0001",
                                       "fleet.lot.0064",
                                       "fleet.lot.-032",
                                       "fleet.lot.99999999999999999999",
                                       "fleet.lot.",
                                       "fleet.other.0000",
                                       "site.0000",
                                       "outlook.",
                                       "outlook.class.other"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_int_equal(carry_find(f.cfg, none[i]), -1);
    }
    loop_close(&f);
}

static void what_was_saved_comes_back(void **state)
{
    (void)state;
    struct loop_fixture f = lived(300);
    struct loop_fixture g = fresh();
    struct saved *s = save_all(&f);
    struct carry_now now = later(&f, 100.0);
    for (int u = 0; u < UNITS; u++) {
        assert_int_equal(
            carry_load(g.cfg, g.state, u, &now, s[u].blob, s[u].size),
            CARRY_TAKEN);
    }
    for (int i = 0; i < BATTERIES; i++) {
        assert_memory_equal(&f.state->life[i], &g.state->life[i],
                            sizeof(struct life));
        assert_true(g.state->age[i].gap_s >= 100.0);
        assert_true(g.state->age[i].gap_s <= 101.0);
        assert_int_equal(g.state->age[i].mono_ms, REBOOTED_MS);
        assert_true(fabs(g.state->soc_home_pu[i] - f.state->soc_home_pu[i]) <=
                    0.0);
        assert_true(f.state->life[i].cycles.n_fed > 200);
        assert_true(f.state->age[i].warranty.used_efc > 0.0);
        assert_memory_equal(&f.state->age[i].warranty,
                            &g.state->age[i].warranty,
                            sizeof(struct wear_warranty));
    }
    for (int i = 0; i < NODES; i++) {
        const struct node_state *a = &f.state->nodes[i];
        const struct node_state *b = &g.state->nodes[i];
        assert_memory_equal(&a->life, &b->life, sizeof(struct life_pack));
        assert_true(b->guard.ledger.compute_wh >= a->guard.ledger.compute_wh);
        assert_true(b->guard.budget_ppm <= a->guard.budget_ppm);
        assert_true(a->guard.mono_ms > 0 && a->life.begun);
    }
    assert_true(fabs(g.state->month.peak_w - f.state->month.peak_w) <= 0.0);
    struct loop_fixture other = fresh();
    size_t size = step_state_size(g.cfg);
    struct step_state *scratch = malloc(size);
    assert_true(carry_begins(g.cfg, g.state, other.state, scratch));
    g.state->demand_w += 1.0;
    assert_false(carry_begins(g.cfg, g.state, other.state, scratch));
    free(scratch);
    free(s);
    loop_close(&f);
    loop_close(&g);
    loop_close(&other);
}

/* A battery that is looked at by hand, once a second. */
static void look(struct loop_fixture *f, int64_t ms, double soc_pu)
{
    for (int k = 0; k < 10; k++) {
        f->in->tick++;
        f->in->mono_ms = ms + k * 100;
        f->in->utc_ms = LOOP_UTC_MS + f->in->mono_ms;
        f->in->dt_s = 0.1;
        for (int i = 0; i < BATTERIES; i++) {
            struct battery_in *b = &f->in->batteries[i];
            b->flags = BATTERY_READY;
            b->soc_pu = reading_good(soc_pu, f->in->mono_ms);
            b->temperature_c = reading_good(20.0 + 5.0 * i, f->in->mono_ms);
            b->power_w = reading_good(4e6, f->in->mono_ms);
        }
        step(f->cfg, f->state, f->scratch, f->in, f->plan, f->out);
    }
}

/* Off for a while is as old as silent for a while; and the swing that was
 * under way goes on. */
static void a_restart_ages_like_silence(void **state)
{
    (void)state;
    static const double gaps_s[] = {5.0, 600.0, 86400.0, 30.0 * 86400.0};
    for (size_t r = 0; r < sizeof(gaps_s) / sizeof(gaps_s[0]); r++) {
        struct loop_fixture f = fresh();
        struct loop_fixture g = fresh();
        int64_t ms = 500000;
        for (int i = 0; i < 600; i++) {
            look(&f, ms += 1000, 0.3 + 0.3 / 600.0 * i);
        }
        struct saved *s = save_all(&f);
        struct carry_now now = later(&f, gaps_s[r]);
        for (int u = 0; u <= BATTERIES; u++) {
            assert_int_equal(
                carry_load(g.cfg, g.state, u, &now, s[u].blob, s[u].size),
                CARRY_TAKEN);
        }
        int64_t gap_ms = (int64_t)(gaps_s[r] * 1e3);
        int64_t other_ms = REBOOTED_MS - f.in->mono_ms;
        g.state->turn = f.state->turn;
        for (int i = 0; i < 600; i++) {
            ms += 1000;
            look(&f, ms + gap_ms, 0.6 - 0.3 / 600.0 * i);
            look(&g, ms + gap_ms + other_ms - gap_ms, 0.6 - 0.3 / 600.0 * i);
        }
        for (int i = 0; i < BATTERIES; i++) {
            for (int role = 0; role < LIFE_ROLES; role++) {
                struct life_loss a =
                    life_loss(&f.state->life[i], (enum life_role)role, true);
                struct life_loss b =
                    life_loss(&g.state->life[i], (enum life_role)role, true);
                assert_true(a.calendar_pu > 0.0 && a.cycle_pu > 0.0);
                assert_true(fabs(a.calendar_pu - b.calendar_pu) <=
                            1e-9 * a.calendar_pu);
                assert_true(fabs(a.cycle_pu - b.cycle_pu) <= 1e-9 * a.cycle_pu);
            }
        }
        free(s);
        loop_close(&f);
        loop_close(&g);
    }
}

static void a_clock_that_went_back_gives_no_time(void **state)
{
    (void)state;
    struct loop_fixture f = lived(20);
    struct loop_fixture g = fresh();
    struct saved *s = save_all(&f);
    struct carry_now now = later(&f, -1e6);
    for (int u = 0; u < UNITS; u++) {
        assert_int_equal(
            carry_load(g.cfg, g.state, u, &now, s[u].blob, s[u].size),
            CARRY_TAKEN);
    }
    assert_true(g.state->age[0].gap_s <= 1.0);
    assert_true(g.state->nodes[0].age.gap_s <= 61.0);
    free(s);
    loop_close(&f);
    loop_close(&g);
}

/* How long leases may have been used is not known then: to their end. */
static void a_clock_that_went_back_grants_nothing(void **state)
{
    (void)state;
    struct loop_fixture f = lived(120);
    struct saved *s = save_all(&f);
    static const double blind_s[] = {0.0, 60.0};
    for (int r = 0; r < 2; r++) {
        struct loop_fixture back = fresh();
        struct loop_fixture late = fresh();
        struct carry_now then = later(&f, -100.0);
        struct carry_now now = later(&f, 1000.0);
        then.blind_s = blind_s[r];
        now.blind_s = blind_s[r];
        int n_leased = 0;
        for (int u = 1 + BATTERIES; u < UNITS; u++) {
            assert_int_equal(carry_load(back.cfg, back.state, u, &then,
                                        s[u].blob, s[u].size),
                             CARRY_TAKEN);
            assert_int_equal(
                carry_load(late.cfg, late.state, u, &now, s[u].blob, s[u].size),
                CARRY_TAKEN);
        }
        for (int i = 0; i < NODES; i++) {
            const struct guard_state *a = &back.state->nodes[i].guard;
            const struct guard_state *b = &late.state->nodes[i].guard;
            const struct guard_state *was = &f.state->nodes[i].guard;
            n_leased += b->unseen_wh > was->unseen_wh;
            assert_true(a->unseen_wh >= b->unseen_wh);
            assert_true(a->budget_ppm <= b->budget_ppm);
            assert_true(a->rest_c <= b->rest_c);
        }
        assert_true(n_leased > 0);
        loop_close(&back);
        loop_close(&late);
    }
    free(s);
    loop_close(&f);
}

/* What an owner is owed is so on whatever terms the site goes on. */
static void terms_that_tighten_keep_the_ledgers(void **state)
{
    (void)state;
    struct loop_fixture f = lived(120);
    double ppm = f.cfg->guards[0].terms.budget_ppm_per_day;
    for (int i = 0; i < NODES; i++) {
        f.state->nodes[i].guard.budget_ppm = 6.0 * ppm;
        f.state->nodes[i].guard.ledger.owed_cur = 3.0 + i;
    }
    struct saved *s = save_all(&f);
    struct site *site = site_of();
    site->fleets[0].wear_ppm_per_day *= 0.5;
    site->fleets[0].compute_w *= 0.25;
    struct loop_fixture g = loop_open(site, POLICY_BALLAST, 100e6);
    struct carry_now now = later(&f, 10.0);
    for (int u = 1 + BATTERIES; u < UNITS; u++) {
        assert_int_equal(
            carry_load(g.cfg, g.state, u, &now, s[u].blob, s[u].size),
            CARRY_TAKEN);
    }
    for (int i = 0; i < NODES; i++) {
        const struct guard_state *a = &g.state->nodes[i].guard;
        assert_true(a->ledger.owed_cur >= 3.0 + i);
        assert_true(a->budget_ppm <= 3.5 * ppm);
        assert_true(a->lease_w <= 2.0 * site->fleets[0].compute_w);
    }
    free(s);
    loop_close(&f);
    loop_close(&g);
}

/* By name: batteries change places, and a fleet grows by cars that are new. */
static void an_asset_finds_its_own_wherever_it_stands(void **state)
{
    (void)state;
    struct loop_fixture f = lived(60);
    struct saved *s = save_all(&f);
    struct site *site = fixture_site(BATTERIES, 2, 70);
    struct site_battery first = site->batteries[0];
    site->batteries[0] = site->batteries[2];
    site->batteries[2] = first;
    site->batteries[1].chemistry = CHEMISTRY_NMC;
    site->fleets[0].chemistry = CHEMISTRY_NCA;
    struct loop_fixture g = loop_open(site, POLICY_BALLAST, 100e6);
    struct carry_now now = later(&f, 10.0);
    for (int u = 0; u < UNITS; u++) {
        char name[CARRY_NAME_MAX];
        int64_t at = carry_find(g.cfg, carry_asset(s[u].blob, name));
        assert_true(at >= 0);
        assert_int_equal(
            carry_load(g.cfg, g.state, at, &now, s[u].blob, s[u].size),
            CARRY_TAKEN);
    }
    assert_memory_equal(&g.state->life[0], &f.state->life[2],
                        sizeof(struct life));
    assert_memory_equal(&g.state->life[2], &f.state->life[0],
                        sizeof(struct life));
    assert_memory_equal(&g.state->nodes[39].life, &f.state->nodes[39].life,
                        sizeof(struct life_pack));
    assert_int_equal(g.state->nodes[40].guard.mono_ms, 0);
    assert_int_equal(g.state->nodes[40].life.begun, 0);
    free(s);
    loop_close(&f);
    loop_close(&g);
}

/* The peak is paid for in its month only. */
static void the_peak_ends_with_its_month(void **state)
{
    (void)state;
    struct loop_fixture f = lived(5);
    static const struct {
        int64_t month_after_ms; /* of the save */
        double had_w;           /* by the file, then and now */
        double has_w;
        double peak_w; /* when saved */
        double want_w;
    } rows[] = {
        {-1000, 0.0, 0.0, 120e6, 120e6}, {1000, 0.0, 0.0, 120e6, 0.0},
        {-1000, 90e6, 90e6, 95e6, 95e6}, /* the file says the same */
        {-1000, 90e6, 90e6, 40e6, 40e6}, /* a new month began meanwhile */
        {1000, 90e6, 90e6, 120e6, 0.0},  /* and here, while it did not run */
        {-1000, 90e6, 99e6, 95e6, 99e6}, /* somebody wrote another one */
        {-1000, 90e6, 80e6, 95e6, 95e6}, {1000, 90e6, 99e6, 95e6, 99e6},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f.state->month.peak_w = rows[i].peak_w;
        f.cfg->site.grid.billing_peak_w = rows[i].had_w;
        struct saved *s = save_all(&f);
        struct loop_fixture g = fresh();
        g.cfg->site.grid.billing_peak_w = rows[i].has_w;
        g.state->month.peak_w = rows[i].has_w;
        struct carry_now now = later(&f, 3600.0);
        now.month_at_ms = f.in->utc_ms + rows[i].month_after_ms;
        assert_int_equal(
            carry_load(g.cfg, g.state, 0, &now, s[0].blob, s[0].size),
            CARRY_TAKEN);
        assert_true(fabs(g.state->month.peak_w - rows[i].want_w) < 1.0);
        loop_close(&g);
        free(s);
    }
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_is_found_by_its_name),
        cmocka_unit_test(what_was_saved_comes_back),
        cmocka_unit_test(a_restart_ages_like_silence),
        cmocka_unit_test(a_clock_that_went_back_gives_no_time),
        cmocka_unit_test(a_clock_that_went_back_grants_nothing),
        cmocka_unit_test(terms_that_tighten_keep_the_ledgers),
        cmocka_unit_test(an_asset_finds_its_own_wherever_it_stands),
        cmocka_unit_test(the_peak_ends_with_its_month),
    };
    return cmocka_run_group_tests_name("carry", tests, NULL, NULL);
}
