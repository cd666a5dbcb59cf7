/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view - a running controller on a terminal, drawn from its status.
 *
 * Pure: status text and time in, bytes for the terminal out.  Made for 80
 * columns by 24 rows and more, ANSI sequences only, no colour where the user
 * wants none.  Keys that are missing or unknown do not matter, and nothing
 * that the status says can steer the terminal.
 */
#ifndef REPLAY_VIEW_H
#define REPLAY_VIEW_H

#include <stdbool.h>
#include <stddef.h>

enum {
    VIEW_NAME_MAX = 24,
    VIEW_WORD_MAX = 16,
    VIEW_TEXT_MAX = 240,
    VIEW_BATTERIES_MAX = 64,
    VIEW_FLEETS_MAX = 16,
    VIEW_WHY_MAX = 3,
    VIEW_ALARMS_MAX = 4,
    VIEW_SAMPLES = 60,      /* one a second */
    VIEW_FRAME_MAX = 32768, /* bytes of a frame */
};

struct view_battery {
    char name[VIEW_NAME_MAX];
    char state[VIEW_WORD_MAX];
    double power_w; /* + charge */
    double soc_pu;
};

struct view_fleet {
    char name[VIEW_NAME_MAX];
    double nodes;
    double online;
    double computing;
    double charging;
    double power_w;
};

struct view_alarm {
    char severity[VIEW_WORD_MAX];
    char text[VIEW_TEXT_MAX];
};

/* What the view needs of a status; NAN and "" where it does not say. */
struct view_status {
    char site[VIEW_NAME_MAX];
    char mode[VIEW_WORD_MAX];
    char at[VIEW_NAME_MAX];
    double uptime_s;
    double grid_w;
    double reference_w;
    double import_max_w;
    double ramp_w_per_s;
    double ramp_max_w_per_s;
    double pp60_w;
    char meter[VIEW_WORD_MAX];
    bool assumed; /* no meter is heard: grid_w is the worst case */
    double demand_w;
    double served_w;
    double shed_w;
    double load_w; /* grid power without the batteries */
    double battery_w;
    struct view_battery batteries[VIEW_BATTERIES_MAX];
    int n_batteries;
    double pods;
    double pods_online;
    double pods_capped;
    struct view_fleet fleets[VIEW_FLEETS_MAX];
    int n_fleets;
    char market[VIEW_NAME_MAX];
    char currency[VIEW_WORD_MAX];
    char price_source[VIEW_WORD_MAX];
    double price_per_kwh;
    double price_age_s;
    char plan[VIEW_WORD_MAX];
    double plan_age_s;
    char why[VIEW_WHY_MAX][VIEW_TEXT_MAX];
    int n_why;
    struct view_alarm alarms[VIEW_ALARMS_MAX];
    int n_alarms;   /* shown */
    int alarms_all; /* groups: one line each */
};

/* Read a status; false where it is none (no JSON, or nothing of the grid). */
bool view_read(const char *json, struct view_status *out);

struct view {
    int columns;
    int rows;
    bool color;
    bool utf8;
    const char *hint;            /* the last line */
    double grid_w[VIEW_SAMPLES]; /* oldest first, NAN where there is none */
    double load_w[VIEW_SAMPLES]; /* likewise */
    double second;               /* of the last sample; NAN before the first */
    int n_in_second;             /* statuses in it: the sample is their mean */
};

/* 'columns' and 'rows' of the terminal; less than 80 by 24 is cut off. */
void view_init(struct view *v, int columns, int rows);

/* Note a status at 'mono_s' for the curves. */
void view_note(struct view *v, const struct view_status *s, double mono_s);

/* One whole frame, from the cursor's home; at most VIEW_FRAME_MAX bytes with
 * the NUL.  Returns 'out'. */
const char *view_frame(const struct view *v, const struct view_status *s,
                       char *out);

/* The status in one line without a line break; returns 'out'. */
const char *view_summary(const struct view_status *s, char *out, size_t size);

#endif
