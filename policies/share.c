/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/share.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

enum { ROUNDS_MAX = 100, LANES = 4 };
static const double EXACT_PU = 1e-13; /* of the total */

/* The batteries as one direction sees them, side by side for the passes;
 * filled up to whole lanes with ones that can do nothing. */
struct sides {
    double first[SHARE_MAX];
    double yield[SHARE_MAX]; /* W for one more unit of marginal cost */
    double most_w[SHARE_MAX];
    int n;
};

/* Where all of it is given, as a marginal cost. */
struct bounds {
    double lo;
    double hi;
};

/* What comes at a marginal cost, and what more of it would bring. */
struct supply {
    double w;
    double w_per_cost;
};

static struct bounds fill(struct sides *s, const struct share_battery *b, int n,
                          bool charge)
{
    struct bounds at = {.lo = INFINITY, .hi = -INFINITY};
    for (int i = 0; i < n; i++) {
        double first = charge ? b[i].charge_first_cur_per_wh
                              : b[i].discharge_first_cur_per_wh;
        double most_w = charge ? b[i].charge_max_w : b[i].discharge_max_w;
        double last = first + most_w * b[i].slope_cur_per_w2h;
        s->first[i] = first;
        s->yield[i] = 1.0 / b[i].slope_cur_per_w2h;
        s->most_w[i] = most_w;
        at.lo = first < at.lo ? first : at.lo;
        at.hi = last > at.hi ? last : at.hi;
    }
    s->n = n;
    for (; s->n % LANES != 0; s->n++) {
        s->first[s->n] = s->yield[s->n] = s->most_w[s->n] = 0.0;
    }
    return at;
}

static double given_w(const struct sides *s, int i, double cost)
{
    double w = (cost - s->first[i]) * s->yield[i];
    w = w > 0.0 ? w : 0.0;
    return w < s->most_w[i] ? w : s->most_w[i];
}

/* Sums by lanes, so that no addition waits for the one before it. */
static struct supply supply_at(const struct sides *s, double cost)
{
    double w[LANES] = {0.0};
    double more[LANES] = {0.0};
    for (int i = 0; i < s->n; i += LANES) {
        double y[LANES];
        double inside[LANES];
        for (int k = 0; k < LANES; k++) {
            double x = (cost - s->first[i + k]) * s->yield[i + k];
            double up = x > 0.0 ? x : 0.0;
            y[k] = up < s->most_w[i + k] ? up : s->most_w[i + k];
            inside[k] = y[k] == x ? s->yield[i + k] : 0.0;
        }
        for (int k = 0; k < LANES; k++) {
            w[k] += y[k];
            more[k] += inside[k];
        }
    }
    return (struct supply){(w[0] + w[1]) + (w[2] + w[3]),
                           (more[0] + more[1]) + (more[2] + more[3])};
}

/* The marginal cost at which 'total_w' is given: Newton's method, halving
 * where it would leave the bounds. */
static double clear(const struct sides *s, struct bounds at, double total_w,
                    double start_pu)
{
    double cost = at.lo + (at.hi - at.lo) * start_pu;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct supply now = supply_at(s, cost);
        double miss_w = total_w - now.w;
        if (fabs(miss_w) <= EXACT_PU * total_w) {
            break;
        }
        if (miss_w > 0.0) {
            at.lo = cost;
        } else {
            at.hi = cost;
        }
        double next = cost + miss_w / now.w_per_cost;
        bool inside = next > at.lo && next < at.hi;
        next = inside ? next : 0.5 * (at.lo + at.hi);
        if (!(next > at.lo && next < at.hi)) {
            break; /* they are neighbours */
        }
        cost = next;
    }
    return cost;
}

/* Each its power; what rounding leaves goes where there is room. */
static double settle(struct share_battery *b, int n, const struct sides *s,
                     double cost, double total_w)
{
    double sum_w = 0.0;
    for (int i = 0; i < n; i++) {
        b[i].set_w = given_w(s, i, cost);
        sum_w += b[i].set_w;
    }
    double left_w = total_w - sum_w;
    for (int i = 0; i < n && fabs(left_w) > 0.0; i++) {
        double w = b[i].set_w + left_w;
        if (b[i].set_w > 0.0 && w >= 0.0 && w <= s->most_w[i]) {
            b[i].set_w = w;
            return total_w;
        }
    }
    return sum_w;
}

double share_step(struct share_battery *b, int n, double total_w)
{
    assert(n >= 0 && n <= SHARE_MAX && !isnan(total_w));
    bool charge = total_w > 0.0;
    struct sides s;
    struct bounds at = fill(&s, b, n, charge);
    double most_w = 0.0;
    for (int i = 0; i < n; i++) {
        most_w += s.most_w[i];
    }
    double shared_w = fabs(total_w);
    if (shared_w >= most_w) {
        shared_w = most_w;
        for (int i = 0; i < n; i++) {
            b[i].set_w = s.most_w[i];
        }
    } else if (shared_w > 0.0) {
        double cost = clear(&s, at, shared_w, shared_w / most_w);
        shared_w = settle(b, n, &s, cost, shared_w);
    } else {
        for (int i = 0; i < n; i++) {
            b[i].set_w = 0.0;
        }
    }
    for (int i = 0; i < n; i++) {
        b[i].set_w = charge ? b[i].set_w : 0.0 - b[i].set_w;
    }
    return charge ? shared_w : 0.0 - shared_w;
}
