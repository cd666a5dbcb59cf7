/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The planner against Clp, a solver that others wrote, on random problems
 * through the MPS file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "policies/ladder.h"
#include "replay/mps.h"
#include "tests/policies/plan_vectors.h"

enum { FIRST_SEED = 1, PROBLEMS = 100, STEPS = 96 };

static char path[] = "/tmp/plan-clp-XXXXXX";

/* Clp's optimum; NAN where it has none. */
static double clp(const struct schedule_problem *p)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(mps_write(f, p), ERR_NONE);
    fclose(f);
    char line[512];
    snprintf(line, sizeof(line), "clp %s -dualsimplex </dev/null 2>/dev/null",
             path);
    double optimum = NAN;
    f = popen(line, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        double told;
        if (sscanf(line, "Optimal objective %lf", &told) == 1) {
            optimum = told;
        }
    }
    pclose(f);
    return optimum;
}

/* A battery that begins outside its window has more than one reading. */
static bool begins_inside(const struct schedule_problem *p)
{
    for (int64_t b = 0; b < p->n_batteries; b++) {
        const struct schedule_battery *a = &p->batteries[b];
        if (a->soc_start_pu < a->soc_min_pu - 1e-9 ||
            a->soc_start_pu > a->soc_max_pu + 1e-9) {
            return false;
        }
    }
    return true;
}

static void clp_finds_the_same_optimum(void **state)
{
    (void)state;
    static const struct plan_random may = {
        .n_steps_max = STEPS, .n_batteries_max = 6, .exclusive = true};
    if (system("command -v clp >/dev/null 2>&1") != 0) {
        print_message("skipped: clp is not installed (coinor-clp)\n");
        skip();
    }
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct ladder_memory memory = {
        .shape = {STEPS, 8, SCHEDULE_SEGMENTS_MAX, SCHEDULE_CLASSES_MAX}};
    memory.n = ladder_memory(&memory.shape);
    memory.base = calloc(memory.n, sizeof(*memory.base));
    struct ladder *ladder = malloc(sizeof(*ladder));
    struct schedule_problem *p = malloc(sizeof(*p));
    struct schedule *s = malloc(sizeof(*s));
    assert_true(memory.base && ladder && p && s);
    int n_same = 0;
    for (int seed = FIRST_SEED; seed < FIRST_SEED + PROBLEMS; seed++) {
        plan_random((uint64_t)seed, &may, p);
        struct ladder_request r = {.problem = p};
        ladder_init(ladder, &memory);
        ladder_solve(ladder, &r, s);
        if (s->status != PLAN_OPTIMAL || s->n_violations > 0 ||
            !begins_inside(p)) {
            continue;
        }
        double optimum = clp(p);
        double by = fabs(optimum - s->objective_cur);
        if (!(by <= 2e-6 * fmax(1.0, fabs(optimum)))) {
            fail_msg("seed %d: clp %.10g, ours %.10g", seed, optimum,
                     s->objective_cur);
        }
        n_same++;
    }
    print_message("%d of %d problems, seeds from %d\n", n_same, PROBLEMS,
                  FIRST_SEED);
    assert_true(n_same >= PROBLEMS / 5);
    unlink(path);
    free(memory.base);
    free(ladder);
    free(p);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clp_finds_the_same_optimum),
    };
    return cmocka_run_group_tests_name("plan_clp", tests, NULL, NULL);
}
