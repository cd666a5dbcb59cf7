/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the live view: every frame fits the terminal, says what the status
 * says, and nothing in a status can steer the terminal. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "replay/view.h"

static const char full[] =
    "{\"v\":1,\"site\":\"demo\",\"mode\":\"run\","
    "\"at\":\"2026-11-21T02:48:14.672Z\",\"uptime_s\":83,\"tick\":830,"
    "\"grid\":{\"power_w\":5.14e6,\"reference_w\":5.1e6,"
    "\"import_max_w\":16e6,\"ramp_w_per_s\":-2300,\"ramp_max_w_per_s\":16667,"
    "\"pp60_w\":1e5,\"meter\":\"good\"},"
    "\"load\":{\"demand_w\":9e6,\"served_w\":8e6,\"shed_w\":1e6,"
    "\"other_w\":1e6},"
    "\"batteries\":[{\"name\":\"megablock1\",\"power_w\":-2.5e6,"
    "\"set_w\":-2.5e6,\"soc_pu\":0.553,\"state\":\"ready\"},"
    "{\"name\":\"megablock2\",\"power_w\":null,\"set_w\":0,\"soc_pu\":null,"
    "\"state\":\"offline\"}],"
    "\"pods\":{\"n\":10,\"online\":9,\"capped\":3,\"power_w\":8e6},"
    "\"fleets\":[{\"name\":\"lot1\",\"nodes\":200,\"online\":198,"
    "\"computing\":63,\"charging\":110,\"power_w\":558e3,\"compute_w\":1e4}],"
    "\"price\":{\"market\":\"day_ahead\",\"per_kwh\":0.0405,"
    "\"currency\":\"USD\",\"source\":\"feed\"},"
    "\"plan\":{\"status\":\"RULE\",\"age_s\":46},"
    "\"why\":[\"the grid moves toward 5.12 MW no faster than the ramp limit of "
    "1 MW/min allows it, which takes a while\",\"a second reason\"],"
    "\"alarms\":[{\"id\":\"battery_offline\",\"asset\":\"megablock2\","
    "\"severity\":\"critical\",\"text\":\"megablock2 does not answer\"}]}";

static struct view_status status;
static char frame[VIEW_FRAME_MAX];

/* The rows of a frame as a terminal shows them, without sequences; checks that
 * the only sequences are ours.  Returns their number. */
static int rows_of(const char *f, char rows[64][1024])
{
    int n = 1;
    size_t at = 0;
    rows[0][0] = '\0';
    for (const char *p = f; *p != '\0'; p++) {
        if (*p == '\033') {
            assert_int_equal(p[1], '[');
            p += 2 + strspn(p + 2, "0123456789;");
            assert_non_null(strchr("HKm", *p));
        } else if (*p == '\n') {
            n++;
            assert_true(n <= 64);
            at = 0;
        } else if (*p != '\r') {
            assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
            rows[n - 1][at++] = *p;
        }
        rows[n - 1][at] = '\0';
    }
    return n;
}

static int columns_of(const char *row)
{
    int n = 0;
    for (; *row != '\0'; row++) {
        n += ((unsigned char)*row & 0xC0) != 0x80;
    }
    return n;
}

/* Draws 'json' and checks that it fits; rows in 'rows'. */
static void draw(const struct view *v, const char *json, char rows[64][1024])
{
    (void)view_read(json, &status);
    assert_ptr_equal(view_frame(v, &status, frame), frame);
    assert_true(strlen(frame) < VIEW_FRAME_MAX);
    int n = rows_of(frame, rows);
    assert_int_equal(n, v->rows);
    for (int i = 0; i < n; i++) {
        if (columns_of(rows[i]) > v->columns) {
            fail_msg("row %d is too long: %s", i, rows[i]);
        }
    }
}

static char rows[64][1024];

static void test_a_frame_says_what_the_status_says(void **state)
{
    (void)state;
    static const char *const said[] = {
        "demo",
        "1:23",
        "02:48:14 UTC",
        "5.14 MW of 16.00 MW",
        "-0.14 MW/min of 1.00",
        "55.3 %",
        "gives     2.50 MW",
        "ready",
        "unknown",
        "offline",
        "9 of 10 online",
        "3 capped",
        "1.00 MW held back",
        "lot1: 198 of 200",
        "63 compute",
        "110 charge",
        "40.50 USD/MWh",
        "plan RULE",
        "does not answer",
        "no faster than",
        "Ctrl-C",
    };
    struct view v;
    view_init(&v, 80, 24);
    v.hint = "Ctrl-C stops everything";
    draw(&v, full, rows);
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        bool found = false;
        for (int r = 0; r < 24; r++) {
            found = found || strstr(rows[r], said[i]) != NULL;
        }
        if (!found) {
            fail_msg("the frame does not say \"%s\"", said[i]);
        }
    }
}

static void test_frames_fit_every_terminal(void **state)
{
    (void)state;
    static const int sizes[][2] = {{80, 24}, {100, 40}, {40, 10}, {10, 3},
                                   {1, 1},   {200, 60}, {79, 23}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct view v;
        view_init(&v, sizes[i][0], sizes[i][1]);
        for (int style = 0; style < 4; style++) {
            v.color = style & 1;
            v.utf8 = (style & 2) != 0;
            for (double t = 0.0; t < 90.0; t += 0.7) {
                (void)view_read(full, &status);
                status.grid_w = 5e6 + 1e5 * t;
                view_note(&v, &status, t);
            }
            draw(&v, full, rows);
        }
    }
}

static void test_missing_keys_do_not_matter(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"grid\":{}}",
        "{\"grid\":{\"power_w\":\"much\"},\"batteries\":7,\"pods\":[],"
        "\"why\":{},\"alarms\":[1,null,{}],\"fleets\":[null]}",
        "{\"grid\":{\"power_w\":1e999,\"import_max_w\":0},\"batteries\":[{}]}",
    };
    struct view v;
    view_init(&v, 80, 24);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_true(view_read(texts[i], &status));
        view_note(&v, &status, (double)i);
        draw(&v, texts[i], rows);
        for (int r = 0; r < 24; r++) {
            assert_null(strstr(rows[r], "nan"));
            assert_null(strstr(rows[r], "inf"));
        }
    }
    static const char *const none[] = {
        "", "x", "[]", "{}", "{\"error\":1}", "{\"grid\":4}"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_false(view_read(none[i], &status));
    }
}

static void test_a_status_cannot_steer_the_terminal(void **state)
{
    (void)state;
    static const char evil[] =
        "{\"site\":\"\\u001b]0;x\\u0007\",\"grid\":{\"power_w\":1},"
        "\"why\":[\"\\u001b[2J\\n\\r\\b gone\"],"
        "\"batteries\":[{\"name\":\"\\u001bc\\u009b2J\",\"state\":\"\\t\"}],"
        "\"alarms\":[{\"text\":\"\\u0007\\u007f\",\"asset\":\"\\u001b\"}]}";
    struct view v;
    view_init(&v, 80, 24);
    draw(&v, evil, rows); /* rows_of() looks at every byte */
    char line[700];
    view_summary(&status, line, sizeof(line));
    for (const char *p = line; *p != '\0'; p++) {
        assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
    }
    assert_null(strstr(frame, "\xc2\x9b")); /* CSI in one character */
}

static void test_without_utf8_or_colour_there_is_none(void **state)
{
    (void)state;
    struct view v;
    view_init(&v, 80, 24);
    v.utf8 = false;
    for (double t = 0.0; t < 30.0; t += 1.0) {
        (void)view_read(full, &status);
        view_note(&v, &status, t);
    }
    draw(&v, full, rows);
    for (const char *p = frame; *p != '\0'; p++) {
        assert_true((unsigned char)*p < 0x80);
    }
    assert_null(strstr(frame, "m\033"));
    assert_null(strstr(frame, "\033[0m"));
}

static void test_the_curve_holds_then_shows_a_gap(void **state)
{
    (void)state;
    struct view v;
    view_init(&v, 80, 24);
    (void)view_read(full, &status);
    view_note(&v, &status, 10.1);
    status.grid_w = 7.14e6;
    view_note(&v, &status, 10.6); /* the mean of one second */
    assert_true(fabs(v.grid_w[59] - 6.14e6) < 1.0);
    view_note(&v, &status, 12.0); /* one second missed */
    assert_true(fabs(v.grid_w[58] - 6.14e6) < 1.0);
    assert_true(fabs(v.grid_w[59] - 7.14e6) < 1.0);
    view_note(&v, &status, 22.0);
    assert_true(isnan(v.grid_w[55]));
    assert_true(fabs(v.grid_w[49] - 7.14e6) < 1.0);
}

static void test_broken_statuses_do_no_harm(void **state)
{
    (void)state;
    uint64_t r = random_seed(3);
    print_message("seed 3\n");
    struct view v;
    view_init(&v, 80, 24);
    for (int i = 0; i < 3000; i++) {
        char text[sizeof(full)];
        memcpy(text, full, sizeof(full));
        for (int k = 0; k < 4; k++) {
            size_t at = (size_t)random_draw(&r, 0.0, (double)sizeof(full) - 1);
            text[at] = (char)random_draw(&r, 1.0, 256.0);
        }
        if (view_read(text, &status)) {
            view_note(&v, &status, 0.3 * i);
            draw(&v, text, rows);
        }
    }
}

static void test_an_assumed_power_is_not_drawn_as_measured(void **state)
{
    (void)state;
    struct view v;
    view_init(&v, 80, 24);
    static const char stale[] =
        "{\"grid\":{\"power_w\":14e6,\"meter\":\"stale\"}}";
    draw(&v, stale, rows);
    view_note(&v, &status, 1.0);
    assert_true(status.assumed);
    assert_true(isnan(v.grid_w[59]));
    assert_non_null(strstr(frame, "assumed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_frame_says_what_the_status_says),
        cmocka_unit_test(test_frames_fit_every_terminal),
        cmocka_unit_test(test_missing_keys_do_not_matter),
        cmocka_unit_test(test_a_status_cannot_steer_the_terminal),
        cmocka_unit_test(test_without_utf8_or_colour_there_is_none),
        cmocka_unit_test(test_the_curve_holds_then_shows_a_gap),
        cmocka_unit_test(test_an_assumed_power_is_not_drawn_as_measured),
        cmocka_unit_test(test_broken_statuses_do_no_harm),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
