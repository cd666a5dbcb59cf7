/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ports - the seams between the control thread and everybody else: mailboxes
 * only, so that nobody ever waits for anybody.
 *
 *   worker      -> values, report      lease, tick  <- control thread
 *   MQTT worker -> inputs, report      commands     <- control thread
 *   planner     -> plan                problem      <- control thread
 *   supervisor  -> status (to MQTT), figures (to OpenADR)
 *                                      view, lives  <- control thread
 *                               cars, foresight, proof <- control thread
 *   operator    -> overrides
 *   evidence    -> nothing             witness  <- control thread
 *
 * A test drives the control thread through these without any worker.
 */
#ifndef CONTROLLER_PORTS_H
#define CONTROLLER_PORTS_H

#include <stdatomic.h>

#include "adapters/adapter.h"
#include "adapters/mqtt.h"
#include "controller/ledger_ring.h"
#include "controller/mailbox.h"
#include "controller/override_book.h"
#include "controller/parts.h"
#include "controller/replan.h"
#include "controller/step/foresight.h"
#include "controller/waker.h"
#include "controller/witness_ring.h"
#include "models/plan.h"

enum { STATUS_SHORT_MAX = 2048 };

/* What a worker says of its device to the supervisor. */
struct device_report {
    struct link_state link;
    int64_t fallback;   /* 1: the worker acts by itself */
    double set_w;       /* as last handed to the device */
    int64_t up_mono_ms; /* last time that the link was up; 0 for never */
};

struct device_port {
    struct mailbox values; /* struct device_values, to the control thread */
    struct mailbox lease;  /* struct device_lease, from it */
    struct mailbox report; /* struct device_report, to the supervisor */
    struct waker *wake;    /* of the worker; NULL where nobody works */
};

struct mqtt_report {
    struct link_state link;
    struct mqtt_counts counts;
    int64_t up_mono_ms;
};

struct mqtt_port {
    struct mailbox inputs;   /* struct mqtt_inputs, to the control thread */
    struct mailbox commands; /* struct step_out, from it */
    struct mailbox report;   /* struct mqtt_report, to the supervisor */
    struct mailbox status;   /* char[STATUS_SHORT_MAX], from the supervisor */
};

/* What the utility asks of us by OpenADR. */
struct openadr_inputs {
    int64_t n;
    struct utility_in utility[UTILITY_OPENADR];
    bool priced; /* 'price' holds a series */
    struct price_in price;
};

enum { OPENADR_SHOWN_MAX = 64, OPENADR_NAME_MAX = 132 };

/* One stretch of what is asked, for people. */
struct openadr_shown {
    char event[OPENADR_NAME_MAX];
    char name[OPENADR_NAME_MAX];
    char notice[OPENADR_NAME_MAX];
    int64_t subject; /* enum dr_subject */
    int64_t start_ms;
    int64_t end_ms;
    double value;
    bool opted_out; /* of the event */
    bool binds;     /* in any case */
};

struct openadr_report_view {
    struct link_state link;
    char push[32]; /* how notices come; "": they do not, it polls */
    char push_trouble[ADAPTER_TEXT_MAX];
    int64_t listed_utc_ms; /* last complete listing; 0: never */
    int64_t n_events;
    int64_t n_faults;   /* events that are not acted on */
    int64_t n_left_out; /* 1: more is asked for than we can hold */
    char fault[2 * ADAPTER_TEXT_MAX];
    char doubt[ADAPTER_TEXT_MAX]; /* what is acted on, but contradicts itself */
    int64_t n_rows;
    struct openadr_shown rows[OPENADR_SHOWN_MAX];
};

enum { OPENADR_STORES_MAX = 15 }; /* registered beside the site itself */

/* What reports tell beside the grid power; NAN where not known. */
struct openadr_store {
    double soc_pu;
    double energy_wh; /* that it holds when full, by its state of health */
    double charge_max_w;
    double discharge_max_w;
};
struct openadr_figures {
    int64_t curtailed; /* 1: an instruction holds */
    int64_t opted_out; /* 1: the operator takes no part in what is asked */
    int64_t fault;     /* 1: the grid is not known */
    int64_t n;
    struct openadr_store stores[OPENADR_STORES_MAX];
};

/* What the plan in force foresees, for reports about the future. */
struct openadr_ahead {
    int64_t start_at_ms; /* UTC of slot 0 */
    int64_t n;           /* slots; 0: there is no plan */
    double step_s[PLAN_SLOTS_MAX];
    double grid_w[PLAN_SLOTS_MAX];
    int64_t n_stores;
    double soc_pu[OPENADR_STORES_MAX][PLAN_SLOTS_MAX]; /* at its end */
};

struct openadr_port {
    struct mailbox ahead;   /* struct openadr_ahead, from the supervisor */
    struct mailbox figures; /* struct openadr_figures, from the supervisor */
    struct mailbox inputs;  /* struct openadr_inputs, to the control thread */
    struct mailbox report;  /* struct openadr_report_view, to the supervisor */
};

struct planner_port {
    struct mailbox problem; /* struct problem, from the control thread */
    struct mailbox plan;    /* struct plan, to it */
    struct waker *wake;     /* NULL where nobody plans */
};

/* How the loop itself fares. */
struct loop_counts {
    uint64_t tick;
    int64_t mono_ms;
    int64_t utc_ms;
    uint64_t n_overruns; /* periods that passed without a tick */
    uint64_t n_clock_jumps;
    double clock_jump_s; /* the last one; + forward */
    uint64_t n_dropped;  /* ticks the historian had no room for */
    uint64_t n_problems;
    uint64_t n_plans;
    uint64_t n_late_plans; /* entered later than declared */
    struct plan_tally plans;
    double jitter_p99_s;
    double step_p50_s;
    double step_p99_s;
    double pp60_w; /* peak to peak of the swing mean in 60 s */
};

/* What the supervisor sees, a few times a second. */
struct loop_view {
    struct loop_counts counts;
    uint64_t image[]; /* see parts.h: snapshot, plan, output */
};

struct ports {
    struct parts parts;
    int n_batteries;
    struct device_port batteries[SITE_BATTERIES_MAX];
    struct device_port meter;
    struct mqtt_port mqtt;
    struct openadr_port openadr;
    struct planner_port planner;
    struct mailbox overrides; /* struct override_book, to the control thread */
    struct mailbox view;      /* struct loop_view */
    struct mailbox lives;     /* see lives.h, to the supervisor */
    struct ledger_ring cars;  /* to the supervisor */
    struct mailbox foresight; /* struct foresight, to the supervisor */
    struct mailbox proof;     /* struct witness_report, to the supervisor */
    struct witness_ring witness; /* to the evidence log */
    atomic_llong next_tick_ns;   /* monotonic; when the loop ticks next */
    _Atomic double grid_w;       /* of the last tick; NAN before */
    atomic_ullong n_outages; /* of the grid: rises as one begins, and ends */
};

/* All mailboxes for 'site'.  ERR_MEMORY; then nothing is left behind. */
CHECKED enum err ports_init(struct ports *p, const struct site *site);
void ports_clear(struct ports *p);

#endif
