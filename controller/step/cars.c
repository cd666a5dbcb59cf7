/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>

#include "controller/step/step_state.h"

void step_cars(const struct step_state *state, int64_t from, int64_t n,
               struct step_car *out)
{
    assert(from >= 0 && n >= 0 && from + n <= state->n_nodes);
    for (int64_t i = 0; i < n; i++) {
        const struct node_state *node = &state->nodes[from + i];
        out[i] = (struct step_car){
            .ledger = node->guard.ledger,
            .reason = node->command.reason,
        };
    }
}
