/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witness - what the compliance meter saw, told as it happens.
 *
 * Pure, pointer-free, one push per tick; live operation and replay use the
 * same.  Around models/compliance it keeps
 *
 *   a second meter, of the load: what the grid would have seen without the
 *     batteries
 *   the raw edges (models/edges)
 *   episodes: a rule's violations without a pause of ramp_average between
 *     them, forced ones apart; and how long it took to be inside again
 *   a minute, aligned to UTC, of all of it
 *
 * What is worth keeping comes out as events, which the caller takes after
 * every push.  Power is positive for import.
 */
#ifndef MODELS_WITNESS_H
#define MODELS_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "models/compliance.h"
#include "models/edges.h"
#include "models/reason.h"
#include "models/site.h"
#include "models/snapshot.h"

#define WITNESS_BLIND_S 2.0

enum { WITNESS_EVENTS = 32, WITNESS_RECENT = 8 };

struct witness_in {
    int64_t at_ms;       /* UTC of the tick */
    double grid_w;       /* not finite: not seen, the last one holds */
    double load_w;       /* grid power without the batteries; likewise */
    double import_max_w; /* in force; NAN: the site's */
    char limit_id[UTILITY_ID_MAX]; /* whose it is; "": the site's */
    double shed_w;                 /* compute held back */
    int64_t forced;                /* enum compliance_cause */
    int64_t missed;         /* periods that passed before without a tick */
    int64_t metered;        /* 0: the sum of the assets stands in */
    struct reason_line why; /* what bound most */
};

/* From 'from_ms' (UTC, a whole minute but for the first) to 'to_ms'. */
struct witness_minute {
    int64_t from_ms;
    int64_t to_ms;
    int64_t n_ticks;
    int64_t n_missed;    /* of them not seen */
    int64_t n_unmetered; /* of them without the meter */
    double import_wh;
    double export_wh;
    double shed_wh;
    double low_w; /* of single ticks */
    double high_w;
    double import_max_w; /* tightest limit in force */
    double ramp_w_per_s; /* steepest over ramp_average, signed */
    double load_ramp_w_per_s;
    double pp60_w;
    double load_pp60_w;
    double step_w; /* largest change from tick to tick */
    int64_t n_edges;
    struct edge edge; /* highest that ended */
    int64_t n_bands;
    double band_w[SITE_BANDS_MAX]; /* rms; NAN where blind */
    double load_band_w[SITE_BANDS_MAX];
    int64_t broken[COMPLIANCE_RULE_COUNT];  /* ticks, exempt ones not */
    int64_t exempt[COMPLIANCE_CAUSE_COUNT]; /* ticks of any rule */
};

/* A rule that is or was broken. */
struct witness_episode {
    int64_t rule;    /* enum compliance_rule */
    int64_t cause;   /* enum compliance_cause; NONE: a violation */
    int64_t index;   /* of the band */
    int64_t open;    /* it is not over */
    int64_t from_ms; /* UTC */
    int64_t to_ms;   /* end of its last tick */
    int64_t last_tick;
    int64_t ticks; /* broken ones */
    double value;  /* the worst */
    double limit;
    struct reason_line why; /* when it began */
};

enum witness_kind {
    WITNESS_MINUTE,
    WITNESS_BEGIN, /* of an episode */
    WITNESS_END,
    WITNESS_LIMIT, /* another import limit is in force */
};

struct witness_event {
    int64_t kind; /* enum witness_kind */
    int64_t at_ms;
    double old_w;                  /* LIMIT: before */
    double new_w;                  /* LIMIT: from now on */
    char limit_id[UTILITY_ID_MAX]; /* of the instruction; "": the site's */
    struct witness_episode episode;
    struct witness_minute minute;
};

/* How long it took to be inside again. */
struct witness_recovery {
    int64_t n;
    double max_s;
    double sum_s;
};

struct witness {
    struct compliance with;
    struct compliance without;
    struct edges edges;
    double period_s;
    int64_t ticks;
    int64_t n_open;
    int64_t pause_ticks; /* longest inside an episode */
    int64_t n_missed;
    int64_t n_blind; /* periods since the grid was seen */
    int64_t start_ms;
    int64_t end_ms; /* of the last tick */
    double limit_w; /* in force; NAN at first */
    double grid_w;
    double load_w;
    /* violations, and forced ones */
    struct witness_episode open[COMPLIANCE_RULE_COUNT][2];
    struct witness_recovery recovery[COMPLIANCE_RULE_COUNT];
    struct witness_episode recent[WITNESS_RECENT]; /* ended; a ring */
    int64_t n_recent;                              /* ever */
    struct witness_minute minute;
    double square[SITE_BANDS_MAX]; /* of the bands when it began */
    double load_square[SITE_BANDS_MAX];
    struct witness_event events[WITNESS_EVENTS];
    int64_t first;
    int64_t n_events;
    int64_t n_lost; /* events, because nobody took them */
};

/* What a person or a dashboard may ask for. */
struct witness_report {
    int64_t start_ms;
    int64_t end_ms;
    int64_t n_missed;
    double limit_w;
    struct compliance_result with;
    struct compliance_result without;
    int64_t n_edges;
    double edge_least_w;
    double edge_max_s;
    double edge_mean_s; /* NAN where there was none */
    int64_t n_top;
    struct edge top[EDGE_TOP];
    int64_t histogram[EDGE_HEIGHTS][EDGE_LENGTHS];
    struct witness_recovery recovery[COMPLIANCE_RULE_COUNT];
    int64_t n_recent; /* in 'recent', newest first, open ones before */
    struct witness_episode recent[WITNESS_RECENT];
};

/* 'period_s' as in compliance_init(). */
void witness_init(struct witness *w, const struct site_grid *grid,
                  double period_s);

/*
 * One tick.  Where the grid is not seen its last value holds; after more than
 * WITNESS_BLIND_S of that the windows begin anew when it is seen again, since
 * nobody knows how it got there.  Nothing is judged before it was seen once.
 */
void witness_push(struct witness *w, const struct witness_in *in);

/* The run is over: closes what is open, as events. */
void witness_finish(struct witness *w);

/* The oldest event that was not taken; false for none. */
bool witness_take(struct witness *w, struct witness_event *out);

void witness_report(const struct witness *w, struct witness_report *out);

#endif
