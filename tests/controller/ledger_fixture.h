/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two fleets whose cars live at random. */
#ifndef TESTS_CONTROLLER_LEDGER_FIXTURE_H
#define TESTS_CONTROLLER_LEDGER_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ledger_keep.h"
#include "controller/step/step_state.h"
#include "models/random.h"
#include "tests/controller/history_sample.h"
#include "tests/site_fixture.h"

static const int64_t START_MS = INT64_C(1790000000000);

enum { LOT = 700, STREET = 61, CARS = LOT + STREET };

struct world {
    struct site *site;
    struct step_state *state;
    struct ledger_ring ring;
    struct ledger_book *book;
    uint64_t seed;
    char folder[64];
    char db[96];
};

static inline int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    w->site = fixture_site(1, 1, LOT);
    w->site->fleets[1] = fleet_usual(800.0);
    strcpy(w->site->fleets[1].name, "street");
    w->site->fleets[1].nodes = STREET;
    w->site->fleets[1].first_node = LOT;
    w->site->n_fleets = 2;
    w->site->n_nodes = CARS;
    strcpy(w->site->time_zone, "UTC");
    strcpy(w->site->currency, "USD");
    w->site->history.keep_s = 30.0 * 86400.0;
    w->state =
        calloc(1, sizeof(struct step_state) + CARS * sizeof(struct node_state));
    w->state->n_nodes = CARS;
    w->seed = random_seed(7);
    assert_int_equal(ledger_ring_init(&w->ring, w->site), ERR_NONE);
    assert_int_equal(ledger_book_open(w->site, w->state, &w->book), ERR_NONE);
    sample_folder(w->folder);
    snprintf(w->db, sizeof(w->db), "%s/h.db", w->folder);
    *state = w;
    return 0;
}

static inline int teardown(void **state)
{
    struct world *w = *state;
    sample_folder_remove(w->folder);
    ledger_book_close(w->book);
    ledger_ring_clear(&w->ring);
    free(w->state);
    free(w->site);
    free(w);
    return 0;
}

static inline double draw(struct world *w, double lo, double hi)
{
    return random_draw(&w->seed, lo, hi);
}

/* Some cars give something, in sixteenths so that sums are exact, or get
 * another answer. */
static inline void live(struct world *w, double share)
{
    static const enum reason answers[] = {REASON_NODE_OK, REASON_NODE_UNPLUGGED,
                                          REASON_NODE_DEPARTURE,
                                          REASON_NODE_HOT};
    for (int i = 0; i < CARS; i++) {
        struct node_state *n = &w->state->nodes[i];
        struct guard_ledger *l = &n->guard.ledger;
        if (draw(w, 0.0, 1.0) < share) {
            l->compute_wh += floor(draw(w, 0.0, 64.0)) / 16.0;
            l->pack_wh += floor(draw(w, 0.0, 16.0)) / 16.0;
            l->awake_h += 0.0625;
            l->virtual_km += floor(draw(w, 0.0, 4.0)) / 16.0;
            l->loss_ppm += floor(draw(w, 0.0, 32.0)) / 16.0;
            l->owed_cur += floor(draw(w, 0.0, 16.0)) / 16.0;
        }
        if (draw(w, 0.0, 1.0) < share) {
            n->command.reason = (int64_t)answers[(int)draw(w, 0.0, 4.0)];
        }
    }
}

static inline struct guard_ledger true_sum(const struct world *w, int fleet)
{
    const struct site_fleet *f = &w->site->fleets[fleet];
    struct guard_ledger sum = {0};
    for (int i = f->first_node; i < f->first_node + f->nodes; i++) {
        const struct guard_ledger *l = &w->state->nodes[i].guard.ledger;
        sum.compute_wh += l->compute_wh;
        sum.pack_wh += l->pack_wh;
        sum.awake_h += l->awake_h;
        sum.virtual_km += l->virtual_km;
        sum.loss_ppm += l->loss_ppm;
        sum.owed_cur += l->owed_cur;
    }
    return sum;
}

static inline void assert_same(const struct guard_ledger *a,
                               const struct guard_ledger *b)
{
    assert_memory_equal(a, b, sizeof(*a));
}

/* A round of ticks; the reader looks now and then, or hardly ever. */
static inline void go_round(struct world *w, int64_t *mono_ms, double look)
{
    for (int k = 0; k < 4 * CARS / 16; k++) {
        *mono_ms += 100;
        ledger_ring_push(&w->ring, w->state, *mono_ms);
        if (draw(w, 0.0, 1.0) < look) {
            ledger_book_fetch(w->book, &w->ring);
        }
    }
    ledger_book_fetch(w->book, &w->ring);
}

#endif
