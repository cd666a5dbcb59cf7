/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/step_parts.h"

/* Power fades to nothing over the last part of the window, so that reaching
 * its end is not a step for the grid. */
static const double TAPER_PU = 0.02;
static const double GAUGE_S = 3600.0; /* until its correction is believed */

/* Batteries that are named among the reasons: the alarms name all, and what
 * binds the grid must find room. */
enum { NAMED_MAX = 3 };

/* Until when a reading is fresh. */
struct reading_clock {
    int64_t now_ms;
    double max_age_s;
};

static double taper(double soc_pu, double end_pu, double toward)
{
    return fmax(0.0, fmin((soc_pu - end_pu) * toward / TAPER_PU, 1.0));
}

static enum reason unusable(const struct battery_in *in, bool fresh)
{
    if (!(in->flags & BATTERY_ONLINE) || !fresh) {
        return REASON_STALE;
    }
    if (!(in->flags & BATTERY_REMOTE)) {
        return REASON_LOCAL;
    }
    if (!(in->flags & BATTERY_RUNNING) || !(in->flags & BATTERY_ALIVE)) {
        return REASON_FAULT;
    }
    if (!(in->flags & BATTERY_OBEYS)) {
        return REASON_DISOBEYS;
    }
    return (in->flags & BATTERY_WRITABLE) ? REASON_NONE : REASON_LOCAL;
}

/* Limits of the site file, of the device and of the state of charge, which
 * gives no energy below 'soc_min_pu'. */
static void estimate_limits(const struct site_battery *s,
                            const struct battery_in *in,
                            const struct reading_clock *clock,
                            double soc_min_pu, struct battery_estimate *e)
{
    int64_t now_ms = clock->now_ms;
    double max_age_s = clock->max_age_s;
    double charge_w = reading_value(&in->charge_max_w, now_ms, max_age_s);
    double discharge_w = reading_value(&in->discharge_max_w, now_ms, max_age_s);
    double rating_w = fmin(s->charge_max_w, s->transformer_va);
    e->charge_max_w =
        isfinite(charge_w) ? fmax(0.0, fmin(charge_w, rating_w)) : rating_w;
    rating_w = fmin(s->discharge_max_w, s->transformer_va);
    e->discharge_max_w = isfinite(discharge_w)
                             ? fmax(0.0, fmin(discharge_w, rating_w))
                             : rating_w;
    e->charge_max_w *= taper(e->soc_pu, s->soc_max_pu, -1.0);
    e->discharge_max_w *= taper(e->soc_pu, soc_min_pu, 1.0);
}

/* The value where something of that size can be, else NAN: a single garbled
 * float would stay in every running sum. */
static double possible(double w, double most_w)
{
    return fabs(w) <= most_w ? w : NAN;
}

static double metered_w(const struct step_cfg *cfg, const struct snapshot *in)
{
    double w =
        reading_value(&in->meter.power_w, in->mono_ms, cfg->device_max_age_s);
    return possible(w, cfg->grid_most_w);
}

/* The state of charge as its own power moves it, drawn to what the gauge says
 * within an hour: a gauge that corrects itself moves no power. */
static void follow_soc(const struct step_cfg *cfg, struct step_state *state,
                       const struct battery_estimate *e, int i, double dt_s)
{
    double *track_pu = &state->soc_track_pu[i];
    if (!e->usable) {
        *track_pu = NAN;
        return;
    }
    if (isnan(*track_pu) || dt_s > cfg->pause_max_s) {
        *track_pu = e->soc_pu;
        return;
    }
    double one_way = cfg->one_way_pu[i];
    double wh = e->power_w * dt_s / 3600.0;
    wh = wh >= 0.0 ? wh * one_way : wh / one_way;
    *track_pu += wh / cfg->site.batteries[i].energy_wh;
    *track_pu += (e->soc_pu - *track_pu) * fmin(dt_s / GAUGE_S, 1.0);
    *track_pu = fmax(0.0, fmin(*track_pu, 1.0));
}

static void estimate_battery(const struct step_cfg *cfg,
                             struct step_state *state,
                             const struct snapshot *in, int i,
                             struct estimate *est)
{
    const struct battery_in *b = &in->batteries[i];
    struct battery_estimate *e = &est->batteries[i];
    double age_s = cfg->device_max_age_s;
    const struct site_battery *s = &cfg->site.batteries[i];
    double most_w = STEP_IMPOSSIBLE * fmax(s->charge_max_w, s->discharge_max_w);
    double power_w =
        possible(reading_value(&b->power_w, in->mono_ms, age_s), most_w);
    double soc_pu = reading_value(&b->soc_pu, in->mono_ms, age_s);
    bool soc_ok = soc_pu >= 0.0 && soc_pu <= 1.0;
    e->soc_pu = soc_ok ? soc_pu : NAN;
    e->why = unusable(b, isfinite(power_w) && soc_ok);
    e->usable = e->why == REASON_NONE;
    int64_t takes = BATTERY_ONLINE | BATTERY_REMOTE | BATTERY_WRITABLE;
    e->writable = (b->flags & takes) == takes;
    /* Worst case of one that says nothing: a discharge is gone, a charge
     * goes on. */
    e->known = isfinite(power_w);
    e->power_w = e->known ? power_w : fmax(state->set_w[i], 0.0);
    if (e->usable) {
        /* what is kept for backup is for an island */
        double kept_wh = state->islanded ? 0.0 : s->reserve_wh;
        double low_pu = s->soc_min_pu + kept_wh / s->energy_wh;
        struct reading_clock clock = {in->mono_ms, age_s};
        estimate_limits(s, b, &clock, fmin(low_pu, s->soc_max_pu), e);
        if (isnan(state->soc_home_pu[i])) {
            state->soc_home_pu[i] = soc_pu;
        }
    } else {
        e->charge_max_w = 0.0;
        e->discharge_max_w = 0.0;
    }
    follow_soc(cfg, state, e, i, in->dt_s);
    if (e->known) {
        est->battery_w += power_w;
    }
}

static void add_battery(const struct step_cfg *cfg,
                        const struct step_state *state, int i,
                        struct estimate *est)
{
    const struct battery_estimate *e = &est->batteries[i];
    double energy_wh = cfg->site.batteries[i].energy_wh;
    est->charge_max_w += e->charge_max_w;
    est->discharge_max_w += e->discharge_max_w;
    if (e->usable) {
        est->stored_wh += e->soc_pu * energy_wh;
        est->track_wh += state->soc_track_pu[i] * energy_wh;
        est->home_wh += state->soc_home_pu[i] * energy_wh;
        est->usable_wh += energy_wh;
    }
}

double estimate_pod_w(const struct step_cfg *cfg, const struct snapshot *in,
                      int i)
{
    const struct pod_in *p = &in->pods[i];
    double w =
        possible(reading_value(&p->power_w, in->mono_ms, cfg->pod_max_age_s),
                 STEP_IMPOSSIBLE * cfg->site.pods[i].power_max_w);
    return isfinite(w) && (p->flags & POD_ONLINE) && w >= 0.0 ? w : NAN;
}

/* Pods that say nothing draw all that they are allowed to. */
static void estimate_pods(const struct step_cfg *cfg,
                          const struct step_state *state,
                          const struct snapshot *in, struct estimate *est)
{
    for (int i = 0; i < cfg->site.n_pods; i++) {
        double w = estimate_pod_w(cfg, in, i);
        bool ok = isfinite(w);
        est->pod_w[i] = w;
        est->pods_w += ok ? w : state->shed.cap_w[i];
        est->degraded += ok ? 0 : 1;
    }
}

static double unmetered_other_w(const struct site *site, double pods_w)
{
    double w = site->other.present ? (site->other.pue_pu - 1.0) * pods_w : 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        w += site->batteries[i].aux_w;
    }
    return w;
}

static void estimate_fleets(const struct step_cfg *cfg,
                            const struct step_state *state,
                            struct estimate *est)
{
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        est->fleet_w +=
            cfg->site.fleets[f].behind_poi ? state->drawn_w[f] : 0.0;
        est->fleet_compute_w += state->compute_w[f];
    }
}

/* The sum of the assets, with what the meter last saw beside them. */
static void estimate_by_sum(const struct step_cfg *cfg,
                            const struct step_state *state, double modelled_w,
                            struct estimate *est)
{
    est->load_w = modelled_w + (state->meter.learnt ? state->meter.rest_w : 0);
    est->other_w = est->load_w - est->pods_w - est->fleet_w;
    est->grid_w = est->load_w;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        est->grid_w += est->batteries[i].power_w;
    }
}

static void estimate_grid(const struct step_cfg *cfg, struct step_state *state,
                          const struct snapshot *in, struct estimate *est,
                          struct tick_record *record)
{
    const struct site *site = &cfg->site;
    double modelled_w =
        est->pods_w + est->fleet_w + unmetered_other_w(site, est->pods_w);
    est->grid_w = metered_w(cfg, in);
    bool fresh = isfinite(est->grid_w);
    est->metered = meter_believed(cfg, state, est, est->grid_w, in->dt_s);
    if (est->metered) {
        est->load_w = est->grid_w - est->battery_w;
        est->other_w = est->load_w - est->pods_w - est->fleet_w;
        meter_learn(cfg, state, est, modelled_w, in->dt_s);
    } else {
        estimate_by_sum(cfg, state, modelled_w, est);
    }
    for (int i = 0; i < site->n_batteries; i++) {
        struct battery_estimate *e = &est->batteries[i];
        /* nobody took an unknown one out of the meter's value */
        e->beside_w = est->metered && !e->known ? 0.0 : e->power_w;
    }
    if (!est->metered && site->grid.meter.present) {
        est->degraded++;
        enum reason why = fresh ? REASON_METER_WRONG : REASON_NO_METER;
        reason_add(record, &(struct reason_line){.code = (int64_t)why,
                                                 .asset = ASSET_METER});
    }
}

static void name_unusable(const struct estimate *est,
                          const struct step_state *state, int i,
                          struct tick_record *record)
{
    if (est->degraded > NAMED_MAX) {
        return;
    }
    reason_add(record, &(struct reason_line){
                           .code = (int64_t)est->batteries[i].why,
                           .asset = ASSET_BATTERY,
                           .index = i,
                           .value = est->batteries[i].power_w,
                           .limit = state->set_w[i],
                       });
}

static double price_now(const struct site *site, const struct snapshot *in)
{
    double told = utility_price(in, in->utc_ms);
    if (isfinite(told)) {
        return told;
    }
    if (site->n_prices == 0) {
        return 0.0;
    }
    double price = price_at(&in->prices[0], in->utc_ms);
    return isfinite(price) ? price : site->prices[0].fallback_per_kwh;
}

void estimate_make(const struct step_cfg *cfg, struct step_state *state,
                   const struct snapshot *in, struct estimate *est,
                   struct tick_record *record)
{
    est->battery_w = est->pods_w = est->fleet_w = est->fleet_compute_w = 0.0;
    est->charge_max_w = est->discharge_max_w = 0.0;
    est->stored_wh = est->track_wh = est->usable_wh = est->home_wh = 0.0;
    est->degraded = 0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        estimate_battery(cfg, state, in, i, est);
        add_battery(cfg, state, i, est);
        if (!est->batteries[i].usable) {
            est->degraded++;
            name_unusable(est, state, i, record);
        }
    }
    estimate_pods(cfg, state, in, est);
    estimate_fleets(cfg, state, est);
    estimate_grid(cfg, state, in, est, record);
    est->price_per_kwh = price_now(&cfg->site, in);
}
