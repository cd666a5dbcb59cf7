/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sha256 - the hash of FIPS 180-4, for names that must not be kept in clear.
 */
#ifndef MODELS_SHA256_H
#define MODELS_SHA256_H

#include <stddef.h>

enum { SHA256_SIZE = 32 };

/* Hash of 'size' bytes, into 'out'. */
void sha256(const void *bytes, size_t size, unsigned char out[SHA256_SIZE]);

#endif
