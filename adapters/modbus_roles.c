/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points into the readings and flags of the snapshot. */
#include <math.h>

#include "adapters/modbus_priv.h"

static struct reading bad(int64_t mono_ms)
{
    return (struct reading){NAN, mono_ms, QUALITY_BAD};
}

static struct reading of_point(const struct device *d, int point)
{
    const struct point_now *now = &d->now[point];
    if (d->plan.addr[point] < 0 || now->mono_ms == 0) {
        return (struct reading){NAN, 0, QUALITY_MISSING};
    }
    return now->state == REG_OK ? reading_good(now->value, now->mono_ms)
                                : bad(now->mono_ms);
}

static struct reading of_term(const struct device *d,
                              const struct regmap_term *t)
{
    struct reading a = of_point(d, t->a);
    if (t->op == REG_OP_POINT) {
        return a;
    }
    struct reading b =
        t->b >= 0 ? of_point(d, t->b) : reading_good(t->divisor, a.mono_ms);
    if (a.quality != QUALITY_GOOD || b.quality != QUALITY_GOOD) {
        return a.quality != QUALITY_GOOD ? a : b;
    }
    double x = t->op == REG_OP_RATIO ? a.value / b.value : a.value * b.value;
    int64_t mono_ms = a.mono_ms < b.mono_ms ? a.mono_ms : b.mono_ms;
    return isfinite(x) ? reading_good(x, mono_ms) : bad(mono_ms);
}

static bool term_absent(const struct device *d, const struct regmap_term *t)
{
    return !device_has(d, t->a) || (t->b >= 0 && !device_has(d, t->b));
}

/* The first term that the device implements; BAD where it has registers for
 * some but implements none, MISSING where it has none at all. */
static struct reading of_role(const struct device *d, enum reg_role role)
{
    const struct regmap_role *r = &d->map.roles[role];
    struct reading none = {NAN, 0, QUALITY_MISSING};
    for (int i = 0; i < r->n_terms; i++) {
        struct reading x = of_term(d, &r->terms[i]);
        if (!term_absent(d, &r->terms[i])) {
            return x;
        }
        if (none.quality == QUALITY_MISSING) {
            none = x;
        }
    }
    return none;
}

/* As of_role(), BAD outside lo..hi. */
static struct reading within(const struct device *d, enum reg_role role,
                             double lo, double hi)
{
    struct reading x = of_role(d, role);
    if (x.quality == QUALITY_GOOD && !(x.value >= lo && x.value <= hi)) {
        return bad(x.mono_ms);
    }
    return x;
}

/* The tighter of a standing limit and the one of the moment, where known. */
static struct reading limit(const struct device *d, enum reg_role standing,
                            enum reg_role moment)
{
    struct reading a = within(d, standing, 0.0, INFINITY);
    struct reading b = within(d, moment, 0.0, INFINITY);
    if (b.quality != QUALITY_GOOD) {
        return a;
    }
    return a.quality != QUALITY_GOOD || b.value < a.value ? b : a;
}

/* SoC 0 of a device that rates no energy means "no storage", not "empty"
 * (SunSpec 713). */
static struct reading soc(const struct device *d)
{
    struct reading x = within(d, REG_ROLE_SOC, 0.0, 1.0 + 1e-9);
    if (x.quality == QUALITY_GOOD && x.value == 0.0 &&
        d->map.roles[REG_ROLE_ENERGY_RATING].n_terms > 0) {
        struct reading rating = of_role(d, REG_ROLE_ENERGY_RATING);
        if (rating.quality != QUALITY_GOOD || !(rating.value > 0.0)) {
            return bad(x.mono_ms);
        }
    }
    if (x.quality == QUALITY_GOOD && x.value > 1.0) {
        x.value = 1.0;
    }
    return x;
}

/* What is read back counts only while the device has it enabled. */
static struct reading setpoint(const struct device *d)
{
    struct reading x = of_role(d, REG_ROLE_SETPOINT);
    struct reading enable = of_role(d, REG_ROLE_ENABLE);
    if (x.quality == QUALITY_GOOD && enable.quality == QUALITY_GOOD &&
        enable.value == 0.0) {
        x.quality = QUALITY_SUSPECT;
    }
    return x;
}

static bool one_of(const int64_t *list, int n, const struct point_now *now)
{
    for (int i = 0; i < n; i++) {
        if ((uint64_t)list[i] == now->raw) {
            return true;
        }
    }
    return false;
}

bool device_is_local(const struct device *d)
{
    const struct regmap_role *r = &d->map.roles[REG_ROLE_LOCAL_REMOTE];
    for (int i = 0; i < r->n_terms; i++) {
        int a = r->terms[i].a;
        const struct regmap_point *p = &d->map.points[a];
        if (device_has(d, a) && one_of(p->local, p->n_local, &d->now[a])) {
            return true;
        }
    }
    return false;
}

static bool running(const struct device *d)
{
    const struct regmap_role *r = &d->map.roles[REG_ROLE_STATE];
    for (int i = 0; i < r->n_terms; i++) {
        int a = r->terms[i].a;
        const struct regmap_point *p = &d->map.points[a];
        if (device_has(d, a) && (one_of(p->blocks, p->n_blocks, &d->now[a]) ||
                                 (d->now[a].raw & p->blocks_bits) != 0)) {
            return false;
        }
    }
    return !d->stranger;
}

static bool alive(const struct device *d)
{
    const struct regmap_role *r = &d->map.roles[REG_ROLE_HEARTBEAT_DEVICE];
    for (int i = 0; i < r->n_terms; i++) {
        const struct point_now *now = &d->now[r->terms[i].a];
        if (device_has(d, r->terms[i].a) &&
            now->mono_ms - now->moved_ms > DEVICE_FROZEN_MS) {
            return false;
        }
    }
    return true;
}

static int64_t alarms(const struct device *d)
{
    const struct regmap_role *r = &d->map.roles[REG_ROLE_ALARMS];
    uint64_t bits = 0;
    for (int i = 0; i < r->n_terms; i++) {
        if (device_has(d, r->terms[i].a)) {
            bits |= (d->now[r->terms[i].a].raw & UINT32_MAX)
                    << (i > 0 ? 32 : 0);
        }
    }
    return (int64_t)bits;
}

bool device_writable(const struct device *d)
{
    const struct regmap_role *r = &d->map.roles[REG_ROLE_SETPOINT];
    return d->map.commissioned && !d->cfg.read_only && !d->stranger &&
           r->n_terms > 0 && d->plan.addr[r->terms[0].a] >= 0;
}

static int64_t flags(const struct device *d)
{
    int64_t f = 0;
    f |= device_is_local(d) ? 0 : BATTERY_REMOTE;
    f |= running(d) ? BATTERY_RUNNING : 0;
    f |= d->control.obeys ? BATTERY_OBEYS : 0;
    f |= alive(d) ? BATTERY_ALIVE : 0;
    f |= device_writable(d) ? BATTERY_WRITABLE : 0;
    return f;
}

static void report_battery(const struct device *d, struct battery_in *b)
{
    b->power_w = of_role(d, REG_ROLE_POWER);
    b->soc_pu = soc(d);
    b->soh_pu = within(d, REG_ROLE_SOH, 0.0, 1.5);
    b->charge_max_w = limit(d, REG_ROLE_CHARGE_LIMIT, REG_ROLE_CHARGE_NOW);
    b->discharge_max_w =
        limit(d, REG_ROLE_DISCHARGE_LIMIT, REG_ROLE_DISCHARGE_NOW);
    b->temperature_c = of_role(d, REG_ROLE_TEMPERATURE);
    b->setpoint_w = setpoint(d);
    b->alarms = alarms(d);
    b->flags = flags(d);
}

static void report_meter(const struct device *d, struct meter_in *m)
{
    m->power_w = of_role(d, REG_ROLE_POWER);
    m->voltage_pu = within(d, REG_ROLE_VOLTAGE, 0.0, 10.0);
    m->frequency_hz = within(d, REG_ROLE_FREQUENCY, 0.0, 1000.0);
    m->import_wh = of_role(d, REG_ROLE_IMPORT_ENERGY);
    m->export_wh = of_role(d, REG_ROLE_EXPORT_ENERGY);
}

/* Off line everything keeps the time it was read at: it grows old. */
void device_report(const struct device *d, struct device_values *values)
{
    if (d->cfg.role == DEVICE_METER) {
        if (d->ready) {
            report_meter(d, &values->meter);
        }
        return;
    }
    struct battery_in *b = &values->battery;
    if (d->ready) {
        report_battery(d, b);
    }
    if (d->stranger) {
        b->flags &= ~(int64_t)(BATTERY_RUNNING | BATTERY_WRITABLE);
    }
    bool online = d->ready && (d->fresh || d->mono_ms < d->fast_ms);
    b->flags = online ? b->flags | BATTERY_ONLINE
                      : b->flags & ~(int64_t)BATTERY_ONLINE;
}
