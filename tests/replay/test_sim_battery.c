/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the simulated SunSpec devices: the image against the models' own
 * files, commands and reversion as a function of time. */
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
#include "replay/sim_battery.h"
#include "replay/sim_meter.h"

static const int models[] = {1, 213, 701, 702, 704, 713, 715, 802};
enum { N_MODELS = sizeof(models) / sizeof(models[0]) };

static struct site_battery megablock(void)
{
    return (struct site_battery){
        .name = "megablock1",
        .energy_wh = 20e6,
        .charge_max_w = 10e6,
        .discharge_max_w = 8e6,
        .soc_min_pu = 0.1,
        .soc_max_pu = 0.9,
    };
}

/* The addresses of the models as a client discovers them; returns how many,
 * -1 where the chain is broken. */
static int discover(const struct sim_image *m, int *ids)
{
    if (m->regs[0] != 0x5375 || m->regs[1] != 0x6E53) {
        return -1;
    }
    int n = 0;
    int at = 2;
    while (at + 1 < m->n && m->regs[at] != 0xFFFF) {
        ids[n++] = m->regs[at];
        at += 2 + m->regs[at + 1];
    }
    return at + 2 == m->n && m->regs[at + 1] == 0 ? n : -1;
}

static void test_a_client_finds_every_model(void **state)
{
    (void)state;
    struct sim_battery b;
    struct site_battery site = megablock();
    sim_battery_init(&b, &site, 0.0);
    int ids[SIM_MODELS_MAX];
    const int of_battery[] = {1, 701, 702, 713, 715, 704, 802};
    assert_int_equal(discover(&b.image, ids), 7);
    assert_memory_equal(ids, of_battery, sizeof(of_battery));

    struct sim_image meter;
    sim_meter_init(&meter, "demo");
    const int of_meter[] = {1, 213};
    assert_int_equal(discover(&meter, ids), 2);
    assert_memory_equal(ids, of_meter, sizeof(of_meter));
}

/* The registers a point of 'type' has, and its not-implemented value. */
static int not_implemented(const char *type, uint16_t out[4])
{
    static const struct {
        const char *type;
        int n;
        uint16_t regs[4];
    } rows[] = {
        {"uint16", 1, {0xFFFF}},
        {"enum16", 1, {0xFFFF}},
        {"bitfield16", 1, {0xFFFF}},
        {"int16", 1, {0x8000}},
        {"sunssf", 1, {0x8000}},
        {"pad", 1, {0x8000}},
        {"uint32", 2, {0xFFFF, 0xFFFF}},
        {"bitfield32", 2, {0xFFFF, 0xFFFF}},
        {"int32", 2, {0x8000, 0}},
        {"float32", 2, {0x7FC0, 0}},
        {"uint64", 4, {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].type, type) == 0) {
            memcpy(out, rows[i].regs, sizeof(rows[i].regs));
            return rows[i].n;
        }
    }
    return 0;
}

static cJSON *load_json(const char *path)
{
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        return NULL;
    }
    static char text[400000];
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    return cJSON_Parse(text);
}

/* Checks the points of 'group' and its subgroups from 'off' on; returns the
 * offset behind. */
static int check_group(const struct sim_image *m, int model, const cJSON *group,
                       int off)
{
    const cJSON *point = NULL;
    cJSON_ArrayForEach(point, cJSON_GetObjectItem(group, "points"))
    {
        const char *type = cJSON_GetObjectItem(point, "type")->valuestring;
        uint16_t want[4] = {0};
        int n = not_implemented(type, want);
        if (n == 0) { /* strings are empty */
            assert_string_equal(type, "string");
            n = cJSON_GetObjectItem(point, "size")->valueint;
        }
        for (int i = 0; off >= 2 && i < n; i++) {
            int got = m->regs[sim_image_at(m, model, off + i)];
            if (got != want[i < 4 ? i : 0]) {
                fail_msg("model %d offset %d (%s): got %#x, want %#x", model,
                         off + i, type, (unsigned)got, (unsigned)want[i]);
            }
        }
        off += n;
    }
    const cJSON *sub = NULL;
    cJSON_ArrayForEach(sub, cJSON_GetObjectItem(group, "groups"))
    {
        off = check_group(m, model, sub, off);
    }
    return off;
}

static void test_points_without_a_value_say_so(void **state)
{
    (void)state;
    struct sim_image m;
    sim_image_init(&m);
    for (int i = 0; i < N_MODELS; i++) {
        sim_image_add(&m, models[i]);
    }
    sim_image_end(&m);
    for (int i = 0; i < N_MODELS; i++) {
        char path[80];
        snprintf(path, sizeof(path),
                 "../shared/reference/sunspec/model_%d.json", models[i]);
        cJSON *json = load_json(path);
        if (json == NULL) {
            print_message("skipped: %s is not here\n", path);
            skip();
        }
        const cJSON *group = cJSON_GetObjectItem(json, "group");
        int end = check_group(&m, models[i], group, 0);
        assert_int_equal(sim_get_u16(&m, models[i], 1), end - 2);
        cJSON_Delete(json);
    }
}

static int address(const struct sim_battery *b, int model, int off)
{
    return SIM_BASE + sim_image_at(&b->image, model, off);
}

/* One write of the registers 22 to 32 of model 704; W on the wire. */
struct command {
    int ena;
    int32_t w;
    int32_t rvrt_w;
    int ena_rvrt;
    uint32_t tms;
};

static int command(struct sim_battery *b, struct command c, double now_s)
{
    uint16_t v[11] = {
        (uint16_t)c.ena,
        1,
        (uint16_t)((uint32_t)c.w >> 16),
        (uint16_t)c.w,
        (uint16_t)((uint32_t)c.rvrt_w >> 16),
        (uint16_t)c.rvrt_w,
        0,
        0,
        (uint16_t)c.ena_rvrt,
        (uint16_t)(c.tms >> 16),
        (uint16_t)c.tms,
    };
    return sim_battery_write(b, address(b, 704, 22), 11, v, now_s);
}

static void test_a_command_holds_until_its_timer_ends(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct command c;
        double t_s;
        double set_w; /* + charge */
        int ena;
        int rem_s;
    } rows[] = {
        {"discharge", {1, 5000000, 0, 0, 30}, 0.0, -5e6, 1, 30},
        {"charge", {1, -5000000, 0, 0, 30}, 1.5, 5e6, 1, 29},
        {"still", {1, 5000000, 0, 0, 30}, 29.9, -5e6, 1, 1},
        {"over, off", {1, 5000000, 0, 0, 30}, 30.0, 0.0, 0, 0},
        {"over, to its twin", {1, 5000000, 1000000, 1, 30}, 31, -1e6, 1, 0},
        {"twin, disabled", {1, 5000000, 1000000, 0, 30}, 31, 0.0, 0, 0},
        {"no timer", {1, 5000000, 0, 0, 0}, 1e6, -5e6, 1, 0},
        {"timer not implemented", {1, 1, 0, 0, UINT32_MAX}, 1e6, -1, 1, 0},
        {"disabled", {0, 5000000, 0, 0, 30}, 1.0, 0.0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim_battery b;
        struct site_battery site = megablock();
        sim_battery_init(&b, &site, 0.0);
        assert_int_equal(command(&b, rows[i].c, 0.0), SIM_OK);
        double set_w = sim_battery_tick(&b, rows[i].t_s);
        int ena = sim_get_u16(&b.image, 704, 22);
        int rem_s = (int)sim_get_u32(&b.image, 704, 33);
        if (fabs(set_w - rows[i].set_w) > 1e-6 || ena != rows[i].ena ||
            rem_s != rows[i].rem_s) {
            fail_msg("%s: set %g ena %d rem %d", rows[i].what, set_w, ena,
                     rem_s);
        }
    }
}

static void test_renewing_starts_the_timer_again(void **state)
{
    (void)state;
    struct sim_battery b;
    struct site_battery site = megablock();
    sim_battery_init(&b, &site, 0.0);
    for (int i = 0; i < 20; i++) {
        double t = 4.0 * i;
        assert_int_equal(command(&b, (struct command){1, 2000000, 0, 0, 12}, t),
                         SIM_OK);
        assert_true(sim_battery_tick(&b, t + 3.9) == -2e6);
    }
    assert_int_equal(b.n_reversions, 0);
    assert_true(sim_battery_tick(&b, 4.0 * 19 + 12.0) == 0.0);
    assert_int_equal(b.n_reversions, 1);
}

static void test_a_reversion_is_ramped_where_wrmp_is_set(void **state)
{
    (void)state;
    struct sim_battery b;
    struct site_battery site = megablock();
    sim_battery_init(&b, &site, 0.0);
    uint16_t two_percent = 2; /* of 10 MW: 200 kW/s */
    assert_int_equal(
        sim_battery_write(&b, address(&b, 704, 49), 1, &two_percent, 0.0),
        SIM_OK);
    /* more charge is not more generation: at once */
    command(&b, (struct command){1, -6000000, 0, 0, 10}, 0.0);
    assert_true(sim_battery_tick(&b, 0.1) == 6e6);
    double last_w = 6e6;
    for (double t = 0.2; t < 60.0; t += 0.1) {
        double set_w = sim_battery_tick(&b, t);
        assert_true(fabs(set_w - last_w) <= 0.2e6 * 0.1 + 1.0);
        assert_true(t < 10.0 ? set_w == 6e6 : set_w <= last_w);
        last_w = set_w;
    }
    assert_true(last_w == 0.0);
}

static void test_local_and_stop_mean_zero(void **state)
{
    (void)state;
    struct sim_battery b;
    struct site_battery site = megablock();
    sim_battery_init(&b, &site, 0.0);
    command(&b, (struct command){1, 5000000, 0, 0, 0}, 0.0);
    b.local = true;
    assert_true(sim_battery_tick(&b, 1.0) == 0.0);
    assert_int_equal(sim_get_u16(&b.image, 715, 2), 1);
    b.local = false;
    assert_true(sim_battery_tick(&b, 2.0) == -5e6);
    uint16_t stop_op = 0;
    sim_battery_write(&b, address(&b, 715, 8), 1, &stop_op, 2.0);
    assert_true(sim_battery_tick(&b, 3.0) == 0.0);
}

static void test_wrong_writes_change_nothing(void **state)
{
    (void)state;
    struct sim_battery b;
    struct site_battery site = megablock();
    sim_battery_init(&b, &site, 0.0);
    command(&b, (struct command){1, 1000000, 0, 0, 60}, 0.0);
    struct sim_battery before = b;
    uint16_t v[125] = {2};

    assert_int_equal(command(&b, (struct command){1, 8000001, 0, 0, 60}, 1.0),
                     SIM_ILLEGAL_VALUE);
    assert_int_equal(command(&b, (struct command){1, -10000001, 0, 0, 60}, 1),
                     SIM_ILLEGAL_VALUE);
    assert_int_equal(command(&b, (struct command){2, 0, 0, 0, 60}, 1.0),
                     SIM_ILLEGAL_VALUE);
    static const struct {
        int model;
        int off;
        int n;
    } refused[] = {
        {704, 24, 1},                             /* half of WSet */
        {704, 25, 1}, {704, 31, 1}, {704, 32, 3}, /* into WSetRvrtRem */
        {704, 33, 2}, {701, 10, 1}, {713, 4, 1},
        {1, 0, 1},    {702, 34, 2}, {704, 22, 13},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int addr = address(&b, refused[i].model, refused[i].off);
        assert_int_equal(sim_battery_write(&b, addr, refused[i].n, v, 1.0),
                         SIM_ILLEGAL_ADDRESS);
    }
    assert_int_equal(sim_battery_write(&b, 0, 1, v, 1.0), SIM_ILLEGAL_ADDRESS);
    assert_int_equal(sim_battery_write(&b, 65535, 1, v, 1.0),
                     SIM_ILLEGAL_ADDRESS);
    assert_memory_equal(&b, &before, sizeof(b));
}

static void test_measurements_reach_the_registers(void **state)
{
    (void)state;
    struct sim_battery b;
    struct site_battery site = megablock();
    sim_battery_init(&b, &site, 0.0);
    struct battery_in in = {
        .power_w = reading_good(-3.4567e6, 1),
        .soc_pu = reading_good(0.63219, 1),
        .soh_pu = reading_good(0.98, 1),
        .charge_max_w = reading_good(7.4999e6, 1),
        .discharge_max_w = reading_good(8e6, 1),
        .temperature_c = reading_good(25.4, 1),
    };
    sim_battery_show(&b, &in, 3600.0);
    sim_battery_tick(&b, 75.5);
    const struct sim_image *m = &b.image;
    double unit_w = pow(10.0, (int16_t)sim_get_u16(m, 701, 116));
    assert_true(unit_w <= 1000.0);
    assert_true(fabs((int16_t)sim_get_u16(m, 701, 10) * unit_w - 3.4567e6) <=
                unit_w);
    assert_int_equal(sim_get_u16(m, 713, 4), 6322);
    assert_int_equal(sim_get_u16(m, 713, 5), 9800);
    assert_int_equal(sim_get_u16(m, 702, 34), 7499); /* never overstated */
    assert_int_equal(sim_get_u16(m, 702, 35), 8000);
    assert_int_equal(sim_get_u16(m, 702, 10), 10000);
    assert_int_equal(sim_get_u16(m, 701, 36), 254);
    assert_int_equal(sim_get_u32(m, 701, 21), 3456700); /* TotWhInj, low */
    assert_int_equal(sim_get_u32(m, 715, 3), 75);
    assert_int_equal(sim_get_u16(m, 802, 18), 75);
    assert_int_equal(sim_get_u16(m, 802, 16), 3);
    b.tripped = true;
    sim_battery_show(&b, &in, 0.0);
    assert_int_equal(sim_get_u16(m, 701, 4), 6);
    assert_int_equal(sim_get_u16(m, 802, 22), 99);
}

static void test_random_writes_stay_within_the_rating(void **state)
{
    (void)state;
    uint64_t seed = 7;
    print_message("seed 7\n");
    struct sim_battery b;
    struct site_battery site = megablock();
    sim_battery_init(&b, &site, 0.0);
    uint64_t r = random_seed(seed);
    for (int i = 0; i < 50000; i++) {
        uint16_t v[123];
        int n = (int)random_draw(&r, 1.0, 14.0);
        for (int k = 0; k < n; k++) {
            double wide = random_draw(&r, 0.0, 1.0) < 0.3 ? 65536.0 : 3.0;
            v[k] = (uint16_t)random_draw(&r, 0.0, wide);
        }
        int addr = SIM_BASE + (int)random_draw(&r, 0.0, (double)b.image.n);
        (void)sim_battery_write(&b, addr, n, v, 0.01 * i);
        double set_w = sim_battery_tick(&b, 0.01 * i);
        assert_true(set_w >= -8e6 && set_w <= 10e6);
    }
    int ids[SIM_MODELS_MAX];
    assert_int_equal(discover(&b.image, ids), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_finds_every_model),
        cmocka_unit_test(test_points_without_a_value_say_so),
        cmocka_unit_test(test_a_command_holds_until_its_timer_ends),
        cmocka_unit_test(test_renewing_starts_the_timer_again),
        cmocka_unit_test(test_a_reversion_is_ramped_where_wrmp_is_set),
        cmocka_unit_test(test_local_and_stop_mean_zero),
        cmocka_unit_test(test_wrong_writes_change_nothing),
        cmocka_unit_test(test_measurements_reach_the_registers),
        cmocka_unit_test(test_random_writes_stay_within_the_rating),
    };
    return cmocka_run_group_tests_name("sim_battery", tests, NULL, NULL);
}
