/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mps_parts - what the parts of mps share: how columns and rows are called,
 * which there are, and lines of the file. */
#ifndef REPLAY_MPS_PARTS_H
#define REPLAY_MPS_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "replay/mps.h"
#include "policies/schedule_solve.h"

enum { MPS_NAME_MAX = SITE_NAME_MAX + 4, MPS_LABEL_MAX = MPS_NAME_MAX + 32 };

/* The energy above soc_min that a step's end must and may have. */
struct mps_window {
    double lo_mwh;
    double hi_mwh;
};

struct mps_writer {
    FILE *out;
    const struct schedule_problem *p;
    const struct mps_least *least; /* NULL: all limits are hard */
    const struct schedule_lp *lp;  /* its shares of a step's power */
    struct mps_window *windows;    /* battery by battery, n_steps each */
    struct schedule_store stores[SCHEDULE_BATTERIES_MAX];
    char batteries[SCHEDULE_BATTERIES_MAX][MPS_NAME_MAX];
    char classes[SCHEDULE_CLASSES_MAX][MPS_NAME_MAX];
};

/* The name of a column or row. */
struct mps_label {
    char text[MPS_LABEL_MAX];
};

#define MPS_W_PER_MW 1e6
#define MPS_KWH_PER_MWH 1e3

/* "kind[name,t]", "kind[t]" where 'name' is empty. */
struct mps_label mps_at(const char *kind, const char *name, int64_t t);

/* Segment 's' of battery 'b'. */
struct mps_store {
    int64_t b;
    int64_t s;
};

/* "kind[name.s,t]", "kind[name,t]" where there is one segment. */
struct mps_label mps_segment(const struct mps_writer *w, const char *kind,
                             struct mps_store store, int64_t t);

double mps_hours(const struct mps_writer *w, int64_t t);
double mps_ramp_mw(const struct mps_writer *w, int64_t t);

/* Which rows there are. */
bool mps_has_ramp(const struct mps_writer *w, int64_t t);
bool mps_has_peak(const struct mps_writer *w);
bool mps_has_segments(const struct mps_writer *w, int64_t b);

/* A row for the sum of a battery's segments where their widths do not say it
 * already. */
bool mps_has_level(const struct mps_writer *w, int64_t b, int64_t t);

/* A row for charge and discharge together. */
bool mps_has_one(const struct mps_writer *w, int64_t b, int64_t t);

/* A row of what the tiers above the one at hand may be violated in all. */
bool mps_has_total(const struct mps_writer *w, enum schedule_tier tier);
struct mps_label mps_total(enum schedule_tier tier);

/* The most that the rating, and the energy that can be there, allow. */
double mps_charge_mw(const struct mps_writer *w, int64_t b, int64_t t);
double mps_discharge_mw(const struct mps_writer *w, int64_t b, int64_t t);

/* Limits that cannot give way: what is left of those of the energy. */
struct mps_window mps_hard(const struct mps_writer *w, int64_t b);

struct mps_window mps_window(const struct mps_writer *w, int64_t b, int64_t t);

/* The sections behind COLUMNS. */
void mps_write_sides(const struct mps_writer *w);

#endif
