/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/clean.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "models/clamp.h"

static const double POSSIBLE = 1e12;       /* a terawatt, if it is in W */
static const double HAMPEL = 5.0;          /* deviations from the median */
static const double MAD_TO_SIGMA = 1.4826; /* of a normal distribution */
static const double MARGIN_PU = 0.5;       /* of the range seen, beyond it */
static const double RANGE_FADE_S = 1800.0;
static const double STUCK_S = 60.0;     /* shorter is nothing */
static const double STUCK_TIMES = 4.0;  /* as long as ever before */
static const double STILL_FADE = 0.999; /* of longest_s, with every move */
static const double GAP_TIMES = 5.0;    /* as long as usual */

void clean_init(struct clean_state *c)
{
    memset(c, 0, sizeof(*c));
    c->believed = NAN;
    c->last = NAN;
}

static double median(double *v, int n)
{
    for (int i = 1; i < n; i++) {
        double x = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > x; j--) {
            v[j] = v[j - 1];
        }
        v[j] = x;
    }
    return n % 2 == 1 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

/* Further from the running median than its deviations explain. */
static bool hampel(const struct clean_state *c, double value)
{
    double v[CLEAN_WINDOW];
    memcpy(v, c->window, sizeof(v));
    double middle = median(v, CLEAN_WINDOW);
    for (int i = 0; i < CLEAN_WINDOW; i++) {
        v[i] = fabs(c->window[i] - middle);
    }
    double sigma = MAD_TO_SIGMA * median(v, CLEAN_WINDOW);
    return fabs(value - middle) > HAMPEL * sigma;
}

static bool beyond(const struct clean_state *c, double value)
{
    double margin = MARGIN_PU * (c->hi - c->lo);
    return value > c->hi + margin || value < c->lo - margin;
}

/* A suspect is held back unless the one before was one on the same side. */
static bool is_spike(struct clean_state *c, double value)
{
    if (c->n < CLEAN_WINDOW || !beyond(c, value) || !hampel(c, value)) {
        c->holding = 0;
        return false;
    }
    bool same_side = (value > c->hi) == (c->held > c->hi);
    if (c->holding != 0 && same_side) {
        c->holding = 0;
        return false;
    }
    c->held = value;
    c->holding = 1;
    return true;
}

static void believe(struct clean_state *c, double value, double dt_s)
{
    if (c->n == 0) {
        c->lo = value;
        c->hi = value;
    }
    double fade = min_of(dt_s / RANGE_FADE_S, 1.0);
    c->lo = min_of(value, c->lo + fade * (value - c->lo));
    c->hi = max_of(value, c->hi + fade * (value - c->hi));
    c->window[c->n % CLEAN_WINDOW] = value;
    c->n++;
    c->believed = value;
}

static bool is_stuck(struct clean_state *c, double value, double dt_s)
{
    if (value == c->last) {
        c->same_s += dt_s;
    } else {
        c->longest_s = max_of(c->longest_s * STILL_FADE, c->same_s);
        c->same_s = 0.0;
    }
    c->last = value;
    return c->same_s > max_of(STUCK_S, STUCK_TIMES * c->longest_s);
}

static bool is_gap(struct clean_state *c, double dt_s)
{
    bool gap = c->n > 1 && dt_s > GAP_TIMES * c->usual_s;
    double gain = 1.0 / (double)(c->n < 20 ? c->n + 1 : 20);
    double seen_s = gap ? GAP_TIMES * c->usual_s : dt_s;
    c->usual_s += gain * (seen_s - c->usual_s);
    return gap;
}

static enum clean judge(struct clean_state *c, double value, double dt_s)
{
    if (!isfinite(value)) {
        return CLEAN_NOT_FINITE;
    }
    if (fabs(value) > POSSIBLE) {
        return CLEAN_IMPOSSIBLE;
    }
    if (!isfinite(dt_s) || dt_s <= 0.0) {
        return CLEAN_REPEAT;
    }
    bool gap = is_gap(c, dt_s);
    bool stuck = is_stuck(c, value, dt_s);
    if (is_spike(c, value)) {
        return CLEAN_SPIKE;
    }
    believe(c, value, dt_s);
    return gap ? CLEAN_GAP : stuck ? CLEAN_STUCK : CLEAN_OK;
}

enum clean clean_step(struct clean_state *c, double value, double dt_s,
                      double *out)
{
    enum clean what = judge(c, value, dt_s);
    c->counts[what]++;
    *out = c->believed;
    return what;
}

const char *clean_name(enum clean c)
{
#define CLEAN_TEXT(name, text) [CLEAN_##name] = text,
    static const char *const texts[CLEAN_COUNT] = {CLEAN_LIST(CLEAN_TEXT)};
#undef CLEAN_TEXT
    return c >= 0 && c < CLEAN_COUNT ? texts[c] : "?";
}
