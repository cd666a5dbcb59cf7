/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/shed.h"

#include <math.h>
#include <string.h>

#include "models/clamp.h"
#include "models/random.h"
#include "policies/shed_class.h"

static const double AT_CAP_PU = 0.97; /* draws this of its cap: wants more */
static const double GROWTH_PU = 0.02; /* that it is given to show it */
static const double DRIFT_PU = 0.01;  /* room of a pod that is not throttled */
static const double STEP_PU = 0.001;  /* of power_max, where none is given */
static const double ROUNDING_PU = 1e-6; /* of a step */
static const double RETURN_S = 10.0;    /* for all that the batteries carry */
static const double RAISE_S = 0.5; /* least time between two, or thrice it */
static const double EASE_S = 10.0; /* nobody held back: caps are lifted */
static const double FORGET_S = 3600.0;
enum { SEED = 1 };

/* Served first: the higher value of its class, then the higher priority. */
static double value_of(const struct site *site, int64_t pod)
{
    const struct site_pod *p = &site->pods[pod];
    return site->n_classes > 0 ? site->classes[p->class_id].value_per_kwh : 0.0;
}

static bool stands_below(const struct site *site, int64_t a, int64_t b)
{
    double of_a = value_of(site, a);
    double of_b = value_of(site, b);
    bool equal = !(of_a < of_b) && !(of_a > of_b);
    return equal ? site->pods[a].priority < site->pods[b].priority
                 : of_a < of_b;
}

/* Insertion sort: stable, once, at start. */
static void sort_in(struct shed_cfg *cfg, const struct site *site, int64_t i)
{
    int64_t at = i;
    while (at > 0 && stands_below(site, cfg->order[at - 1], i)) {
        cfg->order[at] = cfg->order[at - 1];
        at--;
    }
    cfg->order[at] = i;
}

void shed_init(struct shed_cfg *cfg, const struct site *site)
{
    memset(cfg, 0, sizeof(*cfg));
    cfg->n = site->n_pods;
    cfg->n_classes = site->n_classes;
    cfg->return_w_per_s = site->grid.ramp_max_w_per_s;
    for (int i = 0; i < site->n_pods; i++) {
        const struct site_pod *pod = &site->pods[i];
        cfg->class_id[i] = site->n_classes > 0 ? pod->class_id : 0;
        cfg->cap_min_w[i] = pod->cap_min_w;
        cfg->power_max_w[i] = pod->power_max_w;
        cfg->step_w[i] = pod->cap_step_w > 0.0 ? pod->cap_step_w
                                               : STEP_PU * pod->power_max_w;
        cfg->checkpoint_hold_s[i] = pod->checkpoint_hold_s;
        cfg->pods[i] = shed_pod_of(pod);
        cfg->floor_sum_w += pod->cap_min_w;
        cfg->power_max_sum_w += pod->power_max_w;
        cfg->class_max_w[cfg->class_id[i]] += pod->power_max_w;
        sort_in(cfg, site, i);
    }
    for (int64_t k = 1; k < cfg->n; k++) {
        bool lower = stands_below(site, cfg->order[k], cfg->order[k - 1]);
        cfg->rank[k] = cfg->rank[k - 1] + (lower ? 1 : 0);
    }
}

/* No budget any more; what is known of each pod stays. */
static void lift(const struct shed_cfg *cfg, struct shed_state *s)
{
    s->budget_w = cfg->power_max_sum_w;
    s->at_ease_s = 0.0;
}

void shed_reset(const struct shed_cfg *cfg, struct shed_state *s)
{
    memset(s, 0, sizeof(*s));
    lift(cfg, s);
    s->random = random_seed(SEED);
    memcpy(s->cap_w, cfg->power_max_w, sizeof(s->cap_w));
    memcpy(s->demand_w, cfg->power_max_w, sizeof(s->demand_w));
    memcpy(s->class_cap_w, cfg->power_max_w, sizeof(s->class_cap_w));
    memcpy(s->class_w, cfg->class_max_w, sizeof(s->class_w));
    for (int64_t i = 0; i < cfg->n; i++) {
        s->phases[i].since_s = INFINITY;
        shed_pod_init(&cfg->pods[i], &s->pods[i]);
    }
}

struct shed_gives shed_gives(const struct shed_cfg *cfg,
                             const struct shed_state *s, const double *power_w)
{
    struct shed_gives g = {0.0, 0.0};
    for (int64_t i = 0; i < cfg->n; i++) {
        double w = power_w[i] - cfg->cap_min_w[i];
        if (w > 0.0 && !s->pods[i].apart && !(s->phases[i].hold_s > 0.0)) {
            g.power_w += w;
            g.response_s = fmax(g.response_s, cfg->pods[i].response_s);
        }
    }
    return g;
}

bool shed_is_open(const struct shed_cfg *cfg, const struct shed_state *s)
{
    return s->budget_w >= cfg->power_max_sum_w;
}

void shed_found(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
                double cap_w)
{
    double max_w = cfg->power_max_w[i];
    s->cap_w[i] =
        isfinite(cap_w) ? clamp(cap_w, cfg->cap_min_w[i], max_w) : max_w;
    s->demand_w[i] = max_w;
}

/* One that draws its cap would draw more. */
static bool draws_cap(const struct shed_cfg *cfg, const struct shed_state *s,
                      int64_t i, double power_w)
{
    bool capped = s->cap_w[i] < cfg->power_max_w[i];
    return capped && (!isfinite(power_w) || power_w >= AT_CAP_PU * s->cap_w[i]);
}

/* A cap that has just changed shows only when the pod has followed and said
 * so; until then it wants what it wanted before. */
static bool wants_more(const struct shed_cfg *cfg, const struct shed_state *s,
                       int64_t i, double power_w)
{
    return s->settle_s[i] > 0.0 || draws_cap(cfg, s, i, power_w);
}

static double wanted_w(const struct shed_cfg *cfg, const struct shed_state *s,
                       int64_t i, double power_w)
{
    if (!isfinite(power_w)) {
        return cfg->power_max_w[i];
    }
    bool grows = draws_cap(cfg, s, i, power_w);
    double w = power_w * (1.0 + (grows ? GROWTH_PU : DRIFT_PU));
    return wants_more(cfg, s, i, power_w) ? fmax(s->demand_w[i], w) : w;
}

void shed_resume(const struct shed_cfg *cfg, struct shed_state *s,
                 const double *power_w)
{
    double budget_w = 0.0;
    bool capped = false;
    for (int64_t i = 0; i < cfg->n; i++) {
        bool open = s->cap_w[i] >= cfg->power_max_w[i];
        bool more = open || draws_cap(cfg, s, i, power_w[i]);
        /* a cap that was found and holds nothing back tells what is wanted */
        s->demand_w[i] = more ? s->demand_w[i] : power_w[i];
        capped = capped || !open;
        budget_w +=
            open ? fmin(wanted_w(cfg, s, i, power_w[i]), cfg->power_max_w[i])
                 : s->cap_w[i];
    }
    s->capped = capped;
    s->budget_w =
        capped ? fmin(budget_w, cfg->power_max_sum_w) : cfg->power_max_sum_w;
}

void shed_mark(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
               enum job_event event)
{
    struct shed_phase *p = &s->phases[i];
    bool begins = event == JOB_CHECKPOINT_START;
    p->hold_s = begins ? cfg->checkpoint_hold_s[i] : 0.0;
    p->since_s = begins ? fmin(p->since_s, 1e9) : 0.0;
}

void shed_see(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
              const struct shed_pod_seen *seen, double dt_s)
{
    struct shed_phase *phase = &s->phases[i];
    phase->hold_s = fmax(phase->hold_s - dt_s, 0.0);
    phase->since_s += dt_s;
    struct shed_pod *p = &s->pods[i];
    s->limited -= p->limit_w < cfg->power_max_w[i] ? 1 : 0;
    s->n_why -= p->why != REASON_NONE ? 1 : 0;
    shed_pod_step(&cfg->pods[i], p, seen, s->cap_w[i], dt_s);
    s->limited += p->limit_w < cfg->power_max_w[i] ? 1 : 0;
    s->n_why += p->why != REASON_NONE ? 1 : 0;
}

/* Down at once; up no faster than the ramp and what the batteries carry. */
static double next_budget_w(const struct shed_cfg *cfg,
                            const struct shed_state *s,
                            const struct shed_in *in)
{
    bool open = shed_is_open(cfg, s);
    double most_w = in->pods_w + in->room_w;
    if (!open || in->over_w > 0.0) {
        most_w = fmin(most_w, in->pods_w - in->over_w);
    }
    if (open) {
        return most_w;
    }
    double rate_w_per_s = cfg->return_w_per_s + in->free_w / RETURN_S;
    return fmin(most_w, s->budget_w + rate_w_per_s * in->dt_s);
}

/* At the first cap: the meter has seen a start that no pod has told yet, and
 * will not any more. */
static void find_unseen(const struct shed_cfg *cfg, struct shed_state *s,
                        const struct shed_in *in, const double *power_w)
{
    double unseen_w = in->pods_w;
    double room_w = 0.0;
    for (int64_t i = 0; i < cfg->n; i++) {
        double w = isfinite(power_w[i]) ? power_w[i] : s->cap_w[i];
        s->demand_w[i] = w;
        s->settle_s[i] = 2.0 * cfg->pods[i].response_s;
        unseen_w -= w;
        room_w += fmax(cfg->power_max_w[i] - w, 0.0);
    }
    double part = room_w > 0.0 ? clamp(unseen_w / room_w, 0.0, 1.0) : 0.0;
    for (int64_t i = 0; i < cfg->n; i++) {
        s->demand_w[i] +=
            part * fmax(cfg->power_max_w[i] - s->demand_w[i], 0.0);
    }
}

/* What is held back, why, and from whom. */
static void count_held(const struct shed_cfg *cfg, struct shed_state *s,
                       const struct shed_in *in, const double *power_w)
{
    double keep = fmax(1.0 - in->dt_s / FORGET_S, 0.0);
    bool pressed = false;
    s->held_w = 0.0;
    s->waiting_w = 0.0;
    memset(s->class_held_w, 0, sizeof(s->class_held_w));
    for (int64_t i = 0; i < cfg->n; i++) {
        double w = isfinite(power_w[i]) ? power_w[i] : s->cap_w[i];
        bool more = wants_more(cfg, s, i, power_w[i]);
        double most_w = fmax(cfg->power_max_w[i], w);
        /* a load that swings wants it again in its next crest */
        double kept_w = fmax(w, w + keep * (s->demand_w[i] - w));
        s->demand_w[i] = more ? clamp(s->demand_w[i], w, most_w) : kept_w;
        double own_w = fmin(s->class_cap_w[i], s->pods[i].limit_w);
        double may_w = clamp(s->demand_w[i], w, fmax(own_w, w));
        double held_w = more ? may_w - w : 0.0;
        s->held_w += held_w;
        s->class_held_w[cfg->class_id[i]] += held_w;
        s->waiting_w += more ? s->demand_w[i] - may_w : 0.0;
        s->deficit_s[i] *= keep;
        s->deficit_s[i] += held_w / cfg->power_max_w[i] * in->dt_s;
        s->raise_s[i] = fmax(s->raise_s[i] - in->dt_s, 0.0);
        s->settle_s[i] = fmax(s->settle_s[i] - in->dt_s, 0.0);
        pressed = pressed || (more && s->cap_w[i] < own_w);
    }
    s->at_ease_s = pressed ? 0.0 : s->at_ease_s + in->dt_s;
}

static void make_lots(const struct shed_cfg *cfg, const struct shed_state *s,
                      const double *power_w, struct shed_lot *lots)
{
    for (int64_t i = 0; i < cfg->n; i++) {
        double floor_w = cfg->cap_min_w[i];
        double most_w = s->pods[i].limit_w;
        most_w = clamp(most_w, floor_w, cfg->power_max_w[i]);
        bool apart = s->pods[i].apart && isfinite(power_w[i]);
        lots[i] = (struct shed_lot){
            .floor_w = floor_w,
            .most_w = most_w,
            .want_w = clamp(wanted_w(cfg, s, i, power_w[i]), floor_w, most_w),
            .apart_w = apart ? fmax(power_w[i], floor_w) : NAN,
            .kept_w = s->phases[i].hold_s > 0.0 ? s->cap_w[i] : NAN,
        };
    }
}

/* Down to a whole step; rounding must not cost one. */
static double in_steps_w(const struct shed_cfg *cfg, int64_t i, double w)
{
    double little_w = ROUNDING_PU * cfg->step_w[i];
    if (w >= cfg->power_max_w[i] - little_w) {
        return cfg->power_max_w[i];
    }
    double n = floor((w + little_w - cfg->cap_min_w[i]) / cfg->step_w[i]);
    return cfg->cap_min_w[i] + fmax(n, 0.0) * cfg->step_w[i];
}

static void set_cap(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
                    double w)
{
    if (w < s->cap_w[i] || w > s->cap_w[i]) {
        s->cap_w[i] = w;
        s->settle_s[i] = 2.0 * cfg->pods[i].response_s;
    }
}

/* Raises the caps of those that want it, when their moment has come; returns
 * what all may draw then. */
static double raise_caps(const struct shed_cfg *cfg, struct shed_state *s,
                         const double *power_w, const struct shed_lot *lots)
{
    double sum_w = 0.0;
    for (int64_t i = 0; i < cfg->n; i++) {
        const struct shed_lot *lot = &lots[i];
        double w = in_steps_w(cfg, i, lot->cap_w);
        bool wants =
            w >= cfg->power_max_w[i] || draws_cap(cfg, s, i, power_w[i]);
        if (w > s->cap_w[i] && wants && !(s->raise_s[i] > 0.0)) {
            set_cap(cfg, s, i, w);
            s->raise_s[i] = random_draw(&s->random, RAISE_S, 3.0 * RAISE_S);
        }
        set_cap(cfg, s, i, fmin(s->cap_w[i], in_steps_w(cfg, i, lot->most_w)));
        double kept_w = isfinite(lot->kept_w) ? lot->want_w : s->cap_w[i];
        sum_w += isfinite(lot->apart_w) ? lot->apart_w : kept_w;
    }
    return sum_w;
}

/* Caps above their share stay as long as all together keep the budget: a cap
 * that follows every breath of its pod is news to it ten times a second. */
static void set_caps(const struct shed_cfg *cfg, struct shed_state *s,
                     const double *power_w, const struct shed_lot *lots,
                     double budget_w)
{
    double sum_w = raise_caps(cfg, s, power_w, lots);
    if (sum_w <= budget_w) {
        return;
    }
    for (int64_t i = 0; i < cfg->n; i++) {
        double w = in_steps_w(cfg, i, lots[i].cap_w);
        set_cap(cfg, s, i, fmin(s->cap_w[i], w));
    }
}

double shed_step(const struct shed_cfg *cfg, struct shed_state *s,
                 const struct shed_in *in, const double *power_w)
{
    double next_w = next_budget_w(cfg, s, in);
    bool was_open = shed_is_open(cfg, s);
    bool open = next_w >= cfg->power_max_sum_w;
    bool classes = shed_class_due(cfg, s, in);
    if (open && was_open && !classes && s->limited == 0 && !s->capped) {
        s->held_w = 0.0;
        s->waiting_w = 0.0;
        memset(s->class_held_w, 0, sizeof(s->class_held_w));
        return 0.0;
    }
    if (!s->capped) {
        find_unseen(cfg, s, in, power_w);
    }
    count_held(cfg, s, in, power_w);
    bool at_ease = in->pods_w + in->room_w >= cfg->power_max_sum_w &&
                   !(in->over_w > 0.0) && s->at_ease_s >= EASE_S;
    if (open || at_ease) {
        lift(cfg, s);
        next_w = INFINITY;
    } else {
        s->budget_w = clamp(next_w, cfg->floor_sum_w, cfg->power_max_sum_w);
    }
    struct shed_lot lots[SITE_PODS_MAX];
    make_lots(cfg, s, power_w, lots);
    if (classes) {
        shed_class_step(cfg, s, in, lots);
    }
    double missing_w = shed_share(cfg, s->deficit_s, next_w, lots);
    set_caps(cfg, s, power_w, lots, next_w);
    s->capped = 0;
    for (int64_t i = 0; i < cfg->n; i++) {
        s->capped |= s->cap_w[i] < cfg->power_max_w[i];
    }
    return missing_w;
}

static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

bool shed_valid(const struct shed_cfg *cfg, const struct shed_state *s)
{
    static const double LONG_S = 1e9;
    static const double POWER_W = 1e13;
    bool ok = within(s->budget_w, 0.0, POWER_W) &&
              within(s->at_ease_s, 0.0, LONG_S) && s->random != 0 &&
              within(s->held_w, 0.0, POWER_W) &&
              within(s->waiting_w, 0.0, POWER_W) &&
              within(s->cut_w, 0.0, POWER_W) && s->limited >= 0 &&
              s->limited <= cfg->n && s->n_why >= 0 && s->n_why <= cfg->n;
    for (int64_t c = 0; ok && c < cfg->n_classes; c++) {
        ok = within(s->class_w[c], 0.0, POWER_W) &&
             within(s->class_held_w[c], 0.0, POWER_W);
    }
    for (int64_t i = 0; ok && i < cfg->n; i++) {
        const struct shed_phase *p = &s->phases[i];
        double max_w = cfg->power_max_w[i];
        ok = within(s->cap_w[i], 0.0, max_w) &&
             within(s->demand_w[i], 0.0, POWER_W) &&
             within(s->class_cap_w[i], 0.0, max_w) &&
             within(s->deficit_s[i], 0.0, LONG_S) &&
             within(s->raise_s[i], 0.0, LONG_S) &&
             within(s->settle_s[i], 0.0, LONG_S) &&
             within(p->hold_s, 0.0, LONG_S) && p->since_s >= 0.0 &&
             within(p->wait_s, 0.0, LONG_S) &&
             shed_pod_valid(&cfg->pods[i], &s->pods[i]);
    }
    return ok;
}
