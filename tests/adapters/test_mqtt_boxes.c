/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/mqtt_outbox (which commands are due) and mqtt_queue (what
 * a flood pushes out), without a broker. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/mqtt_outbox.h"
#include "adapters/mqtt_queue.h"

enum { NODES = 12000 };

static struct site site;
static struct step_out *out;
static struct mqtt_outbox *outbox;
static struct mqtt_outbox_counts counts;
static bool broker_is_there;
static int n_posted;
static char last_payload[300];
static char last_topic[300];

static bool post(void *to, const char *topic, const char *payload, int size)
{
    (void)to;
    if (!broker_is_there) {
        return false;
    }
    assert_int_equal(strlen(payload), size);
    snprintf(last_payload, sizeof(last_payload), "%s", payload);
    snprintf(last_topic, sizeof(last_topic), "%s", topic);
    n_posted++;
    return true;
}

static int set_up(void **state)
{
    (void)state;
    memset(&site, 0, sizeof(site));
    snprintf(site.name, sizeof(site.name), "t");
    site.n_pods = 3;
    for (int i = 0; i < 3; i++) {
        snprintf(site.pods[i].name, SITE_NAME_MAX, "p%d", i);
        site.pods[i].power_max_w = 1e6;
    }
    site.n_fleets = 1;
    site.fleets[0] = (struct site_fleet){.name = "lot", .nodes = NODES};
    site.n_nodes = NODES;
    out = calloc(1, step_out_size(NODES));
    assert_non_null(out);
    out->n_nodes = NODES;
    struct mqtt_outbox_cfg cfg = {&site, 7, post, NULL};
    assert_int_equal(mqtt_outbox_open(&cfg, &outbox), ERR_NONE);
    counts = (struct mqtt_outbox_counts){0};
    broker_is_there = true;
    n_posted = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mqtt_outbox_close(outbox);
    free(out);
    return 0;
}

static int step(int64_t mono_ms)
{
    n_posted = 0;
    mqtt_outbox_send(outbox, mono_ms, 1795000000000 + mono_ms, out, &counts);
    return n_posted;
}

static void test_a_command_is_due_when_it_changes_or_ages(void **state)
{
    (void)state;
    struct pod_command *c = &out->pods[0];
    *c = (struct pod_command){.cap_w = 6e5, .ttl_s = 30, .valid = 1};
    assert_int_equal(step(1000), 1);
    assert_string_equal(last_topic, "ballast/v1/t/pod/p0/cap/set");
    assert_int_equal(step(1100), 0);
    c->cap_w = 6e5 + 900; /* under 0.1 % of 1 MW */
    assert_int_equal(step(1200), 0);
    c->cap_w = 6e5 + 1100;
    assert_int_equal(step(1300), 1);
    assert_int_equal(step(11299), 0);
    assert_int_equal(step(11300), 1); /* a third of 30 s */
    c->cap_w = 1e6 - 500;
    assert_int_equal(step(11400), 1);
    c->cap_w = 1e6; /* uncapped again: however small the change */
    assert_int_equal(step(11500), 1);
    c->ttl_s = 3; /* a shorter lease counts at once */
    assert_int_equal(step(12500), 1);
    c->floor_w = 3e5;
    assert_int_equal(step(12600), 1);
    c->floor_w = 3e5 - 900;
    assert_int_equal(step(12700), 0);
    c->floor_w = 0.0; /* however small, the last step counts */
    assert_int_equal(step(12800), 1);
    c->valid = 0;
    assert_int_equal(step(60000), 0);
    c->valid = 1;
    assert_int_equal(step(60100), 1);
    assert_int_equal(counts.n_sent, 9);
    assert_int_equal(counts.sent_mono_ms, 60100);
}

static void test_nothing_is_kept_while_the_broker_is_away(void **state)
{
    (void)state;
    out->pods[1] = (struct pod_command){.cap_w = 6e5, .ttl_s = 30, .valid = 1};
    assert_int_equal(step(1000), 1);
    broker_is_there = false;
    out->pods[1].cap_w = 1e5;
    assert_int_equal(step(2000), 0);
    out->pods[1].cap_w = 6e5; /* as it was: nothing to say */
    assert_int_equal(step(3000), 0);
    assert_int_equal(counts.n_unsent, 1);
    broker_is_there = true;
    assert_int_equal(step(3100), 0);
    mqtt_outbox_renew_all(outbox); /* but a new connection hears it all */
    assert_int_equal(step(3200), 1);
}

static void test_what_is_no_command_never_leaves(void **state)
{
    (void)state;
    static const struct pod_command bad[] = {
        {.cap_w = NAN, .ttl_s = 30, .valid = 1},
        {.cap_w = INFINITY, .ttl_s = 30, .valid = 1},
        {.cap_w = -1, .ttl_s = 30, .valid = 1},
        {.cap_w = 1, .ttl_s = 0, .valid = 1},
        {.cap_w = 1, .ttl_s = INFINITY, .valid = 1},
        {.cap_w = 1, .ttl_s = 30, .ramp_s = NAN, .valid = 1},
        {.cap_w = 1, .ttl_s = 30, .reason = 9999, .valid = 1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        out->pods[0] = bad[i];
        assert_int_equal(step(1000), 0);
    }
    assert_int_equal(counts.n_unsent, sizeof(bad) / sizeof(bad[0]));
}

static void test_nodes_are_sent_in_bounded_turns(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++) {
        out->nodes[i] =
            (struct node_command){.compute_w = 160, .ttl_s = 120, .valid = 1};
    }
    int total = 0;
    for (int k = 0; k < NODES / MQTT_OUTBOX_NODES; k++) {
        int n = step(1000 + k);
        assert_int_equal(n, MQTT_OUTBOX_NODES);
        total += n;
    }
    assert_int_equal(total, NODES);
    assert_int_equal(step(2000), 0);
    out->nodes[5].compute_w = 0.0;
    assert_int_equal(step(2001), 1);
    assert_string_equal(last_topic, "ballast/v1/t/node/lot-0006/set");
}

static void test_only_the_last_command_is_acknowledged(void **state)
{
    (void)state;
    out->pods[2] = (struct pod_command){.cap_w = 6e5, .ttl_s = 30, .valid = 1};
    step(1000);
    unsigned long long first = 0;
    assert_int_equal(sscanf(strstr(last_payload, "-") + 1, "%llu", &first), 1);
    assert_false(mqtt_outbox_pod_silent(outbox, 2, 31000));
    assert_true(mqtt_outbox_pod_silent(outbox, 2, 31001));
    out->pods[2].cap_w = 5e5;
    step(2000); /* under the next number */
    assert_false(mqtt_outbox_pod_ack(outbox, 2, first));
    assert_false(mqtt_outbox_pod_ack(outbox, 1, first + 1));
    assert_false(mqtt_outbox_pod_ack(outbox, 0, 0));
    assert_true(mqtt_outbox_pod_ack(outbox, 2, first + 1));
    assert_false(mqtt_outbox_pod_silent(outbox, 2, 90000));
}

static void put(struct mqtt_queue *q, const char *topic, const char *payload)
{
    struct mqtt_note note = {.mono_ms = 5,
                             .topic_size = (uint32_t)strlen(topic),
                             .size = (uint32_t)strlen(payload)};
    mqtt_queue_put(q, &note, topic, payload);
}

static unsigned char taken[MQTT_QUEUE_MESSAGE_MAX];

static bool takes(struct mqtt_queue *q, const char *both)
{
    struct mqtt_note note;
    return mqtt_queue_take(q, &note, taken) &&
           note.topic_size + note.size == strlen(both) &&
           memcmp(taken, both, strlen(both)) == 0;
}

static void test_a_flood_pushes_out_only_its_like(void **state)
{
    (void)state;
    struct mqtt_queue_cfg cfg = {MQTT_QUEUE_MESSAGE_MAX + 100,
                                 MQTT_QUEUE_MESSAGE_MAX + 100};
    struct mqtt_queue *q = NULL;
    assert_int_equal(mqtt_queue_open(&cfg, &q), ERR_NONE);
    put(q, "a/state", "first");
    put(q, "a/ack", "1");
    put(q, "a/state", "second");
    assert_true(takes(q, "a/statefirst"));
    assert_true(takes(q, "a/ack1"));
    assert_true(takes(q, "a/statesecond"));
    assert_false(takes(q, ""));

    put(q, "a/ack", "2");
    char payload[1000];
    memset(payload, 'x', sizeof(payload) - 1);
    payload[sizeof(payload) - 1] = '\0';
    for (int i = 0; i < 5000; i++) {
        snprintf(payload, 6, "%05d", i);
        payload[5] = 'x';
        put(q, i % 2 == 0 ? "a/state" : "a/VIN/v/Soc", payload);
    }
    uint64_t n_lost = 0;
    uint64_t n_oversized = 0;
    mqtt_queue_counts(q, &n_lost, &n_oversized);
    assert_true(n_lost > 4900 && n_lost < 5000);
    assert_true(takes(q, "a/ack2"));
    struct mqtt_note note;
    int n = 0;
    for (; mqtt_queue_take(q, &note, taken); n++) {
        assert_int_equal(atoi((char *)taken + note.topic_size),
                         (int)n_lost + n);
    }
    assert_int_equal(n + (int)n_lost, 5000);

    char topic[400];
    memset(topic, 't', sizeof(topic) - 1);
    topic[sizeof(topic) - 1] = '\0';
    put(q, topic, "x");
    mqtt_queue_counts(q, &n_lost, &n_oversized);
    assert_int_equal(n_oversized, 1);
    mqtt_queue_close(q);
}

static void *write_many(void *context)
{
    struct mqtt_queue *q = context;
    for (int i = 0; i < 20000; i++) {
        char payload[16];
        snprintf(payload, sizeof(payload), "%d", i);
        put(q, "x/ack", payload);
    }
    return NULL;
}

static void test_two_threads_share_the_queue(void **state)
{
    (void)state;
    struct mqtt_queue_cfg cfg = {1 << 20, 4 << 20};
    struct mqtt_queue *q = NULL;
    assert_int_equal(mqtt_queue_open(&cfg, &q), ERR_NONE);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_many, q), 0);
    for (int i = 0; i < 20000;) {
        struct mqtt_note note;
        mqtt_queue_wait(q, 1.0);
        while (mqtt_queue_take(q, &note, taken)) {
            taken[note.topic_size + note.size] = '\0';
            assert_int_equal(atoi((char *)taken + note.topic_size), i);
            i++;
        }
    }
    pthread_join(writer, NULL);
    mqtt_queue_close(q);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_command_is_due_when_it_changes_or_ages),
        CASE(test_nothing_is_kept_while_the_broker_is_away),
        CASE(test_what_is_no_command_never_leaves),
        CASE(test_nodes_are_sent_in_bounded_turns),
        CASE(test_only_the_last_command_is_acknowledged),
        cmocka_unit_test(test_a_flood_pushes_out_only_its_like),
        cmocka_unit_test(test_two_threads_share_the_queue),
    };
    return cmocka_run_group_tests_name("mqtt_boxes", tests, NULL, NULL);
}
