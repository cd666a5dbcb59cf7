/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/bucket.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const int64_t EPOCH_S = 1577836800; /* 2020-01-01: int32 until 2088 */
static const double WORTH_MAX_PER_KWH = 1e3;

/* Buckets end at so many half hours to departure; the last has no end. */
static const int ENDS[BUCKET_FLEET_MAX - 1] = {2, 4, 8, 12, 18, 26, 48};
enum { HALF_HOUR_S = 1800, HALF_HOURS = 64 };

/* Two accumulators take turns, so that a car does not wait for the sum of the
 * one before it, which often goes to the same place. */
enum { LANES = 2 };

/* Of a few cars the bins are looked at in blocks. */
enum { FEW = 1024, BLOCK = 64, BLOCKS = BUCKET_BINS / BLOCK };

int32_t bucket_clock_s(int64_t utc_ms)
{
    int64_t s = utc_ms / 1000 - EPOCH_S;
    return (int32_t)(s < 0 ? 0 : s > BUCKET_NEVER - 1 ? BUCKET_NEVER - 1 : s);
}

struct sum {
    int64_t w;
    int64_t wh;
    int32_t departs_s;
    int32_t n;
};

/* Sums of the buckets, and of those that charge in any case. */
enum { MUST = BUCKET_FLEET_MAX, SUMS };

/* 'x', or 0 where it is negative, and the lesser of two whose difference fits;
 * without a branch, for cars come in no order and a processor would guess wrong
 * a million times. */
static inline int32_t all_bits_if_negative(int32_t x)
{
    return -(int32_t)((uint32_t)x >> 31);
}

static inline int32_t not_negative(int32_t x)
{
    return x & ~all_bits_if_negative(x);
}

static inline int32_t least(int32_t a, int32_t b)
{
    return b + ((a - b) & all_bits_if_negative(a - b));
}

/* Which bucket each half hour to departure belongs to. */
static void place(unsigned char of[HALF_HOURS])
{
    unsigned char k = 0;
    for (int i = 0; i < HALF_HOURS; i++) {
        while (k < BUCKET_FLEET_MAX - 1 && i >= ENDS[k]) {
            k++;
        }
        of[i] = k;
    }
}

/* One that needs nothing adds nothing to the last bucket. */
static int32_t sum_of(const struct bucket_fleet *fleet, int64_t i,
                      const unsigned char place_of[HALF_HOURS])
{
    int32_t lax_s = fleet->start_s[i] - fleet->now_s;
    int32_t left_s = not_negative(fleet->departs_s[i] - fleet->now_s);
    int32_t h = least(left_s / HALF_HOUR_S, HALF_HOURS - 1);
    int32_t soon = all_bits_if_negative(not_negative(lax_s) - fleet->soon_s);
    return (MUST & soon) | (place_of[h] & ~soon);
}

static void add(struct sum *to, const struct bucket_fleet *fleet, int64_t i)
{
    int32_t departs_s = fleet->departs_s[i];
    to->w += fleet->charge_w[i];
    to->wh += fleet->need_wh[i];
    to->departs_s = departs_s < to->departs_s ? departs_s : to->departs_s;
    to->n += fleet->start_s[i] != BUCKET_NEVER;
}

int bucket_sum(const struct bucket_fleet *fleet,
               struct bucket out[BUCKET_FLEET_MAX], struct bucket_must *must)
{
    struct sum sums[LANES][SUMS];
    unsigned char place_of[HALF_HOURS];
    place(place_of);
    for (int k = 0; k < LANES * SUMS; k++) {
        sums[k / SUMS][k % SUMS] = (struct sum){.departs_s = INT32_MAX};
    }
    for (int64_t i = 0; i < fleet->n; i++) {
        add(&sums[i % LANES][sum_of(fleet, i, place_of)], fleet, i);
    }
    *must = (struct bucket_must){
        .power_w = (double)(sums[0][MUST].w + sums[1][MUST].w),
        .need_wh = (double)(sums[0][MUST].wh + sums[1][MUST].wh),
    };
    int n = 0;
    for (int k = 0; k < BUCKET_FLEET_MAX; k++) {
        const struct sum *a = &sums[0][k];
        const struct sum *b = &sums[1][k];
        int32_t departs_s =
            a->departs_s < b->departs_s ? a->departs_s : b->departs_s;
        if (a->n + b->n > 0) {
            out[n] = (struct bucket){
                .fleet = fleet->fleet,
                .n = a->n + b->n,
                .departs_s = (double)departs_s - (double)fleet->now_s,
                .power_w = (double)(a->w + b->w),
                .need_wh = (double)(a->wh + b->wh),
            };
            n++;
        }
    }
    return n;
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

/* What the cars of each bin want; one that needs nothing wants none of it. */
struct bins {
    int64_t w[LANES][BUCKET_BINS];
};

/* Where the serving ends: all bins below 'bin', and of it a part. */
struct served {
    int32_t bin;
    float part;
    double sum_w;
};

/* All bins below 'must', then as far as 'target_w' goes. */
struct wish {
    int32_t must;
    double target_w;
};

/* Serves one bin more, of 'w' in all; false where it was the last. */
static inline bool serve_bin(struct served *s, const struct wish *wish,
                             int32_t bin, double w)
{
    if (bin >= wish->must && s->sum_w + w > wish->target_w) {
        double left_w = wish->target_w - s->sum_w;
        s->part = left_w > 0.0 ? (float)(left_w / w) : 0.0f;
        s->sum_w = fmax(s->sum_w, wish->target_w);
        s->bin = bin;
        return false;
    }
    s->sum_w += w;
    return true;
}

/* One bin after the other. */
static struct served serve(const struct bins *b, const struct wish *wish)
{
    struct served s = {.bin = BUCKET_BINS};
    bool more = true;
    for (int32_t bin = 0; more && bin < BUCKET_BINS; bin++) {
        double w = (double)(b->w[0][bin] + b->w[1][bin]);
        more = serve_bin(&s, wish, bin, w);
    }
    return s;
}

/* The first bin has all that are late, the last the rest. */
static inline int32_t lax_bin(int32_t from_s, int32_t start_s)
{
    uint32_t s = (uint32_t)not_negative(start_s - from_s);
    return least((int32_t)(s / BUCKET_BIN_S), BUCKET_BINS - 1);
}

/* Where bin 'bin' begins. */
static int32_t begin_s(int32_t from_s, int32_t bin)
{
    int64_t s = (int64_t)from_s + (int64_t)bin * BUCKET_BIN_S;
    bool last = bin >= BUCKET_BINS || s > BUCKET_NEVER;
    return last ? BUCKET_NEVER : (int32_t)s;
}

static struct served serve_many(const struct bucket_fleet *fleet,
                                const struct wish *wish)
{
    struct bins b = {0};
    for (int64_t i = 0; i < fleet->n; i++) {
        int32_t k = lax_bin(fleet->now_s, fleet->start_s[i]);
        b.w[i % LANES][k] += fleet->charge_w[i];
    }
    return serve(&b, wish);
}

/* The same where clearing and reading so many bins would take longer than
 * looking at the cars: blocks of bins first, then the bins of that block in
 * which the serving ends. */
static struct served serve_few(const struct bucket_fleet *fleet,
                               const struct wish *wish)
{
    uint16_t bins[FEW];
    int64_t blocks_w[BLOCKS] = {0};
    for (int64_t i = 0; i < fleet->n; i++) {
        bins[i] = (uint16_t)lax_bin(fleet->now_s, fleet->start_s[i]);
        blocks_w[bins[i] / BLOCK] += fleet->charge_w[i];
    }
    struct served s = {.bin = BUCKET_BINS};
    int32_t k = 0;
    for (; k < BLOCKS; k++) {
        double w = (double)blocks_w[k];
        if ((k + 1) * BLOCK > wish->must && s.sum_w + w > wish->target_w) {
            break;
        }
        s.sum_w += w;
    }
    int64_t bins_w[BLOCK] = {0};
    for (int64_t i = 0; k < BLOCKS && i < fleet->n; i++) {
        bins_w[bins[i] % BLOCK] +=
            bins[i] / BLOCK == k ? fleet->charge_w[i] : 0;
    }
    bool more = k < BLOCKS;
    for (int32_t i = 0; more && i < BLOCK; i++) {
        more = serve_bin(&s, wish, k * BLOCK + i, (double)bins_w[i]);
    }
    return s;
}

struct bucket_order bucket_order(const struct bucket_fleet *fleet,
                                 double target_w, double *all_w)
{
    assert(target_w >= 0.0 && fleet->soon_s >= 0);
    struct wish wish = {
        .must = (fleet->soon_s + BUCKET_BIN_S - 1) / BUCKET_BIN_S,
        .target_w = target_w,
    };
    struct served s =
        fleet->n <= FEW ? serve_few(fleet, &wish) : serve_many(fleet, &wish);
    *all_w = s.sum_w;
    return (struct bucket_order){
        .full_s = begin_s(fleet->now_s, s.bin),
        .part_s = begin_s(fleet->now_s, s.bin + 1),
        .part = s.part,
    };
}

struct bucket_work_order bucket_work_order(const struct bucket_fleet *fleet,
                                           double worth_per_kwh,
                                           double target_w, double *all_w)
{
    assert(target_w >= 0.0 && worth_per_kwh > 0.0);
    float worth = (float)fmin(worth_per_kwh, WORTH_MAX_PER_KWH);
    float bins_per_cur = (float)BUCKET_BINS / worth;
    struct bins b = {0};
    for (int64_t i = 0; i < fleet->n; i++) {
        const struct bucket_work *work = &fleet->works[i];
        float k = work->per_kwh * bins_per_cur;
        k = k > 0.0f ? k : 0.0f;
        bool pays = k < (float)BUCKET_BINS;
        b.w[i % LANES][pays ? (int32_t)k : 0] += pays ? work->w : 0;
    }
    struct served s = serve(&b, &(struct wish){.target_w = target_w});
    *all_w = s.sum_w;
    return (struct bucket_work_order){
        .full_per_kwh = s.bin > 0 ? (float)s.bin / bins_per_cur : -INFINITY,
        .part_per_kwh =
            s.part > 0.0f ? (float)(s.bin + 1) / bins_per_cur : -INFINITY,
        .part = s.part,
    };
}

struct bucket_work_order bucket_no_work(void)
{
    return (struct bucket_work_order){.full_per_kwh = -INFINITY,
                                      .part_per_kwh = -INFINITY};
}

bool bucket_works(const struct bucket_work_order *order,
                  const struct bucket_work *work, int64_t i)
{
    if (work->per_kwh < order->full_per_kwh) {
        return true;
    }
    /* spread evenly over 0..1 (Knuth, multiplicative hashing) */
    uint32_t mixed = (uint32_t)i * 2654435761u;
    return work->per_kwh < order->part_per_kwh &&
           (float)mixed < order->part * 4294967296.0f;
}
