/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/timing.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <time.h>

double timing_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void timing_reset(struct timing *t)
{
    t->n = 0;
    t->every = 1;
    t->seen = 0;
}

int timing_wanted(struct timing *t)
{
    return t->seen++ % t->every == 0;
}

void timing_add(struct timing *t, double duration_s)
{
    if (t->n == TIMING_MAX) {
        for (int64_t i = 0; i < TIMING_MAX / 2; i++) {
            t->s[i] = t->s[2 * i];
        }
        t->n = TIMING_MAX / 2;
        t->every *= 2;
    }
    t->s[t->n++] = duration_s;
}

double timing_quantile(struct timing *t, double pu)
{
    if (t->n == 0) {
        return NAN;
    }
    gsl_sort(t->s, 1, (size_t)t->n);
    return gsl_stats_quantile_from_sorted_data(t->s, 1, (size_t)t->n, pu);
}
