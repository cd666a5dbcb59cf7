/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/policies/guard_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct guard_terms terms_of(double compute_w)
{
    struct site_fleet fleet = fleet_usual(compute_w);
    fleet.pack_wh = PACK_WH;
    return guard_terms_of(&fleet);
}

struct guard_cfg cfg_of(double compute_w)
{
    struct guard_terms terms = terms_of(compute_w);
    struct guard_cfg cfg;
    guard_init(&cfg, &terms);
    return cfg;
}

struct node_in good(void)
{
    return (struct node_in){
        .pack_mono_ms = MONO,
        .agent_mono_ms = MONO,
        .soc_pu = 0.7,
        .soc_limit_pu = 0.8,
        .energy_wh = 52e3,
        .charge_w = 0.0,
        .compute_w = 0.0,
        .compute_avail_w = 800.0,
        .pack_c = 20.0,
        .ambient_c = 15.0,
        .departs_soc_pu = 0.6,
        .flags = NODE_ONLINE | NODE_PLUGGED | NODE_CONSENT | NODE_PARKED |
                 NODE_HAS_DEPARTURE,
    };
}

struct guard_now now_of(const struct node_in *node)
{
    return (struct guard_now){
        .node = node, .mono_ms = MONO, .energy_per_kwh = 0.05};
}

struct guard_state rested(const struct guard_cfg *cfg)
{
    struct node_in node = good();
    struct guard_now now = now_of(&node);
    struct guard_state state = {0};
    guard_step(cfg, &state, &now);
    return state;
}

void assert_answer(enum reason got, enum reason want, const char *what)
{
    if (got != want) {
        fail_msg("%s: %s, expected %s", what, reason_word(got),
                 reason_word(want));
    }
}

double draw(struct car *c, double lo, double hi)
{
    return random_draw(&c->random, lo, hi);
}

struct car car_make(uint64_t seed)
{
    struct car c = {.random = random_seed(seed), .said = good()};
    c.mono_ms = MONO;
    c.soc_pu = draw(&c, 0.5, 0.95);
    c.ambient_c = draw(&c, 8.0, 32.0);
    c.pack_c = c.ambient_c + draw(&c, 0.0, 6.0);
    c.capacity_wh = draw(&c, 0.7, 1.0) * PACK_WH;
    c.plugged = c.pack_says = c.agent_says = true;
    c.said.departs_soc_pu = draw(&c, 0.0, 0.8);
    return c;
}

void car_run(struct car *c, double dt_s)
{
    int64_t end_ms = c->mono_ms + (int64_t)(dt_s * 1e3);
    double on_s = fmax(fmin((double)(c->lease_ms - c->mono_ms) / 1e3, dt_s), 0);
    double wh = c->lease_w * on_s / 3600.0;
    c->drawn_w = end_ms <= c->lease_ms ? c->lease_w : 0.0;
    c->computed_wh += wh;
    if (!c->plugged) {
        c->from_pack_wh += wh * OVERHEAD;
        c->soc_pu -= wh * OVERHEAD / c->capacity_wh;
    }
    struct thermal_cfg pack = thermal_of_pack(PACK_WH);
    struct thermal_in in = {.ambient_c = c->ambient_c,
                            .coolant_heat_w = wh * 3600.0 / dt_s,
                            .dt_s = dt_s};
    c->pack_c = thermal_step(&pack, c->pack_c, &in);
    c->mono_ms = end_ms;
}

void car_say(struct car *c)
{
    if (c->pack_says) {
        c->said.pack_mono_ms = c->mono_ms;
        c->said.soc_pu = c->soc_pu;
        c->said.pack_c = c->pack_c;
        c->said.flags &= ~(int64_t)NODE_PLUGGED;
        c->said.flags |= c->plugged ? NODE_PLUGGED : 0;
    }
    if (c->agent_says) {
        c->said.agent_mono_ms = c->mono_ms;
        c->said.compute_w = c->drawn_w;
        c->said.ambient_c = c->ambient_c;
    }
}

struct guard_now car_now(const struct car *c)
{
    return (struct guard_now){
        .node = &c->said, .mono_ms = c->mono_ms, .energy_per_kwh = 0.1};
}

bool car_ask(struct car *c, const struct guard_cfg *cfg, struct guard_state *s,
             double want_w)
{
    struct guard_now now = car_now(c);
    guard_step(cfg, s, &now);
    bool may = guard_ask(cfg, s, &now, want_w) == REASON_NODE_OK;
    guard_grant(s, &now, may ? want_w : 0.0);
    if (may) {
        c->lease_w = want_w;
        c->lease_ms = c->mono_ms + (int64_t)(guard_lease_s() * 1e3);
    } else if (c->agent_says) {
        c->lease_ms = c->mono_ms;
    }
    return may;
}

void car_suffer(struct car *c)
{
    double u = draw(c, 0.0, 1.0);
    if (u < 0.01) {
        c->plugged = !c->plugged;
    } else if (u < 0.02) {
        c->pack_says = !c->pack_says;
    } else if (u < 0.03) {
        c->agent_says = !c->agent_says;
    } else if (u < 0.04) {
        c->ambient_c = draw(c, -5.0, 45.0);
    } else if (u < 0.05) {
        c->soc_pu = fmax(c->soc_pu, draw(c, 0.3, 0.95));
    } else if (u < 0.055) {
        c->pack_c += draw(c, -5.0, 5.0);
    }
}
