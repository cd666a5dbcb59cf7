/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_peer - a mosquitto of its own for a test, and mosquitto's clients to
 * speak and listen there.  Everything lives in a temporary folder and on a
 * free loopback port; failures end the test.
 */
#ifndef TESTS_PEERS_MQTT_PEER_H
#define TESTS_PEERS_MQTT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct peer;

enum peer_kind {
    PEER_PLAIN,
    PEER_TLS,   /* certificate of "localhost" by ca.crt; also other.crt */
    PEER_FILES, /* no broker, only the folder */
};

/* True where the program is in PATH or /usr/sbin. */
bool peer_has(const char *program);

/* NULL where certificates could not be made. */
struct peer *peer_start(enum peer_kind kind);
void peer_stop(struct peer *p);
int peer_port(const struct peer *p);
void peer_kill_broker(struct peer *p);
void peer_start_broker(struct peer *p);
void peer_reap(pid_t pid);

/* Path of a file in the folder; writing one with a mode. */
void peer_path(const struct peer *p, const char *name, char *out, size_t size);
void peer_write(const struct peer *p, const char *name, const char *text,
                unsigned mode);

/* mosquitto_pub, QoS 1. */
void peer_publish(struct peer *p, const char *topic, const char *payload,
                  bool retained);
void peer_publish_size(struct peer *p, const char *topic, size_t size);

/* mosquitto_sub in the background: begins anew, and returns when it hears. */
void peer_listen(struct peer *p, const char *filter);

/* A line "RETAIN TOPIC PAYLOAD" it heard that has both texts in it. */
bool peer_heard(struct peer *p, const char *topic, const char *payload,
                char *line, size_t size);

/* Waits up to 3 s for a retained payload with 'text' in it. */
bool peer_retained(struct peer *p, const char *topic, const char *text,
                   char *out, size_t size);

/* True where the broker holds any retained message for the filter. */
bool peer_retains(struct peer *p, const char *filter);

#endif
