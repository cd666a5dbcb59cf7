/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/reserve: which announced jump is answered before
 * the load shows it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/loop_fixture.h"

static const double HIGH_W = 120e6;
static const double LOW_W = 90e6;

/* A load that dips for 3 of 10 s, and ends at 'now_w'. */
static struct loop_fixture after_dips(double now_w)
{
    struct loop_fixture f =
        loop_open(fixture_site(10, 20, 0), POLICY_BALLAST, HIGH_W);
    for (int k = 0; k < 600; k++) {
        loop_tick(&f, k % 100 < 70 ? HIGH_W : LOW_W);
    }
    for (int k = 0; k < 20; k++) {
        loop_tick(&f, now_w);
    }
    loop_observe(&f);
    return f;
}

static void mark(struct loop_fixture *f, enum job_event event, double by_w)
{
    f->in->jobs[0] = (struct job_in){.seq = 1,
                                     .pod = -1,
                                     .event = (int64_t)event,
                                     .at_ms = f->in->utc_ms,
                                     .power_from_w = 100e6,
                                     .power_to_w = 100e6 + by_w};
}

static void due_is_what_the_load_does_not_show_yet(void **state)
{
    (void)state;
    static const struct {
        double load_w;
        enum job_event event;
        double by_w;
        double due_w;
    } rows[] = {
        {HIGH_W, JOB_PHASE, -30e6, -30e6},
        {LOW_W, JOB_PHASE, 30e6, 30e6},
        {HIGH_W, JOB_PHASE, -20e6, -20e6},
        /* the load is in that dip already, or out of it */
        {LOW_W, JOB_CHECKPOINT_START, -30e6, 0.0},
        {HIGH_W, JOB_CHECKPOINT_END, 30e6, 0.0},
        /* a job that ends or begins leads to where no load was of late */
        {LOW_W, JOB_STOP, -30e6, -30e6},
        {HIGH_W, JOB_START, 30e6, 30e6},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loop_fixture f = after_dips(rows[i].load_w);
        mark(&f, rows[i].event, rows[i].by_w);
        double due_w = edges_due_w(f.cfg, f.state, f.scratch, f.in);
        if (fabs(due_w - rows[i].due_w) > 0.1e6) {
            fail_msg("row %zu: %.2f MW", i, due_w / 1e6);
        }
        f.in->jobs[0].at_ms -= 1; /* it shows */
        assert_true(fabs(edges_due_w(f.cfg, f.state, f.scratch, f.in)) < 1.0);
        loop_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_is_what_the_load_does_not_show_yet),
    };
    return cmocka_run_group_tests_name("due", tests, NULL, NULL);
}
