/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/limits.h"
#include "controller/step/step_parts.h"

static const double EXPIRY_S = 10.0;      /* of the first reversion timer */
static const double EXPIRY_MAX_S = 600.0; /* of the last */

static struct limits_cfg limits_of(const struct step_cfg *cfg,
                                   const struct step_scratch *scratch, int i)
{
    const struct battery_estimate *e = &scratch->est.batteries[i];
    const struct site_battery *s = &cfg->site.batteries[i];
    return (struct limits_cfg){
        .charge_max_w = e->usable ? e->charge_max_w : s->charge_max_w,
        .discharge_max_w = e->usable ? e->discharge_max_w : s->discharge_max_w,
        .soc_min_pu = s->soc_min_pu,
        .soc_max_pu = s->soc_max_pu,
        .import_max_w = cfg->site.grid.import_trip_w,
        .export_max_w = scratch->caps.export_w,
        .ramp_max_w_per_s = cfg->site.grid.ramp_max_w_per_s,
    };
}

/* 'over_w' is what was wanted more than the gate let through, + charge. */
static void explain_limit(const struct limits_cfg *limits, int i,
                          unsigned bound, double over_w,
                          struct tick_record *record)
{
    if (!(bound & (1u << LIMIT_RATING | 1u << LIMIT_SOC)) ||
        fabs(over_w) < 1.0) {
        return;
    }
    bool soc = bound & (1u << LIMIT_SOC);
    bool charging = over_w > 0.0;
    double soc_pu = charging ? limits->soc_max_pu : limits->soc_min_pu;
    double most_w = charging ? limits->charge_max_w : limits->discharge_max_w;
    reason_add(record, &(struct reason_line){
                           .code = soc ? REASON_SOC : REASON_RATING,
                           .asset = ASSET_BATTERY,
                           .index = i,
                           .limit = soc ? soc_pu : most_w,
                           .need = fabs(over_w),
                       });
}

/* One battery through the last gate; 'others_w' is what the grid would carry
 * were it at 0 W. */
static double gate(const struct step_cfg *cfg, struct step_state *state,
                   const struct step_scratch *scratch, int i, double others_w,
                   struct tick_record *record)
{
    const struct battery_estimate *e = &scratch->est.batteries[i];
    struct limits_cfg limits = limits_of(cfg, scratch, i);
    double last_w = state->set_w[i];
    if (!e->usable && e->known) {
        /* one that tripped must not find its old set-point when it is reset */
        last_w =
            fmax(fmin(last_w, fmax(e->power_w, 0.0)), fmin(e->power_w, 0.0));
    }
    struct limits_in in = {
        .want_w = e->usable ? scratch->share[i].set_w : NAN,
        .last_w = last_w,
        .soc_pu = e->usable ? e->soc_pu : NAN,
        .others_w = others_w,
        .dt_s = cfg->site.control.period_s,
    };
    struct limits_out out = limits_apply(&limits, &in);
    if (e->usable) {
        explain_limit(&limits, i, out.bound, in.want_w - out.set_w, record);
    }
    return out.set_w;
}

/* The devices' timers end one after the other: each waits until the ramp has
 * had the time to carry what the ones before it let go. */
static void lease(const struct step_cfg *cfg, double carried_w,
                  struct battery_command *c)
{
    double ramp_w_per_s = cfg->site.grid.ramp_max_w_per_s;
    double wait_s = ceil(carried_w / ramp_w_per_s);
    c->fallback_w = 0.0;
    c->fallback_ramp_w_per_s = ramp_w_per_s;
    c->expiry_s = fmin(EXPIRY_S + wait_s, EXPIRY_MAX_S);
}

void commands_batteries(const struct step_cfg *cfg, struct step_state *state,
                        struct step_scratch *scratch, const struct snapshot *in,
                        struct step_out *out)
{
    (void)in;
    const struct estimate *est = &scratch->est;
    double others_w = est->load_w;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        others_w += est->batteries[i].usable ? scratch->share[i].set_w
                                             : est->batteries[i].beside_w;
    }
    double carried_w = 0.0;
    double set_w = 0.0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct battery_estimate *e = &est->batteries[i];
        double mine_w = e->usable ? scratch->share[i].set_w : e->beside_w;
        double w =
            gate(cfg, state, scratch, i, others_w - mine_w, &out->record);
        others_w += w - mine_w;
        carried_w += fabs(w);
        set_w += w;
        state->set_w[i] = w;
        out->batteries[i].set_w = w;
        out->batteries[i].valid = e->writable;
        lease(cfg, carried_w - fabs(w), &out->batteries[i]);
    }
    out->record.battery_set_w = set_w;
}
