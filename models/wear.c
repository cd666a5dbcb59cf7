/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/wear.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "models/clamp.h"

static const double ASSUMED_C = 25.0; /* where none is known */
static const double RATE_PU = 0.5;    /* of the rating */
/* A law that falls with temperature is dearest here in 20 to 30 degrees C. */
static const double NO_REWARD_C = 20.0;
/* A chord shorter than this part of its end is a tangent, to 1e-5. */
static const double CHORD_MIN_PU = 0.01;
/* Half of the step over which the slope in the rate is taken. */
static const double RATE_STEP_PER_H = 0.01;

struct wear_terms wear_terms_new(const struct site_battery *b,
                                 enum life_role role)
{
    double rating_w = fmin(b->charge_max_w, b->discharge_max_w);
    return (struct wear_terms){
        .model = role == LIFE_PRICE ? life_price_model(b->chemistry)
                                    : life_guard_model(b->chemistry),
        .temp_c = ASSUMED_C,
        .rate_per_h = RATE_PU * rating_w / b->energy_wh,
        .mean_pu = 0.5 * (b->soc_min_pu + b->soc_max_pu),
        .scale = 1.0,
    };
}

/* A measured multiplier belongs to the model it was fitted to. */
static double scale_of(const struct life *life, enum life_role role)
{
    return role == LIFE_PRICE ? life_scale(life) : 1.0;
}

struct wear_terms wear_terms_of(const struct site_battery *b,
                                enum life_role role, const struct life *life)
{
    struct wear_terms t = wear_terms_new(b, role);
    if (life == NULL || life->cycles.n_fed == 0) {
        return t;
    }
    struct life_channels c = life_channels_now(life, role, true);
    struct life_loss loss = life_channels_loss(&c, t.model, 1.0);
    t.scale = scale_of(life, role);
    t.temp_c = life->cycles.last_temp_c;
    t.lost_t_pu = t.scale * loss.calendar_pu;
    double p = life_model(t.model)->loss_n.p;
    t.lost_n_pu = c.loss_n > 0.0 ? t.scale * pow(c.loss_n, p) : 0.0;
    return t;
}

static double clamped(double x, const struct life_span *to)
{
    return clamp(x, to->min, to->max);
}

static struct life_stress stress_of(const struct wear_terms *t, double depth_pu)
{
    const struct life_model *m = life_model(t->model);
    double half_pu = 0.5 * depth_pu;
    double temp_c = clamped(t->temp_c, &m->fitted.cycle_c);
    if (m->loss_n.b_k > 0.0) {
        temp_c = fmin(temp_c, NO_REWARD_C);
    }
    struct life_stress s = {
        .temp_k = temp_c + LIFE_ZERO_C_K,
        .depth_pu = depth_pu,
        .rate_per_h = clamped(t->rate_per_h, &m->fitted.rate_per_h),
        .mean_pu = clamp(t->mean_pu, half_pu, 1.0 - half_pu),
    };
    if (m->loss_n.of_depth == LIFE_SANYO) {
        s.volt_v = life_sanyo_rms_v(s.mean_pu, depth_pu);
    }
    return s;
}

/* dy/dn on y = scale (speed n)^p: the chord from 'from_pu' to 'to_pu'. */
static double chord(double speed, double p, double from_pu, double to_pu)
{
    if (to_pu - from_pu < CHORD_MIN_PU * to_pu) {
        double y = fmax(from_pu, 0.5 * (from_pu + to_pu));
        return p * speed * pow(y, 1.0 - 1.0 / p);
    }
    double from = from_pu > 0.0 ? pow(from_pu, 1.0 / p) : 0.0;
    return speed * (to_pu - from_pu) / (pow(to_pu, 1.0 / p) - from);
}

/*
 * An EFC's share of those after which the knee leaves what the budget does:
 * 1.01 - tanh(z/2) = 1 - budget, with z = (n/N)^10.  N rises with temperature.
 */
static double knee_pu(const struct life_stress *s)
{
    const double x = 0.01 + WEAR_BUDGET_PU;
    struct life_stress cool = *s;
    cool.temp_k = fmin(s->temp_k, NO_REWARD_C + LIFE_ZERO_C_K);
    double ratio = pow(log((1.0 + x) / (1.0 - x)), 0.1);
    return WEAR_BUDGET_PU / (ratio * life_knee_efc(&cool));
}

double wear_cycle_pu(const struct wear_terms *t, double depth_pu)
{
    const struct life_model *m = life_model(t->model);
    struct life_stress s = stress_of(t, clamp(depth_pu, 0.0, 1.0));
    double p = m->loss_n.p;
    double speed = life_cycle_speed(&m->loss_n, &s);
    double pu = t->scale * chord(speed, p, t->lost_n_pu / t->scale,
                                 WEAR_CYCLE_PU / t->scale);
    if (m->has_knee) {
        pu = fmax(pu, knee_pu(&s));
    }
    return pu;
}

/* Slopes over steps of one width to those of the lower convex envelope: where
 * one falls below the one before, both become their mean, and so on. */
static void convex(double *slope, int n)
{
    double mean[WEAR_SLOPES_MAX];
    int count[WEAR_SLOPES_MAX];
    int blocks = 0;
    assert(n >= 1 && n <= WEAR_SLOPES_MAX);
    for (int i = 0; i < n; i++) {
        mean[blocks] = slope[i];
        count[blocks] = 1;
        blocks++;
        while (blocks > 1 && mean[blocks - 1] < mean[blocks - 2]) {
            int a = count[blocks - 2];
            int b = count[blocks - 1];
            mean[blocks - 2] =
                (a * mean[blocks - 2] + b * mean[blocks - 1]) / (a + b);
            count[blocks - 2] = a + b;
            blocks--;
        }
    }
    for (int i = 0, block = 0; block < blocks; block++) {
        for (int k = 0; k < count[block]; k++) {
            slope[i++] = mean[block];
        }
    }
}

void wear_slopes(const struct wear_terms *t, double depth_pu, int n,
                 double *slope_pu)
{
    assert(n >= 1 && n <= WEAR_SLOPES_MAX);
    double before = 0.0;
    for (int i = 0; i < n; i++) {
        double part = (double)(i + 1) / n;
        double cycle = part * wear_cycle_pu(t, part * depth_pu);
        slope_pu[i] = (cycle - before) * n;
        before = cycle;
    }
    convex(slope_pu, n);
    for (int i = 0; i < n; i++) {
        slope_pu[i] = fmax(slope_pu[i], 0.0); /* rounding */
    }
}

double wear_cur_per_kwh(const struct site_battery *b)
{
    return b->replacement_per_kwh / WEAR_BUDGET_PU / sqrt(b->efficiency_pu);
}

void wear_segments(const struct site_battery *b, const struct wear_terms *t,
                   int n, struct wear_segments *out)
{
    assert(n >= 1 && n <= WEAR_SEGMENTS_MAX);
    double slope_pu[WEAR_SEGMENTS_MAX] = {0.0};
    double window_pu = b->soc_max_pu - b->soc_min_pu;
    wear_slopes(t, window_pu, n, slope_pu);
    *out = (struct wear_segments){.n = n};
    for (int i = 0; i < n; i++) {
        out->at[i].width_pu = window_pu / n;
        out->at[i].per_kwh = wear_cur_per_kwh(b) * slope_pu[i];
    }
}

/* Charges or discharges by 'by_pu', the cheapest first. */
static void move(struct wear_segments *s, double by_pu)
{
    for (int64_t i = 0; i < s->n; i++) {
        struct wear_segment *g = &s->at[i];
        double to_pu = clamp(g->start_pu + by_pu, 0.0, g->width_pu);
        by_pu -= to_pu - g->start_pu;
        g->start_pu = to_pu;
    }
}

void wear_segments_fill(struct wear_segments *s, const struct site_battery *b,
                        const struct life *life, double soc_pu)
{
    for (int64_t i = 0; i < s->n; i++) {
        s->at[i].start_pu = 0.0;
    }
    double now_pu = b->soc_min_pu;
    int n = life != NULL ? life->cycles.n : 0;
    for (int i = 0; i <= n; i++) {
        double to_pu = i < n ? life->cycles.value[i] : soc_pu;
        to_pu = clamp(to_pu, b->soc_min_pu, b->soc_max_pu);
        move(s, to_pu - now_pu);
        now_pu = to_pu;
    }
}

double wear_segments_mean(const struct wear_segments *s, double depth_pu)
{
    double cost = 0.0;
    double pu = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        double part_pu = fmin(s->at[i].width_pu, depth_pu - pu);
        if (!(part_pu > 0.0)) {
            break;
        }
        cost += part_pu * s->at[i].per_kwh;
        pu += part_pu;
    }
    return pu > 0.0 ? cost / pu : s->n > 0 ? s->at[0].per_kwh : 0.0;
}

struct wear_rate wear_rate(const struct site_battery *b,
                           const struct wear_terms *t, double depth_pu)
{
    const struct life_span *fitted = &life_model(t->model)->fitted.rate_per_h;
    struct wear_terms lower = *t;
    struct wear_terms upper = *t;
    double rate = clamped(t->rate_per_h, fitted);
    lower.rate_per_h = clamped(rate - RATE_STEP_PER_H, fitted);
    upper.rate_per_h = clamped(rate + RATE_STEP_PER_H, fitted);
    double pu = wear_cycle_pu(t, depth_pu);
    double slope =
        (wear_cycle_pu(&upper, depth_pu) - wear_cycle_pu(&lower, depth_pu)) /
        (upper.rate_per_h - lower.rate_per_h);
    slope = fmax(slope, 0.0);
    if (slope * rate > pu) { /* the tangent would be negative at rest */
        slope = pu / rate;
    }
    double cur = wear_lambda_cur(b) / (2.0 * b->energy_wh);
    return (struct wear_rate){
        .linear_cur_per_wh = cur * fmax(pu - slope * rate, 0.0),
        .square_cur_per_w2h = cur * slope / b->energy_wh,
    };
}

/* Loss of ten years in which y^(1/p) gains 'speed' a day, over 'lost_pu'. */
static double ten_years_pu(double speed, double p, double scale, double lost_pu)
{
    double from = lost_pu > 0.0 ? pow(lost_pu / scale, 1.0 / p) : 0.0;
    double to = from + speed * WEAR_HOLD_DAYS;
    return fmax(scale * (pow(to, p) - pow(from, p)), 0.0);
}

double wear_day_pu(const struct wear_terms *t, double soc_pu)
{
    const struct life_model *m = life_model(t->model);
    const struct life_calendar_law *law = &m->loss_t;
    double temp_k = clamped(t->temp_c, &m->fitted.calendar_c) + LIFE_ZERO_C_K;
    double k = life_calendar_k(law, temp_k, clamp(soc_pu, 0.0, 1.0));
    double speed = pow(k, 1.0 / law->p);
    return ten_years_pu(speed, law->p, t->scale, t->lost_t_pu) / WEAR_HOLD_DAYS;
}

double wear_hold_cur_per_h(const struct site_battery *b,
                           const struct wear_terms *t, double soc_pu)
{
    return wear_lambda_cur(b) * wear_day_pu(t, soc_pu) / 24.0;
}

void wear_hold(const struct site_battery *b, const struct wear_terms *t,
               struct wear_hold *out)
{
    enum { STEPS = WEAR_HOLD_POINTS - 1 };
    double step_pu = (b->soc_max_pu - b->soc_min_pu) / STEPS;
    double step_kwh = step_pu * b->energy_wh / 1e3;
    for (int i = 0; i <= STEPS; i++) {
        out->soc_pu[i] = b->soc_min_pu + i * step_pu;
        out->cur_per_h[i] = wear_hold_cur_per_h(b, t, out->soc_pu[i]);
        if (i > 0) {
            out->per_kwh_h[i - 1] =
                (out->cur_per_h[i] - out->cur_per_h[i - 1]) / step_kwh;
        }
    }
    convex(out->per_kwh_h, STEPS);
    for (int i = 1; i < STEPS; i++) {
        out->cur_per_h[i] =
            out->cur_per_h[i - 1] + out->per_kwh_h[i - 1] * step_kwh;
    }
}

/* Counted as cycles, the open ones as if they ended now. */
static double counted_efc(const struct life *life)
{
    struct rainflow_cycle open[RAINFLOW_DEPTH];
    int n = rainflow_open(&life->cycles, open);
    double efc = life->efc;
    for (int i = 0; i < n; i++) {
        efc += open[i].count * open[i].range * life->capacity_pu;
    }
    return efc;
}

static double ripple_pu(const struct site_battery *b, const struct life *life,
                        enum life_role role, const struct wear_use *use)
{
    double efc = use->efc - counted_efc(life);
    if (!(efc > 0.0) || !(use->days > 0.0)) {
        return 0.0;
    }
    struct wear_terms t = wear_terms_new(b, role);
    t.scale = scale_of(life, role);
    t.temp_c = life->cycles.last_temp_c;
    t.rate_per_h = 2.0 * use->efc / (24.0 * use->days);
    return efc * wear_cycle_pu(&t, 0.0);
}

double wear_life_cur(const struct site_battery *b, const struct life *life,
                     enum life_role role, const struct wear_use *use)
{
    enum life_model_id id = (enum life_model_id)life->model[role];
    struct life_channels c = life_channels_now(life, role, true);
    double p = life_model(id)->loss_n.p;
    double scale = scale_of(life, role);
    /* The state grows by 'speed' per EFC, so it is the sum of all cycles. */
    double pu = scale * chord(c.loss_n, p, 0.0, WEAR_CYCLE_PU / scale);
    return wear_lambda_cur(b) * (pu + ripple_pu(b, life, role, use));
}

double wear_life_held_cur(const struct site_battery *b, const struct life *life,
                          enum life_role role, const struct wear_use *use)
{
    if (!(use->days > 0.0)) {
        return 0.0;
    }
    enum life_model_id id = (enum life_model_id)life->model[role];
    struct life_channels c = life_channels_now(life, role, false);
    double p = life_model(id)->loss_t.p;
    double speed = c.loss_t / use->days;
    double pu = ten_years_pu(speed, p, scale_of(life, role), 0.0);
    return wear_lambda_cur(b) * pu * use->days / WEAR_HOLD_DAYS;
}
