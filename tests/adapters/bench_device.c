/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/adapters/bench_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void open_device(struct bench *b, const struct bench_cfg *cfg)
{
    double rating_w = cfg->rating_w > 0.0 ? cfg->rating_w : 2e6;
    struct device_cfg c = {
        .role = cfg->role,
        .at = {.present = true, .port = b->h.port, .unit = 1},
        .map_dir = "adapters/maps",
        .read_only = cfg->read_only,
        .response_s = cfg->response_s > 0.0 ? cfg->response_s : 0.5,
        .charge_max_w = rating_w,
        .discharge_max_w = rating_w,
    };
    snprintf(c.at.host, sizeof(c.at.host), "127.0.0.1");
    snprintf(c.at.map, sizeof(c.at.map), "%s", cfg->map);
    char why[256] = "";
    if (modbus_device.open(&c, &b->device, why, sizeof(why)) != ERR_NONE) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
}

void bench_start(struct bench *b, const struct bench_cfg *cfg)
{
    memset(b, 0, sizeof(*b));
    b->mono_ms = 1000000;
    hostile_start(&b->h);
    open_device(b, cfg);
}

void bench_stop(struct bench *b)
{
    modbus_device.close(b->device);
    hostile_stop(&b->h);
}

void bench_reopen(struct bench *b, const struct bench_cfg *cfg)
{
    modbus_device.close(b->device);
    memset(&b->values, 0, sizeof(b->values));
    memset(&b->link, 0, sizeof(b->link));
    open_device(b, cfg);
}

enum err bench_pass(struct bench *b)
{
    b->mono_ms += 100;
    return modbus_device.pass(b->device, b->mono_ms, &b->lease, &b->values,
                              &b->link);
}

void bench_passes(struct bench *b, int n)
{
    for (int i = 0; i < n; i++) {
        (void)bench_pass(b);
    }
}

void bench_command(struct bench *b, double set_w, double fallback_w)
{
    b->lease.command = (struct battery_command){
        .set_w = set_w, .fallback_w = fallback_w, .expiry_s = 10.0, .valid = 1};
    b->lease.seq++;
}
