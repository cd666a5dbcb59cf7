/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/mqtt_codec: topics, commands and what answers them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/mqtt_codec.h"
#include "adapters/mqtt_topic.h"
#include "models/reason.h"
#include "tests/adapters/mqtt_codec_fixture.h"

static const struct {
    const char *topic;
    enum mqtt_topic_kind kind;
    int64_t index;
} topics[] = {
    {"ballast/v1/demo/pod/hall0-000/state", MQTT_TOPIC_POD_STATE, 0},
    {"ballast/v1/demo/pod/hall5-999/online", MQTT_TOPIC_POD_ONLINE, 999},
    {"ballast/v1/demo/pod/hall3-500/cap/ack", MQTT_TOPIC_POD_ACK, 500},
    {"ballast/v1/demo/pod/hall3-500/job", MQTT_TOPIC_POD_JOB, 500},
    {"ballast/v1/demo/pod/hall3-500/cap/set", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/pod/hall3-501/state", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/pod//state", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/pod", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/other/pod/hall0-000/state", MQTT_TOPIC_NONE, 0},
    {"ballast/v2/demo/pod/hall0-000/state", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/node/lot1-0001/state", MQTT_TOPIC_NODE_STATE, 0},
    {"ballast/v1/demo/node/lot1-0200/ack", MQTT_TOPIC_NODE_ACK, 199},
    {"ballast/v1/demo/node/lot1-0201/ack", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/node/lot1-0000/ack", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/node/lot1-001/ack", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/node/lot1-00001/ack", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/node/lot-2-0001/online", MQTT_TOPIC_NODE_ONLINE, 200},
    {"ballast/v1/demo/node/lot-2-12000/state", MQTT_TOPIC_NODE_STATE, 12199},
    {"ballast/v1/demo/node/-0001/state", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/node/0001/state", MQTT_TOPIC_NONE, 0},
    {"ballast/v1/demo/price/day_ahead", MQTT_TOPIC_PRICE, 0},
    {"ballast/v1/demo/price/rt", MQTT_TOPIC_NONE, 0},
    {"feeds/rt_per_mwh", MQTT_TOPIC_PRICE, 1},
    {"ballast/v1/demo/utility/limit", MQTT_TOPIC_UTILITY, 0},
    {"tesla/fleet/5YJ3/v/Soc", MQTT_TOPIC_VEHICLE_FIELD, 1},
    {"tesla/fleet/5YJ3/connectivity", MQTT_TOPIC_VEHICLE_CONNECTIVITY, 1},
    {"tesla/fleet/5YJ3/alerts/X/current", MQTT_TOPIC_VEHICLE_ALERT, 1},
    {"tesla/fleet/5YJ3/alerts/X/history", MQTT_TOPIC_NONE, 0},
    {"tesla/fleet/5YJ3/errors/X", MQTT_TOPIC_NONE, 0},
    {"tesla/fleet//v/Soc", MQTT_TOPIC_NONE, 0},
    {"tesla/fleetx/5YJ3/v/Soc", MQTT_TOPIC_NONE, 0},
    {"", MQTT_TOPIC_NONE, 0},
};

static void test_topics_find_their_asset(void **state)
{
    (void)state;
    struct mqtt_index *index = NULL;
    char why[160];
    assert_int_equal(mqtt_index_open(&site, &index, why, sizeof(why)), 0);
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        struct mqtt_target t =
            mqtt_index_find(index, topics[i].topic, strlen(topics[i].topic));
        if (t.kind != topics[i].kind || t.index != topics[i].index) {
            fail_msg("%s: got kind %d index %d", topics[i].topic, (int)t.kind,
                     (int)t.index);
        }
    }
    /* Every name that commands go to is found again. */
    char topic[MQTT_TOPIC_MAX];
    for (int64_t n = 0; n < site.n_nodes; n++) {
        mqtt_topic_node_set(&site, n, topic);
        snprintf(strrchr(topic, '/'), 8, "/state");
        assert_int_equal(mqtt_index_find(index, topic, strlen(topic)).index, n);
    }
    char long_topic[4000];
    memset(long_topic, 'a', sizeof(long_topic));
    memcpy(long_topic, "tesla/fleet/", 12);
    assert_int_equal(
        mqtt_index_find(index, long_topic, sizeof(long_topic)).kind,
        MQTT_TOPIC_NONE);
    mqtt_index_close(index);
}

static void test_names_that_cannot_be_topics_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a+b", "#", "a/b", "", "a\nb"};
    static struct site copy;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        copy = site;
        snprintf(copy.pods[3].name, SITE_NAME_MAX, "%s", bad[i]);
        struct mqtt_index *index = NULL;
        char why[160] = "";
        assert_int_equal(mqtt_index_open(&copy, &index, why, sizeof(why)),
                         ERR_RANGE);
        assert_non_null(strstr(why, "topic"));
    }
}

static void test_commands_are_printed_and_acknowledged(void **state)
{
    (void)state;
    struct mqtt_command_head head = {0xabc, 42, "2026-11-21T00:00:00Z"};
    struct pod_command cap = {.cap_w = 6e5,
                              .ramp_s = 5,
                              .ttl_s = 30,
                              .reason = REASON_IMPORT,
                              .valid = 1};
    char text[MQTT_COMMAND_MAX];
    assert_true(mqtt_codec_print_cap(&head, &cap, text) > 0);
    assert_string_equal(
        text, "{\"v\":1,\"id\":\"0000000000000abc-42\","
              "\"ts\":\"2026-11-21T00:00:00Z\",\"cap_w\":600000.0,"
              "\"ramp_s\":5.000,\"ttl_s\":30.000,\"reason\":\"import\"}");
    cap.floor_w = 5e5;
    cap.floor_down_s = 240.0;
    assert_true(mqtt_codec_print_cap(&head, &cap, text) > 0);
    assert_string_equal(text,
                        "{\"v\":1,\"id\":\"0000000000000abc-42\","
                        "\"ts\":\"2026-11-21T00:00:00Z\",\"cap_w\":600000.0,"
                        "\"ramp_s\":5.000,\"floor_w\":500000.0,"
                        "\"floor_down_s\":240.000,\"ttl_s\":30.000,"
                        "\"reason\":\"import\"}");
    struct node_command set = {
        .compute_w = 160, .charge_w = 3600, .ttl_s = 120, .valid = 1};
    assert_true(mqtt_codec_print_set(&head, &set, text) > 0);
    assert_string_equal(text,
                        "{\"v\":1,\"id\":\"0000000000000abc-42\","
                        "\"ts\":\"2026-11-21T00:00:00Z\",\"charge_w\":3600.0,"
                        "\"compute_w\":160.0,\"ttl_s\":120.000}");

    /* Never a value or a lease that is none. */
    cap.floor_w = NAN;
    assert_int_equal(mqtt_codec_print_cap(&head, &cap, text), 0);
    cap.floor_w = 1e90; /* nor one that is cut off */
    assert_int_equal(mqtt_codec_print_cap(&head, &cap, text), 0);
    cap.floor_w = 0.0;
    cap.cap_w = NAN;
    assert_int_equal(mqtt_codec_print_cap(&head, &cap, text), 0);
    cap.cap_w = 6e5;
    cap.ttl_s = 0.0;
    assert_int_equal(mqtt_codec_print_cap(&head, &cap, text), 0);
    set.charge_w = -1.0;
    assert_int_equal(mqtt_codec_print_set(&head, &set, text), 0);
}

static void test_acknowledgements(void **state)
{
    (void)state;
#define ID "\"id\":\"0000000000000abc-42\""
    static const struct {
        const char *text;
        bool retained;
        enum mqtt_verdict verdict;
        enum ack_status status;
    } cases[] = {
        {"{" ID ",\"status\":\"applied\",\"cap_w\":1}", false, MQTT_TAKEN,
         ACK_APPLIED},
        {"{\"v\":1," ID ",\"status\":\"rejected\"}", false, MQTT_TAKEN,
         ACK_REJECTED},
        {"{" ID ",\"status\":\"applied\"}", true, MQTT_RETAINED, 0},
        {"{" ID ",\"status\":\"none\"}", false, MQTT_MALFORMED, 0},
        {"{" ID ",\"status\":1}", false, MQTT_MALFORMED, 0},
        {"{\"status\":\"applied\"}", false, MQTT_MALFORMED, 0},
        {"{\"id\":\"0000000000000abd-42\",\"status\":\"applied\"}", false,
         MQTT_UNKNOWN, 0},
        {"{\"id\":\"01J-42\",\"status\":\"applied\"}", false, MQTT_UNKNOWN, 0},
        {"{\"id\":\"0000000000000abc--1\",\"status\":\"applied\"}", false,
         MQTT_UNKNOWN, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mqtt_ack ack = {0};
        struct mqtt_message msg = message(cases[i].text, cases[i].retained);
        struct mqtt_result r = mqtt_codec_ack(&msg, 0xabc, &ack);
        if (r.verdict != cases[i].verdict ||
            (r.verdict == MQTT_TAKEN &&
             (ack.status != cases[i].status || ack.number != 42))) {
            fail_msg("%s: %s", cases[i].text, mqtt_verdict_text(r.verdict));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topics_find_their_asset),
        cmocka_unit_test(test_names_that_cannot_be_topics_are_refused),
        cmocka_unit_test(test_commands_are_printed_and_acknowledged),
        cmocka_unit_test(test_acknowledgements),
    };
    return cmocka_run_group_tests_name("mqtt_codec", tests, set_up, NULL);
}
