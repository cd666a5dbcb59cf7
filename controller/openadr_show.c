/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/openadr_show.h"

#include <stdio.h>

#include "controller/clock.h"
#include "policies/dr_meaning.h"

static void show_row(struct openadr_report_view *r, const struct dr_row *row,
                     const struct dr_event *event,
                     const struct override_book *overrides)
{
    if (r->n_rows == OPENADR_SHOWN_MAX) {
        return;
    }
    struct openadr_shown *s = &r->rows[r->n_rows++];
    *s = (struct openadr_shown){.subject = row->subject,
                                .start_ms = row->start_ms,
                                .end_ms = row->end_ms,
                                .value = row->value};
    snprintf(s->event, sizeof(s->event), "%s", event->id);
    snprintf(s->name, sizeof(s->name), "%s", event->name);
    snprintf(s->notice, sizeof(s->notice), "%s", event->notice);
    s->opted_out = override_opted_out(overrides, event->id, clock_utc_ms());
    s->binds = dr_meaning_binds((enum dr_subject)row->subject, row->value);
}

void openadr_show(struct openadr_report_view *r, const struct dr_rows *rows,
                  const struct openadr_events *events,
                  const struct override_book *overrides)
{
    r->n_events = events->n;
    r->listed_utc_ms = events->listed_utc_ms;
    r->n_rows = 0;
    r->n_faults = events->n_unread;
    r->fault[0] = '\0';
    r->doubt[0] = '\0';
    for (int64_t i = 0; i < rows->n; i++) {
        const struct dr_row *row = &rows->rows[i];
        show_row(r, row, events->list[row->event], overrides);
    }
    for (int64_t i = 0; i < events->n; i++) {
        const struct dr_event *e = events->list[i];
        r->n_faults += e->fault[0] != '\0';
        if (e->fault[0] != '\0' && r->fault[0] == '\0') {
            snprintf(r->fault, sizeof(r->fault), "event %.40s: %s", e->id,
                     e->fault);
        }
        if (r->doubt[0] == '\0' && dr_timing_overlaps(&e->timing)) {
            snprintf(r->doubt, sizeof(r->doubt), "event %.40s%s", e->id,
                     OPENADR_CONTRADICTS);
        }
    }
}
