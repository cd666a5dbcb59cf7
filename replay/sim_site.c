/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_site.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/json_in.h"
#include "replay/sim_meter.h"

static const double HOT_K = 15.0; /* the air of a pod that is hot */
static const double PERIOD_S = 0.02;

enum { STEPS_MAX = 200 };

/* The plant in steps of a real period, or of several where it runs faster. */
static void choose_steps(struct sim_site *s, const struct site *site)
{
    s->period_s = fmin(PERIOD_S, site->control.period_s);
    s->n_steps = (int)fmin(fmax(1.0, ceil(s->speed)), STEPS_MAX);
    s->step_s = s->period_s * s->speed / s->n_steps;
    /* the plant counts a battery's delay in control periods */
    s->site.control.period_s = fmax(s->step_s, 1e-6);
    for (int i = 0; i < site->n_batteries; i++) {
        double longest_s = s->site.control.period_s * PLANT_DELAY_MAX;
        double *delay_s = &s->site.batteries[i].sim_delay_s;
        *delay_s = fmin(*delay_s, longest_s);
    }
}

static bool allocate(struct sim_site *s, const struct site *site)
{
    size_t n_nodes = (size_t)site->n_nodes;
    s->plant = calloc(1, plant_size(site));
    s->seen = calloc(1, snapshot_size(site->n_nodes));
    s->set = calloc(1, step_out_size(site->n_nodes));
    s->cars = calloc(n_nodes + 1, sizeof(*s->cars));
    return s->plant != NULL && s->seen != NULL && s->set != NULL &&
           s->cars != NULL;
}

static void init_devices(struct sim_site *s, double now_s)
{
    const struct site *site = &s->site;
    for (int i = 0; i < site->n_batteries; i++) {
        sim_battery_init(&s->batteries[i], &site->batteries[i], now_s);
    }
    sim_meter_init(&s->meter, site->name);
    for (int i = 0; i < site->n_pods; i++) {
        sim_pod_init(&s->pods[i], &site->pods[i], s->plant->pods[i].safe_w, i);
    }
    for (int i = 0; i < site->n_nodes; i++) {
        sim_car_init(&s->cars[i], i);
    }
}

struct sim_site *sim_site_open(const struct sim_site_cfg *cfg)
{
    assert(cfg->speed > 0.0);
    struct sim_site *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    s->site = *cfg->site;
    s->load = cfg->load;
    s->speed = cfg->speed;
    s->from_s = cfg->from_s;
    s->faults.load_w = NAN;
    choose_steps(s, cfg->site);
    if (!allocate(s, cfg->site)) {
        sim_site_close(s);
        return NULL;
    }
    double demand_w = sim_load_at(s->load, s->from_s);
    plant_init(s->plant, &s->site, demand_w, cfg->seed);
    snapshot_clear(s->seen, s->site.n_nodes);
    init_devices(s, cfg->now_s);
    sim_site_advance(s, cfg->now_s, 0);
    return s;
}

void sim_site_close(struct sim_site *s)
{
    pthread_mutex_destroy(&s->lock);
    free(s->plant);
    free(s->seen);
    free(s->set);
    free(s->cars);
    free(s);
}

/* What is in force on every device now, as the plant takes it. */
static void gather(struct sim_site *s, double now_s)
{
    struct step_out *set = s->set;
    for (int i = 0; i < s->site.n_batteries; i++) {
        set->batteries[i].valid = 1;
        set->batteries[i].set_w = sim_battery_tick(&s->batteries[i], now_s);
        s->plant->batteries[i].tripped = s->batteries[i].tripped;
    }
    for (int i = 0; i < s->site.n_pods; i++) {
        set->pods[i].valid = 1;
        set->pods[i].cap_w = sim_pod_tick(&s->pods[i], now_s);
        set->pods[i].floor_w = sim_pod_floor_w(&s->pods[i], now_s);
    }
    set->n_nodes = s->site.n_nodes;
    set->node_to = set->n_nodes;
    for (int i = 0; i < s->site.n_nodes; i++) {
        sim_car_tick(&s->cars[i], now_s);
        set->nodes[i].valid = 1;
        set->nodes[i].charge_w = s->cars[i].charge_w;
        set->nodes[i].compute_w = s->cars[i].compute_w;
    }
    plant_command(s->plant, &s->site, set);
}

static void show(struct sim_site *s, double now_s, int64_t utc_ms)
{
    plant_observe(s->plant, &s->site, (int64_t)(now_s * 1e3), utc_ms, s->seen);
    for (int i = 0; i < s->site.n_batteries; i++) {
        sim_battery_show(&s->batteries[i], &s->seen->batteries[i],
                         s->period_s * s->speed);
    }
    if (s->plant->island && !(s->plant->fed_w > 0.0)) {
        /* the meter is on the grid's side of the open breaker */
        s->seen->meter.voltage_pu.value = 0.0;
        s->seen->meter.frequency_hz.value = 0.0;
    }
    sim_meter_show(&s->meter, &s->seen->meter);
}

void sim_site_advance(struct sim_site *s, double now_s, int64_t utc_ms)
{
    pthread_mutex_lock(&s->lock);
    gather(s, now_s);
    for (int i = 0; i < s->n_steps; i++) {
        double demand_w = isfinite(s->faults.load_w)
                              ? s->faults.load_w
                              : sim_load_at(s->load, s->from_s + s->plant->t_s);
        plant_demand(s->plant, &s->site, demand_w);
        plant_step(s->plant, &s->site, s->step_s);
    }
    show(s, now_s, utc_ms);
    pthread_mutex_unlock(&s->lock);
}

/* The server calls this under the lock. */
static int write_battery(void *user, int addr, int n, const uint16_t *values)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    double now_s = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    return sim_battery_write(user, addr, n, values, now_s);
}

int sim_site_slaves(struct sim_site *s, struct sim_slave *out)
{
    int n = 0;
    if (s->site.grid.meter.present) {
        out[n++] = (struct sim_slave){.at = s->site.grid.meter,
                                      .image = &s->meter,
                                      .silent = &s->faults.meter_silent};
    }
    for (int i = 0; i < s->site.n_batteries; i++) {
        if (s->site.batteries[i].modbus.present) {
            out[n++] = (struct sim_slave){
                .at = s->site.batteries[i].modbus,
                .image = &s->batteries[i].image,
                .silent = &s->faults.batteries_silent[i],
                .write = write_battery,
                .user = &s->batteries[i],
            };
        }
    }
    return n;
}

/* A flag under 'key': 1, 0, -1 where there is none, -2 where it is no flag. */
static int read_flag(const cJSON *json, const char *key)
{
    bool on = false;
    switch (json_in_bool(json, key, &on)) {
    case JSON_IN_OK:
        return on;
    case JSON_IN_ABSENT:
        return -1;
    case JSON_IN_NULL:
    case JSON_IN_BAD:
        break;
    }
    return -2;
}

static enum err fault_battery(struct sim_site *s, const cJSON *json,
                              const char *name)
{
    int i = 0;
    while (i < s->site.n_batteries &&
           strcmp(s->site.batteries[i].name, name) != 0) {
        i++;
    }
    if (i == s->site.n_batteries) {
        return ERR_UNKNOWN;
    }
    int trip = read_flag(json, "trip");
    int local = read_flag(json, "local");
    int silent = read_flag(json, "silent");
    if (trip == -2 || local == -2 || silent == -2) {
        return ERR_SYNTAX;
    }
    struct json_in_range all = {0.0, s->site.batteries[i].units};
    int64_t *units = &s->plant->batteries[i].units;
    if (json_in_integer(json, "units", all, units) == JSON_IN_BAD) {
        return ERR_RANGE;
    }
    s->batteries[i].tripped = trip >= 0 ? trip : s->batteries[i].tripped;
    s->batteries[i].local = local >= 0 ? local : s->batteries[i].local;
    bool *is_silent = &s->faults.batteries_silent[i];
    *is_silent = silent >= 0 ? silent : *is_silent;
    return ERR_NONE;
}

static enum err fault_pod(struct sim_site *s, const cJSON *json,
                          const char *name)
{
    int i = 0;
    while (i < s->site.n_pods && strcmp(s->site.pods[i].name, name) != 0) {
        i++;
    }
    if (i == s->site.n_pods) {
        return ERR_UNKNOWN;
    }
    int silent = read_flag(json, "silent");
    int disobeys = read_flag(json, "disobeys");
    int hot = read_flag(json, "hot");
    int uncooled = read_flag(json, "uncooled");
    if (silent == -2 || disobeys == -2 || hot == -2 || uncooled == -2) {
        return ERR_SYNTAX;
    }
    struct plant_pod *pod = &s->plant->pods[i];
    bool *is_silent = &s->faults.pods_silent[i];
    *is_silent = silent >= 0 ? silent : *is_silent;
    pod->disobeys = disobeys >= 0 ? disobeys : pod->disobeys;
    pod->uncooled = uncooled >= 0 ? uncooled : pod->uncooled;
    pod->hot_k = hot >= 0 ? (double)hot * HOT_K : pod->hot_k;
    return ERR_NONE;
}

static enum err fault_meter(struct sim_site *s, const char *what)
{
    bool silent = strcmp(what, "silent") == 0;
    if (!silent && strcmp(what, "ok") != 0) {
        return ERR_UNKNOWN;
    }
    s->faults.meter_silent = silent;
    return ERR_NONE;
}

static enum err fault_load(struct sim_site *s, const cJSON *json)
{
    static const struct json_in_range range = {0.0, 1e10};
    switch (json_in_number(json, "load_w", range, &s->faults.load_w)) {
    case JSON_IN_ABSENT:
        return ERR_SYNTAX;
    case JSON_IN_NULL:
        s->faults.load_w = NAN;
        break;
    case JSON_IN_BAD:
        return ERR_RANGE;
    case JSON_IN_OK:
        break;
    }
    return ERR_NONE;
}

/* The breaker at the grid connection; behind it others may feed in. */
static enum err fault_island(struct sim_site *s, const cJSON *json)
{
    static const struct json_in_range range = {0.0, 1e10};
    int island = read_flag(json, "island");
    double fed_w = 0.0;
    if (island < 0) {
        return ERR_SYNTAX;
    }
    switch (json_in_number(json, "fed_w", range, &fed_w)) {
    case JSON_IN_NULL:
    case JSON_IN_BAD:
        return ERR_RANGE;
    case JSON_IN_ABSENT:
    case JSON_IN_OK:
        break;
    }
    s->plant->island = island;
    s->plant->fed_w = island ? fed_w : 0.0;
    return ERR_NONE;
}

/* A form of fault, known by its first key. */
enum { FAULT_KEYS_MAX = 5, NAMED_FORMS = 2 };
static const char *const fault_keys[][FAULT_KEYS_MAX] = {
    {"battery", "trip", "local", "silent", "units"},
    {"pod", "silent", "disobeys", "hot", "uncooled"},
    {"meter"},
    {"load_w"},
    {"island", "fed_w"},
};

static bool takes_key(const char *const *keys, const char *key)
{
    for (int i = 0; i < FAULT_KEYS_MAX && keys[i] != NULL; i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* True where the object is of one of the forms and has no key beyond it, and
 * more than the name of a battery or pod. */
static bool keys_are_known(const cJSON *json)
{
    size_t n = sizeof(fault_keys) / sizeof(fault_keys[0]);
    size_t form = 0;
    while (form < n && cJSON_GetObjectItemCaseSensitive(
                           json, fault_keys[form][0]) == NULL) {
        form++;
    }
    if (form == n || (form < NAMED_FORMS && json->child->next == NULL)) {
        return false;
    }
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, json)
    {
        if (!takes_key(fault_keys[form], member->string)) {
            return false;
        }
    }
    return true;
}

static enum err fault(struct sim_site *s, const cJSON *json)
{
    const char *name = NULL;
    if (!keys_are_known(json)) {
        return ERR_UNKNOWN;
    }
    if (json_in_text(json, "battery", &name) == JSON_IN_OK) {
        return fault_battery(s, json, name);
    }
    if (json_in_text(json, "pod", &name) == JSON_IN_OK) {
        return fault_pod(s, json, name);
    }
    if (json_in_text(json, "meter", &name) == JSON_IN_OK) {
        return fault_meter(s, name);
    }
    if (cJSON_GetObjectItemCaseSensitive(json, "island") != NULL) {
        return fault_island(s, json);
    }
    return fault_load(s, json);
}

enum err sim_site_fault(struct sim_site *s, const char *json, size_t size)
{
    const char *why = NULL;
    cJSON *root = json_in_parse(json, size, &why);
    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return ERR_SYNTAX;
    }
    pthread_mutex_lock(&s->lock);
    enum err e = fault(s, root);
    pthread_mutex_unlock(&s->lock);
    cJSON_Delete(root);
    return e;
}
