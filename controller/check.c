/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `ballast check` and `ballast help`. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "controller/cover.h"
#include "controller/cover_island.h"
#include "controller/probe.h"
#include "controller/site_file.h"
#include "controller/site_notes.h"
#include "models/units.h"
#include "policies/floors.h"
#include "policies/guard.h"

enum { NUMBER_MAX = 32 };

static const char *power(double power_w, char number[NUMBER_MAX])
{
    return units_power_text(power_w, number, NUMBER_MAX);
}

static void print_grid(const struct site *site)
{
    const struct site_grid *g = &site->grid;
    char a[NUMBER_MAX];
    char b[NUMBER_MAX];
    char c[NUMBER_MAX];
    printf("  grid       import %s (trip %s), export %s\n",
           power(g->import_max_w, a), power(g->import_trip_w, b),
           power(g->export_max_w, c));
    printf("             ramp %.4g MW/min on the mean of %s",
           g->ramp_max_w_per_s * 60e-6,
           units_duration_text(g->ramp_average_s, a, sizeof(a)));
    if (isfinite(g->swing_max_w)) {
        printf(", swing %s", power(g->swing_max_w, b));
    }
    printf("\n             %s\n",
           g->meter.present ? "metered" : "no meter: the sum of the assets");
}

static void print_batteries(const struct site *site)
{
    double charge_w = 0.0;
    double discharge_w = 0.0;
    double energy_wh = 0.0;
    int n_wired = 0;
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *s = &site->batteries[i];
        charge_w += s->charge_max_w;
        discharge_w += s->discharge_max_w;
        energy_wh += s->energy_wh;
        n_wired += s->modbus.present ? 1 : 0;
    }
    char a[NUMBER_MAX];
    char b[NUMBER_MAX];
    char c[NUMBER_MAX];
    printf("  batteries  %d: charge %s, discharge %s, %s; %d of them over "
           "Modbus\n",
           site->n_batteries, power(charge_w, a), power(discharge_w, b),
           units_energy_text(energy_wh, c, sizeof(c)), n_wired);
}

static double pods_max_w(const struct site *site)
{
    double sum_w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        sum_w += site->pods[i].power_max_w;
    }
    return sum_w;
}

/* The terms on which the owners lend their cars. */
static void print_terms(const struct site *site, const struct site_fleet *f)
{
    const struct guard_terms t = guard_terms_of(f);
    char paid[NUMBER_MAX] = "the price just then";
    if (!isnan(t.energy_per_kwh)) {
        snprintf(paid, sizeof(paid), "%.4g %s/kWh", t.energy_per_kwh,
                 site->currency);
    }
    printf("             %s: %s; a day at most %.3g ppm of wear, a year %.4g "
           "virtual km\n             pack %.4g %s/kWh, owner's energy paid at "
           "%s\n",
           f->name, t.from_pack ? "plugged in or not" : "plugged in only",
           t.budget_ppm_per_day, t.virtual_km_per_year, t.replacement_per_kwh,
           site->currency, paid);
}

static void print_loads(const struct site *site)
{
    double floor_w = 0.0;
    double compute_w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        floor_w += site->pods[i].cap_min_w;
    }
    for (int i = 0; i < site->n_fleets; i++) {
        compute_w += site->fleets[i].nodes * site->fleets[i].compute_w;
    }
    char a[NUMBER_MAX];
    char b[NUMBER_MAX];
    printf("  pods       %d: up to %s, %s with every cap at its lowest\n",
           site->n_pods, power(pods_max_w(site), a), power(floor_w, b));
    printf("  fleets     %d: %d vehicles with %s of compute\n", site->n_fleets,
           site->n_nodes, power(compute_w, a));
    for (int i = 0; i < site->n_fleets; i++) {
        print_terms(site, &site->fleets[i]);
    }
    if (site->other.present) {
        printf("  other      %.3g times the pods, after %s\n",
               site->other.pue_pu - 1.0,
               units_duration_text(site->other.lag_s, a, sizeof(a)));
    }
}

static void print_note(void *user, const char *note)
{
    (void)user;
    printf("note: %s\n", note);
}

static void print_notes(const struct site *site)
{
    double pue = site->other.present ? site->other.pue_pu : 1.0;
    double load_w = pods_max_w(site) * pue;
    char a[NUMBER_MAX];
    char b[NUMBER_MAX];
    if (load_w > site->grid.import_max_w) {
        printf("note: the pods with their cooling can draw %s, more than "
               "import_max (%s):\n      they will be held back\n",
               power(load_w, a), power(site->grid.import_max_w, b));
    }
    if (!site->mqtt.present &&
        (site->n_pods > 0 || site->n_fleets > 0 || site->n_prices > 0)) {
        printf("note: no mqtt section: pods, vehicles and prices take part in "
               "replay only\n");
    }
    if (site->n_batteries == 0) {
        printf("note: no batteries: only compute can hold the limits\n");
    }
    site_notes(site, print_note, NULL);
}

static void print_edge(const struct site *site, const char *name, double edge_w,
                       bool rise)
{
    char a[NUMBER_MAX];
    char b[NUMBER_MAX];
    char c[NUMBER_MAX];
    char d[NUMBER_MAX];
    struct cover cover = cover_edge(site, edge_w, rise);
    printf("  %-12s %s, %s of %s: ", cover.ok ? "covered" : "not covered", name,
           rise ? "rise" : "drop", power(edge_w, a));
    if (cover.no_battery_needed) {
        printf("the mean of ramp_average alone takes it\n");
        return;
    }
    if (cover.ok) {
        printf("power %s, energy %s of %s, edges up to %s in time\n",
               power(cover.power_w, a),
               units_energy_text(cover.energy_need_wh, b, sizeof(b)),
               units_energy_text(cover.energy_wh, c, sizeof(c)),
               power(cover.edge_max_w, d));
        return;
    }
    char text[512];
    printf("it would take %s\n",
           cover_text(site, edge_w, &cover, text, sizeof(text)));
}

/* Jobs that end: what the pods' floors hold up is no edge. */
static void print_stop(const struct site *site, const char *name, double stop_w)
{
    struct floors_cfg floors;
    char a[NUMBER_MAX];
    char b[NUMBER_MAX];
    floors_init(&floors, site);
    double all_w = (floors.rest_w + floors.able_w) * floors.load_per_pod;
    double ends_w = fmin(stop_w, all_w); /* no more than the pods draw */
    double left_w = floors_left_w(&floors, ends_w);
    if (left_w > 0.0) {
        print_edge(site, name, left_w, false);
    } else {
        printf("  covered      %s, stop of %s\n", name, power(stop_w, a));
    }
    if (ends_w < stop_w) {
        printf("               of a stop of %s no more than %s, which is what "
               "the pods draw\n",
               power(stop_w, a), power(ends_w, b));
    }
    if (left_w < ends_w) {
        printf(
            "               of a stop of %s the pods' floors hold up %s, and "
            "burn what the\n               batteries cannot take while the "
            "grid follows\n",
            power(ends_w, a), power(ends_w - left_w, b));
    } else if (ends_w > 0.0) {
        printf("               no pod has a floor_max that would hold the load "
               "up\n");
    }
}

static void print_trip(const struct site *site, const char *name, int i)
{
    char a[NUMBER_MAX];
    char b[NUMBER_MAX];
    struct cover_trip t = cover_trip(site, i);
    printf("  %-12s %s, loss of up to %s: ", t.ok ? "covered" : "not covered",
           name, power(t.edge_w, a));
    if (t.edge_w > t.leaks_w) {
        printf("the mean forgives edges up to %s\n", power(t.leaks_w, b));
    } else if (t.ok) {
        /* the step holds compute back for what is listed only */
        printf("the others carry up to %s; %s\n", power(t.carried_w, b),
               site->grid.contingencies_given
                   ? "what would take more is held back"
                   : "plan and recentring stay within that");
    } else {
        printf("the others can carry nothing\n");
    }
}

static int largest_battery(const struct site *site)
{
    int largest = 0;
    for (int i = 1; i < site->n_batteries; i++) {
        if (cover_trip(site, i).edge_w > cover_trip(site, largest).edge_w) {
            largest = i;
        }
    }
    return largest;
}

static void print_listed(const struct site *site,
                         const struct site_contingency *c)
{
    if (c->drop_w > 0.0) {
        print_edge(site, c->name, c->drop_w, false);
    }
    if (c->rise_w > 0.0) {
        print_edge(site, c->name, c->rise_w, true);
    }
    if (c->stop_w > 0.0) {
        print_stop(site, c->name, c->stop_w);
    }
    if (c->loses == SITE_LOSES_LARGEST) {
        print_trip(site, c->name, largest_battery(site));
    } else if (c->loses >= SITE_LOSES_FIRST) {
        print_trip(site, c->name, c->loses - SITE_LOSES_FIRST);
    }
}

/* Where the site file lists nothing. */
static void print_usual(const struct site *site)
{
    const struct site_pod *largest = NULL;
    for (int i = 0; i < site->n_pods; i++) {
        if (largest == NULL ||
            site->pods[i].power_max_w > largest->power_max_w) {
            largest = &site->pods[i];
        }
    }
    if (largest == NULL) {
        printf("  none: no pods, and no contingencies given\n");
        return;
    }
    print_edge(site, largest->name, largest->power_max_w, false);
    print_edge(site, largest->name, largest->power_max_w, true);
    if (!cover_edge(site, largest->power_max_w, true).ok) {
        printf("               the pods' power may not rise by more than is "
               "covered\n");
    }
    if (!cover_edge(site, largest->power_max_w, false).ok) {
        printf("               what runs is not held back for a drop that is "
               "not listed: the alarm\n               reserve_short tells of "
               "it; list it, or give the pods a floor_max\n");
    }
    if (site->n_batteries > 1) {
        int i = largest_battery(site);
        print_trip(site, site->batteries[i].name, i);
    }
}

static void print_cover(const struct site *site)
{
    const struct site_grid *g = &site->grid;
    printf("edges of the load and batteries that trip, against the ramp limit, "
           "from the middle of the\nbatteries' window:\n");
    for (int i = 0; i < g->n_contingencies; i++) {
        print_listed(site, &g->contingencies[i]);
    }
    if (g->contingencies_given && g->n_contingencies == 0) {
        printf("  none given\n");
    } else if (!g->contingencies_given) {
        print_usual(site);
    }
}

static void print_summary(const struct site *site)
{
    printf("site %s, %s, prices in %s: no fault\n", site->name, site->time_zone,
           site->currency);
    print_grid(site);
    print_batteries(site);
    print_loads(site);
    print_cover(site);
    cover_island_print(site);
    print_notes(site);
}

static void tell(void *user, const char *message)
{
    ++*(int *)user;
    fprintf(stderr, "%s\n", message);
}

static int check_text(const char *path, const char *text, size_t size,
                      bool probe)
{
    struct site *site = calloc(1, sizeof(*site));
    if (site == NULL) {
        cli_error("check", "%s", err_text(ERR_MEMORY));
        return EXIT_USAGE;
    }
    int n = 0;
    int code = EXIT_DONE;
    if (site_file_parse(path, text, size, site, tell, &n) != ERR_NONE) {
        fprintf(stderr, "%s: %d fault%s; 'ballast help site' tells every key\n",
                path, n, n == 1 ? "" : "s");
        code = EXIT_NO;
    } else {
        print_summary(site);
        if (probe && !probe_site(site)) {
            code = EXIT_NO;
        }
    }
    free(site);
    return code;
}

int check_main(int argc, char **argv)
{
    bool probe = false;
    const struct cli_option options[] = {
        {"probe", CLI_FLAG, &probe, NULL,
         "also contact every Modbus device, read-only"},
    };
    const struct cli cli = {
        .command = "check",
        .args = "SITE",
        .about = "Tells every fault of a site file at once, with its place; "
                 "where there is none,\nwhat stands on the site and which "
                 "edges of its load the batteries cover.",
        .example = "  ballast check replay/sites/demo.yaml\n"
                   "  ballast check --probe site.yaml\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_args = 1,
        .max_args = 1,
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    char *text = NULL;
    size_t size = 0;
    enum err e = site_file_read(argv[1], &text, &size);
    if (e != ERR_NONE) {
        cli_error("check", "%s: %s", argv[1],
                  e == ERR_IO      ? strerror(errno)
                  : e == ERR_RANGE ? "larger than 1 MiB: not a site file"
                                   : err_text(e));
        return EXIT_USAGE;
    }
    code = check_text(argv[1], text, size, probe);
    free(text);
    return code;
}

int help_main(int argc, char **argv)
{
    const struct cli cli = {
        .command = "help",
        .args = "[site|COMMAND]",
        .about = "Tells where help is; 'help site' prints every key of the "
                 "site file,\n'help COMMAND' is 'COMMAND --help'.",
        .example = "  ballast help site\n",
        .max_args = 1,
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    if (n_args == 0) {
        printf("ballast --help          the commands\n"
               "ballast COMMAND --help  a command's options and an example\n"
               "ballast help site       every key of the site file\n");
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "site") != 0) {
        cli_error("help",
                  "no help on '%s'; there is 'ballast help site', and "
                  "'ballast --help' lists the commands",
                  argv[1]);
        return EXIT_USAGE;
    }
    site_file_help();
    return EXIT_DONE;
}
