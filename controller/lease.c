/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/lease.h"

#include <math.h>

double lease_expiry_s(double period_s)
{
    return fmax(3.0 * period_s, 2.0);
}

/* One that lay in its mailbox while the process stood still is not a command
 * any more. */
static bool acceptable(const struct device_lease *posted, double expiry_s,
                       int64_t mono_ms)
{
    if ((double)(mono_ms - posted->mono_ms) > expiry_s * 1e3) {
        return false;
    }
    const struct battery_command *c = &posted->command;
    return posted->seq != 0 && isfinite(c->set_w) && isfinite(c->fallback_w) &&
           isfinite(c->expiry_s);
}

static void accept(struct lease *l, const struct device_lease *posted)
{
    l->out.command = posted->command;
    l->out.seq++;
    l->posted = *posted;
    l->posted_mono_ms = posted->mono_ms;
    l->fallback = false;
}

bool lease_differs(const struct lease *l, const struct device_lease *posted)
{
    const struct battery_command *a = &l->out.command;
    const struct battery_command *b = &posted->command;
    return a->set_w != b->set_w || a->fallback_w != b->fallback_w ||
           a->fallback_ramp_w_per_s != b->fallback_ramp_w_per_s ||
           a->expiry_s != b->expiry_s || a->valid != b->valid;
}

/* One stretch of the way to the fallback, as long as the time passed. */
static void move(struct lease *l, int64_t mono_ms)
{
    struct battery_command *c = &l->out.command;
    double ramp = c->fallback_ramp_w_per_s;
    double far_w = c->fallback_w - c->set_w;
    double passed_s = (double)(mono_ms - l->moved_mono_ms) / 1e3;
    double most_w =
        ramp > 0.0 && isfinite(ramp) ? ramp * fmax(passed_s, 0.0) : INFINITY;
    double set_w = fabs(far_w) <= most_w ? c->fallback_w
                                         : c->set_w + copysign(most_w, far_w);
    l->moved_mono_ms = mono_ms;
    if (set_w != c->set_w) {
        c->set_w = set_w;
        l->out.seq++;
    }
}

/* Nobody has renewed it for so long that the device has fallen back by itself:
 * from where it is now only a new command may move it. */
static void release(struct lease *l, int64_t mono_ms)
{
    double since_s = (double)(mono_ms - l->stepped_mono_ms) / 1e3;
    if (l->posted.seq != 0 && since_s > l->posted.command.expiry_s) {
        l->posted.command.valid = 0;
        l->out.command.valid = 0;
        l->out.seq++;
        l->fallback = false;
    }
    l->stepped_mono_ms = mono_ms;
}

const struct device_lease *lease_step(struct lease *l, double expiry_s,
                                      const struct device_lease *posted,
                                      int64_t mono_ms)
{
    release(l, mono_ms);
    if (posted != NULL && acceptable(posted, expiry_s, mono_ms)) {
        accept(l, posted);
    }
    bool silent = (double)(mono_ms - l->posted_mono_ms) > expiry_s * 1e3;
    if (l->posted.seq == 0 || l->posted.command.valid == 0 || !silent) {
        return &l->out;
    }
    if (!l->fallback) {
        l->fallback = true;
        l->moved_mono_ms = l->posted_mono_ms + (int64_t)(expiry_s * 1e3);
    }
    move(l, mono_ms);
    return &l->out;
}
