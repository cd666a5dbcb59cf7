/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recording_format - the bytes of a recording, for its writer and its reader.
 *
 *   header  struct recording_prelude, struct recording_fixed, the site file's
 *           text, the state, the checksum of all that
 *   record  word: kind in the upper byte, length of the content below it
 *           checksum of the word, so that a damaged length is not taken for a
 *           cut file
 *           content
 *           checksum of all of it
 *
 * A tick's content is a delta (controller/delta) against the image of the tick
 * before, which is zero at first; the end's content is the number of ticks.
 * Every checksum starts from the one before.  Numbers are in the byte order of
 * the machine, which the prelude tells.
 */
#ifndef CONTROLLER_RECORDING_FORMAT_H
#define CONTROLLER_RECORDING_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "controller/build_id.h"

#define RECORDING_MAGIC "BALLASTR"
#define RECORDING_SUM_START UINT64_C(0x9e3779b97f4a7c15)

enum {
    RECORDING_BYTE_ORDER = 0x01020304,
    RECORDING_FORMAT = 2,
    RECORDING_SIZES = 14,
    RECORDING_PATH_MAX = 256,
    RECORDING_LENGTH_BITS = 56,
};

enum record_kind { RECORD_TICK = 1, RECORD_END = 2 };

struct recording_prelude {
    char magic[8];
    uint32_t byte_order;
    uint32_t format;
    uint64_t head_size; /* of the whole header, checksum included */
};

struct recording_fixed {
    uint64_t sizes[RECORDING_SIZES]; /* of the structs in the images */
    char build[BUILD_ID_MAX];
    char site_path[RECORDING_PATH_MAX];
    int64_t policy;
    uint64_t after_tick;
    uint64_t site_text_size;
    uint64_t state_size;
};

struct record_head {
    uint64_t word;
    uint64_t sum;
};

static inline uint64_t record_word(enum record_kind kind, uint64_t length)
{
    return (uint64_t)kind << RECORDING_LENGTH_BITS | length;
}

/* What RECORDING_SIZES structs measure in this program. */
void recording_sizes(uint64_t sizes[RECORDING_SIZES]);

/*
 * Checksum of 'n' bytes that goes on from 'sum'.  Each 8-byte word enters by
 * steps that can be undone, so two contents of one length that differ in one
 * word never have the same sum.  Against accidents, not against forgers.
 */
uint64_t recording_sum(uint64_t sum, const void *bytes, size_t n);

#endif
