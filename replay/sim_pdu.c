/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_pdu.h"

#include <assert.h>
#include <string.h>

#include "replay/sim_battery.h"

static int refuse(const uint8_t *request, int code, uint8_t *out)
{
    out[0] = request[0];
    out[1] = (uint8_t)(request[1] | 0x80);
    out[2] = (uint8_t)code;
    return 3;
}

static int read_registers(const struct sim_slave *s, const uint8_t *request,
                          int n, uint8_t *out)
{
    if (n != 6) {
        return refuse(request, SIM_ILLEGAL_VALUE, out);
    }
    int at = (int)sim_be16(request + 2) - SIM_BASE;
    int count = (int)sim_be16(request + 4);
    if (count < 1 || count > 125) {
        return refuse(request, SIM_ILLEGAL_VALUE, out);
    }
    if (at < 0 || at + count > s->image->n) {
        return refuse(request, SIM_ILLEGAL_ADDRESS, out);
    }
    out[0] = request[0];
    out[1] = request[1];
    out[2] = (uint8_t)(2 * count);
    for (int i = 0; i < count; i++) {
        sim_put_be16(out + 3 + 2 * i, s->image->regs[at + i]);
    }
    return 3 + 2 * count;
}

/* Functions 6 and 16; the reply to both is the first 6 bytes again. */
static int write_registers(const struct sim_slave *s, const uint8_t *request,
                           int n, uint8_t *out)
{
    uint16_t values[123];
    int count = 1;
    const uint8_t *data = request + 4;
    if (request[1] == 16 && n >= 7) {
        count = (int)sim_be16(request + 4);
        data = request + 7;
        if (count < 1 || count > 123 || request[6] != 2 * count) {
            return refuse(request, SIM_ILLEGAL_VALUE, out);
        }
    }
    if (n < 6 || data + 2 * count != request + n) {
        return refuse(request, SIM_ILLEGAL_VALUE, out);
    }
    for (int i = 0; i < count; i++) {
        values[i] = (uint16_t)sim_be16(data + 2 * i);
    }
    int code = s->write == NULL ? SIM_ILLEGAL_ADDRESS
                                : s->write(s->user, (int)sim_be16(request + 2),
                                           count, values);
    if (code != SIM_OK) {
        return refuse(request, code, out);
    }
    memcpy(out, request, 6);
    return 6;
}

int sim_pdu_answer(const struct sim_slave *slaves, int n_slaves,
                   const uint8_t *request, int n, uint8_t *out)
{
    assert(n >= 2);
    for (int i = 0; i < n_slaves; i++) {
        const struct sim_slave *s = &slaves[i];
        if (s->at.unit != request[0]) {
            continue;
        }
        if (*s->silent) {
            return 0;
        }
        switch (request[1]) {
        case 3:
            return read_registers(s, request, n, out);
        case 6:
        case 16:
            return write_registers(s, request, n, out);
        default:
            return refuse(request, SIM_ILLEGAL_FUNCTION, out);
        }
    }
    return refuse(request, SIM_NO_TARGET, out);
}
