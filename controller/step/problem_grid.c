/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/problem.h"

enum {
    MINUTE_MS = 60000,
    SHORTEST_MS = MINUTE_MS / 2,
};

/* Up to 'until_ms' after the start the slots are 'slot_ms' long. */
struct tier {
    int64_t until_ms;
    int64_t slot_ms;
};

static const struct tier tiers[] = {
    {120 * MINUTE_MS, 5 * MINUTE_MS},
    {720 * MINUTE_MS, 15 * MINUTE_MS},
    {INT64_MAX, 60 * MINUTE_MS},
};

static int64_t slot_ms(int64_t age_ms)
{
    int i = 0;
    while (age_ms >= tiers[i].until_ms) {
        i++;
    }
    return tiers[i].slot_ms;
}

/* 'cut_ms' where it divides the slot that would end at 'end_ms', and leaves
 * something of it on both sides. */
static int64_t earlier(int64_t cut_ms, int64_t begin_ms, int64_t end_ms)
{
    return cut_ms >= begin_ms + SHORTEST_MS && cut_ms <= end_ms - SHORTEST_MS
               ? cut_ms
               : end_ms;
}

/* The first instruction that begins or ends inside the slot ends it. */
static int64_t cut(const struct snapshot *in, int64_t begin_ms, int64_t end_ms)
{
    int64_t first_ms = end_ms;
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        const struct utility_in *u = &in->utility[i];
        if (u->id[0] != '\0') {
            first_ms = earlier(u->start_at_ms, begin_ms, first_ms);
            first_ms = earlier(u->end_at_ms, begin_ms, first_ms);
        }
    }
    return first_ms;
}

/* Where a slot that begins at 'at_ms' ends if nothing cuts it. */
static int64_t whole_ms(int64_t at_ms, int64_t start_ms, int64_t stop_ms)
{
    int64_t tier_ms = slot_ms(at_ms - start_ms);
    int64_t end_ms = (at_ms / tier_ms + 1) * tier_ms;
    if (end_ms - at_ms < SHORTEST_MS) {
        end_ms += tier_ms;
    }
    return end_ms < stop_ms ? end_ms : stop_ms;
}

/* How many slots it takes from there to the end. */
static int64_t n_whole(int64_t at_ms, int64_t start_ms, int64_t stop_ms)
{
    int64_t n = 0;
    while (at_ms + SHORTEST_MS <= stop_ms) {
        at_ms = whole_ms(at_ms, start_ms, stop_ms);
        n++;
    }
    return n;
}

int64_t problem_grid(const struct snapshot *in, double horizon_s,
                     double step_s[PLAN_SLOTS_MAX])
{
    int64_t start_ms = in->utc_ms;
    int64_t stop_ms = start_ms + (int64_t)(horizon_s * 1e3);
    int64_t at_ms = start_ms;
    int64_t n = 0;
    do {
        int64_t end_ms = whole_ms(at_ms, start_ms, stop_ms);
        int64_t cut_ms = cut(in, at_ms, end_ms);
        /* more instructions than there are places: the near ones cut */
        if (n + 1 + n_whole(cut_ms, start_ms, stop_ms) <= PLAN_SLOTS_MAX) {
            end_ms = cut_ms;
        }
        step_s[n++] = (double)(end_ms - at_ms) / 1e3;
        at_ms = end_ms;
    } while (at_ms + SHORTEST_MS <= stop_ms && n < PLAN_SLOTS_MAX);
    return n;
}
