/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipm_wide - loops along time for more than one class of processor.
 *
 * A function marked IPM_WIDE is compiled twice where compiler and C library
 * can choose at start, the second time for 256-bit vectors.  Sums run in lanes
 * that the source names and products are not fused, so both give the same bits.
 */
#ifndef POLICIES_IPM_WIDE_H
#define POLICIES_IPM_WIDE_H

#include <stdint.h> /* tells whose C library it is */

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define IPM_WIDE __attribute__((target_clones("default", "avx2")))
#else
#define IPM_WIDE
#endif

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
