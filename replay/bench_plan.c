/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_plan - the planner against other people's solvers, on problems that
 * are made up (schedule_sample), the same for all in one run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policies/schedule_settle.h"
#include "policies/schedule_solve.h"
#include "policies/slope_dp.h"
#include "replay/bench.h"
#include "replay/bench_peers.h"
#include "replay/schedule_sample.h"

enum { OWN_RUNS = 5, DAYS = 25, DP_RUNS = 200, SEEDS_MAX = 8 };
enum { DP_STEPS = 96, DP_POOL = 64 * DP_STEPS };

/* Answers agree, or the times say nothing. */
static const double agree_pu = 1e-6;

struct bench_case {
    struct schedule_sample sample;
    int n_seeds;
    bool highs;         /* compared with it too */
    const char *own_ms; /* names of the figures */
    const char *clp_ms;
    const char *clp_ratio;
    const char *highs_ms;
    const char *highs_ratio;
};

/* For the dynamic programme. */
struct store {
    struct slope_problem problem;
    struct slope_step steps[DP_STEPS];
    struct slope_work work;
    struct slope_piece pool[DP_POOL];
    size_t first[DP_STEPS + 1];
    double begin[DP_STEPS + 1];
};

static const struct bench_case cases[] = {
    {.sample = {SCHEDULE_SAMPLE_EVEN, SCHEDULE_SAMPLE_CALM, 4, 1, 0},
     .n_seeds = 2,
     .highs = true,
     .own_ms = "even_1_segment_ms",
     .clp_ms = "even_1_segment_clp_ms",
     .clp_ratio = "even_1_segment_vs_clp",
     .highs_ms = "even_1_segment_highs_ms",
     .highs_ratio = "even_1_segment_vs_highs"},
    {.sample = {SCHEDULE_SAMPLE_EVEN, SCHEDULE_SAMPLE_CALM, 4, 3, 0},
     .n_seeds = 1,
     .own_ms = "even_3_segments_ms",
     .clp_ms = "even_3_segments_clp_ms",
     .clp_ratio = "even_3_segments_vs_clp"},
    {.sample = {SCHEDULE_SAMPLE_TIERED, SCHEDULE_SAMPLE_CALM, 4, 3, 0},
     .n_seeds = 4,
     .own_ms = "tiered_3_segments_ms",
     .clp_ms = "tiered_3_segments_clp_ms",
     .clp_ratio = "tiered_3_segments_vs_clp"},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

struct plan_bench {
    struct bench_run *run;
    struct bench_peers peers;
    struct schedule_problem *problem;
    struct schedule *answer;
    double *memory;
    struct schedule_solver *solver;
    uint64_t seed; /* of this measurement */
};

/* As the others tell it: what the processor took, whoever else is on it. */
static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum err refuse(struct plan_bench *b, const char *why)
{
    snprintf(b->run->why, sizeof(b->run->why), "%s", why);
    return ERR_MISMATCH;
}

/* One solution; NAN where it is not optimal. */
static double own_s(struct plan_bench *b)
{
    double from_s = cpu_s();
    bool ok = schedule_solve(b->solver, b->problem, NULL, b->answer);
    double took_s = cpu_s() - from_s;
    return ok && b->answer->status == PLAN_OPTIMAL ? took_s : NAN;
}

static double median_own_s(struct plan_bench *b)
{
    double took_s[OWN_RUNS];
    for (int i = 0; i < OWN_RUNS; i++) {
        took_s[i] = own_s(b);
        if (!isfinite(took_s[i])) {
            return NAN;
        }
    }
    return bench_quantile(took_s, OWN_RUNS, 0.5);
}

static bool agrees(const struct plan_bench *b, const struct bench_peer *peer)
{
    double optimum = b->answer->objective_cur;
    return fabs(peer->objective - optimum) <=
           agree_pu * fmax(1.0, fabs(optimum));
}

/* Sums over the seeds of a case. */
struct sums {
    double own_s;
    double clp_s;
    double highs_s;
};

static enum err add_seed(struct plan_bench *b, const struct bench_case *c,
                         struct sums *sums)
{
    struct bench_peer clp = {0.0, 0.0};
    struct bench_peer highs = {0.0, 0.0};
    double own = median_own_s(b);
    if (!isfinite(own)) {
        return refuse(b, "a problem was not solved to optimality");
    }
    if (!bench_peers_pose(&b->peers, b->problem)) {
        return refuse(b, "cannot write the MPS file under /tmp");
    }
    if (b->peers.clp) {
        clp = bench_clp(&b->peers);
        if (!agrees(b, &clp)) {
            return refuse(b, "clp has another optimum, or none");
        }
    }
    if (b->peers.highs && c->highs) {
        highs = bench_highs(&b->peers);
        if (!agrees(b, &highs)) {
            return refuse(b, "HiGHS has another optimum, or none");
        }
    }
    sums->own_s += own;
    sums->clp_s += clp.solve_s;
    sums->highs_s += highs.solve_s;
    return ERR_NONE;
}

static enum err run_case(struct plan_bench *b, const struct bench_case *c)
{
    struct sums sums = {0};
    for (int i = 0; i < c->n_seeds; i++) {
        struct schedule_sample sample = c->sample;
        sample.seed = b->seed * SEEDS_MAX + (uint64_t)i;
        schedule_sample(&sample, b->problem);
        enum err e = add_seed(b, c, &sums);
        if (e != ERR_NONE) {
            return e;
        }
    }
    bench_add(b->run, c->own_ms, 1e3 * sums.own_s / c->n_seeds);
    if (b->peers.clp) {
        bench_add(b->run, c->clp_ms, 1e3 * sums.clp_s / c->n_seeds);
        bench_add(b->run, c->clp_ratio, sums.clp_s / sums.own_s);
    }
    if (b->peers.highs && c->highs) {
        bench_add(b->run, c->highs_ms, 1e3 * sums.highs_s / c->n_seeds);
        bench_add(b->run, c->highs_ratio, sums.highs_s / sums.own_s);
    }
    return ERR_NONE;
}

/* Many days with every shock: how far the slowest is from the middle. */
static enum err run_tail(struct plan_bench *b)
{
    double took_s[DAYS * SCHEDULE_SAMPLE_SHOCKS];
    size_t n = 0;
    for (int day = 0; day < DAYS; day++) {
        for (int k = 0; k < SCHEDULE_SAMPLE_SHOCKS; k++) {
            struct schedule_sample sample = cases[CASES - 1].sample;
            sample.shock = (enum schedule_sample_shock)k;
            sample.seed = b->seed * DAYS + (uint64_t)day;
            schedule_sample(&sample, b->problem);
            took_s[n] = own_s(b);
            if (!isfinite(took_s[n++])) {
                return refuse(b, "a shock was not solved to optimality");
            }
        }
    }
    double p50_s = bench_quantile(took_s, n, 0.5);
    double p99_s = bench_quantile(took_s, n, 0.99);
    bench_add(b->run, "shocks_p50_ms", 1e3 * p50_s);
    bench_add(b->run, "shocks_p99_ms", 1e3 * p99_s);
    bench_add(b->run, "shocks_p99_to_p50", p99_s / p50_s);
    return ERR_NONE;
}

/* One battery of one segment against prices alone, as a store: what the
 * dynamic programme solves exactly. */
static void make_store(const struct schedule_problem *p, struct store *s)
{
    const struct schedule_battery *b = &p->batteries[0];
    double wear = b->segments[0].per_kwh;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double h = p->step_s[t] / 3600.0;
        double price = p->import_per_kwh[t];
        double out_wh = b->discharge_max_w[t] * h / b->discharge_eff_pu;
        s->steps[t] = (struct slope_step){
            .lo = 0.0,
            .hi = (b->soc_max_pu - b->soc_min_pu) * b->energy_wh,
            .change_min = -out_wh,
            .n = 2,
            .pieces = {{(price - wear) * b->discharge_eff_pu / 1e3, out_wh},
                       {price / b->charge_eff_pu / 1e3,
                        b->charge_max_w[t] * h * b->charge_eff_pu}}};
    }
    s->problem = (struct slope_problem){
        .n_steps = (int)p->n_steps,
        .start = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh,
        .steps = s->steps,
        .n_final = 1,
        .final = {{-b->terminal_value_per_kwh / 1e3, s->steps[0].hi}},
    };
    s->work.pool = s->pool;
    s->work.n_pool = DP_POOL;
    s->work.first = s->first;
    s->work.begin = s->begin;
}

/* The path's cost as the solver counts it. */
static double path_cur(struct plan_bench *b, const double *energy_wh)
{
    const struct schedule_battery *a = &b->problem->batteries[0];
    double before_wh = (a->soc_start_pu - a->soc_min_pu) * a->energy_wh;
    struct schedule_penalties penalties;
    for (int64_t t = 0; t < b->problem->n_steps; t++) {
        double h = b->problem->step_s[t] / 3600.0;
        double wh = energy_wh[t] - before_wh;
        b->answer->battery_w[0][t] = wh > 0.0 ? wh / (a->charge_eff_pu * h)
                                              : wh * a->discharge_eff_pu / h;
        before_wh = energy_wh[t];
    }
    schedule_penalties(b->problem, &penalties);
    schedule_settle(b->problem, &penalties, b->answer);
    return b->answer->objective_cur;
}

static void simplify(struct schedule_problem *p)
{
    p->ramp_max_w_per_s = INFINITY;
    p->grid_start_w = NAN;
    p->peak_per_kw = 0.0;
    p->n_classes = 0;
    p->batteries[0].soc_end_min_pu = NAN;
    for (int64_t t = 0; t < p->n_steps; t++) {
        p->import_max_w[t] = 1e9;
    }
}

static enum err run_dp(struct plan_bench *b)
{
    struct schedule_sample sample = {.grid = SCHEDULE_SAMPLE_QUARTERS,
                                     .n_batteries = 1,
                                     .n_segments = 1,
                                     .seed = b->seed};
    double took_s[DP_RUNS];
    double energy_wh[DP_STEPS];
    struct store *s = malloc(sizeof(*s));
    if (s == NULL) {
        return refuse(b, "out of memory");
    }
    schedule_sample(&sample, b->problem);
    simplify(b->problem);
    make_store(b->problem, s);
    for (int i = 0; i < DP_RUNS; i++) {
        double from_s = cpu_s();
        slope_dp_solve(&s->problem, &s->work, energy_wh);
        took_s[i] = cpu_s() - from_s;
    }
    free(s);
    double cost = path_cur(b, energy_wh);
    bool solved = isfinite(own_s(b));
    struct bench_peer path = {0.0, cost};
    if (!solved || !agrees(b, &path)) {
        return refuse(b, "the dynamic programme has another optimum");
    }
    bench_add(b->run, "slope_dp_us",
              1e6 * bench_quantile(took_s, DP_RUNS, 0.5));
    return ERR_NONE;
}

static enum err run_all(struct plan_bench *b)
{
    for (int i = 0; i < CASES; i++) {
        enum err e = run_case(b, &cases[i]);
        if (e != ERR_NONE) {
            return e;
        }
    }
    if (!b->peers.clp || !b->peers.highs) {
        snprintf(b->run->note, sizeof(b->run->note), "not installed:%s%s",
                 b->peers.clp ? "" : " clp (Debian: coinor-clp)",
                 b->peers.highs ? "" : " scipy (Debian: python3-scipy)");
    }
    enum err e = run_tail(b);
    return e == ERR_NONE ? run_dp(b) : e;
}

enum err bench_plan(struct bench_run *run)
{
    static uint64_t n_runs;
    static const struct schedule_shape shape = {576, 4, 3, 2};
    struct plan_bench b = {.run = run, .seed = ++n_runs};
    size_t n = schedule_memory(&shape);
    b.problem = malloc(sizeof(*b.problem));
    b.answer = malloc(sizeof(*b.answer));
    b.memory = calloc(n, sizeof(*b.memory));
    enum err e = ERR_MEMORY;
    if (b.problem != NULL && b.answer != NULL && b.memory != NULL) {
        b.solver = schedule_solver(b.memory, n);
        e = bench_peers_open(&b.peers) ? ERR_NONE : ERR_IO;
    }
    if (e == ERR_NONE) {
        e = run_all(&b);
        bench_peers_close(&b.peers);
    } else {
        snprintf(run->why, sizeof(run->why), "%s", err_text(e));
    }
    free(b.problem);
    free(b.answer);
    free(b.memory);
    return e;
}
