/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/openadr_readings: the past by the meter, the future by
 * the plan, and a baseline of the days that the history has. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "adapters/openadr_report.h"
#include "controller/history_db.h"
#include "controller/openadr_readings.h"
#include "tests/controller/history_sample.h"

/* A Saturday, 2026-11-21T12:00:00Z. */
static const int64_t t0_ms = INT64_C(1795262400000);
static const int64_t minute_ms = 60000;
static const int64_t day_ms = 86400000;

struct fixture {
    struct site *site;
    char folder[64];
    struct openadr_readings *readings;
    struct dr_event event;
    int64_t ids[4];
    struct dr_span spans[4];
    struct dr_report_event about;
    struct dr_report what;
    cJSON *report;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->site = sample_site();
    sample_folder(f->folder);
    snprintf(f->site->history.file, sizeof(f->site->history.file), "%s/h.db",
             f->folder);
    f->site->utility.baseline = (struct site_baseline){.present = true,
                                                       .high = 2,
                                                       .most = 3,
                                                       .look_back = 30,
                                                       .adjust = 1,
                                                       .adjust_from_s = 600.0,
                                                       .adjust_to_s = 300.0,
                                                       .cap_pu = 0.2,
                                                       .before_s = 120.0};
    assert_int_equal(openadr_readings_open(f->site, &f->readings), ERR_NONE);
    /* four intervals of five minutes */
    snprintf(f->event.id, sizeof(f->event.id), "e1");
    f->event.timing.n = 4;
    f->event.ids = f->ids;
    for (int64_t i = 0; i < 4; i++) {
        f->ids[i] = 100 - i;
        f->spans[i] = (struct dr_span){i, t0_ms + 5 * i * minute_ms,
                                       t0_ms + 5 * (i + 1) * minute_ms};
    }
    f->about = (struct dr_report_event){.n = 4,
                                        .n_spans = 4,
                                        .spans = f->spans,
                                        .from_ms = t0_ms,
                                        .to_ms = t0_ms + 20 * minute_ms};
    f->what = (struct dr_report){.historical = 1};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cJSON_Delete(f->report);
    openadr_readings_close(f->readings);
    sample_folder_remove(f->folder);
    free(f->site);
    free(f);
    return 0;
}

/* The report of 'kind' about all intervals, at 'utc_ms'; readings told. */
static int64_t ask(struct fixture *f, enum dr_report_kind kind, int64_t utc_ms)
{
    f->what.kind = kind;
    const struct openadr_report_head head = {f->event.id, "ven", "n", &f->what};
    const struct openadr_asked asked = {.event = &f->event,
                                        .what = &f->what,
                                        .about = &f->about,
                                        .due = {utc_ms, 0, f->about.n_spans},
                                        .base_w = 7e6,
                                        .utc_ms = utc_ms};
    cJSON_Delete(f->report);
    f->report = openadr_report_begin(&head);
    return openadr_readings_add(f->readings, &asked, f->report);
}

static const cJSON *interval(const struct fixture *f, int resource, int i)
{
    const cJSON *r = cJSON_GetArrayItem(
        cJSON_GetObjectItem(f->report, "resources"), resource);
    return cJSON_GetArrayItem(cJSON_GetObjectItem(r, "intervals"), i);
}

static double value(const struct fixture *f, int resource, int i)
{
    const cJSON *payload = cJSON_GetArrayItem(
        cJSON_GetObjectItem(interval(f, resource, i), "payloads"), 0);
    return cJSON_GetArrayItem(cJSON_GetObjectItem(payload, "values"), 0)
        ->valuedouble;
}

static bool is_doubtful(const struct fixture *f, int i)
{
    return cJSON_GetArraySize(
               cJSON_GetObjectItem(interval(f, 0, i), "payloads")) > 1;
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-6 * fabs(want) + 1e-9)) {
        fail_msg("%.12g, not %.12g", got, want);
    }
}

static const struct openadr_figures figures = {
    .n = 2, .stores = {{0.5, 20e6, 8e6, 9e6}, {0.8, 10e6, 4e6, 3e6}}};

static void the_past_is_metered(void **state)
{
    struct fixture *f = *state;
    for (int64_t s = 0; s < 1200; s++) {
        double w = s < 300 ? 6e6 : s == 400 ? 9e6 : 3e6;
        const struct openadr_sample sample = {.grid_w = w, .figures = &figures};
        openadr_readings_sample(f->readings, t0_ms + s * 1000, &sample);
    }
    int64_t now_ms = t0_ms + 20 * minute_ms;
    assert_int_equal(ask(f, DR_REPORT_USAGE, now_ms), 4);
    near(value(f, 0, 0), 500.0); /* kWh */
    near(value(f, 0, 2), 250.0);
    assert_int_equal(cJSON_GetObjectItem(interval(f, 0, 1), "id")->valueint,
                     99);
    f->what.peak = 1;
    assert_int_equal(ask(f, DR_REPORT_DEMAND, now_ms), 4);
    near(value(f, 0, 1), 9000.0);
    assert_int_equal(ask(f, DR_REPORT_USABLE_CAPACITY, now_ms), 8);
    near(value(f, 1, 3), 10000.0);
    f->what.aggregate = 1;
    assert_int_equal(ask(f, DR_REPORT_CHARGE_LEVEL, now_ms), 4);
    near(value(f, 0, 3), 0.6);
    /* in parts, each with the id of its interval */
    f->what = (struct dr_report){.historical = 1, .parts = 1};
    f->spans[1].end_ms = f->spans[3].start_ms;
    f->spans[2] = f->spans[3];
    f->about.n_spans = 3;
    assert_int_equal(ask(f, DR_REPORT_DEMAND, now_ms), 4);
    assert_int_equal(cJSON_GetObjectItem(interval(f, 0, 1), "id")->valueint,
                     99);
    assert_int_equal(cJSON_GetObjectItem(interval(f, 0, 2), "id")->valueint,
                     99);
}

static void the_future_is_the_plans(void **state)
{
    struct fixture *f = *state;
    struct openadr_ahead *ahead = calloc(1, sizeof(*ahead));
    *ahead = (struct openadr_ahead){.start_at_ms = t0_ms,
                                    .n = 2,
                                    .step_s = {450.0, 450.0},
                                    .grid_w = {6e6, 4e6},
                                    .n_stores = 1,
                                    .soc_pu = {{0.4, 0.3}}};
    const struct openadr_sample sample = {
        .grid_w = 5e6, .figures = &figures, .ahead = ahead};
    openadr_readings_sample(f->readings, t0_ms, &sample);
    f->what.historical = 0;
    assert_int_equal(ask(f, DR_REPORT_USAGE, t0_ms), 3); /* then it ends */
    near(value(f, 0, 0), 500.0);
    near(value(f, 0, 1), 5000.0 / 12.0); /* half of either */
    near(value(f, 0, 2), 4000.0 / 12.0);
    f->what.peak = 1;
    assert_int_equal(ask(f, DR_REPORT_DEMAND, t0_ms), 3);
    near(value(f, 0, 1), 6000.0);
    assert_int_equal(ask(f, DR_REPORT_CHARGE_LEVEL, t0_ms), 3);
    near(value(f, 0, 0), 0.4);
    near(value(f, 0, 2), 0.3);
    assert_int_equal(ask(f, DR_REPORT_CHARGE_POWER, t0_ms), 8);
    near(value(f, 0, 3), 8000.0);
    /* what is over is no forecast */
    assert_int_equal(ask(f, DR_REPORT_USAGE, t0_ms + 10 * minute_ms), 1);
    near(value(f, 0, 0), 4000.0 / 12.0);
    free(ahead);
}

/* Seconds [from, from + n s) at 'w' of a history's days. */
static void fill(sqlite3 *sql, int64_t from_ms, int64_t n, double w)
{
    sqlite3_stmt *s = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(sql,
                           "INSERT INTO second(at_ms,n_ticks,degraded,"
                           "grid_mean_w) VALUES(?1,10,0,?2)",
                           -1, &s, NULL),
        SQLITE_OK);
    for (int64_t i = 0; i < n; i++) {
        sqlite3_bind_int64(s, 1, from_ms + i * 1000);
        sqlite3_bind_double(s, 2, w);
        assert_int_equal(sqlite3_step(s), SQLITE_DONE);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
}

/* The last 'n' weekend days: of 5 MW and then more, and a quarter hour of 8
 * MW just before the event, which begins on a Saturday. */
static void make_history(const struct fixture *f, int n)
{
    char notice[HISTORY_TEXT_MAX] = "";
    char why[300] = "";
    struct history_db db;
    if (history_db_open(&db, f->site->history.file, notice, why, sizeof(why)) !=
        ERR_NONE) {
        fail_msg("%s", why);
    }
    history_db_close(&db);
    sqlite3 *sql = NULL;
    assert_int_equal(sqlite3_open(f->site->history.file, &sql), SQLITE_OK);
    sqlite3_exec(sql, "BEGIN", NULL, NULL, NULL);
    for (int day = 6; n > 0; day += day % 7 == 6 ? 1 : 6, n--) {
        int64_t at_ms = t0_ms - day * day_ms;
        fill(sql, at_ms - 15 * minute_ms, 15 * 60, 4e6);
        fill(sql, at_ms, 10 * 60, (double)day * 1e6);
        fill(sql, at_ms + 10 * minute_ms, 10 * 60, (double)day * 2e6);
    }
    fill(sql, t0_ms - 15 * minute_ms, 13 * 60, 4.4e6);
    fill(sql, t0_ms - 2 * minute_ms, 2 * 60, 1e6);
    sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(sql);
}

/* A restart after ten minutes of the event: what was metered before it counts,
 * the minute of the restart itself is not known. */
static void what_the_last_run_metered_counts(void **state)
{
    struct fixture *f = *state;
    make_history(f, 0);
    sqlite3 *sql = NULL;
    assert_int_equal(sqlite3_open(f->site->history.file, &sql), SQLITE_OK);
    sqlite3_exec(sql, "BEGIN", NULL, NULL, NULL);
    fill(sql, t0_ms, 600, 6e6);
    sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(sql);
    for (int64_t s = 660; s < 1200; s++) {
        const struct openadr_sample sample = {.grid_w = 3e6};
        openadr_readings_sample(f->readings, t0_ms + s * 1000, &sample);
    }
    assert_int_equal(ask(f, DR_REPORT_DEMAND, t0_ms + 20 * minute_ms), 4);
    near(value(f, 0, 0), 6000.0);
    near(value(f, 0, 1), 6000.0);
    near(value(f, 0, 2), 3000.0);
    assert_false(is_doubtful(f, 1));
    assert_true(is_doubtful(f, 2)); /* a minute of five is missing */
    assert_false(is_doubtful(f, 3));
}

static void a_baseline_is_of_days_like_it(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = t0_ms + 20 * minute_ms;
    make_history(f, 4); /* 6, 7, 13 and 14 days ago */
    assert_int_equal(ask(f, DR_REPORT_BASELINE, now_ms), 4);
    /* the two of the last three that drew most, moved by 4.4 to 4 */
    near(value(f, 0, 0), 1.1 * (7e3 + 13e3) / 2.0);
    near(value(f, 0, 3), 1.1 * (14e3 + 26e3) / 2.0);
    assert_false(is_doubtful(f, 0));
    f->what.energy = 1;
    assert_int_equal(ask(f, DR_REPORT_BASELINE, now_ms), 4);
    near(value(f, 0, 0), 1.1 * (7e3 + 13e3) / 24.0);
    /* ahead as well */
    f->what = (struct dr_report){0};
    assert_int_equal(ask(f, DR_REPORT_BASELINE, t0_ms - minute_ms), 4);
    near(value(f, 0, 0), 1.1 * (7e3 + 13e3) / 2.0);
}

static void too_few_days_are_said(void **state)
{
    struct fixture *f = *state;
    make_history(f, 1);
    assert_int_equal(ask(f, DR_REPORT_BASELINE, t0_ms + 20 * minute_ms), 4);
    near(value(f, 0, 0), 1e3); /* the two minutes before */
    near(value(f, 0, 3), 1e3);
    assert_true(is_doubtful(f, 0));
}

static void without_a_history_the_last_quarter_hour_stands_in(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask(f, DR_REPORT_BASELINE, t0_ms + 20 * minute_ms), 4);
    near(value(f, 0, 2), 7e3);
    assert_true(is_doubtful(f, 2));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_past_is_metered),
        TEST(the_future_is_the_plans),
        TEST(what_the_last_run_metered_counts),
        TEST(a_baseline_is_of_days_like_it),
        TEST(too_few_days_are_said),
        TEST(without_a_history_the_last_quarter_hour_stands_in),
    };
    return cmocka_run_group_tests_name("openadr_readings", tests, NULL, NULL);
}
