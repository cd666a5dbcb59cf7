/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/site_file: a good file and what becomes of it, a table
 * of single changes to it with the exact fault, seeded damage to the shipped
 * demo site, and the files that are no site files at all. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/site_file.h"

enum { FAULTS_MAX = 64, TEXT_MAX = 8192 };

/* Every value occurs once, so that a change hits one place. */
static const char good[] =
    "site: {name: plant, time_zone: Europe/Berlin, currency: EUR}\n"
    "grid:\n"
    "  import_max: 160 MW\n"
    "  export_max: 0 MW\n"
    "  ramp_max: 10 MW/min\n"
    "  ramp_average: 11 s\n"
    "  swing_average: 3 s\n"
    "  bands: [[0.05 Hz, 0.25 Hz, 1 MW], [0.26 Hz, 0.8 Hz, 2 MW]]\n"
    "  contingencies: [{name: hall trip, drop: 60 MW}, {name: job, rise: "
    "40 MW}]\n"
    "  demand_charge: 12 EUR/kW\n"
    "  meter: {modbus: {host: meter.lan, port: 1601, unit: 1, map: "
    "sunspec-meter}}\n"
    "batteries:\n"
    "  - name: bess1\n"
    "    kind: megablock\n"
    "    units: 4\n"
    "    energy: 20 MWh\n"
    "    charge_max: 10 MW\n"
    "    discharge_max: 9 MW\n"
    "    efficiency: 91 %\n"
    "    soc_min: 15 %\n"
    "    soc_max: 85 %\n"
    "    chemistry: nmc\n"
    "    reserve: 2 MWh\n"
    "    modbus: {host: bess.lan, port: 1602, unit: 7, map: sunspec}\n"
    "    sim: {response: 150 ms, delay: 200 ms}\n"
    "classes:\n"
    "  - {name: training, value: 4 EUR/kWh, firm: true}\n"
    "  - {name: batch, value: 1 EUR/kWh, firm: false, deadline: 8 h}\n"
    "pods:\n"
    "  - {name: pod1, profile: gb200_nvl72, racks: 8, power_max: 1.2 MW, "
    "cap_min: 0.4 MW, priority: 2, class: training}\n"
    "  - {name: hall1, profile: generic, count: 3, power_max: 1.5 MW, "
    "cap_min: 0.5 MW, class: batch}\n"
    "fleets:\n"
    "  - {name: lot1, nodes: 200, profile: ai5, chemistry: nca, pack: 75 kWh, "
    "class: training}\n"
    "  - {name: lot2, nodes: 30, profile: hw4, compute: 170 W, chemistry: "
    "lfp, pack: 60 kWh, class: batch, behind_poi: false,"
    "     from_pack: true, replacement_cost: 90 EUR/kWh, energy_paid: "
    "0.31 EUR/kWh, consumption: 200 Wh/km, wear_budget: 2.5 ppm/d,"
    "     warranty: {loss: 20 %, life: 10 y, distance: 240000 km, "
    "expected_loss: 7 %, wear_share: 9 %, distance_share: 6 %}}\n"
    "other_load: {pue: 1.15, lag: 5 min}\n"
    "prices: [{market: day_ahead, fallback: 45 EUR/MWh}]\n"
    "utility: {openadr: {base: \"http://vtn.lan/openadr3\", client: ven1, "
    "secret_file: secrets/openadr, program: dc}, subscribed_import: 150 MW}\n"
    "mqtt: {host: broker.lan, port: 1883}\n"
    "control: {period: 100 ms, plan_every: 5 min, horizon: 36 h}\n"
    "http: {listen: \"127.0.0.1:8080\"}\n";

struct faults {
    int n;
    char text[FAULTS_MAX][700];
};

static void collect(void *user, const char *message)
{
    struct faults *f = user;
    if (f->n < FAULTS_MAX) {
        snprintf(f->text[f->n], sizeof(f->text[0]), "%s", message);
    }
    f->n++;
}

static struct site site;
static struct faults faults;

static enum err parse(const char *path, const char *text, size_t size)
{
    memset(&site, 0xa5, sizeof(site));
    faults.n = 0;
    return site_file_parse(path, text, size, &site, collect, &faults);
}

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

/* 'good' with the first 'from' replaced by 'to'. */
static size_t changed(const char *from, const char *to, char out[TEXT_MAX])
{
    const char *at = strstr(good, from);
    assert_non_null(at);
    int n = snprintf(out, TEXT_MAX, "%.*s%s%s", (int)(at - good), good, to,
                     at + strlen(from));
    assert_true(n < TEXT_MAX);
    return (size_t)n;
}

/* "LINE:COLUMN" of 'mark' in 'text'. */
static void place_of(const char *text, const char *mark, char out[32])
{
    const char *at = strstr(text, mark);
    assert_non_null(at);
    int line = 1;
    const char *start = text;
    for (const char *p = text; p < at; p++) {
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    }
    snprintf(out, 32, "%d:%d", line, (int)(at - start) + 1);
}

/* One change to the good file: where the fault is (at the text 'at') and what
 * is said behind the place. */
struct change {
    const char *from;
    const char *to;
    const char *at;
    const char *says;
};

static void run_changes(const struct change *rows, size_t n)
{
    int n_wrong = 0;
    for (size_t i = 0; i < n; i++) {
        static char text[TEXT_MAX];
        size_t size = changed(rows[i].from, rows[i].to, text);
        char place[32];
        char want[800];
        place_of(text, rows[i].at, place);
        snprintf(want, sizeof(want), "t.yaml:%s: %s", place, rows[i].says);
        enum err e = parse("t.yaml", text, size);
        if (e != ERR_SYNTAX || faults.n != 1 ||
            strcmp(faults.text[0], want) != 0) {
            print_error("%s -> %s: %d faults\n got %s\nwant %s\n", rows[i].from,
                        rows[i].to, faults.n,
                        faults.n > 0 ? faults.text[0] : "", want);
            n_wrong++;
        }
    }
    assert_int_equal(n_wrong, 0);
}

#define POWER "expected a power (W, kW, MW, GW)"

static void test_wrong_values(void **state)
{
    (void)state;
    static const struct change rows[] = {
        {"20 MWh", "3.9 MW", "3.9 MW",
         "battery.bess1.energy: \"3.9 MW\": expected an energy (Wh, kWh, "
         "MWh)"},
        {"20 MWh", "nan", "nan",
         "battery.bess1.energy: \"nan\": expected an energy (Wh, kWh, MWh)"},
        {"2.5 ppm/d", "2.5 ppm", "2.5 ppm",
         "fleet.lot2.wear_budget: \"2.5 ppm\": expected a wear (ppm/d, %/y)"},
        {"240000 km", "240 km", "240 km",
         "fleet.lot2.warranty.distance: \"240 km\": expected a distance (km, "
         "mi) from 1000 km to 10000000 km"},
        {"160 MW", "nan MW", "nan MW", "grid.import_max: \"nan MW\": " POWER},
        {"160 MW", "inf MW", "inf MW", "grid.import_max: \"inf MW\": " POWER},
        {"160 MW", ".inf", ".inf", "grid.import_max: \".inf\": " POWER},
        {"160 MW", "1e999 MW", "1e999",
         "grid.import_max: \"1e999 MW\": " POWER},
        {"160 MW", "0x10 MW", "0x10", "grid.import_max: \"0x10 MW\": " POWER},
        {"160 MW", "160", "160\n", "grid.import_max: \"160\": " POWER},
        {"160 MW", "160 mw", "160 mw", "grid.import_max: \"160 mw\": " POWER},
        {"160 MW", "160 MW please", "160 MW p",
         "grid.import_max: \"160 MW please\": " POWER},
        {"160 MW", "'160 MW\t'", "'160",
         "grid.import_max: \"160 MW?\": " POWER},
        {"160 MW", "\"1\\0 MW\"", "\"1\\0",
         "grid.import_max: " POWER " from 1 W to 100 GW"},
        {"160 MW", "0 W", "0 W",
         "grid.import_max: \"0 W\": " POWER " from 1 W to 100 GW"},
        {"160 MW", "[160 MW]", "[160",
         "grid.import_max: " POWER " from 1 W to 100 GW"},
        {"export_max: 0 MW", "export_max: -1 MW", "-1 MW",
         "grid.export_max: \"-1 MW\": " POWER " from 0 W to 100 GW"},
        {"10 MW/min", "10 MW", "10 MW\n",
         "grid.ramp_max: \"10 MW\": expected a ramp (W/s, kW/s, MW/s, kW/min, "
         "MW/min)"},
        {"91 %", "30 %", "30 %",
         "battery.bess1.efficiency: \"30 %\": expected a fraction (%, pu) from "
         "50 % to 100 %"},
        {"91 %", "0.91", "0.91",
         "battery.bess1.efficiency: \"0.91\": expected a fraction (%, pu)"},
        {"units: 4", "units: 4.0", "4.0",
         "battery.bess1.units: \"4.0\": expected a whole number"},
        {"units: 4", "units: 010", "010",
         "battery.bess1.units: \"010\": expected a whole number"},
        {"units: 4", "units: -1", "-1",
         "battery.bess1.units: \"-1\": expected a whole number"},
        {"units: 4", "units: \"4\"", "\"4\"",
         "battery.bess1.units: \"4\": expected a whole number, without "
         "quotes"},
        {"units: 4", "units: 99999999999999999999", "9999999",
         "battery.bess1.units: \"99999999999999999999\": expected a whole "
         "number from 1 to 1000"},
        {"port: 1601", "port: 65536", "65536",
         "grid.meter.modbus.port: \"65536\": expected a whole number from 1 "
         "to 65535"},
        {"firm: true", "firm: yes", "yes",
         "class.training.firm: \"yes\": expected true or false"},
        {"firm: true", "firm: True", "True",
         "class.training.firm: \"True\": expected true or false"},
        {"firm: true", "firm: 'true'", "'true'",
         "class.training.firm: \"true\": expected true or false, without "
         "quotes"},
        {"pue: 1.15", "pue: 0.9", "0.9,",
         "other_load.pue: \"0.9\": expected a plain number from 1 to 5"},
        {"pue: 1.15", "pue: 115 %", "115 %",
         "other_load.pue: \"115 %\": expected a plain number"},
        {"45 EUR/MWh", "45 USD/MWh", "45 USD",
         "price.day_ahead.fallback: \"45 USD/MWh\": expected a price "
         "(EUR/kWh, EUR/MWh): site.currency at 1:57 is EUR"},
        {"12 EUR/kW", "12 EUR/kWh", "12 EUR",
         "grid.demand_charge: \"12 EUR/kWh\": expected a price (EUR/kW, "
         "EUR/MW)"},
        {"period: 100 ms", "period: 10 ms", "10 ms",
         "control.period: \"10 ms\": expected a duration (ms, s, min, h, d) "
         "from 20 ms to 10 s"},
        {"horizon: 36 h", "horizon: 12 h", "12 h",
         "control.horizon: \"12 h\": expected a duration (ms, s, min, h, d) "
         "from 24 h to 48 h"},
        {"[0.05 Hz, 0.25 Hz, 1 MW]", "[0.05 Hz, 0.25 Hz]", "[0.05",
         "grid.bands[1]: expected [from, to, rms]"},
        {"0.8 Hz", "0.8", "0.8,",
         "grid.bands[2].to: \"0.8\": expected a frequency (mHz, Hz)"},
    };
    run_changes(rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_wrong_words(void **state)
{
    (void)state;
    static const struct change rows[] = {
        {"kind: megablock", "kind: megablok", "megablok",
         "battery.bess1.kind: \"megablok\": expected megapack, megablock or "
         "generic: did you mean megablock?"},
        {"kind: megablock", "kind: diesel", "diesel",
         "battery.bess1.kind: \"diesel\": expected megapack, megablock or "
         "generic"},
        {"chemistry: nmc\n", "chemistry: NMC\n", "NMC",
         "battery.bess1.chemistry: \"NMC\": expected lfp, lfp_naumann, nca, "
         "nmc or nmc_schmalstieg"},
        {"swing_average:", "swing_avrage:", "swing_avrage",
         "grid.swing_avrage: \"swing_avrage\": expected a known key: did you "
         "mean swing_average?"},
        {"control:", "contrl:", "contrl",
         "contrl: \"contrl\": expected a known key: did you mean control?"},
        {"lag: 5 min", "lag: 5 min, colour: red", "colour",
         "other_load.colour: \"colour\": expected a known key: pue, lag"},
        {"class: batch, behind", "class: bacth, behind", "bacth",
         "fleet.lot2.class: \"bacth\": expected one of the classes training, "
         "batch: did you mean batch?"},
        {"Europe/Berlin", "Europe/Berlim", "Europe/Berlim",
         "site.time_zone: \"Europe/Berlim\": expected a time zone such as "
         "America/Chicago"},
        {"Europe/Berlin", "../../etc/passwd", "../../etc",
         "site.time_zone: \"../../etc/passwd\": expected a time zone such as "
         "America/Chicago"},
        {"name: plant", "name: my plant", "my plant",
         "site.name: \"my plant\": expected a name of at most 47 letters, "
         "digits, _ or -"},
        {"name: plant", "name: a/b", "a/b",
         "site.name: \"a/b\": expected a name of at most 47 letters, digits, "
         "_ or -"},
        {"name: bess1", "name: b;DROP", "b;DROP",
         "battery.b;DROP.name: \"b;DROP\": expected a name of at most 47 "
         "letters, digits, _ or -"},
        {"http://vtn.lan/openadr3", "ftp://vtn.lan", "\"ftp",
         "utility.openadr.base: \"ftp://vtn.lan\": expected an address that "
         "begins with http:// or https://"},
        {"127.0.0.1:8080", "127.0.0.1", "\"127",
         "http.listen: \"127.0.0.1\": expected an address and a port such as "
         "127.0.0.1:8080"},
        {"broker.lan", "broker lan", "broker lan",
         "mqtt.host: \"broker lan\": expected a host name or address"},
        {"market: day_ahead", "market: day_ahead, topic: a/#", "a/#",
         "price.day_ahead.topic: \"a/#\": expected an MQTT topic without + "
         "and #"},
    };
    if (access("/usr/share/zoneinfo", R_OK) != 0) {
        print_message("no zone data here: bad zones are not recognised\n");
        skip();
    }
    run_changes(rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_wrong_shape(void **state)
{
    (void)state;
    static const struct change rows[] = {
        {"    soc_min: 15 %\n", "    soc_min: 15 %\n    soc_min: 16 %\n",
         "soc_min: 16",
         "battery.bess1.soc_min: \"soc_min\": expected each key once (first "
         "at 20:5)"},
        {"  export_max: 0 MW\n", "", "import_max: 160",
         "grid.export_max: missing: " POWER " from 0 W to 100 GW"},
        {"    energy: 20 MWh\n", "", "name: bess1",
         "battery.bess1.energy: missing: expected an energy (Wh, kWh, MWh) "
         "from 1 Wh to 100 GWh"},
        {"name: lot1, ", "", "{nodes: 200",
         "fleets[1].name: missing: expected a name of at most 47 letters, "
         "digits, _ or -"},
        {"{host: broker.lan, port: 1883}", "broker.lan", "broker.lan",
         "mqtt: \"broker.lan\": expected a section with host, port, ca_file, "
         "cert_file, key_file, user, password_file"},
        {"[{market: day_ahead, fallback: 45 EUR/MWh}]",
         "{market: day_ahead, fallback: 45 EUR/MWh}", "{market",
         "prices: expected a list ([] for none)"},
        {" [{market: day_ahead, fallback: 45 EUR/MWh}]", "", "\nutility",
         "prices: \"\": expected a list ([] for none)"},
        {"{pue: 1.15, lag: 5 min}", "{? [a] : b, pue: 1.15, lag: 5 min}", "[a]",
         "other_load: expected a plain word as key"},
        {"[[0.05 Hz, 0.25 Hz, 1 MW], [0.26 Hz, 0.8 Hz, 2 MW]]", "[3]", "3]",
         "grid.bands[1]: expected [from, to, rms]"},
        {"160 MW", "&a 160 MW", "&a",
         "yaml: \"a\": expected no anchors "
         "(&name)"},
        {"160 MW", "!power 160 MW", "!power",
         "yaml: \"!power\": expected no tags (!name)"},
        {"160 MW", "[[[[[[[[[]]]]]]]]]", "[[[]]]]]]]]]",
         "yaml: expected sections and lists nested at most 8 deep"},
        {"grid:\n", "---\ngrid:\n", "---",
         "yaml: \"---\": expected one document in the file"},
    };
    run_changes(rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_contradictions(void **state)
{
    (void)state;
    static const struct change rows[] = {
        {"soc_min: 15 %", "soc_min: 85 %", "85 %",
         "battery.bess1.soc_min: \"85 %\": expected soc_min below soc_max "
         "(battery.bess1.soc_max is \"85 %\" at 21:14)"},
        {"reserve: 2 MWh", "reserve: 14.1 MWh", "14.1",
         "battery.bess1.reserve: \"14.1 MWh\": expected a reserve within the "
         "14 MWh between soc_min and soc_max (battery.bess1.energy is \"20 "
         "MWh\" at 16:13)"},
        {"cap_min: 0.4 MW", "cap_min: 1.3 MW", "1.3 MW",
         "pod.pod1.cap_min: \"1.3 MW\": expected cap_min not above power_max "
         "(pod.pod1.power_max is \"1.2 MW\" at 30:61)"},
        {"  export_max", "  import_trip: 150 MW\n  export_max", "150 MW",
         "grid.import_trip: \"150 MW\": expected import_trip not below "
         "import_max (grid.import_max is \"160 MW\" at 3:15)"},
        {"name: lot2", "name: hall1-002", "hall1-002",
         "fleet.hall1-002.name: \"hall1-002\": expected a name that no other "
         "asset has (pod.hall1.name is \"hall1\" at 31:12)"},
        {"name: pod1", "name: bess1", "bess1, ",
         "pod.bess1.name: \"bess1\": expected a name that no other asset has "
         "(battery.bess1.name is \"bess1\" at 13:11)"},
        {"host: bess.lan, port: 1602, unit: 7",
         "host: meter.lan, port: 1601, unit: 1",
         "meter.lan, port: 1601, unit: 1, map: sunspec}\n",
         "battery.bess1.modbus.host: \"meter.lan\": expected another host, "
         "port or unit than the device at meter.lan:1601 unit 1 "
         "(grid.meter.modbus.host is \"meter.lan\" at 11:26)"},
        {"plan_every: 5 min", "plan_every: 40 h", "36 h",
         "control.horizon: \"36 h\": expected a horizon not shorter than "
         "plan_every (control.plan_every is \"40 h\" at 39:39)"},
        {"0.05 Hz", "0.25 Hz", "0.25 Hz",
         "grid.bands[1].from: \"0.25 Hz\": expected from below to "
         "(grid.bands[1].to is \"0.25 Hz\" at 8:21)"},
        {"0.8 Hz", "6 Hz", "6 Hz, 2",
         "grid.bands[2].to: \"6 Hz\": expected at most 5 Hz, half the control "
         "rate (control.period is \"100 ms\" at 39:19)"},
        {"swing_average: 3 s", "swing_average: 50 ms", "50 ms",
         "grid.swing_average: \"50 ms\": expected at least one control period "
         "(control.period is \"100 ms\" at 39:19)"},
        {"  ramp_average: 11 s\n  swing_average: 3 s\n",
         "  import_average: 600 s\n", "600 s",
         "grid.import_average: \"600 s\": expected at most 4096 control "
         "periods (control.period is "
         "\"100 ms\" at 38:19)"},
        {"delay: 200 ms", "delay: 6.5 s", "6.5 s",
         "battery.bess1.sim.delay: \"6.5 s\": expected a delay of at most 64 "
         "control periods (control.period is \"100 ms\" at 39:19)"},
        {"delay: 200 ms", "delay: 250 ms", "250 ms",
         "battery.bess1.sim.delay: \"250 ms\": expected a delay of whole "
         "control periods (control.period is \"100 ms\" at 39:19)"},
        {"pack: 75 kWh", "takes_over: true, pack: 75 kWh", "true, pack",
         "fleet.lot1.takes_over: \"true\": expected false, or behind_poi: "
         "false: behind the grid connection the cars would bring back the "
         "load that the pods are throttled for"},
        {"pack: 75 kWh", "warranty: {expected_loss: 31 %}, pack: 75 kWh", "31",
         "fleet.lot1.warranty.expected_loss: \"31 %\": expected less than "
         "loss, or a wear_budget: nothing is left for compute "
         "(fleet.lot1.warranty.loss is 30 % by default)"},
        {"drop: 60 MW", "drop: 0 MW", "hall trip",
         "grid.contingency.hall trip.name: \"hall trip\": expected a drop, a "
         "rise or both"},
        {"firm: false, deadline: 8 h", "firm: false", "false",
         "class.batch.firm: \"false\": expected a deadline of a class that is "
         "not firm (class.batch.deadline is none by default)"},
        {"firm: false", "firm: true ", "8 h",
         "class.batch.deadline: \"8 h\": expected no deadline of a class that "
         "is firm (class.batch.firm is \"true\" at 28:43)"},
        {"deadline: 8 h}\n",
         "deadline: 8 h}\n  - {name: batch, value: 2 EUR/kWh, firm: true}\n",
         "batch, value: 2",
         "class.batch.name: \"batch\": expected a name that no other class "
         "has (class.batch.name is \"batch\" at 28:12)"},
        {"count: 3", "count: 1024", "1024",
         "pod.hall1.count: \"1024\": expected at most 1024 pods in all"},
        {"nodes: 200", "nodes: 999999", "30, profile",
         "fleet.lot2.nodes: \"30\": expected at most 1000000 vehicles over "
         "all fleets"},
        {"name: hall1", "name: h23456789012345678901234567890123456789012345",
         "h2345",
         "pod.h23456789012345678901234567890123456789012345.name: "
         "\"h23456789012345678901234567890123456789012345\": expected a "
         "shorter name: with its number it would have 49 letters, 47 at "
         "most"},
        {"port: 1883}", "port: 1883, cert_file: c.pem, ca_file: a.pem}",
         "c.pem",
         "mqtt.cert_file: \"c.pem\": expected a key_file beside cert_file"},
        {"port: 1883}", "port: 1883, password_file: p}", "p}\ncontrol",
         "mqtt.password_file: \"p\": expected a user for the password"},
        {"fallback: 45 EUR/MWh}]",
         "fallback: 45 EUR/MWh}, {market: day_ahead, topic: x, fallback: 1 "
         "EUR/MWh}]",
         "day_ahead, topic",
         "price.day_ahead.market: \"day_ahead\": expected a market named once "
         "(price.day_ahead.market is \"day_ahead\" at 36:19)"},
    };
    run_changes(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Faults that bring others along: each is told, in the order of the file. */
static void test_tells_all_in_order(void **state)
{
    (void)state;
    static const char text[] = "site: {name: s, currency: usd}\n"
                               "grid:\n"
                               "  ramp_max: 5\n"
                               "  import_max: no\n"
                               "pods:\n"
                               "  - {name: p, class: x}\n";
    assert_int_equal(parse("t.yaml", text, strlen(text)), ERR_SYNTAX);
    static const char *const begins[] = {
        "t.yaml:1:7: site.time_zone: missing",
        "t.yaml:1:27: site.currency: \"usd\": expected a currency code",
        "t.yaml:3:3: grid.export_max: missing",
        "t.yaml:3:13: grid.ramp_max: \"5\": expected a ramp",
        "t.yaml:4:15: grid.import_max: \"no\": expected a power",
        "t.yaml:6:5: pod.p.profile: missing: expected generic or gb200_nvl72",
        "t.yaml:6:5: pod.p.power_max: missing",
        "t.yaml:6:5: pod.p.cap_min: missing",
        "t.yaml:6:22: pod.p.class: \"x\": expected a class, but the file has "
        "no classes",
    };
    int n = (int)(sizeof(begins) / sizeof(begins[0]));
    for (int i = 0; i < n && i < faults.n; i++) {
        if (strncmp(faults.text[i], begins[i], strlen(begins[i])) != 0) {
            fail_msg("fault %d\n got %s\nwant %s", i, faults.text[i],
                     begins[i]);
        }
    }
    assert_int_equal(faults.n, n);
}

static void expect_single(const char *text, size_t size, const char *want)
{
    assert_int_equal(parse("t.yaml", text, size), ERR_SYNTAX);
    if (faults.n != 1 || strcmp(faults.text[0], want) != 0) {
        fail_msg("%d faults\n got %s\nwant %s", faults.n,
                 faults.n > 0 ? faults.text[0] : "", want);
    }
}

static void test_no_site_file_at_all(void **state)
{
    (void)state;
    static const char empty[] =
        "t.yaml:1:1: file: empty: expected site:, grid: and the assets";
    expect_single("", 0, empty);
    expect_single("# only this\n", 12, empty);
    static const char junk[] = "ok: 1\n\x01\x02\xff\xfe";
    expect_single(junk, sizeof(junk) - 1,
                  "t.yaml:2:1: yaml: expected a text file in UTF-8: control "
                  "characters are not allowed");
    static const char utf8[] = "site: \xff";
    expect_single(utf8, sizeof(utf8) - 1,
                  "t.yaml:1:7: yaml: expected a text file in UTF-8: invalid "
                  "leading UTF-8 octet");
    static const char open[] = "site: {name: x\ngrid: 3\n";
    expect_single(open, sizeof(open) - 1,
                  "t.yaml:2:5: yaml: expected valid YAML: did not find "
                  "expected ',' or '}', while parsing a flow mapping that "
                  "begins at 1:7");
    static const char alias[] = "site: *s\n";
    expect_single(alias, sizeof(alias) - 1,
                  "t.yaml:1:7: yaml: \"s\": expected no aliases (*name)");
    expect_single("3\n", 2,
                  "t.yaml:1:1: file: \"3\": expected a section with site, "
                  "control, grid, classes, batteries, pods, fleets, "
                  "other_load, prices, utility, mqtt, history, http");
}

/* Sizes that must cost neither time nor memory. */
static void test_large_input(void **state)
{
    (void)state;
    size_t size = (1 << 20) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '[', size);
    assert_int_equal(parse("t.yaml", text, size), ERR_SYNTAX);
    assert_string_equal(faults.text[0],
                        "t.yaml:1:1: file: expected at most 1048576 bytes");
    assert_int_equal(parse("t.yaml", text, size - 1), ERR_SYNTAX);
    assert_int_equal(faults.n, 1);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        memcpy(text + i, "a:1\n", 4);
    }
    assert_int_equal(parse("t.yaml", text, size - 1), ERR_SYNTAX);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        memcpy(text + i, "a: \n", 4);
    }
    assert_int_equal(parse("t.yaml", text, size - 1), ERR_SYNTAX);
    assert_in_range(faults.n, 3, 600);
    free(text);
}

static uint64_t draw(uint64_t *s, uint64_t below)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return (*s * 2685821657736338717u) % below;
}

/* A few flips, deletions, copies, or a truncation. */
static size_t damage(char *text, size_t size, uint64_t *seed)
{
    static const char likely[] = "\0\n:{}[],#&*!|>'\"%@`-? \t0x9e+aZ\xc3\xff";
    size_t n = 1 + draw(seed, 4);
    for (size_t i = 0; i < n && size > 1; i++) {
        size_t at = draw(seed, size);
        switch (draw(seed, 5)) {
        case 0:
            text[at] = (char)(text[at] ^ (1 << draw(seed, 8)));
            break;
        case 1:
            text[at] = likely[draw(seed, sizeof(likely))];
            break;
        case 2: {
            size_t cut = 1 + draw(seed, 12);
            cut = cut < size - at ? cut : size - at;
            memmove(text + at, text + at + cut, size - at - cut);
            size -= cut;
            break;
        }
        case 3:
            text[at] = text[draw(seed, size)];
            break;
        default:
            if (draw(seed, 4) == 0) {
                size = at;
            }
            break;
        }
    }
    return size;
}

/* "PATH:LINE:COLUMN: " with both from 1. */
static int has_place(const char *fault)
{
    int line = 0;
    int column = 0;
    int n = 0;
    return sscanf(fault, "demo:%d:%d: %n", &line, &column, &n) == 2 && n > 0 &&
           line >= 1 && column >= 1 && fault[n] != '\0';
}

static int plausible(void)
{
    const struct site_battery *b = &site.batteries[0];
    return isfinite(site.grid.import_max_w) && site.grid.import_max_w > 0.0 &&
           site.grid.import_trip_w >= site.grid.import_max_w &&
           site.control.period_s >= 0.02 && site.n_pods <= SITE_PODS_MAX &&
           (site.n_batteries == 0 ||
            (isfinite(b->energy_wh) && b->soc_min_pu < b->soc_max_pu &&
             isfinite(b->sim_soc_start_pu)));
}

static void test_damage_is_told_or_harmless(void **state)
{
    (void)state;
    char *whole = NULL;
    size_t size = 0;
    assert_int_equal(site_file_read("replay/sites/demo.yaml", &whole, &size),
                     ERR_NONE);
    int n_good = 0;
    uint64_t seed = 20240601;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 4000; i++) {
        uint64_t before = seed;
        char *text = malloc(size + 1);
        assert_non_null(text);
        memcpy(text, whole, size);
        size_t n = damage(text, size, &seed);
        enum err e = parse("demo", text, n);
        int ok = e == ERR_NONE ? faults.n == 0 && plausible() : faults.n >= 1;
        for (int k = 0; k < faults.n && k < FAULTS_MAX && ok; k++) {
            ok = has_place(faults.text[k]);
        }
        if (!ok) {
            fail_msg("run %d, seed %llu: error %d, %d faults, first: %s", i,
                     (unsigned long long)before, (int)e, faults.n,
                     faults.n > 0 ? faults.text[0] : "");
        }
        n_good += e == ERR_NONE;
        free(text);
    }
    free(whole);
    print_message("%d of 4000 damaged files still parse\n", n_good);
    assert_in_range(n_good, 40, 3900);
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
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_words),
        cmocka_unit_test(test_wrong_shape),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_tells_all_in_order),
        cmocka_unit_test(test_no_site_file_at_all),
        cmocka_unit_test(test_large_input),
        cmocka_unit_test(test_damage_is_told_or_harmless),
        cmocka_unit_test(test_reads_and_loads),
    };
    return cmocka_run_group_tests_name("site_file", tests, NULL, NULL);
}
