/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/cli: a table of command lines, refusals, and random
 * words that must end in a code. */
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

static struct {
    bool strict;
    const char *load;
    struct cli_texts where;
    double scale;
    long repeat;
    double every_s;
    const char *event;
} got;

static const struct cli_option options[] = {
    {"strict", CLI_FLAG, &got.strict, NULL, "a flag"},
    {"load", CLI_TEXT, &got.load, "FILE", "a text"},
    {"where", CLI_TEXTS, &got.where, "COL=VALUE", "texts"},
    {"scale", CLI_NUMBER, &got.scale, "X", "a number"},
    {"repeat", CLI_COUNT, &got.repeat, "N", "a count"},
    {"every", CLI_DURATION, &got.every_s, "DURATION", "a duration"},
    {"event", CLI_WORD, &got.event, "[KIND]", "a word or nothing"},
};

static const struct cli cli = {
    .command = "try",
    .args = "SITE [OTHER]",
    .about = "Nothing.",
    .example = "  ballast try x\n",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .min_args = 1,
    .max_args = 2,
};

enum { WORDS_MAX = 12 };

/* Parses the words behind the command; positional arguments in argv. */
static int run(const char *const *words, char **argv, int *n_args)
{
    static char copies[WORDS_MAX + 1][64];
    int argc = 1;
    argv[0] = strcpy(copies[0], "try");
    for (; words[argc - 1] != NULL && argc <= WORDS_MAX; argc++) {
        snprintf(copies[argc], sizeof(copies[0]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
    }
    memset(&got, 0, sizeof(got));
    *n_args = -1;
    return cli_parse(&cli, argc, argv, n_args);
}

static void test_takes_all_kinds(void **state)
{
    (void)state;
    static const char *const words[] = {
        "--load",        "a b.csv",         "site.yaml",
        "--where=run=B", "--strict",        "--where",
        "x=1",           "--scale",         "-3.5e2",
        "--repeat=7",    "--every=1.5 min", NULL};
    char *argv[WORDS_MAX + 1];
    int n_args = 0;
    assert_int_equal(run(words, argv, &n_args), -1);
    assert_int_equal(n_args, 1);
    assert_string_equal(argv[1], "site.yaml");
    assert_true(got.strict);
    assert_string_equal(got.load, "a b.csv");
    assert_int_equal(got.where.n, 2);
    assert_string_equal(got.where.at[0], "run=B");
    assert_string_equal(got.where.at[1], "x=1");
    assert_true(got.scale == -350.0);
    assert_int_equal(got.repeat, 7);
    assert_true(got.every_s == 90.0);
}

static void test_a_word_may_be_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *words[5];
        const char *event; /* NULL: not given */
    } rows[] = {
        {{"x"}, NULL},
        {{"x", "--event"}, ""},
        {{"x", "--event", "--strict"}, ""},
        {{"x", "--event", "--"}, ""},
        {{"x", "--event", "price"}, "price"},
        {{"--event", "price", "x"}, "price"},
        {{"--event=price", "x"}, "price"},
        {{"--event=", "x"}, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *argv[WORDS_MAX + 1];
        int n_args = 0;
        assert_int_equal(run(rows[i].words, argv, &n_args), -1);
        assert_int_equal(n_args, 1);
        assert_string_equal(got.event != NULL ? got.event : "none",
                            rows[i].event != NULL ? rows[i].event : "none");
    }
}

static void test_codes(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        int code;
    } rows[] = {
        {{"x"}, -1},
        {{"x", "y"}, -1},
        {{"--", "--strict"}, -1},
        {{"x", "--every=60s"}, -1},
        {{"--help"}, EXIT_DONE},
        {{"x", "-h"}, EXIT_DONE},
        {{"--scale", "1", "--help"}, EXIT_DONE},
        {{NULL}, EXIT_USAGE},
        {{"x", "y", "z"}, EXIT_USAGE},
        {{"x", "--nonsense"}, EXIT_USAGE},
        {{"x", "--stric"}, EXIT_USAGE},
        {{"x", "--strict=1"}, EXIT_USAGE},
        {{"x", "--load"}, EXIT_USAGE},
        {{"x", "--scale", "abc"}, EXIT_USAGE},
        {{"x", "--scale", "nan"}, EXIT_USAGE},
        {{"x", "--scale", "inf"}, EXIT_USAGE},
        {{"x", "--scale="}, EXIT_USAGE},
        {{"x", "--scale=1x"}, EXIT_USAGE},
        {{"x", "--repeat", "0"}, EXIT_USAGE},
        {{"x", "--repeat", "-1"}, EXIT_USAGE},
        {{"x", "--repeat", "1.5"}, EXIT_USAGE},
        {{"x", "--repeat", "99999999999999999999"}, EXIT_USAGE},
        {{"x", "--every", "60"}, EXIT_USAGE},
        {{"x", "--every", "0 s"}, EXIT_USAGE},
        {{"x", "--every", "-1 s"}, EXIT_USAGE},
        {{"x", "--every", "5 MW"}, EXIT_USAGE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *argv[WORDS_MAX + 1];
        int n_args = 0;
        int code = run(rows[i].words, argv, &n_args);
        if (code != rows[i].code) {
            fail_msg("row %d (%s ...): code %d, want %d", (int)i,
                     rows[i].words[0], code, rows[i].code);
        }
    }
}

static void test_too_many_texts(void **state)
{
    (void)state;
    char *argv[2 * CLI_TEXTS_MAX + 6];
    static char name[] = "--where";
    static char text[] = "a=b";
    int argc = 0;
    argv[argc++] = name;
    for (int i = 0; i <= CLI_TEXTS_MAX; i++) {
        argv[argc++] = name;
        argv[argc++] = text;
    }
    memset(&got, 0, sizeof(got));
    int n_args = 0;
    assert_int_equal(cli_parse(&cli, argc, argv, &n_args), EXIT_USAGE);
    assert_int_equal(got.where.n, CLI_TEXTS_MAX);
}

static uint64_t draw(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

static void test_any_words_end_in_a_code(void **state)
{
    (void)state;
    static const char *const vocabulary[] = {
        "x",     "--strict", "--load",   "--where",  "--scale", "--scale=2",
        "2",     "-1",       "",         "--",       "-",       "--=",
        "5 min", "--every",  "--every=", "--repeat", "--load="};
    uint64_t n = sizeof(vocabulary) / sizeof(vocabulary[0]);
    uint64_t seed = 9;
    print_message("seed %llu\n", (unsigned long long)seed);
    int n_taken = 0;
    int n_wrong = 0;
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0 && freopen("/dev/null", "w", stderr) != NULL);
    for (int i = 0; i < 20000; i++) {
        const char *words[WORDS_MAX] = {NULL};
        uint64_t n_words = draw(&seed) % (WORDS_MAX - 1);
        for (uint64_t k = 0; k < n_words; k++) {
            words[k] = vocabulary[draw(&seed) % n];
        }
        char *argv[WORDS_MAX + 1];
        int n_args = 0;
        int code = run(words, argv, &n_args);
        n_wrong += code != -1 && code != EXIT_USAGE;
        n_wrong += code == -1 && (n_args < 1 || n_args > 2);
        n_wrong += !isfinite(got.scale) || got.every_s < 0.0;
        n_taken += code == -1;
    }
    fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    assert_int_equal(n_wrong, 0);
    assert_true(n_taken > 100);
}

static void test_data_dir(void **state)
{
    (void)state;
    assert_int_equal(setenv("BALLAST_DATA", "/some/where", 1), 0);
    assert_string_equal(cli_data_dir("maps"), "/some/where/maps");
    assert_string_equal(cli_data_dir("sites"), "/some/where/sites");
    assert_int_equal(unsetenv("BALLAST_DATA"), 0);
    assert_true(strlen(cli_data_dir("sites")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_all_kinds),
        cmocka_unit_test(test_a_word_may_be_left_out),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_too_many_texts),
        cmocka_unit_test(test_data_dir),
        cmocka_unit_test(test_any_words_end_in_a_code),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
