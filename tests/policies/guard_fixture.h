/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard_fixture - a fleet on the usual terms, and a simulated car of it that
 * obeys its lease, for the tests of policies/guard. */
#ifndef TESTS_POLICIES_GUARD_FIXTURE_H
#define TESTS_POLICIES_GUARD_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/random.h"
#include "models/reason.h"
#include "policies/guard.h"
#include "tests/fleet_fixture.h"

#define MONO INT64_C(100000000)
#define PACK_WH 75e3
#define OVERHEAD 1.15 /* kWh from the pack per kWh of compute */

struct guard_terms terms_of(double compute_w);
struct guard_cfg cfg_of(double compute_w);

/* A car that may compute, and a look at it. */
struct node_in good(void);
struct guard_now now_of(const struct node_in *node);

/* A guard that has seen a rested car once. */
struct guard_state rested(const struct guard_cfg *cfg);

void assert_answer(enum reason got, enum reason want, const char *what);

struct car {
    uint64_t random;
    struct node_in said; /* what was heard last */
    int64_t mono_ms;
    double soc_pu, pack_c, ambient_c; /* in truth */
    double capacity_wh;
    bool plugged;   /* in truth: power comes from the charger */
    bool pack_says; /* telemetry arrives */
    bool agent_says;
    double lease_w;
    int64_t lease_ms;
    double drawn_w;
    double from_pack_wh; /* in truth, losses included */
    double computed_wh;
};

double draw(struct car *c, double lo, double hi);
struct car car_make(uint64_t seed);

/* The car obeys its lease to its end, by the charger or by its pack. */
void car_run(struct car *c, double dt_s);
void car_say(struct car *c);
struct guard_now car_now(const struct car *c);

/* Book, ask, and hand the car its lease; true where granted. */
bool car_ask(struct car *c, const struct guard_cfg *cfg, struct guard_state *s,
             double want_w);

/* Chargers fail, lines fail, the weather changes, an owner charges. */
void car_suffer(struct car *c);

#endif
