/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/plan_words.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "models/schedule.h"
#include "models/units.h"
#include "policies/ladder.h"
#include "policies/schedule_check.h"

static void say(char *out, size_t size, const char *what, const char *more)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s%s%s", n > 0 ? "; " : "", what, more);
}

static void say_try(const struct plan_try *t, char *out, size_t size)
{
    char line[160];
    bool refused = t->verdict == LADDER_REFUSED;
    snprintf(line, sizeof(line), "%s: %s%s",
             plan_status_name((enum plan_status)t->rung),
             ladder_verdict_text((enum ladder_verdict)t->verdict),
             refused ? ", " : "");
    say(out, size, line,
        refused ? schedule_fault_text((enum schedule_fault)t->fault) : "");
}

void plan_why_text(const struct plan *plan, char *out, size_t size)
{
    out[0] = '\0';
    for (int64_t i = 0; i < plan->n_tries && i < PLAN_TRIES_MAX; i++) {
        if (plan->tries[i].verdict != LADDER_TAKEN) {
            say_try(&plan->tries[i], out, size);
        }
    }
    if (plan->cut) {
        say(out, size, "time was up", "");
    }
    if (plan->kept) {
        say(out, size, "the last plan is continued, ",
            "turning around saves next to nothing");
    }
}

void plan_causes_text(uint64_t causes, char *out, size_t size)
{
    out[0] = '\0';
    for (int c = 0; c < PLAN_CAUSE_COUNT; c++) {
        if (causes >> c & 1u) {
            size_t n = strlen(out);
            snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "",
                     plan_cause_name((enum plan_cause)c));
        }
    }
}

static const char *tier_name(int64_t tier)
{
#define TIER_TEXT(name, text) text,
    static const char *const names[] = {SCHEDULE_TIER_LIST(TIER_TEXT)};
#undef TIER_TEXT
    assert(tier >= 0 && tier < SCHEDULE_TIERS);
    return names[tier];
}

void plan_violation_text(const struct plan *plan, int64_t i, char *out,
                         size_t size)
{
    const struct plan_violation *v = &plan->violations[i];
    char by[32];
    char in[32];
    double ahead_s =
        (double)(plan_slot_ms(plan, v->slot) - plan->start_at_ms) / 1e3;
    if (v->tier == SCHEDULE_SOC_END) {
        snprintf(by, sizeof(by), "%.2f %%", 1e2 * v->by);
    } else if (v->tier == SCHEDULE_RAMP) {
        units_ramp_text(v->by, by, sizeof(by));
    } else {
        units_power_text(v->by, by, sizeof(by));
    }
    units_duration_text(ahead_s, in, sizeof(in));
    snprintf(out, size, "%s by %s, %s after its start", tier_name(v->tier), by,
             in);
}
