/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/openadr_readings.h"

#include <math.h>
#include <stdlib.h>

#include "adapters/openadr_report.h"
#include "controller/history_read.h"
#include "controller/openadr_baseline.h"
#include "controller/openadr_meter.h"

static const int64_t OPEN_MS = 900000; /* interval of a report that is ours */
static const int64_t PART_MS = 300000; /* of one that may have parts */
static const int64_t FRESH_MS = 3000;  /* figures are told every second */
static const int64_t DAY_MS = 86400000;

struct openadr_readings {
    const struct site *site;
    struct openadr_figures figures; /* newest */
    int64_t figures_ms;             /* UTC; 0: none yet */
    bool recalled;                  /* what the last run metered */
    struct openadr_ahead ahead;
    struct openadr_meter meter;
    struct openadr_baseline *baseline;
    struct openadr_reading list[DR_REPORT_LENGTH_MAX];
    int64_t n;
};

enum err openadr_readings_open(const struct site *site,
                               struct openadr_readings **out)
{
    struct openadr_readings *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return ERR_MEMORY;
    }
    r->site = site;
    enum err e = openadr_baseline_open(site, &r->baseline);
    if (e != ERR_NONE) {
        free(r);
        return e;
    }
    *out = r;
    return ERR_NONE;
}

void openadr_readings_close(struct openadr_readings *r)
{
    if (r != NULL) {
        openadr_baseline_close(r->baseline);
        free(r);
    }
}

static bool is_fresh(const struct openadr_readings *r, int64_t utc_ms)
{
    return r->figures_ms > 0 && utc_ms - r->figures_ms <= FRESH_MS;
}

static void take_second(void *user, int64_t at_ms, double grid_w,
                        int64_t known_s)
{
    struct openadr_readings *r = user;
    if (known_s > 0) {
        openadr_meter_add(&r->meter, at_ms, grid_w, NULL);
    }
}

/* The day before us, as far as the history has it: a restart in mid-event
 * makes no gap in what was used. */
static void recall(struct openadr_readings *r, int64_t utc_ms)
{
    char why[200];
    struct history_reader *history = NULL;
    r->recalled = true;
    if (history_read_open(r->site->history.file, &history, why, sizeof(why)) ==
        ERR_NONE) {
        history_read_load(history,
                          (struct history_span){utc_ms - DAY_MS, utc_ms - 1},
                          1000, take_second, r);
        history_read_close(history);
    }
}

void openadr_readings_sample(struct openadr_readings *r, int64_t utc_ms,
                             const struct openadr_sample *sample)
{
    if (!r->recalled) {
        recall(r, utc_ms);
    }
    if (sample->figures != NULL) {
        r->figures = *sample->figures;
        r->figures_ms = utc_ms;
    }
    if (sample->ahead != NULL) {
        r->ahead = *sample->ahead;
    }
    openadr_meter_add(&r->meter, utc_ms, sample->grid_w,
                      is_fresh(r, utc_ms) ? &r->figures : NULL);
}

static bool is_of_stores(enum dr_report_kind kind)
{
    return kind == DR_REPORT_CHARGE_LEVEL ||
           kind == DR_REPORT_USABLE_CAPACITY ||
           kind == DR_REPORT_CHARGE_POWER || kind == DR_REPORT_DISCHARGE_POWER;
}

static double store_value(enum dr_report_kind kind,
                          const struct openadr_store *s)
{
    switch (kind) {
    case DR_REPORT_CHARGE_LEVEL:
        return s->soc_pu;
    case DR_REPORT_USABLE_CAPACITY:
        return s->energy_wh;
    case DR_REPORT_CHARGE_POWER:
        return s->charge_max_w;
    case DR_REPORT_DISCHARGE_POWER:
        return s->discharge_max_w;
    default:
        return NAN;
    }
}

/* Store 'store', or for -1 all as one: sums, the charge level by energy; NAN
 * where one is not known. */
static double of_stores(enum dr_report_kind kind,
                        const struct openadr_figures *f, int64_t store)
{
    double sum = 0.0;
    double energy_wh = 0.0;
    bool level = kind == DR_REPORT_CHARGE_LEVEL;
    if (store >= 0) {
        return store < f->n ? store_value(kind, &f->stores[store])
                            : (double)NAN;
    }
    for (int64_t i = 0; i < f->n; i++) {
        const struct openadr_store *s = &f->stores[i];
        sum += store_value(kind, s) * (level ? s->energy_wh : 1.0);
        energy_wh += s->energy_wh;
    }
    return f->n == 0 ? (double)NAN : level ? sum / energy_wh : sum;
}

/* The plan's grid over what of the reading lies ahead. */
static struct openadr_metered foresee(const struct openadr_ahead *a,
                                      const struct openadr_reading *x)
{
    struct openadr_metered m = {.mean_w = NAN, .peak_w = NAN};
    double sum_ws = 0.0;
    double known_s = 0.0;
    int64_t at_ms = a->start_at_ms;
    for (int64_t t = 0; t < a->n; t++) {
        int64_t end_ms = at_ms + (int64_t)llround(a->step_s[t] * 1e3);
        int64_t from_ms = at_ms > x->from_ms ? at_ms : x->from_ms;
        int64_t to_ms = end_ms < x->to_ms ? end_ms : x->to_ms;
        at_ms = end_ms;
        if (to_ms > from_ms && isfinite(a->grid_w[t])) {
            double s = (double)(to_ms - from_ms) / 1e3;
            m.peak_w = fmax(m.peak_w, a->grid_w[t]);
            sum_ws += a->grid_w[t] * s;
            known_s += s;
        }
    }
    m.mean_w = known_s > 0.0 ? sum_ws / known_s : (double)NAN;
    m.known_pu = known_s / ((double)(x->to_ms - x->from_ms) / 1e3);
    return m;
}

/* The batteries when 'at_ms' comes: as they are, but charged as planned. */
static struct openadr_figures stores_then(const struct openadr_readings *r,
                                          int64_t at_ms)
{
    struct openadr_figures f = r->figures;
    const struct openadr_ahead *a = &r->ahead;
    int64_t end_ms = a->start_at_ms;
    int64_t t = -1;
    while (end_ms < at_ms && t + 1 < a->n) {
        t++;
        end_ms += (int64_t)llround(a->step_s[t] * 1e3);
    }
    for (int64_t i = 0; i < f.n; i++) {
        bool planned = t >= 0 && end_ms >= at_ms && i < a->n_stores;
        f.stores[i].soc_pu = planned ? a->soc_pu[i][t] : (double)NAN;
    }
    return f;
}

static void read_power(const struct openadr_asked *asked,
                       const struct openadr_metered *m,
                       struct openadr_reading *x)
{
    double hours = (double)(x->to_ms - x->from_ms) / 3.6e6;
    x->known_pu = m->known_pu;
    x->value = asked->what->kind == DR_REPORT_USAGE ? m->mean_w * hours
               : asked->what->peak                  ? m->peak_w
                                                    : m->mean_w;
}

static void read_future(const struct openadr_readings *r,
                        const struct openadr_asked *asked, int64_t store,
                        struct openadr_reading *x)
{
    enum dr_report_kind kind = (enum dr_report_kind)asked->what->kind;
    if (is_of_stores(kind)) {
        struct openadr_figures f = stores_then(r, x->to_ms);
        x->value = of_stores(kind, &f, store);
        x->known_pu = is_fresh(r, asked->utc_ms) ? 1.0 : 0.0;
    } else {
        struct openadr_metered m = foresee(&r->ahead, x);
        read_power(asked, &m, x);
    }
}

static void read_past(const struct openadr_readings *r,
                      const struct openadr_asked *asked, int64_t store,
                      struct openadr_reading *x)
{
    static const char *const states[OPENADR_STATES] = {
        [OPENADR_STATE_NORMAL] = "NORMAL",
        [OPENADR_STATE_CURTAILED] = "RUNNING_CURTAILED",
        [OPENADR_STATE_OPTED_OUT] = "RUNNING_OPTED_OUT",
        [OPENADR_STATE_FAULT] = "ERROR",
    };
    enum dr_report_kind kind = (enum dr_report_kind)asked->what->kind;
    struct openadr_metered m =
        openadr_meter_grid(&r->meter, x->from_ms, x->to_ms);
    if (is_of_stores(kind)) {
        const struct openadr_figures *f =
            openadr_meter_figures(&r->meter, x->from_ms, x->to_ms);
        x->value = f != NULL ? of_stores(kind, f, store) : (double)NAN;
        x->known_pu = f != NULL ? 1.0 : 0.0;
    } else if (kind == DR_REPORT_OPERATING_STATE) {
        x->text = states[m.state];
        x->known_pu = m.state_pu;
        x->value = NAN;
    } else {
        read_power(asked, &m, x);
    }
}

/* What the baseline is of: an event of up to a day, else what the report is
 * about. */
static struct baseline_span whole_of(const struct openadr_readings *r,
                                     const struct openadr_asked *asked)
{
    const struct dr_report_event *e = asked->about;
    struct baseline_span span = {e->from_ms, e->to_ms};
    if (e->n == 0 || e->to_ms == DR_FOREVER_MS ||
        e->to_ms - e->from_ms > DAY_MS || e->to_ms <= e->from_ms) {
        span =
            (struct baseline_span){r->list[0].from_ms, r->list[r->n - 1].to_ms};
    }
    return span;
}

static void read_baseline(struct openadr_readings *r,
                          const struct openadr_asked *asked)
{
    const struct baseline *b = openadr_baseline_of(
        r->baseline, asked->event->id, whole_of(r, asked), asked->utc_ms);
    for (int64_t i = 0; i < r->n; i++) {
        struct openadr_reading *x = &r->list[i];
        const struct baseline_span span = {x->from_ms, x->to_ms};
        double w = openadr_baseline_w(r->baseline, span);
        x->guessed = b->fell_back || !isfinite(w);
        x->value = isfinite(w) ? w : asked->base_w;
        if (asked->what->energy) {
            x->value *= (double)(x->to_ms - x->from_ms) / 3.6e6;
        }
    }
}

static void put(struct openadr_readings *r, const struct openadr_asked *asked,
                const struct openadr_reading *x)
{
    bool open_ended = x->to_ms == DR_FOREVER_MS;
    bool late = !asked->what->historical && x->to_ms <= asked->utc_ms;
    if (!open_ended && !late && r->n < DR_REPORT_LENGTH_MAX) {
        r->list[r->n] = *x;
        r->list[r->n].known_pu = 1.0;
        r->n++;
    }
}

/* In how many parts each interval of the report is told. */
static int64_t parts_of(const struct openadr_asked *asked,
                        const struct dr_span *s)
{
    if (!asked->what->parts || s->end_ms == DR_FOREVER_MS) {
        return 1;
    }
    int64_t n = (s->end_ms - s->start_ms + PART_MS - 1) / PART_MS;
    int64_t most = DR_REPORT_LENGTH_MAX / asked->due.n;
    n = n < most ? n : most;
    return n > 1 ? n : 1;
}

/* The times that the report is about; a forecast leaves out what is over. */
static void lay_out(struct openadr_readings *r,
                    const struct openadr_asked *asked)
{
    const struct dr_event *event = asked->event;
    r->n = 0;
    for (int64_t i = 0; i < asked->due.n; i++) {
        const struct dr_span *s = &asked->about->spans[asked->due.first + i];
        int64_t parts = parts_of(asked, s);
        for (int64_t k = 0; k < parts; k++) {
            struct dr_span part = dr_span_part(s, k, parts);
            put(r, asked,
                &(struct openadr_reading){.id = event->timing.n > 0
                                                    ? event->ids[s->interval]
                                                    : s->interval,
                                          .from_ms = part.start_ms,
                                          .to_ms = part.end_ms});
        }
    }
    if (asked->due.n == 0) {
        int64_t from_ms =
            asked->due.at_ms - (asked->what->historical ? OPEN_MS : 0);
        put(r, asked,
            &(struct openadr_reading){.from_ms = from_ms,
                                      .to_ms = from_ms + OPEN_MS});
    }
}

static int64_t add_resource(struct openadr_readings *r,
                            const struct openadr_asked *asked, int64_t store,
                            cJSON *report)
{
    bool sums = store < 0 && asked->what->aggregate;
    lay_out(r, asked);
    if (r->n == 0) {
        return 0;
    }
    if (asked->what->kind == DR_REPORT_BASELINE) {
        read_baseline(r, asked);
    }
    for (int64_t i = 0; i < r->n && asked->what->kind != DR_REPORT_BASELINE;
         i++) {
        if (asked->what->historical) {
            read_past(r, asked, store, &r->list[i]);
        } else {
            read_future(r, asked, store, &r->list[i]);
        }
    }
    const struct openadr_resource resource = {
        .name = store >= 0 ? r->site->batteries[store].name
                : sums     ? "AGGREGATED_REPORT"
                           : r->site->name,
        .list = r->list,
        .n = r->n};
    return openadr_report_add(report, &resource, asked->what);
}

int64_t openadr_readings_add(struct openadr_readings *r,
                             const struct openadr_asked *asked, cJSON *report)
{
    bool each = is_of_stores((enum dr_report_kind)asked->what->kind) &&
                !asked->what->aggregate;
    if (!each) {
        return add_resource(r, asked, -1, report);
    }
    int64_t told = 0;
    int64_t n = r->site->n_batteries < OPENADR_STORES_MAX ? r->site->n_batteries
                                                          : OPENADR_STORES_MAX;
    for (int64_t i = 0; i < n; i++) {
        told += add_resource(r, asked, i, report);
    }
    return told;
}
