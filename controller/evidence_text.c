/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/evidence_text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/build_id.h"
#include "models/calendar.h"

static void put(cJSON *to, const char *key, double x)
{
    char text[32] = "null";
    if (isfinite(x)) {
        snprintf(text, sizeof(text), "%.9g", x);
    }
    cJSON_AddRawToObject(to, key, text);
}

static void put_item(cJSON *to, double x)
{
    char text[32] = "null";
    if (isfinite(x)) {
        snprintf(text, sizeof(text), "%.9g", x);
    }
    cJSON_AddItemToArray(to, cJSON_CreateRaw(text));
}

static void put_at(cJSON *to, const char *key, int64_t at_ms)
{
    char at[CALENDAR_TEXT_MAX];
    cJSON_AddStringToObject(to, key, calendar_format_utc(at_ms, at));
}

static void add_limits(cJSON *to, const struct site_grid *g, double period_s)
{
    cJSON *o = cJSON_AddObjectToObject(to, "limits");
    put(o, "import_max_w", g->import_max_w);
    put(o, "import_average_s", g->import_average_s);
    put(o, "import_trip_w", g->import_trip_w);
    put(o, "export_max_w", g->export_max_w);
    put(o, "ramp_max_w_per_s", g->ramp_max_w_per_s);
    put(o, "ramp_average_s", g->ramp_average_s);
    put(o, "swing_max_w", g->swing_max_w);
    put(o, "swing_average_s", g->swing_average_s);
    put(o, "demand_interval_s", g->demand_interval_s);
    cJSON *bands = cJSON_AddArrayToObject(o, "bands");
    struct site_band judged[SITE_BANDS_MAX];
    int64_t n = compliance_bands(g, judged);
    for (int64_t i = 0; i < n; i++) {
        cJSON *b = cJSON_CreateObject();
        put(b, "from_hz", judged[i].from_hz);
        put(b, "to_hz", judged[i].to_hz);
        put(b, "rms_max_w", judged[i].rms_max_w);
        cJSON_AddItemToArray(bands, b);
    }
    put(to, "period_s", period_s);
    put(to, "nyquist_hz", 0.5 / period_s);
    put(to, "edge_least_w", g->ramp_max_w_per_s * g->ramp_average_s);
}

static void add_meter(cJSON *to, const struct site_modbus *m)
{
    char text[2 * SITE_TEXT_MAX + 64] = "none: the sum of the assets";
    if (m->present) {
        snprintf(text, sizeof(text), "modbus %s:%d unit %d map %s", m->host,
                 m->port, m->unit, m->map);
    }
    cJSON_AddStringToObject(to, "meter", text);
}

/* The members of 'o' without its braces; free() it.  Takes 'o' over. */
static char *members(cJSON *o)
{
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (text != NULL) {
        size_t n = strlen(text);
        memmove(text, text + 1, n - 2);
        text[n - 2] = '\0';
    }
    return text;
}

char *evidence_head(const struct evidence_writer *w)
{
    const struct site *site = w->site;
    char build[BUILD_ID_MAX];
    build_id(build);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "v", 1);
    cJSON_AddStringToObject(o, "site", site->name);
    cJSON_AddStringToObject(o, "mode", w->mode);
    if (w->detail[0] != '\0') {
        cJSON_AddStringToObject(o, "detail", w->detail);
    }
    cJSON_AddStringToObject(o, "program", build);
    if (w->site_text != NULL) {
        char hash[EVIDENCE_HASH + 1];
        evidence_digest(w->site_text, strlen(w->site_text), hash);
        cJSON_AddStringToObject(o, "site_sha256", hash);
    }
    if (w->meter != NULL) {
        cJSON_AddStringToObject(o, "meter", w->meter);
    } else {
        add_meter(o, &site->grid.meter);
    }
    add_limits(o, &site->grid, site->control.period_s);
    return members(o);
}

static void add_counts(cJSON *to, const struct witness_minute *m)
{
    cJSON *o = cJSON_AddObjectToObject(to, "violations");
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        if (m->broken[i] > 0) {
            put(o, compliance_rule_name((enum compliance_rule)i),
                (double)m->broken[i]);
        }
    }
    o = cJSON_AddObjectToObject(to, "exempt");
    for (int i = COMPLIANCE_NONE + 1; i < COMPLIANCE_CAUSE_COUNT; i++) {
        if (m->exempt[i] > 0) {
            put(o, compliance_cause_name((enum compliance_cause)i),
                (double)m->exempt[i]);
        }
    }
}

static void add_bands(cJSON *to, const char *key, const double *rms_w,
                      int64_t n)
{
    cJSON *list = cJSON_AddArrayToObject(to, key);
    for (int64_t i = 0; i < n; i++) {
        put_item(list, rms_w[i]);
    }
}

static void add_minute(cJSON *o, const struct witness_minute *m)
{
    put_at(o, "from", m->from_ms);
    put(o, "ticks", (double)m->n_ticks);
    put(o, "missed", (double)m->n_missed);
    put(o, "unmetered", (double)m->n_unmetered);
    put(o, "import_wh", m->import_wh);
    put(o, "export_wh", m->export_wh);
    put(o, "shed_wh", m->shed_wh);
    put(o, "low_w", m->low_w);
    put(o, "high_w", m->high_w);
    put(o, "import_max_w", m->import_max_w);
    put(o, "ramp_w_per_s", m->ramp_w_per_s);
    put(o, "load_ramp_w_per_s", m->load_ramp_w_per_s);
    put(o, "pp60_w", m->pp60_w);
    put(o, "load_pp60_w", m->load_pp60_w);
    put(o, "step_w", m->step_w);
    put(o, "edges", (double)m->n_edges);
    if (m->n_edges > 0) {
        put(o, "edge_w", m->edge.height_w);
        put(o, "edge_s", m->edge.length_s);
    }
    add_bands(o, "band_w", m->band_w, m->n_bands);
    add_bands(o, "load_band_w", m->load_band_w, m->n_bands);
    add_counts(o, m);
}

static void add_episode(cJSON *o, const struct site *site,
                        const struct witness_episode *x, bool ended)
{
    cJSON_AddStringToObject(
        o, "rule", compliance_rule_name((enum compliance_rule)x->rule));
    if (x->cause != COMPLIANCE_NONE) {
        cJSON_AddStringToObject(
            o, "cause", compliance_cause_name((enum compliance_cause)x->cause));
    }
    if (x->rule == COMPLIANCE_RULE_BAND) {
        put(o, "band", (double)x->index);
    }
    put_at(o, "from", x->from_ms);
    if (ended) {
        put_at(o, "to", x->to_ms);
        put(o, "duration_s", (double)(x->to_ms - x->from_ms) / 1e3);
        put(o, "ticks", (double)x->ticks);
    }
    put(o, "value", x->value);
    put(o, "limit", x->limit);
    char why[256];
    cJSON_AddStringToObject(o, "why",
                            reason_text(site, &x->why, why, sizeof(why)));
}

static void add_change(cJSON *o, const struct witness_event *e)
{
    put(o, "import_max_w", e->new_w);
    put(o, "before_w", e->old_w);
    if (e->limit_id[0] != '\0') {
        char id[UTILITY_ID_MAX + 1];
        snprintf(id, sizeof(id), "%.*s", UTILITY_ID_MAX, e->limit_id);
        cJSON_AddStringToObject(o, "instruction", id);
    }
}

const char *evidence_event(const struct site *site,
                           const struct witness_event *e, char *out,
                           size_t size)
{
    cJSON *o = cJSON_CreateObject();
    bool forced = e->episode.cause != COMPLIANCE_NONE;
    const char *kind = NULL;
    switch ((enum witness_kind)e->kind) {
    case WITNESS_MINUTE:
        kind = "minute";
        add_minute(o, &e->minute);
        break;
    case WITNESS_BEGIN:
        kind = forced ? "exempt" : "violation";
        add_episode(o, site, &e->episode, false);
        break;
    case WITNESS_END:
        kind = forced ? "exempt_end" : "violation_end";
        add_episode(o, site, &e->episode, true);
        break;
    case WITNESS_LIMIT:
        kind = "limit";
        add_change(o, e);
        break;
    }
    char *text = members(o);
    bool fits = text != NULL && strlen(text) < size;
    if (fits) {
        memcpy(out, text, strlen(text) + 1);
    }
    free(text);
    return fits ? kind : NULL;
}

enum err evidence_write(struct evidence_file *f, const struct site *site,
                        const struct witness_event *e)
{
    char fields[8192];
    const char *kind = evidence_event(site, e, fields, sizeof(fields));
    return kind != NULL ? evidence_file_append(f, e->at_ms, kind, fields)
                        : ERR_RANGE;
}
