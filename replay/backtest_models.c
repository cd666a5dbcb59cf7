/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/backtest_models.h"

#include <math.h>
#include <stdio.h>

#include "models/units.h"

enum { SLOTS = 5, WORDS_MAX = 24 };

/* Those that divide a day and that an outlook keeps a week of. */
static const double slots_s[SLOTS] = {300.0, 600.0, 900.0, 1800.0, 3600.0};
static const double outlook_max_s = 48.0 * 3600.0;

/* Of a step that is not one of them up to rounding, -1. */
static int slot_of(double step_s)
{
    for (int i = 0; i < SLOTS; i++) {
        if (fabs(step_s - slots_s[i]) < 1e-6) {
            return i;
        }
    }
    return -1;
}

static enum err refuse(const struct backtest_cfg *cfg, char *why, size_t size)
{
    double step_s = cfg->series->step_s;
    double longest_s = (double)cfg->lead[cfg->n_leads - 1] * step_s;
    char words[WORDS_MAX];
    if (step_s < BACKTEST_SLOT_S) {
        if (longest_s <= BACKTEST_SHORT_MAX_S + 0.5 * step_s) {
            return ERR_NONE;
        }
        snprintf(why, size,
                 "a horizon of %s: expected at most 10 min for steps under 5 "
                 "min",
                 units_duration_text(longest_s, words, sizeof(words)));
        return ERR_RANGE;
    }
    if (slot_of(step_s) < 0) {
        snprintf(why, size,
                 "a step of %s: expected under 5 min, or 5, 10, 15, 30 or 60 "
                 "min; --step makes it coarser",
                 units_duration_text(step_s, words, sizeof(words)));
        return ERR_RANGE;
    }
    if (longest_s > outlook_max_s) {
        snprintf(why, size, "a horizon of %s: expected at most 48 h",
                 units_duration_text(longest_s, words, sizeof(words)));
        return ERR_RANGE;
    }
    return ERR_NONE;
}

enum err backtest_model_open(struct backtest_cfg *cfg, char *why,
                             size_t why_size)
{
    enum err e = refuse(cfg, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    e = cfg->series->step_s < BACKTEST_SLOT_S ? backtest_short_open(cfg)
                                              : backtest_outlook_open(cfg);
    if (e != ERR_NONE) {
        snprintf(why, why_size, "%s", err_text(e));
    }
    return e;
}

void backtest_model_close(struct backtest_model *model)
{
    if (model->state != NULL) {
        model->close(model->state);
        model->state = NULL;
    }
}
