/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wear_daily - the life models fed as their sources feed them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "replay/wear_run.h"

#define DAY_S 86400.0

/* What a day of the profile does; all but the rate repeats every period. */
struct day {
    double days;       /* from its first to its last sample */
    double moved;      /* sum of |change of soc| over 2 */
    double rate_per_h; /* to be multiplied by the capacity */
    double depth_pu;
    double mean_pu; /* of the samples */
    double volt_v;  /* rms */
    double temp_k;  /* mean */
    double k_t;     /* means of the rates' parts */
    double ohm_t;
    double heat_n;
    double heat_ohm;
    unsigned flags;
};

/* Trapezoid mean over time, one value after the other. */
struct mean {
    double sum;
    double last;
};

static void mean_add(struct mean *m, double dt_s, double value)
{
    m->sum += 0.5 * dt_s * (m->last + value);
    m->last = value;
}

struct means {
    struct mean temp_k, k_t, ohm_t, heat_n, heat_ohm;
};

static void add_rates(const struct life_model *m, struct means *to,
                      const struct wear_sample *s, double dt_s)
{
    double temp_k = s->temp_c + LIFE_ZERO_C_K;
    mean_add(&to->temp_k, dt_s, temp_k);
    mean_add(&to->k_t, dt_s, life_calendar_k(&m->loss_t, temp_k, s->soc_pu));
    mean_add(&to->ohm_t, dt_s, life_calendar_k(&m->ohm_t, temp_k, s->soc_pu));
    mean_add(&to->heat_n, dt_s, life_cycle_heat(&m->loss_n, temp_k));
    mean_add(&to->heat_ohm, dt_s, life_cycle_heat(&m->ohm_n, temp_k));
}

/* Envelope, movement and rate of the samples. */
static void measure_swing(struct day *d, const struct wear_sample *s, size_t n)
{
    struct mean rate = {.sum = 0.0};
    double lo = s[0].soc_pu;
    double hi = lo;
    double volts = 0.0;
    for (size_t i = 0; i < n; i++) {
        double v = life_sanyo_v(s[i].soc_pu);
        volts += v * v;
        d->mean_pu += s[i].soc_pu / (double)n;
        lo = fmin(lo, s[i].soc_pu);
        hi = fmax(hi, s[i].soc_pu);
        if (i == 0) {
            continue;
        }
        double dt_s = s[i].time_s - s[i - 1].time_s;
        double moved = fabs(s[i].soc_pu - s[i - 1].soc_pu);
        double per_h = moved / dt_s * 3600.0;
        per_h = per_h < RAINFLOW_REST_PER_H ? 0.0 : per_h;
        d->moved += 0.5 * moved;
        mean_add(&rate, i > 1 ? dt_s : 0.0, per_h);
    }
    d->depth_pu = hi - lo;
    d->rate_per_h = rate.sum / (d->days * DAY_S);
    d->volt_v = sqrt(volts / (double)n);
}

static struct day measure(enum life_model_id id, const struct wear_sample *s,
                          size_t n)
{
    const struct life_model *m = life_model(id);
    struct means sums = {.temp_k.sum = 0.0};
    double took_s = s[n - 1].time_s - s[0].time_s;
    struct day d = {.days = took_s / DAY_S};
    for (size_t i = 0; i < n; i++) {
        add_rates(m, &sums, &s[i], i > 0 ? s[i].time_s - s[i - 1].time_s : 0.0);
        d.flags |= life_calendar_flags(id, s[i].temp_c);
    }
    d.temp_k = sums.temp_k.sum / took_s;
    d.k_t = sums.k_t.sum / took_s;
    d.ohm_t = sums.ohm_t.sum / took_s;
    d.heat_n = sums.heat_n.sum / took_s;
    d.heat_ohm = sums.heat_ohm.sum / took_s;
    measure_swing(&d, s, n);
    return d;
}

static double cycle_speed(const struct life_cycle_law *law,
                          const struct life_stress *s, double heat)
{
    if (law->a == 0.0) {
        return 0.0;
    }
    double k = law->a * life_cycle_shape(law, s) * heat;
    return law->per_efc * pow(k, 1.0 / law->p);
}

static double calendar_speed(const struct life_calendar_law *law, double k)
{
    return law->a == 0.0 ? 0.0 : pow(k, 1.0 / law->p);
}

/*
 * The source's own run: an Euler step in equivalent age, the first one exact.
 * Its capacity is what the source multiplies depth and rate by, so it is what
 * the exact run is fed with here.
 */
struct source {
    double loss_t;
    double loss_n;
    double capacity_pu;
};

static void source_step(double *y, double k, double p, double dx)
{
    if (dx > 0.0 && k > 0.0) {
        *y +=
            *y > 0.0 ? k * p * pow(*y / k, (p - 1.0) / p) * dx : k * pow(dx, p);
    }
}

static void source_day(struct source *y, const struct life_model *m,
                       const struct day *d, const struct life_stress *s)
{
    double k_n = m->loss_n.a * life_cycle_shape(&m->loss_n, s) * d->heat_n;
    double efc = d->moved * y->capacity_pu;
    source_step(&y->loss_t, d->k_t, m->loss_t.p, d->days);
    source_step(&y->loss_n, k_n, m->loss_n.p, efc * m->loss_n.per_efc);
}

static unsigned live_day(struct life_channels *c, enum life_model_id id,
                         const struct day *d, struct source *source)
{
    const struct life_model *m = life_model(id);
    struct life_stress s = {.temp_k = d->temp_k,
                            .depth_pu = d->depth_pu,
                            .rate_per_h = d->rate_per_h * source->capacity_pu,
                            .mean_pu = d->mean_pu,
                            .volt_v = d->volt_v};
    double efc = d->moved * source->capacity_pu;
    c->loss_t += d->days * calendar_speed(&m->loss_t, d->k_t);
    c->ohm_t += d->days * calendar_speed(&m->ohm_t, d->ohm_t);
    c->loss_n += efc * cycle_speed(&m->loss_n, &s, d->heat_n);
    c->ohm_n += efc * cycle_speed(&m->ohm_n, &s, d->heat_ohm);
    if (m->has_knee) {
        c->knee += efc / life_knee_efc(&s);
    }
    source_day(source, m, d, &s);
    double capacity_pu = 1.0 - source->loss_t - source->loss_n;
    source->capacity_pu =
        fmin(capacity_pu, life_channels_loss(c, id, 1.0).active_pu);
    return d->flags | (efc > 0.0 ? life_cycle_flags(id, &s) : 0U);
}

/* The days of one period; NULL after 'why'. */
static struct day *measure_days(const struct wear_cfg *cfg, size_t n_days,
                                char *why, size_t why_size)
{
    const struct wear_profile *p = cfg->profile;
    struct day *days = calloc(n_days, sizeof(*days));
    size_t from = 0;
    for (size_t i = 0; i < n_days && days != NULL; i++) {
        while (p->samples[from].time_s < DAY_S * (double)i) {
            from++;
        }
        size_t n = 0;
        while (from + n < p->n &&
               p->samples[from + n].time_s <= DAY_S * (double)(i + 1)) {
            n++;
        }
        if (n < 3) {
            snprintf(why, why_size,
                     "day %zu of the profile has %zu samples: --method daily "
                     "needs three; use --method rainflow",
                     i + 1, n);
            free(days);
            return NULL;
        }
        days[i] =
            measure(life_price_model(cfg->chemistry), p->samples + from, n);
    }
    return days;
}

enum err wear_by_day(const struct wear_cfg *cfg, struct wear_day *out,
                     char *why, size_t why_size)
{
    enum life_model_id id = life_price_model(cfg->chemistry);
    double n_days = cfg->profile->period_s / DAY_S;
    if (n_days != floor(n_days) || n_days < 1.0) {
        snprintf(why, why_size,
                 "the profile lasts %.10g days: --method daily needs whole "
                 "ones; use --method rainflow",
                 n_days);
        return ERR_RANGE;
    }
    if (id == LIFE_LFP_NAUMANN) {
        wear_by_half_cycle(cfg, out);
        return ERR_NONE;
    }
    why[0] = '\0';
    struct day *days = measure_days(cfg, (size_t)n_days, why, why_size);
    if (days == NULL) {
        return why[0] != '\0' ? ERR_RANGE : ERR_MEMORY;
    }
    struct life_channels c;
    life_channels_init(&c);
    struct source source = {.capacity_pu = 1.0};
    size_t total = (size_t)n_days * (size_t)cfg->repeat;
    for (size_t i = 0; i < total; i++) {
        unsigned flags = live_day(&c, id, &days[i % (size_t)n_days], &source);
        out[i] = (struct wear_day){
            .day = (double)(i + 1),
            .loss = life_channels_loss(&c, id, 1.0),
            .flags = flags,
            .source_pu = source.capacity_pu,
        };
    }
    free(days);
    return ERR_NONE;
}
