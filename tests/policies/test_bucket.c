/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/bucket: sums, who is served first, what a bucket promises.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/bucket.h"

enum { CARS = 500, MANY = 1500, SOON_S = 300, STEP_S = 60 };
static const int32_t NOW_S = 200000000;
static const int32_t MOST_W = 7200;

/* A lot, its members side by side. */
static int32_t start_s[MANY], departs_s[MANY], charge_w[MANY], need_wh[MANY];
static struct bucket_work works[MANY];

static struct bucket_fleet lot(int64_t n)
{
    return (struct bucket_fleet){
        .start_s = start_s,
        .departs_s = departs_s,
        .charge_w = charge_w,
        .need_wh = need_wh,
        .works = works,
        .n = n,
        .fleet = 3,
        .now_s = NOW_S,
        .soon_s = SOON_S,
    };
}

static void put(int64_t i, int32_t lax_s, int32_t w, int32_t wh)
{
    start_s[i] = NOW_S + lax_s;
    departs_s[i] = start_s[i] + wh * 3600 / w;
    charge_w[i] = w;
    need_wh[i] = wh;
}

static void put_none(int64_t i)
{
    struct bucket_car none = bucket_car_none();
    start_s[i] = none.start_s;
    departs_s[i] = none.departs_s;
    charge_w[i] = none.charge_w;
    need_wh[i] = none.need_wh;
}

static void fill(int64_t n, uint64_t *seed)
{
    for (int64_t i = 0; i < n; i++) {
        if (random_draw(seed, 0.0, 1.0) < 0.3) {
            put_none(i);
            continue;
        }
        put(i, (int32_t)random_draw(seed, -5000.0, 100000.0),
            (int32_t)random_draw(seed, 1000.0, (double)MOST_W),
            (int32_t)random_draw(seed, 1.0, 60000.0));
    }
}

static void the_least_lax_are_served(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        double target_w;
        double all_w;
        double share[5];
    } rows[] = {
        {"those who must, whatever is wanted", 0.0, 1e3, {1, 0, 0, 0, 0}},
        {"the next in part", 2e3, 2e3, {1, 0.5, 0, 0, 0}},
        {"and whole", 3e3, 3e3, {1, 1, 0, 0, 0}},
        {"then those of one laxity alike", 5e3, 5e3, {1, 1, 0.5, 0.5, 0}},
        {"no more than all", 1e9, 7e3, {1, 1, 1, 1, 0}},
    };
    put(0, 10, 1000, 500);
    put(1, 1000, 2000, 500);
    put(2, 5000, 2000, 500);
    put(3, 5001, 2000, 500);
    put_none(4);
    struct bucket_fleet f = lot(5);
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        double all_w = 0.0;
        struct bucket_order order = bucket_order(&f, rows[r].target_w, &all_w);
        if (fabs(all_w - rows[r].all_w) > 1e-9) {
            fail_msg("%s: %g W", rows[r].what, all_w);
        }
        for (int i = 0; i < 5; i++) {
            double share = (double)bucket_share(&order, start_s[i]);
            if (i < 4 && fabs(share - rows[r].share[i]) > 1e-6) {
                fail_msg("%s: car %d gets %g", rows[r].what, i, share);
            }
        }
    }
}

/* The shares add up to what was said, that is the target where it can be, and
 * nobody is served before one who is a bin less lax. */
static void shares_meet_the_set_point(void **state)
{
    (void)state;
    uint64_t seed = random_seed(1);
    print_message("seed 1\n");
    for (int round = 0; round < 2000; round++) {
        int64_t n = (int64_t)random_draw(&seed, 0.0, CARS);
        fill(n, &seed);
        struct bucket_fleet f = lot(n);
        double target_w = random_draw(&seed, 0.0, 3e6);
        double all_w = 0.0;
        struct bucket_order order = bucket_order(&f, target_w, &all_w);
        double sum_w = 0.0;
        double can_w = 0.0;
        double must_w = 0.0;
        int32_t last_s = INT32_MIN;
        int32_t first_s = BUCKET_NEVER;
        for (int64_t i = 0; i < n; i++) {
            double share = (double)bucket_share(&order, start_s[i]);
            bool must = start_s[i] - NOW_S < SOON_S;
            assert_true(share >= 0.0 && share <= 1.0 && (!must || share >= 1));
            sum_w += share * charge_w[i];
            can_w += charge_w[i];
            must_w += must ? charge_w[i] : 0.0;
            if (charge_w[i] > 0 && share > 0.0) {
                last_s = start_s[i] > last_s ? start_s[i] : last_s;
            } else if (charge_w[i] > 0) {
                first_s = start_s[i] < first_s ? start_s[i] : first_s;
            }
        }
        assert_true(fabs(sum_w - all_w) <= 1e-6 * can_w);
        double least_w = fmin(target_w, can_w);
        assert_true(all_w >= least_w - 1e-9 * can_w);
        assert_true(all_w <= fmax(least_w, must_w + MOST_W * 10.0));
        assert_true(last_s < first_s);
    }
}

static void buckets_add_up(void **state)
{
    (void)state;
    uint64_t seed = random_seed(2);
    print_message("seed 2\n");
    for (int round = 0; round < 2000; round++) {
        int64_t n = (int64_t)random_draw(&seed, 0.0, CARS);
        fill(n, &seed);
        struct bucket_fleet f = lot(n);
        struct bucket b[BUCKET_FLEET_MAX];
        struct bucket_must must;
        int n_buckets = bucket_sum(&f, b, &must);
        double wh = 0.0, w = 0.0;
        int64_t n_in = 0;
        for (int k = 0; k < n_buckets; k++) {
            assert_true(b[k].n > 0 && b[k].fleet == 3);
            assert_true(b[k].departs_s >= SOON_S);
            assert_true(k == 0 || b[k].departs_s > b[k - 1].departs_s);
            wh += b[k].need_wh;
            w += b[k].power_w;
            n_in += b[k].n;
        }
        for (int64_t i = 0; i < n; i++) {
            bool lax = start_s[i] - NOW_S >= SOON_S && charge_w[i] > 0;
            w -= charge_w[i];
            wh -= need_wh[i];
            n_in -= lax;
        }
        assert_true(w + must.power_w == 0.0 && n_in == 0);
        assert_true(wh + must.need_wh == 0.0);
    }
}

static void joined_buckets_promise_no_more(void **state)
{
    (void)state;
    uint64_t seed = random_seed(3);
    print_message("seed 3\n");
    for (int round = 0; round < 2000; round++) {
        struct bucket b[32];
        int n = 1 + (int)random_draw(&seed, 0.0, 31.0);
        double need_before = 0.0;
        for (int i = 0; i < n; i++) {
            b[i] = (struct bucket){.fleet = i / 6,
                                   .n = 1,
                                   .departs_s = 1e3 * (i % 6) +
                                                random_draw(&seed, 0.0, 900.0),
                                   .need_wh = 1.0,
                                   .power_w = 2.0};
            need_before += b[i].need_wh;
        }
        struct bucket was = b[0];
        int most = 1 + (int)random_draw(&seed, 0.0, 10.0);
        int left = bucket_join(b, n, most);
        int n_fleets = (n + 5) / 6;
        assert_int_equal(left, n <= most         ? n
                               : most > n_fleets ? most
                                                 : n_fleets);
        double need = 0.0;
        for (int i = 0; i < left; i++) {
            need += b[i].need_wh;
            assert_true(b[i].power_w == 2.0 * b[i].need_wh);
            assert_true(i == 0 || b[i].fleet > b[i - 1].fleet ||
                        b[i].departs_s > b[i - 1].departs_s);
        }
        assert_true(need == need_before);
        assert_true(b[0].departs_s <= was.departs_s);
    }
}

/* Whatever the set-point, every car that begins with some laxity leaves with
 * what it needs. */
static void nobody_leaves_short(void **state)
{
    (void)state;
    uint64_t seed = random_seed(4);
    print_message("seed 4\n");
    for (int round = 0; round < 20; round++) {
        double left_wh[CARS];
        for (int64_t i = 0; i < CARS; i++) {
            put(i, (int32_t)random_draw(&seed, 0.0, 30000.0), MOST_W,
                (int32_t)random_draw(&seed, 1.0, 40000.0));
            left_wh[i] = need_wh[i];
        }
        struct bucket_fleet f = lot(CARS);
        bool idle = round == 0;
        for (int k = 0; k < 50000 / STEP_S; k++) {
            double all_w = 0.0;
            double target_w = idle ? 0.0 : random_draw(&seed, 0.0, 2e6);
            struct bucket_order order = bucket_order(&f, target_w, &all_w);
            f.now_s += STEP_S;
            for (int64_t i = 0; i < CARS; i++) {
                double w = (double)bucket_share(&order, start_s[i]) *
                           (double)charge_w[i];
                left_wh[i] -= w * STEP_S / 3600.0;
                if (left_wh[i] <= 0.0) {
                    put_none(i);
                } else {
                    assert_true(f.now_s <= departs_s[i]);
                    start_s[i] =
                        departs_s[i] - (int32_t)(left_wh[i] * 3600.0 / MOST_W);
                }
            }
        }
    }
}

static void work_goes_where_it_costs_least(void **state)
{
    (void)state;
    uint64_t seed = random_seed(5);
    print_message("seed 5\n");
    for (int round = 0; round < 2000; round++) {
        double can_w = 0.0;
        for (int i = 0; i < CARS; i++) {
            bool offers = random_draw(&seed, 0.0, 1.0) < 0.7;
            works[i] = (struct bucket_work){
                .per_kwh = (float)random_draw(&seed, 0.0, 2.0),
                .w = offers ? 160 : 0,
            };
            can_w += works[i].per_kwh < 1.0f ? works[i].w : 0.0;
        }
        struct bucket_fleet f = lot(CARS);
        double target_w = random_draw(&seed, 0.0, 80e3);
        double all_w = 0.0;
        struct bucket_work_order order =
            bucket_work_order(&f, 1.0, target_w, &all_w);
        assert_true(fabs(all_w - fmin(target_w, can_w)) < 1e-9);
        double sum_w = 0.0;
        float dearest = -INFINITY;
        float idle = INFINITY;
        for (int i = 0; i < CARS; i++) {
            if (works[i].w == 0) {
                continue;
            }
            bool does = bucket_works(&order, &works[i], i);
            sum_w += does ? works[i].w : 0.0;
            dearest = does ? fmaxf(dearest, works[i].per_kwh) : dearest;
            idle = does ? idle : fminf(idle, works[i].per_kwh);
        }
        /* by the cars of one bin of cost */
        assert_true(fabs(sum_w - all_w) <= 160.0 * 60.0);
        assert_true(dearest <= 1.001f);
        assert_true(dearest <= idle + 1.0f / (float)BUCKET_BINS + 1e-6f);
    }
    struct bucket_work_order none = bucket_no_work();
    assert_false(bucket_works(&none, &works[0], 0));
}

static void a_clock_out_of_range_stays_in_it(void **state)
{
    (void)state;
    assert_int_equal(bucket_clock_s(INT64_MIN), 0);
    assert_int_equal(bucket_clock_s(0), 0);
    assert_int_equal(bucket_clock_s(1577836800000 + 61000), 61);
    assert_int_equal(bucket_clock_s(INT64_MAX), BUCKET_NEVER - 1);
    put(0, 0, 1000, 100);
    start_s[0] = 0; /* long ago */
    departs_s[0] = BUCKET_NEVER - 1;
    put(1, 0, 1000, 100);
    start_s[1] = BUCKET_NEVER - 1; /* in the far future */
    departs_s[1] = BUCKET_NEVER - 1;
    struct bucket_fleet f = lot(2);
    double all_w = 0.0;
    struct bucket_order order = bucket_order(&f, 1000.0, &all_w);
    assert_true(bucket_share(&order, start_s[0]) >= 1.0f);
    assert_true(bucket_share(&order, start_s[1]) <= 0.0f);
    order = bucket_order(&f, 2000.0, &all_w);
    assert_true(bucket_share(&order, start_s[1]) >= 1.0f && all_w == 2000.0);
    f.now_s = BUCKET_NEVER - 1;
    order = bucket_order(&f, 1500.0, &all_w);
    assert_true(all_w == 2000.0); /* both are late */
}

/* A large lot is looked at in another way than a small one: cars that need
 * nothing make one of the other and change nothing. */
static void a_lot_is_served_alike_whatever_its_size(void **state)
{
    (void)state;
    uint64_t seed = random_seed(2);
    print_message("seed 2\n");
    for (int round = 0; round < 2000; round++) {
        int64_t n = (int64_t)random_draw(&seed, 0.0, CARS);
        fill(n, &seed);
        for (int64_t i = n; i < MANY; i++) {
            put_none(i);
        }
        struct bucket_fleet few = lot(n);
        struct bucket_fleet many = lot(MANY);
        few.soon_s = many.soon_s = (int32_t)random_draw(&seed, 0.0, 20000.0);
        double target_w = random_draw(&seed, 0.0, 3e6);
        double few_w = 0.0;
        double many_w = 0.0;
        struct bucket_order a = bucket_order(&few, target_w, &few_w);
        struct bucket_order b = bucket_order(&many, target_w, &many_w);
        assert_int_equal(a.full_s, b.full_s);
        assert_int_equal(a.part_s, b.part_s);
        assert_true(a.part >= b.part && a.part <= b.part && few_w == many_w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_lax_are_served),
        cmocka_unit_test(shares_meet_the_set_point),
        cmocka_unit_test(a_lot_is_served_alike_whatever_its_size),
        cmocka_unit_test(buckets_add_up),
        cmocka_unit_test(joined_buckets_promise_no_more),
        cmocka_unit_test(nobody_leaves_short),
        cmocka_unit_test(work_goes_where_it_costs_least),
        cmocka_unit_test(a_clock_out_of_range_stays_in_it),
    };
    return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
