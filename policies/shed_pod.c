/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/shed_pod.h"

#include <math.h>

#include "models/clamp.h"

static const double RESPONSE_S = 1.5;    /* where the site says nothing */
static const double OVER_PU = 0.02;      /* of the cap: how exact a pod is */
static const double OVER_MAX_PU = 0.005; /* of power_max: and its meter */
static const double OVER_S = 0.5;
static const double FRESH_PU =
    0.8; /* of the response: judged by what it says */
static const double TRUST_S = 60.0;
/* A value that comes late now and then takes not all of the proof away. */
static const double LOST_TIMES = 10.0;
static const double IDLE_PU = 0.1; /* of time without a cap counts as proof */
enum { DOUBLINGS = 5 };            /* of TRUST_S */

static const double HOT_K = 5.0;   /* above the limit: at the floor */
static const double COOL_K = 1.0;  /* below it: comes back */
static const double DOWN_S = 10.0; /* from power_max to the floor */
static const double BINDS_PU = 0.97;
static const double UP_S = 300.0; /* and back */

static const double LEARN_S = 600.0; /* time constant */
static const double LEARNT_S = 60.0; /* of it before it is believed */
static const double BUSY_PU = 0.1;   /* servers' power by power_max: learn */
static const double LOST_PU = 0.3;   /* of the usual cooling: it is lost */
static const double BACK_PU = 0.6;
static const double LOST_S = 3.0;
static const double BACK_S = 30.0;

static double given_or(double x, double otherwise)
{
    return x > 0.0 ? x : otherwise;
}

struct shed_pod_cfg shed_pod_of(const struct site_pod *pod)
{
    return (struct shed_pod_cfg){
        .floor_w = pod->cap_min_w,
        .power_max_w = pod->power_max_w,
        .response_s = given_or(pod->response_s, RESPONSE_S),
        .inlet_max_c = given_or(pod->inlet_max_c, INFINITY),
        .coolant_max_c = given_or(pod->coolant_max_c, INFINITY),
        .feeder_max_w = given_or(pod->feeder_max_w, INFINITY),
    };
}

void shed_pod_init(const struct shed_pod_cfg *cfg, struct shed_pod *p)
{
    *p = (struct shed_pod){
        .own_w = cfg->power_max_w,
        .limit_w = cfg->power_max_w,
        .high_w = {cfg->power_max_w, cfg->power_max_w},
    };
}

/* The highest cap within the last one to two responses. */
static double allowed_w(const struct shed_pod_cfg *cfg, struct shed_pod *p,
                        double cap_w, double dt_s)
{
    p->turn_s += dt_s;
    if (p->turn_s >= cfg->response_s) {
        p->turn_s = 0.0;
        p->high_w[1] = p->high_w[0];
        p->high_w[0] = cap_w;
    }
    p->high_w[0] = fmax(p->high_w[0], cap_w);
    return fmax(p->high_w[0], p->high_w[1]);
}

static void judge(const struct shed_pod_cfg *cfg, struct shed_pod *p,
                  double power_w, double most_w, double dt_s)
{
    bool capped = most_w < cfg->power_max_w;
    double tolerated_w =
        most_w * (1.0 + OVER_PU) + OVER_MAX_PU * cfg->power_max_w;
    bool over = capped && power_w > tolerated_w;
    p->over_s = over ? p->over_s + dt_s : 0.0;
    if (!p->apart && p->over_s >= OVER_S) {
        p->apart = 1;
        p->trust_s = 0.0;
        p->relapses += p->relapses <= DOUBLINGS;
    } else if (p->apart) {
        double proof_s = capped ? dt_s : IDLE_PU * dt_s;
        double needed_s = TRUST_S * (double)(INT64_C(1) << (p->relapses - 1));
        p->trust_s = p->over_s >= OVER_S
                         ? fmax(p->trust_s - LOST_TIMES * dt_s, 0.0)
                         : p->trust_s + proof_s;
        p->apart = p->trust_s < needed_s;
    }
}

/* How far above its limit, and the warmer of the two is kept for people. */
static double hot_k(const struct shed_pod_cfg *cfg, struct shed_pod *p,
                    const struct shed_pod_seen *seen)
{
    double inlet_k = seen->inlet_c - cfg->inlet_max_c;
    double coolant_k = seen->coolant_c - cfg->coolant_max_c;
    double k = fmax(inlet_k, coolant_k); /* of a NAN and a number the number */
    bool air = inlet_k >= k;
    if (k > 0.0) {
        p->worst_c = air ? seen->inlet_c : seen->coolant_c;
        p->worst_max_c = air ? cfg->inlet_max_c : cfg->coolant_max_c;
    }
    return isfinite(k) ? k : -INFINITY;
}

/* Cooling draws in proportion to what it must carry away; one that draws a
 * third of its usual share has lost pumps or fans. */
static void judge_cooling(const struct shed_pod_cfg *cfg, struct shed_pod *p,
                          const struct shed_pod_seen *seen, double dt_s)
{
    bool known = isfinite(seen->cooling_w) &&
                 seen->servers_w > BUSY_PU * cfg->power_max_w;
    if (!known) {
        return;
    }
    double now_pu = fmax(seen->cooling_w, 0.0) / seen->servers_w;
    bool learnt = p->cool_s >= LEARNT_S;
    double part = p->uncooled ? BACK_PU : LOST_PU;
    bool cooled = !learnt || now_pu >= part * p->cool_pu;
    if (cooled == (p->uncooled == 0)) {
        p->warm_s = 0.0;
    } else {
        p->warm_s += dt_s;
        if (p->warm_s >= (p->uncooled ? BACK_S : LOST_S)) {
            p->uncooled = !p->uncooled;
            p->warm_s = 0.0;
        }
    }
    if (cooled && !p->uncooled) {
        double gain = dt_s / (fmin(p->cool_s, LEARN_S) + dt_s);
        p->cool_pu += fmin(gain, 1.0) * (now_pu - p->cool_pu);
        p->cool_s = fmin(p->cool_s + dt_s, LEARN_S);
    }
}

/* Heat takes minutes, so the way down need not be a step for the grid. */
static void move_own(const struct shed_pod_cfg *cfg, struct shed_pod *p,
                     double k, double dt_s)
{
    double range_w = cfg->power_max_w - cfg->floor_w;
    double goal_w = cfg->power_max_w;
    bool waits = false;
    if (p->uncooled) {
        goal_w = cfg->floor_w;
    } else if (k > 0.0) {
        goal_w = cfg->power_max_w - range_w * fmin(k / HOT_K, 1.0);
    } else {
        waits = k > -COOL_K;
    }
    if (goal_w < p->own_w) {
        p->own_w = fmax(goal_w, p->own_w - range_w * dt_s / DOWN_S);
    } else if (!waits) {
        p->own_w = fmin(goal_w, p->own_w + range_w * dt_s / UP_S);
    }
    p->own_w = clamp(p->own_w, cfg->floor_w, cfg->power_max_w);
}

static double feeder_limit_w(const struct shed_pod_cfg *cfg,
                             const struct shed_pod_seen *seen)
{
    double parts_w = seen->servers_w + seen->network_w + seen->distribution_w;
    bool told = isfinite(parts_w) && isfinite(seen->cooling_w);
    double beside_w = told ? fmax(seen->cooling_w, 0.0) : 0.0;
    double w = cfg->feeder_max_w + beside_w;
    return clamp(w, cfg->floor_w, cfg->power_max_w);
}

void shed_pod_step(const struct shed_pod_cfg *cfg, struct shed_pod *p,
                   const struct shed_pod_seen *seen, double cap_w, double dt_s)
{
    double most_w = allowed_w(cfg, p, cap_w, dt_s);
    if (isfinite(seen->power_w) && seen->age_s <= FRESH_PU * cfg->response_s) {
        judge(cfg, p, seen->power_w, most_w, dt_s);
    }
    judge_cooling(cfg, p, seen, dt_s);
    double k = hot_k(cfg, p, seen);
    move_own(cfg, p, k, dt_s);
    enum reason why = REASON_NONE;
    if (p->own_w < cfg->power_max_w) {
        why = p->uncooled ? REASON_POD_COOLING : REASON_POD_HOT;
    }
    double feeder_w = feeder_limit_w(cfg, seen);
    if (feeder_w < p->own_w && seen->power_w >= BINDS_PU * feeder_w) {
        why = REASON_POD_FEEDER;
    }
    p->limit_w = fmin(p->own_w, feeder_w);
    p->why = (int64_t)(p->apart ? REASON_DISOBEYS : why);
}

static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

bool shed_pod_valid(const struct shed_pod_cfg *cfg, const struct shed_pod *p)
{
    static const double LONG_S = 1e9;
    double max_w = cfg->power_max_w;
    return within(p->own_w, cfg->floor_w, max_w) &&
           within(p->limit_w, cfg->floor_w, max_w) &&
           within(p->high_w[0], 0.0, max_w) &&
           within(p->high_w[1], 0.0, max_w) && within(p->turn_s, 0.0, LONG_S) &&
           within(p->over_s, 0.0, LONG_S) && within(p->trust_s, 0.0, LONG_S) &&
           within(p->cool_pu, 0.0, 1e3) && within(p->cool_s, 0.0, LONG_S) &&
           within(p->warm_s, 0.0, LONG_S) && isfinite(p->worst_c) &&
           isfinite(p->worst_max_c) &&
           (p->apart == 0 || (p->apart == 1 && p->relapses >= 1)) &&
           p->relapses >= 0 && p->relapses <= DOUBLINGS + 1 &&
           (p->uncooled == 0 || p->uncooled == 1) && p->why >= 0 &&
           p->why < REASON_COUNT;
}
