/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/openadr_event: what is read, what gets a fault and which,
 * and that no damaged text does harm. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/json_in.h"
#include "adapters/openadr_event.h"
#include "models/random.h"

static const struct openadr_terms terms = {
    .currency = "USD",
    .power_max_w = 176e6,
    .power_least_w = 16e3,
    .now_ms = INT64_C(1795219200000),
    .seed = 1,
};

static enum err read_text(const char *text, struct dr_event **out)
{
    const char *why = NULL;
    cJSON *json = json_in_parse(text, strlen(text), &why);
    *out = NULL;
    if (json == NULL) {
        return ERR_SYNTAX;
    }
    enum err e = openadr_event_read(json, &terms, out);
    cJSON_Delete(json);
    return e;
}

static const char CAP[] =
    "{\"id\":\"4-54nfyb\",\"objectType\":\"EVENT\","
    "\"createdDateTime\":\"2026-11-20T23:00:00Z\","
    "\"modificationDateTime\":\"2026-11-20T23:30:00Z\","
    "\"programID\":\"3-6s46dl\",\"eventName\":\"cap\",\"priority\":0,"
    "\"targets\":null,\"duration\":null,"
    "\"intervalPeriod\":{\"start\":\"2026-11-21T00:00:00Z\","
    "\"duration\":\"PT30M\",\"randomizeStart\":null},"
    "\"payloadDescriptors\":[{\"payloadType\":\"IMPORT_CAPACITY_LIMIT\","
    "\"units\":\"KW\"}],"
    "\"intervals\":[{\"id\":0,\"payloads\":[{\"type\":"
    "\"IMPORT_CAPACITY_LIMIT\",\"values\":[8000.0]}]},"
    "{\"id\":1,\"intervalPeriod\":null,\"payloads\":[{\"type\":"
    "\"IMPORT_CAPACITY_LIMIT\",\"values\":[12000.0]},"
    "{\"type\":\"X-VENDOR\",\"values\":[\"?\"]}]}]}";

static void a_limit_is_read(void **state)
{
    (void)state;
    struct dr_event *e = NULL;
    assert_int_equal(read_text(CAP, &e), ERR_NONE);
    assert_string_equal(e->fault, "");
    assert_string_equal(e->id, "4-54nfyb");
    assert_string_equal(e->name, "cap");
    assert_string_equal(e->program, "3-6s46dl");
    assert_string_equal(e->unknown, "X-VENDOR");
    assert_int_equal(e->priority, 0);
    assert_int_equal(e->modified_ms, INT64_C(1795217400000));
    assert_int_equal(e->timing.n, 2);
    assert_false(e->timing.lasts);
    assert_int_equal(e->n_payloads, 2);
    assert_true(fabs(e->values[0] - 8e6) < 1e-6);
    assert_true(fabs(e->values[1] - 12e6) < 1e-6);
    struct dr_span s[3];
    assert_int_equal(dr_timing_spans(&e->timing, 0, DR_FOREVER_MS, s, 3), 2);
    assert_int_equal(s[1].end_ms - s[0].start_ms, 3600000);
    openadr_event_free(e);
}

static void what_is_read_leniently(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum dr_subject subject;
        double value;
    } cases[] = {
        /* an alert has a text, whose being there is the value */
        {"{\"id\":\"a\",\"intervals\":[{\"id\":0,\"payloads\":[{\"type\":"
         "\"ALERT_GRID_EMERGENCY\",\"values\":[\"help\"]}]}]}",
         DR_EMERGENCY, 1.0},
        {"{\"id\":\"a\",\"intervals\":[{\"payloads\":[{\"type\":"
         "\"ALERT_GRID_EMERGENCY\",\"values\":[]}]}]}",
         DR_EMERGENCY, 1.0},
        /* units: none, MWh, the guide's PERCENTAGE and payLoadType */
        {"{\"id\":\"a\",\"intervals\":[{\"payloads\":[{\"type\":\"PRICE\","
         "\"values\":[0.17]}]}]}",
         DR_PRICE, 0.17},
        {"{\"id\":\"a\",\"payloadDescriptors\":[{\"payLoadType\":\"PRICE\","
         "\"units\":\"MWH\",\"currency\":\"USD\"}],\"intervals\":[{"
         "\"payloads\":[{\"type\":\"PRICE\",\"values\":[45]}]}]}",
         DR_PRICE, 0.045},
        {"{\"id\":\"a\",\"payloadDescriptors\":[{\"payloadType\":"
         "\"CHARGE_STATE_SETPOINT\",\"units\":\"PERCENTAGE\"}],"
         "\"intervals\":[{\"payloads\":[{\"type\":\"CHARGE_STATE_SETPOINT\","
         "\"values\":[33]}]}]}",
         DR_CHARGE_STATE, 0.33},
        {"{\"id\":\"a\",\"intervals\":[{\"payloads\":[{\"type\":\"SIMPLE\","
         "\"values\":[2]}]}]}",
         DR_SHED_LEVEL, 2.0},
        {"{\"id\":\"a\",\"intervals\":[{\"payloads\":[{\"type\":"
         "\"IMPORT_CAPACITY_LIMIT\",\"values\":[0]}]}]}",
         DR_IMPORT_MAX, 0.0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dr_event *e = NULL;
        assert_int_equal(read_text(cases[i].json, &e), ERR_NONE);
        if (e->fault[0] != '\0' || e->n_payloads != 1 ||
            e->payloads[0].subject != (int64_t)cases[i].subject ||
            fabs(e->values[0] - cases[i].value) > 1e-12) {
            fail_msg("case %zu: fault \"%s\"", i, e->fault);
        }
        assert_true(e->priority == DR_NO_PRIORITY);
        openadr_event_free(e);
    }
}

/* A one-interval event around 'inside'. */
static void has_fault(const char *format, const char *inside, const char *word)
{
    char text[1024];
    snprintf(text, sizeof(text), format, inside);
    struct dr_event *e = NULL;
    assert_int_equal(read_text(text, &e), ERR_NONE);
    if (strstr(e->fault, word) == NULL) {
        fail_msg("%s: fault \"%s\" lacks \"%s\"", text, e->fault, word);
    }
    openadr_event_free(e);
}

static void faults_are_told(void **state)
{
    (void)state;
    static const char limit[] =
        "{\"id\":\"a\",\"intervals\":[{\"payloads\":[{\"type\":"
        "\"IMPORT_CAPACITY_LIMIT\",\"values\":%s}]}]}";
    static const char period[] =
        "{\"id\":\"a\",\"intervals\":[{\"intervalPeriod\":%s,\"payloads\":[{"
        "\"type\":\"SIMPLE\",\"values\":[1]}]}]}";
    static const char priced[] =
        "{\"id\":\"a\",\"payloadDescriptors\":[{\"payloadType\":\"PRICE\",%s}"
        "],\"intervals\":[{\"payloads\":[{\"type\":\"PRICE\",\"values\":[1]}"
        "]}]}";
    static const char in_mw[] =
        "{\"id\":\"a\",\"payloadDescriptors\":[{\"payloadType\":"
        "\"IMPORT_CAPACITY_LIMIT\",\"units\":\"MW\"}],\"intervals\":[{"
        "\"payloads\":[{\"type\":\"IMPORT_CAPACITY_LIMIT\",\"values\":%s}"
        "]}]}";
    has_fault(limit, "[-1]", "negative");
    has_fault(limit, "[8000000]", "far above");
    has_fault(limit, "[8]", "far below");
    has_fault(limit, "[\"8000\"]", "not a number");
    has_fault(limit, "[]", "without values");
    has_fault(limit, "8000", "without values");
    has_fault(period, "{\"start\":\"tomorrow\"}", "not an instant");
    has_fault(period, "{\"start\":5}", "not an instant");
    has_fault(period, "{\"duration\":\"-PT1H\"}", "negative");
    has_fault(period, "{\"duration\":\"1h\"}", "ISO 8601");
    has_fault(period, "{\"randomizeStart\":\"P1Y\"}", "randomizeStart");
    has_fault(period, "[]", "not an object");
    has_fault(priced, "\"currency\":\"EUR\"", "currency");
    has_fault(priced, "\"units\":\"KW\"", "unit");
    has_fault(in_mw, "[8000]", "far above"); /* kW written as MW */
    has_fault(in_mw, "[-8]", "negative");
    has_fault("{\"id\":\"a\",\"priority\":-1%s}", "", "priority");
    has_fault("{\"id\":\"a\"%s}", "", "without intervals");
}

/* What is read of events that contradict themselves is whole: who makes rows
 * of it sees the overlap. */
static void contradictions_are_seen(void **state)
{
    (void)state;
    static const struct {
        const char *times; /* of the event, and of its two intervals */
        bool contradicts;
    } cases[] = {
        /* the second follows the first */
        {"\"intervalPeriod\":{\"start\":\"2026-11-21T00:00:00Z\","
         "\"duration\":\"PT1H\"},\"intervals\":[{%s},{%s}]",
         false},
        /* an interval's own period wins over the event's, and overlaps */
        {"\"intervalPeriod\":{\"start\":\"2026-11-21T00:00:00Z\","
         "\"duration\":\"PT1H\"},\"intervals\":[{%s},{\"intervalPeriod\":{"
         "\"start\":\"2026-11-21T00:30:00Z\"},%s}]",
         true},
        {"\"intervals\":[{\"intervalPeriod\":{\"start\":"
         "\"2026-11-21T00:00:00Z\",\"duration\":\"PT2H\"},%s},{"
         "\"intervalPeriod\":{\"start\":\"2026-11-21T01:00:00Z\","
         "\"duration\":\"PT2H\"},%s}]",
         true},
        /* the same id twice is no contradiction in time */
        {"\"intervalPeriod\":{\"start\":\"2026-11-21T00:00:00Z\","
         "\"duration\":\"PT1H\"},\"intervals\":[{\"id\":7,%s},{\"id\":7,"
         "%s}]",
         false},
        /* in the wrong order, apart */
        {"\"intervalPeriod\":{\"duration\":\"PT1H\"},\"intervals\":[{"
         "\"intervalPeriod\":{\"start\":\"2026-11-21T05:00:00Z\"},%s},{"
         "\"intervalPeriod\":{\"start\":\"2026-11-21T01:00:00Z\"},%s}]",
         false},
    };
    static const char limit[] =
        "\"payloads\":[{\"type\":\"IMPORT_CAPACITY_LIMIT\",\"values\":["
        "8000]}]";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char inside[1024];
        char text[1100];
        const char *hole = strstr(cases[i].times, "%s");
        const char *next = strstr(hole + 2, "%s");
        snprintf(inside, sizeof(inside), "%.*s%s%.*s%s%s",
                 (int)(hole - cases[i].times), cases[i].times, limit,
                 (int)(next - hole - 2), hole + 2, limit, next + 2);
        snprintf(text, sizeof(text), "{\"id\":\"a\",%s}", inside);
        struct dr_event *e = NULL;
        assert_int_equal(read_text(text, &e), ERR_NONE);
        if (e->fault[0] != '\0' || e->timing.n != 2 ||
            dr_timing_overlaps(&e->timing) != cases[i].contradicts) {
            fail_msg("case %zu: %s: fault \"%s\"", i, text, e->fault);
        }
        openadr_event_free(e);
    }
}

static void no_id_is_no_event(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "[]", "7", "{}", "{\"id\":7}", "{\"id\":\"\"}", "{\"id\":null}"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dr_event *e = NULL;
        assert_int_equal(read_text(cases[i], &e), ERR_SYNTAX);
    }
}

/* More than is taken: a fault, and nothing is written behind the arrays (the
 * sanitizers see that). */
static void too_many_intervals_are_a_fault(void **state)
{
    (void)state;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", "a");
    cJSON *list = cJSON_AddArrayToObject(json, "intervals");
    cJSON *first = NULL;
    for (int i = 0; i < OPENADR_INTERVALS_MAX + 10; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(list, item);
        first = i == 0 ? item : first;
    }
    cJSON *payloads = cJSON_AddArrayToObject(first, "payloads");
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddItemToArray(payloads, payload);
    cJSON_AddStringToObject(payload, "type", "PRICE");
    cJSON *values = cJSON_AddArrayToObject(payload, "values");
    for (int i = 0; i < OPENADR_VALUES_MAX + 10; i++) {
        cJSON_AddItemToArray(values, cJSON_CreateNumber(0.1));
    }
    struct dr_event *e = NULL;
    assert_int_equal(openadr_event_read(json, &terms, &e), ERR_NONE);
    assert_non_null(strstr(e->fault, "more"));
    assert_int_equal(e->timing.n, OPENADR_INTERVALS_MAX);
    openadr_event_free(e);
    cJSON_Delete(json);
}

/* Bytes of a good event changed at random: read, refused or faulty, but all
 * that is acted on is sane. */
static void damaged_texts_do_no_harm(void **state)
{
    (void)state;
    const uint64_t seed = 3301;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t random = random_seed(seed);
    int n_read = 0;
    for (int round = 0; round < 20000; round++) {
        char text[sizeof(CAP)];
        memcpy(text, CAP, sizeof(text));
        int n = 1 + (int)random_draw(&random, 0.0, 3.0);
        for (int k = 0; k < n; k++) {
            size_t at =
                (size_t)random_draw(&random, 0.0, (double)sizeof(CAP) - 1.5);
            text[at] = (char)random_draw(&random, 32.0, 126.9);
        }
        struct dr_event *e = NULL;
        if (read_text(text, &e) != ERR_NONE) {
            continue;
        }
        n_read++;
        for (int64_t i = 0; i < e->n_values && e->fault[0] == '\0'; i++) {
            assert_true(e->values[i] >= 0.0 && e->values[i] <= 176e6);
        }
        struct dr_span s[8];
        dr_timing_spans(&e->timing, terms.now_ms, terms.now_ms + 86400000, s,
                        8);
        openadr_event_free(e);
    }
    assert_true(n_read > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_read),
        cmocka_unit_test(what_is_read_leniently),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(contradictions_are_seen),
        cmocka_unit_test(no_id_is_no_event),
        cmocka_unit_test(too_many_intervals_are_a_fault),
        cmocka_unit_test(damaged_texts_do_no_harm),
    };
    return cmocka_run_group_tests_name("openadr_event", tests, NULL, NULL);
}
