/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/inputs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/zone_file.h"
#include "models/calendar.h"

/* A trace without a calendar starts here, a Thursday. */
static const int64_t DEFAULT_START_UTC_MS = 1767225600000; /* 2026-01-01 */
static const double GENERATOR_PEAK_PU = 0.95; /* of the pods' ratings */

static double pods_power_max_w(const struct site *site)
{
    double w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        w += site->pods[i].power_max_w;
    }
    return w;
}

static bool load_trace(const struct inputs_options *o, const struct site *site,
                       struct trace *out)
{
    struct trace_cfg cfg = {
        .load = o->load,
        .column = o->column,
        .where = o->where.at,
        .n_where = o->where.n,
        .scale = o->scale,
        .repeat = o->repeat,
        .peak_w = GENERATOR_PEAK_PU * pods_power_max_w(site),
    };
    char why[512];
    if (trace_load(&cfg, out, why, sizeof(why)) != ERR_NONE) {
        cli_error("replay", "%s", why);
        return false;
    }
    size_t n = out->report.n_gaps;
    if (n > 0) {
        cli_error("replay",
                  "%s: %zu gap%s %.0f s before line %ld: the last value is "
                  "held over %s",
                  out->name, n, n == 1 ? " of" : "s, the longest",
                  out->report.longest_s, out->report.longest_line,
                  n == 1 ? "it" : "them");
    }
    return true;
}

static bool load_zone(const struct inputs_options *o, const struct site *site,
                      struct zone *zone)
{
    char why[512];
    const char *name = o->price_zone != NULL ? o->price_zone : site->time_zone;
    if (zone_file_load(name, zone, why, sizeof(why)) != ERR_NONE) {
        cli_error("replay", "--price-zone: %s", why);
        return false;
    }
    return true;
}

static double mean_price(const struct prices *p)
{
    double sum = 0.0;
    double n = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        if (isfinite(p->per_kwh[i])) {
            sum += p->per_kwh[i];
            n += 1.0;
        }
    }
    return n > 0.0 ? sum / n : 0.0;
}

static void tell_about_prices(const struct prices_report *r, const char *file)
{
    char at[32];
    if (r->n_gaps > 0) {
        cli_error("replay",
                  "%s: %zu gap%s of %zu price%s, %s%.1f h from %s: the "
                  "fallback price stands in",
                  file, r->n_gaps, r->n_gaps == 1 ? "" : "s", r->n_missing,
                  r->n_missing == 1 ? "" : "s",
                  r->n_gaps == 1 ? "" : "the longest ",
                  (double)r->longest_ms / 3.6e6,
                  calendar_format_utc(r->longest_at_ms, at));
    }
    if (r->n_never > 0) {
        cli_error("replay",
                  "%s: %zu row%s for %s that never %s (the clock was set "
                  "forward) and %s left out",
                  file, r->n_never, r->n_never == 1 ? " stands" : "s stand",
                  r->n_never == 1 ? "a local time" : "local times",
                  r->n_never == 1 ? "was" : "were",
                  r->n_never == 1 ? "is" : "are");
    }
}

/* True after a message: an option means nothing without a price file. */
static bool needs_price(const struct inputs_options *o)
{
    const struct {
        const char *name;
        const char *given;
    } options[] = {
        {"price-column", o->price_column}, {"price-zone", o->price_zone},
        {"price-known", o->price_known},   {"settle-column", o->settle_column},
        {"ahead-column", o->ahead_column},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (options[i].given != NULL) {
            cli_error("replay", "--%s needs --price FILE", options[i].name);
            return true;
        }
    }
    return false;
}

static void add_market(struct site *site, const char *name, double fallback)
{
    struct site_price *p = &site->prices[site->n_prices++];
    snprintf(p->market, SITE_NAME_MAX, "%s", name);
    p->fallback_per_kwh = fallback;
}

static bool load_prices(const struct inputs_options *o, struct site *site,
                        struct prices *out)
{
    if (o->price == NULL) {
        return !needs_price(o);
    }
    struct zone *zone = malloc(sizeof(*zone));
    struct prices_cfg cfg = {
        .file = o->price,
        .column = o->price_column,
        .settle_column = o->settle_column,
        .ahead_column = o->ahead_column,
        .zone = zone,
    };
    char why[512] = "out of memory";
    bool ok = false;
    if (o->price_known != NULL &&
        prices_known_parse(o->price_known, &cfg.known) != ERR_NONE) {
        cli_error("replay",
                  "--price-known: \"%s\": expected day-ahead, now or all",
                  o->price_known);
    } else if (zone != NULL && load_zone(o, site, zone)) {
        ok = prices_load(&cfg, out, why, sizeof(why)) == ERR_NONE;
        if (ok) {
            tell_about_prices(&out->report, o->price);
        } else {
            cli_error("replay", "%s", why);
        }
    }
    free(zone);
    if (ok && site->n_prices == 0) {
        add_market(site, "file", mean_price(out));
    }
    if (ok && site->n_prices == 1 && o->ahead_column != NULL) {
        add_market(site, "ahead", site->prices[0].fallback_per_kwh);
    }
    return ok;
}

static bool find_start(const struct inputs_options *o, struct inputs *in)
{
    in->start_utc_ms = DEFAULT_START_UTC_MS;
    if (in->trace.start_utc_ms >= 0) {
        in->start_utc_ms = in->trace.start_utc_ms;
    } else if (in->prices.n > 0) {
        in->start_utc_ms = in->prices.start_at_ms;
    }
    if (o->start != NULL &&
        calendar_parse_utc(o->start, &in->start_utc_ms) != ERR_NONE) {
        cli_error("replay",
                  "--start: \"%s\": expected an instant such as "
                  "2026-01-31T06:00:00Z",
                  o->start);
        return false;
    }
    int64_t end_ms = in->start_utc_ms + (int64_t)(in->trace.duration_s * 1e3);
    size_t missing = in->prices.n > 0
                         ? prices_missing(&in->prices, in->start_utc_ms, end_ms)
                         : 0;
    if (missing > 0) {
        cli_error("replay",
                  "%zu prices of the time replayed are missing: the bill "
                  "takes the fallback price there",
                  missing);
    }
    return true;
}

static bool load_events(const struct inputs_options *o, const struct site *site,
                        struct inputs *in)
{
    if (o->events == NULL) {
        return true;
    }
    struct events_cfg cfg = {o->events, site, in->start_utc_ms};
    char why[512];
    if (events_load(&cfg, &in->events, why, sizeof(why)) != ERR_NONE) {
        cli_error("replay", "%s", why);
        return false;
    }
    return true;
}

bool inputs_load(const struct inputs_options *o, struct site *site,
                 struct inputs *out)
{
    memset(out, 0, sizeof(*out));
    zone_file_or_utc(site->time_zone, &out->zone);
    if (!load_trace(o, site, &out->trace)) {
        return false;
    }
    if (load_prices(o, site, &out->prices) && find_start(o, out) &&
        load_events(o, site, out)) {
        return true;
    }
    inputs_clear(out);
    return false;
}

void inputs_clear(struct inputs *in)
{
    trace_clear(&in->trace);
    if (in->prices.n > 0) {
        prices_clear(&in->prices);
    }
    events_clear(&in->events);
    memset(in, 0, sizeof(*in));
}
