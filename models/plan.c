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

int64_t plan_slot_ms(const struct plan *plan, int64_t slot)
{
    assert(slot >= 0 && slot <= plan->n_slots);
    double after_s = 0.0;
    for (int64_t i = 0; i < slot; i++) {
        after_s += plan->step_s[i];
    }
    return plan->start_at_ms + (int64_t)(after_s * 1e3);
}

const char *plan_status_name(enum plan_status s)
{
#define PLAN_TEXT(name, text) text,
    static const char *const names[] = {PLAN_STATUS_LIST(PLAN_TEXT)};
#undef PLAN_TEXT
    assert((unsigned)s < PLAN_STATUS_COUNT);
    return names[s];
}

const char *plan_cause_name(enum plan_cause c)
{
#define CAUSE_TEXT(name, text) text,
    static const char *const names[] = {PLAN_CAUSE_LIST(CAUSE_TEXT)};
#undef CAUSE_TEXT
    assert((unsigned)c < PLAN_CAUSE_COUNT);
    return names[c];
}
