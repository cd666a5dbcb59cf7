/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * noise - normal noise over time that can be asked at any instant.
 *
 * Standard normal values, cut at +-3, stand on a grid of 'spacing_s'; between
 * them the value is interpolated.  They are drawn in blocks, each from its own
 * seed, so an instant's value depends on seed and instant alone.
 */
#ifndef REPLAY_NOISE_H
#define REPLAY_NOISE_H

#include <stdint.h>

#include <gsl/gsl_rng.h>

enum { NOISE_BLOCK = 256 };

struct noise {
    gsl_rng *rng; /* borrowed; seeded anew for each block */
    uint64_t seed;
    double spacing_s;
    int64_t block; /* that 'at' holds; -1 for none */
    double at[NOISE_BLOCK + 1];
};

void noise_init(struct noise *n, gsl_rng *rng, uint64_t seed, double spacing_s);

/* Interpolated value at 't_s' >= 0, within +-3. */
double noise_at(struct noise *n, double t_s);

/* Value of grid point 'index' >= 0, within +-3. */
double noise_point(struct noise *n, int64_t index);

/* A seed from a seed and two numbers (splitmix64's finisher). */
uint64_t noise_seed(uint64_t seed, uint64_t a, uint64_t b);

#endif
