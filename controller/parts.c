/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = sizeof(uint64_t) };

/* No tick comes later after the one before than a machine sleeps. */
static const double dt_max_s = 1e6;

#define WHOLE_WORDS(type) \
    _Static_assert(sizeof(type) % WORD == 0, "not whole words")
WHOLE_WORDS(struct meter_in);
WHOLE_WORDS(struct battery_in);
WHOLE_WORDS(struct pod_in);
WHOLE_WORDS(struct node_in);
WHOLE_WORDS(struct price_in);
WHOLE_WORDS(struct utility_in);
WHOLE_WORDS(struct job_in);
WHOLE_WORDS(struct plan);
WHOLE_WORDS(struct battery_command);
WHOLE_WORDS(struct pod_command);
WHOLE_WORDS(struct node_command);
WHOLE_WORDS(struct tick_record);

static void add(struct parts *parts, enum part_of of, size_t offset,
                size_t n_bytes)
{
    assert(parts->n < PARTS_MAX && offset % WORD == 0 && n_bytes % WORD == 0);
    struct part *p = &parts->list[parts->n++];
    *p = (struct part){of, offset, n_bytes / WORD};
    parts->n_words[of] += p->n_words;
    parts->total_words += p->n_words;
}

static void add_snapshot(struct parts *parts, const struct site *site)
{
    enum part_of of = PART_SNAPSHOT;
    add(parts, of, 0, offsetof(struct snapshot, batteries));
    add(parts, of, offsetof(struct snapshot, batteries),
        (size_t)site->n_batteries * sizeof(struct battery_in));
    add(parts, of, offsetof(struct snapshot, pods),
        (size_t)site->n_pods * sizeof(struct pod_in));
    add(parts, of, offsetof(struct snapshot, prices),
        (size_t)site->n_prices * sizeof(struct price_in));
    size_t events = offsetof(struct snapshot, utility);
    add(parts, of, events, offsetof(struct snapshot, nodes) - events);
    add(parts, of, offsetof(struct snapshot, nodes),
        (size_t)site->n_nodes * sizeof(struct node_in));
}

static void add_out(struct parts *parts, const struct site *site)
{
    enum part_of of = PART_OUT;
    add(parts, of, offsetof(struct step_out, batteries),
        (size_t)site->n_batteries * sizeof(struct battery_command));
    add(parts, of, offsetof(struct step_out, pods),
        (size_t)site->n_pods * sizeof(struct pod_command));
    size_t record = offsetof(struct step_out, record);
    add(parts, of, record, offsetof(struct step_out, nodes) - record);
    add(parts, of, offsetof(struct step_out, nodes),
        (size_t)site->n_nodes * sizeof(struct node_command));
}

void parts_init(struct parts *parts, const struct site *site)
{
    *parts = (struct parts){.n_nodes = site->n_nodes, .n_pods = site->n_pods};
    add_snapshot(parts, site);
    add(parts, PART_PLAN, 0, sizeof(struct plan));
    add_out(parts, site);
    parts->at[PART_PLAN] = parts->n_words[PART_SNAPSHOT];
    parts->at[PART_OUT] = parts->at[PART_PLAN] + parts->n_words[PART_PLAN];
}

void parts_gather(const struct parts *parts, enum part_of of, const void *from,
                  uint64_t *image)
{
    uint64_t *to = image + parts->at[of];
    for (int i = 0; i < parts->n; i++) {
        const struct part *p = &parts->list[i];
        if (p->of == of) {
            memcpy(to, (const unsigned char *)from + p->offset,
                   p->n_words * WORD);
            to += p->n_words;
        }
    }
}

void parts_scatter(const struct parts *parts, enum part_of of,
                   const uint64_t *image, void *to)
{
    const uint64_t *from = image + parts->at[of];
    for (int i = 0; i < parts->n; i++) {
        const struct part *p = &parts->list[i];
        if (p->of == of) {
            memcpy((unsigned char *)to + p->offset, from, p->n_words * WORD);
            from += p->n_words;
        }
    }
}

struct snapshot *parts_snapshot(const struct parts *parts)
{
    return calloc(1, snapshot_size(parts->n_nodes));
}

struct step_out *parts_out(const struct parts *parts)
{
    return calloc(1, step_out_size(parts->n_nodes));
}

static bool within(int64_t x, int64_t low, int64_t high)
{
    return x >= low && x <= high;
}

static const char *snapshot_fault(const struct parts *parts,
                                  const struct snapshot *in)
{
    if (in->n_nodes != parts->n_nodes) {
        return "snapshot.n_nodes";
    }
    if (!(in->dt_s > 0.0 && in->dt_s <= dt_max_s)) {
        return "snapshot.dt_s";
    }
    for (int i = 0; i < SITE_PRICES_MAX; i++) {
        if (!within(in->prices[i].n_slots, 0, PRICE_SLOTS_MAX)) {
            return "snapshot.prices.n_slots";
        }
    }
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        const struct utility_in *u = &in->utility[i];
        if (!within(u->kind, 0, UTILITY_COUNT - 1) ||
            memchr(u->id, '\0', sizeof(u->id)) == NULL) {
            return "snapshot.utility";
        }
    }
    for (int i = 0; i < JOB_MARKERS_MAX; i++) {
        const struct job_in *j = &in->jobs[i];
        if (!within(j->event, 0, JOB_COUNT - 1) ||
            !within(j->pod, -1, parts->n_pods > 0 ? parts->n_pods - 1 : 0)) {
            return "snapshot.jobs";
        }
    }
    return NULL;
}

static const char *plan_fault(const struct plan *plan)
{
    if (!within(plan->status, 0, PLAN_STATUS_COUNT - 1)) {
        return "plan.status";
    }
    if (!within(plan->n_slots, 0, PLAN_SLOTS_MAX)) {
        return "plan.n_slots";
    }
    if (!within(plan->n_batteries, 0, SITE_BATTERIES_MAX)) {
        return "plan.n_batteries";
    }
    if (!within(plan->n_groups, 0, PLAN_GROUPS_MAX)) {
        return "plan.n_groups";
    }
    if (!within(plan->n_tries, 0, PLAN_TRIES_MAX)) {
        return "plan.n_tries";
    }
    return NULL;
}

bool parts_check(const struct parts *parts, const struct snapshot *in,
                 const struct plan *plan, const struct step_out *out,
                 const char **what)
{
    *what = snapshot_fault(parts, in);
    if (*what == NULL) {
        *what = plan_fault(plan);
    }
    if (*what == NULL && out->n_nodes != parts->n_nodes) {
        *what = "out.n_nodes";
    }
    return *what == NULL;
}
