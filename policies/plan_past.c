/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "policies/plan_parts.h"

static const int64_t quarter_ms = 900000;

/* In the first day what has been seen of it stands for the day, from an hour
 * on: else the batteries would be emptied for a peak that cannot last.  Not
 * where the month had a peak before, as after a restart: that one lasted, and
 * an hour's mean may lie far above the day's. */
static const int64_t least = 4;

/* Of the last 'n' quarter hours. */
static double mean_of(const struct plan_past *s, int64_t n)
{
    double sum = 0.0;
    for (int64_t k = s->now - n + 1; k <= s->now; k++) {
        sum += s->load_w[k % PLAN_DAY];
    }
    return sum / (double)n;
}

void plan_past_see(struct plan_past *s, const struct problem *p)
{
    int64_t now = p->start_at_ms / quarter_ms;
    if (now < s->now || now > s->now + PLAN_DAY) { /* a clock that jumped */
        *s = (struct plan_past){.first = now,
                                .now = now - 1,
                                .before_w = p->peak_w,
                                .billed_s = p->billed_s};
    }
    if (p->billed_s > s->billed_s) { /* a new month, a new peak */
        s->heaviest_w = 0.0;
        s->before_w = 0.0;
    }
    s->billed_s = p->billed_s;
    int64_t n = now - s->now;
    for (int64_t k = s->now + (n > 0 ? 1 : 0); k <= now; k++) {
        s->load_w[k % PLAN_DAY] = p->total_w; /* what was not seen, too */
    }
    s->now = now;
    int64_t seen = now - s->first + 1;
    if (n > 0 && seen > PLAN_DAY) {
        s->heaviest_w = fmax(s->heaviest_w, mean_of(s, PLAN_DAY));
    } else if (n > 0 && seen >= least && !(s->before_w > 0.0)) {
        s->heaviest_w = mean_of(s, seen);
    }
}
