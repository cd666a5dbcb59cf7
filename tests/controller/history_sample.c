/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/controller/history_sample.h"

#include <assert.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fleet_fixture.h"

uint64_t sample_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

double sample_unit(uint64_t *seed)
{
    return (double)(sample_random(seed) >> 11) / 9007199254740992.0;
}

static size_t below(uint64_t *seed, int n)
{
    return (size_t)(sample_random(seed) % (uint64_t)n);
}

struct site *sample_site(void)
{
    struct site *s = calloc(1, sizeof(*s));
    assert(s != NULL);
    snprintf(s->name, sizeof(s->name), "sample");
    snprintf(s->time_zone, sizeof(s->time_zone), "UTC");
    snprintf(s->currency, sizeof(s->currency), "USD");
    s->n_batteries = 2;
    s->n_pods = 3;
    s->n_fleets = 1;
    s->n_nodes = 2;
    s->n_prices = 1;
    for (int i = 0; i < s->n_batteries; i++) {
        snprintf(s->batteries[i].name, SITE_NAME_MAX, "bess%d", i + 1);
        s->batteries[i].energy_wh = 20e6;
        s->batteries[i].charge_max_w = 10e6;
        s->batteries[i].discharge_max_w = 10e6;
        s->batteries[i].transformer_va = INFINITY;
        s->batteries[i].soc_min_pu = 0.1;
        s->batteries[i].soc_max_pu = 0.9;
    }
    for (int i = 0; i < s->n_pods; i++) {
        snprintf(s->pods[i].name, SITE_NAME_MAX, "pod%d", i + 1);
        s->pods[i].power_max_w = 10e6;
        s->pods[i].cap_min_w = 1e6;
    }
    s->grid.import_max_w = 40e6;
    s->grid.import_trip_w = 44e6;
    s->grid.ramp_max_w_per_s = 1e6 / 60.0;
    s->grid.ramp_average_s = 10.0;
    s->grid.swing_average_s = 2.0;
    s->grid.demand_interval_s = 900.0;
    s->fleets[0] = fleet_usual(800.0);
    snprintf(s->fleets[0].name, SITE_NAME_MAX, "lot1");
    s->fleets[0].nodes = s->n_nodes;
    snprintf(s->prices[0].market, SITE_NAME_MAX, "day_ahead");
    s->control.period_s = 0.1;
    s->history.keep_s = 30 * 86400.0;
    s->history.record_max_bytes = 1e9;
    return s;
}

void sample_open(struct sample_tick *t, const struct site *site)
{
    memset(t, 0, sizeof(*t));
    t->in = calloc(1, snapshot_size(site->n_nodes));
    t->out = calloc(1, step_out_size(site->n_nodes));
    assert(t->in != NULL && t->out != NULL);
    t->in->n_nodes = site->n_nodes;
    t->in->mono_ms = 1000;
    t->in->utc_ms = INT64_C(1790000000000);
    t->out->n_nodes = site->n_nodes;
}

void sample_close(struct sample_tick *t)
{
    free(t->in);
    free(t->out);
}

static void next_snapshot(struct snapshot *in, const struct site *site,
                          uint64_t *seed)
{
    in->tick++;
    in->mono_ms += 100;
    in->utc_ms += 100;
    in->dt_s = 0.1;
    in->meter.power_w = reading_good(sample_unit(seed) * 100e6, in->mono_ms);
    in->batteries[below(seed, site->n_batteries)].soc_pu =
        reading_good(sample_unit(seed), in->mono_ms);
    in->pods[below(seed, site->n_pods)].power_w =
        reading_good(sample_unit(seed) * 1e6, in->mono_ms);
    in->nodes[below(seed, site->n_nodes)].charge_w = sample_unit(seed) * 11e3;
    if (sample_random(seed) % 8 == 0) {
        in->prices[0].n_slots = 1 + (int64_t)below(seed, 12);
        in->prices[0].per_kwh[below(seed, 12)] = sample_unit(seed);
        in->utility[below(seed, 3)].value = sample_unit(seed) * 50e6;
        struct job_in *job = &in->jobs[below(seed, 4)];
        job->seq = (int64_t)in->tick;
        job->pod = (int64_t)below(seed, site->n_pods);
    }
}

static void next_record(struct tick_record *r, const struct snapshot *in,
                        uint64_t *seed)
{
    r->tick = in->tick;
    r->utc_ms = in->utc_ms;
    r->grid_w = in->meter.power_w.value;
    r->battery_w = (sample_unit(seed) - 0.5) * 20e6;
    r->soc_pu = sample_unit(seed);
    r->n_why = 1;
    r->why[0] = (struct reason_line){
        .code = REASON_SMOOTH, .value = r->grid_w, .need = r->battery_w};
}

void sample_next(struct sample_tick *t, const struct site *site, uint64_t *seed)
{
    next_snapshot(t->in, site, seed);
    if (sample_random(seed) % 16 == 0) {
        t->plan.status = PLAN_RULE;
        t->plan.from_tick = t->in->tick;
        t->plan.n_slots = 8;
        for (int i = 0; i < 8; i++) {
            t->plan.battery_w[i] = sample_unit(seed) * 1e6;
        }
    }
    t->out->batteries[below(seed, site->n_batteries)].set_w =
        (sample_unit(seed) - 0.5) * 10e6;
    t->out->pods[below(seed, site->n_pods)].cap_w = sample_unit(seed) * 1e6;
    t->out->nodes[below(seed, site->n_nodes)].compute_w = sample_unit(seed);
    next_record(&t->out->record, t->in, seed);
}

void sample_folder(char out[64])
{
    snprintf(out, 64, "/tmp/ballast-test-XXXXXX");
    char *made = mkdtemp(out);
    assert(made != NULL);
    (void)made;
}

void sample_folder_remove(const char *folder)
{
    DIR *d = opendir(folder);
    assert(d != NULL);
    const struct dirent *e = NULL;
    while ((e = readdir(d)) != NULL) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.') {
            unlink(path);
        }
    }
    closedir(d);
    rmdir(folder);
}

unsigned char *sample_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    unsigned char *bytes = malloc((size_t)n + 1);
    assert(bytes != NULL);
    *size = fread(bytes, 1, (size_t)n, f);
    fclose(f);
    return bytes;
}

void sample_write(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert(f != NULL);
    size_t n = fwrite(bytes, 1, size, f);
    assert(n == size);
    (void)n;
    fclose(f);
}
