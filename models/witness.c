/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/witness.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/clamp.h"

static const double minute_s = 60.0;

/* More that were missed say nothing new: every window is filled with what was
 * seen last. */
static const double missed_max_s = 120.0;

void witness_init(struct witness *w, const struct site_grid *grid,
                  double period_s)
{
    memset(w, 0, sizeof(*w));
    compliance_init(&w->with, grid, period_s, 0);
    compliance_init(&w->without, grid, period_s, 0);
    edges_init(&w->edges, grid, period_s);
    w->period_s = period_s;
    w->pause_ticks = w->with.ramp.mean.n;
    w->limit_w = NAN;
}

/* What comes while nobody takes is counted, and the oldest stay. */
static void tell(struct witness *w, const struct witness_event *e)
{
    if (w->n_events == WITNESS_EVENTS) {
        w->n_lost++;
        return;
    }
    w->events[(w->first + w->n_events) % WITNESS_EVENTS] = *e;
    w->n_events++;
}

bool witness_take(struct witness *w, struct witness_event *out)
{
    if (w->n_events == 0) {
        return false;
    }
    *out = w->events[w->first];
    w->first = (w->first + 1) % WITNESS_EVENTS;
    w->n_events--;
    return true;
}

static void keep_squares(const struct compliance *c, double *square)
{
    for (int64_t i = 0; i < c->n_bands; i++) {
        square[i] = c->bands[i].sum_square;
    }
}

static void begin_minute(struct witness *w, int64_t at_ms)
{
    w->minute = (struct witness_minute){
        .from_ms = at_ms,
        .low_w = INFINITY,
        .high_w = -INFINITY,
        .import_max_w = INFINITY,
        .n_bands = w->with.n_bands,
    };
    keep_squares(&w->with, w->square);
    keep_squares(&w->without, w->load_square);
}

static double rms_since(const struct compliance *c, int64_t band, double square,
                        int64_t n)
{
    const struct band *b = &c->bands[band];
    return b->sight == BAND_BLIND
               ? NAN
               : sqrt(max_of(0.0, b->sum_square - square) / (double)n);
}

static void end_minute(struct witness *w)
{
    struct witness_minute *m = &w->minute;
    if (m->n_ticks == 0) {
        return;
    }
    m->to_ms = w->end_ms;
    for (int64_t i = 0; i < m->n_bands; i++) {
        m->band_w[i] = rms_since(&w->with, i, w->square[i], m->n_ticks);
        m->load_band_w[i] =
            rms_since(&w->without, i, w->load_square[i], m->n_ticks);
    }
    struct witness_event e = {.kind = WITNESS_MINUTE, .at_ms = m->to_ms};
    e.minute = *m;
    tell(w, &e);
    m->n_ticks = 0;
}

static double larger(double a, double b)
{
    return fabs(b) > fabs(a) ? b : a;
}

static void add_to_minute(struct witness *w, const struct witness_in *in,
                          double change_w)
{
    struct witness_minute *m = &w->minute;
    double hours = w->period_s / 3600.0;
    m->n_ticks++;
    m->n_unmetered += in->metered == 0;
    m->import_wh += max_of(0.0, w->grid_w) * hours;
    m->export_wh += max_of(0.0, -w->grid_w) * hours;
    m->shed_wh += isfinite(in->shed_w) ? max_of(0.0, in->shed_w) * hours : 0.0;
    m->low_w = min_of(m->low_w, w->grid_w);
    m->high_w = max_of(m->high_w, w->grid_w);
    m->import_max_w = min_of(m->import_max_w, w->limit_w);
    m->ramp_w_per_s =
        larger(m->ramp_w_per_s, compliance_ramp_w_per_s(&w->with));
    m->load_ramp_w_per_s =
        larger(m->load_ramp_w_per_s, compliance_ramp_w_per_s(&w->without));
    m->pp60_w = max_of(m->pp60_w, compliance_pp60_w(&w->with));
    m->load_pp60_w = max_of(m->load_pp60_w, compliance_pp60_w(&w->without));
    m->step_w = larger(m->step_w, change_w);
}

static void close_episode(struct witness *w, struct witness_episode *x)
{
    x->open = 0;
    w->n_open--;
    struct witness_event e = {.kind = WITNESS_END, .at_ms = x->to_ms};
    e.episode = *x;
    tell(w, &e);
    w->recent[w->n_recent % WITNESS_RECENT] = *x;
    w->n_recent++;
    struct witness_recovery *r = &w->recovery[x->rule];
    double length_s = (double)(x->to_ms - x->from_ms) / 1e3;
    r->n++;
    r->max_s = max_of(r->max_s, length_s);
    r->sum_s += length_s;
}

static void note_broken(struct witness *w, struct witness_episode *x,
                        const struct compliance_stand *s)
{
    x->ticks++;
    x->last_tick = w->ticks;
    x->to_ms = w->end_ms;
    if (fabs(s->value) - s->limit >= fabs(x->value) - x->limit) {
        x->value = s->value;
        x->limit = s->limit;
        x->index = s->index;
    }
}

static void follow(struct witness *w, int64_t rule, const struct witness_in *in)
{
    const struct compliance_stand *s = &w->with.stands[rule];
    if (s->broken == 0 && w->n_open == 0) {
        return;
    }
    for (int64_t k = 0; k < 2; k++) {
        struct witness_episode *x = &w->open[rule][k];
        bool mine = s->broken != 0 && (s->cause != COMPLIANCE_NONE) == (k == 1);
        if (x->open != 0 && !mine && w->ticks - x->last_tick > w->pause_ticks) {
            close_episode(w, x);
        }
        if (mine && x->open == 0) {
            *x = (struct witness_episode){.rule = rule,
                                          .cause = s->cause,
                                          .open = 1,
                                          .from_ms = in->at_ms,
                                          .limit = s->limit,
                                          .value = s->limit,
                                          .why = in->why};
            w->n_open++;
            note_broken(w, x, s);
            struct witness_event e = {.kind = WITNESS_BEGIN,
                                      .at_ms = in->at_ms};
            e.episode = *x;
            tell(w, &e);
        } else if (mine) {
            note_broken(w, x, s);
        }
    }
    w->minute.broken[rule] += s->broken != 0 && s->cause == COMPLIANCE_NONE;
    w->minute.exempt[s->cause] += s->cause != COMPLIANCE_NONE;
}

static void note_limit(struct witness *w, const struct witness_in *in)
{
    double limit_w = isfinite(in->import_max_w) ? in->import_max_w
                                                : w->with.grid.import_max_w;
    if (isfinite(w->limit_w) && limit_w != w->limit_w) {
        struct witness_event e = {.kind = WITNESS_LIMIT,
                                  .at_ms = in->at_ms,
                                  .old_w = w->limit_w,
                                  .new_w = limit_w};
        memcpy(e.limit_id, in->limit_id, sizeof(e.limit_id));
        tell(w, &e);
    }
    w->limit_w = limit_w;
}

static void note_edge(struct witness *w)
{
    struct witness_minute *m = &w->minute;
    m->n_edges++;
    if (fabs(w->edges.now.height_w) > fabs(m->edge.height_w)) {
        m->edge = w->edges.now;
    }
}

/* One period, seen or missed. */
static void push_one(struct witness *w, const struct witness_in *in)
{
    double before_w = w->grid_w;
    bool first = w->ticks == 0;
    w->grid_w = isfinite(in->grid_w) ? in->grid_w : w->grid_w;
    w->load_w = isfinite(in->load_w) ? in->load_w : w->load_w;
    struct compliance_in x = {w->grid_w, in->import_max_w, in->forced};
    compliance_push(&w->with, x);
    x.grid_w = w->load_w;
    compliance_push(&w->without, x);
    bool edge = edges_push(&w->edges, w->grid_w);
    for (int64_t rule = 0; rule < COMPLIANCE_RULE_COUNT; rule++) {
        follow(w, rule, in);
    }
    add_to_minute(w, in, first ? 0.0 : w->grid_w - before_w);
    if (edge) {
        note_edge(w);
    }
    w->ticks++;
}

/* A period in which the grid was not seen. */
static void push_blind(struct witness *w, const struct witness_in *in)
{
    struct witness_in held = *in;
    held.grid_w = NAN;
    held.load_w = NAN;
    push_one(w, &held);
    w->minute.n_missed++;
    w->n_missed++;
    w->n_blind++;
}

static void push_missed(struct witness *w, const struct witness_in *in)
{
    int64_t max = (int64_t)(missed_max_s / w->period_s);
    int64_t n = in->missed < max ? in->missed : max;
    for (int64_t i = 0; i < n; i++) {
        push_blind(w, in);
    }
}

static void push_seen(struct witness *w, const struct witness_in *in)
{
    if ((double)w->n_blind * w->period_s > WITNESS_BLIND_S) {
        compliance_resume(&w->with);
        compliance_resume(&w->without);
        edges_resume(&w->edges);
        w->grid_w = in->grid_w;
    }
    w->n_blind = 0;
    push_one(w, in);
}

void witness_push(struct witness *w, const struct witness_in *in)
{
    bool seen = isfinite(in->grid_w);
    int64_t minute_ms = (int64_t)(minute_s * 1e3);
    if (w->ticks == 0 && !seen) {
        return;
    }
    if (w->ticks == 0) {
        w->start_ms = in->at_ms;
        w->with.start_utc_ms = in->at_ms;
        w->without.start_utc_ms = in->at_ms;
        begin_minute(w, in->at_ms);
    } else if (in->at_ms / minute_ms != w->minute.from_ms / minute_ms) {
        end_minute(w);
        begin_minute(w, in->at_ms);
    }
    w->end_ms = in->at_ms + (int64_t)llround(w->period_s * 1e3);
    note_limit(w, in);
    if (w->ticks > 0) {
        push_missed(w, in);
    }
    if (seen) {
        push_seen(w, in);
    } else {
        push_blind(w, in);
    }
}

void witness_finish(struct witness *w)
{
    for (int64_t rule = 0; rule < COMPLIANCE_RULE_COUNT; rule++) {
        for (int64_t k = 0; k < 2; k++) {
            if (w->open[rule][k].open != 0) {
                close_episode(w, &w->open[rule][k]);
            }
        }
    }
    end_minute(w);
}

static void add_recent(struct witness_report *out,
                       const struct witness_episode *x)
{
    if (out->n_recent < WITNESS_RECENT) {
        out->recent[out->n_recent++] = *x;
    }
}

void witness_report(const struct witness *w, struct witness_report *out)
{
    const struct edges *e = &w->edges;
    *out = (struct witness_report){
        .start_ms = w->start_ms,
        .end_ms = w->end_ms,
        .n_missed = w->n_missed,
        .limit_w = w->limit_w,
        .with = compliance_result(&w->with),
        .without = compliance_result(&w->without),
        .n_edges = e->n,
        .edge_least_w = e->least_w,
        .edge_max_s = e->length_max_s,
        .edge_mean_s = e->n > 0 ? e->length_sum_s / (double)e->n : NAN,
        .n_top = e->n_top,
    };
    memcpy(out->top, e->top, sizeof(out->top));
    memcpy(out->histogram, e->histogram, sizeof(out->histogram));
    memcpy(out->recovery, w->recovery, sizeof(out->recovery));
    for (int64_t rule = 0; rule < COMPLIANCE_RULE_COUNT; rule++) {
        for (int64_t k = 0; k < 2; k++) {
            if (w->open[rule][k].open != 0) {
                add_recent(out, &w->open[rule][k]);
            }
        }
    }
    for (int64_t i = 0; i < w->n_recent && i < WITNESS_RECENT; i++) {
        add_recent(out, &w->recent[(w->n_recent - 1 - i) % WITNESS_RECENT]);
    }
}
