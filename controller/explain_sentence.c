/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/explain_sentence.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "models/units.h"

enum unit { NO_UNIT, WATTS, RAMP };

/* What a reason for the grid's power says of limits.  'before' and 'after'
 * stand around the line's limit in its unit, or around nothing; where there
 * is no 'before', the line's own sentence stands. */
struct binding {
    const char *code;
    enum unit unit;
    const char *before;
    const char *after;
};

static const struct binding bindings[] = {
    {"ramp", RAMP, "the ramp limit of ", " bound"},
    {"import", WATTS, "the import limit of ", " bound"},
    {"export", WATTS, "the export limit of ", " bound"},
    {"event_late", WATTS, "the utility's import limit of ",
     " came too late for the ramp, which bound"},
    {"operator", WATTS, "the operator's import limit of ", " bound"},
    {"operator_export", WATTS, "the operator's export limit of ", " bound"},
    {"operator_hold", WATTS, "the operator's set-point of ", " bound"},
    {"event", WATTS, "the utility's import limit of ", " bound"},
    {"emergency", WATTS, "an emergency instruction to import at most ",
     " bound"},
    {"event_export", WATTS, "the utility's export limit of ", " bound"},
    {"setpoint", WATTS, "the utility's set-point of ", " bound"},
    {"smooth", NO_UNIT, "no limit bound, the batteries smoothed the load", ""},
    {"hold", NO_UNIT, "no limit bound, the load was steady", ""},
    {"recentre", NO_UNIT, NULL, NULL},
    {"charge_cheap", NO_UNIT, NULL, NULL},
    {"discharge_dear", NO_UNIT, NULL, NULL},
    {"listen", NO_UNIT, NULL, NULL},
};

/* Text that grows; what does not fit is left out. */
struct text {
    char *out;
    size_t n;
};

static void add(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->out + t->n, EXPLAIN_SENTENCE_MAX - t->n, format, args);
    va_end(args);
    if (n > 0) {
        t->n += (size_t)n;
        t->n = t->n < EXPLAIN_SENTENCE_MAX ? t->n : EXPLAIN_SENTENCE_MAX - 1;
    }
}

static const struct binding *binding_of(const char *code)
{
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++) {
        if (strcmp(bindings[i].code, code) == 0) {
            return &bindings[i];
        }
    }
    return NULL;
}

/* The line that says where the grid's power is; 0 where none does. */
static int main_line(const struct history_decision *d)
{
    for (int i = 0; i < d->n_lines; i++) {
        if (binding_of(d->lines[i].code) != NULL) {
            return i;
        }
    }
    return 0;
}

static void add_binding(struct text *t, const struct history_line *line,
                        const struct second_row *second)
{
    const struct binding *b = binding_of(line->code);
    char limit[32] = "";
    char reached[32];
    if (b == NULL || b->before == NULL) {
        add(t, "%s", line->text);
        return;
    }
    if (b->unit == RAMP) {
        units_ramp_text(line->limit, limit, sizeof(limit));
    } else if (b->unit == WATTS) {
        units_power_text(line->limit, limit, sizeof(limit));
    }
    add(t, "%s%s%s", b->before, limit, b->after);
    if (b->unit == RAMP && second != NULL &&
        isfinite(second->values[SECOND_ramp_max_w_per_s])) {
        add(t, " (%s was reached)",
            units_ramp_text(second->values[SECOND_ramp_max_w_per_s], reached,
                            sizeof(reached)));
    }
}

/* ", the batteries gave 7.32 MW at 52.4 % charge". */
static void add_batteries(struct text *t, const double *v)
{
    char power[32];
    char soc[32];
    double w = v[SECOND_battery_w];
    if (!isfinite(w)) {
        return;
    }
    bool rest = fabs(w) < 1e-4 * fabs(v[SECOND_grid_mean_w]);
    add(t, ", the batteries %s", rest ? "rested" : w < 0.0 ? "gave " : "took ");
    if (!rest) {
        add(t, "%s", units_power_text(fabs(w), power, sizeof(power)));
    }
    if (isfinite(v[SECOND_soc_pu])) {
        add(t, " at %s charge",
            units_percent_text(v[SECOND_soc_pu], soc, sizeof(soc)));
    }
}

static void add_numbers(struct text *t, const struct second_row *s)
{
    const double *v = s->values;
    char load[32], grid[32], most[32], held[32];
    if (!isfinite(v[SECOND_grid_mean_w]) || !isfinite(v[SECOND_load_w])) {
        return;
    }
    add(t, ": the load was %s, the grid took %s",
        units_power_text(v[SECOND_load_w], load, sizeof(load)),
        units_power_text(v[SECOND_grid_mean_w], grid, sizeof(grid)));
    if (isfinite(v[SECOND_grid_limit_w])) {
        add(t, " of at most %s",
            units_power_text(v[SECOND_grid_limit_w], most, sizeof(most)));
    }
    add_batteries(t, v);
    if (v[SECOND_shed_w] > 0.0) {
        add(t, ", compute was held back by %s",
            units_power_text(v[SECOND_shed_w], held, sizeof(held)));
    }
}

const char *explain_sentence(const struct history_decision *d,
                             const struct second_row *second,
                             char out[EXPLAIN_SENTENCE_MAX])
{
    struct text t = {.out = out};
    out[0] = '\0';
    if (d->n_lines == 0) {
        return out;
    }
    int first = main_line(d);
    add_binding(&t, &d->lines[first], second);
    if (second != NULL) {
        add_numbers(&t, second);
    }
    for (int i = 0; i < d->n_lines; i++) {
        if (i != first) {
            add(&t, "; %s", d->lines[i].text);
        }
    }
    if (second != NULL && second->degraded > 0) {
        add(&t, "; %" PRId64 " input%s stood at %s worst case",
            second->degraded, second->degraded == 1 ? "" : "s",
            second->degraded == 1 ? "its" : "their");
    }
    return out;
}
