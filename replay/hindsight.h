/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hindsight - what a site could have come to at best, its future known.
 *
 * A linear programme (replay/hindsight_lp.h) on what really came, kept books of
 * like every other policy.  It bounds from below what any policy costs that
 * keeps the site's limits, and, by a second programme, what it has to hold
 * back and the battery energy that it then needs (replay_result.bound).
 *
 * Powers are constant over a step: 10 s for traces of up to two hours, so the
 * ramp is judged there by the meter of all policies; else 15 min or more, where
 * only the programme judges it and what happens within a step is not known
 * (NAN in the result).  Cars are those of `none`.
 */
#ifndef REPLAY_HINDSIGHT_H
#define REPLAY_HINDSIGHT_H

#include "replay/replay.h"

struct hindsight;

/* What it needs to know of a run; 'cfg' stays the caller's.  NULL after 'why':
 * no memory, or a trace that is too long. */
struct hindsight *hindsight_open(const struct replay_cfg *cfg, char *why,
                                 size_t why_size);
void hindsight_close(struct hindsight *h);

/* For replay_cfg.watch of a run of `none`, with 'context' a hindsight: it then
 * needs none of its own. */
void hindsight_watch(void *context, const struct replay_told *told);

/*
 * As replay_run(), with the series of its cfg.  'none' is the result of the
 * run that was watched; NULL: there was none yet.  ERR_MEMORY, ERR_IO,
 * ERR_RANGE: no answer; ERR_FULL: too many kinds of batteries.
 */
CHECKED enum err hindsight_run(struct hindsight *h,
                               const struct replay_result *none,
                               struct replay_result *out, char *why,
                               size_t why_size);

#endif
