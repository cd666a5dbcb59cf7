/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/step_state.h"

/* Kept free below an import limit for what leaks before a battery answers. */
static const double MARGIN_PU = 0.005;
/* The way down to a coming limit uses this part of the ramp. */
static const double AHEAD_PU = 0.9;
/* And ends so much before it: pods take a second to follow their caps. */
static const double LEAD_S = 3.0;

static void take(struct caps *caps, double import_w, enum reason why)
{
    if (import_w < caps->import_w) {
        caps->import_w = import_w;
        caps->why = why;
    }
}

/* What an instruction leaves open now: before its start as much as can still
 * be ramped down until then. */
static void take_event(const struct step_cfg *cfg, const struct snapshot *in,
                       const struct utility_in *e, struct caps *caps)
{
    bool emergency = e->kind == UTILITY_EMERGENCY;
    if ((e->kind != UTILITY_IMPORT_MAX && !emergency) || !isfinite(e->value) ||
        in->utc_ms >= e->end_at_ms) {
        return;
    }
    double limit_w = fmax(e->value, 0.0) * (1.0 - MARGIN_PU);
    double until_s = (double)(e->start_at_ms - in->utc_ms) / 1e3;
    double way_s = fmax(until_s - LEAD_S, 0.0);
    limit_w += AHEAD_PU * cfg->site.grid.ramp_max_w_per_s * way_s;
    if (emergency && until_s <= 0.0) {
        caps->urgent = true;
    }
    take(caps, limit_w, emergency ? REASON_EMERGENCY : REASON_EVENT);
}

struct caps caps_now(const struct step_cfg *cfg, const struct snapshot *in)
{
    struct caps caps = {.import_w = INFINITY, .why = REASON_IMPORT};
    take(&caps, cfg->site.grid.import_max_w * (1.0 - MARGIN_PU), REASON_IMPORT);
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        if (in->utility[i].id[0] != '\0') {
            take_event(cfg, in, &in->utility[i], &caps);
        }
    }
    return caps;
}
