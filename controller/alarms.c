/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/alarms.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct alarm_row rows[ALARM_COUNT] = {
#define ALARM_ROW(name, id, asset, severity, ...) \
    [ALARM_##name] = {id, ASSET_##asset, SEVERITY_##severity, __VA_ARGS__},
    ALARM_LIST(ALARM_ROW)
#undef ALARM_ROW
};

/* One alarm of one asset. */
struct one {
    bool raised;
    int64_t since_mono_ms; /* of the condition that would change it; 0 none */
    int64_t raised_mono_ms;
};

struct alarms {
    int n[ALARM_COUNT];     /* assets of each alarm */
    int first[ALARM_COUNT]; /* its first entry */
    int total;
    struct one entries[];
};

const struct alarm_row *alarm_row(enum alarm id)
{
    assert((unsigned)id < ALARM_COUNT);
    return &rows[id];
}

const char *severity_name(enum severity s)
{
    static const char *const names[] = {
        [SEVERITY_INFO] = "info",
        [SEVERITY_WARNING] = "warning",
        [SEVERITY_CRITICAL] = "critical",
    };
    return names[s];
}

static int n_assets(const struct site *site, enum asset_kind kind)
{
    switch (kind) {
    case ASSET_SITE:
    case ASSET_METER:
        return 1;
    case ASSET_BATTERY:
        return site->n_batteries;
    case ASSET_POD:
        return site->n_pods;
    case ASSET_FLEET:
        return site->n_fleets;
    case ASSET_NODE:
        return site->n_nodes;
    case ASSET_PRICE:
        return site->n_prices;
    }
    return 0;
}

enum err alarms_open(const struct site *site, struct alarms **out)
{
    int total = 0;
    for (int i = 0; i < ALARM_COUNT; i++) {
        total += n_assets(site, rows[i].asset);
    }
    struct alarms *a =
        calloc(1, sizeof(*a) + (size_t)total * sizeof(struct one));
    if (a == NULL) {
        return ERR_MEMORY;
    }
    a->total = total;
    for (int i = 0, at = 0; i < ALARM_COUNT; i++) {
        a->first[i] = at;
        a->n[i] = n_assets(site, rows[i].asset);
        at += a->n[i];
    }
    *out = a;
    return ERR_NONE;
}

void alarms_close(struct alarms *a)
{
    free(a);
}

enum alarm_change alarms_tell(struct alarms *a, enum alarm id, int index,
                              double value, int64_t mono_ms)
{
    assert((unsigned)id < ALARM_COUNT && index >= 0 && index < a->n[id]);
    const struct alarm_row *row = &rows[id];
    struct one *o = &a->entries[a->first[id] + index];
    bool above = !isfinite(value) || value > row->raise;
    bool below = isfinite(value) && value <= row->clear;
    bool turns = o->raised ? below : above;
    if (!turns) {
        o->since_mono_ms = 0;
        return ALARM_SAME;
    }
    if (o->since_mono_ms == 0) {
        o->since_mono_ms = mono_ms;
    }
    double held_s = (double)(mono_ms - o->since_mono_ms) / 1e3;
    if (held_s < (o->raised ? row->clear_s : row->raise_s)) {
        return ALARM_SAME;
    }
    o->raised = !o->raised;
    o->since_mono_ms = 0;
    o->raised_mono_ms = mono_ms;
    return o->raised ? ALARM_RAISED : ALARM_CLEARED;
}

static void add_to_group(struct alarm_group *g, int index, int64_t mono_ms)
{
    if (g->n == 0 || mono_ms < g->since_mono_ms) {
        g->since_mono_ms = mono_ms;
    }
    if (g->n == 0 || mono_ms > g->newest_mono_ms) {
        g->newest_mono_ms = mono_ms;
    }
    if (g->n < ALARM_NAMED_MAX) {
        g->named[g->n] = index;
    }
    g->n++;
}

static bool comes_before(const struct alarm_group *a,
                         const struct alarm_group *b)
{
    enum severity of_a = rows[a->id].severity;
    enum severity of_b = rows[b->id].severity;
    return of_a != of_b ? of_a > of_b : a->newest_mono_ms > b->newest_mono_ms;
}

/* Into its place among the first 'n'; equal ones stay in the table's order. */
static void insert(struct alarm_group *groups, int n,
                   const struct alarm_group *g)
{
    int at = n;
    while (at > 0 && comes_before(g, &groups[at - 1])) {
        groups[at] = groups[at - 1];
        at--;
    }
    groups[at] = *g;
}

int alarms_active(const struct alarms *a, struct alarm_group out[ALARM_COUNT])
{
    int n = 0;
    for (int i = 0; i < ALARM_COUNT; i++) {
        struct alarm_group g = {.id = (enum alarm)i};
        for (int k = 0; k < a->n[i]; k++) {
            const struct one *o = &a->entries[a->first[i] + k];
            if (o->raised) {
                add_to_group(&g, k, o->raised_mono_ms);
            }
        }
        if (g.n > 0) {
            insert(out, n++, &g);
        }
    }
    return n;
}

const char *alarm_text(const struct site *site, enum alarm id, int index,
                       char *out, size_t size)
{
    const struct alarm_row *row = alarm_row(id);
    char name[SITE_NAME_MAX + 16] = "";
    if (row->asset != ASSET_SITE) {
        asset_name(site, row->asset, index, name, sizeof(name));
    }
    snprintf(out, size, "%s%s%s: %s; %s", name, name[0] != '\0' ? " " : "",
             row->what, row->why, row->todo);
    return out;
}

/* "a, b, c and 34 more". */
static void name_some(const struct site *site, const struct alarm_group *g,
                      char *out, size_t size)
{
    enum { SOME = 3 };
    size_t n = 0;
    for (int i = 0; i < g->n && i < SOME && n < size; i++) {
        char name[SITE_NAME_MAX + 16];
        asset_name(site, rows[g->id].asset, g->named[i], name, sizeof(name));
        n += (size_t)snprintf(out + n, size - n, "%s%s", i > 0 ? ", " : "",
                              name);
    }
    if (g->n > SOME && n < size) {
        snprintf(out + n, size - n, " and %d more", g->n - SOME);
    }
}

const char *alarm_group_text(const struct site *site,
                             const struct alarm_group *g, char *out,
                             size_t size)
{
    if (g->n == 1) {
        return alarm_text(site, g->id, g->named[0], out, size);
    }
    const struct alarm_row *row = alarm_row(g->id);
    char names[3 * (SITE_NAME_MAX + 16) + 32];
    name_some(site, g, names, sizeof(names));
    snprintf(out, size, "%d %s (%s): %s; %s", g->n, row->many, names, row->why,
             row->todo);
    return out;
}
