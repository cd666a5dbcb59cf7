/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * watch - the supervisor: what the control thread and the workers report, put
 * together a few times a second for alarms, status and log.  Its own thread's
 * pace does not matter to the control.
 */
#ifndef CONTROLLER_WATCH_H
#define CONTROLLER_WATCH_H

#include <stdbool.h>

#include "controller/alarms.h"
#include "controller/evidence_keeper.h"
#include "controller/historian.h"
#include "controller/lives.h"
#include "controller/overrides.h"
#include "controller/ports.h"

/* Everything that is known, newest first hand. */
struct watched {
    const struct site *site;
    bool shadow;
    int64_t start_mono_ms;
    int64_t mono_ms; /* now */
    int64_t utc_ms;
    bool ticking; /* a view has come at all */
    struct loop_counts loop;
    int64_t view_mono_ms; /* when the last view came */
    double overruns_pu;   /* of the last minute */
    struct snapshot *in;
    struct plan plan;
    struct step_out *out;
    struct device_report batteries[SITE_BATTERIES_MAX];
    struct battery_life lives[SITE_BATTERIES_MAX];
    struct foresight foresight;
    struct device_report meter;
    struct mqtt_report mqtt;
    struct openadr_report_view openadr;
    struct historian_counts history;
    bool proving; /* 'proof' has come at all */
    struct witness_report proof;
    bool has_evidence;
    struct evidence_counts evidence;
    struct ledger_book *book;      /* NULL: none */
    const struct kept_price *kept; /* prices of the last run; NULL: none */
    struct override_book overrides;
    struct alarm_group alarms[ALARM_COUNT];
    int n_alarms; /* groups */
};

struct watch; /* opaque */

struct watch_cfg {
    const struct site *site;
    bool shadow;
    struct ports *ports;
    struct historian *historian;      /* NULL: none */
    struct ledger_book *book;         /* NULL: none */
    const struct kept_price *kept;    /* prices of the last run; NULL: none */
    struct evidence_keeper *evidence; /* NULL: none */
    struct overrides *overrides;      /* NULL: none */
};

/* ERR_MEMORY. */
CHECKED enum err watch_open(const struct watch_cfg *cfg, struct watch **out);
void watch_close(struct watch *w);

/* Fetch what is new and judge the alarms; raised and cleared ones go to log
 * and historian.  The result is valid until the next call. */
const struct watched *watch_look(struct watch *w, int64_t mono_ms,
                                 int64_t utc_ms);

/* Oldest value of a device that counts as fresh. */
double watch_device_age_s(const struct site *site);

#endif
