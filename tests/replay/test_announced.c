/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/replay with jobs that start and stop: what notice is worth,
 * and that a stop takes little more of the batteries than it must. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "replay/replay.h"
#include "tests/site_fixture.h"

static const int64_t START_MS = INT64_C(1767225600000);
static const double AT_S = 1200.0; /* of the first stage */
static const double STAGE_S = 30.0;

/* A load that goes from one power to another in stages. */
struct jump {
    double from_w;
    double to_w;
    double swing_w; /* down for two of eleven seconds, before */
    int stages;
};

static double after(const struct jump *e, int stages)
{
    return e->from_w + (e->to_w - e->from_w) * stages / e->stages;
}

static double load_w(const struct jump *e, double t_s)
{
    int n = t_s < AT_S ? 0 : 1 + (int)((t_s - AT_S) / STAGE_S);
    bool down = n == 0 && fmod(t_s, 11.0) >= 9.0;
    return after(e, n < e->stages ? n : e->stages) - (down ? e->swing_w : 0.0);
}

static void write_load(const struct jump *e, char *path)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    fprintf(f, "t_s,load_w\n");
    for (int t = 0; t < 2200; t++) {
        fprintf(f, "%d,%f\n", t, load_w(e, t));
    }
    fclose(f);
}

/* Markers that come 'notice_s' before the first stage. */
static void write_events(const struct jump *e, double notice_s, char *path)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    for (int i = 0; i < e->stages; i++) {
        fprintf(f,
                "{\"v\":1,\"job\":\"j%d\",\"event\":\"%s\",\"ts\":\"+%.0f\","
                "\"at\":\"+%.0f\",\"power_from_w\":%f,\"power_to_w\":%f}\n",
                i, e->to_w > e->from_w ? "start" : "stop", AT_S - notice_s,
                AT_S + STAGE_S * i, after(e, i), after(e, i + 1));
    }
    fclose(f);
}

/* Energy that the batteries took or gave, at their terminals. */
static double used_wh(const struct site *site, const struct replay_result *r,
                      bool rise)
{
    double wh = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        double one_way = sqrt(site->batteries[i].efficiency_pu);
        double swing_pu =
            r->batteries[i].soc_max_pu - r->batteries[i].soc_min_pu;
        wh += swing_pu * site->batteries[i].energy_wh *
              (rise ? one_way : 1.0 / one_way);
    }
    return wh;
}

/* notice_s < 0: none.  Nothing is violated, and nothing held back. */
static double run(const struct jump *e, double notice_s)
{
    char load[] = "/tmp/ballast-jobs-XXXXXX";
    char told[] = "/tmp/ballast-told-XXXXXX";
    char why[256] = "";
    struct site *site = fixture_site(10, 100, 0);
    struct events events = {0};
    struct trace trace;
    write_load(e, load);
    write_events(e, fmax(notice_s, 0.0), told);
    struct trace_cfg cfg = {.load = load, .scale = 1.0, .repeat = 1};
    struct events_cfg ecfg = {told, site, START_MS};
    if (trace_load(&cfg, &trace, why, sizeof(why)) != ERR_NONE ||
        events_load(&ecfg, &events, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    struct replay_cfg replay = {.site = site,
                                .trace = &trace,
                                .events = notice_s < 0.0 ? NULL : &events,
                                .policy = POLICY_BALLAST,
                                .start_utc_ms = START_MS,
                                .seed = 1};
    struct replay_result *r = calloc(1, sizeof(*r));
    if (replay_run(&replay, r, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    if (r->grid.ramp_violations > 0) {
        fail_msg("%.0f to %.0f MW in %d, notice %.0f s: %d ticks over the ramp",
                 e->from_w / 1e6, e->to_w / 1e6, e->stages, notice_s,
                 (int)r->grid.ramp_violations);
    }
    assert_int_equal(r->grid.import_limit_violations, 0);
    assert_true(fabs(r->demand_wh - r->served_wh) < 1.0);
    double wh = used_wh(site, r, e->to_w > e->from_w);
    free(r);
    free(site);
    events_clear(&events);
    trace_clear(&trace);
    unlink(load);
    unlink(told);
    return wh;
}

static double least_wh(const struct jump *e, double ramp)
{
    double mean_w = e->from_w - e->swing_w * 2.0 / 11.0;
    double by_w = e->to_w - mean_w;
    return by_w * by_w / (2.0 * ramp) / 3600.0;
}

/* The longer the notice, the less the batteries take. */
static void notice_saves_energy(void **state)
{
    (void)state;
    static const struct {
        struct jump edge;
        double most[3]; /* of what none takes: of 5, 60 and 400 s */
    } rows[] = {
        {{51e6, 145e6, 0.0, 1}, {1.0, 0.92, 0.5}},
        {{145e6, 51e6, 0.0, 1}, {1.0, 0.92, 0.35}},
        {{60e6, 100e6, 0.0, 1}, {0.99, 0.7, 0.35}},
        {{120e6, 80e6, 0.0, 1}, {0.99, 0.7, 0.35}},
        {{145e6, 51e6, 0.0, 5}, {0.99, 0.9, 0.5}},
    };
    static const double notice_s[] = {5.0, 60.0, 400.0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double none_wh = run(&rows[i].edge, -1.0);
        for (int k = 0; k < 3; k++) {
            double wh = run(&rows[i].edge, notice_s[k]);
            if (!(wh <= rows[i].most[k] * none_wh)) {
                fail_msg("case %zu: %.3f of it with %.0f s", i, wh / none_wh,
                         notice_s[k]);
            }
        }
    }
}

/* The second stage comes while the grid is on its way: the first was not
 * taken for the only one. */
static void stages_that_nobody_announced_keep_the_ramp(void **state)
{
    (void)state;
    static const struct jump edges[] = {
        {105e6, 60e6, 0.0, 5}, {60e6, 105e6, 0.0, 5},  {145e6, 51e6, 0.0, 5},
        {51e6, 145e6, 0.0, 5}, {145e6, 51e6, 0.0, 10}, {51e6, 145e6, 0.0, 3},
    };
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        (void)run(&edges[i], -1.0);
    }
}

/* Also one out of a load that swung. */
static void stop_takes_little_more_than_it_must(void **state)
{
    (void)state;
    static const struct jump edges[] = {
        {145e6, 75e6, 0.0, 1},
        {145e6, 51e6, 0.0, 1},
        {145e6, 51e6, 20e6, 1},
    };
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        double part = run(&edges[i], -1.0) / least_wh(&edges[i], 10e6 / 60.0);
        if (!(part < 1.06)) {
            fail_msg("case %zu: %.3f times dP^2 / 2R", i, part);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notice_saves_energy),
        cmocka_unit_test(stages_that_nobody_announced_keep_the_ramp),
        cmocka_unit_test(stop_takes_little_more_than_it_must),
    };
    return cmocka_run_group_tests_name("announced", tests, NULL, NULL);
}
