/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/carry_unit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t units_of(const struct site_fleet *f)
{
    return (f->nodes + CARRY_NODES - 1) / CARRY_NODES;
}

static int64_t n_queues(const struct step_cfg *cfg)
{
    int64_t n = 0;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        n += cfg->waits[c] ? 1 : 0;
    }
    return n;
}

static struct carry_unit queue_unit(const struct step_cfg *cfg, int64_t nth)
{
    int c = 0;
    for (int64_t left = nth; left > 0 || !cfg->waits[c]; c++) {
        left -= cfg->waits[c] ? 1 : 0;
    }
    return (struct carry_unit){.kind = CARRY_QUEUE, .class_id = c};
}

int64_t carry_units(const struct step_cfg *cfg)
{
    int64_t n = 1 + cfg->site.n_batteries;
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        n += units_of(&cfg->site.fleets[f]);
    }
    return n + foresee_n_series(&cfg->site) + n_queues(cfg);
}

static struct carry_unit series_unit(const struct site *s, int64_t series)
{
    static const enum carry_kind kinds[] = {[FORESEE_SOON] = CARRY_SOON,
                                            [FORESEE_OUTLOOK] = CARRY_OUTLOOK,
                                            [FORESEE_CARS] = CARRY_CARS};
    return (struct carry_unit){.kind = kinds[foresee_kind(s, series)],
                               .series = series};
}

struct carry_unit carry_unit_at(const struct step_cfg *cfg, int64_t unit)
{
    const struct site *s = &cfg->site;
    if (unit == 0) {
        return (struct carry_unit){.kind = CARRY_SITE};
    }
    unit--;
    if (unit < s->n_batteries) {
        return (struct carry_unit){.kind = CARRY_BATTERY,
                                   .battery = (int)unit,
                                   .chemistry = s->batteries[unit].chemistry};
    }
    unit -= s->n_batteries;
    int f = 0;
    while (f < s->n_fleets && unit >= units_of(&s->fleets[f])) {
        unit -= units_of(&s->fleets[f]);
        f++;
    }
    if (f == s->n_fleets) {
        int64_t n = foresee_n_series(s);
        return unit < n ? series_unit(s, unit) : queue_unit(cfg, unit - n);
    }
    int64_t first = unit * CARRY_NODES;
    int64_t left = s->fleets[f].nodes - first;
    return (struct carry_unit){.kind = CARRY_FLEET,
                               .fleet = f,
                               .first = first,
                               .n = left < CARRY_NODES ? left : CARRY_NODES,
                               .chemistry = s->fleets[f].chemistry};
}

const char *carry_name(const struct step_cfg *cfg, int64_t unit,
                       char out[CARRY_NAME_MAX])
{
    struct carry_unit u = carry_unit_at(cfg, unit);
    switch (u.kind) {
    case CARRY_SITE:
        snprintf(out, CARRY_NAME_MAX, "site");
        break;
    case CARRY_BATTERY:
        snprintf(out, CARRY_NAME_MAX, "battery.%s",
                 cfg->site.batteries[u.battery].name);
        break;
    case CARRY_FLEET:
        snprintf(out, CARRY_NAME_MAX, "fleet.%s.%04d",
                 cfg->site.fleets[u.fleet].name, (int)u.first);
        break;
    case CARRY_QUEUE:
        snprintf(out, CARRY_NAME_MAX, "queue.%s",
                 cfg->site.classes[u.class_id].name);
        break;
    case CARRY_SOON:
    case CARRY_OUTLOOK:
    case CARRY_CARS:
        foresee_name(&cfg->site, u.series, out);
        break;
    }
    return out;
}

size_t carry_size(const struct step_cfg *cfg, int64_t unit)
{
    struct carry_unit u = carry_unit_at(cfg, unit);
    size_t n = u.kind == CARRY_FLEET ? (size_t)u.n : 1;
    return sizeof(struct carry_head) + n * carry_unit_size(u.kind);
}

bool carry_is_slow(const struct step_cfg *cfg, int64_t unit)
{
    return carry_unit_at(cfg, unit).kind >= CARRY_SOON;
}

int64_t carry_find(const struct step_cfg *cfg, const char *name)
{
    /* batteries are few; a fleet's units are found by their number */
    int64_t unit = 0;
    char have[CARRY_NAME_MAX];
    for (; unit <= cfg->site.n_batteries; unit++) {
        if (strcmp(carry_name(cfg, unit, have), name) == 0) {
            return unit;
        }
    }
    const char *dot = strrchr(name, '.');
    long first = dot != NULL ? strtol(dot + 1, NULL, 10) : -1;
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        int64_t n = units_of(&cfg->site.fleets[f]);
        int64_t at = unit + first / CARRY_NODES;
        if (first >= 0 && first / CARRY_NODES < n &&
            strcmp(carry_name(cfg, at, have), name) == 0) {
            return at;
        }
        unit += n;
    }
    for (; unit < carry_units(cfg); unit++) {
        if (strcmp(carry_name(cfg, unit, have), name) == 0) {
            return unit;
        }
    }
    return -1;
}
