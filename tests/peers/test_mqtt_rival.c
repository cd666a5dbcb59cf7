/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/mqtt_rival: what a status says of another controller, and
 * what is found of it at a real mosquitto.  The latter skips where that is not
 * installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/mqtt_rival.h"
#include "models/calendar.h"
#include "models/random.h"
#include "tests/peers/mqtt_peer.h"

static const char own[] = "0123456789abcdef";
static const char topic[] = "ballast/v1/t/status";
static struct site site;

static bool reads(const char *text, size_t size, struct mqtt_rival *out)
{
    struct mqtt_message msg = {
        .bytes = text, .size = size, .mono_ms = 1, .utc_ms = 1};
    return mqtt_rival_read(&msg, own, out);
}

static void test_what_a_status_says(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *instance; /* NULL: no rival */
        int64_t ts_ms;
    } rows[] = {
        {"{\"v\":1,\"instance\":\"ff01\",\"online\":true,"
         "\"ts\":\"2026-11-21T00:00:01Z\"}",
         "ff01", INT64_C(1795219201000)},
        {"{\"v\":1,\"instance\":\"0123456789abcdef\",\"online\":true}", NULL,
         0},
        {"{\"v\":1,\"instance\":\"ff01\",\"online\":false}", NULL, 0},
        {"{\"v\":1,\"online\":true,\"ts\":7}", "unknown", 0},
        {"{\"v\":1,\"online\":true,\"instance\":\"\\u001b[2J\"}", "unknown", 0},
        {"{\"v\":1,\"online\":true,\"instance\":"
         "\"0123456789abcdef0123456789abcdef\"}",
         "unknown", 0},
        {"{\"v\":1,\"online\":\"true\"}", NULL, 0},
        {"{\"v\":2,\"online\":true}", NULL, 0},
        {"{\"v\":1}", NULL, 0},
        {"", NULL, 0},
        {"[]", NULL, 0},
        {"{\"v\":1,\"online\":true}x", NULL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mqtt_rival r;
        bool found = reads(rows[i].text, strlen(rows[i].text), &r);
        if (found != (rows[i].instance != NULL)) {
            fail_msg("%s: found %d", rows[i].text, found);
        }
        if (found) {
            assert_string_equal(r.instance, rows[i].instance);
            assert_int_equal(r.ts_ms, rows[i].ts_ms);
        }
    }
}

static void test_garbage_is_nobody(void **state)
{
    (void)state;
    uint64_t seed = random_seed(5);
    print_message("seed 5\n");
    for (int i = 0; i < 20000; i++) {
        char text[] = "{\"v\":1,\"instance\":\"ff01\",\"online\":true}";
        for (int k = 0; k < 3; k++) {
            size_t at = (size_t)random_draw(&seed, 0.0, sizeof(text) - 1);
            text[at] = (char)random_draw(&seed, 0.0, 256.0);
        }
        struct mqtt_rival r;
        if (reads(text, sizeof(text) - 1, &r)) {
            assert_true(strspn(r.instance, "0123456789abcdef") ==
                            strlen(r.instance) ||
                        strcmp(r.instance, "unknown") == 0);
        }
    }
}

static struct peer *start(void)
{
    if (!peer_has("mosquitto") || !peer_has("mosquitto_pub")) {
        print_message("skip: mosquitto or mosquitto_pub is not installed\n");
        skip();
    }
    struct peer *p = peer_start(PEER_PLAIN);
    memset(&site, 0, sizeof(site));
    strcpy(site.name, "t");
    strcpy(site.mqtt.host, "127.0.0.1");
    site.mqtt.present = true;
    site.mqtt.port = peer_port(p);
    return p;
}

static void announce(struct peer *p, const char *word, int64_t age_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t utc_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    char at[CALENDAR_TEXT_MAX];
    char text[200];
    snprintf(text, sizeof(text),
             "{\"v\":1,\"instance\":\"ff01\",\"online\":%s,\"ts\":\"%s\"}",
             word, calendar_format_utc(utc_ms - age_ms, at));
    peer_publish(p, topic, text, true);
}

static enum err find(struct mqtt_rival *r)
{
    char why[200] = "";
    return mqtt_rival_find(&site, r, why, sizeof(why));
}

static void test_found_by_its_retained_word(void **state)
{
    (void)state;
    struct peer *p = start();
    struct mqtt_rival r;
    assert_int_equal(find(&r), ERR_NONE);
    announce(p, "true", 1000);
    assert_int_equal(find(&r), ERR_REFUSED);
    assert_string_equal(r.instance, "ff01");
    announce(p, "false", 0);
    assert_int_equal(find(&r), ERR_NONE);
    announce(p, "true", 3600000); /* died without a will */
    assert_int_equal(find(&r), ERR_NONE);
    /* it looked, and left nothing */
    char text[300];
    assert_true(peer_retained(p, topic, "ff01", text, sizeof(text)));
    peer_kill_broker(p);
    assert_int_equal(find(&r), ERR_TIMEOUT);
    peer_stop(p);
}

/* One whose clock is an hour late is found by its next heartbeat. */
static void test_found_by_its_heartbeat(void **state)
{
    (void)state;
    struct peer *p = start();
    announce(p, "true", 3600000);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct timespec pause = {1, 200000000};
        nanosleep(&pause, NULL);
        announce(p, "true", 3600000);
        _exit(0);
    }
    struct mqtt_rival r;
    assert_int_equal(find(&r), ERR_REFUSED);
    peer_reap(pid);
    peer_stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_status_says),
        cmocka_unit_test(test_garbage_is_nobody),
        cmocka_unit_test(test_found_by_its_retained_word),
        cmocka_unit_test(test_found_by_its_heartbeat),
    };
    return cmocka_run_group_tests_name("mqtt_rival", tests, NULL, NULL);
}
