/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of ../shared/vectors/wear/one_kw_study.csv and two of our own,
 * each lived through by every model, by the day and by rainflow. */
#ifndef TESTS_SCENARIO_ONE_KW_FIXTURE_H
#define TESTS_SCENARIO_ONE_KW_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/commuter.h"
#include "replay/csv.h"
#include "replay/wear_run.h"

#define VECTORS "../shared/vectors/wear/"

enum { WEEKS = 418, DAYS_MAX = 7 * WEEKS, LAST_DAY = 8 * 365, MODELS = 5 };

enum row {
    BASE,
    DRAW,
    DRAW_2,
    WARM_5,
    WARM_10,
    WARM_20,
    LOW,
    LOW_WARM,
    LOW_DRAW,
    HOT,
    HOT_WARM,
    SMALL,
    SMALL_DRAW,
    ROOF, /* heat by models/thermal from here on: not in the study */
    SEALED,
    ROWS
};

static const struct {
    const char *study; /* how its name begins there */
    const char *spec;
    enum row base;
    bool draws;
} rows[ROWS] = {
    [BASE] = {"A ", "gen:commuter", BASE, false},
    [DRAW] = {"B ", "gen:commuter,draw=1.15 kW", BASE, true},
    [DRAW_2] = {"C ", "gen:commuter,draw=2 kW", BASE, true},
    [WARM_5] = {"E ", "gen:commuter,rise=5 K", BASE, false},
    [WARM_10] = {"F ", "gen:commuter,rise=10 K", BASE, false},
    [WARM_20] = {"G ", "gen:commuter,rise=20 K", BASE, false},
    [LOW] = {"H ", "gen:commuter,target=60 %", BASE, false},
    [LOW_WARM] = {"I ", "gen:commuter,target=60 %,rise=5 K", BASE, false},
    [LOW_DRAW] = {"J ", "gen:commuter,target=60 %,draw=1.15 kW", BASE, true},
    [HOT] = {"K ", "gen:commuter,ambient=30 C", BASE, false},
    [HOT_WARM] = {"L ", "gen:commuter,ambient=30 C,rise=10 K", BASE, false},
    [SMALL] = {"N ", "gen:commuter,pack=50 kWh", SMALL, false},
    [SMALL_DRAW] = {"M ", "gen:commuter,pack=50 kWh,draw=1.15 kW", SMALL, true},
    [ROOF] = {NULL, "gen:commuter,heat=1 kW", BASE, false},
    [SEALED] = {NULL, "gen:commuter,heat=1 kW,radiator=off", BASE, false},
};

static const struct {
    const char *name;
    const char *study;
    enum chemistry chemistry;
} models[MODELS] = {
    {"LFP-250", "Lfp_Gr_250AhPrismatic", CHEMISTRY_LFP},
    {"Naumann", "Naumann_LFP(SimSES)", CHEMISTRY_LFP_NAUMANN},
    {"NCA", "Nca_Gr_Panasonic3Ah_Battery", CHEMISTRY_NCA},
    {"Kokam", "Nmc111_Gr_Kokam75Ah_Battery", CHEMISTRY_NMC},
    {"Schmalst.", "Nmc111_Gr_Sanyo2Ah_Battery", CHEMISTRY_NMC_SCHMALSTIEG},
};

struct result {
    double study_pu; /* loss after 8 years; NAN where the study has no row */
    double daily_pu;
    double flow_pu;
    double daily_cycle_pu;
    double flow_cycle_pu;
};

static struct result results[ROWS][MODELS];
static bool has_study;

static inline void load(const char *path, struct wear_profile *p)
{
    char why[512];
    if (wear_profile_load(path, p, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
}

static inline struct wear_day by_day(const struct wear_profile *p,
                                     enum chemistry c)
{
    static struct wear_day days[DAYS_MAX];
    char why[256];
    struct wear_cfg cfg = {p, c, WEEKS};
    assert_true(wear_days(&cfg) <= DAYS_MAX);
    assert_int_equal(wear_by_day(&cfg, days, why, sizeof(why)), ERR_NONE);
    return days[LAST_DAY - 1];
}

static inline struct wear_day by_rainflow(const struct wear_profile *p,
                                          enum chemistry c)
{
    static struct wear_day days[DAYS_MAX];
    struct wear_cfg cfg = {p, c, WEEKS};
    wear_by_rainflow(&cfg, days);
    return days[LAST_DAY - 1];
}

static inline void run_row(int row)
{
    struct wear_profile p;
    load(rows[row].spec, &p);
    assert_true(p.synthetic);
    for (int m = 0; m < MODELS; m++) {
        struct wear_day flow = by_rainflow(&p, models[m].chemistry);
        struct wear_day daily = by_day(&p, models[m].chemistry);
        bool half = models[m].chemistry == CHEMISTRY_LFP_NAUMANN;
        results[row][m] = (struct result){
            .study_pu = NAN,
            .daily_pu = 1.0 - (half ? daily.loss.capacity_pu : daily.source_pu),
            .flow_pu = 1.0 - flow.loss.capacity_pu,
            .daily_cycle_pu = daily.loss.cycle_pu,
            .flow_cycle_pu = flow.loss.cycle_pu,
        };
    }
    wear_profile_clear(&p);
}

static inline void keep_study(const char *scenario, const char *model,
                              double loss_pu)
{
    for (int r = 0; r < ROWS; r++) {
        for (int m = 0; m < MODELS; m++) {
            if (rows[r].study != NULL &&
                strncmp(scenario, rows[r].study, 2) == 0 &&
                strcmp(model, models[m].study) == 0) {
                results[r][m].study_pu = loss_pu;
            }
        }
    }
}

static inline void read_study(void)
{
    struct csv *csv = NULL;
    char why[256];
    if (csv_open(VECTORS "one_kw_study.csv", &csv, why, sizeof(why)) !=
        ERR_NONE) {
        return;
    }
    int scenario = csv_column(csv, "scenario");
    int model = csv_column(csv, "model");
    int loss = csv_column(csv, "loss_8y");
    assert_true(scenario >= 0 && model >= 0 && loss >= 0);
    while (csv_next(csv, why, sizeof(why)) == CSV_ROW) {
        double loss_pu = 0.0;
        assert_int_equal(csv_number(csv_cell(csv, loss), &loss_pu), ERR_NONE);
        keep_study(csv_cell(csv, scenario), csv_cell(csv, model), loss_pu);
    }
    csv_close(csv);
    has_study = true;
}

static inline int run_all(void **state)
{
    (void)state;
    for (int r = 0; r < ROWS; r++) {
        run_row(r);
    }
    read_study();
    return 0;
}

#endif
