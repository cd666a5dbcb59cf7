/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clean - keep what is no measurement out of a forecast's memory.
 *
 * Not finite, beyond what any source can be, a repeat (no time has passed), a
 * gap, a sensor that is stuck (the same bits for much longer than it has ever
 * held still before), a lone spike.
 *
 * A spike is outside of the running median by a multiple of the running median
 * deviation (Hampel 1974) and well outside of all that has been seen, because
 * a load that dips in every iteration is full of what a Hampel filter alone
 * takes for spikes.  An edge is no spike: its first sample is held back and
 * the next one, on the same side, is believed.  What came once in twos is
 * seen from then on.
 *
 * Plain struct; bounded work.
 */
#ifndef MODELS_CLEAN_H
#define MODELS_CLEAN_H

#include <stdint.h>

enum { CLEAN_WINDOW = 15 };

#define CLEAN_LIST(X)                          \
    X(OK, "ok")                                \
    X(NOT_FINITE, "not a number")              \
    X(IMPOSSIBLE, "outside of what it can be") \
    X(SPIKE, "a lone spike")                   \
    X(STUCK, "stuck at one value")             \
    X(GAP, "a gap")                            \
    X(REPEAT, "a repeat")
#define CLEAN_ENUM(name, text) CLEAN_##name,
enum clean { CLEAN_LIST(CLEAN_ENUM) CLEAN_COUNT };
#undef CLEAN_ENUM

struct clean_state {
    double window[CLEAN_WINDOW]; /* the last believed values */
    int64_t n;                   /* believed so far */
    double believed;             /* the last one, NAN before any */
    double lo, hi;               /* of all believed, slowly forgotten */
    double held;                 /* a suspect that waits for the next sample */
    int64_t holding;             /* 1: held is valid */
    double last;                 /* raw and finite; NAN before any */
    double same_s;               /* for how long it has been the same */
    double longest_s;            /* that it was, and then moved; forgotten */
    double usual_s;              /* between samples */
    int64_t counts[CLEAN_COUNT];
};

void clean_init(struct clean_state *c);

/*
 * One sample, 'dt_s' after the one before.  Returns what it is; '*out' is the
 * value to go on with: itself (OK, GAP, STUCK), or the last believed one; NAN
 * before any.
 */
enum clean clean_step(struct clean_state *c, double value, double dt_s,
                      double *out);
const char *clean_name(enum clean c);

#endif
