/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settlement_text - a settlement as JSON, sealed by its hash. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/build_id.h"
#include "controller/settlement.h"
#include "models/calendar.h"

static void put(cJSON *to, const char *key, double x)
{
    char text[32] = "null";
    if (isfinite(x)) {
        snprintf(text, sizeof(text), "%.9g", x);
    }
    cJSON_AddRawToObject(to, key, text);
}

static void put_at(cJSON *to, const char *key, int64_t at_ms)
{
    char at[CALENDAR_TEXT_MAX];
    cJSON_AddStringToObject(to, key, calendar_format_utc(at_ms, at));
}

static cJSON *add_item(cJSON *list)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToArray(list, o);
    return o;
}

static void add_asked(cJSON *to, const struct settlement *s)
{
    cJSON *list = cJSON_AddArrayToObject(to, "asked");
    for (int64_t i = 0; i < s->n_pieces; i++) {
        const struct settle_piece *p = &s->pieces[i];
        cJSON *o = add_item(list);
        cJSON_AddStringToObject(o, "kind",
                                utility_name((enum utility_kind)p->kind));
        put_at(o, "from", p->start_ms);
        put_at(o, "to", p->end_ms);
        put(o, "value_w", p->value);
    }
}

static void put_day(cJSON *to, int64_t day)
{
    struct calendar_date d = calendar_date(day);
    char text[32];
    snprintf(text, sizeof(text), "%04d-%02d-%02d", d.year, d.month, d.day);
    cJSON_AddStringToObject(to, "day", text);
}

/* Days of another class, too old or not known at all tell nothing. */
static void add_days(cJSON *to, const struct baseline *b)
{
    cJSON *used = cJSON_AddArrayToObject(to, "days");
    cJSON *others = cJSON_AddArrayToObject(to, "days_not_used");
    bool by_days = b->method == BASELINE_HIGH_DAYS;
    for (int64_t i = 0; i < b->n_days; i++) {
        const struct baseline_day *d = &b->days[i];
        if (d->fate == BASELINE_DAY_CLASS || d->fate == BASELINE_DAY_OLDER ||
            !isfinite(d->mean_w)) {
            continue;
        }
        bool is_used = by_days && d->fate == BASELINE_DAY_USED;
        cJSON *o = add_item(is_used ? used : others);
        put_day(o, d->day);
        put(o, "mean_w", d->mean_w);
        if (!is_used) {
            cJSON_AddStringToObject(
                o, "why",
                d->fate == BASELINE_DAY_USED
                    ? "too few days are like it"
                    : baseline_fate_name((enum baseline_fate)d->fate));
        }
    }
}

static void add_adjustment(cJSON *to, const struct settlement *s)
{
    const struct baseline_terms *t = &s->terms.baseline;
    const struct baseline *b = &s->baseline;
    cJSON *o = cJSON_AddObjectToObject(to, "day_of");
    cJSON_AddStringToObject(
        o, "adjust", baseline_adjust_name((enum baseline_adjust)t->adjust));
    put(o, "from_s_before", t->adjust_from_s);
    put(o, "to_s_before", t->adjust_to_s);
    put(o, "cap_pu", t->cap_pu);
    cJSON_AddBoolToObject(o, "known", b->adjusted);
    put(o, "asked", b->asked);
    put(o, "factor_pu", b->factor_pu);
    put(o, "offset_w", b->offset_w);
    cJSON_AddBoolToObject(o, "capped", b->capped);
}

static void add_baseline(cJSON *to, const struct settlement *s)
{
    const struct baseline_terms *t = &s->terms.baseline;
    const struct baseline *b = &s->baseline;
    cJSON *o = cJSON_AddObjectToObject(to, "baseline");
    cJSON_AddStringToObject(
        o, "method", baseline_method_name((enum baseline_method)b->method));
    cJSON_AddStringToObject(
        o, "asked", baseline_method_name((enum baseline_method)t->method));
    cJSON_AddBoolToObject(o, "too_few_days", b->fell_back);
    put(o, "high", (double)t->high);
    put(o, "of", (double)t->most);
    put(o, "look_back_days", (double)t->look_back);
    put(o, "eligible_days", (double)b->n_eligible);
    cJSON_AddStringToObject(o, "time_zone", s->site->time_zone);
    add_days(o, b);
    add_adjustment(o, s);
    put(o, "meter_before_w", b->before_w);
    put(o, "meter_before_s", t->before_s);
}

static void add_intervals(cJSON *to, const struct settle *s)
{
    cJSON *list = cJSON_AddArrayToObject(to, "intervals");
    for (int64_t i = 0; i < s->n; i++) {
        const struct settle_interval *x = &s->intervals[i];
        cJSON *o = add_item(list);
        put_at(o, "from", x->from_ms);
        put_at(o, "to", x->to_ms);
        put(o, "known_s", x->known_s);
        put(o, "baseline_w", x->baseline_w);
        put(o, "metered_w", x->metered_w);
        put(o, "delivered_wh", x->delivered_wh);
    }
}

static void add_totals(cJSON *to, const struct settle *s)
{
    cJSON *o = cJSON_AddObjectToObject(to, "totals");
    put(o, "span_s", (double)(s->terms.to_ms - s->terms.from_ms) / 1e3);
    put(o, "known_s", s->known_s);
    put(o, "baseline_wh", s->baseline_wh);
    put(o, "metered_wh", s->metered_wh);
    put(o, "delivered_wh", s->delivered_wh);
}

static void add_accuracy(cJSON *to, const struct settlement *s)
{
    const struct settle *x = &s->settle;
    cJSON *o = cJSON_AddObjectToObject(to, "accuracy");
    put(o, "asked_s", x->asked_s);
    put(o, "judged_s", x->judged_s);
    put(o, "tolerance_pu", SETTLE_TOLERANCE_PU);
    put(o, "average_s", x->terms.average_s);
    put(o, "above_s", x->above_s);
    put(o, "seconds_above_s", x->rows_above_s);
    put(o, "above_after_reached_s", x->above_later_s);
    put(o, "reach_s", x->reach_s);
    put(o, "excess_max_w", x->excess_max_w);
    if (x->excess_max_w > 0.0) {
        put_at(o, "excess_max_at", x->excess_max_at_ms);
    }
    put(o, "excess_wh", x->excess_wh);
    put(o, "error_rms_w", x->error_rms_w);
    put(o, "ramp_max_w_per_s", x->ramp_max_w_per_s);
    if (x->ramp_max_w_per_s != 0.0) {
        put_at(o, "ramp_max_at", x->ramp_max_at_ms);
    }
    put(o, "ramp_limit_w_per_s", s->site->grid.ramp_max_w_per_s);
}

static void add_chain(cJSON *to, const char *key,
                      const struct evidence_chain *c)
{
    cJSON *o = cJSON_AddObjectToObject(to, key);
    put(o, "n", (double)c->n);
    cJSON_AddStringToObject(o, "h", c->n > 0 ? c->hash : "");
}

static void add_counts(cJSON *to, const struct evidence_span *e)
{
    cJSON *o = cJSON_AddObjectToObject(to, "violations");
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        if (e->violations[i] > 0) {
            put(o, compliance_rule_name((enum compliance_rule)i),
                (double)e->violations[i]);
        }
    }
    o = cJSON_AddObjectToObject(to, "exempt");
    for (int i = COMPLIANCE_NONE + 1; i < COMPLIANCE_CAUSE_COUNT; i++) {
        if (e->exempt[i] > 0) {
            put(o, compliance_cause_name((enum compliance_cause)i),
                (double)e->exempt[i]);
        }
    }
}

static void add_evidence(cJSON *to, const struct settlement *s)
{
    const struct evidence_span *e = &s->evidence;
    if (!s->has_evidence) {
        cJSON_AddNullToObject(to, "evidence");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(to, "evidence");
    cJSON_AddStringToObject(o, "file", s->evidence_path);
    add_chain(o, "head", &e->head);
    add_chain(o, "tail", &e->tail);
    cJSON_AddBoolToObject(o, "over", e->over);
    put(o, "minutes", (double)e->n_minutes);
    if (e->n_minutes > 0) {
        put_at(o, "from", e->first_ms);
        put_at(o, "to", e->last_ms);
    }
    put(o, "seen_s", e->seen_s);
    put(o, "import_wh", e->import_wh);
    put(o, "export_wh", e->export_wh);
    put(o, "shed_wh", e->shed_wh);
    put(o, "settled_wh", s->evidence_wh);
    put(o, "gaps", (double)e->n_gaps);
    add_counts(o, e);
}

static cJSON *make(const struct settlement *s)
{
    char build[BUILD_ID_MAX];
    build_id(build);
    cJSON *o = cJSON_CreateObject();
    put(o, "settlement", 1);
    cJSON_AddStringToObject(o, "site", s->site->name);
    cJSON_AddStringToObject(o, "program", build);
    cJSON_AddStringToObject(o, "source", s->source);
    cJSON_AddStringToObject(o, "event", s->event);
    put_at(o, "made", s->made_ms);
    put_at(o, "from", s->settle.terms.from_ms);
    put_at(o, "to", s->settle.terms.to_ms);
    add_asked(o, s);
    add_baseline(o, s);
    add_intervals(o, &s->settle);
    add_totals(o, &s->settle);
    add_accuracy(o, s);
    add_evidence(o, s);
    return o;
}

char *settlement_text(const struct settlement *s)
{
    static const char end[] = "\n}";
    cJSON *o = make(s);
    char *text = cJSON_Print(o);
    cJSON_Delete(o);
    size_t n = text != NULL ? strlen(text) : 0;
    if (n < sizeof(end) || strcmp(text + n - 2, end) != 0) {
        free(text);
        return NULL;
    }
    n -= sizeof(end) - 1;
    char hash[EVIDENCE_HASH + 1];
    evidence_digest(text, n, hash);
    char *sealed = realloc(text, n + EVIDENCE_HASH + 32);
    if (sealed == NULL) {
        free(text);
        return NULL;
    }
    snprintf(sealed + n, EVIDENCE_HASH + 32, ",\n\t\"sha256\":\t\"%s\"\n}\n",
             hash);
    return sealed;
}
