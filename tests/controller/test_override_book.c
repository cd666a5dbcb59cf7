/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/override_book: what is set holds until it ends, what is
 * kept is believed only where it is sound, and an opt-out never loosens what
 * protects the grid. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/override_book.h"
#include "models/random.h"

static const int64_t now_ms = INT64_C(1795219200000);

static void each_limit_takes_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double value;
        enum err e;
    } cases[] = {
        {"import_max", 9e6, ERR_NONE}, {"import_max", -1.0, ERR_RANGE},
        {"export_max", 0.0, ERR_NONE}, {"setpoint", -2e6, ERR_NONE},
        {"setpoint", NAN, ERR_RANGE},  {"reserve", 0.4, ERR_NONE},
        {"reserve", 1.01, ERR_RANGE},  {"import_max", 1e13, ERR_RANGE},
        {"import_max", 8e6, ERR_NONE},
    };
    struct override_book b;
    struct snapshot *in = calloc(1, snapshot_size(0));
    override_book_init(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int index = override_index(cases[i].name);
        assert_int_equal(override_book_limit(&b, index, cases[i].value, now_ms,
                                             now_ms + 1000),
                         cases[i].e);
    }
    assert_int_equal(override_index("price"), -1);
    assert_true(override_book_sound(&b));
    const struct utility_in none[UTILITY_MQTT] = {{.id = ""}};
    override_apply(&b, none, in);
    /* set again it is another, and binds the site, not what the grid is owed */
    assert_true(fabs(import_limit_w(in, 20e6, now_ms, now_ms + 1) - 8e6) < 1.0);
    assert_true(fabs(import_owed_w(in, 20e6, now_ms, now_ms + 1) - 20e6) < 1.0);
    assert_true(fabs(utility_reserve_pu(in, now_ms, now_ms + 1) - 0.4) < 1e-9);
    free(in);
}

static void what_is_set_ends(void **state)
{
    (void)state;
    struct override_book b;
    char name[OVERRIDE_NAME_MAX];
    override_book_init(&b);
    assert_int_equal(override_book_limit(&b, 0, 9e6, now_ms, now_ms + 2000),
                     ERR_NONE);
    assert_int_equal(override_book_opt_out(&b, "e-1", now_ms + 1000), ERR_NONE);
    assert_int_equal(override_book_opt_out(&b, "e-2", now_ms + 9000), ERR_NONE);
    assert_true(override_opted_out(&b, "e-1", now_ms + 999));
    assert_false(override_opted_out(&b, "e-1", now_ms + 1000));
    assert_false(override_book_expire(&b, now_ms, name));
    assert_true(override_book_expire(&b, now_ms + 3000, name));
    assert_string_equal(name, "import_max");
    assert_true(override_book_expire(&b, now_ms + 3000, name));
    assert_string_equal(name, "e-1");
    assert_false(override_book_expire(&b, now_ms + 3000, name));
    assert_false(override_book_clear(&b, "e-1"));
    assert_true(override_book_clear(&b, "all"));
    assert_int_equal(b.n_outs, 0);
}

static void too_many_opt_outs_are_refused(void **state)
{
    (void)state;
    struct override_book b;
    override_book_init(&b);
    char name[16];
    for (int i = 0; i < OVERRIDE_OUTS_MAX; i++) {
        snprintf(name, sizeof(name), "e-%d", i);
        assert_int_equal(override_book_opt_out(&b, name, now_ms), ERR_NONE);
    }
    assert_int_equal(override_book_opt_out(&b, "more", now_ms), ERR_FULL);
    /* one that is known gets a new end */
    assert_int_equal(override_book_opt_out(&b, "e-3", now_ms + 5), ERR_NONE);
    assert_true(override_opted_out(&b, "e-3", now_ms + 4));
}

static void an_opt_out_drops_only_what_is_asked_for(void **state)
{
    (void)state;
    struct override_book b;
    struct snapshot *in = calloc(1, snapshot_size(0));
    struct utility_in told[UTILITY_MQTT] = {{.id = ""}};
    in->utc_ms = now_ms;
    override_book_init(&b);
    for (int k = 0; k < UTILITY_COUNT; k++) {
        told[k] = (struct utility_in){.kind = k,
                                      .start_at_ms = now_ms,
                                      .end_at_ms = now_ms + 1000,
                                      .value = 1.0};
        snprintf(told[k].id, sizeof(told[k].id), "e-%d", k);
        assert_int_equal(override_book_opt_out(&b, told[k].id, now_ms + 500),
                         ERR_NONE);
    }
    override_apply(&b, told, in);
    for (int k = 0; k < UTILITY_COUNT; k++) {
        bool stays =
            k != UTILITY_SETPOINT && k != UTILITY_PRICE && k != UTILITY_RESERVE;
        assert_int_equal(in->utility[k].id[0] != '\0', stays);
    }
    in->utc_ms = now_ms + 500; /* the opt-outs are over */
    override_apply(&b, told, in);
    for (int k = 0; k < UTILITY_COUNT; k++) {
        assert_string_equal(in->utility[k].id, told[k].id);
    }
    free(in);
}

/* Whatever lies on the disk: a book that passes for sound can be used. */
static void a_kept_book_is_hostile(void **state)
{
    (void)state;
    uint64_t seed = 11;
    print_message("seed 11\n");
    struct override_book good;
    override_book_init(&good);
    assert_int_equal(override_book_limit(&good, 0, 9e6, now_ms, now_ms + 1),
                     ERR_NONE);
    assert_int_equal(override_book_opt_out(&good, "e-1", now_ms), ERR_NONE);
    struct snapshot *in = calloc(1, snapshot_size(0));
    const struct utility_in none[UTILITY_MQTT] = {{.id = ""}};
    int n_sound = 0;
    for (int i = 0; i < 20000; i++) {
        struct override_book b = good;
        unsigned char *bytes = (unsigned char *)&b;
        for (int k = 0; k < 3; k++) {
            size_t at = (size_t)random_draw(&seed, 0.0, (double)sizeof(b));
            bytes[at] = (unsigned char)random_draw(&seed, 0.0, 256.0);
        }
        if (!override_book_sound(&b)) {
            continue;
        }
        char name[OVERRIDE_NAME_MAX];
        n_sound++;
        override_apply(&b, none, in);
        double w = import_limit_w(in, 20e6, now_ms, now_ms + 1);
        assert_true(w >= 0.0 && w <= 20e6);
        while (override_book_expire(&b, now_ms + 10, name)) {
        }
    }
    assert_true(n_sound > 0 && n_sound < 20000);
    struct override_book b = good;
    b.n_outs = OVERRIDE_OUTS_MAX + 1;
    assert_false(override_book_sound(&b));
    b = good;
    b.limits[0].value = INFINITY;
    assert_false(override_book_sound(&b));
    free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_takes_its_place),
        cmocka_unit_test(what_is_set_ends),
        cmocka_unit_test(too_many_opt_outs_are_refused),
        cmocka_unit_test(an_opt_out_drops_only_what_is_asked_for),
        cmocka_unit_test(a_kept_book_is_hostile),
    };
    return cmocka_run_group_tests_name("override_book", tests, NULL, NULL);
}
