/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/event_book.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/calendar.h"

/* policies/dr_meaning leaves that much of an event's id. */
enum { CUT_BYTES = 18 };

/* No power beyond it is one. */
static const double VALUE_MAX = 1e12;

void event_book_text(const struct utility_in *u, char *out, size_t size)
{
    char from[CALENDAR_TEXT_MAX];
    char to[CALENDAR_TEXT_MAX] = "-";
    if (u->end_at_ms < CALENDAR_END_MS) {
        calendar_format_utc(u->end_at_ms, to);
    }
    snprintf(out, size, "%s %.9g %s %s",
             utility_name((enum utility_kind)u->kind), u->value,
             calendar_format_utc(u->start_at_ms, from), to);
}

static bool parse_kind(const char *name, int64_t *kind)
{
    for (int i = 0; i < UTILITY_COUNT; i++) {
        if (strcmp(utility_name((enum utility_kind)i), name) == 0) {
            *kind = i;
            return true;
        }
    }
    return false;
}

bool event_book_parse(const char *id, const char *text, struct utility_in *out)
{
    char kind[16];
    char value[32];
    char from[CALENDAR_TEXT_MAX];
    char to[CALENDAR_TEXT_MAX];
    char more;
    struct utility_in u = {.end_at_ms = INT64_MAX};
    if (sscanf(text, "%15s %31s %31s %31s %c", kind, value, from, to, &more) !=
            4 ||
        strlen(id) >= sizeof(u.id) || id[0] == '\0' ||
        !parse_kind(kind, &u.kind)) {
        return false;
    }
    char *end = NULL;
    u.value = strtod(value, &end);
    bool good = *end == '\0' && isfinite(u.value) &&
                fabs(u.value) <= VALUE_MAX &&
                calendar_parse_utc(from, &u.start_at_ms) == ERR_NONE;
    if (good && strcmp(to, "-") != 0) {
        good = calendar_parse_utc(to, &u.end_at_ms) == ERR_NONE;
    }
    memcpy(u.id, id, strlen(id) + 1);
    if (good) {
        *out = u;
    }
    return good;
}

static bool same(const struct utility_in *a, const struct utility_in *b)
{
    return a->kind == b->kind && a->start_at_ms == b->start_at_ms &&
           strcmp(a->id, b->id) == 0;
}

/* The contract's own limit is no event. */
static bool is_booked(const struct utility_in *u)
{
    static const char contract[] = "subscribed@";
    return u->id[0] != '\0' && u->kind != UTILITY_PRICE &&
           strncmp(u->id, contract, sizeof(contract) - 1) != 0;
}

static bool holds(const struct utility_in *u, int64_t utc_ms)
{
    return is_booked(u) && u->start_at_ms <= utc_ms && u->end_at_ms > utc_ms;
}

static bool comes(const struct utility_in *u, int64_t utc_ms)
{
    return is_booked(u) && u->start_at_ms > utc_ms;
}

static void say(struct historian *h, int64_t utc_ms, const char *what,
                const struct utility_in *u)
{
    char text[HISTORY_TEXT_MAX];
    event_book_text(u, text, sizeof(text));
    if (h != NULL) {
        historian_event(h, utc_ms, what, u->id, text);
    }
}

static const struct utility_in *find(const struct snapshot *in,
                                     const struct utility_in *u, int64_t utc_ms)
{
    for (int i = 0; i < UTILITY_LOCAL_AT; i++) {
        if (same(&in->utility[i], u) && holds(&in->utility[i], utc_ms)) {
            return &in->utility[i];
        }
    }
    return NULL;
}

/* What held and holds no longer. */
static void close_gone(struct event_book *b, const struct snapshot *in,
                       int64_t utc_ms, struct historian *h)
{
    int n = 0;
    for (int i = 0; i < b->n; i++) {
        struct utility_in *u = &b->held[i];
        if (find(in, u, utc_ms) != NULL) {
            b->held[n++] = *u;
            continue;
        }
        if (u->end_at_ms > utc_ms) {
            u->end_at_ms = utc_ms; /* cancelled */
        }
        say(h, utc_ms, EVENT_BOOK_END, u);
    }
    b->n = n;
}

/* What was coming and is not any more; what has begun is not told again. */
static void close_coming(struct event_book *b, const struct snapshot *in,
                         int64_t utc_ms, struct historian *h)
{
    int n = 0;
    for (int i = 0; i < b->n_coming; i++) {
        const struct utility_in u = b->coming[i];
        bool listed = false;
        for (int k = 0; k < UTILITY_LOCAL_AT && !listed; k++) {
            listed = same(&in->utility[k], &u);
        }
        if (listed && comes(&u, utc_ms)) {
            b->coming[n++] = u;
        } else if (comes(&u, utc_ms)) {
            say(h, utc_ms, EVENT_BOOK_GONE, &u);
        }
    }
    b->n_coming = n;
}

static void look_ahead(struct event_book *b, const struct snapshot *in,
                       int64_t utc_ms, struct historian *h)
{
    close_coming(b, in, utc_ms, h);
    for (int i = 0; i < UTILITY_LOCAL_AT; i++) {
        const struct utility_in *u = &in->utility[i];
        int k = 0;
        while (k < b->n_coming && !same(&b->coming[k], u)) {
            k++;
        }
        bool news = k == b->n_coming || b->coming[k].value != u->value ||
                    b->coming[k].end_at_ms != u->end_at_ms;
        if (!comes(u, utc_ms) || !news || k == UTILITY_EVENTS_MAX) {
            continue;
        }
        b->n_coming += k == b->n_coming ? 1 : 0;
        b->coming[k] = *u;
        say(h, utc_ms, EVENT_BOOK_COMING, u);
    }
}

void event_book_look(struct event_book *b, const struct snapshot *in,
                     int64_t utc_ms, struct historian *h)
{
    look_ahead(b, in, utc_ms, h);
    close_gone(b, in, utc_ms, h);
    for (int i = 0; i < UTILITY_LOCAL_AT; i++) {
        const struct utility_in *u = &in->utility[i];
        struct utility_in *known = NULL;
        for (int k = 0; k < b->n && known == NULL; k++) {
            known = same(&b->held[k], u) ? &b->held[k] : NULL;
        }
        bool news = known == NULL || known->value != u->value ||
                    known->end_at_ms != u->end_at_ms;
        if (!holds(u, utc_ms) || !news ||
            (known == NULL && b->n == UTILITY_EVENTS_MAX)) {
            continue;
        }
        if (known == NULL) {
            known = &b->held[b->n++];
        }
        *known = *u;
        say(h, utc_ms, EVENT_BOOK_BEGIN, u);
    }
}

void event_spans_take(struct event_spans *s, const struct history_event *row)
{
    struct event_span new = {.known_ms = row->at_ms,
                             .ended = strcmp(row->kind, EVENT_BOOK_END) == 0 ||
                                      strcmp(row->kind, EVENT_BOOK_GONE) == 0};
    if ((!new.ended &&strcmp(row->kind, EVENT_BOOK_BEGIN) != 0 &&
         strcmp(row->kind, EVENT_BOOK_COMING) != 0) ||
        !event_book_parse(row->asset, row->text, &new.asked)) {
        return;
    }
    for (int i = s->n - 1; i >= 0; i--) {
        if (same(&s->spans[i].asked, &new.asked)) {
            new.known_ms = s->spans[i].known_ms;
            s->spans[i] = new;
            return;
        }
    }
    if (s->n == EVENT_SPANS_MAX) {
        s->n--;
        memmove(&s->spans[0], &s->spans[1], (size_t)s->n * sizeof(s->spans[0]));
    }
    s->spans[s->n++] = new;
}

bool event_span_is(const struct event_span *s, const char *id)
{
    const char *own = s->asked.id;
    const char *at = strrchr(own, '@');
    if (strcmp(own, id) == 0) {
        return true;
    }
    /* an OpenADR id may be longer than what is left of it */
    size_t n = at != NULL ? (size_t)(at - own) : 0;
    return n > 0 && strncmp(own, id, n) == 0 &&
           (id[n] == '\0' || n >= CUT_BYTES);
}
