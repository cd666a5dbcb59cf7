/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain_sentence - what bound at a time and why, in one sentence, from what
 * the historian kept of it. */
#ifndef CONTROLLER_EXPLAIN_SENTENCE_H
#define CONTROLLER_EXPLAIN_SENTENCE_H

#include "controller/history_read.h"

enum { EXPLAIN_SENTENCE_MAX = 2048 };

/*
 * "the ramp limit of 2 MW/min bound (1.67 MW/min was reached): the load was
 * 13.31 MW, the grid took 5.98 MW of at most 15.92 MW, and the batteries gave
 * 7.32 MW at 52.4 % charge; bess2 reports a fault and is not used".  Without an
 * end of sentence.  'second' NULL: its numbers are left out.  Returns 'out'.
 */
const char *explain_sentence(const struct history_decision *d,
                             const struct second_row *second,
                             char out[EXPLAIN_SENTENCE_MAX]);

#endif
