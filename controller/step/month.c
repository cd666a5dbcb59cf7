/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/month.h"

#include <math.h>

/* Between the beginnings of a month anywhere on earth, and room. */
static const int64_t ZONES_MS = INT64_C(2) * 86400000;

static void begin(struct month *m, int64_t from_ms)
{
    struct month was = *m;
    bool back = was.left_ms != 0 && was.left_ms == from_ms;
    *m = (struct month){.peak_w = back ? was.left_w : 0.0,
                        .from_ms = from_ms,
                        .left_w = was.left_w,
                        .left_ms = was.left_ms};
    if (was.lived_s >= MONTH_SURE_S || was.left_ms == 0) {
        m->left_w = was.peak_w;
        m->left_ms = was.from_ms;
    } else if (back) {
        m->left_w = 0.0;
        m->left_ms = 0;
    }
}

void month_step(struct month *m, int64_t from_ms, double dt_s)
{
    if (m->from_ms != 0 && m->from_ms != from_ms) {
        begin(m, from_ms);
    }
    m->from_ms = from_ms;
    m->lived_s = fmin(m->lived_s + dt_s, MONTH_SURE_S);
}

bool month_resume(struct month *m, const struct month *saved, int64_t saved_ms,
                  int64_t from_ms)
{
    int64_t off_ms = saved->from_ms - from_ms;
    bool goes_on = saved->from_ms == 0
                       ? saved_ms >= from_ms
                       : off_ms < ZONES_MS && off_ms > -ZONES_MS;
    *m = *saved;
    if (!goes_on) {
        begin(m, from_ms);
    }
    m->from_ms = 0; /* the first tick says it again */
    return goes_on;
}
