/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the simulated agents: which commands they take, what they do when
 * none comes any more, what they publish. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "models/random.h"
#include "replay/sim_json.h"
#include "replay/sim_order.h"

static const int64_t NOW_MS = INT64_C(1795226400000); /* 2026-11-21T02:00Z */

static const struct site_pod pod_site = {
    .name = "pod01",
    .power_max_w = 1.2e6,
    .cap_min_w = 0.4e6,
    .racks = 8,
    .profile = POD_GB200_NVL72,
};

static struct sim_order order(const char *id, double age_s, double ttl_s,
                              double cap_w)
{
    struct sim_order o = {.ts_ms = NOW_MS - (int64_t)(age_s * 1e3),
                          .ttl_s = ttl_s,
                          .cap_w = cap_w,
                          .charge_w = NAN,
                          .compute_w = NAN};
    snprintf(o.id, sizeof(o.id), "%s", id);
    return o;
}

static void test_payloads_are_taken_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum err e;
    } rows[] = {
        {"{\"v\":1,\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"cap_w\":6e5,"
         "\"ramp_s\":5,\"ttl_s\":30,\"reason\":\"import_limit\"}",
         ERR_NONE},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":30}",
         ERR_NONE},
        {"", ERR_SYNTAX},
        {"[]", ERR_SYNTAX},
        {"{}", ERR_SYNTAX},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":30}x",
         ERR_SYNTAX},
        {"{\"id\":7,\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":30}", ERR_SYNTAX},
        {"{\"id\":\"\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":30}",
         ERR_SYNTAX},
        {"{\"id\":\"a\",\"ts\":\"yesterday\",\"ttl_s\":30}", ERR_SYNTAX},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\"}", ERR_RANGE},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":0}",
         ERR_RANGE},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":\"30\"}",
         ERR_RANGE},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":30,"
         "\"floor_w\":-1}",
         ERR_RANGE},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":30,"
         "\"floor_down_s\":0}",
         ERR_RANGE},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":30,"
         "\"cap_w\":-1}",
         ERR_RANGE},
        {"{\"id\":\"a\",\"ts\":\"2026-11-21T02:00:00Z\",\"ttl_s\":30,"
         "\"cap_w\":1e999}",
         ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim_order o;
        const char *why = "";
        enum err e =
            sim_order_parse(rows[i].json, strlen(rows[i].json), &o, &why);
        if (e != rows[i].e) {
            fail_msg("%s: %s (%s)", rows[i].json, err_text(e), why);
        }
    }
}

static void test_an_order_is_judged_by_age_id_and_retain_flag(void **state)
{
    (void)state;
    struct sim_lease l = {0};
    const char *detail = NULL;
    const struct {
        const char *what;
        struct sim_order o;
        bool retained;
        enum ack_status status;
    } rows[] = {
        {"fresh", order("a", 0.1, 30, 1e6), false, ACK_APPLIED},
        {"again", order("a", 0.1, 30, 1e6), false, ACK_DUPLICATE},
        {"retained", order("b", 0.0, 30, 1e6), true, ACK_REJECTED},
        {"older than its ttl", order("c", 30.1, 30, 1e6), false, ACK_EXPIRED},
        {"from the future", order("d", -6.0, 30, 1e6), false, ACK_REJECTED},
        {"a bit ahead", order("e", -1.0, 30, 1e6), false, ACK_APPLIED},
        {"overtaken", order("f", 0.0, 30, 1e6), false, ACK_REJECTED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum ack_status s = sim_lease_offer(&l, &rows[i].o, rows[i].retained,
                                            NOW_MS, 100.0, &detail);
        if (s != rows[i].status) {
            fail_msg("%s: %s, %s", rows[i].what, ack_name(s), detail);
        }
    }
    assert_true(l.until_s == 130.0);
}

static void test_a_pod_holds_then_goes_safe(void **state)
{
    (void)state;
    struct sim_pod p;
    const char *detail = NULL;
    sim_pod_init(&p, &pod_site, 0.6e6, 1); /* waits 10 s */
    struct sim_order o = order("a", 0.0, 30, 1.0e6);
    o.ramp_s = 8.0;
    assert_int_equal(sim_lease_offer(&p.lease, &o, false, NOW_MS, 0.0, &detail),
                     ACK_APPLIED);
    assert_int_equal(sim_pod_take(&p, &o, 1.1e6, 0.0), ACK_APPLIED);
    assert_true(sim_pod_tick(&p, 0.0) == 1.1e6); /* where it bites */
    assert_true(fabs(sim_pod_tick(&p, 4.0) - 1.05e6) < 1.0);
    assert_true(sim_pod_tick(&p, 8.0) == 1.0e6);
    assert_true(sim_pod_tick(&p, 39.9) == 1.0e6);
    assert_true(sim_pod_tick(&p, 40.0) == 1.0e6);
    assert_true(fabs(sim_pod_tick(&p, 44.0) - 0.8e6) < 1.0);
    assert_true(sim_pod_tick(&p, 48.0) == 0.6e6);
    assert_true(sim_pod_tick(&p, 1e6) == 0.6e6); /* never uncapped */

    struct sim_order low = order("b", 0.0, 30, 1e3);
    assert_int_equal(sim_pod_take(&p, &low, 0.6e6, 1e6), ACK_PARTIAL);
    assert_true(sim_pod_tick(&p, 1e6) == 0.4e6);
}

/* Nobody lets a floor go at once, but it does not burn for ever. */
static void test_a_floor_goes_down_slowly_after_its_lease(void **state)
{
    (void)state;
    struct sim_pod p;
    const char *detail = NULL;
    struct site_pod with = pod_site;
    with.floor_max_w = 1.0e6;
    sim_pod_init(&p, &with, 0.6e6, 1);
    assert_true(sim_pod_floor_w(&p, 1e6) == 0.0);
    struct sim_order o = order("a", 0.0, 30, 1.2e6);
    o.floor_w = 0.8e6;
    o.floor_down_s = 100.0;
    assert_int_equal(sim_lease_offer(&p.lease, &o, false, NOW_MS, 0.0, &detail),
                     ACK_APPLIED);
    assert_int_equal(sim_pod_take(&p, &o, 1.1e6, 0.0), ACK_APPLIED);
    assert_true(sim_pod_floor_w(&p, 30.0) == 0.8e6);
    assert_true(fabs(sim_pod_floor_w(&p, 80.0) - 0.4e6) < 1.0);
    assert_true(sim_pod_floor_w(&p, 130.0) == 0.0);
    assert_true(sim_pod_floor_w(&p, 1e6) == 0.0);
    o.floor_w = NAN; /* not said: it stays as it is */
    assert_int_equal(sim_pod_take(&p, &o, 1.1e6, 1.0), ACK_APPLIED);
    assert_true(sim_pod_floor_w(&p, 1.0) == 0.8e6);
    o.floor_w = 1.1e6;
    assert_int_equal(sim_pod_take(&p, &o, 1.1e6, 2.0), ACK_PARTIAL);
    assert_true(sim_pod_floor_w(&p, 2.0) == 1.0e6);
}

static void test_a_car_without_a_controller_stops_computing(void **state)
{
    (void)state;
    struct sim_car c;
    const char *detail = NULL;
    sim_car_init(&c, 3);
    struct sim_order o = order("a", 0.0, 60, NAN);
    o.charge_w = 20e3;
    o.compute_w = 160.0;
    (void)sim_lease_offer(&c.lease, &o, false, NOW_MS, 0.0, &detail);
    assert_int_equal(sim_car_take(&c, &o, 11.5e3, 160.0), ACK_PARTIAL);
    sim_car_tick(&c, 62.9);
    assert_true(c.charge_w == 11.5e3 && c.compute_w == 160.0);
    sim_car_tick(&c, 63.0);
    assert_true(c.charge_w == 11.5e3 && c.compute_w == 0.0);
}

static void test_a_cap_never_leaves_its_range(void **state)
{
    (void)state;
    uint64_t r = random_seed(5);
    print_message("seed 5\n");
    struct sim_pod p;
    sim_pod_init(&p, &pod_site, 0.6e6, 0);
    for (int i = 0; i < 20000; i++) {
        double now_s = 0.1 * i;
        if (random_draw(&r, 0.0, 1.0) < 0.05) {
            struct sim_order o = order("x", 0.0, 1.0, 0.0);
            snprintf(o.id, sizeof(o.id), "%d", i);
            o.ts_ms = NOW_MS + (int64_t)i * 100;
            o.ttl_s = random_draw(&r, 1.0, 20.0);
            o.ramp_s = random_draw(&r, 0.0, 10.0);
            o.cap_w = random_draw(&r, 0.0, 2e6);
            const char *detail = NULL;
            assert_int_equal(
                sim_lease_offer(&p.lease, &o, false, o.ts_ms, now_s, &detail),
                ACK_APPLIED);
            (void)sim_pod_take(&p, &o, random_draw(&r, 0.3e6, 1.2e6), now_s);
        }
        double cap_w = sim_pod_tick(&p, now_s);
        assert_true(cap_w >= 0.4e6 && cap_w <= 1.2e6);
    }
}

/* The number under 'key' of a JSON text. */
static double number(const char *json, const char *key)
{
    cJSON *root = cJSON_Parse(json);
    assert_non_null(root);
    const cJSON *item = cJSON_GetObjectItem(root, key);
    double x = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    cJSON_Delete(root);
    return x;
}

static void test_a_pod_reports_parts_that_add_up(void **state)
{
    (void)state;
    struct pod_in seen = {.power_w = reading_good(0.9e6, 1),
                          .servers_w = reading_good(0.75e6, 1),
                          .network_w = reading_good(0.05e6, 1),
                          .distribution_w = reading_good(0.03e6, 1),
                          .cooling_w = reading_good(0.07e6, 1),
                          .cap_w = reading_good(1.2e6, 1),
                          .cap_min_w = reading_good(0.4e6, 1),
                          .cap_max_w = reading_good(1.2e6, 1),
                          .safe_w = reading_good(0.6e6, 1),
                          .inlet_c = reading_good(24.0, 1),
                          .coolant_c = reading_good(30.0, 1)};
    char *text = sim_json_pod(&(struct sim_pod_report){.site = &pod_site,
                                                       .seen = &seen,
                                                       .demand_w = 0.9e6,
                                                       .utc_ms = NOW_MS,
                                                       .boot = "b",
                                                       .checkpoint_s = NAN,
                                                       .job = ""});
    cJSON *root = cJSON_Parse(text);
    const cJSON *part = NULL;
    double sum_w = 0.0;
    cJSON_ArrayForEach(part, cJSON_GetObjectItem(root, "parts"))
    {
        sum_w += part->valuedouble;
    }
    assert_true(fabs(sum_w - 0.9e6) < 3.0);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(root, "checkpoint_s")));
    assert_true(number(text, "gpus") == 576.0);
    cJSON_Delete(root);
    free(text);
}

static void test_prices_are_labelled_and_the_same_all_day(void **state)
{
    (void)state;
    struct site_price market = {.market = "day_ahead",
                                .fallback_per_kwh = 0.045};
    char *a = sim_json_price(&market, "USD", 1, NOW_MS);
    char *b = sim_json_price(&market, "USD", 1, NOW_MS + 3600000);
    assert_non_null(strstr(a, "\"synthetic\":true"));
    assert_non_null(strstr(a, "\"start\":\"2026-11-21T00:00:00Z\""));
    assert_non_null(strstr(a, "\"unit\":\"MWh\""));
    assert_string_equal(strstr(a, "\"values\""), strstr(b, "\"values\""));
    cJSON *root = cJSON_Parse(a);
    const cJSON *values = cJSON_GetObjectItem(root, "values");
    assert_int_equal(cJSON_GetArraySize(values), 48);
    const cJSON *v = NULL;
    cJSON_ArrayForEach(v, values)
    {
        assert_true(v->valuedouble > 5.0 && v->valuedouble < 150.0);
    }
    cJSON_Delete(root);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payloads_are_taken_or_refused),
        cmocka_unit_test(test_an_order_is_judged_by_age_id_and_retain_flag),
        cmocka_unit_test(test_a_pod_holds_then_goes_safe),
        cmocka_unit_test(test_a_floor_goes_down_slowly_after_its_lease),
        cmocka_unit_test(test_a_car_without_a_controller_stops_computing),
        cmocka_unit_test(test_a_cap_never_leaves_its_range),
        cmocka_unit_test(test_a_pod_reports_parts_that_add_up),
        cmocka_unit_test(test_prices_are_labelled_and_the_same_all_day),
    };
    return cmocka_run_group_tests_name("sim_order", tests, NULL, NULL);
}
