/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/mqtt_codec: utility limits and job markers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/mqtt_codec.h"
#include "tests/adapters/mqtt_feeds_fixture.h"

#define EVENT(id, ts, rest) \
    "{\"v\":1,\"id\":\"" id "\",\"ts\":\"2026-11-21T" ts "Z\"," rest "}"

static struct mqtt_result tell(struct mqtt_utility *u, const char *text)
{
    struct mqtt_message msg = message(text, "2026-11-21T12:00:00Z");
    msg.retained = true;
    return mqtt_codec_utility(&msg, u);
}

static void test_utility_events(void **state)
{
    (void)state;
    struct utility_in slots[UTILITY_MQTT] = {{.id = ""}};
    struct mqtt_utility u = {.slots = slots};
    struct mqtt_result r = tell(
        &u, EVENT("e1", "11:00:00",
                  "\"kind\":\"import_max\",\"start\":\"2026-11-21T13:00:00Z\","
                  "\"end\":\"2026-11-21T14:00:00Z\",\"value_w\":120e6,"
                  "\"priority\":2"));
    assert_int_equal(r.verdict, MQTT_TAKEN);
    assert_string_equal(slots[0].id, "e1");
    assert_int_equal(slots[0].kind, UTILITY_IMPORT_MAX);
    assert_int_equal(slots[0].end_at_ms - slots[0].start_at_ms, hour_ms);
    assert_true(slots[0].value == 120e6 && slots[0].priority == 2);

    /* The same id again replaces, an older one does not. */
    r = tell(
        &u, EVENT("e1", "11:30:00", "\"kind\":\"emergency\",\"value_w\":90e6"));
    assert_int_equal(r.verdict, MQTT_TAKEN);
    assert_int_equal(slots[0].kind, UTILITY_EMERGENCY);
    assert_true(slots[0].end_at_ms == INT64_MAX);
    assert_int_equal(slots[0].start_at_ms, at("2026-11-21T11:30:00Z"));
    r = tell(&u, EVENT("e1", "11:29:59",
                       "\"kind\":\"import_max\",\"value_w\":160e6"));
    assert_int_equal(r.verdict, MQTT_STALE);
    assert_true(slots[0].value == 90e6);

    assert_int_equal(tell(&u, "").verdict, MQTT_TAKEN);
    assert_string_equal(slots[0].id, "");
}

static void test_a_full_table_keeps_what_it_has(void **state)
{
    (void)state;
    struct utility_in slots[UTILITY_MQTT] = {{.id = ""}};
    struct mqtt_utility u = {.slots = slots};
    for (int i = 0; i <= UTILITY_MQTT; i++) {
        char text[256];
        snprintf(
            text, sizeof(text),
            EVENT("e%d", "11:00:00", "\"kind\":\"price\",\"value_per_kwh\":%d"),
            i, i);
        assert_int_equal(tell(&u, text).verdict,
                         i < UTILITY_MQTT ? MQTT_TAKEN : MQTT_FULL);
    }
    assert_string_equal(slots[0].id, "e0");
    slots[3].end_at_ms = at("2026-11-21T12:00:00Z");
    assert_true(mqtt_codec_utility_expire(&u, slots[3].end_at_ms));
    assert_string_equal(slots[3].id, "");
    assert_int_equal(tell(&u, EVENT("new", "11:00:00",
                                    "\"kind\":\"setpoint\",\"value_w\":-5"))
                         .verdict,
                     MQTT_TAKEN);
    assert_string_equal(slots[3].id, "new");
}

static void test_utility_events_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum mqtt_verdict verdict;
    } cases[] = {
        {EVENT("", "11:00:00", "\"kind\":\"setpoint\",\"value_w\":1"),
         MQTT_MALFORMED},
        {EVENT("0123456789012345678901234567890123456789", "11:00:00",
               "\"kind\":\"setpoint\",\"value_w\":1"),
         MQTT_MALFORMED},
        {EVENT("e", "11:00:00", "\"kind\":\"other\",\"value_w\":1"),
         MQTT_MALFORMED},
        {EVENT("e", "11:00:00", "\"kind\":\"import_max\",\"value_w\":-1"),
         MQTT_MALFORMED},
        {EVENT("e", "11:00:00", "\"kind\":\"import_max\",\"value_w\":1e999"),
         MQTT_MALFORMED},
        {EVENT("e", "11:00:00", "\"kind\":\"import_max\",\"value_w\":\"1\""),
         MQTT_MALFORMED},
        {EVENT("e", "11:00:00", "\"kind\":\"price\",\"value_w\":1"),
         MQTT_MALFORMED},
        {EVENT("e", "11:00:00",
               "\"kind\":\"setpoint\",\"value_w\":1,\"start\":\"+600\""),
         MQTT_MALFORMED},
        {EVENT("e", "11:00:00",
               "\"kind\":\"setpoint\",\"value_w\":1,"
               "\"start\":\"2026-11-21T14:00:00Z\","
               "\"end\":\"2026-11-21T13:00:00Z\""),
         MQTT_MALFORMED},
        {EVENT("e", "11:00:00",
               "\"kind\":\"setpoint\",\"value_w\":1,"
               "\"end\":\"2026-11-21T11:30:00Z\""),
         MQTT_STALE},
        {EVENT("e", "12:05:00", "\"kind\":\"setpoint\",\"value_w\":1"),
         MQTT_STALE},
        {EVENT("e", "11:00:00",
               "\"kind\":\"setpoint\",\"value_w\":1,\"priority\":1.5"),
         MQTT_MALFORMED},
        {"[]", MQTT_MALFORMED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct utility_in slots[UTILITY_MQTT] = {{.id = ""}};
        struct mqtt_utility u = {.slots = slots};
        struct mqtt_result r = tell(&u, cases[i].text);
        if (r.verdict != cases[i].verdict || slots[0].id[0] != '\0') {
            fail_msg("%s: %s", cases[i].text, mqtt_verdict_text(r.verdict));
        }
    }
}

static struct mqtt_result mark(struct job_in *ring, const char *rest)
{
    char text[512];
    snprintf(text, sizeof(text),
             "{\"v\":1,\"ts\":\"2026-11-21T12:00:00Z\",\"job\":\"j\",%s}",
             rest);
    struct mqtt_message msg = message(text, "2026-11-21T12:00:01Z");
    return mqtt_codec_job(&msg, &site, 0, ring);
}

static void test_job_markers_fill_the_ring(void **state)
{
    (void)state;
    struct job_in ring[JOB_MARKERS_MAX] = {{0}};
    struct mqtt_result r =
        mark(ring, "\"event\":\"eval_start\",\"at\":\"2026-11-21T12:02:00Z\","
                   "\"power_from_w\":1e6,\"power_to_w\":670e3,"
                   "\"period_s\":null");
    assert_int_equal(r.verdict, MQTT_TAKEN);
    assert_int_equal(ring[1].seq, 1);
    assert_int_equal(ring[1].event, JOB_EVAL_START);
    assert_int_equal(ring[1].at_ms, at("2026-11-21T12:02:00Z"));
    assert_true(ring[1].power_to_w == 670e3 && isnan(ring[1].period_s));
    r = mark(ring, "\"event\":\"eval_start\",\"at\":\"2026-11-21T12:02:00Z\"");
    assert_int_equal(r.verdict, MQTT_STALE); /* QoS 1 twice */

    for (int i = 0; i < 200; i++) {
        char rest[128];
        snprintf(rest, sizeof(rest),
                 "\"event\":\"phase\",\"at\":\"2026-11-21T12:%02d:%02dZ\"",
                 i / 60, i % 60);
        assert_int_equal(mark(ring, rest).verdict, MQTT_TAKEN);
    }
    assert_int_equal(ring[201 % JOB_MARKERS_MAX].seq, 201);

    static const char *const refused[] = {
        "\"event\":\"other\",\"at\":\"2026-11-21T12:00:00Z\"",
        "\"event\":\"stop\"",
        "\"event\":\"stop\",\"at\":\"now\"",
        "\"event\":\"stop\",\"at\":\"2026-12-21T12:00:00Z\"",
        "\"event\":\"stop\",\"at\":\"2026-11-21T12:00:00Z\","
        "\"power_to_w\":1e9",
        "\"event\":\"stop\",\"at\":\"2026-11-21T12:00:00Z\","
        "\"period_s\":\"9\"",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_not_equal(mark(ring, refused[i]).verdict, MQTT_TAKEN);
    }
    assert_int_equal(ring[202 % JOB_MARKERS_MAX].seq, 202 - JOB_MARKERS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utility_events),
        cmocka_unit_test(test_a_full_table_keeps_what_it_has),
        cmocka_unit_test(test_utility_events_that_are_refused),
        cmocka_unit_test(test_job_markers_fill_the_ring),
    };
    return cmocka_run_group_tests_name("mqtt_events", tests, set_up, NULL);
}
