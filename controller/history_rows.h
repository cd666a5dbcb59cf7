/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_rows - from ticks to what the historian keeps: one-second rows, and
 * the decisions at which the reasons changed.
 *
 * Pure.  A column is a line of a list below; SQL, aggregation and reading
 * follow from it.  Powers into an asset are positive; NAN is unknown.
 */
#ifndef CONTROLLER_HISTORY_ROWS_H
#define CONTROLLER_HISTORY_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "models/command.h"
#include "models/site.h"
#include "models/snapshot.h"

/* How the ticks of a second become one number.  PEAK is the value of largest
 * magnitude, with its sign. */
enum aggregate {
    AGGREGATE_MEAN,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_PEAK,
    AGGREGATE_LAST,
};

/* column, member of tick_record, which aggregate */
#define SECOND_LIST(X)                        \
    X(grid_mean_w, grid_w, MEAN)              \
    X(grid_min_w, grid_w, MIN)                \
    X(grid_max_w, grid_w, MAX)                \
    X(grid_ref_w, grid_ref_w, MEAN)           \
    X(grid_limit_w, grid_max_w, MIN)          \
    X(ramp_max_w_per_s, ramp_w_per_s, PEAK)   \
    X(load_w, load_w, MEAN)                   \
    X(demand_w, demand_w, MEAN)               \
    X(pods_w, pods_w, MEAN)                   \
    X(shed_w, shed_w, MEAN)                   \
    X(other_w, other_w, MEAN)                 \
    X(battery_w, battery_w, MEAN)             \
    X(battery_set_w, battery_set_w, MEAN)     \
    X(plan_battery_w, plan_battery_w, MEAN)   \
    X(fleet_w, fleet_w, MEAN)                 \
    X(fleet_compute_w, fleet_compute_w, MEAN) \
    X(soc_pu, soc_pu, LAST)                   \
    X(price_per_kwh, price_per_kwh, LAST)

#define SECOND_ENUM(column, member, how) SECOND_##column,
enum second_column { SECOND_LIST(SECOND_ENUM) SECOND_COLUMNS };
#undef SECOND_ENUM

/* column and reading of battery_in, both of this name, which
 * aggregate */
#define BATTERY_SECOND_LIST(X) \
    X(power_w, MEAN)           \
    X(soc_pu, LAST)            \
    X(soh_pu, LAST)            \
    X(charge_max_w, LAST)      \
    X(discharge_max_w, LAST)   \
    X(temperature_c, LAST)

#define BATTERY_ENUM(column, how) BATTERY_SECOND_##column,
enum battery_column { BATTERY_SECOND_LIST(BATTERY_ENUM) BATTERY_COLUMNS };
#undef BATTERY_ENUM

struct battery_row {
    double values[BATTERY_COLUMNS]; /* NAN where unknown */
    double set_w;                   /* last set-point */
    int64_t flags;                  /* of battery_in, at the end */
    int64_t alarms;                 /* all that were seen */
    int64_t n[BATTERY_COLUMNS];     /* ticks that knew the value */
};

struct second_row {
    int64_t at_ms; /* UTC, start of the second */
    int64_t n_ticks;
    int64_t degraded; /* most inputs replaced at once */
    double values[SECOND_COLUMNS];
    int64_t n_batteries;
    struct battery_row batteries[];
};

size_t second_row_size(int n_batteries);

/* An empty row for the second that holds 'utc_ms'. */
void second_row_init(struct second_row *row, int64_t utc_ms, int n_batteries);

/* True where a tick at 'utc_ms' belongs to 'row'. */
bool second_row_holds(const struct second_row *row, int64_t utc_ms);

/* Take a tick in.  Means are sums until second_row_close(). */
void second_row_add(struct second_row *row, const struct snapshot *in,
                    const struct step_out *out);
void second_row_close(struct second_row *row);

/* A decision to keep: the reasons of a tick, and how many changes of them were
 * left out since the one kept before. */
struct decision {
    int64_t at_ms;
    uint64_t tick;
    int64_t n_suppressed;
    int64_t n_why;
    struct reason_line why[REASON_LINES];
};

enum { DECISIONS_PER_SECOND = 4, DECISION_AGAIN_MS = 10000 };

/* What decision_due() remembers; zero at first. */
struct decision_watch {
    struct decision kept; /* the last one that was due */
    struct decision seen; /* of the tick before */
    bool any;
    int64_t second; /* which one it counts in */
    int64_t n_in_second;
    int64_t n_suppressed;
};

/*
 * True where the reasons differ from those kept last (another set of codes and
 * assets, or another one that binds most) and fewer than DECISIONS_PER_SECOND
 * were kept in this second; 'd' is then what to keep.  A change left out is
 * kept in a later second if it still stands.  The same reasons with other
 * numbers (reason_numbers_differ()) are kept again, but not within
 * DECISION_AGAIN_MS of those kept last.
 */
bool decision_due(struct decision_watch *w, const struct tick_record *record,
                  struct decision *d);

#endif
