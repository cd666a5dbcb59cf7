/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/recording_format.h"

#include <string.h>

#include "models/command.h"
#include "models/plan.h"
#include "models/snapshot.h"

_Static_assert(sizeof(struct recording_prelude) == 24, "padding");
_Static_assert(sizeof(struct recording_fixed) ==
                   RECORDING_SIZES * 8 + BUILD_ID_MAX + RECORDING_PATH_MAX + 32,
               "padding");

void recording_sizes(uint64_t sizes[RECORDING_SIZES])
{
    const uint64_t all[RECORDING_SIZES] = {
        sizeof(struct snapshot),
        sizeof(struct meter_in),
        sizeof(struct battery_in),
        sizeof(struct pod_in),
        sizeof(struct node_in),
        sizeof(struct price_in),
        sizeof(struct utility_in),
        sizeof(struct job_in),
        sizeof(struct plan),
        sizeof(struct step_out),
        sizeof(struct battery_command),
        sizeof(struct pod_command),
        sizeof(struct node_command),
        sizeof(struct tick_record),
    };
    memcpy(sizes, all, sizeof(all));
}

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum ^= word;
    sum *= UINT64_C(0xd6e8feb86659fd93);
    return sum ^ sum >> 32;
}

uint64_t recording_sum(uint64_t sum, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t word = 0;
    size_t left = n;
    for (; left >= sizeof(word); left -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        sum = mix(sum, word);
        p += sizeof(word);
    }
    if (left > 0) {
        word = 0;
        memcpy(&word, p, left);
        sum = mix(sum, word);
    }
    return mix(sum, n);
}
