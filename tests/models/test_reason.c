/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/reason: names of assets, sentences with their units, and
 * that no code, number or buffer size breaks them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/reason.h"

static struct site site;

static int make_site(void **state)
{
    (void)state;
    snprintf(site.name, sizeof(site.name), "plant");
    snprintf(site.currency, sizeof(site.currency), "USD");
    site.n_batteries = 2;
    snprintf(site.batteries[1].name, SITE_NAME_MAX, "bess2");
    site.n_pods = 1;
    snprintf(site.pods[0].name, SITE_NAME_MAX, "pod1");
    site.n_fleets = 2;
    site.fleets[0] = (struct site_fleet){.name = "lot1", .nodes = 200};
    site.fleets[1] =
        (struct site_fleet){.name = "lot2", .nodes = 20000, .first_node = 200};
    site.n_nodes = 20200;
    site.n_prices = 1;
    snprintf(site.prices[0].market, SITE_NAME_MAX, "day_ahead");
    return 0;
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        enum asset_kind kind;
        int64_t index;
        const char *want;
    } rows[] = {
        {ASSET_SITE, 0, "plant"},
        {ASSET_METER, 0, "the grid meter"},
        {ASSET_BATTERY, 1, "bess2"},
        {ASSET_POD, 0, "pod1"},
        {ASSET_FLEET, 1, "lot2"},
        {ASSET_NODE, 0, "lot1-0001"},
        {ASSET_NODE, 199, "lot1-0200"},
        {ASSET_NODE, 200, "lot2-0001"},
        {ASSET_NODE, 20199, "lot2-20000"},
        {ASSET_NODE, 20200, "node 20200"},
        {ASSET_PRICE, 0, "price day_ahead"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[64];
        assert_string_equal(
            asset_name(&site, rows[i].kind, rows[i].index, out, sizeof(out)),
            rows[i].want);
    }
}

static void test_sentences(void **state)
{
    (void)state;
    static const struct {
        struct reason_line line;
        const char *want;
    } rows[] = {
        {{.code = REASON_NONE}, "nothing to do"},
        {{.code = REASON_SMOOTH, .value = 120e6, .need = -12.3e6},
         "the batteries give -12.30 MW so that the grid stays near 120.0 MW"},
        {{.code = REASON_RAMP, .value = 16e6, .limit = 1e7 / 60.0, .need = 3e6},
         "the grid follows the load toward 16.00 MW, at most 10 MW/min; the "
         "batteries give 3.00 MW meanwhile"},
        {{.code = REASON_RECENTRE, .value = 0.613, .limit = 0.5},
         "state of charge is brought back: 61.3 % to 50.0 %"},
        {{.code = REASON_CHARGE_CHEAP, .value = 2e6, .limit = 0.0125},
         "charging 2.00 MW while power costs 12.5 USD/MWh"},
        {{.code = REASON_RATING,
          .asset = ASSET_BATTERY,
          .index = 1,
          .limit = 10e6,
          .need = 3e6},
         "bess2 can do no more than 10.00 MW, 3.00 MW short"},
        {{.code = REASON_IMPORT, .value = 170e6, .limit = 160e6, .need = 1e7},
         "grid held at its import limit of 160.0 MW: the load is 170.0 MW, the "
         "batteries give 10.00 MW"},
        {{.code = REASON_SOC,
          .asset = ASSET_BATTERY,
          .index = 1,
          .limit = 0.1,
          .need = NAN},
         "bess2 is at its state-of-charge limit of 10.0 %, an unknown value "
         "short"},
        {{.code = REASON_NODE_COLD,
          .asset = ASSET_NODE,
          .index = 3,
          .value = -4.5,
          .limit = 5.0},
         "the pack of lot1-0004 is too cold: -4.5 degrees C below 5.0 degrees "
         "C"},
        {{.code = REASON_STALE, .asset = ASSET_METER},
         "the grid meter says nothing: its worst case is assumed"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[256];
        assert_string_equal(reason_text(&site, &rows[i].line, out, sizeof(out)),
                            rows[i].want);
    }
}

static void test_numbers_that_differ(void **state)
{
    (void)state;
    static const struct {
        enum reason code;
        double a[3]; /* value, limit, need */
        double b[3];
        bool differ;
    } rows[] = {
        {REASON_RAMP, {12e6, 3e4, 11e3}, {12e6, 3e4, 1.1e6}, false},
        {REASON_RAMP, {12e6, 3e4, 11e3}, {12e6, 3e4, 1.3e6}, true},
        {REASON_RAMP, {12e6, 3e4, 1e6}, {13.5e6, 3e4, 1e6}, true},
        {REASON_RAMP, {12e6, 3e4, 1e6}, {12e6, 4e4, 1e6}, true},
        {REASON_HOLD, {12e6, 0, 1e6}, {12e6, 0, 9e6}, false}, /* not said */
        {REASON_HOLD, {0, 0, 0}, {0, 0, 0}, false},
        {REASON_HOLD, {NAN, 0, 0}, {NAN, 0, 0}, false},
        {REASON_HOLD, {NAN, 0, 0}, {1, 0, 0}, true},
        {REASON_RECENTRE, {0.61, 0.5, 0}, {0.60, 0.5, 0}, false},
        {REASON_RECENTRE, {0.61, 0.5, 0}, {0.58, 0.5, 0}, true},
        {REASON_NODE_COLD, {-4.5, 5, 0}, {-3.6, 5, 0}, false},
        {REASON_NODE_COLD, {-4.5, 5, 0}, {-3.4, 5, 0}, true},
        {REASON_CHARGE_CHEAP, {2e6, 0.0125, 0}, {2e6, 0.0135, 0}, false},
        {REASON_CHARGE_CHEAP, {2e6, 0.0125, 0}, {2e6, -0.0125, 0}, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const double *a = rows[i].a;
        const double *b = rows[i].b;
        struct reason_line x = {
            .code = rows[i].code, .value = a[0], .limit = a[1], .need = a[2]};
        struct reason_line y = {
            .code = rows[i].code, .value = b[0], .limit = b[1], .need = b[2]};
        if (reason_numbers_differ(&x, &y) != rows[i].differ ||
            reason_numbers_differ(&y, &x) != rows[i].differ) {
            fail_msg("row %zu", i);
        }
    }
}

static void test_words_differ(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++) {
        assert_true(strlen(reason_word((enum reason)i)) > 0);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(reason_word((enum reason)i),
                                    reason_word((enum reason)k));
        }
    }
}

static uint64_t draw(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

/* Any bits as numbers, any buffer: a text that ends within it and shows no
 * placeholder. */
static void test_any_line_has_a_text(void **state)
{
    (void)state;
    uint64_t seed = 3;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits[3] = {draw(&seed), draw(&seed), draw(&seed)};
        struct reason_line line = {
            .code = (int64_t)(draw(&seed) % REASON_COUNT),
            .asset = ASSET_NODE,
            .index = (int64_t)(draw(&seed) % 30000),
        };
        memcpy(&line.value, &bits[0], sizeof(double));
        memcpy(&line.limit, &bits[1], sizeof(double));
        memcpy(&line.need, &bits[2], sizeof(double));
        char out[160];
        memset(out, 'x', sizeof(out));
        size_t size = 1 + draw(&seed) % (sizeof(out) - 1);
        reason_text(&site, &line, out, size);
        assert_true(memchr(out, '\0', size) != NULL);
        assert_true(out[size] == 'x');
        assert_null(strstr(out, "%v"));
        assert_null(strstr(out, "%a"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_numbers_that_differ),
        cmocka_unit_test(test_words_differ),
        cmocka_unit_test(test_any_line_has_a_text),
    };
    return cmocka_run_group_tests_name("reason", tests, make_site, NULL);
}
