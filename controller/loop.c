/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/loop.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "controller/carrier.h"
#include "controller/clock.h"
#include "controller/histogram.h"
#include "controller/judge.h"
#include "controller/lives.h"
#include "controller/log.h"
#include "controller/outage.h"
#include "controller/replan.h"
#include "controller/watch.h"
#include "models/billing.h"
#include "policies/plan.h"

static const double VIEW_EVERY_S = 0.2;
static const int64_t JUMP_MS = 1000;

enum { FIFO_PRIORITY = 10 }; /* low among the real-time ones */
enum { PIECES = 8 };         /* of the foresight, a tick */

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

static enum err allocate(struct loop *l)
{
    const struct site *site = l->cfg.site;
    l->step = calloc(1, step_cfg_size());
    if (l->step == NULL) {
        return ERR_MEMORY;
    }
    enum err e = step_cfg_init(l->step, site, l->cfg.policy);
    if (e != ERR_NONE) {
        return e;
    }
    l->state_size = step_state_size(l->step);
    l->state = calloc(1, l->state_size);
    l->scratch = calloc(1, step_scratch_size(l->step));
    l->in = parts_snapshot(&l->cfg.ports->parts);
    l->out = parts_out(&l->cfg.ports->parts);
    bool all = l->state != NULL && l->scratch != NULL && l->in != NULL &&
               l->out != NULL;
    return all ? ERR_NONE : ERR_MEMORY;
}

enum err loop_open(const struct loop_cfg *cfg, struct loop **out)
{
    struct loop *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        return ERR_MEMORY;
    }
    l->cfg = *cfg;
    enum err e = allocate(l);
    if (e != ERR_NONE) {
        loop_close(l);
        return e;
    }
    const struct site *site = cfg->site;
    step_state_init(l->step, l->state);
    snapshot_clear(l->in, site->n_nodes);
    double period_s = site->control.period_s;
    l->period_ns = llround(period_s * 1e9);
    l->view_age_s = INFINITY;
    replan_init(&l->replan);
    carrier_init(&l->carrier, l->step, l->state, site);
    zone_utc(&l->zone);
    if (cfg->zone != NULL) {
        l->zone = *cfg->zone;
    }
    l->cfg.zone = &l->zone;
    witness_init(&l->witness, &site->grid, period_s);
    atomic_init(&l->stop, false);
    *out = l;
    return ERR_NONE;
}

void loop_close(struct loop *l)
{
    free(l->step);
    free(l->state);
    free(l->scratch);
    free(l->in);
    free(l->out);
    free(l);
}

const void *loop_state(const struct loop *l, size_t *size)
{
    *size = l->state_size;
    return l->state;
}

void loop_prices(struct loop *l, const struct price_in *prices)
{
    memcpy(l->in->prices, prices,
           (size_t)l->cfg.site->n_prices * sizeof(*prices));
    l->feed = prices[0];
}

void loop_record(struct loop *l, struct historian *h)
{
    l->historian = h;
    l->carrier.historian = h;
}

struct carrier *loop_carrier(struct loop *l)
{
    return &l->carrier;
}

/* In shadow nothing is written and nothing can obey; the step shall decide as
 * if it could. */
static int64_t battery_flags(const struct loop *l, int64_t flags)
{
    return l->cfg.shadow ? flags | BATTERY_WRITABLE | BATTERY_OBEYS : flags;
}

static void fetch_devices(struct loop *l)
{
    struct ports *ports = l->cfg.ports;
    for (int i = 0; i < ports->n_batteries; i++) {
        const struct device_values *v =
            mailbox_fetch(&ports->batteries[i].values);
        if (v != NULL) {
            l->in->batteries[i] = v->battery;
            l->in->batteries[i].flags = battery_flags(l, v->battery.flags);
        }
    }
    const struct device_values *v = mailbox_fetch(&ports->meter.values);
    if (v != NULL) {
        l->in->meter = v->meter;
    }
}

static void fetch_mqtt(struct loop *l)
{
    const struct site *site = l->cfg.site;
    const struct mqtt_inputs *m = mailbox_fetch(&l->cfg.ports->mqtt.inputs);
    if (m == NULL) {
        return;
    }
    memcpy(l->in->pods, m->pods, (size_t)site->n_pods * sizeof(struct pod_in));
    memcpy(l->in->prices, m->prices,
           (size_t)site->n_prices * sizeof(struct price_in));
    l->feed = m->prices[0];
    l->price_news = true;
    memcpy(l->told, m->utility, sizeof(m->utility));
    override_apply(&l->overrides, l->told, l->in);
    memcpy(l->in->jobs, m->jobs, sizeof(m->jobs));
    memcpy(l->in->nodes, m->nodes,
           (size_t)site->n_nodes * sizeof(struct node_in));
}

/* What has been opted out of may end with this tick. */
static void fetch_overrides(struct loop *l)
{
    const struct override_book *news = mailbox_fetch(&l->cfg.ports->overrides);
    if (news != NULL) {
        l->overrides = *news;
    }
    if (news != NULL || l->overrides.n_outs > 0) {
        override_apply(&l->overrides, l->told, l->in);
    }
}

/* The utility's own price goes before a market's feed, where it has one. */
static void fetch_openadr(struct loop *l)
{
    struct openadr_port *port = &l->cfg.ports->openadr;
    const struct openadr_inputs *news = mailbox_fetch(&port->inputs);
    if (news != NULL) {
        memcpy(&l->in->utility[UTILITY_MQTT], news->utility,
               sizeof(news->utility));
        l->utility_price = news->price;
        l->price_news = l->price_news || l->utility_priced || news->priced;
        l->utility_priced = news->priced;
    }
    if (!l->price_news) {
        return;
    }
    l->price_news = false;
    if (l->utility_priced) {
        l->in->prices[0] = l->utility_price;
        price_fill(&l->in->prices[0], &l->feed);
    } else {
        l->in->prices[0] = l->feed;
    }
}

/* A plan enters at the tick that its problem declared; one that came too late
 * for that enters now, and says so. */
static void fetch_plan(struct loop *l)
{
    const struct plan *p = mailbox_fetch(&l->cfg.ports->planner.plan);
    if (p != NULL) {
        l->next_plan = *p;
        l->next_plan.from_tick = p->built_tick + PLAN_DELAY_TICKS;
    }
    if (l->next_plan.status == PLAN_NONE ||
        l->in->tick < l->next_plan.from_tick) {
        return;
    }
    l->counts.n_late_plans += l->in->tick > l->next_plan.from_tick;
    l->next_plan.from_tick = l->in->tick;
    l->plan = l->next_plan;
    l->next_plan.status = PLAN_NONE;
    l->counts.n_plans++;
    plan_tally_enter(&l->counts.plans, &l->plan);
}

/* Posted in every tick, which is how a worker knows that we are alive; the
 * worker is woken where there is something new to write. */
static void post_leases(struct loop *l)
{
    struct ports *ports = l->cfg.ports;
    for (int i = 0; i < ports->n_batteries; i++) {
        struct device_lease lease = {.command = l->out->batteries[i],
                                     .seq = l->in->tick,
                                     .mono_ms = l->in->mono_ms};
        struct battery_command *last = &l->posted[i];
        bool changed = memcmp(last, &lease.command, sizeof(*last)) != 0;
        *last = lease.command;
        mailbox_send(&ports->batteries[i].lease, &lease);
        if (changed && ports->batteries[i].wake != NULL) {
            waker_ring(ports->batteries[i].wake);
        }
    }
}

static void post_mqtt(struct loop *l)
{
    const struct site *site = l->cfg.site;
    struct mailbox *box = &l->cfg.ports->mqtt.commands;
    struct step_out *out = mailbox_slot(box);
    memcpy(out->pods, l->out->pods,
           (size_t)site->n_pods * sizeof(struct pod_command));
    out->record = l->out->record;
    out->n_nodes = l->out->n_nodes;
    memcpy(out->nodes, l->out->nodes,
           (size_t)site->n_nodes * sizeof(struct node_command));
    mailbox_post(box);
}

static void post_problem(struct loop *l)
{
    struct planner_port *port = &l->cfg.ports->planner;
    if (!replan_due(&l->replan, l->cfg.site, l->in,
                    l->next_plan.status != PLAN_NONE)) {
        return;
    }
    step_problem(l->step, l->state, l->in, &l->problem);
    l->problem.causes = l->replan.causes;
    mailbox_send(&port->problem, &l->problem);
    if (port->wake != NULL) {
        waker_ring(port->wake);
    }
    l->counts.n_problems++;
}

static void post_view(struct loop *l)
{
    l->view_age_s += l->in->dt_s;
    if (l->view_age_s < VIEW_EVERY_S - 1e-6) {
        return;
    }
    l->view_age_s = 0.0;
    l->counts.jitter_p99_s = histogram_quantile_s(&l->jitter, 0.99);
    l->counts.step_p50_s = histogram_quantile_s(&l->step_time, 0.5);
    l->counts.step_p99_s = histogram_quantile_s(&l->step_time, 0.99);
    l->counts.pp60_w = compliance_pp60_w(&l->witness.with);
    struct ports *ports = l->cfg.ports;
    witness_report(&l->witness, mailbox_slot(&ports->proof));
    mailbox_post(&ports->proof);
    struct loop_view *view = mailbox_slot(&ports->view);
    view->counts = l->counts;
    parts_gather(&ports->parts, PART_SNAPSHOT, l->in, view->image);
    parts_gather(&ports->parts, PART_PLAN, &l->plan, view->image);
    parts_gather(&ports->parts, PART_OUT, l->out, view->image);
    mailbox_post(&ports->view);
}

static void tell_month(struct loop *l)
{
    struct snapshot *in = l->in;
    struct billing_month m = {in->month_from_ms, in->month_to_ms};
    if (!billing_month_holds(&m, in->utc_ms)) {
        m = billing_month(&l->zone, in->utc_ms);
        in->month_from_ms = m.from_ms;
        in->month_to_ms = m.to_ms;
    }
}

/* Sets the times of the snapshot; dt_s is whole periods. */
static void tell_time(struct loop *l, int64_t mono_ns, int64_t utc_ms)
{
    int64_t mono_ms = mono_ns / CLOCK_NS_PER_MS;
    if (l->in->tick == 0) {
        l->start_ns = mono_ns;
        l->index = -1;
        l->utc_ms = utc_ms;
        l->mono_ms = mono_ms;
    }
    int64_t index = (mono_ns - l->start_ns) / l->period_ns;
    assert(index > l->index);
    int64_t periods = index - l->index;
    l->counts.n_overruns += (uint64_t)(periods - 1);
    int64_t due_ns = l->start_ns + index * l->period_ns;
    histogram_add(&l->jitter, (double)(mono_ns - due_ns) / 1e9);
    int64_t jump_ms = (utc_ms - l->utc_ms) - (mono_ms - l->mono_ms);
    if (jump_ms > JUMP_MS || jump_ms < -JUMP_MS) {
        l->counts.n_clock_jumps++;
        l->counts.clock_jump_s = (double)jump_ms / 1e3;
    }
    l->index = index;
    l->n_periods = periods;
    l->utc_ms = utc_ms;
    l->mono_ms = mono_ms;
    l->in->tick++;
    l->in->mono_ms = mono_ms;
    l->in->utc_ms = utc_ms;
    l->in->dt_s = (double)periods * l->cfg.site->control.period_s;
    tell_month(l);
    l->counts.tick = l->in->tick;
    l->counts.mono_ms = mono_ms;
    l->counts.utc_ms = utc_ms;
}

/* The compliance meter, on what the step took the grid to be. */
static void bear_witness(struct loop *l)
{
    const struct judged judged = {
        .site = l->cfg.site,
        .policy = l->cfg.policy,
        .scratch = l->scratch,
        .in = l->in,
        .record = &l->out->record,
    };
    struct witness_in seen = judge_tick(&judged);
    seen.missed = l->n_periods - 1;
    witness_push(&l->witness, &seen);
    witness_ring_push(&l->cfg.ports->witness, &l->witness);
}

/* A few pieces a tick; whole every second or two. */
static void look_ahead(struct loop *l)
{
    for (int i = 0; i < PIECES; i++) {
        l->next_piece = foresight_look(l->step, l->state, l->in, l->next_piece,
                                       &l->foresight);
        if (l->next_piece == 0) {
            mailbox_send(&l->cfg.ports->foresight, &l->foresight);
            return;
        }
    }
}

/* A reading that has gone stale says nothing: the meter may have lost its
 * supply with the grid, or its cable. */
static void look_for_outage(struct loop *l)
{
    double voltage_pu = reading_value(&l->in->meter.voltage_pu, l->in->mono_ms,
                                      watch_device_age_s(l->cfg.site));
    if (outage_step(&l->outage, voltage_pu, l->in->dt_s)) {
        atomic_fetch_add(&l->cfg.ports->n_outages, 1);
    }
}

int64_t loop_tick(struct loop *l, int64_t mono_ns, int64_t utc_ms)
{
    tell_time(l, mono_ns, utc_ms);
    int64_t next_ns = l->start_ns + (l->index + 1) * l->period_ns;
    atomic_store_explicit(&l->cfg.ports->next_tick_ns, next_ns,
                          memory_order_relaxed);
    fetch_devices(l);
    fetch_mqtt(l);
    fetch_openadr(l);
    fetch_overrides(l);
    fetch_plan(l);
    int64_t before_ns = clock_mono_ns();
    step(l->step, l->state, l->scratch, l->in, &l->plan, l->out);
    histogram_add(&l->step_time, (double)(clock_mono_ns() - before_ns) / 1e9);
    if (!l->cfg.shadow) {
        post_leases(l);
        post_mqtt(l);
    }
    if (l->historian != NULL &&
        !historian_push(l->historian, l->in, &l->plan, l->out)) {
        l->counts.n_dropped++;
    }
    plan_tally_tick(&l->counts.plans, l->cfg.site,
                    l->out->record.plan_battery_w, l->in->dt_s);
    carrier_tick(&l->carrier, l->in);
    bear_witness(l);
    look_for_outage(l);
    atomic_store_explicit(&l->cfg.ports->grid_w, l->out->record.grid_w,
                          memory_order_relaxed);
    post_problem(l);
    post_view(l);
    l->next_life =
        lives_post(&l->cfg.ports->lives, l->cfg.site, l->state, l->next_life);
    look_ahead(l);
    ledger_ring_push(&l->cfg.ports->cars, l->state, l->in->mono_ms);
    return next_ns;
}

static void *run(void *arg)
{
    struct loop *l = arg;
    int64_t next_ns = clock_mono_ns();
    while (!atomic_load(&l->stop)) {
        clock_sleep_until(next_ns);
        next_ns = loop_tick(l, clock_mono_ns(), clock_utc_ms());
        /* a tick that took longer than a period leaves the others a turn */
        int64_t late_ns = clock_mono_ns() - next_ns;
        next_ns +=
            late_ns >= 0 ? (late_ns / l->period_ns + 1) * l->period_ns : 0;
    }
    return NULL;
}

/* Ahead of everything that is not real-time itself: on a busy machine the
 * thread would else wake up to a period late. */
static bool start_first(struct loop *l)
{
    struct sched_param param = {.sched_priority = FIFO_PRIORITY};
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    bool ok =
        pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED) == 0 &&
        pthread_attr_setschedpolicy(&attr, SCHED_FIFO) == 0 &&
        pthread_attr_setschedparam(&attr, &param) == 0 &&
        pthread_create(&l->thread, &attr, run, l) == 0;
    pthread_attr_destroy(&attr);
    return ok;
}

enum err loop_start(struct loop *l)
{
    if (start_first(l)) {
        return ERR_NONE;
    }
    log_line(LOG_INFO, NULL,
             "no real-time priority for the control thread (not permitted): "
             "other programs may delay it; allow it by LimitRTPRIO=%d or "
             "'ulimit -r %d'",
             FIFO_PRIORITY, FIFO_PRIORITY);
    return pthread_create(&l->thread, NULL, run, l) == 0 ? ERR_NONE : ERR_IO;
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stop, true);
    pthread_join(l->thread, NULL);
    witness_finish(&l->witness);
    witness_ring_push(&l->cfg.ports->witness, &l->witness);
}

void loop_save(struct loop *l)
{
    if (!carrier_finish(&l->carrier, l->in)) {
        log_line(LOG_WARN, NULL,
                 "the disk is too slow to save all that is known of the "
                 "assets: the next run begins with what was saved before");
    }
}
