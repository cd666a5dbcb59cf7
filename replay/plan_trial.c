/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/plan_trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "controller/cli.h"
#include "policies/ladder.h"
#include "replay/plan_random.h"

enum { STEPS = 96, BATTERIES = 8, SHOWN_MAX = 10 };

static const double gap_limits_pu[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1};
enum { LIMITS = sizeof(gap_limits_pu) / sizeof(gap_limits_pu[0]) };

struct trial {
    struct ladder ladder;
    struct schedule_problem problem;
    struct schedule answer;
    struct ladder_memory memory;
    long n_solved;  /* the linear programme, to 1e-6 */
    long n_relaxed; /* of so many */
    long n_apart;   /* whose answer is farther from the bound */
    double widest_relaxed_pu;
    double sum_s;
    double most_s;
    long most_s_seed;
    long n_refused;
    long n_no_number;
    long n_over; /* the budget */
    long n_violated;
    long n_proven[2]; /* [below a price of 0]: of those that can be met */
    long n_met[2];
    long n_status[PLAN_STATUS_COUNT];
    long n_gap[LIMITS + 1]; /* of those that can be met and are not proven */
    int64_t most_iterations;
    double widest_pu;
    long widest_seed;
};

static bool below_zero(const struct schedule_problem *p)
{
    for (int64_t t = 0; t < p->n_steps; t++) {
        if (fmin(p->import_per_kwh[t], p->export_per_kwh[t]) < 0.0) {
            return true;
        }
    }
    return false;
}

static void count_gap(struct trial *t, long seed)
{
    const struct schedule *s = &t->answer;
    int below = below_zero(&t->problem) ? 1 : 0;
    t->n_met[below]++;
    if (s->gap_pu <= gap_limits_pu[0]) {
        t->n_proven[below]++;
        return;
    }
    int k = 1;
    while (k < LIMITS && !(s->gap_pu <= gap_limits_pu[k])) {
        k++;
    }
    t->n_gap[k]++;
    if (!(s->gap_pu <= t->widest_pu)) {
        t->widest_pu = s->gap_pu;
        t->widest_seed = seed;
    }
}

static void count_relaxed(struct trial *t)
{
    const struct schedule *s = &t->answer;
    if (isnan(s->relaxed_gap_pu)) {
        return;
    }
    bool solved = s->relaxed_gap_pu <= gap_limits_pu[0];
    t->n_relaxed++;
    t->n_solved += solved;
    t->n_apart += solved && !(s->gap_pu <= gap_limits_pu[0]);
    t->widest_relaxed_pu = fmax(t->widest_relaxed_pu, s->relaxed_gap_pu);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count_time(struct trial *t, long seed, double s)
{
    t->sum_s += s;
    if (s > t->most_s) {
        t->most_s = s;
        t->most_s_seed = seed;
    }
}

static void one(struct trial *t, long seed, int iterations)
{
    static const struct plan_random may = {.n_steps_max = STEPS,
                                           .n_batteries_max = BATTERIES};
    plan_random((uint64_t)seed, &may, &t->problem);
    struct ladder_request r = {.problem = &t->problem,
                               .budget = {.n_iterations = iterations}};
    int64_t most = iterations > 0 ? iterations : SCHEDULE_ITERATIONS_MAX;
    ladder_init(&t->ladder, &t->memory);
    double before_s = now_s();
    ladder_solve(&t->ladder, &r, &t->answer);
    count_time(t, seed, now_s() - before_s);
    count_relaxed(t);
    const struct schedule *s = &t->answer;
    struct schedule_verdict v;
    if (!schedule_check(&t->problem, s, &v)) {
        t->n_no_number += v.fault == SCHEDULE_FAULT_FINITE;
        if (t->n_refused++ < SHOWN_MAX) {
            cli_error("plan", "seed %ld: %s", seed,
                      schedule_fault_text(v.fault));
        }
    }
    t->n_over += s->n_iterations > most;
    t->most_iterations = s->n_iterations > t->most_iterations
                             ? s->n_iterations
                             : t->most_iterations;
    t->n_status[s->status]++;
    t->n_violated += s->n_violations > 0;
    if (s->n_violations == 0) {
        count_gap(t, seed);
    }
}

static void print(const struct trial *t, const struct plan_trial *trial)
{
    long n = trial->n;
    printf("%ld random problems, seeds %ld to %ld, 1 to %d batteries, up to %d "
           "steps\n\n",
           n, trial->first_seed, trial->first_seed + n - 1, BATTERIES, STEPS);
    for (int s = 0; s < PLAN_STATUS_COUNT; s++) {
        if (t->n_status[s] > 0) {
            printf("  %-34s %8ld\n", plan_status_name((enum plan_status)s),
                   t->n_status[s]);
        }
    }
    printf("  %-34s %8ld\n", "refused by the check", t->n_refused);
    printf("  %-34s %8ld\n", "with a number that is none", t->n_no_number);
    printf("  %-34s %8ld\n", "over the iteration budget", t->n_over);
    printf("  %-34s %8lld\n", "most iterations", (long long)t->most_iterations);
    printf("  %-34s %8ld\n", "cannot be met (violations told)", t->n_violated);
    printf("\nthe linear programme (a battery may charge and discharge at "
           "once)\n");
    printf("  %-34s %8ld of %ld\n", "solved to 1e-6", t->n_solved,
           t->n_relaxed);
    printf("  %-34s %8.2g\n", "widest gap", t->widest_relaxed_pu);
    printf("  %-34s %8ld\n", "solved, answer not proven to 1e-6", t->n_apart);
    printf("\nanswers (one at a time) of those that can be met, within 1e-6 of "
           "the optimum\n");
    printf("  %-34s %8ld of %ld\n", "no price below 0", t->n_proven[0],
           t->n_met[0]);
    printf("  %-34s %8ld of %ld\n", "prices below 0", t->n_proven[1],
           t->n_met[1]);
    for (int k = 1; k < LIMITS; k++) {
        printf("  gap up to %-24g %8ld\n", gap_limits_pu[k], t->n_gap[k]);
    }
    printf("  %-34s %8ld\n", "gap above", t->n_gap[LIMITS]);
    if (t->widest_seed > 0) {
        printf("  %-34s %8.3g, seed %ld\n", "widest gap", t->widest_pu,
               t->widest_seed);
    }
    printf("\ntime: mean %.2f ms, most %.1f ms (seed %ld)\n",
           t->sum_s / (double)n * 1e3, t->most_s * 1e3, t->most_s_seed);
}

int plan_trial(const struct plan_trial *trial)
{
    struct trial *t = calloc(1, sizeof(*t));
    int code = EXIT_USAGE;
    if (t != NULL) {
        t->memory.shape = (struct schedule_shape){
            STEPS, BATTERIES, SCHEDULE_SEGMENTS_MAX, SCHEDULE_CLASSES_MAX};
        t->memory.n = ladder_memory(&t->memory.shape);
        t->memory.base = calloc(t->memory.n, sizeof(*t->memory.base));
    }
    if (t == NULL || t->memory.base == NULL) {
        cli_error("plan", "%s", err_text(ERR_MEMORY));
        free(t);
        return code;
    }
    for (long i = 0; i < trial->n; i++) {
        one(t, trial->first_seed + i, trial->iterations);
    }
    print(t, trial);
    code = t->n_refused > 0 || t->n_over > 0 ? EXIT_NO : EXIT_DONE;
    free(t->memory.base);
    free(t);
    return code;
}
