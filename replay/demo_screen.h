/* SPDX-License-Identifier: GPL-3.0-or-later */
/* demo_screen - where the demo shows the status: the terminal, or a line after
 * the other. */
#ifndef REPLAY_DEMO_SCREEN_H
#define REPLAY_DEMO_SCREEN_H

#include <stdbool.h>

#include "replay/view.h"

struct screen {
    bool open; /* the terminal is ours */
    struct view view;
    char said[200];
};

/* The largest values seen, for the end. */
struct screen_extremes {
    long n; /* statuses seen */
    double peak_w;
    double load_w;       /* last seen */
    double ramp_w_per_s; /* magnitude */
};

/* True where stdout is a terminal that can show the view. */
bool screen_fits(void);

/* Take over the terminal: another page, no cursor. */
void screen_open(struct screen *s);

/* Show a status; on a screen that is not open it is one line. */
void screen_show(struct screen *s, const char *json, double mono_s,
                 struct screen_extremes *extremes);

/* Something that was done, from now on the hint below the view, or a line;
 * NULL: nothing. */
void screen_say(struct screen *s, const char *text);

/* Give the terminal back as it was; may be called twice. */
void screen_close(struct screen *s);

#endif
