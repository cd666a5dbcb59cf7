/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/replay: the measured trace, the policies, books, repeats. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/site_file.h"
#include "replay/replay.h"
#include "tests/site_fixture.h"

static const char TRACE[] = "../shared/traces/gpt3_512xh100_train_2s.csv";

static struct replay_result *run(const struct site *site,
                                 const struct trace *trace, enum policy policy,
                                 FILE *series)
{
    struct replay_cfg cfg = {
        .site = site,
        .trace = trace,
        .policy = policy,
        .start_utc_ms = 1767225600000,
        .seed = 1,
        .series = series,
    };
    struct replay_result *r = calloc(1, sizeof(*r));
    char why[256] = "";
    if (replay_run(&cfg, r, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return r;
}

static double swing_wh(const struct site *site, const struct replay_result *r)
{
    double wh = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        wh += (r->batteries[i].soc_max_pu - r->batteries[i].soc_min_pu) *
              site->batteries[i].energy_wh;
    }
    return wh;
}

static void load_run(struct trace *trace, const char *where)
{
    struct trace_cfg cfg = {
        .load = TRACE,
        .column = "ac_kw",
        .where = &where,
        .n_where = 1,
        .scale = 326.8,
        .repeat = 1,
    };
    char why[256] = "";
    if (trace_load(&cfg, trace, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
}

/* The figures that the first landing promises for the measured trace. */
static void measured_training_run_is_held(void **state)
{
    (void)state;
    if (access(TRACE, R_OK) != 0) {
        print_message("skip: %s is not here\n", TRACE);
        skip();
    }
    static const char *const runs[] = {"run=A", "run=B"};
    static const double most_wh[] = {1.6e6, 2.3e6};
    for (int i = 0; i < 2; i++) {
        struct trace trace;
        load_run(&trace, runs[i]);
        struct site *site = fixture_site(10, 100, 0);
        struct replay_result *r = run(site, &trace, POLICY_BALLAST, NULL);
        assert_int_equal(r->grid.ramp_violations, 0);
        assert_true(swing_wh(site, r) <= most_wh[i]);
        assert_true(fabs(r->demand_wh - r->served_wh) < 1.0);
        assert_int_equal(r->grid.import_limit_violations, 0);
        struct replay_result *l = run(site, &trace, POLICY_LIMITER, NULL);
        assert_true(swing_wh(site, l) > swing_wh(site, r));
        struct replay_result *n = run(site, &trace, POLICY_NONE, NULL);
        assert_true(n->grid.ramp_violations > 10000);
        assert_true(swing_wh(site, n) == 0.0);
        free(r);
        free(l);
        free(n);
        free(site);
        trace_clear(&trace);
    }
}

static void synthetic(struct trace *trace, const char *spec)
{
    struct trace_cfg cfg = {
        .load = spec, .scale = 1.0, .repeat = 1, .peak_w = 140e6};
    char why[256] = "";
    if (trace_load(&cfg, trace, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
}

/* Batteries that answer 200 ms later. */
static void late_batteries_hold_it_too(void **state)
{
    (void)state;
    if (access(TRACE, R_OK) != 0) {
        print_message("skip: %s is not here\n", TRACE);
        skip();
    }
    static const char *const runs[] = {"run=A", "run=B"};
    for (int i = 0; i < 2; i++) {
        struct trace trace;
        load_run(&trace, runs[i]);
        struct site *site = fixture_site(10, 100, 0);
        for (int b = 0; b < 10; b++) {
            site->batteries[b].sim_delay_s = 0.2;
        }
        struct replay_result *r = run(site, &trace, POLICY_BALLAST, NULL);
        assert_int_equal(r->grid.ramp_violations, 0);
        assert_true(fabs(r->demand_wh - r->served_wh) < 1.0);
        free(r);
        free(site);
        trace_clear(&trace);
    }
}

/* Job edges: 'path' gets a load that goes from 'lo_w' to 'hi_w' after ten
 * minutes, and back after forty. */
static void write_edges(char *path, double lo_w, double hi_w)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    fprintf(f, "t_s,load_w\n0,%f\n600,%f\n2400,%f\n3600,%f\n", lo_w, hi_w, lo_w,
            lo_w);
    fclose(f);
}

static void whole_cluster_starts_and_stops_inside_the_ramp(void **state)
{
    (void)state;
    static const double edges_w[][2] = {
        {60e6, 130e6}, {30e6, 100e6}, {50e6, 144e6}};
    for (int i = 0; i < 3; i++) {
        char path[] = "/tmp/ballast-edges-XXXXXX";
        write_edges(path, edges_w[i][0], edges_w[i][1]);
        struct trace trace;
        synthetic(&trace, path);
        struct site *site = fixture_site(10, 100, 0);
        struct replay_result *r = run(site, &trace, POLICY_BALLAST, NULL);
        assert_int_equal(r->grid.ramp_violations, 0);
        assert_true(fabs(r->demand_wh - r->served_wh) < 1.0);
        double edge_w = edges_w[i][1] - edges_w[i][0];
        double ramp = site->grid.ramp_max_w_per_s;
        double least_wh = edge_w * edge_w / (2.0 * ramp) / 3600.0;
        /* both ways, and a little of recentring between them */
        double moved_wh = 0.0;
        for (int b = 0; b < 10; b++) {
            moved_wh += r->batteries[b].throughput_wh;
        }
        assert_true(moved_wh < 2.0 * 1.15 * least_wh);
        free(r);
        free(site);
        trace_clear(&trace);
        unlink(path);
    }
}

static void same_run_gives_the_same_numbers(void **state)
{
    (void)state;
    struct trace trace;
    synthetic(&trace, "gen:training,seed=3");
    struct site *site = fixture_site(10, 20, 50);
    struct replay_result *a = run(site, &trace, POLICY_BALLAST, NULL);
    struct replay_result *b = run(site, &trace, POLICY_BALLAST, NULL);
    assert_memory_equal(a->batteries, b->batteries, sizeof(a->batteries));
    assert_true(a->grid.import_wh == b->grid.import_wh);
    assert_true(a->energy_cur == b->energy_cur);
    free(a);
    free(b);
    free(site);
    trace_clear(&trace);
}

/* At a period of a second, what markers announce is answered in the tick in
 * which it comes: a tick too early would be an edge of its own. */
static void markers_are_answered_in_their_tick(void **state)
{
    (void)state;
    struct trace trace;
    synthetic(&trace, "gen:mixed,seed=1");
    struct site *site = fixture_site(10, 20, 0);
    site->control.period_s = 1.0;
    site->grid.ramp_max_w_per_s = 24e6 / 60.0;
    struct replay_result *r = run(site, &trace, POLICY_BALLAST, NULL);
    struct replay_result *none = run(site, &trace, POLICY_NONE, NULL);
    print_message("%d of %d ticks, edges of %.1f MW of %.1f\n",
                  (int)r->grid.ramp_violations, (int)none->grid.ramp_violations,
                  r->grid.edge_max_w / 1e6, none->grid.edge_max_w / 1e6);
    assert_true(r->grid.ramp_violations < none->grid.ramp_violations / 1000);
    free(none);
    free(r);
    free(site);
    trace_clear(&trace);
}

/* In series.csv: the tick of the largest edge shows it whole, the battery of
 * that tick is where the tick before left it going. */
static void series_is_causal_and_balances(void **state)
{
    (void)state;
    struct trace trace;
    char path[] = "/tmp/ballast-edges-XXXXXX"; /* nothing is announced */
    write_edges(path, 60e6, 120e6);
    synthetic(&trace, path);
    unlink(path);
    struct site *site = fixture_site(10, 20, 0);
    FILE *series = tmpfile();
    struct replay_result *r = run(site, &trace, POLICY_BALLAST, series);
    rewind(series);
    char line[512];
    assert_non_null(fgets(line, sizeof(line), series));
    double last[4] = {0.0, 0.0, 0.0, 0.0}; /* demand, battery, its move */
    int edges = 0;
    long rows = 0;
    while (fgets(line, sizeof(line), series) != NULL) {
        double v[7];
        int n = sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf,%lf", &v[0], &v[1], &v[2],
                       &v[3], &v[4], &v[5], &v[6]);
        assert_int_equal(n, 7);
        assert_true(fabs(v[2] + v[3] + v[4] + v[5] - v[6]) < 1.0);
        double edge_w = v[1] - last[0];
        double move_w = v[4] - last[1];
        if (rows > 10 && fabs(edge_w) > 20e6) {
            /* the battery moves on with what it was told before, not more */
            assert_true(fabs(move_w) < 0.1 * fabs(edge_w));
            edges++;
        }
        last[0] = v[1];
        last[1] = v[4];
        rows++;
    }
    assert_true(edges > 0);
    assert_int_equal(rows, (long)r->n_steps);
    fclose(series);
    free(r);
    free(site);
    trace_clear(&trace);
}

/* Energy in = energy out: what the grid gave is what was drawn, stored, lost.
 */
static void books_close(void **state)
{
    (void)state;
    struct trace trace;
    synthetic(&trace, "gen:training,seed=5");
    struct site *site = fixture_site(2, 4, 0);
    struct replay_result *r = run(site, &trace, POLICY_LIMITER, NULL);
    double stored_wh = 0.0;
    double through_wh = 0.0;
    for (int i = 0; i < 2; i++) {
        stored_wh += (r->batteries[i].soc_end_pu - 0.6) * 20e6;
        through_wh += r->batteries[i].throughput_wh;
        assert_true(fabs(r->batteries[i].efc -
                         r->batteries[i].throughput_wh / 40e6) < 1e-12);
    }
    double net_wh = r->grid.import_wh - r->grid.export_wh - r->served_wh;
    double lost_wh = net_wh - stored_wh;
    /* each way costs 1 - sqrt(0.91) of what goes through, or a little more */
    assert_true(lost_wh > 0.04 * through_wh && lost_wh < 0.05 * through_wh);
    free(r);
    free(site);
    trace_clear(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measured_training_run_is_held),
        cmocka_unit_test(late_batteries_hold_it_too),
        cmocka_unit_test(whole_cluster_starts_and_stops_inside_the_ramp),
        cmocka_unit_test(same_run_gives_the_same_numbers),
        cmocka_unit_test(markers_are_answered_in_their_tick),
        cmocka_unit_test(series_is_causal_and_balances),
        cmocka_unit_test(books_close),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
