/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/plan_main.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/cli.h"
#include "policies/ladder.h"
#include "policies/plan.h"
#include "replay/mps.h"
#include "replay/plan_trial.h"
#include "replay/schedule_file.h"
#include "replay/schedule_report.h"
#include "replay/schedule_sample.h"

static const char about[] =
    "The cheapest schedule of a day or two: what each battery stores, what the "
    "grid\nconnection draws, how much compute of each class runs.  Prints one "
    "JSON object:\nstatus (OPTIMAL, FEASIBLE, HEURISTIC, SHIFTED or RULE), the "
    "certified gap, cost,\npowers, states of charge, marginal values, and what "
    "is violated where the problem\ncannot be met.";

struct options {
    const char *mps;
    bool text;
    bool json;
    bool strict;
    bool sample;
    long iterations;
    long seed;
    long random;
    double deadline_s;
};

/* Until when the solver may go on. */
struct deadline {
    int64_t at_ns;
    int64_t soon_ns; /* for the solver */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_over(void *context)
{
    const struct deadline *d = context;
    return now_ns() >= d->at_ns;
}

static bool is_soon(void *context)
{
    const struct deadline *d = context;
    return now_ns() >= d->soon_ns;
}

static int fail(const char *path)
{
    cli_error("plan", "%s: %s", path, strerror(errno));
    return EXIT_USAGE;
}

/* To a file, "-" is stdout. */
static int write_mps(const char *path, const struct schedule_problem *p)
{
    bool to_stdout = strcmp(path, "-") == 0;
    FILE *f = to_stdout ? stdout : fopen(path, "w");
    if (f == NULL) {
        return fail(path);
    }
    enum err e = mps_write(f, p);
    if (!to_stdout && fclose(f) != 0) {
        e = ERR_IO;
    }
    return e == ERR_NONE ? EXIT_DONE : fail(path);
}

/* What was not taken, and why. */
static void tell_tries(const struct ladder *l)
{
    for (int64_t i = 0; i < l->n_tries; i++) {
        const struct ladder_try *t = &l->tries[i];
        if (t->verdict != LADDER_TAKEN) {
            cli_error("plan", "%s is not taken: %s%s%s",
                      plan_status_name((enum plan_status)t->rung),
                      ladder_verdict_text((enum ladder_verdict)t->verdict),
                      t->verdict == LADDER_REFUSED ? ": " : "",
                      t->verdict == LADDER_REFUSED
                          ? schedule_fault_text(t->check.fault)
                          : "");
        }
    }
}

static struct schedule_shape shape_of(const struct schedule_problem *p)
{
    struct schedule_shape shape = {
        .n_steps = (int)p->n_steps,
        .n_batteries = (int)p->n_batteries,
        .n_segments = 1,
        .n_classes = (int)p->n_classes,
    };
    for (int64_t b = 0; b < p->n_batteries; b++) {
        if (p->batteries[b].n_segments > shape.n_segments) {
            shape.n_segments = (int)p->batteries[b].n_segments;
        }
    }
    return shape;
}

struct room {
    struct ladder_memory memory;
    struct ladder *ladder;
    struct schedule *answer;
};

static int solve(const struct options *o, const struct schedule_problem *p,
                 const struct room *room)
{
    struct deadline deadline = {0};
    struct ladder_request request = {.problem = p};
    int64_t from_ns = now_ns();
    request.budget.n_iterations = (int)o->iterations;
    if (isfinite(o->deadline_s)) {
        double part = o->deadline_s / PLAN_DEADLINE_S;
        deadline.at_ns = from_ns + (int64_t)(part * PLAN_SEARCH_S * 1e9);
        deadline.soon_ns = from_ns + (int64_t)(part * PLAN_SOLVER_S * 1e9);
        request.budget.stop = is_over;
        request.budget.soon = is_soon;
        request.budget.context = &deadline;
    }
    ladder_init(room->ladder, &room->memory);
    ladder_solve(room->ladder, &request, room->answer);
    struct schedule_report report = {
        .problem = p,
        .answer = room->answer,
        .solve_s = (double)(now_ns() - from_ns) / 1e9,
    };
    tell_tries(room->ladder);
    if (o->text) {
        schedule_report_text(stdout, &report);
    } else {
        schedule_report_json(stdout, &report);
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        return fail("stdout");
    }
    bool violated = room->answer->n_violations > 0;
    if (violated && !o->text) {
        cli_error("plan", "the problem cannot be met: %lld violations",
                  (long long)room->answer->n_violations);
    }
    return violated && o->strict ? EXIT_NO : EXIT_DONE;
}

static int plan(const struct options *o, const struct schedule_problem *p)
{
    struct room room = {.memory.shape = shape_of(p)};
    room.memory.n = ladder_memory(&room.memory.shape);
    room.memory.base = calloc(room.memory.n, sizeof(*room.memory.base));
    room.ladder = calloc(1, sizeof(*room.ladder));
    room.answer = calloc(1, sizeof(*room.answer));
    int code = EXIT_USAGE;
    if (room.memory.base != NULL && room.ladder != NULL &&
        room.answer != NULL) {
        code = solve(o, p, &room);
    } else {
        cli_error("plan", "%s", err_text(ERR_MEMORY));
    }
    free(room.memory.base);
    free(room.ladder);
    free(room.answer);
    return code;
}

static int print_sample(struct schedule_problem *p)
{
    static const struct schedule_sample cfg = {
        .grid = SCHEDULE_SAMPLE_TIERED,
        .n_batteries = 3,
        .n_segments = 2,
        .seed = 1,
    };
    schedule_sample(&cfg, p);
    schedule_sample_write(stdout, p,
                          "synthetic: made by 'ballast plan --sample'");
    return fflush(stdout) == 0 ? EXIT_DONE : fail("stdout");
}

static int run(const struct options *o, const char *path,
               struct schedule_problem *p)
{
    char why[SCHEDULE_WHY_MAX];
    if (o->sample) {
        return print_sample(p);
    }
    if (schedule_file_load(path, p, why, sizeof(why)) != ERR_NONE) {
        cli_error("plan", "%s", why);
        return EXIT_USAGE;
    }
    int code = o->mps != NULL ? write_mps(o->mps, p) : EXIT_DONE;
    if (code != EXIT_DONE || (o->mps != NULL && strcmp(o->mps, "-") == 0)) {
        return code;
    }
    return plan(o, p);
}

_Static_assert(SCHEDULE_ITERATIONS_MAX == 400 &&
                   SCHEDULE_ITERATIONS_LIMIT == 20000,
               "they are named in the texts");

static const char *fault_of(const struct options *o, int n_args)
{
    if (n_args + (o->sample ? 1 : 0) + (o->random > 0 ? 1 : 0) != 1) {
        return "expected one PROBLEM.json, or --random or --sample without one";
    }
    if (o->text && o->json) {
        return "--text or --json, not both";
    }
    if (o->iterations > SCHEDULE_ITERATIONS_LIMIT) {
        return "--iterations: at most 20000";
    }
    return NULL;
}

int plan_main(int argc, char **argv)
{
    struct options o = {.deadline_s = NAN, .seed = 1};
    const struct cli_option options[] = {
        {"mps", CLI_TEXT, &o.mps, "FILE",
         "write the problem as a linear programme that clp, cbc, glpsol or "
         "HiGHS read; - writes it to stdout and nothing else"},
        {"json", CLI_FLAG, &o.json, NULL, "JSON on stdout; the default"},
        {"text", CLI_FLAG, &o.text, NULL, "a summary for people instead"},
        {"iterations", CLI_COUNT, &o.iterations, "N",
         "of the solver, at most; default 400.  More prove directions of "
         "batteries where prices are below 0"},
        {"deadline", CLI_DURATION, &o.deadline_s, "DURATION",
         "for the solver; what it has by then is used. Default: none"},
        {"strict", CLI_FLAG, &o.strict, NULL,
         "exit 1 where the problem cannot be met"},
        {"random", CLI_COUNT, &o.random, "N",
         "solve and check N random problems and print a table instead"},
        {"seed", CLI_COUNT, &o.seed, "N",
         "of the first random problem; default 1"},
        {"sample", CLI_FLAG, &o.sample, NULL,
         "print a synthetic problem to start from"},
    };
    const struct cli cli = {
        .command = "plan",
        .args = "PROBLEM.json",
        .about = about,
        .example = "  ballast plan replay/plans/synthetic.json --text\n"
                   "  ballast plan problem.json --mps problem.mps >plan.json\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .max_args = 1,
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    const char *fault = fault_of(&o, n_args);
    if (fault != NULL) {
        cli_error("plan", "%s", fault);
        return EXIT_USAGE;
    }
    if (o.random > 0) {
        const struct plan_trial trial = {.n = o.random,
                                         .first_seed = o.seed,
                                         .iterations = (int)o.iterations};
        return plan_trial(&trial);
    }
    struct schedule_problem *p = malloc(sizeof(*p));
    if (p == NULL) {
        cli_error("plan", "%s", err_text(ERR_MEMORY));
        return EXIT_USAGE;
    }
    code = run(&o, argv[1], p);
    free(p);
    return code;
}
