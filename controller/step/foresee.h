/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foresee - what the step expects: of the site's load in the next minutes and
 * days, of the compute classes, of the price where the market's own series
 * ends, of the cars plugged in.
 *
 * The load as models/level sees it, with what is held back: by one short
 * forecaster at every tick (models/forecast.h), and as means over quarter
 * hours of the clock, without cars that charge behind the grid connection, by
 * outlooks (models/outlook.h).  Days and weeks are those
 * of UTC: a change to summer time is learned anew within days, but no hour is
 * ever missing or there twice, and a recording needs no time zone.
 *
 * Work per tick is bounded: of all series one is fed at most, cars are counted
 * in the slices in which they are decided.  Pointer-free; lies behind the
 * nodes in the step's state.
 */
#ifndef CONTROLLER_STEP_FORESEE_H
#define CONTROLLER_STEP_FORESEE_H

#include <stdint.h>

#include "controller/step/step_parts.h"
#include "models/availability.h"
#include "models/forecast_state.h"
#include "models/outlook.h"

enum {
    FORESEE_SLOT_MS = 900000,
    FORESEE_AHEAD = 192, /* slots, 48 h */
    FORESEE_DAY = 96,
};

/* Cycles of an hour ago are gone: the short forecaster begins anew. */
#define FORESEE_GAP_MAX_S 3600.0

/* Of the short forecaster, in s. */
#define FORESEE_HORIZON_LIST(X) \
    X(1S, 1)                    \
    X(2S, 2)                    \
    X(5S, 5)                    \
    X(10S, 10)                  \
    X(20S, 20)                  \
    X(30S, 30) X(60S, 60) X(120S, 120) X(300S, 300) X(600S, 600)
#define FORESEE_HORIZON_ENUM(name, s) FORESEE_##name,
enum foresee_horizon {
    FORESEE_HORIZON_LIST(FORESEE_HORIZON_ENUM) FORESEE_HORIZONS
};
#undef FORESEE_HORIZON_ENUM

/* A mean over the slot under way, and that of the last one. */
struct foresee_mean {
    double sum; /* value times s */
    double known_s;
    double closed; /* NAN: less than half of it was measured */
    int64_t due;   /* 1: waits to be fed */
};

/* The cars of a fleet. */
struct foresee_cars {
    struct availability_now counted; /* in the round under way */
    struct availability_now seen;    /* in the last whole one */
    struct availability_now closed;
    double n_heard; /* in the round under way */
    double n_seen;  /* heard in the last whole one */
    double arrived; /* since the slot began */
    double left;
    int64_t due;
    double usual_w; /* mean charging behind the grid connection, of a day */
    double usual_s; /* measured so far, up to that */
};

/* The outlooks of the classes and then the fleets' availabilities follow. */
struct foresee {
    struct forecast soon;
    struct outlook load;
    struct outlook price;
    struct foresee_mean load_mean;
    struct foresee_mean price_mean; /* of a feed that knows the present only */
    struct foresee_mean class_mean[SITE_CLASSES_MAX];
    struct foresee_cars cars[SITE_FLEETS_MAX];
    int64_t slot;          /* number of the one under way; 0: none yet */
    int64_t closed_ms;     /* UTC start of the last one */
    int64_t round;         /* ticks of counting cars */
    int64_t marker_seq;    /* newest marker that was told on */
    int64_t price_slot;    /* of the market's series, next to be looked at */
    int64_t price_mono_ms; /* of the series */
    double load_w;         /* as the last tick was told; NAN: not measured */
    int64_t mono_ms;       /* last tick; 0: none in this run */
    double gap_s;          /* before it: the controller was off */
};

/* Bytes behind the nodes, and where they are. */
size_t foresee_size(const struct site *site);
struct foresee *foresee_of(const struct step_cfg *cfg,
                           struct step_state *state);
const struct foresee *foresee_in(const struct step_cfg *cfg,
                                 const struct step_state *state);

struct outlook *foresee_class(struct foresee *f, int64_t class_id);
const struct outlook *foresee_class_in(const struct foresee *f,
                                       int64_t class_id);
struct availability *foresee_fleet(const struct site *site, struct foresee *f,
                                   int64_t fleet);

/* Nothing known yet; one of them alone. */
void foresee_init(const struct step_cfg *cfg, struct step_state *state);
void foresee_soon_init(const struct step_cfg *cfg, struct forecast *f);
void foresee_outlook_init(struct outlook *o);
void foresee_fleet_init(const struct site *site, int64_t fleet,
                        struct availability *a);

/* One tick, after the estimate. */
void foresee_step(const struct step_cfg *cfg, struct step_state *state,
                  const struct snapshot *in, const struct estimate *est);

/* Node 'i' of 'fleet' has its turn, once a minute; and the tick's slice is
 * done. */
void foresee_node(const struct step_cfg *cfg, struct step_state *state,
                  const struct snapshot *in, int64_t fleet, int64_t i);
void foresee_nodes_done(const struct step_cfg *cfg, struct step_state *state);

/*
 * What was learned, in series, for whoever keeps it over a restart or judges
 * it: the short forecaster, the outlooks of load and price, of the classes,
 * the fleets' cars.
 */
enum foresee_kind { FORESEE_SOON, FORESEE_OUTLOOK, FORESEE_CARS };

int64_t foresee_n_series(const struct site *site);
enum foresee_kind foresee_kind(const struct site *site, int64_t series);
size_t foresee_series_size(enum foresee_kind kind);
/* "forecast.load", "outlook.class.training", ...; 'out' has 64 bytes. */
const char *foresee_name(const struct site *site, int64_t series, char *out);
void *foresee_series(const struct site *site, struct foresee *f,
                     int64_t series);
const void *foresee_series_in(const struct site *site, const struct foresee *f,
                              int64_t series);
void foresee_series_init(const struct step_cfg *cfg, struct foresee *f,
                         int64_t series);
/* Bytes from a disk: fitted to a fleet that has grown; whether they can be
 * it. */
void foresee_adopt(const struct step_cfg *cfg, struct foresee *f,
                   int64_t series);
bool foresee_series_valid(const struct step_cfg *cfg, const struct foresee *f,
                          int64_t series);
/* It has just been put there, as it was 'gap_s' ago. */
void foresee_resume(const struct step_cfg *cfg, struct foresee *f,
                    int64_t series, double gap_s);

/* What foresee_resume() leaves behind, as in 'fresh'. */
void foresee_forget(const struct site *site, struct foresee *f,
                    const struct foresee *fresh);

/* All of it, in a state from a disk. */
bool foresee_valid(const struct step_cfg *cfg, const struct foresee *f);

/* Mean of the slot that holds 'at_ms' (UTC), from the one under way to 48 h
 * ahead.  NAN outside, and while less than 'n_min' slots were measured. */
struct outlook_at foresee_slot(const struct outlook *o, int64_t at_ms,
                               int64_t n_min);

#endif
