/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/bucket.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const int64_t EPOCH_S = 1577836800; /* 2020-01-01: int32 until 2088 */

static const double WORTH_MAX_PER_KWH = 1e3;

/* Upper ends of the buckets, hours to departure; the last has none. */
static const double EDGES_H[BUCKET_FLEET_MAX - 1] = {1, 2, 4, 6, 9, 13, 24};

int32_t bucket_clock_s(int64_t utc_ms)
{
    int64_t s = utc_ms / 1000 - EPOCH_S;
    return (int32_t)(s < -INT32_MAX         ? -INT32_MAX
                     : s > BUCKET_NEVER - 1 ? BUCKET_NEVER - 1
                                            : s);
}

static bool needs(const struct bucket_car *c)
{
    return c->start_s != BUCKET_NEVER && c->charge_w > 0.0f;
}

static int place_of(double departs_s)
{
    int k = 0;
    while (k < BUCKET_FLEET_MAX - 1 && departs_s >= 3600.0 * EDGES_H[k]) {
        k++;
    }
    return k;
}

int bucket_sum(const struct bucket_fleet *fleet,
               struct bucket out[BUCKET_FLEET_MAX], double *must_w)
{
    struct bucket b[BUCKET_FLEET_MAX] = {{.n = 0}};
    *must_w = 0.0;
    for (int64_t i = 0; i < fleet->n; i++) {
        const struct bucket_car *c = &fleet->cars[i];
        if (!needs(c)) {
            continue;
        }
        double lax_s = (double)c->start_s - (double)fleet->now_s;
        double power_w = (double)c->charge_w;
        double need_wh = (double)c->need_wh;
        if (lax_s < fleet->soon_s) {
            *must_w += power_w;
            continue;
        }
        double departs_s = lax_s + need_wh * 3600.0 / power_w;
        struct bucket *to = &b[place_of(departs_s)];
        to->departs_s =
            to->n == 0 || departs_s < to->departs_s ? departs_s : to->departs_s;
        to->power_w += power_w;
        to->need_wh += need_wh;
        to->n++;
    }
    int n_out = 0;
    for (int k = 0; k < BUCKET_FLEET_MAX; k++) {
        if (b[k].n > 0) {
            out[n_out] = b[k];
            out[n_out++].fleet = fleet->fleet;
        }
    }
    return n_out;
}

/* The pair of neighbours of one fleet that leave least apart: the first of
 * them, -1 where no fleet has two. */
static int closest(const struct bucket *b, int n)
{
    int best = -1;
    double least_s = INFINITY;
    for (int i = 0; i + 1 < n; i++) {
        double apart_s = b[i + 1].departs_s - b[i].departs_s;
        if (b[i].fleet == b[i + 1].fleet && apart_s < least_s) {
            least_s = apart_s;
            best = i;
        }
    }
    return best;
}

int bucket_join(struct bucket *b, int n, int most)
{
    while (n > most) {
        int i = closest(b, n);
        if (i < 0) {
            break;
        }
        b[i].n += b[i + 1].n;
        b[i].power_w += b[i + 1].power_w;
        b[i].need_wh += b[i + 1].need_wh;
        n--;
        memmove(&b[i + 1], &b[i + 2], (size_t)(n - i - 1) * sizeof(b[0]));
    }
    return n;
}

struct bucket_order bucket_nobody(void)
{
    return (struct bucket_order){.bin = -1};
}

struct bucket_order bucket_everybody(void)
{
    return (struct bucket_order){.bin = BUCKET_BINS};
}

/* Bin of a latest start; the first has all that are late, the last the rest. */
static int32_t lax_bin(const struct bucket_order *order,
                       const struct bucket_car *c)
{
    int64_t s = (int64_t)c->start_s - order->from_s;
    uint64_t k = (uint64_t)(s > 0 ? s : 0) / BUCKET_BIN_S;
    return (int32_t)(k < BUCKET_BINS ? k : BUCKET_BINS - 1);
}

/* Bin of a cost; what pays more than nothing is in the first. */
static int32_t cost_bin(const struct bucket_order *order,
                        const struct bucket_car *c)
{
    float k = c->work_per_kwh * order->bins_per_cur;
    k = k > 0.0f ? k : 0.0f;
    return k < (float)(BUCKET_BINS - 1) ? (int32_t)k : BUCKET_BINS - 1;
}

/* What the cars of each bin want, and how far the bins are used. */
struct bins {
    double w[BUCKET_BINS];
    int32_t end;
};

/* Serves the bins one after the other: all up to 'must', then as far as
 * 'target_w' goes.  Returns what is drawn. */
static double serve(const struct bins *b, int32_t must, double target_w,
                    struct bucket_order *order)
{
    double sum_w = 0.0;
    int32_t k = 0;
    while (k < b->end && (k < must || sum_w + b->w[k] <= target_w)) {
        sum_w += b->w[k++];
    }
    order->bin = k > must ? k : must;
    if (k == b->end) {
        /* whoever comes is served where something is left */
        order->bin = sum_w < target_w ? BUCKET_BINS : order->bin;
    } else if (target_w > sum_w) {
        order->part = (float)((target_w - sum_w) / b->w[k]);
        sum_w = target_w;
    }
    return sum_w;
}

struct bucket_order bucket_order(const struct bucket_fleet *fleet,
                                 double target_w, double *all_w)
{
    assert(target_w >= 0.0 && fleet->soon_s >= 0.0);
    struct bucket_order order = {.from_s = fleet->now_s};
    struct bins b = {.end = 0};
    for (int64_t i = 0; i < fleet->n; i++) {
        const struct bucket_car *c = &fleet->cars[i];
        if (needs(c)) {
            int32_t k = lax_bin(&order, c);
            b.w[k] += (double)c->charge_w;
            b.end = k < b.end ? b.end : k + 1;
        }
    }
    double must = ceil(fmin(fleet->soon_s / BUCKET_BIN_S, BUCKET_BINS));
    *all_w = serve(&b, (int32_t)must, target_w, &order);
    return order;
}

float bucket_share(const struct bucket_order *order,
                   const struct bucket_car *car)
{
    int32_t k = lax_bin(order, car);
    return k < order->bin ? 1.0f : k == order->bin ? order->part : 0.0f;
}

struct bucket_order bucket_work_order(const struct bucket_fleet *fleet,
                                      double worth_per_kwh, double target_w,
                                      double *all_w)
{
    assert(target_w >= 0.0 && worth_per_kwh > 0.0);
    double worth = fmin(worth_per_kwh, WORTH_MAX_PER_KWH);
    struct bucket_order order = {.bins_per_cur = (float)(BUCKET_BINS / worth)};
    struct bins b = {.end = 0};
    for (int64_t i = 0; i < fleet->n; i++) {
        const struct bucket_car *c = &fleet->cars[i];
        if (c->work_w > 0.0f) {
            int32_t k = cost_bin(&order, c);
            b.w[k] += (double)c->work_w;
            b.end = k < b.end ? b.end : k + 1;
        }
    }
    *all_w = serve(&b, 0, target_w, &order);
    return order;
}

bool bucket_works(const struct bucket_order *order,
                  const struct bucket_car *car, int64_t i)
{
    int32_t k = cost_bin(order, car);
    if (k != order->bin) {
        return k < order->bin;
    }
    /* spread evenly over 0..1 (Knuth, multiplicative hashing) */
    uint32_t mixed = (uint32_t)i * 2654435761u;
    return (float)mixed < order->part * 4294967296.0f;
}
