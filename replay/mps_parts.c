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

double mps_mwh(const struct mps_writer *w, int64_t b, double pu)
{
    return pu * w->p->batteries[b].energy_wh / MPS_W_PER_MW;
}

double mps_floor_mwh(const struct mps_writer *w, int64_t b, int64_t t)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    double pu = a->soc_floor_pu[t];
    if (t + 1 == w->p->n_steps && isfinite(a->soc_end_min_pu)) {
        pu = fmax(pu, a->soc_end_min_pu);
    }
    return mps_mwh(w, b, pu - a->soc_min_pu);
}

double mps_ceiling_mwh(const struct mps_writer *w, int64_t b, int64_t t)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    return mps_mwh(w, b, a->soc_ceiling_pu[t] - a->soc_min_pu);
}

double mps_ramp_mw(const struct mps_writer *w, int64_t t)
{
    return w->p->ramp_max_w_per_s * w->p->step_s[t] / MPS_W_PER_MW;
}

bool mps_has_segments(const struct mps_writer *w, int64_t b)
{
    return w->p->batteries[b].n_segments > 1;
}

bool mps_has_level(const struct mps_writer *w, int64_t b, int64_t t)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    double width_mwh = mps_mwh(w, b, a->soc_max_pu - a->soc_min_pu);
    return mps_has_segments(w, b) && (mps_floor_mwh(w, b, t) > 0.0 ||
                                      mps_ceiling_mwh(w, b, t) < width_mwh);
}
