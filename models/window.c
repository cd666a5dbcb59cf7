/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/window.h"

#include <assert.h>

void window_mean_init(struct window_mean *w, int64_t n, double value)
{
    assert(n >= 1 && n <= WINDOW_MAX);
    w->n = n;
    w->at = 0;
    w->sum = value * (double)n;
    for (int64_t i = 0; i < WINDOW_MAX; i++) {
        w->cells[i] = i < n ? value : 0.0;
    }
}

/* The sum is taken anew at each turn of the ring, so that rounding does not
 * pile up over weeks. */
double window_mean_push(struct window_mean *w, double value)
{
    w->sum += value - w->cells[w->at];
    w->cells[w->at] = value;
    w->at++;
    if (w->at == w->n) {
        w->at = 0;
        w->sum = 0.0;
        for (int64_t i = 0; i < w->n; i++) {
            w->sum += w->cells[i];
        }
    }
    return w->sum / (double)w->n;
}

void window_extreme_init(struct window_extreme *w, int64_t span, double sign)
{
    assert(span >= 0 && span < WINDOW_MAX);
    assert(sign == 1.0 || sign == -1.0);
    *w = (struct window_extreme){.span = span, .tick = -1, .sign = sign};
}

/* A monotonic wedge (Lemire 2006): a value that is not above a later one can
 * never be the largest again. */
double window_extreme_push(struct window_extreme *w, double value)
{
    double x = w->sign * value;
    w->tick++;
    if (w->n > 0 && w->ticks[w->head] < w->tick - w->span) {
        w->head = (w->head + 1) % WINDOW_MAX;
        w->n--;
    }
    while (w->n > 0 && w->values[(w->head + w->n - 1) % WINDOW_MAX] <= x) {
        w->n--;
    }
    int64_t at = (w->head + w->n) % WINDOW_MAX;
    w->ticks[at] = w->tick;
    w->values[at] = x;
    w->n++;
    return window_extreme_now(w);
}

double window_extreme_now(const struct window_extreme *w)
{
    assert(w->n > 0);
    return w->sign * w->values[w->head];
}
