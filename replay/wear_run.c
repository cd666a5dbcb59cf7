/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/wear_run.h"

#include <assert.h>
#include <math.h>

#define DAY_S 86400.0

double wear_days(const struct wear_cfg *cfg)
{
    double days = ceil(cfg->profile->period_s * (double)cfg->repeat / DAY_S);
    return fmax(days, 1.0);
}

static void report(struct life *l, struct wear_day *out, double day)
{
    *out = (struct wear_day){
        .day = day,
        .loss = life_loss(l, LIFE_PRICE, true),
        .flags = life_seen(l, LIFE_PRICE),
    };
}

static void feed(struct life *l, const struct wear_sample *s, double dt_s)
{
    enum err e = life_feed(l, &(struct life_sample){.dt_s = dt_s,
                                                    .soc_pu = s->soc_pu,
                                                    .temp_c = s->temp_c,
                                                    .rate_per_h = NAN});
    assert(e == ERR_NONE);
    (void)e;
}

void wear_by_rainflow(const struct wear_cfg *cfg, struct wear_day *out)
{
    const struct wear_profile *p = cfg->profile;
    struct life l;
    life_init(&l, cfg->chemistry, RAINFLOW_DEPTH);
    double end_s = p->period_s * (double)cfg->repeat;
    size_t last = (size_t)wear_days(cfg) - 1;
    size_t n = 0;
    for (long k = 0; k < cfg->repeat; k++) {
        /* At a seam the first sample takes the place of the last before:
         * no time between them, so a jump has no rate. */
        for (size_t i = 0; i < p->n; i++) {
            const struct wear_sample *s = &p->samples[i];
            double t_s = p->period_s * (double)k + s->time_s;
            /* The sum of periods may round to a day more than their product. */
            while (n < last && t_s > DAY_S * (double)(n + 1)) {
                report(&l, &out[n], (double)(n + 1));
                n++;
            }
            feed(&l, s, i > 0 ? s->time_s - s[-1].time_s : 0.0);
        }
    }
    report(&l, &out[n], end_s / DAY_S);
}
