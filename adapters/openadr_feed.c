/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_feed.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <MQTTAsync.h>

enum {
    KEEP_ALIVE_S = 20,
    CONNECT_S = 5,
    RETRY_MIN_S = 1,
    RETRY_MAX_S = 30,
};

struct openadr_feed {
    MQTTAsync handle;
    struct openadr_feed_cfg cfg; /* its topics; not its texts */
    atomic_bool up;
};

static void on_lost(void *context, char *cause)
{
    (void)cause;
    struct openadr_feed *f = context;
    atomic_store(&f->up, false);
}

static int on_message(void *context, char *topic, int topic_size,
                      MQTTAsync_message *message)
{
    (void)topic_size;
    struct openadr_feed *f = context;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    f->cfg.woken(f->cfg.woken_user);
    return 1;
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    (void)data;
    struct openadr_feed *f = context;
    atomic_store(&f->up, true);
    f->cfg.woken(f->cfg.woken_user);
}

static void on_connected(void *context, char *cause)
{
    (void)cause;
    struct openadr_feed *f = context;
    char *topics[OPENADR_TOPICS_MAX];
    int qos[OPENADR_TOPICS_MAX];
    for (int i = 0; i < f->cfg.n_topics; i++) {
        topics[i] = f->cfg.topics[i];
        qos[i] = 1;
    }
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess = on_subscribed;
    options.context = f;
    /* where it fails 'up' stays false, and the client is made anew */
    (void)MQTTAsync_subscribeMany(f->handle, f->cfg.n_topics, topics, qos,
                                  &options);
}

/* As the library names it: ssl:// or tcp://, with a port. */
static bool library_uri(const char *uri, bool *tls, char out[OPENADR_URI_MAX])
{
    static const struct {
        const char *scheme;
        bool tls;
    } schemes[] = {
        {"mqtts://", true},
        {"ssl://", true},
        {"mqtt://", false},
        {"tcp://", false},
    };
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = strlen(schemes[i].scheme);
        if (strncmp(uri, schemes[i].scheme, n) != 0) {
            continue;
        }
        char host[OPENADR_URI_MAX];
        snprintf(host, sizeof(host), "%.*s", (int)strcspn(uri + n, "/?#@"),
                 uri + n);
        const char *bracket = strrchr(host, ']');
        bool ported = strchr(bracket != NULL ? bracket : host, ':') != NULL;
        *tls = schemes[i].tls;
        const char *port = ported ? "" : *tls ? ":8883" : ":1883";
        int size = snprintf(out, OPENADR_URI_MAX, "%s%s%s",
                            *tls ? "ssl://" : "tcp://", host, port);
        bool named = strchr(uri, '@') == NULL; /* who we are comes apart */
        return named && host[0] != '\0' && size < OPENADR_URI_MAX;
    }
    return false;
}

static int begin(struct openadr_feed *f, const struct openadr_feed_cfg *cfg,
                 bool tls)
{
    MQTTAsync_setCallbacks(f->handle, f, on_lost, on_message, NULL);
    MQTTAsync_setConnected(f->handle, f, on_connected);
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    options.keepAliveInterval = KEEP_ALIVE_S;
    options.connectTimeout = CONNECT_S;
    options.cleansession = 1;
    options.automaticReconnect = 1;
    options.minRetryInterval = RETRY_MIN_S;
    options.maxRetryInterval = RETRY_MAX_S;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.context = f;
    if (cfg->user[0] != '\0') {
        options.username = cfg->user;
        options.password = cfg->password;
    }
    if (tls) {
        ssl.enableServerCertAuth = 1;
        ssl.verify = 1;
        ssl.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
        ssl.trustStore = cfg->ca_file[0] != '\0'
                             ? cfg->ca_file
                             : "/etc/ssl/certs/ca-certificates.crt";
        if (cfg->cert_file != NULL && cfg->cert_file[0] != '\0') {
            ssl.keyStore = cfg->cert_file;
            ssl.privateKey = cfg->key_file;
        }
        options.ssl = &ssl;
    }
    return MQTTAsync_connect(f->handle, &options);
}

enum err openadr_feed_open(const struct openadr_feed_cfg *cfg,
                           struct openadr_feed **out, char *why,
                           size_t why_size)
{
    char uri[OPENADR_URI_MAX];
    bool tls = false;
    if (!library_uri(cfg->uri, &tls, uri)) {
        snprintf(why, why_size,
                 "the broker's address %.80s is none of "
                 "mqtts://host:port and mqtt://host:port",
                 strchr(cfg->uri, '@') == NULL ? cfg->uri : "with an @");
        return ERR_RANGE;
    }
    struct openadr_feed *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    f->cfg = *cfg;
    int rc = MQTTAsync_create(&f->handle, uri, cfg->client,
                              MQTTCLIENT_PERSISTENCE_NONE, NULL);
    if (rc == MQTTASYNC_SUCCESS) {
        rc = begin(f, cfg, tls);
    }
    if (rc != MQTTASYNC_SUCCESS) {
        snprintf(why, why_size, "no MQTT client for %.80s: code %d", uri, rc);
        openadr_feed_close(f);
        return ERR_IO;
    }
    *out = f;
    return ERR_NONE;
}

void openadr_feed_close(struct openadr_feed *f)
{
    if (f->handle != NULL) {
        MQTTAsync_destroy(&f->handle);
    }
    free(f);
}

bool openadr_feed_up(const struct openadr_feed *f)
{
    return atomic_load(&f->up);
}
