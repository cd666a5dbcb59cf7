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
/* A floor that rises under a job which has just ended is an edge: until a pod
 * has said what it draws since, none does. */
static const double RAISE_S = 2.5;
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
    s->wait_s[i] = 0.0;
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

/* The pods' draw before any burning. */
struct drawn {
    double works_w; /* with a floor */
    double stops_w; /* likewise, their jobs have ended */
    double rest_w;  /* without a floor */
};

static struct drawn sum_drawn(const struct floors_cfg *cfg,
                              const struct floors_state *s)
{
    struct drawn d = {0};
    for (int64_t i = 0; i < cfg->n; i++) {
        double w = s->draw_w[i];
        bool able = cfg->max_w[i] > 0.0;
        bool stops = s->burns_s[i] > 0.0;
        d.rest_w += able ? 0.0 : w;
        d.works_w += able && !stops ? w : 0.0;
        d.stops_w += stops ? w : 0.0;
    }
    return d;
}

/* The part of each draw that must stay where 'stop_w' more may stop, and no
 * more than 'may_w' pass: 0 where all of it may. */
static double works_part(const struct drawn *d, double stop_w, double may_w)
{
    double able_w = d->works_w + d->stops_w;
    bool passes = d->stops_w > 0.0 ? !(stop_w > 0.0) : stop_w <= may_w;
    if (passes || !(able_w > 0.0)) {
        return 0.0;
    }
    double after_w = may_w - fmin(stop_w, d->rest_w);
    /* what others let pass is passed: then for the stop without them */
    return clamp(1.0 - (after_w > 0.0 ? after_w : may_w) / able_w, 0.0, 1.0);
}

/* The same of those that stopped, with the others at 'works_pu'. */
static double burns_part(const struct drawn *d, double stop_w, double may_w,
                         double works_pu)
{
    if (!(d->stops_w > 0.0)) {
        return 0.0;
    }
    double more_w = d->works_w * (1.0 - works_pu) + d->rest_w;
    double left_w = may_w - fmin(stop_w, more_w);
    return clamp(1.0 - left_w / d->stops_w, 0.0, 1.0);
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

static double next_w(const struct floors_cfg *cfg, struct floors_state *s,
                     int64_t i, double want_w, double dt_s)
{
    double is_w = s->floor_w[i];
    double w = in_steps_w(cfg, i, want_w);
    if (w > is_w) {
        s->wait_s[i] += dt_s;
        bool still = s->wait_s[i] < RAISE_S;
        s->wait_s[i] = still ? s->wait_s[i] : 0.0;
        return still ? is_w : w;
    }
    s->wait_s[i] = 0.0;
    bool idle = !(s->burns_s[i] > 0.0);
    bool stays = idle && want_w > 0.0 && w > is_w - IDLE_STEPS * cfg->step_w[i];
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
    double stop_w = fmax(in->stop_w / k - d.stops_w, 0.0);
    double may_w = (in->load_w - in->keep_w) / k + s->unburnt_w;
    double edge_w = d.stops_w > 0.0 ? INFINITY : in->leaks_w / k;
    double works_pu = works_part(&d, stop_w, fmin(may_w, edge_w));
    double burns_pu = burns_part(&d, stop_w, may_w, works_pu);
    for (int64_t i = 0; i < cfg->n; i++) {
        double part = s->burns_s[i] > 0.0 ? burns_pu : works_pu;
        double w = next_w(cfg, s, i, part * s->draw_w[i], in->dt_s);
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
    double held_w = (1.0 - cfg->least_pu) * cfg->able_w;
    return (first_w + fmin(stop - first_w, held_w)) * cfg->load_per_pod;
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
             within(s->burns_s[i], 0.0, LONG_S) &&
             within(s->wait_s[i], 0.0, LONG_S);
    }
    return ok;
}
