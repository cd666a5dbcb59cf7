/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/proof_json.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "models/calendar.h"

static void put(cJSON *to, const char *key, double x)
{
    if (isfinite(x)) {
        cJSON_AddNumberToObject(to, key, x);
    } else {
        cJSON_AddNullToObject(to, key);
    }
}

static void put_at(cJSON *to, const char *key, int64_t at_ms)
{
    char at[CALENDAR_TEXT_MAX];
    cJSON_AddStringToObject(to, key, calendar_format_utc(at_ms, at));
}

void proof_json_bands(cJSON *to, const struct witness_report *r)
{
    static const char *const sights[] = {
        [BAND_WHOLE] = "whole",
        [BAND_PARTLY] = "partly",
        [BAND_BLIND] = "blind",
    };
    cJSON *bands = cJSON_AddArrayToObject(to, "bands");
    for (int64_t i = 0; i < r->with.n_bands; i++) {
        const struct compliance_band *b = &r->with.bands[i];
        cJSON *o = cJSON_CreateObject();
        put(o, "from_hz", b->from_hz);
        put(o, "to_hz", b->to_hz);
        put(o, "rms_w", b->rms_w);
        put(o, "recent_max_w", b->recent_max_w);
        put(o, "without_rms_w", r->without.bands[i].rms_w);
        cJSON_AddStringToObject(o, "seen", sights[b->sight]);
        put(o, "nyquist_hz", b->nyquist_hz);
        cJSON_AddItemToArray(bands, o);
    }
}

void proof_json_without(cJSON *to, const struct witness_report *r)
{
    cJSON *o = cJSON_AddObjectToObject(to, "without");
    put(o, "ramp_max_w_per_s", r->without.ramp_max_w_per_s);
    put(o, "ramp_violations", (double)r->without.ramp_violations);
    put(o, "pp60_max_w", r->without.pp60_max_w);
    put(o, "edge_max_w", r->without.edge_max_w);
    put(o, "peak_w", r->without.peak_w);
}

static void add_histogram(cJSON *to, const struct witness_report *r)
{
    cJSON *o = cJSON_AddObjectToObject(to, "histogram");
    cJSON *heights = cJSON_AddArrayToObject(o, "from_w");
    cJSON *lengths = cJSON_AddArrayToObject(o, "from_s");
    cJSON *counts = cJSON_AddArrayToObject(o, "n");
    for (int i = 0; i < EDGE_LENGTHS; i++) {
        cJSON_AddItemToArray(lengths, cJSON_CreateNumber(edges_lengths_s()[i]));
    }
    for (int i = 0; i < EDGE_HEIGHTS; i++) {
        cJSON_AddItemToArray(
            heights, cJSON_CreateNumber(edges_heights()[i] * r->edge_least_w));
        cJSON *row = cJSON_CreateArray();
        for (int k = 0; k < EDGE_LENGTHS; k++) {
            cJSON_AddItemToArray(
                row, cJSON_CreateNumber((double)r->histogram[i][k]));
        }
        cJSON_AddItemToArray(counts, row);
    }
}

void proof_json_edges(cJSON *to, const struct witness_report *r,
                      double period_s)
{
    cJSON *o = cJSON_AddObjectToObject(to, "edges");
    put(o, "least_w", r->edge_least_w);
    put(o, "n", (double)r->n_edges);
    put(o, "longest_s", r->edge_max_s);
    put(o, "mean_s", r->edge_mean_s);
    cJSON *top = cJSON_AddArrayToObject(o, "highest");
    for (int64_t i = 0; i < r->n_top; i++) {
        cJSON *e = cJSON_CreateObject();
        put(e, "at_s", (double)r->top[i].tick * period_s);
        put(e, "height_w", r->top[i].height_w);
        put(e, "length_s", r->top[i].length_s);
        cJSON_AddItemToArray(top, e);
    }
    add_histogram(o, r);
}

void proof_json_recovery(cJSON *to, const struct witness_report *r)
{
    cJSON *list = cJSON_AddArrayToObject(to, "recovery");
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        const struct witness_recovery *x = &r->recovery[i];
        if (x->n == 0) {
            continue;
        }
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "rule",
                                compliance_rule_name((enum compliance_rule)i));
        put(o, "n", (double)x->n);
        put(o, "longest_s", x->max_s);
        put(o, "mean_s", x->sum_s / (double)x->n);
        cJSON_AddItemToArray(list, o);
    }
}

void proof_json_recent(cJSON *to, const struct site *site,
                       const struct witness_report *r)
{
    cJSON *list = cJSON_AddArrayToObject(to, "recent");
    for (int64_t i = 0; i < r->n_recent; i++) {
        const struct witness_episode *x = &r->recent[i];
        char why[256];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(
            o, "rule", compliance_rule_name((enum compliance_rule)x->rule));
        cJSON_AddStringToObject(
            o, "cause", compliance_cause_name((enum compliance_cause)x->cause));
        cJSON_AddBoolToObject(o, "open", x->open != 0);
        put_at(o, "from", x->from_ms);
        put_at(o, "to", x->to_ms);
        put(o, "ticks", (double)x->ticks);
        put(o, "value", x->value);
        put(o, "limit", x->limit);
        cJSON_AddStringToObject(o, "why",
                                reason_text(site, &x->why, why, sizeof(why)));
        cJSON_AddItemToArray(list, o);
    }
}
