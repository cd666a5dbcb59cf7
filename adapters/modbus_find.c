/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connect, discover, and make sure it is the device it was before. */
#include <stdio.h>
#include <string.h>

#include "adapters/modbus_priv.h"

static enum err read_holding(void *ctx, int addr, int n, uint16_t *regs)
{
    struct device *d = ctx;
    return modbus_link_read(&d->link, 3, addr, n, regs);
}

/* The bases from the one that is next; the one that answers stays. */
static enum err discover(struct device *d)
{
    const struct sunspec_reader reader = {.read = read_holding, .ctx = d};
    char why[ADAPTER_TEXT_MAX] = "";
    for (int i = 0; i < d->map.n_bases; i++) {
        int base = d->map.bases[d->base];
        enum err e = sunspec_walk(&reader, base, &d->found, why, sizeof(why));
        if (e == ERR_NONE) {
            return ERR_NONE;
        }
        d->base = (d->base + 1) % d->map.n_bases;
        if (e == ERR_SYNTAX) {
            return device_error(d, e, "SunSpec at %d: %.100s", base, why);
        }
        if (e != ERR_UNKNOWN) {
            return device_error(d, e, "SunSpec at %d: %.120s", base,
                                d->link.error);
        }
    }
    return device_error(d, ERR_UNKNOWN,
                        "no SunSpec device at unit %d (%d bases tried)",
                        d->link.unit, d->map.n_bases);
}

/* Everything of the device is read anew: scale factors first, values need
 * them. */
static enum err read_all(struct device *d)
{
    static const enum reg_poll order[] = {REG_POLL_ONCE, REG_POLL_SLOW,
                                          REG_POLL_FAST};
    memset(d->now, 0, sizeof(d->now));
    memset(d->groups, 0, sizeof(d->groups));
    for (int k = 0; k < 3; k++) {
        for (int g = 0; g < d->plan.n_groups; g++) {
            if (d->plan.groups[g].poll != order[k]) {
                continue;
            }
            enum err e = device_read_group(d, g);
            if (e != ERR_NONE && e != ERR_REFUSED) {
                return e;
            }
        }
    }
    return ERR_NONE;
}

static enum err check_identity(struct device *d)
{
    const struct regmap_role *role = &d->map.roles[REG_ROLE_IDENTITY];
    char identity[DEVICE_IDENTITY_MAX] = "";
    size_t n = 0;
    for (int i = 0; i < role->n_terms; i++) {
        int a = role->terms[i].a;
        const char *text = d->now[a].text;
        if (d->plan.addr[a] >= 0 && d->now[a].mono_ms == 0) {
            /* Not served just now: no proof that it is another device. */
            return d->identity[0] == '\0'
                       ? ERR_NONE
                       : device_error(d, ERR_REFUSED,
                                      "the identity cannot be read: %s",
                                      d->link.error);
        }
        if (text[0] != '\0' && n < sizeof(identity)) {
            int m = snprintf(identity + n, sizeof(identity) - n, "%s%s",
                             n > 0 ? " " : "", text);
            n += (size_t)m;
        }
    }
    if (d->identity[0] == '\0') {
        memcpy(d->identity, identity, sizeof(d->identity));
    }
    d->stranger = strcmp(identity, d->identity) != 0;
    if (d->stranger) {
        return device_error(
            d, ERR_MISMATCH,
            "another device answers: \"%.50s\" instead of \"%.50s\"; nothing "
            "is written; restart if it was exchanged",
            identity, d->identity);
    }
    return ERR_NONE;
}

/* Slow blocks come due one after the other, not all in one pass. */
static void spread(struct device *d)
{
    int n = 0;
    int slow_ms = (int)(1e3 * d->map.slow_s);
    for (int g = 0; g < d->plan.n_groups; g++) {
        n += d->plan.groups[g].poll != REG_POLL_FAST;
    }
    int k = 0;
    for (int g = 0; g < d->plan.n_groups; g++) {
        if (d->plan.groups[g].poll != REG_POLL_FAST &&
            d->groups[g].due_ms <= d->mono_ms) {
            d->groups[g].due_ms = d->mono_ms + slow_ms * (k + 1) / n;
        }
        k += d->plan.groups[g].poll != REG_POLL_FAST;
    }
    d->fast_ms = d->mono_ms;
}

enum err device_find(struct device *d)
{
    if (!d->link.up) {
        enum err e = modbus_link_connect(&d->link);
        if (e != ERR_NONE) {
            return device_error(d, e, "%s", d->link.error);
        }
        d->state->n_reconnects++;
        if (d->map.quiet_s > 0.0) {
            d->quiet_ms = d->mono_ms + (int64_t)(1e3 * d->map.quiet_s);
            return ERR_NONE;
        }
    }
    modbus_link_budget(&d->link, DEVICE_FIND_RESPONSES * d->link.response_s);
    enum err e = d->map.sunspec ? discover(d) : ERR_NONE;
    if (e == ERR_NONE) {
        e = regplan_make(&d->map, d->map.sunspec ? &d->found : NULL, &d->plan);
        if (e != ERR_NONE) {
            return device_error(d, e, "the map needs too many requests");
        }
        e = read_all(d);
        if (e != ERR_NONE) {
            return device_error(d, e, "%s", d->link.error);
        }
        e = check_identity(d);
    }
    if (e == ERR_NONE) {
        spread(d);
        d->ready = true;
        d->control.obeys = true;
    }
    return e;
}
