/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heard - which pods and vehicles speak: not what the broker retained of them,
 * but what has come within its time-out.  Pure.
 */
#ifndef CONTROLLER_HEARD_H
#define CONTROLLER_HEARD_H

#include <stdbool.h>

#include "models/site.h"
#include "models/snapshot.h"

/* Of the pods, or of the vehicles of a fleet. */
struct heard {
    int n_online;    /* said to be online, and heard within the time-out */
    int n_announced; /* said to be online, by a message that may be old */
};

/* Oldest state of a pod that counts as fresh. */
double heard_pod_age_s(const struct site *site);

/* Pod 'i' is online and its power fresh at 'mono_ms'. */
bool heard_pod(const struct site *site, const struct snapshot *in, int i,
               int64_t mono_ms);
struct heard heard_pods(const struct site *site, const struct snapshot *in,
                        int64_t mono_ms);

/* Vehicles whose compute agent the guard of the pack hears. */
struct heard heard_fleet(const struct site_fleet *f, const struct snapshot *in,
                         int64_t mono_ms);

#endif
