/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/recording: what goes in comes out, every changed byte is
 * found, every cut is told apart from damage, nothing hostile crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "controller/delta.h"
#include "controller/parts.h"
#include "controller/recording.h"
#include "controller/recording_format.h"
#include "tests/controller/history_sample.h"

static const char site_text[] = "site: {name: sample}\n";

struct fixture {
    struct site *site;
    char folder[64];
    char path[96];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->site = sample_site();
    sample_folder(f->folder);
    snprintf(f->path, sizeof(f->path), "%s/a.rec", f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sample_folder_remove(f->folder);
    free(f->site);
    free(f);
    return 0;
}

static struct recorder *open_recorder(const struct fixture *f)
{
    static const char state_bytes[24] = "the state before it";
    struct recording_head head = {
        .site_text = site_text,
        .site_text_size = strlen(site_text),
        .site_path = "sample.yaml",
        .policy = 2,
        .state = state_bytes,
        .state_size = sizeof(state_bytes),
    };
    struct recorder *r = NULL;
    char why[200] = "";
    assert_int_equal(
        recorder_open(f->path, &head, f->site, &r, why, sizeof(why)), ERR_NONE);
    return r;
}

static void write_ticks(const struct fixture *f, int n, uint64_t seed)
{
    struct recorder *r = open_recorder(f);
    struct sample_tick t;
    sample_open(&t, f->site);
    for (int i = 0; i < n; i++) {
        sample_next(&t, f->site, &seed);
        assert_int_equal(recorder_tick(r, t.in, &t.plan, t.out), ERR_NONE);
    }
    assert_int_equal(recorder_close(r), ERR_NONE);
    sample_close(&t);
}

/* How reading the file ends, and after how many ticks. */
struct ending {
    enum err open;
    enum recording_next next;
    uint64_t n_ticks;
};

static struct ending read_all(const struct fixture *f)
{
    struct ending end = {ERR_NONE, RECORDING_TICK, 0};
    struct recording *r = NULL;
    char why[300] = "";
    end.open = recording_open(f->path, &r, why, sizeof(why));
    if (end.open != ERR_NONE) {
        assert_true(strlen(why) > 0);
        return end;
    }
    assert_int_equal(recording_start(r, f->site), ERR_NONE);
    while (end.next == RECORDING_TICK) {
        const struct snapshot *in = NULL;
        const struct plan *plan = NULL;
        const struct step_out *out = NULL;
        end.next = recording_next(r, &in, &plan, &out, why, sizeof(why));
    }
    if (end.next != RECORDING_END) {
        assert_true(strlen(why) > 0);
    }
    end.n_ticks = recording_ticks(r);
    recording_close(r);
    return end;
}

static void test_head_comes_back(void **state)
{
    const struct fixture *f = *state;
    write_ticks(f, 1, 1);
    struct recording *r = NULL;
    char why[200] = "";
    assert_int_equal(recording_open(f->path, &r, why, sizeof(why)), ERR_NONE);
    const struct recording_head *head = recording_head_of(r);
    assert_string_equal(head->site_text, site_text);
    assert_int_equal(head->site_text_size, strlen(site_text));
    assert_string_equal(head->site_path, "sample.yaml");
    assert_int_equal(head->policy, 2);
    assert_int_equal(head->state_size, 24);
    assert_string_equal(head->state, "the state before it");
    char build[BUILD_ID_MAX] = "";
    build_id(build);
    assert_string_equal(head->build, build);
    recording_close(r);
}

static void test_ticks_come_back(void **state)
{
    const struct fixture *f = *state;
    enum { TICKS = 2000 };
    const uint64_t first_seed = 20261121;
    print_message("seed %llu\n", (unsigned long long)first_seed);
    write_ticks(f, TICKS, first_seed);
    struct recording *r = NULL;
    char why[200] = "";
    assert_int_equal(recording_open(f->path, &r, why, sizeof(why)), ERR_NONE);
    assert_int_equal(recording_start(r, f->site), ERR_NONE);
    struct sample_tick t;
    sample_open(&t, f->site);
    uint64_t seed = first_seed;
    for (int i = 0; i < TICKS; i++) {
        const struct snapshot *in = NULL;
        const struct plan *plan = NULL;
        const struct step_out *out = NULL;
        sample_next(&t, f->site, &seed);
        assert_int_equal(recording_next(r, &in, &plan, &out, why, sizeof(why)),
                         RECORDING_TICK);
        assert_memory_equal(in, t.in, snapshot_size(f->site->n_nodes));
        assert_memory_equal(plan, &t.plan, sizeof(t.plan));
        assert_memory_equal(out, t.out, step_out_size(f->site->n_nodes));
        assert_true(recording_read_pu(r) > 0.0 && recording_read_pu(r) < 1.0);
    }
    sample_close(&t);
    recording_close(r);
    struct ending end = read_all(f);
    assert_int_equal(end.next, RECORDING_END);
    assert_int_equal(end.n_ticks, TICKS);
}

static void test_a_tick_costs_what_changed(void **state)
{
    const struct fixture *f = *state;
    struct stat few;
    struct stat many;
    write_ticks(f, 100, 7);
    assert_int_equal(stat(f->path, &few), 0);
    write_ticks(f, 1100, 7);
    assert_int_equal(stat(f->path, &many), 0);
    /* a dozen words change in a tick of the sample, of 4,000 */
    assert_true(many.st_size - few.st_size < 1000 * 400);
}

static void test_older_file_is_kept(void **state)
{
    const struct fixture *f = *state;
    write_ticks(f, 3, 1);
    size_t n = 0;
    unsigned char *before = sample_read(f->path, &n);
    write_ticks(f, 4, 2);
    char aside[128];
    snprintf(aside, sizeof(aside), "%s.1", f->path);
    size_t n_aside = 0;
    unsigned char *after = sample_read(aside, &n_aside);
    assert_non_null(after);
    assert_int_equal(n, n_aside);
    assert_memory_equal(before, after, n);
    free(before);
    free(after);
}

static void test_every_changed_byte_is_found(void **state)
{
    const struct fixture *f = *state;
    write_ticks(f, 6, 3);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->path, &n);
    print_message("%zu bytes, each changed twice\n", n);
    for (size_t i = 0; i < 2 * n; i++) {
        unsigned char flip = (unsigned char)(i < n ? 1u << i % 8 : 0xffu);
        bytes[i % n] ^= flip;
        sample_write(f->path, bytes, n);
        struct ending end = read_all(f);
        if (end.open == ERR_NONE && end.next != RECORDING_DAMAGE) {
            fail_msg("byte %zu of %zu ^ %#x: ends as %d after %llu ticks",
                     i % n, n, flip, (int)end.next,
                     (unsigned long long)end.n_ticks);
        }
        bytes[i % n] ^= flip;
    }
    free(bytes);
}

static void test_every_cut_is_a_cut(void **state)
{
    const struct fixture *f = *state;
    write_ticks(f, 6, 4);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->path, &n);
    struct recording_prelude prelude;
    memcpy(&prelude, bytes, sizeof(prelude));
    uint64_t n_ticks = 0;
    for (size_t i = 0; i < n; i++) {
        sample_write(f->path, bytes, i);
        struct ending end = read_all(f);
        if (i < prelude.head_size) {
            assert_int_not_equal(end.open, ERR_NONE);
            continue;
        }
        assert_int_equal(end.open, ERR_NONE);
        assert_int_equal(end.next, RECORDING_CUT);
        assert_true(end.n_ticks >= n_ticks);
        n_ticks = end.n_ticks;
    }
    assert_int_equal(n_ticks, 6);
    free(bytes);
}

static void test_what_follows_the_end_is_damage(void **state)
{
    const struct fixture *f = *state;
    write_ticks(f, 2, 4);
    FILE *file = fopen(f->path, "ab");
    assert_non_null(file);
    fputc(0, file);
    fclose(file);
    assert_int_equal(read_all(f).next, RECORDING_DAMAGE);
}

/* Give the record at 'at' the checksums that its content deserves. */
static uint64_t forge(unsigned char *at, uint64_t sum, size_t length)
{
    struct record_head head = {record_word(RECORD_TICK, length), 0};
    head.sum = recording_sum(sum, &head.word, sizeof(head.word));
    sum = recording_sum(head.sum, at + sizeof(head), length);
    memcpy(at, &head, sizeof(head));
    memcpy(at + sizeof(head) + length, &sum, sizeof(sum));
    return sum;
}

/* Content from someone who can make checksums: never a crash, and what comes
 * out of the reader is inside the arrays it belongs to. */
static void test_forged_records_do_no_harm(void **state)
{
    const struct fixture *f = *state;
    write_ticks(f, 1, 5);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->path, &n);
    struct recording_prelude prelude;
    memcpy(&prelude, bytes, sizeof(prelude));
    size_t at = (size_t)prelude.head_size;
    uint64_t chain = 0;
    memcpy(&chain, bytes + at - sizeof(chain), sizeof(chain));
    uint64_t word = 0;
    memcpy(&word, bytes + at, sizeof(word));
    size_t length = (size_t)(word & (record_word(RECORD_TICK, 0) - 1));
    uint64_t seed = 6;
    print_message("seed %llu\n", (unsigned long long)seed);
    int n_refused = 0;
    for (int i = 0; i < 3000; i++) {
        unsigned char *copy = malloc(n);
        memcpy(copy, bytes, n);
        unsigned char *content = copy + at + sizeof(struct record_head);
        for (uint64_t k = 1 + sample_random(&seed) % 6; k > 0; k--) {
            content[sample_random(&seed) % length] =
                (unsigned char)sample_random(&seed);
        }
        size_t used = sample_random(&seed) % 2 == 0
                          ? length
                          : (size_t)(sample_random(&seed) % length);
        forge(copy + at, chain, used);
        sample_write(f->path, copy, at + sizeof(struct record_head) + used + 8);
        struct ending end = read_all(f);
        n_refused += end.next == RECORDING_DAMAGE;
        assert_true(end.next == RECORDING_DAMAGE || end.next == RECORDING_CUT);
        free(copy);
    }
    assert_true(n_refused > 100);
    free(bytes);
}

static void test_counts_outside_their_arrays_are_refused(void **state)
{
    const struct fixture *f = *state;
    struct sample_tick t;
    sample_open(&t, f->site);
    struct parts parts;
    parts_init(&parts, f->site);
    t.in->dt_s = 0.1;
    const char *what = NULL;
    assert_true(parts_check(&parts, t.in, &t.plan, t.out, &what));
    int64_t *const counts[] = {
        &t.in->n_nodes,     &t.in->prices[0].n_slots, &t.in->utility[31].kind,
        &t.in->jobs[0].pod, &t.in->jobs[63].event,    &t.plan.status,
        &t.plan.n_slots,    &t.plan.n_batteries,      &t.out->n_nodes,
    };
    const int64_t wrong[] = {-2, INT64_MIN, 1 << 20, INT64_MAX};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        int64_t right = *counts[i];
        for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
            *counts[i] = wrong[k];
            assert_false(parts_check(&parts, t.in, &t.plan, t.out, &what));
            assert_non_null(what);
        }
        *counts[i] = right;
    }
    sample_close(&t);
}

static void test_other_files_are_refused(void **state)
{
    const struct fixture *f = *state;
    char why[300] = "";
    struct recording *r = NULL;
    assert_int_equal(recording_open("/nonexistent", &r, why, sizeof(why)),
                     ERR_IO);
    assert_int_equal(recording_open("/tmp", &r, why, sizeof(why)), ERR_IO);
    sample_write(f->path, "", 0);
    assert_int_equal(read_all(f).open, ERR_SYNTAX);
    sample_write(f->path, "site: {name: demo}\nand more text here\n", 38);
    assert_int_equal(read_all(f).open, ERR_SYNTAX);
}

static void test_a_place_that_cannot_be_written(void **state)
{
    const struct fixture *f = *state;
    struct recording_head head = {.site_text = "", .state = ""};
    struct recorder *r = NULL;
    char why[200] = "";
    assert_int_equal(recorder_open("/nonexistent/a.rec", &head, f->site, &r,
                                   why, sizeof(why)),
                     ERR_IO);
    assert_non_null(strstr(why, "/nonexistent/a.rec"));
    why[0] = '\0';
    assert_int_equal(
        recorder_open("/dev/null", &head, f->site, &r, why, sizeof(why)),
        ERR_IO);
    assert_non_null(strstr(why, "not a plain file"));
}

static void test_delta_gives_the_image_back(void **state)
{
    (void)state;
    enum { WORDS = 300, ROUNDS = 2000 };
    uint64_t seed = 8;
    print_message("seed %llu\n", (unsigned long long)seed);
    static uint64_t old[WORDS];
    static uint64_t now[WORDS];
    static uint64_t copy[WORDS];
    unsigned char *bytes = malloc(delta_bound(WORDS));
    for (int i = 0; i < ROUNDS; i++) {
        /* from nothing to everything, words with any bytes */
        uint64_t changes = sample_random(&seed) % (WORDS + 1);
        for (uint64_t k = 0; k < changes; k++) {
            now[sample_random(&seed) % WORDS] =
                sample_random(&seed) >> sample_random(&seed) % 64;
        }
        size_t n = delta_encode(old, now, WORDS, bytes);
        assert_true(n <= delta_bound(WORDS));
        assert_memory_equal(old, now, sizeof(now));
        assert_true(delta_decode(copy, WORDS, bytes, n));
        assert_memory_equal(copy, now, sizeof(now));
        assert_int_equal(delta_encode(old, now, WORDS, bytes), 0);
    }
    free(bytes);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_head_comes_back),
        CASE(test_ticks_come_back),
        CASE(test_a_tick_costs_what_changed),
        CASE(test_older_file_is_kept),
        CASE(test_every_changed_byte_is_found),
        CASE(test_every_cut_is_a_cut),
        CASE(test_what_follows_the_end_is_damage),
        CASE(test_forged_records_do_no_harm),
        CASE(test_counts_outside_their_arrays_are_refused),
        CASE(test_other_files_are_refused),
        CASE(test_a_place_that_cannot_be_written),
        cmocka_unit_test(test_delta_gives_the_image_back),
    };
    return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
