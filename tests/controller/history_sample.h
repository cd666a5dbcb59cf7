/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history_sample - a small site and seeded random ticks of it, for the tests
 * of what keeps history. */
#ifndef TESTS_CONTROLLER_HISTORY_SAMPLE_H
#define TESTS_CONTROLLER_HISTORY_SAMPLE_H

#include <stdint.h>
#include <stdio.h>

#include "models/command.h"
#include "models/plan.h"
#include "models/site.h"
#include "models/snapshot.h"

/* Rises in a fixed order from a seed: the same everywhere. */
uint64_t sample_random(uint64_t *seed);
double sample_unit(uint64_t *seed); /* 0 <= x < 1 */

/* Two batteries, three pods, a fleet of two, one market; free() it. */
struct site *sample_site(void);

struct sample_tick {
    struct snapshot *in;
    struct plan plan;
    struct step_out *out;
};

void sample_open(struct sample_tick *t, const struct site *site);
void sample_close(struct sample_tick *t);

/* Make the next tick of 't': some readings, commands, prices and markers
 * change, now and then the plan; 100 ms go by. */
void sample_next(struct sample_tick *t, const struct site *site,
                 uint64_t *seed);

/* A folder of its own under /tmp in 'out' (a name of at most 63 bytes), and
 * away with it and its files. */
void sample_folder(char out[64]);
void sample_folder_remove(const char *folder);

/* Whole file; free() it.  NULL where it cannot be read. */
unsigned char *sample_read(const char *path, size_t *size);
void sample_write(const char *path, const void *bytes, size_t size);

#endif
