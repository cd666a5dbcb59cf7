/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify_settlement - `ballast verify` of a settlement file. */
#ifndef REPLAY_VERIFY_SETTLEMENT_H
#define REPLAY_VERIFY_SETTLEMENT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Check 'file', which 'path' names, against itself and against the evidence
 * log 'evidence' (NULL: the one that it names, beside it or where it says), and
 * say what was found.  Returns an exit code.
 */
int verify_settlement(const char *path, FILE *file, const char *evidence,
                      bool json);

#endif
