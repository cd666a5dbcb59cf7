/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_bases - what the sheds of the utility's events are counted from: the
 * mean of the quarter hour before an event, fixed when it begins.
 *
 * What is fixed outlives a restart of the controller: otherwise a restart in
 * mid-event would count the shed from what is drawn because of it.
 *
 * Powers are of the grid, W, import positive.  For one thread.
 */
#ifndef CONTROLLER_OPENADR_BASES_H
#define CONTROLLER_OPENADR_BASES_H

#include <stdbool.h>
#include <stdint.h>

#include "adapters/openadr.h"
#include "controller/historian.h"

enum {
    OPENADR_BASE_SAMPLES = 900, /* a second each: a quarter hour */
    OPENADR_BASE_LEAST = 10,    /* a mean of fewer is none */
};

struct openadr_base {
    char event[DR_ID_MAX];
    int64_t fixed; /* 1: it has begun */
    double w;      /* NAN: not known yet */
};

struct openadr_bases {
    double samples_w[OPENADR_BASE_SAMPLES];
    int64_t n_samples;
    struct openadr_base bases[OPENADR_EVENTS_MAX];
    int n;
    struct historian *historian; /* NULL: nothing is kept */
};

/* Take over what was fixed in the last run; what was kept is checked like any
 * other input. */
void openadr_bases_init(struct openadr_bases *b, struct historian *historian);

/* Once a second; NAN is left out. */
void openadr_bases_sample(struct openadr_bases *b, double grid_w);

/* Mean of the samples; NAN of too few. */
double openadr_bases_mean_w(const struct openadr_bases *b);

/* The base of each event of 'events' into 'base_w', NAN where it is not known
 * yet; forgets those of all others. */
void openadr_bases_make(struct openadr_bases *b,
                        const struct openadr_events *events, int64_t utc_ms,
                        double *base_w);

/* The base of an event; NAN where it is not known (yet). */
double openadr_bases_of(const struct openadr_bases *b, const char *event);

#endif
