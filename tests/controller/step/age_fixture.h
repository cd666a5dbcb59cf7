/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A battery that is looked at, second by second. */
#ifndef TESTS_CONTROLLER_STEP_AGE_FIXTURE_H
#define TESTS_CONTROLLER_STEP_AGE_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/loop_fixture.h"

enum { SEED = 20261204, NODES = 7 };

/* cmocka 1.1.5 compares floats only */
static inline void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g", got, want);
    }
}

/* One battery of 20 MWh and 10 MW, told by hand. */
static inline struct loop_fixture open_one(enum chemistry chemistry)
{
    struct site *site = fixture_site(1, 1, NODES);
    site->batteries[0].chemistry = chemistry;
    site->fleets[0].chemistry = CHEMISTRY_NCA;
    return loop_open(site, POLICY_NONE, 1e6);
}

struct look {
    double after_s; /* since the look before */
    double soc_pu;
    double temp_c;
    double power_w;
};

static inline void look(struct loop_fixture *f, const struct look *at)
{
    int64_t ms = f->k == 0 ? LOOP_MONO_MS : f->in->mono_ms;
    ms += (int64_t)llround(at->after_s * 1e3);
    f->k++;
    f->in->tick++;
    f->in->mono_ms = ms;
    f->in->utc_ms = LOOP_UTC_MS + ms;
    f->in->dt_s = fmax(at->after_s, 0.1);
    struct battery_in *b = &f->in->batteries[0];
    b->flags = BATTERY_READY;
    b->soc_pu = reading_good(at->soc_pu, ms);
    b->temperature_c = reading_good(at->temp_c, ms);
    b->power_w = reading_good(at->power_w, ms);
    step(f->cfg, f->state, f->scratch, f->in, f->plan, f->out);
}

/* At full turns of the batteries, so that every look is a sample. */
static inline void look_second(struct loop_fixture *f, double soc_pu,
                               double power_w)
{
    for (int i = 0; i < f->cfg->n_turns; i++) {
        look(f, &(struct look){0.1, soc_pu, 25.0, power_w});
    }
}

static inline double travel_pu(const struct life *l)
{
    struct rainflow_cycle open[RAINFLOW_DEPTH];
    double sum = 2.0 * l->efc;
    int n = rainflow_open(&l->cycles, open);
    for (int i = 0; i < n; i++) {
        sum += 2.0 * open[i].count * open[i].range;
    }
    return sum;
}

#endif
