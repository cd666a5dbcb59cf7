/* SPDX-License-Identifier: GPL-3.0-or-later */
/* adapters/mqtt against a real mosquitto on a free loopback port: commands
 * and answers, a broker that dies, last will.  What the broker has is looked
 * at through mosquitto_sub and mosquitto_pub, never through our own client.
 * Skips where these programs are not installed. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/mqtt.h"
#include "adapters/mqtt_client.h"
#include "adapters/mqtt_queue.h"
#include "models/calendar.h"
#include "tests/peers/mqtt_fixture.h"
#include "tests/peers/mqtt_peer.h"

static void publish_state(struct peer *p, int seq, double power_w)
{
    char ts[CALENDAR_TEXT_MAX];
    char json[200];
    snprintf(json, sizeof(json),
             "{\"v\":1,\"ts\":\"%s\",\"boot\":\"b\",\"seq\":%d,"
             "\"power_w\":%.0f}",
             calendar_format_utc(clock_ms(CLOCK_REALTIME), ts), seq, power_w);
    peer_publish(p, "ballast/v1/t/pod/pod1/state", json, false);
}

/* First in the group: the child must be forked before the parent has used
 * the library, whose threads do not come along. */
static void test_the_last_will_is_left_by_a_killed_controller(void **state)
{
    (void)state;
    need_broker();
    struct peer *p = peer_start(PEER_PLAIN);
    set_site(peer_port(p));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct mqtt *m = NULL;
        char why[200];
        if (mqtt_open(&site, false, &m, why, sizeof(why)) == ERR_NONE) {
            for (int i = 0; i < 1000; i++) {
                tick(m);
            }
        }
        _exit(1);
    }
    char text[300];
    assert_true(peer_retained(p, "ballast/v1/t/status", "\"online\":true", text,
                              sizeof(text)));
    kill(child, SIGKILL);
    peer_reap(child);
    assert_true(peer_retained(p, "ballast/v1/t/status", "\"online\":false",
                              text, sizeof(text)));
    peer_stop(p);
}

static void test_commands_are_sent_and_answered(void **state)
{
    (void)state;
    need_broker();
    struct peer *p = peer_start(PEER_PLAIN);
    set_site(peer_port(p));
    struct mqtt *m = open_mqtt();
    UNTIL(m, 5, link_state.up);
    peer_listen(p, "ballast/v1/t/#");
    set_caps(6e5);

    char line[600];
    UNTIL(m, 5,
          peer_heard(p, "pod/pod2/cap/set", "\"cap_w\":600000.0", line,
                     sizeof(line)));
    assert_int_equal(line[0], '0'); /* the retain flag */
    char id[64];
    assert_int_equal(sscanf(strstr(line, "\"id\":\""), "\"id\":\"%63[^\"]", id),
                     1);
    char ack[200];
    snprintf(ack, sizeof(ack),
             "{\"v\":1,\"id\":\"%s\",\"status\":\"partial\",\"cap_w\":1}", id);
    assert_int_equal(in->pods[1].ack_status, ACK_NONE);
    peer_publish(p, "ballast/v1/t/pod/pod2/cap/ack", ack, false);
    UNTIL(m, 3, in->pods[1].ack_status == ACK_PARTIAL);
    assert_int_equal(in->pods[0].ack_status, ACK_NONE);
    UNTIL(m, 3,
          peer_heard(p, "node/lot-0002/set", "\"charge_w\":3600.0", line,
                     sizeof(line)));

    publish_state(p, 1, 5e5);
    UNTIL(m, 3, in->pods[0].power_w.value == 5e5);
    assert_int_equal(in->pods[0].flags, POD_ONLINE);
    peer_publish(p, "ballast/v1/t/pod/pod1/online",
                 "{\"v\":1,\"online\":false}", true);
    UNTIL(m, 3, in->pods[0].flags == 0);
    peer_publish(p, "ballast/v1/t/price/day_ahead", "{\"value_per_kwh\":0.2}",
                 true);
    UNTIL(m, 3, in->prices[0].mono_ms != 0);
    peer_publish(p, "cars/5YJ3E1EA7KF000001/v/Soc", "\"75.5\"", false);
    peer_publish(p, "cars/5YJ3E1EA7KF000001/v/DetailedChargeState",
                 "\"DetailedChargeStateComplete\"", false);
    UNTIL(m, 3, in->nodes[0].flags & NODE_PLUGGED);
    assert_true(in->nodes[0].soc_pu == 0.755);

    /* Renewed at a third of the lease, and without an answer for a whole
     * one nothing is known of the command any more. */
    UNTIL(m, 5, in->pods[1].ack_status == ACK_NONE);
    struct mqtt_counts counts;
    mqtt_counts(m, &counts);
    assert_true(counts.n_sent >= 6);
    assert_int_equal(counts.n_acked, 1);
    assert_int_equal(counts.n_unsent, 0);
    assert_false(peer_retains(p, "ballast/v1/t/pod/+/cap/set"));

    mqtt_close(m);
    assert_true(peer_retained(p, "ballast/v1/t/status", "\"online\":false",
                              line, sizeof(line)));
    peer_stop(p);
}

static void test_a_broker_that_dies_loses_nothing_but_old_commands(void **state)
{
    (void)state;
    need_broker();
    struct peer *p = peer_start(PEER_PLAIN);
    set_site(peer_port(p));
    struct mqtt *m = open_mqtt();
    UNTIL(m, 5, link_state.up);
    set_caps(6e5);
    tick(m);
    for (int round = 0; round < 3; round++) {
        peer_kill_broker(p);
        UNTIL(m, 5, !link_state.up);
        struct mqtt_counts before;
        mqtt_counts(m, &before);
        set_caps(111e3); /* must never be heard: it is old when it could be */
        for (int i = 0; i < 20; i++) {
            tick(m);
        }
        struct mqtt_counts counts;
        mqtt_counts(m, &counts);
        assert_true(counts.n_unsent > before.n_unsent);
        assert_int_equal(counts.n_sent, before.n_sent);

        set_caps(222e3);
        peer_start_broker(p);
        peer_listen(p, "ballast/v1/t/#");
        UNTIL(m, 5, link_state.up);
        char line[600];
        UNTIL(
            m, 5,
            peer_heard(p, "pod/pod1/cap/set", "222000.0", line, sizeof(line)));
        UNTIL(
            m, 5,
            peer_heard(p, "pod/pod2/cap/set", "222000.0", line, sizeof(line)));
        assert_false(peer_heard(p, "cap/set", "111000.0", line, sizeof(line)));
        publish_state(p, 10 + round, 1000.0 + round);
        UNTIL(m, 5, in->pods[0].power_w.value == 1000.0 + round);
        assert_int_equal(link_state.n_reconnects, round + 1);
    }
    mqtt_close(m);
    peer_stop(p);
}

static void test_hostile_messages_are_counted(void **state)
{
    (void)state;
    need_broker();
    struct peer *p = peer_start(PEER_PLAIN);
    set_site(peer_port(p));
    /* A command's answer that was retained is from another life. */
    peer_publish(p, "ballast/v1/t/pod/pod1/cap/ack",
                 "{\"id\":\"0000000000000001-1\",\"status\":\"applied\"}",
                 true);
    memset(out, 0, step_out_size(3));
    out->n_nodes = 3;
    struct mqtt *m = open_mqtt();
    struct mqtt_counts counts = {0};
    UNTIL(m, 5, (mqtt_counts(m, &counts), counts.n_retained == 1));
    peer_publish(p, "ballast/v1/t/pod/pod1/state", "{\"v\":1,", false);
    peer_publish(p, "ballast/v1/t/pod/other/state", "{\"v\":1}", false);
    peer_publish(p, "cars/5YJ3E1EA7KF000001/v/Soc", "[1e999]", false);
    UNTIL(m, 5, (mqtt_counts(m, &counts), counts.n_malformed == 2));
    UNTIL(m, 5, (mqtt_counts(m, &counts), counts.n_unknown == 1));
    assert_null(strstr(counts.last_error, "5YJ3"));
    peer_publish_size(p, "ballast/v1/t/pod/pod1/state", 1 << 20);
    UNTIL(m, 5, (mqtt_counts(m, &counts), counts.n_malformed == 3));
    mqtt_close(m);
    peer_stop(p);
}

static void pause_ms(long ms)
{
    struct timespec t = {0, ms * 1000000};
    nanosleep(&t, NULL);
}

/* paho has been seen to give up reconnecting after hours: a client that is
 * down for long is made anew, again and again, and connects in the end. */
static void test_a_client_down_for_long_is_made_anew(void **state)
{
    (void)state;
    need_broker();
    struct peer *p = peer_start(PEER_PLAIN);
    set_site(peer_port(p));
    struct mqtt_queue_cfg size = {1 << 20, 1 << 20};
    struct mqtt_queue *queue = NULL;
    assert_int_equal(mqtt_queue_open(&size, &queue), ERR_NONE);
    const char filters[1][MQTT_TOPIC_MAX] = {"a/b"};
    struct mqtt_client_cfg cfg = {
        .at = &site.mqtt,
        .id = "ballast-test",
        .filters = filters,
        .n_filters = 1,
        .queue = queue,
        .recreate_s = 0.3,
    };
    struct mqtt_client *c = NULL;
    char why[200];
    assert_int_equal(mqtt_client_open(&cfg, &c, why, sizeof(why)), ERR_NONE);
    for (int i = 0; i < 250 && !mqtt_client_usable(c); i++) {
        mqtt_client_tend(c);
        pause_ms(20);
    }
    assert_int_equal(mqtt_client_connections(c), 1);
    peer_kill_broker(p);
    for (int i = 0; i < 100; i++) {
        mqtt_client_tend(c);
        pause_ms(20);
    }
    assert_false(mqtt_client_usable(c));
    assert_true(mqtt_client_trouble(c)[0] != '\0');
    peer_start_broker(p);
    for (int i = 0; i < 250 && !mqtt_client_usable(c); i++) {
        mqtt_client_tend(c);
        pause_ms(20);
    }
    assert_true(mqtt_client_usable(c));
    static unsigned char message[MQTT_QUEUE_MESSAGE_MAX];
    struct mqtt_note note;
    bool heard = false;
    for (int i = 0; i < 20 && !heard; i++) {
        peer_publish(p, "a/b", "x", false);
        mqtt_queue_wait(queue, 0.1);
        heard = mqtt_queue_take(queue, &note, message);
    }
    assert_true(heard);
    mqtt_client_close(c, NULL);
    mqtt_queue_close(queue);
    peer_stop(p);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_will_is_left_by_a_killed_controller),
        cmocka_unit_test(test_commands_are_sent_and_answered),
        cmocka_unit_test(
            test_a_broker_that_dies_loses_nothing_but_old_commands),
        cmocka_unit_test(test_a_client_down_for_long_is_made_anew),
        cmocka_unit_test(test_hostile_messages_are_counted),
    };
    return cmocka_run_group_tests_name("mqtt_broker", tests, set_up, tear_down);
}
