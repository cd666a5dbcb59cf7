/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * life_pack - the life of a vehicle's pack in 256 bytes, for fleets.
 *
 * The same engine as models/life.h with a shorter stack of turning points and
 * its integrals in single precision; resistance is not kept.  Meant for one
 * sample a minute.  A plain struct; a copy of it is a saved state.
 *
 * Most samples only move the tip on: for them the first 80 bytes suffice.  A
 * turning point and the end of a day go through the engine itself.
 */
#ifndef MODELS_LIFE_PACK_H
#define MODELS_LIFE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/life.h"

/* Of turning points; the newest one is never left open, so one less is kept. */
enum { LIFE_PACK_DEPTH = 7, LIFE_PACK_POINTS = LIFE_PACK_DEPTH - 1 };

struct life_pack {
    float tip;
    float last;
    float last_temp_c;
    float heat;              /* as in struct life, of the loss */
    float today[LIFE_ROLES]; /* of the calendar's rate */
    float rate[LIFE_ROLES];
    float today_s;
    float last_half_s;
    struct rainflow_leg to_tip;
    struct rainflow_leg past_tip;
    int8_t way;
    uint8_t n_points;
    uint8_t chemistry;
    uint8_t begun;
    uint8_t flags[LIFE_ROLES];
    uint8_t outside[LIFE_ROLES];
    float knee;
    float capacity_pu;
    float scale_gain;
    float scale_weight;
    float value[LIFE_PACK_POINTS];
    double loss_t[LIFE_ROLES];
    double loss_n[LIFE_ROLES];
    struct rainflow_leg leg[LIFE_PACK_POINTS];
};

_Static_assert(sizeof(struct life_pack) <= 256, "a million fit in 256 MB");

void life_pack_init(struct life_pack *p, enum chemistry c);

/* Sample i into pack i.  Returns how many were refused (life_feed()). */
size_t life_pack_feed(struct life_pack *packs, const struct life_sample *s,
                      size_t n);

/* As life_loss(), without resistance. */
struct life_loss life_pack_loss(const struct life_pack *p, enum life_role role,
                                bool open);

#endif
