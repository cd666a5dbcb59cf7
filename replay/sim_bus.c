/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_bus.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char OFFLINE[] = "{\"v\":1,\"online\":false}";
static const char ONLINE[] = "{\"v\":1,\"online\":true,\"agent\":\"sim\"}";

enum { QUEUE_MAX = 256, CLOSE_MS = 3000 };

struct link {
    struct sim_bus *bus;
    int index;
    MQTTAsync client;
    struct sim_link_cfg cfg;
    atomic_bool fresh; /* came up and was not renewed yet */
};

struct sim_bus {
    struct link *links;
    int n_links;
    char password[128];
    pthread_mutex_t lock; /* of the queue */
    pthread_cond_t come;
    int n_queued;
    int first;
    struct sim_message queue[QUEUE_MAX];
    atomic_ulong n_dropped;
};

static void on_connected(void *context, char *cause)
{
    struct link *l = context;
    (void)cause;
    atomic_store(&l->fresh, true);
    pthread_mutex_lock(&l->bus->lock);
    pthread_cond_signal(&l->bus->come);
    pthread_mutex_unlock(&l->bus->lock);
}

/* Copies the message behind the queue; drops it where it does not fit. */
static void enqueue(struct sim_bus *bus, const struct link *l,
                    const char *topic, const MQTTAsync_message *m)
{
    if (strlen(topic) >= SIM_TOPIC_MAX || m->payloadlen < 0 ||
        m->payloadlen >= SIM_PAYLOAD_MAX) {
        atomic_fetch_add(&bus->n_dropped, 1);
        return;
    }
    pthread_mutex_lock(&bus->lock);
    if (bus->n_queued == QUEUE_MAX) {
        atomic_fetch_add(&bus->n_dropped, 1);
    } else {
        struct sim_message *to =
            &bus->queue[(bus->first + bus->n_queued++) % QUEUE_MAX];
        to->link = l->index;
        to->retained = m->retained != 0;
        strcpy(to->topic, topic);
        to->size = (size_t)m->payloadlen;
        memcpy(to->payload, m->payload, to->size);
        to->payload[to->size] = '\0';
        pthread_cond_signal(&bus->come);
    }
    pthread_mutex_unlock(&bus->lock);
}

static int on_message(void *context, char *topic, int topic_size,
                      MQTTAsync_message *message)
{
    struct link *l = context;
    /* 0 or the length, as the library likes; another one where the topic
     * holds a NUL, and then it is not for us */
    if (topic_size == 0 || strlen(topic) == (size_t)topic_size) {
        enqueue(l->bus, l, topic, message);
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static bool read_password(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    if (f == NULL || fgets(out, (int)size, f) == NULL) {
        if (f != NULL) {
            fclose(f);
        }
        return false;
    }
    fclose(f);
    out[strcspn(out, "\r\n")] = '\0';
    return true;
}

static int connect_link(struct link *l, const struct site_mqtt *at)
{
    MQTTAsync_connectOptions o = MQTTAsync_connectOptions_initializer;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    o.keepAliveInterval = 10;
    o.cleansession = 1;
    o.MQTTVersion = MQTTVERSION_3_1_1;
    o.automaticReconnect = 1;
    o.minRetryInterval = 1;
    o.maxRetryInterval = 5;
    if (l->cfg.online[0] != '\0') {
        will.topicName = l->cfg.online;
        will.message = OFFLINE;
        will.retained = 1;
        will.qos = 1;
        o.will = &will;
    }
    if (at->user[0] != '\0') {
        o.username = at->user;
        o.password = l->bus->password;
    }
    if (at->ca_file[0] != '\0') {
        ssl.trustStore = at->ca_file;
        ssl.keyStore = at->cert_file[0] != '\0' ? at->cert_file : NULL;
        ssl.privateKey = at->key_file[0] != '\0' ? at->key_file : NULL;
        ssl.verify = 1; /* the initialiser leaves the host name unchecked */
        o.ssl = &ssl;
    }
    return MQTTAsync_connect(l->client, &o);
}

static int open_link(struct link *l, const struct site_mqtt *at)
{
    char uri[SITE_TEXT_MAX + 32];
    snprintf(uri, sizeof(uri), "%s://%s:%d",
             at->ca_file[0] != '\0' ? "ssl" : "tcp", at->host, at->port);
    char id[SITE_NAME_MAX + 48];
    snprintf(id, sizeof(id), "ballast-sim-%ld-%s", (long)getpid(), l->cfg.name);
    MQTTAsync_createOptions o = MQTTAsync_createOptions_initializer;
    o.MQTTVersion = MQTTVERSION_3_1_1;
    o.maxBufferedMessages = 1000;
    int rc = MQTTAsync_createWithOptions(&l->client, uri, id,
                                         MQTTCLIENT_PERSISTENCE_NONE, NULL, &o);
    if (rc == MQTTASYNC_SUCCESS) {
        rc = MQTTAsync_setCallbacks(l->client, l, NULL, on_message, NULL);
    }
    if (rc == MQTTASYNC_SUCCESS) {
        rc = MQTTAsync_setConnected(l->client, l, on_connected);
    }
    return rc == MQTTASYNC_SUCCESS ? connect_link(l, at) : rc;
}

static struct sim_bus *allocate(const struct sim_link_cfg *links, int n)
{
    struct sim_bus *bus = calloc(1, sizeof(*bus));
    struct link *copies = calloc((size_t)n, sizeof(*copies));
    if (bus == NULL || copies == NULL) {
        free(bus);
        free(copies);
        return NULL;
    }
    bus->links = copies;
    bus->n_links = n;
    for (int i = 0; i < n; i++) {
        copies[i].bus = bus;
        copies[i].index = i;
        copies[i].cfg = links[i];
    }
    pthread_mutex_init(&bus->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&bus->come, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return bus;
}

enum err sim_bus_open(const struct site_mqtt *at,
                      const struct sim_link_cfg *links, int n,
                      struct sim_bus **out, char *why, size_t why_size)
{
    struct sim_bus *bus = allocate(links, n);
    if (bus == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    if (at->password_file[0] != '\0' &&
        !read_password(at->password_file, bus->password,
                       sizeof(bus->password))) {
        snprintf(why, why_size, "mqtt.password_file: %s: %s", at->password_file,
                 strerror(errno));
        sim_bus_close(bus);
        return ERR_IO;
    }
    for (int i = 0; i < n; i++) {
        int rc = open_link(&bus->links[i], at);
        if (rc != MQTTASYNC_SUCCESS) {
            const char *text = MQTTAsync_strerror(rc);
            snprintf(why, why_size, "MQTT client for %s:%d: %s (%d)", at->host,
                     at->port, text != NULL ? text : "error", rc);
            sim_bus_close(bus);
            return ERR_IO;
        }
    }
    *out = bus;
    return ERR_NONE;
}

int sim_bus_renew(struct sim_bus *bus)
{
    int n = 0;
    for (int i = 0; i < bus->n_links; i++) {
        struct link *l = &bus->links[i];
        if (!atomic_exchange(&l->fresh, false)) {
            continue;
        }
        n++;
        for (int k = 0; k < SIM_LINK_TOPICS_MAX; k++) {
            if (l->cfg.topics[k][0] != '\0') {
                MQTTAsync_subscribe(l->client, l->cfg.topics[k], 1, NULL);
            }
        }
        if (l->cfg.online[0] != '\0') {
            sim_bus_send(bus, i, l->cfg.online, ONLINE, SIM_RETAINED);
        }
    }
    return n;
}

static struct timespec after(double s)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)s;
    t.tv_nsec += (long)((s - (double)(time_t)s) * 1e9);
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

bool sim_bus_take(struct sim_bus *bus, struct sim_message *out,
                  double timeout_s)
{
    struct timespec until = after(timeout_s);
    bool got = false;
    pthread_mutex_lock(&bus->lock);
    if (bus->n_queued == 0 && timeout_s > 0.0) {
        /* a link that came up wakes us too, with an empty queue */
        pthread_cond_timedwait(&bus->come, &bus->lock, &until);
    }
    if (bus->n_queued > 0) {
        *out = bus->queue[bus->first];
        bus->first = (bus->first + 1) % QUEUE_MAX;
        bus->n_queued--;
        got = true;
    }
    pthread_mutex_unlock(&bus->lock);
    return got;
}

void sim_bus_send(struct sim_bus *bus, int link, const char *topic,
                  const char *payload, enum sim_send how)
{
    MQTTAsync_message m = MQTTAsync_message_initializer;
    m.payload = (void *)(uintptr_t)payload; /* copied by the library */
    m.payloadlen = (int)strlen(payload);
    m.qos = how == SIM_QOS0 ? 0 : 1;
    m.retained = how == SIM_RETAINED;
    if (MQTTAsync_sendMessage(bus->links[link].client, topic, &m, NULL) !=
        MQTTASYNC_SUCCESS) {
        atomic_fetch_add(&bus->n_dropped, 1);
    }
}

int sim_bus_links_up(struct sim_bus *bus)
{
    int n = 0;
    for (int i = 0; i < bus->n_links; i++) {
        n += MQTTAsync_isConnected(bus->links[i].client) != 0;
    }
    return n;
}

unsigned long sim_bus_dropped(struct sim_bus *bus)
{
    return atomic_load(&bus->n_dropped);
}

static void nap(void)
{
    struct timespec t = {.tv_nsec = 20000000};
    nanosleep(&t, NULL);
}

static void say_offline(struct sim_bus *bus)
{
    for (int i = 0; i < bus->n_links; i++) {
        struct link *l = &bus->links[i];
        if (l->client != NULL && MQTTAsync_isConnected(l->client) &&
            l->cfg.online[0] != '\0') {
            sim_bus_send(bus, i, l->cfg.online, OFFLINE, SIM_RETAINED);
        }
    }
}

/* True while the broker has not acknowledged all that was sent on a link. */
static bool under_way(const struct link *l)
{
    MQTTAsync_token *tokens = NULL;
    if (l->client == NULL || !MQTTAsync_isConnected(l->client) ||
        MQTTAsync_getPendingTokens(l->client, &tokens) != MQTTASYNC_SUCCESS ||
        tokens == NULL) {
        return false;
    }
    bool any = tokens[0] != -1;
    MQTTAsync_free(tokens);
    return any;
}

/* Wait until a link is through with what it was given, but not longer than
 * the time that all links have. */
static void wait_link(const struct link *l, bool (*busy)(const struct link *),
                      int *ms)
{
    while (*ms < CLOSE_MS && busy(l)) {
        nap();
        *ms += 20;
    }
}

static bool connected(const struct link *l)
{
    return l->client != NULL && MQTTAsync_isConnected(l->client);
}

void sim_bus_close(struct sim_bus *bus)
{
    int ms = 0;
    say_offline(bus);
    for (int i = 0; i < bus->n_links; i++) {
        wait_link(&bus->links[i], under_way, &ms);
        MQTTAsync_disconnectOptions o = MQTTAsync_disconnectOptions_initializer;
        if (connected(&bus->links[i])) {
            MQTTAsync_disconnect(bus->links[i].client, &o);
        }
    }
    for (int i = 0; i < bus->n_links; i++) {
        wait_link(&bus->links[i], connected, &ms);
        if (bus->links[i].client != NULL) {
            MQTTAsync_destroy(&bus->links[i].client);
        }
    }
    pthread_mutex_destroy(&bus->lock);
    pthread_cond_destroy(&bus->come);
    free(bus->links);
    free(bus);
}
