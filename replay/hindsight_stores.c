/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "models/clamp.h"
#include "replay/hindsight_lp.h"

/* Whether two batteries in the same state stay alike. */
static bool alike(const struct site_battery *a, const struct site_battery *b)
{
    return a->energy_wh == b->energy_wh && a->charge_max_w == b->charge_max_w &&
           a->discharge_max_w == b->discharge_max_w &&
           a->transformer_va == b->transformer_va &&
           a->efficiency_pu == b->efficiency_pu &&
           a->soc_min_pu == b->soc_min_pu && a->soc_max_pu == b->soc_max_pu &&
           a->chemistry == b->chemistry &&
           a->replacement_per_kwh == b->replacement_per_kwh &&
           a->reserve_wh == b->reserve_wh &&
           a->sim_soc_start_pu == b->sim_soc_start_pu;
}

/* The segments of one price as one, as far as 'whole_wh' reaches; what is
 * stored lies in the cheapest. */
static void fill_segments(struct hindsight_store *s,
                          const struct wear_segments *from, double energy_wh,
                          double whole_wh)
{
    double left_wh = whole_wh;
    for (int64_t i = 0; i < from->n && (left_wh > 0.0 || i == 0); i++) {
        double width_wh = fmin(from->at[i].width_pu * energy_wh, left_wh);
        int last = s->n_segments - 1;
        left_wh -= width_wh;
        if (last >= 0 && from->at[i].per_kwh <= s->per_kwh[last] + 1e-9) {
            s->width_wh[last] += width_wh;
            continue;
        }
        s->width_wh[s->n_segments] = width_wh;
        s->per_kwh[s->n_segments] = from->at[i].per_kwh;
        s->n_segments++;
    }
    s->width_wh[s->n_segments - 1] += fmax(left_wh, 0.0);
    double stored_wh = s->start_wh;
    for (int i = 0; i < s->n_segments; i++) {
        s->fill_wh[i] = fmin(stored_wh, s->width_wh[i]);
        stored_wh -= s->fill_wh[i];
    }
}

/* The window, opened as far as the battery starts outside of it. */
static void add_store(struct hindsight_store *s, const struct site_battery *b,
                      enum hindsight_aim aim)
{
    double start_wh = b->sim_soc_start_pu * b->energy_wh;
    double floor_wh = b->soc_min_pu * b->energy_wh + b->reserve_wh;
    double ceiling_wh = fmax(b->soc_max_pu * b->energy_wh, start_wh);
    *s = (struct hindsight_store){
        .n = 1,
        .lo_wh = clamp(floor_wh, 0.0, fmin(start_wh, ceiling_wh)),
        .charge_w = fmin(b->charge_max_w, b->transformer_va),
        .discharge_w = fmin(b->discharge_max_w, b->transformer_va),
        .eff_pu = sqrt(b->efficiency_pu),
    };
    s->start_wh = start_wh - s->lo_wh;
    struct wear_segments wear = {.n = 1};
    if (aim == HINDSIGHT_COST) {
        struct wear_terms terms = wear_terms_new(b, LIFE_PRICE);
        wear_segments(b, &terms, WEAR_SEGMENTS, &wear);
    }
    fill_segments(s, &wear, b->energy_wh, ceiling_wh - s->lo_wh);
}

bool hindsight_stores(const struct site *site, enum hindsight_aim aim,
                      struct hindsight_stores *out)
{
    out->n = 0;
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        int s = 0;
        while (s < out->n && !alike(b, &site->batteries[out->at[s].first])) {
            s++;
        }
        if (s == HINDSIGHT_STORES_MAX) {
            return false;
        }
        out->of[i] = s;
        if (s < out->n) {
            out->at[s].n++;
            continue;
        }
        add_store(&out->at[s], b, aim);
        out->at[s].first = i;
        out->n++;
    }
    return true;
}
