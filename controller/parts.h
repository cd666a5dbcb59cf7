/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * parts - what a site uses of snapshot, plan and output, as flat 8-byte words.
 *
 * The structs have room for the largest site; a recording and the historian's
 * ring only hold the entries that this site has: its first n batteries, pods,
 * markets and nodes.  An image is those parts one after the other, snapshot
 * first, then the plan, then the output.
 */
#ifndef CONTROLLER_PARTS_H
#define CONTROLLER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/command.h"
#include "models/plan.h"
#include "models/site.h"
#include "models/snapshot.h"

enum part_of { PART_SNAPSHOT, PART_PLAN, PART_OUT, PART_OF_COUNT };

enum { PARTS_MAX = 12 };

struct part {
    enum part_of of;
    size_t offset; /* bytes in its struct */
    size_t n_words;
};

struct parts {
    struct part list[PARTS_MAX];
    int n;
    size_t at[PART_OF_COUNT];      /* first word of the image */
    size_t n_words[PART_OF_COUNT]; /* of each struct */
    size_t total_words;
    int n_nodes;
    int n_pods;
};

void parts_init(struct parts *parts, const struct site *site);

/* Copy the used parts of 'from' (a snapshot, plan or step_out) to its place
 * in 'image', or back. */
void parts_gather(const struct parts *parts, enum part_of of, const void *from,
                  uint64_t *image);
void parts_scatter(const struct parts *parts, enum part_of of,
                   const uint64_t *image, void *to);

/* A snapshot and an output with room for the site's nodes, all zero; free()
 * them.  NULL without memory. */
struct snapshot *parts_snapshot(const struct parts *parts);
struct step_out *parts_out(const struct parts *parts);

/*
 * True where counts and indices that come from a file are inside the arrays
 * they belong to, and times are such as a tick can have; else 'what' names the
 * member that is not.
 */
bool parts_check(const struct parts *parts, const struct snapshot *in,
                 const struct plan *plan, const struct step_out *out,
                 const char **what);

#endif
