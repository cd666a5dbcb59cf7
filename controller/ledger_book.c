/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/ledger_book.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/zone_file.h"
#include "models/calendar.h"

static const int64_t TOP_EVERY_MS = 5000;

enum { LOOK_MAX = 16384 }; /* cars looked at in one call for rows */

struct car {
    struct guard_ledger now;
    struct guard_ledger saved; /* of that, in the history */
    int64_t reason;
    int64_t mono_ms; /* when it was heard of; 0 for not yet */
    double held_s;
};

struct ledger_book {
    const struct site *site;
    struct zone zone;
    pthread_mutex_t lock; /* of all below */
    struct car *cars;     /* owned, of all fleets */
    struct ledger_fleet fleets[SITE_FLEETS_MAX];
    int64_t top_mono_ms; /* when the lists were made */
};

static void add(struct guard_ledger *to, const struct guard_ledger *x)
{
    to->compute_wh += x->compute_wh;
    to->pack_wh += x->pack_wh;
    to->awake_h += x->awake_h;
    to->virtual_km += x->virtual_km;
    to->loss_ppm += x->loss_ppm;
    to->owed_cur += x->owed_cur;
}

/* What came to 'then' until 'now'. */
static struct guard_ledger since(const struct guard_ledger *now,
                                 const struct guard_ledger *then)
{
    return (struct guard_ledger){
        .compute_wh = now->compute_wh - then->compute_wh,
        .pack_wh = now->pack_wh - then->pack_wh,
        .awake_h = now->awake_h - then->awake_h,
        .virtual_km = now->virtual_km - then->virtual_km,
        .loss_ppm = now->loss_ppm - then->loss_ppm,
        .owed_cur = now->owed_cur - then->owed_cur,
    };
}

static bool is_nothing(const struct guard_ledger *x)
{
    static const struct guard_ledger nothing;
    return memcmp(x, &nothing, sizeof(nothing)) == 0;
}

/* The fleet of a node, looked for from 'fleet' on. */
static int fleet_of(const struct site *site, int64_t node, int fleet)
{
    while (node >= site->fleets[fleet].first_node + site->fleets[fleet].nodes) {
        fleet++;
    }
    return fleet;
}

/* Refused although it is there, plugged in, agreed and offers its computer. */
static bool is_held(int64_t reason)
{
    return reason != REASON_NODE_OK && reason != REASON_NONE &&
           reason != REASON_NODE_IN_USE && reason != REASON_NODE_UNPLUGGED &&
           reason != REASON_NODE_NOT_OFFERED &&
           reason != REASON_NODE_NO_CONSENT && reason != REASON_NODE_STALE;
}

static void take(struct ledger_fleet *f, struct car *c,
                 const struct step_car *now, int64_t mono_ms)
{
    struct guard_ledger more = since(&now->ledger, &c->now);
    add(&f->sum, &more);
    c->now = now->ledger;
    f->loss_ppm_max = fmax(f->loss_ppm_max, c->now.loss_ppm);
    double s = c->mono_ms > 0 ? (double)(mono_ms - c->mono_ms) / 1e3 : 0.0;
    if (c->reason != REASON_NODE_OK && c->reason != REASON_NONE) {
        f->refused_s[c->reason] += s;
    }
    c->held_s += is_held(c->reason) ? s : 0.0;
    f->n_by_reason[c->reason]--;
    f->n_by_reason[now->reason]++;
    c->reason = now->reason;
    c->mono_ms = mono_ms;
}

static void take_slice(struct ledger_book *b, const struct ledger_slice *s)
{
    int fleet = 0;
    for (int64_t i = 0; i < s->n; i++) {
        fleet = fleet_of(b->site, s->from + i, fleet);
        take(&b->fleets[fleet], &b->cars[s->from + i], &s->cars[i], s->mono_ms);
    }
}

static struct ledger_car car_at(const struct ledger_book *b, int fleet,
                                int64_t i)
{
    const struct car *c = &b->cars[b->site->fleets[fleet].first_node + i];
    return (struct ledger_car){
        .index = i,
        .ledger = c->now,
        .reason = (enum reason)c->reason,
        .held_s = c->held_s,
    };
}

static double owed(const struct ledger_car *c)
{
    return c->ledger.owed_cur;
}

static double held(const struct ledger_car *c)
{
    return c->held_s;
}

/* Put 'c' where it belongs in a list of the LEDGER_TOP largest. */
static int place(struct ledger_car *list, int n, const struct ledger_car *c,
                 double (*of)(const struct ledger_car *c))
{
    if (of(c) <= 0.0 || (n == LEDGER_TOP && of(c) <= of(&list[n - 1]))) {
        return n;
    }
    int i = n < LEDGER_TOP ? n : LEDGER_TOP - 1;
    for (; i > 0 && of(&list[i - 1]) < of(c); i--) {
        list[i] = list[i - 1];
    }
    list[i] = *c;
    return n < LEDGER_TOP ? n + 1 : n;
}

static void make_lists(struct ledger_book *b, int fleet)
{
    struct ledger_fleet *f = &b->fleets[fleet];
    f->n_most_owed = 0;
    f->n_most_held = 0;
    for (int64_t i = 0; i < b->site->fleets[fleet].nodes; i++) {
        struct ledger_car c = car_at(b, fleet, i);
        f->n_most_owed = place(f->most_owed, f->n_most_owed, &c, owed);
        f->n_most_held = place(f->most_held, f->n_most_held, &c, held);
    }
}

enum err ledger_book_open(const struct site *site,
                          const struct step_state *state,
                          struct ledger_book **out)
{
    struct ledger_book *b = calloc(1, sizeof(*b));
    if (b == NULL) {
        return ERR_MEMORY;
    }
    b->cars = calloc((size_t)site->n_nodes + 1, sizeof(*b->cars));
    if (b->cars == NULL) {
        free(b);
        return ERR_MEMORY;
    }
    char why[200];
    if (zone_file_load(site->time_zone, &b->zone, why, sizeof(why)) !=
        ERR_NONE) {
        zone_utc(&b->zone);
    }
    b->site = site;
    pthread_mutex_init(&b->lock, NULL);
    for (int f = 0; f < site->n_fleets; f++) {
        b->fleets[f].n_by_reason[REASON_NONE] = site->fleets[f].nodes;
    }
    ledger_book_finish(b, state, 0);
    for (int64_t i = 0; i < site->n_nodes; i++) {
        b->cars[i].saved = b->cars[i].now;
    }
    *out = b;
    return ERR_NONE;
}

void ledger_book_close(struct ledger_book *b)
{
    pthread_mutex_destroy(&b->lock);
    free(b->cars);
    free(b);
}

void ledger_book_fetch(struct ledger_book *b, struct ledger_ring *ring)
{
    pthread_mutex_lock(&b->lock);
    int64_t mono_ms = 0;
    const struct ledger_slice *s = NULL;
    while ((s = ledger_ring_front(ring)) != NULL) {
        take_slice(b, s);
        mono_ms = s->mono_ms;
        ledger_ring_pop(ring);
    }
    if (mono_ms - b->top_mono_ms >= TOP_EVERY_MS) {
        b->top_mono_ms = mono_ms;
        for (int f = 0; f < b->site->n_fleets; f++) {
            make_lists(b, f);
        }
    }
    pthread_mutex_unlock(&b->lock);
}

void ledger_book_finish(struct ledger_book *b, const struct step_state *state,
                        int64_t mono_ms)
{
    pthread_mutex_lock(&b->lock);
    int fleet = 0;
    for (int64_t i = 0; i < b->site->n_nodes; i++) {
        struct step_car car;
        step_cars(state, i, 1, &car);
        fleet = fleet_of(b->site, i, fleet);
        take(&b->fleets[fleet], &b->cars[i], &car, mono_ms);
    }
    pthread_mutex_unlock(&b->lock);
}

void ledger_book_fleet(struct ledger_book *b, int fleet,
                       struct ledger_fleet *out)
{
    assert(fleet >= 0 && fleet < b->site->n_fleets);
    pthread_mutex_lock(&b->lock);
    *out = b->fleets[fleet];
    pthread_mutex_unlock(&b->lock);
}

void ledger_book_cars(struct ledger_book *b, int fleet, int64_t from, int64_t n,
                      struct ledger_car *out)
{
    assert(fleet >= 0 && fleet < b->site->n_fleets);
    assert(from >= 0 && n >= 0 && from + n <= b->site->fleets[fleet].nodes);
    pthread_mutex_lock(&b->lock);
    for (int64_t i = 0; i < n; i++) {
        out[i] = car_at(b, fleet, from + i);
    }
    pthread_mutex_unlock(&b->lock);
}

/* A row without its car. */
static struct ledger_day day_of(const struct zone *zone, int64_t utc_ms)
{
    struct ledger_day row = {.at_ms = 0};
    int64_t day = calendar_day_of(zone_utc_to_local(zone, utc_ms));
    struct calendar_date date = calendar_date(day);
    zone_local_to_utc(zone, day * CALENDAR_DAY_MS, false, &row.at_ms);
    snprintf(row.day, sizeof(row.day), "%04d-%02d-%02d", date.year, date.month,
             date.day);
    return row;
}

int ledger_book_unsaved(struct ledger_book *b, int64_t *next, int64_t utc_ms,
                        struct ledger_day *out, int max)
{
    int n = 0;
    struct ledger_day row = day_of(&b->zone, utc_ms);
    int fleet = 0;
    pthread_mutex_lock(&b->lock);
    for (int k = 0; k < LOOK_MAX && *next < b->site->n_nodes && n < max; k++) {
        const struct car *c = &b->cars[*next];
        struct guard_ledger added = since(&c->now, &c->saved);
        if (!is_nothing(&added)) {
            fleet = fleet_of(b->site, *next, fleet);
            row.fleet = fleet;
            row.node = *next;
            row.added = added;
            row.until = c->now;
            out[n++] = row;
        }
        ++*next;
    }
    pthread_mutex_unlock(&b->lock);
    return n;
}

void ledger_book_saved(struct ledger_book *b, const struct ledger_day *rows,
                       int n)
{
    pthread_mutex_lock(&b->lock);
    for (int i = 0; i < n; i++) {
        b->cars[rows[i].node].saved = rows[i].until;
    }
    pthread_mutex_unlock(&b->lock);
}
