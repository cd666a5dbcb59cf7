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

/* Keeps the nearest, in order. */
static void put_coming(struct explain_events *out, const struct utility_in *u)
{
    int i = out->n_coming;
    if (i == EXPLAIN_COMING_MAX) {
        i--;
        if (out->coming[i].start_at_ms <= u->start_at_ms) {
            return;
        }
    } else {
        out->n_coming++;
    }
    while (i > 0 && out->coming[i - 1].start_at_ms > u->start_at_ms) {
        out->coming[i] = out->coming[i - 1];
        i--;
    }
    out->coming[i] = *u;
}

static void take_start(void *user, const struct history_event *row)
{
    int64_t *started_ms = user;
    *started_ms = row->at_ms;
}

/* Since the controller's last start: it tells all that it hears again, and
 * what was withdrawn while it did not run it cannot tell. */
static void read_coming(struct history_reader *r, int64_t at_ms,
                        struct event_spans *spans, struct explain_events *out)
{
    struct history_span span = {at_ms - BACK_MS, at_ms};
    history_read_events(r, span, (struct history_kinds){"start", "start"},
                        take_start, &span.from_ms);
    spans->n = 0;
    history_read_events(
        r, span, (struct history_kinds){EVENT_BOOK_COMING, EVENT_BOOK_GONE},
        take, spans);
    for (int i = 0; i < spans->n; i++) {
        const struct event_span *s = &spans->spans[i];
        if (!s->ended && s->asked.start_at_ms > at_ms) {
            put_coming(out, &s->asked);
        }
    }
}

void explain_events_read(struct history_reader *r, int64_t at_ms,
                         struct explain_events *out)
{
    out->n = 0;
    out->n_coming = 0;
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
    read_coming(r, at_ms, spans, out);
    free(spans);
}

static const char *until_text(const struct utility_in *u,
                              char out[CALENDAR_TEXT_MAX])
{
    return u->end_at_ms < CALENDAR_END_MS
               ? calendar_format_utc(u->end_at_ms, out)
               : "it is cancelled";
}

static void print_one(const struct utility_in *u, bool active)
{
    char value[32];
    char from[CALENDAR_TEXT_MAX];
    char until[CALENDAR_TEXT_MAX];
    if (u->kind == UTILITY_RESERVE) {
        units_percent_text(u->value, value, sizeof(value));
    } else {
        units_power_text(u->value, value, sizeof(value));
    }
    printf("  %s: %s %s, %s %s until %s (%s)\n",
           active ? "asked by the utility" : "coming",
           utility_name((enum utility_kind)u->kind), value,
           active ? "since" : "from", calendar_format_utc(u->start_at_ms, from),
           until_text(u, until), u->id);
}

void explain_events_print(const struct explain_events *e)
{
    for (int i = 0; i < e->n; i++) {
        print_one(&e->held[i], true);
    }
    for (int i = 0; i < e->n_coming; i++) {
        print_one(&e->coming[i], false);
    }
}

static void add_one(cJSON *list, const struct utility_in *u, const char *state)
{
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
    cJSON_AddStringToObject(x, "state", state);
    cJSON_AddItemToArray(list, x);
}

void explain_events_add(cJSON *o, const struct explain_events *e)
{
    cJSON *list = cJSON_AddArrayToObject(o, "utility");
    for (int i = 0; i < e->n; i++) {
        add_one(list, &e->held[i], "active");
    }
    for (int i = 0; i < e->n_coming; i++) {
        add_one(list, &e->coming[i], "coming");
    }
}
