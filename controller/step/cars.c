/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>

#include "controller/step/foresee.h"
#include "controller/step/step_parts.h"

/* Who has less laxity charges whatever the plan says: a turn is two seconds, a
 * plan is made every few minutes. */
static const int32_t SOON_S = 300;

/* Behind what is foreseen. */
static size_t cars_at(const struct step_cfg *cfg)
{
    return sizeof(struct step_state) +
           (size_t)cfg->site.n_nodes * sizeof(struct node_state) +
           foresee_size(&cfg->site);
}

static size_t works_at(const struct step_cfg *cfg)
{
    return cars_at(cfg) + (size_t)cfg->site.n_nodes * sizeof(struct bucket_car);
}

size_t cars_end(const struct step_cfg *cfg)
{
    return works_at(cfg) +
           (size_t)cfg->site.n_nodes * sizeof(struct bucket_work);
}

void cars_put(const struct step_cfg *cfg, struct step_state *state, int64_t i,
              const struct bucket_car *car)
{
    int64_t n = cfg->site.n_nodes;
    int32_t *of = (void *)((unsigned char *)state + cars_at(cfg));
    of[i] = car->start_s;
    of[n + i] = car->departs_s;
    of[2 * n + i] = car->charge_w;
    of[3 * n + i] = car->need_wh;
}

void cars_init(const struct step_cfg *cfg, struct step_state *state)
{
    struct bucket_car none = bucket_car_none();
    for (int64_t i = 0; i < cfg->site.n_nodes; i++) {
        cars_put(cfg, state, i, &none);
    }
}

struct bucket_work *cars_work_of(const struct step_cfg *cfg,
                                 struct step_state *state)
{
    return (void *)((unsigned char *)state + works_at(cfg));
}

struct bucket_fleet cars_in(const struct step_cfg *cfg,
                            const struct step_state *state, int f)
{
    const struct site_fleet *fleet = &cfg->site.fleets[f];
    const unsigned char *from = (const unsigned char *)state;
    int64_t n = cfg->site.n_nodes;
    int64_t first = fleet->first_node;
    const int32_t *of = (const void *)(from + cars_at(cfg));
    const struct bucket_work *works = (const void *)(from + works_at(cfg));
    return (struct bucket_fleet){
        .start_s = of + first,
        .departs_s = of + n + first,
        .charge_w = of + 2 * n + first,
        .need_wh = of + 3 * n + first,
        .works = works + first,
        .n = fleet->nodes,
        .fleet = f,
        .soon_s = SOON_S,
    };
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
