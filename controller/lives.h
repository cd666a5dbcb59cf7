/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lives - what the life engines say of the batteries, from the control thread
 * to whoever shows it.
 *
 * The control thread copies one battery in every tick and posts when it has
 * them all; what follows from a copy, its cycles under way included, is worked
 * out by the reader.
 */
#ifndef CONTROLLER_LIVES_H
#define CONTROLLER_LIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/mailbox.h"
#include "controller/step/step.h"
#include "models/life.h"

struct life_view; /* of one battery, as it is copied */

size_t lives_view_size(const struct site *site);

/* Control thread: copies battery 'next' and returns the one after it. */
int lives_post(struct mailbox *m, const struct site *site,
               const struct step_state *state, int next);

/* What one model says, cycles under way included. */
struct life_word {
    enum life_model_id model;
    struct life_loss loss;
    unsigned flags; /* bits by enum life_flag, raised in its life so far */
};

/* Of one battery. */
struct battery_life {
    bool known; /* it has been heard of at all */
    struct life_word worse;
    struct life_word other;
    double efc;
    double scale;       /* of the pricing model, by measurement; else 1 */
    double soh_pu;      /* that was measured last; NAN for none */
    bool is_assumed;    /* nothing fresh is known of its temperature */
    int64_t n_jumps;    /* corrections of its gauge, taken for no cycles */
    double jumped_pu;   /* together */
    double not_lived_s; /* since it was last heard of by an earlier run */
};

/* Reader: 'out' has room for all batteries; unchanged where there is no news,
 * and then false. */
bool lives_fetch(struct mailbox *m, const struct site *site,
                 struct battery_life *out);

#endif
