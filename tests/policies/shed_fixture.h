/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods of one class to hold back. */
#ifndef TESTS_POLICIES_SHED_FIXTURE_H
#define TESTS_POLICIES_SHED_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policies/shed.h"
#include "tests/site_fixture.h"

/* Four pods of 10 MW (floor 4 MW): priorities 1, 1, 2, 3. */
static inline struct site *make(struct shed_cfg *cfg, struct shed_state *s)
{
    struct site *site = fixture_site(1, 4, 0);
    static const int priority[4] = {1, 1, 2, 3};
    for (int i = 0; i < 4; i++) {
        site->pods[i].power_max_w = 10e6;
        site->pods[i].cap_min_w = 4e6;
        site->pods[i].priority = priority[i];
    }
    shed_init(cfg, site);
    shed_reset(cfg, s);
    return site;
}

static inline struct shed_in asked(double pods_w, double over_w)
{
    return (struct shed_in){
        .pods_w = pods_w, .over_w = over_w, .room_w = INFINITY, .dt_s = 0.1};
}

#endif
