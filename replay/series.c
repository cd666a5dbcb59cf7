/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/series.h"

#include <math.h>

#include "models/reason.h"

/* Only a site whose pods have floors has something to say there. */
static bool has_floors(const struct site *site)
{
    bool any = false;
    for (int i = 0; i < site->n_pods; i++) {
        any = any || site->pods[i].floor_max_w > 0.0;
    }
    return any;
}

enum err series_begin(struct series *s, FILE *file, const struct site *site,
                      double every_s)
{
    int64_t n = (int64_t)lround(every_s / site->control.period_s);
    *s = (struct series){
        .file = file, .n_every = n > 1 ? n : 1, .burns = has_floors(site)};
    if (file == NULL) {
        return ERR_NONE;
    }
    int w = fprintf(file,
                    "t_s,demand_w,served_w,other_w,battery_w,fleet_w,"
                    "grid_w,grid_limit_w,soc_pu,price_per_kwh,reason%s\n",
                    s->burns ? ",burn_w" : "");
    return w > 0 ? ERR_NONE : ERR_IO;
}

enum err series_row(struct series *s, int64_t k, const struct site *site,
                    const struct plant *p, const struct tick_record *record)
{
    if (s->file == NULL || k % s->n_every != 0) {
        return ERR_NONE;
    }
    const char *word = record->n_why > 0
                           ? reason_word((enum reason)record->why[0].code)
                           : reason_word(REASON_NONE);
    char burn[32] = "";
    if (s->burns) {
        snprintf(burn, sizeof(burn), ",%.1f", p->burn_w);
    }
    int w = fprintf(
        s->file, "%.3f,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.9f,%.6g,%s%s\n",
        (double)k * site->control.period_s, p->demand_w, p->pods_w - p->burn_w,
        p->other_w, p->battery_w, p->fleet_w, p->grid_w, record->grid_max_w,
        plant_soc_pu(p, site), record->price_per_kwh, word, burn);
    return w > 0 ? ERR_NONE : ERR_IO;
}
