/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/cover_island.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/cover.h"
#include "models/units.h"
#include "policies/shed.h"

static const double USED_PU = 0.9;   /* as controller/step/island.c */
static const double LEAST_S = 600.0; /* likewise */
static const double SAME_PU = 1e-6;

enum { TEXT_MAX = 32 };

/* What the batteries give at the terminals: with the reserve alone left, from
 * the middle of what is above it, as `check` has it elsewhere, and from the
 * window's upper end. */
struct stored {
    double reserve_wh;
    double middle_wh;
    double high_wh;
};

static struct stored find_stored(const struct site *site)
{
    struct stored e = {0.0, 0.0, 0.0};
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        double one_way = sqrt(b->efficiency_pu);
        double window_wh = (b->soc_max_pu - b->soc_min_pu) * b->energy_wh;
        double error_wh = COVER_SOC_ERROR_PU * b->energy_wh;
        double half_wh = 0.5 * (window_wh + b->reserve_wh);
        e.reserve_wh += fmax(b->reserve_wh - error_wh, 0.0) * one_way;
        e.middle_wh += fmax(half_wh - error_wh, 0.0) * one_way;
        e.high_wh += fmax(window_wh - error_wh, 0.0) * one_way;
    }
    return e;
}

/* What the batteries draw themselves, and no cap holds back. */
static double aux_w(const struct site *site)
{
    double w = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        w += site->batteries[i].aux_w;
    }
    return w;
}

static double discharge_w(const struct site *site)
{
    double w = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        w += fmin(b->discharge_max_w, b->transformer_va);
    }
    return w;
}

static void take(struct cover_island *c, double w, enum island_bound bound)
{
    if (w < c->may_w) {
        c->may_w = w;
        c->bound = bound;
    }
}

/* The caps that the step would give to pods that all want everything. */
static double share_out(const struct site *site, double budget_w,
                        struct cover_island *c)
{
    struct shed_cfg *cfg = calloc(1, sizeof(*cfg));
    struct shed_lot *lots = calloc(SITE_PODS_MAX, sizeof(*lots));
    double *deficit_s = calloc(SITE_PODS_MAX, sizeof(*deficit_s));
    double sum_w = NAN;
    if (cfg != NULL && lots != NULL && deficit_s != NULL) {
        shed_init(cfg, site);
        for (int i = 0; i < site->n_pods; i++) {
            lots[i] = (struct shed_lot){.floor_w = cfg->cap_min_w[i],
                                        .most_w = cfg->power_max_w[i],
                                        .want_w = cfg->power_max_w[i],
                                        .apart_w = NAN,
                                        .kept_w = NAN};
        }
        (void)shed_share(cfg, deficit_s, budget_w, lots);
        sum_w = 0.0;
        for (int i = 0; i < site->n_pods; i++) {
            int64_t class_id = cfg->class_id[i];
            c->class_pu[class_id] += lots[i].cap_w / cfg->class_max_w[class_id];
            sum_w += lots[i].cap_w;
            bool whole = lots[i].cap_w >= (1.0 - SAME_PU) * lots[i].most_w;
            bool lowest = lots[i].cap_w <= (1.0 + SAME_PU) * lots[i].floor_w;
            c->n_whole += whole ? 1 : 0;
            c->n_lowest += lowest && !whole ? 1 : 0;
        }
    }
    free(cfg);
    free(lots);
    free(deficit_s);
    return sum_w;
}

bool cover_island(const struct site *site, struct cover_island *out)
{
    *out = (struct cover_island){.bound = ISLAND_BY_NONE};
    if (site->n_batteries == 0 || site->n_pods == 0) {
        return false;
    }
    double pue = site->other.present ? site->other.pue_pu : 1.0;
    double beside_w = aux_w(site);
    out->full_w = out->least_w = beside_w;
    for (int i = 0; i < site->n_pods; i++) {
        out->full_w += site->pods[i].power_max_w * pue;
        out->least_w += site->pods[i].cap_min_w * pue;
    }
    struct stored e = find_stored(site);
    out->reserve_wh = e.reserve_wh;
    double lasts_s = fmax(site->grid.island_s, LEAST_S);
    out->may_w = out->full_w;
    take(out, site->grid.island_load_w, ISLAND_BY_LOAD);
    out->power_w = discharge_w(site);
    take(out, USED_PU * out->power_w, ISLAND_BY_POWER);
    take(out, e.middle_wh * 3600.0 / lasts_s, ISLAND_BY_ENERGY);
    out->ok = out->may_w >= out->least_w;
    double pods_w = fmax(out->may_w - beside_w, 0.0) / pue;
    out->load_w = beside_w + pue * share_out(site, pods_w, out);
    if (!(out->load_w > 0.0)) {
        return false;
    }
    out->reserve_s = e.reserve_wh / out->load_w * 3600.0;
    out->middle_s = e.middle_wh / out->load_w * 3600.0;
    out->high_s = e.high_wh / out->load_w * 3600.0;
    return true;
}

static void print_classes(const struct site *site, const struct cover_island *c)
{
    bool there[SITE_CLASSES_MAX] = {false};
    for (int i = 0; i < site->n_pods; i++) {
        there[site->pods[i].class_id] = true;
    }
    const char *before = "               ";
    for (int k = 0; k < site->n_classes; k++) {
        if (there[k]) {
            printf("%s%s at %.0f %%", before, site->classes[k].name,
                   100.0 * c->class_pu[k]);
            before = ", ";
        }
    }
    printf(" of its pods' power;\n               of %d pods %d keep all of "
           "theirs, %d are at their cap_min\n",
           site->n_pods, c->n_whole, c->n_lowest);
}

static void print_time(const struct cover_island *c)
{
    char a[TEXT_MAX];
    char b[TEXT_MAX];
    if (c->least_w > c->power_w) {
        printf("  %-12s not at all: the batteries give no more than %s\n",
               "lasts", units_power_text(c->power_w, a, sizeof(a)));
        return;
    }
    printf("  %-12s %s from there, %s from the upper end\n", "lasts",
           units_duration_text(c->middle_s, a, sizeof(a)),
           units_duration_text(c->high_s, b, sizeof(b)));
    if (c->reserve_wh > 0.0) {
        printf("               %s on the %s that are kept as reserve by plan, "
               "recentring and smoothing\n",
               units_duration_text(c->reserve_s, a, sizeof(a)),
               units_energy_text(c->reserve_wh, b, sizeof(b)));
    } else {
        printf("               nothing is kept for it: no battery has a "
               "reserve\n");
    }
}

void cover_island_print(const struct site *site)
{
    static const char *const bounds[] = {
        [ISLAND_BY_NONE] = "all of it",
        [ISLAND_BY_LOAD] = "as island_load has it",
        [ISLAND_BY_POWER] = "90 % of the batteries' power",
        [ISLAND_BY_ENERGY] = "so that they last for island_duration",
    };
    struct cover_island c;
    char a[TEXT_MAX];
    char b[TEXT_MAX];
    if (!cover_island(site, &c)) {
        return;
    }
    printf("cut off from the grid, with nothing fed in, from the middle of the "
           "batteries' window:\n");
    printf("  %-12s %s of %s: %s\n", c.ok ? "served" : "not served",
           units_power_text(c.may_w, a, sizeof(a)),
           units_power_text(c.full_w, b, sizeof(b)), bounds[c.bound]);
    if (!c.ok) {
        printf("               with every cap at its lowest the site draws %s: "
               "more battery, or a lower cap_min\n",
               units_power_text(c.least_w, a, sizeof(a)));
    }
    print_classes(site, &c);
    print_time(&c);
}
