/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * generator - a synthetic load for those without a trace.
 *
 * Not measured: whoever shows its output labels it synthetic.
 *
 *   training   jobs one after the other.  A job starts from idle, loads, then
 *              iterates every 10.95 s with a dip of 13 %; every 142 s comes a
 *              13 s evaluation notch of 33 %; about every 30 min a checkpoint
 *              of 20 to 40 s.  Periods, depths and the idle level are those of
 *              512 H100 (MLPerf training v4.0, GPT-3; idle from llama2 runs).
 *   inference  a day and a week (t = 0 is a Monday 00:00) with bursts of
 *              seconds to hours; idle level of an 8 x H200 server.
 *   mixed      0.6 of the first and 0.4 of the second.
 *
 * The power at an instant depends on seed and instant alone, whatever was
 * asked before.  Asking forward in time costs O(1) amortised.  Times are
 * seconds from 0; powers are never negative and never above the peak.  Not
 * for several threads at once.
 */
#ifndef REPLAY_GENERATOR_H
#define REPLAY_GENERATOR_H

#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/snapshot.h"

#define GENERATOR_LIST(X)     \
    X(TRAINING, "training")   \
    X(INFERENCE, "inference") \
    X(MIXED, "mixed")
#define GENERATOR_ENUM(name, text) GENERATOR_##name,
enum generator_kind { GENERATOR_LIST(GENERATOR_ENUM) GENERATOR_COUNT };
#undef GENERATOR_ENUM

struct generator_cfg {
    enum generator_kind kind;
    uint64_t seed;     /* default 1 */
    double duration_s; /* default 1 h of training, else 1 day; <= 3660 days */
    double peak_w;     /* > 0 */
};

/* Opaque: it owns a random number generator of GSL. */
struct generator;

/*
 * Parse "training", "mixed,seed=7,days=2,power=150 MW" (what follows "gen:").
 * 'peak_w' is taken where no power is given.  On failure 'why' says what was
 * expected.  Returns ERR_UNKNOWN, ERR_SYNTAX or ERR_RANGE.
 */
CHECKED enum err generator_parse(const char *text, double peak_w,
                                 struct generator_cfg *cfg, char *why,
                                 size_t why_size);

/* NULL where memory is short.  'cfg' is asserted to be in range. */
struct generator *generator_open(const struct generator_cfg *cfg);
void generator_close(struct generator *g);

/* Power at 't_s' >= 0. */
double generator_at(struct generator *g, double t_s);

/*
 * The scheduler's markers with from_s <= t < to_s, in order of time, at most
 * 'max'; their number is returned.  'at_ms' counts from 0 at t = 0, 'pod' is
 * -1, 'seq' is 0 (who posts them numbers them), powers are those of the job
 * (for mixed: the training part alone).  Inference has none.
 */
int generator_markers(struct generator *g, double from_s, double to_s,
                      struct job_in *out, int max);

#endif
