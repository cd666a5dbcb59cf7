/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of schedule_fields: every key of ../shared/CONTRACT.md. */
#include <math.h>
#include <stddef.h>

#include "replay/schedule_fields.h"

#define POWER_MAX_W 1e12
#define PRICE_MAX_PER_KWH 1e4

#define STEP "seconds from 0.1 to 86400, one number or one per step"
#define LOAD "a power in W, at most 1 TW, one number per step"
#define LIMIT "a power in W from 0 to 1 TW, one number or one per step"
#define PRICE "a price per kWh, at most 10000, one number or one per step"
#define COST "a price per kWh from 0 to 10000"
#define FRACTION "a fraction from 0 to 1"
#define FRACTIONS "a fraction from 0 to 1, one number or one per step"
#define EFFICIENCY "a fraction from 0.01 to 1"

#define TOP(member) offsetof(struct schedule_problem, member)
#define BATTERY(member) offsetof(struct schedule_battery, member)
#define SEGMENT(member) offsetof(struct schedule_segment, member)
#define CLASS(member) offsetof(struct schedule_class, member)

const struct schedule_field schedule_fields_top[] = {
    {"step_s", SCHEDULE_SERIES, true, TOP(step_s), 0.1, 86400.0, STEP, 0},
    {"load_w", SCHEDULE_SERIES, true, TOP(load_w), -POWER_MAX_W, POWER_MAX_W,
     LOAD, 0},
    {"price_import_per_kwh", SCHEDULE_SERIES, true, TOP(import_per_kwh),
     -PRICE_MAX_PER_KWH, PRICE_MAX_PER_KWH, PRICE, 0},
    {"price_export_per_kwh", SCHEDULE_SERIES, true, TOP(export_per_kwh),
     -PRICE_MAX_PER_KWH, PRICE_MAX_PER_KWH, PRICE, 0},
    {"import_max_w", SCHEDULE_SERIES, true, TOP(import_max_w), 0, POWER_MAX_W,
     LIMIT, 0},
    {"export_max_w", SCHEDULE_SERIES, true, TOP(export_max_w), 0, POWER_MAX_W,
     LIMIT, 0},
    {"ramp_max_w_per_s", SCHEDULE_NUMBER, false, TOP(ramp_max_w_per_s), 0,
     POWER_MAX_W, "a ramp in W/s from 0 to 1e12, or null", INFINITY},
    {"grid_start_w", SCHEDULE_NUMBER, false, TOP(grid_start_w), -POWER_MAX_W,
     POWER_MAX_W, "a power in W, at most 1 TW, or null", NAN},
    {"about", SCHEDULE_OTHER, false, 0, 0, 0, NULL, 0},
    {"demand_charge", SCHEDULE_OTHER, false, 0, 0, 0, NULL, 0},
    {"batteries", SCHEDULE_OTHER, false, 0, 0, 0, NULL, 0},
    {"classes", SCHEDULE_OTHER, false, 0, 0, 0, NULL, 0},
    {.key = NULL},
};

const struct schedule_field schedule_fields_charge[] = {
    {"rate_per_kw", SCHEDULE_NUMBER, true, TOP(peak_per_kw), 0, 1e6,
     "a price per kW from 0 to 1e6", 0},
    {"incumbent_w", SCHEDULE_NUMBER, true, TOP(peak_w), 0, POWER_MAX_W,
     "a power in W from 0 to 1 TW", 0},
    {.key = NULL},
};

const struct schedule_field schedule_fields_battery[] = {
    {"name", SCHEDULE_NAME, true, BATTERY(name), 0, 0, "a name", 0},
    {"energy_wh", SCHEDULE_NUMBER, true, BATTERY(energy_wh), 1.0, 1e15,
     "an energy in Wh from 1 to 1e15", 0},
    {"charge_max_w", SCHEDULE_SERIES, true, BATTERY(charge_max_w), 0,
     POWER_MAX_W, LIMIT, 0},
    {"discharge_max_w", SCHEDULE_SERIES, true, BATTERY(discharge_max_w), 0,
     POWER_MAX_W, LIMIT, 0},
    {"soc_floor_pu", SCHEDULE_SERIES, false, BATTERY(soc_floor_pu), 0, 1,
     FRACTIONS ", or null", 0},
    {"soc_ceiling_pu", SCHEDULE_SERIES, false, BATTERY(soc_ceiling_pu), 0, 1,
     FRACTIONS ", or null", 1},
    {"charge_eff_pu", SCHEDULE_NUMBER, true, BATTERY(charge_eff_pu), 0.01, 1,
     EFFICIENCY, 0},
    {"discharge_eff_pu", SCHEDULE_NUMBER, true, BATTERY(discharge_eff_pu), 0.01,
     1, EFFICIENCY, 0},
    {"soc_start_pu", SCHEDULE_NUMBER, true, BATTERY(soc_start_pu), 0, 1,
     FRACTION, 0},
    {"soc_min_pu", SCHEDULE_NUMBER, true, BATTERY(soc_min_pu), 0, 1, FRACTION,
     0},
    {"soc_max_pu", SCHEDULE_NUMBER, true, BATTERY(soc_max_pu), 0, 1, FRACTION,
     0},
    {"soc_end_min_pu", SCHEDULE_NUMBER, false, BATTERY(soc_end_min_pu), 0, 1,
     FRACTION ", or null", NAN},
    {"terminal_value_per_kwh", SCHEDULE_NUMBER, false,
     BATTERY(terminal_value_per_kwh), -PRICE_MAX_PER_KWH, PRICE_MAX_PER_KWH,
     "a price per kWh, at most 10000", 0},
    {"wear", SCHEDULE_OTHER, false, 0, 0, 0, NULL, 0},
    {.key = NULL},
};

/* A start outside its segment is a battery outside its window. */
const struct schedule_field schedule_fields_segment[] = {
    {"width_pu", SCHEDULE_NUMBER, true, SEGMENT(width_pu), 0, 1, FRACTION, 0},
    {"start_pu", SCHEDULE_NUMBER, true, SEGMENT(start_pu), -1, 1,
     "a fraction from -1 to 1", 0},
    {"per_kwh", SCHEDULE_NUMBER, true, SEGMENT(per_kwh), 0, PRICE_MAX_PER_KWH,
     COST, 0},
    {.key = NULL},
};

const struct schedule_field schedule_fields_firm[] = {
    {"name", SCHEDULE_NAME, true, CLASS(name), 0, 0, "a name", 0},
    {"demand_w", SCHEDULE_SERIES, true, CLASS(demand_w), 0, POWER_MAX_W, LIMIT,
     0},
    {"value_per_kwh", SCHEDULE_NUMBER, true, CLASS(value_per_kwh), 0,
     PRICE_MAX_PER_KWH, COST, 0},
    {"deferrable", SCHEDULE_BOOL, false, CLASS(deferrable), 0, 0, NULL, 0},
    {"min_pu", SCHEDULE_NUMBER, false, CLASS(min_pu), 0, 1, FRACTION, 0},
    {.key = NULL},
};

const struct schedule_field schedule_fields_deferrable[] = {
    {"name", SCHEDULE_NAME, true, CLASS(name), 0, 0, "a name", 0},
    {"demand_w", SCHEDULE_SERIES, true, CLASS(demand_w), 0, POWER_MAX_W, LIMIT,
     0},
    {"value_per_kwh", SCHEDULE_NUMBER, true, CLASS(value_per_kwh), 0,
     PRICE_MAX_PER_KWH, COST, 0},
    {"deferrable", SCHEDULE_BOOL, true, CLASS(deferrable), 0, 0,
     "true or false", 0},
    {"max_w", SCHEDULE_NUMBER, true, CLASS(max_w), 0, POWER_MAX_W,
     "a power in W from 0 to 1 TW", 0},
    {"delay_per_kwh_h", SCHEDULE_NUMBER, false, CLASS(delay_per_kwh_h), 0,
     PRICE_MAX_PER_KWH, "a price per kWh and hour from 0 to 10000", 0},
    {"queue_max_wh", SCHEDULE_SERIES, false, CLASS(queue_max_wh), 0, 1e15,
     "an energy in Wh from 0 to 1e15, one number or one per step, or null", 0},
    {"late_per_kwh_h", SCHEDULE_NUMBER, false, CLASS(late_per_kwh_h), 0,
     PRICE_MAX_PER_KWH, "a price per kWh and hour from 0 to 10000", 0},
    {.key = NULL},
};
