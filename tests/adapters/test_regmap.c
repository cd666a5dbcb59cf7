/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the register map loader: faults with their JSON path, properties
 * of broken texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/regmap.h"

static struct regmap map; /* too large for the stack */
static char why[512];

static enum err parse(const char *text)
{
    why[0] = '\0';
    return regmap_parse(&map, "m.json", text, strlen(text), why, sizeof(why));
}

/* A sound map of one read and one written point. */
#define POWER "{\"id\":\"p\",\"addr\":10,\"type\":\"i16\",\"unit\":\"kW\"}"
#define SET                                                      \
    "{\"id\":\"w\",\"addr\":20,\"type\":\"i32\",\"unit\":\"W\"," \
    "\"min\":-1e6,\"max\":1e6,\"access\":\"rw\","                \
    "\"sign\":\"discharge_positive\"}"
#define ROLES "\"power\":\"p\",\"setpoint\":\"w\""
#define SEQ "\"setpoint\":[[\"w\",\"$w\"]]"

struct parts {
    const char *head; /* with its comma */
    const char *points;
    const char *roles;
    const char *sequences;
};

static const char *build(const struct parts *p)
{
    static char text[4096];
    snprintf(text, sizeof(text),
             "{\"name\":\"m\",%s\"points\":[%s],\"roles\":{%s},"
             "\"sequences\":{%s}}",
             p->head, p->points, p->roles, p->sequences);
    return text;
}

static void test_reads_a_map(void **state)
{
    (void)state;
    const struct parts good = {"\"_\":\"a comment\",", POWER "," SET, ROLES,
                               SEQ};
    if (parse(build(&good)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    assert_int_equal(map.n_points, 2);
    assert_false(map.commissioned);
    int w = regmap_find(&map, "w");
    assert_true(map.points[w].writable);
    assert_true(map.points[w].confirm);
    assert_true(map.points[w].codec.factor == -1.0);
    assert_true(map.points[regmap_find(&map, "p")].codec.factor == 1e3);
    assert_int_equal(map.sequences[REG_SEQUENCE_SETPOINT].n_steps, 1);
}

#define ONE(fields) \
    "{\"id\":\"p\",\"addr\":10,\"type\":\"i16\",\"unit\":\"W\"" fields "}"

static const struct {
    const char *what;
    struct parts parts;
    const char *expected;
} faults[] = {
    {"unknown key", {"\"nmae\":1,", POWER, "", ""}, "$.nmae: no such key"},
    {"key twice", {"\"name\":\"n\",", POWER, "", ""}, "$.name: given twice"},
    {"device", {"\"device\":\"pump\",", POWER, "", ""}, "$.device:"},
    {"text for number", {"\"max_gap\":\"3\",", POWER, "", ""}, "$.max_gap:"},
    {"true for number", {"\"max_gap\":true,", POWER, "", ""}, "$.max_gap:"},
    {"number for bool",
     {"\"commissioned\":1,", POWER, "", ""},
     "$.commissioned: expected true or false"},
    {"infinite", {"\"slow_s\":1e999,", POWER, "", ""}, "$.slow_s:"},
    {"write_fc", {"\"write_fc\":7,", POWER, "", ""}, "$.write_fc:"},
    {"word order", {"\"word_order\":\"mid\",", POWER, "", ""}, "$.word_order:"},
    {"base",
     {"\"discover\":{\"bases\":[70000]},", POWER, "", ""},
     "$.discover.bases:"},
    {"no base",
     {"\"discover\":{\"bases\":[]},", POWER, "", ""},
     "$.discover.bases:"},
    {"no points", {"", "", "", ""}, "$.points:"},
    {"point not an object", {"", "7", "", ""}, "$.points[0]: expected an"},
    {"type",
     {"", POWER ",{\"id\":\"a\",\"addr\":1,\"type\":\"u33\"}", "", ""},
     "$.points[1].type:"},
    {"type of a string's size",
     {"", "{\"id\":\"a\",\"addr\":1,\"type\":\"str252\"}", "", ""},
     "$.points[0].type:"},
    {"odd string",
     {"", "{\"id\":\"a\",\"addr\":1,\"type\":\"str3\"}", "", ""},
     "$.points[0].type:"},
    {"bit 16",
     {"", "{\"id\":\"a\",\"addr\":1,\"type\":\"bit(16)\"}", "", ""},
     "$.points[0].type:"},
    {"type with a tail",
     {"", "{\"id\":\"a\",\"addr\":1,\"type\":\"str4x\"}", "", ""},
     "$.points[0].type:"},
    {"no id", {"", "{\"addr\":1,\"type\":\"u16\"}", "", ""}, "$.points[0].id:"},
    {"id twice",
     {"", POWER "," POWER, "", ""},
     "$.points[1].id: \"p\" is given twice"},
    {"address",
     {"", "{\"id\":\"a\",\"addr\":65536,\"type\":\"u16\"}", "", ""},
     "$.points[0].addr:"},
    {"no address",
     {"", "{\"id\":\"a\",\"type\":\"u16\"}", "", ""},
     "$.points[0]: expected addr"},
    {"end past 65535",
     {"", "{\"id\":\"a\",\"addr\":65535,\"type\":\"u32\"}", "", ""},
     "$.points: \"a\" ends beyond"},
    {"model without discovery",
     {"", "{\"id\":\"a\",\"model\":1,\"off\":2,\"type\":\"u16\"}", "", ""},
     "$.points[0].model:"},
    {"unit",
     {"", "{\"id\":\"a\",\"addr\":1,\"type\":\"u16\",\"unit\":\"hp\"}", "", ""},
     "$.points[0].unit: expected W"},
    {"sign of an energy",
     {"",
      "{\"id\":\"a\",\"addr\":1,\"type\":\"u16\",\"unit\":\"Wh\","
      "\"sign\":\"import_positive\"}",
      "", ""},
     "$.points[0].sign:"},
    {"sign word",
     {"", ONE(",\"sign\":\"positive\""), "", ""},
     "$.points[0].sign:"},
    {"scale 0", {"", ONE(",\"scale\":0"), "", ""}, "$.points[0].scale:"},
    {"sf and scale",
     {"", ONE(",\"sf\":11,\"scale\":2"), "", ""},
     "$.points[0].sf:"},
    {"sf too far",
     {"", ONE(",\"sf\":200"), "", ""},
     "$.points: \"p\" and its sf"},
    {"min above max",
     {"", ONE(",\"min\":2,\"max\":1"), "", ""},
     "$.points[0].min:"},
    {"ni too large", {"", ONE(",\"ni\":65536"), "", ""}, "$.points[0].ni:"},
    {"ni of a float",
     {"", "{\"id\":\"a\",\"addr\":1,\"type\":\"f32\",\"ni\":0}", "", ""},
     "$.points[0].ni:"},
    {"fc", {"", ONE(",\"fc\":2"), "", ""}, "$.points[0].fc:"},
    {"written input register",
     {"", ONE(",\"fc\":4,\"access\":\"rw\""), "", ""},
     "$.points[0].access:"},
    {"counter", {"", ONE(",\"counter\":true"), "", ""}, "$.points[0].counter:"},
    {"blocks", {"", ONE(",\"blocks\":[0.5]"), "", ""}, "$.points[0].blocks:"},
    {"blocks_bits",
     {"", ONE(",\"blocks_bits\":[16]"), "", ""},
     "$.points[0].blocks_bits:"},
    {"toggle",
     {"",
      ONE(",\"heartbeat\":{\"kind\":\"toggle\","
          "\"values\":[1,1]}"),
      "", ""},
     "$.points[0].heartbeat.values:"},
    {"echo of nothing",
     {"",
      ONE(",\"heartbeat\":{\"kind\":\"echo\","
          "\"of\":\"x\"}"),
      "", ""},
     "$.points[0].heartbeat.of:"},
    {"written points overlap",
     {"", SET ",{\"id\":\"a\",\"addr\":21,\"type\":\"u16\"}", "", ""},
     "$.points: \"a\" overlaps \"w\""},
    {"group too large",
     {"\"groups\":[{\"addr\":0,\"count\":126}],", POWER, "", ""},
     "$.groups[0].count:"},
    {"group past the end",
     {"\"groups\":[{\"addr\":65500,\"count\":100}],", POWER, "", ""},
     "$.groups: [0] ends"},
    {"role", {"", POWER, "\"powr\":\"p\"", ""}, "$.roles.powr: no such"},
    {"role of nothing",
     {"", POWER, "\"power\":\"q\"", ""},
     "$.roles.power: no point \"q\""},
    {"role of another unit",
     {"", POWER, "\"soc\":\"p\"", ""},
     "$.roles.soc: type or unit is not that of a fraction"},
    {"role of a wrong type", {"", POWER, "\"power\":7", ""}, "$.roles.power:"},
    {"ratio of unlike",
     {"",
      POWER "," SET ",{\"id\":\"e\",\"addr\":40,"
            "\"type\":\"u16\",\"unit\":\"Wh\"}",
      "\"soc\":{\"ratio\":[\"p\",\"e\"]}", ""},
     "$.roles.soc:"},
    {"ratio by 0",
     {"", POWER, "\"soc\":{\"ratio\":[\"p\",0]}", ""},
     "$.roles.soc:"},
    {"set-point not writable",
     {"", POWER, "\"setpoint\":\"p\"", ""},
     "$.roles.setpoint: \"p\" needs access rw"},
    {"set-point without range",
     {"", ONE(",\"access\":\"rw\""), "\"setpoint\":\"p\"",
      "\"setpoint\":[[\"p\",\"$w\"]]"},
     "$.roles.setpoint: \"p\" needs min and max"},
    {"set-point not written",
     {"", POWER "," SET, ROLES, ""},
     "$.sequences.setpoint: does not write $w"},
    {"set-point waits",
     {"", POWER "," SET, ROLES, "\"setpoint\":[{\"wait_s\":1},[\"w\",\"$w\"]]"},
     "$.sequences.setpoint: must not wait"},
    {"sequence",
     {"", POWER "," SET, ROLES, SEQ ",\"go\":[]"},
     "$.sequences.go: no such"},
    {"step writes what is read",
     {"", POWER "," SET, ROLES, SEQ ",\"release\":[[\"p\",0]]"},
     "$.sequences.release[0]: \"p\" needs access rw"},
    {"step variable",
     {"", POWER "," SET, ROLES, SEQ ",\"release\":[[\"w\",\"$x\"]]"},
     "$.sequences.release[0]: expected"},
    {"step of another unit",
     {"", POWER "," SET, ROLES, SEQ ",\"release\":[[\"w\",\"$expiry_s\"]]"},
     "$.sequences.release[0]: $expiry_s is a duration"},
    {"step infinite",
     {"", POWER "," SET, ROLES, SEQ ",\"release\":[[\"w\",1e999]]"},
     "$.sequences.release[0]:"},
    {"wait too long",
     {"", POWER "," SET, ROLES, SEQ ",\"release\":[{\"wait_s\":1e9}]"},
     "$.sequences.release[0].wait_s:"},
    {"local without values",
     {"", POWER, "\"local_remote\":\"p\"", ""},
     "$.roles.local_remote: \"p\" needs local"},
    {"state without values",
     {"", POWER, "\"state\":[\"p\"]", ""},
     "$.roles.state: \"p\" needs blocks"},
    {"heartbeat without kind",
     {"", POWER "," SET, "\"heartbeat\":\"w\"", ""},
     "$.roles.heartbeat: \"w\" needs heartbeat"},
};

static void test_tells_faults_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        enum err e = parse(build(&faults[i].parts));
        if (e != ERR_RANGE || strncmp(why, "m.json: ", 8) != 0 ||
            strstr(why, faults[i].expected) == NULL) {
            fail_msg("%s: got \"%s\", want \"%s\"", faults[i].what, why,
                     faults[i].expected);
        }
    }
}

static void test_tells_syntax_with_line_and_column(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"name\": \"m\",\n  oops}"), ERR_SYNTAX);
    assert_non_null(strstr(why, "m.json:2:"));
    assert_int_equal(parse("{} x"), ERR_SYNTAX);
    assert_non_null(strstr(why, "m.json:1:4: text after the end"));
    assert_int_equal(parse(""), ERR_SYNTAX);
    assert_int_equal(parse("[1]"), ERR_RANGE);
    assert_int_equal(
        regmap_load(&map, "adapters/maps", "nosuch", why, sizeof(why)),
        ERR_UNKNOWN);
    assert_int_equal(
        regmap_load(&map, "adapters/maps", "./nosuch.json", why, sizeof(why)),
        ERR_IO);
}

static char *file_text(const char *path, size_t *size)
{
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        return NULL;
    }
    char *text = malloc(REGMAP_FILE_MAX);
    assert_non_null(text);
    *size = fread(text, 1, REGMAP_FILE_MAX - 1, f);
    text[*size] = '\0';
    fclose(f);
    return text;
}

/* A shipped map with bytes changed loads or is refused, and never crashes. */
static void test_broken_texts(void **state)
{
    (void)state;
    uint64_t seed = 7;
    print_message("seed %llu\n", (unsigned long long)seed);
    size_t size = 0;
    char *text = file_text("adapters/maps/sunspec-der.json", &size);
    assert_non_null(text);
    char *copy = malloc(size + 1);
    assert_non_null(copy);
    for (int i = 0; i < 1000; i++) {
        memcpy(copy, text, size + 1);
        for (int k = 0; k < 1 + i % 4; k++) {
            seed ^= seed >> 12;
            seed ^= seed << 25;
            seed ^= seed >> 27;
            static const char swap[] = "\"{}[],:0129-e.xn\\ \t\xff";
            copy[(seed >> 8) % size] = swap[seed % (sizeof(swap) - 1)];
        }
        enum err e = regmap_parse(&map, "m", copy,
                                  size - (seed % 3 == 0 ? seed % size : 0), why,
                                  sizeof(why));
        assert_true(e == ERR_NONE || why[0] != '\0');
    }
    free(copy);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_map),
        cmocka_unit_test(test_tells_faults_with_their_place),
        cmocka_unit_test(test_tells_syntax_with_line_and_column),
        cmocka_unit_test(test_broken_texts),
    };
    return cmocka_run_group_tests_name("regmap", tests, NULL, NULL);
}
