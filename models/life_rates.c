/* SPDX-License-Identifier: GPL-3.0-or-later */
/* life_rates - the rate functions of the life models; the equations are named
 * in life_model.h beside each law. */
#include <math.h>

#include "models/fast.h"
#include "models/life_calendar.h"
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

double life_anode_v(double soc_pu)
{
    double x = 0.0085 + 0.7715 * soc_pu;
    return 0.6379 + 0.5416 * exp(-305.5309 * x) +
           0.044 * tanh(-(x - 0.1958) / 0.1088) -
           0.1978 * tanh((x - 1.0571) / 0.0854) -
           0.6875 * tanh((x + 0.0117) / 0.0529) -
           0.0175 * tanh((x - 0.5692) / 0.0875);
}

/* Its points are evenly spaced but for the ends, where the search steps. */
double life_sanyo_v(double soc_pu)
{
    const struct life_voltage *t = life_sanyo_table;
    static const double per_pu = 1.0 / 0.0181423611;
    double at = (soc_pu - t[1].soc_pu) * per_pu + 1.0;
    int i = at > 0.0 ? (int)at : 0;
    i = i < LIFE_SANYO_POINTS - 2 ? i : LIFE_SANYO_POINTS - 2;
    i += soc_pu >= t[i + 1].soc_pu && i < LIFE_SANYO_POINTS - 2;
    i -= soc_pu < t[i].soc_pu && i > 0;
    double part = (soc_pu - t[i].soc_pu) / (t[i + 1].soc_pu - t[i].soc_pu);
    part = part > 0.0 ? part : 0.0;
    part = part < 1.0 ? part : 1.0;
    return t[i].ocv_v + part * (t[i + 1].ocv_v - t[i].ocv_v);
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
        return life_naumann_loss(soc_pu);
    case LIFE_NAUMANN_OHM:
        return life_naumann_ohm(soc_pu);
    case LIFE_SANYO_LOSS:
        return life_sanyo_loss(life_sanyo_v(soc_pu));
    case LIFE_SANYO_OHM:
        return life_sanyo_ohm(life_sanyo_v(soc_pu));
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
    return life_at_least_zero(law->a * soc_factor(law->of_soc, soc_pu) *
                              exp((law->b_k + of_soc) / temp_k));
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
        return life_at_least_zero(n[0] + n[1] * d + n[2] * c);
    case LIFE_NAUMANN_CYCLE:
        return life_at_least_zero((0.0630 * c + 0.0971) *
                                  (4.0253 * cube(d - 0.6) + 1.0923));
    case LIFE_NAUMANN_CYCLE_OHM:
        return life_at_least_zero((-0.0020 * c + 0.0021) *
                                  (6.8477 * cube(d - 0.5) + 0.9182));
    case LIFE_XU:
        return xu_mean_slope(d);
    case LIFE_KOKAM:
        return exp(n[0] * exp(d * d));
    case LIFE_SANYO:
        return life_at_least_zero(n[0] * square(s->volt_v - n[1]) + n[2] +
                                  n[3] * d);
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

/* In its logarithm, where most of these laws are sums. */
double life_cycle_speed(const struct life_cycle_law *law,
                        const struct life_stress *s)
{
    if (law->a == 0.0) {
        return 0.0;
    }
    double shape = law->of_depth == LIFE_KOKAM ? 1.0 : life_cycle_shape(law, s);
    double k = law->a * shape;
    if (law->b_k == 0.0 && law->p == 1.0) {
        return law->per_efc * k;
    }
    if (law->b_k == 0.0 && law->p == 0.5) {
        return law->per_efc * k * k;
    }
    if (!(k > 1e-300)) {
        return 0.0;
    }
    double log_k = fast_log(k) + law->b_k / s->temp_k;
    if (law->of_depth == LIFE_KOKAM) {
        log_k += law->d[0] * fast_exp(s->depth_pu * s->depth_pu);
    }
    return law->per_efc * fast_exp(log_k / law->p);
}

double life_knee_efc(const struct life_stress *s)
{
    double warm_k = s->temp_k - LIFE_ZERO_C_K - 55.0;
    double efc = 1e4 + 153.0 * warm_k * s->depth_pu * (s->mean_pu / 0.6);
    return efc > 1.0 ? efc : 1.0;
}
