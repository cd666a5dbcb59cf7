/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/events.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void events_clear(struct events *e)
{
    free(e->utility);
    free(e->jobs);
    free(e->faults);
    *e = (struct events){0};
}

void events_post_job(struct snapshot *s, const struct job_in *job)
{
    int64_t last = 0;
    for (int i = 0; i < JOB_MARKERS_MAX; i++) {
        last = s->jobs[i].seq > last ? s->jobs[i].seq : last;
    }
    struct job_in *slot = &s->jobs[(last + 1) % JOB_MARKERS_MAX];
    *slot = *job;
    slot->seq = last + 1;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Fills the slots anew and finds out when they change next. */
static void fill_utility(const struct events *e, struct events_cursor *cursor,
                         int64_t utc_ms, struct snapshot *s)
{
    int n = 0;
    memset(s->utility, 0, sizeof(s->utility));
    cursor->again_ms = INT64_MAX;
    for (size_t i = 0; i < e->n_utility; i++) {
        const struct events_utility *u = &e->utility[i];
        if (u->known_ms > utc_ms) {
            cursor->again_ms = earlier(cursor->again_ms, u->known_ms);
            continue;
        }
        int64_t over_ms = earlier(u->replaced_ms, u->in.end_at_ms);
        if (over_ms <= utc_ms) {
            continue;
        }
        cursor->again_ms = earlier(cursor->again_ms, over_ms);
        if (n < UTILITY_LOCAL_AT) {
            s->utility[n++] = u->in;
        }
    }
}

void events_apply(const struct events *e, struct events_cursor *cursor,
                  int64_t utc_ms, struct snapshot *s)
{
    if (utc_ms >= cursor->again_ms) {
        fill_utility(e, cursor, utc_ms, s);
    }
    while (cursor->next_job < e->n_jobs &&
           e->jobs[cursor->next_job].post_ms <= utc_ms) {
        events_post_job(s, &e->jobs[cursor->next_job].in);
        cursor->next_job++;
    }
}

const struct events_fault *events_fault(const struct events *e,
                                        struct events_cursor *cursor,
                                        int64_t utc_ms)
{
    if (cursor->next_fault >= e->n_faults ||
        e->faults[cursor->next_fault].at_ms > utc_ms) {
        return NULL;
    }
    return &e->faults[cursor->next_fault++];
}
