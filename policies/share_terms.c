/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/share_terms.h"

#include <math.h>
#include <string.h>

#include "models/wear.h"

static const double DEPTH_PU = 0.2;   /* of the cycles that are priced */
static const double HOLD_S = 14400.0; /* until a Wh would be given anyway */
static const double PLACE_S = 60.0;   /* in which a place is followed */
static const double PLACE_PU_PER_S = 1.0 / 3000.0; /* no battery is faster */
static const double LATE_S = 30.0; /* from one end of the line to the other */
static const double TURN_S = 1.0;  /* between two looks at the wear */
static const double LOOK_PU = 0.1; /* of what has changed, at a look */
static const double BEFORE_PU = 0.002; /* that much emptier moves up */
static const double START_PU = 0.03; /* of the rating, before the last joins */
static const double BALANCE = 20.0;  /* ratings for all of a window */
static const double APART_PU = 0.05; /* from the mean place; beyond is as bad */
/* Rise over the rating, at least. */
static const double STIFF_CUR_PER_WH = 1e-6;

static double rating_w(const struct site_battery *b)
{
    return fmin(fmax(b->charge_max_w, b->discharge_max_w), b->transformer_va);
}

static struct share_cost cost_of(const struct site_battery *b,
                                 const struct life *life, double soc_pu)
{
    struct wear_terms terms = wear_terms_of(b, LIFE_PRICE, life);
    struct wear_rate rate = wear_rate(b, &terms, DEPTH_PU);
    double lo_pu = fmax(soc_pu - 0.05, 0.0);
    double hi_pu = fmin(soc_pu + 0.05, 1.0);
    double cur_per_h = wear_hold_cur_per_h(b, &terms, hi_pu) -
                       wear_hold_cur_per_h(b, &terms, lo_pu);
    return (struct share_cost){
        .linear_cur_per_wh = rate.linear_cur_per_wh,
        .square_cur_per_w2h = rate.square_cur_per_w2h,
        .hold_cur_per_wh =
            cur_per_h / ((hi_pu - lo_pu) * b->energy_wh) * HOLD_S / 3600.0,
    };
}

void share_reset(const struct site *site, struct share_state *state)
{
    memset(state, 0, sizeof(*state));
    for (int i = 0; i < SITE_BATTERIES_MAX; i++) {
        state->place_pu[i] = NAN;
        state->line[i] = i;
    }
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        double middle_pu = 0.5 * (b->soc_min_pu + b->soc_max_pu);
        state->cost[i] = cost_of(b, NULL, middle_pu);
    }
}

/* The wear of one battery a second: it changes over days. */
static void look_at_wear(const struct site *site, struct share_state *state,
                         const struct share_now *now)
{
    state->turn_s += now->dt_s;
    if (state->turn_s < TURN_S) {
        return;
    }
    int64_t i = state->turn;
    state->turn_s = 0.0;
    state->turn = (i + 1) % site->n_batteries;
    if (isfinite(now->soc_pu[i])) {
        struct share_cost *c = &state->cost[i];
        struct share_cost new =
            cost_of(&site->batteries[i], &now->life[i], now->soc_pu[i]);
        double held = c->hold_cur_per_wh; /* it changes with the charge */
        new.hold_cur_per_wh = held + LOOK_PU *(new.hold_cur_per_wh - held);
        *c = new;
    }
}

static double toward(double x, double to, double most)
{
    return x + fmax(-most, fmin(to - x, most));
}

static void follow_places(const struct site *site, struct share_state *state,
                          const struct share_now *now)
{
    double part = now->dt_s / (PLACE_S + now->dt_s);
    double most_pu = now->dt_s * PLACE_PU_PER_S;
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        double middle_pu = 0.5 * (b->soc_min_pu + b->soc_max_pu);
        double target_pu =
            isfinite(now->target_pu[i]) ? now->target_pu[i] : middle_pu;
        double place_pu =
            (now->soc_pu[i] - target_pu) / (b->soc_max_pu - b->soc_min_pu);
        if (!isfinite(place_pu)) {
            continue;
        }
        double *at = &state->place_pu[i];
        *at = isnan(*at) ? place_pu
                         : toward(*at, *at + part * (place_pu - *at), most_pu);
    }
}

/* One pass of neighbours that stand the wrong way round. */
static void line_up(const struct site *site, struct share_state *state)
{
    for (int k = 0; k + 1 < site->n_batteries; k++) {
        int64_t a = state->line[k];
        int64_t b = state->line[k + 1];
        if (state->place_pu[b] < state->place_pu[a] - BEFORE_PU) {
            state->line[k] = b;
            state->line[k + 1] = a;
        }
    }
}

/* Places in the line among those that can be used. */
static void move_up(const struct site *site, struct share_state *state,
                    const struct share_now *now)
{
    int n = 0;
    for (int i = 0; i < site->n_batteries; i++) {
        n += isfinite(now->soc_pu[i]) ? 1 : 0;
    }
    double last = n > 1 ? n - 1 : 1;
    double most = now->dt_s / LATE_S;
    int k = 0;
    for (int p = 0; p < site->n_batteries; p++) {
        int64_t i = state->line[p];
        if (!isfinite(now->soc_pu[i])) {
            continue;
        }
        double *charge = &state->charge_late_pu[i];
        double *discharge = &state->discharge_late_pu[i];
        /* the second waits longest, so that one alone does the little work */
        *charge = toward(*charge, sqrt(k / last), most);
        *discharge = toward(*discharge, sqrt((n - 1 - k) / last), most);
        k++;
    }
}

static double loss_pu(const struct site_battery *b)
{
    return 1.0 - sqrt(b->efficiency_pu);
}

/* Rise of the marginal cost from rest to the rating. */
static double rise_cur_per_wh(const struct site_battery *b,
                              const struct share_cost *c, double cur_per_wh)
{
    double rise =
        2.0 * c->square_cur_per_w2h * rating_w(b) + loss_pu(b) * cur_per_wh;
    return fmax(rise, STIFF_CUR_PER_WH);
}

/* Mean place of those that can be used. */
static double mean_place_pu(const struct site *site,
                            const struct share_state *state,
                            const struct share_now *now)
{
    double sum_pu = 0.0;
    double n = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        bool counts = isfinite(now->soc_pu[i]);
        sum_pu += counts ? state->place_pu[i] : 0.0;
        n += counts ? 1.0 : 0.0;
    }
    return n > 0.0 ? sum_pu / n : 0.0;
}

/* By how much it is fuller than the others, against where it should be. */
static double apart_pu(const struct share_state *state, int i, double mean_pu)
{
    double pu = state->place_pu[i] - mean_pu;
    return isnan(pu) ? 0.0 : fmax(-APART_PU, fmin(pu, APART_PU));
}

void share_price(const struct site *site, struct share_state *state,
                 const struct share_now *now, struct share_battery *b)
{
    if (site->n_batteries == 0) {
        return;
    }
    look_at_wear(site, state, now);
    follow_places(site, state, now);
    line_up(site, state);
    move_up(site, state, now);
    bool priced = now->per_kwh > 0.0 && isfinite(now->per_kwh);
    double cur_per_wh = priced ? now->per_kwh / 1e3 : 0.0;
    double rise[SITE_BATTERIES_MAX] = {0.0};
    double rises = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        rise[i] =
            rise_cur_per_wh(&site->batteries[i], &state->cost[i], cur_per_wh);
        rises += rise[i];
    }
    double balance = BALANCE * rises / site->n_batteries;
    double mean_pu = mean_place_pu(site, state, now);
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *s = &site->batteries[i];
        const struct share_cost *c = &state->cost[i];
        double fixed = c->linear_cur_per_wh + 0.5 * loss_pu(s) * cur_per_wh;
        double full =
            c->hold_cur_per_wh + balance * apart_pu(state, i, mean_pu);
        double start = START_PU * rise[i];
        b[i].slope_cur_per_w2h = rise[i] / rating_w(s);
        b[i].charge_first_cur_per_wh =
            fixed + full + start * state->charge_late_pu[i];
        b[i].discharge_first_cur_per_wh =
            fixed - full + start * state->discharge_late_pu[i];
    }
}

static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

bool share_valid(const struct site *site, const struct share_state *s)
{
    bool seen[SITE_BATTERIES_MAX] = {false};
    for (int i = 0; i < site->n_batteries; i++) {
        const struct share_cost *c = &s->cost[i];
        if (!within(c->linear_cur_per_wh, 0.0, 1e9) ||
            !within(c->square_cur_per_w2h, 0.0, 1e9) ||
            !within(c->hold_cur_per_wh, -1e9, 1e9) ||
            !(isnan(s->place_pu[i]) || within(s->place_pu[i], -1e3, 1e3)) ||
            !within(s->charge_late_pu[i], 0.0, 1.0) ||
            !within(s->discharge_late_pu[i], 0.0, 1.0) || s->line[i] < 0 ||
            s->line[i] >= site->n_batteries || seen[s->line[i]]) {
            return false;
        }
        seen[s->line[i]] = true;
    }
    bool none = site->n_batteries == 0;
    return within(s->turn_s, 0.0, TURN_S) && s->turn >= 0 &&
           (none ? s->turn == 0 : s->turn < site->n_batteries);
}
