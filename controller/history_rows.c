/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_rows.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* A reading older than this is not history but the past. */
static const double reading_age_s = 10.0;

struct column {
    size_t offset;
    enum aggregate how;
};

static const struct column second_columns[SECOND_COLUMNS] = {
#define COLUMN_ROW(column, member, how) \
    [SECOND_##column] = {offsetof(struct tick_record, member), AGGREGATE_##how},
    SECOND_LIST(COLUMN_ROW)
#undef COLUMN_ROW
};

static const struct column battery_columns[BATTERY_COLUMNS] = {
#define COLUMN_ROW(column, how) \
    [BATTERY_SECOND_##          \
        column] = {offsetof(struct battery_in, column), AGGREGATE_##how},
    BATTERY_SECOND_LIST(COLUMN_ROW)
#undef COLUMN_ROW
};

static int64_t second_of(int64_t utc_ms)
{
    int64_t s = utc_ms / 1000;
    return utc_ms % 1000 < 0 ? s - 1 : s;
}

size_t second_row_size(int n_batteries)
{
    return sizeof(struct second_row) +
           (size_t)n_batteries * sizeof(struct battery_row);
}

void second_row_init(struct second_row *row, int64_t utc_ms, int n_batteries)
{
    memset(row, 0, second_row_size(n_batteries));
    row->at_ms = second_of(utc_ms) * 1000;
    row->n_batteries = n_batteries;
}

bool second_row_holds(const struct second_row *row, int64_t utc_ms)
{
    return row->at_ms == second_of(utc_ms) * 1000;
}

static double combine(enum aggregate how, double a, double b)
{
    switch (how) {
    case AGGREGATE_MEAN:
        return a + b;
    case AGGREGATE_MIN:
        return fmin(a, b);
    case AGGREGATE_MAX:
        return fmax(a, b);
    case AGGREGATE_PEAK:
        return fabs(b) > fabs(a) ? b : a;
    case AGGREGATE_LAST:
        return b;
    }
    return b;
}

static void add_battery(struct battery_row *row, const struct battery_in *in,
                        const struct battery_command *command, int64_t mono_ms)
{
    for (int i = 0; i < BATTERY_COLUMNS; i++) {
        const struct column *c = &battery_columns[i];
        struct reading r;
        memcpy(&r, (const unsigned char *)in + c->offset, sizeof(r));
        double x = reading_value(&r, mono_ms, reading_age_s);
        if (!isnan(x)) {
            row->values[i] =
                row->n[i] == 0 ? x : combine(c->how, row->values[i], x);
            row->n[i]++;
        }
    }
    row->set_w = command->set_w;
    row->flags = in->flags;
    row->alarms |= in->alarms;
}

void second_row_add(struct second_row *row, const struct snapshot *in,
                    const struct step_out *out)
{
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        const struct column *c = &second_columns[i];
        double x = 0.0;
        memcpy(&x, (const unsigned char *)&out->record + c->offset, sizeof(x));
        row->values[i] =
            row->n_ticks == 0 ? x : combine(c->how, row->values[i], x);
    }
    if (out->record.degraded > row->degraded) {
        row->degraded = out->record.degraded;
    }
    for (int64_t i = 0; i < row->n_batteries; i++) {
        add_battery(&row->batteries[i], &in->batteries[i], &out->batteries[i],
                    in->mono_ms);
    }
    row->n_ticks++;
}

void second_row_close(struct second_row *row)
{
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        if (second_columns[i].how == AGGREGATE_MEAN) {
            row->values[i] /= (double)row->n_ticks;
        }
    }
    for (int64_t b = 0; b < row->n_batteries; b++) {
        struct battery_row *battery = &row->batteries[b];
        for (int i = 0; i < BATTERY_COLUMNS; i++) {
            if (battery->n[i] == 0) {
                battery->values[i] = NAN;
            } else if (battery_columns[i].how == AGGREGATE_MEAN) {
                battery->values[i] /= (double)battery->n[i];
            }
        }
    }
}

static bool same_reason(const struct reason_line *a,
                        const struct reason_line *b)
{
    return a->code == b->code && a->asset == b->asset && a->index == b->index;
}

static bool has(const struct decision *d, const struct reason_line *line)
{
    for (int64_t i = 0; i < d->n_why; i++) {
        if (same_reason(&d->why[i], line)) {
            return true;
        }
    }
    return false;
}

/* Lines of a tick are distinct, so equal counts and containment are equality;
 * the order below the first line may change without news. */
static bool same_reasons(const struct decision *a, const struct decision *b)
{
    if (a->n_why != b->n_why) {
        return false;
    }
    if (a->n_why > 0 && !same_reason(&a->why[0], &b->why[0])) {
        return false;
    }
    for (int64_t i = 0; i < b->n_why; i++) {
        if (!has(a, &b->why[i])) {
            return false;
        }
    }
    return true;
}

/* The same reasons as were kept, with numbers that are theirs no more. */
static bool is_outdated(const struct decision *kept, const struct decision *d)
{
    int64_t age_ms = d->at_ms - kept->at_ms;
    if (age_ms < DECISION_AGAIN_MS && age_ms > -DECISION_AGAIN_MS) {
        return false;
    }
    for (int64_t i = 0; i < d->n_why; i++) {
        for (int64_t k = 0; k < kept->n_why; k++) {
            if (same_reason(&d->why[i], &kept->why[k]) &&
                reason_numbers_differ(&d->why[i], &kept->why[k])) {
                return true;
            }
        }
    }
    return false;
}

static void from_record(struct decision *d, const struct tick_record *record)
{
    int64_t n = record->n_why;
    n = n < 0 ? 0 : n > REASON_LINES ? REASON_LINES : n;
    *d = (struct decision){
        .at_ms = record->utc_ms,
        .tick = record->tick,
        .n_why = n,
    };
    memcpy(d->why, record->why, (size_t)n * sizeof(d->why[0]));
}

bool decision_due(struct decision_watch *w, const struct tick_record *record,
                  struct decision *d)
{
    from_record(d, record);
    bool is_news = !w->any || !same_reasons(&w->seen, d);
    w->seen = *d;
    bool is_kept = w->any && same_reasons(&w->kept, d);
    if (is_kept && !is_outdated(&w->kept, d)) {
        w->n_suppressed += is_news; /* back to it, from one left out */
        return false;
    }
    int64_t second = second_of(record->utc_ms);
    if (!w->any || second != w->second) {
        w->second = second;
        w->n_in_second = 0;
    }
    if (w->n_in_second >= DECISIONS_PER_SECOND) {
        w->n_suppressed += is_news;
        return false;
    }
    /* one that was left out and still stands is not left out after all */
    d->n_suppressed = w->n_suppressed - (!is_news && !is_kept);
    w->n_suppressed = 0;
    w->n_in_second++;
    w->any = true;
    w->kept = *d;
    return true;
}
