/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Problems that cannot be met: what the planner violates is the least, tier by
 * tier, in the eyes of Clp, a solver that others wrote. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "policies/schedule_solve.h"
#include "replay/mps.h"
#include "tests/policies/plan_vectors.h"

enum { FIRST_SEED = 1, PROBLEMS = 120, SEEDS_MAX = 600, STEPS = 48 };

/* Of what the tier could be violated by in all; what a step counts as none
 * (schedule_settle.h) adds up over the steps. */
static const double tolerance_pu = 1e-5;

static char path[] = "/tmp/plan-least-XXXXXX";

static struct {
    struct schedule_problem problem;
    struct schedule answer;
} * f;

/* The least violation of a tier; NAN where Clp has no answer. */
static double clp(const struct mps_least *least)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(mps_write_least(file, &f->problem, least), ERR_NONE);
    fclose(file);
    char line[512];
    snprintf(
        line, sizeof(line),
        "clp %s -primalT 1e-9 -dualT 1e-9 -dualsimplex </dev/null 2>/dev/null",
        path);
    double optimum = NAN;
    file = popen(line, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        double told;
        if (sscanf(line, "Optimal objective %lf", &told) == 1) {
            optimum = told;
        }
    }
    pclose(file);
    return optimum;
}

struct totals {
    double of[SCHEDULE_TIERS];   /* MWh, MW, MWh, MWh */
    double unit[SCHEDULE_TIERS]; /* what they can come to, about */
};

static void add_grid(struct totals *out)
{
    const struct schedule_problem *p = &f->problem;
    const struct schedule *s = &f->answer;
    double before = p->grid_start_w;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double h = p->step_s[t] / 3600.0;
        double g = s->grid_w[t];
        double over = fmax(g - fmax(p->import_max_w[t], 0.0),
                           -g - fmax(p->export_max_w[t], 0.0));
        out->of[SCHEDULE_IMPORT] += h * fmax(over, 0.0) / 1e6;
        out->unit[SCHEDULE_IMPORT] += h * fabs(p->load_w[t]) / 1e6;
        double steep = fabs(g - before) - p->ramp_max_w_per_s * p->step_s[t];
        out->of[SCHEDULE_RAMP] += isfinite(before) ? fmax(steep, 0.0) / 1e6 : 0;
        out->unit[SCHEDULE_RAMP] += fabs(p->load_w[t]) / 1e6;
        before = g;
    }
}

static struct totals totals(void)
{
    const struct schedule_problem *p = &f->problem;
    struct totals out = {{0}, {0}};
    add_grid(&out);
    for (int64_t t = 0; t < p->n_steps; t++) {
        double h = p->step_s[t] / 3600.0;
        for (int64_t k = 0; k < p->n_classes; k++) {
            const struct schedule_class *c = &p->classes[k];
            double below =
                c->min_pu * c->demand_w[t] - f->answer.served_w[k][t];
            out.of[SCHEDULE_FLOOR] +=
                c->deferrable ? 0.0 : h * fmax(below, 0.0) / 1e6;
            out.unit[SCHEDULE_FLOOR] += h * c->demand_w[t] / 1e6;
        }
        for (int64_t i = 0; i < p->n_batteries; i++) {
            const struct schedule_battery *b = &p->batteries[i];
            double floor = fmax(b->soc_floor_pu[t], b->soc_min_pu);
            double ceiling = fmin(b->soc_ceiling_pu[t], b->soc_max_pu);
            if (t == p->n_steps - 1 && isfinite(b->soc_end_min_pu)) {
                floor = fmin(fmax(floor, b->soc_end_min_pu), ceiling);
            }
            double soc = f->answer.soc_pu[i][t];
            double by = fmax(fmax(floor - soc, soc - ceiling), 0.0);
            out.of[SCHEDULE_SOC_END] += by * b->energy_wh / 1e6;
            out.unit[SCHEDULE_SOC_END] += b->energy_wh / 1e6;
        }
    }
    return out;
}

/* The programme that clp solves may charge and discharge at once: true where
 * it comes out cheaper than what is proven of one direction at a time. */
static bool both_at_once_pays(void)
{
    static const struct schedule_shape shape = {STEPS, 4, SCHEDULE_SEGMENTS_MAX,
                                                SCHEDULE_CLASSES_MAX};
    struct ipm_memory m = {.n = schedule_memory(&shape)};
    struct schedule_ways *ways = calloc(1, sizeof(*ways));
    struct schedule_lp *lp = calloc(1, sizeof(*lp));
    m.base = calloc(m.n, sizeof(*m.base));
    assert_true(ways != NULL && lp != NULL && m.base != NULL);
    ways->give = true;
    assert_true(schedule_lp_open(lp, &f->problem, ways, &m));
    ipm_start(&lp->ipm);
    for (int i = 0; i < 60 && ipm_iterate(&lp->ipm); i++) {
    }
    double cost = (ipm_cost(&lp->ipm) + lp->offset) * lp->unit_cur;
    double ours = schedule_settle(&f->problem, &lp->penalties, &f->answer);
    free(m.base);
    free(lp);
    free(ways);
    return cost < ours - 1e-6 * fabs(ours);
}

/* How much more than the least of a tier there is, of what there could be.
 * False where that may be what one direction at a time takes. */
static bool compare(int seed)
{
    struct totals ours = totals();
    struct mps_least least = {.tier = SCHEDULE_IMPORT};
    for (int k = 0; k < SCHEDULE_TIERS; k++) {
        least.tier = (enum schedule_tier)k;
        double best = clp(&least);
        double by = (ours.of[k] - best) / fmax(ours.unit[k], 1e-9);
        if (!(by <= tolerance_pu) && both_at_once_pays()) {
            return false;
        }
        if (!(by <= tolerance_pu)) {
            fail_msg("seed %d, tier %d: %.9g, least %.9g", seed, k, ours.of[k],
                     best);
        }
        least.most[k] =
            fmax(best, ours.of[k]) * (1.0 + 1e-9) + 1e-9 * ours.unit[k];
    }
    return true;
}

static void nothing_is_violated_for_nothing(void **state)
{
    (void)state;
    static const struct plan_random may = {.n_steps_max = STEPS,
                                           .n_batteries_max = 4};
    static const struct schedule_shape shape = {STEPS, 4, SCHEDULE_SEGMENTS_MAX,
                                                SCHEDULE_CLASSES_MAX};
    if (system("command -v clp >/dev/null 2>&1") != 0) {
        print_message("skipped: clp is not installed (coinor-clp)\n");
        skip();
    }
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    size_t n = schedule_memory(&shape);
    double *memory = calloc(n, sizeof(*memory));
    f = calloc(1, sizeof(*f));
    assert_true(memory != NULL && f != NULL);
    struct schedule_solver *solver = schedule_solver(memory, n);
    int n_same = 0;
    int n_open = 0;
    int n_apart = 0;
    int seed = FIRST_SEED;
    for (; n_same < PROBLEMS && seed < FIRST_SEED + SEEDS_MAX; seed++) {
        plan_random((uint64_t)seed, &may, &f->problem);
        assert_true(schedule_solve(solver, &f->problem, NULL, &f->answer));
        if (f->answer.n_violations == 0) {
            continue;
        }
        if (f->answer.status != PLAN_OPTIMAL) {
            n_open++;
            continue;
        }
        bool same = compare(seed);
        n_same += same ? 1 : 0;
        n_apart += same ? 0 : 1;
    }
    print_message("%d problems, %d not proven, %d apart, seeds %d to %d\n",
                  n_same, n_open, n_apart, FIRST_SEED, seed - 1);
    assert_true(n_same >= PROBLEMS && n_open < PROBLEMS / 5 &&
                n_apart < PROBLEMS / 20);
    unlink(path);
    free(memory);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_violated_for_nothing),
    };
    return cmocka_run_group_tests_name("plan_least", tests, NULL, NULL);
}
