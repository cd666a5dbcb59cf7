/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_order - what a pod's or a car's agent makes of a command by MQTT.
 *
 * Payloads as in CONTRACT.md: {"v":1,"id":,"ts":,"ttl_s":, ...} with "cap_w",
 * "ramp_s", "floor_w", "floor_down_s" for a pod and "charge_w", "compute_w" for
 * a car.  Pure: the clocks
 * are arguments, UTC for "ts", monotonic seconds for the lease.
 */
#ifndef REPLAY_SIM_ORDER_H
#define REPLAY_SIM_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/site.h"
#include "models/snapshot.h"

enum { SIM_ID_MAX = 64, SIM_IDS_MAX = 8 };

struct sim_order {
    char id[SIM_ID_MAX];
    int64_t ts_ms;
    double ttl_s;  /* 1 .. 3600 */
    double ramp_s; /* 0 .. 3600; 0 where not said */
    double cap_w;  /* NAN where not said, likewise below */
    double floor_w;
    double floor_down_s;
    double charge_w;
    double compute_w;
};

/*
 * Parse a payload of 'size' bytes.  Returns ERR_SYNTAX
 * (not JSON, a key is missing or of another type) or ERR_RANGE; 'why' (static
 * text) says what. The id is kept where there is one, so that a refusal can
 * name it.
 */
CHECKED enum err sim_order_parse(const char *json, size_t size,
                                 struct sim_order *out, const char **why);

/* Who holds an agent's value, until when. */
struct sim_lease {
    char ids[SIM_IDS_MAX][SIM_ID_MAX]; /* of the last commands, a ring */
    int next;
    int64_t ts_ms; /* of the newest command taken */
    bool held;     /* a command was taken and its time is not over */
    double until_s;
};

/*
 * Judge a command: a retained one, one from the future or an older one than
 * was taken is refused, one whose ttl is over has expired, one with a known id
 * is a duplicate (and changes nothing).  Otherwise the lease is renewed and
 * the answer is ACK_APPLIED.  'detail' (static text) says why not.
 */
enum ack_status sim_lease_offer(struct sim_lease *l,
                                const struct sim_order *order, bool retained,
                                int64_t utc_ms, double now_s,
                                const char **detail);

/* A pod's cap and floor. */
struct sim_pod {
    struct sim_lease lease;
    double cap_min_w;
    double cap_max_w;
    double safe_w;
    double stagger_s; /* wait after the lease, so that not all go at once */
    double cap_w;     /* in force */
    double from_w;    /* the ramp under way */
    double to_w;
    double ramp_from_s;
    double ramp_s;
    bool going_safe;
    double floor_max_w; /* 0: it has none */
    double floor_w;     /* as told */
    double floor_down_s;
};

/* 'index' of the pod decides its place in the stagger. */
void sim_pod_init(struct sim_pod *p, const struct site_pod *site, double safe_w,
                  int index);

/* A judged command: moves toward its cap within its ramp_s, from what the pod
 * draws now.  ACK_PARTIAL where cap or floor lie outside the pod's range. */
enum ack_status sim_pod_take(struct sim_pod *p, const struct sim_order *order,
                             double power_w, double now_s);

/* Let time pass; returns the cap in force.  After the lease the pod holds its
 * cap, then goes to safe_w within the last ramp_s (at least 5 s). */
double sim_pod_tick(struct sim_pod *p, double now_s);

/* The floor in force: as told, and from the end of the lease down to 0 in
 * floor_down_s. */
double sim_pod_floor_w(const struct sim_pod *p, double now_s);

/* A car's charging and compute. */
struct sim_car {
    struct sim_lease lease;
    double stagger_s;
    double charge_w;
    double compute_w;
};

void sim_car_init(struct sim_car *c, int index);
enum ack_status sim_car_take(struct sim_car *c, const struct sim_order *order,
                             double charge_max_w, double compute_max_w);

/* After the lease the car stops computing; its charging is held, so that
 * neither the feeder nor the owner sees an edge. */
void sim_car_tick(struct sim_car *c, double now_s);

#endif
