/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * share - which battery gives how much of the power wanted of all.
 *
 * In proportion to what each can give, weighted so that the fuller discharge
 * and the emptier charge a little more; what one cannot take the others do.
 */
#ifndef POLICIES_SHARE_H
#define POLICIES_SHARE_H

#include <stdbool.h>

struct share_battery {
    double charge_max_w;    /* possible now, >= 0; 0 where not usable */
    double discharge_max_w; /* likewise */
    double soc_pu;          /* place in its window: 0 empty, 1 full */
    double set_w;           /* the answer, + charge */
    bool full;              /* scratch: at its limit */
};

/*
 * Share 'total_w' (+ charge) over the 'n' batteries.  Returns what was shared:
 * 'total_w', or as much of it as they can take.
 */
double share_step(struct share_battery *b, int n, double total_w);

#endif
