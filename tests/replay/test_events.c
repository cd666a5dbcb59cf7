/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/events: what is in the snapshot when, each bad line, more
 * instructions than slots, and mutations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "replay/events.h"

static char path[] = "/tmp/ballast-events-XXXXXX";

static const int64_t start_ms = 1795219200000; /* 2026-11-21T00:00:00Z */

static struct site site;
static struct snapshot snap;

static int set_up(void **state)
{
    (void)state;
    snprintf(site.pods[0].name, SITE_NAME_MAX, "pod1");
    snprintf(site.pods[1].name, SITE_NAME_MAX, "pod2");
    site.n_pods = 2;
    snprintf(site.batteries[0].name, SITE_NAME_MAX, "block1");
    site.n_batteries = 1;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_bytes(const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static enum err try_load(struct events *e, char *why, size_t why_size)
{
    struct events_cfg cfg = {path, &site, start_ms};
    return events_load(&cfg, e, why, why_size);
}

static void load(const char *text, struct events *e)
{
    char why[512] = "";
    write_bytes(text, strlen(text));
    if (try_load(e, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    snapshot_clear(&snap, 0);
}

/* Ids in force 's' seconds after the start, as "a b c". */
static const char *ids_at(const struct events *e, struct events_cursor *cursor,
                          double s)
{
    static char out[UTILITY_EVENTS_MAX * UTILITY_ID_MAX];
    events_apply(e, cursor, start_ms + (int64_t)(s * 1e3), &snap);
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        if (snap.utility[i].id[0] != '\0') {
            n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s",
                                  n > 0 ? " " : "", snap.utility[i].id);
        }
    }
    return out;
}

static void test_what_is_known_when(void **state)
{
    (void)state;
    struct events e;
    load("\xEF\xBB\xBF{\"v\":1,\"id\":\"a\",\"kind\":\"import_max\","
         "\"start\":\"+600\",\"end\":\"+1200\",\"value_w\":120e6}\r\n"
         "\n"
         "{\"kind\":\"price\",\"ts\":\"+100.5\",\"value_per_kwh\":-0.25,"
         "\"priority\":3}\n"
         "{\"id\":\"c\",\"kind\":\"setpoint\",\"ts\":\"2026-11-21T00:05:00Z\","
         "\"start\":\"2026-11-21T01:06:00+01:00\",\"end\":null,"
         "\"value_w\":-5e6}\n"
         "{\"id\":\"a\",\"kind\":\"emergency\",\"ts\":\"+700\",\"value_w\":1e6,"
         "\"end\":\"+800\"}",
         &e);
    struct events_cursor cursor = {0};
    assert_string_equal(ids_at(&e, &cursor, 0), "a");
    assert_true(snap.utility[0].start_at_ms == start_ms + 600000);
    assert_true(snap.utility[0].end_at_ms == start_ms + 1200000);
    assert_true(snap.utility[0].value == 120e6);
    assert_int_equal(snap.utility[0].kind, UTILITY_IMPORT_MAX);
    assert_int_equal(snap.utility[0].priority, 100);
    assert_string_equal(ids_at(&e, &cursor, 100.4), "a");
    assert_string_equal(ids_at(&e, &cursor, 100.5), "line-3 a");
    assert_true(snap.utility[0].value == -0.25);
    assert_true(snap.utility[0].end_at_ms == INT64_MAX);
    assert_int_equal(snap.utility[0].priority, 3);
    assert_string_equal(ids_at(&e, &cursor, 300), "line-3 c a");
    assert_true(snap.utility[1].start_at_ms == start_ms + 360000);
    assert_string_equal(ids_at(&e, &cursor, 699.9), "line-3 c a");
    assert_int_equal(snap.utility[2].kind, UTILITY_IMPORT_MAX);
    assert_string_equal(ids_at(&e, &cursor, 700), "line-3 c a");
    assert_int_equal(snap.utility[2].kind, UTILITY_EMERGENCY);
    assert_string_equal(ids_at(&e, &cursor, 800), "line-3 c");
    assert_string_equal(ids_at(&e, &cursor, 1e6), "line-3 c");
    events_clear(&e);
}

static void test_markers_are_posted_in_order(void **state)
{
    (void)state;
    struct events e;
    load("{\"event\":\"stop\",\"at\":\"+7200\",\"pod\":\"pod2\"}\n"
         "{\"event\":\"start\",\"at\":\"+60\",\"job\":\"j\",\"class\":\"x\","
         "\"power_from_w\":1e6,\"power_to_w\":2e6,\"period_s\":10.95}\n"
         "{\"event\":\"eval_start\",\"at\":\"+500\",\"ts\":\"+400\","
         "\"pod\":\"pod1\",\"period_s\":null}\n",
         &e);
    struct events_cursor cursor = {0};
    events_apply(&e, &cursor, start_ms, &snap);
    assert_int_equal(snap.jobs[1].seq, 1);
    assert_int_equal(snap.jobs[1].event, JOB_START);
    assert_int_equal(snap.jobs[1].pod, -1);
    assert_true(snap.jobs[1].at_ms == start_ms + 60000);
    assert_true(snap.jobs[1].power_from_w == 1e6);
    assert_true(snap.jobs[1].power_to_w == 2e6);
    assert_true(snap.jobs[1].period_s == 10.95);
    assert_int_equal(snap.jobs[2].seq, 0);
    events_apply(&e, &cursor, start_ms + 399999, &snap);
    assert_int_equal(snap.jobs[2].seq, 0);
    /* A marker from elsewhere does not get in the way. */
    struct job_in own = {.pod = 0, .event = JOB_PHASE};
    events_post_job(&snap, &own);
    events_apply(&e, &cursor, start_ms + 400000, &snap);
    assert_int_equal(snap.jobs[3].seq, 3);
    assert_int_equal(snap.jobs[3].event, JOB_EVAL_START);
    assert_int_equal(snap.jobs[3].pod, 0);
    assert_true(isnan(snap.jobs[3].power_from_w));
    assert_true(isnan(snap.jobs[3].period_s));
    /* An hour ahead of it, and once. */
    events_apply(&e, &cursor, start_ms + 3600000, &snap);
    events_apply(&e, &cursor, start_ms + 9999999, &snap);
    assert_int_equal(snap.jobs[4].event, JOB_STOP);
    assert_int_equal(snap.jobs[4].pod, 1);
    assert_int_equal(snap.jobs[5].seq, 0);
    events_clear(&e);
}

static void test_faults_come_once_each_in_order(void **state)
{
    (void)state;
    struct events e;
    load("{\"battery\":\"block1\",\"trip\":false,\"at\":\"+60\"}\n"
         "{\"v\":1,\"battery\":\"block1\",\"trip\":true,\"at\":\"+30\"}",
         &e);
    struct events_cursor cursor = {0};
    assert_null(events_fault(&e, &cursor, start_ms + 29999));
    const struct events_fault *f = events_fault(&e, &cursor, start_ms + 90000);
    assert_int_equal(f->trips, 1);
    assert_int_equal(f->battery, 0);
    f = events_fault(&e, &cursor, start_ms + 90000);
    assert_int_equal(f->trips, 0);
    assert_null(events_fault(&e, &cursor, start_ms + 90000));
    events_clear(&e);
}

#define LIMIT "{\"kind\":\"import_max\",\"value_w\":1e6"
#define JOB "{\"event\":\"start\",\"at\":\"+60\""

static const struct {
    const char *line;
    const char *why;
} bad_lines[] = {
    {"x", ":2: "},
    {"[]", ":2: expected an object with either"},
    {"{}", ":2: expected an object with either"},
    {"{\"battery\":\"nobody\",\"trip\":true,\"at\":\"+1\"}",
     ":2: \"battery\": expected the name of a battery"},
    {"{\"battery\":\"block1\",\"trip\":1,\"at\":\"+1\"}",
     ":2: \"trip\": expected true or false"},
    {"{\"battery\":\"block1\",\"trip\":true}",
     ":2: \"at\": expected when it happens"},
    {"{\"battery\":\"block1\",\"trip\":true,\"units\":1}",
     ":2: \"units\": expected one of v, battery, trip, at"},
    {"{\"kind\":\"price\",\"event\":\"start\"}", "expected an object"},
    {LIMIT, ":2: "},
    {LIMIT "} x", ":2: "},
    {LIMIT ",\"value_w\":2}", ":2: "},
    {LIMIT ",\"vale\":2}", ":2: \"vale\": expected one of v, id"},
    {LIMIT ",\"v\":2}", ":2: \"v\": expected 1"},
    {LIMIT ",\"id\":\"\"}", ":2: \"id\""},
    {LIMIT ",\"id\":7}", ":2: \"id\""},
    {LIMIT ",\"id\":\"0123456789012345678901234567890123456789\"}",
     ":2: \"id\""},
    {LIMIT ",\"start\":600}", ":2: \"start\": expected an instant"},
    {LIMIT ",\"start\":\"600\"}", ":2: \"start\""},
    {LIMIT ",\"start\":\"+-1\"}", ":2: \"start\""},
    {LIMIT ",\"start\":\"+1e99\"}", ":2: \"start\""},
    {LIMIT ",\"start\":\"+nan\"}", ":2: \"start\""},
    {LIMIT ",\"end\":\"2026-11-21\"}", ":2: \"end\""},
    {LIMIT ",\"start\":\"+5\",\"end\":\"+5\"}", ":2: \"end\""},
    {LIMIT ",\"priority\":1.5}", ":2: \"priority\""},
    {LIMIT ",\"value_per_kwh\":1}", ":2: \"value_per_kwh\""},
    {"{\"kind\":\"import\",\"value_w\":1}", ":2: \"kind\": expected"},
    {"{\"kind\":\"import_max\"}", ":2: \"value_w\": expected a power"},
    {"{\"kind\":\"import_max\",\"value_w\":-1}", ":2: \"value_w\""},
    {"{\"kind\":\"import_max\",\"value_w\":1e999}", ":2: \"value_w\""},
    {"{\"kind\":\"import_max\",\"value_w\":\"1\"}", ":2: \"value_w\""},
    {"{\"kind\":\"price\",\"value_per_kwh\":1e6}", "\"value_per_kwh\""},
    {"{\"event\":\"begin\",\"at\":\"+1\"}", ":2: \"event\": expected"},
    {"{\"event\":\"start\"}", ":2: \"at\""},
    {JOB ",\"pod\":\"pod3\"}", ":2: \"pod\": expected the name"},
    {JOB ",\"power_to_w\":-1}", ":2: \"power_to_w\""},
    {JOB ",\"period_s\":0}", ":2: \"period_s\""},
    {JOB ",\"end\":\"+1\"}", ":2: \"end\": expected one of v, ts"},
};

static void test_bad_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
        char text[512];
        int n =
            snprintf(text, sizeof(text), "%s}\n%s\n", JOB, bad_lines[i].line);
        write_bytes(text, (size_t)n);
        struct events e;
        char why[512] = "";
        if (try_load(&e, why, sizeof(why)) == ERR_NONE ||
            strstr(why, bad_lines[i].why) == NULL) {
            fail_msg("%s: wanted %s, got \"%s\"", bad_lines[i].line,
                     bad_lines[i].why, why);
        }
    }
}

static void test_unreadable_files(void **state)
{
    (void)state;
    struct events_cfg cfg = {"/nonexistent/x.jsonl", &site, start_ms};
    struct events e;
    char why[512] = "";
    assert_int_equal(events_load(&cfg, &e, why, sizeof(why)), ERR_IO);
    char *big = malloc(100000);
    assert_non_null(big);
    memset(big, ' ', 100000);
    write_bytes(big, 100000);
    free(big);
    assert_int_equal(try_load(&e, why, sizeof(why)), ERR_SYNTAX);
    assert_non_null(strstr(why, ":1: line too long"));
}

/* 100 days of one event each, all known from the start. */
static void test_more_instructions_than_slots(void **state)
{
    (void)state;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 99; i >= 0; i--) {
        fprintf(f,
                "{\"id\":\"d%d\",\"kind\":\"import_max\",\"value_w\":%d,"
                "\"start\":\"+%d\",\"end\":\"+%d\"}\n",
                i, i, i * 86400 + 3600, i * 86400 + 7200);
    }
    assert_int_equal(fclose(f), 0);
    struct events e;
    char why[512] = "";
    assert_int_equal(try_load(&e, why, sizeof(why)), ERR_NONE);
    snapshot_clear(&snap, 0);
    struct events_cursor cursor = {0};
    for (int i = 0; i < 100; i++) {
        int64_t ms = start_ms + (i * INT64_C(86400) + 5000) * 1000;
        events_apply(&e, &cursor, ms, &snap);
        assert_true(snap.utility[0].value == i);
        assert_true(snap.utility[0].start_at_ms <= ms &&
                    snap.utility[0].end_at_ms > ms);
    }
    events_clear(&e);
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

static void test_mutations(void **state)
{
    (void)state;
    static const char good[] =
        "{\"id\":\"a\",\"kind\":\"import_max\",\"start\":\"+600\","
        "\"end\":\"+1200\",\"value_w\":120e6,\"priority\":1}\n"
        "{\"event\":\"start\",\"at\":\"+60\",\"pod\":\"pod1\","
        "\"power_from_w\":1e6,\"power_to_w\":2e6}\n";
    uint64_t seed = 41;
    print_message("seed %llu\n", (unsigned long long)seed);
    int taken = 0;
    for (int i = 0; i < 4000; i++) {
        char text[sizeof(good)];
        memcpy(text, good, sizeof(good));
        size_t n = sizeof(good) - 1;
        for (uint64_t k = next(&seed) % 3; k > 0; k--) {
            text[next(&seed) % n] = (char)(next(&seed) % 256);
        }
        n = next(&seed) % 8 == 0 ? next(&seed) % n : n;
        write_bytes(text, n);
        struct events e;
        char why[512] = "";
        if (try_load(&e, why, sizeof(why)) != ERR_NONE) {
            assert_non_null(strstr(why, path));
            continue;
        }
        taken++;
        struct events_cursor cursor = {0};
        snapshot_clear(&snap, 0);
        for (int64_t ms = start_ms; ms < start_ms + 2000000; ms += 100000) {
            events_apply(&e, &cursor, ms, &snap);
            for (int k = 0; k < UTILITY_EVENTS_MAX; k++) {
                assert_true(snap.utility[k].kind >= 0 &&
                            snap.utility[k].kind < UTILITY_COUNT);
                assert_true(isfinite(snap.utility[k].value));
            }
        }
        events_clear(&e);
    }
    assert_true(taken > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_known_when),
        cmocka_unit_test(test_markers_are_posted_in_order),
        cmocka_unit_test(test_faults_come_once_each_in_order),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_unreadable_files),
        cmocka_unit_test(test_more_instructions_than_slots),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests_name("events", tests, set_up, tear_down);
}
