/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * delta - what changed between two images of equal size, byte by byte.
 *
 * Runs of changed 8-byte words: how many are the same, how many changed (both
 * as counts of 7 bits a byte, low first), then for each changed word a mask of
 * its changed bytes and those bytes' exclusive or with the old ones.
 */
#ifndef CONTROLLER_DELTA_H
#define CONTROLLER_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that delta_encode() may need for 'n_words'. */
size_t delta_bound(size_t n_words);

/* Write what makes 'now' out of 'old' to 'out', and 'old' becomes 'now'.
 * Returns the bytes written; none where nothing changed. */
size_t delta_encode(uint64_t *old, const uint64_t *now, size_t n_words,
                    unsigned char *out);

/* Apply what delta_encode() wrote to 'image'.  False, with 'image' partly
 * changed, where it points outside 'image' or is cut short. */
bool delta_decode(uint64_t *image, size_t n_words, const unsigned char *in,
                  size_t n_bytes);

#endif
