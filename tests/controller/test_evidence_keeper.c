/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/evidence_keeper and controller/witness_ring: what is
 * told gets into the log, a disk that refuses leaves a gap that is told, sums
 * outlive a run. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "controller/evidence_keeper.h"
#include "tests/controller/evidence_sample.h"

static struct witness_ring ring;
static struct witness witness;
static struct site *site;

static void begin(void)
{
    site = sample_site();
    witness_init(&witness, &site->grid, 0.1);
    assert_int_equal(witness_ring_init(&ring), ERR_NONE);
}

static void end(void)
{
    witness_ring_clear(&ring);
    free(site);
}

static struct evidence_keeper *open_keeper(const char *path,
                                           struct historian *h)
{
    const struct evidence_keeper_cfg cfg = {
        .writer = {.site = site, .mode = "run", .detail = ""},
        .path = path,
        .ring = &ring,
        .historian = h,
        .utc_ms = EVIDENCE_SAMPLE_MS,
    };
    struct evidence_keeper *k = NULL;
    char why[1024] = "";
    assert_int_equal(evidence_keeper_open(&cfg, &k, why, sizeof(why)),
                     ERR_NONE);
    return k;
}

/* Minutes from 'from' up to, not including, 'to' into the ring. */
static void live(int from, int to)
{
    for (int64_t k = 600 * (int64_t)from; k < 600 * (int64_t)to; k++) {
        struct witness_in in = {.at_ms = EVIDENCE_SAMPLE_MS / 60000 * 60000 +
                                         100 * k,
                                .grid_w = 1e6,
                                .load_w = 1e6,
                                .import_max_w = 2e6,
                                .metered = 1};
        witness_push(&witness, &in);
        witness_ring_push(&ring, &witness);
    }
}

/* Until 'failing' and 'n' lines are reported, 10 s at most. */
static void wait_for(struct evidence_keeper *k, bool failing, int64_t n)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct evidence_counts c;
    for (int i = 0; i < 500; i++) {
        evidence_keeper_counts(k, &c);
        if (c.failing == failing && c.last.n >= n) {
            return;
        }
        nanosleep(&pause, NULL);
    }
    print_message("failing %d, n %lld: %s\n", c.failing, (long long)c.last.n,
                  c.last_error);
    fail();
}

static void test_what_is_told_is_written(void **state)
{
    const struct evidence_sample *f = *state;
    begin();
    struct evidence_keeper *k = open_keeper(f->path, NULL);
    live(0, 4);
    wait_for(k, false, 4);
    struct evidence_counts c;
    evidence_keeper_counts(k, &c);
    assert_int_equal(c.totals.minutes, 3);
    assert_true(c.totals.seen_s > 179.0 && c.totals.seen_s < 181.0);
    evidence_keeper_close(k, "test");
    struct evidence_check check;
    assert_int_equal(evidence_sample_check(f->path, &check), EVIDENCE_WHOLE);
    assert_int_equal(check.n_minutes, 3);
    assert_true(check.stopped);
    end();
}

static void test_a_full_disk_leaves_a_gap_that_is_told(void **state)
{
    const struct evidence_sample *f = *state;
    begin();
    struct evidence_keeper *k = open_keeper(f->path, NULL);
    live(0, 2);
    wait_for(k, false, 2);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was;
    getrlimit(RLIMIT_FSIZE, &was);
    struct rlimit full = {.rlim_cur = 100, .rlim_max = was.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    live(2, 5);
    wait_for(k, true, 0);
    setrlimit(RLIMIT_FSIZE, &was);
    wait_for(k, false, 3);
    live(5, 6);
    wait_for(k, false, 4);
    struct evidence_counts c;
    evidence_keeper_counts(k, &c);
    assert_int_equal(c.n_lost, 3);
    evidence_keeper_close(k, "test");
    struct evidence_check check;
    assert_int_equal(evidence_sample_check(f->path, &check), EVIDENCE_WHOLE);
    assert_int_equal(check.n_gaps, 1);
    assert_int_equal(check.n_minutes, 2);
    assert_int_equal(check.n_torn, 0);
    end();
}

static void test_sums_outlive_a_run(void **state)
{
    const struct evidence_sample *f = *state;
    char db[128];
    snprintf(db, sizeof(db), "%s/h.db", f->folder);
    begin();
    for (int run = 1; run <= 2; run++) {
        const struct historian_cfg cfg = {
            .site = site,
            .site_text = "",
            .site_path = "sample.yaml",
            .db_path = db,
            .state = "",
            .utc_ms = EVIDENCE_SAMPLE_MS,
        };
        struct historian *h = NULL;
        char why[300] = "";
        assert_int_equal(historian_open(&cfg, &h, why, sizeof(why)), ERR_NONE);
        struct evidence_keeper *k = open_keeper(f->path, h);
        live(3 * run, 3 * run + 3);
        wait_for(k, false, run == 1 ? 3 : 8);
        struct evidence_counts c;
        evidence_keeper_counts(k, &c);
        assert_int_equal(c.totals.minutes, run == 1 ? 2 : 5);
        evidence_keeper_close(k, "test");
        historian_close(h);
    }
    end();
}

static void test_a_full_ring_drops_and_counts(void **state)
{
    (void)state;
    begin();
    live(0, WITNESS_RING_SLOTS + 11);
    assert_int_equal(witness_ring_dropped(&ring), 10);
    struct witness_event e;
    int n = 0;
    while (witness_ring_pop(&ring, &e)) {
        n++;
    }
    assert_int_equal(n, WITNESS_RING_SLOTS);
    end();
}

int main(void)
{
#define CASE(f)                                               \
    cmocka_unit_test_setup_teardown(f, evidence_sample_setup, \
                                    evidence_sample_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_what_is_told_is_written),
        CASE(test_a_full_disk_leaves_a_gap_that_is_told),
        CASE(test_sums_outlive_a_run),
        CASE(test_a_full_ring_drops_and_counts),
    };
    return cmocka_run_group_tests_name("evidence_keeper", tests, NULL, NULL);
}
