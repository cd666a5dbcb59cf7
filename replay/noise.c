/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/noise.h"

#include <assert.h>
#include <math.h>

#include <gsl/gsl_randist.h>

static uint64_t mixed(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

uint64_t noise_seed(uint64_t seed, uint64_t a, uint64_t b)
{
    return mixed(mixed(mixed(seed) ^ a) ^ b);
}

void noise_init(struct noise *n, gsl_rng *rng, uint64_t seed, double spacing_s)
{
    assert(spacing_s > 0.0);
    *n = (struct noise){
        .rng = rng, .seed = seed, .spacing_s = spacing_s, .block = -1};
}

static double draw(const struct noise *n)
{
    return fmax(-3.0, fmin(3.0, gsl_ran_gaussian_ziggurat(n->rng, 1.0)));
}

static void seed_block(const struct noise *n, int64_t block)
{
    uint64_t s = noise_seed(n->seed, (uint64_t)block, 0);
    gsl_rng_set(n->rng, (unsigned long)(s & 0xFFFFFFFFu));
}

static void load(struct noise *n, int64_t block)
{
    if (n->block == block) {
        return;
    }
    n->block = block;
    seed_block(n, block + 1);
    n->at[NOISE_BLOCK] = draw(n);
    seed_block(n, block);
    for (int i = 0; i < NOISE_BLOCK; i++) {
        n->at[i] = draw(n);
    }
}

double noise_point(struct noise *n, int64_t index)
{
    assert(index >= 0);
    load(n, index / NOISE_BLOCK);
    return n->at[index % NOISE_BLOCK];
}

double noise_at(struct noise *n, double t_s)
{
    assert(t_s >= 0.0 && t_s < 1e12);
    double x = t_s / n->spacing_s;
    int64_t index = (int64_t)x;
    double part = x - (double)index;
    load(n, index / NOISE_BLOCK);
    int64_t i = index % NOISE_BLOCK;
    return n->at[i] + part * (n->at[i + 1] - n->at[i]);
}
