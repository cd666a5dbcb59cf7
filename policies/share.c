/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/share.h"

#include <math.h>

/* How much more the fullest discharges than the emptiest, of the same size. */
static const double BALANCE = 1.0;

static double limit_of(const struct share_battery *b, bool charge)
{
    return charge ? b->charge_max_w : b->discharge_max_w;
}

static double weight_of(const struct share_battery *b, bool charge)
{
    double want_pu = charge ? 1.0 - b->soc_pu : b->soc_pu;
    return limit_of(b, charge) * (1.0 + BALANCE * want_pu);
}

/* Hands 'left_w' to those with room; true where all of it went without
 * anybody reaching a limit. */
static bool hand_out(struct share_battery *b, int n, bool charge,
                     double *left_w)
{
    double weights = 0.0;
    for (int i = 0; i < n; i++) {
        weights += b[i].full ? 0.0 : weight_of(&b[i], charge);
    }
    if (!(weights > 0.0)) {
        return true;
    }
    double given_w = 0.0;
    bool all = true;
    for (int i = 0; i < n; i++) {
        if (b[i].full) {
            continue;
        }
        double part_w = *left_w * weight_of(&b[i], charge) / weights;
        double room_w = limit_of(&b[i], charge) - b[i].set_w;
        if (part_w >= room_w) {
            part_w = room_w;
            b[i].full = true;
            all = false;
        }
        b[i].set_w += part_w;
        given_w += part_w;
    }
    *left_w -= given_w;
    return all;
}

double share_step(struct share_battery *b, int n, double total_w)
{
    bool charge = total_w > 0.0;
    double left_w = fabs(total_w);
    for (int i = 0; i < n; i++) {
        b[i].set_w = 0.0;
        b[i].full = limit_of(&b[i], charge) <= 0.0;
    }
    /* Every round fills at least one or is the last. */
    for (int round = 0; round <= n && left_w > 0.0; round++) {
        if (hand_out(b, n, charge, &left_w)) {
            break;
        }
    }
    double shared_w = 0.0;
    for (int i = 0; i < n; i++) {
        b[i].set_w = charge ? b[i].set_w : -b[i].set_w;
        shared_w += b[i].set_w;
    }
    return shared_w;
}
