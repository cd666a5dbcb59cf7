/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/openadr_descriptor and openadr_report: what is read of the
 * reports asked for, and what is written of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/openadr_descriptor.h"
#include "adapters/openadr_report.h"
#include "models/random.h"

static int64_t read_text(const char *text, struct dr_report out[DR_REPORTS_MAX])
{
    cJSON *o = cJSON_Parse(text);
    int64_t n = openadr_descriptors_read(o, out);
    cJSON_Delete(o);
    return n;
}

static void presets_are_the_specifications(void **state)
{
    (void)state;
    struct dr_report r[DR_REPORTS_MAX];
    assert_int_equal(
        read_text("{\"reportDescriptors\":[{\"payloadType\":\"USAGE\"},"
                  "{\"payLoadType\":\"DEMAND\",\"readingType\":\"PEAK\","
                  "\"startInterval\":1,\"numIntervals\":2,\"frequency\":0,"
                  "\"repeat\":-1,\"historical\":false,\"aggregate\":true,"
                  "\"reportIntervals\":\"OPEN_INTERVALS\"}]}",
                  r),
        2);
    assert_int_equal(r[0].kind, DR_REPORT_USAGE);
    assert_int_equal(r[0].start, -1);
    assert_int_equal(r[0].number, -1);
    assert_int_equal(r[0].frequency, -1);
    assert_int_equal(r[0].repeat, 1);
    assert_int_equal(r[0].historical, 1);
    assert_int_equal(r[0].open, 0);
    assert_int_equal(r[1].kind, DR_REPORT_DEMAND);
    assert_int_equal(r[1].peak, 1);
    assert_int_equal(r[1].start, 1);
    assert_int_equal(r[1].frequency, 0);
    assert_int_equal(r[1].repeat, -1);
    assert_int_equal(r[1].historical, 0);
    assert_int_equal(r[1].open, 1);
    assert_int_equal(r[1].aggregate, 1);
    assert_int_equal(
        read_text("{\"reportDescriptors\":[{\"payloadType\":\"BASELINE\","
                  "\"units\":\"KWH\",\"reportIntervals\":\"SUB_INTERVALS\"},"
                  "{\"payloadType\":\"USAGE\",\"readingType\":\"FORECAST\","
                  "\"units\":\"KWH\"}]}",
                  r),
        2);
    assert_int_equal(r[0].energy, 1);
    assert_int_equal(r[0].parts, 1);
    assert_int_equal(r[0].historical, 1);
    assert_int_equal(r[1].energy, 0);
    assert_int_equal(r[1].parts, 0);
    assert_int_equal(r[1].historical, 0);
}

static void what_asks_for_nothing(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "[{}]",
        "[7]",
        "[{\"payloadType\":5}]",
        "[{\"payloadType\":\"X\"}]",
        "[{\"payloadType\":\"USAGE\",\"startInterval\":-2}]",
        "[{\"payloadType\":\"USAGE\",\"numIntervals\":1e300}]",
        "[{\"payloadType\":\"USAGE\",\"repeat\":\"often\"}]",
        "[{\"payloadType\":\"USAGE\",\"frequency\":0.5}]",
        "[{\"payloadType\":\"USAGE\",\"historical\":1}]",
    };
    struct dr_report r[DR_REPORTS_MAX];
    char text[8192];
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        snprintf(text, sizeof(text), "{\"reportDescriptors\":%s}", lists[i]);
        assert_int_equal(read_text(text, r), 1);
        assert_int_equal(r[0].kind, DR_REPORT_UNKNOWN);
    }
    assert_int_equal(read_text("{\"reportDescriptors\":null}", r), 0);
    assert_int_equal(read_text("{\"reportDescriptors\":{}}", r), 0);
    assert_int_equal(read_text("{}", r), 0);
    /* no more than there is room for */
    strcpy(text, "{\"reportDescriptors\":[{}");
    for (int i = 0; i < 100; i++) {
        strcat(text, ",{\"payloadType\":\"USAGE\"}");
    }
    strcat(text, "]}");
    assert_int_equal(read_text(text, r), DR_REPORTS_MAX);
}

static double first_value(const cJSON *report, int interval)
{
    const cJSON *list = cJSON_GetObjectItem(
        cJSON_GetArrayItem(cJSON_GetObjectItem(report, "resources"), 0),
        "intervals");
    const cJSON *payload = cJSON_GetArrayItem(
        cJSON_GetObjectItem(cJSON_GetArrayItem(list, interval), "payloads"), 0);
    return cJSON_GetArrayItem(cJSON_GetObjectItem(payload, "values"), 0)
        ->valuedouble;
}

/* In the units of OpenADR, whatever the reading; what is not known is left
 * out, what is known in part says so. */
static void what_is_written(void **state)
{
    (void)state;
    uint64_t seed = random_seed(5);
    print_message("seed 5\n");
    for (int run = 0; run < 500; run++) {
        double x = random_draw(&seed, -1e9, 1e9);
        const struct dr_report what = {.kind = 1 + run % (DR_REPORT_KINDS - 1)};
        const struct openadr_report_head head = {"e", "ven", "e/0/0", &what};
        const struct openadr_reading list[] = {
            {7, 1000, 61000, x, NULL, 1.0, false},
            {8, 61000, 121000, NAN, NULL, 1.0, false},
            {9, 121000, 181500, x, NULL, 0.5, false},
            {10, 0, 1, x, NULL, 0.0, false}};
        const struct openadr_resource r = {"site", list, 4};
        cJSON *report = openadr_report_begin(&head);
        assert_non_null(report);
        assert_int_equal(openadr_report_add(report, &r, &what), 2);
        bool kilo = dr_report_unit((enum dr_report_kind)what.kind)[0] == 'K';
        bool use =
            what.kind == DR_REPORT_USAGE || what.kind == DR_REPORT_DEMAND;
        double want = kilo ? x / 1e3 : x;
        want = use && want < 0.0 ? 0.0 : want;
        assert_true(fabs(first_value(report, 0) - want) <= 1e-9 * fabs(want));
        char *text = cJSON_PrintUnformatted(report);
        assert_non_null(strstr(text, "\"duration\":\"PT60S\""));
        assert_non_null(strstr(text, "\"duration\":\"PT60.5S\""));
        assert_non_null(strstr(text, "ESTIMATED"));
        assert_null(strstr(text, "\"id\":8"));
        assert_null(strstr(text, "\"id\":10"));
        cJSON_free(text);
        const struct openadr_resource none = {"none", list + 1, 1};
        assert_int_equal(openadr_report_add(report, &none, &what), 0);
        assert_int_equal(
            cJSON_GetArraySize(cJSON_GetObjectItem(report, "resources")), 1);
        cJSON_Delete(report);
    }
}

static const struct {
    struct dr_report what;
    const char *type;
    const char *reading;
    const char *unit; /* NULL: none */
} descriptors[] = {
    {{.kind = DR_REPORT_USAGE, .historical = 1}, "USAGE", "DIRECT_READ", "KWH"},
    {{.kind = DR_REPORT_USAGE}, "USAGE", "FORECAST", "KWH"},
    {{.kind = DR_REPORT_DEMAND, .historical = 1}, "DEMAND", "MEAN", "KW"},
    {{.kind = DR_REPORT_DEMAND, .historical = 1, .peak = 1},
     "DEMAND",
     "PEAK",
     "KW"},
    {{.kind = DR_REPORT_BASELINE, .historical = 1},
     "BASELINE",
     "ESTIMATED",
     "KW"},
    {{.kind = DR_REPORT_BASELINE, .historical = 1, .energy = 1},
     "BASELINE",
     "ESTIMATED",
     "KWH"},
    {{.kind = DR_REPORT_CHARGE_LEVEL, .historical = 1},
     "STORAGE_CHARGE_LEVEL",
     "DIRECT_READ",
     "PERCENT"},
    {{.kind = DR_REPORT_USABLE_CAPACITY, .historical = 1},
     "STORAGE_USABLE_CAPACITY",
     "DIRECT_READ",
     "KWH"},
    {{.kind = DR_REPORT_CHARGE_POWER, .historical = 1},
     "STORAGE_MAX_CHARGE_POWER",
     "DIRECT_READ",
     "KW"},
    {{.kind = DR_REPORT_DISCHARGE_POWER, .historical = 1},
     "STORAGE_MAX_DISCHARGE_POWER",
     "DIRECT_READ",
     "KW"},
    {{.kind = DR_REPORT_OPERATING_STATE, .historical = 1},
     "OPERATING_STATE",
     "DIRECT_READ",
     NULL},
};

/* How a reading came about is said of the whole report. */
static void descriptors_say_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++) {
        const struct openadr_report_head head = {"e", "ven", "n",
                                                 &descriptors[i].what};
        cJSON *report = openadr_report_begin(&head);
        const cJSON *d = cJSON_GetArrayItem(
            cJSON_GetObjectItem(report, "payloadDescriptors"), 0);
        assert_string_equal(cJSON_GetObjectItem(d, "payloadType")->valuestring,
                            descriptors[i].type);
        assert_string_equal(cJSON_GetObjectItem(d, "readingType")->valuestring,
                            descriptors[i].reading);
        const cJSON *unit = cJSON_GetObjectItem(d, "units");
        assert_int_equal(unit == NULL, descriptors[i].unit == NULL);
        if (unit != NULL) {
            assert_string_equal(unit->valuestring, descriptors[i].unit);
        }
        const struct openadr_reading list[] = {
            {1, 0, 60000, 1.0, NULL, 1.0, i % 2 == 0}};
        const struct openadr_resource r = {"site", list, 1};
        assert_int_equal(openadr_report_add(report, &r, &descriptors[i].what),
                         1);
        char *text = cJSON_PrintUnformatted(report);
        assert_int_equal(strstr(text, "DATA_QUALITY") != NULL, i % 2 == 0);
        cJSON_free(text);
        cJSON_Delete(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_the_specifications),
        cmocka_unit_test(what_asks_for_nothing),
        cmocka_unit_test(what_is_written),
        cmocka_unit_test(descriptors_say_what_it_is),
    };
    return cmocka_run_group_tests_name("openadr_report", tests, NULL, NULL);
}
