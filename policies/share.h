/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * share - which battery gives how much of the power wanted of all.
 *
 * By equal marginal cost: one more kW costs the same on every battery that is
 * neither at rest nor at its limit.  A battery's cost rises by 'first' per Wh
 * for its first watt and by 'slope' more for every further one; where these
 * come from is policies/share_terms.h.  All work one way, the way of the
 * total: none charges another.
 *
 * The answer is continuous in the total and in the costs, and no battery's
 * share falls when the total rises.  One multiplier is searched for by
 * Newton's method between bounds: a few passes over the batteries, whatever
 * their order.
 */
#ifndef POLICIES_SHARE_H
#define POLICIES_SHARE_H

enum { SHARE_MAX = 1024 };

struct share_battery {
    double charge_max_w;               /* possible now, >= 0 */
    double discharge_max_w;            /* likewise */
    double charge_first_cur_per_wh;    /* may be negative: it pays */
    double discharge_first_cur_per_wh; /* likewise */
    double slope_cur_per_w2h;          /* > 0 */
    double set_w;                      /* the answer, + charge */
};

/*
 * Share 'total_w' (+ charge) over the 'n' <= SHARE_MAX batteries.  Returns what
 * was shared: 'total_w', or as much of it as they can take.
 */
double share_step(struct share_battery *b, int n, double total_w);

#endif
