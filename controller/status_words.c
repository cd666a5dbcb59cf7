/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_words - a status for people.  What is not known is said to be, never
 * printed as a number. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "controller/status.h"
#include "controller/status_forecast.h"
#include "controller/status_life.h"
#include "controller/status_plan.h"
#include "controller/status_proof.h"
#include "controller/status_fleet.h"
#include "controller/status_utility.h"
#include "models/units.h"

static double number(const cJSON *o, const char *group, const char *name)
{
    const cJSON *g =
        group != NULL ? cJSON_GetObjectItemCaseSensitive(o, group) : o;
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(g, name);
    return cJSON_IsNumber(n) ? n->valuedouble : NAN;
}

static const char *word(const cJSON *o, const char *group, const char *name)
{
    const cJSON *g =
        group != NULL ? cJSON_GetObjectItemCaseSensitive(o, group) : o;
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(g, name);
    return cJSON_IsString(s) ? s->valuestring : "?";
}

static const char *watts(double w, char out[32])
{
    return units_power_text(w, out, 32);
}

/* "?" instead of a count that is not there. */
static const char *count(const cJSON *o, const char *group, const char *name,
                         char out[16])
{
    double n = number(o, group, name);
    if (isfinite(n)) {
        snprintf(out, 16, "%.0f", n);
    } else {
        snprintf(out, 16, "?");
    }
    return out;
}

static void print_grid(const cJSON *o)
{
    char power[32], reference[32], most[32], swing[32];
    printf("grid       %s of %s, held near %s, meter %s\n",
           watts(number(o, "grid", "power_w"), power),
           watts(number(o, "grid", "import_max_w"), most),
           watts(number(o, "grid", "reference_w"), reference),
           word(o, "grid", "meter"));
    printf("ramp       %s of %s, swing in 60 s %s\n",
           units_ramp_text(number(o, "grid", "ramp_w_per_s"), power, 32),
           units_ramp_text(number(o, "grid", "ramp_max_w_per_s"), most, 32),
           watts(number(o, "grid", "pp60_w"), swing));
    printf("load       %s asked, %s served, %s held back, other %s\n",
           watts(number(o, "load", "demand_w"), power),
           watts(number(o, "load", "served_w"), reference),
           watts(number(o, "load", "shed_w"), most),
           watts(number(o, "load", "other_w"), swing));
    double burn_w = number(o, "load", "burn_w");
    if (burn_w > 0.0) {
        printf("floors     %s, %s of it burnt to hold the load up\n",
               watts(number(o, "load", "floor_w"), power),
               watts(burn_w, swing));
    }
}

static void print_batteries(const cJSON *o)
{
    char power[32], set[32], soc[32];
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "batteries"))
    {
        double soc_pu = number(item, NULL, "soc_pu");
        printf("battery    %s: %s, set %s, %s%s, %s\n",
               word(item, NULL, "name"),
               watts(number(item, NULL, "power_w"), power),
               watts(number(item, NULL, "set_w"), set),
               units_percent_text(soc_pu, soc, sizeof(soc)),
               isfinite(soc_pu) ? " charged" : " charge",
               word(item, NULL, "state"));
        status_life_print(item);
    }
}

/* " (3 more announced, but silent)", where some are. */
static const char *silent(const cJSON *o, const char *group, char out[64])
{
    double n = number(o, group, "announced") - number(o, group, "online");
    out[0] = '\0';
    if (n > 0.0) {
        snprintf(out, 64, " (%.0f more announced, but silent)", n);
    }
    return out;
}

static void print_pods(const cJSON *o)
{
    char power[32], n[4][16], quiet[64];
    printf("pods       %s of %s online%s, %s capped, %s\n",
           count(o, "pods", "online", n[0]), count(o, "pods", "n", n[1]),
           silent(o, "pods", quiet), count(o, "pods", "capped", n[2]),
           watts(number(o, "pods", "power_w"), power));
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "fleets"))
    {
        printf("fleet      %s: %s of %s online%s, %s computing with %s, "
               "%s charging\n",
               word(item, NULL, "name"), count(item, NULL, "online", n[0]),
               count(item, NULL, "nodes", n[1]), silent(item, NULL, quiet),
               count(item, NULL, "computing", n[2]),
               watts(number(item, NULL, "compute_w"), power),
               count(item, NULL, "charging", n[3]));
        status_ledger_print(item);
    }
}

/* Whose price it is: one that nobody sent lately is not the feed's. */
static void print_price(const cJSON *o)
{
    double per_kwh = number(o, "price", "per_kwh");
    if (!isfinite(per_kwh)) {
        puts("price      none");
        return;
    }
    const char *source = word(o, "price", "source");
    double age_s = number(o, "price", "age_s");
    char age[32];
    printf("price      %.4g %s/MWh (", per_kwh * 1e3,
           word(o, "price", "currency"));
    if (strcmp(source, "fallback") == 0) {
        printf("fallback of the site file: the feed has none for now)\n");
        return;
    }
    printf("%s",
           strcmp(source, "kept") == 0 ? "kept from the last run" : source);
    if (isfinite(age_s)) {
        printf(", heard %s ago",
               units_duration_text(floor(age_s), age, sizeof(age)));
    }
    puts(")");
}

static void print_assets(const cJSON *o)
{
    print_batteries(o);
    print_pods(o);
    status_forecast_print(o);
    print_price(o);
    status_plan_print(o);
}

static void print_sentences(const cJSON *o)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "why"))
    {
        printf("why        %s\n",
               cJSON_IsString(item) ? item->valuestring : "?");
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "alarms"))
    {
        printf("alarm      %s: %s\n", word(item, NULL, "severity"),
               word(item, NULL, "text"));
    }
}

static void print_loop(const cJSON *o)
{
    char n[16];
    double step_s = number(o, "loop", "step_p99_s");
    double jitter_s = number(o, "loop", "jitter_p99_s");
    printf("loop       %s overruns", count(o, "loop", "overruns", n));
    if (isfinite(step_s) && isfinite(jitter_s)) {
        printf(", step p99 %.0f us, jitter p99 %.1f ms", step_s * 1e6,
               jitter_s * 1e3);
    }
    puts("");
}

enum err status_print(const char *json)
{
    cJSON *o = cJSON_ParseWithOpts(json, NULL, 1);
    if (!cJSON_IsObject(o) ||
        cJSON_GetObjectItemCaseSensitive(o, "grid") == NULL) {
        cJSON_Delete(o);
        return ERR_SYNTAX;
    }
    char up[32];
    char tick[16];
    printf("site       %s, %s, up %s, tick %s\n", word(o, NULL, "site"),
           strcmp(word(o, NULL, "mode"), "shadow") == 0
               ? "in shadow: nothing is written to devices"
               : "under control",
           units_duration_text(number(o, NULL, "uptime_s"), up, sizeof(up)),
           count(o, NULL, "tick", tick));
    print_grid(o);
    print_assets(o);
    status_utility_print(o);
    print_sentences(o);
    status_proof_print(o);
    print_loop(o);
    cJSON_Delete(o);
    return ERR_NONE;
}
