/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>

#include "controller/step/foresee.h"
#include "controller/step/step_state.h"

/* Behind what is foreseen. */
static size_t cars_at(const struct step_cfg *cfg)
{
    return sizeof(struct step_state) +
           (size_t)cfg->site.n_nodes * sizeof(struct node_state) +
           foresee_size(&cfg->site);
}

size_t cars_end(const struct step_cfg *cfg)
{
    return cars_at(cfg) + (size_t)cfg->site.n_nodes * sizeof(struct bucket_car);
}

struct bucket_car *cars_of(const struct step_cfg *cfg, struct step_state *state)
{
    return (void *)((unsigned char *)state + cars_at(cfg));
}

const struct bucket_car *cars_in(const struct step_cfg *cfg,
                                 const struct step_state *state)
{
    return (const void *)((const unsigned char *)state + cars_at(cfg));
}

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
