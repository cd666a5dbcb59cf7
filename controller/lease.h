/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lease - what a worker sends when the control thread is silent.  Pure.
 *
 * A command holds for lease_expiry_s() after it was decided.  Then the
 * set-point moves by itself from where it is to the command's fallback, at the
 * command's ramp, and stays there until a fresh command ends that.  Where the
 * worker, too, stood still until the device's own timer was over, nothing is
 * written before a fresh command.  Power into the battery is positive.
 */
#ifndef CONTROLLER_LEASE_H
#define CONTROLLER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "adapters/adapter.h"

struct lease {
    struct device_lease posted; /* as last posted by the control thread */
    struct device_lease out;    /* as handed to the adapter, its own seq */
    int64_t posted_mono_ms;
    int64_t stepped_mono_ms; /* last call */
    int64_t moved_mono_ms;
    bool fallback; /* in force: the control thread is silent */
};

/* Seconds that a command holds without being posted again. */
double lease_expiry_s(double period_s);

/*
 * Take in what was posted since the last call (NULL: nothing) and advance to
 * 'mono_ms'; returns what the adapter shall be given, valid until the next
 * call.  Its seq rises with every command taken in and every move.  A posted
 * command that is not finite, or older than 'expiry_s', counts as not posted.
 * A ramp that is not positive and finite means at once.
 */
const struct device_lease *lease_step(struct lease *l, double expiry_s,
                                      const struct device_lease *posted,
                                      int64_t mono_ms);

/* True where 'posted' asks for something else than what is in force. */
bool lease_differs(const struct lease *l, const struct device_lease *posted);

#endif
