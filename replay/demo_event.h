/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * demo_event - what the demo plays over MQTT while one watches.
 *
 *   event   what a utility may ask for, on the site's utility/limit as a bridge
 *           or an operator would publish it: one of demo_event_kinds
 *   trip    the site's first battery opens its contactors under load, and is
 *           back a minute later
 *   stop    the whole cluster stops at once, and starts again
 */
#ifndef REPLAY_DEMO_EVENT_H
#define REPLAY_DEMO_EVENT_H

#include <stdbool.h>

#include <stddef.h>
#include <stdint.h>

#include "models/site.h"

enum { DEMO_PAYLOAD_MAX = 400, DEMO_SAID_MAX = 200 };

/* Which of them; 'event' is a kind, NULL for none. */
struct demo_event_cfg {
    const char *event;
    bool trip;
    bool stop;
};

struct demo_ask {
    char payload[DEMO_PAYLOAD_MAX]; /* JSON */
    char said[DEMO_SAID_MAX];       /* for people */
};

/* "limit, setpoint, ..." */
extern const char demo_event_kinds[];

/* What the utility asks for by that kind ("": limit), of a site that draws
 * 'load_w'; false where there is no such kind. */
bool demo_event_ask(const char *kind, double load_w, int64_t utc_ms,
                    struct demo_ask *out);

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
