/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/evidence_file: what a killed process leaves, full parts,
 * files of others, and a disk that refuses. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/controller/evidence_sample.h"

/* Killed after any number of bytes of a line: the next run goes on, the log
 * is whole and says so, and the torn bytes can not be changed either. */
static void test_a_torn_line_is_marked_and_the_chain_goes_on(void **state)
{
    const struct evidence_sample *f = *state;
    evidence_sample_write(f->path, 4);
    size_t n = 0;
    char *text = (char *)sample_read(f->path, &n);
    text[n] = '\0';
    size_t last = evidence_sample_line(text, 4);
    for (size_t cut = last; cut <= n; cut += cut + 7 < n ? 7 : 1) {
        sample_write(f->path, text, cut);
        struct evidence_file log = {0};
        evidence_sample_open(&log, f->path);
        evidence_sample_put(&log, 9);
        evidence_file_close(&log);
        struct evidence_check c;
        enum evidence_verdict v = evidence_sample_check(f->path, &c);
        bool torn = cut > last && cut < n - 1;
        if (v != EVIDENCE_WHOLE || c.n_torn != (torn ? 1 : 0)) {
            print_message("cut %zu of %zu: %s\n", cut - last, n - last, c.why);
        }
        assert_int_equal(v, EVIDENCE_WHOLE);
        assert_int_equal(c.n_torn, torn ? 1 : 0);
        size_t size = 0;
        unsigned char *after = sample_read(f->path, &size);
        assert_memory_equal(after, text, cut); /* append-only */
        if (torn) {
            after[last] ^= 1;
            assert_int_equal(evidence_sample_check_bytes(after, size, &c),
                             EVIDENCE_BROKEN);
            assert_int_equal(c.bad_line, 4);
        }
        free(after);
    }
    free(text);
}

static void test_a_torn_first_line_is_begun_anew(void **state)
{
    const struct evidence_sample *f = *state;
    sample_write(f->path, "{\"n\":1,\"ki", 10);
    evidence_sample_write(f->path, 3);
    struct evidence_check c;
    assert_int_equal(evidence_sample_check(f->path, &c), EVIDENCE_WHOLE);
    assert_int_equal(c.n_good, 3);
}

static void test_parts_carry_the_chain(void **state)
{
    const struct evidence_sample *f = *state;
    struct evidence_file log = {.size_max = 1500};
    evidence_sample_open(&log, f->path);
    for (int i = 1; i < 40; i++) {
        evidence_sample_put(&log, i);
    }
    evidence_file_close(&log);
    int64_t parts = evidence_parts(f->path);
    assert_true(parts >= 3);
    char *all = calloc(1, 1 << 20);
    size_t n = 0;
    struct evidence_check c;
    for (int64_t k = 1; k <= parts + 1; k++) {
        char path[128];
        size_t size = 0;
        evidence_part_path(f->path, k, path, sizeof(path));
        unsigned char *bytes = sample_read(k <= parts ? path : f->path, &size);
        assert_int_equal(evidence_sample_check_bytes(bytes, size, &c),
                         EVIDENCE_WHOLE);
        memcpy(all + n, bytes, size);
        n += size;
        free(bytes);
    }
    assert_int_equal(evidence_sample_check_bytes(all, n, &c), EVIDENCE_WHOLE);
    assert_int_equal(c.n_minutes, 39);
    assert_int_equal(c.n_runs, 1);
    free(all);
    log = (struct evidence_file){.size_max = 1500};
    evidence_sample_open(&log,
                         f->path); /* another run goes on in the last part */
    assert_int_equal(log.part, parts + 1);
    evidence_file_close(&log);
    assert_int_equal(evidence_sample_check(f->path, &c), EVIDENCE_WHOLE);
}

static void test_what_is_refused(void **state)
{
    const struct evidence_sample *f = *state;
    static const char *const files[] = {"hello\n", "\n\n", "{\"n\":1}\n",
                                        "t_s,load_w\n0,1\n"};
    char why[1024];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        sample_write(f->path, files[i], strlen(files[i]));
        struct evidence_file log = {0};
        assert_int_equal(evidence_file_open(&log, f->path, why, sizeof(why)),
                         ERR_MISMATCH);
        assert_non_null(strstr(why, "not an evidence log"));
        size_t n = 0;
        unsigned char *bytes = sample_read(f->path, &n);
        assert_int_equal(n, strlen(files[i])); /* and left as it is */
        free(bytes);
    }
    struct evidence_file log = {0};
    assert_int_equal(
        evidence_file_open(&log, "/nonexistent/log", why, sizeof(why)), ERR_IO);
}

/* The file may not grow: nothing of a line stays, and later it goes on. */
static void test_a_disk_that_refuses_loses_no_line_before(void **state)
{
    const struct evidence_sample *f = *state;
    struct evidence_file log = {0};
    evidence_sample_open(&log, f->path);
    evidence_sample_put(&log, 1);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was;
    getrlimit(RLIMIT_FSIZE, &was);
    struct rlimit full = {.rlim_cur = (rlim_t)log.size + 30,
                          .rlim_max = was.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    enum err first = evidence_file_append(&log, EVIDENCE_SAMPLE_MS, "minute",
                                          "\"import_wh\":2");
    int error = errno;
    enum err second = evidence_file_append(&log, EVIDENCE_SAMPLE_MS, "minute",
                                           "\"import_wh\":3");
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(first, ERR_IO);
    assert_int_equal(error, EFBIG);
    assert_int_equal(second, ERR_IO);
    assert_int_equal(
        evidence_file_append(&log, EVIDENCE_SAMPLE_MS, "gap", "\"lost\":2"),
        ERR_NONE);
    evidence_file_close(&log);
    struct evidence_check c;
    assert_int_equal(evidence_sample_check(f->path, &c), EVIDENCE_WHOLE);
    assert_int_equal(c.n_gaps, 1);
    assert_int_equal(c.n_torn, 0);
    assert_int_equal(c.n_good, 3);
}

int main(void)
{
#define CASE(f)                                               \
    cmocka_unit_test_setup_teardown(f, evidence_sample_setup, \
                                    evidence_sample_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_a_torn_line_is_marked_and_the_chain_goes_on),
        CASE(test_a_torn_first_line_is_begun_anew),
        CASE(test_parts_carry_the_chain),
        CASE(test_what_is_refused),
        CASE(test_a_disk_that_refuses_loses_no_line_before),
    };
    return cmocka_run_group_tests_name("evidence_file", tests, NULL, NULL);
}
