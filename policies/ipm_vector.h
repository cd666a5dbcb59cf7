/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ipm_vector - what the interior point does along time, n values at once.  No
 * two arrays of a call overlap. */
#ifndef POLICIES_IPM_VECTOR_H
#define POLICIES_IPM_VECTOR_H

#include <stddef.h>

/* In which sums run side by side. */
enum { IPM_LANES = 16 };

double ipm_add_up(const double lanes[IPM_LANES]);

/* to = k from, times what shapes it. */
void ipm_set(size_t n, double k, const double *from, double *to);
void ipm_set_shaped(size_t n, double k, const double *const from[2],
                    double *to);

/* to += k from, times what shapes it. */
void ipm_add(size_t n, double k, const double *from, double *to);
void ipm_add_shaped(size_t n, double k, const double *const from[2],
                    double *to);
void ipm_add_twice_shaped(size_t n, double k, const double *const from[3],
                          double *to);

/* to *= by, and to -= a b. */
void ipm_scale(size_t n, const double *by, double *to);
void ipm_subtract(size_t n, const double *a, const double *b, double *to);

#endif
