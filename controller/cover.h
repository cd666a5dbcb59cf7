/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cover - whether the site's batteries can take up an edge of its load.
 *
 * An edge of dP watts is ridden through while the grid follows at its ramp
 * limit R (DESIGN.md, promise 1):
 *
 *   power    P >= dP
 *   energy   E sqrt(eta) - error >= dP^2 / 2R, from the middle of the window
 *            above the backup reserve; E / sqrt(eta) where it charges
 *   latency  dP L <= R T^2: what leaks before the batteries answer, against
 *            what the mean over the utility's averaging time T forgives
 *
 * L is the batteries' mean by power: whole periods of delay, and the tail of
 * their first-order response sampled once per period (CONTRACT.md: 1.58
 * ticks at 100 ms period and response).  An edge of at most R T needs no
 * battery: the mean itself spreads it over T.
 */
#ifndef CONTROLLER_COVER_H
#define CONTROLLER_COVER_H

#include <stdbool.h>
#include <stddef.h>

#include "models/site.h"

/* State of charge that may be wrong without breaking the promise. */
#define COVER_SOC_ERROR_PU 0.02

struct cover {
    bool ok;
    bool no_battery_needed;
    double power_w;        /* what the batteries have in that direction */
    double energy_wh;      /* at the terminals, in that direction */
    double energy_need_wh; /* dP^2 / 2R */
    double latency_s;
    double edge_max_w; /* R T^2 / L; INFINITY without latency */
};

/* What becomes of an edge of 'edge_w' > 0; 'rise' is load that appears, so
 * that the batteries discharge. */
struct cover cover_edge(const struct site *site, double edge_w, bool rise);

struct cover_trip {
    bool ok;          /* its edge is ridden through, and the others take over */
    double edge_w;    /* what it leaves at most: its power */
    double carried_w; /* that the others can carry until the grid follows */
    double leaks_w;   /* R T^2 / L: of a larger edge too much leaks */
};

/* What becomes of the site when battery 'i' trips, its state of charge as
 * above.  More than 'carried_w' is held back beforehand, so the loss is covered
 * unless its own edge leaks too much or no other battery can do anything. */
struct cover_trip cover_trip(const struct site *site, int i);

/* What it would take, in words: "12.0 MW more battery power"; "" where it is
 * covered.  Returns 'out'. */
const char *cover_text(const struct site *site, double edge_w,
                       const struct cover *c, char *out, size_t size);

#endif
