/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "controller/loop_parts.h"
#include "policies/plan.h"

/* In shadow nothing is written and nothing can obey; the step shall decide as
 * if it could. */
static int64_t battery_flags(const struct loop *l, int64_t flags)
{
    return l->cfg.shadow ? flags | BATTERY_WRITABLE | BATTERY_OBEYS : flags;
}

static void fetch_devices(struct loop *l)
{
    struct ports *ports = l->cfg.ports;
    for (int i = 0; i < ports->n_batteries; i++) {
        const struct device_values *v =
            mailbox_fetch(&ports->batteries[i].values);
        if (v != NULL) {
            l->in->batteries[i] = v->battery;
            l->in->batteries[i].flags = battery_flags(l, v->battery.flags);
        }
    }
    const struct device_values *v = mailbox_fetch(&ports->meter.values);
    if (v != NULL) {
        l->in->meter = v->meter;
    }
}

static void fetch_mqtt(struct loop *l)
{
    const struct site *site = l->cfg.site;
    const struct mqtt_inputs *m = mailbox_fetch(&l->cfg.ports->mqtt.inputs);
    if (m == NULL) {
        return;
    }
    memcpy(l->in->pods, m->pods, (size_t)site->n_pods * sizeof(struct pod_in));
    memcpy(l->in->prices, m->prices,
           (size_t)site->n_prices * sizeof(struct price_in));
    l->feed = m->prices[0];
    l->price_news = true;
    memcpy(l->told, m->utility, sizeof(m->utility));
    override_apply(&l->overrides, l->told, l->in);
    memcpy(l->in->jobs, m->jobs, sizeof(m->jobs));
    memcpy(l->in->nodes, m->nodes,
           (size_t)site->n_nodes * sizeof(struct node_in));
}

/* What has been opted out of may end with this tick. */
static void fetch_overrides(struct loop *l)
{
    const struct override_book *news = mailbox_fetch(&l->cfg.ports->overrides);
    if (news != NULL) {
        l->overrides = *news;
    }
    if (news != NULL || l->overrides.n_outs > 0) {
        override_apply(&l->overrides, l->told, l->in);
    }
}

/* The utility's own price goes before a market's feed, where it has one. */
static void fetch_openadr(struct loop *l)
{
    struct openadr_port *port = &l->cfg.ports->openadr;
    const struct openadr_inputs *news = mailbox_fetch(&port->inputs);
    if (news != NULL) {
        memcpy(&l->in->utility[UTILITY_MQTT], news->utility,
               sizeof(news->utility));
        l->utility_price = news->price;
        l->price_news = l->price_news || l->utility_priced || news->priced;
        l->utility_priced = news->priced;
    }
    if (!l->price_news) {
        return;
    }
    l->price_news = false;
    if (l->utility_priced) {
        l->in->prices[0] = l->utility_price;
        price_fill(&l->in->prices[0], &l->feed);
    } else {
        l->in->prices[0] = l->feed;
    }
}

/* A plan enters at the tick that its problem declared; one that came too late
 * for that enters now, and says so. */
static void fetch_plan(struct loop *l)
{
    const struct plan *p = mailbox_fetch(&l->cfg.ports->planner.plan);
    if (p != NULL) {
        l->next_plan = *p;
        l->next_plan.from_tick = p->built_tick + PLAN_DELAY_TICKS;
    }
    if (l->next_plan.status == PLAN_NONE ||
        l->in->tick < l->next_plan.from_tick) {
        return;
    }
    l->counts.n_late_plans += l->in->tick > l->next_plan.from_tick;
    l->next_plan.from_tick = l->in->tick;
    l->plan = l->next_plan;
    l->next_plan.status = PLAN_NONE;
    l->counts.n_plans++;
    plan_tally_enter(&l->counts.plans, &l->plan);
    replan_enter(&l->replan, &l->plan);
}

void loop_fetch(struct loop *l)
{
    fetch_devices(l);
    fetch_mqtt(l);
    fetch_openadr(l);
    fetch_overrides(l);
    fetch_plan(l);
}
