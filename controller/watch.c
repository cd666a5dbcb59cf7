/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/mqtt_rival.h"
#include "controller/heard.h"
#include "controller/event_book.h"
#include "controller/log.h"

static const double LOOP_SILENT_S = 2.0;
static const double START_S = 5.0; /* everything may be missing that long */
enum { RATE_SECONDS = 60 };

struct watch {
    struct watch_cfg cfg;
    struct alarms *alarms;
    struct watched seen;
    struct event_book events;
    uint64_t ahead_tick; /* of the plan that was told last */
    uint64_t jumps_seen;
    int64_t jump_mono_ms;
    uint64_t dropped_seen;
    int64_t rate_second; /* ticks and overruns a minute ago, by seconds */
    uint64_t rate_ticks[RATE_SECONDS];
    uint64_t rate_overruns[RATE_SECONDS];
};

double watch_device_age_s(const struct site *site)
{
    return fmax(3.0 * site->control.period_s, 2.0);
}

enum err watch_open(const struct watch_cfg *cfg, struct watch **out)
{
    struct watch *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        return ERR_MEMORY;
    }
    w->cfg = *cfg;
    w->seen.site = cfg->site;
    w->seen.shadow = cfg->shadow;
    w->seen.kept = cfg->kept;
    w->seen.book = cfg->book;
    w->seen.in = parts_snapshot(&cfg->ports->parts);
    w->seen.out = parts_out(&cfg->ports->parts);
    enum err e = alarms_open(cfg->site, &w->alarms);
    if (e == ERR_NONE && (w->seen.in == NULL || w->seen.out == NULL)) {
        e = ERR_MEMORY;
    }
    if (e != ERR_NONE) {
        watch_close(w);
        return e;
    }
    *out = w;
    return ERR_NONE;
}

void watch_close(struct watch *w)
{
    if (w->alarms != NULL) {
        alarms_close(w->alarms);
    }
    free(w->seen.in);
    free(w->seen.out);
    free(w);
}

static void fetch_report(struct mailbox *box, struct device_report *into)
{
    const struct device_report *r = mailbox_fetch(box);
    if (r != NULL) {
        *into = *r;
    }
}

static void fetch(struct watch *w)
{
    struct watched *s = &w->seen;
    struct ports *ports = w->cfg.ports;
    const struct loop_view *view = mailbox_fetch(&ports->view);
    if (view != NULL) {
        s->ticking = true;
        s->view_mono_ms = s->mono_ms;
        s->loop = view->counts;
        parts_scatter(&ports->parts, PART_SNAPSHOT, view->image, s->in);
        parts_scatter(&ports->parts, PART_PLAN, view->image, &s->plan);
        parts_scatter(&ports->parts, PART_OUT, view->image, s->out);
    }
    for (int i = 0; i < ports->n_batteries; i++) {
        fetch_report(&ports->batteries[i].report, &s->batteries[i]);
    }
    fetch_report(&ports->meter.report, &s->meter);
    lives_fetch(&ports->lives, w->cfg.site, s->lives);
    const struct foresight *f = mailbox_fetch(&ports->foresight);
    if (f != NULL) {
        s->foresight = *f;
    }
    const struct mqtt_report *m = mailbox_fetch(&ports->mqtt.report);
    if (m != NULL) {
        s->mqtt = *m;
    }
    const struct openadr_report_view *o = mailbox_fetch(&ports->openadr.report);
    if (o != NULL) {
        s->openadr = *o;
    }
    const struct witness_report *proof = mailbox_fetch(&ports->proof);
    if (proof != NULL) {
        s->proving = true;
        s->proof = *proof;
    }
    if (w->cfg.evidence != NULL) {
        s->has_evidence = true;
        evidence_keeper_counts(w->cfg.evidence, &s->evidence);
    }
    if (w->cfg.historian != NULL) {
        historian_counts(w->cfg.historian, &s->history);
    }
}

/* What the utility's reports tell of the batteries. */
static void post_figures(struct watch *w)
{
    const struct watched *s = &w->seen;
    struct openadr_figures f = {0};
    double age_s = 10.0 * watch_device_age_s(s->site);
    for (int i = 0; i < s->site->n_batteries && i < OPENADR_STORES_MAX; i++) {
        const struct battery_in *b = &s->in->batteries[i];
        double soh = reading_value(&b->soh_pu, s->mono_ms, age_s);
        f.stores[f.n++] = (struct openadr_store){
            .soc_pu = reading_value(&b->soc_pu, s->mono_ms, age_s),
            .energy_wh =
                s->site->batteries[i].energy_wh * (isfinite(soh) ? soh : 1.0),
            .charge_max_w = reading_value(&b->charge_max_w, s->mono_ms, age_s),
            .discharge_max_w =
                reading_value(&b->discharge_max_w, s->mono_ms, age_s)};
    }
    f.curtailed = w->events.n > 0;
    f.fault = !isfinite(s->out->record.grid_w);
    mailbox_send(&w->cfg.ports->openadr.figures, &f);
}

/* What the plan in force foresees, once. */
static void post_ahead(struct watch *w)
{
    const struct plan *plan = &w->seen.plan;
    if (plan->n_slots < 1 || plan->built_tick == w->ahead_tick) {
        return;
    }
    w->ahead_tick = plan->built_tick;
    struct openadr_ahead *a = mailbox_slot(&w->cfg.ports->openadr.ahead);
    *a = (struct openadr_ahead){.start_at_ms = plan->start_at_ms,
                                .n = plan->n_slots};
    int n = w->seen.site->n_batteries;
    a->n_stores = n < OPENADR_STORES_MAX ? n : OPENADR_STORES_MAX;
    for (int64_t t = 0; t < plan->n_slots; t++) {
        a->step_s[t] = plan->step_s[t];
        a->grid_w[t] = plan->grid_w[t];
        for (int64_t i = 0; i < a->n_stores; i++) {
            int64_t g = plan->group[i];
            a->soc_pu[i][t] = g >= 0 ? plan->group_soc_pu[g][t] : (double)NAN;
        }
    }
    mailbox_post(&w->cfg.ports->openadr.ahead);
}

/* Overruns per period over the last minute. */
static void rate(struct watch *w)
{
    struct watched *s = &w->seen;
    int64_t second = s->mono_ms / 1000;
    int64_t now = second % RATE_SECONDS;
    int64_t missed =
        w->rate_second == 0 ? RATE_SECONDS : second - w->rate_second;
    for (int64_t i = 0; i < missed && i < RATE_SECONDS; i++) {
        int64_t at = (second - i) % RATE_SECONDS;
        if (w->rate_second == 0 || i > 0) {
            w->rate_ticks[at] = s->loop.tick;
            w->rate_overruns[at] = s->loop.n_overruns;
        }
    }
    if (missed > 0) {
        uint64_t ticks = s->loop.tick - w->rate_ticks[now];
        uint64_t overruns = s->loop.n_overruns - w->rate_overruns[now];
        double all = (double)(ticks + overruns);
        s->overruns_pu = all > 0.0 ? (double)overruns / all : 0.0;
        w->rate_ticks[now] = s->loop.tick;
        w->rate_overruns[now] = s->loop.n_overruns;
        w->rate_second = second;
    }
}

static void tell(struct watch *w, enum alarm id, int index, double value)
{
    const struct watched *s = &w->seen;
    enum alarm_change change =
        alarms_tell(w->alarms, id, index, value, s->mono_ms);
    if (change == ALARM_SAME) {
        return;
    }
    const struct alarm_row *row = alarm_row(id);
    char text[ALARM_TEXT_MAX];
    alarm_text(s->site, id, index, text, sizeof(text));
    char asset[SITE_NAME_MAX + 16];
    asset_name(s->site, row->asset, index, asset, sizeof(asset));
    bool raised = change == ALARM_RAISED;
    enum log_level level = !raised                              ? LOG_INFO
                           : row->severity == SEVERITY_CRITICAL ? LOG_ERROR
                                                                : LOG_WARN;
    char key[80];
    snprintf(key, sizeof(key), "%s %s %s", row->id, asset,
             raised ? "raised" : "cleared");
    log_line(level, key, "alarm %s: %s: %s", raised ? "raised" : "cleared",
             row->id, text);
    if (w->cfg.historian != NULL) {
        historian_event(w->cfg.historian, s->utc_ms,
                        raised ? "alarm_raised" : "alarm_cleared", asset, text);
    }
}

static bool fresh(const struct watched *s, const struct reading *r,
                  double max_age_s)
{
    return reading_quality(r, s->mono_ms, max_age_s) >= QUALITY_SUSPECT;
}

static void judge_battery(struct watch *w, int i)
{
    const struct watched *s = &w->seen;
    const struct battery_in *b = &s->in->batteries[i];
    const struct device_report *r = &s->batteries[i];
    bool up = r->link.up && (b->flags & BATTERY_ONLINE);
    bool stale = !fresh(s, &b->power_w, watch_device_age_s(s->site)) ||
                 !fresh(s, &b->soc_pu, 10.0 * watch_device_age_s(s->site));
    bool written = up && r->link.n_writes > 0;
    tell(w, ALARM_OFFLINE, i, !up);
    tell(w, ALARM_STALE, i, up && stale);
    tell(w, ALARM_LOCAL, i, up && !(b->flags & BATTERY_REMOTE));
    tell(w, ALARM_FAULT, i, up && !(b->flags & BATTERY_RUNNING));
    tell(w, ALARM_DISOBEYS, i, written && !(b->flags & BATTERY_OBEYS));
    tell(w, ALARM_FROZEN, i, up && !(b->flags & BATTERY_ALIVE));
    tell(w, ALARM_READ_ONLY, i, up && !(b->flags & BATTERY_WRITABLE));
    tell(w, ALARM_FALLBACK, i, r->fallback != 0);
}

static bool says(const struct watched *s, enum reason code)
{
    const struct tick_record *r = &s->out->record;
    for (int64_t i = 0; i < r->n_why; i++) {
        if (r->why[i].code == (int64_t)code) {
            return true;
        }
    }
    return false;
}

static void judge_assets(struct watch *w)
{
    const struct watched *s = &w->seen;
    const struct site *site = s->site;
    for (int i = 0; i < site->n_batteries; i++) {
        if (site->batteries[i].modbus.present) {
            judge_battery(w, i);
        }
    }
    if (site->grid.meter.present) {
        tell(w, ALARM_METER_LOST, 0,
             !fresh(s, &s->in->meter.power_w, watch_device_age_s(site)));
        tell(w, ALARM_METER_WRONG, 0, says(s, REASON_METER_WRONG));
    }
    for (int i = 0; i < site->n_pods && site->mqtt.present; i++) {
        tell(w, ALARM_POD_SILENT, i, !heard_pod(site, s->in, i, s->mono_ms));
        int64_t why = s->out->pods[i].reason;
        tell(w, ALARM_POD_DISOBEYS, i, why == REASON_DISOBEYS);
        tell(w, ALARM_POD_COOLING, i, why == REASON_POD_COOLING);
        tell(w, ALARM_POD_HOT, i, why == REASON_POD_HOT);
        tell(w, ALARM_POD_FEEDER, i, why == REASON_POD_FEEDER);
    }
    for (int i = 0; i < site->n_prices && site->mqtt.present; i++) {
        double now = price_at(&s->in->prices[i], s->utc_ms);
        tell(w, ALARM_PRICE_LOST, i, !isfinite(now));
    }
}

static void judge_self(struct watch *w)
{
    const struct watched *s = &w->seen;
    bool silent = (double)(s->mono_ms - s->view_mono_ms) > LOOP_SILENT_S * 1e3;
    tell(w, ALARM_LOOP_SILENT, 0, silent);
    tell(w, ALARM_OVERRUNS, 0, s->overruns_pu);
    if (s->loop.n_clock_jumps != w->jumps_seen) {
        w->jumps_seen = s->loop.n_clock_jumps;
        w->jump_mono_ms = s->mono_ms;
        log_line(LOG_WARN, "clock", "clock: jumped by %.3f s",
                 s->loop.clock_jump_s);
    }
    tell(w, ALARM_CLOCK_JUMP, 0, w->jump_mono_ms == s->mono_ms);
    uint64_t dropped = s->loop.n_dropped;
    tell(w, ALARM_HISTORY_DROPPING, 0, dropped != w->dropped_seen);
    w->dropped_seen = dropped;
    tell(w, ALARM_HISTORY_FAILING, 0, s->history.degraded);
    tell(w, ALARM_EVIDENCE_FAILING, 0, s->evidence.failing);
    tell(w, ALARM_PLAN_MISSING, 0, plan_slot(&s->plan, s->utc_ms) < 0);
    if (s->site->utility.openadr) {
        tell(w, ALARM_UTILITY_LOST, 0, !s->openadr.link.up);
        tell(w, ALARM_EVENT_REFUSED, 0,
             s->openadr.n_faults > 0 || s->openadr.n_left_out > 0);
    }
    tell(w, ALARM_EVENT_LATE, 0, says(s, REASON_EVENT_LATE));
    tell(w, ALARM_RESERVE_SHORT, 0, s->out->record.reserve_short_w > 0.0);
    if (s->site->mqtt.present) {
        tell(w, ALARM_BROKER_LOST, 0, !s->mqtt.link.up);
        int64_t rival_ms = s->mqtt.counts.rival_mono_ms;
        tell(w, ALARM_RIVAL, 0,
             !s->shadow && rival_ms != 0 &&
                 s->mono_ms - rival_ms < MQTT_RIVAL_MAX_AGE_MS);
    }
}

const struct watched *watch_look(struct watch *w, int64_t mono_ms,
                                 int64_t utc_ms)
{
    struct watched *s = &w->seen;
    if (s->start_mono_ms == 0) {
        s->start_mono_ms = mono_ms;
        s->view_mono_ms = mono_ms;
    }
    s->mono_ms = mono_ms;
    s->utc_ms = utc_ms;
    fetch(w);
    rate(w);
    /* what has not had time to answer is not an alarm yet */
    if ((double)(mono_ms - s->start_mono_ms) > START_S * 1e3) {
        judge_assets(w);
    }
    judge_self(w);
    if (s->ticking) {
        event_book_look(&w->events, s->in, utc_ms, w->cfg.historian);
        post_figures(w);
        post_ahead(w);
    }
    if (w->cfg.overrides != NULL) {
        overrides_look(w->cfg.overrides, s->in, utc_ms);
        overrides_copy(w->cfg.overrides, &s->overrides);
    }
    s->n_alarms = alarms_active(w->alarms, s->alarms);
    return s;
}
