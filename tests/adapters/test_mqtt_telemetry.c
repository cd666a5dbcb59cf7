/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/mqtt_telemetry through mqtt_inbox: the samples of
 * fleet-telemetry's own tests, liveness by ConnectionId, retained values,
 * linking to compute agents, mutations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/mqtt_inbox.h"
#include "models/calendar.h"
#include "models/random.h"

enum { MONO = 100000000, NODES = 4 };

static struct site site;
static struct mqtt_inputs *in;
static struct mqtt_outbox *outbox;
static struct mqtt_inbox *inbox;
static int64_t mono_ms;

static bool send_nothing(void *to, const char *topic, const char *payload,
                         int size)
{
    (void)to;
    (void)topic;
    (void)payload;
    return size > 0;
}

static int set_up(void **state)
{
    (void)state;
    memset(&site, 0, sizeof(site));
    snprintf(site.name, sizeof(site.name), "t");
    site.n_fleets = 1;
    site.fleets[0] = (struct site_fleet){.name = "lot",
                                         .nodes = NODES,
                                         .compute_w = 160,
                                         .pack_wh = 75e3,
                                         .telemetry = "test/topic"};
    site.n_nodes = NODES;
    in = calloc(1, mqtt_inputs_size(NODES));
    assert_non_null(in);
    in->n_nodes = NODES;
    char why[200];
    struct mqtt_outbox_cfg ocfg = {&site, 1, send_nothing, NULL};
    assert_int_equal(mqtt_outbox_open(&ocfg, &outbox), ERR_NONE);
    struct mqtt_inbox_cfg cfg = {&site, 1, outbox};
    assert_int_equal(mqtt_inbox_open(&cfg, &inbox, why, sizeof(why)), ERR_NONE);
    mqtt_inbox_prime(inbox, in);
    mono_ms = MONO;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mqtt_inbox_close(inbox);
    mqtt_outbox_close(outbox);
    free(in);
    return 0;
}

static void deliver(const char *topic, const char *payload, bool retained)
{
    struct mqtt_message msg = {payload, strlen(payload), mono_ms,
                               mono_ms + INT64_C(1795000000000), retained};
    mqtt_inbox_take(inbox, topic, &msg, in);
}

static void field(const char *vin, const char *name, const char *payload)
{
    char topic[200];
    snprintf(topic, sizeof(topic), "test/topic/%s/v/%s", vin, name);
    deliver(topic, payload, false);
}

static void connectivity(const char *id, const char *status, const char *at)
{
    char text[300];
    snprintf(text, sizeof(text),
             "{\"ConnectionId\":\"%s\",\"Status\":\"%s\",\"CreatedAt\":\"%s\"}",
             id, status, at);
    deliver("test/topic/TEST123/connectivity", text, false);
}

static uint64_t malformed(void)
{
    return mqtt_inbox_counts(inbox)->n_malformed;
}

static void test_the_published_samples_are_understood(void **state)
{
    (void)state;
    deliver("test/topic/TEST123/v/VehicleName", "\"My Tesla\"", false);
    deliver("test/topic/TEST123/v/TimeToFullCharge", "null", false);
    deliver("test/topic/TEST123/v/Location",
            "{\"latitude\":37.7749,\"longitude\":-122.4194}", false);
    deliver("test/topic/TEST123/v/BatteryLevel", "75.5", false);
    deliver("test/topic/TEST123/alerts/TestAlert2/current",
            "{\"Audiences\":[\"ServiceFix\"],\"EndedAt\":"
            "\"2026-11-20T10:00:00Z\",\"StartedAt\":\"2026-11-20T09:00:00Z\"}",
            false);
    assert_true(in->nodes[0].soc_pu == 0.755);
    assert_int_equal(in->nodes[0].flags, NODE_PARKED);
    deliver("test/topic/TEST123/alerts/TestAlert1/current",
            "{\"Audiences\":[\"Customer\",\"Service\"],"
            "\"StartedAt\":\"2026-11-20T09:00:00Z\"}",
            false);
    assert_int_equal(in->nodes[0].flags, NODE_PARKED | NODE_ALARM);
    deliver("test/topic/TEST123/alerts/TestAlert1/current",
            "{\"Audiences\":null,\"EndedAt\":\"2026-11-20T10:00:00Z\"}", false);
    assert_int_equal(in->nodes[0].flags, NODE_PARKED);
    assert_int_equal(malformed(), 0);
    deliver("test/topic/TEST123/errors/TestError1",
            "{\"Body\":\"This is a test error\"}", false);
    deliver("telemetry/device-1/v/VehicleName", "\"x\"", false);
    assert_int_equal(mqtt_inbox_counts(inbox)->n_unknown, 2);
}

static void test_fields_become_the_packs_side(void **state)
{
    (void)state;
    field("A", "Soc", "\"75.5\""); /* older cars send strings */
    mono_ms += 1000;
    field("A", "DetailedChargeState", "\"DetailedChargeStateCharging\"");
    field("A", "EnergyRemaining", "54.1");
    field("A", "ChargeLimitSoc", "80");
    field("A", "ModuleTempMin", "3.5");
    field("A", "ModuleTempMax", "\"9\"");
    field("A", "ACChargingPower", "7.2");
    field("A", "DCChargingPower", "0");
    field("A", "Gear", "\"ShiftStateP\"");
    const struct node_in *n = &in->nodes[0];
    assert_true(n->soc_pu == 0.755 && n->soc_limit_pu == 0.8);
    assert_true(fabs(n->energy_wh - 54100.0) < 1e-6);
    assert_true(n->pack_c == 3.5); /* the colder one is farther from 20 */
    assert_true(fabs(n->charge_w - 7200.0) < 1e-6);
    assert_int_equal(n->flags, NODE_PLUGGED | NODE_PARKED);
    assert_int_equal(n->pack_mono_ms, MONO); /* the older of the two */
    field("A", "ModuleTempMax", "60");
    assert_true(n->pack_c == 60.0);

    field("A", "Gear", "\"ShiftStateD\"");
    assert_int_equal(n->flags, NODE_PLUGGED);
    field("A", "Gear", "\"ShiftStateSNA\""); /* asleep */
    assert_int_equal(n->flags, NODE_PLUGGED | NODE_PARKED);
    field("A", "DetailedChargeState", "\"DetailedChargeStateDisconnected\"");
    assert_int_equal(n->flags, NODE_PARKED);
    field("A", "DetailedChargeState", "\"Stopped\"");
    assert_int_equal(n->flags, NODE_PLUGGED | NODE_PARKED);
    field("A", "DetailedChargeState", "\"DetailedChargeStateUnknown\"");
    assert_int_equal(n->flags, NODE_PARKED);
    assert_int_equal(n->pack_mono_ms, 0);
    field("A", "Soc", "null");
    assert_true(isnan(n->soc_pu));
    field("A", "BatteryLevel", "70");
    assert_true(n->soc_pu == 0.7);
    assert_int_equal(malformed(), 0);
}

static void test_wrong_values_make_a_field_unknown(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "180",  "-1",        "1e999", "\"75.5 %\"", "\"0x40\"", "\"nan\"", "{}",
        "[75]", "\"1e999\"", "true",  "\"\"",       "75,5",     "",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        field("A", "Soc", "50");
        assert_true(in->nodes[0].soc_pu == 0.5);
        uint64_t before = malformed();
        field("A", "Soc", wrong[i]);
        if (malformed() != before + 1 || !isnan(in->nodes[0].soc_pu)) {
            fail_msg("Soc %s", wrong[i]);
        }
    }
    field("A", "DetailedChargeState", "\"DetailedChargeStateCharging\"");
    field("A", "DetailedChargeState", "\"charging\"");
    assert_int_equal(in->nodes[0].flags & NODE_PLUGGED, 0);
}

static void test_only_the_connection_in_force_can_end(void **state)
{
    (void)state;
    connectivity("c1", "CONNECTED", "2026-11-21T00:00:00Z");
    field("TEST123", "Soc", "50");
    field("TEST123", "DetailedChargeState", "\"DetailedChargeStateComplete\"");
    connectivity("c2", "CONNECTED", "2026-11-21T00:01:00Z");
    connectivity("c1", "DISCONNECTED", "2026-11-21T00:02:00Z"); /* late */
    assert_int_equal(in->nodes[0].pack_mono_ms, MONO);
    assert_int_equal(mqtt_inbox_counts(inbox)->n_stale, 1);
    connectivity("c1", "CONNECTED", "2026-11-21T00:00:00Z"); /* later still */
    assert_int_equal(mqtt_inbox_counts(inbox)->n_stale, 2);
    connectivity("c2", "UNKNOWN", "2026-11-21T00:02:00Z");
    assert_int_equal(in->nodes[0].pack_mono_ms, MONO);

    connectivity("c2", "DISCONNECTED", "2026-11-21T00:03:00Z");
    assert_int_equal(in->nodes[0].pack_mono_ms, 0);
    assert_true(isnan(in->nodes[0].soc_pu));
    assert_int_equal(in->nodes[0].flags & NODE_PLUGGED, 0);
    /* What was still on its way, and the CONNECTED overtaken by its end. */
    field("TEST123", "Soc", "50");
    connectivity("c2", "CONNECTED", "2026-11-21T00:01:00Z");
    assert_true(isnan(in->nodes[0].soc_pu));
    /* Heard again much later: the CONNECTED of QoS 0 was lost. */
    mono_ms += 6000;
    field("TEST123", "Soc", "50");
    assert_true(in->nodes[0].soc_pu == 0.5);
    connectivity("c3", "nonsense", "2026-11-21T00:01:00Z");
    deliver("test/topic/TEST123/connectivity", "7", false);
    assert_int_equal(malformed(), 2);
}

static void test_retained_values_wait_for_a_sign_of_life(void **state)
{
    (void)state;
    deliver("test/topic/A/v/Soc", "50", true);
    deliver("test/topic/A/v/DetailedChargeState",
            "\"DetailedChargeStateComplete\"", true);
    deliver("test/topic/A/connectivity",
            "{\"ConnectionId\":\"c\",\"Status\":\"CONNECTED\"}", true);
    assert_true(isnan(in->nodes[0].soc_pu));
    assert_int_equal(in->nodes[0].pack_mono_ms, 0);
    mono_ms += 5000;
    field("A", "VehicleName", "\"x\""); /* not a field of ours: no sign */
    assert_int_equal(in->nodes[0].pack_mono_ms, 0);
    field("A", "ACChargingPower", "0");
    assert_true(in->nodes[0].soc_pu == 0.5);
    assert_int_equal(in->nodes[0].pack_mono_ms, MONO + 5000);
    assert_int_equal(in->nodes[0].flags, NODE_PLUGGED | NODE_PARKED);
    /* A retained value never replaces one that was heard live. */
    field("A", "Soc", "51");
    deliver("test/topic/A/v/Soc", "99", true);
    assert_true(in->nodes[0].soc_pu == 0.51);

    deliver("test/topic/B/v/Soc", "40", true);
    deliver("test/topic/B/connectivity",
            "{\"ConnectionId\":\"d\",\"Status\":\"CONNECTED\"}", false);
    assert_true(in->nodes[1].soc_pu == 0.4);
}

static void test_vehicles_take_nodes_in_order_of_first_sight(void **state)
{
    (void)state;
    char vin[16];
    for (int i = 0; i < NODES; i++) {
        snprintf(vin, sizeof(vin), "VIN%d", i);
        char soc[8];
        snprintf(soc, sizeof(soc), "%d", 10 + i);
        field(vin, "Soc", soc);
    }
    for (int i = 0; i < NODES; i++) {
        assert_true(in->nodes[i].soc_pu == (10 + i) / 100.0);
    }
    field("VIN9", "Soc", "90");
    assert_int_equal(mqtt_inbox_counts(inbox)->n_unknown, 1);
    assert_non_null(
        strstr(mqtt_inbox_counts(inbox)->last_error, "more vehicles"));
    assert_null(strstr(mqtt_inbox_counts(inbox)->last_error, "VIN9"));
}

static void agent(int node, const char *rest)
{
    char topic[100];
    char text[300];
    char ts[CALENDAR_TEXT_MAX];
    snprintf(topic, sizeof(topic), "ballast/v1/t/node/lot-%04d/state",
             node + 1);
    snprintf(text, sizeof(text), "{\"v\":1,\"ts\":\"%s\"%s}",
             calendar_format_utc(mono_ms + INT64_C(1795000000000), ts), rest);
    deliver(topic, text, false);
    mono_ms += 100;
}

static void test_an_agent_names_its_vehicle(void **state)
{
    (void)state;
    /* printf %s A | sha256sum */
    static const char names_a[] =
        ",\"consent\":true,\"compute_avail_w\":160,\"vin_hash\":"
        "\"559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd\"";
    field("A", "Soc", "50"); /* takes node 0 */
    field("B", "Soc", "60"); /* takes node 1 */
    assert_true(in->nodes[0].soc_pu == 0.5 && in->nodes[1].soc_pu == 0.6);
    agent(1, names_a);
    assert_true(in->nodes[1].soc_pu == 0.5);
    assert_int_equal(in->nodes[1].flags,
                     NODE_ONLINE | NODE_CONSENT | NODE_PARKED);
    assert_true(isnan(in->nodes[0].soc_pu));
    field("B", "Soc", "61"); /* finds the next free node */
    assert_true(in->nodes[2].soc_pu == 0.61);

    /* An agent that speaks of a pack of its own needs no vehicle. */
    agent(2, ",\"soc_pu\":0.3,\"plugged\":true");
    assert_true(isnan(in->nodes[2].soc_pu));
    agent(2, ",\"soc_pu\":0.3,\"plugged\":true");
    assert_true(in->nodes[2].soc_pu == 0.3);
    assert_int_equal(in->nodes[2].flags & NODE_PLUGGED, NODE_PLUGGED);
    field("B", "Soc", "62");
    assert_true(in->nodes[2].soc_pu == 0.3);
    assert_true(in->nodes[3].soc_pu == 0.62);
    /* With a vehicle, the agent's own word on the pack is not taken. */
    agent(1, names_a);
    assert_true(in->nodes[1].soc_pu == 0.5);
}

static void test_mutations_never_give_a_wild_value(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        const char *payload;
    } good[] = {
        {"test/topic/A/v/Soc", "\"75.5\""},
        {"test/topic/A/v/Soc", "75.5"},
        {"test/topic/A/v/EnergyRemaining", "54.1"},
        {"test/topic/A/v/ModuleTempMin", "-20.5"},
        {"test/topic/A/v/DetailedChargeState",
         "\"DetailedChargeStateCharging\""},
        {"test/topic/A/connectivity",
         "{\"ConnectionId\":\"c\",\"Status\":\"CONNECTED\","
         "\"CreatedAt\":\"2026-11-21T00:00:00Z\"}"},
        {"test/topic/A/alerts/X/current",
         "{\"StartedAt\":\"2026-11-21T00:00:00Z\"}"},
    };
    static const char spice[] = "0123456789eE+-.\"{}[],:nulltrue/#";
    uint64_t seed = random_seed(3);
    print_message("seed 3\n");
    for (int round = 0; round < 100000; round++) {
        size_t k = (size_t)round % (sizeof(good) / sizeof(good[0]));
        char topic[100];
        char payload[200];
        snprintf(topic, sizeof(topic), "%s", good[k].topic);
        snprintf(payload, sizeof(payload), "%s", good[k].payload);
        char *text = round % 4 == 0 ? topic : payload;
        for (int i = 0; i < 1 + round % 3; i++) {
            text[(size_t)random_draw(&seed, 0, (double)strlen(text))] =
                spice[(int)random_draw(&seed, 0, sizeof(spice) - 1)];
        }
        mono_ms += 10;
        deliver(topic, payload, round % 5 == 0);
        for (int n = 0; n < NODES; n++) {
            const struct node_in *x = &in->nodes[n];
            assert_true(isnan(x->soc_pu) ||
                        (x->soc_pu >= 0.0 && x->soc_pu <= 1.0));
            assert_true(isnan(x->energy_wh) ||
                        (x->energy_wh >= 0.0 && x->energy_wh <= 2e6));
            assert_true(isnan(x->pack_c) ||
                        (x->pack_c >= -60.0 && x->pack_c <= 120.0));
            assert_true(x->pack_mono_ms <= mono_ms);
        }
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_the_published_samples_are_understood),
        CASE(test_fields_become_the_packs_side),
        CASE(test_wrong_values_make_a_field_unknown),
        CASE(test_only_the_connection_in_force_can_end),
        CASE(test_retained_values_wait_for_a_sign_of_life),
        CASE(test_vehicles_take_nodes_in_order_of_first_sight),
        CASE(test_an_agent_names_its_vehicle),
        CASE(test_mutations_never_give_a_wild_value),
    };
    return cmocka_run_group_tests_name("mqtt_telemetry", tests, NULL, NULL);
}
