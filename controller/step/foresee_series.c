/* SPDX-License-Identifier: GPL-3.0-or-later */
/* foresee_series - what was learned, piece by piece. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "controller/step/foresee.h"
#include "models/series_check.h"

enum { CLASSES = 3 }; /* after the short forecaster, load and price */

static const double SUM_MAX = 1e20;
static const int64_t COUNT_MAX = INT64_C(1) << 52;

int64_t foresee_n_series(const struct site *site)
{
    return CLASSES + site->n_classes + site->n_fleets;
}

enum foresee_kind foresee_kind(const struct site *site, int64_t series)
{
    return series == 0                          ? FORESEE_SOON
           : series < CLASSES + site->n_classes ? FORESEE_OUTLOOK
                                                : FORESEE_CARS;
}

size_t foresee_series_size(enum foresee_kind kind)
{
    return kind == FORESEE_SOON      ? sizeof(struct forecast)
           : kind == FORESEE_OUTLOOK ? sizeof(struct outlook)
                                     : sizeof(struct availability);
}

const char *foresee_name(const struct site *site, int64_t series, char *out)
{
    static const char *const names[CLASSES] = {"forecast.load", "outlook.load",
                                               "outlook.price"};
    if (series < CLASSES) {
        snprintf(out, 64, "%s", names[series]);
    } else if (series < CLASSES + site->n_classes) {
        snprintf(out, 64, "outlook.class.%s",
                 site->classes[series - CLASSES].name);
    } else {
        snprintf(out, 64, "outlook.fleet.%s",
                 site->fleets[series - CLASSES - site->n_classes].name);
    }
    return out;
}

/* Bytes from the start of 'f'. */
static size_t place(const struct site *site, int64_t series)
{
    static const size_t places[CLASSES] = {offsetof(struct foresee, soon),
                                           offsetof(struct foresee, load),
                                           offsetof(struct foresee, price)};
    if (series < CLASSES) {
        return places[series];
    }
    int64_t c = series - CLASSES;
    int64_t n = c < site->n_classes ? c : site->n_classes;
    return sizeof(struct foresee) + (size_t)n * sizeof(struct outlook) +
           (size_t)(c - n) * sizeof(struct availability);
}

void *foresee_series(const struct site *site, struct foresee *f, int64_t series)
{
    return (unsigned char *)f + place(site, series);
}

const void *foresee_series_in(const struct site *site, const struct foresee *f,
                              int64_t series)
{
    return (const unsigned char *)f + place(site, series);
}

void foresee_series_init(const struct step_cfg *cfg, struct foresee *f,
                         int64_t series)
{
    const struct site *site = &cfg->site;
    void *x = foresee_series(site, f, series);
    switch (foresee_kind(site, series)) {
    case FORESEE_SOON:
        foresee_soon_init(cfg, x);
        return;
    case FORESEE_OUTLOOK:
        foresee_outlook_init(x);
        return;
    case FORESEE_CARS:
        foresee_fleet_init(site, series - CLASSES - site->n_classes, x);
        return;
    }
}

void foresee_adopt(const struct step_cfg *cfg, struct foresee *f,
                   int64_t series)
{
    int64_t fleet = series - CLASSES - cfg->site.n_classes;
    if (fleet >= 0) {
        struct availability *a = foresee_fleet(&cfg->site, f, fleet);
        double nodes = (double)cfg->site.fleets[fleet].nodes;
        a->nodes = nodes;
        a->habit.cfg.max = nodes;
    }
}

void foresee_forget(const struct site *site, struct foresee *f,
                    const struct foresee *fresh)
{
    for (int64_t i = 0; i < foresee_n_series(site); i++) {
        memcpy(foresee_series(site, f, i), foresee_series_in(site, fresh, i),
               foresee_series_size(foresee_kind(site, i)));
    }
    f->gap_s = fresh->gap_s;
}

static bool soon_valid(const struct step_cfg *cfg, const struct forecast *f)
{
    struct forecast fresh;
    foresee_soon_init(cfg, &fresh);
    return forecast_valid(f, &fresh);
}

static bool one_outlook_valid(const struct outlook *o)
{
    struct outlook fresh;
    foresee_outlook_init(&fresh);
    return outlook_valid(o, &fresh);
}

static bool cars_valid(const struct site *site, int64_t fleet,
                       const struct availability *a)
{
    struct availability fresh;
    foresee_fleet_init(site, fleet, &fresh);
    return availability_valid(a, &fresh);
}

bool foresee_series_valid(const struct step_cfg *cfg, const struct foresee *f,
                          int64_t series)
{
    const struct site *site = &cfg->site;
    const void *x =
        foresee_series(site, (struct foresee *)(uintptr_t)f, series);
    switch (foresee_kind(site, series)) {
    case FORESEE_SOON:
        return soon_valid(cfg, x);
    case FORESEE_OUTLOOK:
        return one_outlook_valid(x);
    case FORESEE_CARS:
        break;
    }
    return cars_valid(site, series - CLASSES - site->n_classes, x);
}

void foresee_resume(const struct step_cfg *cfg, struct foresee *f,
                    int64_t series, double gap_s)
{
    if (series > 0) {
        return; /* slots know their time */
    }
    if (gap_s > FORESEE_GAP_MAX_S) {
        foresee_soon_init(cfg, &f->soon);
    } else {
        f->gap_s = gap_s;
    }
}

static bool mean_valid(const struct foresee_mean *m)
{
    return fabs(m->sum) <= SUM_MAX && m->known_s >= 0.0 && m->known_s <= 1e9 &&
           !(fabs(m->closed) > SUM_MAX) && (m->due == 0 || m->due == 1);
}

static bool now_valid(const struct availability_now *now)
{
    return series_doubles(now->plugged, AVAILABILITY_BUCKETS) &&
           fabs(now->arrived) <= SUM_MAX && fabs(now->left) <= SUM_MAX;
}

static bool counted_valid(const struct foresee_cars *c)
{
    return now_valid(&c->counted) && now_valid(&c->seen) &&
           now_valid(&c->closed) && fabs(c->n_heard) <= SUM_MAX &&
           fabs(c->n_seen) <= SUM_MAX && fabs(c->arrived) <= SUM_MAX &&
           fabs(c->left) <= SUM_MAX && (c->due == 0 || c->due == 1) &&
           c->usual_w >= 0.0 && c->usual_w <= SUM_MAX && c->usual_s >= 0.0 &&
           c->usual_s <= (double)FORESEE_DAY * FORESEE_SLOT_MS / 1e3;
}

static bool counts(int64_t n, int64_t most)
{
    return n >= 0 && n <= most;
}

bool foresee_valid(const struct step_cfg *cfg, const struct foresee *f)
{
    bool ok = mean_valid(&f->load_mean) && mean_valid(&f->price_mean) &&
              counts(f->slot, INT64_MAX / FORESEE_SLOT_MS) &&
              counts(f->closed_ms, COUNT_MAX) &&
              counts(f->round, cfg->n_slices * cfg->n_rounds) &&
              counts(f->marker_seq, INT64_MAX) &&
              counts(f->price_slot, COUNT_MAX / FORESEE_SLOT_MS) &&
              counts(f->price_mono_ms, COUNT_MAX) &&
              counts(f->mono_ms, COUNT_MAX) && f->gap_s >= 0.0 &&
              f->gap_s <= FORESEE_GAP_MAX_S && !(fabs(f->load_w) > SUM_MAX);
    for (int c = 0; c < cfg->site.n_classes; c++) {
        ok = ok && mean_valid(&f->class_mean[c]);
    }
    for (int i = 0; i < cfg->site.n_fleets; i++) {
        ok = ok && counted_valid(&f->cars[i]);
    }
    for (int64_t i = 0; ok && i < foresee_n_series(&cfg->site); i++) {
        ok = foresee_series_valid(cfg, f, i);
    }
    return ok;
}
