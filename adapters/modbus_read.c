/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests into points. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "adapters/modbus_priv.h"

bool device_has(const struct device *d, int point)
{
    return d->plan.addr[point] >= 0 && d->now[point].mono_ms > 0 &&
           d->now[point].state != REG_ABSENT;
}

static int sf_of(enum reg_state state, double value)
{
    return state == REG_OK ? (int)value : REG_SF_BAD;
}

int device_sf(const struct device *d, int point)
{
    const struct regmap_point *p = &d->map.points[point];
    if (p->sf < 0) {
        return REG_SF_NONE;
    }
    if (p->sf_cached) {
        return sf_of(d->now[p->sf].state, d->now[p->sf].value);
    }
    return d->now[point].mono_ms > 0 ? d->now[point].sf : REG_SF_BAD;
}

/* The scale factor for a point in the block that begins at 'addr'. */
static int sf_for(const struct device *d, int point, int addr,
                  const uint16_t *regs)
{
    const struct regmap_point *p = &d->map.points[point];
    if (p->sf < 0 || p->sf_cached) {
        return device_sf(d, point);
    }
    if (d->plan.addr[p->sf] < 0) {
        return REG_SF_BAD;
    }
    double value = NAN;
    enum reg_state state = regcodec_decode(&d->map.points[p->sf].codec,
                                           regs + (d->plan.addr[p->sf] - addr),
                                           REG_SF_NONE, &value);
    return sf_of(state, value);
}

/* Counters that wrap (SunSpec acc32): a step back by more than half the
 * range is a wrap, a smaller one a reset, which is passed on. */
static void unwrap(struct point_past *past, struct point_now *now, int n_regs)
{
    double range = ldexp(1.0, 16 * n_regs);
    if (past->known && now->raw < past->raw &&
        (double)(past->raw - now->raw) > 0.5 * range) {
        past->wraps += 1.0;
    }
    past->raw = now->raw;
    past->known = true;
    if (now->state == REG_OK && now->raw > 0) {
        double raw = (double)now->raw;
        now->value *= (raw + past->wraps * range) / raw;
    }
}

static void take_point(struct device *d, int point, int addr,
                       const uint16_t *regs)
{
    const struct regmap_point *p = &d->map.points[point];
    struct point_now *now = &d->now[point];
    const uint16_t *at = regs + (d->plan.addr[point] - addr);
    if (p->codec.type == REG_STR) {
        regcodec_text(&p->codec, at, now->text, sizeof(now->text));
        now->state = now->text[0] != '\0' ? REG_OK : REG_ABSENT;
        now->mono_ms = d->mono_ms;
        return;
    }
    uint64_t raw = regcodec_raw(&p->codec, at);
    if (raw != now->raw || now->mono_ms == 0) {
        now->moved_ms = d->mono_ms;
    }
    now->raw = raw;
    memcpy(now->regs, at, (size_t)p->codec.n_regs * sizeof(at[0]));
    now->sf = sf_for(d, point, addr, regs);
    now->state = regcodec_decode(&p->codec, at, now->sf, &now->value);
    now->mono_ms = d->mono_ms;
    if (p->counter && now->state == REG_OK) {
        unwrap(&d->past[point], now, p->codec.n_regs);
    }
}

/* A block that was never answered and is refused as illegal is not there; one
 * that was, or any other exception, passes. */
static enum err refused(struct device *d, int group)
{
    struct group_now *g = &d->groups[group];
    int code = d->link.exception;
    if (!g->seen && (code == 1 || code == 2)) {
        g->due_ms = d->mono_ms + DEVICE_UNSUPPORTED_MS;
        return ERR_NONE;
    }
    return device_error(d, ERR_REFUSED, "%s at %d", d->link.error,
                        d->plan.groups[group].addr);
}

enum err device_read_group(struct device *d, int group)
{
    const struct regplan_group *g = &d->plan.groups[group];
    uint16_t regs[REG_READ_MAX] = {0};
    assert(g->count >= 1 && g->count <= REG_READ_MAX);
    enum err e = modbus_link_read(&d->link, g->fc, g->addr, g->count, regs);
    if (e == ERR_REFUSED) {
        return refused(d, group);
    }
    if (e != ERR_NONE) {
        return device_error(d, e, "%s", d->link.error);
    }
    d->groups[group].seen = true;
    for (int i = 0; i < d->map.n_points; i++) {
        if (d->plan.group[i] == group) {
            take_point(d, i, g->addr, regs);
        }
    }
    d->fresh = d->fresh || g->poll == REG_POLL_FAST;
    return ERR_NONE;
}

static bool due(const struct device *d, int group)
{
    const struct group_now *now = &d->groups[group];
    switch (d->plan.groups[group].poll) {
    case REG_POLL_FAST:
        return d->mono_ms >= d->fast_ms && d->mono_ms >= now->due_ms;
    case REG_POLL_SLOW:
        return d->mono_ms >= now->due_ms;
    case REG_POLL_ONCE:
        return !now->seen && d->mono_ms >= now->due_ms;
    }
    return false;
}

enum err device_read_due(struct device *d)
{
    enum err first = ERR_NONE;
    int n = d->plan.n_groups;
    int slow_ms = (int)(1e3 * d->map.slow_s);
    int at = d->first_group;
    for (int k = 0; k < n; k++) {
        int g = (at + k) % n;
        if (!due(d, g)) {
            continue;
        }
        if (d->plan.groups[g].poll != REG_POLL_FAST) {
            d->groups[g].due_ms = d->mono_ms + slow_ms;
        }
        enum err e = device_read_group(d, g);
        first = first != ERR_NONE ? first : e;
        if (e == ERR_FULL) {
            d->first_group = g; /* goes first in the next pass */
            return ERR_TIMEOUT;
        }
        if (!d->link.up) {
            return first;
        }
    }
    if (d->mono_ms >= d->fast_ms) {
        d->fast_ms = d->mono_ms + (int64_t)(1e3 * d->map.poll_s);
    }
    return first;
}
