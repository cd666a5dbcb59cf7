/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/ports.h"

#include <math.h>
#include <string.h>

#include "controller/lives.h"

static enum err init_device(struct device_port *d)
{
    enum err e = mailbox_init(&d->values, sizeof(struct device_values));
    if (e == ERR_NONE) {
        e = mailbox_init(&d->lease, sizeof(struct device_lease));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&d->report, sizeof(struct device_report));
    }
    return e;
}

static enum err init_mqtt(struct mqtt_port *m, int n_nodes)
{
    enum err e = mailbox_init(&m->inputs, mqtt_inputs_size(n_nodes));
    if (e == ERR_NONE) {
        e = mailbox_init(&m->commands, step_out_size(n_nodes));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&m->report, sizeof(struct mqtt_report));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&m->status, STATUS_SHORT_MAX);
    }
    return e;
}

static enum err init_rest(struct ports *p)
{
    enum err e = mailbox_init(&p->planner.problem, sizeof(struct problem));
    if (e == ERR_NONE) {
        e = mailbox_init(&p->planner.plan, sizeof(struct plan));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->view, sizeof(struct loop_view) +
                                       p->parts.total_words * sizeof(uint64_t));
    }
    return e;
}

enum err ports_init(struct ports *p, const struct site *site)
{
    memset(p, 0, sizeof(*p));
    parts_init(&p->parts, site);
    p->n_batteries = site->n_batteries;
    atomic_init(&p->next_tick_ns, 0);
    atomic_init(&p->grid_w, NAN);
    atomic_init(&p->n_outages, 0);
    enum err e = init_device(&p->meter);
    for (int i = 0; i < site->n_batteries && e == ERR_NONE; i++) {
        e = init_device(&p->batteries[i]);
    }
    if (e == ERR_NONE) {
        e = init_mqtt(&p->mqtt, site->n_nodes);
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->openadr.inputs, sizeof(struct openadr_inputs));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->openadr.report,
                         sizeof(struct openadr_report_view));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->openadr.figures, sizeof(struct openadr_figures));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->openadr.ahead, sizeof(struct openadr_ahead));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->overrides, sizeof(struct override_book));
    }
    if (e == ERR_NONE) {
        e = init_rest(p);
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->lives, lives_view_size(site));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->foresight, sizeof(struct foresight));
    }
    if (e == ERR_NONE) {
        e = mailbox_init(&p->proof, sizeof(struct witness_report));
    }
    if (e == ERR_NONE) {
        e = witness_ring_init(&p->witness);
    }
    if (e == ERR_NONE) {
        e = ledger_ring_init(&p->cars, site);
    }
    if (e != ERR_NONE) {
        ports_clear(p);
    }
    return e;
}

static void clear_device(struct device_port *d)
{
    mailbox_clear(&d->values);
    mailbox_clear(&d->lease);
    mailbox_clear(&d->report);
}

void ports_clear(struct ports *p)
{
    clear_device(&p->meter);
    for (int i = 0; i < p->n_batteries; i++) {
        clear_device(&p->batteries[i]);
    }
    mailbox_clear(&p->mqtt.inputs);
    mailbox_clear(&p->mqtt.commands);
    mailbox_clear(&p->mqtt.report);
    mailbox_clear(&p->mqtt.status);
    mailbox_clear(&p->openadr.inputs);
    mailbox_clear(&p->openadr.report);
    mailbox_clear(&p->openadr.figures);
    mailbox_clear(&p->openadr.ahead);
    mailbox_clear(&p->planner.problem);
    mailbox_clear(&p->planner.plan);
    mailbox_clear(&p->overrides);
    mailbox_clear(&p->view);
    mailbox_clear(&p->lives);
    mailbox_clear(&p->foresight);
    mailbox_clear(&p->proof);
    witness_ring_clear(&p->witness);
    ledger_ring_clear(&p->cars);
}
