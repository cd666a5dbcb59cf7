/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/mps_parts.h"

#include <math.h>

struct mps_label mps_at(const char *kind, const char *name, int64_t t)
{
    struct mps_label l;
    snprintf(l.text, sizeof(l.text), "%s[%s%s%lld]", kind, name,
             name[0] != '\0' ? "," : "", (long long)t);
    return l;
}

struct mps_label mps_segment(const struct mps_writer *w, const char *kind,
                             struct mps_store store, int64_t t)
{
    char name[MPS_NAME_MAX + 4];
    snprintf(name, sizeof(name), "%s", w->batteries[store.b]);
    if (mps_has_segments(w, store.b)) {
        size_t n = strlen(name);
        snprintf(name + n, sizeof(name) - n, ".%lld", (long long)store.s);
    }
    return mps_at(kind, name, t);
}

double mps_hours(const struct mps_writer *w, int64_t t)
{
    return w->p->step_s[t] / 3600.0;
}

bool mps_has_ramp(const struct mps_writer *w, int64_t t)
{
    return isfinite(w->p->ramp_max_w_per_s) &&
           (t > 0 || isfinite(w->p->grid_start_w));
}

bool mps_has_peak(const struct mps_writer *w)
{
    return w->p->peak_per_kw > 0.0;
}

struct mps_window mps_window(const struct mps_writer *w, int64_t b, int64_t t)
{
    return w->windows[b * w->p->n_steps + t];
}

double mps_ramp_mw(const struct mps_writer *w, int64_t t)
{
    return w->p->ramp_max_w_per_s * w->p->step_s[t] / MPS_W_PER_MW;
}

bool mps_has_one(const struct mps_writer *w, int64_t b, int64_t t)
{
    const struct schedule_lp_battery *at = &w->lp->batteries[b];
    return at->one_row >= 0 && at->in_share[t] > 0.0;
}

bool mps_has_total(const struct mps_writer *w, enum schedule_tier tier)
{
    return w->least != NULL && tier < w->least->tier;
}

struct mps_label mps_total(enum schedule_tier tier)
{
#define TIER_NAME(id, text) [SCHEDULE_##id] = text,
    static const char *const names[] = {SCHEDULE_TIER_LIST(TIER_NAME)};
#undef TIER_NAME
    struct mps_label l;
    snprintf(l.text, sizeof(l.text), "total[%s]", names[tier]);
    return l;
}

double mps_charge_mw(const struct mps_writer *w, int64_t b, int64_t t)
{
    return w->lp->batteries[b].in_max[t] * w->lp->unit_w / MPS_W_PER_MW;
}

double mps_discharge_mw(const struct mps_writer *w, int64_t b, int64_t t)
{
    return w->lp->batteries[b].out_max[t] * w->lp->unit_w / MPS_W_PER_MW;
}

struct mps_window mps_hard(const struct mps_writer *w, int64_t b)
{
    struct schedule_window hard = schedule_window_hard(&w->p->batteries[b]);
    return (struct mps_window){hard.lo_wh / MPS_W_PER_MW,
                               hard.hi_wh / MPS_W_PER_MW};
}

bool mps_has_segments(const struct mps_writer *w, int64_t b)
{
    return w->stores[b].n_segments > 1;
}

/* Its widths do not hold a store that begins outside them. */
static bool begins_outside(const struct schedule_store *s)
{
    int last = s->n_segments - 1;
    return s->start_wh[0] < 0.0 || s->start_wh[last] > s->width_wh[last];
}

bool mps_has_level(const struct mps_writer *w, int64_t b, int64_t t)
{
    struct mps_window window = mps_window(w, b, t);
    const struct schedule_store *s = &w->stores[b];
    if (w->least != NULL) {
        return true;
    }
    return mps_has_segments(w, b) &&
           (window.lo_mwh > 0.0 || window.hi_mwh < s->whole_wh / MPS_W_PER_MW ||
            begins_outside(s));
}
