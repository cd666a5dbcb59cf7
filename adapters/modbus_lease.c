/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps a lease: set-point, renewal, heartbeat, and whether it is obeyed. */
#include <math.h>
#include <string.h>

#include "adapters/modbus_priv.h"

/* Set-points nearer than this part of the rating are the same. */
static const double deadband_pu = 0.0005;

/* A command is the newest where its number rose or its content changed (the
 * worker's own fallback has no new number). */
void device_follow(struct device *d, const struct device_lease *lease)
{
    struct device_control *k = &d->control;
    if (lease == NULL) {
        return;
    }
    const struct battery_command *c = &lease->command;
    if (lease->seq != k->seq || c->valid != k->command.valid ||
        c->set_w != k->command.set_w ||
        c->fallback_w != k->command.fallback_w) {
        k->fresh_ms = d->mono_ms;
    }
    k->seq = lease->seq;
    k->command = *c;
}

/* Nothing to keep: what the device holds now runs out by itself, and what it
 * reads back then is not disobedience. */
static enum err idle(struct device *d)
{
    struct device_control *k = &d->control;
    if (k->active) {
        k->idle_ms = d->mono_ms;
    }
    k->active = false;
    k->taken = false;
    k->step = 0;
    k->written = false;
    k->n_expect = 0;
    if (d->mono_ms - k->idle_ms >= DEVICE_FORGIVE_MS) {
        k->obeys = true;
    }
    return ERR_NONE;
}

static bool in_rating(const struct device *d, double w)
{
    return isfinite(w) && w <= d->cfg.charge_max_w + 1e-6 &&
           w >= -d->cfg.discharge_max_w - 1e-6;
}

/* The second line of defence: the controller has limited this already. */
static enum err check_command(struct device *d, const struct battery_command *c)
{
    if (!in_rating(d, c->set_w) || !in_rating(d, c->fallback_w)) {
        return device_error(d, ERR_RANGE,
                            "set-point %g W (fallback %g W) refused: outside "
                            "-%g..%g W, not sent",
                            c->set_w, c->fallback_w, d->cfg.discharge_max_w,
                            d->cfg.charge_max_w);
    }
    if (!isfinite(c->expiry_s) || c->expiry_s <= 0.0) {
        return device_error(d, ERR_RANGE,
                            "set-point without expiry refused, not sent");
    }
    return ERR_NONE;
}

static double lease_s(const struct battery_command *c)
{
    return fmin(fmax(c->expiry_s, DEVICE_EXPIRY_MIN_S), DEVICE_EXPIRY_MAX_S);
}

static bool write_due(const struct device *d, const struct battery_command *c)
{
    const struct device_control *k = &d->control;
    if (d->mono_ms < k->retry_ms) {
        return false;
    }
    if (!k->written || !k->obeys) {
        return true;
    }
    int64_t age_ms = d->mono_ms - k->write_ms;
    double band_w =
        deadband_pu * fmax(d->cfg.charge_max_w, d->cfg.discharge_max_w);
    return fabs(c->set_w - k->set_w) > band_w ||
           fabs(c->fallback_w - k->fallback_w) > band_w ||
           (double)age_ms >= 1e3 * lease_s(c) / 3.0;
}

static enum err write_setpoint(struct device *d,
                               const struct battery_command *c)
{
    struct device_control *k = &d->control;
    int at = 0;
    k->n_expect = 0;
    enum err e = device_run(d, REG_SEQUENCE_SETPOINT, c, true, &at);
    if (e != ERR_NONE) {
        bool later = d->link.exception == 5 || d->link.exception == 6;
        k->obeys = k->obeys && (e != ERR_REFUSED || later);
        k->retry_ms = d->mono_ms + DEVICE_RETRY_WRITE_MS;
        k->n_expect = 0;
        return e;
    }
    k->armed_ms = k->written ? k->armed_ms : d->mono_ms;
    k->written = true;
    k->judged = false;
    k->odd = !k->odd;
    k->write_ms = d->mono_ms;
    k->remaining_ms = d->mono_ms;
    k->set_w = c->set_w;
    k->fallback_w = c->fallback_w;
    return ERR_NONE;
}

/* take_control, over as many passes as its waits need. */
static enum err take(struct device *d, const struct battery_command *c)
{
    struct device_control *k = &d->control;
    const struct regmap_sequence *q =
        &d->map.sequences[REG_SEQUENCE_TAKE_CONTROL];
    enum err e = ERR_NONE;
    if (d->mono_ms >= k->wait_ms) {
        e = device_run(d, REG_SEQUENCE_TAKE_CONTROL, c, false, &k->step);
    }
    if (e != ERR_NONE) {
        k->step = 0;
        k->wait_ms = d->mono_ms + DEVICE_RETRY_WRITE_MS;
        return e;
    }
    k->taken = k->step >= q->n_steps && d->mono_ms >= k->wait_ms;
    return ERR_NONE;
}

enum err device_keep_lease(struct device *d, const struct device_lease *lease)
{
    struct device_control *k = &d->control;
    if (lease == NULL || lease->seq == 0 || lease->command.valid == 0) {
        return idle(d);
    }
    const struct battery_command *c = &k->command;
    if (!device_writable(d) || device_is_local(d)) {
        return idle(d);
    }
    enum err e = check_command(d, c);
    if (e != ERR_NONE) {
        (void)idle(d);
        return e;
    }
    if ((double)(d->mono_ms - k->fresh_ms) > 1e3 * c->expiry_s) {
        (void)idle(d);
        return device_error(d, ERR_TIMEOUT,
                            "no new command for %g s: the lease is not "
                            "renewed",
                            c->expiry_s);
    }
    k->active = true;
    if (!k->taken) {
        e = take(d, c);
    }
    if (e == ERR_NONE && k->taken && write_due(d, c)) {
        e = write_setpoint(d, c);
    }
    return e;
}

enum err device_beat(struct device *d)
{
    struct device_control *k = &d->control;
    const struct regmap_role *r = &d->map.roles[REG_ROLE_HEARTBEAT];
    if (!k->active || !k->taken || d->mono_ms < k->wait_ms ||
        d->mono_ms - k->beat_ms < DEVICE_BEAT_MS) {
        return ERR_NONE;
    }
    /* On a grid of whole seconds, so that they do not drift with the passes. */
    bool behind = d->mono_ms - k->beat_ms >= 2 * DEVICE_BEAT_MS;
    k->beat_ms = behind ? d->mono_ms : k->beat_ms + DEVICE_BEAT_MS;
    enum err first = ERR_NONE;
    for (int i = 0; i < r->n_terms && d->link.up; i++) {
        int point = r->terms[i].a;
        uint16_t regs[REG_NUMBER_MAX] = {0};
        const struct regmap_point *p = &d->map.points[point];
        if (!device_next_beat(d, point, regs)) {
            continue;
        }
        int fc = p->write_fc == 6 && p->codec.n_regs == 1 ? 6 : 16;
        enum err e = modbus_link_write(&d->link, fc, d->plan.addr[point],
                                       p->codec.n_regs, regs);
        if (e == ERR_NONE) {
            d->state->n_writes++;
            d->state->write_mono_ms = d->mono_ms;
        } else if (first == ERR_NONE) {
            first = device_error(d, e, "heartbeat: %s", d->link.error);
        }
    }
    return first;
}

/* The reversion timer must run: not 0 some time after the first write, and
 * not standing still. */
static bool timer_runs(struct device *d)
{
    struct device_control *k = &d->control;
    const struct regmap_role *r = &d->map.roles[REG_ROLE_COMMAND_REMAINING];
    if (r->n_terms == 0 || !device_has(d, r->terms[0].a)) {
        return true;
    }
    uint64_t raw = d->now[r->terms[0].a].raw;
    if (raw != k->remaining) {
        k->remaining_ms = d->mono_ms;
        k->remaining = raw;
    }
    bool armed = raw > 0 || d->mono_ms - k->armed_ms < DEVICE_ARM_MS;
    return armed && d->mono_ms - k->remaining_ms < DEVICE_FROZEN_MS;
}

static const struct expected *differs(const struct device *d)
{
    const struct device_control *k = &d->control;
    for (int i = 0; i < k->n_expect; i++) {
        const struct expected *x = &k->expect[i];
        size_t size =
            (size_t)d->map.points[x->point].codec.n_regs * sizeof(x->regs[0]);
        if (d->now[x->point].mono_ms == d->mono_ms &&
            memcmp(d->now[x->point].regs, x->regs, size) != 0) {
            return x;
        }
    }
    return NULL;
}

/* All that was written has been read in this pass. */
static bool comparable(const struct device *d)
{
    const struct device_control *k = &d->control;
    for (int i = 0; i < k->n_expect; i++) {
        if (d->now[k->expect[i].point].mono_ms != d->mono_ms) {
            return false;
        }
    }
    return k->n_expect > 0;
}

void device_verify(struct device *d)
{
    struct device_control *k = &d->control;
    if (!k->active || !k->written || !comparable(d)) {
        return;
    }
    const struct expected *x = differs(d);
    bool runs = timer_runs(d);
    if (x == NULL && runs) {
        k->obeys = true;
        k->judged = true;
        return;
    }
    if (k->obeys || !k->judged) {
        d->state->n_mismatches++;
    }
    k->judged = true;
    k->obeys = false;
    k->retry_ms = k->write_ms + DEVICE_RETRY_WRITE_MS;
    if (x != NULL) {
        (void)device_error(d, ERR_MISMATCH,
                           "\"%s\" did not read back as written: another "
                           "master, or a limit of the device?",
                           d->map.points[x->point].id);
    } else {
        (void)device_error(d, ERR_MISMATCH,
                           "the reversion timer does not run: the device "
                           "would hold its set-point without us");
    }
}
