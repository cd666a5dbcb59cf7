/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the shipped register maps: they load, agree with SunSpec's own
 * model files, and take few requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "adapters/regmap.h"
#include "adapters/regplan.h"

static struct regmap map; /* too large for the stack */
static char why[512];

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

static void test_shipped_maps_load(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum device_role device;
        bool commissioned;
    } maps[] = {
        {"sunspec", DEVICE_BATTERY, true},
        {"sunspec-der", DEVICE_BATTERY, true},
        {"sunspec-meter", DEVICE_METER, false},
        {"tesla-tsc.third-party", DEVICE_BATTERY, false},
        {"adapters/maps/sunspec-der.json", DEVICE_BATTERY, true},
    };
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        if (regmap_load(&map, "adapters/maps", maps[i].name, why,
                        sizeof(why)) != ERR_NONE) {
            fail_msg("%s", why);
        }
        assert_int_equal(map.device, maps[i].device);
        assert_int_equal(map.commissioned, maps[i].commissioned);
    }
}

static const char *const official[][2] = {
    {"common.maker", "Mn"},
    {"common.product", "Md"},
    {"common.serial", "SN"},
    {"ac.state", "St"},
    {"ac.inverter_state", "InvSt"},
    {"ac.connection", "ConnSt"},
    {"ac.alarms", "Alrm"},
    {"ac.power_w", "W"},
    {"ac.frequency_hz", "Hz"},
    {"ac.cabinet_c", "TmpCab"},
    {"inv.power_w", "W"},
    {"inv.state", "St"},
    {"invf.power_w", "W"},
    {"invf.state", "St"},
    {"rating.charge_w", "WChaRteMaxRtg"},
    {"rating.discharge_w", "WDisChaRteMaxRtg"},
    {"limit.charge_w", "WChaRteMax"},
    {"limit.discharge_w", "WDisChaRteMax"},
    {"store.rating_wh", "WHRtg"},
    {"store.energy_wh", "WHAvail"},
    {"store.soc", "SoC"},
    {"store.soh", "SoH"},
    {"store.state", "Sta"},
    {"ctl.local_remote", "LocRemCtl"},
    {"ctl.device_beat", "DERHb"},
    {"ctl.our_beat", "ControllerHb"},
    {"cmd.enable", "WSetEna"},
    {"cmd.mode", "WSetMod"},
    {"cmd.power_w", "WSet"},
    {"cmd.revert_w", "WSetRvrt"},
    {"cmd.percent", "WSetPct"},
    {"cmd.revert_percent", "WSetPctRvrt"},
    {"cmd.revert_enable", "WSetEnaRvrt"},
    {"cmd.revert_s", "WSetRvrtTms"},
    {"cmd.remaining_s", "WSetRvrtRem"},
    {"dc.rating_wh", "WHRtg"},
    {"dc.charge_w", "WChaRteMax"},
    {"dc.discharge_w", "WDisChaRteMax"},
    {"dc.soc", "SoC"},
    {"dc.soh", "SoH"},
    {"dc.local_remote", "LocRemCtl"},
    {"dc.device_beat", "Hb"},
    {"dc.our_beat", "CtrlHb"},
    {"dc.state", "State"},
    {"dc.events", "Evt1"},
    {"dc.voltage_v", "V"},
    {"dc.charge_a", "AChaMax"},
    {"dc.discharge_a", "ADisChaMax"},
    {"bank.hottest_c", "ModTmpMax"},
    {"meter.phase_v", "PhV"},
    {"meter.frequency_hz", "Hz"},
    {"meter.power_w", "W"},
    {"meter.export_wh", "TotWhExp"},
    {"meter.import_wh", "TotWhImp"},
    {"meterf.phase_v", "PhV"},
    {"meterf.frequency_hz", "Hz"},
    {"meterf.power_w", "W"},
    {"meterf.export_wh", "TotWhExp"},
    {"meterf.import_wh", "TotWhImp"},
};

static const char *official_name(const char *id)
{
    for (size_t i = 0; i < sizeof(official) / sizeof(official[0]); i++) {
        if (strcmp(official[i][0], id) == 0) {
            return official[i][1];
        }
    }
    fail_msg("\"%s\" has no SunSpec name in this test", id);
    return "";
}

/* The point 'name' of an official model, its offset into 'at'. */
static const cJSON *official_point(const cJSON *model, const char *name,
                                   int *at)
{
    const cJSON *group = cJSON_GetObjectItemCaseSensitive(model, "group");
    const cJSON *points = cJSON_GetObjectItemCaseSensitive(group, "points");
    const cJSON *p = NULL;
    *at = 0;
    cJSON_ArrayForEach(p, points)
    {
        if (strcmp(cJSON_GetStringValue(
                       cJSON_GetObjectItemCaseSensitive(p, "name")),
                   name) == 0) {
            return p;
        }
        *at += (int)cJSON_GetNumberValue(
            cJSON_GetObjectItemCaseSensitive(p, "size"));
    }
    return NULL;
}

static void check_point(const cJSON *model, const struct regmap_point *p)
{
    static const struct {
        const char *official;
        enum reg_type type;
    } types[] = {
        {"int16", REG_I16},      {"uint16", REG_U16},  {"enum16", REG_ENUM},
        {"int32", REG_I32},      {"uint32", REG_U32},  {"acc32", REG_U32},
        {"bitfield32", REG_U32}, {"float32", REG_F32}, {"string", REG_STR},
    };
    int at = 0;
    const cJSON *o = official_point(model, official_name(p->id), &at);
    assert_non_null(o);
    const char *type =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "type"));
    bool same = false;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        same |= strcmp(types[i].official, type) == 0 &&
                types[i].type == p->codec.type;
    }
    double size =
        cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(o, "size"));
    const cJSON *sf = cJSON_GetObjectItemCaseSensitive(o, "sf");
    int sf_at = -1;
    if (sf != NULL) {
        assert_non_null(
            official_point(model, cJSON_GetStringValue(sf), &sf_at));
    }
    int our_sf = p->sf >= 0 ? map.points[p->sf].at : -1;
    bool pct = strncmp(official_name(p->id), "WSetPct", 7) == 0; /* kept raw */
    const cJSON *access = cJSON_GetObjectItemCaseSensitive(o, "access");
    bool writable =
        access != NULL && strcmp(cJSON_GetStringValue(access), "RW") == 0;
    if (at != p->at || !same || size != p->codec.n_regs ||
        (our_sf != sf_at && !pct) || (p->writable && !writable)) {
        fail_msg("%s: %d %s sf %d, official %d %s sf %d", p->id, p->at,
                 regcodec_word(p->codec.type), our_sf, at, type, sf_at);
    }
}

static void test_maps_agree_with_sunspec(void **state)
{
    (void)state;
    static const char *const names[] = {"sunspec-der", "sunspec-meter"};
    int n = 0;
    for (int m = 0; m < 2; m++) {
        assert_int_equal(
            regmap_load(&map, "adapters/maps", names[m], why, sizeof(why)),
            ERR_NONE);
        for (int i = 0; i < map.n_points; i++) {
            const struct regmap_point *p = &map.points[i];
            char path[80];
            snprintf(path, sizeof(path),
                     "../shared/reference/sunspec/model_%d.json", p->models[0]);
            size_t size = 0;
            char *text = p->hidden ? NULL : file_text(path, &size);
            if (text != NULL) {
                cJSON *model = cJSON_Parse(text);
                assert_non_null(model);
                check_point(model, p);
                cJSON_Delete(model);
                free(text);
                n++;
            }
        }
    }
    if (n == 0) {
        print_message("skip: ../shared/reference/sunspec is not here\n");
        skip();
    }
    /* the identity stands in both maps */
    assert_int_equal(n, sizeof(official) / sizeof(official[0]) + 3);
}

/* What a pass of a full SunSpec battery asks for. */
static void test_plans_few_requests(void **state)
{
    (void)state;
    static struct regplan plan;
    const struct sunspec found = {
        .n_models = 8,
        .models = {{1, 2, 66},
                   {701, 70, 153},
                   {702, 225, 50},
                   {713, 277, 7},
                   {715, 286, 7},
                   {704, 295, 65},
                   {802, 362, 62},
                   {103, 426, 50}},
    };
    assert_int_equal(
        regmap_load(&map, "adapters/maps", "sunspec", why, sizeof(why)),
        ERR_NONE);
    assert_int_equal(regplan_make(&map, &found, &plan), ERR_NONE);
    int n_fast = 0;
    for (int g = 0; g < plan.n_groups; g++) {
        n_fast += plan.groups[g].poll == REG_POLL_FAST;
        assert_in_range(plan.groups[g].count, 1, REG_READ_MAX);
    }
    /* 701, 713, 704; the power of 103 is not needed beside 701 */
    assert_int_equal(n_fast, 3);
    for (int i = 0; i < map.n_points; i++) {
        const struct regmap_point *p = &map.points[i];
        int g = plan.group[i];
        if (g < 0) {
            continue;
        }
        assert_true(plan.addr[i] >= plan.groups[g].addr);
        assert_true(plan.addr[i] + p->codec.n_regs <=
                    plan.groups[g].addr + plan.groups[g].count);
        if (p->sf >= 0 && !p->sf_cached) { /* 802: in the same request */
            assert_true(plan.addr[p->sf] >= plan.groups[g].addr);
            assert_true(plan.addr[p->sf] <
                        plan.groups[g].addr + plan.groups[g].count);
        }
    }
    int set = regmap_find(&map, "cmd.enable");
    assert_int_equal(plan.groups[plan.group[set]].addr, 295 + 22);
    assert_int_equal(plan.groups[plan.group[set]].count, 13);
}

/* A model that is shorter than the standard's leaves its points out. */
static void test_believes_the_devices_length(void **state)
{
    (void)state;
    static struct regplan plan;
    const struct sunspec found = {.n_models = 2,
                                  .models = {{1, 2, 66}, {802, 70, 40}}};
    assert_int_equal(
        regmap_load(&map, "adapters/maps", "sunspec", why, sizeof(why)),
        ERR_NONE);
    assert_int_equal(regplan_make(&map, &found, &plan), ERR_NONE);
    assert_true(plan.addr[regmap_find(&map, "dc.state")] == 92);
    assert_int_equal(plan.addr[regmap_find(&map, "dc.charge_a")], -1);
    assert_int_equal(plan.addr[regmap_find(&map, "ac.power_w")], -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_maps_load),
        cmocka_unit_test(test_maps_agree_with_sunspec),
        cmocka_unit_test(test_plans_few_requests),
        cmocka_unit_test(test_believes_the_devices_length),
    };
    return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
