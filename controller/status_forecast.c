/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/status_forecast.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/calendar.h"
#include "models/units.h"

static void add(cJSON *to, const char *name, double x)
{
    if (isfinite(x)) {
        cJSON_AddNumberToObject(to, name, x);
    } else {
        cJSON_AddNullToObject(to, name);
    }
}

static void add_load(cJSON *list, double in_s, const struct forecast_at *at)
{
    cJSON *o = cJSON_CreateObject();
    add(o, "in_s", in_s);
    add(o, "mean_w", at->mean);
    add(o, "q10_w", at->q10);
    add(o, "q90_w", at->q90);
    cJSON_AddItemToArray(list, o);
}

static void add_plugged(cJSON *list, double in_h,
                        const struct availability_at *at)
{
    cJSON *o = cJSON_CreateObject();
    add(o, "in_h", in_h);
    add(o, "mean", at->mean);
    add(o, "q10", at->q10);
    add(o, "q90", at->q90);
    cJSON_AddItemToArray(list, o);
}

static void add_peak(cJSON *to, const struct foresight *f)
{
    char at[CALENDAR_TEXT_MAX];
    if (!isfinite(f->peak_w)) {
        cJSON_AddNullToObject(to, "peak");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(to, "peak");
    cJSON_AddStringToObject(o, "at", calendar_format_utc(f->peak_at_ms, at));
    add(o, "mean_w", f->peak_w);
    add(o, "q90_w", f->peak_q90_w);
}

static void add_fleets(cJSON *to, const struct site *site,
                       const struct foresight *f)
{
    cJSON *list = cJSON_AddArrayToObject(to, "fleets");
    for (int i = 0; i < site->n_fleets; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", site->fleets[i].name);
        add(o, "plugged", f->cars[i].now);
        cJSON *ahead = cJSON_AddArrayToObject(o, "ahead");
        add_plugged(ahead, 1.0, &f->cars[i].in_1h);
        add_plugged(ahead, 8.0, &f->cars[i].in_8h);
        cJSON_AddItemToArray(list, o);
    }
}

void status_forecast_add(struct cJSON *to, const struct site *site,
                         const struct foresight *f)
{
    if (f->known == 0) {
        cJSON_AddNullToObject(to, "forecast");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(to, "forecast");
    cJSON_AddStringToObject(
        o, "regime", forecast_regime_name((enum forecast_regime)f->regime));
    add(o, "heard_s", f->heard_s);
    cJSON *periods = cJSON_AddArrayToObject(o, "period_s");
    for (int64_t i = 0; i < f->n_periods; i++) {
        cJSON_AddItemToArray(periods, cJSON_CreateNumber(f->period_s[i]));
    }
    cJSON *load = cJSON_AddArrayToObject(o, "load");
    add_load(load, 60.0, &f->in_1min);
    add_load(load, 600.0, &f->in_10min);
    add(o, "swing_w", f->swing_w);
    add_peak(o, f);
    add_fleets(o, site, f);
}

static double number(const cJSON *o, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsNumber(n) ? n->valuedouble : NAN;
}

static const char *word(const cJSON *o, const char *name)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsString(s) ? s->valuestring : "?";
}

static const char *watts(double w, char out[32])
{
    return units_power_text(w, out, 32);
}

/* " (130 MW to 150 MW)", or that no forecast has come true yet. */
static void print_band(const cJSON *item)
{
    char low[32], high[32];
    if (isfinite(number(item, "q10_w")) && isfinite(number(item, "q90_w"))) {
        printf(" (%s to %s)", watts(number(item, "q10_w"), low),
               watts(number(item, "q90_w"), high));
    } else {
        printf(" (learning how surely)");
    }
}

static void print_load(const cJSON *f)
{
    char mean[32], time[32];
    const char *before = "";
    const cJSON *item = NULL;
    printf("forecast  ");
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(f, "load"))
    {
        if (!isfinite(number(item, "mean_w"))) {
            continue;
        }
        printf("%s in %s %s", before,
               units_duration_text(number(item, "in_s"), time, sizeof(time)),
               watts(number(item, "mean_w"), mean));
        print_band(item);
        before = ",";
    }
    puts("");
}

/* "training; repeats every 11.0 s and 142 s". */
static void print_regime(const cJSON *f)
{
    char text[32];
    const char *before = "; repeats every";
    printf("           %s", word(f, "regime"));
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(f, "period_s"))
    {
        double s = cJSON_IsNumber(item) ? item->valuedouble : NAN;
        printf("%s %.4g s", before, s);
        before = " and";
    }
    printf(", swing in 5 min %s\n", watts(number(f, "swing_w"), text));
}

static void print_peak(const cJSON *f)
{
    const cJSON *peak = cJSON_GetObjectItemCaseSensitive(f, "peak");
    char mean[32], high[32];
    if (cJSON_IsObject(peak)) {
        printf("           highest quarter hour of the next 24 h: %s",
               watts(number(peak, "mean_w"), mean));
        if (isfinite(number(peak, "q90_w"))) {
            printf(" (up to %s)", watts(number(peak, "q90_w"), high));
        }
        printf(" at %s\n", word(peak, "at"));
    }
}

static void print_fleet(const cJSON *fleet)
{
    double now = number(fleet, "plugged");
    printf("           %s: ", word(fleet, "name"));
    if (isfinite(now)) {
        printf("%.0f plugged in", now);
    } else {
        printf("plugged in: not known");
    }
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(fleet, "ahead"))
    {
        if (isfinite(number(item, "mean"))) {
            printf(", in %.0f h %.0f", number(item, "in_h"),
                   number(item, "mean"));
        }
        if (isfinite(number(item, "q10")) && isfinite(number(item, "q90"))) {
            printf(" (%.0f to %.0f)", number(item, "q10"), number(item, "q90"));
        }
    }
    puts("");
}

void status_forecast_print(const struct cJSON *status)
{
    const cJSON *f = cJSON_GetObjectItemCaseSensitive(status, "forecast");
    if (!cJSON_IsObject(f)) {
        return;
    }
    print_load(f);
    print_regime(f);
    print_peak(f);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(f, "fleets"))
    {
        print_fleet(item);
    }
}
