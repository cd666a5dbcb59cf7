/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_agents.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/calendar.h"
#include "replay/sim_bus.h"
#include "replay/sim_clock.h"
#include "replay/sim_inbox.h"
#include "replay/sim_json.h"
#include "replay/sim_names.h"

enum {
    CAR_RATE = 1000, /* states a second at most */
    MARKERS = 16,
    FAREWELLS = 500, /* cars that say offline at the end */
};

static const double POD_PERIOD_S = 1.0;
static const double CAR_PERIOD_S = 10.0;
static const double PRICE_PERIOD_S = 600.0;
static const double MARKER_LEAD_S = 5.0; /* the scheduler knows a bit ahead */

struct sim_agents {
    struct sim_site *s;
    struct sim_bus *bus;
    uint64_t seed;
    pthread_t thread;
    atomic_bool stop;
    atomic_ulong n_orders;
    atomic_ulong n_refused;
    int n_links;
    char boot[CALENDAR_TEXT_MAX];
    double started_s;
    int64_t n_pod_states; /* sent so far, over all pods */
    int64_t n_car_states;
    double price_due_s;
    bool island;         /* cut off, as was said last */
    double fed_w;        /* likewise */
    int64_t island_ms;   /* since then; 0: it never was */
    bool island_due;     /* the word may have been lost */
    double markers_to_s; /* of the load: markers before it were sent */
    char job[24];
    int n_jobs;
    double checkpoint_s; /* of the load; NAN: none yet */
    bool *announced;     /* cars said to be online */
};

static void send_pod(struct sim_agents *a, int i)
{
    struct sim_site *s = a->s;
    pthread_mutex_lock(&s->lock);
    struct pod_in seen = s->seen->pods[i];
    struct sim_pod_report r = {
        .site = &s->site.pods[i],
        .seen = &seen,
        .demand_w = s->plant->pods[i].demand_w,
        .utc_ms = sim_utc_ms(),
        .seq = (uint64_t)a->n_pod_states,
        .boot = a->boot,
        .checkpoint_s =
            (s->from_s + s->plant->t_s - a->checkpoint_s) / s->speed,
        .job = a->job,
    };
    bool silent = s->faults.pods_silent[i];
    pthread_mutex_unlock(&s->lock);
    if (silent) {
        return;
    }
    char topic[SIM_TOPIC_MAX];
    sim_member_topic(&a->s->site, "pod", r.site->name, "state", topic);
    sim_send_text(a->bus, sim_pod_link(i), topic, sim_json_pod(&r),
                  SIM_RETAINED);
}

static void send_car(struct sim_agents *a, int i)
{
    struct sim_site *s = a->s;
    int f = sim_fleet_of(&s->site, i);
    char name[SIM_CAR_NAME_MAX];
    sim_car_name(&s->site, f, i, name);
    pthread_mutex_lock(&s->lock);
    struct node_in seen = s->seen->nodes[i];
    pthread_mutex_unlock(&s->lock);
    struct sim_car_report r = {
        .name = name,
        .class_name = s->site.classes[s->site.fleets[f].class_id].name,
        .seen = &seen,
        .utc_ms = sim_utc_ms(),
        .seq = (uint64_t)a->n_car_states,
        .speed = s->speed,
    };
    char topic[SIM_TOPIC_MAX];
    if (!a->announced[i]) {
        a->announced[i] = true;
        sim_member_topic(&a->s->site, "node", name, "online", topic);
        sim_bus_send(a->bus, SIM_LINK_SITE, topic, "{\"v\":1,\"online\":true}",
                     SIM_RETAINED);
    }
    sim_member_topic(&a->s->site, "node", name, "state", topic);
    sim_send_text(a->bus, SIM_LINK_SITE, topic, sim_json_car(&r), SIM_RETAINED);
}

/* The number of states that are due by now when each of 'n' sends one in
 * 'period_s', evenly spread. */
static int64_t due(const struct sim_agents *a, int n, double period_s)
{
    return (int64_t)((sim_mono_s() - a->started_s) * (double)n / period_s);
}

static void send_states(struct sim_agents *a)
{
    int n_pods = a->s->site.n_pods;
    int n_cars = a->s->site.n_nodes;
    int64_t pods_due = n_pods > 0 ? due(a, n_pods, POD_PERIOD_S) : 0;
    if (pods_due - a->n_pod_states > n_pods) {
        a->n_pod_states = pods_due - n_pods; /* after a stall: each once */
    }
    while (a->n_pod_states < pods_due) {
        send_pod(a, (int)(a->n_pod_states % n_pods));
        a->n_pod_states++;
    }
    double period_s = fmax(CAR_PERIOD_S, (double)n_cars / CAR_RATE);
    int64_t cars_due = n_cars > 0 ? due(a, n_cars, period_s) : 0;
    if (cars_due - a->n_car_states > n_cars) {
        a->n_car_states = cars_due - n_cars;
    }
    while (a->n_car_states < cars_due) {
        send_car(a, (int)(a->n_car_states % n_cars));
        a->n_car_states++;
    }
}

static void send_prices(struct sim_agents *a)
{
    const struct site *site = &a->s->site;
    if (sim_mono_s() < a->price_due_s) {
        return;
    }
    a->price_due_s = sim_mono_s() + PRICE_PERIOD_S;
    for (int i = 0; i < site->n_prices; i++) {
        sim_send_text(a->bus, SIM_LINK_SITE, site->prices[i].topic,
                      sim_json_price(&site->prices[i], site->currency,
                                     a->seed + (uint64_t)i, sim_utc_ms()),
                      SIM_RETAINED);
    }
}

/* The relay of the breaker at the grid connection. */
static void say_island(struct sim_agents *a, bool island, double fed_w)
{
    int64_t now_ms = sim_utc_ms();
    if (island && !a->island) {
        a->island_ms = now_ms;
    }
    a->island = island;
    a->fed_w = fed_w;
    a->island_due = false;
    char topic[SIM_TOPIC_MAX];
    sim_topic(&a->s->site, "utility/limit", topic);
    sim_send_text(a->bus, SIM_LINK_SITE, topic,
                  sim_json_island(fed_w, a->island_ms, !island, now_ms),
                  SIM_RETAINED);
}

static void send_island(struct sim_agents *a)
{
    struct sim_site *s = a->s;
    pthread_mutex_lock(&s->lock);
    bool island = s->plant->island;
    double fed_w = s->plant->fed_w;
    pthread_mutex_unlock(&s->lock);
    bool news = island != a->island || (island && fed_w != a->fed_w);
    if (news || a->island_due) {
        say_island(a, island, fed_w);
    }
}

static void follow_job(struct sim_agents *a, const struct job_in *job,
                       double at_s)
{
    if (job->event == JOB_START) {
        snprintf(a->job, sizeof(a->job), "sim-%d", ++a->n_jobs);
    } else if (job->event == JOB_CHECKPOINT_END) {
        a->checkpoint_s = at_s;
    }
}

static void send_marker(struct sim_agents *a, const struct job_in *job,
                        const char *id)
{
    const struct site *site = &a->s->site;
    double total_w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        total_w += site->pods[i].power_max_w;
    }
    for (int i = 0; i < site->n_pods; i++) {
        const struct site_pod *pod = &site->pods[i];
        char topic[SIM_TOPIC_MAX];
        sim_member_topic(&a->s->site, "pod", pod->name, "job", topic);
        sim_send_text(a->bus, sim_pod_link(i), topic,
                      sim_json_job(job, id, site->classes[pod->class_id].name,
                                   pod->power_max_w / total_w, sim_utc_ms()),
                      SIM_QOS1);
    }
}

static void send_markers(struct sim_agents *a)
{
    struct sim_site *s = a->s;
    struct job_in jobs[MARKERS];
    pthread_mutex_lock(&s->lock);
    double now_s = s->from_s + s->plant->t_s;
    double to_s = now_s + MARKER_LEAD_S * s->speed;
    int n = sim_load_markers(s->load, a->markers_to_s, to_s, jobs, MARKERS);
    pthread_mutex_unlock(&s->lock);
    a->markers_to_s = to_s;
    for (int i = 0; i < n; i++) {
        double at_s = (double)jobs[i].at_ms * 1e-3;
        follow_job(a, &jobs[i], at_s);
        jobs[i].at_ms =
            sim_utc_ms() + (int64_t)((at_s - now_s) / s->speed * 1e3);
        send_marker(a, &jobs[i], a->job[0] != '\0' ? a->job : "sim-0");
        if (jobs[i].event == JOB_STOP) {
            a->job[0] = '\0';
        }
    }
}

static void count(struct sim_agents *a, enum sim_taken taken)
{
    if (taken != SIM_IGNORED) {
        atomic_fetch_add(&a->n_orders, 1);
    }
    if (taken == SIM_REFUSED) {
        atomic_fetch_add(&a->n_refused, 1);
    }
}

static void *agents(void *user)
{
    struct sim_agents *a = user;
    struct sim_message *m = malloc(sizeof(*m));
    while (m != NULL && !atomic_load(&a->stop)) {
        if (sim_bus_take(a->bus, m, 0.02)) {
            count(a, sim_inbox_take(a->s, a->bus, m));
        }
        if (sim_bus_renew(a->bus) > 0) {
            a->price_due_s = 0.0;
            a->island_due = a->island_ms != 0;
        }
        send_states(a);
        send_prices(a);
        send_island(a);
        send_markers(a);
    }
    free(m);
    return NULL;
}

static void configure_links(const struct sim_agents *a,
                            struct sim_link_cfg *links)
{
    const struct site *site = &a->s->site;
    snprintf(links[0].name, sizeof(links[0].name), "site");
    sim_topic(site, "node/+/set", links[0].topics[0]);
    sim_topic(site, "sim/set", links[0].topics[1]);
    if (site->n_pods > SIM_POD_LINKS) {
        sim_topic(site, "pod/+/cap/set", links[0].topics[2]);
    }
    for (int i = 0; i < a->n_links - 1; i++) {
        struct sim_link_cfg *l = &links[1 + i];
        memcpy(l->name, site->pods[i].name, sizeof(l->name));
        sim_member_topic(site, "pod", site->pods[i].name, "cap/set",
                         l->topics[0]);
        sim_member_topic(site, "pod", site->pods[i].name, "online", l->online);
    }
}

static enum err start(struct sim_agents *a, char *why, size_t why_size)
{
    struct sim_link_cfg *links = calloc((size_t)a->n_links, sizeof(*links));
    a->announced = calloc((size_t)a->s->site.n_nodes + 1, sizeof(bool));
    if (links == NULL || a->announced == NULL) {
        free(links);
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    configure_links(a, links);
    enum err e = sim_bus_open(&a->s->site.mqtt, links, a->n_links, &a->bus, why,
                              why_size);
    free(links);
    if (e != ERR_NONE) {
        return e;
    }
    if (pthread_create(&a->thread, NULL, agents, a) != 0) {
        sim_bus_close(a->bus);
        snprintf(why, why_size, "cannot start the agents' thread");
        return ERR_IO;
    }
    return ERR_NONE;
}

enum err sim_agents_open(struct sim_site *s, uint64_t seed,
                         struct sim_agents **out, char *why, size_t why_size)
{
    struct sim_agents *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    int n_pods = s->site.n_pods;
    a->s = s;
    a->seed = seed;
    a->n_links = 1 + (n_pods < SIM_POD_LINKS ? n_pods : SIM_POD_LINKS);
    a->started_s = sim_mono_s();
    a->checkpoint_s = NAN;
    a->markers_to_s = s->from_s;
    calendar_format_utc(sim_utc_ms(), a->boot);
    enum err e = start(a, why, why_size);
    if (e != ERR_NONE) {
        free(a->announced);
        free(a);
        return e;
    }
    *out = a;
    return ERR_NONE;
}

void sim_agents_counts(struct sim_agents *a, struct sim_agents_counts *out)
{
    *out = (struct sim_agents_counts){
        .n_links = a->n_links,
        .n_links_up = sim_bus_links_up(a->bus),
        .n_dropped = sim_bus_dropped(a->bus),
        .n_orders = atomic_load(&a->n_orders),
        .n_refused = atomic_load(&a->n_refused),
    };
}

/* What is retained is not to outlive what it is about. */
static void farewell(struct sim_agents *a)
{
    const struct site *site = &a->s->site;
    if (a->island) {
        say_island(a, false, 0.0);
    }
    for (int i = 0; i < site->n_nodes && i < FAREWELLS; i++) {
        char name[SIM_CAR_NAME_MAX];
        char topic[SIM_TOPIC_MAX];
        sim_car_name(site, sim_fleet_of(site, i), i, name);
        sim_member_topic(&a->s->site, "node", name, "online", topic);
        sim_bus_send(a->bus, SIM_LINK_SITE, topic, "{\"v\":1,\"online\":false}",
                     SIM_RETAINED);
    }
}

void sim_agents_close(struct sim_agents *a)
{
    atomic_store(&a->stop, true);
    pthread_join(a->thread, NULL);
    farewell(a);
    sim_bus_close(a->bus);
    free(a->announced);
    free(a);
}
