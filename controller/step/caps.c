/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/step_parts.h"

/* Kept free below an import limit for what leaks before a battery answers; as
 * much of the site's above an export limit, but nothing is charged for it. */
static const double MARGIN_PU = 0.005;
/* The way down to a coming limit uses this part of the ramp: the rest is room
 * that smoothing keeps for the edges of a load that swings meanwhile. */
static const double AHEAD_PU = 0.5;
/* And ends so much before it: a dip on the way may have kept it up, and pods
 * take a second to follow their caps. */
static const double LEAD_S = 30.0;

/* Between two looks at the swing of the mean. */
static const double SWING_S = 60.0;

/* Where the swing limit is tighter than the ramp, it sets the pace. */
double caps_pace_w_per_s(const struct site_grid *grid)
{
    return fmin(grid->ramp_max_w_per_s, grid->swing_max_w / SWING_S);
}

static void take(struct caps *caps, double import_w, enum reason why)
{
    if (import_w < caps->import_w) {
        caps->import_w = import_w;
        caps->why = why;
    }
}

/* From more than that the ramp does not lead to a limit by its start. */
static void take_reach(const struct step_cfg *cfg, const struct utility_in *e,
                       double until_s, struct caps *caps)
{
    double limit_w = fmax(e->value, 0.0);
    double reach_w =
        limit_w + caps_pace_w_per_s(&cfg->site.grid) * fmax(until_s, 0.0);
    if (reach_w < caps->reach_w) {
        caps->reach_w = reach_w;
        caps->late_w = limit_w;
    }
}

static void raise_floor(struct caps *caps, double floor_w, enum reason why)
{
    if (floor_w > caps->floor_w) {
        caps->floor_w = floor_w;
        caps->below = why;
    }
}

/* What an instruction leaves open now: before its start as much as can still
 * be ramped down (or up) until then. */
static void take_event(const struct step_cfg *cfg, const struct snapshot *in,
                       int place, struct caps *caps)
{
    const struct utility_in *e = &in->utility[place];
    bool local = place >= UTILITY_LOCAL_AT;
    if (!isfinite(e->value) || in->utc_ms >= e->end_at_ms) {
        return;
    }
    double until_s = (double)(e->start_at_ms - in->utc_ms) / 1e3;
    double way_w = AHEAD_PU * caps_pace_w_per_s(&cfg->site.grid) *
                   fmax(until_s - LEAD_S, 0.0);
    double limit_w = fmax(e->value, 0.0) * (1.0 - MARGIN_PU);
    enum reason why = REASON_NONE;
    switch ((enum utility_kind)e->kind) {
    case UTILITY_EMERGENCY:
        caps->urgent = caps->urgent || until_s <= 0.0;
        take(caps, limit_w + way_w, REASON_EMERGENCY);
        break;
    case UTILITY_IMPORT_MAX:
        take(caps, limit_w + way_w, local ? REASON_OPERATOR : REASON_EVENT);
        caps->must_w = fmin(caps->must_w, fmax(e->value, 0.0) + way_w);
        if (!local) {
            take_reach(cfg, e, until_s, caps);
        }
        break;
    case UTILITY_EXPORT_MAX:
        caps->export_w = fmin(caps->export_w, limit_w + way_w);
        raise_floor(caps, -(limit_w + way_w),
                    local ? REASON_OPERATOR_EXPORT : REASON_EVENT_EXPORT);
        break;
    case UTILITY_SETPOINT:
        why = local ? REASON_OPERATOR_HOLD : REASON_SETPOINT;
        take(caps, e->value + way_w, why);
        raise_floor(caps, e->value - way_w, why);
        break;
    case UTILITY_PRICE:
    case UTILITY_RESERVE:
    case UTILITY_ISLAND:
    case UTILITY_COUNT:
        break;
    }
}

struct caps caps_now(const struct step_cfg *cfg, const struct snapshot *in,
                     double load_w)
{
    const struct site_grid *grid = &cfg->site.grid;
    struct caps caps = {.import_w = INFINITY,
                        .reach_w = INFINITY,
                        .late_w = INFINITY,
                        .must_w = INFINITY,
                        .export_w = grid->export_max_w,
                        .floor_w = -grid->export_max_w,
                        .why = REASON_IMPORT,
                        .below = REASON_EXPORT};
    take(&caps, grid->import_max_w * (1.0 - MARGIN_PU), REASON_IMPORT);
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        if (in->utility[i].id[0] != '\0') {
            take_event(cfg, in, i, &caps);
        }
    }
    /* a set-point asks for no more export than is allowed, and a limit goes
     * before it */
    caps.import_w = fmax(caps.import_w, -caps.export_w);
    double off_w = MARGIN_PU * grid->import_max_w - caps.export_w;
    caps.floor_w = fmax(caps.floor_w, fmin(off_w, load_w));
    caps.floor_w = fmin(caps.floor_w, caps.import_w);
    return caps;
}
