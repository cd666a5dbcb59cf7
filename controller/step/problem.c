/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/problem.h"

#include <math.h>
#include <string.h>

#include "controller/step/foresee.h"
#include "controller/step/step_parts.h"
#include "models/billing.h"
#include "models/calendar.h"

static const int64_t QUARTER_MS = FORESEE_SLOT_MS;
/* Slots measured before an outlook counts: a day of prices, an hour of load. */
static const int64_t PRICE_SLOTS = FORESEE_DAY;
static const int64_t LOAD_SLOTS = 4;
static const int64_t SOON_STEPS = 600; /* heard by the short forecaster */
static const double SOON_S = 600.0;
/* What the short forecast says of now halves in that time, the outlook says
 * the rest. */
static const double SOON_HALF_S = 900.0;
/* Kept free below an import limit, for what leaks past the batteries. */
static const double MARGIN_PU = 0.01;

static const int64_t RESERVE_AHEAD_MS = 2 * INT64_C(3600000);

/* What is planned are cycles of a day: up in half of it, and down again. */
static const double HALF_CYCLE_H = 12.0;

/* What a problem is made from. */
struct maker {
    const struct step_cfg *cfg;
    const struct step_state *state;
    const struct snapshot *in;
    const struct foresee *f;
    double soon_w; /* load without charging cars, the next minutes */
    struct problem *p;
};

/* A slot, by its ends; as an integral over the quarter hours that it touches,
 * which is how prices and outlooks come. */
struct span {
    int64_t from_ms;
    int64_t to_ms;
};

typedef double quarter_fn(const struct maker *m, int64_t at_ms, int64_t k);

static double span_mean(const struct maker *m, struct span s, int64_t k,
                        quarter_fn *value)
{
    double sum = 0.0;
    int64_t at_ms = s.from_ms;
    while (at_ms < s.to_ms) {
        int64_t next_ms = (at_ms / QUARTER_MS + 1) * QUARTER_MS;
        next_ms = next_ms < s.to_ms ? next_ms : s.to_ms;
        sum += value(m, at_ms, k) * (double)(next_ms - at_ms);
        at_ms = next_ms;
    }
    return sum / (double)(s.to_ms - s.from_ms);
}

/* What another market says: a day-ahead price is what the market expects of
 * real time. */
static double price_ahead(const struct maker *m, int64_t at_ms)
{
    double price = NAN;
    for (int i = 1; i < m->cfg->site.n_prices && !isfinite(price); i++) {
        price = price_at(&m->in->prices[i], at_ms);
    }
    return price;
}

/* What the utility says, else the first market's series; where that says
 * nothing the other markets, else what the price usually is, while that is not
 * known what it is a day before, and else the fallback. */
static double price_then(const struct maker *m, int64_t at_ms, int64_t k)
{
    const struct site *site = &m->cfg->site;
    double told = utility_price(m->in, at_ms);
    if (isfinite(told)) {
        return told;
    }
    if (site->n_prices == 0) {
        return 0.0;
    }
    double price = price_at(&m->in->prices[0], at_ms);
    if (!isfinite(price)) {
        m->p->guessed[k] = 1;
        price = price_ahead(m, at_ms);
    }
    if (!isfinite(price)) {
        price = foresee_slot(&m->f->price, at_ms, PRICE_SLOTS).mean;
    }
    if (!isfinite(price)) {
        price = price_at(&m->in->prices[0], at_ms - CALENDAR_DAY_MS);
    }
    return isfinite(price) ? price : site->prices[0].fallback_per_kwh;
}

/* Expected over the next minutes. */
static double load_soon_w(const struct step_cfg *cfg,
                          const struct step_state *state,
                          const struct foresee *f)
{
    double level_w = state->level.level_w;
    if (f->soon.n >= SOON_STEPS) {
        double mean_w = forecast_swing(&f->soon, SOON_S).mean;
        level_w = isfinite(mean_w) ? mean_w : level_w;
    }
    for (int i = 0; i < cfg->site.n_fleets; i++) {
        level_w -= problem_charging_w(cfg, state, i);
    }
    return isfinite(level_w) ? level_w : 0.0;
}

/* A mean, for the load swings; what it is now where none was measured. */
static double load_late_w(const struct step_cfg *cfg,
                          const struct step_state *state,
                          const struct foresee *f)
{
    double w = f->load_mean.closed;
    if (f->closed_ms <= 0 || !isfinite(w)) {
        return isfinite(state->level.level_w) ? state->level.level_w : 0.0;
    }
    for (int i = 0; i < cfg->site.n_fleets; i++) {
        w += problem_charging_w(cfg, state, i);
    }
    return w;
}

double problem_soon_share(const struct step_cfg *cfg,
                          const struct step_state *state, int64_t now_ms,
                          int64_t at_ms)
{
    const struct foresee *f = foresee_in(cfg, state);
    if (!isfinite(foresee_slot(&f->load, at_ms, LOAD_SLOTS).mean)) {
        return 1.0;
    }
    double ahead_s = (double)(at_ms - now_ms) / 1e3;
    return exp2(-fmax(ahead_s, 0.0) / SOON_HALF_S);
}

static double load_then(const struct maker *m, int64_t at_ms, int64_t k)
{
    (void)k;
    double later_w = foresee_slot(&m->f->load, at_ms, LOAD_SLOTS).mean;
    double share = problem_soon_share(m->cfg, m->state, m->in->utc_ms, at_ms);
    return share < 1.0 ? share * m->soon_w + (1.0 - share) * later_w
                       : m->soon_w;
}

/* No more than a set-point in its slots; that it is no less either is the
 * step's business, which can only see to it with what the batteries can take.
 */
static void take_setpoints(const struct maker *m, int64_t k, struct span s)
{
    struct problem *p = m->p;
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        const struct utility_in *u = &m->in->utility[i];
        if (u->id[0] != '\0' && u->kind == UTILITY_SETPOINT &&
            u->start_at_ms < s.to_ms && u->end_at_ms > s.from_ms) {
            p->import_max_w[k] = fmin(p->import_max_w[k], fmax(u->value, 0.0));
        }
    }
}

static void describe_slots(struct maker *m)
{
    struct problem *p = m->p;
    const struct site_grid *grid = &m->cfg->site.grid;
    int64_t at_ms = p->start_at_ms;
    for (int64_t k = 0; k < p->n_slots; k++) {
        int64_t to_ms = at_ms + llround(p->step_s[k] * 1e3);
        struct span s = {at_ms, to_ms};
        p->import_per_kwh[k] = span_mean(m, s, k, price_then);
        /* Export is not paid for; where energy has a negative price, giving it
         * away costs as much. */
        p->export_per_kwh[k] = fmin(p->import_per_kwh[k], 0.0);
        p->load_w[k] = span_mean(m, s, k, load_then);
        p->import_max_w[k] =
            (1.0 - MARGIN_PU) *
            import_limit_w(m->in, grid->import_max_w, at_ms, to_ms);
        p->export_max_w[k] =
            export_limit_w(m->in, grid->export_max_w, at_ms, to_ms);
        take_setpoints(m, k, s);
        at_ms = to_ms;
    }
}

static double billed_s(const struct snapshot *in)
{
    int64_t to_ms = in->month_to_ms > in->utc_ms
                        ? in->month_to_ms
                        : billing_month(NULL, in->utc_ms).to_ms;
    return (double)(to_ms - in->utc_ms) / 1e3;
}

static void describe_peak(const struct maker *m)
{
    const struct site_grid *grid = &m->cfg->site.grid;
    const struct step_state *state = m->state;
    struct problem *p = m->p;
    bool costs = grid->demand_charge_per_kw > 0.0;
    p->peak_w = costs ? state->month.peak_w : INFINITY;
    p->peak_per_kw = costs ? grid->demand_charge_per_kw : 0.0;
    p->billed_s = billed_s(m->in);
    p->interval_ws = state->interval_ws;
    p->interval_s = state->interval_s;
    p->interval_left_s = fmax(grid->demand_interval_s - state->interval_s, 0.0);
}

/* The worst edge that smoothing must be able to take at any time, either way:
 * what the site names, or the largest pod and what the load did of late. */
static double worst_edge_w(const struct step_cfg *cfg,
                           const struct step_state *state)
{
    const struct site *site = &cfg->site;
    struct level_both late =
        level_range_ahead(&state->range, state->level.level_w);
    double worst_w = fmax(late.up_w, late.down_w);
    worst_w = isfinite(worst_w) ? worst_w : 0.0;
    for (int i = 0; i < site->grid.n_contingencies; i++) {
        const struct site_contingency *c = &site->grid.contingencies[i];
        worst_w = fmax(worst_w, fmax(c->drop_w, c->rise_w));
    }
    for (int i = 0; i < site->n_pods && !site->grid.contingencies_given; i++) {
        worst_w = fmax(worst_w, site->pods[i].power_max_w);
    }
    return worst_w;
}

static void describe_smoothing(const struct maker *m, bool waits)
{
    double edge_w = worst_edge_w(m->cfg, m->state);
    if (waits) {
        edge_w = fmax(edge_w, problem_beside_w(m->cfg, m->state));
    }
    m->p->waits = m->cfg->any_waits ? 1 : 0;
    double ramp = m->cfg->site.grid.ramp_max_w_per_s;
    m->p->ramp_max_w_per_s = ramp;
    m->p->grid_start_w = m->state->smooth.ref_w;
    struct trip_kept trip = trip_kept(m->cfg, m->state, m->in);
    m->p->kept_charge_w = fmax(edge_w, trip.charge_w);
    m->p->kept_discharge_w = fmax(edge_w, trip.discharge_w);
    m->p->smooth_wh = edge_w * edge_w / (2.0 * ramp) / 3600.0;
}

/* The dearer it ages, the less it is worth to move; what its warranty has given
 * away already comes on top. */
static void price_battery(const struct step_cfg *cfg,
                          const struct step_state *state, int i, double soc_pu,
                          struct wear_segments *out)
{
    const struct site_battery *b = &cfg->site.batteries[i];
    const struct life *life = &state->life[i];
    struct wear_terms terms = wear_terms_of(b, LIFE_PRICE, life);
    double window_pu = b->soc_max_pu - b->soc_min_pu;
    terms.rate_per_h = fmin(terms.rate_per_h, window_pu / HALF_CYCLE_H);
    wear_segments(b, &terms, WEAR_SEGMENTS, out);
    double ahead_per_kwh = wear_warranty_per_kwh(&state->age[i].warranty, b);
    for (int64_t k = 0; k < out->n; k++) {
        out->at[k].per_kwh += ahead_per_kwh;
    }
    wear_segments_fill(out, b, life, soc_pu);
}

/* What is to be kept soon counts now: filling up takes its time. */
static double told_reserve_wh(const struct maker *m, int i)
{
    const struct site_battery *b = &m->cfg->site.batteries[i];
    int64_t until_ms = m->in->utc_ms + RESERVE_AHEAD_MS;
    double pu = utility_reserve_pu(m->in, m->in->utc_ms, until_ms);
    return pu * (b->soc_max_pu - b->soc_min_pu) * b->energy_wh;
}

static void describe_batteries(const struct maker *m)
{
    const struct step_cfg *cfg = m->cfg;
    const struct step_state *state = m->state;
    struct problem *p = m->p;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct battery_in *b = &m->in->batteries[i];
        double soc_pu =
            reading_value(&b->soc_pu, m->in->mono_ms, cfg->device_max_age_s);
        bool ready = (b->flags & BATTERY_READY) == BATTERY_READY &&
                     isfinite(soc_pu) && isfinite(state->soc_home_pu[i]);
        p->available[i] = ready ? 1.0 : 0.0;
        p->reserve_wh[i] = told_reserve_wh(m, i);
        double track_pu = state->soc_track_pu[i];
        p->soc_pu[i] = ready ? (isnan(track_pu) ? soc_pu : track_pu) : 0.0;
        p->soc_start_pu[i] = ready ? state->soc_home_pu[i] : 0.0;
        if (ready) {
            price_battery(cfg, state, i, soc_pu, &p->wear[i]);
        }
    }
}

void step_problem(const struct step_cfg *cfg, const struct step_state *state,
                  const struct snapshot *in, struct problem *problem)
{
    memset(problem, 0, sizeof(*problem));
    const struct foresee *f = foresee_in(cfg, state);
    struct maker m = {
        .cfg = cfg,
        .state = state,
        .in = in,
        .f = f,
        .soon_w = load_soon_w(cfg, state, f),
        .p = problem,
    };
    problem->tick = in->tick;
    problem->start_at_ms = in->utc_ms;
    problem->n_slots =
        problem_grid(in, cfg->site.control.horizon_s, problem->step_s);
    problem->total_w = load_late_w(cfg, state, f);
    describe_slots(&m);
    bool waits = problem_classes(cfg, state, problem);
    problem_cars(cfg, state, in->utc_ms, problem);
    describe_peak(&m);
    describe_smoothing(&m, waits);
    describe_batteries(&m);
}
