/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_backlog.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 900, DECISIONS_MAX = 512 };

enum err backlog_init(struct history_backlog *b, int n_batteries)
{
    memset(b, 0, sizeof(*b));
    b->n_batteries = n_batteries;
    b->row_size = second_row_size(n_batteries);
    b->rows = calloc(ROWS_MAX, b->row_size);
    b->open = calloc(1, b->row_size);
    b->decisions = calloc(DECISIONS_MAX, sizeof(*b->decisions));
    if (b->rows == NULL || b->open == NULL || b->decisions == NULL) {
        backlog_clear(b);
        return ERR_MEMORY;
    }
    return ERR_NONE;
}

void backlog_clear(struct history_backlog *b)
{
    free(b->rows);
    free(b->open);
    free(b->decisions);
    *b = (struct history_backlog){0};
}

static struct second_row *row_at(const struct history_backlog *b, size_t i)
{
    size_t at = (b->first + i) % ROWS_MAX;
    return (struct second_row *)(void *)(b->rows + at * b->row_size);
}

void backlog_close_second(struct history_backlog *b)
{
    if (b->open->n_ticks == 0) {
        return;
    }
    if (b->n_rows == ROWS_MAX) {
        b->first = (b->first + 1) % ROWS_MAX;
        b->n_rows--;
        b->n_dropped++;
    }
    second_row_close(b->open);
    memcpy(row_at(b, b->n_rows), b->open, b->row_size);
    b->n_rows++;
    b->open->n_ticks = 0;
    b->closed_tick = b->open_tick;
}

static void add_decision(struct history_backlog *b, const struct decision *d)
{
    if (b->n_decisions == DECISIONS_MAX) {
        b->first_decision = (b->first_decision + 1) % DECISIONS_MAX;
        b->n_decisions--;
    }
    b->decisions[(b->first_decision + b->n_decisions) % DECISIONS_MAX] = *d;
    b->n_decisions++;
}

bool backlog_tick(struct history_backlog *b, const struct snapshot *in,
                  const struct step_out *out)
{
    bool is_new =
        b->open->n_ticks == 0 || !second_row_holds(b->open, in->utc_ms);
    if (is_new) {
        backlog_close_second(b);
        second_row_init(b->open, in->utc_ms, b->n_batteries);
    }
    second_row_add(b->open, in, out);
    b->open_tick = in->tick;
    struct decision d;
    if (decision_due(&b->watch, &out->record, &d)) {
        add_decision(b, &d);
    }
    return is_new;
}

bool backlog_waits(const struct history_backlog *b)
{
    return b->n_rows + b->n_decisions > 0;
}

enum err backlog_write(const struct history_backlog *b, struct history_db *db,
                       const struct site *site)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < b->n_rows && e == ERR_NONE; i++) {
        e = history_db_second(db, row_at(b, i));
    }
    for (size_t i = 0; i < b->n_decisions && e == ERR_NONE; i++) {
        size_t at = (b->first_decision + i) % DECISIONS_MAX;
        e = history_db_decision(db, site, &b->decisions[at]);
    }
    return e;
}

void backlog_done(struct history_backlog *b)
{
    b->n_rows = 0;
    b->n_decisions = 0;
}
