/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * build_id - which program this is, as far as its arithmetic depends on it.
 *
 * A recording gives the same commands bit for bit on the same binary, C
 * library and class of CPU; this text names the three.
 */
#ifndef CONTROLLER_BUILD_ID_H
#define CONTROLLER_BUILD_ID_H

enum { BUILD_ID_MAX = 160 };

/* "program 0123456789abcdef, glibc 2.36, x86_64 fma avx2".  The number is a
 * checksum of the executable's bytes, 0 where they cannot be read. */
void build_id(char out[BUILD_ID_MAX]);

#endif
