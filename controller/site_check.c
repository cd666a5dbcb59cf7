/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What no single row of the schema can say of the assets: defaults that
 * follow from other keys, counts expanded, contradictions. */
#include "controller/site_reader.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "controller/settlement.h"
#include "policies/guard.h"

/* Ticks of dead time that the simulated plant can hold (models/plant.h). */
enum { DELAY_TICKS_MAX = 64 };

static bool known(const struct site_reader *r, const void *at)
{
    return site_place_of(r, at) != NULL;
}

static void check_delay(struct site_reader *r, const struct site_battery *b)
{
    const double *period_s = &r->draft->site.control.period_s;
    if (!known(r, &b->sim_delay_s) || !known(r, period_s)) {
        return;
    }
    double ticks = b->sim_delay_s / *period_s;
    if (ticks > DELAY_TICKS_MAX + 1e-6) {
        site_clash(r, &b->sim_delay_s, period_s,
                   "expected a delay of at most %d control periods",
                   DELAY_TICKS_MAX);
    } else if (fabs(ticks - round(ticks)) > 1e-6) {
        site_clash(r, &b->sim_delay_s, period_s,
                   "expected a delay of whole control periods");
    }
}

static void check_battery(struct site_reader *r, struct site_battery *b)
{
    bool window = known(r, &b->soc_min_pu) && known(r, &b->soc_max_pu);
    if (window && b->soc_min_pu >= b->soc_max_pu) {
        site_clash(r, &b->soc_min_pu, &b->soc_max_pu,
                   "expected soc_min below soc_max");
    } else if (window && known(r, &b->energy_wh) && known(r, &b->reserve_wh) &&
               b->reserve_wh > (b->soc_max_pu - b->soc_min_pu) * b->energy_wh *
                                   (1 + 1e-9)) {
        site_clash(r, &b->reserve_wh, &b->energy_wh,
                   "expected a reserve within the %.4g MWh between soc_min "
                   "and soc_max",
                   (b->soc_max_pu - b->soc_min_pu) * b->energy_wh * 1e-6);
    }
    if (isnan(b->sim_soc_start_pu)) {
        b->sim_soc_start_pu = (b->soc_min_pu + b->soc_max_pu) / 2.0;
    }
    if (isnan(b->replacement_per_kwh)) {
        b->replacement_per_kwh = 150.0;
    }
    check_delay(r, b);
}

static void check_class(struct site_reader *r, const struct site_class *c)
{
    if (!known(r, &c->firm) || !known(r, &c->deadline_s)) {
        return;
    }
    if (c->firm && isfinite(c->deadline_s)) {
        site_clash(r, &c->deadline_s, &c->firm,
                   "expected no deadline of a class that is firm");
    } else if (!c->firm && !isfinite(c->deadline_s)) {
        site_clash(r, &c->firm, &c->deadline_s,
                   "expected a deadline of a class that is not firm");
    }
}

/* Which battery it is that is lost. */
static void find_lost(struct site_reader *r, struct site_contingency *c)
{
    const struct site *site = &r->draft->site;
    c->loses = strcmp(c->battery, "largest") == 0 ? SITE_LOSES_LARGEST
                                                  : SITE_LOSES_NONE;
    for (int i = 0; i < site->n_batteries; i++) {
        if (strcmp(c->battery, site->batteries[i].name) == 0) {
            c->loses = SITE_LOSES_FIRST + i;
        }
    }
    if (c->loses == SITE_LOSES_NONE) {
        site_clash(r, c->battery, NULL,
                   "expected the name of a battery, or largest");
    } else if (site->n_batteries < 2) {
        site_clash(r, c->battery, NULL,
                   "expected a site with another battery to take its part");
    }
}

static void check_contingency(struct site_reader *r, struct site_contingency *c)
{
    if (!known(r, &c->drop_w) || !known(r, &c->rise_w) ||
        !known(r, &c->stop_w) || !known(r, c->battery)) {
        return;
    }
    bool edge = c->drop_w > 0.0 || c->rise_w > 0.0 || c->stop_w > 0.0;
    bool loss = c->battery[0] != '\0';
    if (!edge && !loss) {
        site_clash(r, c->name, NULL,
                   "expected a drop, a rise, a stop or a battery");
    } else if (edge && loss) {
        site_clash(r, c->battery, NULL,
                   "expected no battery beside a drop, a rise or a stop");
    } else if (loss) {
        find_lost(r, c);
    }
}

/* By eight years of driving and parking alone, by the worse of two models:
 * ../shared/vectors/wear/one_kw_study.csv, "drive only". */
static const double expected_loss_pu[CHEMISTRY_COUNT] = {
    [CHEMISTRY_LFP] = 0.13,
    [CHEMISTRY_LFP_NAUMANN] = 0.13,
    [CHEMISTRY_NCA] = 0.13,
    [CHEMISTRY_NMC] = 0.18,
    [CHEMISTRY_NMC_SCHMALSTIEG] = 0.18,
};

static void fill_terms(struct site_reader *r, struct site_fleet *f)
{
    const struct site_warranty *w = &f->warranty;
    if (isnan(f->replacement_per_kwh)) {
        f->replacement_per_kwh = 130.0;
    }
    if (isnan(f->warranty.expected_loss_pu)) {
        f->warranty.expected_loss_pu = expected_loss_pu[f->chemistry];
    }
    if (isnan(f->wear_ppm_per_day)) {
        if (known(r, &w->loss_pu) && known(r, &w->expected_loss_pu) &&
            w->expected_loss_pu >= w->loss_pu) {
            site_clash(r, &w->expected_loss_pu, &w->loss_pu,
                       "expected less than loss, or a wear_budget: nothing "
                       "is left for compute");
        }
        f->wear_ppm_per_day = guard_budget_ppm_per_day(&f->warranty);
    }
}

static void check_fleet(struct site_reader *r, struct site_fleet *f)
{
    static const double profile_w[] = {
        [NODE_HW4] = 160.0,
        [NODE_AI5] = 800.0,
        [NODE_AI6] = 1000.0, /* assumed: nothing is published */
    };
    struct site *site = &r->draft->site;
    if (isnan(f->compute_w)) {
        f->compute_w = profile_w[f->profile];
    }
    fill_terms(r, f);
    if (f->takes_over && f->behind_poi) {
        site_clash(r, &f->takes_over, NULL,
                   "expected false, or behind_poi: false: behind the grid "
                   "connection the cars would bring back the load that the "
                   "pods are throttled for");
    }
    f->first_node = site->n_nodes;
    if (f->nodes > SITE_NODES_MAX - site->n_nodes) {
        site_clash(r, &f->nodes, NULL,
                   "expected at most %d vehicles over all fleets",
                   SITE_NODES_MAX);
        return;
    }
    site->n_nodes += f->nodes;
    char node[SITE_NAME_MAX + 16];
    int n = snprintf(node, sizeof(node), "%s-%04d", f->name, f->nodes);
    if (n >= SITE_NAME_MAX) {
        site_clash(r, f->name, NULL,
                   "expected a shorter name: its cars' would have %d letters, "
                   "%d at most",
                   n, SITE_NAME_MAX - 1);
    }
}

/* The pods of one row of the file; false where there is no room for more. */
static bool expand_pod(struct site_reader *r, const struct pod_draft *d,
                       const void **from)
{
    struct site *site = &r->draft->site;
    int digits = snprintf(NULL, 0, "%d", d->count);
    for (int i = 0; i < d->count; i++) {
        if (site->n_pods == SITE_PODS_MAX) {
            site_clash(r, &d->count, NULL, "expected at most %d pods in all",
                       SITE_PODS_MAX);
            return false;
        }
        char name[SITE_NAME_MAX + 16];
        int n = d->count == 1
                    ? snprintf(name, sizeof(name), "%s", d->pod.name)
                    : snprintf(name, sizeof(name), "%s-%0*d", d->pod.name,
                               digits > 3 ? digits : 3, i + 1);
        if (n >= SITE_NAME_MAX) {
            site_clash(r, d->pod.name, NULL,
                       "expected a shorter name: with its number it would "
                       "have %d letters, %d at most",
                       n, SITE_NAME_MAX - 1);
            return true;
        }
        struct site_pod *pod = &site->pods[site->n_pods];
        *pod = d->pod;
        memcpy(pod->name, name, (size_t)n + 1);
        from[site->n_pods++] = d->pod.name;
    }
    return true;
}

static void check_pods(struct site_reader *r, const void **from)
{
    struct site_draft *draft = r->draft;
    bool room = true;
    for (int i = 0; i < draft->n_pods; i++) {
        const struct pod_draft *d = &draft->pods[i];
        if (known(r, &d->pod.cap_min_w) && known(r, &d->pod.power_max_w) &&
            d->pod.cap_min_w > d->pod.power_max_w) {
            site_clash(r, &d->pod.cap_min_w, &d->pod.power_max_w,
                       "expected cap_min not above power_max");
        }
        if (known(r, &d->pod.floor_max_w) && known(r, &d->pod.power_max_w) &&
            d->pod.floor_max_w > d->pod.power_max_w) {
            site_clash(r, &d->pod.floor_max_w, &d->pod.power_max_w,
                       "expected floor_max not above power_max");
        }
        room = room && expand_pod(r, d, from);
    }
}

/* A name and the place it came from. */
struct named {
    const char *name;
    const void *at;
};

static void check_unlike(struct site_reader *r, const struct named *names,
                         int n, const char *expected)
{
    const void *told = NULL;
    for (int i = 1; i < n; i++) {
        for (int k = 0; k < i && names[i].at != told; k++) {
            if (names[i].name[0] != '\0' &&
                strcmp(names[i].name, names[k].name) == 0) {
                site_clash(r, names[i].at, names[k].at, "expected %s",
                           expected);
                told = names[i].at;
            }
        }
    }
}

static void check_asset_names(struct site_reader *r, const void **from)
{
    static const char expected[] = "a name that no other asset has";
    enum { N = SITE_BATTERIES_MAX + SITE_PODS_MAX + SITE_FLEETS_MAX };
    const struct site *site = &r->draft->site;
    struct named names[N];
    int n = 0;
    for (int i = 0; i < site->n_batteries; i++) {
        const char *name = site->batteries[i].name;
        names[n++] = (struct named){name, name};
    }
    for (int i = 0; i < site->n_pods; i++) {
        names[n++] = (struct named){site->pods[i].name, from[i]};
    }
    for (int i = 0; i < site->n_fleets; i++) {
        const char *name = site->fleets[i].name;
        names[n++] = (struct named){name, name};
    }
    assert(n <= N);
    check_unlike(r, names, n, expected);
}

static void check_other_names(struct site_reader *r)
{
    struct site *site = &r->draft->site;
    struct named names[SITE_CLASSES_MAX];
    for (int i = 0; i < site->n_classes; i++) {
        const char *name = site->classes[i].name;
        names[i] = (struct named){name, name};
    }
    check_unlike(r, names, site->n_classes, "a name that no other class has");
    for (int i = 0; i < site->n_prices; i++) {
        struct site_price *p = &site->prices[i];
        names[i] = (struct named){p->market, p->market};
        if (p->topic[0] == '\0' && known(r, p->topic)) {
            char topic[SITE_TEXT_MAX] = "";
            snprintf(topic, sizeof(topic), "ballast/v1/%.47s/price/%.47s",
                     site->name, p->market);
            memcpy(p->topic, topic, sizeof(topic));
        }
    }
    check_unlike(r, names, site->n_prices, "a market named once");
    for (int i = 0; i < site->n_prices; i++) {
        const char *topic = site->prices[i].topic;
        names[i] = (struct named){topic, topic};
    }
    check_unlike(r, names, site->n_prices, "a topic of one market only");
    const struct site_grid *grid = &site->grid;
    for (int i = 0; i < grid->n_contingencies; i++) {
        const char *name = grid->contingencies[i].name;
        names[i] = (struct named){name, name};
    }
    check_unlike(r, names, grid->n_contingencies,
                 "a name that no other contingency has");
}

static void check_devices(struct site_reader *r)
{
    const struct site *site = &r->draft->site;
    const struct site_modbus *devices[SITE_BATTERIES_MAX + 1];
    int n = 0;
    if (site->grid.meter.present) {
        devices[n++] = &site->grid.meter;
    }
    for (int i = 0; i < site->n_batteries; i++) {
        if (site->batteries[i].modbus.present) {
            devices[n++] = &site->batteries[i].modbus;
        }
    }
    for (int i = 1; i < n; i++) {
        const struct site_modbus *a = devices[i];
        for (int k = 0; k < i && known(r, a->host); k++) {
            const struct site_modbus *b = devices[k];
            if (a->port == b->port && a->unit == b->unit && a->port > 0 &&
                strcmp(a->host, b->host) == 0) {
                site_clash(r, a->host, b->host,
                           "expected another host, port or unit than the "
                           "device at %s:%d unit %d",
                           b->host, b->port, b->unit);
                break;
            }
        }
    }
}

static void check_logins(struct site_reader *r)
{
    const struct site_mqtt *m = &r->draft->site.mqtt;
    const struct site_utility *u = &r->draft->site.utility;
    const struct {
        const char *given;
        const char *needed;
        const char *expected;
    } pairs[] = {
        {m->cert_file, m->key_file, "expected a key_file beside cert_file"},
        {m->key_file, m->cert_file, "expected a cert_file beside key_file"},
        {m->cert_file, m->ca_file, "expected a ca_file: no TLS without it"},
        {m->password_file, m->user, "expected a user for the password"},
        {u->notifier_cert_file, u->notifier_key_file,
         "expected a notifier_key_file beside notifier_cert_file"},
        {u->notifier_key_file, u->notifier_cert_file,
         "expected a notifier_cert_file beside notifier_key_file"},
        {u->notifier_password_file, u->notifier_user,
         "expected a notifier_user for the password"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (pairs[i].given[0] != '\0' && pairs[i].needed[0] == '\0' &&
            known(r, pairs[i].needed)) {
            site_clash(r, pairs[i].given, NULL, "%s", pairs[i].expected);
        }
    }
}

static void check_baseline(struct site_reader *r)
{
    const struct site_baseline *b = &r->draft->site.utility.baseline;
    struct settlement_terms terms;
    if (known(r, &b->high) && known(r, &b->most) && b->high > b->most) {
        site_clash(r, &b->high, &b->most,
                   "expected no more days than are compared");
    }
    if (known(r, &b->most) && known(r, &b->look_back) &&
        b->most > b->look_back) {
        site_clash(r, &b->most, &b->look_back,
                   "expected no more days than are looked back");
    }
    if (known(r, &b->adjust_from_s) && known(r, &b->adjust_to_s) &&
        b->adjust_from_s <= b->adjust_to_s) {
        site_clash(r, &b->adjust_from_s, &b->adjust_to_s,
                   "expected a time that begins before it ends");
    }
    if (known(r, b->holidays) && !settlement_holidays(b->holidays, &terms)) {
        site_clash(r, b->holidays, NULL,
                   "expected up to 64 days such as 2026-11-26,2026-12-25");
    }
}

void site_check(struct site_reader *r)
{
    struct site *site = &r->draft->site;
    const void *from[SITE_PODS_MAX] = {NULL};
    site_place_sort(r);
    site_check_grid(r);
    for (int i = 0; i < site->grid.n_contingencies; i++) {
        check_contingency(r, &site->grid.contingencies[i]);
    }
    for (int i = 0; i < site->n_classes; i++) {
        check_class(r, &site->classes[i]);
    }
    for (int i = 0; i < site->n_batteries; i++) {
        check_battery(r, &site->batteries[i]);
    }
    check_pods(r, from);
    for (int i = 0; i < site->n_fleets; i++) {
        check_fleet(r, &site->fleets[i]);
    }
    check_asset_names(r, from);
    check_other_names(r);
    check_devices(r);
    check_logins(r);
    check_baseline(r);
}
