/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdbool.h>

#include "policies/plan_parts.h"

static const int64_t quarter_ms = 900000;
static const double forget_days = 7.0;

/* The mean of the dearest three hours of the last day. */
static double dearest_of_day(const struct plan_past *s)
{
    double top[PLAN_DEAREST];
    int n = 0;
    for (int i = 0; i < PLAN_DAY; i++) {
        double x = s->per_kwh[i];
        int at = n;
        while (at > 0 && top[at - 1] < x) {
            if (at < PLAN_DEAREST) {
                top[at] = top[at - 1];
            }
            at--;
        }
        if (at < PLAN_DEAREST) {
            top[at] = x;
            n += n < PLAN_DEAREST ? 1 : 0;
        }
    }
    double sum = 0.0;
    for (int i = 0; i < n; i++) {
        sum += top[i];
    }
    return sum / (double)n;
}

static double mean_of_day(const struct plan_past *s)
{
    double sum = 0.0;
    for (int i = 0; i < PLAN_DAY; i++) {
        sum += s->load_w[i];
    }
    return sum / (double)PLAN_DAY;
}

/* What a whole day says, 'n' quarter hours after the last time. */
static void learn(struct plan_past *s, int64_t n)
{
    double dear = dearest_of_day(s);
    double part = fmin((double)n / (forget_days * (double)PLAN_DAY), 1.0);
    s->dear_per_kwh = isfinite(s->dear_per_kwh)
                          ? s->dear_per_kwh + part * (dear - s->dear_per_kwh)
                          : dear;
    s->heaviest_w = fmax(s->heaviest_w, mean_of_day(s));
}

void plan_past_see(struct plan_past *s, const struct problem *p)
{
    int64_t now = p->start_at_ms / quarter_ms;
    if (now < s->now || now > s->now + PLAN_DAY) { /* a clock that jumped */
        *s = (struct plan_past){
            .first = now, .now = now - 1, .dear_per_kwh = NAN};
    }
    if (p->billed_s > s->billed_s) { /* a new month, a new peak */
        s->heaviest_w = 0.0;
    }
    s->billed_s = p->billed_s;
    int64_t n = now - s->now;
    for (int64_t k = s->now + (n > 0 ? 1 : 0); k <= now; k++) {
        s->per_kwh[k % PLAN_DAY] = p->import_per_kwh[0];
        s->load_w[k % PLAN_DAY] = p->load_w[0]; /* what was not seen, too */
    }
    s->now = now;
    if (n > 0 && now - s->first >= PLAN_DAY - 1) {
        learn(s, n);
    }
}
