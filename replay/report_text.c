/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table for people. */
#include "replay/report.h"

#include <math.h>

#include "models/units.h"

enum kind { COUNT, RAMP, POWER, ENERGY, DURATION, MONEY, SHARE };

#define ROW_LIST(X)                                 \
    X(VIOLATIONS, COUNT, "ramp violations (ticks)") \
    X(RAMP, RAMP, "steepest ramp (MW/min)")         \
    X(SWING, POWER, "swing in 60 s")                \
    X(OVER_SWING, COUNT, "over the swing limit")    \
    X(EDGE, POWER, "largest edge in a tick")        \
    X(EDGE_LENGTH, DURATION, "longest edge")        \
    X(RECOVERY, DURATION, "longest time outside")   \
    X(PEAK, POWER, "peak of the interval")          \
    X(IMPORT, COUNT, "over the import limit")       \
    X(EXPORT, COUNT, "over the export limit")       \
    X(SHED, ENERGY, "compute held back")            \
    X(DEFERRED, ENERGY, "work put off")             \
    X(WAITING, ENERGY, "  waits at the end")        \
    X(LOST, ENERGY, "  lost at its deadline")       \
    X(BURN, ENERGY, "burnt to hold the load up")    \
    X(ENERGY, ENERGY, "battery energy used")        \
    X(THROUGHPUT, ENERGY, "battery throughput")     \
    X(BILL, MONEY, "energy")                        \
    X(DEMAND, MONEY, "demand charge")               \
    X(VALUE, MONEY, "value held back")              \
    X(WEAR, MONEY, "battery wear")                  \
    X(WEAR_GUARD, MONEY, "  by the other model")    \
    X(COST, MONEY, "total cost")                    \
    X(FORECAST, SHARE, "forecast off at 60 s")      \
    X(PERSISTENCE, SHARE, "last value off at 60 s") \
    X(COVERAGE, SHARE, "inside its 80 % band")      \
    X(SPEED, COUNT, "ticks per second")

#define ROW_ENUM(name, kind, text) ROW_##name,
enum row { ROW_LIST(ROW_ENUM) ROW_COUNT };
#undef ROW_ENUM

static const struct {
    enum kind kind;
    const char *name;
} rows[ROW_COUNT] = {
#define ROW_ENTRY(name, kind, text) [ROW_##name] = {kind, text},
    ROW_LIST(ROW_ENTRY)
#undef ROW_ENTRY
};

/* Largest less smallest energy of all batteries, and what went through. */
static void battery_sums(const struct report *r, int i, double *swing_wh,
                         double *throughput_wh)
{
    *swing_wh = 0.0;
    *throughput_wh = 0.0;
    for (int b = 0; b < r->site->n_batteries; b++) {
        const struct replay_battery *x = &r->results[i].batteries[b];
        *swing_wh +=
            (x->soc_max_pu - x->soc_min_pu) * r->site->batteries[b].energy_wh;
        *throughput_wh += x->throughput_wh;
    }
}

/* Of any rule that was broken, until it was kept again. */
static double longest_outside(const struct witness_report *p)
{
    double longest_s = 0.0;
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        longest_s = fmax(longest_s, p->recovery[i].max_s);
    }
    return longest_s;
}

/* What the total is the sum of, and the total. */
static double money_of(const struct replay_result *x, enum row row)
{
    switch ((int)row) {
    case ROW_BILL:
        return x->energy_cur;
    case ROW_DEMAND:
        return x->demand_cur;
    case ROW_VALUE:
        return x->shed_cur;
    case ROW_WEAR:
        return x->wear_cur;
    case ROW_WEAR_GUARD:
        return x->wear_guard_cur;
    default:
        return x->energy_cur + x->demand_cur + x->wear_cur + x->shed_cur;
    }
}

/* NAN where it cannot be said: the trace too short, the steps too long. */
static double value_of(const struct report *r, int i, enum row row)
{
    const struct replay_result *x = &r->results[i];
    double swing_wh = 0.0;
    double through_wh = 0.0;
    battery_sums(r, i, &swing_wh, &through_wh);
    switch (row) {
    case ROW_VIOLATIONS:
        return (double)x->grid.ramp_violations;
    case ROW_RAMP:
        return x->grid.ramp_max_w_per_s * 60e-6;
    case ROW_SWING:
        return x->grid.pp60_max_w;
    case ROW_OVER_SWING:
        return (double)x->grid.swing_violations;
    case ROW_EDGE:
        return x->grid.edge_max_w;
    case ROW_EDGE_LENGTH:
        return x->proof.edge_max_s;
    case ROW_RECOVERY:
        return longest_outside(&x->proof);
    case ROW_PEAK:
        return x->grid.peak_w;
    case ROW_IMPORT:
        return (double)x->grid.import_limit_violations;
    case ROW_EXPORT:
        return (double)x->grid.export_limit_violations;
    case ROW_SHED:
        return fmax(x->demand_wh - x->served_wh - x->waiting_wh, 0.0);
    case ROW_DEFERRED:
        return x->deferred_wh;
    case ROW_WAITING:
        return x->waiting_wh;
    case ROW_LOST:
        return x->lost_wh;
    case ROW_BURN:
        return x->burn_wh;
    case ROW_ENERGY:
        return swing_wh;
    case ROW_THROUGHPUT:
        return through_wh;
    case ROW_BILL:
    case ROW_DEMAND:
    case ROW_VALUE:
    case ROW_WEAR:
    case ROW_WEAR_GUARD:
    case ROW_COST:
        return money_of(x, row);
    case ROW_FORECAST:
        return x->forecast_mape_pu;
    case ROW_PERSISTENCE:
        return x->persistence_mape_pu;
    case ROW_COVERAGE:
        return x->forecast_coverage_pu;
    case ROW_SPEED:
        return (double)x->n_steps / fmax(x->wall_s, 1e-9);
    case ROW_COUNT:
        break;
    }
    return NAN;
}

static void cell(const struct report *r, int i, enum row row, char *out,
                 size_t size)
{
    double x = value_of(r, i, row);
    if (!isfinite(x)) {
        snprintf(out, size, "-");
        return;
    }
    switch (rows[row].kind) {
    case COUNT:
        snprintf(out, size, "%.0f", x);
        break;
    case RAMP:
        snprintf(out, size, "%.2f", x);
        break;
    case POWER:
        units_power_text(x, out, size);
        break;
    case ENERGY:
        units_energy_text(x, out, size);
        break;
    case DURATION:
        units_duration_text(x, out, size);
        break;
    case MONEY:
        snprintf(out, size, "%.2f %s", x, r->site->currency);
        break;
    case SHARE:
        snprintf(out, size, "%.2f %%", 100.0 * x);
        break;
    }
}

static void tell_bound(const struct replay_bound *b, FILE *out)
{
    char step[64];
    char shed[64];
    char swing[64];
    if (b->step_s > 0.0) {
        fprintf(out,
                "\nhindsight, in steps of %s: keeping ramp and import limit "
                "takes %s of compute\nheld back and %s of battery energy, "
                "whoever steers;\nedges within a step are not seen\n",
                units_duration_text(b->step_s, step, sizeof(step)),
                units_energy_text(b->shed_wh, shed, sizeof(shed)),
                units_energy_text(b->energy_swing_wh, swing, sizeof(swing)));
    }
}

static bool any_nonzero(const struct report *r, enum row row)
{
    bool any = false;
    for (int i = 0; i < r->n; i++) {
        any = any || value_of(r, i, row) != 0.0;
    }
    return any;
}

/* Not of what this site or this trace does not have. */
static bool is_told(const struct report *r, enum row row)
{
    switch ((int)row) {
    case ROW_BURN:
    case ROW_BILL:
    case ROW_DEMAND:
    case ROW_VALUE:
        return any_nonzero(r, row);
    case ROW_DEFERRED:
    case ROW_WAITING:
    case ROW_LOST:
        return any_nonzero(r, ROW_DEFERRED);
    default:
        return true;
    }
}

void report_text(const struct report *r, FILE *out)
{
    char text[64];
    fprintf(out, "%s over %s", r->site->name, r->trace->name);
    fprintf(out, ", %s at a period of ",
            units_duration_text(r->results[0].duration_s, text, sizeof(text)));
    fprintf(out, "%s\nramp limit %.3g MW/min of the mean over %.3g s\n\n",
            units_duration_text(r->site->control.period_s, text, sizeof(text)),
            r->site->grid.ramp_max_w_per_s * 60e-6,
            r->site->grid.ramp_average_s);
    fprintf(out, "%-25s", "");
    for (int i = 0; i < r->n; i++) {
        fprintf(out, "%16s", policy_name(r->policies[i]));
    }
    fputc('\n', out);
    for (int row = 0; row < ROW_COUNT; row++) {
        if (!is_told(r, (enum row)row)) {
            continue;
        }
        fprintf(out, "%-25s", rows[row].name);
        for (int i = 0; i < r->n; i++) {
            cell(r, i, (enum row)row, text, sizeof(text));
            fprintf(out, "%16s", text);
        }
        fputc('\n', out);
    }
    for (int i = 0; i < r->n; i++) {
        tell_bound(&r->results[i].bound, out);
    }
}
