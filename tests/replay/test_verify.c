/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/verify: a closed loop on the demo site is recorded and comes
 * out again; a changed value, wherever, does not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/recording.h"
#include "controller/recording_format.h"
#include "controller/site_file.h"
#include "replay/verify.h"
#include "tests/controller/history_sample.h"
#include "tests/replay/loop_sample.h"

static const char site_path[] = "replay/sites/demo.yaml";

struct fixture {
    char *text;
    size_t text_size;
    struct site *site;
    char folder[64];
    char path[96];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(site_file_read(site_path, &f->text, &f->text_size),
                     ERR_NONE);
    f->site = site_file_load(site_path);
    assert_non_null(f->site);
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
    free(f->text);
    free(f);
    return 0;
}

/* Called before a tick is recorded, to falsify it. */
typedef void falsify_fn(struct snapshot *in, struct step_out *out, int tick);

struct loop_run {
    const struct fixture *f;
    enum policy policy;
    int n_ticks;
    falsify_fn *falsify;
};

static struct recorder *open_recorder(const struct loop_run *run,
                                      const struct loop_sample *l)
{
    struct recording_head head = {
        .site_text = run->f->text,
        .site_text_size = run->f->text_size,
        .policy = run->policy,
        .state = l->state,
        .state_size = step_state_size(l->cfg),
    };
    snprintf(head.site_path, sizeof(head.site_path), "%s", site_path);
    char why[300] = "";
    struct recorder *r = NULL;
    assert_int_equal(
        recorder_open(run->f->path, &head, l->site, &r, why, sizeof(why)),
        ERR_NONE);
    return r;
}

static void run_loop(const struct loop_run *run)
{
    struct loop_sample l;
    loop_sample_open(&l, run->f->site, run->policy, INT64_C(1790000000000));
    struct recorder *r = open_recorder(run, &l);
    for (int i = 1; i <= run->n_ticks; i++) {
        loop_sample_next(&l);
        if (run->falsify != NULL) {
            run->falsify(l.in, l.out, i);
        }
        assert_int_equal(recorder_tick(r, l.in, &l.plan, l.out), ERR_NONE);
    }
    assert_int_equal(recorder_close(r), ERR_NONE);
    loop_sample_close(&l);
}

static enum verify_result verify(const struct fixture *f,
                                 struct verify_report *report)
{
    const struct verify_cfg cfg = {.path = f->path};
    return verify_recording(&cfg, report);
}

static void test_every_policy_comes_out_again(void **state)
{
    const struct fixture *f = *state;
    for (int p = 0; p < POLICY_COUNT; p++) {
        struct loop_run run = {
            .f = f, .policy = (enum policy)p, .n_ticks = 1500};
        run_loop(&run);
        struct verify_report report;
        enum verify_result result = verify(f, &report);
        if (result != VERIFY_SAME) {
            fail_msg("policy %d: %s %s recorded %s computed %s", p, report.why,
                     report.diff.name, report.diff.recorded,
                     report.diff.computed);
        }
        assert_int_equal(report.n_ticks, 1500);
        assert_false(report.is_cut);
    }
}

static void bend_command(struct snapshot *in, struct step_out *out, int tick)
{
    (void)in;
    if (tick == 777) {
        double *set_w = &out->batteries[1].set_w;
        *set_w = nextafter(*set_w, 1e9); /* by the last bit */
    }
}

static void bend_reason(struct snapshot *in, struct step_out *out, int tick)
{
    (void)in;
    if (tick == 778) {
        out->record.why[0].limit += 1.0;
    }
}

static void bend_node(struct snapshot *in, struct step_out *out, int tick)
{
    (void)in;
    if (tick == 779) {
        out->nodes[3].reason++;
    }
}

static void bend_reading(struct snapshot *in, struct step_out *out, int tick)
{
    (void)out;
    if (tick == 780) {
        in->pods[0].power_w.value += 1e3;
    }
}

static void test_a_changed_value_is_told_by_name(void **state)
{
    const struct fixture *f = *state;
    const struct {
        falsify_fn *falsify;
        uint64_t tick;
        const char *field;
    } cases[] = {
        {bend_command, 777, "battery.megablock2.set_w"},
        {bend_reason, 778, "record.why1.limit"},
        {bend_node, 779, "node.lot1-0004.reason"},
        {bend_reading, 780, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loop_run run = {
            .f = f, .n_ticks = 900, .falsify = cases[i].falsify};
        run_loop(&run);
        struct verify_report report;
        assert_int_equal(verify(f, &report), VERIFY_DIFFERS);
        assert_int_equal(report.tick, cases[i].tick);
        assert_int_equal(report.n_ticks, cases[i].tick - 1);
        if (cases[i].field[0] != '\0') {
            assert_string_equal(report.diff.name, cases[i].field);
        }
        assert_string_not_equal(report.diff.recorded, report.diff.computed);
    }
}

static void test_a_changed_byte_is_damage(void **state)
{
    const struct fixture *f = *state;
    struct loop_run run = {.f = f, .n_ticks = 300};
    run_loop(&run);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->path, &n);
    uint64_t seed = 32;
    print_message("seed %llu, %zu bytes\n", (unsigned long long)seed, n);
    for (int i = 0; i < 40; i++) {
        size_t at = (size_t)(sample_random(&seed) % n);
        bytes[at] ^= (unsigned char)(1u << i % 8);
        sample_write(f->path, bytes, n);
        struct verify_report report;
        assert_int_not_equal(verify(f, &report), VERIFY_SAME);
        assert_true(strlen(report.why) > 0);
        bytes[at] ^= (unsigned char)(1u << i % 8);
    }
    free(bytes);
}

static void test_a_cut_recording_verifies_to_its_last_tick(void **state)
{
    const struct fixture *f = *state;
    struct loop_run run = {.f = f, .n_ticks = 300};
    run_loop(&run);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->path, &n);
    sample_write(f->path, bytes, n - 200);
    free(bytes);
    struct verify_report report;
    assert_int_equal(verify(f, &report), VERIFY_SAME);
    assert_true(report.is_cut);
    assert_in_range(report.n_ticks, 250, 299);
    assert_non_null(strstr(report.why, "cut short"));
}

/* Replace 'n' bytes of the fixed header and make its checksum right again. */
static void rewrite_header(const struct fixture *f, size_t offset,
                           const void *with, size_t n)
{
    size_t size = 0;
    unsigned char *bytes = sample_read(f->path, &size);
    struct recording_fixed fixed;
    unsigned char *at = bytes + sizeof(struct recording_prelude);
    memcpy(at + offset, with, n);
    memcpy(&fixed, at, sizeof(fixed));
    const size_t pieces[] = {sizeof(struct recording_prelude), sizeof(fixed),
                             (size_t)fixed.site_text_size,
                             (size_t)fixed.state_size};
    uint64_t sum = RECORDING_SUM_START;
    unsigned char *p = bytes;
    for (size_t i = 0; i < 4; i++) {
        sum = recording_sum(sum, p, pieces[i]);
        p += pieces[i];
    }
    memcpy(p, &sum, sizeof(sum));
    /* no record: the chain would have to be made anew */
    sample_write(f->path, bytes, (size_t)(p - bytes) + sizeof(sum));
    free(bytes);
}

static void test_what_does_not_fit_is_refused(void **state)
{
    const struct fixture *f = *state;
    const int64_t policy = 99;
    const uint64_t size = 1;
    const struct {
        size_t offset;
        const void *with;
        size_t n;
        const char *why;
    } cases[] = {
        {offsetof(struct recording_fixed, build), "another", 8,
         "another build"},
        {offsetof(struct recording_fixed, policy), &policy, 8, "policy"},
        {offsetof(struct recording_fixed, sizes), &size, 8, "another version"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loop_run run = {.f = f, .n_ticks = 1};
        run_loop(&run);
        rewrite_header(f, cases[i].offset, cases[i].with, cases[i].n);
        struct verify_report report;
        assert_int_equal(verify(f, &report), VERIFY_UNREADABLE);
        if (strstr(report.why, cases[i].why) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", report.why, cases[i].why);
        }
    }
    struct loop_run run = {.f = f, .n_ticks = 1};
    run_loop(&run);
    rewrite_header(f, offsetof(struct recording_fixed, build), "another", 8);
    const struct verify_cfg any = {.path = f->path, .any_build = true};
    struct verify_report report;
    assert_int_equal(verify_recording(&any, &report), VERIFY_SAME);
}

/* Where the state begins, counted from the fixed header. */
static size_t state_offset(const struct fixture *f)
{
    size_t size = 0;
    unsigned char *bytes = sample_read(f->path, &size);
    struct recording_fixed fixed;
    memcpy(&fixed, bytes + sizeof(struct recording_prelude), sizeof(fixed));
    free(bytes);
    return sizeof(fixed) + (size_t)fixed.site_text_size;
}

static void test_a_state_that_was_made_up_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct loop_run run = {.f = f, .n_ticks = 1};
    run_loop(&run);
    const int64_t huge = INT64_MAX / 2;
    rewrite_header(f, state_offset(f), &huge, sizeof(huge));
    struct verify_report report;
    assert_int_equal(verify(f, &report), VERIFY_UNREADABLE);
    assert_non_null(strstr(report.why, "first state"));
}

static void test_other_files_are_refused(void **state)
{
    (void)state;
    const char *const paths[] = {"/nonexistent", "/tmp", "ballast.c",
                                 "/dev/null"};
    for (size_t i = 0; i < 4; i++) {
        const struct verify_cfg cfg = {.path = paths[i]};
        struct verify_report report;
        assert_int_equal(verify_recording(&cfg, &report), VERIFY_UNREADABLE);
        assert_true(strlen(report.why) > 0);
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_every_policy_comes_out_again),
        CASE(test_a_changed_value_is_told_by_name),
        CASE(test_a_changed_byte_is_damage),
        CASE(test_a_cut_recording_verifies_to_its_last_tick),
        CASE(test_what_does_not_fit_is_refused),
        CASE(test_a_state_that_was_made_up_is_refused),
        cmocka_unit_test(test_other_files_are_refused),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
