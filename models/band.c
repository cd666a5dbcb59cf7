/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/band.h"

#include <assert.h>
#include <math.h>

#include "models/clamp.h"

static const double pi = 3.14159265358979323846;
static const double recent_s = 60.0;

/* Quality of the two sections of a fourth-order Butterworth filter:
 * 1 / (2 cos(pi/8)) and 1 / (2 cos(3 pi/8)). */
static const double quality[] = {0.54119610014619699, 1.3065629648763766};

static struct band_section section(double corner, double q, int high)
{
    double k = tan(pi * corner); /* corner as a fraction of the rate */
    double norm = 1.0 / (1.0 + k / q + k * k);
    double gain = high ? norm : k * k * norm;
    return (struct band_section){
        .b0 = gain,
        .b1 = high ? -2.0 * gain : 2.0 * gain,
        .b2 = gain,
        .a1 = 2.0 * (k * k - 1.0) * norm,
        .a2 = (1.0 - k / q + k * k) * norm,
    };
}

void band_init(struct band *b, double from_hz, double to_hz, double period_s)
{
    assert(from_hz > 0.0 && from_hz < to_hz && period_s > 0.0);
    *b =
        (struct band){.from_hz = from_hz, .to_hz = to_hz, .period_s = period_s};
    double low = from_hz * period_s;
    double high = to_hz * period_s;
    b->sight = low >= 0.5 ? BAND_BLIND : high > 0.5 ? BAND_PARTLY : BAND_WHOLE;
    if (b->sight == BAND_BLIND) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        b->sections[b->n_sections++] = section(low, quality[i], 1);
    }
    for (int i = 0; i < 2 && high < 0.5; i++) {
        b->sections[b->n_sections++] = section(high, quality[i], 0);
    }
}

/* A constant stream lets the states fade for ever; what is too small to
 * matter is set to 0 before it becomes denormal and slow. */
static double settle(double x)
{
    return fabs(x) < 1e-60 ? 0.0 : x;
}

static double section_push(struct band_section *s, double x)
{
    double y = s->b0 * x + s->s1;
    s->s1 = settle(s->b1 * x - s->a1 * y + s->s2);
    s->s2 = settle(s->b2 * x - s->a2 * y);
    return y;
}

void band_stand(struct band *b, double value)
{
    b->first = value;
    for (int64_t i = 0; i < b->n_sections; i++) {
        b->sections[i].s1 = 0.0;
        b->sections[i].s2 = 0.0;
    }
}

double band_push(struct band *b, double value)
{
    if (b->n == 0) {
        b->first = value;
    }
    b->n++;
    if (b->sight == BAND_BLIND) {
        return 0.0;
    }
    double y = value - b->first;
    for (int64_t i = 0; i < b->n_sections; i++) {
        y = section_push(&b->sections[i], y);
    }
    b->sum_square += y * y;
    double part = min_of(1.0, b->period_s / recent_s);
    b->recent_square += part * (y * y - b->recent_square);
    b->recent_max_square = max_of(b->recent_max_square, b->recent_square);
    return y;
}

static double root(const struct band *b, double square)
{
    return b->sight == BAND_BLIND || b->n == 0 ? NAN : sqrt(square);
}

double band_rms(const struct band *b)
{
    return root(b, b->n > 0 ? b->sum_square / (double)b->n : 0.0);
}

double band_recent_max(const struct band *b)
{
    return root(b, b->recent_max_square);
}
