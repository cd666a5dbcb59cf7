/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/trace and replay/csv: what good files mean, what each bad
 * one gets, random mutations of a good one, and the shared traces. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "models/compliance.h"
#include "models/snapshot.h"
#include "replay/trace.h"

static const char gpt3[] = "../shared/traces/gpt3_512xh100_train_2s.csv";

static char path[] = "/tmp/ballast-trace-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int remove_file(void **state)
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

static struct trace_cfg config(void)
{
    return (struct trace_cfg){
        .load = path, .scale = 1.0, .repeat = 1, .peak_w = 1e6};
}

static const struct {
    const char *what;
    const char *text;
    const char *column;
    double power_w[3]; /* at 0, 1 and 2 s */
    int64_t start_utc_ms;
    double duration_s;
} good_files[] = {
    {"watts", "t_s,x_w\n0,1\n1,2\n2,3\n", NULL, {1, 2, 3}, -1, 3},
    {"held", "t_s,x_kw\n5,1\n7,2\n", NULL, {1e3, 1e3, 2e3}, -1, 4},
    {"mark, CRLF, empty lines, quotes, spaces",
     "\xEF\xBB\xBFrun,\"t_s\" , ac_mw\r\n\r\n\"a,\"\"b\"\"\n\",0, 1 "
     "\r\n,1,\"2\"\r\n,2,3",
     NULL,
     {1e6, 2e6, 3e6},
     -1,
     3},
    {"second column",
     "t_s,x_w,y_w\n0,1,4\n1,2,5\n2,3,6\n",
     "y_w",
     {4, 5, 6},
     -1,
     3},
    {"unix", "unix_ms,x_w\n1000,1\n2000,2\n3000,3\n", NULL, {1, 2, 3}, 1000, 3},
    {"utc",
     "time_utc,x_w\n2026-11-21T00:00:00Z,1\n2026-11-21T01:00:01+01:00,2\n"
     "2026-11-21T00:00:02Z,3\n",
     NULL,
     {1, 2, 3},
     1795219200000,
     3},
    {"t_s first, start from unix_ms",
     "unix_ms,t_s,x_w\n5000,0,1\n5001,1,2\n5002,2,3\n",
     NULL,
     {1, 2, 3},
     5000,
     3},
};

static void test_good_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good_files) / sizeof(good_files[0]); i++) {
        write_bytes(good_files[i].text, strlen(good_files[i].text));
        struct trace_cfg cfg = config();
        cfg.column = good_files[i].column;
        struct trace t;
        char why[512] = "";
        if (trace_load(&cfg, &t, why, sizeof(why)) != ERR_NONE) {
            fail_msg("%s: %s", good_files[i].what, why);
        }
        size_t cursor = 0;
        for (int k = 0; k < 3; k++) {
            double got = trace_at(&t, k, &cursor);
            if (got != good_files[i].power_w[k]) {
                fail_msg("%s: %g W at %d s", good_files[i].what, got, k);
            }
        }
        assert_true(t.start_utc_ms == good_files[i].start_utc_ms);
        assert_true(fabs(t.duration_s - good_files[i].duration_s) < 1e-9);
        assert_false(t.synthetic);
        trace_clear(&t);
    }
}

static void test_bad_files(void **state)
{
    (void)state;
#define WITH_NUL "t_s,x_w\n0,1\n1,\0002\n"
    static const struct {
        const char *text;
        size_t n; /* 0: strlen */
        const char *why;
    } cases[] = {
        {"", 0, ":1: the file is empty"},
        {"\n\n\n", 0, "the file is empty"},
        {"t_s,x_w\n", 0, "0 usable rows"},
        {"t_s,x_w\n0,1\n", 0, "1 usable row:"},
        {"a,x_w\n0,1\n", 0, ":1: no time column"},
        {"t_s,x\n0,1\n", 0, ":1: no power column"},
        {"t_s,\n0,1\n", 0, ":1: a column without a name"},
        {"t_s,x_w,x_w\n0,1,1\n", 0, ":1: two columns of one name"},
        {"t_s,x_w\n0,1\n1\n", 0, ":3: 1 cells: expected 2"},
        {"t_s,x_w\n0,1\n1,2,3\n", 0, ":3: 3 cells: expected 2"},
        {"t_s,x_w\n0,1\n\n\n1,nan\n", 0, ":5: x_w \"nan\": expected a finite"},
        {"t_s,x_w\n0,1\n1,1e999\n", 0, ":3: x_w \"1e999\""},
        {"t_s,x_w\n0,1\n1,0x10\n", 0, ":3: x_w \"0x10\""},
        {"t_s,x_w\n0,1\n1,\n", 0, ":3: x_w \"\""},
        {"t_s,x_w\n0,1\n1,1 2\n", 0, ":3: x_w \"1 2\""},
        {"t_s,x_w\n0,1\n1,-2\n", 0, ":3: x_w \"-2\": expected a power of 0"},
        {"t_s,x_w\n0,1\n1,1e13\n", 0, ":3: x_w \"1e13\": expected a power"},
        {"t_s,x_w\n0,1\n0,2\n", 0, ":3: t_s \"0\": expected a later time"},
        {"t_s,x_w\n2,1\n1,2\n", 0, ":3: t_s \"1\": expected a later time"},
        {"t_s,x_w\nx,1\n1,2\n", 0, ":2: t_s \"x\": expected seconds"},
        {"unix_ms,x_w\n-1,1\n1,2\n", 0, ":2: unix_ms \"-1\""},
        {"time_utc,x_w\n2026-11-21,1\n1,2\n", 0, ":2: time_utc"},
        {"t_s,x_w\n0,\"1\n1,2\n", 0, ":2: a quote is not closed"},
        {"t_s,x_w\n0,\"1\"2\n", 0, ":2: text behind a closing quote"},
        {WITH_NUL, sizeof(WITH_NUL) - 1, ":3: a NUL byte"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = cases[i].n > 0 ? cases[i].n : strlen(cases[i].text);
        write_bytes(cases[i].text, n);
        struct trace_cfg cfg = config();
        struct trace t;
        char why[512] = "";
        enum err e = trace_load(&cfg, &t, why, sizeof(why));
        if (e == ERR_NONE || strstr(why, cases[i].why) == NULL) {
            fail_msg("case %zu: wanted %s, got %s", i, cases[i].why, why);
        }
    }
}

static void test_options(void **state)
{
    (void)state;
    static const char text[] = "run,lab,t_s,x_w\n"
                               "A,u,0,1\nA,u,1,2\nB,u,0,3\nB,v,0,9\nB,u,1,4\n";
    write_bytes(text, strlen(text));
    struct trace t;
    char why[512] = "";
    struct trace_cfg cfg = config();
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_SYNTAX);
    assert_non_null(strstr(why, ":4: t_s \"0\""));
    assert_non_null(strstr(why, "--where"));

    static const char *const where[] = {"run=B", "lab=u"};
    cfg.where = where;
    cfg.n_where = 2;
    cfg.scale = 10.0;
    cfg.repeat = 3;
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_NONE);
    assert_true(t.n == 2 && t.duration_s == 6.0 && t.pass_s == 2.0);
    size_t cursor = 0;
    for (int k = 0; k < 60; k++) {
        double want = k / 10 % 2 == 0 ? 30.0 : 40.0;
        assert_true(trace_at(&t, k * 0.1, &cursor) == want);
    }
    assert_true(trace_at(&t, 0.5, &cursor) == 30.0);
    assert_true(trace_at(&t, -5.0, &cursor) == 30.0);
    assert_true(trace_at(&t, 1e9, &cursor) == 40.0);
    trace_clear(&t);

    static const char *const bad[] = {"run", "=B", "rum=B", "run=C"};
    for (int i = 0; i < 4; i++) {
        cfg.where = &bad[i];
        cfg.n_where = 1;
        assert_int_not_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_NONE);
    }
    cfg = config();
    cfg.column = "nothing_w";
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_UNKNOWN);
    assert_non_null(strstr(why, "nothing_w"));
    cfg.column = "run";
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_UNKNOWN);
    cfg = config();
    cfg.scale = -1.0;
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_RANGE);
    cfg = config();
    cfg.load = "/nonexistent/x.csv";
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_IO);
    cfg.load = "/tmp";
    assert_int_not_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_NONE);
}

static void test_gaps_and_dropped_rows(void **state)
{
    (void)state;
    static const char text[] = "t_s,x_w\n0,1\n1,2\n2,x\n3,4\n2,5\n4\n5,6\n"
                               "100,7\n101,8\n102,9\n";
    write_bytes(text, strlen(text));
    struct trace_cfg cfg = config();
    cfg.keep_going = true;
    struct trace t;
    char why[512] = "";
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_NONE);
    assert_int_equal(t.n, 7);
    assert_int_equal(t.report.n_dropped, 3);
    assert_non_null(strstr(t.report.first_why, ":4: x_w \"x\""));
    assert_int_equal(t.report.n_gaps, 1);
    assert_true(t.report.longest_s == 95.0);
    assert_int_equal(t.report.longest_line, 9);
    size_t cursor = 0;
    assert_true(trace_at(&t, 99.0, &cursor) == 6.0);
    trace_clear(&t);
}

static void test_long_lines(void **state)
{
    (void)state;
    size_t n = 300000;
    char *text = malloc(n);
    assert_non_null(text);
    struct trace_cfg cfg = config();
    struct trace t;
    char why[512] = "";
    /* A long cell, a quote that swallows the file, too many cells. */
    static const char *const heads[] = {"t_s,x_w\n0,1\n1,", "t_s,x_w\n0,\"",
                                        "t_s,x_w\n0,1\n1,"};
    static const char fill[] = {'1', '\n', ','};
    for (int i = 0; i < 3; i++) {
        memset(text, fill[i], n);
        memcpy(text, heads[i], strlen(heads[i]));
        write_bytes(text, n);
        assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_SYNTAX);
        assert_non_null(strstr(why, i == 2 ? "too many" : "too long"));
    }
    free(text);
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

/* Whatever bytes come: an error with a reason, or samples that are sane. */
static void test_mutations(void **state)
{
    (void)state;
    static const char good[] =
        "run,t_s,unix_ms,ac_kw\r\nA,0,1000,325.359\r\nA,2,3000,\"403.051\"\r\n"
        "\"B\",4,5000,325.3\r\nA,6,7000,1e2\n";
    uint64_t seed = 11;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 4000; i++) {
        char text[sizeof(good)];
        memcpy(text, good, sizeof(good));
        size_t n = sizeof(good) - 1;
        for (uint64_t k = next(&seed) % 4; k > 0; k--) {
            text[next(&seed) % n] = (char)(next(&seed) % 256);
        }
        if (next(&seed) % 4 == 0) {
            n = next(&seed) % n;
        }
        write_bytes(text, n);
        struct trace_cfg cfg = config();
        cfg.keep_going = next(&seed) % 2 == 0;
        struct trace t;
        char why[512] = "";
        if (trace_load(&cfg, &t, why, sizeof(why)) != ERR_NONE) {
            assert_true(why[0] != '\0');
            continue;
        }
        assert_true(t.n >= 2 && t.t_s[0] == 0.0 && t.step_s > 0.0);
        assert_true(isfinite(t.duration_s));
        for (size_t k = 0; k < t.n; k++) {
            assert_true(t.power_w[k] >= 0.0 && t.power_w[k] <= 1e12);
            assert_true(k == 0 || t.t_s[k] > t.t_s[k - 1]);
        }
        trace_clear(&t);
    }
}

static void test_shared_trace(void **state)
{
    (void)state;
    if (access(gpt3, R_OK) != 0) {
        print_message("skipped: no %s\n", gpt3);
        skip();
    }
    static const char *const where[] = {"run=B"};
    struct trace_cfg cfg = {.load = gpt3,
                            .column = "ac_kw",
                            .where = where,
                            .n_where = 1,
                            .scale = 326.8,
                            .repeat = 1};
    struct trace t;
    char why[512] = "";
    assert_int_equal(trace_load(&cfg, &t, why, sizeof(why)), ERR_NONE);
    assert_true(t.step_s == 2.0 && t.start_utc_ms > 1700000000000);
    assert_true(t.duration_s > 3400.0 && t.duration_s < 3420.0);
    double sum = 0.0;
    double peak = 0.0;
    for (size_t i = 0; i < t.n; i++) {
        sum += t.power_w[i];
        peak = fmax(peak, t.power_w[i]);
    }
    /* ai-power.md, section 3: scaled to a peak of 150 MW, mean 143.4 MW. */
    assert_true(fabs(peak - 150e6) < 0.1e6);
    assert_true(fabs(sum / (double)t.n - 143.4e6) < 0.2e6);
    assert_int_equal(t.report.n_gaps, 0);

    /* And 39.6 MW peak to peak in 60 s, once the start is over. */
    static struct compliance meter;
    struct site_grid grid = {.import_max_w = 160e6,
                             .import_average_s = 60.0,
                             .import_trip_w = 176e6,
                             .ramp_max_w_per_s = 10e6 / 60.0,
                             .ramp_average_s = 10.0,
                             .swing_max_w = INFINITY,
                             .swing_average_s = 2.0,
                             .demand_interval_s = 900.0};
    compliance_init(&meter, &grid, 2.0, t.start_utc_ms);
    for (size_t i = 30; i < t.n; i++) {
        compliance_push(
            &meter, (struct compliance_in){t.power_w[i], NAN, COMPLIANCE_NONE});
    }
    struct compliance_result r = compliance_result(&meter);
    print_message("pp60 %g MW, %lld of %zu ticks over the ramp\n",
                  r.pp60_max_w / 1e6, (long long)r.ramp_violations, t.n - 30);
    assert_true(fabs(r.pp60_max_w - 39.6e6) < 0.1e6);
    /* Counted apart from this code, by the definition. */
    assert_int_equal(r.ramp_violations, 998);
    assert_true(fabs(r.ramp_max_w_per_s - 1917799.656) < 1.0);
    trace_clear(&t);
}

/* The second pass of the generator announces what the first did, scaled. */
static void test_markers_follow_the_passes(void **state)
{
    (void)state;
    enum { MAX = 256 };
    const struct trace_cfg cfg = {.load = "gen:training,days=0.05",
                                  .scale = 2.0,
                                  .repeat = 2,
                                  .peak_w = 1e6};
    char why[256] = "";
    struct trace t;
    if (trace_load(&cfg, &t, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    static struct job_in once[MAX];
    static struct job_in again[MAX];
    int n = trace_markers(&t, 0.0, t.pass_s, once, MAX);
    assert_in_range(n, 20, MAX - 1);
    int m = 0;
    for (double at_s = t.pass_s; at_s < 2.0 * t.pass_s; at_s += 1.0) {
        m += trace_markers(&t, at_s, fmin(at_s + 1.0, 2.0 * t.pass_s),
                           again + m, MAX - m);
    }
    assert_int_equal(n, m);
    int64_t pass_ms = llround(t.pass_s * 1e3);
    for (int i = 0; i < n; i++) {
        assert_int_equal(again[i].event, once[i].event);
        assert_int_equal(again[i].at_ms, once[i].at_ms + pass_ms);
        assert_true(again[i].power_to_w == once[i].power_to_w);
    }
    assert_int_equal(once[0].event, JOB_START);
    assert_true(fabs(once[0].power_to_w - 2.0 * 0.62e6) < 1.0);
    /* one call across the seam */
    assert_int_equal(trace_markers(&t, 0.0, 2.0 * t.pass_s, again, MAX), 2 * n);
    trace_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_gaps_and_dropped_rows),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_shared_trace),
        cmocka_unit_test(test_markers_follow_the_passes),
    };
    return cmocka_run_group_tests_name("trace", tests, make_file, remove_file);
}
