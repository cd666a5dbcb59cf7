/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/series.h"

#include <math.h>

#include "models/reason.h"

enum err series_begin(struct series *s, FILE *file, double every_s,
                      double period_s)
{
    int64_t n = (int64_t)lround(every_s / period_s);
    *s = (struct series){.file = file, .n_every = n > 1 ? n : 1};
    if (file == NULL) {
        return ERR_NONE;
    }
    int w = fprintf(file, "t_s,demand_w,served_w,other_w,battery_w,fleet_w,"
                          "grid_w,grid_limit_w,soc_pu,price_per_kwh,reason\n");
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
    int w = fprintf(
        s->file, "%.3f,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.9f,%.6g,%s\n",
        (double)k * site->control.period_s, p->demand_w, p->pods_w, p->other_w,
        p->battery_w, p->fleet_w, p->grid_w, record->grid_max_w,
        plant_soc_pu(p, site), record->price_per_kwh, word);
    return w > 0 ? ERR_NONE : ERR_IO;
}
