/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * level_range - between which powers a load swings, and how it leaves them.
 *
 * A load that repeats itself stays between the highest and the lowest power of
 * the last five minutes: what it may do at once is to go to one of them.  What
 * goes beyond is growth, a job that starts or stops.  One that came once is
 * over; from the second within an hour on the next is expected to be as large
 * as the second largest.  Edges are changes within one to two seconds.  How a
 * load that has left for another level had swung before does not matter any
 * more; how it left does: stops in stages are several.
 *
 * An element as in: new, step(measurement, dt), no clock inside.  Pure and
 * pointer-free; bounded work.
 */
#ifndef MODELS_LEVEL_RANGE_H
#define MODELS_LEVEL_RANGE_H

#include <stdint.h>

enum {
    LEVEL_RANGE_SPANS = 10, /* of 30 s */
    LEVEL_RANGE_HOUR = 12,  /* of 5 min */
    LEVEL_RANGE_LATE = 8,   /* growths of late */
};

/* Both >= 0. */
struct level_both {
    double up_w;
    double down_w;
};

/* One growth, when it was complete. */
struct level_growth {
    struct level_both by;
    double age_s;
};

struct level_range {
    double hi_w; /* of the last five minutes; NAN before the first sample */
    double lo_w;
    double span_hi_w[LEVEL_RANGE_SPANS];
    double span_lo_w[LEVEL_RANGE_SPANS];
    int64_t span; /* under way */
    double span_s;
    double second_hi_w[2]; /* of the second under way, and the one before */
    double second_lo_w[2];
    double second_s;
    struct level_both growing; /* beyond the range, under way */
    double growing_s;          /* since it grew last */
    struct level_both edge[LEVEL_RANGE_HOUR];
    struct level_both growth[LEVEL_RANGE_HOUR];
    struct level_both second[LEVEL_RANGE_HOUR]; /* largest but one */
    struct level_both left[LEVEL_RANGE_HOUR];   /* for another level */
    struct level_both left_second[LEVEL_RANGE_HOUR];
    struct level_both again;                    /* growth to be expected */
    struct level_both once;                     /* the largest of the hour */
    struct level_growth late[LEVEL_RANGE_LATE]; /* newest first */
    int64_t hour;                               /* slot under way */
    double hour_s;
};

void level_range_init(struct level_range *r);

/* One sample held for 'dt_s' > 0; not finite: changes nothing. */
void level_range_step(struct level_range *r, double load_w, double dt_s);

/* The load has left for another level within the last 'within_s': of what it
 * did, what is older than that does not come again. */
void level_range_anew(struct level_range *r, double within_s);

/* The next sample is no edge of the one before: nobody looked meanwhile. */
void level_range_part(struct level_range *r);

/* Largest edges of the last hour. */
struct level_both level_range_edges(const struct level_range *r);

/* How far a load that draws 'load_w' may soon move: back to the end of its
 * range, and beyond it by what has happened twice. */
struct level_both level_range_ahead(const struct level_range *r, double load_w);

#endif
