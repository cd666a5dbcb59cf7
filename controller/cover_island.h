/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cover_island - what a site can serve while it is cut off from the grid, with
 * nothing fed in, and for how long.
 *
 * As the step has it (controller/step/island.c): the load is held within 90 %
 * of the batteries' power, what they hold over the time they are to last, and
 * grid.island_load; caps go by value and priority, none below its cap_min.
 */
#ifndef CONTROLLER_COVER_ISLAND_H
#define CONTROLLER_COVER_ISLAND_H

#include <stdbool.h>

#include "models/site.h"

/* In the order of which one is named where several bind. */
enum island_bound {
    ISLAND_BY_NONE, /* all of the load is served */
    ISLAND_BY_LOAD, /* grid.island_load */
    ISLAND_BY_POWER,
    ISLAND_BY_ENERGY,
};

struct cover_island {
    bool ok;      /* it carries at least what the lowest caps leave */
    double may_w; /* of the load may be served, from the middle of the window */
    double full_w;  /* it draws at most, with cooling and batteries' aux */
    double least_w; /* with every cap at its lowest */
    double load_w;  /* is drawn then */
    enum island_bound bound;
    double reserve_wh; /* kept for it, at the terminals */
    double reserve_s;  /* that alone carries load_w */
    double middle_s;   /* from the middle of the window */
    double high_s;     /* from its upper end */
    double power_w;    /* of the batteries */
    int n_whole;       /* pods that keep their full power */
    int n_lowest;      /* pods at their cap_min, where that is less */
    double class_pu[SITE_CLASSES_MAX]; /* of each class's power is served */
};

/* False where memory is short, or there is neither battery nor pod. */
bool cover_island(const struct site *site, struct cover_island *out);

/* For `ballast check`, on stdout. */
void cover_island_print(const struct site *site);

#endif
