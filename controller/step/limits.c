/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/limits.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "models/clamp.h"

/* The set-points that one limit leaves open. */
struct range {
    double lo_w;
    double hi_w;
};

typedef struct range gate_fn(const struct limits_cfg *cfg,
                             const struct limits_in *in);

/* What is left without the measurement a gate needs: from where the battery is
 * toward 0 W, and no further. */
static struct range closing(const struct limits_in *in)
{
    double last_w = isfinite(in->last_w) ? in->last_w : 0.0;
    return (struct range){fmin(last_w, 0.0), fmax(last_w, 0.0)};
}

static struct range gate_rating(const struct limits_cfg *cfg,
                                const struct limits_in *in)
{
    (void)in;
    return (struct range){-cfg->discharge_max_w, cfg->charge_max_w};
}

static struct range gate_soc(const struct limits_cfg *cfg,
                             const struct limits_in *in)
{
    if (!isfinite(in->soc_pu)) {
        return closing(in);
    }
    return (struct range){
        .lo_w = in->soc_pu <= cfg->soc_min_pu ? 0.0 : -INFINITY,
        .hi_w = in->soc_pu >= cfg->soc_max_pu ? 0.0 : INFINITY,
    };
}

/* grid = others + battery must stay within [-export_max, import_max].  With
 * others above import_max this asks for a discharge nobody wished for, which
 * is the point: the fuse does not care about the plan. */
static struct range gate_grid(const struct limits_cfg *cfg,
                              const struct limits_in *in)
{
    if (!isfinite(in->others_w)) {
        return closing(in);
    }
    return (struct range){
        .lo_w = -cfg->export_max_w - in->others_w,
        .hi_w = cfg->import_max_w - in->others_w,
    };
}

static bool blind(const struct limits_in *in)
{
    return !isfinite(in->soc_pu) || !isfinite(in->others_w);
}

static struct range gate_ramp(const struct limits_cfg *cfg,
                              const struct limits_in *in)
{
    if (!blind(in)) {
        return (struct range){-INFINITY, INFINITY};
    }
    double last_w = isfinite(in->last_w) ? in->last_w : 0.0;
    double step_w = cfg->ramp_max_w_per_s * in->dt_s;
    return (struct range){last_w - step_w, last_w + step_w};
}

static gate_fn *const gates[LIMIT_COUNT] = {
    [LIMIT_RATING] = gate_rating,
    [LIMIT_SOC] = gate_soc,
    [LIMIT_GRID] = gate_grid,
    [LIMIT_RAMP] = gate_ramp,
};

/* The part of 'inner' that 'outer' leaves.  Where they do not meet, that is
 * the point of 'outer' nearest to 'inner': 'outer' wins, never empty. */
static struct range narrow(struct range outer, struct range inner)
{
    return (struct range){
        .lo_w = clamp(inner.lo_w, outer.lo_w, outer.hi_w),
        .hi_w = clamp(inner.hi_w, outer.lo_w, outer.hi_w),
    };
}

struct limits_out limits_apply(const struct limits_cfg *cfg,
                               const struct limits_in *in)
{
    assert(limits_check(cfg) == ERR_NONE);
    assert(in->dt_s > 0.0);

    double want_w = isfinite(in->want_w) && !blind(in) ? in->want_w : 0.0;
    struct range open = {-INFINITY, INFINITY};
    struct limits_out out = {0};

    for (int i = 0; i < LIMIT_COUNT; i++) {
        struct range gate = gates[i](cfg, in);
        if (want_w < gate.lo_w || want_w > gate.hi_w) {
            out.bound |= 1u << i;
        }
        open = narrow(open, gate);
    }
    out.set_w = clamp(want_w, open.lo_w, open.hi_w);

    assert(out.set_w >= -cfg->discharge_max_w);
    assert(out.set_w <= cfg->charge_max_w);
    return out;
}

/* False for NAN too, which is why it is not written the other way round. */
static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi && isfinite(x);
}

enum err limits_check(const struct limits_cfg *cfg)
{
    bool ok = within(cfg->charge_max_w, 0.0, INFINITY) &&
              within(cfg->discharge_max_w, 0.0, INFINITY) &&
              within(cfg->import_max_w, 0.0, INFINITY) &&
              within(cfg->export_max_w, 0.0, INFINITY) &&
              within(cfg->soc_min_pu, 0.0, 1.0) &&
              within(cfg->soc_max_pu, 0.0, 1.0) &&
              cfg->soc_min_pu < cfg->soc_max_pu &&
              within(cfg->ramp_max_w_per_s, 0.0, INFINITY) &&
              cfg->ramp_max_w_per_s > 0.0;
    return ok ? ERR_NONE : ERR_RANGE;
}
