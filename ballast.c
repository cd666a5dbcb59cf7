/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ballast - the front door: a table of subcommands. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "controller/build_id.h"
#include "controller/cli.h"
#include "controller/explain.h"
#include "controller/export.h"
#include "controller/maps.h"
#include "controller/operator.h"
#include "controller/run.h"
#include "controller/site_file.h"
#include "controller/status.h"
#include "replay/bench.h"
#include "replay/demo.h"
#include "replay/forecast_main.h"
#include "replay/plan_main.h"
#include "replay/sim.h"
#include "replay/replay.h"
#include "replay/verify.h"
#include "replay/wear_main.h"

struct subcommand {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *summary;
};

/* In the order of a newcomer's way. */
static const struct subcommand subcommands[] = {
    {"demo", demo_main, "a whole site on this machine, with a live view"},
    {"check", check_main,
     "tell every fault of a site file, and what it covers"},
    {"run", run_main, "control a site until told to stop"},
    {"status", status_main, "ask the running controller of a site"},
    {"alarms", alarms_main, "what is wrong at a site, and what to do"},
    {"override", override_main,
     "set limits by hand, or opt out of an event, for a time"},
    {"sim", sim_main, "play a site's devices over Modbus TCP and MQTT"},
    {"replay", replay_main, "run a load trace against the simulated site"},
    {"plan", plan_main, "the cheapest schedule of a problem file"},
    {"explain", explain_main, "what bound at a given time, and why"},
    {"export", export_main, "evidence and history of a site, written out"},
    {"verify", verify_main, "run a recording again, or check an evidence log"},
    {"forecast", forecast_main, "what was forecast against what came"},
    {"wear", wear_main, "how a profile of state of charge ages a battery"},
    {"rainflow", rainflow_main, "count the cycles of a series"},
    {"maps", maps_main, "check register maps and list them"},
    {"bench", bench_main, "measure what Ballast costs"},
    {"help", help_main,
     "the manual of the site file ('help site'), or of a command"},
    {NULL, NULL, NULL},
};

static void print_usage(FILE *out)
{
    fprintf(out,
            "usage: ballast COMMAND [arguments]\n\n"
            "Keeps an AI site's grid connection inside its limits, at least "
            "cost, by steering\nbatteries, GPU pods and parked vehicles "
            "together.\n\ncommands:\n");
    for (const struct subcommand *s = subcommands; s->name != NULL; s++) {
        fprintf(out, "  %-10s %s\n", s->name, s->summary);
    }
    fprintf(
        out,
        "\n'ballast COMMAND --help' shows a command's options and an "
        "example, 'ballast --version' the build.\nFirst: 'ballast demo'.\n");
}

static const struct subcommand *find(const char *name)
{
    const struct subcommand *s = subcommands;
    while (s->name != NULL && strcmp(name, s->name) != 0) {
        s++;
    }
    return s->name != NULL ? s : NULL;
}

static void print_version(void)
{
    char build[BUILD_ID_MAX];
    build_id(build);
    printf("ballast, %s\n", build);
}

/* As 'ballast COMMAND --help'. */
static int help_on(const struct subcommand *s)
{
    char name[16];
    char option[] = "--help";
    snprintf(name, sizeof(name), "%s", s->name);
    char *args[] = {name, option, NULL};
    return s->main(2, args);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* before any library opens a socket */
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return EXIT_DONE;
    }
    const struct subcommand *s = find(argv[1]);
    if (s != NULL && s->main == help_main && argc == 3 &&
        find(argv[2]) != NULL) {
        return help_on(find(argv[2]));
    }
    if (s != NULL) {
        return s->main(argc - 1, argv + 1);
    }
    fprintf(stderr, "ballast: no command '%s'\n\n", argv[1]);
    print_usage(stderr);
    return EXIT_USAGE;
}
