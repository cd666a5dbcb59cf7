/* SPDX-License-Identifier: GPL-3.0-or-later */
/* adapters/mqtt against a real mosquitto on a free loopback port: TLS, and
 * secrets in files.  Skips where it is not installed. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/mqtt.h"
#include "adapters/mqtt_client.h"
#include "tests/peers/mqtt_fixture.h"
#include "tests/peers/mqtt_peer.h"

static bool comes_up(struct mqtt *m, double seconds)
{
    int64_t end_ms = clock_ms(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e3);
    while (!link_state.up && clock_ms(CLOCK_MONOTONIC) < end_ms) {
        tick(m);
    }
    return link_state.up;
}

static void test_tls_verifies_authority_and_host_name(void **state)
{
    (void)state;
    need_broker();
    if (!peer_has("openssl")) {
        print_message("skip: openssl is not installed\n");
        skip();
    }
    struct peer *p = peer_start(PEER_TLS);
    if (p == NULL) {
        print_message("skip: openssl made no certificates\n");
        skip();
    }
    static const struct {
        const char *what;
        const char *host;
        const char *ca;
        bool up;
    } cases[] = {
        {"right", "localhost", "ca.crt", true},
        {"wrong host name", "127.0.0.1", "ca.crt", false},
        {"wrong authority", "localhost", "other.crt", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_site(peer_port(p));
        snprintf(site.mqtt.host, SITE_TEXT_MAX, "%s", cases[i].host);
        peer_path(p, cases[i].ca, site.mqtt.ca_file, sizeof(site.mqtt.ca_file));
        struct mqtt *m = open_mqtt();
        bool up = comes_up(m, cases[i].up ? 5.0 : 2.5);
        if (up != cases[i].up) {
            fail_msg("%s: %s", cases[i].what, link_state.last_error);
        }
        assert_true(up || strstr(link_state.last_error, "certificate"));
        mqtt_close(m);
    }
    /* No TLS asked for at a TLS port: no connection either. */
    set_site(peer_port(p));
    struct mqtt *m = open_mqtt();
    assert_false(comes_up(m, 1.5));
    mqtt_close(m);
    peer_stop(p);
}

static void test_secrets_open_to_others_are_refused(void **state)
{
    (void)state;
    struct peer *p = peer_start(PEER_FILES);
    set_site(1);
    snprintf(site.mqtt.user, SITE_NAME_MAX, "u");
    peer_path(p, "password", site.mqtt.password_file,
              sizeof(site.mqtt.password_file));
    struct mqtt *m = NULL;
    char why[200] = "";
    assert_int_equal(mqtt_open(&site, false, &m, why, sizeof(why)), ERR_RANGE);
    assert_non_null(strstr(why, "no such file"));
    peer_write(p, "password", "very secret\n", 0640);
    assert_int_equal(mqtt_open(&site, false, &m, why, sizeof(why)), ERR_RANGE);
    assert_non_null(strstr(why, "chmod 600"));
    assert_null(strstr(why, "secret\n"));
    peer_write(p, "password", "\n", 0600);
    assert_int_equal(mqtt_open(&site, false, &m, why, sizeof(why)), ERR_RANGE);
    peer_write(p, "password", "very secret\n", 0600);
    assert_int_equal(mqtt_open(&site, false, &m, why, sizeof(why)), ERR_NONE);
    mqtt_close(m);
    snprintf(site.mqtt.ca_file, SITE_TEXT_MAX, "/nowhere/ca.crt");
    assert_int_equal(mqtt_open(&site, false, &m, why, sizeof(why)), ERR_RANGE);
    peer_stop(p);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_verifies_authority_and_host_name),
        cmocka_unit_test(test_secrets_open_to_others_are_refused),
    };
    return cmocka_run_group_tests_name("mqtt_secrets", tests, set_up,
                                       tear_down);
}
