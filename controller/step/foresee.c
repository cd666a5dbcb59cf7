/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/foresee.h"

#include <math.h>
#include <string.h>

#include "controller/step/problem.h"

static const double GRID_S = 1.0;       /* or a period, where that is longer */
static const double KNOWN_PU = 0.5;     /* of a slot, else it is a gap */
static const double PACK_OLD_S = 900.0; /* of telemetry on change */
static const double HELD_PU = 1e-3; /* of the pods: their own will is known */
static const int64_t BACK_SLOTS = 4 * FORESEE_DAY; /* the clock was wrong */
static const double SLOT_S = FORESEE_SLOT_MS / 1e3;

size_t foresee_size(const struct site *site)
{
    return sizeof(struct foresee) +
           (size_t)site->n_classes * sizeof(struct outlook) +
           (size_t)site->n_fleets * sizeof(struct availability);
}

struct foresee *foresee_of(const struct step_cfg *cfg, struct step_state *state)
{
    return (void *)&state->nodes[cfg->site.n_nodes];
}

const struct foresee *foresee_in(const struct step_cfg *cfg,
                                 const struct step_state *state)
{
    return (const void *)&state->nodes[cfg->site.n_nodes];
}

struct outlook *foresee_class(struct foresee *f, int64_t class_id)
{
    struct outlook *first = (void *)(f + 1);
    return first + class_id;
}

const struct outlook *foresee_class_in(const struct foresee *f,
                                       int64_t class_id)
{
    const struct outlook *first = (const void *)(f + 1);
    return first + class_id;
}

struct availability *foresee_fleet(const struct site *site, struct foresee *f,
                                   int64_t fleet)
{
    struct availability *first = (void *)foresee_class(f, site->n_classes);
    return first + fleet;
}

void foresee_soon_init(const struct step_cfg *cfg, struct forecast *f)
{
#define FORESEE_HORIZON_S(name, s) s,
    struct forecast_cfg soon = {
        .grid_s = fmax(GRID_S, cfg->site.control.period_s),
        .horizon_s = {FORESEE_HORIZON_LIST(FORESEE_HORIZON_S)},
        .n_horizons = FORESEE_HORIZONS,
    };
#undef FORESEE_HORIZON_S
    forecast_init(f, &soon);
}

void foresee_outlook_init(struct outlook *o)
{
    outlook_init(o, &(struct outlook_cfg){.slot_s = SLOT_S,
                                          .n_ahead = FORESEE_AHEAD,
                                          .min = -INFINITY,
                                          .max = INFINITY});
}

void foresee_fleet_init(const struct site *site, int64_t fleet,
                        struct availability *a)
{
    availability_init(a, SLOT_S, FORESEE_AHEAD,
                      (double)site->fleets[fleet].nodes);
}

void foresee_init(const struct step_cfg *cfg, struct step_state *state)
{
    const struct site *site = &cfg->site;
    struct foresee *f = foresee_of(cfg, state);
    memset(f, 0, foresee_size(site));
    foresee_soon_init(cfg, &f->soon);
    foresee_outlook_init(&f->load);
    foresee_outlook_init(&f->price);
    for (int c = 0; c < site->n_classes; c++) {
        foresee_outlook_init(foresee_class(f, c));
    }
    for (int i = 0; i < site->n_fleets; i++) {
        foresee_fleet_init(site, i, foresee_fleet(site, f, i));
    }
}

static int64_t slot_of(int64_t utc_ms)
{
    return utc_ms / FORESEE_SLOT_MS;
}

struct outlook_at foresee_slot(const struct outlook *o, int64_t at_ms,
                               int64_t n_min)
{
    int64_t k = slot_of(at_ms) - o->newest;
    /* the slot that has just ended may still wait to be fed */
    k = k == FORESEE_AHEAD + 1 ? FORESEE_AHEAD : k;
    if (o->n_finite < n_min || k < 1 || k > FORESEE_AHEAD) {
        return (struct outlook_at){NAN, NAN, NAN, NAN};
    }
    return outlook_ahead(o, k);
}

/* Time that passed without a tick. */
static void miss(const struct step_cfg *cfg, struct foresee *f,
                 const struct snapshot *in)
{
    double since_s = f->gap_s;
    if (f->mono_ms > 0) {
        since_s += (double)(in->mono_ms - f->mono_ms) / 1e3 - in->dt_s;
    }
    f->mono_ms = in->mono_ms;
    f->gap_s = 0.0;
    if (since_s > FORESEE_GAP_MAX_S) {
        foresee_soon_init(cfg, &f->soon);
    } else if (since_s >= f->soon.cfg.grid_s) {
        forecast_step(&f->soon, NAN, since_s);
    }
}

/* A job's beginning or end moves the site, and its class. */
static void announce(const struct step_cfg *cfg, struct foresee *f,
                     const struct job_in *job)
{
    const struct site *site = &cfg->site;
    double change_w = job->power_to_w - job->power_from_w;
    bool ends = job->event == JOB_START || job->event == JOB_STOP;
    if (!ends || !isfinite(change_w)) {
        return;
    }
    outlook_announce(&f->load, job->at_ms, change_w);
    if (job->pod >= 0 && job->pod < site->n_pods) {
        int id = site->pods[job->pod].class_id;
        if (id >= 0 && id < site->n_classes) {
            outlook_announce(foresee_class(f, id), job->at_ms, change_w);
        }
    }
}

/* Every marker once, in their order; the ring is not always sorted. */
static void hear_markers(const struct step_cfg *cfg, struct foresee *f,
                         const struct snapshot *in)
{
    for (;;) {
        const struct job_in *next = NULL;
        for (int i = 0; i < JOB_MARKERS_MAX; i++) {
            const struct job_in *job = &in->jobs[i];
            if (job->seq > f->marker_seq &&
                (next == NULL || job->seq < next->seq)) {
                next = job;
            }
        }
        if (next == NULL) {
            return;
        }
        f->marker_seq = next->seq;
        double in_s = (double)(next->at_ms - in->utc_ms) / 1e3;
        forecast_marker(&f->soon, next, in_s);
        if (in_s > 0.0) {
            announce(cfg, f, next);
        }
    }
}

static void add(struct foresee_mean *m, double value, double dt_s)
{
    if (isfinite(value)) {
        m->sum += value * dt_s;
        m->known_s += dt_s;
    }
}

static void close_mean(struct foresee_mean *m)
{
    bool known = m->known_s >= KNOWN_PU * SLOT_S;
    *m = (struct foresee_mean){.closed = known ? m->sum / m->known_s : NAN,
                               .due = 1};
}

static void close_cars(struct foresee_cars *c, double nodes)
{
    c->closed = c->seen;
    c->closed.arrived = fmin(c->arrived, nodes);
    c->closed.left = fmin(c->left, nodes);
    c->arrived = 0.0;
    c->left = 0.0;
    c->due = c->n_seen > 0.0; /* else it is a gap */
}

static void close_slot(const struct step_cfg *cfg, struct foresee *f)
{
    f->closed_ms = f->slot * FORESEE_SLOT_MS;
    close_mean(&f->load_mean);
    for (int c = 0; c < cfg->site.n_classes; c++) {
        close_mean(&f->class_mean[c]);
    }
    for (int i = 0; i < cfg->site.n_fleets; i++) {
        close_cars(&f->cars[i], (double)cfg->site.fleets[i].nodes);
    }
    bool present_only = f->price_mean.known_s > 0.0;
    close_mean(&f->price_mean);
    f->price_mean.due = present_only;
}

/* What each class draws, while none is held back, nor done later. */
static void gather_classes(const struct step_cfg *cfg,
                           const struct step_state *state, struct foresee *f,
                           const struct estimate *est, double dt_s)
{
    double w[SITE_CLASSES_MAX] = {0};
    bool has_pods[SITE_CLASSES_MAX] = {false};
    if (state->held_w + state->waiting_w > HELD_PU * est->pods_w) {
        return;
    }
    for (int i = 0; i < cfg->site.n_pods; i++) {
        int id = cfg->site.pods[i].class_id;
        if (id >= 0 && id < cfg->site.n_classes) {
            w[id] += est->pod_w[i];
            has_pods[id] = true;
        }
    }
    for (int c = 0; c < cfg->site.n_classes; c++) {
        bool as_usual = has_pods[c] && !state->queues[c].behind;
        add(&f->class_mean[c], as_usual ? w[c] : NAN, dt_s);
    }
}

/* Of the cars behind the grid connection: the plan moves it. */
static double gather_charging(const struct step_cfg *cfg,
                              const struct step_state *state, struct foresee *f,
                              double dt_s)
{
    double sum_w = 0.0;
    for (int i = 0; i < cfg->site.n_fleets; i++) {
        struct foresee_cars *c = &f->cars[i];
        double w = problem_charging_w(cfg, state, i);
        c->usual_s = fmin(c->usual_s + dt_s, FORESEE_DAY * SLOT_S);
        c->usual_w += dt_s / c->usual_s * (w - c->usual_w);
        sum_w += w;
    }
    return sum_w;
}

static void gather(const struct step_cfg *cfg, const struct step_state *state,
                   struct foresee *f, const struct snapshot *in,
                   const struct estimate *est, double load_w)
{
    if (in->dt_s > cfg->pause_max_s) {
        return;
    }
    double rest_w = load_w - gather_charging(cfg, state, f, in->dt_s);
    add(&f->load_mean, rest_w + queue_behind_w(cfg, state), in->dt_s);
    gather_classes(cfg, state, f, est, in->dt_s);
    const struct price_in *p = &in->prices[0];
    if (cfg->site.n_prices > 0 && p->n_slots == 0) {
        add(&f->price_mean, price_at(p, in->utc_ms), in->dt_s);
    }
}

/* A series that lies far ahead was told by a clock that went wrong. */
static bool is_ahead(const struct outlook *o, int64_t slot)
{
    return o->n > 0 && slot + BACK_SLOTS < o->newest;
}

static void feed(struct outlook *o, int64_t start_ms, double value)
{
    if (is_ahead(o, slot_of(start_ms))) {
        foresee_outlook_init(o);
    }
    outlook_feed(o, start_ms, value);
}

/* A long gap is passed over in pieces; false while it is. */
static bool caught_up(struct outlook *o, int64_t start_ms)
{
    int64_t slot = slot_of(start_ms);
    if (o->n == 0 || slot - o->newest <= FORESEE_DAY ||
        slot - o->newest > OUTLOOK_MEMORY) {
        return true;
    }
    outlook_feed(o, (o->newest + FORESEE_DAY) * FORESEE_SLOT_MS, NAN);
    return false;
}

static bool feed_mean(struct foresee_mean *m, struct outlook *o,
                      int64_t start_ms)
{
    if (!m->due) {
        return false;
    }
    if (!caught_up(o, start_ms)) {
        return true;
    }
    m->due = 0;
    feed(o, start_ms, m->closed);
    return true;
}

static bool feed_cars(const struct step_cfg *cfg, struct foresee *f, int i)
{
    struct foresee_cars *c = &f->cars[i];
    if (!c->due) {
        return false;
    }
    struct availability *a = foresee_fleet(&cfg->site, f, i);
    if (!caught_up(&a->habit, f->closed_ms)) {
        return true;
    }
    c->due = 0;
    if (is_ahead(&a->habit, slot_of(f->closed_ms))) {
        foresee_fleet_init(&cfg->site, i, a);
    }
    availability_feed(a, f->closed_ms, &c->closed);
    return true;
}

/* One slot of the market's own series. */
static void feed_price(struct foresee *f, const struct price_in *p)
{
    if (p->n_slots <= 0 || !(p->step_s > 0.0)) {
        return;
    }
    double length_ms = (double)p->n_slots * p->step_s * 1e3;
    if (p->mono_ms != f->price_mono_ms) {
        f->price_mono_ms = p->mono_ms;
        int64_t first = slot_of(p->start_at_ms + FORESEE_SLOT_MS - 1);
        int64_t end = slot_of(p->start_at_ms + (int64_t)length_ms);
        bool newer = f->price.n > 0 && f->price.newest >= first &&
                     !is_ahead(&f->price, end);
        f->price_slot = newer ? f->price.newest + 1 : first;
    }
    int64_t start_ms = f->price_slot * FORESEE_SLOT_MS;
    if ((double)(start_ms - p->start_at_ms) >= length_ms) {
        return;
    }
    double price = price_at(p, start_ms);
    if (isfinite(price) && !caught_up(&f->price, start_ms)) {
        return;
    }
    f->price_slot++;
    if (isfinite(price)) {
        feed(&f->price, start_ms, price);
    }
}

/* One series a tick: each takes as long as a step. */
static void feed_one(const struct step_cfg *cfg, struct foresee *f,
                     const struct snapshot *in)
{
    if (feed_mean(&f->load_mean, &f->load, f->closed_ms) ||
        feed_mean(&f->price_mean, &f->price, f->closed_ms)) {
        return;
    }
    for (int c = 0; c < cfg->site.n_classes; c++) {
        if (feed_mean(&f->class_mean[c], foresee_class(f, c), f->closed_ms)) {
            return;
        }
    }
    for (int i = 0; i < cfg->site.n_fleets; i++) {
        if (feed_cars(cfg, f, i)) {
            return;
        }
    }
    if (cfg->site.n_prices > 0) {
        feed_price(f, &in->prices[0]);
    }
}

void foresee_step(const struct step_cfg *cfg, struct step_state *state,
                  const struct snapshot *in, const struct estimate *est)
{
    struct foresee *f = foresee_of(cfg, state);
    bool measured = est->metered || !cfg->site.grid.meter.present;
    double load_w = measured ? est->load_w + state->held_w : NAN;
    miss(cfg, f, in);
    hear_markers(cfg, f, in);
    int64_t slot = slot_of(in->utc_ms);
    if (slot != f->slot && f->slot != 0) {
        close_slot(cfg, f);
    }
    f->slot = slot;
    f->load_w = load_w;
    forecast_step(&f->soon, load_w, in->dt_s);
    gather(cfg, state, f, in, est, load_w);
    feed_one(cfg, f, in);
}

void foresee_node(const struct step_cfg *cfg, struct step_state *state,
                  const struct snapshot *in, int64_t fleet, int64_t i)
{
    const struct node_in *node = &in->nodes[i];
    double age_s = (double)(in->mono_ms - node->pack_mono_ms) / 1e3;
    bool fresh = node->pack_mono_ms > 0 && age_s >= -1.0 && age_s <= PACK_OLD_S;
    if (!fresh) {
        return;
    }
    struct foresee_cars *c = &foresee_of(cfg, state)->cars[fleet];
    struct node_state *n = &state->nodes[i];
    bool plugged = node->flags & NODE_PLUGGED;
    c->n_heard += 1.0;
    c->arrived += plugged && n->plugged == NODE_SEEN_AWAY ? 1.0 : 0.0;
    c->left += !plugged && n->plugged == NODE_SEEN_PLUGGED ? 1.0 : 0.0;
    n->plugged = plugged ? NODE_SEEN_PLUGGED : NODE_SEEN_AWAY;
    if (plugged) {
        bool said = node->flags & NODE_HAS_DEPARTURE;
        double hours = (double)(node->departs_at_ms - in->utc_ms) / 3.6e6;
        enum availability_bucket b =
            availability_bucket(said ? fmax(hours, 0.0) : NAN);
        c->counted.plugged[b] += 1.0;
    }
}

/* Any n_slices x n_rounds ticks in a row see every node once. */
void foresee_nodes_done(const struct step_cfg *cfg, struct step_state *state)
{
    struct foresee *f = foresee_of(cfg, state);
    f->round++;
    if (f->round < cfg->n_slices * cfg->n_rounds) {
        return;
    }
    f->round = 0;
    for (int i = 0; i < cfg->site.n_fleets; i++) {
        struct foresee_cars *c = &f->cars[i];
        c->seen = c->counted;
        c->n_seen = c->n_heard;
        c->counted = (struct availability_now){.arrived = 0.0};
        c->n_heard = 0.0;
    }
}
