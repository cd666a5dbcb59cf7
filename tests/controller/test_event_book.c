/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/event_book: what is told of an instruction comes back
 * from the history, and no damaged text does. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/event_book.h"
#include "models/random.h"

static const int64_t t0_ms = INT64_C(1795219200000);

static struct utility_in cap_of(const char *id, int64_t start_ms,
                                int64_t end_ms)
{
    struct utility_in u = {.kind = UTILITY_IMPORT_MAX,
                           .start_at_ms = start_ms,
                           .end_at_ms = end_ms,
                           .value = 2.1e6};
    snprintf(u.id, sizeof(u.id), "%s", id);
    return u;
}

static void a_text_comes_back(void **state)
{
    (void)state;
    const struct utility_in list[] = {cap_of("cap@1", t0_ms, t0_ms + 600000),
                                      cap_of("open", t0_ms + 250, INT64_MAX)};
    for (int i = 0; i < 2; i++) {
        char text[HISTORY_TEXT_MAX];
        struct utility_in back;
        event_book_text(&list[i], text, sizeof(text));
        assert_true(event_book_parse(list[i].id, text, &back));
        assert_string_equal(back.id, list[i].id);
        assert_int_equal(back.kind, list[i].kind);
        assert_int_equal(back.start_at_ms, list[i].start_at_ms);
        assert_int_equal(back.end_at_ms, list[i].end_at_ms);
        assert_true(fabs(back.value - list[i].value) < 1.0);
    }
}

static void what_is_no_instruction(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "import_max",
        "import_max 1 2026-11-21T09:00:00Z",
        "import_max nan 2026-11-21T09:00:00Z -",
        "import_max 1e300 2026-11-21T09:00:00Z -",
        "import_max 1x 2026-11-21T09:00:00Z -",
        "unheard_of 1 2026-11-21T09:00:00Z -",
        "import_max 1 yesterday -",
        "import_max 1 2026-11-21T09:00:00Z - more",
    };
    struct utility_in u;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(event_book_parse("id", bad[i], &u));
    }
    char good[HISTORY_TEXT_MAX];
    const struct utility_in cap = cap_of("cap@1", t0_ms, t0_ms + 600000);
    event_book_text(&cap, good, sizeof(good));
    assert_false(event_book_parse("", good, &u));
    assert_false(event_book_parse(
        "an id that is longer than any instruction's id can ever be", good,
        &u));
    uint64_t r = random_seed(3);
    print_message("seed 3\n");
    for (int i = 0; i < 20000; i++) {
        char text[HISTORY_TEXT_MAX];
        memcpy(text, good, sizeof(text));
        size_t n = strlen(text);
        for (int k = 0; k < 3; k++) {
            text[(size_t)random_draw(&r, 0.0, (double)n)] =
                (char)random_draw(&r, 1.0, 127.0);
        }
        if (event_book_parse("id", text, &u)) {
            assert_true(isfinite(u.value));
            assert_true(u.kind >= 0 && u.kind < UTILITY_COUNT);
        }
    }
}

static void rows_become_spans(void **state)
{
    (void)state;
    static struct event_spans spans;
    static const struct history_event rows[] = {
        {t0_ms, EVENT_BOOK_BEGIN, "4-54@1",
         "import_max 5 2026-11-21T00:00:00Z 2026-11-21T01:00:00Z"},
        {t0_ms + 1, "alarm_raised", "x", "y"},
        {t0_ms + 2, EVENT_BOOK_BEGIN, "4-54@1",
         "import_max 5 2026-11-21T00:00:00Z 2026-11-21T01:00:00Z"},
        {t0_ms + 3, EVENT_BOOK_END, "4-54@1",
         "import_max 5 2026-11-21T00:00:00Z 2026-11-21T00:30:00Z"},
        {t0_ms + 4, EVENT_BOOK_BEGIN, "help",
         "emergency 0 2026-11-21T02:00:00Z -"},
    };
    memset(&spans, 0, sizeof(spans));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        event_spans_take(&spans, &rows[i]);
    }
    assert_int_equal(spans.n, 2);
    assert_true(spans.spans[0].ended);
    assert_int_equal(spans.spans[0].known_ms, t0_ms);
    assert_int_equal(spans.spans[0].asked.end_at_ms -
                         spans.spans[0].asked.start_at_ms,
                     1800000);
    assert_false(spans.spans[1].ended);
    assert_true(event_span_is(&spans.spans[0], "4-54"));
    assert_true(event_span_is(&spans.spans[0], "4-54@1"));
    assert_false(event_span_is(&spans.spans[0], "4-5"));
    assert_false(event_span_is(&spans.spans[0], "4-54x"));
    assert_true(event_span_is(&spans.spans[1], "help"));
}

static void what_begins_and_ends_is_seen(void **state)
{
    (void)state;
    static struct event_book b;
    struct snapshot *in = calloc(1, snapshot_size(0));
    memset(&b, 0, sizeof(b));
    in->utility[3] = cap_of("cap@1", t0_ms, t0_ms + 600000);
    in->utility[4] = cap_of("subscribed@5", t0_ms, INT64_MAX);
    in->utility[5] = cap_of("price", t0_ms, INT64_MAX);
    in->utility[5].kind = UTILITY_PRICE;
    event_book_look(&b, in, t0_ms - 1, NULL);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.n_coming, 1);
    event_book_look(&b, in, t0_ms, NULL);
    assert_int_equal(b.n_coming, 0);
    event_book_look(&b, in, t0_ms + 100, NULL);
    assert_int_equal(b.n, 1);
    in->utility[3].id[0] = '\0';
    event_book_look(&b, in, t0_ms + 200, NULL);
    assert_int_equal(b.n, 0);
    free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_comes_back),
        cmocka_unit_test(what_is_no_instruction),
        cmocka_unit_test(rows_become_spans),
        cmocka_unit_test(what_begins_and_ends_is_seen),
    };
    return cmocka_run_group_tests_name("event_book", tests, NULL, NULL);
}
