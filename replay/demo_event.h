/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * demo_event - what the demo plays over MQTT while one watches.
 *
 *   event   a capacity limit 30 % under the load, two minutes ahead and three
 *           minutes long, on the site's utility/limit as a bridge or an
 *           operator would publish it
 *   trip    the site's first battery opens its contactors under load, and is
 *           back a minute later
 *   stop    the whole cluster stops at once, and starts again
 */
#ifndef REPLAY_DEMO_EVENT_H
#define REPLAY_DEMO_EVENT_H

#include <stdbool.h>

#include "models/site.h"

/* Which of them. */
struct demo_event_cfg {
    bool event;
    bool trip;
    bool stop;
};

struct demo_event; /* opaque */

/* Begins to connect to the site's broker; NULL where that fails, which is told
 * on stderr. */
struct demo_event *demo_event_open(const struct site *site,
                                   const struct demo_event_cfg *cfg);
void demo_event_close(struct demo_event *e);

/* Now and then, 'run_s' into the demo, with the load: plays what is due, one
 * thing a call.  Returns what that was, for people (valid until the next call),
 * or NULL. */
const char *demo_event_play(struct demo_event *e, double load_w, double run_s);

#endif
