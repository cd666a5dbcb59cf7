/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/probe.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "adapters/adapter.h"
#include "controller/cli.h"
#include "models/units.h"

/* A device that speaks has said all within a few passes; connecting and
 * discovery may take one each. */
enum {
    PASSES_MAX = 8,
    PASSES_MORE = 2, /* for values that are read less often */
    PAUSE_MS = 250,
    LIMIT_MS = 6000, /* no pass begins later */
    AGE_MAX_S = 20,
};

static int64_t mono_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static double value(const struct reading *r)
{
    return reading_value(r, mono_now_ms(), AGE_MAX_S);
}

/* Whether the controller could work with what has come. */
static bool enough(enum device_role role, const struct device_values *v)
{
    if (role == DEVICE_METER) {
        return isfinite(value(&v->meter.power_w));
    }
    return isfinite(value(&v->battery.power_w)) &&
           isfinite(value(&v->battery.soc_pu));
}

static void print_power(const char *word, double power_w)
{
    char text[32];
    if (isfinite(power_w)) {
        printf(", %s %s", word, units_power_text(power_w, text, sizeof(text)));
    }
}

static void print_meter(const struct meter_in *m)
{
    print_power("power", value(&m->power_w));
    double hz = value(&m->frequency_hz);
    if (isfinite(hz)) {
        printf(", %.3f Hz", hz);
    }
    double pu = value(&m->voltage_pu);
    if (isfinite(pu)) {
        printf(", voltage %.1f %%", pu * 100.0);
    }
}

static void print_battery(const struct battery_in *b)
{
    print_power("power", value(&b->power_w));
    double soc_pu = value(&b->soc_pu);
    if (isfinite(soc_pu)) {
        printf(", state of charge %.1f %%", soc_pu * 100.0);
    }
    print_power("charge up to", value(&b->charge_max_w));
    print_power("discharge up to", value(&b->discharge_max_w));
    printf(", %s, %s", b->flags & BATTERY_REMOTE ? "remote" : "local control",
           b->flags & BATTERY_RUNNING ? "running" : "not running");
}

/* A few bounded passes; true where enough has come. */
static bool listen(struct device *device, enum device_role role,
                   struct device_values *v, struct link_state *link)
{
    const struct device_lease none = {.seq = 0};
    int64_t until_ms = mono_now_ms() + LIMIT_MS;
    enum err e = ERR_NONE;
    int n_enough = 0;
    for (int i = 0;
         i < PASSES_MAX && n_enough <= PASSES_MORE && mono_now_ms() < until_ms;
         i++) {
        e = modbus_device.pass(device, mono_now_ms(), &none, v, link);
        n_enough += enough(role, v) ? 1 : 0;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
    if (n_enough > 0) {
        return true;
    }
    if (link->last_error[0] == '\0') {
        snprintf(link->last_error, sizeof(link->last_error), "%s",
                 e != ERR_NONE ? err_text(e)
                               : "answers, but not with what is needed");
    }
    return false;
}

static bool probe_device(const char *name, const struct device_cfg *cfg)
{
    char why[ADAPTER_TEXT_MAX] = "";
    struct device *device = NULL;
    printf("  %-14s %s:%d unit %d, %s: ", name, cfg->at.host, cfg->at.port,
           cfg->at.unit, cfg->at.map);
    fflush(stdout);
    enum err e = modbus_device.open(cfg, &device, why, sizeof(why));
    if (e != ERR_NONE) {
        printf("FAILED: %s\n", why[0] != '\0' ? why : err_text(e));
        return false;
    }
    struct device_values v = {0};
    struct link_state link = {0};
    bool ok = listen(device, cfg->role, &v, &link);
    if (ok) {
        printf("answers");
        if (cfg->role == DEVICE_METER) {
            print_meter(&v.meter);
        } else {
            print_battery(&v.battery);
        }
        printf("\n");
    } else {
        printf("FAILED: %s\n", link.last_error);
    }
    modbus_device.close(device);
    return ok;
}

bool probe_site(const struct site *site)
{
    const char *map_dir = cli_data_dir("maps");
    int n = 0;
    bool ok = true;
    printf("devices, read only:\n");
    if (site->grid.meter.present) {
        const struct device_cfg cfg = {
            .role = DEVICE_METER,
            .at = site->grid.meter,
            .map_dir = map_dir,
            .read_only = true,
            .response_s = 1.0,
        };
        ok = probe_device("meter", &cfg) && ok;
        n++;
    }
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        const struct device_cfg cfg = {
            .role = DEVICE_BATTERY,
            .at = b->modbus,
            .map_dir = map_dir,
            .read_only = true,
            .response_s = 1.0,
            .charge_max_w = b->charge_max_w,
            .discharge_max_w = b->discharge_max_w,
        };
        if (b->modbus.present) {
            ok = probe_device(b->name, &cfg) && ok;
            n++;
        }
    }
    if (n == 0) {
        printf("  none has a modbus section\n");
    }
    return ok;
}
