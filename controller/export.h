/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * export - what a controller has kept, written out: its evidence as it stands,
 * its history as CSV, or the settlement of an event.  Beside a running
 * controller or without one.
 */
#ifndef CONTROLLER_EXPORT_H
#define CONTROLLER_EXPORT_H

#include <stdint.h>
#include <stdio.h>

struct export_cfg {
    const char *given; /* site file, database or evidence log */
    int64_t from_ms;   /* UTC, INT64_MIN for all */
    int64_t to_ms;     /* UTC, INT64_MAX for all */
    double every_s;    /* history: rows of; 0: as kept, 1 s */
    FILE *out;
};

/* As they were given; NULL or 0 where not. */
struct export_settlement {
    const char *event;
    const char *limit;    /* a power */
    const char *baseline; /* "high" or "meter-before" */
    const char *days;     /* "5/10" */
    const char *adjust;   /* "multiply", "add" or "none" */
    const char *window;   /* "4 h/2 h" */
    const char *cap;      /* a fraction, or "none" */
    const char *holidays; /* "2026-11-26,2026-12-25" */
    double interval_s;
};

/* Exit codes, after messages on stderr. */
int export_evidence(const struct export_cfg *cfg);
int export_history(const struct export_cfg *cfg);
int export_settlement(const struct export_cfg *cfg,
                      const struct export_settlement *asked);

/* `ballast export SITE|FILE --evidence|--history|--settlement` */
int export_main(int argc, char **argv);

#endif
