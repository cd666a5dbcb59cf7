/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * random - a small generator whose state is one number, the same on every
 * machine: xorshift64* (Vigna, "An experimental exploration of Marsaglia's
 * xorshift generators, scrambled", 2016).  For simulated assets and tests.
 */
#ifndef MODELS_RANDOM_H
#define MODELS_RANDOM_H

#include <stdint.h>

/* A state from any seed, 0 included (splitmix64 step). */
static inline uint64_t random_seed(uint64_t seed)
{
    uint64_t z = seed + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return z != 0 ? z : 1;
}

/* Uniform in [lo, hi). */
static inline double random_draw(uint64_t *state, double lo, double hi)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    double u =
        (double)((*state * 2685821657736338717u) >> 11) / 9007199254740992.0;
    return lo + u * (hi - lo);
}

#endif
