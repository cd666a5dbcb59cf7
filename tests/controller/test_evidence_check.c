/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/evidence_line and controller/evidence_check: the chain,
 * and what was done to a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/controller/evidence_sample.h"

static void test_a_chain_by_hand(void **state)
{
    (void)state;
    struct evidence_chain chain = evidence_chain_start();
    char line[512];
    size_t n = evidence_seal(&chain, "head", "\"x\":1", line, sizeof(line));
    static const char body[] = "{\"n\":1,\"kind\":\"head\",\"x\":1";
    char bytes[256];
    char hash[EVIDENCE_HASH + 1];
    memset(bytes, '0', EVIDENCE_HASH);
    memcpy(bytes + EVIDENCE_HASH, body, sizeof(body));
    evidence_digest(bytes, EVIDENCE_HASH + sizeof(body) - 1, hash);
    char expected[512];
    snprintf(expected, sizeof(expected), "%s,\"h\":\"%s\"}\n", body, hash);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(line, expected, n);
    assert_string_equal(chain.hash, hash);
    assert_int_equal(chain.n, 1);
    assert_int_equal(evidence_seal(&chain, "head", "\"x\":1", line, 90), 0);
    assert_int_equal(chain.n, 1); /* what does not fit moves nothing */
}

static void test_frames_that_are_none(void **state)
{
    (void)state;
    struct evidence_chain chain = evidence_chain_start();
    char line[512];
    struct evidence_frame f;
    size_t n = evidence_seal(&chain, "minute", "", line, sizeof(line)) - 1;
    assert_true(evidence_frame(line, n, &f));
    assert_string_equal(f.kind, "minute");
    for (size_t k = 0; k < n; k++) {
        assert_false(evidence_frame(line, k, &f)); /* cut anywhere */
    }
    static const char *const prefixes[] = {
        "",
        "{\"n\":,",
        "{\"n\":0,",
        "{\"n\":01,",
        "{\"n\":-1,",
        "{\"n\":99999999999999999999,",
        "{\"n\":1,\"kind\":\"\"",
        "{\"n\":1,\"kind\":\"A\"",
        "{\"n\":1,\"kind\":\"averyveryverylongword\""};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        char bad[600];
        int size = snprintf(bad, sizeof(bad), "%s%s", prefixes[i],
                            line + strlen("{\"n\":1,\"kind\":\"minute\""));
        assert_false(evidence_frame(bad, (size_t)size, &f));
    }
    line[n - 10] = 'G'; /* in the hash */
    assert_false(evidence_frame(line, n, &f));
}

/* Any byte of any line: the check names the line. */
static void test_a_flipped_byte_is_found_in_its_line(void **state)
{
    const struct evidence_sample *f = *state;
    enum { LINES = 12 };
    evidence_sample_write(f->path, LINES);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->path, &n);
    struct evidence_check c;
    assert_int_equal(evidence_sample_check_bytes(bytes, n, &c), EVIDENCE_WHOLE);
    assert_int_equal(c.n_good, LINES);
    assert_int_equal(c.n_minutes, LINES - 1);
    uint64_t seed = 20261121;
    uint64_t random = random_seed(seed);
    int64_t line = 1;
    for (size_t i = 0; i < n; i++) {
        unsigned char was = bytes[i];
        unsigned char flip = (unsigned char)random_draw(&random, 1.0, 255.9);
        bytes[i] = (unsigned char)(was ^ flip);
        enum evidence_verdict v = evidence_sample_check_bytes(bytes, n, &c);
        bool first = i < 5; /* then it is no evidence log at all */
        if (v != (first ? EVIDENCE_NOT_ONE : EVIDENCE_BROKEN) ||
            (!first && c.bad_line != line)) {
            print_message("seed %llu, byte %zu of line %lld: verdict %d, line "
                          "%lld: %s\n",
                          (unsigned long long)seed, i, (long long)line, (int)v,
                          (long long)c.bad_line, c.why);
            fail();
        }
        bytes[i] = was;
        line += was == '\n';
    }
    free(bytes);
}

static void test_what_was_done_to_lines(void **state)
{
    const struct evidence_sample *f = *state;
    evidence_sample_write(f->path, 9);
    size_t n = 0;
    char *text = (char *)sample_read(f->path, &n);
    text[n] = '\0';
    static const struct {
        const char *order; /* of the lines; '/' ends in the middle of the
                            * last */
        int64_t fault;
        int64_t line;
    } cases[] = {
        {"123456789", EVIDENCE_NO_FAULT, 0},
        {"12345678", EVIDENCE_NO_FAULT, 0}, /* shows against a hash only */
        {"12346789", EVIDENCE_MISSING, 5},
        {"1236789", EVIDENCE_MISSING, 4},
        {"123546789", EVIDENCE_MOVED, 4},
        {"123645789", EVIDENCE_MOVED, 4},
        {"1234456789", EVIDENCE_MOVED, 5},
        {"1234567892", EVIDENCE_MOVED, 10},
        {"23456789", EVIDENCE_HEADLESS, 1},
        {"123456789/", EVIDENCE_CUT, 9},
        {"1/", EVIDENCE_CUT, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char made[8192];
        size_t size = 0;
        for (const char *p = cases[i].order; *p != '\0'; p++) {
            if (*p == '/') {
                size -= 20;
                continue;
            }
            size_t from = evidence_sample_line(text, *p - '0');
            size_t to = evidence_sample_line(text, *p - '0' + 1);
            memcpy(made + size, text + from, to - from);
            size += to - from;
        }
        struct evidence_check c;
        enum evidence_verdict v = evidence_sample_check_bytes(made, size, &c);
        if (c.fault != cases[i].fault || c.bad_line != cases[i].line) {
            print_message("%s: %s in line %lld: %s\n", cases[i].order,
                          evidence_fault_name((enum evidence_fault)c.fault),
                          (long long)c.bad_line, c.why);
        }
        assert_int_equal(c.fault, cases[i].fault);
        assert_int_equal(c.bad_line, cases[i].line);
        assert_int_equal(v, c.fault == EVIDENCE_NO_FAULT ? EVIDENCE_WHOLE
                                                         : EVIDENCE_BROKEN);
    }
    free(text);
}

static void test_a_hash_noted_elsewhere_shows_a_lost_end(void **state)
{
    const struct evidence_sample *f = *state;
    evidence_sample_write(f->path, 6);
    struct evidence_check c;
    assert_int_equal(evidence_sample_check(f->path, &c), EVIDENCE_WHOLE);
    char noted[EVIDENCE_HASH + 1];
    memcpy(noted, c.last.hash, sizeof(noted));
    size_t n = 0;
    char *text = (char *)sample_read(f->path, &n);
    text[n] = '\0';
    for (int lines = 6; lines >= 5; lines--) {
        FILE *file = tmpfile();
        fwrite(text, 1, lines == 6 ? n : evidence_sample_line(text, 6), file);
        rewind(file);
        c = (struct evidence_check){.head = noted};
        enum evidence_verdict v = evidence_check(file, &c);
        fclose(file);
        assert_int_equal(v, lines == 6 ? EVIDENCE_WHOLE : EVIDENCE_BROKEN);
        assert_int_equal(c.fault, lines == 6 ? EVIDENCE_NO_FAULT
                                             : EVIDENCE_NO_SUCH_HEAD);
    }
    free(text);
}

/* Bytes of any kind: an answer, and nothing worse. */
static void test_hostile_files(void **state)
{
    (void)state;
    struct evidence_check c;
    uint64_t seed = 7;
    uint64_t random = random_seed(seed);
    size_t max = 300000;
    char *bytes = malloc(max);
    static const char *const starts[] = {
        "{\"n\":1,\"kind\":\"head\",\"prev\":\"", "{\"n\":", "{\"n\":1\n\n\n",
        "{\"n\":2,\"kind\":\"extract\",\"prev\":1,\"h\":\""};
    for (int i = 0; i < 200; i++) {
        const char *start = starts[i % 4];
        size_t n =
            (size_t)random_draw(&random, 40.0, i % 10 == 0 ? 3e5 : 900.0);
        for (size_t k = 0; k < n; k++) {
            double r = random_draw(&random, 0.0, 1.0);
            bytes[k] = r < 0.01   ? '\n'
                       : r < 0.02 ? '\0'
                                  : (char)(int)random_draw(&random, 32, 126);
        }
        if (i % 10 == 0) {
            memset(bytes, 'x', n); /* one line longer than any */
        }
        memcpy(bytes, start, strlen(start));
        enum evidence_verdict v = evidence_sample_check_bytes(bytes, n, &c);
        assert_int_equal(v, EVIDENCE_BROKEN);
        assert_int_equal(c.bad_line, 1);
    }
    free(bytes);
    assert_int_equal(evidence_sample_check_bytes("", 0, &c), EVIDENCE_NOT_ONE);
    assert_int_equal(evidence_sample_check_bytes("\0\0\0\0\0\0", 6, &c),
                     EVIDENCE_NOT_ONE);
}

int main(void)
{
#define CASE(f)                                               \
    cmocka_unit_test_setup_teardown(f, evidence_sample_setup, \
                                    evidence_sample_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_a_chain_by_hand),
        CASE(test_frames_that_are_none),
        CASE(test_a_flipped_byte_is_found_in_its_line),
        CASE(test_what_was_done_to_lines),
        CASE(test_a_hash_noted_elsewhere_shows_a_lost_end),
        CASE(test_hostile_files),
    };
    return cmocka_run_group_tests_name("evidence_check", tests, NULL, NULL);
}
