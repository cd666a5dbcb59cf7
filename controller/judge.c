/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/judge.h"

#include <math.h>
#include <string.h>

#include "controller/step/step_parts.h"

static int64_t forced(const struct judged *j)
{
    const struct caps *caps = &j->scratch->caps;
    if (caps->island || caps->back) {
        return COMPLIANCE_ISLAND;
    }
    bool held = j->record->grid_ref_w >= caps->import_w - 1.0;
    bool obeyed = j->policy != POLICY_NONE;
    return caps->urgent && held && obeyed ? COMPLIANCE_EMERGENCY
                                          : COMPLIANCE_NONE;
}

/* Whose limit of 'limit_w' it is. */
static void name_limit(const struct snapshot *in, double limit_w, char *id)
{
    for (int i = 0; i < UTILITY_LOCAL_AT; i++) {
        const struct utility_in *u = &in->utility[i];
        bool limits =
            u->kind == UTILITY_IMPORT_MAX || u->kind == UTILITY_EMERGENCY;
        if (u->id[0] != '\0' && limits && in->utc_ms >= u->start_at_ms &&
            in->utc_ms < u->end_at_ms && fmax(u->value, 0.0) == limit_w) {
            memcpy(id, u->id, UTILITY_ID_MAX);
            return;
        }
    }
}

/* Whether the record's powers were measured: what a lost meter is replaced
 * by, or what is summed before all have spoken, is no evidence. */
static bool is_seen(const struct judged *j)
{
    const struct tick_record *r = j->record;
    bool listening = r->n_why > 0 && r->why[0].code == REASON_LISTEN;
    bool meant = j->site->grid.meter.present;
    return meant ? j->scratch->est.metered : !listening;
}

struct witness_in judge_tick(const struct judged *j)
{
    const struct tick_record *r = j->record;
    double site_w = j->site->grid.import_max_w;
    struct witness_in seen = {
        .at_ms = j->in->utc_ms,
        .grid_w = is_seen(j) ? r->grid_w : (double)NAN,
        .load_w = is_seen(j) ? r->load_w : (double)NAN,
        .import_max_w =
            import_owed_w(j->in, site_w, j->in->utc_ms, j->in->utc_ms + 1),
        .shed_w = r->shed_w,
        .forced = forced(j),
        .metered = j->scratch->est.metered,
    };
    if (seen.import_max_w != site_w) {
        name_limit(j->in, seen.import_max_w, seen.limit_id);
    }
    if (r->n_why > 0) {
        seen.why = r->why[0];
    }
    return seen;
}
