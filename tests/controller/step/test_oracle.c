/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole step against random loads, faults and limits that change, judged by
 * an oracle with physics of its own: what it calls a violation any controller
 * could have avoided.  20,000 s of it; ORACLE_SECONDS=100000 plays more.
 *
 *   ramp     the plain mean over 10 s, in every window to 60 s, 1 % more than
 *            the limit; not for 90 s after an emergency brought it down, not
 *            where what leaked before any battery could answer is more than the
 *            mean forgives (R T^2), or the batteries that are left cannot carry
 *            the load from where the mean lets the grid be
 *   import   the mean over 60 s, or since a limit came; the grid may take the
 *            time that it needs to get there from where it stood when it was
 *            told: 20 s, then four fifths of what an edge leaves of the ramp
 *   command  not finite, beyond a rating, out of a full or an empty battery,
 *            without expiry, a cap outside of its pod's range
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

enum { ROUND_S = 1000, TICKS = ROUND_S * 10, AVERAGE = 100, WINDOW = 600 };
enum { SECONDS = 20000, BATTERIES = 10, PODS = 20 };

static const double RAMP = 10e6 / 60.0;
static const double TOLERANCE = 1.01;
static const double IMPORT_TOLERANCE = 1.005;
static const double CLOSE_W = 1e6; /* what an emergency cuts of the swing */
static const double JUMP_W = 1e6;  /* of the limit, in one tick */
static const double LOW_W = 82e6;
static const double HIGH_W = 120e6;
static const double FORGIVEN_WS = 10e6 / 60.0 * 100.0; /* R T^2 */
static const double USED_PU = 0.8; /* of what an edge leaves of the ramp */
enum { LEAD = 200 };               /* ticks until the grid is on its way down */

#define FAULT_LIST(X) \
    X(NONE)           \
    X(TRIP)           \
    X(NO_METER)       \
    X(SILENT_BATTERY) \
    X(SILENT_PODS)    \
    X(DISOBEY)        \
    X(GAUGE)          \
    X(DIP)            \
    X(LATE)
#define FAULT_ENUM(name) FAULT_##name,
#define FAULT_NAME(name) #name,
enum fault { FAULT_LIST(FAULT_ENUM) FAULT_COUNT };
static const char *const fault_names[] = {FAULT_LIST(FAULT_NAME)};

/* What goes wrong, one thing at a time. */
struct trouble {
    enum fault fault;
    int until;
    int at; /* battery or pod */
    double by;
    int64_t since_ms;
    double kept_w; /* of the silent battery */
};

/* What the plant did, and what the oracle holds against it. */
struct seen {
    double grid_w[TICKS];
    double mean_w[TICKS];
    double load_w[TICKS];
    double lost_w[TICKS];  /* edge of a battery that trips or comes back */
    double power_w[TICKS]; /* of the batteries that can be commanded */
    double late_s[TICKS];  /* in which an order shows */
    double limit_w[TICKS]; /* of the import, or where the grid was */
    bool called[TICKS];    /* an emergency begins */
    int fault[TICKS];
};

/* From where the grid stood when it was told of a limit. */
struct way {
    double at_w;
    double late_s;
    int from;
};

static int64_t forced; /* ticks over the ramp that nobody could avoid */
static int64_t broken; /* ticks over a limit that somebody could */

static void begin_trouble(struct loop_fixture *f, struct trouble *t,
                          uint64_t *seed, int k)
{
    *t = (struct trouble){
        .fault = (enum fault)random_draw(seed, 1.0, FAULT_COUNT - 1e-9),
        .until = k + (int)random_draw(seed, 30.0, 600.0),
        .at = (int)random_draw(seed, 0.0, BATTERIES - 1e-9),
        .by = random_draw(seed, -0.06, 0.06),
        .since_ms = f->in->mono_ms,
        .kept_w = f->plant->batteries[0].set_w,
    };
    t->kept_w = f->plant->batteries[t->at].set_w;
    f->plant->batteries[t->at].tripped = t->fault == FAULT_TRIP;
    f->plant->pods[t->at].disobeys = t->fault == FAULT_DISOBEY;
}

static void end_trouble(struct loop_fixture *f, struct trouble *t,
                        uint64_t *seed, int k)
{
    f->plant->batteries[t->at].tripped = 0;
    f->plant->pods[t->at].disobeys = 0;
    *t = (struct trouble){.fault = FAULT_NONE,
                          .until = k + (int)random_draw(seed, 50.0, 800.0)};
}

/* What the controller sees of it. */
static void disturb(struct loop_fixture *f, const struct trouble *t)
{
    struct battery_in *b = &f->in->batteries[t->at];
    struct pod_in *p = &f->in->pods[t->at];
    switch (t->fault) {
    case FAULT_NO_METER:
        f->in->meter.power_w.quality = QUALITY_MISSING;
        break;
    case FAULT_SILENT_BATTERY:
        b->flags &= ~(int64_t)BATTERY_ONLINE;
        b->power_w.mono_ms = b->soc_pu.mono_ms = t->since_ms;
        break;
    case FAULT_SILENT_PODS:
        p->flags = 0;
        p->power_w.quality = QUALITY_MISSING;
        break;
    case FAULT_GAUGE:
        b->soc_pu.value += t->by;
        break;
    case FAULT_DIP:
        f->in->meter.voltage_pu.value = f->k % 100 == 0 ? 0.6 : 1.0;
        break;
    case FAULT_NONE:
    case FAULT_TRIP:
    case FAULT_DISOBEY:
    case FAULT_LATE:
    case FAULT_COUNT:
        break;
    }
}

/* A new instruction of the utility: at once, or a minute and a half ahead. */
static void instruct(struct loop_fixture *f, uint64_t *seed)
{
    static const enum utility_kind kinds[] = {
        UTILITY_IMPORT_MAX, UTILITY_IMPORT_MAX, UTILITY_SETPOINT,
        UTILITY_EMERGENCY,  UTILITY_RESERVE,    UTILITY_EXPORT_MAX};
    struct utility_in *u = &f->in->utility[0];
    memset(u, 0, sizeof(*u));
    snprintf(u->id, sizeof(u->id), "o%d", (int)f->k);
    u->kind = kinds[(int)random_draw(seed, 0.0, 5.99)];
    bool ahead = random_draw(seed, 0.0, 1.0) < 0.5;
    u->start_at_ms = f->in->utc_ms + (ahead ? 90000 : 0);
    u->end_at_ms =
        u->start_at_ms + (int64_t)random_draw(seed, 60000.0, 180000.0);
    u->value = random_draw(seed, 80e6, 130e6);
    if (u->kind == UTILITY_RESERVE) {
        u->value = random_draw(seed, 0.1, 0.6);
    } else if (u->kind == UTILITY_EXPORT_MAX) {
        u->value = 0.0;
    }
}

static double next_load(uint64_t *seed, int k, int kind, double w)
{
    double often = kind == 0 ? 0.005 : kind == 1 ? 0.03 : 0.1;
    bool phase = kind == 3 && k % 110 == 0; /* as long as the mean, and back */
    if (kind == 3 ? phase : random_draw(seed, 0.0, 1.0) < often) {
        bool end = random_draw(seed, 0.0, 1.0) < 0.5;
        double other_w = w < 0.5 * (LOW_W + HIGH_W) ? HIGH_W : LOW_W;
        return end || kind == 3 ? other_w : random_draw(seed, LOW_W, HIGH_W);
    }
    return w;
}

/* The mean over the ramp's average before k. */
static double mean_before_w(const struct seen *s, int k)
{
    double sum_w = 0.0;
    for (int i = k - AVERAGE; i < k; i++) {
        sum_w += s->grid_w[i < 0 ? 0 : i];
    }
    return sum_w / AVERAGE;
}

/* The limit on the import now, or how far down the grid can be since 'way' was
 * told of it. */
static double limit_now(const struct loop_fixture *f, struct way *way, int k)
{
    const struct utility_in *u = &f->in->utility[0];
    double site_w = f->site->grid.import_max_w;
    bool limits = u->kind == UTILITY_IMPORT_MAX || u->kind == UTILITY_EMERGENCY;
    bool now = f->in->utc_ms >= u->start_at_ms && f->in->utc_ms < u->end_at_ms;
    if (k >= way->from + LEAD) {
        double leaks_w = (HIGH_W - LOW_W) * way->late_s / 100.0;
        way->at_w -= USED_PU * (RAMP - leaks_w) * 0.1;
    }
    if (u->id[0] == '\0' || !limits || !now) {
        return site_w;
    }
    bool at_once = u->kind == UTILITY_EMERGENCY;
    return fmin(fmax(u->value, at_once ? 0.0 : way->at_w), site_w);
}

static void sound_commands(const struct loop_fixture *f)
{
    for (int i = 0; i < BATTERIES; i++) {
        const struct battery_command *c = &f->out->batteries[i];
        const struct battery_in *b = &f->in->batteries[i];
        double w = c->set_w;
        assert_true(isfinite(w) && fabs(w) <= 10e6 + 1e-6);
        assert_true(c->expiry_s > 0.0 && isfinite(c->expiry_s));
        bool told = b->flags & BATTERY_ONLINE;
        assert_false(told && b->soc_pu.value >= 0.9 && w > 1.0);
        assert_false(told && b->soc_pu.value <= 0.1 && w < -1.0);
    }
    for (int i = 0; i < PODS; i++) {
        double w = f->out->pods[i].cap_w;
        assert_true(w >= f->site->pods[i].cap_min_w - 1e-6 &&
                    w <= f->site->pods[i].power_max_w + 1e-6);
    }
}

/* One tick of the plant; what is late or unheard does not reach it. */
static void act(struct loop_fixture *f, const struct trouble *t, double w)
{
    step(f->cfg, f->state, f->scratch, f->in, f->plan, f->out);
    if (t->fault != FAULT_LATE || f->k % 2 == 0) {
        plant_command(f->plant, f->site, f->out);
    }
    if (t->fault == FAULT_SILENT_BATTERY) {
        f->plant->batteries[t->at].set_w = t->kept_w;
    }
    plant_demand(f->plant, f->site, w);
    plant_step(f->plant, f->site, 0.1);
    f->k++;
}

static void note(const struct loop_fixture *f, const struct trouble *t, int k,
                 double lost_w, struct seen *s)
{
    bool out = t->fault == FAULT_TRIP || t->fault == FAULT_SILENT_BATTERY;
    const struct utility_in *u = &f->in->utility[0];
    s->grid_w[k] = f->plant->grid_w;
    s->load_w[k] = f->plant->grid_w - f->plant->battery_w;
    s->lost_w[k] = lost_w;
    s->power_w[k] = 10e6 * (out ? BATTERIES - 1 : BATTERIES);
    s->late_s[k] = t->fault == FAULT_LATE ? 0.26 : 0.16;
    int64_t since_ms = f->in->utc_ms - u->start_at_ms;
    s->called[k] = u->id[0] != '\0' && u->kind == UTILITY_EMERGENCY &&
                   since_ms >= 0 && since_ms < 100 &&
                   u->value < mean_before_w(s, k) + CLOSE_W;
    s->fault[k] = (int)t->fault;
}

static struct site *oracle_site(void)
{
    struct site *site = fixture_site(BATTERIES, PODS, 0);
    site->grid.contingencies_given = true;
    site->grid.n_contingencies = 2;
    site->grid.contingencies[0] = (struct site_contingency){
        .name = "any", .drop_w = HIGH_W - LOW_W, .rise_w = HIGH_W - LOW_W};
    site->grid.contingencies[1] = (struct site_contingency){
        .name = "trip", .battery = "largest", .loses = SITE_LOSES_LARGEST};
    return site;
}

static void play(struct seen *s, int round, uint64_t *seed)
{
    struct loop_fixture f = loop_open(oracle_site(), POLICY_BALLAST, 100e6);
    f.cfg->site.grid.meter.present = true;
    struct trouble t = {.until = 400};
    int instructed = 600;
    struct way way = {.at_w = INFINITY};
    double w = 100e6;
    for (int k = 0; k < TICKS; k++) {
        loop_observe(&f);
        double before_w = f.plant->batteries[t.at].power_w;
        bool was = f.plant->batteries[t.at].tripped;
        if (k >= t.until && t.fault == FAULT_NONE) {
            begin_trouble(&f, &t, seed, k);
            before_w = f.plant->batteries[t.at].power_w;
        } else if (k >= t.until) {
            end_trouble(&f, &t, seed, k);
        }
        bool is = f.plant->batteries[t.at].tripped;
        disturb(&f, &t);
        if (k >= instructed) {
            instruct(&f, seed);
            way = (struct way){mean_before_w(s, k), 0.0, k};
            instructed = k + (int)random_draw(seed, 1500.0, 4000.0);
        }
        w = k < 300 ? w : next_load(seed, k, round % 4, w);
        way.late_s = t.fault == FAULT_LATE ? 0.26 : 0.16;
        s->limit_w[k] = limit_now(&f, &way, k);
        act(&f, &t, w);
        sound_commands(&f);
        note(&f, &t, k, is && !was ? fabs(before_w) : 0.0, s);
    }
    loop_close(&f);
}

/* What an edge leaks that no order could answer, nor its leak be counted,
 * because the voltage was away when it was seen. */
static double frozen_w(const struct seen *s, int i)
{
    bool froze = s->fault[i] == FAULT_DIP && i % 100 == 0 && i > 1;
    double edge_w = froze ? fabs(s->load_w[i - 1] - s->load_w[i - 2]) : 0.0;
    return edge_w * 0.2 / 10.0;
}

/* The edge of a tick whose first answer is lost: every other one is. */
static double lost_edge_w(const struct seen *s, int i)
{
    bool lost = i > 0 && i % 2 == 0 && s->fault[i] == FAULT_LATE;
    return lost ? s->load_w[i] - s->load_w[i - 1] : 0.0;
}

/* What one order that is lost, or a tick late, leaks of the edges in the mean
 * at k, or all that were lost: nobody could know. */
static double unknown_w(const struct seen *s, int k)
{
    double lo_w = s->load_w[k];
    double hi_w = lo_w;
    double more_w = 0.0;
    double lost_w = 0.0;
    bool late = false;
    for (int i = k; i >= 0 && i > k - AVERAGE; i--) {
        more_w += frozen_w(s, i);
        lost_w += lost_edge_w(s, i);
        late |= s->fault[i] == FAULT_LATE;
        lo_w = fmin(lo_w, s->load_w[i]);
        hi_w = fmax(hi_w, s->load_w[i]);
    }
    double leaks_w = fmax(hi_w - lo_w, fabs(lost_w)) * 0.1 / 10.0;
    return more_w + (late ? leaks_w : 0.0);
}

/* Ramp broken at k, by more than the tolerance; the window's length. */
static int broken_at(const struct seen *s, int k)
{
    double more_w = -1.0;
    for (int tau = AVERAGE; tau <= WINDOW; tau++) {
        double then_w = s->mean_w[k >= tau ? k - tau : 0];
        double over_w =
            fabs(s->mean_w[k] - then_w) - TOLERANCE * RAMP * tau * 0.1;
        if (over_w > 0.0 && more_w < 0.0) {
            more_w = unknown_w(s, k) + unknown_w(s, k >= tau ? k - tau : 0);
        }
        if (over_w > 0.0 && over_w > more_w) {
            return tau;
        }
    }
    return 0;
}

/* Nobody could have kept it: called for, leaked, or beyond their power. */
static bool nobody_could(const struct seen *s, int k)
{
    bool called = false;
    for (int i = k > 900 ? k - 900 : 0; i <= k; i++) {
        called |= s->called[i];
    }
    if (called) {
        return true;
    }
    for (int i = k > WINDOW + AVERAGE ? k - WINDOW - AVERAGE : 0; i <= k; i++) {
        double lost_w = 0.0;
        double lo_w = s->load_w[i];
        double hi_w = s->load_w[i];
        double late_s = 0.0;
        for (int j = i; j >= 0 && j > i - AVERAGE; j--) {
            lost_w += s->lost_w[j];
            lo_w = fmin(lo_w, s->load_w[j]);
            hi_w = fmax(hi_w, s->load_w[j]);
            late_s = fmax(late_s, s->late_s[j]);
        }
        bool leaks = (hi_w - lo_w + lost_w) * late_s > FORGIVEN_WS;
        double away_w = fabs(s->load_w[i] - s->mean_w[i]) - RAMP * 10.0;
        if (leaks || away_w > s->power_w[i]) {
            return true;
        }
    }
    return false;
}

/* The mean over a minute up to k, of a limit only since it came. */
static void judge_import(const struct seen *s, int round, int since, int k)
{
    int from = since > k - WINDOW ? since : k - WINDOW + 1;
    int n = k - from + 1;
    if (n < AVERAGE) {
        return;
    }
    double imported_w = 0.0;
    double allowed_w = 0.0;
    double late_s = 0.0;
    for (int i = from; i <= k; i++) {
        late_s = fmax(late_s, s->late_s[i]);
        imported_w += s->grid_w[i] / n;
        allowed_w += s->limit_w[i] / n;
    }
    double leaks_w = (HIGH_W - LOW_W) * late_s / (n * 0.1);
    if (imported_w > IMPORT_TOLERANCE * allowed_w + leaks_w) {
        broken++;
        print_message("seed %d: %.2f MW imported of %.2f at %.1f s, %s\n",
                      round, imported_w / 1e6, allowed_w / 1e6, 0.1 * k,
                      fault_names[s->fault[k]]);
    }
}

static void judge(struct seen *s, int round)
{
    double sum_w = s->grid_w[0] * AVERAGE;
    int since = 0;
    for (int k = 0; k < TICKS; k++) {
        sum_w += s->grid_w[k] - s->grid_w[k >= AVERAGE ? k - AVERAGE : 0];
        s->mean_w[k] = sum_w / AVERAGE;
        bool begins = k > 0 && s->limit_w[k] < s->limit_w[k - 1] - JUMP_W;
        since = begins ? k : since;
        judge_import(s, round, since, k);
        int tau = broken_at(s, k);
        if (tau > 0 && !nobody_could(s, k)) {
            broken++;
            print_message(
                "seed %d: the ramp of %.1f s to %.1f s, %.2f of it, %s\n",
                round, 0.1 * tau, 0.1 * k,
                fabs(s->mean_w[k] - s->mean_w[k >= tau ? k - tau : 0]) /
                    (RAMP * tau * 0.1),
                fault_names[s->fault[k]]);
        }
        forced += tau > 0 ? 1 : 0;
    }
}

static void what_can_be_kept_is_kept(void **state)
{
    (void)state;
    const char *asked = getenv("ORACLE_SECONDS");
    int seconds = asked != NULL ? atoi(asked) : SECONDS;
    struct seen *s = calloc(1, sizeof(*s));
    for (int round = 1; round <= seconds / ROUND_S; round++) {
        uint64_t seed = random_seed(1000 + (uint64_t)round);
        play(s, round, &seed);
        judge(s, round);
    }
    print_message("%d s, seeds 1001 to %d: %d ticks over the ramp that "
                  "nobody could have kept\n",
                  seconds, 1000 + seconds / ROUND_S, (int)forced);
    free(s);
    assert_int_equal(broken, 0);
}

/* The oracle can say no: to the same load without a controller. */
static void oracle_sees_what_breaks(void **state)
{
    (void)state;
    struct seen *s = calloc(1, sizeof(*s));
    uint64_t seed = random_seed(7);
    double w = 100e6;
    int n = 0;
    for (int k = 0; k < TICKS; k++) {
        w = k < 300 ? w : next_load(&seed, k, 1, w);
        s->grid_w[k] = s->load_w[k] = w;
        s->power_w[k] = 100e6;
        s->late_s[k] = 0.16;
        double sum_w = 0.0;
        for (int i = k - AVERAGE + 1; i <= k; i++) {
            sum_w += s->grid_w[i < 0 ? 0 : i];
        }
        s->mean_w[k] = sum_w / AVERAGE;
        n += broken_at(s, k) > 0 && !nobody_could(s, k);
    }
    assert_true(n > TICKS / 4);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_kept_is_kept),
        cmocka_unit_test(oracle_sees_what_breaks),
    };
    return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}
