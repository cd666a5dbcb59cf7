/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/history_read and controller/explain: the decision in
 * force at a time, what is not known, and what is no history. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/cli.h"
#include "controller/explain.h"
#include "controller/historian.h"
#include "controller/history_read.h"
#include "models/calendar.h"
#include "tests/controller/history_sample.h"

static const int64_t start_ms = INT64_C(1790000000000);

struct fixture {
    struct site *site;
    char folder[64];
    char db[96];
    char site_file[96];
    char said[96];
};

static void tick_at(struct historian *h, struct sample_tick *t, int64_t ms,
                    enum reason code)
{
    struct tick_record *r = &t->out->record;
    r->tick = ++t->in->tick;
    t->in->utc_ms = r->utc_ms = start_ms + ms;
    r->grid_w = 12e6 + (double)ms;
    r->n_why = 2;
    r->why[0] = (struct reason_line){.code = code, .value = 3e6, .limit = 16e6};
    r->why[1] = (struct reason_line){
        .code = REASON_SOC, .asset = ASSET_BATTERY, .index = 1, .limit = 0.9};
    assert_true(historian_push(h, t->in, &t->plan, t->out));
}

static struct historian *historian_of(const struct site *site, const char *db)
{
    const struct historian_cfg cfg = {
        .site = site,
        .site_text = "",
        .site_path = "sample.yaml",
        .db_path = db,
        .state = "",
        .utc_ms = start_ms,
    };
    struct historian *h = NULL;
    char why[300] = "";
    assert_int_equal(historian_open(&cfg, &h, why, sizeof(why)), ERR_NONE);
    return h;
}

/* Ten seconds: HOLD, then from 4.5 s on IMPORT. */
static void write_history(const struct fixture *f)
{
    struct historian *h = historian_of(f->site, f->db);
    struct sample_tick t;
    sample_open(&t, f->site);
    for (int64_t ms = 0; ms < 10000; ms += 500) {
        tick_at(h, &t, ms, ms < 4500 ? REASON_HOLD : REASON_IMPORT);
    }
    historian_close(h);
    sample_close(&t);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->site = sample_site();
    sample_folder(f->folder);
    snprintf(f->db, sizeof(f->db), "%s/h.db", f->folder);
    snprintf(f->said, sizeof(f->said), "%s/said", f->folder);
    snprintf(f->site_file, sizeof(f->site_file), "%s/site.yaml", f->folder);
    write_history(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sample_folder_remove(f->folder);
    free(f->site);
    free(f);
    return 0;
}

static void test_decision_in_force(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        int64_t ms;
        const char *code; /* NULL: nothing is known */
        int64_t since_ms;
        int64_t second_ms;
    } cases[] = {
        {-1, NULL, 0, 0},
        {0, "hold", 0, 0},
        {4499, "hold", 0, 4000},
        {4500, "import", 4500, 4000},
        {9999, "import", 4500, 9000},
        {86400000, "import", 4500, 9000},
    };
    struct history_reader *r = NULL;
    char why[200] = "";
    assert_int_equal(history_read_open(f->db, &r, why, sizeof(why)), ERR_NONE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct history_decision d;
        struct second_row s;
        int64_t at_ms = start_ms + cases[i].ms;
        bool known = cases[i].code != NULL;
        assert_int_equal(history_read_decision(r, at_ms, &d), known);
        assert_int_equal(history_read_second(r, at_ms, &s), known);
        assert_string_equal(history_read_error(r), "");
        if (known) {
            assert_string_equal(d.lines[0].code, cases[i].code);
            assert_int_equal(d.at_ms, start_ms + cases[i].since_ms);
            assert_int_equal(d.n_lines, 2);
            assert_string_equal(d.lines[1].asset, "bess2");
            assert_true(d.lines[1].limit == 0.9);
            assert_int_equal(s.at_ms, start_ms + cases[i].second_ms);
            assert_int_equal(s.n_ticks, 2);
            assert_true(s.values[SECOND_grid_max_w] ==
                        12e6 + (double)cases[i].second_ms + 500.0);
        }
    }
    history_read_close(r);
}

/* Runs explain with its output in a file, whose text is in 'said'. */
static int explain(const struct fixture *f, const char *what, const char *at,
                   bool json, char said[4000])
{
    char arg_0[] = "explain";
    char arg_what[128];
    char arg_at[64];
    char arg_json[] = "--json";
    snprintf(arg_what, sizeof(arg_what), "%s", what);
    snprintf(arg_at, sizeof(arg_at), "--at=%s", at);
    char *argv[] = {arg_0, arg_what, arg_at, arg_json, NULL};
    fflush(stdout);
    int keep = dup(STDOUT_FILENO);
    assert_non_null(freopen(f->said, "wb", stdout));
    int exit_code = explain_main(json ? 4 : 3, argv);
    fflush(stdout);
    dup2(keep, STDOUT_FILENO);
    close(keep);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->said, &n);
    n = n < 3999 ? n : 3999;
    memcpy(said, bytes, n);
    said[n] = '\0';
    free(bytes);
    return exit_code;
}

static void test_the_sentence(void **state)
{
    const struct fixture *f = *state;
    char at[CALENDAR_TEXT_MAX];
    char since[CALENDAR_TEXT_MAX];
    char decided[CALENDAR_TEXT_MAX + 20];
    char said[4000];
    calendar_format_utc(start_ms + 4500, since);
    calendar_format_utc(start_ms + 6200, at);
    assert_int_equal(explain(f, f->db, at, false, said), EXIT_DONE);
    assert_int_equal(strncmp(said, at, strlen(at)), 0);
    assert_non_null(strstr(said, ": the import limit of 16.00 MW bound: the "
                                 "load was "));
    assert_non_null(strstr(said, "; bess2 is at its state-of-charge limit"));
    snprintf(decided, sizeof(decided), "  as decided at %s", since);
    assert_non_null(strstr(said, decided));
    assert_null(strstr(said, "not running"));
    calendar_format_utc(start_ms + 25000, at);
    assert_int_equal(explain(f, f->db, at, false, said), EXIT_DONE);
    assert_int_equal(strncmp(said, at, strlen(at)), 0);
    assert_non_null(strstr(said, ": the controller was not running: "));
    assert_non_null(strstr(said, decided));
    assert_null(strstr(said, " bound"));
    calendar_format_utc(start_ms + 6200, at);
    assert_int_equal(explain(f, f->db, at, true, said), EXIT_DONE);
    assert_non_null(strstr(said, "\"code\":\t\"import\""));
    assert_non_null(strstr(said, "\"sentence\":\t\"the import limit"));
    assert_non_null(strstr(said, "\"grid_max_w\":\t12006500"));
}

/* A reason that stands for a minute while its number rises: the number is that
 * of the time asked for, and the reason has its own beginning. */
static void test_numbers_are_of_the_time_asked_for(void **state)
{
    const struct fixture *f = *state;
    char db[128];
    snprintf(db, sizeof(db), "%s/again.db", f->folder);
    struct historian *h = historian_of(f->site, db);
    struct sample_tick t;
    sample_open(&t, f->site);
    for (int i = 0; i < 70; i++) {
        struct tick_record *r = &t.out->record;
        r->tick = ++t.in->tick;
        t.in->utc_ms = r->utc_ms = start_ms + 1000 * i;
        r->n_why = 1;
        r->why[0] = (struct reason_line){
            .code = i < 5 ? REASON_HOLD : REASON_IMPORT,
            .value = i < 5 ? 1e6 : 1e6 * i,
            .limit = 1e6,
            .need = 1e6 * (i - 1),
        };
        assert_true(historian_push(h, t.in, &t.plan, t.out));
    }
    historian_close(h);
    sample_close(&t);
    char at[CALENDAR_TEXT_MAX];
    char since[CALENDAR_TEXT_MAX + 32];
    char said[4000];
    calendar_format_utc(start_ms + 5000, at);
    snprintf(since, sizeof(since), "for this reason since %s", at);
    calendar_format_utc(start_ms + 47000, at);
    assert_int_equal(explain(f, db, at, false, said), EXIT_DONE);
    assert_non_null(strstr(said, "the load is 45.00 MW, the batteries give "
                                 "44.00 MW"));
    assert_non_null(strstr(said, since));
}

static void test_the_site_file_names_the_database(void **state)
{
    const struct fixture *f = *state;
    size_t n = 0;
    unsigned char *demo = sample_read("replay/sites/demo.yaml", &n);
    assert_non_null(demo);
    demo[n] = '\0';
    char *at_history = strstr((char *)demo, "\nhistory:");
    assert_non_null(at_history);
    FILE *out = fopen(f->site_file, "wb");
    char *rest = strchr(at_history + 1, '\n');
    fprintf(out, "%.*s\nhistory: {file: %s}%s",
            (int)(at_history - (char *)demo), (char *)demo, f->db, rest);
    fclose(out);
    free(demo);
    char at[CALENDAR_TEXT_MAX];
    char said[4000];
    calendar_format_utc(start_ms + 1000, at);
    assert_int_equal(explain(f, f->site_file, at, false, said), EXIT_DONE);
    assert_non_null(strstr(said, "the load is steady"));
}

static void test_what_is_not_known(void **state)
{
    const struct fixture *f = *state;
    char at[CALENDAR_TEXT_MAX];
    char said[4000];
    const struct {
        int64_t ms;
        int exit_code;
    } cases[] = {
        {-1000, EXIT_NO},
        {30000, EXIT_DONE}, /* its last second is half a minute old */
        {60000, EXIT_NO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        calendar_format_utc(start_ms + cases[i].ms, at);
        assert_int_equal(explain(f, f->db, at, false, said),
                         cases[i].exit_code);
    }
    assert_int_equal(explain(f, f->db, "now", false, said), EXIT_NO);
}

static void test_what_is_no_history(void **state)
{
    const struct fixture *f = *state;
    char said[4000];
    assert_int_equal(explain(f, "/nonexistent", "now", false, said),
                     EXIT_USAGE);
    assert_int_equal(explain(f, f->db, "yesterday", false, said), EXIT_USAGE);
    assert_int_equal(explain(f, "ballast.c", "now", false, said), EXIT_USAGE);
    char bytes[200] = "SQLite format 3";
    sample_write(f->said, bytes, sizeof(bytes));
    struct history_reader *r = NULL;
    char why[200] = "";
    assert_int_equal(history_read_open(f->said, &r, why, sizeof(why)), ERR_IO);
    assert_true(strlen(why) > 0);
    assert_int_equal(history_read_open("/nonexistent", &r, why, sizeof(why)),
                     ERR_IO);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_decision_in_force),
        CASE(test_the_sentence),
        CASE(test_numbers_are_of_the_time_asked_for),
        CASE(test_the_site_file_names_the_database),
        CASE(test_what_is_not_known),
        CASE(test_what_is_no_history),
    };
    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
