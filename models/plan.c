/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/plan.h"

#include <assert.h>

int plan_slot(const struct plan *plan, int64_t utc_ms)
{
    if (plan->status == PLAN_NONE || utc_ms >= plan->expires_at_ms ||
        utc_ms < plan->start_at_ms) {
        return -1;
    }
    double into_s = (double)(utc_ms - plan->start_at_ms) / 1e3;
    for (int i = 0; i < plan->n_slots; i++) {
        if (into_s < plan->step_s[i]) {
            return i;
        }
        into_s -= plan->step_s[i];
    }
    return -1;
}

const char *plan_status_name(enum plan_status s)
{
#define PLAN_TEXT(name, text) text,
    static const char *const names[] = {PLAN_STATUS_LIST(PLAN_TEXT)};
#undef PLAN_TEXT
    assert((unsigned)s < PLAN_STATUS_COUNT);
    return names[s];
}
