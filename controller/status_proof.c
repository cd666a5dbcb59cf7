/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/status_proof.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "controller/proof_json.h"
#include "models/calendar.h"
#include "models/units.h"

static void number(cJSON *to, const char *name, double value)
{
    cJSON_AddNumberToObject(to, name, value); /* null where not finite */
}

static void instant(cJSON *to, const char *name, int64_t at_ms)
{
    char at[CALENDAR_TEXT_MAX];
    cJSON_AddStringToObject(to, name, calendar_format_utc(at_ms, at));
}

static int64_t count_of(const struct compliance_result *c,
                        enum compliance_rule rule)
{
    switch (rule) {
    case COMPLIANCE_RULE_RAMP:
        return c->ramp_violations;
    case COMPLIANCE_RULE_SWING:
        return c->swing_violations;
    case COMPLIANCE_RULE_IMPORT_MAX:
        return c->import_limit_violations;
    case COMPLIANCE_RULE_TRIP:
        return c->trip_violations;
    case COMPLIANCE_RULE_EXPORT_MAX:
        return c->export_limit_violations;
    case COMPLIANCE_RULE_BAND:
        return c->band_violations;
    case COMPLIANCE_RULE_COUNT:
        break;
    }
    return 0;
}

static void add_rules(cJSON *to, const struct compliance_result *c)
{
    cJSON *o = cJSON_AddObjectToObject(to, "violations");
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        enum compliance_rule rule = (enum compliance_rule)i;
        number(o, compliance_rule_name(rule), (double)count_of(c, rule));
    }
    number(to, "exempt", (double)c->exempt);
}

static void add_totals(cJSON *to, const struct evidence_totals *t)
{
    if (t->since_ms == 0) {
        cJSON_AddNullToObject(to, "all_runs");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(to, "all_runs");
    instant(o, "since", t->since_ms);
    number(o, "seen_s", t->seen_s);
    number(o, "missed_s", t->missed_s);
    number(o, "import_wh", t->import_wh);
    number(o, "export_wh", t->export_wh);
    number(o, "shed_wh", t->shed_wh);
    number(o, "ramp_max_w_per_s", t->ramp_max_w_per_s);
    number(o, "pp60_max_w", t->pp60_max_w);
    number(o, "edges", (double)t->n_edges);
    cJSON *v = cJSON_AddObjectToObject(o, "violations");
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        number(v, compliance_rule_name((enum compliance_rule)i),
               (double)t->violations[i]);
    }
    cJSON *x = cJSON_AddObjectToObject(o, "exempt");
    for (int i = COMPLIANCE_NONE + 1; i < COMPLIANCE_CAUSE_COUNT; i++) {
        number(x, compliance_cause_name((enum compliance_cause)i),
               (double)t->exempt[i]);
    }
}

static void add_evidence(cJSON *to, const struct evidence_counts *e)
{
    cJSON *o = cJSON_AddObjectToObject(to, "evidence");
    cJSON_AddStringToObject(o, "file", e->path);
    number(o, "n", (double)e->last.n);
    cJSON_AddStringToObject(o, "head", e->last.hash);
    number(o, "lost", (double)e->n_lost);
    cJSON_AddBoolToObject(o, "failing", e->failing);
    cJSON_AddStringToObject(o, "last_error", e->last_error);
    add_totals(o, &e->totals);
}

static void add_compliance(cJSON *to, const struct watched *w)
{
    const struct witness_report *r = &w->proof;
    const struct compliance_result *c = &r->with;
    cJSON *o = cJSON_AddObjectToObject(to, "compliance");
    instant(o, "since", r->start_ms);
    number(o, "seen_s",
           c->duration_s - (double)r->n_missed * w->site->control.period_s);
    number(o, "missed_s", (double)r->n_missed * w->site->control.period_s);
    number(o, "import_max_w", r->limit_w);
    number(o, "import_wh", c->import_wh);
    number(o, "export_wh", c->export_wh);
    number(o, "peak_w", c->peak_w);
    number(o, "ramp_max_w_per_s", c->ramp_max_w_per_s);
    number(o, "pp60_max_w", c->pp60_max_w);
    number(o, "edge_max_w", c->edge_max_w);
    add_rules(o, c);
    proof_json_bands(o, r);
    proof_json_without(o, r);
    proof_json_edges(o, r, w->site->control.period_s);
    proof_json_recovery(o, r);
    proof_json_recent(o, w->site, r);
}

void status_proof_add(cJSON *to, const struct watched *w)
{
    if (w->proving && w->proof.with.duration_s > 0.0) {
        add_compliance(to, w);
    } else {
        cJSON_AddNullToObject(to, "compliance");
    }
    if (w->has_evidence) {
        add_evidence(to, &w->evidence);
    } else {
        cJSON_AddNullToObject(to, "evidence");
    }
}

static double value(const cJSON *o, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsNumber(n) ? n->valuedouble : NAN;
}

static const char *word(const cJSON *o, const char *name)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsString(s) ? s->valuestring : "?";
}

/* "no violation", or "12 ticks over ramp, 3 over import". */
static void print_rules(const cJSON *rules)
{
    int n = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, rules)
    {
        if (cJSON_IsNumber(item) && item->valuedouble > 0.0) {
            printf("%s%.0f tick%s over %s", n > 0 ? ", " : "",
                   item->valuedouble, item->valuedouble == 1.0 ? "" : "s",
                   item->string != NULL ? item->string : "?");
            n++;
        }
    }
    printf("%s", n == 0 ? "no violation" : "");
}

static void print_band(const cJSON *b)
{
    char rms[32];
    char without[32];
    double rms_w = value(b, "rms_w");
    if (!isfinite(rms_w)) {
        return;
    }
    printf(
        "band       %g to %g Hz: %s rms, %s without the batteries\n",
        value(b, "from_hz"), value(b, "to_hz"),
        units_power_text(rms_w, rms, sizeof(rms)),
        units_power_text(value(b, "without_rms_w"), without, sizeof(without)));
}

static void print_recent(const cJSON *x)
{
    bool open = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(x, "open"));
    const char *cause = word(x, "cause");
    bool forced = strcmp(cause, "none") != 0;
    printf("%-10s over %s %s %s%s%s: %s\n", open ? "now" : "last",
           word(x, "rule"), open ? "since" : "until",
           word(x, open ? "from" : "to"), forced ? ", forced by " : "",
           forced ? cause : "", word(x, "why"));
}

void status_proof_print(const cJSON *status)
{
    const cJSON *c = cJSON_GetObjectItemCaseSensitive(status, "compliance");
    if (cJSON_IsObject(c)) {
        char ramp[32], pp60[32], edge[32], seen[32];
        printf("meter      ");
        print_rules(cJSON_GetObjectItemCaseSensitive(c, "violations"));
        printf(" in %s; steepest ramp %s, swing %s, highest edge %s\n",
               units_duration_text(floor(value(c, "seen_s")), seen, 32),
               units_ramp_text(value(c, "ramp_max_w_per_s"), ramp, 32),
               units_power_text(value(c, "pp60_max_w"), pp60, 32),
               units_power_text(value(c, "edge_max_w"), edge, 32));
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(c, "bands"))
        {
            print_band(item);
        }
        item = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(c, "recent"),
                                  0);
        if (item != NULL) {
            print_recent(item);
        }
    }
    const cJSON *e = cJSON_GetObjectItemCaseSensitive(status, "evidence");
    if (cJSON_IsObject(e)) {
        printf("evidence   %s, line %.0f, hash %.12s...\n", word(e, "file"),
               value(e, "n"), word(e, "head"));
    }
}
