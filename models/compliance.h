/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compliance - the meter that judges the grid power as the utility does.
 *
 * Pure and streaming: one push per tick of fixed length, O(1) amortised.
 * Pointer-free, a copy is a checkpoint.  Import is positive.  What is judged,
 * with P the power of each tick:
 *
 *   ramp    the mean M of P over ramp_average: a tick is a violation where
 *           |M(t) - M(t - tau)| > ramp_max * tau * 1.01 for any whole number
 *           of ticks tau from ramp_average to 60 s
 *   swing   largest minus smallest mean over swing_average in the last 60 s,
 *           both ends included (P[t-60 s .. t])
 *   bands   rms in each band (models/band)
 *   import  the mean over import_average of P minus the limit in force, and P
 *           itself against the trip limit; export likewise by its mean
 *   demand  the mean over each demand_interval, aligned to the UTC clock
 *   edge    |P(t) - P(t - period)|
 *
 * Averages are whole ticks, at least one.  Before the first push the site
 * stood at its value, so the first averages are judged too.
 */
#ifndef MODELS_COMPLIANCE_H
#define MODELS_COMPLIANCE_H

#include <stddef.h>
#include <stdint.h>

#include "models/band.h"
#include "models/compliance_ramp.h"
#include "models/site.h"
#include "models/window.h"

/* The higher rule that forces a tick. */
#define COMPLIANCE_CAUSE_LIST(X)          \
    X(NONE, "none")                       \
    X(PROTECTION, "protection")           \
    X(GRID_CODE, "grid code")             \
    X(EMERGENCY, "emergency instruction") \
    X(IMPORT, "import limit")             \
    X(ISLAND, "island")
#define COMPLIANCE_ENUM(name, text) COMPLIANCE_##name,
enum compliance_cause {
    COMPLIANCE_CAUSE_LIST(COMPLIANCE_ENUM) COMPLIANCE_CAUSE_COUNT
};
#undef COMPLIANCE_ENUM

/* What is judged, each by a limit of the site. */
#define COMPLIANCE_RULE_LIST(X)                             \
    X(RAMP, "ramp")                                         \
    X(SWING, "swing")       /* peak to peak in 60 s */      \
    X(IMPORT_MAX, "import") /* mean, limit in force */      \
    X(TRIP, "trip")         /* any tick, breaker's limit */ \
    X(EXPORT_MAX, "export")                                 \
    X(BAND, "band") /* rms of about 60 s */
#define COMPLIANCE_RULE_ENUM(name, text) COMPLIANCE_RULE_##name,
enum compliance_rule {
    COMPLIANCE_RULE_LIST(COMPLIANCE_RULE_ENUM) COMPLIANCE_RULE_COUNT
};
#undef COMPLIANCE_RULE_ENUM

/* How a rule stood at the last tick. */
struct compliance_stand {
    int64_t broken;
    int64_t cause; /* enum compliance_cause that forced it */
    int64_t index; /* of the band; else 0 */
    double value;  /* W, or W/s of the ramp; where broken only */
    double limit;
};

/* The import limit: the mean of what lies above it. */
struct compliance_limit {
    struct window_mean mean;
    int64_t stride; /* ticks per cell of the mean; 1 where they fit */
    int64_t held;   /* ticks in the cell being filled */
    double sum_w;   /* of them */
    double mean_w;  /* newest */
};

/* The demand interval that is running, and the highest one before it. */
struct compliance_demand {
    int64_t number; /* since 1970 */
    int64_t done;   /* intervals finished */
    double ticks;   /* of the running one */
    double sum_w;
    double peak_w;
};

struct compliance {
    struct site_grid grid;
    double period_s;
    int64_t start_utc_ms;
    int64_t ticks; /* pushed */
    int64_t fresh; /* the windows begin with the next push */
    double last_w;
    int64_t forced_tick; /* last one; far in the past for none */
    int64_t forced_cause;
    struct compliance_ramp ramp;
    struct window_mean swing_mean;
    struct window_extreme swing_max;
    struct window_extreme swing_min;
    struct compliance_limit import;
    struct compliance_limit export;
    struct compliance_demand demand;
    struct band bands[SITE_BANDS_MAX];
    int64_t n_bands;
    struct compliance_stand stands[COMPLIANCE_RULE_COUNT];
    int64_t band_violations;
    double import_ws;
    double export_ws;
    double peak_tick_w;
    double pp60_max_w;
    double edge_max_w;
    int64_t ramp_violations;
    int64_t swing_violations;
    int64_t import_violations;
    int64_t trip_violations;
    int64_t export_violations;
    int64_t exempt_by[COMPLIANCE_CAUSE_COUNT];
};

struct compliance_in {
    double grid_w;       /* mean of the tick, finite */
    double import_max_w; /* limit in force; NAN: the site's */
    int64_t forced;      /* enum compliance_cause, NONE for a free tick */
};

struct compliance_band {
    double from_hz;
    double to_hz;
    int64_t sight;       /* enum band_sight */
    double nyquist_hz;   /* half the sampling rate: nothing is seen above */
    double rms_w;        /* of the whole run; NAN where blind */
    double recent_max_w; /* largest rms of about 60 s; NAN where blind */
};

struct compliance_result {
    double duration_s;
    double import_wh;
    double export_wh;
    double peak_w;      /* highest mean of a finished demand interval; of the
                         * unfinished one where there is no other */
    double peak_tick_w; /* highest single tick */
    double ramp_max_w_per_s;
    int64_t ramp_max_tick;   /* at which it was */
    int64_t ramp_violations; /* ticks, without the exempt ones */
    int64_t exempt;          /* ticks whose ramp violation was forced */
    int64_t exempt_by[COMPLIANCE_CAUSE_COUNT]; /* of them, per cause */
    double pp60_max_w;
    int64_t swing_violations; /* ticks over swing_max by more than 1 %, unless
                               * a forced tick lies in their window */
    double edge_max_w;
    int64_t import_limit_violations; /* ticks over the limit or the trip */
    int64_t trip_violations;         /* ticks over the trip limit */
    int64_t export_limit_violations;
    int64_t band_violations; /* ticks with a band over its limit, by the rms
                              * of about 60 s */
    int64_t n_bands;
    struct compliance_band bands[SITE_BANDS_MAX];
};

/*
 * Prepare for ticks of 'period_s' (0.02 .. 10 s), the first of which begins at
 * 'start_utc_ms' (>= 0).  Without bands of its own the grid gets 0.05-0.25,
 * 0.25-0.8 and 0.8-2.5 Hz.  An average of more than WINDOW_MAX ticks is cut to
 * that, but the import average, which is then judged every few ticks.
 */
void compliance_init(struct compliance *c, const struct site_grid *grid,
                     double period_s, int64_t start_utc_ms);

/* The bands that a meter of 'grid' judges, without their limits where they are
 * the default ones; returns how many. */
int64_t compliance_bands(const struct site_grid *grid,
                         struct site_band out[SITE_BANDS_MAX]);

/*
 * One tick.  A ramp violation is exempt where a forced tick lies in every
 * window that breaks the limit, averaging time included.
 */
void compliance_push(struct compliance *c, struct compliance_in in);

/* The grid was not seen for a while: the next push begins as the first one did,
 * with windows in which its value always stood.  Counts, energies and demand
 * go on. */
void compliance_resume(struct compliance *c);

/* Change of the mean over ramp_average, over that time, signed; 0 before the
 * first push. */
double compliance_ramp_w_per_s(const struct compliance *c);

/* Peak to peak of the last 60 s; 0 before the first push. */
double compliance_pp60_w(const struct compliance *c);

struct compliance_result compliance_result(const struct compliance *c);

/* How 'rule' stood at the last push. */
static inline const struct compliance_stand *
compliance_stand(const struct compliance *c, enum compliance_rule rule)
{
    return &c->stands[rule];
}

/* The word for logs and JSON; static storage. */
const char *compliance_rule_name(enum compliance_rule rule);

/* A value or limit of 'rule' as in its stand, with its unit and digits enough
 * to tell the two apart: "-2.079 MW/min", "8.00312 MW".  At most 'size' bytes
 * with the NUL; returns 'out'. */
const char *compliance_value_text(enum compliance_rule rule, double value,
                                  char *out, size_t size);

/* For logs and reports; static storage. */
const char *compliance_cause_name(enum compliance_cause cause);

#endif
