/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/life_slope.h"

#include <math.h>
#include <string.h>

#include "models/life_model.h"

static const double LIFE_YEARS = 8.0;
static const double YEAR_DAYS = 365.25;
static const double EFC_PER_YEAR = 42.0;
static const double CYCLED_MIN_C = 10.0;
static const double CYCLED_MAX_C = 40.0;
static const double CYCLED_STEP_C = 5.0;
/* More than a guard lets compute draw; below it a rate is nil to all laws. */
static const double RATE_PER_H = 0.05;

enum { ROLES = 2 };

struct models {
    const struct life_model *of[ROLES];
};

/* What the two laws give; the worse of them. */
static double level_ppm(const struct models *m, double soc_pu, double temp_c)
{
    double worst = 0.0;
    for (int i = 0; i < ROLES; i++) {
        const struct life_calendar_law *law = &m->of[i]->loss_t;
        double k = life_calendar_k(law, temp_c + LIFE_ZERO_C_K, soc_pu);
        double days = LIFE_YEARS * YEAR_DAYS;
        worst = fmax(worst, 1e6 * k * pow(days, law->p - 1.0));
    }
    return worst;
}

static double rise_ppm(const struct models *m, double soc_pu, double temp_c)
{
    double worst = 0.0;
    for (int i = 0; i < ROLES; i++) {
        struct models one = {{m->of[i], m->of[i]}};
        worst = fmax(worst, level_ppm(&one, soc_pu, temp_c) -
                                level_ppm(&one, soc_pu, temp_c - 1.0));
    }
    return worst;
}

/* The steps of a row are no smaller than those of the row below it. */
static void fill_calendar(struct life_slope *s, const struct models *m)
{
    double step[LIFE_SLOPE_KELVINS + 1] = {0.0};
    for (int i = 0; i <= LIFE_SLOPE_SOCS; i++) {
        double soc_pu = (double)i / LIFE_SLOPE_SOCS;
        step[0] = fmax(step[0], level_ppm(m, soc_pu, 0.0));
        double sum = step[0];
        s->calendar[i][0] = (float)sum;
        for (int k = 1; k <= LIFE_SLOPE_KELVINS; k++) {
            step[k] = fmax(step[k], rise_ppm(m, soc_pu, k));
            sum += step[k];
            s->calendar[i][k] = (float)sum;
            s->steepest = fmax(s->steepest, (double)(s->calendar[i][k] -
                                                     s->calendar[i][k - 1]));
        }
    }
}

/* Loss by a cycle from full down to a depth, at the mean slope. */
static double cycle_ppm(const struct life_model *m, double depth_pu,
                        double temp_c)
{
    const struct life_cycle_law *law = &m->loss_n;
    const struct life_fitted *f = &m->fitted;
    double clamped_c = fmin(fmax(temp_c, f->cycle_c.min), f->cycle_c.max);
    double mean_pu = 1.0 - 0.5 * depth_pu;
    struct life_stress stress = {
        .temp_k = clamped_c + LIFE_ZERO_C_K,
        .depth_pu = depth_pu,
        .rate_per_h = RATE_PER_H,
        .mean_pu = mean_pu,
        .volt_v = life_sanyo_rms_v(mean_pu, depth_pu),
    };
    double n = law->per_efc * LIFE_YEARS * EFC_PER_YEAR;
    double y = life_cycle_k(law, &stress) * pow(n, law->p);
    return 1e6 * depth_pu * y / (LIFE_YEARS * EFC_PER_YEAR);
}

static void fill_cycle(struct life_slope *s, const struct models *m)
{
    double worst = 0.0;
    for (int i = 0; i < LIFE_SLOPE_DEPTHS; i++) {
        double from_pu = (double)i / LIFE_SLOPE_DEPTHS;
        double to_pu = (double)(i + 1) / LIFE_SLOPE_DEPTHS;
        for (double c = CYCLED_MIN_C; c <= CYCLED_MAX_C; c += CYCLED_STEP_C) {
            for (int k = 0; k < ROLES; k++) {
                double slice = cycle_ppm(m->of[k], to_pu, c) -
                               cycle_ppm(m->of[k], from_pu, c);
                worst = fmax(worst, slice * LIFE_SLOPE_DEPTHS);
            }
        }
        s->cycle[i] = (float)worst;
    }
}

void life_slope_init(struct life_slope *s, enum chemistry c)
{
    struct models m = {
        {life_model(life_price_model(c)), life_model(life_guard_model(c))}};
    memset(s, 0, sizeof(*s));
    fill_calendar(s, &m);
    fill_cycle(s, &m);
}

/* Written so that what is not a number gives the upper end. */
static double within(double x, double lo, double hi)
{
    return x < lo ? lo : x < hi ? x : hi;
}

/* A place between two nodes of a table. */
struct place {
    int i;
    double part; /* of the way to the next */
};

static struct place place_of(double at, int nodes)
{
    double x = within(at, 0.0, (double)nodes);
    int i = x < (double)nodes ? (int)x : nodes - 1;
    return (struct place){i, x - (double)i};
}

static double between(const float *v, struct place p)
{
    double lo = (double)v[p.i];
    return lo + p.part * ((double)v[p.i + 1] - lo);
}

double life_slope_ppm_per_day(const struct life_slope *s, double soc_pu,
                              double temp_c)
{
    struct place row = place_of(soc_pu * LIFE_SLOPE_SOCS, LIFE_SLOPE_SOCS);
    struct place at = place_of(temp_c, LIFE_SLOPE_KELVINS);
    double lo = between(s->calendar[row.i], at);
    return lo + row.part * (between(s->calendar[row.i + 1], at) - lo);
}

double life_slope_heat_ppm_per_day(const struct life_slope *s, double soc_pu,
                                   double temp_c, double rise_k)
{
    struct place row = place_of(soc_pu * LIFE_SLOPE_SOCS, LIFE_SLOPE_SOCS);
    double warm_c = within(temp_c, 0.0, LIFE_SLOPE_MAX_C);
    struct place warm = place_of(warm_c, LIFE_SLOPE_KELVINS);
    struct place rest = place_of(warm_c - rise_k, LIFE_SLOPE_KELVINS);
    const float *below = s->calendar[row.i];
    const float *above = s->calendar[row.i + 1];
    double lo = between(below, warm) - between(below, rest);
    double hi = between(above, warm) - between(above, rest);
    return lo + row.part * (hi - lo);
}

double life_slope_ppm_per_efc(const struct life_slope *s, double depth_pu)
{
    /* A depth on the edge of a slice is still of it, however it was rounded. */
    double at = within(depth_pu, 0.0, 1.0) * LIFE_SLOPE_DEPTHS - 1e-9;
    return (double)s->cycle[at > 0.0 ? (int)at : 0];
}
