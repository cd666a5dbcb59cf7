/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_client.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <MQTTAsync.h>

#include "adapters/mqtt_broker.h"

enum {
    KEEP_ALIVE_S = 5,
    CONNECT_TIMEOUT_S = 5,
    RETRY_MIN_S = 1,
    RETRY_MAX_S = 3, /* back within 5 s after the broker is */
    IN_FLIGHT_MAX = 2000,
    SUBSCRIBE_AGAIN_MS = 3000,
    UNANSWERED_MAX_MS = 8000,
    CLOSE_WAIT_MS = 1000,
};

struct mqtt_client {
    MQTTAsync handle;
    const struct site_mqtt *at;
    struct mqtt_queue *queue;
    char id[32];
    char will_topic[MQTT_TOPIC_MAX]; /* "" for none */
    char will[64];
    struct mqtt_broker broker;
    char filters[MQTT_SUBSCRIPTIONS_MAX][MQTT_TOPIC_MAX];
    int n_filters;
    int64_t recreate_ms;
    int64_t down_since_ms; /* 0 while connected */

    /* Written by the library's threads. */
    atomic_ullong n_connections;
    atomic_bool subscribed;
    atomic_llong subscribing_ms;   /* when last tried */
    atomic_llong waiting_since_ms; /* first unanswered send, 0 for none */
    atomic_int n_in_flight;
    atomic_int trouble; /* code of the last failed connect, 0 for none */
    atomic_bool gone;   /* disconnect() is through */
};

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void heard(struct mqtt_client *c)
{
    atomic_store(&c->waiting_since_ms, 0);
}

static int on_message(void *context, char *topic, int topic_size,
                      MQTTAsync_message *message)
{
    struct mqtt_client *c = context;
    heard(c);
    /* paho gives 0 for a topic that holds no NUL. */
    size_t n = topic_size > 0 ? (size_t)topic_size : strlen(topic);
    struct mqtt_note note = {
        .mono_ms = clock_ms(),
        .topic_size = (uint32_t)n,
        .size = (uint32_t)message->payloadlen,
        .retained = message->retained != 0,
    };
    mqtt_queue_put(c->queue, &note, topic, message->payload);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_delivered(void *context, MQTTAsync_token token)
{
    (void)token;
    struct mqtt_client *c = context;
    heard(c);
    if (atomic_fetch_sub(&c->n_in_flight, 1) <= 0) {
        atomic_store(&c->n_in_flight, 0);
    }
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    (void)data;
    struct mqtt_client *c = context;
    atomic_store(&c->subscribed, true);
    mqtt_queue_wake(c->queue);
}

static void subscribe(struct mqtt_client *c)
{
    atomic_store(&c->subscribing_ms, clock_ms());
    char *filters[MQTT_SUBSCRIPTIONS_MAX];
    int qos[MQTT_SUBSCRIPTIONS_MAX];
    for (int i = 0; i < c->n_filters; i++) {
        filters[i] = c->filters[i];
        qos[i] = 1;
    }
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess = on_subscribed;
    options.context = c;
    /* A failure is seen by 'subscribed' staying false: tend() tries again. */
    (void)MQTTAsync_subscribeMany(c->handle, c->n_filters, filters, qos,
                                  &options);
}

static void on_connected(void *context, char *cause)
{
    (void)cause;
    struct mqtt_client *c = context;
    heard(c);
    atomic_store(&c->n_in_flight, 0);
    atomic_store(&c->trouble, 0);
    atomic_store(&c->subscribing_ms, clock_ms());
    atomic_store(&c->subscribed, c->n_filters == 0);
    atomic_fetch_add(&c->n_connections, 1);
    if (c->n_filters > 0) {
        subscribe(c);
    }
    mqtt_queue_wake(c->queue);
}

static void on_lost(void *context, char *cause)
{
    (void)cause;
    struct mqtt_client *c = context;
    mqtt_queue_wake(c->queue);
}

static void on_refused(void *context, MQTTAsync_failureData *data)
{
    struct mqtt_client *c = context;
    int code = data != NULL && data->code != 0 ? data->code : MQTTASYNC_FAILURE;
    atomic_store(&c->trouble, code);
}

static void on_gone(void *context, MQTTAsync_successData *data)
{
    (void)data;
    struct mqtt_client *c = context;
    atomic_store(&c->gone, true);
}

static int begin_connect(struct mqtt_client *c)
{
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.cleansession = 1;
    options.keepAliveInterval = KEEP_ALIVE_S;
    options.connectTimeout = CONNECT_TIMEOUT_S;
    options.automaticReconnect = 1;
    options.minRetryInterval = RETRY_MIN_S;
    options.maxRetryInterval = RETRY_MAX_S;
    options.onFailure = on_refused;
    options.context = c;

    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    will.topicName = c->will_topic;
    will.message = c->will;
    will.retained = 1;
    will.qos = 1;
    options.will = c->will_topic[0] != '\0' ? &will : NULL;

    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    ssl.trustStore = c->at->ca_file;
    ssl.keyStore = c->at->cert_file[0] != '\0' ? c->at->cert_file : NULL;
    ssl.privateKey = c->at->key_file[0] != '\0' ? c->at->key_file : NULL;
    ssl.enableServerCertAuth = 1;
    ssl.verify = 1; /* paho's default does not look at the host name */
    ssl.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
    ssl.disableDefaultTrustStore = 1;
    options.ssl = c->at->ca_file[0] != '\0' ? &ssl : NULL;

    if (c->at->user[0] != '\0') {
        options.username = c->at->user;
        options.password =
            c->broker.password[0] != '\0' ? c->broker.password : NULL;
    }
    return MQTTAsync_connect(c->handle, &options);
}

static int create(struct mqtt_client *c)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.sendWhileDisconnected = 0;
    options.maxBufferedMessages = 2 * IN_FLIGHT_MAX;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    int rc = MQTTAsync_createWithOptions(&c->handle, c->broker.uri, c->id,
                                         MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                         &options);
    if (rc != MQTTASYNC_SUCCESS) {
        c->handle = NULL;
        return rc;
    }
    rc =
        MQTTAsync_setCallbacks(c->handle, c, on_lost, on_message, on_delivered);
    if (rc == MQTTASYNC_SUCCESS) {
        rc = MQTTAsync_setConnected(c->handle, c, on_connected);
    }
    if (rc == MQTTASYNC_SUCCESS) {
        rc = begin_connect(c);
    }
    if (rc != MQTTASYNC_SUCCESS) {
        MQTTAsync_destroy(&c->handle);
        c->handle = NULL;
    }
    return rc;
}

static void init_library(void)
{
    MQTTAsync_init_options options = MQTTAsync_init_options_initializer;
    options.do_openssl_init = 1;
    MQTTAsync_global_init(&options);
}

enum err mqtt_client_open(const struct mqtt_client_cfg *cfg,
                          struct mqtt_client **out, char *why, size_t why_size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_library);
    assert(cfg->n_filters <= MQTT_SUBSCRIPTIONS_MAX && cfg->recreate_s > 0.0);
    struct mqtt_client *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    c->at = cfg->at;
    c->queue = cfg->queue;
    c->recreate_ms = (int64_t)(cfg->recreate_s * 1e3);
    c->n_filters = cfg->n_filters;
    if (cfg->n_filters > 0) {
        memcpy(c->filters, cfg->filters,
               (size_t)cfg->n_filters * sizeof(c->filters[0]));
    }
    snprintf(c->id, sizeof(c->id), "%s", cfg->id);
    if (cfg->will_topic != NULL) {
        snprintf(c->will_topic, sizeof(c->will_topic), "%s", cfg->will_topic);
        snprintf(c->will, sizeof(c->will), "%s", cfg->will);
    }
    enum err err = mqtt_broker_open(cfg->at, &c->broker, why, why_size);
    int rc = err == ERR_NONE ? create(c) : MQTTASYNC_FAILURE;
    if (err == ERR_NONE && rc != MQTTASYNC_SUCCESS) {
        const char *text = MQTTAsync_strerror(rc);
        snprintf(why, why_size, "MQTT client for %s: %s", c->broker.uri,
                 text != NULL ? text : "cannot be created");
        err = ERR_IO;
    }
    if (err != ERR_NONE) {
        mqtt_broker_wipe(&c->broker);
        free(c);
        return err;
    }
    c->down_since_ms = clock_ms();
    *out = c;
    return ERR_NONE;
}

static bool is_connected(struct mqtt_client *c)
{
    return c->handle != NULL && MQTTAsync_isConnected(c->handle) != 0;
}

/* True where sends have been without an answer for 'max_ms'. */
static bool is_unanswered(struct mqtt_client *c, int64_t max_ms)
{
    int64_t since_ms = atomic_load(&c->waiting_since_ms);
    return since_ms != 0 && clock_ms() - since_ms >= max_ms;
}

static void create_anew(struct mqtt_client *c)
{
    c->down_since_ms = clock_ms();
    atomic_store(&c->waiting_since_ms, 0);
    if (c->handle != NULL) {
        MQTTAsync_destroy(&c->handle);
        c->handle = NULL;
    }
    int rc = create(c);
    if (rc != MQTTASYNC_SUCCESS) {
        atomic_store(&c->trouble, rc);
    }
}

void mqtt_client_tend(struct mqtt_client *c)
{
    int64_t now_ms = clock_ms();
    if (!is_connected(c)) {
        /* Reconnecting by itself has been seen to fail for good after hours
         * (paho.mqtt.c issue 1007). */
        c->down_since_ms = c->down_since_ms == 0 ? now_ms : c->down_since_ms;
        if (now_ms - c->down_since_ms > c->recreate_ms) {
            create_anew(c);
        }
        return;
    }
    c->down_since_ms = 0;
    if (is_unanswered(c, 2 * UNANSWERED_MAX_MS)) {
        create_anew(c);
    } else if (!atomic_load(&c->subscribed) &&
               now_ms - atomic_load(&c->subscribing_ms) > SUBSCRIBE_AGAIN_MS) {
        subscribe(c);
    }
}

bool mqtt_client_usable(struct mqtt_client *c)
{
    return is_connected(c) && atomic_load(&c->n_connections) > 0 &&
           !is_unanswered(c, UNANSWERED_MAX_MS);
}

bool mqtt_client_subscribed(struct mqtt_client *c)
{
    return is_connected(c) && atomic_load(&c->subscribed);
}

uint64_t mqtt_client_connections(const struct mqtt_client *c)
{
    return atomic_load(&c->n_connections);
}

const char *mqtt_client_trouble(const struct mqtt_client *c)
{
    return mqtt_broker_trouble(c->at, atomic_load(&c->trouble));
}

bool mqtt_client_send(struct mqtt_client *c, const struct mqtt_post *post)
{
    if (!mqtt_client_usable(c) ||
        atomic_load(&c->n_in_flight) >= IN_FLIGHT_MAX) {
        return false;
    }
    /* Counted before it is sent: its answer may be faster than we are. */
    atomic_fetch_add(&c->n_in_flight, 1);
    long long never = 0;
    atomic_compare_exchange_strong(&c->waiting_since_ms, &never, clock_ms());
    int rc = MQTTAsync_send(c->handle, post->topic, post->size, post->payload,
                            1, post->retained, NULL);
    if (rc != MQTTASYNC_SUCCESS) {
        atomic_fetch_sub(&c->n_in_flight, 1);
        return false;
    }
    return true;
}

static void wait_ms(long ms)
{
    struct timespec pause = {0, ms * 1000000};
    nanosleep(&pause, NULL);
}

void mqtt_client_close(struct mqtt_client *c, const struct mqtt_post *last)
{
    if (c->handle != NULL && is_connected(c)) {
        if (last != NULL && mqtt_client_send(c, last)) {
            for (int i = 0;
                 i < CLOSE_WAIT_MS / 10 && atomic_load(&c->n_in_flight) > 0;
                 i++) {
                wait_ms(10);
            }
        }
        MQTTAsync_disconnectOptions options =
            MQTTAsync_disconnectOptions_initializer;
        options.onSuccess = on_gone;
        options.context = c;
        bool asked =
            MQTTAsync_disconnect(c->handle, &options) == MQTTASYNC_SUCCESS;
        for (int i = 0; asked && i < CLOSE_WAIT_MS / 10 &&
                        !atomic_load(&c->gone) && is_connected(c);
             i++) {
            wait_ms(10);
        }
    }
    if (c->handle != NULL) {
        MQTTAsync_destroy(&c->handle);
    }
    mqtt_broker_wipe(&c->broker);
    free(c);
}
