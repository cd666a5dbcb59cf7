/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * modbus_link - one Modbus TCP connection through libmodbus, bounded in time.
 *
 * What libmodbus 3.1.6 leaves to its user (reference/protocols.md 7.1) is done
 * here: byte time-out 0, no error recovery, unit set, own connect with a
 * deadline, no descriptor of 1024 or more (FD_SET aborts), keepalive.  Every
 * error but an exception closes the connection: after it a late reply could
 * be taken for the next one.
 */
#ifndef ADAPTERS_MODBUS_LINK_H
#define ADAPTERS_MODBUS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <modbus/modbus.h>

#include "adapters/adapter.h"
#include "models/err.h"
#include "models/site.h"

struct modbus_link {
    modbus_t *ctx; /* owned */
    char host[SITE_TEXT_MAX];
    char ip[16]; /* numeric IPv4 */
    int port;
    int unit;
    double response_s;
    double until_s; /* monotonic end of the budget */
    bool up;
    int exception;                /* of the last ERR_REFUSED, 1..11 */
    char error[ADAPTER_TEXT_MAX]; /* of the last failure */
};

/*
 * Resolve the host (IPv4, once) and prepare; does not connect.
 * Errors: ERR_IO (no such host), ERR_RANGE (port or unit), ERR_MEMORY.
 */
CHECKED enum err modbus_link_open(struct modbus_link *l,
                                  const struct site_modbus *at,
                                  double response_s, char *why,
                                  size_t why_size);
void modbus_link_clear(struct modbus_link *l);

/* Connect within response_s; closes what was open before.
 * Errors: ERR_TIMEOUT, ERR_IO, ERR_FULL (too many descriptors). */
CHECKED enum err modbus_link_connect(struct modbus_link *l);
void modbus_link_close(struct modbus_link *l);

/* The next requests together take at most 'budget_s': one that might end
 * later is not begun. */
void modbus_link_budget(struct modbus_link *l, double budget_s);

/*
 * Read 'n' <= 125 registers with function 3 or 4; write 'n' <= 123 with 16, or
 * one with 6.
 * Errors: ERR_REFUSED (exception, l->exception; still connected), ERR_FULL
 * (budget spent, nothing sent, still connected); ERR_TIMEOUT, ERR_IO,
 * ERR_MISMATCH (malformed reply): connection closed.
 */
CHECKED enum err modbus_link_read(struct modbus_link *l, int fc, int addr,
                                  int n, uint16_t *regs);
CHECKED enum err modbus_link_write(struct modbus_link *l, int fc, int addr,
                                   int n, const uint16_t *regs);

/* Seconds of the monotonic clock. */
double modbus_link_now_s(void);

#endif
