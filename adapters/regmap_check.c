/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only the whole register map shows. */
#include "adapters/regmap_parts.h"

#include <stdlib.h>

/* In a model of 'a' that is one of 'b' too, or both absolute. */
static bool same_space(const struct regmap_point *a,
                       const struct regmap_point *b)
{
    if (a->n_models == 0 || b->n_models == 0) {
        return a->n_models == b->n_models;
    }
    for (int i = 0; i < a->n_models; i++) {
        for (int k = 0; k < b->n_models; k++) {
            if (a->models[i] == b->models[k]) {
                return true;
            }
        }
    }
    return false;
}

static bool overlap(const struct regmap_point *a, const struct regmap_point *b)
{
    return a->read_fc == b->read_fc && same_space(a, b) &&
           a->at < b->at + b->codec.n_regs && b->at < a->at + a->codec.n_regs;
}

/* Two readings may share a register (bits do); what is written belongs to one
 * point alone. */
static bool check_overlaps(struct regjson *j, const struct regmap *map)
{
    for (int i = 0; i < map->n_points; i++) {
        for (int k = 0; k < i; k++) {
            const struct regmap_point *a = &map->points[i];
            const struct regmap_point *b = &map->points[k];
            if ((a->writable || b->writable) && overlap(a, b)) {
                const struct regmap_point *w = a->writable ? a : b;
                return regjson_fail(j, "points",
                                    "\"%s\" overlaps \"%s\", which is written",
                                    w == a ? b->id : a->id, w->id);
            }
        }
    }
    return true;
}

static bool check_reach(struct regjson *j, const struct regmap *map)
{
    for (int i = 0; i < map->n_points; i++) {
        const struct regmap_point *p = &map->points[i];
        int end = p->at + p->codec.n_regs;
        if (end > 65536) {
            return regjson_fail(j, "points", "\"%s\" ends beyond 65535", p->id);
        }
        if (p->n_models > 0 && !p->hidden && p->at < 2 && p->writable) {
            return regjson_fail(j, "points",
                                "\"%s\" would write the model's header", p->id);
        }
        if (p->sf >= 0 && !p->sf_cached) {
            const struct regmap_point *sf = &map->points[p->sf];
            int from = sf->at < p->at ? sf->at : p->at;
            int to = sf->at + 1 > end ? sf->at + 1 : end;
            if (to - from > REG_READ_MAX) {
                return regjson_fail(j, "points",
                                    "\"%s\" and its sf are more than %d "
                                    "registers apart",
                                    p->id, REG_READ_MAX);
            }
        }
    }
    for (int i = 0; i < map->n_groups; i++) {
        if (map->groups[i].at + map->groups[i].count > 65536) {
            return regjson_fail(j, "groups", "[%d] ends beyond 65535", i);
        }
        if (map->groups[i].n_models > 0 && !map->sunspec) {
            return regjson_fail(j, "groups", "[%d].model needs \"discover\"",
                                i);
        }
    }
    return true;
}

/* The set-point has a range and a sequence that writes it, and nothing in
 * that sequence waits: a set-point goes out in one pass or not at all. */
static bool check_setpoint(struct regjson *j, const struct regmap *map)
{
    const struct regmap_role *role = &map->roles[REG_ROLE_SETPOINT];
    const struct regmap_sequence *q = &map->sequences[REG_SEQUENCE_SETPOINT];
    if (role->n_terms == 0) {
        return q->n_steps == 0 ||
               regjson_fail(j, "roles", "setpoint is missing");
    }
    int point = role->terms[0].a;
    if (!map->points[point].range_given) {
        return regjson_fail(j, "roles.setpoint",
                            "\"%s\" needs min and max: a set-point without a "
                            "range is never sent",
                            map->points[point].id);
    }
    bool written = false;
    for (int i = 0; i < q->n_steps; i++) {
        if (q->steps[i].kind != REG_STEP_WRITE) {
            return regjson_fail(j, "sequences.setpoint", "must not wait");
        }
        written |= q->steps[i].point == point && q->steps[i].var == REG_VAR_W;
    }
    return written ||
           regjson_fail(j, "sequences.setpoint", "does not write $w to \"%s\"",
                        map->points[point].id);
}

static bool check_lists(struct regjson *j, const struct regmap *map)
{
    const struct regmap_role *local = &map->roles[REG_ROLE_LOCAL_REMOTE];
    for (int i = 0; i < local->n_terms; i++) {
        const struct regmap_point *p = &map->points[local->terms[i].a];
        if (p->n_local == 0) {
            return regjson_fail(j, "roles.local_remote",
                                "\"%s\" needs local: the values that mean it",
                                p->id);
        }
    }
    const struct regmap_role *state = &map->roles[REG_ROLE_STATE];
    for (int i = 0; i < state->n_terms; i++) {
        const struct regmap_point *p = &map->points[state->terms[i].a];
        if (p->n_blocks == 0 && p->blocks_bits == 0) {
            return regjson_fail(j, "roles.state",
                                "\"%s\" needs blocks or blocks_bits", p->id);
        }
    }
    const struct regmap_role *beat = &map->roles[REG_ROLE_HEARTBEAT];
    for (int i = 0; i < beat->n_terms; i++) {
        const struct regmap_point *p = &map->points[beat->terms[i].a];
        if (p->beat == REG_BEAT_NONE) {
            return regjson_fail(j, "roles.heartbeat",
                                "\"%s\" needs heartbeat: its kind", p->id);
        }
    }
    return true;
}

bool regmap_check(struct regjson *j, const struct regmap *map)
{
    return check_overlaps(j, map) && check_reach(j, map) &&
           check_setpoint(j, map) && check_lists(j, map);
}
