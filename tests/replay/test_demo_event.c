/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/demo_event: what it asks for is what the controller reads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/mqtt_codec.h"
#include "replay/demo_event.h"

static const int64_t now_ms = 1795219200000;

static void every_kind_is_read_as_it_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum utility_kind kind;
        double value;
        int64_t ahead_s;
        int64_t lasts_s;
        const char *said;
    } cases[] = {
        {"", UTILITY_IMPORT_MAX, 7e6, 120, 180, "at most 7.00 MW, in two"},
        {"limit", UTILITY_IMPORT_MAX, 7e6, 120, 180, "at most 7.00 MW, in two"},
        {"setpoint", UTILITY_SETPOINT, 8.5e6, 120, 180, "hold 8.50 MW, in two"},
        {"price", UTILITY_PRICE, 0.5, 120, 900, "is 0.50 per kWh, in two"},
        {"emergency", UTILITY_EMERGENCY, 7e6, 0, 180, "7.00 MW at once"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct demo_ask ask;
        assert_true(demo_event_ask(cases[i].name, 10e6, now_ms, &ask));
        struct utility_in slots[UTILITY_MQTT] = {{.id = ""}};
        struct mqtt_utility u = {.slots = slots};
        const struct mqtt_message m = {.bytes = ask.payload,
                                       .size = strlen(ask.payload),
                                       .mono_ms = 1,
                                       .utc_ms = now_ms + 20};
        struct mqtt_result r = mqtt_codec_utility(&m, &u);
        if (r.verdict != MQTT_TAKEN ||
            strstr(ask.said, cases[i].said) == NULL) {
            fail_msg("%s: %s; %s", cases[i].name, ask.payload, ask.said);
        }
        assert_int_equal(slots[0].kind, cases[i].kind);
        assert_true(fabs(slots[0].value - cases[i].value) < 1e-9);
        assert_int_equal(slots[0].start_at_ms,
                         now_ms + 1000 * cases[i].ahead_s);
        assert_int_equal(slots[0].end_at_ms - slots[0].start_at_ms,
                         1000 * cases[i].lasts_s);
        if (cases[i].name[0] != '\0') {
            assert_non_null(strstr(demo_event_kinds, cases[i].name));
        }
    }
}

static void nothing_else_is_a_kind(void **state)
{
    (void)state;
    static const char *const names[] = {"limits", "lim", "import_max", " "};
    struct demo_ask ask;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_false(demo_event_ask(names[i], 10e6, now_ms, &ask));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_as_it_is_said),
        cmocka_unit_test(nothing_else_is_a_kind),
    };
    return cmocka_run_group_tests_name("replay/demo_event", tests, NULL, NULL);
}
