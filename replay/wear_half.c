/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wear_half - Naumann's model as TUM's SimSES feeds it: temperature and state
 * of charge are those at the end of each step, a half cycle is one run of the
 * state of charge in one direction with its rests skipped, an open one is not
 * booked, and a jump between two periods counts.
 */
#include <math.h>

#include "replay/wear_run.h"

#define DAY_S 86400.0

struct run {
    struct life_channels channels;
    double moved; /* signed, of the half cycle under way */
    double moving_s;
    unsigned flags;
};

static void book_half(struct run *r, double temp_c)
{
    const struct life_model *m = life_model(LIFE_LFP_NAUMANN);
    struct life_stress s = {.temp_k = temp_c + LIFE_ZERO_C_K,
                            .depth_pu = fabs(r->moved),
                            .rate_per_h =
                                fabs(r->moved) / r->moving_s * 3600.0};
    double efc = s.depth_pu / 2.0;
    r->channels.loss_n += efc * life_cycle_speed(&m->loss_n, &s);
    r->channels.ohm_n += efc * life_cycle_speed(&m->ohm_n, &s);
    r->flags |= life_cycle_flags(LIFE_LFP_NAUMANN, &s);
}

static void run_step(struct run *r, const struct wear_sample *s, double dt_s,
                     double change)
{
    const struct life_model *m = life_model(LIFE_LFP_NAUMANN);
    double temp_k = s->temp_c + LIFE_ZERO_C_K;
    double days = dt_s / DAY_S;
    r->channels.loss_t +=
        days *
        pow(life_calendar_k(&m->loss_t, temp_k, s->soc_pu), 1.0 / m->loss_t.p);
    r->channels.ohm_t += days * life_calendar_k(&m->ohm_t, temp_k, s->soc_pu);
    r->flags |= life_calendar_flags(LIFE_LFP_NAUMANN, s->temp_c);
    if (change == 0.0) {
        return;
    }
    if (change * r->moved < 0.0) {
        book_half(r, s->temp_c);
        r->moved = 0.0;
        r->moving_s = 0.0;
    }
    r->moved += change;
    r->moving_s += dt_s;
}

static void report(struct run *r, struct wear_day *out, double day)
{
    *out = (struct wear_day){
        .day = day,
        .loss = life_channels_loss(&r->channels, LIFE_LFP_NAUMANN, 1.0),
        .flags = r->flags,
    };
    r->flags = 0;
}

void wear_by_half_cycle(const struct wear_cfg *cfg, struct wear_day *out)
{
    const struct wear_profile *p = cfg->profile;
    struct run r = {.moved = 0.0};
    life_channels_init(&r.channels);
    double last_pu = p->samples[0].soc_pu;
    size_t last = (size_t)wear_days(cfg) - 1;
    size_t n = 0;
    for (long k = 0; k < cfg->repeat; k++) {
        for (size_t i = 1; i < p->n; i++) {
            const struct wear_sample *s = &p->samples[i];
            double t_s = p->period_s * (double)k + s->time_s;
            while (n < last && t_s > DAY_S * (double)(n + 1)) {
                report(&r, &out[n], (double)(n + 1));
                n++;
            }
            run_step(&r, s, s->time_s - s[-1].time_s, s->soc_pu - last_pu);
            last_pu = s->soc_pu;
        }
    }
    report(&r, &out[n], p->period_s * (double)cfg->repeat / DAY_S);
}
