/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/commuter: the weeks of the vectors, any week, and orders it
 * must refuse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "models/random.h"
#include "replay/commuter.h"

#define PROFILES "../shared/vectors/wear/profiles/"

enum { SEED = 20261121 };

static void load(const char *path, struct wear_profile *p)
{
    char why[512];
    if (wear_profile_load(path, p, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
}

/* The two shipped weeks without a draw are ours; the third begins full. */
static void weeks_are_those_of_the_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *spec;
        double from_s;
    } weeks[] = {
        {"ev_week", "gen:commuter", 0.0},
        {"ev_week_1kW_plug10K", "gen:commuter,rise=10 K", 0.0},
        {"ev_week_1kW_day", "gen:commuter,draw=1.15 kW", 4 * 3600.0},
    };
    if (access(PROFILES "ev_week.csv", R_OK) != 0) {
        print_message("skip: no " PROFILES "ev_week.csv\n");
        skip();
    }
    for (size_t k = 0; k < sizeof(weeks) / sizeof(weeks[0]); k++) {
        char path[256];
        struct wear_profile theirs;
        struct wear_profile ours;
        snprintf(path, sizeof(path), PROFILES "%s.csv", weeks[k].file);
        load(path, &theirs);
        load(weeks[k].spec, &ours);
        assert_int_equal(theirs.n, ours.n);
        assert_false(theirs.synthetic);
        for (size_t i = 0; i < ours.n; i++) {
            const struct wear_sample *a = &ours.samples[i];
            const struct wear_sample *b = &theirs.samples[i];
            assert_true(a->time_s == b->time_s);
            assert_true(fabs(a->temp_c - b->temp_c) < 1e-9);
            assert_true(a->time_s < weeks[k].from_s ||
                        fabs(a->soc_pu - b->soc_pu) < 1e-9);
        }
        wear_profile_clear(&theirs);
        wear_profile_clear(&ours);
    }
}

/* Moved both ways, and the highest and lowest state of charge. */
struct swing {
    double out_pu;
    double in_pu;
    double min_pu;
    double max_pu;
};

static struct swing swing_of(const struct wear_sample *s)
{
    struct swing w = {.min_pu = 1.0};
    for (int i = 0; i < COMMUTER_SAMPLES; i++) {
        double change = i > 0 ? s[i].soc_pu - s[i - 1].soc_pu : 0.0;
        w.in_pu += fmax(change, 0.0);
        w.out_pu += fmax(-change, 0.0);
        w.min_pu = fmin(w.min_pu, s[i].soc_pu);
        w.max_pu = fmax(w.max_pu, s[i].soc_pu);
    }
    return w;
}

static void any_week_closes_on_itself(void **state)
{
    (void)state;
    static struct wear_sample s[COMMUTER_SAMPLES];
    uint64_t random = random_seed(SEED);
    print_message("seed %d\n", SEED);
    for (int k = 0; k < 300; k++) {
        struct commuter_cfg c = {
            .pack_wh = random_draw(&random, 60e3, 120e3),
            .drive_wh = random_draw(&random, 0.0, 20e3),
            .charge_w = random_draw(&random, 6e3, 20e3),
            .target_pu = random_draw(&random, 0.8, 1.0),
            .ambient_c = random_draw(&random, -20.0, 40.0),
            .draw_w = random_draw(&random, 0.0, 2e3),
            .rise_k = random_draw(&random, 0.0, 20.0),
            .heat_w = random_draw(&random, 0.0, 2e3),
            .no_radiator = k % 2 == 0,
        };
        char why[256];
        assert_int_equal(commuter_week(&c, s, why, sizeof(why)), ERR_NONE);
        struct swing w = swing_of(s);
        double used_wh = 5.0 * c.drive_wh + 56.0 * c.draw_w;
        assert_true(fabs(w.out_pu * c.pack_wh - used_wh) < 1e-6 * c.pack_wh);
        assert_true(fabs(w.in_pu - w.out_pu) < 1e-9);
        assert_true(w.min_pu >= 0.0 && w.max_pu <= c.target_pu + 1e-12);
        const struct wear_sample *end = &s[COMMUTER_SAMPLES - 1];
        assert_true(fabs(s[0].soc_pu - end->soc_pu) < 1e-9);
        assert_true(fabs(s[0].temp_c - end->temp_c) < 1e-6);
        assert_true(s[0].time_s == 0.0 && end->time_s == 7.0 * 86400.0);
    }
}

static void orders_are_read(void **state)
{
    (void)state;
    char why[256];
    struct commuter_cfg c;
    assert_int_equal(commuter_parse("commuter", &c, why, sizeof(why)),
                     ERR_NONE);
    assert_true(c.pack_wh == 75e3 && c.draw_w == 0.0 && !c.no_radiator);
    assert_int_equal(
        commuter_parse("commuter,pack=50 kWh,drive=9kWh,charge=11 kW,target=60%"
                       ",ambient=-5 C,draw=1.15kW,rise=2.5K,heat=1 kW,"
                       "radiator=off",
                       &c, why, sizeof(why)),
        ERR_NONE);
    assert_true(c.pack_wh == 50e3 && c.drive_wh == 9e3 && c.charge_w == 11e3);
    assert_true(c.target_pu == 0.6 && c.ambient_c == -5.0);
    assert_true(c.draw_w == 1150.0 && c.rise_k == 2.5 && c.heat_w == 1e3);
    assert_true(c.no_radiator);
}

static void bad_orders_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"gen:", "gen: \"\": expected commuter"},
        {"gen:taxi", "gen: \"taxi\": expected commuter"},
        {"gen:commuter,", "gen: \"\": expected pack=, drive="},
        {"gen:commuter,speed=3", "gen: \"speed=3\": expected pack=, drive="},
        {"gen:commuter,draw", "gen: \"draw\": expected draw=0 to 1 MW"},
        {"gen:commuter,draw=1", "gen: \"draw=1\": expected draw=0 to 1 MW"},
        {"gen:commuter,draw=-1 kW", "gen: \"draw=-1 kW\": expected"},
        {"gen:commuter,draw=nan kW", "gen: \"draw=nan kW\": expected"},
        {"gen:commuter,pack=0 kWh", "gen: \"pack=0 kWh\": expected pack=1"},
        {"gen:commuter,target=101 %", "gen: \"target=101 %\": expected"},
        {"gen:commuter,ambient=20", "gen: \"ambient=20\": expected"},
        {"gen:commuter,ambient=20 K", "gen: \"ambient=20 K\": expected"},
        {"gen:commuter,rise=5 C", "gen: \"rise=5 C\": expected rise=0"},
        {"gen:commuter,rise=K", "gen: \"rise=K\": expected rise=0"},
        {"gen:commuter,rise=1e3 K", "gen: \"rise=1e3 K\": expected rise=0"},
        {"gen:commuter,radiator=no", "gen: \"radiator=no\": expected"},
        {"gen:commuter,draw=9 kW", "gen: commuter: the pack is empty on day"},
        {"gen:commuter,heat=9 kW,radiator=off", "gen: commuter: the pack is "
                                                "at 1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wear_profile p;
        char why[512];
        assert_true(wear_profile_load(cases[i][0], &p, why, sizeof(why)) !=
                    ERR_NONE);
        if (strncmp(why, cases[i][1], strlen(cases[i][1])) != 0) {
            fail_msg("%s: \"%s\"", cases[i][0], why);
        }
    }
    char text[400] = "gen:commuter,";
    memset(text + strlen(text), 'x', 300);
    struct wear_profile p;
    char why[512];
    assert_int_equal(wear_profile_load(text, &p, why, sizeof(why)), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weeks_are_those_of_the_vectors),
        cmocka_unit_test(any_week_closes_on_itself),
        cmocka_unit_test(orders_are_read),
        cmocka_unit_test(bad_orders_are_refused),
    };
    return cmocka_run_group_tests_name("replay/commuter", tests, NULL, NULL);
}
