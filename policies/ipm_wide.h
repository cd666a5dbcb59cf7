/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipm_wide - the solver's loops along time, by models/wide.h.
 */
#ifndef POLICIES_IPM_WIDE_H
#define POLICIES_IPM_WIDE_H

#include "models/wide.h"

#define IPM_WIDE WIDE

/* Before a loop whose turns do not depend on each other: no two of its arrays
 * overlap but where they are the same. */
#if defined(__clang__)
#define IPM_APART _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define IPM_APART _Pragma("GCC ivdep")
#else
#define IPM_APART
#endif

#endif
