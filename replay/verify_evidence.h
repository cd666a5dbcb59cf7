/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify_evidence - `ballast verify` of an evidence log. */
#ifndef REPLAY_VERIFY_EVIDENCE_H
#define REPLAY_VERIFY_EVIDENCE_H

#include <stdbool.h>
#include <stdio.h>

/* Check 'file', which 'path' names, and say what was found; 'head' NULL or the
 * hash that must be in it.  Returns an exit code. */
int verify_evidence(const char *path, FILE *file, const char *head, bool json);

#endif
