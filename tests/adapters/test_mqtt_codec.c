/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/mqtt_codec and mqtt_topic: pods, nodes, acks, commands;
 * tables of what is taken and refused, then mutations of good messages. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/mqtt_codec.h"
#include "adapters/mqtt_topic.h"
#include "models/calendar.h"
#include "models/random.h"
#include "models/reason.h"

enum { MONO = 100000000 };

static struct site site;
static int64_t now_ms;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(calendar_parse_utc("2026-11-21T00:00:01Z", &now_ms), 0);
    snprintf(site.name, sizeof(site.name), "demo");
    snprintf(site.currency, sizeof(site.currency), "USD");
    site.n_pods = 1000;
    for (int i = 0; i < site.n_pods; i++) {
        snprintf(site.pods[i].name, SITE_NAME_MAX, "hall%d-%03d", i % 7, i);
        site.pods[i].power_max_w = 1e6;
    }
    site.n_fleets = 2;
    site.fleets[0] = (struct site_fleet){
        .name = "lot1", .nodes = 200, .compute_w = 160, .pack_wh = 75e3};
    site.fleets[1] = (struct site_fleet){.name = "lot-2",
                                         .nodes = 12000,
                                         .first_node = 200,
                                         .compute_w = 1000,
                                         .pack_wh = 75e3,
                                         .telemetry = "tesla/fleet"};
    site.n_nodes = 12200;
    site.n_prices = 2;
    snprintf(site.prices[0].market, SITE_NAME_MAX, "day_ahead");
    snprintf(site.prices[1].market, SITE_NAME_MAX, "rt");
    snprintf(site.prices[1].topic, SITE_TEXT_MAX, "feeds/rt_per_mwh");
    return 0;
}

static struct mqtt_message message(const char *text, bool retained)
{
    return (struct mqtt_message){text, strlen(text), MONO, now_ms, retained};
}

static void test_topics_find_their_asset(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        enum mqtt_topic_kind kind;
        int64_t index;
    } cases[] = {
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
        {"ballast/v1/demo/node/lot-2-12000/state", MQTT_TOPIC_NODE_STATE,
         12199},
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
    struct mqtt_index *index = NULL;
    char why[160];
    assert_int_equal(mqtt_index_open(&site, &index, why, sizeof(why)), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mqtt_target t =
            mqtt_index_find(index, cases[i].topic, strlen(cases[i].topic));
        if (t.kind != cases[i].kind || t.index != cases[i].index) {
            fail_msg("%s: got kind %d index %d", cases[i].topic, (int)t.kind,
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

#define STATE(rest)                                                 \
    "{\"v\":1,\"ts\":\"2026-11-21T00:00:00.500Z\",\"boot\":\"b1\"," \
    "\"seq\":9" rest "}"

static const char *const good_state =
    STATE(",\"power_w\":812000,\"cap_w\":900000,\"cap_min_w\":350000,"
          "\"cap_max_w\":1000000,\"idle_w\":210000,\"default_w\":900000,"
          "\"safe_w\":400000,\"gpus\":1024,\"gpus_throttled\":0,\"prio\":2,"
          "\"checkpoint_s\":90,\"inlet_c\":24.5,\"coolant_c\":31,"
          "\"parts\":{\"servers_w\":700000,\"network_w\":40000,"
          "\"distribution_w\":22000,\"cooling_w\":50000},\"jobs\":[\"j1\"],"
          "\"future_key\":{\"x\":[1,2]}");

static void test_a_pod_state_is_read(void **state)
{
    (void)state;
    struct pod_in in = {0};
    struct mqtt_order order = {0};
    struct mqtt_message msg = message(good_state, false);
    struct mqtt_result r =
        mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in);
    assert_int_equal(r.verdict, MQTT_TAKEN);
    assert_true(in.power_w.value == 812000.0);
    assert_int_equal(in.power_w.mono_ms, MONO);
    assert_int_equal(in.power_w.quality, QUALITY_GOOD);
    assert_true(in.cap_w.value == 900000.0 && in.cap_min_w.value == 350000.0);
    assert_true(in.cap_max_w.value == 1e6 && in.safe_w.value == 400000.0);
    assert_true(in.inlet_c.value == 24.5 && in.coolant_c.value == 31.0);
    assert_true(in.servers_w.value == 7e5 && in.network_w.value == 4e4);
    assert_true(in.distribution_w.value == 2.2e4);
    assert_true(in.cooling_w.value == 5e4 && in.checkpoint_s.value == 90.0);
    assert_int_equal(in.flags, POD_ONLINE);

    /* The same again, QoS 1. */
    r = mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in);
    assert_int_equal(r.verdict, MQTT_STALE);

    mqtt_codec_pod_online(&in, false);
    assert_int_equal(in.flags, 0);
    assert_int_equal(in.power_w.quality, QUALITY_STALE);
    assert_int_equal(in.cap_w.quality, QUALITY_GOOD);
}

/* R10, R11: every field with every kind of wrong value is BAD at once. */
static void test_wrong_values_make_their_field_bad(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t offset;
    } fields[] = {
        {"power_w", offsetof(struct pod_in, power_w)},
        {"cap_w", offsetof(struct pod_in, cap_w)},
        {"cap_min_w", offsetof(struct pod_in, cap_min_w)},
        {"cap_max_w", offsetof(struct pod_in, cap_max_w)},
        {"safe_w", offsetof(struct pod_in, safe_w)},
        {"inlet_c", offsetof(struct pod_in, inlet_c)},
        {"coolant_c", offsetof(struct pod_in, coolant_c)},
        {"checkpoint_s", offsetof(struct pod_in, checkpoint_s)},
    };
    static const char *const wrong[] = {
        "1e999", "-1e999", "-100000", "9223372036854775808", "\"500\"", "true",
        "[1]",   "{}",     "\"NaN\"",
    };
    for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        for (size_t w = 0; w < sizeof(wrong) / sizeof(wrong[0]); w++) {
            char text[256];
            snprintf(text, sizeof(text), STATE(",\"%s\":%s"), fields[f].key,
                     wrong[w]);
            struct pod_in in = {0};
            struct mqtt_order order = {0};
            struct mqtt_message msg = message(text, false);
            struct mqtt_result r =
                mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in);
            struct reading got;
            memcpy(&got, (char *)&in + fields[f].offset, sizeof(got));
            if (r.verdict != MQTT_PARTLY || got.quality != QUALITY_BAD ||
                !isnan(got.value)) {
                fail_msg("%s = %s: %s", fields[f].key, wrong[w],
                         mqtt_verdict_text(r.verdict));
            }
        }
    }
}

static void test_states_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *text;
        bool retained;
        enum mqtt_verdict verdict;
    } cases[] = {
        {"empty", "", false, MQTT_MALFORMED},
        {"not JSON", "power", false, MQTT_MALFORMED},
        {"an array", "[1]", false, MQTT_MALFORMED},
        {"text after the end", "{\"v\":1}x", false, MQTT_MALFORMED},
        {"no v", "{\"ts\":\"2026-11-21T00:00:00Z\"}", false, MQTT_MALFORMED},
        {"v 2", "{\"v\":2,\"ts\":\"2026-11-21T00:00:00Z\"}", false,
         MQTT_MALFORMED},
        {"v as text", "{\"v\":\"1\",\"ts\":\"2026-11-21T00:00:00Z\"}", false,
         MQTT_MALFORMED},
        {"V in capitals", "{\"V\":1,\"ts\":\"2026-11-21T00:00:00Z\"}", false,
         MQTT_MALFORMED},
        {"no ts", "{\"v\":1,\"seq\":1}", false, MQTT_MALFORMED},
        {"local ts", "{\"v\":1,\"ts\":\"2026-11-21T00:00:00\"}", false,
         MQTT_MALFORMED},
        {"ts as number", "{\"v\":1,\"ts\":1}", false, MQTT_MALFORMED},
        {"negative seq", "{\"v\":1,\"seq\":-1,\"ts\":\"2026-11-21T00:00:00Z\"}",
         false, MQTT_MALFORMED},
        {"half a seq", "{\"v\":1,\"seq\":1.5,\"ts\":\"2026-11-21T00:00:00Z\"}",
         false, MQTT_MALFORMED},
        {"boot as number",
         "{\"v\":1,\"boot\":1,\"ts\":\"2026-11-21T00:00:00Z\"}", false,
         MQTT_MALFORMED},
        {"a key twice",
         "{\"v\":1,\"ts\":\"2026-11-21T00:00:00Z\",\"power_w\":1,"
         "\"power_w\":2}",
         false, MQTT_MALFORMED},
        {"broken UTF-8",
         "{\"v\":1,\"ts\":\"2026-11-21T00:00:00Z\",\"x\":\"\xC3(\"}", false,
         MQTT_MALFORMED},
        {"overlong UTF-8", "{\"v\":1,\"x\":\"\xC0\xAF\"}", false,
         MQTT_MALFORMED},
        {"a control character",
         "{\"v\":1,\"ts\":\"2026-11-21T00:00:00Z\",\"x\":\"\x01\"}", false,
         MQTT_MALFORMED},
        {"too old", "{\"v\":1,\"ts\":\"2026-11-20T23:59:50Z\"}", false,
         MQTT_STALE},
        {"from ahead", "{\"v\":1,\"ts\":\"2026-11-21T00:00:03.1Z\"}", false,
         MQTT_STALE},
        {"retained for an hour", "{\"v\":1,\"ts\":\"2026-11-20T23:00:00Z\"}",
         true, MQTT_STALE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pod_in in = {0};
        struct pod_in before = in;
        struct mqtt_order order = {0};
        struct mqtt_message msg = message(cases[i].text, cases[i].retained);
        struct mqtt_result r =
            mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in);
        if (r.verdict != cases[i].verdict || r.why[0] == '\0') {
            fail_msg("%s: %s", cases[i].what, mqtt_verdict_text(r.verdict));
        }
        assert_memory_equal(&in, &before, sizeof(in));
        assert_int_equal(order.ts_ms, 0);
    }
}

static void test_a_retained_state_carries_its_age(void **state)
{
    (void)state;
    struct pod_in in = {0};
    struct mqtt_order order = {0};
    struct mqtt_message msg = message(
        "{\"v\":1,\"ts\":\"2026-11-20T23:59:31Z\",\"power_w\":5}", true);
    assert_int_equal(
        mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in).verdict,
        MQTT_TAKEN);
    assert_int_equal(in.power_w.mono_ms, MONO - 30000);
    assert_int_equal(in.flags, 0);
    /* Before the clock of this machine began, its age cannot be told. */
    order = (struct mqtt_order){0};
    msg.mono_ms = 20000;
    assert_int_equal(
        mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in).verdict,
        MQTT_STALE);
}

static void test_boot_and_seq_order_states(void **state)
{
    (void)state;
    static const struct {
        const char *text; /* in order, to one sender */
        enum mqtt_verdict verdict;
    } steps[] = {
        {"\"boot\":\"a\",\"seq\":5,\"ts\":\"2026-11-21T00:00:00.1Z\"",
         MQTT_TAKEN},
        {"\"boot\":\"a\",\"seq\":4,\"ts\":\"2026-11-21T00:00:00.2Z\"",
         MQTT_STALE},
        {"\"boot\":\"a\",\"seq\":5,\"ts\":\"2026-11-21T00:00:00.2Z\"",
         MQTT_STALE},
        {"\"boot\":\"a\",\"seq\":6,\"ts\":\"2026-11-21T00:00:00.1Z\"",
         MQTT_TAKEN},
        {"\"boot\":\"b\",\"seq\":0,\"ts\":\"2026-11-21T00:00:00.3Z\"",
         MQTT_TAKEN},
        {"\"boot\":\"a\",\"seq\":7,\"ts\":\"2026-11-21T00:00:00.2Z\"",
         MQTT_STALE},
        {"\"seq\":1,\"ts\":\"2026-11-21T00:00:00.4Z\"", MQTT_TAKEN},
        {"\"seq\":0,\"ts\":\"2026-11-21T00:00:00.5Z\"", MQTT_TAKEN},
        {"\"seq\":0,\"ts\":\"2026-11-21T00:00:00.5Z\"", MQTT_STALE},
        {"\"seq\":1,\"ts\":\"2026-11-21T00:00:00.5Z\"", MQTT_TAKEN},
        {"\"ts\":\"2026-11-21T00:00:00.5Z\"", MQTT_STALE},
        {"\"ts\":\"2026-11-21T00:00:00.6Z\"", MQTT_TAKEN},
    };
    struct pod_in in = {0};
    struct mqtt_order order = {0};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "{\"v\":1,%s}", steps[i].text);
        struct mqtt_message msg = message(text, false);
        struct mqtt_result r =
            mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in);
        if (r.verdict != steps[i].verdict) {
            fail_msg("step %d: %s", (int)i, mqtt_verdict_text(r.verdict));
        }
    }
}

#define NODE(rest) "{\"v\":1,\"ts\":\"2026-11-21T00:00:00.250Z\"" rest "}"

static const char *const good_node = NODE(
    ",\"seq\":4711,\"vin_hash\":\"b3b3b3b3b3b3b3b3\",\"plugged\":true,"
    "\"consent\":true,\"soc_pu\":0.755,\"energy_wh\":54100,"
    "\"soc_limit_pu\":0.80,\"charge_w\":7200,\"compute_w\":100,"
    "\"compute_avail_w\":160,\"until\":\"2026-11-21T05:30:00Z\","
    "\"pack_c\":21,\"ambient_c\":4,\"departs_at\":\"2026-11-21T06:00:00Z\","
    "\"departs_soc_pu\":0.7,\"class\":\"inference\",\"alarms\":[]");

static void test_a_node_state_is_read(void **state)
{
    (void)state;
    struct node_in in;
    struct mqtt_node_track track = {.has_vehicle = false};
    mqtt_codec_node_clear(&in);
    struct mqtt_message msg = message(good_node, false);
    struct mqtt_result r =
        mqtt_codec_node_state(&msg, &site.fleets[0], &track, &in);
    assert_int_equal(r.verdict, MQTT_TAKEN);
    assert_true(in.soc_pu == 0.755 && in.energy_wh == 54100.0);
    assert_true(in.soc_limit_pu == 0.80 && in.charge_w == 7200.0);
    assert_true(in.compute_w == 100.0 && in.compute_avail_w == 160.0);
    assert_true(in.pack_c == 21.0 && in.ambient_c == 4.0);
    assert_true(in.departs_soc_pu == 0.7);
    assert_int_equal(in.departs_at_ms, now_ms - 1000 + 6 * 3600000);
    assert_int_equal(in.until_at_ms, now_ms - 1000 + 19800000);
    assert_int_equal(in.pack_mono_ms, MONO);
    assert_int_equal(in.agent_mono_ms, MONO);
    assert_int_equal(in.flags, NODE_ONLINE | NODE_PLUGGED | NODE_CONSENT |
                                   NODE_PARKED | NODE_HAS_DEPARTURE);
    assert_true(track.vin_key == 0xb3b3b3b3b3b3b3b3u && track.gives_pack);

    /* Where telemetry knows the pack, the agent does not speak of it. */
    track = (struct mqtt_node_track){.has_vehicle = true};
    mqtt_codec_node_clear(&in);
    r = mqtt_codec_node_state(&msg, &site.fleets[0], &track, &in);
    assert_int_equal(r.verdict, MQTT_TAKEN);
    assert_true(isnan(in.soc_pu) && in.pack_mono_ms == 0);
    assert_int_equal(in.flags & NODE_PLUGGED, 0);
    assert_true(in.compute_avail_w == 160.0);
}

static void test_a_doubtful_node_state_vetoes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum mqtt_verdict verdict;
        int64_t flags; /* besides online and parked */
    } cases[] = {
        {NODE(",\"plugged\":true,\"soc_pu\":0.5"), MQTT_TAKEN, NODE_PLUGGED},
        {NODE(",\"plugged\":1,\"soc_pu\":0.5"), MQTT_PARTLY, 0},
        {NODE(",\"plugged\":\"true\",\"consent\":\"yes\""), MQTT_PARTLY, 0},
        {NODE(",\"consent\":null"), MQTT_TAKEN, 0},
        {NODE(",\"soc_pu\":1.8,\"plugged\":true"), MQTT_PARTLY, NODE_PLUGGED},
        {NODE(",\"alarms\":[\"x\"]"), MQTT_TAKEN, NODE_ALARM},
        {NODE(",\"alarms\":\"x\""), MQTT_TAKEN, NODE_ALARM},
        {NODE(",\"compute_avail_w\":1e6"), MQTT_PARTLY, 0},
        {NODE(",\"departs_at\":\"tomorrow\""), MQTT_MALFORMED, 0},
        {NODE(",\"departs_at\":null,\"departs_soc_pu\":null"), MQTT_TAKEN, 0},
        {NODE(",\"departs_soc_pu\":80"), MQTT_MALFORMED, 0},
        {NODE(",\"until\":5"), MQTT_MALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct node_in in;
        struct mqtt_node_track track = {.has_vehicle = false};
        mqtt_codec_node_clear(&in);
        struct mqtt_message msg = message(cases[i].text, false);
        struct mqtt_result r =
            mqtt_codec_node_state(&msg, &site.fleets[0], &track, &in);
        int64_t flags = in.flags & ~(int64_t)(NODE_ONLINE | NODE_PARKED);
        if (r.verdict != cases[i].verdict || flags != cases[i].flags) {
            fail_msg("%s: %s, flags %#x", cases[i].text,
                     mqtt_verdict_text(r.verdict), (unsigned)flags);
        }
        if (r.verdict == MQTT_MALFORMED) {
            assert_int_equal(in.agent_mono_ms, 0);
        }
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
    struct node_command set = {
        .compute_w = 160, .charge_w = 3600, .ttl_s = 120, .valid = 1};
    assert_true(mqtt_codec_print_set(&head, &set, text) > 0);
    assert_string_equal(text,
                        "{\"v\":1,\"id\":\"0000000000000abc-42\","
                        "\"ts\":\"2026-11-21T00:00:00Z\",\"charge_w\":3600.0,"
                        "\"compute_w\":160.0,\"ttl_s\":120.000}");

    /* Never a value or a lease that is none. */
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

/* R23: bombs cost nothing and are refused. */
static void test_bombs_are_refused(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    static const struct {
        char fill;
        size_t size;
    } bombs[] = {{'[', 60000}, {'[', SIZE}, {',', 60000}, {'1', 60000}};
    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
        memset(text, bombs[i].fill, bombs[i].size);
        struct pod_in in = {0};
        struct mqtt_order order = {0};
        struct mqtt_message msg = {text, bombs[i].size, MONO, now_ms, false};
        assert_int_equal(
            mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in).verdict,
            MQTT_MALFORMED);
    }
    size_t n = (size_t)snprintf(text, SIZE, "{\"v\":1");
    for (int i = 0; i < 5000; i++) {
        n += (size_t)snprintf(text + n, SIZE - n, ",\"k%d\":1", i);
    }
    text[n++] = '}';
    struct pod_in in = {0};
    struct mqtt_order order = {0};
    struct mqtt_message msg = {text, n, MONO, now_ms, false};
    assert_int_equal(
        mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in).verdict,
        MQTT_MALFORMED);
    free(text);
}

static bool sound(const struct reading *r, double lo, double hi)
{
    return r->quality != QUALITY_GOOD || (r->value >= lo && r->value <= hi);
}

/* R21: whatever is done to a good message, what is called good is in range,
 * and nothing crashes. */
static void test_mutations_never_give_a_wild_value(void **state)
{
    (void)state;
    uint64_t seed = random_seed(20261121);
    print_message("seed 20261121\n");
    static const char spice[] = "0123456789eE+-.\"{}[],:nulltrue\\\0\xff";
    for (int round = 0; round < 200000; round++) {
        char text[1024];
        const char *from = round % 2 == 0 ? good_state : good_node;
        size_t size = strlen(from);
        memcpy(text, from, size);
        int n_changes = 1 + (int)random_draw(&seed, 0, 4);
        for (int i = 0; i < n_changes; i++) {
            size_t at = (size_t)random_draw(&seed, 0, (double)size);
            text[at] = spice[(int)random_draw(&seed, 0, sizeof(spice) - 1)];
        }
        size -= round % 5 == 0 ? (size_t)random_draw(&seed, 0, 40) : 0;
        struct mqtt_message msg = {text, size, MONO, now_ms, round % 3 == 0};
        struct pod_in pod = {0};
        struct node_in node;
        struct mqtt_order order = {0};
        struct mqtt_node_track track = {.has_vehicle = false};
        mqtt_codec_node_clear(&node);
        mqtt_codec_pod_state(&msg, &site.pods[0], &order, &pod);
        mqtt_codec_node_state(&msg, &site.fleets[0], &track, &node);
        assert_true(sound(&pod.power_w, 0, 2e6));
        assert_true(sound(&pod.cap_w, 0, 2e6));
        assert_true(sound(&pod.cap_max_w, pod.cap_min_w.value, 2e6) ||
                    pod.cap_min_w.quality != QUALITY_GOOD);
        assert_true(sound(&pod.inlet_c, -40, 100));
        assert_true(isnan(node.soc_pu) ||
                    (node.soc_pu >= 0 && node.soc_pu <= 1));
        assert_true(isnan(node.charge_w) ||
                    (node.charge_w >= 0 && node.charge_w <= 1.5e6));
        assert_true(isnan(node.compute_avail_w) ||
                    (node.compute_avail_w >= 0 && node.compute_avail_w <= 320));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topics_find_their_asset),
        cmocka_unit_test(test_names_that_cannot_be_topics_are_refused),
        cmocka_unit_test(test_a_pod_state_is_read),
        cmocka_unit_test(test_wrong_values_make_their_field_bad),
        cmocka_unit_test(test_states_that_are_refused),
        cmocka_unit_test(test_a_retained_state_carries_its_age),
        cmocka_unit_test(test_boot_and_seq_order_states),
        cmocka_unit_test(test_a_node_state_is_read),
        cmocka_unit_test(test_a_doubtful_node_state_vetoes),
        cmocka_unit_test(test_commands_are_printed_and_acknowledged),
        cmocka_unit_test(test_acknowledgements),
        cmocka_unit_test(test_bombs_are_refused),
        cmocka_unit_test(test_mutations_never_give_a_wild_value),
    };
    return cmocka_run_group_tests_name("mqtt_codec", tests, set_up, NULL);
}
