/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fields - the names of what the step puts out, for saying what differs.
 *
 * "battery.bess1.set_w", "pod.hall1-001.cap_w", "node.lot1-0001.compute_w",
 * "record.grid_w", "record.why2.code".
 */
#ifndef REPLAY_FIELDS_H
#define REPLAY_FIELDS_H

#include <stdbool.h>

#include "models/command.h"
#include "models/site.h"

enum { FIELD_NAME_MAX = 128, FIELD_TEXT_MAX = 40 };

struct field_diff {
    char name[FIELD_NAME_MAX];
    char recorded[FIELD_TEXT_MAX];
    char computed[FIELD_TEXT_MAX];
};

/*
 * Compare two outputs bit for bit, in what the site uses of them.  False where
 * they are the same; else 'diff' tells the first difference, batteries before
 * pods, nodes and the record.
 */
bool fields_differ(const struct site *site, const struct step_out *recorded,
                   const struct step_out *computed, struct field_diff *diff);

#endif
