/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/level_range.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "models/clamp.h"

static const double SPAN_S = 30.0;
static const double HOUR_SLOT_S = 300.0;
static const double SECOND_S = 1.0;
static const double GROWN_S = 2.0;   /* without growing: it is complete */
static const double AGAIN_PU = 0.02; /* of the range: noise at its ends */

void level_range_init(struct level_range *r)
{
    memset(r, 0, sizeof(*r));
    r->hi_w = NAN;
    r->lo_w = NAN;
    for (int i = 0; i < LEVEL_RANGE_LATE; i++) {
        r->late[i].age_s = INFINITY;
    }
}

static void begin(struct level_range *r, double load_w)
{
    r->hi_w = r->lo_w = load_w;
    for (int i = 0; i < LEVEL_RANGE_SPANS; i++) {
        r->span_hi_w[i] = r->span_lo_w[i] = load_w;
    }
}

void level_range_part(struct level_range *r)
{
    r->second_s = 0.0;
    for (int i = 0; i < 2; i++) {
        r->second_hi_w[i] = -INFINITY;
        r->second_lo_w[i] = INFINITY;
    }
}

static void take_edge(struct level_range *r, double load_w, double dt_s)
{
    struct level_both *e = &r->edge[r->hour];
    double lo_w = min_of(r->second_lo_w[0], r->second_lo_w[1]);
    double hi_w = max_of(r->second_hi_w[0], r->second_hi_w[1]);
    if (isfinite(lo_w)) {
        e->up_w = max_of(e->up_w, load_w - lo_w);
        e->down_w = max_of(e->down_w, hi_w - load_w);
    }
    r->second_lo_w[0] = min_of(r->second_lo_w[0], load_w);
    r->second_hi_w[0] = max_of(r->second_hi_w[0], load_w);
    r->second_s += dt_s;
    if (r->second_s >= SECOND_S) {
        r->second_s = 0.0;
        r->second_lo_w[1] = r->second_lo_w[0];
        r->second_hi_w[1] = r->second_hi_w[0];
        r->second_lo_w[0] = r->second_hi_w[0] = load_w;
    }
}

static void rank(double grown_w, double *first_w, double *second_w)
{
    if (grown_w > *first_w) {
        *second_w = *first_w;
        *first_w = grown_w;
    } else if (grown_w > *second_w) {
        *second_w = grown_w;
    }
}

static void rank_both(const struct level_both *by, struct level_both *first,
                      struct level_both *second)
{
    rank(by->up_w, &first->up_w, &second->up_w);
    rank(by->down_w, &first->down_w, &second->down_w);
}

/* The largest growth of the hour, and the one after it, each way. */
static void find_again(struct level_range *r)
{
    struct level_both first = {0.0, 0.0};
    struct level_both second = {0.0, 0.0};
    for (int i = 0; i < LEVEL_RANGE_HOUR; i++) {
        rank_both(&r->growth[i], &first, &second);
        rank_both(&r->second[i], &first, &second);
        rank_both(&r->left[i], &first, &second);
        rank_both(&r->left_second[i], &first, &second);
    }
    r->again = second;
    r->once = first;
}

static void keep_late(struct level_range *r)
{
    for (int i = LEVEL_RANGE_LATE - 1; i > 0; i--) {
        r->late[i] = r->late[i - 1];
    }
    r->late[0] = (struct level_growth){r->growing, 0.0};
}

static void end_growth(struct level_range *r)
{
    rank_both(&r->growing, &r->growth[r->hour], &r->second[r->hour]);
    keep_late(r);
    r->growing = (struct level_both){0.0, 0.0};
    r->growing_s = 0.0;
    find_again(r);
}

static void take_growth(struct level_range *r, double load_w, double dt_s)
{
    for (int i = 0; i < LEVEL_RANGE_LATE; i++) {
        r->late[i].age_s += dt_s;
    }
    double up_w = load_w - r->hi_w;
    double down_w = r->lo_w - load_w;
    double noise_w = AGAIN_PU * (r->hi_w - r->lo_w);
    if (up_w > noise_w || down_w > noise_w) {
        r->growing.up_w += max_of(up_w, 0.0);
        r->growing.down_w += max_of(down_w, 0.0);
        r->growing_s = 0.0;
        return;
    }
    r->growing_s += dt_s;
    bool grown = r->growing.up_w > 0.0 || r->growing.down_w > 0.0;
    if (grown && r->growing_s >= GROWN_S) {
        end_growth(r);
    }
}

static void begin_span(struct level_range *r, double load_w)
{
    r->span_s = 0.0;
    r->span = (r->span + 1) % LEVEL_RANGE_SPANS;
    r->span_hi_w[r->span] = r->span_lo_w[r->span] = load_w;
    r->hi_w = r->lo_w = load_w;
    for (int i = 0; i < LEVEL_RANGE_SPANS; i++) {
        r->hi_w = max_of(r->hi_w, r->span_hi_w[i]);
        r->lo_w = min_of(r->lo_w, r->span_lo_w[i]);
    }
}

static void begin_hour_slot(struct level_range *r)
{
    r->hour_s = 0.0;
    r->hour = (r->hour + 1) % LEVEL_RANGE_HOUR;
    const struct level_both none = {0.0, 0.0};
    r->edge[r->hour] = r->growth[r->hour] = r->second[r->hour] = none;
    r->left[r->hour] = r->left_second[r->hour] = none;
    find_again(r);
}

void level_range_step(struct level_range *r, double load_w, double dt_s)
{
    assert(dt_s > 0.0);
    if (!isfinite(load_w)) {
        return;
    }
    if (isnan(r->hi_w)) {
        begin(r, load_w);
        level_range_part(r);
    }
    take_edge(r, load_w, dt_s);
    take_growth(r, load_w, dt_s);
    r->span_hi_w[r->span] = max_of(r->span_hi_w[r->span], load_w);
    r->span_lo_w[r->span] = min_of(r->span_lo_w[r->span], load_w);
    r->hi_w = max_of(r->hi_w, load_w);
    r->lo_w = min_of(r->lo_w, load_w);
    r->span_s += dt_s;
    if (r->span_s >= SPAN_S) {
        begin_span(r, load_w);
    }
    r->hour_s += dt_s;
    if (r->hour_s >= HOUR_SLOT_S) {
        begin_hour_slot(r);
    }
}

void level_range_anew(struct level_range *r, double within_s)
{
    memset(r->growth, 0, sizeof(r->growth));
    memset(r->second, 0, sizeof(r->second));
    for (int i = 0; i < LEVEL_RANGE_LATE; i++) {
        if (r->late[i].age_s <= within_s) {
            rank_both(&r->late[i].by, &r->left[r->hour],
                      &r->left_second[r->hour]);
            r->late[i].age_s = INFINITY;
        }
    }
    find_again(r);
}

struct level_both level_range_edges(const struct level_range *r)
{
    struct level_both most = {0.0, 0.0};
    for (int i = 0; i < LEVEL_RANGE_HOUR; i++) {
        const struct level_both *e = &r->edge[i];
        most.up_w = e->up_w > most.up_w ? e->up_w : most.up_w;
        most.down_w = e->down_w > most.down_w ? e->down_w : most.down_w;
    }
    return most;
}

struct level_both level_range_ahead(const struct level_range *r, double load_w)
{
    struct level_both ahead = r->again;
    if (!isnan(r->hi_w)) {
        ahead.up_w += max_of(r->hi_w - load_w, 0.0);
        ahead.down_w += max_of(load_w - r->lo_w, 0.0);
    }
    return ahead;
}
