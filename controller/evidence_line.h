/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evidence_line - one line of an evidence log, and what chains it to the line
 * before.
 *
 *   {"n":7,"kind":"minute", ... ,"h":"0123...ef"}
 *
 * n counts the lines from 1, over all parts of a log.  h is the SHA-256, as
 * 64 small hexadecimal digits, of the h of the line before followed by this
 * line up to and without ,"h": - sixty-four zeros stand for the h before the
 * first line.  So whoever changes, takes out or moves a line must change every
 * line after it, and the last h, kept elsewhere, tells.
 *
 * Pure.  Lines are parsed as hostile.
 */
#ifndef CONTROLLER_EVIDENCE_LINE_H
#define CONTROLLER_EVIDENCE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EVIDENCE_HASH = 64,        /* digits */
    EVIDENCE_LINE_MAX = 65536, /* bytes of a line with its newline */
    EVIDENCE_KIND_MAX = 16,
};

/* Where a chain stands. */
struct evidence_chain {
    int64_t n;                    /* of the last line; 0: none yet */
    char hash[EVIDENCE_HASH + 1]; /* its h */
};

/* Before the first line. */
struct evidence_chain evidence_chain_start(void);

/* What the frame of a line says; 'body' bytes of it are hashed. */
struct evidence_frame {
    int64_t n;
    char kind[EVIDENCE_KIND_MAX];
    char hash[EVIDENCE_HASH + 1];
    size_t body;
};

/* False where 'line' ('size' bytes, without its newline) is not framed like
 * one. */
bool evidence_frame(const char *line, size_t size, struct evidence_frame *f);

/* Whether the line with frame 'f' follows 'chain': its h is right (its n may
 * be another). */
bool evidence_follows(const struct evidence_chain *chain, const char *line,
                      const struct evidence_frame *f);

/*
 * Make the next line of 'chain' in 'out': 'fields' are JSON members without
 * braces ("\"at\":1"), or "".  Returns its size with the newline and moves
 * 'chain' on; 0 where it does not fit.
 */
size_t evidence_seal(struct evidence_chain *chain, const char *kind,
                     const char *fields, char *out, size_t size);

/* SHA-256 of 'size' bytes as digits and a NUL. */
void evidence_digest(const void *bytes, size_t size,
                     char out[EVIDENCE_HASH + 1]);

/* True for 64 small hexadecimal digits and nothing else. */
bool evidence_is_hash(const char *text);

#endif
