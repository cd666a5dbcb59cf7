/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/dr_report.h"

#include <string.h>

#include "models/dr_timing.h"

static const int64_t OPEN_EVERY_MS = 900000;

static bool open_due(const struct dr_report *r, const struct dr_report_event *e,
                     int64_t k, struct dr_report_due *out)
{
    if (e->to_ms != DR_FOREVER_MS && e->to_ms > e->from_ms &&
        k > (e->to_ms - e->from_ms) / OPEN_EVERY_MS) {
        return false;
    }
    /* one that takes no time is answered once, but for one that repeats */
    bool once = e->to_ms <= e->from_ms && r->repeat < 0;
    if (once && k > 0) {
        return false;
    }
    *out = (struct dr_report_due){.at_ms = e->from_ms + k * OPEN_EVERY_MS};
    return true;
}

bool dr_report_due(const struct dr_report *r, const struct dr_report_event *e,
                   int64_t k, struct dr_report_due *out)
{
    bool none = r->kind == DR_REPORT_UNKNOWN || !r->historical || k < 0 ||
                (r->repeat >= 0 && k >= r->repeat);
    if (none) {
        return false;
    }
    if (e->n == 0 || e->n_spans == 0 || r->open || r->frequency == 0) {
        return open_due(r, e, k, out);
    }
    int64_t number = r->number < 1 || r->number > e->n ? e->n : r->number;
    int64_t step = r->frequency < 1 ? number : r->frequency;
    int64_t start = r->start < 0 || r->start >= e->n ? e->n - 1 : r->start;
    if (k > (e->n_spans - 1 - start) / step) {
        return false;
    }
    int64_t last = start + k * step;
    if (last >= e->n_spans) {
        return false;
    }
    int64_t n = number < last + 1 ? number : last + 1;
    n = n < DR_REPORT_LENGTH_MAX ? n : DR_REPORT_LENGTH_MAX;
    *out = (struct dr_report_due){e->spans[last].end_ms, last + 1 - n, n};
    return out->at_ms != DR_FOREVER_MS;
}

static const struct {
    const char *type;
    const char *unit;
} rows[] = {
#define ROW(name, type, unit) {type, unit},
    DR_REPORT_LIST(ROW)
#undef ROW
};

enum dr_report_kind dr_report_kind(const char *type)
{
    for (int i = DR_REPORT_UNKNOWN + 1; i < DR_REPORT_KINDS; i++) {
        if (strcmp(rows[i].type, type) == 0) {
            return (enum dr_report_kind)i;
        }
    }
    return DR_REPORT_UNKNOWN;
}

const char *dr_report_type(enum dr_report_kind kind)
{
    return rows[kind].type;
}

const char *dr_report_unit(enum dr_report_kind kind)
{
    return rows[kind].unit;
}
