/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site under random loads, faults and instructions, for the oracle: what was
 * done to it, and what it did. */
#ifndef TESTS_CONTROLLER_STEP_ORACLE_FIXTURE_H
#define TESTS_CONTROLLER_STEP_ORACLE_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/controller/step/unkind_load.h"
#include "tests/loop_fixture.h"

enum { ROUND_S = 1000, TICKS = ROUND_S * 10, AVERAGE = 100, WINDOW = 600 };
enum { BATTERIES = 10, PODS = 20 };

static const double RAMP = 10e6 / 60.0;
static const double CLOSE_W = 1e6; /* what an emergency cuts of the swing */
static const double USED_PU = 0.8; /* of what an edge leaves of the ramp */
enum { LEAD = 200 };               /* ticks until the grid is on its way down */

#define FAULT_LIST(X) \
    X(NONE)           \
    X(TRIP)           \
    X(NO_METER)       \
    X(SILENT_BATTERY) \
    X(SILENT_PODS)    \
    X(DISOBEY)        \
    X(GAUGE)          \
    X(DIP)            \
    X(LATE)
#define FAULT_ENUM(name) FAULT_##name,
#define FAULT_NAME(name) #name,
enum fault { FAULT_LIST(FAULT_ENUM) FAULT_COUNT };
static const char *const fault_names[] = {FAULT_LIST(FAULT_NAME)};

/* What goes wrong, one thing at a time. */
struct trouble {
    enum fault fault;
    int until;
    int at; /* battery or pod */
    double by;
    int64_t since_ms;
    double kept_w; /* of the silent battery */
};

/* What the plant did, and what the oracle holds against it. */
struct seen {
    double grid_w[TICKS];
    double mean_w[TICKS];
    double load_w[TICKS];
    double lost_w[TICKS];  /* edge of a battery that trips or comes back */
    double power_w[TICKS]; /* of the batteries that can be commanded */
    double late_s[TICKS];  /* in which an order shows */
    double limit_w[TICKS]; /* of the import, or where the grid was */
    bool called[TICKS];    /* an emergency begins */
    int fault[TICKS];
};

/* From where the grid stood when it was told of a limit. */
struct way {
    double at_w;
    double late_s;
    int from;
};

static inline void begin_trouble(struct loop_fixture *f, struct trouble *t,
                                 uint64_t *seed, int k)
{
    *t = (struct trouble){
        .fault = (enum fault)random_draw(seed, 1.0, FAULT_COUNT - 1e-9),
        .until = k + (int)random_draw(seed, 30.0, 600.0),
        .at = (int)random_draw(seed, 0.0, BATTERIES - 1e-9),
        .by = random_draw(seed, -0.06, 0.06),
        .since_ms = f->in->mono_ms,
        .kept_w = f->plant->batteries[0].set_w,
    };
    t->kept_w = f->plant->batteries[t->at].set_w;
    f->plant->batteries[t->at].tripped = t->fault == FAULT_TRIP;
    f->plant->pods[t->at].disobeys = t->fault == FAULT_DISOBEY;
}

static inline void end_trouble(struct loop_fixture *f, struct trouble *t,
                               uint64_t *seed, int k)
{
    f->plant->batteries[t->at].tripped = 0;
    f->plant->pods[t->at].disobeys = 0;
    *t = (struct trouble){.fault = FAULT_NONE,
                          .until = k + (int)random_draw(seed, 50.0, 800.0)};
}

/* What the controller sees of it. */
static inline void disturb(struct loop_fixture *f, const struct trouble *t)
{
    struct battery_in *b = &f->in->batteries[t->at];
    struct pod_in *p = &f->in->pods[t->at];
    switch (t->fault) {
    case FAULT_NO_METER:
        f->in->meter.power_w.quality = QUALITY_MISSING;
        break;
    case FAULT_SILENT_BATTERY:
        b->flags &= ~(int64_t)BATTERY_ONLINE;
        b->power_w.mono_ms = b->soc_pu.mono_ms = t->since_ms;
        break;
    case FAULT_SILENT_PODS:
        p->flags = 0;
        p->power_w.quality = QUALITY_MISSING;
        break;
    case FAULT_GAUGE:
        b->soc_pu.value += t->by;
        break;
    case FAULT_DIP:
        f->in->meter.voltage_pu.value = f->k % 100 == 0 ? 0.6 : 1.0;
        break;
    case FAULT_NONE:
    case FAULT_TRIP:
    case FAULT_DISOBEY:
    case FAULT_LATE:
    case FAULT_COUNT:
        break;
    }
}

/* A new instruction of the utility: at once, or a minute and a half ahead. */
static inline void instruct(struct loop_fixture *f, uint64_t *seed)
{
    static const enum utility_kind kinds[] = {
        UTILITY_IMPORT_MAX, UTILITY_IMPORT_MAX, UTILITY_SETPOINT,
        UTILITY_EMERGENCY,  UTILITY_RESERVE,    UTILITY_EXPORT_MAX};
    struct utility_in *u = &f->in->utility[0];
    memset(u, 0, sizeof(*u));
    snprintf(u->id, sizeof(u->id), "o%d", (int)f->k);
    u->kind = kinds[(int)random_draw(seed, 0.0, 5.99)];
    bool ahead = random_draw(seed, 0.0, 1.0) < 0.5;
    u->start_at_ms = f->in->utc_ms + (ahead ? 90000 : 0);
    u->end_at_ms =
        u->start_at_ms + (int64_t)random_draw(seed, 60000.0, 180000.0);
    u->value = random_draw(seed, 80e6, 130e6);
    if (u->kind == UTILITY_RESERVE) {
        u->value = random_draw(seed, 0.1, 0.6);
    } else if (u->kind == UTILITY_EXPORT_MAX) {
        u->value = 0.0;
    }
}

/* The mean over the ramp's average before k. */
static inline double mean_before_w(const struct seen *s, int k)
{
    double sum_w = 0.0;
    for (int i = k - AVERAGE; i < k; i++) {
        sum_w += s->grid_w[i < 0 ? 0 : i];
    }
    return sum_w / AVERAGE;
}

/* The limit on the import now, or how far down the grid can be since 'way' was
 * told of it. */
static inline double limit_now(const struct loop_fixture *f, struct way *way,
                               int k)
{
    const struct utility_in *u = &f->in->utility[0];
    double site_w = f->site->grid.import_max_w;
    bool limits = u->kind == UTILITY_IMPORT_MAX || u->kind == UTILITY_EMERGENCY;
    bool now = f->in->utc_ms >= u->start_at_ms && f->in->utc_ms < u->end_at_ms;
    if (k >= way->from + LEAD) {
        double leaks_w = (HIGH_W - LOW_W) * way->late_s / 100.0;
        way->at_w -= USED_PU * (RAMP - leaks_w) * 0.1;
    }
    if (u->id[0] == '\0' || !limits || !now) {
        return site_w;
    }
    bool at_once = u->kind == UTILITY_EMERGENCY;
    return fmin(fmax(u->value, at_once ? 0.0 : way->at_w), site_w);
}

static inline void sound_commands(const struct loop_fixture *f)
{
    for (int i = 0; i < BATTERIES; i++) {
        const struct battery_command *c = &f->out->batteries[i];
        const struct battery_in *b = &f->in->batteries[i];
        double w = c->set_w;
        assert_true(isfinite(w) && fabs(w) <= 10e6 + 1e-6);
        assert_true(c->expiry_s > 0.0 && isfinite(c->expiry_s));
        bool told = b->flags & BATTERY_ONLINE;
        assert_false(told && b->soc_pu.value >= 0.9 && w > 1.0);
        assert_false(told && b->soc_pu.value <= 0.1 && w < -1.0);
    }
    for (int i = 0; i < PODS; i++) {
        double w = f->out->pods[i].cap_w;
        assert_true(w >= f->site->pods[i].cap_min_w - 1e-6 &&
                    w <= f->site->pods[i].power_max_w + 1e-6);
    }
}

/* One tick of the plant; what is late or unheard does not reach it. */
static inline void act(struct loop_fixture *f, const struct trouble *t,
                       double w)
{
    step(f->cfg, f->state, f->scratch, f->in, f->plan, f->out);
    if (t->fault != FAULT_LATE || f->k % 2 == 0) {
        plant_command(f->plant, f->site, f->out);
    }
    if (t->fault == FAULT_SILENT_BATTERY) {
        f->plant->batteries[t->at].set_w = t->kept_w;
    }
    plant_demand(f->plant, f->site, w);
    plant_step(f->plant, f->site, 0.1);
    f->k++;
}

static inline void note(const struct loop_fixture *f, const struct trouble *t,
                        int k, double lost_w, struct seen *s)
{
    bool out = t->fault == FAULT_TRIP || t->fault == FAULT_SILENT_BATTERY;
    const struct utility_in *u = &f->in->utility[0];
    s->grid_w[k] = f->plant->grid_w;
    s->load_w[k] = f->plant->grid_w - f->plant->battery_w;
    s->lost_w[k] = lost_w;
    s->power_w[k] = 10e6 * (out ? BATTERIES - 1 : BATTERIES);
    s->late_s[k] = t->fault == FAULT_LATE ? 0.26 : 0.16;
    int64_t since_ms = f->in->utc_ms - u->start_at_ms;
    s->called[k] = u->id[0] != '\0' && u->kind == UTILITY_EMERGENCY &&
                   since_ms >= 0 && since_ms < 100 &&
                   u->value < mean_before_w(s, k) + CLOSE_W;
    s->fault[k] = (int)t->fault;
}

static inline struct site *oracle_site(void)
{
    struct site *site = fixture_site(BATTERIES, PODS, 0);
    site->grid.contingencies_given = true;
    site->grid.n_contingencies = 2;
    site->grid.contingencies[0] = (struct site_contingency){
        .name = "any", .drop_w = HIGH_W - LOW_W, .rise_w = HIGH_W - LOW_W};
    site->grid.contingencies[1] = (struct site_contingency){
        .name = "trip", .battery = "largest", .loses = SITE_LOSES_LARGEST};
    return site;
}

static inline void play(struct seen *s, int round, uint64_t *seed)
{
    struct loop_fixture f = loop_open(oracle_site(), POLICY_BALLAST, 100e6);
    f.cfg->site.grid.meter.present = true;
    struct trouble t = {.until = 400};
    int instructed = 600;
    struct way way = {.at_w = INFINITY};
    double w = 100e6;
    for (int k = 0; k < TICKS; k++) {
        loop_observe(&f);
        double before_w = f.plant->batteries[t.at].power_w;
        bool was = f.plant->batteries[t.at].tripped;
        if (k >= t.until && t.fault == FAULT_NONE) {
            begin_trouble(&f, &t, seed, k);
            before_w = f.plant->batteries[t.at].power_w;
        } else if (k >= t.until) {
            end_trouble(&f, &t, seed, k);
        }
        bool is = f.plant->batteries[t.at].tripped;
        disturb(&f, &t);
        if (k >= instructed) {
            instruct(&f, seed);
            way = (struct way){mean_before_w(s, k), 0.0, k};
            instructed = k + (int)random_draw(seed, 1500.0, 4000.0);
        }
        w = k < 300 ? w : next_load(seed, k, round % 4, w);
        way.late_s = t.fault == FAULT_LATE ? 0.26 : 0.16;
        s->limit_w[k] = limit_now(&f, &way, k);
        act(&f, &t, w);
        sound_commands(&f);
        note(&f, &t, k, is && !was ? fabs(before_w) : 0.0, s);
    }
    loop_close(&f);
}

#endif
