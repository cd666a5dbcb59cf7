/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/settlement_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "controller/cli.h"
#include "models/units.h"

static bool refuse(const char *option, const char *text, const char *expected)
{
    cli_error("export", "--%s: \"%s\": expected %s", option, text, expected);
    return false;
}

static bool take_method(const char *text, int64_t *method)
{
    if (text == NULL) {
        return true;
    }
    if (strcmp(text, "high") == 0) {
        *method = BASELINE_HIGH_DAYS;
    } else if (strcmp(text, "meter-before") == 0) {
        *method = BASELINE_METER_BEFORE;
    } else {
        return refuse("baseline", text, "high or meter-before");
    }
    return true;
}

static bool take_days(const char *text, struct baseline_terms *t)
{
    int high = 0;
    int most = 0;
    char more;
    if (text == NULL) {
        return true;
    }
    if (sscanf(text, "%3d/%3d%c", &high, &most, &more) != 2) {
        return refuse("days", text, "two counts such as 5/10");
    }
    t->high = high;
    t->most = most;
    return true;
}

static bool take_adjust(const char *text, int64_t *adjust)
{
    if (text == NULL) {
        return true;
    }
    for (int i = 0; i < BASELINE_ADJUSTS; i++) {
        if (strcmp(text, baseline_adjust_name((enum baseline_adjust)i)) == 0) {
            *adjust = i;
            return true;
        }
    }
    return refuse("adjust", text, "multiply, add or none");
}

static bool take_window(const char *text, struct baseline_terms *t)
{
    char from[32];
    char to[32];
    char more;
    if (text == NULL) {
        return true;
    }
    if (sscanf(text, "%31[^/]/%31[^/]%c", from, to, &more) != 2 ||
        units_parse(UNIT_DURATION, from, NULL, &t->adjust_from_s) != ERR_NONE ||
        units_parse(UNIT_DURATION, to, NULL, &t->adjust_to_s) != ERR_NONE) {
        return refuse("window", text, "two durations such as '4 h/2 h'");
    }
    return true;
}

static bool take_cap(const char *text, double *cap_pu)
{
    if (text == NULL) {
        return true;
    }
    if (strcmp(text, "none") == 0) {
        *cap_pu = INFINITY;
        return true;
    }
    return units_parse(UNIT_FRACTION, text, NULL, cap_pu) == ERR_NONE ||
           refuse("cap", text, unit_expected(UNIT_FRACTION));
}

static bool take_holidays(const char *text, struct settlement_terms *t)
{
    return text == NULL || settlement_holidays(text, t) ||
           refuse("holidays", text,
                  "up to 64 days such as 2026-11-26,2026-12-25");
}

static bool take_limit(const char *text, double *limit_w)
{
    *limit_w = NAN;
    return text == NULL ||
           units_parse(UNIT_POWER, text, NULL, limit_w) == ERR_NONE ||
           refuse("limit", text, unit_expected(UNIT_POWER));
}

bool settlement_options(const struct site *site,
                        const struct export_settlement *given,
                        struct settlement_asked *out)
{
    struct settlement_terms *terms = &out->terms;
    *terms = settlement_terms_of(site);
    struct baseline_terms *b = &terms->baseline;
    if (given->interval_s > 0.0) {
        terms->interval_s = fmax(given->interval_s, 1.0);
    }
    const char *why = NULL;
    if (!take_method(given->baseline, &b->method) ||
        !take_days(given->days, b) || !take_adjust(given->adjust, &b->adjust) ||
        !take_window(given->window, b) || !take_cap(given->cap, &b->cap_pu) ||
        !take_holidays(given->holidays, terms) ||
        !take_limit(given->limit, &out->limit_w)) {
        return false;
    }
    if (baseline_check(b, &why) != ERR_NONE) {
        cli_error("export", "--settlement: %s", why);
        return false;
    }
    return true;
}
