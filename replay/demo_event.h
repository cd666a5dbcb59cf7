/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * demo_event - an instruction of the utility for the demo: a capacity limit 30
 * % under the load, two minutes ahead and three minutes long, published on the
 * site's utility/limit as a bridge or an operator would.
 */
#ifndef REPLAY_DEMO_EVENT_H
#define REPLAY_DEMO_EVENT_H

#include <stdbool.h>

#include "models/site.h"

struct demo_event; /* opaque */

/* Begins to connect to the site's broker; NULL where that fails, which is told
 * on stderr. */
struct demo_event *demo_event_open(const struct site *site);
void demo_event_close(struct demo_event *e);

/* Now and then with the load: publishes once it is steady and above its floor;
 * true when that has been done. */
bool demo_event_play(struct demo_event *e, double load_w, double run_s);

#endif
