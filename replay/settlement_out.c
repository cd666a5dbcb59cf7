/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/settlement_out.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "controller/zone_file.h"

enum { CELL_MS = 60000, CELL_S = 60, PATH_SIZE = 1024 };

/* A second is over when so much of it has gone by. */
static const double SECOND_S = 1.0 - 1e-6;

/* What one settlement needs. */
struct maker {
    const struct settlement_out *o;
    const struct settlement_out_cfg *cfg;
    struct settlement s;
    struct zone zone;
    struct baseline_load load;
    double *cells_w; /* owned */
    struct baseline_span others[SETTLE_PIECES_MAX];
};

bool settlement_out_open(struct settlement_out *o, int64_t start_ms,
                         double duration_s)
{
    int64_t n = (int64_t)ceil(duration_s) + 1;
    *o = (struct settlement_out){.start_ms = start_ms,
                                 .n_max = n,
                                 .grid_w = malloc((size_t)n * sizeof(float)),
                                 .ramp_w_per_s =
                                     malloc((size_t)n * sizeof(float))};
    return o->grid_w != NULL && o->ramp_w_per_s != NULL;
}

void settlement_out_clear(struct settlement_out *o)
{
    free(o->grid_w);
    free(o->ramp_w_per_s);
    *o = (struct settlement_out){0};
}

void settlement_out_tick(struct settlement_out *o, double period_s,
                         double grid_w, double ramp_w_per_s)
{
    o->sum_ws += grid_w * period_s;
    o->sum_s += period_s;
    if (fabs(ramp_w_per_s) > fabs(o->ramp_max_w_per_s)) {
        o->ramp_max_w_per_s = ramp_w_per_s;
    }
    while (o->sum_s >= SECOND_S && o->n < o->n_max) {
        double mean_w = o->sum_ws / o->sum_s;
        o->grid_w[o->n] = (float)mean_w;
        o->ramp_w_per_s[o->n] = (float)o->ramp_max_w_per_s;
        o->n++;
        o->sum_s = fmax(o->sum_s - 1.0, 0.0);
        o->sum_ws = mean_w * o->sum_s;
        o->ramp_max_w_per_s = 0.0;
    }
}

static int64_t end_ms(const struct settlement_out *o)
{
    return o->start_ms + o->n * 1000;
}

/* When an instruction held in the run; false for never. */
static bool held(const struct settlement_out *o, const struct events_utility *u,
                 struct baseline_span *span)
{
    const int64_t ends[] = {u->in.end_at_ms, u->replaced_ms, end_ms(o)};
    span->from_ms =
        u->in.start_at_ms > o->start_ms ? u->in.start_at_ms : o->start_ms;
    if (u->known_ms > span->from_ms) {
        span->from_ms = u->known_ms;
    }
    span->to_ms = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        span->to_ms = ends[i] < span->to_ms ? ends[i] : span->to_ms;
    }
    bool asks = u->in.kind != UTILITY_PRICE && u->in.kind != UTILITY_ISLAND;
    return asks && span->to_ms > span->from_ms;
}

static bool begin(struct maker *m, const struct events_utility *u)
{
    struct settlement *s = &m->s;
    const struct settlement_out *o = m->o;
    s->site = m->cfg->site;
    s->event = u->in.id;
    s->source = "replay";
    s->made_ms = end_ms(o);
    s->terms = settlement_terms_of(s->site);
    s->in.zone = &m->zone;
    s->in.load = &m->load;
    s->in.others = m->others;
    s->n_pieces = 1;
    s->pieces[0] = (struct settle_piece){u->in.kind, s->in.event.from_ms,
                                         s->in.event.to_ms, u->in.value};
    snprintf(s->evidence_path, sizeof(s->evidence_path), "%s/evidence.log",
             m->cfg->dir);
    int64_t n = (s->in.event.from_ms - o->start_ms) / CELL_MS + 1;
    m->cells_w = malloc((size_t)n * sizeof(m->cells_w[0]));
    m->load = (struct baseline_load){o->start_ms, CELL_MS, n, m->cells_w};
    return m->cells_w != NULL && settlement_begin(s);
}

/* What was drawn until the event began. */
static void fill_load(struct maker *m)
{
    for (int64_t k = 0; k < m->load.n; k++) {
        double sum_w = 0.0;
        int64_t n = 0;
        for (int64_t i = k * CELL_S; i < (k + 1) * CELL_S && i < m->o->n; i++) {
            bool before = m->o->start_ms + i * 1000 < m->s.in.event.from_ms;
            sum_w += before ? (double)m->o->grid_w[i] : 0.0;
            n += before;
        }
        m->cells_w[k] = n > 0 ? sum_w / (double)n : NAN;
    }
}

static char *settle_text(struct maker *m)
{
    fill_load(m);
    for (int64_t i = 0; i < m->o->n; i++) {
        settlement_row(&m->s,
                       &(struct settle_row){.at_ms = m->o->start_ms + i * 1000,
                                            .length_s = 1.0,
                                            .grid_w = (double)m->o->grid_w[i],
                                            .ramp_w_per_s =
                                                (double)m->o->ramp_w_per_s[i]});
    }
    settlement_end(&m->s);
    return settlement_text(&m->s);
}

static bool write_text(const char *path, const char *text)
{
    FILE *file = text != NULL ? fopen(path, "wb") : NULL;
    bool good = file != NULL && fputs(text, file) >= 0;
    good = file != NULL && fclose(file) == 0 && good;
    if (!good) {
        cli_error("replay", "--out: %s: %s", path,
                  text != NULL ? strerror(errno) : "out of memory");
    }
    return good;
}

/* Settle event 'i', number 'k' of 'n' that held. */
static bool write_one(const struct settlement_out *o,
                      const struct settlement_out_cfg *cfg, size_t i,
                      const int64_t k_of_n[2])
{
    struct maker *m = calloc(1, sizeof(*m));
    char why[200] = "out of memory";
    bool good = m != NULL && zone_file_load(cfg->site->time_zone, &m->zone, why,
                                            sizeof(why)) == ERR_NONE;
    if (!good) {
        cli_error("replay", "time zone %s: %s", cfg->site->time_zone, why);
        free(m);
        return false;
    }
    m->o = o;
    m->cfg = cfg;
    held(o, &cfg->events->utility[i], &m->s.in.event);
    struct baseline_span *other = &m->others[0];
    for (size_t q = 0; q < cfg->events->n_utility; q++) {
        if (q != i && m->s.in.n_others < SETTLE_PIECES_MAX &&
            held(o, &cfg->events->utility[q], other)) {
            m->s.in.n_others++;
            other++;
        }
    }
    char *text = begin(m, &cfg->events->utility[i]) ? settle_text(m) : NULL;
    char path[PATH_SIZE];
    if (k_of_n[1] == 1) {
        snprintf(path, sizeof(path), "%s/settlement.json", cfg->dir);
    } else {
        snprintf(path, sizeof(path), "%s/settlement-%lld.json", cfg->dir,
                 (long long)k_of_n[0]);
    }
    good = write_text(path, text);
    free(text);
    free(m->cells_w);
    free(m);
    return good;
}

bool settlement_out_write(const struct settlement_out *o,
                          const struct settlement_out_cfg *cfg)
{
    struct baseline_span span;
    int64_t k_of_n[2] = {0, 0};
    for (size_t i = 0; i < cfg->events->n_utility; i++) {
        k_of_n[1] += held(o, &cfg->events->utility[i], &span);
    }
    bool good = true;
    for (size_t i = 0; i < cfg->events->n_utility && good; i++) {
        if (held(o, &cfg->events->utility[i], &span)) {
            k_of_n[0]++;
            good = write_one(o, cfg, i, k_of_n);
        }
    }
    return good;
}
