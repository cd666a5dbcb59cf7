/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/lives.h"

#include <math.h>
#include <string.h>

#include "controller/step/step_state.h"

struct life_view {
    struct life life;
    struct age_battery age;
};

size_t lives_view_size(const struct site *site)
{
    int n = site->n_batteries > 0 ? site->n_batteries : 1;
    return (size_t)n * sizeof(struct life_view);
}

int lives_post(struct mailbox *m, const struct site *site,
               const struct step_state *state, int next)
{
    if (site->n_batteries == 0) {
        return 0;
    }
    struct life_view *views = mailbox_slot(m);
    memcpy(&views[next].life, &state->life[next], sizeof(struct life));
    views[next].age = state->age[next];
    next++;
    if (next < site->n_batteries) {
        return next;
    }
    mailbox_post(m);
    return 0;
}

static struct life_word say(const struct life *l, enum life_role role)
{
    return (struct life_word){
        .model = (enum life_model_id)l->model[role],
        .loss = life_loss(l, role, true),
        .flags = l->flags[role],
    };
}

static double efc_of(const struct life *l)
{
    struct rainflow_cycle open[RAINFLOW_DEPTH];
    int n = rainflow_open(&l->cycles, open);
    double efc = l->efc;
    for (int i = 0; i < n; i++) {
        efc += open[i].count * open[i].range * l->capacity_pu;
    }
    return efc;
}

static struct battery_life sum_up(const struct life_view *v)
{
    const struct life *l = &v->life;
    struct life_word price = say(l, LIFE_PRICE);
    struct life_word guard = say(l, LIFE_GUARD);
    bool guarded = guard.loss.capacity_pu < price.loss.capacity_pu;
    return (struct battery_life){
        .known = l->cycles.n_fed > 0,
        .worse = guarded ? guard : price,
        .other = guarded ? price : guard,
        .efc = efc_of(l),
        .scale = life_scale(l),
        .soh_pu = v->age.soh_pu,
        .is_assumed = v->age.is_assumed != 0,
        .n_jumps = v->age.n_jumps,
        .jumped_pu = v->age.jumped_pu,
        .not_lived_s = v->age.gap_s,
    };
}

bool lives_fetch(struct mailbox *m, const struct site *site,
                 struct battery_life *out)
{
    const struct life_view *views = mailbox_fetch(m);
    for (int i = 0; views != NULL && i < site->n_batteries; i++) {
        out[i] = sum_up(&views[i]);
    }
    return views != NULL;
}
