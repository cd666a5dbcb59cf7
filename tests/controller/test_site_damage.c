/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/site_file: files that are no site files at all, files too
 * large, and seeded damage to the shipped demo site. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/site_file.h"
#include "tests/controller/site_file_fixture.h"

static void expect_single(const char *text, size_t size, const char *want)
{
    assert_int_equal(parse("t.yaml", text, size), ERR_SYNTAX);
    if (faults.n != 1 || strcmp(faults.text[0], want) != 0) {
        fail_msg("%d faults\n got %s\nwant %s", faults.n,
                 faults.n > 0 ? faults.text[0] : "", want);
    }
}

static void test_no_site_file_at_all(void **state)
{
    (void)state;
    static const char empty[] =
        "t.yaml:1:1: file: empty: expected site:, grid: and the assets";
    expect_single("", 0, empty);
    expect_single("# only this\n", 12, empty);
    static const char junk[] = "ok: 1\n\x01\x02\xff\xfe";
    expect_single(junk, sizeof(junk) - 1,
                  "t.yaml:2:1: yaml: expected a text file in UTF-8: control "
                  "characters are not allowed");
    static const char utf8[] = "site: \xff";
    expect_single(utf8, sizeof(utf8) - 1,
                  "t.yaml:1:7: yaml: expected a text file in UTF-8: invalid "
                  "leading UTF-8 octet");
    static const char open[] = "site: {name: x\ngrid: 3\n";
    expect_single(open, sizeof(open) - 1,
                  "t.yaml:2:5: yaml: expected valid YAML: did not find "
                  "expected ',' or '}', while parsing a flow mapping that "
                  "begins at 1:7");
    static const char alias[] = "site: *s\n";
    expect_single(alias, sizeof(alias) - 1,
                  "t.yaml:1:7: yaml: \"s\": expected no aliases (*name)");
    expect_single("3\n", 2,
                  "t.yaml:1:1: file: \"3\": expected a section with site, "
                  "control, grid, classes, batteries, pods, fleets, "
                  "other_load, prices, utility, mqtt, history, http");
}

/* Sizes that must cost neither time nor memory. */
static void test_large_input(void **state)
{
    (void)state;
    size_t size = (1 << 20) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '[', size);
    assert_int_equal(parse("t.yaml", text, size), ERR_SYNTAX);
    assert_string_equal(faults.text[0],
                        "t.yaml:1:1: file: expected at most 1048576 bytes");
    assert_int_equal(parse("t.yaml", text, size - 1), ERR_SYNTAX);
    assert_int_equal(faults.n, 1);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        memcpy(text + i, "a:1\n", 4);
    }
    assert_int_equal(parse("t.yaml", text, size - 1), ERR_SYNTAX);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        memcpy(text + i, "a: \n", 4);
    }
    assert_int_equal(parse("t.yaml", text, size - 1), ERR_SYNTAX);
    assert_in_range(faults.n, 3, 600);
    free(text);
}

static uint64_t draw(uint64_t *s, uint64_t below)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return (*s * 2685821657736338717u) % below;
}

/* A few flips, deletions, copies, or a truncation. */
static size_t damage(char *text, size_t size, uint64_t *seed)
{
    static const char likely[] = "\0\n:{}[],#&*!|>'\"%@`-? \t0x9e+aZ\xc3\xff";
    size_t n = 1 + draw(seed, 4);
    for (size_t i = 0; i < n && size > 1; i++) {
        size_t at = draw(seed, size);
        switch (draw(seed, 5)) {
        case 0:
            text[at] = (char)(text[at] ^ (1 << draw(seed, 8)));
            break;
        case 1:
            text[at] = likely[draw(seed, sizeof(likely))];
            break;
        case 2: {
            size_t cut = 1 + draw(seed, 12);
            cut = cut < size - at ? cut : size - at;
            memmove(text + at, text + at + cut, size - at - cut);
            size -= cut;
            break;
        }
        case 3:
            text[at] = text[draw(seed, size)];
            break;
        default:
            if (draw(seed, 4) == 0) {
                size = at;
            }
            break;
        }
    }
    return size;
}

/* "PATH:LINE:COLUMN: " with both from 1. */
static int has_place(const char *fault)
{
    int line = 0;
    int column = 0;
    int n = 0;
    return sscanf(fault, "demo:%d:%d: %n", &line, &column, &n) == 2 && n > 0 &&
           line >= 1 && column >= 1 && fault[n] != '\0';
}

static int plausible(void)
{
    const struct site_battery *b = &site.batteries[0];
    return isfinite(site.grid.import_max_w) && site.grid.import_max_w > 0.0 &&
           site.grid.import_trip_w >= site.grid.import_max_w &&
           site.control.period_s >= 0.02 && site.n_pods <= SITE_PODS_MAX &&
           (site.n_batteries == 0 ||
            (isfinite(b->energy_wh) && b->soc_min_pu < b->soc_max_pu &&
             isfinite(b->sim_soc_start_pu)));
}

static void test_damage_is_told_or_harmless(void **state)
{
    (void)state;
    char *whole = NULL;
    size_t size = 0;
    assert_int_equal(site_file_read("replay/sites/demo.yaml", &whole, &size),
                     ERR_NONE);
    int n_good = 0;
    uint64_t seed = 20240601;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 4000; i++) {
        uint64_t before = seed;
        char *text = malloc(size + 1);
        assert_non_null(text);
        memcpy(text, whole, size);
        size_t n = damage(text, size, &seed);
        enum err e = parse("demo", text, n);
        int ok = e == ERR_NONE ? faults.n == 0 && plausible() : faults.n >= 1;
        for (int k = 0; k < faults.n && k < FAULTS_MAX && ok; k++) {
            ok = has_place(faults.text[k]);
        }
        if (!ok) {
            fail_msg("run %d, seed %llu: error %d, %d faults, first: %s", i,
                     (unsigned long long)before, (int)e, faults.n,
                     faults.n > 0 ? faults.text[0] : "");
        }
        n_good += e == ERR_NONE;
        free(text);
    }
    free(whole);
    print_message("%d of 4000 damaged files still parse\n", n_good);
    assert_in_range(n_good, 40, 3900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_site_file_at_all),
        cmocka_unit_test(test_large_input),
        cmocka_unit_test(test_damage_is_told_or_harmless),
    };
    return cmocka_run_group_tests_name("site_damage", tests, NULL, NULL);
}
