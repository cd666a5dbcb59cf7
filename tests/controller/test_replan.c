/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/replan and controller/plan_words: when a plan is due,
 * how steady plans are, why one is not the best. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/plan_words.h"
#include "controller/replan.h"
#include "models/schedule.h"
#include "policies/ladder.h"
#include "tests/site_fixture.h"

struct world {
    struct site *site;
    struct snapshot *in;
    struct replan replan;
};

static struct world begin(void)
{
    struct world w = {.site = fixture_site(2, 1, 0)};
    w.in = calloc(1, snapshot_size(0));
    assert_non_null(w.in);
    w.site->control.period_s = 1.0;
    w.site->n_prices = 1;
    w.in->utc_ms = 1763683200000;
    w.in->dt_s = 1.0;
    w.in->mono_ms = 1000;
    struct price_in *p = &w.in->prices[0];
    *p = (struct price_in){.start_at_ms = w.in->utc_ms,
                           .step_s = 3600.0,
                           .n_slots = 24,
                           .mono_ms = 1000,
                           .expires_at_ms = INT64_MAX};
    for (int i = 0; i < 24; i++) {
        p->per_kwh[i] = 0.01 * i;
    }
    w.in->batteries[0].flags = BATTERY_READY;
    w.in->batteries[1].flags = BATTERY_READY;
    replan_init(&w.replan);
    return w;
}

static void finish(struct world *w)
{
    free(w->site);
    free(w->in);
}

/* Seconds until a plan is due, at most 'most'. */
static int wait(struct world *w, int most)
{
    for (int s = 1; s <= most; s++) {
        w->in->utc_ms += 1000;
        w->in->mono_ms += 1000;
        if (replan_due(&w->replan, w->site, w->in, false)) {
            return s;
        }
    }
    return -1;
}

static void due_every_five_minutes(void **state)
{
    (void)state;
    struct world w = begin();
    assert_int_equal(wait(&w, 10), 1);
    assert_int_equal(w.replan.causes, 1u << PLAN_BY_START);
    assert_int_equal(wait(&w, 400), 300);
    assert_int_equal(w.replan.causes, 1u << PLAN_BY_TIME);
    assert_int_equal(wait(&w, 400), 300);
    w.in->mono_ms += 1000;
    w.replan.age_s = 1000.0;
    assert_false(replan_due(&w.replan, w.site, w.in, true)); /* under way */
    assert_true(replan_due(&w.replan, w.site, w.in, false));
    finish(&w);
}

/* Once: a plan of the solver, or one that no clock stopped, is as good as the
 * next one. */
static void a_plan_that_was_cut_short_is_made_again_soon(void **state)
{
    (void)state;
    static const struct {
        enum plan_status status;
        int64_t cut;
        int want_s;
    } rows[] = {
        {PLAN_HEURISTIC, 1, 20},  {PLAN_RULE, 1, 20},
        {PLAN_SHIFTED, 1, 20},    {PLAN_FEASIBLE, 1, 300},
        {PLAN_HEURISTIC, 0, 300},
    };
    struct world w = begin();
    struct plan *plan = calloc(1, sizeof(*plan));
    assert_int_equal(wait(&w, 10), 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        plan->status = rows[i].status;
        plan->cut = rows[i].cut;
        replan_enter(&w.replan, plan);
        assert_int_equal(wait(&w, 400), rows[i].want_s);
        assert_int_equal(w.replan.causes, 1u << PLAN_BY_TIME);
        assert_int_equal(wait(&w, 400), 300);
    }
    free(plan);
    finish(&w);
}

static void told_again_is_no_event(void **state)
{
    (void)state;
    struct world w = begin();
    assert_int_equal(wait(&w, 10), 1);
    w.in->prices[0].mono_ms = 2000;
    assert_int_equal(wait(&w, 100), -1);
    finish(&w);
}

static void what_happens_is_planned_for(void **state)
{
    (void)state;
    static const enum plan_cause by[] = {
        PLAN_BY_PRICE,       PLAN_BY_PRICE, PLAN_BY_PRICE, PLAN_BY_BATTERY,
        PLAN_BY_INSTRUCTION, PLAN_BY_JOB,   PLAN_BY_JOB,
    };
    for (int what = 0; what < 8; what++) {
        struct world w = begin();
        assert_int_equal(wait(&w, 10), 1);
        assert_int_equal(wait(&w, 20), -1);
        switch (what) {
        case 0: /* the next day is published */
            w.in->prices[0].n_slots = 48;
            w.in->prices[0].mono_ms = 3000;
            break;
        case 1: /* a price is corrected */
            w.in->prices[0].per_kwh[9] = 0.5;
            w.in->prices[0].mono_ms = 3000;
            break;
        case 2: /* the one in force is another */
            w.in->prices[0].per_kwh[0] = 0.5;
            break;
        case 3:
            w.in->batteries[1].flags = 0;
            break;
        case 4:
            strcpy(w.in->utility[7].id, "cap");
            break;
        case 5:
            w.in->jobs[3] = (struct job_in){.seq = 9, .event = JOB_START};
            break;
        case 6:
            w.in->jobs[3] = (struct job_in){.seq = 9, .event = JOB_STOP};
            break;
        default: /* an iteration's phase is none of these */
            w.in->jobs[3] = (struct job_in){.seq = 9, .event = JOB_PHASE};
            break;
        }
        assert_int_equal(wait(&w, 60), what < 7 ? 1 : -1);
        assert_int_equal(w.replan.causes, what < 7 ? UINT64_C(1) << by[what]
                                                   : 1u << PLAN_BY_START);
        w.in->batteries[0].flags = 0; /* not again within five seconds */
        assert_int_equal(wait(&w, 60), what < 7 ? 5 : 1);
        finish(&w);
    }
}

/* When it is announced, and when its load shows. */
static void a_job_is_planned_for_twice(void **state)
{
    (void)state;
    struct world w = begin();
    assert_int_equal(wait(&w, 10), 1);
    assert_int_equal(wait(&w, 20), -1);
    w.in->jobs[3] = (struct job_in){
        .seq = 9, .event = JOB_START, .at_ms = w.in->utc_ms + 30000};
    assert_int_equal(wait(&w, 60), 1);
    assert_int_equal(wait(&w, 200), 89);
    assert_int_equal(w.replan.causes, 1u << PLAN_BY_JOB);
    assert_int_equal(wait(&w, 200), -1);
    finish(&w);
}

static void turns_are_counted(void **state)
{
    (void)state;
    static const double w[] = {0.0, 5e6, 0.0, 1e4, 6e6, -5e6, 0.0, -1e6, 9e6};
    struct site *site = fixture_site(2, 1, 0);
    struct plan_tally t = {0};
    assert_true(isnan(plan_tally_turns_per_day(&t)));
    for (size_t i = 0; i < sizeof(w) / sizeof(w[0]); i++) {
        plan_tally_tick(&t, site, w[i], 4800.0);
    }
    assert_int_equal(t.n_turns, 2);
    assert_true(fabs(plan_tally_turns_per_day(&t) - 4.0) < 1e-9);
    struct plan *plan = calloc(1, sizeof(*plan));
    plan->status = PLAN_SHIFTED;
    plan->cut = 1;
    plan->causes = 1u << PLAN_BY_JOB | 1u << PLAN_BY_PRICE;
    plan_tally_enter(&t, plan);
    assert_int_equal(t.n[PLAN_SHIFTED], 1);
    assert_int_equal(t.n_cut, 1);
    assert_int_equal(t.n_by[PLAN_BY_JOB], 1);
    assert_int_equal(t.n_by[PLAN_BY_TIME], 0);
    char causes[64];
    plan_causes_text(plan->causes, causes, sizeof(causes));
    assert_string_equal(causes, "price, job");
    free(plan);
    free(site);
}

static void words_say_why(void **state)
{
    (void)state;
    struct plan *plan = calloc(1, sizeof(*plan));
    char text[512];
    plan->n_slots = 2;
    plan->step_s[0] = 900.0;
    plan->step_s[1] = 900.0;
    plan->n_tries = 1;
    plan->tries[0] = (struct plan_try){PLAN_OPTIMAL, LADDER_TAKEN, 0};
    plan_why_text(plan, text, sizeof(text));
    assert_string_equal(text, "");
    plan->n_tries = 3;
    plan->tries[0] = (struct plan_try){PLAN_FEASIBLE, LADDER_TOO_LATE, 0};
    plan->tries[1] = (struct plan_try){PLAN_HEURISTIC, LADDER_REFUSED,
                                       SCHEDULE_FAULT_BALANCE};
    plan->tries[2] = (struct plan_try){PLAN_SHIFTED, LADDER_TAKEN, 0};
    plan->cut = 1;
    plan_why_text(plan, text, sizeof(text));
    assert_string_equal(
        text, "FEASIBLE: time was up; HEURISTIC: the check refused it, grid "
              "power is not the sum of the rest; time was up");
    char small[12];
    plan_why_text(plan, small, sizeof(small));
    assert_string_equal(small, "FEASIBLE: t");
    plan->n_violations = 1;
    plan->violations[0] =
        (struct plan_violation){SCHEDULE_IMPORT, -1, 1, 2.1e6};
    plan_violation_text(plan, 0, text, sizeof(text));
    assert_string_equal(text, "import by 2.10 MW, 15 min after its start");
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_every_five_minutes),
        cmocka_unit_test(a_plan_that_was_cut_short_is_made_again_soon),
        cmocka_unit_test(told_again_is_no_event),
        cmocka_unit_test(what_happens_is_planned_for),
        cmocka_unit_test(a_job_is_planned_for_twice),
        cmocka_unit_test(turns_are_counted),
        cmocka_unit_test(words_say_why),
    };
    return cmocka_run_group_tests_name("replan", tests, NULL, NULL);
}
