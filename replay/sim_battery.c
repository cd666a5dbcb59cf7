/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_battery.h"

#include <math.h>
#include <string.h>

/* Offsets in model 704. */
enum {
    WSET_ENA = 22,
    WSET_MOD = 23,
    WSET = 24,
    WSET_RVRT = 26,
    WSET_PCT = 28,
    WSET_PCT_RVRT = 29,
    WSET_ENA_RVRT = 30,
    WSET_RVRT_TMS = 31,
    WSET_RVRT_REM = 33,
    WRMP = 49,
};

enum { MODE_PERCENT = 0, MODE_WATTS = 1 };
enum { OP_STOP = 0, OP_START = 1, OP_ENTER_STANDBY = 2, OP_EXIT_STANDBY = 3 };

static const int PCT_SF = -1; /* of WSetPct */
static const int SOC_SF = -2;

/* How a written value is judged. */
enum check { ANY, UP_TO, WATTS, PERCENT };

/* The points that may be written, in the order of their addresses. */
static const struct writable {
    int model;
    int off;
    int n; /* registers */
    enum check check;
    uint32_t max; /* of UP_TO */
} writables[] = {
    {715, 5, 2, ANY, 0},   /* ControllerHb */
    {715, 7, 1, UP_TO, 1}, /* AlarmReset */
    {715, 8, 1, UP_TO, 3}, /* OpCtl */
    {704, WSET_ENA, 1, UP_TO, 1},
    {704, WSET_MOD, 1, UP_TO, 1},
    {704, WSET, 2, WATTS, 0},
    {704, WSET_RVRT, 2, WATTS, 0},
    {704, WSET_PCT, 1, PERCENT, 0},
    {704, WSET_PCT_RVRT, 1, PERCENT, 0},
    {704, WSET_ENA_RVRT, 1, UP_TO, 1},
    {704, WSET_RVRT_TMS, 2, ANY, 0},
    {704, WRMP, 1, UP_TO, 1000},
    {704, WRMP + 1, 1, UP_TO, 1}, /* WRmpRef */
    {802, 19, 1, ANY, 0},         /* CtrlHb */
    {802, 20, 1, UP_TO, 1},       /* AlmRst */
};

enum { N_WRITABLES = sizeof(writables) / sizeof(writables[0]) };

/* Two's complement, spelled out: the cast alone is implementation-defined. */
static double as_signed(uint32_t value, int n_regs)
{
    double range = n_regs == 2 ? 4294967296.0 : 65536.0;
    return value >= range / 2.0 ? (double)value - range : (double)value;
}

static void init_ratings(struct sim_battery *b)
{
    struct sim_image *m = &b->image;
    double max_w = fmax(b->charge_max_w, b->discharge_max_w);
    int sf = sim_scale_for(max_w, 65000.0, 0);
    sim_put_scaled(m, 702, 2, sf, max_w);
    sim_put_scaled(m, 702, 7, sf, max_w);
    sim_put_scaled(m, 702, 10, sf, b->charge_max_w);
    sim_put_scaled(m, 702, 11, sf, b->discharge_max_w);
    sim_put_u16(m, 702, 14, 480);
    sim_put_u32(m, 702, 23, 1u << 1); /* FIXED_W */
    sim_put_scaled(m, 702, 26, sf, max_w);
    sim_put_u16(m, 702, 45, (unsigned)sf);
    sim_put_u16(m, 702, 47, (unsigned)sf);
    sim_put_u16(m, 702, 49, 0);

    int wh_sf = sim_scale_for(b->energy_wh, 65000.0, 0);
    sim_put_scaled(m, 713, 2, wh_sf, b->energy_wh);
    sim_put_u16(m, 713, 6, 0);
    sim_put_u16(m, 713, 7, (unsigned)wh_sf);
    sim_put_u16(m, 713, 8, (unsigned)SOC_SF);
}

static void init_measurements(struct sim_battery *b)
{
    struct sim_image *m = &b->image;
    double max_w = fmax(b->charge_max_w, b->discharge_max_w);
    int sf = sim_scale_for(1.1 * max_w, 32767.0, 0);
    sim_put_u16(m, 701, 2, 2); /* three phases */
    sim_put_u32(m, 701, 6, 0);
    sim_put_u32(m, 701, 8, 1u << 0); /* following */
    sim_put_u16(m, 701, 15, 480);
    sim_put_u16(m, 701, 16, 277);
    sim_put_u32(m, 701, 17, 60000);
    sim_put_u16(m, 701, 114, 0);
    sim_put_u16(m, 701, 115, (unsigned)-3);
    sim_put_u16(m, 701, 116, (unsigned)sf);
    sim_put_u16(m, 701, 120, 0);
    sim_put_u16(m, 701, 122, (unsigned)-1);
}

static void init_control(struct sim_battery *b)
{
    struct sim_image *m = &b->image;
    sim_put_u16(m, 704, WSET_ENA, 0);
    sim_put_u16(m, 704, WSET_MOD, MODE_WATTS);
    sim_put_u32(m, 704, WSET, 0);
    sim_put_u32(m, 704, WSET_RVRT, 0);
    sim_put_u16(m, 704, WSET_PCT, 0);
    sim_put_u16(m, 704, WSET_PCT_RVRT, 0);
    sim_put_u16(m, 704, WSET_ENA_RVRT, 0);
    sim_put_u32(m, 704, WSET_RVRT_TMS, 0);
    sim_put_u32(m, 704, WSET_RVRT_REM, 0);
    sim_put_u16(m, 704, WRMP, 0); /* as fast as it goes */
    sim_put_u16(m, 704, WRMP + 1, 1);
    sim_put_u16(m, 704, 55, 0);
    sim_put_u16(m, 704, 56, (unsigned)PCT_SF);
    sim_put_u16(m, 715, 2, 0);
    sim_put_u32(m, 715, 3, 0);
    sim_put_u32(m, 715, 5, 0);
    sim_put_u16(m, 715, 7, 0);
    sim_put_u16(m, 715, 8, OP_START);
}

static void init_pack(struct sim_battery *b, const struct site_battery *site)
{
    struct sim_image *m = &b->image;
    double max_w = fmax(b->charge_max_w, b->discharge_max_w);
    int wh_sf = sim_scale_for(b->energy_wh, 65000.0, 0);
    int max_sf = sim_scale_for(max_w, 65000.0, 0);
    int sf = sim_scale_for(1.1 * max_w, 32767.0, 0);
    sim_put_scaled(m, 802, 3, wh_sf, b->energy_wh);
    sim_put_scaled(m, 802, 7, SOC_SF, site->soc_max_pu * 100.0);
    sim_put_scaled(m, 802, 8, SOC_SF, site->soc_min_pu * 100.0);
    sim_put_u16(m, 802, 17, 0);
    sim_put_u16(m, 802, 18, 0);
    sim_put_u16(m, 802, 19, 0);
    sim_put_u16(m, 802, 20, 0);
    sim_put_u16(m, 802, 21, 4); /* lithium-ion */
    sim_put_u32(m, 802, 26, 0);
    sim_put_u16(m, 802, 53, (unsigned)wh_sf);
    sim_put_u16(m, 802, 54, (unsigned)max_sf);
    sim_put_u16(m, 802, 56, (unsigned)SOC_SF);
    sim_put_u16(m, 802, 58, (unsigned)SOC_SF);
    sim_put_u16(m, 802, 63, (unsigned)sf);
}

void sim_battery_init(struct sim_battery *b, const struct site_battery *site,
                      double now_s)
{
    static const int models[] = {1, 701, 702, 713, 715, 704, 802};
    *b = (struct sim_battery){
        .charge_max_w = site->charge_max_w,
        .discharge_max_w = site->discharge_max_w,
        .energy_wh = site->energy_wh,
        .deadline_s = INFINITY,
        .started_s = now_s,
        .ticked_s = now_s,
    };
    sim_image_init(&b->image);
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        sim_image_add(&b->image, models[i]);
    }
    sim_image_end(&b->image);
    sim_image_identify(&b->image, &(struct sim_identity){
                                      .maker = "Ballast",
                                      .model = "Simulated battery",
                                      .version = "1",
                                      .serial = site->name,
                                  });
    init_ratings(b);
    init_measurements(b);
    init_control(b);
    init_pack(b, site);
}

static uint32_t joined(const uint16_t *values, int n)
{
    return n == 2 ? (uint32_t)values[0] << 16 | values[1] : values[0];
}

static bool value_ok(const struct sim_battery *b, const struct writable *w,
                     uint32_t value)
{
    double x = as_signed(value, w->n);
    switch (w->check) {
    case ANY:
        return true;
    case UP_TO:
        return value <= w->max;
    case WATTS: /* on the wire discharge is positive */
        return x <= b->discharge_max_w && x >= -b->charge_max_w;
    case PERCENT:
        return fabs(x * pow(10.0, PCT_SF)) <= 100.0;
    }
    return false;
}

/* The writable point that begins at index 'at' of the image. */
static const struct writable *writable_at(const struct sim_battery *b, int at)
{
    for (int i = 0; i < N_WRITABLES; i++) {
        const struct writable *w = &writables[i];
        if (sim_image_at(&b->image, w->model, w->off) == at) {
            return w;
        }
    }
    return NULL;
}

/* Exception code for a write of whole points from index 'at'. */
static int check_write(const struct sim_battery *b, int at, int n,
                       const uint16_t *values)
{
    int code = SIM_OK;
    for (int i = 0; i < n;) {
        const struct writable *w = writable_at(b, at + i);
        if (w == NULL || i + w->n > n) {
            return SIM_ILLEGAL_ADDRESS;
        }
        if (!value_ok(b, w, joined(values + i, w->n))) {
            code = SIM_ILLEGAL_VALUE;
        }
        i += w->n;
    }
    return code;
}

/* The timer starts anew with every command that leaves it enabled. */
static void commanded(struct sim_battery *b, double now_s)
{
    bool enabled = sim_get_u16(&b->image, 704, WSET_ENA) == 1;
    uint32_t timer_s = sim_get_u32(&b->image, 704, WSET_RVRT_TMS);
    bool timed = enabled && timer_s != 0 && timer_s != UINT32_MAX;
    b->deadline_s = timed ? now_s + (double)timer_s : INFINITY;
    b->by_itself = false;
}

int sim_battery_write(struct sim_battery *b, int addr, int n,
                      const uint16_t *values, double now_s)
{
    int at = addr - SIM_BASE;
    if (n < 1 || at < 0 || at + n > b->image.n) {
        return SIM_ILLEGAL_ADDRESS;
    }
    int code = check_write(b, at, n, values);
    if (code != SIM_OK) {
        return code;
    }
    memcpy(b->image.regs + at, values, (size_t)n * sizeof(*values));
    int from = sim_image_at(&b->image, 704, WSET_ENA);
    int to = sim_image_at(&b->image, 704, WSET_RVRT_REM);
    if (at < to && at + n > from) {
        commanded(b, now_s);
    }
    sim_put_u16(&b->image, 715, 7, 0); /* resets are done at once */
    sim_put_u16(&b->image, 802, 20, 0);
    return SIM_OK;
}

static void revert(struct sim_battery *b)
{
    struct sim_image *m = &b->image;
    sim_put_u16(m, 704, WSET_ENA, sim_get_u16(m, 704, WSET_ENA_RVRT));
    sim_put_u32(m, 704, WSET, sim_get_u32(m, 704, WSET_RVRT));
    sim_put_u16(m, 704, WSET_PCT, sim_get_u16(m, 704, WSET_PCT_RVRT));
    b->deadline_s = INFINITY;
    b->by_itself = true;
    b->n_reversions++;
}

/* What the registers ask for, + charge. */
static double target_w(const struct sim_battery *b)
{
    const struct sim_image *m = &b->image;
    unsigned op = sim_get_u16(m, 715, 8);
    if (b->local || op == OP_STOP || op == OP_ENTER_STANDBY ||
        sim_get_u16(m, 704, WSET_ENA) == 0) {
        return 0.0;
    }
    double wire_w = as_signed(sim_get_u32(m, 704, WSET), 2);
    if (sim_get_u16(m, 704, WSET_MOD) == MODE_PERCENT) {
        double pu = as_signed(sim_get_u16(m, 704, WSET_PCT), 1) *
                    pow(10.0, PCT_SF) / 100.0;
        wire_w = pu * fmax(b->charge_max_w, b->discharge_max_w);
    }
    return fmax(-b->discharge_max_w, fmin(-wire_w, b->charge_max_w));
}

/* The way toward the target that WRmp leaves in 'dt_s'. */
static double ramped(const struct sim_battery *b, double to_w, double dt_s)
{
    unsigned percent = sim_get_u16(&b->image, 704, WRMP);
    double max_w = fmax(b->charge_max_w, b->discharge_max_w);
    double step_w = percent / 100.0 * max_w * dt_s;
    bool own = b->by_itself || b->local;
    bool more_generation = to_w < b->set_w && to_w < 0.0;
    if (percent == 0 || (!own && !more_generation)) {
        return to_w;
    }
    return b->set_w + fmax(-step_w, fmin(to_w - b->set_w, step_w));
}

double sim_battery_tick(struct sim_battery *b, double now_s)
{
    struct sim_image *m = &b->image;
    double dt_s = fmax(0.0, now_s - b->ticked_s);
    b->ticked_s = now_s;
    if (now_s >= b->deadline_s) {
        revert(b);
    }
    double left_s = isfinite(b->deadline_s) ? b->deadline_s - now_s : 0.0;
    sim_put_u32(m, 704, WSET_RVRT_REM, (uint32_t)ceil(left_s));
    uint32_t beats = (uint32_t)fmod(now_s - b->started_s, 4294967296.0);
    sim_put_u32(m, 715, 3, beats);
    sim_put_u16(m, 802, 18, beats & 0xFFFFu);
    sim_put_u16(m, 715, 2, b->local ? 1 : 0);
    sim_put_u16(m, 802, 17, b->local ? 1 : 0);
    b->set_w = ramped(b, target_w(b), dt_s);
    return b->set_w;
}

/* Rounded toward nothing: a limit is never overstated. */
static void show_limit(struct sim_image *m, int model, int off, double max_w)
{
    int sf = (int16_t)sim_get_u16(m, model, model == 702 ? 45 : 54);
    double unit_w = pow(10.0, sf);
    sim_put_scaled(m, model, off, sf, floor(max_w / unit_w + 1e-9) * unit_w);
}

static void show_state(struct sim_battery *b, double power_w)
{
    struct sim_image *m = &b->image;
    unsigned op = sim_get_u16(m, 715, 8);
    bool idle = op == OP_STOP || op == OP_ENTER_STANDBY;
    unsigned charging = power_w > 0.0 ? 4 : power_w < 0.0 ? 3 : 6;
    sim_put_u16(m, 701, 3, b->tripped ? 0 : 1);
    sim_put_u16(m, 701, 4, b->tripped ? 6 : idle ? 7 : 3);
    sim_put_u16(m, 701, 5, b->tripped ? 0 : 1);
    sim_put_u32(m, 701, 6, b->tripped ? 1u << 2 : 0); /* AC_DISCONNECT */
    sim_put_u16(m, 713, 6, b->tripped ? 2 : 0);
    sim_put_u16(m, 802, 16, b->tripped ? 1 : charging);
    sim_put_u16(m, 802, 22, b->tripped ? 99 : idle ? 4 : 3);
    sim_put_u32(m, 802, 26, b->tripped ? 1u << 20 : 0); /* contactor */
}

void sim_battery_show(struct sim_battery *b, const struct battery_in *seen,
                      double dt_s)
{
    struct sim_image *m = &b->image;
    double power_w = seen->power_w.value;
    int sf = (int16_t)sim_get_u16(m, 701, 116);
    sim_put_signed(m, 701, 10, sf, -power_w);
    sim_put_signed(m, 802, 47, sf, -power_w);
    double wh = power_w * dt_s / 3600.0;
    b->injected_wh += fmax(-wh, 0.0);
    b->absorbed_wh += fmax(wh, 0.0);
    sim_put_u64(m, 701, 19, (uint64_t)b->injected_wh);
    sim_put_u64(m, 701, 23, (uint64_t)b->absorbed_wh);
    sim_put_signed(m, 701, 36, -1, seen->temperature_c.value);

    double soc_pu = seen->soc_pu.value;
    int wh_sf = (int16_t)sim_get_u16(m, 713, 7);
    double stored_wh = b->energy_wh * soc_pu * seen->soh_pu.value;
    sim_put_scaled(m, 713, 3, wh_sf, stored_wh);
    sim_put_scaled(m, 713, 4, SOC_SF, soc_pu * 100.0);
    sim_put_scaled(m, 713, 5, SOC_SF, seen->soh_pu.value * 100.0);
    sim_put_scaled(m, 802, 11, SOC_SF, soc_pu * 100.0);
    sim_put_scaled(m, 802, 13, SOC_SF, seen->soh_pu.value * 100.0);
    show_limit(m, 702, 34, seen->charge_max_w.value);
    show_limit(m, 702, 35, seen->discharge_max_w.value);
    show_limit(m, 802, 4, seen->charge_max_w.value);
    show_limit(m, 802, 5, seen->discharge_max_w.value);
    show_state(b, power_w);
}
