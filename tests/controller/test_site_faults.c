/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/site_file: what is said of a faulty file, by a table of
 * single changes to a good one with the exact fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/controller/site_file_fixture.h"

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

static const struct change wrong_values[] = {
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
    {"160 MW", "1e999 MW", "1e999", "grid.import_max: \"1e999 MW\": " POWER},
    {"160 MW", "0x10 MW", "0x10", "grid.import_max: \"0x10 MW\": " POWER},
    {"160 MW", "160", "160\n", "grid.import_max: \"160\": " POWER},
    {"160 MW", "160 mw", "160 mw", "grid.import_max: \"160 mw\": " POWER},
    {"160 MW", "160 MW please", "160 MW p",
     "grid.import_max: \"160 MW please\": " POWER},
    {"160 MW", "'160 MW\t'", "'160", "grid.import_max: \"160 MW?\": " POWER},
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

static void test_wrong_values(void **state)
{
    (void)state;
    run_changes(wrong_values, sizeof(wrong_values) / sizeof(wrong_values[0]));
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
        {"cap: 30 %", "cap: 3 MW", "3 MW",
         "utility.baseline.cap: \"3 MW\": expected a fraction (%, pu)"},
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

static const struct change contradictions[] = {
    {"high: 4, of: 5", "high: 6, of: 5", "6, of",
     "utility.baseline.high: \"6\": expected no more days than are "
     "compared (utility.baseline.of is \"5\" at 37:163)"},
    {"adjust: add", "adjust: add, adjust_from: 1 h", "1 h",
     "utility.baseline.adjust_from: \"1 h\": expected a time that begins "
     "before it ends (utility.baseline.adjust_to is 2 h by default)"},
    {"2026-12-25", "2026-13-25", "\"2026",
     "utility.baseline.holidays: \"2026-11-26,2026-13-25\": expected up "
     "to 64 days such as 2026-11-26,2026-12-25"},
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
     "rise, a stop or a battery"},
    {"drop: 60 MW", "battery: bess9", "bess9",
     "grid.contingency.hall trip.battery: \"bess9\": expected the name of "
     "a battery, or largest"},
    {"drop: 60 MW", "drop: 60 MW, battery: largest", "largest",
     "grid.contingency.hall trip.battery: \"largest\": expected no "
     "battery beside a drop, a rise or a stop"},
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
    {"port: 1883}", "port: 1883, cert_file: c.pem, ca_file: a.pem}", "c.pem",
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

static void test_contradictions(void **state)
{
    (void)state;
    run_changes(contradictions,
                sizeof(contradictions) / sizeof(contradictions[0]));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_words),
        cmocka_unit_test(test_wrong_shape),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_tells_all_in_order),
    };
    return cmocka_run_group_tests_name("site_faults", tests, NULL, NULL);
}
