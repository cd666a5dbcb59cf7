/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/status.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/heard.h"
#include "controller/status_forecast.h"
#include "controller/status_life.h"
#include "controller/status_plan.h"
#include "controller/status_proof.h"
#include "controller/status_fleet.h"
#include "controller/status_utility.h"
#include "models/calendar.h"

/* cJSON prints what is not finite as null. */
static void number(cJSON *to, const char *name, double value)
{
    cJSON_AddNumberToObject(to, name, value);
}

static void count(cJSON *to, const char *name, uint64_t n)
{
    cJSON_AddNumberToObject(to, name, (double)n);
}

static void text(cJSON *to, const char *name, const char *value)
{
    cJSON_AddStringToObject(to, name, value);
}

static const char *meter_word(const struct watched *w)
{
    if (!w->site->grid.meter.present) {
        return "none";
    }
    return quality_name(reading_quality(&w->in->meter.power_w, w->mono_ms,
                                        watch_device_age_s(w->site)));
}

static void add_grid(cJSON *to, const struct watched *w)
{
    const struct tick_record *r = &w->out->record;
    cJSON *o = cJSON_AddObjectToObject(to, "grid");
    number(o, "power_w", r->grid_w);
    number(o, "reference_w", r->grid_ref_w);
    number(o, "import_max_w", r->grid_max_w);
    number(o, "ramp_w_per_s", r->ramp_w_per_s);
    number(o, "ramp_max_w_per_s", w->site->grid.ramp_max_w_per_s);
    number(o, "pp60_w", w->loop.pp60_w);
    number(o, "reserve_short_w", r->reserve_short_w);
    text(o, "meter", meter_word(w));
}

static void add_load(cJSON *to, const struct watched *w)
{
    const struct tick_record *r = &w->out->record;
    cJSON *o = cJSON_AddObjectToObject(to, "load");
    number(o, "demand_w", r->demand_w);
    number(o, "served_w", r->pods_w - r->burn_w);
    number(o, "shed_w", r->shed_w);
    number(o, "moved_w", r->moved_w);
    number(o, "floor_w", r->floor_w);
    number(o, "burn_w", r->burn_w);
    number(o, "waiting_wh", r->waiting_wh);
    number(o, "other_w", r->other_w);
}

static const char *battery_word(const struct watched *w, int i)
{
    const struct battery_in *b = &w->in->batteries[i];
    const struct device_report *r = &w->batteries[i];
    double age_s = watch_device_age_s(w->site);
    const struct {
        const char *word;
        bool holds;
    } words[] = {
        {"absent", !w->site->batteries[i].modbus.present},
        {"offline", !r->link.up || !(b->flags & BATTERY_ONLINE)},
        {"stale",
         reading_quality(&b->power_w, w->mono_ms, age_s) < QUALITY_SUSPECT},
        {"fault", !(b->flags & BATTERY_RUNNING)},
        {"local", !(b->flags & BATTERY_REMOTE)},
        {"frozen", !(b->flags & BATTERY_ALIVE)},
        {"read_only", !(b->flags & BATTERY_WRITABLE)},
        {"disobeys", !(b->flags & BATTERY_OBEYS)},
        {"fallback", r->fallback != 0},
    };
    for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
        if (words[k].holds) {
            return words[k].word;
        }
    }
    return "ready";
}

static void add_batteries(cJSON *to, const struct watched *w)
{
    cJSON *list = cJSON_AddArrayToObject(to, "batteries");
    double age_s = watch_device_age_s(w->site);
    for (int i = 0; i < w->site->n_batteries; i++) {
        const struct battery_in *b = &w->in->batteries[i];
        cJSON *o = cJSON_CreateObject();
        text(o, "name", w->site->batteries[i].name);
        number(o, "power_w", reading_value(&b->power_w, w->mono_ms, age_s));
        number(o, "set_w", w->out->batteries[i].set_w);
        number(o, "soc_pu", reading_value(&b->soc_pu, w->mono_ms, age_s));
        text(o, "state", battery_word(w, i));
        status_life_add(o, &w->lives[i]);
        cJSON_AddItemToArray(list, o);
    }
}

static void add_pods(cJSON *to, const struct watched *w)
{
    int capped = 0;
    for (int i = 0; i < w->site->n_pods; i++) {
        const struct pod_command *c = &w->out->pods[i];
        capped +=
            c->valid != 0 && c->cap_w < 0.999 * w->site->pods[i].power_max_w;
    }
    cJSON *o = cJSON_AddObjectToObject(to, "pods");
    struct heard heard = heard_pods(w->site, w->in, w->mono_ms);
    number(o, "n", w->site->n_pods);
    number(o, "online", heard.n_online);
    number(o, "announced", heard.n_announced);
    number(o, "capped", capped);
    number(o, "power_w", w->out->record.pods_w);
}

static double or_0(double x)
{
    return isfinite(x) ? x : 0.0;
}

/* Since it was heard; NAN where that is not known.  What is kept from the
 * last run has the age that it had there. */
static double price_age_s(const struct watched *w, bool kept)
{
    int64_t heard_ms = kept ? w->kept[0].heard_at_ms : w->in->prices[0].mono_ms;
    int64_t now_ms = kept ? w->utc_ms : w->mono_ms;
    return heard_ms > 0 ? (double)(now_ms - heard_ms) / 1e3 : NAN;
}

static void add_price(cJSON *to, const struct watched *w)
{
    if (w->site->n_prices == 0) {
        cJSON_AddNullToObject(to, "price");
        return;
    }
    const struct site_price *p = &w->site->prices[0];
    double now = price_at(&w->in->prices[0], w->utc_ms);
    int64_t mono_ms = w->in->prices[0].mono_ms;
    bool kept =
        w->kept != NULL && mono_ms != 0 && w->kept[0].price.mono_ms == mono_ms;
    cJSON *o = cJSON_AddObjectToObject(to, "price");
    text(o, "market", p->market);
    number(o, "per_kwh", isfinite(now) ? now : p->fallback_per_kwh);
    text(o, "currency", w->site->currency);
    text(o, "source", !isfinite(now) ? "fallback" : kept ? "kept" : "feed");
    number(o, "age_s", price_age_s(w, kept));
}

static void add_why(cJSON *to, const struct watched *w)
{
    cJSON *list = cJSON_AddArrayToObject(to, "why");
    const struct tick_record *r = &w->out->record;
    for (int64_t i = 0; i < r->n_why && i < REASON_LINES; i++) {
        char line[256];
        reason_text(w->site, &r->why[i], line, sizeof(line));
        cJSON_AddItemToArray(list, cJSON_CreateString(line));
    }
}

/* 'asset' is the first of those that have it; 'assets' some, 'n' how many. */
static void add_alarm(cJSON *list, const struct watched *w,
                      const struct alarm_group *g)
{
    const struct alarm_row *row = alarm_row(g->id);
    char line[ALARM_TEXT_MAX];
    char asset[SITE_NAME_MAX + 16];
    cJSON *o = cJSON_CreateObject();
    text(o, "id", row->id);
    text(o, "asset",
         asset_name(w->site, row->asset, g->named[0], asset, sizeof(asset)));
    number(o, "n", g->n);
    cJSON *assets = cJSON_AddArrayToObject(o, "assets");
    for (int i = 0; i < g->n && i < ALARM_NAMED_MAX; i++) {
        asset_name(w->site, row->asset, g->named[i], asset, sizeof(asset));
        cJSON_AddItemToArray(assets, cJSON_CreateString(asset));
    }
    text(o, "severity", severity_name(row->severity));
    text(o, "text", alarm_group_text(w->site, g, line, sizeof(line)));
    number(o, "since_s", (double)(w->mono_ms - g->since_mono_ms) / 1e3);
    cJSON_AddItemToArray(list, o);
}

static int n_raised(const struct watched *w)
{
    int n = 0;
    for (int i = 0; i < w->n_alarms; i++) {
        n += w->alarms[i].n;
    }
    return n;
}

static void add_alarms(cJSON *to, const struct watched *w)
{
    cJSON *list = cJSON_AddArrayToObject(to, "alarms");
    for (int i = 0; i < w->n_alarms; i++) {
        add_alarm(list, w, &w->alarms[i]);
    }
    number(to, "n_alarms", n_raised(w));
}

static void add_loop(cJSON *to, const struct watched *w)
{
    cJSON *o = cJSON_AddObjectToObject(to, "loop");
    number(o, "period_s", w->site->control.period_s);
    count(o, "overruns", w->loop.n_overruns);
    number(o, "overruns_pu", w->overruns_pu);
    number(o, "jitter_p99_s", w->loop.jitter_p99_s);
    number(o, "step_p50_s", w->loop.step_p50_s);
    number(o, "step_p99_s", w->loop.step_p99_s);
    count(o, "clock_jumps", w->loop.n_clock_jumps);
    count(o, "plans", w->loop.n_plans);
    count(o, "late_plans", w->loop.n_late_plans);
}

static void add_history(cJSON *to, const struct watched *w)
{
    const struct historian_counts *h = &w->history;
    cJSON *o = cJSON_AddObjectToObject(to, "history");
    count(o, "ticks", h->n_ticks);
    count(o, "dropped", h->n_dropped);
    count(o, "commits", h->n_commits);
    count(o, "failed", h->n_failed);
    cJSON_AddBoolToObject(o, "degraded", h->degraded);
    text(o, "last_error", h->last_error);
}

static void add_mqtt(cJSON *to, const struct watched *w)
{
    const struct mqtt_counts *c = &w->mqtt.counts;
    cJSON *o = cJSON_AddObjectToObject(to, "mqtt");
    cJSON_AddBoolToObject(o, "up", w->mqtt.link.up);
    count(o, "reconnects", w->mqtt.link.n_reconnects);
    count(o, "received", c->n_received);
    count(o, "malformed", c->n_malformed);
    count(o, "unknown", c->n_unknown);
    count(o, "stale", c->n_stale);
    count(o, "retained", c->n_retained);
    count(o, "overflow", c->n_overflow);
    count(o, "sent", c->n_sent);
    count(o, "unsent", c->n_unsent);
    count(o, "acked", c->n_acked);
    text(o, "last_error", c->last_error);
}

static void add_device(cJSON *list, const char *name,
                       const struct device_report *r)
{
    cJSON *o = cJSON_CreateObject();
    text(o, "name", name);
    cJSON_AddBoolToObject(o, "up", r->link.up);
    count(o, "passes", r->link.n_passes);
    count(o, "errors", r->link.n_errors);
    count(o, "reconnects", r->link.n_reconnects);
    count(o, "writes", r->link.n_writes);
    count(o, "mismatches", r->link.n_mismatches);
    number(o, "pass_s", r->link.pass_s);
    text(o, "last_error", r->link.last_error);
    cJSON_AddItemToArray(list, o);
}

static void add_devices(cJSON *to, const struct watched *w)
{
    cJSON *list = cJSON_AddArrayToObject(to, "devices");
    if (w->site->grid.meter.present) {
        add_device(list, "meter", &w->meter);
    }
    for (int i = 0; i < w->site->n_batteries; i++) {
        if (w->site->batteries[i].modbus.present) {
            add_device(list, w->site->batteries[i].name, &w->batteries[i]);
        }
    }
}

char *status_json(const struct watched *w)
{
    cJSON *o = cJSON_CreateObject();
    char at[CALENDAR_TEXT_MAX];
    number(o, "v", 1);
    text(o, "site", w->site->name);
    text(o, "mode", w->shadow ? "shadow" : "run");
    text(o, "at", calendar_format_utc(w->utc_ms, at));
    number(o, "uptime_s", (double)(w->mono_ms - w->start_mono_ms) / 1e3);
    count(o, "tick", w->loop.tick);
    add_grid(o, w);
    add_load(o, w);
    add_batteries(o, w);
    add_pods(o, w);
    status_fleets(o, w);
    add_price(o, w);
    status_forecast_add(o, w->site, &w->foresight);
    status_plan_add(o, w);
    add_why(o, w);
    add_alarms(o, w);
    add_loop(o, w);
    add_history(o, w);
    status_proof_add(o, w);
    add_mqtt(o, w);
    status_utility_add(o, w);
    add_devices(o, w);
    char *json = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return json;
}

const char *status_short_json(const struct watched *w, char *out, size_t size)
{
    const struct tick_record *r = &w->out->record;
    char at[CALENDAR_TEXT_MAX];
    snprintf(out, size,
             "{\"v\":1,\"ts\":\"%s\",\"online\":true,\"mode\":\"%s\","
             "\"tick\":%llu,\"grid_w\":%.0f,\"reference_w\":%.0f,"
             "\"import_max_w\":%.0f,\"battery_w\":%.0f,\"soc_pu\":%.4f,"
             "\"shed_w\":%.0f,\"alarms\":%d}",
             calendar_format_utc(w->utc_ms, at), w->shadow ? "shadow" : "run",
             (unsigned long long)w->loop.tick, or_0(r->grid_w),
             or_0(r->grid_ref_w), or_0(r->grid_max_w), or_0(r->battery_w),
             or_0(r->soc_pu), or_0(r->shed_w), n_raised(w));
    return out;
}
