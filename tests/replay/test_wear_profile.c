/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/wear_profile: files nobody vouches for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "replay/wear_profile.h"

static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void check_bad(const char *text, const char *expected)
{
    char path[] = "/tmp/wear-XXXXXX";
    write_file(path, text);
    struct wear_profile p;
    char why[512];
    char want[256];
    enum err e = wear_profile_load(path, &p, why, sizeof(why));
    unlink(path);
    assert_true(e != ERR_NONE);
    snprintf(want, sizeof(want), "%s:%s", path, expected);
    if (strncmp(why, want, strlen(want)) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", why, want);
    }
}

static void bad_profiles_are_refused_with_line_and_reason(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"time_s,soc\n0,0.5\n", "1: no column \"temperature_C\""},
        {"soc,temperature_C\n0.5,25\n", "1: no column \"time_s\""},
        {"time_s,soc,temperature_C\n0,0.5,25\n900,0.5,25\n600,0.5,25\n",
         "4: time_s \"600\": expected a later time"},
        {"time_s,soc,temperature_C\n0,0.5,25\n0,0.5,25\n",
         "3: time_s \"0\": expected a later time"},
        {"time_s,soc,temperature_C\n0,0.5,25\n900,1.01,25\n",
         "3: soc \"1.01\": expected a state of charge"},
        {"time_s,soc,temperature_C\n0,0.1,25\n5e-324,0.9,25\n",
         "3: time_s \"5e-324\": expected at least 1 ms"},
        {"time_s,soc,temperature_C\n0,0.1,25\n4e7,0.9,25\n",
         "3: time_s \"4e7\": expected at most a year"},
        {"time_s,soc,temperature_C\n-1e308,0.1,25\n1e308,0.9,25\n",
         "3: time_s \"1e308\": expected at most a year"},
        {"time_s,soc,temperature_C\n0,0.1,25\n1e999,0.9,25\n",
         "3: time_s \"1e999\": expected a finite number"},
        {"time_s,soc,temperature_C\n0,,25\n", "2: soc \"\": expected"},
        {"time_s,soc,temperature_C\n0,0.5,25\n900,50 %,25\n",
         "3: soc \"50 %\": expected a finite number"},
        {"time_s,soc,temperature_C\n0,0.5,25\n900,\"0.5,25\n", "3: a quote"},
        {"time_s,soc,temperature_C,soc\n", "1: two columns of one name"},
        {"time_s;soc;temperature_C\n0;0.5;25\n", "1: no column \"time_s\""},
        {"time_s,soc,temperature_C\n", "2: the profile ends here"},
        {"\x01\x02\xff\n", "1: no column \"time_s\""},
        {"time_s,soc,temperature_C\n0,-0.1,25\n", "2: soc \"-0.1\": expected"},
        {"time_s,soc,temperature_C\n0,nan,25\n",
         "2: soc \"nan\": expected a finite number"},
        {"time_s,soc,temperature_C\n0,0.5,inf\n",
         "2: temperature_C \"inf\": expected a finite number"},
        {"time_s,soc,temperature_C\n0,0.5,298\n",
         "2: temperature_C \"298\": expected a temperature"},
        {"time_s,soc,temperature_C\n0,0.5\n", "2:"},
        {"time_s,soc,temperature_C\n0,0.5,25\n", ""},
        {"", "1:"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_bad(cases[i][0], cases[i][1]);
    }
}

static void line_ends_and_marks_do_not_matter(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "time_s,soc,temperature_C\n0,0.5,25\n900,0.6,25\n",
        "time_s,soc,temperature_C\n0,0.5,25\n900,0.6,25",
        "time_s,soc,temperature_C\r\n0,0.5,25\r\n900,0.6,25\r\n",
        "\xef\xbb\xbftime_s,soc,temperature_C\n0,0.5,25\n\n900,0.6,25\n",
        "temperature_C ,\"time_s\",note,soc\n25,0,,0.5\n25,900,\"a,b\",0.6\n",
        "time_s,soc,temperature_C\n5,0.5,25\n905,0.6,25\n",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[] = "/tmp/wear-XXXXXX";
        write_file(path, cases[i]);
        struct wear_profile p;
        char why[512];
        enum err e = wear_profile_load(path, &p, why, sizeof(why));
        unlink(path);
        if (e != ERR_NONE) {
            fail_msg("case %zu: %s", i, why);
        }
        assert_int_equal(p.n, 2);
        assert_true(p.samples[1].time_s == 900.0 &&
                    p.samples[1].soc_pu == 0.6 && p.samples[0].temp_c == 25.0);
        wear_profile_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_profiles_are_refused_with_line_and_reason),
        cmocka_unit_test(line_ends_and_marks_do_not_matter),
    };
    return cmocka_run_group_tests_name("replay/wear_profile", tests, NULL,
                                       NULL);
}
