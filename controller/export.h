/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * export - what a controller has kept, written out: its evidence as it stands,
 * or its history as CSV.  Beside a running controller or without one.
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

/* Exit codes, after messages on stderr. */
int export_evidence(const struct export_cfg *cfg);
int export_history(const struct export_cfg *cfg);

/* `ballast export SITE|FILE --evidence|--history ...` */
int export_main(int argc, char **argv);

#endif
