/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * forecast_parts - how the parts of models/forecast.h call each other.
 */
#ifndef MODELS_FORECAST_PARTS_H
#define MODELS_FORECAST_PARTS_H

#include <stdbool.h>

#include "models/forecast_state.h"

/* forecast_lags.c: the history, and which lags look like the present. */
void forecast_push(struct forecast *f, double value);
void forecast_compare(struct forecast *f);
int64_t forecast_supported(int64_t n); /* lags below it, of n steps */

/* What a search began with and what it found, for the next from a longer lag:
 * where nothing shorter came near, it would end the same. */
struct forecast_search {
    struct forecast_lag old[FORECAST_NEAREST], best[FORECAST_NEAREST];
    int64_t shortest; /* lag that was ever among the best; 0: none searched */
};
struct forecast_choice {
    struct forecast_search far, near;
};

/* The horizons in their order, each with what the ones before it left. */
void forecast_choose(const struct forecast *f, struct forecast_horizon *h,
                     struct forecast_choice *choice);

/* The copy of the step 'ahead' by a lag, as an index of the past; the newest
 * where it is yet to come. */
static inline int64_t forecast_copy(int64_t lag, int64_t ahead)
{
    return lag > ahead ? lag - ahead : 0;
}

/* forecast_law.c: cycles before, in phase, corrected by a linear law. */
struct forecast_view {
    int64_t ago, ahead;          /* asked: of the step 'ahead' of that 'ago' */
    double base;                 /* mean of the copies */
    double x[FORECAST_FEATURES]; /* deviations from it */
};
void forecast_look(const struct forecast *f, const struct forecast_horizon *h,
                   struct forecast_view *view);
/* Takes in what came; then the laws that have are solved together. */
void forecast_law_learn(struct forecast_law *l, const struct forecast_view *v,
                        double came);
void forecast_law_solve(struct forecast_law *const laws[], int n);
double forecast_law_say(const struct forecast_law *l,
                        const struct forecast_view *v);

/* forecast_level.c: level, slope, and whether the pattern holds. */
void forecast_follow(struct forecast *f, double value);
double forecast_nowcast(const struct forecast *f,
                        const struct forecast_horizon *h);
/* A job starts or ends: what repeats must prove itself anew. */
void forecast_distrust(struct forecast *f);
void forecast_judge(struct forecast *f, struct forecast_horizon *h);

/* forecast_experts.c: what each way of looking ahead says, 'rise' of which is
 * announced, and how far apart the copies and their neighbours are. */
void forecast_ask(const struct forecast *f, struct forecast_horizon *h,
                  double rise);
double forecast_unrest(const struct forecast *f,
                       const struct forecast_horizon *h);

/* forecast_mix.c: what is made of them for h->ahead. */
void forecast_predict(struct forecast *f, struct forecast_horizon *h);
void forecast_keep(struct forecast *f, const struct forecast_horizon *h);
/* Returns whether the law has learnt and is to be solved. */
bool forecast_score(struct forecast *f, struct forecast_horizon *h);
double forecast_pattern_weight(const struct forecast_horizon *h);

/* forecast_swing.c: learns how far windows swing beyond what is foretold. */
void forecast_swing_init(struct forecast_swings *s);
void forecast_swing_step(struct forecast *f, struct forecast_horizon *h);

/* forecast_marks.c: rise announced within the next 'steps' steps, and whether
 * a job starts or stops there. */
double forecast_announced(const struct forecast *f, int64_t steps,
                          bool *breaks);
/* The next number of steps for which that is another; INT64_MAX: none. */
int64_t forecast_next_mark(const struct forecast *f, int64_t steps);
void forecast_marks_pass(struct forecast *f);

#endif
