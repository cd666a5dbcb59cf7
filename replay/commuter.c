/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/commuter.h"

#include <math.h>
#include <stdio.h>

#include "models/life.h"
#include "models/thermal.h"

#define HOUR_S 3600.0

static const double TWO_PI = 6.283185307179586;
static const double AIR_SWING_K = 6.0;
static const double AIR_MEAN_H = 9.0; /* rising through its mean */
static const double DRIVE_RISE_K = 8.0;
static const double TRIP_H = 0.5;
static const double TRIPS = 2.0;
static const double OUT_H = 8.0;
static const double BACK_H = 17.5;
static const double COMPUTE_FROM_H = 9.0;
static const double COMPUTE_TO_H = 17.0;

enum { WORK_DAYS = 5, STEPS_A_DAY = 86400 / COMMUTER_STEP_S };

struct pack {
    const struct commuter_cfg *cfg;
    struct thermal_cfg heat;
    double energy_wh;
    double rise_k; /* by the heat of compute */
};

/* What goes on in a step, by the instant it begins. */
struct hour {
    double h;
    bool driving;
    bool computing;
    bool charging; /* allowed to */
};

static struct hour hour_of(int step)
{
    double h = (double)(step % STEPS_A_DAY) * COMMUTER_STEP_S / HOUR_S;
    bool work_day = step / STEPS_A_DAY % 7 < WORK_DAYS;
    bool out = h >= OUT_H && h < OUT_H + TRIP_H;
    bool back = h >= BACK_H && h < BACK_H + TRIP_H;
    return (struct hour){
        .h = h,
        .driving = work_day && (out || back),
        .computing = h >= COMPUTE_FROM_H && h < COMPUTE_TO_H,
        .charging = h < OUT_H,
    };
}

static struct pack pack_of(const struct commuter_cfg *cfg)
{
    struct pack p = {.cfg = cfg,
                     .heat = thermal_of_pack(cfg->pack_wh),
                     .energy_wh = cfg->target_pu * cfg->pack_wh};
    if (cfg->no_radiator) {
        p.heat.pumped = p.heat.rest;
        p.heat.pumped.share_pu = 1.0;
    }
    return p;
}

static struct wear_sample look(const struct pack *p, const struct hour *now)
{
    const struct commuter_cfg *c = p->cfg;
    double air_c =
        c->ambient_c + AIR_SWING_K * sin(TWO_PI * (now->h - AIR_MEAN_H) / 24.0);
    return (struct wear_sample){
        .soc_pu = p->energy_wh / c->pack_wh,
        .temp_c = air_c + (now->driving ? DRIVE_RISE_K : 0.0) +
                  (now->computing ? c->rise_k : 0.0) + p->rise_k,
    };
}

static void live(struct pack *p, const struct hour *now)
{
    const struct commuter_cfg *c = p->cfg;
    double step_h = COMMUTER_STEP_S / HOUR_S;
    double full_wh = c->target_pu * c->pack_wh;
    if (now->driving) {
        p->energy_wh -= c->drive_wh / TRIPS * step_h / TRIP_H;
    }
    if (now->computing) {
        p->energy_wh -= c->draw_w * step_h;
    }
    if (now->charging && p->energy_wh < full_wh) {
        p->energy_wh = fmin(p->energy_wh + c->charge_w * step_h, full_wh);
    }
    p->rise_k = thermal_rise(&p->heat, p->rise_k,
                             now->computing ? c->heat_w : 0.0, COMMUTER_STEP_S);
}

static enum err check(const struct wear_sample *s, int step, char *why,
                      size_t why_size)
{
    if (!(s->soc_pu >= 0.0)) {
        snprintf(why, why_size,
                 "gen: commuter: the pack is empty on day %d at %.2f h: "
                 "expected less driving or drawing, or more charging",
                 step / STEPS_A_DAY % 7 + 1, hour_of(step).h);
        return ERR_RANGE;
    }
    if (!(s->temp_c >= LIFE_TEMP_MIN_C && s->temp_c <= LIFE_TEMP_MAX_C)) {
        snprintf(why, why_size,
                 "gen: commuter: the pack is at %.0f C on day %d at %.2f h: "
                 "expected -60 to 150 C",
                 s->temp_c, step / STEPS_A_DAY % 7 + 1, hour_of(step).h);
        return ERR_RANGE;
    }
    return ERR_NONE;
}

enum err commuter_week(const struct commuter_cfg *cfg,
                       struct wear_sample out[COMMUTER_SAMPLES], char *why,
                       size_t why_size)
{
    struct pack p = pack_of(cfg);
    /* The first week is to settle in, the second is written. */
    for (int i = 0; i < 2 * COMMUTER_SAMPLES - 1; i++) {
        struct hour now = hour_of(i);
        struct wear_sample s = look(&p, &now);
        enum err e = check(&s, i, why, why_size);
        if (e != ERR_NONE) {
            return e;
        }
        if (i >= COMMUTER_SAMPLES - 1) {
            int at = i - (COMMUTER_SAMPLES - 1);
            s.time_s = (double)at * COMMUTER_STEP_S;
            out[at] = s;
        }
        live(&p, &now);
    }
    return ERR_NONE;
}
