/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/loop.h"

#include <assert.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "controller/clock.h"
#include "controller/judge.h"
#include "controller/lives.h"
#include "controller/log.h"
#include "controller/loop_parts.h"
#include "controller/watch.h"
#include "models/billing.h"

static const int64_t JUMP_MS = 1000;

enum { FIFO_PRIORITY = 10 }; /* low among the real-time ones */
enum { PIECES = 8 };         /* of the foresight, a tick */

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
    loop_fetch(l);
    int64_t before_ns = clock_mono_ns();
    step(l->step, l->state, l->scratch, l->in, &l->plan, l->out);
    histogram_add(&l->step_time, (double)(clock_mono_ns() - before_ns) / 1e9);
    if (!l->cfg.shadow) {
        loop_post_commands(l);
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
    loop_post_problem(l);
    loop_post_view(l);
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
