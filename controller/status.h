/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * status - what a running controller says of itself, as JSON; and who asks.
 *
 * The supervisor makes the text, the server hands out the newest on a Unix
 * socket: a client sends a line "status" and gets one JSON object and the end
 * of the stream, or "fleet ..." for single cars (controller/status_fleet.h).
 * Unknown requests get {"v":1,"error":...}.
 */
#ifndef CONTROLLER_STATUS_H
#define CONTROLLER_STATUS_H

#include <stddef.h>

#include "controller/watch.h"

/* The full status; free() it.  NULL without memory.  Numbers that are not
 * known are null. */
char *status_json(const struct watched *w);

/* The short one for MQTT, at most 'size' bytes with the NUL; returns 'out'. */
const char *status_short_json(const struct watched *w, char *out, size_t size);

/* The full status in words on stdout; ERR_SYNTAX where 'json' is not one. */
CHECKED enum err status_print(const char *json);

struct status_server; /* a socket and a thread, opaque */

/*
 * Listen on 'path', mode 0600; what lies there from a killed run is removed.
 * ERR_RANGE (path too long for a socket), ERR_IO; 'why' says which.
 */
CHECKED enum err status_server_open(const char *path,
                                    struct status_server **out, char *why,
                                    size_t why_size);

/* How to answer other requests than "status", in the server's thread: free()d
 * JSON, NULL where it is not a request.  'user' outlives the server. */
typedef char *status_answer_fn(void *user, const char *request);
void status_server_answer(struct status_server *s, status_answer_fn *fn,
                          void *user);

/* From now on clients get 'json', which it takes over and free()s. */
void status_server_set(struct status_server *s, char *json);
void status_server_close(struct status_server *s);

/* Ask the controller behind 'path'; free() the answer.  ERR_IO (nobody
 * listens), ERR_TIMEOUT, ERR_MEMORY, ERR_RANGE (path or answer too long). */
CHECKED enum err status_ask(const char *path, double timeout_s, char **json);

/* Another request than "status"; one line without its end, of less than
 * STATUS_REQUEST_MAX bytes. */
enum { STATUS_REQUEST_MAX = 224 };
CHECKED enum err status_request(const char *path, const char *request,
                                double timeout_s, char **json);

/* Say that the controller behind 'path' did not answer; an exit code. */
int status_nobody(const char *path, enum err e);

/* The socket of the controller that keeps its history in 'database': that
 * path with ".sock"; returns 'out'. */
const char *status_path(const char *database, char *out, size_t size);

/* The same from a command's SITE|DATABASE; false after messages on stderr. */
bool status_where(const char *given, char *out, size_t size);

/* `ballast status SITE|DATABASE [--fleet NAME] [--json]` */
int status_main(int argc, char **argv);

#endif
