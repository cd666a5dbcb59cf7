/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/reel and controller/step/checkpoint: a long run is
 * recorded in parts that each verify, together they stay within their bound,
 * and a state that was bent does no harm. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/reel.h"
#include "controller/site_file.h"
#include "controller/step/checkpoint.h"
#include "models/random.h"
#include "replay/verify.h"
#include "tests/controller/history_sample.h"
#include "tests/replay/loop_sample.h"

static const char site_path[] = "replay/sites/demo.yaml";
static const int64_t start_ms = INT64_C(1790000000000); /* 14:13:20 UTC */

struct fixture {
    char *text;
    size_t text_size;
    struct site *site;
    char folder[64];
    char path[96];
    struct loop_sample loop;
    struct reel *reel;
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

static void begin(struct fixture *f, double bytes_max, double keep_s,
                  int64_t utc_ms)
{
    loop_sample_open(&f->loop, f->site, POLICY_BALLAST, utc_ms);
    struct reel_cfg cfg = {
        .path = f->path,
        .head = {.site_text = f->text,
                 .site_text_size = f->text_size,
                 .policy = POLICY_BALLAST,
                 .state = f->loop.state,
                 .state_size = step_state_size(f->loop.cfg)},
        .site = f->site,
        .bytes_max = bytes_max,
        .keep_s = keep_s,
        .utc_ms = utc_ms,
    };
    snprintf(cfg.head.site_path, sizeof(cfg.head.site_path), "%s", site_path);
    char why[300] = "";
    if (reel_open(&cfg, &f->reel, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
}

static void tick(struct fixture *f, int n)
{
    struct loop_sample *l = &f->loop;
    for (int i = 0; i < n; i++) {
        loop_sample_next(l);
        assert_int_equal(reel_tick(f->reel, l->in, &l->plan, l->out), ERR_NONE);
    }
}

static void end(struct fixture *f)
{
    assert_int_equal(reel_close(f->reel), ERR_NONE);
    loop_sample_close(&f->loop);
}

/* What lies in the folder under the name of the recording. */
struct parts_found {
    int n;
    double bytes;
    uint64_t n_ticks; /* that verify */
};

static void verify_part(const char *path, struct parts_found *found)
{
    const struct verify_cfg cfg = {.path = path};
    struct verify_report report;
    enum verify_result result = verify_recording(&cfg, &report);
    if (result != VERIFY_SAME || report.is_cut) {
        fail_msg("%s: %d, %s %s", path, (int)result, report.why,
                 report.diff.name);
    }
    found->n_ticks += report.n_ticks;
}

static struct parts_found look(const struct fixture *f, bool verify)
{
    struct parts_found found = {0};
    DIR *d = opendir(f->folder);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[400];
        struct stat st;
        snprintf(path, sizeof(path), "%s/%s", f->folder, e->d_name);
        if (strncmp(e->d_name, "a.rec", 5) != 0 || stat(path, &st) != 0) {
            continue;
        }
        found.n++;
        found.bytes += (double)st.st_size;
        if (verify) {
            verify_part(path, &found);
        }
    }
    closedir(d);
    return found;
}

static bool there(const struct fixture *f, const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    return access(path, F_OK) == 0;
}

static void put(const struct fixture *f, const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    sample_write(path, "x", 1);
}

/* A part is full after some hundred ticks: header and state are most of it. */
static double small_max(const struct fixture *f)
{
    struct step_cfg *cfg = malloc(step_cfg_size());
    assert_int_equal(step_cfg_init(cfg, f->site, POLICY_BALLAST), ERR_NONE);
    double state = (double)step_state_size(cfg);
    free(cfg);
    return 8.0 * (state + 150e3);
}

static void test_every_part_verifies_alone(void **state)
{
    struct fixture *f = *state;
    begin(f, 100.0 * small_max(f), 86400.0, start_ms);
    end(f);
    /* the empty one of an earlier run was set aside */
    begin(f, small_max(f), 86400.0, start_ms);
    tick(f, 200);
    end(f);
    struct parts_found found = look(f, true);
    assert_true(found.n >= 4);
    assert_int_equal(found.n_ticks, 200);
}

static void test_all_parts_stay_within_their_bound(void **state)
{
    struct fixture *f = *state;
    static const char *const others[] = {
        "a.rec.1", "a.rec.20260101T000000", "a.rec.20260101T000000Z.gz",
        "a.rec.2026-01-01", "b.rec.20260101T000000Z"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        put(f, others[i]);
    }
    double max = small_max(f);
    begin(f, max, 86400.0, start_ms);
    for (int i = 0; i < 30; i++) {
        tick(f, 100);
        assert_true(look(f, false).bytes <= max + 1e5);
    }
    end(f);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (!there(f, others[i])) {
            fail_msg("%s is gone", others[i]);
        }
        char path[200];
        snprintf(path, sizeof(path), "%s/%s", f->folder, others[i]);
        unlink(path);
    }
    struct parts_found found = look(f, true);
    assert_true(found.n >= 4);
    assert_true(found.n_ticks > 150 && found.n_ticks < 3000);
}

static void test_a_day_ends_a_part_and_old_ones_go(void **state)
{
    struct fixture *f = *state;
    put(f, "a.rec.20260915T120000Z");
    put(f, "a.rec.20260921T120000Z");
    begin(f, 1e9, 3.0 * 86400.0, INT64_C(1790035195000)); /* 23:59:55 */
    assert_false(there(f, "a.rec.20260915T120000Z"));
    assert_true(there(f, "a.rec.20260921T120000Z"));
    tick(f, 100);
    assert_true(there(f, "a.rec.20260921T235959Z"));
    assert_true(there(f, "a.rec"));
    assert_true(reel_drop_oldest(f->reel));
    assert_false(there(f, "a.rec.20260921T120000Z"));
    assert_true(reel_drop_oldest(f->reel));
    assert_false(reel_drop_oldest(f->reel)); /* never the one under way */
    end(f);
    assert_int_equal(look(f, true).n, 1);
}

static void test_a_clock_far_ahead_takes_two_parts(void **state)
{
    struct fixture *f = *state;
    static const char *const parts[] = {
        "a.rec.20260915T120000Z", "a.rec.20260916T120000Z",
        "a.rec.20260917T120000Z", "a.rec.20260918T120000Z"};
    for (int i = 0; i < 4; i++) {
        put(f, parts[i]);
    }
    begin(f, 1e9, 3.0 * 86400.0, start_ms + INT64_C(400) * 86400000);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(there(f, parts[i]), i >= 2);
    }
    end(f);
}

static void test_what_is_no_file_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->path, 0700), 0);
    struct step_cfg *step = malloc(step_cfg_size());
    assert_int_equal(step_cfg_init(step, f->site, POLICY_BALLAST), ERR_NONE);
    void *first = calloc(1, step_state_size(step));
    struct reel_cfg cfg = {
        .path = f->path,
        .head = {.site_text = "",
                 .state = first,
                 .state_size = step_state_size(step)},
        .site = f->site,
        .bytes_max = 1e9,
        .keep_s = 86400.0,
    };
    char why[300] = "";
    assert_int_equal(reel_open(&cfg, &f->reel, why, sizeof(why)), ERR_IO);
    assert_non_null(strstr(why, "not a plain file"));
    cfg.head.state_size = 16;
    assert_int_equal(reel_open(&cfg, &f->reel, why, sizeof(why)), ERR_MISMATCH);
    assert_int_equal(rmdir(f->path), 0);
    free(first);
    free(step);
}

/* Whatever was bent: it is refused, or the step goes on from it unharmed. */
static void test_a_bent_state_does_no_harm(void **state)
{
    struct fixture *f = *state;
    struct loop_sample l;
    loop_sample_open(&l, f->site, POLICY_BALLAST, start_ms);
    for (int i = 0; i < 700; i++) {
        loop_sample_next(&l);
    }
    assert_true(checkpoint_valid(l.cfg, l.state));
    size_t size = step_state_size(l.cfg);
    unsigned char *good = malloc(size);
    memcpy(good, l.state, size);
    uint64_t seed = random_seed(17);
    int n_refused = 0;
    static const uint64_t words[] = {0,
                                     UINT64_MAX,
                                     INT64_MAX,
                                     UINT64_C(0x8000000000000000),
                                     UINT64_C(0x7FF8000000000000),
                                     UINT64_C(0x7FF0000000000000),
                                     UINT64_C(0x7FE0000000000000),
                                     4096,
                                     8192,
                                     1000000};
    enum { ROUNDS = 3000, KINDS = sizeof(words) / sizeof(words[0]) };
    print_message("seed 17\n");
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(l.state, good, size);
        size_t at = (size_t)random_draw(&seed, 0.0, (double)size / 8.0) * 8;
        int kind = (int)random_draw(&seed, 0.0, KINDS);
        memcpy((unsigned char *)l.state + at, &words[kind], 8);
        if (!checkpoint_valid(l.cfg, l.state)) {
            n_refused++;
            continue;
        }
        for (int k = 0; k < 3; k++) {
            step(l.cfg, l.state, l.scratch, l.in, &l.plan, l.out);
        }
    }
    print_message("%d of %d refused\n", n_refused, ROUNDS);
    assert_in_range(n_refused, ROUNDS / 8, ROUNDS);
    free(good);
    loop_sample_close(&l);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_every_part_verifies_alone),
        CASE(test_all_parts_stay_within_their_bound),
        CASE(test_a_day_ends_a_part_and_old_ones_go),
        CASE(test_a_clock_far_ahead_takes_two_parts),
        CASE(test_what_is_no_file_is_refused),
        CASE(test_a_bent_state_does_no_harm),
    };
    return cmocka_run_group_tests_name("reel", tests, NULL, NULL);
}
