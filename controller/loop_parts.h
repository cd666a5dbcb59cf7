/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop_parts - the control thread's own state, and its two halves around the
 * step: what has come in, and what goes out. */
#ifndef CONTROLLER_LOOP_PARTS_H
#define CONTROLLER_LOOP_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller/carrier.h"
#include "controller/histogram.h"
#include "controller/loop.h"
#include "controller/outage.h"
#include "controller/replan.h"
#include "models/zone.h"

struct loop {
    struct loop_cfg cfg;
    struct historian *historian;
    struct carrier carrier;
    struct step_cfg *step;
    struct step_state *state;
    size_t state_size;
    struct step_scratch *scratch;
    struct snapshot *in;
    struct step_out *out;
    struct plan plan;      /* in force */
    struct plan next_plan; /* waits for its tick; status NONE: none */
    struct problem problem;
    struct replan replan;
    struct price_in utility_price; /* by OpenADR */
    bool utility_priced;
    struct price_in feed; /* of the first market */
    bool price_news;
    struct utility_in told[UTILITY_MQTT]; /* by MQTT, with what is opted out */
    struct override_book overrides;
    struct battery_command posted[SITE_BATTERIES_MAX]; /* last */
    int64_t period_ns;
    int64_t start_ns; /* of tick 1 */
    int64_t index;    /* periods since then */
    int64_t utc_ms;   /* of the last tick */
    int64_t mono_ms;
    struct loop_counts counts;
    struct histogram jitter;
    struct histogram step_time;
    struct zone zone; /* of the bill */
    struct witness witness;
    struct outage outage;
    int64_t n_periods; /* since the tick before */
    double view_age_s;
    struct foresight foresight; /* in the making */
    int64_t next_piece;
    int next_life; /* battery to be copied next */
    pthread_t thread;
    atomic_bool stop;
};

/* loop_fetch.c: the newest of what workers and planner have posted goes into
 * the snapshot; the plan that is due comes into force. */
void loop_fetch(struct loop *l);

/* loop_post.c: a command for every device, as a lease. */
void loop_post_commands(struct loop *l);
/* Where a plan is due, its problem. */
void loop_post_problem(struct loop *l);
/* Every 200 ms, what status and screen show. */
void loop_post_view(struct loop *l);

#endif
