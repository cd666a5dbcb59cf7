/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/observed, replay/trace_time and the texts of a picture:
 * files as loggers write them. */
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

#include "models/random.h"
#include "replay/observed.h"
#include "replay/plot_svg.h"
#include "replay/xml_text.h"

#define GAP (-1.0) /* in the tables below */

static char why[512];

/* Loads 'text' as a file; the caller clears. */
static enum err load(const char *text, struct observed_cfg *cfg,
                     struct observed *out)
{
    char path[] = "/tmp/ballast-observed-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    size_t n = strlen(text);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    close(fd);
    cfg->load = path;
    why[0] = '\0';
    enum err e = observed_load(cfg, out, why, sizeof(why));
    unlink(path);
    return e;
}

static void expect(const char *what, const struct observed *o, size_t n,
                   const double *y, const char *parts)
{
    if (o->n != n) {
        fail_msg("%s: %zu values, expected %zu", what, o->n, n);
    }
    for (size_t k = 0; k < n; k++) {
        bool same = y[k] == GAP ? isnan(o->y[k]) : fabs(o->y[k] - y[k]) < 1e-9;
        if (!same || o->part[k] != parts[k] - '0') {
            fail_msg("%s: value %zu is %g of part %d", what, k, o->y[k],
                     o->part[k]);
        }
    }
}

static const struct {
    const char *what, *text;
    double step_s;
    size_t n;
    double y[12];
    const char *parts;
    size_t n_dropped, n_parts, n_gaps;
} logged[] = {
    {"plain",
     "t_s,a_kw\n0,1\n2,2\n4,3\n",
     2,
     3,
     {1e3, 2e3, 3e3},
     "000",
     0,
     0,
     0},
    {"late rows are held",
     "t_s,a_w\n0,1\n1,2\n2,3\n4,4\n5,5\n",
     1,
     6,
     {1, 2, 3, 3, 4, 5},
     "000000",
     0,
     0,
     0},
    {"a time again",
     "t_s,a_w\n0,1\n1,2\n1,9\n2,3\n",
     1,
     3,
     {1, 2, 3},
     "000",
     1,
     0,
     0},
    {"one row stamped ahead",
     "t_s,a_w\n0,1\n1,2\n50,9\n2,3\n3,4\n",
     1,
     4,
     {1, 2, 3, 4},
     "0000",
     1,
     0,
     0},
    {"the clock is set back",
     "t_s,a_w\n5,1\n6,2\n7,3\n1,4\n2,5\n3,6\n",
     1,
     6,
     {1, 2, 3, 4, 5, 6},
     "000111",
     0,
     1,
     0},
    {"two runs in one file",
     "t_s,a_w\n0,1\n2,2\n4,3\n0,4\n2,5\n4,6\n",
     2,
     6,
     {1, 2, 3, 4, 5, 6},
     "000111",
     0,
     1,
     0},
    {"a faulty row",
     "t_s,a_w\n0,1\n1,x\n2,3\n3,4\n4,5\n",
     1,
     5,
     {1, 1, 3, 4, 5},
     "00000",
     1,
     0,
     0},
    {"a gap of over ten steps",
     "t_s,a_w\n0,1\n1,2\n2,3\n3,4\n14,5\n15,6\n",
     1,
     16,
     {1, 2, 3, 4, GAP, GAP, GAP, GAP, GAP, GAP, GAP, GAP},
     "000000000000",
     0,
     0,
     1},
};

static void files_as_loggers_write_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(logged) / sizeof(logged[0]); i++) {
        struct observed_cfg cfg = {.scale = 1.0};
        struct observed o;
        if (load(logged[i].text, &cfg, &o) != ERR_NONE) {
            fail_msg("%s: %s", logged[i].what, why);
        }
        assert_true(fabs(o.step_s - logged[i].step_s) < 1e-12);
        assert_int_equal(o.n, logged[i].n);
        o.n = o.n > 12 ? 12 : o.n;
        expect(logged[i].what, &o, o.n, logged[i].y, logged[i].parts);
        if (o.n_dropped != logged[i].n_dropped ||
            o.n_parts != logged[i].n_parts || o.n_gaps != logged[i].n_gaps) {
            fail_msg("%s: %zu dropped, %zu parts, %zu gaps", logged[i].what,
                     o.n_dropped, o.n_parts, o.n_gaps);
        }
        observed_clear(&o);
    }
}

static void prices_may_be_negative(void **state)
{
    (void)state;
    struct observed_cfg cfg = {.scale = 2.0};
    struct observed o;
    assert_int_equal(load("time_local,x_per_mwh\n2017-01-01T00:00,20.5\n"
                          "2017-01-01T01:00,-3\n2017-01-01T02:00,\n"
                          "2017-01-01T03:00,0\n",
                          &cfg, &o),
                     ERR_NONE);
    static const double y[] = {41.0, -6.0, GAP, 0.0};
    expect("prices", &o, 4, y, "0000");
    assert_string_equal(o.unit, "per_mwh");
    assert_true(o.step_s == 3600.0 && o.n_gaps == 1);
    assert_int_equal(o.start_utc_ms, 1483228800000);
    observed_clear(&o);
}

/* A column is what its name says, and a load comes before a price. */
static void column_decides(void **state)
{
    (void)state;
    static const char both[] = "time_utc,p_per_kwh,load_mw\n"
                               "2017-01-01T00:00:00Z,-1,5\n"
                               "2017-01-01T01:00:00Z,-2,6\n";
    struct observed_cfg cfg = {.scale = 1.0};
    struct observed o;
    assert_int_equal(load(both, &cfg, &o), ERR_NONE);
    assert_string_equal(o.unit, "W");
    observed_clear(&o);
    cfg.column = "p_per_kwh";
    assert_int_equal(load(both, &cfg, &o), ERR_NONE);
    assert_string_equal(o.unit, "per_kwh");
    assert_true(o.y[1] == -2.0);
    observed_clear(&o);
}

static void coarser_is_the_mean(void **state)
{
    (void)state;
    double y[] = {1, 3, NAN, 5, NAN, NAN, 7, 9, 11};
    struct observed o = {.unit = "W", .step_s = 1.0, .n = 9};
    o.y = malloc(sizeof(y));
    o.part = calloc(9, 1);
    memcpy(o.y, y, sizeof(y));
    assert_int_equal(observed_coarsen(&o, 2.0), ERR_NONE);
    static const double want[] = {2, 5, GAP, 8};
    expect("coarser", &o, 4, want, "0000");
    assert_int_equal(o.n_gaps, 1);
    assert_int_equal(observed_coarsen(&o, 1.0), ERR_RANGE);
    observed_clear(&o);
}

static void generator_is_sampled_at_any_step(void **state)
{
    (void)state;
    struct observed_cfg cfg = {.load = "gen:training", .scale = 1.0};
    struct observed o;
    assert_int_equal(observed_load(&cfg, &o, why, sizeof(why)), ERR_NONE);
    assert_true(o.step_s == 1.0 && o.n == 3600 && o.start_utc_ms == -1);
    observed_clear(&o);
    cfg.load = "gen:inference,days=8";
    cfg.step_s = 3600.0;
    assert_int_equal(observed_load(&cfg, &o, why, sizeof(why)), ERR_NONE);
    assert_true(o.step_s == 3600.0 && o.n == 8 * 24);
    observed_clear(&o);
}

static void refusals_say_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct observed_cfg cfg;
        const char *words;
    } cases[] = {
        {"", {.scale = 1.0}, "the file is empty"},
        {"t_s,a_w\n0,1\n", {.scale = 1.0}, "expected at least 2"},
        {"t_s,a_w\n0,1\n1,2\n",
         {.scale = 1.0, .column = "b_w"},
         "no column \"b_w\""},
        {"t_s,a_w\n0,1\n1,2\n",
         {.scale = 1.0, .column = "b_per_mwh"},
         "no column \"b_per_mwh\""},
        {"t_s,a_w\n0,1\n1,2\n", {.scale = 0.0}, "--scale"},
        {"t_s,a_w\n0,1\n1,2\n",
         {.scale = 1.0, .step_s = 0.5},
         "expected at least the step"},
        {"t_s,a_w\n0,1\n1,2\n",
         {.scale = 1.0, .where = {{"b=1"}, 1}},
         "no column \"b\""},
        {"time_utc,a_per_mwh\n2017-01-01T00:00:00Z,1\n"
         "2017-01-01T01:00:00Z,1\n",
         {.scale = 1.0, .where = {{"b=1"}, 1}},
         "only with a load"},
        {"time_utc,a_per_mwh\n2017-01-01T00:00:00Z,nan\n",
         {.scale = 1.0},
         "a finite number"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct observed_cfg cfg = cases[i].cfg;
        struct observed o;
        enum err e = load(cases[i].text, &cfg, &o);
        if (e == ERR_NONE || strstr(why, cases[i].words) == NULL) {
            fail_msg("case %zu: %s: %s", i, err_text(e), why);
        }
    }
}

/* Whatever the times are: as many samples as values, in order, no crash. */
static void any_times_give_a_series(void **state)
{
    (void)state;
    static char text[40000];
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t random = random_seed(seed);
        size_t n = (size_t)snprintf(text, sizeof(text), "t_s,a_w\n");
        int rows = (int)random_draw(&random, 2, 400);
        double t = 0.0;
        for (int i = 0; i < rows; i++) {
            double kind = random_draw(&random, 0, 1);
            t += kind < 0.9 ? 1.0 : random_draw(&random, -300, 300);
            n +=
                (size_t)snprintf(text + n, sizeof(text) - n, "%.0f,%d\n", t, i);
        }
        struct observed_cfg cfg = {.scale = 1.0};
        struct observed o;
        if (load(text, &cfg, &o) != ERR_NONE) {
            continue; /* a few rows that cannot be a series */
        }
        double last = -1.0;
        for (size_t k = 0; k < o.n; k++) {
            assert_true(isnan(o.y[k]) || o.y[k] >= last);
            assert_true(k == 0 || o.part[k] >= o.part[k - 1]);
            last = isnan(o.y[k]) ? last : o.y[k];
        }
        assert_true(o.n_parts <= 64 && o.n_dropped <= (size_t)rows);
        observed_clear(&o);
    }
}

static void words_become_xml(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"<script>&\"'", "&lt;script&gt;&amp;&quot;&#39;"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x8b",
         "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x8b"},
        {"a\nb\x01\x7f", "a?b??"},
        {"\xff\xfe", "??"},
        {"\xc0\xaf", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xef\xbf\xbf", "???"},
        {"\xf4\x90\x80\x80", "????"},
        {"cut \xe2\x82", "cut ??"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char got[128] = "";
        FILE *f = fmemopen(got, sizeof(got), "w");
        assert_non_null(f);
        xml_text_print(cases[i][0], f);
        fclose(f);
        assert_string_equal(got, cases[i][1]);
    }
}

/* No picture has a number that is none, whatever is shown. */
static void picture_of_anything(void **state)
{
    (void)state;
    static const double odd[] = {NAN, 0, 1, -1, 1e12, -1e12, 1e-12, INFINITY};
    static char svg[200000];
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t random = random_seed(seed);
        double y[4][40];
        for (int i = 0; i < 4 * 40; i++) {
            y[i / 40][i % 40] = odd[(int)random_draw(&random, 0, 8)];
        }
        struct plot_svg plot = {.title = "a<b&c",
                                .subtitle = "",
                                .forecast_name = "f",
                                .unit = "W",
                                .start_s = random_draw(&random, 0, 1e8),
                                .start_utc_ms =
                                    seed % 2 == 0 ? -1 : 1700000000000,
                                .step_s = random_draw(&random, 1e-3, 4000.0),
                                .n = (size_t)random_draw(&random, 2, 40),
                                .came = y[0],
                                .mean = y[1],
                                .lo = y[2],
                                .hi = y[3]};
        FILE *f = fmemopen(svg, sizeof(svg), "w");
        assert_int_equal(plot_svg_write(&plot, f), ERR_NONE);
        fclose(f);
        assert_null(strstr(svg, "nan"));
        assert_null(strstr(svg, "inf"));
        assert_null(strstr(svg, "a<b"));
        assert_non_null(strstr(svg, "a&lt;b&amp;c"));
        assert_non_null(strstr(svg, "</svg>"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_as_loggers_write_them),
        cmocka_unit_test(prices_may_be_negative),
        cmocka_unit_test(column_decides),
        cmocka_unit_test(coarser_is_the_mean),
        cmocka_unit_test(generator_is_sampled_at_any_step),
        cmocka_unit_test(refusals_say_what_was_expected),
        cmocka_unit_test(any_times_give_a_series),
        cmocka_unit_test(words_become_xml),
        cmocka_unit_test(picture_of_anything),
    };
    return cmocka_run_group_tests_name("observed", tests, NULL, NULL);
}
