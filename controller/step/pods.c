/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdbool.h>

#include "controller/step/step_parts.h"
#include "models/clamp.h"

static const double TTL_S = 30.0;
static const double RAMP_S = 0.0;
static const double HELD_PU = 1e-3;  /* of the pods: worth a word */
static const double RETURN_PU = 0.1; /* of what is held, free again */
static const double AGE_TIMES = 2.0; /* of the pods' values, to look past it */
enum { NAMED_MAX = 2 }; /* pods among the reasons: the alarms name all */

void pods_find(const struct step_cfg *cfg, struct step_state *state,
               const struct snapshot *in, const struct estimate *est)
{
    bool waited = in->mono_ms - state->first_mono_ms >= STEP_LISTEN_MS;
    bool all = true;
    for (int i = 0; i < cfg->site.n_pods && !state->resumed; i++) {
        bool heard = isfinite(est->pod_w[i]);
        if (!state->found[i] && heard && cfg->policy == POLICY_BALLAST) {
            double cap_w = reading_value(&in->pods[i].cap_w, in->mono_ms,
                                         cfg->pod_max_age_s);
            shed_found(&cfg->shed, &state->shed, i, cap_w);
            double floor_w = reading_value(&in->pods[i].floor_w, in->mono_ms,
                                           cfg->pod_max_age_s);
            floors_found(&cfg->floors, &state->floors, i, floor_w);
        }
        state->found[i] |= heard || waited;
        all = all && state->found[i];
    }
    if (all && !state->resumed) {
        state->resumed = 1;
        state->beside_w = est->load_w - est->pods_w;
        shed_resume(&cfg->shed, &state->shed, est->pod_w);
    }
}

/* What the pods draw now.  The meter knows of a change at once, the pods say
 * it a second later: until then the rest of the load did not change. */
static double drawn_w(struct step_state *state, const struct estimate *est,
                      double dt_s)
{
    double beside_w = est->load_w - est->pods_w;
    double gain =
        est->metered ? dt_s / (dt_s + AGE_TIMES * state->pods_age_s) : 1.0;
    state->beside_w += gain * (beside_w - state->beside_w);
    return est->load_w - state->beside_w;
}

/* Budgets of the work that can wait; false where there is none.  What must be
 * done now is not held back for what was forecast. */
static bool class_budgets(const struct step_cfg *cfg,
                          const struct step_state *state,
                          const struct snapshot *in, const struct pods_ask *ask,
                          double *class_w)
{
    const struct plan *plan = ask->plan;
    int slot = in->tick >= plan->from_tick ? plan_slot(plan, in->utc_ms) : -1;
    bool any = false;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        class_w[c] = INFINITY;
        if (cfg->waits[c]) {
            double planned_w = slot >= 0 ? plan->class_w[c][slot] : INFINITY;
            class_w[c] = queue_budget_w(cfg, state, c, planned_w, ask->later_w);
            any = any || isfinite(class_w[c]);
        }
    }
    return any;
}

static struct reason_line pod_line(const struct step_cfg *cfg,
                                   const struct step_state *state,
                                   const struct estimate *est, int i)
{
    const struct shed_pod *p = &state->shed.pods[i];
    struct reason_line line = {.code = p->why,
                               .asset = ASSET_POD,
                               .index = i,
                               .value = est->pod_w[i],
                               .limit = state->shed.cap_w[i]};
    if (p->why == REASON_POD_HOT) {
        line.value = p->worst_c;
        line.limit = p->worst_max_c;
        line.need = p->limit_w;
    } else if (p->why == REASON_POD_COOLING) {
        line.limit = cfg->shed.cap_min_w[i];
    } else if (p->why == REASON_POD_FEEDER) {
        line.value = p->limit_w;
        line.limit = cfg->shed.pods[i].feeder_max_w;
    }
    line.value = isfinite(line.value) ? line.value : 0.0;
    return line;
}

static void name_pods(const struct step_cfg *cfg,
                      const struct step_state *state,
                      const struct estimate *est, struct tick_record *record)
{
    int64_t left = state->shed.n_why;
    int named = 0;
    for (int i = 0; i < cfg->site.n_pods && left > 0 && named < NAMED_MAX;
         i++) {
        if (state->shed.pods[i].why != REASON_NONE) {
            struct reason_line line = pod_line(cfg, state, est, i);
            reason_add(record, &line);
            named++;
            left--;
        }
    }
}

static enum reason held_by(const struct step_state *state, double over_w)
{
    bool back = -over_w > RETURN_PU * state->held_w;
    return state->islanded ? REASON_ISLAND_LOAD
           : state->behind ? REASON_SHED_LIMIT
           : back          ? REASON_RETURN
                           : REASON_SHED;
}

static void explain_held(const struct step_state *state,
                         const struct shed_in *sin, double missing_w,
                         struct tick_record *record)
{
    double least_w = HELD_PU * sin->pods_w;
    double over_w = fmax(sin->over_w, -sin->room_w);
    if (state->held_w > least_w || over_w > least_w || missing_w > 0.0) {
        enum reason code = held_by(state, over_w);
        bool island = code == REASON_ISLAND_LOAD;
        double most_w = fmax(record->load_w + sin->room_w, 0.0);
        double down_w = record->grid_ref_w - record->grid_max_w;
        double by_w = code == REASON_SHED_LIMIT ? down_w : over_w;
        reason_add(record, &(struct reason_line){
                               .code = code,
                               .value = state->held_w,
                               .limit = island ? most_w : record->grid_ref_w,
                               .need = fmax(missing_w, fmax(by_w, 0.0)),
                           });
    }
    if (sin->class_w != NULL && state->waiting_w > least_w) {
        reason_add(record, &(struct reason_line){.code = REASON_DEFER,
                                                 .value = state->waiting_w});
    }
}

void pods_shed(const struct step_cfg *cfg, struct step_state *state,
               const struct step_scratch *scratch, const struct snapshot *in,
               const struct pods_ask *ask, struct tick_record *record)
{
    const struct estimate *est = &scratch->est;
    pods_look(cfg, state, in, est);
    double class_w[SITE_CLASSES_MAX];
    bool budgets = class_budgets(cfg, state, in, ask, class_w);
    bool bound = isfinite(ask->rise_max_w);
    double over_w = ask->discharge_w - est->discharge_max_w;
    struct shed_in sin = {
        .pods_w = drawn_w(state, est, in->dt_s),
        .over_w = over_w,
        .room_w = fmin(ask->load_max_w - est->load_w, ask->rise_max_w),
        .free_w = bound ? 0.0 : fmax(-over_w, 0.0),
        .dt_s = in->dt_s,
        .class_w = budgets ? class_w : NULL,
    };
    double missing_w = shed_step(&cfg->shed, &state->shed, &sin, est->pod_w);
    state->held_w = state->shed.held_w;
    state->waiting_w = state->shed.waiting_w;
    record->shed_w = state->held_w + state->waiting_w;
    state->demand_w = est->pods_w + record->shed_w - state->floors.burn_w;
    record->demand_w = state->demand_w;
    name_pods(cfg, state, est, record);
    explain_held(state, &sin, missing_w, record);
}

/* Why pod 'i' has the cap that it has. */
static enum reason why_of(const struct step_cfg *cfg,
                          const struct shed_state *s, int i)
{
    bool capped = s->cap_w[i] < cfg->shed.power_max_w[i];
    if (s->pods[i].why != REASON_NONE) {
        return (enum reason)s->pods[i].why;
    }
    if (s->phases[i].hold_s > 0.0 && !shed_is_open(&cfg->shed, s)) {
        return REASON_CHECKPOINT;
    }
    double left_w = s->class_cap_w[i] - s->cap_w[i];
    bool by_class = s->class_cap_w[i] < cfg->shed.power_max_w[i];
    if (capped && by_class && left_w <= cfg->shed.step_w[i]) {
        return REASON_DEFER;
    }
    return capped ? REASON_SHED : REASON_NONE;
}

void pods_command(const struct step_cfg *cfg, const struct step_state *state,
                  struct step_out *out)
{
    double down_s = floors_down_s(&cfg->floors, &state->floors);
    for (int i = 0; i < cfg->site.n_pods; i++) {
        double lo = cfg->shed.cap_min_w[i];
        double hi = cfg->shed.power_max_w[i];
        double cap_w = state->shed.cap_w[i];
        double now_w = isfinite(cap_w) ? clamp(cap_w, lo, hi) : lo;
        out->pods[i] = (struct pod_command){
            .cap_w = now_w,
            .ramp_s = RAMP_S,
            .floor_w = fmin(state->floors.floor_w[i], now_w),
            .floor_down_s = cfg->floors.max_w[i] > 0.0 ? down_s : 0.0,
            .ttl_s = TTL_S,
            .reason = (int64_t)why_of(cfg, &state->shed, i),
            .valid = state->found[i],
        };
    }
}
