/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/cover.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "models/units.h"

static double power_of(const struct site_battery *b, bool rise)
{
    return fmin(rise ? b->discharge_max_w : b->charge_max_w, b->transformer_va);
}

/* At the terminals, from the middle of the window above the reserve. */
static double energy_of(const struct site_battery *b, bool rise)
{
    double half_pu =
        (b->soc_max_pu - b->soc_min_pu - b->reserve_wh / b->energy_wh) / 2.0;
    double stored_wh = fmax(half_pu - COVER_SOC_ERROR_PU, 0.0) * b->energy_wh;
    double one_way = sqrt(b->efficiency_pu);
    return rise ? stored_wh * one_way : stored_wh / one_way;
}

/* Seconds' worth of an edge that passes before the battery has answered. */
static double latency_of(const struct site_battery *b, double period_s)
{
    double left =
        b->sim_response_s > 0.0 ? exp(-period_s / b->sim_response_s) : 0.0;
    return b->sim_delay_s + period_s / (1.0 - left);
}

struct cover cover_edge(const struct site *site, double edge_w, bool rise)
{
    assert(edge_w > 0.0);
    const struct site_grid *g = &site->grid;
    struct cover c = {.edge_max_w = INFINITY};
    double weighted = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        double power_w = power_of(b, rise);
        c.power_w += power_w;
        c.energy_wh += energy_of(b, rise);
        weighted += power_w * latency_of(b, site->control.period_s);
    }
    if (c.power_w > 0.0) {
        c.latency_s = weighted / c.power_w;
        c.edge_max_w = g->ramp_max_w_per_s * g->ramp_average_s *
                       g->ramp_average_s / c.latency_s;
    }
    c.energy_need_wh = edge_w * edge_w / (2.0 * g->ramp_max_w_per_s) / 3600.0;
    c.no_battery_needed = edge_w <= g->ramp_max_w_per_s * g->ramp_average_s;
    c.ok = c.no_battery_needed ||
           (c.power_w >= edge_w && c.energy_wh >= c.energy_need_wh &&
            edge_w <= c.edge_max_w);
    return c;
}

struct cover_trip cover_trip(const struct site *site, int i)
{
    assert(i >= 0 && i < site->n_batteries);
    const struct site_grid *g = &site->grid;
    double power_w[2] = {0.0, 0.0};
    double energy_wh[2] = {0.0, 0.0};
    double late_ws = 0.0;
    for (int k = 0; k < site->n_batteries; k++) {
        const struct site_battery *b = &site->batteries[k];
        for (int rise = 0; rise < 2 && k != i; rise++) {
            power_w[rise] += power_of(b, rise);
            energy_wh[rise] += energy_of(b, rise);
        }
        late_ws +=
            k != i ? power_of(b, true) * latency_of(b, site->control.period_s)
                   : 0.0;
    }
    const struct site_battery *lost = &site->batteries[i];
    struct cover_trip t = {
        .edge_w = fmax(power_of(lost, true), power_of(lost, false)),
        .carried_w = fmin(power_w[0], power_w[1]),
        .leaks_w = INFINITY,
    };
    double least_wh = fmin(energy_wh[0], energy_wh[1]);
    t.carried_w =
        fmin(t.carried_w, sqrt(2.0 * g->ramp_max_w_per_s * 3600.0 * least_wh));
    if (power_w[1] > 0.0) {
        t.leaks_w = g->ramp_max_w_per_s * g->ramp_average_s *
                    g->ramp_average_s * power_w[1] / late_ws;
    }
    t.ok = t.carried_w > 0.0 && t.edge_w <= t.leaks_w;
    return t;
}

/* Appends to 'out', with a comma between two. */
static void add(char *out, size_t size, size_t *n, const char *text)
{
    if (*n < size) {
        int w = snprintf(out + *n, size - *n, "%s%s", *n > 0 ? ", " : "", text);
        *n += w > 0 ? (size_t)w : 0;
    }
}

const char *cover_text(const struct site *site, double edge_w,
                       const struct cover *c, char *out, size_t size)
{
    size_t n = 0;
    char number[32];
    char piece[160];
    out[0] = '\0';
    if (c->ok) {
        return out;
    }
    if (c->power_w < edge_w) {
        snprintf(piece, sizeof(piece), "%s more battery power",
                 units_power_text(edge_w - c->power_w, number, sizeof(number)));
        add(out, size, &n, piece);
    }
    if (c->energy_wh < c->energy_need_wh) {
        units_energy_text(c->energy_need_wh - c->energy_wh, number,
                          sizeof(number));
        snprintf(piece, sizeof(piece), "%s more energy that way", number);
        add(out, size, &n, piece);
    }
    if (edge_w > c->edge_max_w) {
        const struct site_grid *g = &site->grid;
        double need_s = g->ramp_max_w_per_s * g->ramp_average_s *
                        g->ramp_average_s / edge_w;
        snprintf(piece, sizeof(piece),
                 "an answer within %s instead of %.0f ms (the mean forgives "
                 "edges up to %s)",
                 units_duration_text(need_s, number, sizeof(number)),
                 c->latency_s * 1e3,
                 units_power_text(c->edge_max_w, (char[32]){0}, 32));
        add(out, size, &n, piece);
    }
    return out;
}
