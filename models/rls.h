/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rls - a linear law fitted sample by sample: recursive least squares with
 * forgetting (Haykin, Adaptive Filter Theory, 4th ed., ch. 9).
 *
 * The caller owns 'weight' (n) and 'inverse' (n x n, the inverse of the
 * correlation of the inputs).  A sample far outside of what was seen is taken
 * at less than its weight (Huber), the inverse is kept symmetric and bounded,
 * and what is not finite changes nothing: the law stays finite whatever comes.
 */
#ifndef MODELS_RLS_H
#define MODELS_RLS_H

#include <stdint.h>

struct rls {
    double *weight;
    double *inverse;
    int64_t n;
    double forget; /* of the weight of the past, a sample: 0.9 .. 1 */
};

/* All weights 0; 'ridge' > 0 holds them there until that much is known. */
void rls_init(const struct rls *r, double ridge);

double rls_predict(const double *weight, int64_t n, const double *x);

/* 'x' gave 'y'; errors over 'huge' > 0 count for less. */
void rls_learn(const struct rls *r, const double *x, double y, double huge);

#endif
