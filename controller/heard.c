/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/heard.h"

#include <math.h>

#include "policies/guard.h"

double heard_pod_age_s(const struct site *site)
{
    return fmax(3.0 * site->control.period_s, 5.0);
}

bool heard_pod(const struct site *site, const struct snapshot *in, int i,
               int64_t mono_ms)
{
    const struct pod_in *p = &in->pods[i];
    return (p->flags & POD_ONLINE) &&
           reading_quality(&p->power_w, mono_ms, heard_pod_age_s(site)) >=
               QUALITY_SUSPECT;
}

struct heard heard_pods(const struct site *site, const struct snapshot *in,
                        int64_t mono_ms)
{
    struct heard h = {0};
    for (int i = 0; i < site->n_pods; i++) {
        h.n_online += heard_pod(site, in, i, mono_ms);
        h.n_announced += (in->pods[i].flags & POD_ONLINE) != 0;
    }
    return h;
}

struct heard heard_fleet(const struct site_fleet *f, const struct snapshot *in,
                         int64_t mono_ms)
{
    struct heard h = {0};
    for (int i = f->first_node; i < f->first_node + f->nodes; i++) {
        h.n_online += guard_hears(&in->nodes[i], mono_ms);
        h.n_announced += (in->nodes[i].flags & NODE_ONLINE) != 0;
    }
    return h;
}
