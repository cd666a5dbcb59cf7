/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "adapters/mqtt_client.h"
#include "adapters/mqtt_inbox.h"
#include "adapters/mqtt_outbox.h"
#include "adapters/mqtt_queue.h"
#include "adapters/mqtt_topic.h"
#include "models/calendar.h"

enum {
    DRAIN_MAX = 20000, /* messages of one pass */
    BULK_BYTES = 8 << 20,
    OTHER_BYTES = 2 << 20,
    RECREATE_S = 600,
    STATUS_BYTES_MAX = 2048 + 64,
    WILL_BYTES_MAX = 64,
};

struct mqtt {
    const struct site *site;
    bool read_only;
    uint64_t boot; /* random: no id of an earlier start is used again */
    struct mqtt_queue *queue;
    struct mqtt_client *client;
    struct mqtt_outbox *outbox;
    struct mqtt_inbox *inbox;
    uint64_t connection; /* the last one that was greeted */
    bool primed;         /* 'in' is ready for messages */
    struct mqtt_outbox_counts sent;
    uint64_t n_passes;
    char status_topic[MQTT_TOPIC_MAX];
    char will[WILL_BYTES_MAX];
    unsigned char message[MQTT_QUEUE_MESSAGE_MAX];
};

static uint64_t random_boot(void)
{
    uint64_t boot = 0;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read(fd, &boot, sizeof(boot)) == sizeof(boot);
    if (fd >= 0) {
        close(fd);
    }
    if (!ok) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        boot = (uint64_t)t.tv_sec << 30 ^ (uint64_t)t.tv_nsec ^
               (uint64_t)getpid() << 48;
    }
    return boot;
}

static bool send_command(void *to, const char *topic, const char *payload,
                         int size)
{
    struct mqtt *m = to;
    struct mqtt_post post = {topic, payload, size, .retained = false};
    return mqtt_client_send(m->client, &post);
}

static enum err open_parts(struct mqtt *m, char *why, size_t why_size)
{
    struct mqtt_queue_cfg queue = {BULK_BYTES, OTHER_BYTES};
    struct mqtt_outbox_cfg outbox = {m->site, m->boot, send_command, m};
    snprintf(why, why_size, "out of memory");
    enum err err = mqtt_queue_open(&queue, &m->queue);
    if (err == ERR_NONE) {
        err = mqtt_outbox_open(&outbox, &m->outbox);
    }
    if (err == ERR_NONE) {
        struct mqtt_inbox_cfg inbox = {m->site, m->boot, m->outbox};
        err = mqtt_inbox_open(&inbox, &m->inbox, why, why_size);
    }
    return err;
}

static enum err open_client(struct mqtt *m, char *why, size_t why_size)
{
    char filters[MQTT_SUBSCRIPTIONS_MAX][MQTT_TOPIC_MAX];
    char id[24];
    snprintf(id, sizeof(id), "ballast-%012" PRIx64, m->boot >> 16);
    struct mqtt_client_cfg cfg = {
        .at = &m->site->mqtt,
        .id = id,
        .will_topic = m->read_only ? NULL : m->status_topic,
        .will = m->will,
        .filters = filters,
        .n_filters = mqtt_index_filters(mqtt_inbox_index(m->inbox), filters),
        .queue = m->queue,
        .recreate_s = RECREATE_S,
    };
    return mqtt_client_open(&cfg, &m->client, why, why_size);
}

static void free_parts(struct mqtt *m)
{
    mqtt_inbox_close(m->inbox);
    mqtt_outbox_close(m->outbox);
    mqtt_queue_close(m->queue);
    free(m);
}

enum err mqtt_open(const struct site *site, bool read_only, struct mqtt **out,
                   char *why, size_t why_size)
{
    assert(site->mqtt.present);
    struct mqtt *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    m->site = site;
    m->read_only = read_only;
    m->boot = random_boot();
    mqtt_topic_status(site, m->status_topic);
    snprintf(m->will, sizeof(m->will),
             "{\"v\":1,\"instance\":\"%016" PRIx64 "\",\"online\":false}",
             m->boot);
    enum err err = open_parts(m, why, why_size);
    if (err == ERR_NONE) {
        err = open_client(m, why, why_size);
    }
    if (err != ERR_NONE) {
        free_parts(m);
        return err;
    }
    *out = m;
    return ERR_NONE;
}

/* A pass's clocks, and what its clock is ahead of CLOCK_MONOTONIC. */
struct now {
    int64_t mono_ms;
    int64_t utc_ms;
    int64_t clock_ms;
};

static unsigned take_next(struct mqtt *m, const struct now *now,
                          const struct mqtt_note *note, struct mqtt_inputs *in)
{
    char topic[MQTT_TOPIC_MAX];
    memcpy(topic, m->message, note->topic_size);
    topic[note->topic_size] = '\0';
    int64_t waited_ms = now->clock_ms - note->mono_ms;
    waited_ms = waited_ms < 0 ? 0 : waited_ms;
    struct mqtt_message msg = {
        .bytes = m->message + note->topic_size,
        .size = note->size,
        .mono_ms = now->mono_ms - waited_ms > 0 ? now->mono_ms - waited_ms : 1,
        .utc_ms = now->utc_ms - waited_ms,
        .retained = note->retained,
    };
    return mqtt_inbox_take(m->inbox, topic, &msg, in);
}

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A new connection: the broker may have forgotten all it was told. */
static void greet(struct mqtt *m, int64_t utc_ms)
{
    uint64_t connection = mqtt_client_connections(m->client);
    if (connection == m->connection) {
        return;
    }
    m->connection = connection;
    mqtt_outbox_renew_all(m->outbox);
    char ts[CALENDAR_TEXT_MAX];
    char json[128];
    snprintf(json, sizeof(json), "{\"v\":1,\"online\":true,\"ts\":\"%s\"}",
             calendar_format_utc(utc_ms, ts));
    mqtt_status(m, json);
}

static void report(struct mqtt *m, int64_t start_ms, struct link_state *link)
{
    link->up = mqtt_client_usable(m->client);
    link->n_passes = ++m->n_passes;
    link->n_errors = mqtt_inbox_counts(m->inbox)->n_malformed;
    link->n_reconnects = m->connection > 0 ? m->connection - 1 : 0;
    link->n_writes = m->sent.n_sent;
    link->write_mono_ms = m->sent.sent_mono_ms;
    link->pass_s = (double)(clock_ms() - start_ms) / 1e3;
    const char *trouble = mqtt_client_trouble(m->client);
    if (link->up) {
        link->last_error[0] = '\0';
    } else {
        snprintf(link->last_error, sizeof(link->last_error), "%.60s:%d: %s",
                 m->site->mqtt.host, m->site->mqtt.port,
                 trouble[0] != '\0' ? trouble : "not connected");
    }
}

unsigned mqtt_pass(struct mqtt *m, int64_t mono_ms, int64_t utc_ms,
                   struct mqtt_inputs *in, struct link_state *link)
{
    struct now now = {mono_ms, utc_ms, clock_ms()};
    if (!m->primed) {
        mqtt_inbox_prime(m->inbox, in);
        m->primed = true;
    }
    mqtt_client_tend(m->client);
    greet(m, utc_ms);
    unsigned changed = mqtt_inbox_expire(m->inbox, mono_ms, utc_ms, in);
    struct mqtt_note note;
    for (int i = 0;
         i < DRAIN_MAX && mqtt_queue_take(m->queue, &note, m->message); i++) {
        changed |= take_next(m, &now, &note, in);
    }
    report(m, now.clock_ms, link);
    return changed;
}

void mqtt_wait(struct mqtt *m, double timeout_s)
{
    mqtt_queue_wait(m->queue, timeout_s);
}

void mqtt_command(struct mqtt *m, int64_t mono_ms, int64_t utc_ms,
                  const struct step_out *out)
{
    if (!m->read_only) {
        greet(m, utc_ms);
        mqtt_outbox_send(m->outbox, mono_ms, utc_ms, out, &m->sent);
    }
}

void mqtt_status(struct mqtt *m, const char *json)
{
    char text[STATUS_BYTES_MAX];
    assert(json[0] == '{');
    int n = snprintf(text, sizeof(text), "{\"instance\":\"%016" PRIx64 "\",%s",
                     m->boot, json + 1);
    struct mqtt_post post = {m->status_topic, text, n, .retained = true};
    if (!m->read_only && n < (int)sizeof(text)) {
        (void)mqtt_client_send(m->client, &post);
    }
}

void mqtt_counts(const struct mqtt *m, struct mqtt_counts *out)
{
    uint64_t n_lost = 0;
    uint64_t n_oversized = 0;
    mqtt_queue_counts(m->queue, &n_lost, &n_oversized);
    *out = *mqtt_inbox_counts(m->inbox);
    out->n_overflow += n_lost;
    out->n_malformed += n_oversized;
    out->n_sent = m->sent.n_sent;
    out->n_unsent = m->sent.n_unsent;
}

void mqtt_close(struct mqtt *m)
{
    struct mqtt_post offline = {m->status_topic, m->will, (int)strlen(m->will),
                                .retained = true};
    mqtt_client_close(m->client, m->read_only ? NULL : &offline);
    free_parts(m);
}
