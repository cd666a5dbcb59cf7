/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/wear_main.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/cli.h"
#include "replay/wear_prices.h"
#include "replay/wear_run.h"

enum { TEXT_ROWS = 20 };

struct options {
    const char *chemistry;
    const char *profile;
    const char *method;
    long repeat;
    bool json;
    bool prices;
    double replacement_per_kwh;
    double temp_c;
    double rate_per_h;
};

struct run {
    struct wear_cfg cfg;
    struct wear_day *days;
    size_t n;
};

static const char *const chemistry_names[CHEMISTRY_COUNT] = {
#define NAME(name, text) text,
    CHEMISTRY_LIST(NAME)
#undef NAME
};

static bool read_chemistry(const char *name, enum chemistry *out)
{
    for (int i = 0; name != NULL && i < CHEMISTRY_COUNT; i++) {
        if (strcmp(chemistry_names[i], name) == 0) {
            *out = (enum chemistry)i;
            return true;
        }
    }
    char list[128] = "";
    for (int i = 0; i < CHEMISTRY_COUNT; i++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof(list) - n, "%s%s", i > 0 ? ", " : "",
                 chemistry_names[i]);
    }
    if (name == NULL) {
        cli_error("wear", "--chemistry is missing: expected one of %s", list);
    } else {
        cli_error("wear", "--chemistry: \"%s\": expected one of %s", name,
                  list);
    }
    return false;
}

/* "a; b", or "" for none. */
static const char *flags_text(enum life_model_id id, unsigned flags, char *out,
                              size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (int f = 0; f < LIFE_FLAG_COUNT; f++) {
        char one[80];
        if ((flags >> f & 1U) == 0) {
            continue;
        }
        life_flag_text(id, (enum life_flag)f, one, sizeof(one));
        snprintf(out + n, size - n, "%s%s", n > 0 ? "; " : "", one);
        n = strlen(out);
    }
    return out;
}

static void print_row(const struct wear_day *d, const char *text)
{
    printf("%8.6g  %8.4f  %8.4f  %8.4f  %10.4f  %s\n", d->day,
           100.0 * d->loss.capacity_pu, 100.0 * d->loss.calendar_pu,
           100.0 * d->loss.cycle_pu, d->loss.resistance_pu, text);
}

/* Some days, the flags of all between them. */
static void print_text(const struct run *r)
{
    enum life_model_id id = life_price_model(r->cfg.chemistry);
    printf("model: %s\n%s\n", life_model_name(id),
           r->cfg.profile->synthetic ? "profile: synthetic\n" : "");
    printf("%8s  %8s  %8s  %8s  %10s  %s\n", "day", "capacity", "calendar",
           "cycling", "resistance", "outside the model's range");
    printf("%8s  %8s  %8s  %8s  %10s\n", "", "%", "lost %", "lost %", "x new");
    size_t every = r->n > TEXT_ROWS ? (r->n + TEXT_ROWS - 1) / TEXT_ROWS : 1;
    unsigned flags = 0;
    for (size_t i = 0; i < r->n; i++) {
        char text[400];
        flags |= r->days[i].flags;
        if ((i + 1) % every == 0 || i + 1 == r->n) {
            print_row(&r->days[i], flags_text(id, flags, text, sizeof(text)));
            flags = 0;
        }
    }
}

static cJSON *flags_json(enum life_model_id id, unsigned flags)
{
    cJSON *all = cJSON_CreateArray();
    for (int f = 0; f < LIFE_FLAG_COUNT; f++) {
        char text[80];
        if ((flags >> f & 1U) != 0) {
            life_flag_text(id, (enum life_flag)f, text, sizeof(text));
            cJSON_AddItemToArray(all, cJSON_CreateString(text));
        }
    }
    return all;
}

static void add_days(cJSON *to, const char *name, const struct run *r,
                     double (*value)(const struct wear_day *))
{
    cJSON *list = cJSON_AddArrayToObject(to, name);
    /* cJSON_AddItemToArray() keeps the tail: no walk per entry. */
    for (size_t i = 0; i < r->n; i++) {
        cJSON_AddItemToArray(list, cJSON_CreateNumber(value(&r->days[i])));
    }
}

static double day_of(const struct wear_day *d)
{
    return d->day;
}

static double capacity_of(const struct wear_day *d)
{
    return d->loss.capacity_pu;
}

static double calendar_of(const struct wear_day *d)
{
    return d->loss.calendar_pu;
}

static double cycle_of(const struct wear_day *d)
{
    return d->loss.cycle_pu;
}

static int print_json(const struct run *r)
{
    enum life_model_id id = life_price_model(r->cfg.chemistry);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "chemistry", chemistry_names[r->cfg.chemistry]);
    cJSON_AddStringToObject(o, "model", life_model_name(id));
    if (r->cfg.profile->synthetic) {
        cJSON_AddTrueToObject(o, "synthetic");
    }
    add_days(o, "days", r, day_of);
    add_days(o, "capacity_pu", r, capacity_of);
    add_days(o, "loss_calendar_pu", r, calendar_of);
    add_days(o, "loss_cycle_pu", r, cycle_of);
    cJSON *flags = cJSON_AddArrayToObject(o, "out_of_range");
    for (size_t i = 0; i < r->n; i++) {
        cJSON_AddItemToArray(flags, flags_json(id, r->days[i].flags));
    }
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (text == NULL) {
        cli_error("wear", "%s", err_text(ERR_MEMORY));
        return EXIT_USAGE;
    }
    puts(text);
    cJSON_free(text);
    return EXIT_DONE;
}

static int age(const struct options *o, struct run *r)
{
    if (strcmp(o->method, "rainflow") == 0) {
        wear_by_rainflow(&r->cfg, r->days);
        return EXIT_DONE;
    }
    char why[256];
    enum err e = wear_by_day(&r->cfg, r->days, why, sizeof(why));
    if (e == ERR_MEMORY) {
        cli_error("wear", "%s", err_text(e));
    } else if (e != ERR_NONE) {
        cli_error("wear", "%s: %s", o->profile, why);
    }
    return e == ERR_NONE ? EXIT_DONE : EXIT_USAGE;
}

static int run_profile(const struct options *o, struct run *r)
{
    double days = wear_days(&r->cfg);
    if (days > WEAR_DAYS_MAX) {
        cli_error("wear", "%s: %.0f days: expected at most %d", o->profile,
                  days, WEAR_DAYS_MAX);
        return EXIT_USAGE;
    }
    r->n = (size_t)days;
    r->days = calloc(r->n, sizeof(*r->days));
    if (r->days == NULL) {
        cli_error("wear", "%s", err_text(ERR_MEMORY));
        return EXIT_USAGE;
    }
    int code = age(o, r);
    if (code == EXIT_DONE && o->json) {
        code = print_json(r);
    } else if (code == EXIT_DONE) {
        print_text(r);
    }
    free(r->days);
    return code;
}

static bool options_are_good(const struct options *o, struct run *r)
{
    if (!read_chemistry(o->chemistry, &r->cfg.chemistry)) {
        return false;
    }
    if (o->profile == NULL) {
        cli_error("wear", "--profile is missing: expected a CSV file with "
                          "time_s, soc and temperature_C");
        return false;
    }
    if (isfinite(o->replacement_per_kwh) || isfinite(o->temp_c) ||
        isfinite(o->rate_per_h)) {
        cli_error("wear", "--replacement, --temperature and --rate are for "
                          "--prices: a profile has its own temperature and "
                          "rate");
        return false;
    }
    if (strcmp(o->method, "rainflow") != 0 && strcmp(o->method, "daily") != 0) {
        cli_error("wear", "--method: \"%s\": expected rainflow or daily",
                  o->method);
        return false;
    }
    return true;
}

static bool within(const char *name, double x, double lo, double hi)
{
    if (x >= lo && x <= hi) {
        return true;
    }
    cli_error("wear", "--%s: %g: expected %g to %g", name, x, lo, hi);
    return false;
}

/* NAN is what was not given. */
static double or_else(double x, double value)
{
    return isnan(x) ? value : x;
}

static int tell_prices(const struct options *o)
{
    struct wear_prices_cfg cfg = {
        .replacement_per_kwh = or_else(o->replacement_per_kwh, 150.0),
        .temp_c = or_else(o->temp_c, 25.0),
        .rate_per_h = or_else(o->rate_per_h, 0.25),
    };
    if (!read_chemistry(o->chemistry, &cfg.chemistry)) {
        return EXIT_USAGE;
    }
    if (o->profile != NULL) {
        cli_error("wear", "--prices takes no --profile: it is about one cycle "
                          "or one day, not about a life");
        return EXIT_USAGE;
    }
    if (!within("replacement", cfg.replacement_per_kwh, 0.0, 1e6) ||
        !within("temperature", cfg.temp_c, LIFE_TEMP_MIN_C, LIFE_TEMP_MAX_C) ||
        !within("rate", cfg.rate_per_h, 0.01, 10.0)) {
        return EXIT_USAGE;
    }
    cfg.name = chemistry_names[cfg.chemistry];
    if (!o->json) {
        wear_prices_text(&cfg);
        return EXIT_DONE;
    }
    enum err e = wear_prices_json(&cfg);
    if (e != ERR_NONE) {
        cli_error("wear", "%s", err_text(e));
    }
    return e == ERR_NONE ? EXIT_DONE : EXIT_USAGE;
}

static const char about[] =
    "How much capacity a battery loses under a profile of state "
    "of charge and\ntemperature. Inputs outside of what the "
    "model's source measured are clamped and\nnamed.\n\n"
    "gen:commuter is the week of a parked car's pack: 75 kWh, "
    "charged to 80 % from\nmidnight, 12 kWh driven on weekdays. "
    "gen:commuter,KEY=VALUE,… changes it:\n"
    "  pack=75 kWh, drive=12 kWh, charge=7 kW, target=80 %, "
    "ambient=20 C\n"
    "  draw=1.15 kW   for compute out of the pack, 09:00 to "
    "17:00\n"
    "  heat=1 kW      of compute fed by the charger, into the "
    "coolant, then too\n"
    "  radiator=off   nothing carries that heat away but the "
    "car's skin\n"
    "  rise=10 K      a pack that much warmer then\n\n"
    "--prices tells what ageing costs a planner: per MWh cycled, by depth and "
    "rate; per\nday held, by state of charge and temperature; and how deep it "
    "pays to swing. By the\nmodel that prices and by the one that guards.";

int wear_main(int argc, char **argv)
{
    struct options o = {.method = "rainflow",
                        .repeat = 1,
                        .replacement_per_kwh = NAN,
                        .temp_c = NAN,
                        .rate_per_h = NAN};
    const struct cli_option options[] = {
        {"chemistry", CLI_TEXT, &o.chemistry, "NAME",
         "lfp, lfp_naumann, nca, nmc or nmc_schmalstieg"},
        {"profile", CLI_TEXT, &o.profile, "FILE",
         "CSV with time_s, soc and temperature_C, or gen:commuter: a synthetic "
         "week, see above"},
        {"repeat", CLI_COUNT, &o.repeat, "N", "play it N times; default 1"},
        {"method", CLI_TEXT, &o.method, "rainflow|daily",
         "how cycles are counted; daily as the models' sources do"},
        {"json", CLI_FLAG, &o.json, NULL, "one JSON object, an entry per day"},
        {"prices", CLI_FLAG, &o.prices, NULL, "what ageing costs, no profile"},
        {"replacement", CLI_NUMBER, &o.replacement_per_kwh, "X",
         "of a kWh of capacity, for --prices; default 150"},
        {"temperature", CLI_NUMBER, &o.temp_c, "C",
         "of cycling, for --prices; default 25"},
        {"rate", CLI_NUMBER, &o.rate_per_h, "C-RATE",
         "power over energy, for --prices; default 0.25"},
    };
    const struct cli cli = {
        .command = "wear",
        .args = "--chemistry NAME --profile FILE|--prices",
        .about = about,
        .example =
            "  ballast wear --chemistry lfp --profile year.csv "
            "--repeat 10\n"
            "  ballast wear --chemistry nca --repeat 417 "
            "--profile gen:commuter,heat=1kW\n"
            "  ballast wear --chemistry lfp --prices --replacement 150\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    if (o.prices) {
        return tell_prices(&o);
    }
    struct wear_profile profile;
    struct run r = {.cfg = {.profile = &profile, .repeat = o.repeat}};
    if (!options_are_good(&o, &r)) {
        return EXIT_USAGE;
    }
    char why[512];
    if (wear_profile_load(o.profile, &profile, why, sizeof(why)) != ERR_NONE) {
        cli_error("wear", "%s", why);
        return EXIT_USAGE;
    }
    code = run_profile(&o, &r);
    wear_profile_clear(&profile);
    return code;
}
