/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ipm_vector.h"

#include "policies/ipm_wide.h"

double ipm_add_up(const double lanes[IPM_LANES])
{
    double sum = 0.0;
    for (int k = 0; k < IPM_LANES; k++) {
        sum += lanes[k];
    }
    return sum;
}

IPM_WIDE void ipm_set(size_t n, double k, const double *restrict from,
                      double *restrict to)
{
    for (size_t t = 0; t < n; t++) {
        to[t] = k * from[t];
    }
}

IPM_WIDE void ipm_set_shaped(size_t n, double k, const double *const from[2],
                             double *restrict to)
{
    const double *restrict a = from[0];
    const double *restrict b = from[1];
    for (size_t t = 0; t < n; t++) {
        to[t] = k * a[t] * b[t];
    }
}

IPM_WIDE void ipm_add(size_t n, double k, const double *restrict from,
                      double *restrict to)
{
    for (size_t t = 0; t < n; t++) {
        to[t] += k * from[t];
    }
}

IPM_WIDE void ipm_add_shaped(size_t n, double k, const double *const from[2],
                             double *restrict to)
{
    const double *restrict a = from[0];
    const double *restrict b = from[1];
    for (size_t t = 0; t < n; t++) {
        to[t] += k * a[t] * b[t];
    }
}

IPM_WIDE void ipm_add_twice_shaped(size_t n, double k,
                                   const double *const from[3],
                                   double *restrict to)
{
    const double *restrict a = from[0];
    const double *restrict b = from[1];
    const double *restrict c = from[2];
    for (size_t t = 0; t < n; t++) {
        to[t] += k * a[t] * (b[t] * c[t]);
    }
}

IPM_WIDE void ipm_scale(size_t n, const double *restrict by,
                        double *restrict to)
{
    for (size_t t = 0; t < n; t++) {
        to[t] *= by[t];
    }
}

IPM_WIDE void ipm_subtract(size_t n, const double *restrict a,
                           const double *restrict b, double *restrict to)
{
    for (size_t t = 0; t < n; t++) {
        to[t] -= a[t] * b[t];
    }
}
