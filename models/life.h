/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * life - how old a battery is, sample by sample.
 *
 * Calendar ageing runs with the clock, cycling is booked per rainflow cycle
 * at its own depth, mean rate and mean temperature; two models run side by
 * side: one prices, and the worse of the two guards and is reported.
 *
 * The calendar's rate is averaged over a day before its step, as the sources
 * of the fits did: the swing within a day is part of what they measured.
 *
 * The step y <- k ((y/k)^(1/p) + dx)^p is exact for a constant k, and is taken
 * as y^(1/p) <- y^(1/p) + k^(1/p) dx: the state is y^(1/p), so a step cut in
 * two gives the same.
 *
 * A plain struct, 1.2 kB at most; a copy of it is a saved state.
 */
#ifndef MODELS_LIFE_H
#define MODELS_LIFE_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/life_calendar.h"
#include "models/life_model.h"
#include "models/rainflow.h"

/* Inputs outside of what a model's source measured. */
#define LIFE_FLAG_LIST(X)                                 \
    X(CALENDAR_COLD, "temperature below %g C")            \
    X(CALENDAR_HOT, "temperature above %g C")             \
    X(CYCLE_COLD, "cycled below %g C")                    \
    X(CYCLE_HOT, "cycled above %g C")                     \
    X(SHALLOW, "cycles shallower than %g (extrapolated)") \
    X(FAST, "cycled faster than %g C-rate")
#define LIFE_FLAG_ENUM(name, text) LIFE_FLAG_##name,
enum life_flag { LIFE_FLAG_LIST(LIFE_FLAG_ENUM) LIFE_FLAG_COUNT };
#undef LIFE_FLAG_ENUM

/* What became of a reading of the state of health. */
enum life_soh {
    LIFE_SOH_TAKEN,
    LIFE_SOH_IMPLAUSIBLE,   /* outside of what a battery can have */
    LIFE_SOH_TOO_SOON,      /* after the last: it would say the same again */
    LIFE_SOH_NO_FULL_CYCLE, /* since the last: LFP needs one */
};

#define LIFE_DEADBAND_PU 0.001 /* noise of the state of charge */

struct life_sample {
    double dt_s; /* since the sample before, 0..LIFE_GAP_MAX_S */
    double soc_pu;
    double temp_c;
    double rate_per_h; /* mean |power| over the energy; NAN: from soc_pu */
};

#define LIFE_DAY_S 86400.0
#define LIFE_GAP_MAX_S (366.0 * LIFE_DAY_S)
#define LIFE_TEMP_MIN_C (-60.0)
#define LIFE_TEMP_MAX_C 150.0

static inline bool life_sample_good(const struct life_sample *s)
{
    return s->dt_s >= 0.0 && s->dt_s <= LIFE_GAP_MAX_S && s->soc_pu >= 0.0 &&
           s->soc_pu <= 1.0 && s->temp_c >= LIFE_TEMP_MIN_C &&
           s->temp_c <= LIFE_TEMP_MAX_C && !(s->rate_per_h < 0.0) &&
           !(s->rate_per_h > DBL_MAX); /* both hold for what is unknown */
}

static inline double life_rate_per_h(const struct life_sample *s,
                                     double last_soc_pu)
{
    if (!isnan(s->rate_per_h)) {
        return s->rate_per_h;
    }
    double moved = fabs(s->soc_pu - last_soc_pu);
    /* As good as none passed, where the quotient would not be finite. */
    return s->dt_s > 1e-6 ? moved / s->dt_s * 3600.0 : 0.0;
}

enum life_role { LIFE_PRICE, LIFE_GUARD, LIFE_ROLES };

/* One model's state, in powers 1/p: it grows in proportion to time and EFC. */
struct life_channels {
    double loss_t;
    double loss_n;
    double ohm_t;
    double ohm_n;
    double knee; /* EFC over the knee's EFC */
};

/* Calendar rates times time, over the day under way up to the middle of the
 * last interval. */
struct life_day {
    double loss;
    double ohm;
};

struct life {
    struct rainflow cycles;
    struct life_channels channels[LIFE_ROLES];
    struct life_day today[LIFE_ROLES];
    struct life_rates rates[LIFE_ROLES]; /* at the last sample */
    struct life_heat heat;               /* at its temperature */
    double efc;                          /* closed cycles */
    double capacity_pu; /* of the pricing model, as the day began */
    double today_s;     /* since the day began */
    float last_half_s;  /* of the last interval, of today */
    float soh_gain;     /* normal equation of the multiplier */
    float soh_weight;
    float soh_age_days; /* from the last reading to the day under way */
    float soc_min_pu;   /* of turning points since the last reading */
    float soc_max_pu;
    uint8_t flags[LIFE_ROLES];   /* bits by enum life_flag, since life_seen() */
    uint8_t outside[LIFE_ROLES]; /* of them, what the last temperature raised */
    uint8_t model[LIFE_ROLES];   /* enum life_model_id */
};

struct life_loss {
    double calendar_pu;
    double cycle_pu;    /* what the knee takes included */
    double capacity_pu; /* 1 - both */
    double active_pu;   /* limit by active material (knee); INFINITY for none */
    double resistance_pu; /* 1 when new, and where the model has none */
};

/* New battery.  'depth' as in rainflow_init(). */
void life_init(struct life *l, enum chemistry c, int depth);

/* ERR_RANGE, and nothing changed, where a number is not finite or leaves its
 * range (state of charge 0..1).  The dt_s of the first sample counts for
 * nothing. */
CHECKED enum err life_feed(struct life *l, const struct life_sample *s);

/* By one model; 'open' adds the cycles under way as if they ended now. */
struct life_loss life_loss(const struct life *l, enum life_role role,
                           bool open);

/* The channels behind it, the day under way included. */
struct life_channels life_channels_now(const struct life *l,
                                       enum life_role role, bool open);

/* The role whose model has lost more, open cycles included. */
enum life_role life_worse(const struct life *l);

/* Multiplier of the pricing model by measurement; 1 before any. */
double life_scale(const struct life *l);

/*
 * A state of health that the battery's own management measured.  Fits the
 * multiplier by least squares; the prior is 1 +- 0.15 (BLAST-Lite's spread of
 * cells), a reading is good to 0.01.  One reading in 30 days counts, and for
 * LFP only after a swing of 80 % since the last.
 */
enum life_soh life_measured(struct life *l, double soh_pu);

/* The flags raised since the last call, which clears them. */
unsigned life_seen(struct life *l, enum life_role role);

/* "temperature below 10 C"; returns 'out'. */
const char *life_flag_text(enum life_model_id id, enum life_flag f, char *out,
                           size_t size);

/* Bits of the ranges that conditions leave. */
unsigned life_calendar_flags(enum life_model_id id, double temp_c);
unsigned life_cycle_flags(enum life_model_id id, const struct life_stress *s);

/* Channels of a model, for whoever forms the inputs himself. */
struct life_loss life_channels_loss(const struct life_channels *c,
                                    enum life_model_id id, double scale);
void life_channels_init(struct life_channels *c);

#endif
