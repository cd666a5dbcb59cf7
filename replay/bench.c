/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/bench.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/cli.h"

enum { REPEAT_MAX = 101, REPEAT_DEFAULT = 5, GOALS_MAX = 6 };

/* What a figure's median shall be. */
struct goal {
    const char *figure; /* NULL ends the list */
    bool at_least;      /* else at most */
    double limit;
};

struct bench {
    const char *name;
    const char *what;
    enum err (*measure)(struct bench_run *run);
    struct goal goals[GOALS_MAX];
};

static const struct bench benches[] = {
    {.name = "step",
     .what = "one step of the controller: 20 batteries, 100 pods, 200 vehicles",
     .measure = bench_step,
     .goals = {{"p99_ns", false, 50000.0}, {"allocated_bytes", false, 0.0}}},
    {.name = "pods",
     .what =
         "one step with 1024 pods, and with 128: 20 batteries, 200 vehicles",
     .measure = bench_pods,
     .goals = {{"growth", false, 1.0}, {"allocated_bytes", false, 0.0}}},
    {.name = "witness",
     .what = "a tick of the compliance meter, with and without the batteries",
     .measure = bench_witness,
     .goals = {{"p50_ns", false, 3000.0}}},
    {.name = "replay",
     .what = "the demo site over 2.4 h of generated load, step and plant",
     .measure = bench_replay,
     .goals = {{"ticks_per_s", true, 50000.0},
               {"step_p50_ns", false, 15000.0}}},
    {.name = "e2e",
     .what = "a change in the meter to the battery's register, Modbus loopback",
     .measure = bench_e2e,
     .goals = {{"p99_periods", false, 2.0}}},
    {.name = "guard",
     .what = "a million packs of parked vehicles, one minute on",
     .measure = bench_guard,
     .goals = {{"advance_cpu_s", false, 0.1}, {"state_bytes", false, 256.0}}},
    {.name = "cars",
     .what = "a million cars: buckets, a set-point shared, guards in turn",
     .measure = bench_cars,
     .goals = {{"pass_cpu_ms", false, 10.0}, {"tick_cpu_ms", false, 10.0}}},
    {.name = "share",
     .what = "a power shared over 1024 batteries by equal marginal cost",
     .measure = bench_share,
     .goals = {{"p50_us", false, 20.0}}},
    {.name = "wear",
     .what =
         "a battery on a noisy walk in two models, a sample; a million packs",
     .measure = bench_wear,
     .goals = {{"rainflow_ns", false, 25.0},
               {"life_ns", false, 60.0},
               {"pack_ns", false, 100.0},
               {"life_bytes", false, 1200.0},
               {"pack_bytes", false, 256.0}}},
    {.name = "forecast",
     .what = "a tick of a load's forecast at 10 Hz, ten horizons to 10 min",
     .measure = bench_forecast,
     .goals = {{"tick_us", false, 4.0},
               {"worst_us", false, 50.0},
               {"state_bytes", false, 256000.0}}},
    {.name = "plan",
     .what = "two days ahead, against clp and scipy's HiGHS on the same MPS",
     .measure = bench_plan,
     .goals = {{"even_1_segment_vs_clp", true, 8.0},
               {"even_1_segment_vs_highs", true, 15.0},
               {"even_3_segments_vs_clp", true, 8.0},
               {"tiered_3_segments_vs_clp", true, 8.0},
               {"shocks_p99_to_p50", false, 3.0},
               {"slope_dp_us", false, 100.0}}},
};
enum { BENCHES = sizeof(benches) / sizeof(benches[0]) };

/* All measurements of one benchmark. */
struct series {
    const struct bench *bench;
    enum err err;
    struct bench_run first; /* names of the figures, or why there are none */
    double values[BENCH_FIGURES_MAX][REPEAT_MAX];
    size_t n;
};

struct machine {
    char cpu[96];
    long n_cores;
    double load; /* of the last minute; NAN where unknown */
};

void bench_add(struct bench_run *run, const char *name, double value)
{
    assert(run->n_figures < BENCH_FIGURES_MAX);
    run->figures[run->n_figures++] = (struct bench_figure){name, value};
}

int64_t bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_quantile(double *values, size_t n, double q)
{
    assert(n > 0 && q >= 0.0 && q <= 1.0);
    qsort(values, n, sizeof(values[0]), by_value);
    size_t rank = (size_t)ceil(q * (double)n);
    return values[rank > 0 ? rank - 1 : 0];
}

static void read_cpu(char *out, size_t size)
{
    snprintf(out, size, "unknown processor");
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (f == NULL) {
        return;
    }
    char line[256];
    while (fgets(line, sizeof(line), f) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(out, size, "%.*s", (int)strcspn(colon + 1, "\n\"\\") - 1,
                     colon + 2);
            break;
        }
    }
    fclose(f);
}

static struct machine read_machine(void)
{
    struct machine m = {.n_cores = sysconf(_SC_NPROCESSORS_ONLN), .load = NAN};
    read_cpu(m.cpu, sizeof(m.cpu));
    FILE *f = fopen("/proc/loadavg", "r");
    if (f != NULL) {
        if (fscanf(f, "%lf", &m.load) != 1) {
            m.load = NAN;
        }
        fclose(f);
    }
    return m;
}

static void measure(const struct bench *bench, long repeat, struct series *s)
{
    *s = (struct series){.bench = bench};
    for (long i = 0; i < repeat && s->err == ERR_NONE; i++) {
        struct bench_run run = {.n_figures = 0};
        s->err = bench->measure(&run);
        if (i == 0 || s->err != ERR_NONE) {
            s->first = run;
        }
        for (int k = 0; k < run.n_figures && s->err == ERR_NONE; k++) {
            s->values[k][s->n] = run.figures[k].value;
        }
        s->n += s->err == ERR_NONE;
    }
}

static const struct goal *goal_of(const struct bench *bench, const char *figure)
{
    for (int i = 0; i < GOALS_MAX && bench->goals[i].figure != NULL; i++) {
        if (strcmp(bench->goals[i].figure, figure) == 0) {
            return &bench->goals[i];
        }
    }
    return NULL;
}

static bool goal_met(const struct goal *goal, double median)
{
    return goal->at_least ? median >= goal->limit : median <= goal->limit;
}

static void print_text(struct series *s)
{
    printf("%s - %s\n", s->bench->name, s->bench->what);
    if (s->err != ERR_NONE) {
        printf("  not measured: %s\n", s->first.why);
        return;
    }
    for (int k = 0; k < s->first.n_figures; k++) {
        const char *name = s->first.figures[k].name;
        double median = bench_quantile(s->values[k], s->n, 0.5);
        printf("  %-24s %14.6g %14.6g", name, median,
               bench_quantile(s->values[k], s->n, 0.99));
        const struct goal *goal = goal_of(s->bench, name);
        if (goal != NULL) {
            printf("   %s %g: %s", goal->at_least ? "at least" : "at most",
                   goal->limit, goal_met(goal, median) ? "met" : "MISSED");
        }
        putchar('\n');
    }
    if (s->first.note[0] != '\0') {
        printf("  %s\n", s->first.note);
    }
}

static void print_json(struct series *s, bool last)
{
    printf("  {\"name\": \"%s\", \"repetitions\": %zu, ", s->bench->name, s->n);
    if (s->err != ERR_NONE) {
        printf("\"error\": \"%s\", ", err_text(s->err));
    }
    if (s->first.note[0] != '\0') {
        printf("\"note\": \"%s\", ", s->first.note);
    }
    printf("\"figures\": {");
    int n = s->err == ERR_NONE ? s->first.n_figures : 0;
    for (int k = 0; k < n; k++) {
        const char *name = s->first.figures[k].name;
        double median = bench_quantile(s->values[k], s->n, 0.5);
        printf("%s\n    \"%s\": {\"median\": %.9g, \"p99\": %.9g",
               k > 0 ? "," : "", name, median,
               bench_quantile(s->values[k], s->n, 0.99));
        const struct goal *goal = goal_of(s->bench, name);
        if (goal != NULL) {
            printf(", \"%s\": %.9g, \"met\": %s",
                   goal->at_least ? "at_least" : "at_most", goal->limit,
                   goal_met(goal, median) ? "true" : "false");
        }
        putchar('}');
    }
    printf("}}%s\n", last ? "" : ",");
}

static void print_head(const struct machine *m, long repeat, bool json)
{
    if (json) {
        printf("{\"machine\": {\"cpu\": \"%s\", \"n_cores\": %ld, "
               "\"load_1min\": ",
               m->cpu, m->n_cores);
        printf(isfinite(m->load) ? "%.2f" : "null", m->load);
        printf("}, \"benchmarks\": [\n");
        return;
    }
    printf("%s, %ld cores, load %.2f. Others may use this machine at the "
           "same time:\ncompare runs of one day, and medians before tails.\n\n"
           "%ld repetitions             %14s %14s\n",
           m->cpu, m->n_cores, m->load, repeat, "median", "p99");
}

/* The rows that the arguments name, all without any; -1 after a message. */
static int pick(int n_args, char **args, const struct bench **out)
{
    int n = 0;
    for (int i = 0; i < BENCHES && n_args == 0; i++) {
        out[n++] = &benches[i];
    }
    for (int a = 0; a < n_args; a++) {
        int i = 0;
        while (i < BENCHES && strcmp(benches[i].name, args[a]) != 0) {
            i++;
        }
        if (i == BENCHES) {
            cli_error("bench", "no benchmark '%s'; see 'ballast bench --help'",
                      args[a]);
            return -1;
        }
        out[n++] = &benches[i];
    }
    return n;
}

int bench_main(int argc, char **argv)
{
    bool json = false;
    long repeat = REPEAT_DEFAULT;
    const struct cli_option options[] = {
        {"json", CLI_FLAG, &json, NULL, "for machines; units are in the keys"},
        {"repeat", CLI_COUNT, &repeat, "N", "measurements of each (5)"},
    };
    const struct cli cli = {
        .command = "bench",
        .args = "[NAME...]",
        .about =
            "Measures what Ballast costs. NAME: step, pods, witness, replay, "
            "e2e, guard,"
            "\ncars, share, wear, forecast or plan. Each is measured several "
            "times; "
            "the median "
            "and the "
            "99th percentile\nof these measurements are printed.",
        .example = "  ballast bench step --repeat 9\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .max_args = BENCHES,
    };
    int n_args = 0;
    int done = cli_parse(&cli, argc, argv, &n_args);
    if (done >= 0) {
        return done;
    }
    if (repeat > REPEAT_MAX) {
        cli_error("bench", "--repeat: at most %d", REPEAT_MAX);
        return EXIT_USAGE;
    }
    const struct bench *picked[BENCHES];
    int n = pick(n_args, argv + 1, picked);
    if (n < 0) {
        return EXIT_USAGE;
    }
    struct machine machine = read_machine();
    print_head(&machine, repeat, json);
    int failed = 0;
    for (int i = 0; i < n; i++) {
        struct series s;
        measure(picked[i], repeat, &s);
        failed += s.err != ERR_NONE;
        if (json) {
            print_json(&s, i + 1 == n);
        } else {
            print_text(&s);
        }
        fflush(stdout);
    }
    printf(json ? "]}\n" : "");
    return failed > 0 ? EXIT_NO : EXIT_DONE;
}
