/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * modbus - devices behind a register map over Modbus TCP.
 *
 * A pass takes at most 4 response time-outs, one that connects 9.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/modbus_priv.h"

static const double backoff_min_s = 0.2;
static const double backoff_max_s = 5.0;

enum err device_error(struct device *d, enum err e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->state->last_error, sizeof(d->state->last_error), format, args);
    va_end(args);
    return e;
}

/* xorshift64*; 0..1.  Keeps many devices from coming back in one moment. */
static double draw(struct device *d)
{
    d->random ^= d->random >> 12;
    d->random ^= d->random << 25;
    d->random ^= d->random >> 27;
    return (double)((d->random * 2685821657736338717u) >> 11) /
           9007199254740992.0;
}

void device_drop(struct device *d)
{
    modbus_link_close(&d->link);
    d->ready = false;
    d->control.taken = false;
    d->control.step = 0;
    d->control.written = false;
    d->control.n_expect = 0;
    double wait_s = d->backoff_s * (0.5 + 0.5 * draw(d));
    d->retry_ms = d->mono_ms + (int64_t)(1e3 * wait_s);
    d->backoff_s = d->backoff_s * 2.0;
    if (d->backoff_s > backoff_max_s) {
        d->backoff_s = backoff_max_s;
    }
}

static enum err exchange(struct device *d, const struct device_lease *lease)
{
    modbus_link_budget(&d->link, DEVICE_PASS_RESPONSES * d->link.response_s);
    enum err first = ERR_NONE;
    if (d->cfg.role == DEVICE_BATTERY) {
        first = device_keep_lease(d, lease);
        if (d->link.up) {
            enum err e = device_beat(d);
            first = first != ERR_NONE ? first : e;
        }
    }
    if (d->link.up) {
        enum err e = device_read_due(d);
        first = first != ERR_NONE ? first : e;
    }
    if (!d->link.up) {
        device_drop(d);
        return first;
    }
    d->backoff_s = backoff_min_s;
    device_verify(d);
    return first;
}

static enum err run(struct device *d, const struct device_lease *lease)
{
    if (d->mono_ms < d->quiet_ms) {
        return ERR_NONE;
    }
    if (d->ready) {
        return exchange(d, lease);
    }
    if (d->mono_ms < d->retry_ms) {
        return ERR_IO; /* last_error still says why */
    }
    enum err e = device_find(d);
    if (e != ERR_NONE) {
        device_drop(d);
    }
    return e;
}

static enum err modbus_pass(struct device *d, int64_t mono_ms,
                            const struct device_lease *lease,
                            struct device_values *values,
                            struct link_state *link)
{
    double start_s = modbus_link_now_s();
    d->mono_ms = mono_ms;
    d->state = link;
    d->fresh = false;
    link->n_passes++;
    device_follow(d, lease);
    enum err e = run(d, lease);
    if (e != ERR_NONE) {
        link->n_errors++;
    } else if (d->control.obeys) {
        link->last_error[0] = '\0';
    }
    link->up = d->ready;
    device_report(d, values);
    link->pass_s = modbus_link_now_s() - start_s;
    d->state = NULL;
    return e;
}

static void modbus_device_close(struct device *d)
{
    if (d != NULL) {
        modbus_link_clear(&d->link);
        free(d);
    }
}

/* The parts of opening that need the device's memory. */
static enum err fill(struct device *d, const struct device_cfg *cfg, char *why,
                     size_t why_size)
{
    d->cfg = *cfg;
    d->backoff_s = backoff_min_s;
    d->control.obeys = true;
    d->random = (uint64_t)(1e9 * modbus_link_now_s()) ^ (uint64_t)(uintptr_t)d;
    d->random |= 1;
    enum err e = regmap_load(&d->map, cfg->map_dir, cfg->at.map, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    if (d->map.device != cfg->role) {
        snprintf(why, why_size, "map %s is for a %s, not for a %s", cfg->at.map,
                 d->map.device == DEVICE_METER ? "meter" : "battery",
                 cfg->role == DEVICE_METER ? "meter" : "battery");
        return ERR_RANGE;
    }
    return modbus_link_open(&d->link, &cfg->at, cfg->response_s, why, why_size);
}

static enum err modbus_device_open(const struct device_cfg *cfg,
                                   struct device **out, char *why,
                                   size_t why_size)
{
    assert(cfg->at.present);
    struct device *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    enum err e = fill(d, cfg, why, why_size);
    if (e != ERR_NONE) {
        modbus_device_close(d);
        return e;
    }
    *out = d;
    return ERR_NONE;
}

const struct device_ops modbus_device = {
    .name = "modbus",
    .open = modbus_device_open,
    .pass = modbus_pass,
    .close = modbus_device_close,
};
