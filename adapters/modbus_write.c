/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sequences of a map onto the wire. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "adapters/modbus_priv.h"

/* Registers that go out in one request. */
struct run {
    int addr;
    int n;
    int fc;
    uint16_t regs[REG_WRITE_MAX];
    struct expected expect[REGMAP_STEPS_MAX]; /* to read back */
    int n_expect;
};

bool device_next_beat(struct device *d, int point, uint16_t *regs)
{
    const struct regmap_point *p = &d->map.points[point];
    struct point_past *past = &d->past[point];
    if (d->plan.addr[point] < 0 || d->now[point].state == REG_ABSENT) {
        return false; /* never read may be write-only, which is fine */
    }
    uint64_t last = past->beat_known ? past->beat : d->now[point].raw;
    uint64_t next = 0;
    switch (p->beat) {
    case REG_BEAT_NONE:
        return false;
    case REG_BEAT_COUNT:
        next = (last + 1) & (UINT64_MAX >> (64 - 16 * p->codec.n_regs));
        next = p->codec.has_absent && next == p->codec.absent ? 0 : next;
        break;
    case REG_BEAT_TOGGLE:
        next = (uint64_t)(last == (uint64_t)p->toggle[0] ? p->toggle[1]
                                                         : p->toggle[0]);
        break;
    case REG_BEAT_ECHO:
        if (!device_has(d, p->echo_of)) {
            return false;
        }
        next = d->now[p->echo_of].raw;
        break;
    }
    past->beat = next;
    past->beat_known = true;
    regcodec_put(&p->codec, next, regs);
    return true;
}

/* Rounding to the register's step must not pass the rating: one step back
 * toward 0 then. */
static enum err encode_power(const struct device *d, int point, double w,
                             uint16_t *regs)
{
    const struct reg_codec *c = &d->map.points[point].codec;
    int sf = device_sf(d, point);
    enum err e = regcodec_encode(c, w, sf, regs);
    double back_w = NAN;
    if (e != ERR_NONE || regcodec_decode(c, regs, sf, &back_w) != REG_OK) {
        return ERR_RANGE;
    }
    bool over = back_w > d->cfg.charge_max_w + 1e-6 ||
                back_w < -d->cfg.discharge_max_w - 1e-6;
    if (!over) {
        return ERR_NONE;
    }
    if (c->type == REG_F32 || c->type == REG_F64) {
        return fabs(back_w - w) <= 1e-6 * fabs(w) ? ERR_NONE : ERR_RANGE;
    }
    uint64_t raw = regcodec_raw(c, regs);
    regcodec_put(c, back_w / c->factor > 0.0 ? raw - 1 : raw + 1, regs);
    return ERR_NONE;
}

static int whole_expiry_s(const struct device *d,
                          const struct battery_command *c)
{
    int n = (int)floor(
        fmin(fmax(c->expiry_s, DEVICE_EXPIRY_MIN_S), DEVICE_EXPIRY_MAX_S));
    return n + (d->control.odd ? 1 : 0);
}

/* The registers of one step. */
static enum err encode_step(struct device *d, const struct regmap_step *s,
                            const struct battery_command *c, uint16_t *regs)
{
    const struct regmap_point *p = &d->map.points[s->point];
    double rating_w = fmax(d->cfg.charge_max_w, d->cfg.discharge_max_w);
    double value = NAN;
    switch (s->var) {
    case REG_VAR_W:
        return encode_power(d, s->point, c->set_w, regs);
    case REG_VAR_FALLBACK_W:
        return encode_power(d, s->point, c->fallback_w, regs);
    case REG_VAR_KEEP:
        if (d->now[s->point].mono_ms == 0) {
            return ERR_UNKNOWN;
        }
        memcpy(regs, d->now[s->point].regs,
               (size_t)p->codec.n_regs * sizeof(regs[0]));
        return ERR_NONE;
    case REG_VAR_HEARTBEAT:
        return device_next_beat(d, s->point, regs) ? ERR_NONE : ERR_UNKNOWN;
    case REG_VAR_NUMBER:
        value = s->number * p->codec.factor;
        break;
    case REG_VAR_FALLBACK_ENABLE:
        value = (c->fallback_w != 0.0 ? 1.0 : 0.0) * p->codec.factor;
        break;
    case REG_VAR_FALLBACK_RAMP:
        value = c->fallback_ramp_w_per_s;
        break;
    case REG_VAR_FALLBACK_RAMP_PU:
        value = c->fallback_ramp_w_per_s / rating_w;
        break;
    case REG_VAR_EXPIRY:
        value = whole_expiry_s(d, c);
        break;
    case REG_VAR_COUNT:
        break;
    }
    return regcodec_encode(&p->codec, value, device_sf(d, s->point), regs);
}

/* The registers after a write of take_control must hold what was written. */
static enum err read_back(struct device *d, const struct run *r)
{
    uint16_t regs[REG_WRITE_MAX] = {0};
    enum err e = modbus_link_read(&d->link, 3, r->addr, r->n, regs);
    if (e != ERR_NONE) {
        return device_error(d, e, "%s", d->link.error);
    }
    for (int i = 0; i < r->n_expect; i++) {
        int point = r->expect[i].point;
        int at = d->plan.addr[point] - r->addr;
        size_t size =
            (size_t)d->map.points[point].codec.n_regs * sizeof(regs[0]);
        if (memcmp(regs + at, r->expect[i].regs, size) != 0) {
            d->state->n_mismatches++;
            d->control.obeys = false;
            return device_error(d, ERR_MISMATCH,
                                "\"%s\" did not read back as written",
                                d->map.points[point].id);
        }
    }
    return ERR_NONE;
}

static enum err flush(struct device *d, struct run *r, bool keep)
{
    if (r->n == 0) {
        return ERR_NONE;
    }
    enum err e = modbus_link_write(&d->link, r->fc, r->addr, r->n, r->regs);
    if (e != ERR_NONE) {
        return device_error(d, e, "write at %d: %s", r->addr, d->link.error);
    }
    d->state->n_writes++;
    d->state->write_mono_ms = d->mono_ms;
    if (keep) {
        struct device_control *k = &d->control;
        for (int i = 0; i < r->n_expect; i++) {
            k->expect[k->n_expect++] = r->expect[i];
        }
    } else if (r->n_expect > 0) {
        e = read_back(d, r);
    }
    r->n = 0;
    r->n_expect = 0;
    return e;
}

/* Put the registers of a step into the run, sending the run before it where
 * they do not follow on. */
static enum err add(struct device *d, struct run *r,
                    const struct regmap_step *s, const uint16_t *regs,
                    bool keep)
{
    const struct regmap_point *p = &d->map.points[s->point];
    int addr = d->plan.addr[s->point];
    bool follows = r->n > 0 && r->fc == 16 && p->write_fc == 16 &&
                   addr == r->addr + r->n &&
                   r->n + p->codec.n_regs <= REG_WRITE_MAX;
    if (!follows) {
        enum err e = flush(d, r, keep);
        if (e != ERR_NONE) {
            return e;
        }
        r->addr = addr;
        r->fc = p->write_fc == 6 && p->codec.n_regs == 1 ? 6 : 16;
    }
    for (int i = 0; i < p->codec.n_regs; i++) {
        r->regs[r->n++] = regs[i];
    }
    if (p->confirm && s->var != REG_VAR_KEEP && s->var != REG_VAR_HEARTBEAT) {
        struct expected *x = &r->expect[r->n_expect++];
        x->point = s->point;
        memcpy(x->regs, regs, (size_t)p->codec.n_regs * sizeof(regs[0]));
    }
    return ERR_NONE;
}

enum err device_run(struct device *d, enum reg_sequence which,
                    const struct battery_command *c, bool keep, int *at)
{
    const struct regmap_sequence *q = &d->map.sequences[which];
    struct run r = {.n = 0};
    enum err e = ERR_NONE;
    for (; *at < q->n_steps && e == ERR_NONE; (*at)++) {
        const struct regmap_step *s = &q->steps[*at];
        if (s->kind != REG_STEP_WRITE) {
            int64_t until_ms = d->mono_ms + (int64_t)(1e3 * s->wait_s);
            d->control.wait_ms = until_ms;
            d->quiet_ms = s->kind == REG_STEP_QUIET ? until_ms : d->quiet_ms;
            (*at)++;
            break;
        }
        uint16_t regs[REG_NUMBER_MAX] = {0};
        bool there = device_has(d, s->point);
        if (!there && s->optional) {
            continue;
        }
        e = there || d->plan.addr[s->point] >= 0 ? encode_step(d, s, c, regs)
                                                 : ERR_UNKNOWN;
        if (e != ERR_NONE) {
            return device_error(d, e, "%s: \"%s\" cannot be written: %s",
                                regmap_sequence_word(which),
                                d->map.points[s->point].id, err_text(e));
        }
        e = add(d, &r, s, regs, keep);
    }
    return e == ERR_NONE ? flush(d, &r, keep) : e;
}
