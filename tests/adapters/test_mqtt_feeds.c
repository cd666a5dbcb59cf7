/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/mqtt_codec: prices. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/mqtt_codec.h"
#include "models/random.h"
#include "tests/adapters/mqtt_feeds_fixture.h"

static struct mqtt_result feed(const char *text, const char *now,
                               int64_t *ts_ms, struct price_in *in)
{
    struct mqtt_price_feed f = {&site, 0, "ballast/v1/demo/price/day_ahead"};
    struct mqtt_message msg = message(text, now);
    return mqtt_codec_price(&msg, &f, ts_ms, in);
}

static void test_a_series_is_read(void **state)
{
    (void)state;
    struct price_in in = {0};
    int64_t ts_ms = 0;
    struct mqtt_result r = feed(
        "{\"v\":1,\"ts\":\"2026-11-21T11:45:00Z\",\"market\":\"day_ahead\","
        "\"kind\":\"actual\",\"currency\":\"USD\",\"unit\":\"MWh\","
        "\"res_s\":900,\"start\":\"2026-11-21T12:00:00Z\","
        "\"values\":[24.57,-250,null,4857.82]}",
        "2026-11-21T11:45:01Z", &ts_ms, &in);
    assert_int_equal(r.verdict, MQTT_TAKEN);
    int64_t t = at("2026-11-21T12:00:00Z");
    assert_true(isnan(price_at(&in, t - 1)));
    assert_true(price_at(&in, t) == 24.57 / 1e3);
    assert_true(price_at(&in, t + 900000) == -250 / 1e3);
    assert_true(isnan(price_at(&in, t + 2 * 900000)));
    assert_true(price_at(&in, t + 3 * 900000) == 4857.82 / 1e3);
    assert_true(isnan(price_at(&in, t + hour_ms)));
    assert_int_equal(in.expires_at_ms, t + hour_ms);
    assert_int_equal(in.mono_ms, MONO);
}

static void test_current_values(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        const char *text;
        enum mqtt_verdict verdict;
        double per_kwh;
    } cases[] = {
        {"x", "{\"value_per_kwh\":0.25}", MQTT_TAKEN, 0.25},
        {"x", "{\"value_per_mwh\":-30}", MQTT_TAKEN, -0.03},
        {"x", "{\"v\":1,\"price\":45,\"unit\":\"MWh\"}", MQTT_TAKEN, 0.045},
        {"x", "{\"v\":1,\"price\":0.1,\"unit\":\"kWh\"}", MQTT_TAKEN, 0.1},
        {"x", "{\"v\":1,\"price\":45}", MQTT_MALFORMED, 0},
        {"x", "{\"v\":1,\"price\":45,\"unit\":\"mwh\"}", MQTT_MALFORMED, 0},
        {"x", "{\"v\":1,\"price\":\"45\",\"unit\":\"MWh\"}", MQTT_MALFORMED, 0},
        {"x", "{\"v\":2,\"value_per_kwh\":1}", MQTT_MALFORMED, 0},
        {"x", "{\"value_per_kwh\":1,\"currency\":\"EUR\"}", MQTT_MALFORMED, 0},
        {"x", "{\"value_per_kwh\":1,\"market\":\"other\"}", MQTT_UNKNOWN, 0},
        {"x", "{\"value_per_kwh\":1,\"ts\":\"2026-11-21T10:00:00Z\"}",
         MQTT_STALE, 0},
        {"x",
         "{\"value_per_kwh\":1,\"ts\":\"2026-11-21T10:00:00Z\","
         "\"expires\":\"2026-11-21T13:00:00Z\"}",
         MQTT_TAKEN, 1},
        {"x", "{\"value_per_kwh\":1,\"expires\":7}", MQTT_MALFORMED, 0},
        {"x", "{\"value_per_kwh\":1,\"ts\":\"2026-11-21T12:02:00Z\"}",
         MQTT_STALE, 0},
        {"x", "{\"value_per_kwh\":1e999}", MQTT_MALFORMED, 0},
        {"x", "{\"value_per_kwh\":1e5}", MQTT_MALFORMED, 0},
        {"a/b_per_kwh", "0.31", MQTT_TAKEN, 0.31},
        {"a/b_per_mwh", " -31 ", MQTT_TAKEN, -0.031},
        {"a/b_per_mwh", "1e999", MQTT_MALFORMED, 0},
        {"a/b", "0.31", MQTT_MALFORMED, 0},
        {"a_per_kwh/b", "0.31", MQTT_MALFORMED, 0},
        {"a/b_per_kwh", "\"0.31\"", MQTT_MALFORMED, 0},
        {"a/b_per_kwh", "null", MQTT_MALFORMED, 0},
        {"a/b_per_kwh", "", MQTT_MALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct price_in in = {0};
        int64_t ts_ms = 0;
        struct mqtt_price_feed f = {&site, 0, cases[i].topic};
        struct mqtt_message msg =
            message(cases[i].text, "2026-11-21T12:00:00Z");
        struct mqtt_result r = mqtt_codec_price(&msg, &f, &ts_ms, &in);
        if (r.verdict != cases[i].verdict ||
            (r.verdict == MQTT_TAKEN &&
             price_at(&in, msg.utc_ms) != cases[i].per_kwh)) {
            fail_msg("%s %s: %s %s", cases[i].topic, cases[i].text,
                     mqtt_verdict_text(r.verdict), r.why);
        }
        assert_true(r.verdict == MQTT_TAKEN || in.mono_ms == 0);
    }
}

static void test_series_that_are_refused(void **state)
{
    (void)state;
#define SERIES(rest) "{\"v\":1,\"ts\":\"2026-11-21T12:00:00Z\"," rest "}"
#define START "\"start\":\"2026-11-21T12:00:00Z\""
    static const struct {
        const char *text;
        enum mqtt_verdict verdict;
    } cases[] = {
        {SERIES("\"res_s\":900," START ",\"values\":[1]"), MQTT_MALFORMED},
        {SERIES("\"unit\":\"Wh\",\"res_s\":900," START ",\"values\":[1]"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\"," START ",\"values\":[1]"), MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":0," START ",\"values\":[1]"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":0.5," START ",\"values\":[1]"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":1e9," START ",\"values\":[1]"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":900,\"values\":[1]"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":900," START ",\"values\":[]"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":900," START ",\"values\":{}"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":900," START ",\"values\":[\"1\"]"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":900," START ",\"values\":[1e999]"),
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"currency\":\"EUR\",\"res_s\":900," START
                ",\"values\":[1]"),
         MQTT_MALFORMED},
        {"{\"unit\":\"kWh\",\"res_s\":900," START ",\"values\":[1]}",
         MQTT_MALFORMED},
        {SERIES("\"unit\":\"kWh\",\"res_s\":900,"
                "\"start\":\"2026-11-21T11:00:00Z\",\"values\":[1,2]"),
         MQTT_STALE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct price_in in = {.mono_ms = 5, .value_per_kwh = 3};
        int64_t ts_ms = 0;
        struct mqtt_result r =
            feed(cases[i].text, "2026-11-21T12:00:00Z", &ts_ms, &in);
        if (r.verdict != cases[i].verdict || in.mono_ms != 5 || ts_ms != 0) {
            fail_msg("%s: %s", cases[i].text, mqtt_verdict_text(r.verdict));
        }
    }
}

/* A series of 'n' equal steps, all at 'value'. */
static const char *series_text(char *out, size_t size, const char *ts,
                               const char *start, int res_s, int n, int value)
{
    size_t k = (size_t)snprintf(out, size,
                                "{\"v\":1,\"ts\":\"%s\",\"unit\":\"MWh\","
                                "\"start\":\"%s\",\"res_s\":%d,\"values\":[",
                                ts, start, res_s);
    for (int i = 0; i < n; i++) {
        k += (size_t)snprintf(out + k, size - k, "%s%d", i > 0 ? "," : "",
                              value + i);
    }
    snprintf(out + k, size - k, "]}");
    return out;
}

static void test_tomorrow_joins_today(void **state)
{
    (void)state;
    static const int tomorrow_res_s[] = {3600, 900};
    for (size_t i = 0; i < 2; i++) {
        int res_s = tomorrow_res_s[i];
        struct price_in in = {0};
        int64_t ts_ms = 0;
        char text[4096];
        series_text(text, sizeof(text), "2026-11-20T13:00:00Z",
                    "2026-11-21T00:00:00Z", 3600, 24, 100);
        assert_int_equal(
            feed(text, "2026-11-21T12:30:00Z", &ts_ms, &in).verdict,
            MQTT_TAKEN);
        series_text(text, sizeof(text), "2026-11-21T13:00:00Z",
                    "2026-11-22T00:00:00Z", res_s, 24 * 3600 / res_s, 500);
        assert_int_equal(
            feed(text, "2026-11-21T13:05:00Z", &ts_ms, &in).verdict,
            MQTT_TAKEN);
        int64_t day = at("2026-11-21T00:00:00Z");
        assert_true(isnan(price_at(&in, day + 12 * hour_ms)));
        assert_true(price_at(&in, day + 13 * hour_ms + 300000) == 113 / 1e3);
        assert_true(price_at(&in, day + 24 * hour_ms - 1) == 123 / 1e3);
        assert_true(price_at(&in, day + 24 * hour_ms) == 500 / 1e3);
        assert_true(price_at(&in, day + 25 * hour_ms) ==
                    (500 + 3600 / res_s) / 1e3);
        assert_int_equal(in.expires_at_ms, day + 48 * hour_ms);

        /* An older message changes nothing. */
        struct price_in before = in;
        series_text(text, sizeof(text), "2026-11-21T12:59:59Z",
                    "2026-11-21T00:00:00Z", 3600, 48, 900);
        assert_int_equal(
            feed(text, "2026-11-21T13:05:00Z", &ts_ms, &in).verdict,
            MQTT_STALE);
        assert_memory_equal(&in, &before, sizeof(in));
    }
}

static void test_a_long_series_is_cut_from_now_on(void **state)
{
    (void)state;
    struct price_in in = {0};
    int64_t ts_ms = 0;
    char text[16384];
    series_text(text, sizeof(text), "2026-11-20T00:00:00Z",
                "2026-11-20T00:00:00Z", 900, 1000, 0);
    assert_int_equal(feed(text, "2026-11-21T00:10:00Z", &ts_ms, &in).verdict,
                     MQTT_TAKEN);
    int64_t day = at("2026-11-21T00:00:00Z");
    assert_int_equal(in.start_at_ms, day);
    assert_int_equal(in.n_slots, PRICE_SLOTS_MAX);
    assert_true(price_at(&in, day) == 96 / 1e3);
    assert_int_equal(in.expires_at_ms, day + PRICE_SLOTS_MAX * 900000);
}

/* Whatever is sent, a price that is given is finite and one that is taken
 * has a length and an end. */
static void test_mutated_series(void **state)
{
    (void)state;
    uint64_t seed = random_seed(7);
    print_message("seed 7\n");
    static const char spice[] = "0123456789eE+-.\"{}[],:null";
    struct price_in in = {0};
    int64_t ts_ms = 0;
    int n_taken = 0;
    for (int round = 0; round < 50000; round++) {
        ts_ms = 0;
        char text[1024];
        series_text(text, sizeof(text), "2026-11-21T11:00:00Z",
                    "2026-11-21T12:00:00Z", 900, 30, -10);
        size_t size = strlen(text);
        for (int i = 0; i < 1 + round % 3; i++) {
            text[(size_t)random_draw(&seed, 0, (double)size)] =
                spice[(int)random_draw(&seed, 0, sizeof(spice) - 1)];
        }
        n_taken += feed(text, "2026-11-21T12:20:00Z", &ts_ms, &in).verdict ==
                   MQTT_TAKEN;
        int64_t now = at("2026-11-21T12:20:00Z");
        assert_true(in.n_slots >= 0 && in.n_slots <= PRICE_SLOTS_MAX);
        assert_true(in.n_slots == 0 ||
                    (in.step_s >= 1.0 && in.expires_at_ms > now));
        double p = price_at(&in, now);
        assert_true(isnan(p) || fabs(p) <= 1000.0);
    }
    assert_true(n_taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_series_is_read),
        cmocka_unit_test(test_current_values),
        cmocka_unit_test(test_series_that_are_refused),
        cmocka_unit_test(test_tomorrow_joins_today),
        cmocka_unit_test(test_a_long_series_is_cut_from_now_on),
        cmocka_unit_test(test_mutated_series),
    };
    return cmocka_run_group_tests_name("mqtt_feeds", tests, set_up, NULL);
}
