/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/carry: what is damaged or of another asset is
 * refused, and what passes is sound whoever wrote it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/step/carry_layout.h"
#include "models/random.h"
#include "tests/controller/step/carry_fixture.h"
#include "tests/loop_fixture.h"

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct loop_fixture f = lived(20);
    struct loop_fixture g = fresh();
    struct saved *s = save_all(&f);
    struct carry_now now = later(&f, 10.0);
    print_message("seed %d\n", SEED);
    uint64_t random = random_seed(SEED);
    for (int run = 0; run < 500; run++) {
        int u = (int)random_draw(&random, 0.0, UNITS);
        size_t at = (size_t)random_draw(&random, 0.0, (double)s[u].size);
        unsigned char bit = (unsigned char)(1 << run % 8);
        s[u].blob[at] ^= bit;
        assert_int_equal(
            carry_load(g.cfg, g.state, u, &now, s[u].blob, s[u].size),
            CARRY_DAMAGED);
        s[u].blob[at] ^= bit;
        assert_int_equal(carry_load(g.cfg, g.state, u, &now, s[u].blob, at),
                         CARRY_DAMAGED);
    }
    assert_int_equal(carry_load(g.cfg, g.state, 0, &now, NULL, 0),
                     CARRY_DAMAGED);
    assert_int_equal(g.state->life[0].cycles.n_fed, 0);
    /* what is lost does not refill the budgets */
    double grant_ppm = g.cfg->guards[0].terms.budget_ppm_per_day;
    assert_true(g.state->nodes[0].guard.budget_ppm <= -grant_ppm);
    free(s);
    loop_close(&f);
    loop_close(&g);
}

/* Bytes of somebody who can make a hash as well. */
static void spoil(unsigned char *blob, size_t size, uint64_t *random)
{
    static const double bad[] = {NAN,  INFINITY, -1.0,   1e300,
                                 -0.0, 2.0,      1e-300, 25.0};
    size_t head = sizeof(struct carry_head);
    int n = (int)random_draw(random, 1.0, 4.0);
    for (int i = 0; i < n; i++) {
        size_t at =
            head + (size_t)random_draw(random, 0.0, (double)(size - head - 8));
        double x = bad[(int)random_draw(random, 0.0, 8.0)];
        float y = (float)random_draw(random, -1e3, 1e3);
        switch ((int)random_draw(random, 0.0, 3.0)) {
        case 0:
            blob[at] = (unsigned char)random_draw(random, 0.0, 256.0);
            break;
        case 1:
            memcpy(blob + at / 8 * 8, &x, sizeof(x));
            break;
        default:
            memcpy(blob + at / 4 * 4, &y, sizeof(y));
        }
    }
}

static void assert_priced(const struct loop_fixture *f)
{
    struct problem *p = calloc(1, sizeof(*p));
    step_problem(f->cfg, f->state, f->in, p);
    for (int i = 0; i < BATTERIES; i++) {
        for (int k = 0; k < p->wear[i].n; k++) {
            const struct wear_segment *s = &p->wear[i].at[k];
            assert_true(isfinite(s->per_kwh) && s->per_kwh >= 0.0);
            assert_true(s->start_pu >= 0.0 && s->start_pu <= s->width_pu);
        }
    }
    free(p);
}

static void assert_sound(const struct loop_fixture *f)
{
    assert_priced(f);
    for (int i = 0; i < BATTERIES; i++) {
        struct life_loss a = life_loss(&f->state->life[i], LIFE_PRICE, true);
        struct life_loss b = life_loss(&f->state->life[i], LIFE_GUARD, true);
        assert_true(a.capacity_pu >= 0.0 && a.capacity_pu <= 1.0 + 1e-9);
        assert_true(b.capacity_pu >= 0.0 && b.capacity_pu <= 1.0 + 1e-9);
        assert_true(isfinite(f->out->batteries[i].set_w));
    }
    for (int i = 0; i < NODES; i++) {
        const struct node_state *n = &f->state->nodes[i];
        double left_pu = life_pack_loss(&n->life, LIFE_GUARD, true).capacity_pu;
        assert_true(left_pu >= 0.0 && left_pu <= 1.0 + 1e-9);
        assert_true(isfinite(n->command.compute_w) &&
                    n->command.compute_w <= 160.0);
        assert_true(isfinite(n->guard.budget_ppm));
    }
}

/* Whatever passes can be lived with, and is what a run may begin with. */
static void what_passes_is_sound_whoever_wrote_it(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint64_t random = random_seed(SEED);
    struct loop_fixture f = lived(120);
    struct loop_fixture begin = fresh();
    struct saved *s = save_all(&f);
    struct carry_now now = later(&f, 10.0);
    now.mono_ms = LOOP_MONO_MS;
    size_t size = step_state_size(f.cfg);
    struct step_state *scratch = malloc(size);
    unsigned char *blob = malloc(CARRY_SIZE_MAX);
    int n_taken = 0;
    int n_refused = 0;
    for (int run = 0; run < 100; run++) {
        struct loop_fixture g = fresh();
        for (int u = 0; u < UNITS; u++) {
            memcpy(blob, s[u].blob, s[u].size);
            spoil(blob, s[u].size, &random);
            carry_seal(blob, s[u].size);
            enum carry c = carry_load(g.cfg, g.state, u, &now, blob, s[u].size);
            n_taken += c == CARRY_TAKEN;
            n_refused += c != CARRY_TAKEN;
        }
        assert_true(carry_begins(g.cfg, g.state, begin.state, scratch));
        for (int k = 0; k < 100; k++) {
            loop_tick(&g, random_draw(&random, 60e6, 140e6));
        }
        assert_sound(&g);
        loop_close(&g);
    }
    print_message("%d taken, %d refused\n", n_taken, n_refused);
    assert_true(n_taken > 50 && n_refused > 300);
    free(blob);
    free(scratch);
    free(s);
    loop_close(&f);
    loop_close(&begin);
}

/* What the head says must be so. */
static void another_asset_or_chemistry_is_refused(void **state)
{
    (void)state;
    struct loop_fixture f = lived(5);
    struct loop_fixture g = fresh();
    struct saved *s = save_all(&f);
    struct carry_now now = later(&f, 10.0);
    assert_int_equal(carry_load(g.cfg, g.state, 2, &now, s[1].blob, s[1].size),
                     CARRY_NAME);
    assert_int_equal(carry_load(g.cfg, g.state, 4, &now, s[1].blob, s[1].size),
                     CARRY_VERSION);
    struct site *other = site_of();
    other->batteries[0].chemistry = CHEMISTRY_NCA;
    struct loop_fixture h = loop_open(other, POLICY_BALLAST, 100e6);
    assert_int_equal(carry_load(h.cfg, h.state, 1, &now, s[1].blob, s[1].size),
                     CARRY_CHEMISTRY);
    struct carry_head head;
    memcpy(&head, s[1].blob, sizeof(head));
    head.layout ^= 1;
    memcpy(s[1].blob, &head, sizeof(head));
    carry_seal(s[1].blob, s[1].size);
    assert_int_equal(carry_load(g.cfg, g.state, 1, &now, s[1].blob, s[1].size),
                     CARRY_VERSION);
    free(s);
    loop_close(&f);
    loop_close(&g);
    loop_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(what_passes_is_sound_whoever_wrote_it),
        cmocka_unit_test(another_asset_or_chemistry_is_refused),
    };
    return cmocka_run_group_tests_name("carry_damage", tests, NULL, NULL);
}
