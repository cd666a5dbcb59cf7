/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/wear_prices.h"

#include <math.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "models/wear.h"
#include "models/wear_swing.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const double RATE_DEPTH_PU = 0.3; /* of the cycles it is told for */
static const double rates_per_h[] = {0.1, 0.25, 0.5, 1.0};
static const double temps_c[] = {15.0, 25.0, 35.0, 45.0};
static const double values_per_mwh[] = {1.0,  2.0,  5.0,  10.0, 12.0,
                                        15.0, 20.0, 30.0, 50.0, 100.0};

/* By one model; all of 1 MWh, so currency is per MWh. */
struct prices {
    struct wear_terms terms;
    struct wear_segments cycle;
    struct wear_rate rate;
    struct wear_curve curve;
};

static struct site_battery battery_of(const struct wear_prices_cfg *cfg)
{
    return (struct site_battery){
        .energy_wh = 1e6,
        .charge_max_w = 1e6,
        .discharge_max_w = 1e6,
        .efficiency_pu = 1.0,
        .soc_min_pu = 0.0,
        .soc_max_pu = 1.0,
        .chemistry = cfg->chemistry,
        .replacement_per_kwh = cfg->replacement_per_kwh,
    };
}

static struct prices price(const struct wear_prices_cfg *cfg,
                           enum life_role role)
{
    struct site_battery b = battery_of(cfg);
    struct prices p = {.terms = wear_terms_new(&b, role)};
    p.terms.temp_c = cfg->temp_c;
    p.terms.rate_per_h = cfg->rate_per_h;
    wear_segments(&b, &p.terms, WEAR_SEGMENTS, &p.cycle);
    p.rate = wear_rate(&b, &p.terms, RATE_DEPTH_PU);
    wear_curve_init(&p.curve, &b, &p.terms);
    return p;
}

/* Per MWh discharged, at the rate itself and not at a tangent. */
static double rate_per_mwh(const struct wear_prices_cfg *cfg,
                           const struct prices *p, double rate_per_h)
{
    struct site_battery b = battery_of(cfg);
    struct wear_terms t = p->terms;
    t.rate_per_h = rate_per_h;
    return wear_lambda_cur(&b) * wear_cycle_pu(&t, RATE_DEPTH_PU);
}

/* Per MWh of capacity and day. */
static double hold_per_mwh_day(const struct wear_prices_cfg *cfg,
                               const struct prices *p, double soc_pu,
                               double temp_c)
{
    struct site_battery b = battery_of(cfg);
    struct wear_terms t = p->terms;
    t.temp_c = temp_c;
    return 24.0 * wear_hold_cur_per_h(&b, &t, soc_pu);
}

static void pair(double a, double b)
{
    printf("%12.2f%12.2f%12.2f\n", a, b, fmax(a, b));
}

static void print_head(const char *what)
{
    printf("\n%-28s%12s%12s%12s\n", what, "prices", "guards", "worse");
}

static void print_cycling(const struct prices *a, const struct prices *b)
{
    print_head("per MWh discharged, by depth");
    for (int i = 0; i < WEAR_SEGMENTS; i++) {
        double pu = 1.0 / WEAR_SEGMENTS;
        printf("  %5.1f to %5.1f %%%12s", 100.0 * i * pu, 100.0 * (i + 1) * pu,
               "");
        pair(1e3 * a->cycle.at[i].per_kwh, 1e3 * b->cycle.at[i].per_kwh);
    }
}

static void print_rates(const struct wear_prices_cfg *cfg,
                        const struct prices *a, const struct prices *b)
{
    print_head("per MWh discharged, by rate");
    for (size_t i = 0; i < COUNT(rates_per_h); i++) {
        printf("  %4.2f C-rate, %2.0f %% deep%4s", rates_per_h[i],
               100.0 * RATE_DEPTH_PU, "");
        pair(rate_per_mwh(cfg, a, rates_per_h[i]),
             rate_per_mwh(cfg, b, rates_per_h[i]));
    }
    const char *text[] = {"prices", "guards"};
    const struct prices *of[] = {a, b};
    for (int i = 0; i < 2; i++) {
        /* MW and MWh: 1e6 Wh of one, 1e12 of the other. */
        printf("  by the model that %s: %.3g |x| + %.3g x^2 per hour at x MW\n",
               text[i], 1e6 * of[i]->rate.linear_cur_per_wh,
               1e12 * of[i]->rate.square_cur_per_w2h);
    }
}

static void print_holding(const struct wear_prices_cfg *cfg,
                          const struct prices *a, const struct prices *b)
{
    printf("\nper MWh of capacity and day, held at a state of charge; "
           "prices / guards\n%-8s",
           "");
    for (size_t k = 0; k < COUNT(temps_c); k++) {
        printf("%14.0f C", temps_c[k]);
    }
    for (int i = 0; i < WEAR_HOLD_POINTS; i++) {
        double soc_pu = (double)i / (WEAR_HOLD_POINTS - 1);
        printf("\n  %3.0f %%%1s", 100.0 * soc_pu, "");
        for (size_t k = 0; k < COUNT(temps_c); k++) {
            printf("%8.2f /%6.2f", hold_per_mwh_day(cfg, a, soc_pu, temps_c[k]),
                   hold_per_mwh_day(cfg, b, soc_pu, temps_c[k]));
        }
    }
    putchar('\n');
}

static void print_swing(const struct prices *a, const struct prices *b)
{
    printf("\n%-28s%12s%12s%12s\n", "swing that pays, %", "prices", "guards",
           "less");
    for (size_t i = 0; i < COUNT(values_per_mwh); i++) {
        double value = values_per_mwh[i] / 1e3;
        double x = 100.0 * wear_curve_depth(&a->curve, value);
        double y = 100.0 * wear_curve_depth(&b->curve, value);
        printf("  at %3.0f per MWh%13s%12.1f%12.1f%12.1f\n", values_per_mwh[i],
               "", x, y, fmin(x, y));
    }
}

void wear_prices_text(const struct wear_prices_cfg *cfg)
{
    struct prices a = price(cfg, LIFE_PRICE);
    struct prices b = price(cfg, LIFE_GUARD);
    printf("prices by %s, guards by %s\n", life_model_name(a.terms.model),
           life_model_name(b.terms.model));
    printf("replacement %.6g per kWh, for a loss of %.0f %% of the capacity; "
           "a new battery, %.3g C,\n%.3g C-rate. Losses of conversion are not "
           "included.\n",
           cfg->replacement_per_kwh, 100.0 * WEAR_BUDGET_PU, cfg->temp_c,
           cfg->rate_per_h);
    print_cycling(&a, &b);
    print_rates(cfg, &a, &b);
    print_holding(cfg, &a, &b);
    print_swing(&a, &b);
}

static void put(cJSON *to, const char *key, double x)
{
    cJSON_AddItemToObject(to, key, cJSON_CreateNumber(x));
}

static void add_segments(cJSON *to, const struct prices *p)
{
    cJSON *all = cJSON_AddArrayToObject(to, "wear");
    for (int64_t i = 0; i < p->cycle.n; i++) {
        cJSON *o = cJSON_CreateObject();
        put(o, "width_pu", p->cycle.at[i].width_pu);
        put(o, "start_pu", p->cycle.at[i].start_pu);
        put(o, "per_kwh", p->cycle.at[i].per_kwh);
        cJSON_AddItemToArray(all, o);
    }
}

static void add_holding(cJSON *to, const struct wear_prices_cfg *cfg,
                        const struct prices *p)
{
    struct site_battery b = battery_of(cfg);
    cJSON *all = cJSON_AddArrayToObject(to, "hold");
    for (size_t k = 0; k < COUNT(temps_c); k++) {
        struct wear_terms t = p->terms;
        struct wear_hold hold;
        t.temp_c = temps_c[k];
        wear_hold(&b, &t, &hold);
        cJSON *o = cJSON_CreateObject();
        put(o, "temperature_c", temps_c[k]);
        cJSON_AddItemToObject(
            o, "soc_pu",
            cJSON_CreateDoubleArray(hold.soc_pu, WEAR_HOLD_POINTS));
        cJSON *raw = cJSON_AddArrayToObject(o, "per_mwh_day");
        cJSON *hull = cJSON_AddArrayToObject(o, "hull_per_mwh_day");
        for (int i = 0; i < WEAR_HOLD_POINTS; i++) {
            double x = hold_per_mwh_day(cfg, p, hold.soc_pu[i], temps_c[k]);
            cJSON_AddItemToArray(raw, cJSON_CreateNumber(x));
            cJSON_AddItemToArray(hull,
                                 cJSON_CreateNumber(24.0 * hold.cur_per_h[i]));
        }
        cJSON_AddItemToObject(
            o, "per_kwh_h",
            cJSON_CreateDoubleArray(hold.per_kwh_h, WEAR_HOLD_POINTS - 1));
        cJSON_AddItemToArray(all, o);
    }
}

static void add_swing(cJSON *to, const struct prices *p)
{
    cJSON *all = cJSON_AddArrayToObject(to, "swing");
    for (size_t i = 0; i < COUNT(values_per_mwh); i++) {
        cJSON *o = cJSON_CreateObject();
        double value = values_per_mwh[i] / 1e3;
        put(o, "value_per_kwh", value);
        put(o, "depth_pu", wear_curve_depth(&p->curve, value));
        cJSON_AddItemToArray(all, o);
    }
}

static cJSON *model_json(const struct wear_prices_cfg *cfg, enum life_role role)
{
    struct prices p = price(cfg, role);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "role", role == LIFE_PRICE ? "price" : "guard");
    cJSON_AddStringToObject(o, "model", life_model_name(p.terms.model));
    add_segments(o, &p);
    cJSON *rate = cJSON_AddObjectToObject(o, "rate");
    put(rate, "depth_pu", RATE_DEPTH_PU);
    put(rate, "linear_cur_per_wh", p.rate.linear_cur_per_wh);
    put(rate, "square_cur_per_w2h", p.rate.square_cur_per_w2h);
    add_holding(o, cfg, &p);
    add_swing(o, &p);
    return o;
}

enum err wear_prices_json(const struct wear_prices_cfg *cfg)
{
    struct site_battery b = battery_of(cfg);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "chemistry", cfg->name);
    put(o, "energy_wh", b.energy_wh);
    put(o, "replacement_per_kwh", cfg->replacement_per_kwh);
    put(o, "loss_budget_pu", WEAR_BUDGET_PU);
    put(o, "lambda_cur", wear_lambda_cur(&b));
    put(o, "temperature_c", cfg->temp_c);
    put(o, "rate_per_h", cfg->rate_per_h);
    cJSON *models = cJSON_AddArrayToObject(o, "models");
    cJSON_AddItemToArray(models, model_json(cfg, LIFE_PRICE));
    cJSON_AddItemToArray(models, model_json(cfg, LIFE_GUARD));
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (text == NULL) {
        return ERR_MEMORY;
    }
    puts(text);
    cJSON_free(text);
    return ERR_NONE;
}
