/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/mqtt_codec: the states that pods and vehicles tell. */
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
#include "models/random.h"
#include "models/reason.h"
#include "tests/adapters/mqtt_codec_fixture.h"

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
        {"floor_w", offsetof(struct pod_in, floor_w)},
        {"burn_w", offsetof(struct pod_in, burn_w)},
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

static const struct {
    const char *what;
    const char *text;
    bool retained;
    enum mqtt_verdict verdict;
} refused_states[] = {
    {"empty", "", false, MQTT_MALFORMED},
    {"not JSON", "power", false, MQTT_MALFORMED},
    {"an array", "[1]", false, MQTT_MALFORMED},
    {"text after the end", "{\"v\":1}x", false, MQTT_MALFORMED},
    {"no v", "{\"ts\":\"2026-11-21T00:00:00Z\"}", false, MQTT_MALFORMED},
    {"v 2", "{\"v\":2,\"ts\":\"2026-11-21T00:00:00Z\"}", false, MQTT_MALFORMED},
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
    {"boot as number", "{\"v\":1,\"boot\":1,\"ts\":\"2026-11-21T00:00:00Z\"}",
     false, MQTT_MALFORMED},
    {"a key twice",
     "{\"v\":1,\"ts\":\"2026-11-21T00:00:00Z\",\"power_w\":1,"
     "\"power_w\":2}",
     false, MQTT_MALFORMED},
    {"broken UTF-8",
     "{\"v\":1,\"ts\":\"2026-11-21T00:00:00Z\",\"x\":\"\xC3(\"}", false,
     MQTT_MALFORMED},
    {"overlong UTF-8", "{\"v\":1,\"x\":\"\xC0\xAF\"}", false, MQTT_MALFORMED},
    {"a control character",
     "{\"v\":1,\"ts\":\"2026-11-21T00:00:00Z\",\"x\":\"\x01\"}", false,
     MQTT_MALFORMED},
    {"too old", "{\"v\":1,\"ts\":\"2026-11-20T23:59:50Z\"}", false, MQTT_STALE},
    {"from ahead", "{\"v\":1,\"ts\":\"2026-11-21T00:00:03.1Z\"}", false,
     MQTT_STALE},
    {"retained for an hour", "{\"v\":1,\"ts\":\"2026-11-20T23:00:00Z\"}", true,
     MQTT_STALE},
};

static void test_states_that_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused_states) / sizeof(refused_states[0]);
         i++) {
        struct pod_in in = {0};
        struct pod_in before = in;
        struct mqtt_order order = {0};
        struct mqtt_message msg =
            message(refused_states[i].text, refused_states[i].retained);
        struct mqtt_result r =
            mqtt_codec_pod_state(&msg, &site.pods[0], &order, &in);
        if (r.verdict != refused_states[i].verdict || r.why[0] == '\0') {
            fail_msg("%s: %s", refused_states[i].what,
                     mqtt_verdict_text(r.verdict));
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
        cmocka_unit_test(test_a_pod_state_is_read),
        cmocka_unit_test(test_wrong_values_make_their_field_bad),
        cmocka_unit_test(test_states_that_are_refused),
        cmocka_unit_test(test_a_retained_state_carries_its_age),
        cmocka_unit_test(test_boot_and_seq_order_states),
        cmocka_unit_test(test_a_node_state_is_read),
        cmocka_unit_test(test_a_doubtful_node_state_vetoes),
        cmocka_unit_test(test_bombs_are_refused),
        cmocka_unit_test(test_mutations_never_give_a_wild_value),
    };
    return cmocka_run_group_tests_name("mqtt_state", tests, set_up, NULL);
}
