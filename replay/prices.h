/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prices - a price file, and what of it is known at an instant.
 *
 * CSV with time_utc (RFC 3339) or time_local (naive, in a given zone; where
 * there are both, time_utc), the begin of equal steps, and price columns that
 * end in _per_mwh or _per_kwh.  A missing row or an empty cell is a gap: it is
 * reported and stays one (NAN).
 *
 * Local time: of an hour that comes twice the file's first row is the first
 * and its second row the second; where it has but one, the second is a gap.
 * A row whose time never was is dropped and counted.
 */
#ifndef REPLAY_PRICES_H
#define REPLAY_PRICES_H

#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/snapshot.h"
#include "models/zone.h"

/* When a price becomes known. */
#define PRICES_KNOWN_LIST(X)                                              \
    X(DAY_AHEAD, "day-ahead") /* a local day's at 13:00 the day before */ \
    X(NOW, "now")             /* as its interval begins */                \
    X(ALL, "all")             /* from the start */
#define PRICES_KNOWN_ENUM(name, text) PRICES_##name,
enum prices_known { PRICES_KNOWN_LIST(PRICES_KNOWN_ENUM) PRICES_KNOWN_COUNT };
#undef PRICES_KNOWN_ENUM

struct prices_cfg {
    const char *file;
    const char *column;        /* NULL: the first price column */
    const char *settle_column; /* NULL: the same as is planned with */
    const char *ahead_column;  /* NULL: none; of another market, each local day
                                * of it known at 13:00 the day before */
    const struct zone *zone;   /* of time_local and of the 13:00 */
    enum prices_known known;
};

/* What a person should know about the file although it can be used. */
struct prices_report {
    size_t n_rows;
    size_t n_never;     /* rows whose local time never was, dropped */
    size_t n_gaps;      /* runs of missing steps between first and last */
    size_t n_missing;   /* steps in them, of the column planned with */
    int64_t longest_ms; /* of the gaps */
    int64_t longest_at_ms;
};

struct prices {
    struct zone zone;
    enum prices_known known;
    int64_t start_at_ms; /* UTC of step 0 */
    int64_t step_ms;
    size_t n;
    double *per_kwh;        /* owned; NAN in gaps */
    double *settle_per_kwh; /* owned; NAN in gaps */
    double *ahead_per_kwh;  /* owned; likewise; NULL: no such column */
    struct prices_report report;
};

/*
 * Load 'cfg'.  On failure 'out' needs no clearing and 'why' says FILE:LINE:
 * what: expected.  Returns ERR_IO, ERR_MEMORY, ERR_SYNTAX, ERR_RANGE,
 * ERR_UNKNOWN (a column) or ERR_FULL.
 */
CHECKED enum err prices_load(const struct prices_cfg *cfg, struct prices *out,
                             char *why, size_t why_size);
void prices_clear(struct prices *p);

/* "day-ahead", "now" or "all".  ERR_UNKNOWN. */
CHECKED enum err prices_known_parse(const char *text, enum prices_known *known);

/*
 * What is known at 'utc_ms': the steps from the one that holds it on, at most
 * PRICE_SLOTS_MAX, up to the last one known that is no gap.  'mono_ms' > 0 is
 * when it was received.  Without any, no slots and no value.
 */
void prices_fill(const struct prices *p, int64_t utc_ms, int64_t mono_ms,
                 struct price_in *out);

/* The same of the other market; not without one. */
void prices_fill_ahead(const struct prices *p, int64_t utc_ms, int64_t mono_ms,
                       struct price_in *out);

/* End of what is known at 'utc_ms', at most the end of the file. */
int64_t prices_known_until_ms(const struct prices *p, int64_t utc_ms);

/* The price the bill is made with at 'utc_ms'; NAN in gaps and outside. */
double prices_settle_per_kwh(const struct prices *p, int64_t utc_ms);

/* Steps without a settlement price that touch [from_ms, to_ms). */
size_t prices_missing(const struct prices *p, int64_t from_ms, int64_t to_ms);

#endif
