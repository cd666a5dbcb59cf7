/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/billing: months of a zone, over changes of its clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/billing.h"
#include "models/calendar.h"
#include "models/random.h"

enum { SEED = 5, DRAWS = 20000 };

static int64_t utc(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(calendar_parse_utc(text, &ms), ERR_NONE);
    return ms;
}

static void zone_of(const char *rule, struct zone *z)
{
    zone_utc(z);
    assert_int_equal(zone_parse_rule(rule, &z->rule), ERR_NONE);
}

static const char chicago[] = "CST6CDT,M3.2.0,M11.1.0";
/* Back from 00:00 of the 1st of November to 23:00, forward over 00:00 of the
 * 1st of April. */
static const char at_midnight[] = "AAA3BBB,J91/0,J305/0";

static void months_are_of_the_zone(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *at;
        const char *from;
        const char *to;
        int64_t hours;
    } rows[] = {
        {NULL, "2025-02-28T23:59:59.999Z", "2025-02-01T00:00:00Z",
         "2025-03-01T00:00:00Z", 28 * 24},
        {NULL, "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z",
         "2024-03-01T00:00:00Z", 29 * 24},
        {NULL, "2024-12-31T23:59:59Z", "2024-12-01T00:00:00Z",
         "2025-01-01T00:00:00Z", 31 * 24},
        {chicago, "2024-07-01T04:59:59.999Z", "2024-06-01T05:00:00Z",
         "2024-07-01T05:00:00Z", 30 * 24},
        {chicago, "2024-07-01T05:00:00Z", "2024-07-01T05:00:00Z",
         "2024-08-01T05:00:00Z", 31 * 24},
        /* an hour is missing, an hour is there twice */
        {chicago, "2024-03-20T00:00:00Z", "2024-03-01T06:00:00Z",
         "2024-04-01T05:00:00Z", 31 * 24 - 1},
        {chicago, "2024-11-01T05:00:00Z", "2024-11-01T05:00:00Z",
         "2024-12-01T06:00:00Z", 30 * 24 + 1},
        {"IST-5:30", "2024-05-31T18:30:00Z", "2024-05-31T18:30:00Z",
         "2024-06-30T18:30:00Z", 30 * 24},
        {at_midnight, "2023-10-31T02:30:00Z", "2023-10-01T02:00:00Z",
         "2023-11-01T03:00:00Z", 31 * 24 + 1},
        {at_midnight, "2023-11-01T02:30:00Z", "2023-10-01T02:00:00Z",
         "2023-11-01T03:00:00Z", 31 * 24 + 1},
        {at_midnight, "2023-04-01T03:00:00Z", "2023-04-01T03:00:00Z",
         "2023-05-01T02:00:00Z", 30 * 24 - 1},
    };
    struct zone *z = malloc(sizeof(*z));
    assert_non_null(z);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].rule != NULL) {
            zone_of(rows[i].rule, z);
        }
        struct billing_month m =
            billing_month(rows[i].rule != NULL ? z : NULL, utc(rows[i].at));
        assert_int_equal(m.from_ms, utc(rows[i].from));
        assert_int_equal(m.to_ms, utc(rows[i].to));
        assert_int_equal(m.to_ms - m.from_ms, rows[i].hours * 3600000);
    }
    free(z);
}

/* Every instant is in one month, which follows on the one before. */
static void months_leave_nothing_out(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    static const char *const rules[] = {
        "UTC0",   chicago, at_midnight, "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
        "XXX-14", "YYY12"};
    struct zone *z = malloc(sizeof(*z));
    assert_non_null(z);
    uint64_t seed = SEED;
    for (int i = 0; i < DRAWS; i++) {
        zone_of(rules[i % 6], z);
        int64_t at_ms = (int64_t)random_draw(&seed, 1e12, 4e12);
        struct billing_month m = billing_month(z, at_ms);
        assert_true(billing_month_holds(&m, at_ms));
        assert_false(billing_month_holds(&m, m.to_ms));
        assert_true(billing_month_holds(&m, m.from_ms));
        assert_int_equal(billing_month(z, m.to_ms).from_ms, m.to_ms);
        assert_int_equal(billing_month(z, m.from_ms - 1).to_ms, m.from_ms);
        int64_t days = (m.to_ms - m.from_ms + 7200000) / CALENDAR_DAY_MS;
        assert_true(days >= 28 && days <= 31);
    }
    free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_are_of_the_zone),
        cmocka_unit_test(months_leave_nothing_out),
    };
    return cmocka_run_group_tests_name("billing", tests, NULL, NULL);
}
