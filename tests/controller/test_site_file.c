/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/site_file: a good file and what becomes of it. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/site_file.h"
#include "tests/controller/site_file_fixture.h"

static void assert_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * fmax(1.0, fabs(want)))) {
        fail_msg("got %.17g, want %.17g", got, want);
    }
}

static void test_reads_values(void **state)
{
    (void)state;
    enum err e = parse("t.yaml", good, strlen(good));
    if (e != ERR_NONE) {
        fail_msg("the good file is refused: %s", faults.text[0]);
    }
    assert_string_equal(site.name, "plant");
    assert_string_equal(site.currency, "EUR");
    assert_near(site.grid.ramp_max_w_per_s, 1e7 / 60.0);
    assert_near(site.grid.ramp_average_s, 11.0);
    assert_int_equal(site.grid.n_bands, 2);
    assert_near(site.grid.bands[1].to_hz, 0.8);
    assert_near(site.grid.bands[1].rms_max_w, 2e6);
    assert_true(site.grid.contingencies_given);
    assert_int_equal(site.grid.n_contingencies, 2);
    assert_string_equal(site.grid.contingencies[0].name, "hall trip");
    assert_near(site.grid.contingencies[0].drop_w, 60e6);
    assert_near(site.grid.contingencies[1].rise_w, 40e6);
    assert_true(site.grid.meter.present);
    assert_int_equal(site.grid.meter.port, 1601);
    const struct site_battery *b = &site.batteries[0];
    assert_int_equal(site.n_batteries, 1);
    assert_int_equal(b->kind, BATTERY_MEGABLOCK);
    assert_int_equal(b->chemistry, CHEMISTRY_NMC);
    assert_int_equal(b->units, 4);
    assert_near(b->energy_wh, 20e6);
    assert_near(b->discharge_max_w, 9e6);
    assert_near(b->efficiency_pu, 0.91);
    assert_near(b->sim_response_s, 0.15);
    assert_near(b->sim_delay_s, 0.2);
    assert_int_equal(b->modbus.unit, 7);
    assert_string_equal(b->modbus.map, "sunspec");
    assert_near(site.other.pue_pu, 1.15);
    assert_false(site.classes[1].firm);
    assert_near(site.classes[1].deadline_s, 8.0 * 3600.0);
    assert_near(site.prices[0].fallback_per_kwh, 0.045);
    assert_true(site.utility.present && site.utility.openadr);
    assert_near(site.utility.subscribed_import_w, 150e6);
    const struct site_baseline *base = &site.utility.baseline;
    assert_true(base->present);
    assert_int_equal(base->method, 0);
    assert_int_equal(base->high, 4);
    assert_int_equal(base->most, 5);
    assert_int_equal(base->look_back, 45);
    assert_int_equal(base->adjust, 2);
    assert_near(base->adjust_from_s, 4.0 * 3600.0);
    assert_near(base->cap_pu, 0.3);
    assert_string_equal(base->holidays, "2026-11-26,2026-12-25");
    assert_true(site.mqtt.present);
    assert_near(site.control.horizon_s, 36.0 * 3600.0);
    assert_string_equal(site.http_listen, "127.0.0.1:8080");
}

static void test_expands_pods_and_fleets(void **state)
{
    (void)state;
    assert_int_equal(parse("t.yaml", good, strlen(good)), ERR_NONE);
    static const char *const names[] = {"pod1", "hall1-001", "hall1-002",
                                        "hall1-003"};
    assert_int_equal(site.n_pods, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(site.pods[i].name, names[i]);
        assert_int_equal(site.pods[i].class_id, i == 0 ? 0 : 1);
    }
    assert_int_equal(site.pods[0].racks, 8);
    assert_int_equal(site.pods[0].priority, 2);
    assert_int_equal(site.pods[3].priority, 1);
    assert_int_equal(site.n_fleets, 2);
    assert_int_equal(site.fleets[0].first_node, 0);
    assert_int_equal(site.fleets[1].first_node, 200);
    assert_int_equal(site.n_nodes, 230);
    assert_near(site.fleets[0].compute_w, 800.0);
    assert_near(site.fleets[1].compute_w, 170.0);
    assert_true(site.fleets[0].behind_poi);
    assert_false(site.fleets[1].behind_poi);
}

static void test_reads_the_owners_terms(void **state)
{
    (void)state;
    assert_int_equal(parse("t.yaml", good, strlen(good)), ERR_NONE);
    const struct site_fleet *f = &site.fleets[0];
    assert_false(f->from_pack);
    assert_near(f->replacement_per_kwh, 130.0);
    assert_true(isnan(f->energy_per_kwh));
    assert_near(f->consumption_wh_per_km, 160.0);
    assert_near(f->warranty.loss_pu, 0.30);
    assert_near(f->warranty.expected_loss_pu, 0.13);
    assert_near(f->warranty.life_s, 8.0 * 365.25 * 86400.0);
    assert_near(f->warranty.distance_km, 160e3);
    assert_near(f->warranty.wear_share_pu, 0.10);
    assert_near(f->warranty.distance_share_pu, 0.05);
    assert_near(f->wear_ppm_per_day, 0.1 * 0.17 / 2922.0 * 1e6);
    f = &site.fleets[1];
    assert_true(f->from_pack);
    assert_near(f->replacement_per_kwh, 90.0);
    assert_near(f->energy_per_kwh, 0.31);
    assert_near(f->consumption_wh_per_km, 200.0);
    assert_near(f->warranty.loss_pu, 0.20);
    assert_near(f->warranty.expected_loss_pu, 0.07);
    assert_near(f->warranty.life_s, 10.0 * 365.25 * 86400.0);
    assert_near(f->warranty.distance_km, 240e3);
    assert_near(f->warranty.wear_share_pu, 0.09);
    assert_near(f->warranty.distance_share_pu, 0.06);
    assert_near(f->wear_ppm_per_day, 2.5);
}

static void test_reads_a_battery_s_warranty(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"400 EFC/y", NULL},
        {"400", "expected a cycling (EFC/y, EFC/d)"},
        {"0 EFC/y", "100000 EFC/y"},
    };
    for (int i = 0; i < 3; i++) {
        char text[512];
        int n = snprintf(
            text, sizeof(text),
            "site: {name: s, time_zone: UTC, currency: USD}\n"
            "grid: {import_max: 20 kW, export_max: 0 W, ramp_max: 1 kW/min}\n"
            "batteries:\n"
            "  - {name: b, kind: generic, energy: 10 kWh, charge_max: 5 kW, "
            "discharge_max: 5 kW, efficiency: 0.9 pu, soc_min: 20 %%, soc_max: "
            "80 %%, chemistry: lfp, warranty: {throughput: %s}}\n",
            rows[i][0]);
        enum err e = parse("t.yaml", text, (size_t)n);
        if (rows[i][1] == NULL) {
            assert_int_equal(e, ERR_NONE);
            assert_near(site.batteries[0].warranty_efc_per_y, 400.0);
        } else {
            assert_int_equal(e, ERR_SYNTAX);
            assert_non_null(strstr(faults.text[0], rows[i][1]));
        }
    }
}

static void test_defaults(void **state)
{
    (void)state;
    static const char text[] =
        "site: {name: s, time_zone: UTC, currency: USD}\n"
        "grid: {import_max: 20 kW, export_max: 0 W, ramp_max: 1 kW/min}\n"
        "batteries:\n"
        "  - {name: b, kind: generic, energy: 10 kWh, charge_max: 5 kW, "
        "discharge_max: 5 kW, efficiency: 0.9 pu, soc_min: 20 %, soc_max: "
        "80 %, chemistry: lfp}\n";
    if (parse("t.yaml", text, strlen(text)) != ERR_NONE) {
        fail_msg("refused: %s", faults.text[0]);
    }
    assert_near(site.grid.import_average_s, 60.0);
    assert_near(site.grid.import_trip_w, 22e3);
    assert_near(site.grid.ramp_average_s, 10.0);
    assert_true(isinf(site.grid.swing_max_w));
    assert_near(site.grid.swing_average_s, 2.0);
    assert_false(site.grid.contingencies_given);
    assert_near(site.grid.demand_charge_per_kw, 0.0);
    assert_near(site.grid.demand_interval_s, 900.0);
    assert_false(site.grid.meter.present);
    const struct site_battery *b = &site.batteries[0];
    assert_int_equal(b->units, 1);
    assert_true(isinf(b->transformer_va));
    assert_near(b->aux_w, 0.0);
    assert_near(b->replacement_per_kwh, 150.0);
    assert_true(isinf(b->warranty_efc_per_y));
    assert_near(b->sim_soc_start_pu, 0.5);
    assert_near(b->sim_response_s, 0.1);
    assert_near(b->sim_delay_s, 0.0);
    assert_false(b->modbus.present);
    assert_false(site.other.present || site.utility.present);
    assert_false(site.mqtt.present);
    assert_true(isinf(site.utility.subscribed_import_w));
    assert_near(site.control.period_s, 0.1);
    assert_near(site.control.plan_every_s, 300.0);
    assert_near(site.control.horizon_s, 48.0 * 3600.0);
    assert_string_equal(site.history.file, "ballast.db");
    assert_near(site.history.keep_s, 30.0 * 86400.0);
    assert_string_equal(site.http_listen, "");
    assert_int_equal(site.n_pods + site.n_fleets + site.n_prices, 0);
}

static void test_default_averages_give_way_to_a_long_period(void **state)
{
    (void)state;
    static const char text[] =
        "site: {name: s, time_zone: UTC, currency: USD}\n"
        "grid: {import_max: 20 kW, export_max: 0 W, ramp_max: 1 kW/min}\n"
        "batteries:\n"
        "  - {name: b, kind: generic, energy: 10 kWh, charge_max: 5 kW, "
        "discharge_max: 5 kW, efficiency: 0.9 pu, soc_min: 20 %, soc_max: "
        "80 %, chemistry: lfp}\n"
        "control: {period: 10 s}\n";
    if (parse("t.yaml", text, strlen(text)) != ERR_NONE) {
        fail_msg("refused: %s", faults.text[0]);
    }
    assert_near(site.grid.swing_average_s, 10.0);
    assert_near(site.grid.ramp_average_s, 10.0);
    assert_near(site.grid.import_average_s, 60.0);
}

static void test_price_topic_and_files(void **state)
{
    (void)state;
    assert_int_equal(parse("dir/t.yaml", good, strlen(good)), ERR_NONE);
    assert_string_equal(site.prices[0].topic,
                        "ballast/v1/plant/price/day_ahead");
    assert_string_equal(site.utility.secret_file, "dir/secrets/openadr");
    assert_int_equal(parse("t.yaml", good, strlen(good)), ERR_NONE);
    assert_string_equal(site.utility.secret_file, "secrets/openadr");
}

static void test_reads_and_loads(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    errno = 0;
    assert_int_equal(site_file_read("no/such/file", &text, &size), ERR_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(site_file_read("/", &text, &size), ERR_IO);
    assert_int_equal(site_file_read("/dev/zero", &text, &size), ERR_RANGE);
    assert_null(site_file_load("no/such/file"));
    static const struct {
        const char *path;
        int n_batteries;
        int n_pods;
        int n_nodes;
    } sites[] = {
        {"replay/sites/demo.yaml", 2, 10, 200},
        {"replay/sites/ten_megablocks.yaml", 10, 100, 0},
    };
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        struct site *s = site_file_load(sites[i].path);
        assert_non_null(s);
        assert_int_equal(s->n_batteries, sites[i].n_batteries);
        assert_int_equal(s->n_pods, sites[i].n_pods);
        assert_int_equal(s->n_nodes, sites[i].n_nodes);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_values),
        cmocka_unit_test(test_expands_pods_and_fleets),
        cmocka_unit_test(test_reads_the_owners_terms),
        cmocka_unit_test(test_reads_a_battery_s_warranty),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_default_averages_give_way_to_a_long_period),
        cmocka_unit_test(test_price_topic_and_files),
        cmocka_unit_test(test_reads_and_loads),
    };
    return cmocka_run_group_tests_name("site_file", tests, NULL, NULL);
}
