/* SPDX-License-Identifier: GPL-3.0-or-later */
/* life_rates - the rate functions of the life models; the equations are named
 * in life_model.h beside each law. */
#include <math.h>

#include "models/life_model.h"
#include "models/life_tables.h"

static double cube(double x)
{
    return x * x * x;
}

static double square(double x)
{
    return x * x;
}

/* A rate is a rate: not a number and below zero are both none. */
static double at_least_zero(double k)
{
    return k > 0.0 ? k : 0.0;
}

double life_anode_v(double soc_pu)
{
    double x = 0.0085 + 0.7715 * soc_pu;
    return 0.6379 + 0.5416 * exp(-305.5309 * x) +
           0.044 * tanh(-(x - 0.1958) / 0.1088) -
           0.1978 * tanh((x - 1.0571) / 0.0854) -
           0.6875 * tanh((x + 0.0117) / 0.0529) -
           0.0175 * tanh((x - 0.5692) / 0.0875);
}

static double anode_from_table_v(double soc_pu)
{
    double at = soc_pu * LIFE_ANODE_STEPS;
    int i = at > 0.0 ? (int)at : 0;
    i = i < LIFE_ANODE_STEPS ? i : LIFE_ANODE_STEPS - 1;
    const double *v = &life_anode_table_v[i];
    return v[0] + (at - (double)i) * (v[1] - v[0]);
}

double life_sanyo_v(double soc_pu)
{
    int lo = 0;
    int hi = LIFE_SANYO_POINTS - 1;
    while (hi - lo > 1) {
        int mid = (lo + hi) / 2;
        if (life_sanyo_table[mid].soc_pu <= soc_pu) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    const struct life_voltage *a = &life_sanyo_table[lo];
    const struct life_voltage *b = &life_sanyo_table[hi];
    double part = (soc_pu - a->soc_pu) / (b->soc_pu - a->soc_pu);
    part = fmin(fmax(part, 0.0), 1.0);
    return a->ocv_v + part * (b->ocv_v - a->ocv_v);
}

double life_sanyo_rms_v(double mean_pu, double depth_pu)
{
    /* Simpson's rule over the swing, on four intervals. */
    static const double weight[5] = {1.0, 4.0, 2.0, 4.0, 1.0};
    double sum = 0.0;
    for (int i = 0; i < 5; i++) {
        double v = life_sanyo_v(mean_pu + depth_pu * (0.25 * i - 0.5));
        sum += weight[i] * v * v;
    }
    return sqrt(sum / 12.0);
}

static double soc_factor(enum life_of_soc form, double soc_pu)
{
    switch (form) {
    case LIFE_FLAT:
    case LIFE_ANODE:
    case LIFE_SOC:
        break;
    case LIFE_NAUMANN_LOSS:
        return 2.8575 * cube(soc_pu - 0.5) + 0.60225;
    case LIFE_NAUMANN_OHM:
        return -3.3903 * square(soc_pu - 0.5) + 1.5604;
    case LIFE_SANYO_LOSS:
        return 7.543 * life_sanyo_v(soc_pu) - 23.75;
    case LIFE_SANYO_OHM:
        return 5.270 * life_sanyo_v(soc_pu) - 16.32;
    }
    return 1.0;
}

double life_calendar_k(const struct life_calendar_law *law, double temp_k,
                       double soc_pu)
{
    if (law->a == 0.0) {
        return 0.0;
    }
    double of_soc = 0.0;
    if (law->of_soc == LIFE_ANODE) {
        of_soc = law->c_k * life_anode_v(soc_pu);
    } else if (law->of_soc == LIFE_SOC) {
        of_soc = law->c_k * soc_pu;
    }
    return at_least_zero(law->a * soc_factor(law->of_soc, soc_pu) *
                         exp((law->b_k + of_soc) / temp_k));
}

static double powered(double x, double p)
{
    if (p == 1.0) {
        return x;
    }
    return p == 0.5 ? x * x : pow(x, 1.0 / p);
}

double life_calendar_heat(const struct life_calendar_law *law, double per_k,
                          double soc_pu)
{
    if (law->of_soc == LIFE_FLAT) {
        return 0.0;
    }
    double e_k = law->b_k;
    if (law->of_soc == LIFE_ANODE) {
        e_k += law->c_k * anode_from_table_v(soc_pu);
    } else if (law->of_soc == LIFE_SOC) {
        e_k += law->c_k * soc_pu;
    }
    return law->a * exp(e_k * per_k);
}

double life_calendar_factor(const struct life_calendar_law *law, double soc_pu)
{
    return at_least_zero(soc_factor(law->of_soc, soc_pu));
}

/* Loss per EFC by depth of Xu's table, in parts of the capacity: 71, 214 and
 * 464 USD/MWh down to 20, 60 and 100 %, at 100 USD/kWh over 20 % of loss. */
static double xu_mean_slope(double depth_pu)
{
    static const struct {
        double to_pu;
        double slope;
    } segments[] = {{0.2, 71.0}, {0.6, 214.0}, {1.0, 464.0}};
    double sum = 0.0;
    double from_pu = 0.0;
    for (int i = 0; i < 3; i++) {
        double part = fmin(depth_pu, segments[i].to_pu) - from_pu;
        sum += fmax(part, 0.0) * segments[i].slope;
        from_pu = segments[i].to_pu;
    }
    double mean = depth_pu > 0.0 ? sum / depth_pu : segments[0].slope;
    return mean * 0.2 / (1000.0 * 100.0);
}

double life_cycle_shape(const struct life_cycle_law *law,
                        const struct life_stress *s)
{
    double d = s->depth_pu;
    double c = s->rate_per_h;
    const double *n = law->d;
    switch (law->of_depth) {
    case LIFE_LINEAR:
        return at_least_zero(n[0] + n[1] * d + n[2] * c);
    case LIFE_NAUMANN_CYCLE:
        return at_least_zero((0.0630 * c + 0.0971) *
                             (4.0253 * cube(d - 0.6) + 1.0923));
    case LIFE_NAUMANN_CYCLE_OHM:
        return at_least_zero((-0.0020 * c + 0.0021) *
                             (6.8477 * cube(d - 0.5) + 0.9182));
    case LIFE_XU:
        return xu_mean_slope(d);
    case LIFE_KOKAM:
        return exp(n[0] * exp(d * d));
    case LIFE_SANYO:
        return at_least_zero(n[0] * square(s->volt_v - n[1]) + n[2] + n[3] * d);
    }
    return 0.0;
}

double life_cycle_heat(const struct life_cycle_law *law, double temp_k)
{
    return law->b_k == 0.0 ? 1.0 : exp(law->b_k / temp_k);
}

double life_cycle_k(const struct life_cycle_law *law,
                    const struct life_stress *s)
{
    return law->a * life_cycle_shape(law, s) * life_cycle_heat(law, s->temp_k);
}

double life_cycle_speed(const struct life_cycle_law *law,
                        const struct life_stress *s)
{
    if (law->a == 0.0) {
        return 0.0;
    }
    double k = law->a * life_cycle_shape(law, s);
    if (law->b_k == 0.0 || !(k > 0.0)) {
        return law->per_efc * powered(k, law->p);
    }
    return law->per_efc * exp((log(k) + law->b_k / s->temp_k) / law->p);
}

double life_knee_efc(const struct life_stress *s)
{
    double warm_k = s->temp_k - LIFE_ZERO_C_K - 55.0;
    double efc = 1e4 + 153.0 * warm_k * s->depth_pu * (s->mean_pu / 0.6);
    return efc > 1.0 ? efc : 1.0;
}
