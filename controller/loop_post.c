/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "controller/loop_parts.h"

static const double VIEW_EVERY_S = 0.2;

/* Posted in every tick, which is how a worker knows that we are alive; the
 * worker is woken where there is something new to write. */
static void post_leases(struct loop *l)
{
    struct ports *ports = l->cfg.ports;
    for (int i = 0; i < ports->n_batteries; i++) {
        struct device_lease lease = {.command = l->out->batteries[i],
                                     .seq = l->in->tick,
                                     .mono_ms = l->in->mono_ms};
        struct battery_command *last = &l->posted[i];
        bool changed = memcmp(last, &lease.command, sizeof(*last)) != 0;
        *last = lease.command;
        mailbox_send(&ports->batteries[i].lease, &lease);
        if (changed && ports->batteries[i].wake != NULL) {
            waker_ring(ports->batteries[i].wake);
        }
    }
}

static void post_mqtt(struct loop *l)
{
    const struct site *site = l->cfg.site;
    struct mailbox *box = &l->cfg.ports->mqtt.commands;
    struct step_out *out = mailbox_slot(box);
    memcpy(out->pods, l->out->pods,
           (size_t)site->n_pods * sizeof(struct pod_command));
    out->record = l->out->record;
    out->n_nodes = l->out->n_nodes;
    memcpy(out->nodes, l->out->nodes,
           (size_t)site->n_nodes * sizeof(struct node_command));
    mailbox_post(box);
}

void loop_post_commands(struct loop *l)
{
    post_leases(l);
    post_mqtt(l);
}

void loop_post_problem(struct loop *l)
{
    struct planner_port *port = &l->cfg.ports->planner;
    if (!replan_due(&l->replan, l->cfg.site, l->in,
                    l->next_plan.status != PLAN_NONE)) {
        return;
    }
    step_problem(l->step, l->state, l->in, &l->problem);
    l->problem.causes = l->replan.causes;
    mailbox_send(&port->problem, &l->problem);
    if (port->wake != NULL) {
        waker_ring(port->wake);
    }
    l->counts.n_problems++;
}

void loop_post_view(struct loop *l)
{
    l->view_age_s += l->in->dt_s;
    if (l->view_age_s < VIEW_EVERY_S - 1e-6) {
        return;
    }
    l->view_age_s = 0.0;
    l->counts.jitter_p99_s = histogram_quantile_s(&l->jitter, 0.99);
    l->counts.step_p50_s = histogram_quantile_s(&l->step_time, 0.5);
    l->counts.step_p99_s = histogram_quantile_s(&l->step_time, 0.99);
    l->counts.pp60_w = compliance_pp60_w(&l->witness.with);
    struct ports *ports = l->cfg.ports;
    witness_report(&l->witness, mailbox_slot(&ports->proof));
    mailbox_post(&ports->proof);
    struct loop_view *view = mailbox_slot(&ports->view);
    view->counts = l->counts;
    parts_gather(&ports->parts, PART_SNAPSHOT, l->in, view->image);
    parts_gather(&ports->parts, PART_PLAN, &l->plan, view->image);
    parts_gather(&ports->parts, PART_OUT, l->out, view->image);
    mailbox_post(&ports->view);
}
