/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/account.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/wear.h"

#define LIFE_EVERY_S 1.0
#define AHEAD_S 60.0
/* The plant has no thermal model of a battery: its coolant holds this. */
#define BATTERY_C 25.0

static double soc_of(const struct site *site, const struct plant *p, int i)
{
    return p->batteries[i].energy_wh / site->batteries[i].energy_wh;
}

static void live(struct account_life *a, const struct site_battery *s,
                 const struct plant_battery *p)
{
    double moved_wh = p->throughput_wh - a->throughput_wh;
    double hours = a->due_s / 3600.0;
    struct life_sample sample = {
        .dt_s = a->due_s,
        .soc_pu = fmin(fmax(p->energy_wh / s->energy_wh, 0.0), 1.0),
        .temp_c = BATTERY_C,
        .rate_per_h = hours > 0.0 ? moved_wh / s->energy_wh / hours : 0.0,
    };
    enum err e = life_feed(&a->life, &sample);
    assert(e == ERR_NONE);
    (void)e;
    a->due_s = 0.0;
    a->throughput_wh = p->throughput_wh;
}

static void forget(struct account_forecast *f)
{
    for (int i = 0; i < ACCOUNT_AHEAD; i++) {
        f->made[i].load_w = NAN;
    }
}

void account_begin(struct account *a, const struct replay_cfg *cfg,
                   const struct plant *p)
{
    const struct site *site = cfg->site;
    memset(a, 0, sizeof(*a));
    a->start_utc_ms = cfg->start_utc_ms;
    account_bill_begin(&a->bill, &site->grid, cfg->zone);
    for (int i = 0; i < site->n_batteries; i++) {
        double soc_pu = soc_of(site, p, i);
        a->soc_start_pu[i] = soc_pu;
        a->soc_min_pu[i] = soc_pu;
        a->soc_max_pu[i] = soc_pu;
        life_init(&a->lives[i].life, site->batteries[i].chemistry,
                  RAINFLOW_DEPTH);
        a->lives[i].throughput_wh = p->batteries[i].throughput_wh;
        live(&a->lives[i], &site->batteries[i], &p->batteries[i]);
    }
    for (int i = 0; i < site->n_pods; i++) {
        a->any_waits = a->any_waits || plant_waits(site, i);
    }
    forget(&a->forecast);
    a->forecast.step = -1;
}

/* Compute not served, each pod's at the value of its class.  What can wait
 * waits. */
static double shed_now_cur(const struct site *site, const struct plant *p,
                           double hours)
{
    double cur = 0.0;
    for (int i = 0; i < site->n_pods && site->n_classes > 0; i++) {
        if (plant_waits(site, i)) {
            continue;
        }
        double shed_w = p->pods[i].demand_w - p->pods[i].power_w;
        const struct site_class *c = &site->classes[site->pods[i].class_id];
        cur += fmax(shed_w, 0.0) / 1e3 * hours * c->value_per_kwh;
    }
    return cur;
}

/* Work that was put off, and how old the oldest was. */
static void watch_waiting(struct account *a, const struct site *site,
                          const struct plant *p)
{
    double dt_s = site->control.period_s;
    for (int i = 0; i < site->n_pods; i++) {
        const struct plant_pod *pod = &p->pods[i];
        if (plant_waits(site, i)) {
            double deadline_s =
                site->classes[site->pods[i].class_id].deadline_s;
            double age_s = backlog_age_s(&pod->waits, deadline_s);
            a->waits_max_s = fmax(a->waits_max_s, age_s);
            a->deferred_ws += fmax(pod->demand_w - pod->power_w, 0.0) * dt_s;
        }
    }
}

/* What of the work that could wait did so for too long, and what still
 * waits. */
static void end_waiting(const struct site *site, const struct plant *p,
                        struct replay_result *out)
{
    out->lost_wh = out->waiting_wh = 0.0;
    for (int i = 0; i < site->n_pods && site->n_classes > 0; i++) {
        const struct site_class *c = &site->classes[site->pods[i].class_id];
        const struct plant_pod *pod = &p->pods[i];
        out->lost_wh += pod->lost_wh;
        out->waiting_wh += pod->waits.wh;
        out->shed_cur += pod->lost_wh / 1e3 * c->value_per_kwh;
    }
}

void account_tick(struct account *a, const struct site *site,
                  const struct plant *p, double price_per_kwh)
{
    double dt_s = site->control.period_s;
    double hours = dt_s / 3600.0;
    for (int i = 0; i < site->n_batteries; i++) {
        double soc_pu = soc_of(site, p, i);
        a->soc_min_pu[i] = fmin(a->soc_min_pu[i], soc_pu);
        a->soc_max_pu[i] = fmax(a->soc_max_pu[i], soc_pu);
        struct account_life *l = &a->lives[i];
        l->due_s += dt_s;
        if (l->due_s >= LIFE_EVERY_S - 0.5 * dt_s) {
            live(l, &site->batteries[i], &p->batteries[i]);
        }
    }
    a->demand_ws += p->demand_w * dt_s;
    a->served_ws += (p->pods_w - p->burn_w) * dt_s;
    a->burn_ws += p->burn_w * dt_s;
    a->burn_cur += p->burn_w / 1e3 * hours * price_per_kwh;
    a->energy_cur += fmax(p->grid_w, 0.0) / 1e3 * hours * price_per_kwh;
    a->price_sum += price_per_kwh;
    int64_t into_ms = llround((double)a->n_ticks * dt_s * 1e3);
    account_bill_tick(&a->bill, a->start_utc_ms + into_ms, dt_s, p->grid_w);
    a->n_ticks++;
    /* what is done later is no substitute for what is not */
    if (a->any_waits || p->pods_w - p->burn_w < p->demand_w - 1.0) {
        a->shed_cur += shed_now_cur(site, p, hours);
    }
    if (a->any_waits) {
        watch_waiting(a, site, p);
    }
}

static void score(struct account_forecast *f,
                  const struct account_expected *made, double came_w)
{
    if (!isfinite(made->mean_w) || !isfinite(made->load_w) ||
        !isfinite(came_w) || !(fabs(came_w) > 0.0)) {
        return;
    }
    f->sum_pu += fabs(made->mean_w - came_w) / fabs(came_w);
    f->persistence_pu += fabs(made->load_w - came_w) / fabs(came_w);
    f->n_inside += came_w >= made->q10_w && came_w <= made->q90_w;
    f->n++;
}

void account_forecast(struct account *a, const struct account_seen *seen,
                      double warmup_s, double period_s)
{
    struct account_forecast *f = &a->forecast;
    f->sum_w += seen->load_w;
    f->n_ticks++;
    if (seen->step == f->step) {
        return;
    }
    if (seen->step != f->step + 1) {
        forget(f); /* a gap: what waited does not meet its time */
    }
    f->step = seen->step;
    double came_w = f->sum_w / (double)f->n_ticks;
    struct account_expected *made = &f->made[f->step % seen->ahead_steps];
    double made_s = (double)a->n_ticks * period_s - AHEAD_S;
    if (made_s >= warmup_s) {
        score(f, made, came_w);
    }
    *made = (struct account_expected){.mean_w = seen->ahead.mean,
                                      .q10_w = seen->ahead.q10,
                                      .q90_w = seen->ahead.q90,
                                      .load_w = came_w};
    f->sum_w = 0.0;
    f->n_ticks = 0;
}

static double stored_change_wh(const struct account *a, const struct site *site,
                               const struct plant *p)
{
    double wh = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        wh += p->batteries[i].energy_wh -
              a->soc_start_pu[i] * site->batteries[i].energy_wh;
    }
    return wh;
}

static void end_batteries(const struct account *a, const struct site *site,
                          const struct plant *p, struct replay_result *out)
{
    double days = (double)a->n_ticks * site->control.period_s / 86400.0;
    out->wear_cur = 0.0;
    out->wear_guard_cur = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *s = &site->batteries[i];
        double throughput_wh = p->batteries[i].throughput_wh;
        const struct life *l = &a->lives[i].life;
        struct wear_use use = {wear_efc(s, throughput_wh), days};
        enum life_role role = life_worse(l);
        struct life_loss loss = life_loss(l, role, true);
        out->batteries[i] = (struct replay_battery){
            .throughput_wh = throughput_wh,
            .soc_min_pu = a->soc_min_pu[i],
            .soc_max_pu = a->soc_max_pu[i],
            .soc_end_pu = soc_of(site, p, i),
            .efc = use.efc,
            .loss_calendar_pu = loss.calendar_pu,
            .loss_cycle_pu = loss.cycle_pu,
            .wear_model = (enum life_model_id)l->model[role],
            .wear_cur = wear_life_cur(s, l, LIFE_PRICE, &use),
            .wear_guard_cur = wear_life_cur(s, l, LIFE_GUARD, &use),
            .held_cur = wear_life_held_cur(s, l, LIFE_PRICE, &use),
            .held_guard_cur = wear_life_held_cur(s, l, LIFE_GUARD, &use),
        };
        out->wear_cur += out->batteries[i].wear_cur;
        out->wear_guard_cur += out->batteries[i].wear_guard_cur;
    }
}

void account_end(struct account *a, const struct site *site,
                 const struct plant *p, struct replay_result *out)
{
    end_batteries(a, site, p, out);
    double mean_price =
        a->n_ticks > 0 ? a->price_sum / (double)a->n_ticks : 0.0;
    out->shed_cur = a->shed_cur;
    end_waiting(site, p, out);
    double pue_pu = site->other.present ? site->other.pue_pu : 1.0;
    double left_wh = stored_change_wh(a, site, p) - out->waiting_wh * pue_pu;
    double left_cur = left_wh / 1e3 * mean_price;
    account_bill_end(&a->bill);
    out->n_months = a->bill.n_months;
    memcpy(out->months, a->bill.months, sizeof(out->months));
    out->demand_wh = a->demand_ws / 3600.0;
    out->served_wh = a->served_ws / 3600.0;
    out->energy_cur = a->energy_cur - left_cur;
    out->demand_cur = a->bill.demand_cur;
    out->burn_wh = a->burn_ws / 3600.0;
    out->burn_cur = a->burn_cur;
    out->deferred_wh = a->deferred_ws / 3600.0;
    out->waits_max_s = a->waits_max_s;
    const struct account_forecast *f = &a->forecast;
    double n = f->n > 0 ? (double)f->n : NAN;
    out->forecast_mape_pu = f->sum_pu / n;
    out->persistence_mape_pu = f->persistence_pu / n;
    out->forecast_coverage_pu = (double)f->n_inside / n;
}
