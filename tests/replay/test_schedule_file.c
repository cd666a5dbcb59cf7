/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/schedule_file: problems nobody vouches for. */
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
#include "replay/schedule_file.h"

enum { TEXT_MAX = 8192, SEED = 20261121, MUTATIONS = 4000 };

static const char good[] =
    "{\"step_s\": 900, \"load_w\": [1e6, 2e6, 3e6],\n"
    " \"price_import_per_kwh\": [0.1, -0.2, 0.3],\n"
    " \"price_export_per_kwh\": 0, \"import_max_w\": 5e6,\n"
    " \"export_max_w\": [0, 1e6, 2e6], \"ramp_max_w_per_s\": 1000,\n"
    " \"grid_start_w\": 1.5e6,\n"
    " \"demand_charge\": {\"rate_per_kw\": 2, \"incumbent_w\": 4e6},\n"
    " \"batteries\": [{\"name\": \"b1\", \"energy_wh\": 1e6,\n"
    "  \"charge_max_w\": 5e5, \"discharge_max_w\": [1e5, 2e5, 3e5],\n"
    "  \"soc_floor_pu\": [0.1, 0.2, 0.3], \"soc_ceiling_pu\": null,\n"
    "  \"charge_eff_pu\": 0.95, \"discharge_eff_pu\": 0.9,\n"
    "  \"soc_start_pu\": 0.5, \"soc_min_pu\": 0.1, \"soc_max_pu\": 0.9,\n"
    "  \"soc_end_min_pu\": 0.4, \"terminal_value_per_kwh\": 0.05,\n"
    "  \"wear\": [{\"width_pu\": 0.3, \"start_pu\": 0, \"per_kwh\": 0.02},\n"
    "   {\"width_pu\": 0.5, \"start_pu\": 0.4, \"per_kwh\": 0.01}]}],\n"
    " \"classes\": [{\"name\": \"web\", \"demand_w\": [1, 2, 3],\n"
    "  \"value_per_kwh\": 3, \"deferrable\": false, \"min_pu\": 0.2},\n"
    "  {\"name\": \"batch\", \"demand_w\": 5, \"value_per_kwh\": 1,\n"
    "  \"deferrable\": true, \"max_w\": 9, \"delay_per_kwh_h\": 0.1}]}\n";

static struct schedule_problem *problem;

static int set_up(void **state)
{
    (void)state;
    problem = malloc(sizeof(*problem));
    return problem != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(problem);
    return 0;
}

/* 'good' with the first 'from' replaced by 'to'. */
static void change(const char *from, const char *to, char *out)
{
    const char *at = strstr(good, from);
    assert_non_null(at);
    snprintf(out, TEXT_MAX, "%.*s%s%s", (int)(at - good), good, to,
             at + strlen(from));
}

static void every_key_is_read(void **state)
{
    (void)state;
    char why[SCHEDULE_WHY_MAX];
    const struct schedule_problem *p = problem;
    if (schedule_file_read(good, strlen(good), problem, why, sizeof(why)) !=
        ERR_NONE) {
        fail_msg("%s", why);
    }
    assert_int_equal(p->n_steps, 3);
    assert_true(p->step_s[2] == 900.0 && p->load_w[1] == 2e6);
    assert_true(p->import_per_kwh[1] == -0.2 && p->export_per_kwh[2] == 0.0);
    assert_true(p->import_max_w[2] == 5e6 && p->export_max_w[1] == 1e6);
    assert_true(p->ramp_max_w_per_s == 1000.0 && p->grid_start_w == 1.5e6);
    assert_true(p->peak_per_kw == 2.0 && p->peak_w == 4e6);
    assert_int_equal(p->n_batteries, 1);
    const struct schedule_battery *b = &p->batteries[0];
    assert_string_equal(b->name, "b1");
    assert_true(b->energy_wh == 1e6 && b->charge_max_w[2] == 5e5);
    assert_true(b->discharge_max_w[1] == 2e5 && b->soc_floor_pu[2] == 0.3);
    assert_true(b->soc_ceiling_pu[0] == 1.0 && b->charge_eff_pu == 0.95);
    assert_true(b->discharge_eff_pu == 0.9 && b->soc_start_pu == 0.5);
    assert_true(b->soc_min_pu == 0.1 && b->soc_max_pu == 0.9);
    assert_true(b->soc_end_min_pu == 0.4 && b->terminal_value_per_kwh == 0.05);
    assert_int_equal(b->n_segments, 2);
    assert_true(b->segments[0].per_kwh == 0.01);
    assert_true(b->segments[0].start_pu == 0.4);
    assert_true(b->segments[1].width_pu == 0.3);
    assert_int_equal(p->n_classes, 2);
    assert_false(p->classes[0].deferrable);
    assert_true(p->classes[0].demand_w[2] == 3.0);
    assert_true(p->classes[0].min_pu == 0.2);
    assert_true(p->classes[1].deferrable && p->classes[1].max_w == 9.0);
    assert_true(p->classes[1].demand_w[2] == 5.0);
    assert_true(p->classes[1].delay_per_kwh_h == 0.1);
}

static void what_is_left_out_has_a_default(void **state)
{
    (void)state;
    static const char text[] =
        "{\"step_s\": [300, 900], \"load_w\": [1, -2],"
        "\"price_import_per_kwh\": 0.1, \"price_export_per_kwh\": 0.1,"
        "\"import_max_w\": 5, \"export_max_w\": 5, \"ramp_max_w_per_s\": null,"
        "\"demand_charge\": null, \"classes\": [], \"batteries\":"
        "[{\"name\": \"b\", \"energy_wh\": 10, \"charge_max_w\": 0,"
        "\"discharge_max_w\": 0, \"charge_eff_pu\": 1, \"discharge_eff_pu\": 1,"
        "\"soc_start_pu\": 0.95, \"soc_min_pu\": 0.1, \"soc_max_pu\": 0.9}]}";
    char why[SCHEDULE_WHY_MAX];
    if (schedule_file_read(text, strlen(text), problem, why, sizeof(why)) !=
        ERR_NONE) {
        fail_msg("%s", why);
    }
    const struct schedule_battery *b = &problem->batteries[0];
    assert_true(isinf(problem->ramp_max_w_per_s));
    assert_true(isnan(problem->grid_start_w) && problem->peak_per_kw == 0.0);
    assert_true(isnan(b->soc_end_min_pu) && b->soc_floor_pu[1] == 0.0);
    assert_int_equal(b->n_segments, 1);
    assert_true(fabs(b->segments[0].width_pu - 0.8) < 1e-12);
    assert_true(fabs(b->segments[0].start_pu - 0.85) < 1e-12);
    assert_true(b->segments[0].per_kwh == 0.0);
}

/* What is written instead of what, and what is said of it. */
static const char *const faults[][3] = {
    {"\"width_pu\": 0.3", "\"width_pu\": -1",
     "batteries[0].wear[0].width_pu: -1: expected a fraction from 0 to 1"},
    {"\"width_pu\": 0.5", "\"width_pu\": 0.4",
     "batteries[0].soc_max_pu: 0.9: expected soc_min_pu plus the sum of"},
    {"\"start_pu\": 0.4", "\"start_pu\": 0.3",
     "batteries[0].soc_start_pu: 0.5: expected soc_min_pu plus"},
    {"\"start_pu\": 0.4", "\"start_pu\": true",
     "batteries[0].wear[1].start_pu: true: expected a fraction"},
    {"[0.1, -0.2, 0.3]", "[0.1, -0.2]",
     "price_import_per_kwh: an array of 2: expected one number per step, "
     "and load_w has 3"},
    {"[0.1, -0.2, 0.3]", "[0.1, \"x\", 0.3]",
     "price_import_per_kwh[1]: \"x\": expected a price"},
    {"[0.1, -0.2, 0.3]", "[0.1, 1e999, 0.3]",
     "price_import_per_kwh[1]: inf: expected a price"},
    {"[0.1, -0.2, 0.3]", "[0.1, NaN, 0.3]",
     "line 2, column 32, in price_import_per_kwh[1]: NaN: expected"},
    {"[0.1, -0.2, 0.3]", "[0.1, null, 0.3]",
     "price_import_per_kwh[1]: null: expected a price"},
    {"[1e6, 2e6, 3e6]", "5", "load_w: 5: expected an array of 1 to 2880"},
    {"[1e6, 2e6, 3e6]", "[]", "load_w: an array of 0: expected an array"},
    {"\"load_w\": [1e6, 2e6, 3e6],", "", "load_w: missing: expected an array"},
    {"\"step_s\": 900", "\"step_s\": 0", "step_s: 0: expected seconds"},
    {"\"step_s\": 900", "\"step_s\": [900, -900, 900]",
     "step_s[1]: -900: expected seconds"},
    {"\"step_s\": 900, ", "", "step_s: missing: expected seconds"},
    {"\"import_max_w\": 5e6", "\"import_max_w\": -1",
     "import_max_w: -1: expected a power"},
    {"\"import_max_w\": 5e6", "\"import_max_w\": null",
     "import_max_w: null: expected a power"},
    {"\"energy_wh\": 1e6", "\"energy_wh\": 0",
     "batteries[0].energy_wh: 0: expected an energy"},
    {"\"charge_eff_pu\": 0.95", "\"charge_eff_pu\": 0",
     "batteries[0].charge_eff_pu: 0: expected a fraction from 0.01"},
    {"[0.1, 0.2, 0.3]", "[0.1, 1.2, 0.3]",
     "batteries[0].soc_floor_pu[1]: 1.2: expected a fraction"},
    {"\"soc_ceiling_pu\": null", "\"soc_ceiling_pu\": 0.25",
     "batteries[0].soc_floor_pu[2]: 0.3: expected at most the "
     "soc_ceiling_pu of the step, 0.25"},
    {"\"b1\"", "\"\"", "batteries[0].name: \"\": expected a name"},
    {"\"b1\"", "\"a\\u001bb\"", "batteries[0].name: \"a?b\": expected"},
    {"\"b1\"", "\"a\\u0022\"", "batteries[0].name: \"a\"\": expected"},
    {"\"batch\"", "\"web\"",
     "classes[1].name: \"web\": expected a name that no class"},
    {"\"max_w\": 9,", "", "classes[1].max_w: missing: expected a power in W"},
    {"\"min_pu\": 0.2", "\"min_pu\": 2",
     "classes[0].min_pu: 2: expected a fraction"},
    {"\"min_pu\": 0.2", "\"max_w\": 2", "classes[0].max_w: no such key"},
    {"\"deferrable\": true", "\"deferrable\": 1",
     "classes[1].max_w: no such key"},
    {"\"soc_end_min_pu\"", "\"soc_end_pu\"",
     "batteries[0].soc_end_pu: no such key: expected name, energy_wh"},
    {"\"soc_end_min_pu\"", "\"soc_min_pu\"",
     "batteries[0].soc_min_pu: 0.4: expected this key once"},
    {"\"grid_start_w\"", "\"grid\\u001bstart\"",
     "grid?start: no such key: expected step_s"},
    {"\"incumbent_w\": 4e6", "\"incumbent\": 4e6",
     "demand_charge.incumbent: no such key"},
    {"{\"rate_per_kw\": 2, \"incumbent_w\": 4e6}", "12",
     "demand_charge: 12: expected an object"},
    {"\"batteries\": [", "\"batteries\": [7, ",
     "batteries[0]: 7: expected an object"},
    {"\"classes\": [", "\"classes\": {}, \"x\": [", "x: no such key"},
    {"[1, 2, 3]", "[1, 2, -3]", "classes[0].demand_w[2]: -3: expected"},
};

static void faults_are_told_with_path_and_reason(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    char why[SCHEDULE_WHY_MAX];
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        change(faults[i][0], faults[i][1], text);
        enum err e =
            schedule_file_read(text, strlen(text), problem, why, sizeof(why));
        if (e == ERR_NONE) {
            fail_msg("\"%s\" was taken", faults[i][1]);
        } else if (strncmp(why, faults[i][2], strlen(faults[i][2])) != 0) {
            fail_msg("\"%s\" does not begin with \"%s\"", why, faults[i][2]);
        }
    }
}

static void texts_that_are_no_object_are_told_with_their_place(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "line 1, column 1: is empty"},
        {"  \n ", "line 1, column 1: is empty"},
        {"[]", "an array of 0: expected an object"},
        {"7", "7: expected an object"},
        {"{\"step_s\": 900", "line 1, column"},
        {"{\"step_s\": 900} {", "line 1, column 16: is not JSON"},
        {"{\"a\": {\"b\": [1, 2 3]}}", "line 1, column 19, in a.b[1]: is not"},
        {"[[[[[[[[[[[[[[[[", "line 1, column 9, in [0][0][0][0][0][0][0][0]: "
                             "is nested too deep"},
        {"{\"step_s\":\n \"\x01\"}",
         "line 2, column 3, in step_s: has a contr"},
        {"{\"step_s\":\n \"\xff\"}", "line 2, column 3, in step_s: is not UTF"},
        {"{\"load_w\": [1, -Infinity]}", "line 1, column 16, in load_w[1]: "},
    };
    char why[SCHEDULE_WHY_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(schedule_file_read(cases[i][0], strlen(cases[i][0]),
                                       problem, why, sizeof(why)) != ERR_NONE);
        if (strncmp(why, cases[i][1], strlen(cases[i][1])) != 0) {
            fail_msg("\"%s\" does not begin with \"%s\"", why, cases[i][1]);
        }
    }
    static const char nul[] = "{\"step_s\": 900\0}";
    assert_true(schedule_file_read(nul, sizeof(nul) - 1, problem, why,
                                   sizeof(why)) != ERR_NONE);
}

/* 'n' times 'piece' behind 'head'. */
static char *repeat(const char *head, const char *piece, size_t n)
{
    size_t size = strlen(piece);
    char *text = malloc(strlen(head) + n * size + 1);
    assert_non_null(text);
    strcpy(text, head);
    char *at = text + strlen(head);
    for (size_t i = 0; i < n; i++, at += size) {
        memcpy(at, piece, size + 1);
    }
    return text;
}

static void too_much_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head, *piece;
        size_t n;
        const char *expected;
    } cases[] = {
        {"", "[", 5000000, "is nested too deep"},
        {"", "{\"a\":", 1000000, "is nested too deep"},
        {"{\"load_w\": [1", ",1", 5000000, "has too many values"},
        {"{\"load_w\": [1]", " ", SCHEDULE_FILE_MAX, "is not JSON"},
        {"{\"load_w\": \"", "x", SCHEDULE_FILE_MAX + 1, "is too long"},
    };
    char why[SCHEDULE_WHY_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = repeat(cases[i].head, cases[i].piece, cases[i].n);
        enum err e =
            schedule_file_read(text, strlen(text), problem, why, sizeof(why));
        free(text);
        assert_true(e != ERR_NONE);
        assert_non_null(strstr(why, cases[i].expected));
    }
    char *text = repeat("{\"load_w\": [1", ",1", SCHEDULE_STEPS_MAX);
    size_t n = strlen(text);
    text = realloc(text, n + 3);
    assert_non_null(text);
    strcpy(text + n, "]}");
    assert_int_equal(schedule_file_read(text, n + 2, problem, why, sizeof(why)),
                     ERR_RANGE);
    free(text);
    assert_non_null(strstr(why, "load_w: an array of 2881: expected"));
}

static void a_file_that_never_ends_is_given_up(void **state)
{
    (void)state;
    char why[SCHEDULE_WHY_MAX];
    assert_int_equal(schedule_file_load("/dev/zero", problem, why, sizeof(why)),
                     ERR_FULL);
    assert_string_equal(why, "/dev/zero: too long: expected at most 32 MiB");
    assert_int_equal(schedule_file_load("/", problem, why, sizeof(why)),
                     ERR_IO);
    assert_string_equal(why, "/: Is a directory");
    assert_int_equal(schedule_file_load("/none", problem, why, sizeof(why)),
                     ERR_IO);
    assert_string_equal(why, "/none: No such file or directory");
    char path[] = "/tmp/schedule-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, good, strlen(good)), (ssize_t)strlen(good));
    close(fd);
    assert_int_equal(schedule_file_load(path, problem, why, sizeof(why)),
                     ERR_NONE);
    unlink(path);
}

/* What is taken is finite and within what the solver may count on. */
static void check_taken(const struct schedule_problem *p)
{
    for (int64_t t = 0; t < p->n_steps; t++) {
        assert_true(p->step_s[t] >= 0.1 && p->step_s[t] <= 86400.0);
        assert_true(isfinite(p->load_w[t]) && isfinite(p->import_per_kwh[t]));
        assert_true(p->import_max_w[t] >= 0.0 && isfinite(p->import_max_w[t]));
    }
    for (int64_t b = 0; b < p->n_batteries; b++) {
        const struct schedule_battery *a = &p->batteries[b];
        assert_true(a->energy_wh >= 1.0 && a->charge_eff_pu >= 0.01);
        assert_in_range(a->n_segments, 1, SCHEDULE_SEGMENTS_MAX);
        for (int64_t s = 1; s < a->n_segments; s++) {
            assert_true(a->segments[s].per_kwh >= a->segments[s - 1].per_kwh);
        }
    }
}

static void damaged_texts_are_taken_whole_or_refused(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED);
    print_message("seed %d\n", SEED);
    static const char bytes[] = "{}[]\",:0-9.e+nul\\t \x80\xff\n";
    char text[TEXT_MAX];
    char why[SCHEDULE_WHY_MAX];
    int n_taken = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        size_t n = strlen(good);
        memcpy(text, good, n);
        int n_hits = 1 + (int)random_draw(&random, 0.0, 3.0);
        for (int k = 0; k < n_hits; k++) {
            size_t at = (size_t)random_draw(&random, 0.0, (double)n);
            text[at] = bytes[(size_t)random_draw(&random, 0.0,
                                                 (double)(sizeof(bytes) - 1))];
        }
        n = random_draw(&random, 0.0, 1.0) < 0.1 ? n / 2 : n;
        why[0] = '\0';
        if (schedule_file_read(text, n, problem, why, sizeof(why)) ==
            ERR_NONE) {
            check_taken(problem);
            n_taken++;
        } else {
            assert_true(why[0] != '\0' && strlen(why) < sizeof(why) - 1);
        }
    }
    print_message("%d of %d taken\n", n_taken, MUTATIONS);
    assert_in_range(n_taken, 1, MUTATIONS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(faults_are_told_with_path_and_reason),
        cmocka_unit_test(texts_that_are_no_object_are_told_with_their_place),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(a_file_that_never_ends_is_given_up),
        cmocka_unit_test(damaged_texts_are_taken_whole_or_refused),
    };
    return cmocka_run_group_tests_name("schedule_file", tests, set_up,
                                       tear_down);
}
