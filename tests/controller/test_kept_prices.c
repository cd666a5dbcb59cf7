/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/historian: prices outlive a restart, and are checked
 * when they come back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/historian.h"
#include "tests/controller/historian_fixture.h"

static void test_prices_outlive_a_restart(void **state)
{
    const struct fixture *f = *state;
    struct price_in price = {
        .start_at_ms = start_ms,
        .step_s = 900.0,
        .n_slots = 3,
        .mono_ms = 5,
        .expires_at_ms = start_ms + 2700000,
        .per_kwh = {0.04, (double)NAN, -0.01},
    };
    struct kept_price heard = {price, start_ms - 60000};
    struct historian *h = open_historian(f, NULL);
    struct kept_price back;
    assert_false(historian_kept_price(h, "day_ahead", 7, start_ms, &back));
    historian_keep_price(h, "day_ahead", &heard);
    heard.price.per_kwh[0] = 0.05;
    historian_keep_price(h, "day_ahead", &heard);
    /* as it was kept before its instant was kept with it */
    assert_true(historian_keep(h, "price/old", &price, sizeof(price)));
    historian_close(h);
    h = open_historian(f, NULL);
    assert_true(historian_kept_price(h, "day_ahead", 7, start_ms, &back));
    assert_int_equal(back.price.mono_ms, 7);
    assert_int_equal(back.heard_at_ms, start_ms - 60000);
    back.price.mono_ms = price.mono_ms;
    assert_memory_equal(&back, &heard, sizeof(heard));
    assert_true(historian_kept_price(h, "old", 7, start_ms, &back));
    assert_int_equal(back.heard_at_ms, 0);
    /* an instant that lies ahead is none */
    assert_true(
        historian_kept_price(h, "day_ahead", 7, start_ms - 60001, &back));
    assert_int_equal(back.heard_at_ms, 0);
    assert_false(historian_kept_price(h, "real_time", 7, start_ms, &back));
    assert_false(
        historian_kept_price(h, "day_ahead", 7, price.expires_at_ms, &back));
    historian_close(h);
}

static void test_kept_prices_are_checked(void **state)
{
    const struct fixture *f = *state;
    struct kept_price kept = {
        .price = {.step_s = 900.0, .expires_at_ms = INT64_MAX}};
    struct historian *h = open_historian(f, NULL);
    struct kept_price back;
    historian_keep(h, "price/short", &kept, sizeof(kept) - 1);
    kept.price.n_slots = PRICE_SLOTS_MAX + 1;
    historian_keep_price(h, "long", &kept);
    kept.price.n_slots = 2;
    kept.price.per_kwh[1] = (double)INFINITY;
    historian_keep_price(h, "infinite", &kept);
    kept.price.per_kwh[1] = 0.0;
    kept.price.step_s = 0.0;
    historian_keep_price(h, "stepless", &kept);
    kept.price.n_slots = 0;
    kept.price.value_per_kwh = (double)NAN;
    historian_keep_price(h, "unknown", &kept);
    const char *const markets[] = {"short", "long", "infinite", "stepless",
                                   "unknown"};
    for (size_t i = 0; i < 5; i++) {
        assert_false(historian_kept_price(h, markets[i], 1, 1, &back));
    }
    static unsigned char big[70000];
    assert_false(historian_keep(h, "big", big, sizeof(big)));
    historian_close(h);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_prices_outlive_a_restart),
        CASE(test_kept_prices_are_checked),
    };
    return cmocka_run_group_tests_name("kept_prices", tests, NULL, NULL);
}
