/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site with a period of a second, and seconds that it sees. */
#ifndef TESTS_CONTROLLER_STEP_FORESEE_FIXTURE_H
#define TESTS_CONTROLLER_STEP_FORESEE_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/step/foresee.h"
#include "tests/loop_fixture.h"

enum { CLASSES = 3, NODES = 60, SLOT_S = 900 };

/* A site with a period of a second: three classes, of which two have pods. */
struct fixture {
    struct loop_fixture loop;
    struct foresee *f;
    struct estimate est;
};

static inline void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g +- %g", got, want, by);
    }
}

static inline struct site *site_of(void)
{
    struct site *site = fixture_site(1, 4, NODES);
    site->control.period_s = 1.0;
    site->n_classes = CLASSES;
    strcpy(site->classes[0].name, "training");
    strcpy(site->classes[1].name, "inference");
    strcpy(site->classes[2].name, "batch");
    site->pods[3].class_id = 1;
    site->n_prices = 1;
    site->prices[0].fallback_per_kwh = 0.045;
    return site;
}

static inline int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    x->loop = loop_open(site_of(), POLICY_BALLAST, 100e6);
    x->f = foresee_of(x->loop.cfg, x->loop.state);
    x->est.metered = true;
    x->loop.in->mono_ms = LOOP_MONO_MS;
    x->loop.in->utc_ms = LOOP_UTC_MS;
    x->loop.in->dt_s = 1.0;
    *state = x;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *x = *state;
    loop_close(&x->loop);
    free(x);
    return 0;
}

/* One second with that much load, a quarter of it the inference's. */
static inline void tick(struct fixture *x, double load_w)
{
    struct snapshot *in = x->loop.in;
    in->tick++;
    in->mono_ms += 1000;
    in->utc_ms += 1000;
    x->est.load_w = load_w;
    x->est.pods_w = load_w;
    for (int i = 0; i < 4; i++) {
        x->est.pod_w[i] = load_w / 4.0;
    }
    foresee_step(x->loop.cfg, x->loop.state, in, &x->est);
}

static inline void ticks(struct fixture *x, int n, double load_w)
{
    for (int i = 0; i < n; i++) {
        tick(x, load_w);
    }
}

static inline void give_prices(struct snapshot *in, int64_t n)
{
    struct price_in *p = &in->prices[0];
    p->start_at_ms = LOOP_UTC_MS;
    p->step_s = 3600.0;
    p->n_slots = n;
    p->mono_ms = in->mono_ms;
    p->expires_at_ms = INT64_MAX;
    for (int64_t i = 0; i < n; i++) {
        p->per_kwh[i] = 0.04 + 0.02 * sin(2.0 * acos(-1.0) / 24.0 * (double)i);
    }
}

/* 'n' cars are plugged in, every second one leaves in three hours. */
static inline void park(struct fixture *x, int n)
{
    struct snapshot *in = x->loop.in;
    for (int i = 0; i < NODES; i++) {
        in->nodes[i].pack_mono_ms = in->mono_ms;
        in->nodes[i].flags = i < n ? NODE_PLUGGED : 0;
        if (i % 2 == 0) {
            in->nodes[i].flags |= NODE_HAS_DEPARTURE;
            in->nodes[i].departs_at_ms = in->utc_ms + 3 * 3600 * 1000;
        }
    }
}

/* A minute: all cars have their turn. */
static inline void count_cars(struct fixture *x)
{
    const struct step_cfg *cfg = x->loop.cfg;
    struct step_state *s = x->loop.state;
    for (int64_t k = 0; k < cfg->n_slices * cfg->n_rounds; k++) {
        s->slice = (s->slice + 1) % cfg->n_slices;
        s->round += s->slice == 0;
        int64_t from = NODES * s->slice / cfg->n_slices;
        int64_t to = NODES * (s->slice + 1) / cfg->n_slices;
        for (int64_t i = from; i < to; i++) {
            if ((i + s->round) % cfg->n_rounds == 0) {
                foresee_node(cfg, s, x->loop.in, 0, i);
            }
        }
        foresee_nodes_done(cfg, s);
    }
}

#endif
