/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * account_events - what the utility's instructions about the grid's power cost
 * and save in a replay.
 *
 * One is in force from its start to its end, and under way from when the way
 * to it begins (the limit in the step falls below the site's) until nothing is
 * held back any more after its end.  What is held back in that time is put
 * down to it, and is part of shed_cur; what the grid gives less than a site
 * without batteries would draw for all its work is what it saves, at the
 * bill's price.  Work that can wait is not held back but put off: what is not
 * drawn for it is saved, and what is drawn to do it by then is not.
 */
#ifndef REPLAY_ACCOUNT_EVENTS_H
#define REPLAY_ACCOUNT_EVENTS_H

#include <cjson/cJSON.h>

#include "models/plant.h"
#include "models/site.h"

struct account_events {
    double in_force_s;
    double under_way_s;
    double peak_w;  /* highest minute's mean in force */
    double less_ws; /* not drawn while in force; < 0: drawn more */
    double shed_ws; /* while under way */
    double shed_cur;
    double saved_cur; /* of what was not drawn, while under way */
    double class_shed_ws[SITE_CLASSES_MAX]; /* of the whole run */
    double class_shed_cur[SITE_CLASSES_MAX];
    double minute_ws;
    double minute_s;
};

struct account_events_tick {
    const struct site *site;
    const struct plant *plant;
    double price_per_kwh;
    double import_max_w; /* in force */
    double cap_w;        /* the step's */
};

/* One tick, at its end. */
void account_events_tick(struct account_events *a,
                         const struct account_events_tick *t);

/* Into a policy's object: "events", and "classes" of its "load". */
void account_events_json(cJSON *policy, const struct site *site,
                         const struct account_events *a);

#endif
