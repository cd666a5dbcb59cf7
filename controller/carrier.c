/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/carrier.h"

#include <math.h>
#include <time.h>

#include "controller/log.h"
#include "policies/guard.h"

/* A round begins so early that it is written before the minute is over. */
static const double BEGIN_S = 45.0;
static const double SPREAD_S = 10.0;
static const double FIRST_S = 5.0; /* after the start: all have been heard */
static const double UNITS_PER_MIN = 2400.0; /* some 35 MB */

/* Rounds between two saves of a forecast. */
enum { SLOW_ROUNDS = 20 };

enum { WAIT_MS = 5, WAIT_MAX_MS = 10000 };

void carrier_init(struct carrier *c, const struct step_cfg *cfg,
                  struct step_state *state, const struct site *site)
{
    double period_s = site->control.period_s;
    *c = (struct carrier){.cfg = cfg, .state = state, .wait_s = FIRST_S};
    c->n_units = carry_units(cfg);
    c->next = c->n_units;
    double n = (double)c->n_units;
    double want = ceil(n * period_s / SPREAD_S);
    double most = ceil(UNITS_PER_MIN * period_s / 60.0);
    c->n_per_tick = (int64_t)fmax(fmin(want, most), 1.0);
    double round_s = n / (double)c->n_per_tick * period_s;
    c->lost_s = fmax(CARRIER_ROUND_S, BEGIN_S + round_s);
}

/* Runs that were killed before they saved anything, each with a lease that
 * went on after it. */
static double blind_s(const struct carrier *c, int64_t n_runs)
{
    double n = (double)n_runs;
    return n_runs > 0 ? n * c->lost_s + (n - 1.0) * guard_lease_s() : 0.0;
}

bool carrier_take(void *carrier, const struct history_carried *carried)
{
    struct carrier *c = carrier;
    int64_t unit = carry_find(c->cfg, carried->asset);
    if (unit < 0) {
        return true; /* not of this site any more; it may come back */
    }
    struct carry_now now = c->now;
    now.blind_s = blind_s(c, carried->n_since);
    enum carry result = carry_load(c->cfg, c->state, unit, &now, carried->state,
                                   carried->state != NULL ? carried->size : 0);
    if (result == CARRY_TAKEN) {
        int64_t at_ms = carry_saved_at_ms(carried->state);
        c->saved_at_ms = at_ms > c->saved_at_ms ? at_ms : c->saved_at_ms;
        c->n_taken++;
        return true;
    }
    c->n_refused++;
    log_line(LOG_WARN, NULL,
             "%s: what was known of it is not taken over: %s; it begins new, "
             "the old state is kept in carried_refused of the history",
             carried->asset, carry_text(result));
    return false;
}

static bool save_next(struct carrier *c, const struct snapshot *in,
                      bool is_last)
{
    unsigned char *slot =
        historian_carry_slot(c->historian, carry_size(c->cfg, c->next));
    if (slot == NULL) {
        return false;
    }
    struct carry_now now = {.mono_ms = in->mono_ms, .utc_ms = in->utc_ms};
    size_t size = carry_save(c->cfg, c->state, c->next, &now, slot);
    historian_carry_post(c->historian, size, is_last);
    c->next++;
    return true;
}

/* Each forecast has a round of its own. */
static bool is_due(const struct carrier *c)
{
    return !carry_is_slow(c->cfg, c->next) ||
           (c->next + c->n_rounds) % SLOW_ROUNDS == 0;
}

void carrier_tick(struct carrier *c, const struct snapshot *in)
{
    if (c->historian == NULL) {
        return;
    }
    if (c->next == c->n_units) {
        if (c->begun_mono_ms == 0) {
            c->begun_mono_ms = in->mono_ms;
        }
        if ((double)(in->mono_ms - c->begun_mono_ms) / 1e3 < c->wait_s) {
            return;
        }
        c->begun_mono_ms = in->mono_ms;
        c->wait_s = BEGIN_S;
        c->n_rounds++;
        c->next = 0;
    }
    for (int64_t i = 0; i < c->n_per_tick && c->next < c->n_units; i++) {
        if (!is_due(c)) {
            c->next++;
        } else if (!save_next(c, in, false)) {
            return;
        }
    }
}

bool carrier_finish(struct carrier *c, const struct snapshot *in)
{
    if (c->historian == NULL || in->tick == 0) {
        return true;
    }
    const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
    int waited_ms = 0;
    c->next = 0;
    while (c->next < c->n_units && waited_ms < WAIT_MAX_MS) {
        if (!save_next(c, in, true)) {
            nanosleep(&pause, NULL);
            waited_ms += WAIT_MS;
        }
    }
    return c->next == c->n_units;
}
