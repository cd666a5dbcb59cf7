/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/carry with work that waits: a restart knows of it,
 * and one that does not finds out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/step/carry.h"
#include "tests/controller/step/queue_fixture.h"

static const double GAP_S = 120.0;

static unsigned char blob[CARRY_SIZE_MAX];

static int64_t unit_of(const struct bench *b)
{
    int64_t unit = carry_find(b->f.cfg, "queue.training");
    assert_int_equal(unit, carry_units(b->f.cfg) - 1);
    assert_false(carry_is_slow(b->f.cfg, unit));
    return unit;
}

/* Half an hour in which 30 MW were held back. */
static size_t work_and_save(struct bench *b)
{
    begin(b, 8.0 * 3600.0);
    run(b, 900, DEMAND_W);
    *budget_w(b) = 70e6;
    run(b, 1800, DEMAND_W);
    assert_true(waiting_wh(b) > 10e6);
    struct carry_now now = {.mono_ms = b->f.in->mono_ms,
                            .utc_ms = b->f.in->utc_ms};
    size_t size = carry_save(b->f.cfg, b->f.state, unit_of(b), &now, blob);
    carry_seal(blob, size);
    return size;
}

/* The controller begins anew; the site stays as it is. */
static void restart(struct bench *b)
{
    step_state_init(b->f.cfg, b->f.state);
    memset(b->f.in->jobs, 0, sizeof(b->f.in->jobs));
    *budget_w(b) = INFINITY;
}

static void assert_all_is_done(struct bench *b)
{
    run(b, 3 * 3600, DEMAND_W);
    print_message("%.3f of the ramp, %.3f MWh left\n", b->steepest_pu,
                  waiting_wh(b) / 1e6);
    assert_true(b->steepest_pu < 1.01);
    assert_true(waiting_wh(b) < 1e5);
    assert_true(lost_wh(b) <= 0.0);
    assert_int_equal(b->f.state->queues[0].behind, 0);
}

static void a_restart_knows_what_waits(void **state)
{
    (void)state;
    struct bench b;
    size_t size = work_and_save(&b);
    struct queue was = b.f.state->queues[0];
    restart(&b);
    struct carry_now later = {
        .mono_ms = 7000, .utc_ms = b.f.in->utc_ms + (int64_t)(GAP_S * 1e3)};
    assert_int_equal(
        carry_load(b.f.cfg, b.f.state, unit_of(&b), &later, blob, size),
        CARRY_TAKEN);
    const struct queue *q = &b.f.state->queues[0];
    assert_true(fabs(q->waits.wh - was.waits.wh) < 1.0);
    double before_s = backlog_age_s(&was.waits, 8.0 * 3600.0);
    double after_s = backlog_age_s(&q->waits, 8.0 * 3600.0);
    assert_true(fabs(after_s - before_s - GAP_S) < 1.0);
    assert_int_equal(q->behind, 1);
    assert_all_is_done(&b);
    loop_close(&b.f);
}

static void one_that_does_not_know_finds_out(void **state)
{
    (void)state;
    struct bench b;
    (void)work_and_save(&b);
    restart(&b);
    assert_int_equal(b.f.state->queues[0].behind, 0);
    assert_all_is_done(&b);
    loop_close(&b.f);
}

static void impossible_work_is_refused(void **state)
{
    (void)state;
    struct bench b;
    size_t size = work_and_save(&b);
    struct queue good;
    unsigned char *at = blob + size - sizeof(good);
    memcpy(&good, at, sizeof(good));
    struct queue bad[] = {good, good, good, good};
    bad[0].waits.wh = -1.0;
    bad[1].usual_w = 1e300;
    bad[2].usual_w = -1.0;
    bad[3].behind = 2;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(at, &bad[i], sizeof(bad[i]));
        carry_seal(blob, size);
        restart(&b);
        struct carry_now later = {.mono_ms = 7000, .utc_ms = b.f.in->utc_ms};
        assert_int_equal(
            carry_load(b.f.cfg, b.f.state, unit_of(&b), &later, blob, size),
            CARRY_IMPOSSIBLE);
        assert_int_equal(b.f.state->queues[0].behind, 0);
    }
    loop_close(&b.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_knows_what_waits),
        cmocka_unit_test(one_that_does_not_know_finds_out),
        cmocka_unit_test(impossible_work_is_refused),
    };
    return cmocka_run_group_tests_name("carry_queue", tests, NULL, NULL);
}
