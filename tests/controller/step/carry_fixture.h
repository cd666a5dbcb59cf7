/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site that has run for a while, and what was saved of it. */
#ifndef TESTS_CONTROLLER_STEP_CARRY_FIXTURE_H
#define TESTS_CONTROLLER_STEP_CARRY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/step/carry_layout.h"
#include "models/random.h"
#include "tests/loop_fixture.h"

enum { SEED = 20261206, BATTERIES = 3, NODES = 40, SERIES = 5 };
enum { UNITS = 1 + BATTERIES + 2 + SERIES };

static const int64_t REBOOTED_MS = 7000;

static inline struct site *site_of(void)
{
    struct site *site = fixture_site(BATTERIES, 2, NODES);
    site->batteries[1].chemistry = CHEMISTRY_NMC;
    site->fleets[0].chemistry = CHEMISTRY_NCA;
    return site;
}

/* A site that has run for 'seconds' with a wandering load. */
static inline struct loop_fixture lived(int seconds)
{
    struct loop_fixture f = loop_open(site_of(), POLICY_BALLAST, 100e6);
    uint64_t random = random_seed(SEED);
    double demand_w = 100e6;
    for (int k = 0; k < seconds * 10; k++) {
        demand_w = k % 100 == 0 ? random_draw(&random, 60e6, 140e6) : demand_w;
        loop_tick(&f, demand_w);
    }
    return f;
}

static inline struct loop_fixture fresh(void)
{
    return loop_open(site_of(), POLICY_BALLAST, 100e6);
}

struct saved {
    unsigned char blob[CARRY_SIZE_MAX];
    size_t size;
};

static inline struct saved *save_all(const struct loop_fixture *f)
{
    struct saved *s = calloc(UNITS, sizeof(*s));
    struct carry_now now = {.mono_ms = f->in->mono_ms, .utc_ms = f->in->utc_ms};
    assert_int_equal(carry_units(f->cfg), UNITS);
    for (int u = 0; u < UNITS; u++) {
        s[u].size = carry_save(f->cfg, f->state, u, &now, s[u].blob);
        carry_seal(s[u].blob, s[u].size);
    }
    return s;
}

/* 'gap_s' after the save, on a machine that was started anew. */
static inline struct carry_now later(const struct loop_fixture *f, double gap_s)
{
    return (struct carry_now){.mono_ms = REBOOTED_MS,
                              .utc_ms = f->in->utc_ms + (int64_t)(gap_s * 1e3)};
}

#endif
