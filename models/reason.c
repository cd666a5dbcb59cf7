/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/reason.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/units.h"

/* What a number of a sentence is measured in. */
enum in {
    IN_W,
    IN_RAMP,
    IN_SOC,
    IN_C,
    IN_PRICE,
};

struct wording {
    const char *word;
    const char *text;
};

static const struct wording wordings[REASON_COUNT] = {
#define REASON_ROW(name, word, text) [REASON_##name] = {word, text},
    REASON_LIST(REASON_ROW)
#undef REASON_ROW
};

/* Units of %v, %l and %n where they are not all watts. */
static const enum in units_of[REASON_COUNT][3] = {
    [REASON_RAMP] = {IN_W, IN_RAMP, IN_W},
    [REASON_RECENTRE] = {IN_SOC, IN_SOC, IN_W},
    [REASON_CHARGE_CHEAP] = {IN_W, IN_PRICE, IN_W},
    [REASON_DISCHARGE_DEAR] = {IN_W, IN_PRICE, IN_W},
    [REASON_FREEZE] = {IN_SOC, IN_SOC, IN_W},
    [REASON_SOC] = {IN_SOC, IN_SOC, IN_W},
    [REASON_NODE_COLD] = {IN_C, IN_C, IN_C},
    [REASON_NODE_HOT] = {IN_C, IN_C, IN_C},
    [REASON_POD_HOT] = {IN_C, IN_C, IN_W},
    [REASON_NODE_DEPARTURE] = {IN_SOC, IN_SOC, IN_SOC},
};

const char *reason_word(enum reason code)
{
    assert((unsigned)code < REASON_COUNT);
    return wordings[code].word;
}

/* A number of a line, where its sentence says it. */
struct said {
    enum in in;
    double a;
    double b;
};

static int numbers_said(const struct reason_line *a,
                        const struct reason_line *b, struct said said[3])
{
    static const char *const places[] = {"%v", "%l", "%n"};
    const double of_a[] = {a->value, a->limit, a->need};
    const double of_b[] = {b->value, b->limit, b->need};
    int n = 0;
    for (int i = 0; i < 3; i++) {
        if (strstr(wordings[a->code].text, places[i]) != NULL) {
            said[n++] = (struct said){units_of[a->code][i], of_a[i], of_b[i]};
        }
    }
    return n;
}

/* How far two numbers may be apart and still be the same to a person. */
static double same_within(const struct said *said, int n, enum in in)
{
    double most = 0.0;
    for (int i = 0; i < n; i++) {
        if (said[i].in == in) {
            most = fmax(most, fmax(fabs(said[i].a), fabs(said[i].b)));
        }
    }
    switch (in) {
    case IN_SOC:
        return 0.02;
    case IN_C:
        return 1.0;
    case IN_W:
    case IN_RAMP:
    case IN_PRICE:
        break;
    }
    return 0.1 * most;
}

bool reason_numbers_differ(const struct reason_line *a,
                           const struct reason_line *b)
{
    assert(a->code == b->code && a->code >= 0 && a->code < REASON_COUNT);
    struct said said[3];
    int n = numbers_said(a, b, said);
    for (int i = 0; i < n; i++) {
        bool known = isfinite(said[i].a) && isfinite(said[i].b);
        double apart = fabs(said[i].a - said[i].b);
        if (known ? apart > same_within(said, n, said[i].in)
                  : isfinite(said[i].a) != isfinite(said[i].b)) {
            return true;
        }
    }
    return false;
}

static const char *node_name(const struct site *site, int64_t index, char *out,
                             size_t size)
{
    for (int f = 0; f < site->n_fleets; f++) {
        const struct site_fleet *fleet = &site->fleets[f];
        int64_t k = index - fleet->first_node;
        if (k >= 0 && k < fleet->nodes) {
            snprintf(out, size, "%s-%04d", fleet->name, (int)k + 1);
            return out;
        }
    }
    snprintf(out, size, "node %d", (int)index);
    return out;
}

const char *asset_name(const struct site *site, enum asset_kind kind,
                       int64_t index, char *out, size_t size)
{
    switch (kind) {
    case ASSET_SITE:
        snprintf(out, size, "%s", site->name);
        return out;
    case ASSET_METER:
        snprintf(out, size, "the grid meter");
        return out;
    case ASSET_BATTERY:
        assert(index >= 0 && index < site->n_batteries);
        snprintf(out, size, "%s", site->batteries[index].name);
        return out;
    case ASSET_POD:
        assert(index >= 0 && index < site->n_pods);
        snprintf(out, size, "%s", site->pods[index].name);
        return out;
    case ASSET_FLEET:
        assert(index >= 0 && index < site->n_fleets);
        snprintf(out, size, "%s", site->fleets[index].name);
        return out;
    case ASSET_NODE:
        return node_name(site, index, out, size);
    case ASSET_PRICE:
        assert(index >= 0 && index < site->n_prices);
        snprintf(out, size, "price %s", site->prices[index].market);
        return out;
    }
    snprintf(out, size, "?");
    return out;
}

static void number_text(const struct site *site, enum in in, double x,
                        char *out, size_t size)
{
    if (!isfinite(x)) {
        snprintf(out, size, "an unknown value");
        return;
    }
    switch (in) {
    case IN_W:
        units_power_text(x, out, size);
        return;
    case IN_RAMP:
        units_ramp_text(x, out, size);
        return;
    case IN_SOC:
        units_percent_text(x, out, size);
        return;
    case IN_C:
        snprintf(out, size, "%.1f degrees C", x);
        return;
    case IN_PRICE:
        snprintf(out, size, "%.4g %s/MWh", x * 1e3, site->currency);
        return;
    }
}

const char *reason_text(const struct site *site, const struct reason_line *line,
                        char *out, size_t size)
{
    assert(size > 0 && line->code >= 0 && line->code < REASON_COUNT);
    const enum in *in = units_of[line->code];
    size_t n = 0;
    out[0] = '\0';
    for (const char *p = wordings[line->code].text; *p != '\0'; p++) {
        char piece[96] = {*p, '\0'};
        if (*p == '%') {
            p++;
            if (*p == 'a') {
                asset_name(site, (enum asset_kind)line->asset, line->index,
                           piece, sizeof(piece));
            } else if (*p == 'v') {
                number_text(site, in[0], line->value, piece, sizeof(piece));
            } else if (*p == 'l') {
                number_text(site, in[1], line->limit, piece, sizeof(piece));
            } else {
                number_text(site, in[2], line->need, piece, sizeof(piece));
            }
        }
        int w = snprintf(out + n, size - n, "%s", piece);
        if (w < 0 || (size_t)w >= size - n) {
            break;
        }
        n += (size_t)w;
    }
    return out;
}
