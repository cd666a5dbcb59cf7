/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/plant.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/clamp.h"
#include "models/plant_nodes.h"

/* Time constant of a pod's power after a new cap: settled (95 %) in 50 ms. */
static const double POD_SETTLING_S = 0.05 / 3.0;
/* Parts of a pod's power; GB200-NVL72-like, made up for the simulation. */
static const double NETWORK_PU = 0.05;
static const double DISTRIBUTION_PU = 0.03;
static const double COOLING_PU = 0.06;
static const double INLET_C = 24.0;
static const double COOLANT_C = 30.0;

size_t plant_size(const struct site *site)
{
    return sizeof(struct plant) +
           (size_t)site->n_nodes * sizeof(struct plant_node);
}

static void init_battery(struct plant_battery *b, const struct site *site,
                         int i)
{
    const struct site_battery *s = &site->batteries[i];
    *b = (struct plant_battery){
        .energy_wh = s->sim_soc_start_pu * s->energy_wh,
        .charge_max_w = min_of(s->charge_max_w, s->transformer_va),
        .discharge_max_w = min_of(s->discharge_max_w, s->transformer_va),
        .units = s->units,
        .n_delay = (int64_t)lround(s->sim_delay_s / site->control.period_s),
        .eff_pu = sqrt(s->efficiency_pu),
    };
    assert(b->n_delay >= 0 && b->n_delay <= PLANT_DELAY_MAX);
}

void plant_init(struct plant *p, const struct site *site, double demand_w,
                uint64_t seed)
{
    memset(p, 0, plant_size(site));
    p->n_nodes = site->n_nodes;
    for (int i = 0; i < site->n_batteries; i++) {
        init_battery(&p->batteries[i], site, i);
    }
    for (int i = 0; i < site->n_pods; i++) {
        const struct site_pod *pod = &site->pods[i];
        p->pods[i].cap_w = pod->power_max_w;
        p->pods[i].cap_now_w = INFINITY;
        p->pods[i].safe_w = max_of(pod->cap_min_w, 0.5 * pod->power_max_w);
    }
    plant_demand(p, site, demand_w);
    for (int i = 0; i < site->n_pods; i++) {
        p->pods[i].power_w = p->pods[i].demand_w;
        p->pods_w += p->pods[i].power_w;
    }
    if (site->other.present) {
        p->cooling_w = (site->other.pue_pu - 1.0) * p->pods_w;
    }
    p->other_w = p->cooling_w;
    for (int i = 0; i < site->n_batteries; i++) {
        p->other_w += site->batteries[i].aux_w;
    }
    plant_nodes_init(p, site, seed);
    p->grid_w = p->pods_w + p->other_w + p->fleet_w;
}

void plant_demand(struct plant *p, const struct site *site, double demand_w)
{
    double total_w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        total_w += site->pods[i].power_max_w;
    }
    p->demand_w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        double share = site->pods[i].power_max_w / total_w;
        p->pods[i].demand_w = demand_w * share;
        p->demand_w += p->pods[i].demand_w;
    }
}

/* A cap at power_max is no cap: what the trace says is drawn in full. */
static void command_pod(struct plant_pod *pod, const struct site_pod *s,
                        double cap_w)
{
    pod->cap_w = clamp(cap_w, s->cap_min_w, s->power_max_w);
    if (pod->cap_w >= s->power_max_w) {
        pod->cap_now_w = INFINITY;
    } else if (!isfinite(pod->cap_now_w)) {
        pod->cap_now_w = max_of(pod->power_w, pod->cap_w);
    }
}

void plant_command(struct plant *p, const struct site *site,
                   const struct step_out *out)
{
    for (int i = 0; i < site->n_batteries; i++) {
        if (out->batteries[i].valid) {
            p->batteries[i].set_w = out->batteries[i].set_w;
        }
    }
    for (int i = 0; i < site->n_pods; i++) {
        if (out->pods[i].valid) {
            command_pod(&p->pods[i], &site->pods[i], out->pods[i].cap_w);
            p->pods[i].floor_w =
                clamp(out->pods[i].floor_w, 0.0, site->pods[i].floor_max_w);
        }
    }
    plant_nodes_command(p, out);
}

/* The set-point of 'delay' steps ago. */
static double delayed(struct plant_battery *b)
{
    if (b->n_delay == 0) {
        return b->set_w;
    }
    double u = b->queue_w[b->queue_at];
    b->queue_w[b->queue_at] = b->set_w;
    b->queue_at = (b->queue_at + 1) % b->n_delay;
    return u;
}

/* Power that fills the store, or empties it, in just this step. */
static double energy_limit_charge_w(const struct plant_battery *b,
                                    const struct site_battery *s, double dt_s)
{
    return max_of(s->energy_wh - b->energy_wh, 0.0) * 3600.0 /
           (b->eff_pu * dt_s);
}

static double energy_limit_discharge_w(const struct plant_battery *b,
                                       double dt_s)
{
    return max_of(b->energy_wh, 0.0) * 3600.0 * b->eff_pu / dt_s;
}

static void step_battery(struct plant_battery *b, const struct site_battery *s,
                         double dt_s)
{
    if (b->alpha_dt_s != dt_s) {
        b->alpha_dt_s = dt_s;
        b->alpha = s->sim_response_s > 0.0
                       ? 1.0 - exp(-dt_s / s->sim_response_s)
                       : 1.0;
    }
    double alive = (double)b->units / (double)s->units;
    double hi =
        min_of(b->charge_max_w * alive, energy_limit_charge_w(b, s, dt_s));
    double lo =
        min_of(b->discharge_max_w * alive, energy_limit_discharge_w(b, dt_s));
    double u = delayed(b);
    double w = b->power_w + (clamp(u, -lo, hi) - b->power_w) * b->alpha;
    w = b->tripped ? 0.0 : clamp(w, -lo, hi);
    b->power_w = w;
    double terminal_wh = w * dt_s / 3600.0;
    b->energy_wh +=
        w >= 0.0 ? terminal_wh * b->eff_pu : terminal_wh / b->eff_pu;
    b->throughput_wh += fabs(terminal_wh);
}

/* 'add_w' more through the terminals in a step, + charge. */
static void shift_battery(struct plant_battery *b, double add_w, double dt_s)
{
    double before_w = b->power_w;
    b->power_w += add_w;
    double was = before_w >= 0.0 ? before_w * b->eff_pu : before_w / b->eff_pu;
    double is =
        b->power_w >= 0.0 ? b->power_w * b->eff_pu : b->power_w / b->eff_pu;
    b->energy_wh += (is - was) * dt_s / 3600.0;
    b->throughput_wh += (fabs(b->power_w) - fabs(before_w)) * dt_s / 3600.0;
}

/* What the batteries take at once of 'over_w' that is too much (+) or too
 * little (-), in proportion to what they have left. */
static double form_island(struct plant *p, const struct site *site,
                          double over_w, double dt_s)
{
    double room_w[SITE_BATTERIES_MAX];
    double sum_w = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        const struct plant_battery *b = &p->batteries[i];
        const struct site_battery *s = &site->batteries[i];
        double alive = (double)b->units / (double)s->units;
        double hi =
            min_of(b->charge_max_w * alive, energy_limit_charge_w(b, s, dt_s));
        double lo = min_of(b->discharge_max_w * alive,
                           energy_limit_discharge_w(b, dt_s));
        room_w[i] = over_w < 0.0 ? hi - b->power_w : b->power_w + lo;
        room_w[i] = b->tripped ? 0.0 : max_of(room_w[i], 0.0);
        sum_w += room_w[i];
    }
    double part = sum_w > 0.0 ? min_of(fabs(over_w) / sum_w, 1.0) : 0.0;
    double sign = over_w < 0.0 ? 1.0 : -1.0;
    for (int i = 0; i < site->n_batteries; i++) {
        shift_battery(&p->batteries[i], sign * part * room_w[i], dt_s);
    }
    return sign * part * sum_w;
}

bool plant_waits(const struct site *site, int i)
{
    return site->n_classes > 0 && !site->classes[site->pods[i].class_id].firm;
}

/* What waits is done as soon as there is power for it. */
static double work_max_w(const struct plant_pod *pod, const struct site_pod *s,
                         double dt_s)
{
    double all_w = pod->demand_w + pod->waits.wh * 3600.0 / dt_s;
    return fmax(pod->demand_w, fmin(all_w, s->power_max_w));
}

void plant_work(struct plant_pod *pod, const struct site *site, int i,
                double dt_s)
{
    const struct site_class *c = &site->classes[site->pods[i].class_id];
    pod->lost_wh += backlog_step(
        &pod->waits,
        &(struct backlog_flow){.deadline_s = c->deadline_s,
                               .asked_w = pod->demand_w,
                               .done_w = pod->power_w - pod->burn_w,
                               .dt_s = dt_s});
}

static void step_pods(struct plant *p, const struct site *site, double dt_s)
{
    if (p->settle_dt_s != dt_s) {
        p->settle_dt_s = dt_s;
        p->settle = 1.0 - exp(-dt_s / POD_SETTLING_S);
    }
    p->pods_w = 0.0;
    p->burn_w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        struct plant_pod *pod = &p->pods[i];
        if (isfinite(pod->cap_now_w)) {
            pod->cap_now_w += (pod->cap_w - pod->cap_now_w) * p->settle;
        }
        bool waits = plant_waits(site, i);
        double work_w =
            waits ? work_max_w(pod, &site->pods[i], dt_s) : pod->demand_w;
        double wants_w = pod->floor_w > work_w ? pod->floor_w : work_w;
        pod->power_w = pod->disobeys ? work_w : min_of(wants_w, pod->cap_now_w);
        double over_w = pod->power_w - work_w;
        pod->burn_w = over_w > 0.0 ? over_w : 0.0;
        if (waits) {
            plant_work(pod, site, i, dt_s);
        }
        p->pods_w += pod->power_w;
        p->burn_w += pod->burn_w;
    }
}

void plant_step(struct plant *p, const struct site *site, double dt_s)
{
    assert(dt_s > 0.0);
    p->t_s += dt_s;
    step_pods(p, site, dt_s);
    p->battery_w = 0.0;
    p->other_w = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        step_battery(&p->batteries[i], &site->batteries[i], dt_s);
        p->battery_w += p->batteries[i].power_w;
        p->other_w += site->batteries[i].aux_w;
    }
    if (site->other.present) {
        double want_w = (site->other.pue_pu - 1.0) * p->pods_w;
        double lag = site->other.lag_s / (site->other.lag_s + dt_s);
        p->cooling_w = want_w + (p->cooling_w - want_w) * lag;
        p->other_w += p->cooling_w;
    }
    plant_nodes_step(p, site, dt_s);
    p->grid_w = p->pods_w + p->battery_w + p->other_w + p->fleet_w;
    if (p->island) {
        double fed_w = max_of(0.0, min_of(p->grid_w, p->fed_w));
        double taken_w = form_island(p, site, p->grid_w - fed_w, dt_s);
        p->battery_w += taken_w;
        p->grid_w += taken_w;
    }
    double wh = p->grid_w * dt_s / 3600.0;
    p->import_wh += max_of(wh, 0.0);
    p->export_wh += max_of(-wh, 0.0);
}

double plant_soc_pu(const struct plant *p, const struct site *site)
{
    double stored_wh = 0.0;
    double total_wh = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        stored_wh += p->batteries[i].energy_wh;
        total_wh += site->batteries[i].energy_wh;
    }
    return total_wh > 0.0 ? stored_wh / total_wh : 0.0;
}

static void observe_battery(const struct plant_battery *b,
                            const struct site_battery *s, int64_t mono_ms,
                            struct battery_in *out)
{
    double alive = b->tripped ? 0.0 : (double)b->units / (double)s->units;
    out->power_w = reading_good(b->power_w, mono_ms);
    out->soc_pu = reading_good(b->energy_wh / s->energy_wh, mono_ms);
    out->soh_pu = reading_good(1.0, mono_ms);
    out->charge_max_w = reading_good(b->charge_max_w * alive, mono_ms);
    out->discharge_max_w = reading_good(b->discharge_max_w * alive, mono_ms);
    out->temperature_c = reading_good(25.0, mono_ms);
    out->setpoint_w = reading_good(b->set_w, mono_ms);
    out->flags = BATTERY_READY;
    if (b->tripped) {
        out->flags &= ~(int64_t)BATTERY_RUNNING;
    }
}

static void observe_pod(const struct plant_pod *pod, const struct site_pod *s,
                        int64_t mono_ms, struct pod_in *out)
{
    out->power_w = reading_good(pod->power_w, mono_ms);
    out->cap_w = reading_good(pod->cap_w, mono_ms);
    out->cap_min_w = reading_good(s->cap_min_w, mono_ms);
    out->cap_max_w = reading_good(s->power_max_w, mono_ms);
    out->safe_w = reading_good(pod->safe_w, mono_ms);
    out->inlet_c = reading_good(INLET_C + pod->hot_k, mono_ms);
    out->coolant_c = reading_good(COOLANT_C, mono_ms);
    double cooling_pu = pod->uncooled ? 0.0 : COOLING_PU;
    double servers_pu = 1.0 - NETWORK_PU - DISTRIBUTION_PU - COOLING_PU;
    out->servers_w = reading_good(servers_pu * pod->power_w, mono_ms);
    out->network_w = reading_good(NETWORK_PU * pod->power_w, mono_ms);
    out->distribution_w = reading_good(DISTRIBUTION_PU * pod->power_w, mono_ms);
    out->cooling_w = reading_good(cooling_pu * pod->power_w, mono_ms);
    if (s->floor_max_w > 0.0) {
        out->floor_w = reading_good(pod->floor_w, mono_ms);
        out->burn_w = reading_good(pod->burn_w, mono_ms);
    }
    out->flags = POD_ONLINE;
    out->ack_status = ACK_APPLIED;
}

void plant_observe_devices(const struct plant *p, const struct site *site,
                           int64_t mono_ms, struct snapshot *out)
{
    out->meter.power_w = reading_good(p->grid_w, mono_ms);
    out->meter.voltage_pu = reading_good(1.0, mono_ms);
    out->meter.frequency_hz = reading_good(60.0, mono_ms);
    out->meter.import_wh = reading_good(p->import_wh, mono_ms);
    out->meter.export_wh = reading_good(p->export_wh, mono_ms);
    for (int i = 0; i < site->n_batteries; i++) {
        observe_battery(&p->batteries[i], &site->batteries[i], mono_ms,
                        &out->batteries[i]);
    }
    for (int i = 0; i < site->n_pods; i++) {
        observe_pod(&p->pods[i], &site->pods[i], mono_ms, &out->pods[i]);
    }
}

void plant_observe(const struct plant *p, const struct site *site,
                   int64_t mono_ms, int64_t utc_ms, struct snapshot *out)
{
    plant_observe_devices(p, site, mono_ms, out);
    plant_nodes_observe(p, mono_ms, utc_ms, out);
}
