/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace_time - the times of a trace: its step, its gaps, and what to make of
 * a row that is not later than the one before.
 */
#ifndef REPLAY_TRACE_TIME_H
#define REPLAY_TRACE_TIME_H

#include <stdbool.h>

#include "replay/trace.h"

/*
 * Whether a row at '*t_s' can be the next sample of 't', after mending what a
 * logger does: a repeated time is no sample; a sample that was stamped ahead
 * of the rows around it goes; a clock that was set back begins a new part one
 * step after the last sample, and '*shift_s' is what all later times of it
 * move by.  '*t_s' is the row's own time at first and the sample's in the
 * end.  False where the row is to be left out.
 */
bool trace_time_mend(struct trace *t, double *t_s, double *shift_s);

/* Step, gaps and duration of one pass; 'lines' are those of the samples.
 * ERR_MEMORY. */
CHECKED enum err trace_time_measure(struct trace *t, const long *lines);

#endif
