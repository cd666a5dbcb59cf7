/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/floors.h"

#include <math.h>
#include <string.h>

#include "models/clamp.h"

static const double STEP_PU = 0.01; /* of power_max, between two floors */
/* A floor above what is needed by so many steps comes down while it costs
 * nothing: a command for every breath of the load would be news to the pod ten
 * times a second. */
static const double IDLE_STEPS = 3.0;
static const double AT_FLOOR_PU = 0.02; /* draws so little more: it burns */
static const double BURNS_PU = 1e-3;    /* of its floor, as it says itself */
static const double UNDER_CAP_PU = 0.98;
static const double IDLE_PU = 0.5; /* of what it drew: it has no jobs */
/* A pod that does not say what it burns: a dip of its job is over by then. */
static const double SURE_S = 30.0;
static const double DOWN_MIN_S = 5.0;
static const double DOWN_MAX_S = 3600.0;
static const double GOLDEN = 0.6180339887498949;

void floors_init(struct floors_cfg *cfg, const struct site *site)
{
    memset(cfg, 0, sizeof(*cfg));
    cfg->n = site->n_pods;
    cfg->load_per_pod = site->other.present ? site->other.pue_pu : 1.0;
    cfg->ramp_max_w_per_s = site->grid.ramp_max_w_per_s;
    cfg->least_pu = 1.0;
    for (int i = 0; i < site->n_pods; i++) {
        const struct site_pod *p = &site->pods[i];
        cfg->max_w[i] = p->floor_max_w;
        cfg->step_w[i] = STEP_PU * p->power_max_w;
        if (p->floor_max_w > 0.0) {
            cfg->n_able++;
            cfg->able_w += p->power_max_w;
            cfg->least_pu =
                fmin(cfg->least_pu, p->floor_max_w / p->power_max_w);
        } else {
            cfg->rest_w += p->power_max_w;
        }
    }
}

void floors_reset(struct floors_state *s)
{
    memset(s, 0, sizeof(*s));
}

void floors_found(const struct floors_cfg *cfg, struct floors_state *s,
                  int64_t i, double floor_w)
{
    double w = isfinite(floor_w) ? clamp(floor_w, 0.0, cfg->max_w[i]) : 0.0;
    s->floor_w[i] = w;
    s->draw_w[i] = w;
    s->burns_s[i] = 0.0;
}

/* Whether its jobs need less than its floor. */
static bool burns(const struct floors_state *s, int64_t i,
                  const struct floors_seen *seen)
{
    double floor_w = s->floor_w[i];
    if (!(floor_w > 0.0) || !isfinite(seen->power_w)) {
        return false;
    }
    if (isfinite(seen->burn_w)) {
        return seen->burn_w > BURNS_PU * floor_w;
    }
    /* one that is held by its cap works as much as it may */
    bool held =
        isfinite(seen->cap_w) && seen->power_w > UNDER_CAP_PU * seen->cap_w;
    return !held && seen->power_w <= (1.0 + AT_FLOOR_PU) * floor_w;
}

static double burnt_w(const struct floors_state *s, int64_t i,
                      const struct floors_seen *seen)
{
    if (isfinite(seen->burn_w)) {
        return fmin(seen->burn_w, seen->power_w);
    }
    return s->burns_s[i] > SURE_S ? seen->power_w : 0.0;
}

static bool any_burns(const struct floors_cfg *cfg,
                      const struct floors_state *s,
                      const struct floors_seen *seen)
{
    bool any = false;
    for (int64_t i = 0; i < cfg->n && !any; i++) {
        any = burns(s, i, &seen[i]);
    }
    return any;
}

/* Its floor is below what it draws without jobs: it stays among those that
 * stopped until they all are through, or it works again. */
static bool is_idle(const struct floors_state *s, int64_t i,
                    const struct floors_seen *seen)
{
    return s->burns_s[i] > 0.0 && !(seen->power_w > IDLE_PU * s->draw_w[i]);
}

void floors_see(const struct floors_cfg *cfg, struct floors_state *s,
                const struct floors_seen *seen, double dt_s)
{
    s->burn_w = 0.0;
    s->unburnt_w = 0.0;
    if (cfg->n_able == 0) {
        return;
    }
    bool under_way = any_burns(cfg, s, seen);
    for (int64_t i = 0; i < cfg->n; i++) {
        double power_w = seen[i].power_w;
        bool now = under_way && burns(s, i, &seen[i]);
        if (now || (under_way && is_idle(s, i, &seen[i]))) {
            double is_w = isfinite(power_w) ? power_w : 0.0;
            s->burns_s[i] += dt_s;
            s->draw_w[i] = fmax(s->draw_w[i], is_w);
            s->burn_w += now ? burnt_w(s, i, &seen[i]) : 0.0;
            s->unburnt_w += s->draw_w[i] - is_w;
        } else {
            s->burns_s[i] = 0.0;
            s->draw_w[i] = isfinite(power_w) ? power_w : s->draw_w[i];
        }
    }
}

/* The pods' draw before any burning, apart by whether they can be held. */
struct drawn {
    double able_w;
    double rest_w;
    double burning_w; /* of the able: these have stopped already */
};

static struct drawn sum_drawn(const struct floors_cfg *cfg,
                              const struct floors_state *s)
{
    struct drawn d = {0};
    for (int64_t i = 0; i < cfg->n; i++) {
        bool able = cfg->max_w[i] > 0.0;
        d.able_w += able ? s->draw_w[i] : 0.0;
        d.rest_w += able ? 0.0 : s->draw_w[i];
        d.burning_w += s->burns_s[i] > 0.0 ? s->draw_w[i] : 0.0;
    }
    return d;
}

/* The part of each draw that must stay when of a stop of 'stop_w' no more than
 * 'may_w' may pass. */
static double part_of(const struct drawn *d, double stop_w, double may_w)
{
    double alone_w = fmin(stop_w, d->able_w);
    double part = alone_w > 0.0 ? 1.0 - may_w / alone_w : 0.0;
    double first_w = fmin(stop_w, d->rest_w);
    double after_w = fmin(stop_w - first_w, d->able_w);
    if (after_w > 0.0 && may_w > first_w) {
        part = fmax(part, 1.0 - (may_w - first_w) / after_w);
    }
    return clamp(part, 0.0, 1.0);
}

/* Up to a whole step.  The steps of the pods lie apart, so that they do not all
 * come down in one tick. */
static double in_steps_w(const struct floors_cfg *cfg, int64_t i, double w)
{
    double apart = (double)i * GOLDEN;
    apart -= floor(apart);
    double n = ceil(w / cfg->step_w[i] + apart) - apart;
    return w > 0.0 ? n * cfg->step_w[i] : 0.0;
}

static double next_w(const struct floors_cfg *cfg, const struct floors_state *s,
                     int64_t i, double want_w)
{
    double is_w = s->floor_w[i];
    double w = in_steps_w(cfg, i, want_w);
    bool idle = !(s->burns_s[i] > 0.0);
    bool stays = w < is_w && idle && want_w > 0.0 &&
                 w > is_w - IDLE_STEPS * cfg->step_w[i];
    return stays ? is_w : w;
}

void floors_step(const struct floors_cfg *cfg, struct floors_state *s,
                 const struct floors_in *in, const struct floors_seen *seen)
{
    s->sum_w = 0.0;
    if (cfg->n_able == 0) {
        return;
    }
    struct drawn d = sum_drawn(cfg, s);
    double k = cfg->load_per_pod;
    double stop_w = fmax(in->stop_w / k, d.burning_w);
    double may_w = (in->load_w - in->keep_w) / k + s->unburnt_w;
    double burns_pu = part_of(&d, stop_w, may_w);
    double works_pu =
        fmax(burns_pu, part_of(&d, stop_w, fmin(may_w, in->leaks_w / k)));
    for (int64_t i = 0; i < cfg->n; i++) {
        double part = s->burns_s[i] > 0.0 ? burns_pu : works_pu;
        double w = next_w(cfg, s, i, part * s->draw_w[i]);
        double most_w =
            isfinite(seen[i].cap_w) ? fmax(seen[i].cap_w, 0.0) : INFINITY;
        s->floor_w[i] = fmin(w, fmin(cfg->max_w[i], most_w));
        s->sum_w += s->floor_w[i];
    }
}

double floors_left_w(const struct floors_cfg *cfg, double stop_w)
{
    double stop = stop_w / cfg->load_per_pod;
    double first_w = fmin(stop, cfg->rest_w);
    double after_w = fmin(stop - first_w, cfg->able_w);
    return stop_w - cfg->least_pu * after_w * cfg->load_per_pod;
}

double floors_down_s(const struct floors_cfg *cfg, const struct floors_state *s)
{
    double w = s->sum_w * cfg->load_per_pod;
    return clamp(w / cfg->ramp_max_w_per_s, DOWN_MIN_S, DOWN_MAX_S);
}

static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

bool floors_valid(const struct floors_cfg *cfg, const struct floors_state *s)
{
    static const double POWER_W = 1e13;
    static const double LONG_S = 1e12;
    bool ok = within(s->sum_w, 0.0, POWER_W) &&
              within(s->burn_w, 0.0, POWER_W) &&
              within(s->unburnt_w, 0.0, POWER_W);
    for (int64_t i = 0; ok && i < cfg->n; i++) {
        ok = within(s->floor_w[i], 0.0, cfg->max_w[i]) &&
             within(s->draw_w[i], 0.0, POWER_W) &&
             within(s->burns_s[i], 0.0, LONG_S);
    }
    return ok;
}
