/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/bucket.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const int64_t EPOCH_S = 1577836800; /* 2020-01-01: int32 until 2088 */

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

int bucket_sum(const struct bucket_car *cars, int64_t n, int32_t now_s,
               double step_s, struct bucket out[BUCKET_FLEET_MAX],
               double *must_w)
{
    struct bucket b[BUCKET_FLEET_MAX] = {{.departs_s = 0.0}};
    *must_w = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const struct bucket_car *c = &cars[i];
        if (!needs(c)) {
            continue;
        }
        double lax_s = (double)c->start_s - (double)now_s;
        double power_w = (double)c->charge_w;
        double need_wh = (double)c->need_wh;
        if (lax_s < step_s) {
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
            out[n_out++] = b[k];
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
static int32_t bin_of(int32_t start_s, int32_t from_s)
{
    int64_t k = ((int64_t)start_s - from_s) / BUCKET_BIN_S;
    return (int32_t)(k < 0 ? 0 : k < BUCKET_BINS ? k : BUCKET_BINS - 1);
}

struct bucket_order bucket_order(const struct bucket_car *cars, int64_t n,
                                 int32_t now_s, double step_s, double target_w,
                                 double *all_w)
{
    assert(!isnan(target_w) && step_s >= 0.0);
    float w[BUCKET_BINS] = {0.0f};
    for (int64_t i = 0; i < n; i++) {
        if (needs(&cars[i])) {
            w[bin_of(cars[i].start_s, now_s)] += cars[i].charge_w;
        }
    }
    int32_t must = (int32_t)(fmin(step_s / BUCKET_BIN_S, BUCKET_BINS - 1));
    double sum_w = 0.0;
    int32_t k = 0;
    while (k < BUCKET_BINS && (k <= must || sum_w + (double)w[k] <= target_w)) {
        sum_w += (double)w[k++];
    }
    struct bucket_order order = {.from_s = now_s, .bin = k};
    if (k < BUCKET_BINS && w[k] > 0.0f && target_w > sum_w) {
        order.part = (float)((target_w - sum_w) / (double)w[k]);
        sum_w = target_w;
    }
    *all_w = sum_w;
    return order;
}

float bucket_share(const struct bucket_order *order,
                   const struct bucket_car *car)
{
    int32_t k = bin_of(car->start_s, order->from_s);
    return k < order->bin ? 1.0f : k == order->bin ? order->part : 0.0f;
}
