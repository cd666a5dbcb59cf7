/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clean - keep what is no measurement out of a forecast's memory.
 *
 * Not finite, beyond what the source can be, a lone spike (Hampel: outside of
 * the running median by a multiple of the running median deviation, and back
 * at the next sample), a sensor that is stuck (the same bits for longer than
 * it has ever held still before), a repeat.  An edge is no spike: it is held
 * back for one sample and believed at the next.  Plain struct, O(1) amortised.
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
    X(GAP, "a gap")
#define CLEAN_ENUM(name, text) CLEAN_##name,
enum clean { CLEAN_LIST(CLEAN_ENUM) CLEAN_COUNT };
#undef CLEAN_ENUM

struct clean_state {
    double window[CLEAN_WINDOW]; /* last believed or held-back values */
    int64_t n;
    double held;      /* a suspect that waits for the next sample */
    int64_t holding;  /* 1: held is valid */
    double last;      /* raw */
    double same_s;    /* for how long it has been the same */
    double longest_s; /* that it was, and then moved (slowly forgotten) */
    int64_t counts[CLEAN_COUNT];
};

void clean_init(struct clean_state *c);

/*
 * One sample held for 'dt_s'.  Returns what it is; '*out' is the value to go
 * on with: itself, or the last believed one; NAN before any.
 */
enum clean clean_step(struct clean_state *c, double value, double dt_s,
                      double *out);
const char *clean_name(enum clean c);

#endif
