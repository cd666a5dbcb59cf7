/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/schedule_check: what is right passes, and everything that
 * can be wrong is found, one fault at a time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/schedule_check.h"

enum { STEPS = 4 };

/* 10 kWh with 1 kW and a firm and a deferrable class, an hour per step;
 * everything rests, the deferrable class is served at once. */
struct fixture {
    struct schedule_problem p;
    struct schedule s;
};

static void rest(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    struct schedule_problem *p = &f->p;
    p->n_steps = STEPS;
    p->n_batteries = 1;
    p->n_classes = 2;
    p->ramp_max_w_per_s = INFINITY;
    p->grid_start_w = NAN;
    p->peak_per_kw = 1.0;
    p->peak_w = 4000.0;
    struct schedule_battery *b = &p->batteries[0];
    *b = (struct schedule_battery){
        .energy_wh = 10e3,
        .charge_eff_pu = 0.9,
        .discharge_eff_pu = 0.9,
        .soc_start_pu = 0.5,
        .soc_min_pu = 0.1,
        .soc_max_pu = 0.9,
        .soc_end_min_pu = NAN,
        .n_segments = 2,
        .segments = {{0.4, 0.4, 0.01}, {0.4, 0.0, 0.02}}};
    p->classes[0] =
        (struct schedule_class){.value_per_kwh = 2.0, .min_pu = 0.5};
    p->classes[1] = (struct schedule_class){.value_per_kwh = 1.0,
                                            .deferrable = true,
                                            .max_w = 2000.0,
                                            .delay_per_kwh_h = 0.01};
    for (int t = 0; t < STEPS; t++) {
        p->step_s[t] = 3600.0;
        p->load_w[t] = 1000.0;
        p->import_per_kwh[t] = 0.1;
        p->export_per_kwh[t] = 0.05;
        p->import_max_w[t] = 6000.0;
        p->export_max_w[t] = 500.0;
        b->charge_max_w[t] = b->discharge_max_w[t] = 1000.0;
        b->soc_floor_pu[t] = 0.1;
        b->soc_ceiling_pu[t] = 0.9;
        p->classes[0].demand_w[t] = f->s.served_w[0][t] = 1000.0;
        p->classes[1].demand_w[t] = f->s.served_w[1][t] = 1000.0;
        f->s.grid_w[t] = 3000.0;
        f->s.soc_pu[0][t] = 0.5;
    }
    f->s.objective_cur = 4 * 0.3;
}

static void what_is_right_passes(void **state)
{
    struct fixture *f = *state;
    rest(f);
    struct schedule_verdict v;
    assert_true(schedule_check(&f->p, &f->s, &v));
    assert_int_equal(v.fault, SCHEDULE_FAULT_NONE);
    assert_true(fabs(v.cost_cur - 1.2) < 1e-12);

    /* Discharge from the cheap segment, charge again, and less demanded. */
    f->s.battery_w[0][1] = -900.0;
    f->s.battery_w[0][2] = 500.0;
    f->s.soc_pu[0][1] = 0.4;
    f->s.soc_pu[0][2] = f->s.soc_pu[0][3] = 0.445;
    f->s.grid_w[1] = 2100.0;
    f->s.grid_w[2] = 3500.0;
    f->s.objective_cur = 1.2 - 0.09 + 0.05 + 0.9 * 0.01;
    assert_true(schedule_check(&f->p, &f->s, &v));
}

static void the_peak_is_paid_above_the_incumbent(void **state)
{
    struct fixture *f = *state;
    rest(f);
    f->p.peak_w = 2500.0;
    struct schedule_verdict v;
    assert_false(schedule_check(&f->p, &f->s, &v));
    assert_int_equal(v.fault, SCHEDULE_FAULT_COST);
    f->s.objective_cur += 0.5;
    assert_true(schedule_check(&f->p, &f->s, &v));
}

/* Each changes one thing of a right schedule. */
static void no_number(struct fixture *f)
{
    f->s.battery_w[0][2] = NAN;
}

static void no_cost(struct fixture *f)
{
    f->s.objective_cur = NAN;
}

static void too_strong(struct fixture *f)
{
    f->s.battery_w[0][1] = 1100.0;
    f->s.grid_w[1] += 1100.0;
    for (int t = 1; t < STEPS; t++) {
        f->s.soc_pu[0][t] = 0.599;
    }
}

static void too_strong_out(struct fixture *f)
{
    f->s.battery_w[0][1] = -1100.0;
    f->s.grid_w[1] -= 1100.0;
}

static void other_charge(struct fixture *f)
{
    f->s.soc_pu[0][2] = 0.51;
}

static void below_window(struct fixture *f)
{
    f->p.batteries[0].soc_min_pu = 0.5;
    f->s.battery_w[0][3] = -90.0;
    f->s.soc_pu[0][3] = 0.49;
    f->s.grid_w[3] -= 90.0;
}

static void above_demand(struct fixture *f)
{
    f->s.served_w[0][1] = 1100.0;
    f->s.grid_w[1] += 100.0;
}

static void below_nothing(struct fixture *f)
{
    f->s.served_w[0][1] = -1.0;
    f->s.grid_w[1] -= 1001.0;
}

static void above_queue(struct fixture *f)
{
    f->s.served_w[1][1] = 1500.0;
    f->s.grid_w[1] += 500.0;
}

static void above_flow(struct fixture *f)
{
    f->s.served_w[1][1] = 2500.0;
    f->s.grid_w[1] += 1500.0;
}

static void no_balance(struct fixture *f)
{
    f->s.grid_w[1] -= 100.0;
}

static void other_cost(struct fixture *f)
{
    f->s.objective_cur -= 0.001;
}

static void above_import(struct fixture *f)
{
    f->p.import_max_w[1] = 2500.0;
}

static void above_export(struct fixture *f)
{
    f->p.load_w[1] = -3000.0;
    f->s.grid_w[1] = -1000.0;
    f->s.objective_cur = 3 * 0.3 - 0.05;
}

static void too_steep(struct fixture *f)
{
    f->p.grid_start_w = 0.0;
    f->p.ramp_max_w_per_s = 0.5;
}

static void below_floor(struct fixture *f)
{
    f->s.served_w[0][1] = 400.0;
    f->s.grid_w[1] -= 600.0;
    f->s.objective_cur += 0.6 * 2.0 - 0.06;
}

static void below_end(struct fixture *f)
{
    f->p.batteries[0].soc_end_min_pu = 0.6;
}

static void below_reserve(struct fixture *f)
{
    f->p.batteries[0].soc_floor_pu[2] = 0.6;
}

static void above_ceiling(struct fixture *f)
{
    f->p.batteries[0].soc_ceiling_pu[2] = 0.4;
}

struct wrong {
    const char *what;
    void (*make)(struct fixture *f);
    enum schedule_fault fault;
};

static void every_fault_is_found(void **state)
{
    static const struct wrong wrongs[] = {
        {"no number", no_number, SCHEDULE_FAULT_FINITE},
        {"no cost", no_cost, SCHEDULE_FAULT_FINITE},
        {"charge", too_strong, SCHEDULE_FAULT_POWER},
        {"discharge", too_strong_out, SCHEDULE_FAULT_POWER},
        {"charge state", other_charge, SCHEDULE_FAULT_SOC},
        {"window", below_window, SCHEDULE_FAULT_WINDOW},
        {"demand", above_demand, SCHEDULE_FAULT_SERVED},
        {"nothing", below_nothing, SCHEDULE_FAULT_SERVED},
        {"queue", above_queue, SCHEDULE_FAULT_QUEUE},
        {"flow", above_flow, SCHEDULE_FAULT_SERVED},
        {"balance", no_balance, SCHEDULE_FAULT_BALANCE},
        {"cost", other_cost, SCHEDULE_FAULT_COST},
        {"import", above_import, SCHEDULE_FAULT_UNDECLARED},
        {"export", above_export, SCHEDULE_FAULT_UNDECLARED},
        {"ramp", too_steep, SCHEDULE_FAULT_UNDECLARED},
        {"floor", below_floor, SCHEDULE_FAULT_UNDECLARED},
        {"end", below_end, SCHEDULE_FAULT_UNDECLARED},
        {"reserve", below_reserve, SCHEDULE_FAULT_UNDECLARED},
        {"ceiling", above_ceiling, SCHEDULE_FAULT_UNDECLARED},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        rest(f);
        wrongs[i].make(f);
        struct schedule_verdict v;
        if (schedule_check(&f->p, &f->s, &v) || v.fault != wrongs[i].fault) {
            fail_msg("%s: found %s", wrongs[i].what,
                     schedule_fault_text(v.fault));
        }
    }
}

static void what_gives_way_must_be_declared(void **state)
{
    struct fixture *f = *state;
    struct schedule_verdict v;
    rest(f);
    above_import(f);
    f->s.n_violations = 1;
    f->s.violations[0] =
        (struct schedule_violation){SCHEDULE_IMPORT, -1, 1, 500.0};
    assert_true(schedule_check(&f->p, &f->s, &v));
    assert_true(fabs(v.worst[SCHEDULE_IMPORT] - 500.0) < 1e-9);
    f->s.violations[0].step = 2;
    assert_false(schedule_check(&f->p, &f->s, &v));
    f->s.violations[0] =
        (struct schedule_violation){SCHEDULE_RAMP, -1, 1, 500.0};
    assert_false(schedule_check(&f->p, &f->s, &v));
}

static int set_up(void **state)
{
    *state = malloc(sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_passes),
        cmocka_unit_test(the_peak_is_paid_above_the_incumbent),
        cmocka_unit_test(every_fault_is_found),
        cmocka_unit_test(what_gives_way_must_be_declared),
    };
    return cmocka_run_group_tests_name("schedule_check", tests, set_up,
                                       tear_down);
}
