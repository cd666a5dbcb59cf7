/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/explain_events.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/event_book.h"
#include "models/calendar.h"
#include "models/units.h"

/* The oldest of which a settlement is made, too. */
static const int64_t BACK_MS = 45 * CALENDAR_DAY_MS;

static void take(void *user, const struct history_event *row)
{
    event_spans_take(user, row);
}

void explain_events_read(struct history_reader *r, int64_t at_ms,
                         struct explain_events *out)
{
    out->n = 0;
    struct event_spans *spans = calloc(1, sizeof(*spans));
    if (spans == NULL) {
        return;
    }
    /* what came later tells of a cancellation only, whose end lies later */
    history_read_events(
        r, (struct history_span){at_ms - BACK_MS, at_ms},
        (struct history_kinds){EVENT_BOOK_BEGIN, EVENT_BOOK_END}, take, spans);
    for (int i = 0; i < spans->n && out->n < UTILITY_EVENTS_MAX; i++) {
        const struct utility_in *u = &spans->spans[i].asked;
        if (u->start_at_ms <= at_ms && u->end_at_ms > at_ms) {
            out->held[out->n++] = *u;
        }
    }
    free(spans);
}

static const char *until_text(const struct utility_in *u,
                              char out[CALENDAR_TEXT_MAX])
{
    return u->end_at_ms < CALENDAR_END_MS
               ? calendar_format_utc(u->end_at_ms, out)
               : "it is cancelled";
}

void explain_events_print(const struct explain_events *e)
{
    for (int i = 0; i < e->n; i++) {
        const struct utility_in *u = &e->held[i];
        char value[32];
        char from[CALENDAR_TEXT_MAX];
        char until[CALENDAR_TEXT_MAX];
        if (u->kind == UTILITY_RESERVE) {
            units_percent_text(u->value, value, sizeof(value));
        } else {
            units_power_text(u->value, value, sizeof(value));
        }
        printf("  asked by the utility: %s %s, since %s until %s (%s)\n",
               utility_name((enum utility_kind)u->kind), value,
               calendar_format_utc(u->start_at_ms, from), until_text(u, until),
               u->id);
    }
}

void explain_events_add(cJSON *o, const struct explain_events *e)
{
    cJSON *list = cJSON_AddArrayToObject(o, "utility");
    for (int i = 0; i < e->n; i++) {
        const struct utility_in *u = &e->held[i];
        char text[CALENDAR_TEXT_MAX];
        cJSON *x = cJSON_CreateObject();
        cJSON_AddStringToObject(x, "id", u->id);
        cJSON_AddStringToObject(x, "kind",
                                utility_name((enum utility_kind)u->kind));
        cJSON_AddNumberToObject(
            x, u->kind == UTILITY_RESERVE ? "value_pu" : "value_w", u->value);
        cJSON_AddStringToObject(x, "start",
                                calendar_format_utc(u->start_at_ms, text));
        if (u->end_at_ms < CALENDAR_END_MS) {
            cJSON_AddStringToObject(x, "end",
                                    calendar_format_utc(u->end_at_ms, text));
        }
        cJSON_AddItemToArray(list, x);
    }
}
