/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/calendar.h"
#include "models/random.h"

/* Made up for the simulation. */
static const double IDLE_PU = 0.25; /* of a pod's power */
static const double W_PER_GPU = 1400.0;

enum { GPUS_PER_RACK = 72, HOURS = 48 };

/* A number of 'digits' decimals; null where it is not known. */
static void add_number(cJSON *to, const char *key, double x, int digits)
{
    double unit = pow(10.0, digits);
    if (isfinite(x)) {
        cJSON_AddNumberToObject(to, key, round(x * unit) / unit);
    } else {
        cJSON_AddNullToObject(to, key);
    }
}

static void add_instant(cJSON *to, const char *key, int64_t utc_ms)
{
    char text[CALENDAR_TEXT_MAX];
    cJSON_AddStringToObject(to, key, calendar_format_utc(utc_ms, text));
}

static cJSON *begin(int64_t utc_ms)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "v", 1);
    add_instant(json, "ts", utc_ms);
    return json;
}

static char *end(cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

static void add_parts(cJSON *json, const struct pod_in *p)
{
    cJSON *parts = cJSON_AddObjectToObject(json, "parts");
    add_number(parts, "servers_w", p->servers_w.value, 0);
    add_number(parts, "network_w", p->network_w.value, 0);
    add_number(parts, "distribution_w", p->distribution_w.value, 0);
    add_number(parts, "cooling_w", p->cooling_w.value, 0);
}

static double n_gpus(const struct site_pod *pod)
{
    if (pod->profile == POD_GB200_NVL72 && pod->racks > 0) {
        return (double)pod->racks * GPUS_PER_RACK;
    }
    return floor(pod->power_max_w / W_PER_GPU);
}

char *sim_json_pod(const struct sim_pod_report *r)
{
    const struct pod_in *p = r->seen;
    double power_w = p->power_w.value;
    double load_pu = power_w / r->site->power_max_w;
    bool throttled = p->cap_w.value < r->demand_w;
    cJSON *json = begin(r->utc_ms);
    cJSON_AddNumberToObject(json, "seq", (double)r->seq);
    cJSON_AddStringToObject(json, "boot", r->boot);
    add_number(json, "power_w", power_w, 0);
    add_number(json, "cap_w", p->cap_w.value, 0);
    add_number(json, "cap_min_w", p->cap_min_w.value, 0);
    add_number(json, "cap_max_w", p->cap_max_w.value, 0);
    add_number(json, "idle_w", IDLE_PU * r->site->power_max_w, 0);
    add_number(json, "default_w", r->site->power_max_w, 0);
    add_number(json, "safe_w", p->safe_w.value, 0);
    if (r->site->floor_max_w > 0.0) {
        add_number(json, "floor_w", p->floor_w.value, 0);
        add_number(json, "burn_w", p->burn_w.value, 0);
    }
    add_number(json, "gpus", n_gpus(r->site), 0);
    add_number(json, "gpus_throttled", throttled ? n_gpus(r->site) : 0.0, 0);
    add_number(json, "prio", r->site->priority, 0);
    add_number(json, "checkpoint_s", r->checkpoint_s, 0);
    add_parts(json, p);
    add_number(json, "inlet_c", p->inlet_c.value, 1);
    add_number(json, "coolant_c", p->coolant_c.value + 12.0 * load_pu, 1);
    cJSON *jobs = cJSON_AddArrayToObject(json, "jobs");
    if (r->job[0] != '\0') {
        cJSON_AddItemToArray(jobs, cJSON_CreateString(r->job));
    }
    return end(json);
}

char *sim_json_island(double fed_w, int64_t from_ms, bool over, int64_t utc_ms)
{
    cJSON *json = begin(utc_ms);
    cJSON_AddStringToObject(json, "id", "sim-breaker");
    cJSON_AddStringToObject(json, "kind", "island");
    add_instant(json, "start", from_ms);
    if (over) {
        add_instant(json, "end", utc_ms > from_ms ? utc_ms : from_ms + 1);
    }
    add_number(json, "value_w", fed_w, 0);
    return end(json);
}

/* FNV-1a; no car's name or VIN goes on the bus. */
static void hash_text(const char *text, char out[24])
{
    uint64_t h = 14695981039346656037u;
    for (; *text != '\0'; text++) {
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    }
    snprintf(out, 24, "%016llx", (unsigned long long)h);
}

static void add_departure(cJSON *json, const struct sim_car_report *r)
{
    const struct node_in *n = r->seen;
    if ((n->flags & NODE_HAS_DEPARTURE) == 0) {
        cJSON_AddNullToObject(json, "until");
        cJSON_AddNullToObject(json, "departs_at");
        cJSON_AddNullToObject(json, "departs_soc_pu");
        return;
    }
    double left_ms = (double)(n->departs_at_ms - r->utc_ms) / r->speed;
    add_instant(json, "until", r->utc_ms + (int64_t)left_ms);
    add_instant(json, "departs_at", r->utc_ms + (int64_t)left_ms);
    add_number(json, "departs_soc_pu", n->departs_soc_pu, 3);
}

char *sim_json_car(const struct sim_car_report *r)
{
    const struct node_in *n = r->seen;
    char hash[24];
    hash_text(r->name, hash);
    cJSON *json = begin(r->utc_ms);
    cJSON_AddNumberToObject(json, "seq", (double)r->seq);
    cJSON_AddStringToObject(json, "vin_hash", hash);
    cJSON_AddStringToObject(json, "class", r->class_name);
    cJSON_AddBoolToObject(json, "plugged", (n->flags & NODE_PLUGGED) != 0);
    cJSON_AddBoolToObject(json, "parked", (n->flags & NODE_PARKED) != 0);
    cJSON_AddBoolToObject(json, "consent", (n->flags & NODE_CONSENT) != 0);
    add_number(json, "soc_pu", n->soc_pu, 5);
    add_number(json, "energy_wh", n->energy_wh, 0);
    add_number(json, "soc_limit_pu", n->soc_limit_pu, 3);
    add_number(json, "charge_w", n->charge_w, 0);
    add_number(json, "compute_w", n->compute_w, 0);
    add_number(json, "compute_avail_w", n->compute_avail_w, 0);
    add_number(json, "pack_c", n->pack_c, 1);
    add_number(json, "ambient_c", n->ambient_c, 1);
    add_departure(json, r);
    cJSON_AddArrayToObject(json, "alarms");
    return end(json);
}

char *sim_json_ack(const struct sim_order *order, enum ack_status status,
                   const char *detail, bool car, double in_force_w,
                   int64_t utc_ms)
{
    cJSON *json = begin(utc_ms);
    cJSON_AddStringToObject(json, "id", order->id);
    cJSON_AddStringToObject(json, "status", ack_name(status));
    add_number(json, car ? "charge_w" : "cap_w", in_force_w, 0);
    if (detail[0] != '\0') {
        cJSON_AddStringToObject(json, "detail", detail);
    }
    return end(json);
}

char *sim_json_job(const struct job_in *job, const char *id,
                   const char *class_name, double share, int64_t utc_ms)
{
    cJSON *json = begin(utc_ms);
    cJSON_AddStringToObject(json, "job", id);
    cJSON_AddStringToObject(json, "class", class_name);
    cJSON_AddStringToObject(json, "event",
                            job_name((enum job_event)job->event));
    add_instant(json, "at", job->at_ms);
    add_number(json, "power_from_w", job->power_from_w * share, 0);
    add_number(json, "power_to_w", job->power_to_w * share, 0);
    add_number(json, "period_s", job->period_s, 3);
    return end(json);
}

/* Around 1: a night low, two peaks, the sun at noon, noise of the hour. */
static double price_shape(int64_t utc_ms, uint64_t seed)
{
    double hour = (double)(utc_ms % CALENDAR_DAY_MS) / 3600e3;
    double morning = exp(-pow((hour - 8.0) / 2.0, 2.0));
    double evening = exp(-pow((hour - 19.0) / 2.5, 2.0));
    double noon = exp(-pow((hour - 13.0) / 2.5, 2.0));
    uint64_t random = random_seed(seed ^ (uint64_t)(utc_ms / 3600000));
    double noise = random_draw(&random, -0.08, 0.08);
    return 0.85 + 0.5 * morning + 1.1 * evening - 0.55 * noon + noise;
}

char *sim_json_price(const struct site_price *market, const char *currency,
                     uint64_t seed, int64_t utc_ms)
{
    int64_t start_ms = calendar_day_of(utc_ms) * CALENDAR_DAY_MS;
    double mean_per_mwh = market->fallback_per_kwh * 1e3;
    cJSON *json = begin(utc_ms);
    cJSON_AddStringToObject(json, "market", market->market);
    cJSON_AddStringToObject(json, "kind", "dayahead");
    cJSON_AddBoolToObject(json, "synthetic", 1);
    cJSON_AddStringToObject(json, "currency", currency);
    cJSON_AddStringToObject(json, "unit", "MWh");
    cJSON_AddNumberToObject(json, "res_s", 3600);
    add_instant(json, "start", start_ms);
    cJSON *values = cJSON_AddArrayToObject(json, "values");
    for (int i = 0; i < HOURS; i++) {
        double x =
            mean_per_mwh * price_shape(start_ms + (int64_t)i * 3600000, seed);
        cJSON_AddItemToArray(values, cJSON_CreateNumber(round(x * 100) / 100));
    }
    return end(json);
}
