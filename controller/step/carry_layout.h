/* SPDX-License-Identifier: GPL-3.0-or-later */
/* carry_layout - the memory that carry.c saves, and what it may hold; for
 * controller/step/carry alone. */
#ifndef CONTROLLER_STEP_CARRY_LAYOUT_H
#define CONTROLLER_STEP_CARRY_LAYOUT_H

#include "controller/step/carry.h"
#include "controller/step/month.h"
#include "controller/step/foresee.h"
#include "controller/step/step_state.h"
#include "models/sha256.h"

/* Raise it where a member changes its meaning but not its place. */
enum { CARRY_FORMAT = 1 };

enum carry_kind {
    CARRY_SITE,
    CARRY_BATTERY,
    CARRY_FLEET,
    CARRY_QUEUE,
    CARRY_SOON, /* series of controller/step/foresee.h */
    CARRY_OUTLOOK,
    CARRY_CARS,
};

struct carry_head {
    unsigned char sha256[SHA256_SIZE]; /* of all that follows */
    uint64_t layout;
    int64_t utc_ms;
    int64_t mono_ms;
    int64_t kind;
    int64_t chemistry;
    int64_t n; /* cars */
    int64_t size;
    char name[CARRY_NAME_MAX];
};

struct carry_site {
    struct month month;
    double interval_ws;
    double interval_s;
    int64_t interval;
    double incumbent_w; /* of the site's file */
};

struct carry_battery {
    struct life life;
    struct age_battery age;
    double home_pu;
};

struct carry_node {
    struct guard_state guard;
    struct life_pack life;
    struct age_node age;
};

_Static_assert(sizeof(struct carry_head) +
                       CARRY_NODES * sizeof(struct carry_node) <=
                   CARRY_SIZE_MAX,
               "the cars of a unit fit");
_Static_assert(sizeof(struct carry_head) + sizeof(struct carry_battery) <=
                   CARRY_SIZE_MAX,
               "a battery fits");
_Static_assert(sizeof(struct carry_head) + sizeof(struct forecast) <=
                       CARRY_SIZE_MAX &&
                   sizeof(struct carry_head) + sizeof(struct outlook) <=
                       CARRY_SIZE_MAX &&
                   sizeof(struct carry_head) + sizeof(struct availability) <=
                       CARRY_SIZE_MAX,
               "a forecast fits");

/* A fingerprint of sizes and places: memory of another build is not read. */
uint64_t carry_layout(enum carry_kind kind);

/* Of one site, battery or car. */
size_t carry_unit_size(enum carry_kind kind);

bool carry_time_valid(int64_t ms);
bool carry_site_valid(const struct carry_site *c);
bool carry_age_valid(const struct age_battery *a);
bool carry_node_age_valid(const struct age_node *a);

#endif
