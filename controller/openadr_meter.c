/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/openadr_meter.h"

#include <math.h>
#include <stddef.h>

static unsigned char state_of(const struct openadr_figures *f)
{
    return f == NULL      ? OPENADR_STATE_UNKNOWN
           : f->fault     ? OPENADR_STATE_FAULT
           : f->curtailed ? OPENADR_STATE_CURTAILED
           : f->opted_out ? OPENADR_STATE_OPTED_OUT
                          : OPENADR_STATE_NORMAL;
}

void openadr_meter_add(struct openadr_meter *m, int64_t utc_ms, double grid_w,
                       const struct openadr_figures *figures)
{
    int64_t second = utc_ms / 1000;
    int64_t minute = second / 60;
    if (utc_ms > 0) {
        int64_t k = second % OPENADR_METER_SECONDS;
        m->numbers[k] = second;
        m->grid_w[k] = isfinite(grid_w) ? (float)grid_w : NAN;
        m->states[k] = state_of(figures);
    }
    if (figures != NULL && utc_ms > 0) {
        m->minutes[minute % OPENADR_METER_MINUTES] =
            (struct openadr_minute){minute, *figures};
    }
}

struct openadr_metered openadr_meter_grid(const struct openadr_meter *m,
                                          int64_t from_ms, int64_t to_ms)
{
    struct openadr_metered out = {.mean_w = NAN, .peak_w = NAN};
    int64_t from = (from_ms + 999) / 1000;
    int64_t to = (to_ms + 999) / 1000;
    if (to <= from) {
        return out;
    }
    double sum_w = 0.0;
    int64_t n = 0;
    int64_t states[OPENADR_STATES] = {0};
    int64_t oldest = to - OPENADR_METER_SECONDS;
    for (int64_t s = from > oldest ? from : oldest; s < to; s++) {
        double w = (double)m->grid_w[s % OPENADR_METER_SECONDS];
        if (m->numbers[s % OPENADR_METER_SECONDS] != s) {
            continue;
        }
        states[m->states[s % OPENADR_METER_SECONDS]]++;
        if (isfinite(w)) {
            out.peak_w = n == 0 ? w : fmax(out.peak_w, w);
            sum_w += w;
            n++;
        }
    }
    out.mean_w = n > 0 ? sum_w / (double)n : NAN;
    out.known_pu = (double)n / (double)(to - from);
    int64_t known = 0;
    for (int i = OPENADR_STATE_NORMAL; i < OPENADR_STATES; i++) {
        known += states[i];
        if (states[i] > states[out.state] || out.state == 0) {
            out.state = i;
        }
    }
    out.state = known > 0 ? out.state : OPENADR_STATE_UNKNOWN;
    out.state_pu = (double)known / (double)(to - from);
    return out;
}

const struct openadr_figures *
openadr_meter_figures(const struct openadr_meter *m, int64_t from_ms,
                      int64_t to_ms)
{
    int64_t oldest = from_ms / 60000 - 1;
    int64_t newest = to_ms / 60000;
    if (newest - oldest > OPENADR_METER_MINUTES) {
        oldest = newest - OPENADR_METER_MINUTES;
    }
    for (int64_t k = newest; k >= oldest && k > 0; k--) {
        const struct openadr_minute *minute =
            &m->minutes[k % OPENADR_METER_MINUTES];
        if (minute->number == k) {
            return &minute->figures;
        }
    }
    return NULL;
}
