/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_pdu - what a simulated device answers to one Modbus request.
 *
 * Functions 3, 6 and 16.  Whatever a client sends is checked before use.
 * Pure.
 */
#ifndef REPLAY_SIM_PDU_H
#define REPLAY_SIM_PDU_H

#include <stdbool.h>
#include <stdint.h>

#include "models/site.h"
#include "replay/sim_image.h"

static inline unsigned sim_be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static inline void sim_put_be16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* One device behind a port; the owner keeps it alive and locked. */
struct sim_slave {
    struct site_modbus at;
    struct sim_image *image; /* read under the lock */
    bool *silent;            /* true: takes requests, answers none */
    /* A write of registers; returns a Modbus exception code, 0 where done.
     * NULL: nothing can be written.  Called under the lock. */
    int (*write)(void *user, int addr, int n, const uint16_t *values);
    void *user;
};

/*
 * One request as it came behind the MBAP header's length: unit id, function,
 * data, 'n' >= 2 bytes.  Writes the reply from the unit id on to 'out' (at
 * least 254 bytes) and returns its length; 0: no answer.
 */
int sim_pdu_answer(const struct sim_slave *slaves, int n_slaves,
                   const uint8_t *request, int n, uint8_t *out);

#endif
