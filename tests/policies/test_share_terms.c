/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/share_terms: who begins, who is fuller, nothing jumps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/share_terms.h"

enum { N = 10 };
static const double RATING_W = 10e6;
static const double DT_S = 0.1;

/* Ten like batteries and what a controller knows of them. */
struct yard {
    struct site site;
    struct share_state state;
    struct share_battery b[SITE_BATTERIES_MAX];
    double soc_pu[SITE_BATTERIES_MAX];
    double target_pu[SITE_BATTERIES_MAX];
    struct life life[SITE_BATTERIES_MAX];
};
static struct yard *yard;

static int build_yard(void **state)
{
    (void)state;
    yard = calloc(1, sizeof(*yard));
    return yard == NULL;
}

static int clear_yard(void **state)
{
    (void)state;
    free(yard);
    return 0;
}

static void begin(void)
{
    memset(yard, 0, sizeof(*yard));
    yard->site.n_batteries = N;
    for (int i = 0; i < N; i++) {
        yard->site.batteries[i] = (struct site_battery){
            .units = 4,
            .transformer_va = INFINITY,
            .energy_wh = 20e6,
            .charge_max_w = RATING_W,
            .discharge_max_w = RATING_W,
            .efficiency_pu = 0.91,
            .soc_min_pu = 0.1,
            .soc_max_pu = 0.9,
            .chemistry = CHEMISTRY_LFP,
            .replacement_per_kwh = 150.0,
            .warranty_efc_per_y = INFINITY,
        };
        yard->soc_pu[i] = 0.6;
        yard->target_pu[i] = NAN;
    }
    share_reset(&yard->site, &yard->state);
    assert_true(share_valid(&yard->site, &yard->state));
}

static void tick(double total_w)
{
    struct share_now now = {.soc_pu = yard->soc_pu,
                            .target_pu = yard->target_pu,
                            .life = yard->life,
                            .per_kwh = 0.05,
                            .dt_s = DT_S};
    share_price(&yard->site, &yard->state, &now, yard->b);
    double can_w = 0.0;
    for (int i = 0; i < N; i++) {
        double most_w = isfinite(yard->soc_pu[i]) ? RATING_W : 0.0;
        yard->b[i].charge_max_w = yard->b[i].discharge_max_w = most_w;
        can_w += most_w;
    }
    double got_w = share_step(yard->b, N, total_w);
    assert_true(fabs(got_w - fmax(-can_w, fmin(total_w, can_w))) < 1e-3);
}

static int n_working(void)
{
    int n = 0;
    for (int i = 0; i < N; i++) {
        n += fabs(yard->b[i].set_w) > 1.0 ? 1 : 0;
    }
    return n;
}

static void a_little_work_is_done_by_few(void **state)
{
    (void)state;
    begin();
    for (int k = 0; k < 600; k++) {
        tick(50e3);
    }
    assert_int_equal(n_working(), 1);
    tick(1e6);
    assert_true(n_working() > 1 && n_working() < N);
    tick(20e6);
    assert_int_equal(n_working(), N);
    tick(100e6);
    for (int i = 0; i < N; i++) {
        assert_true(yard->b[i].set_w == RATING_W);
    }
}

/* A load that wanders about zero turns no battery round: one charges, another
 * discharges. */
static void small_movements_turn_nobody_round(void **state)
{
    (void)state;
    begin();
    for (int k = 0; k < 600; k++) {
        tick(0.0);
    }
    bool charged[N] = {false};
    bool discharged[N] = {false};
    for (int k = 0; k < 200; k++) {
        tick(k % 2 == 0 ? 60e3 : -60e3);
        for (int i = 0; i < N; i++) {
            charged[i] |= yard->b[i].set_w > 0.0;
            discharged[i] |= yard->b[i].set_w < 0.0;
        }
    }
    for (int i = 0; i < N; i++) {
        assert_false(charged[i] && discharged[i]);
    }
}

static void the_fuller_discharges_more_and_the_line_moves_on(void **state)
{
    (void)state;
    begin();
    yard->soc_pu[4] = 0.62;
    yard->soc_pu[7] = 0.58;
    for (int k = 0; k < 2000; k++) {
        tick(0.0);
    }
    tick(-40e6);
    for (int i = 0; i < N; i++) {
        assert_true(i == 4 || yard->b[i].set_w > yard->b[4].set_w);
        assert_true(i == 7 || yard->b[i].set_w < yard->b[7].set_w);
    }
    tick(40e6);
    for (int i = 0; i < N; i++) {
        assert_true(i == 4 || yard->b[i].set_w > yard->b[4].set_w);
        assert_true(i == 7 || yard->b[i].set_w < yard->b[7].set_w);
    }
    tick(-50e3);
    assert_true(yard->b[4].set_w < 0.0 && n_working() == 1);
    tick(50e3);
    assert_true(yard->b[7].set_w > 0.0 && n_working() == 1);
    /* where the plan wants it fuller than the others, it is not too full */
    yard->target_pu[4] = 0.55;
    yard->target_pu[7] = 0.45;
    for (int k = 0; k < 6000; k++) {
        tick(0.0);
    }
    tick(-40e6);
    assert_true(yard->b[7].set_w < yard->b[4].set_w);
}

static void the_cheaper_battery_works_first(void **state)
{
    (void)state;
    begin();
    yard->site.batteries[3].replacement_per_kwh = 60.0;
    yard->site.batteries[5].efficiency_pu = 0.7;
    share_reset(&yard->site, &yard->state);
    tick(30e6);
    for (int i = 0; i < N; i++) {
        assert_true(i == 3 || yard->b[i].set_w < yard->b[3].set_w);
        assert_true(i == 5 || yard->b[i].set_w > yard->b[5].set_w);
    }
}

/* Gauges that jump, batteries that come and go: what each does changes by
 * little from tick to tick while all of them stay. */
static void nothing_jumps(void **state)
{
    (void)state;
    uint64_t seed = random_seed(6);
    print_message("seed 6\n");
    begin();
    double total_w = 0.0;
    double before_w[N] = {0.0};
    bool same = false;
    for (int k = 0; k < 40000; k++) {
        int i = (int)random_draw(&seed, 0.0, N);
        double u = random_draw(&seed, 0.0, 1.0);
        if (u < 0.01 && isfinite(yard->soc_pu[i])) {
            yard->soc_pu[i] = random_draw(&seed, 0.05, 0.95);
        } else if (u < 0.011) {
            same = false;
            yard->soc_pu[i] = isfinite(yard->soc_pu[i]) ? NAN : 0.5;
        }
        double more_w = random_draw(&seed, -1e6, 1e6);
        total_w = fmax(-90e6, fmin(total_w + more_w, 90e6));
        tick(total_w);
        for (int j = 0; j < N; j++) {
            double moved_w = fabs(yard->b[j].set_w - before_w[j]);
            assert_true(!same || moved_w < fabs(more_w) + 0.01 * RATING_W);
            before_w[j] = yard->b[j].set_w;
        }
        same = true;
        assert_true(share_valid(&yard->site, &yard->state));
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    for (int row = 0; row < 7; row++) {
        begin();
        tick(1e6);
        struct share_state *s = &yard->state;
        assert_true(share_valid(&yard->site, s));
        switch (row) {
        case 0:
            s->line[3] = 4;
            break;
        case 1:
            s->line[0] = N;
            break;
        case 2:
            s->cost[9].linear_cur_per_wh = -1.0;
            break;
        case 3:
            s->place_pu[2] = INFINITY;
            break;
        case 4:
            s->charge_late_pu[1] = 1.1;
            break;
        case 5:
            s->turn = N;
            break;
        default:
            s->turn_s = NAN;
        }
        assert_false(share_valid(&yard->site, s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_little_work_is_done_by_few),
        cmocka_unit_test(small_movements_turn_nobody_round),
        cmocka_unit_test(the_fuller_discharges_more_and_the_line_moves_on),
        cmocka_unit_test(the_cheaper_battery_works_first),
        cmocka_unit_test(nothing_jumps),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests_name("share_terms", tests, build_yard,
                                       clear_yard);
}
