/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wide - loops over arrays for more than one class of processor.
 *
 * A function marked WIDE is compiled twice where compiler and C library can
 * choose at start, the second time for 256-bit vectors.  Sums run in lanes
 * that the source names and products are not fused, so both give the same bits.
 */
#ifndef MODELS_WIDE_H
#define MODELS_WIDE_H

#include <stdint.h> /* tells whose C library it is */

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define WIDE __attribute__((target_clones("default", "avx2")))
#else
#define WIDE
#endif

#endif
