/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/status_forecast: what is expected, and what is not known
 * is null. */
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/status_forecast.h"
#include "tests/site_fixture.h"

static const struct availability_at NOBODY = {NAN, NAN, NAN, NAN};

static char *text_of(const struct site *site, const struct foresight *f)
{
    cJSON *o = cJSON_CreateObject();
    status_forecast_add(o, site, f);
    status_forecast_print(o); /* must live with whatever was added */
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}

static void nothing_known_is_null(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 1, 4);
    struct foresight f = {.known = 0};
    char *text = text_of(site, &f);
    assert_string_equal(text, "{\"forecast\":null}");
    cJSON_free(text);
    free(site);
}

static void what_is_known_is_told(void **state)
{
    (void)state;
    struct site *site = fixture_site(1, 1, 4);
    struct foresight f = {
        .known = 1,
        .heard_s = 700.0,
        .regime = FORECAST_TRAINING,
        .n_periods = 2,
        .period_s = {11.0, 142.0},
        .in_1min = {.mean = 144e6, .q10 = 130e6, .q90 = 150e6},
        .in_10min = {NAN, NAN, NAN, NAN, NAN, NAN},
        .swing_w = 20e6,
        .peak_at_ms = 1763683200000,
        .peak_w = 151e6,
        .peak_q90_w = 155e6,
        .cars[0] = {.now = 3.0,
                    .in_1h = {.mean = 2.5, .q10 = 2.0, .q90 = 3.0},
                    .in_8h = NOBODY},
    };
    char *text = text_of(site, &f);
    static const char *const parts[] = {
        "\"regime\":\"training\"",
        "\"heard_s\":700",
        "\"period_s\":[11,142]",
        "{\"in_s\":60,\"mean_w\":144000000,\"q10_w\":130000000,"
        "\"q90_w\":150000000}",
        "{\"in_s\":600,\"mean_w\":null,\"q10_w\":null,\"q90_w\":null}",
        "\"swing_w\":20000000",
        "\"peak\":{\"at\":\"2025-11-21T00:00:00",
        "\"mean_w\":151000000,\"q90_w\":155000000}",
        "\"name\":\"lot\",\"plugged\":3,\"ahead\":[{\"in_h\":1,\"mean\":2.5,"
        "\"q10\":2,\"q90\":3},{\"in_h\":8,\"mean\":null",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(text, parts[i]) == NULL) {
            fail_msg("%s is not in %s", parts[i], text);
        }
    }
    cJSON_free(text);
    f.peak_w = NAN;
    f.cars[0].now = NAN;
    text = text_of(site, &f);
    assert_non_null(strstr(text, "\"peak\":null"));
    assert_non_null(strstr(text, "\"plugged\":null"));
    cJSON_free(text);
    free(site);
}

/* Another program's answer is printed as far as it goes. */
static void a_strange_status_does_no_harm(void **state)
{
    (void)state;
    static const char *const strange[] = {
        "{}",
        "{\"forecast\":1}",
        "{\"forecast\":{}}",
        "{\"forecast\":{\"load\":[1,null],\"period_s\":[\"x\"],"
        "\"peak\":{},\"fleets\":[2,{}],\"regime\":3}}",
    };
    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        cJSON *o = cJSON_Parse(strange[i]);
        assert_non_null(o);
        status_forecast_print(o);
        cJSON_Delete(o);
    }
}

static void words_of(const char *json, char *text, size_t size)
{
    char path[] = "/tmp/test-status-XXXXXX";
    int fd = mkstemp(path);
    int out = dup(STDOUT_FILENO);
    assert_true(fd >= 0 && out >= 0);
    fflush(stdout);
    assert_true(dup2(fd, STDOUT_FILENO) >= 0);
    cJSON *o = cJSON_Parse(json);
    status_forecast_print(o);
    cJSON_Delete(o);
    fflush(stdout);
    assert_true(dup2(out, STDOUT_FILENO) >= 0);
    ssize_t n = pread(fd, text, size - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(out);
    close(fd);
    unlink(path);
}

static void a_band_that_is_not_known_is_said_to_be_learnt(void **state)
{
    (void)state;
    char text[600];
    words_of("{\"forecast\":{\"load\":["
             "{\"in_s\":60,\"mean_w\":2e6,\"q10_w\":1e6,\"q90_w\":3e6},"
             "{\"in_s\":600,\"mean_w\":4e6,\"q10_w\":null,\"q90_w\":null}],"
             "\"peak\":{\"at\":\"then\",\"mean_w\":5e6,\"q90_w\":null},"
             "\"fleets\":[{\"name\":\"lot\",\"plugged\":3,\"ahead\":["
             "{\"in_h\":1,\"mean\":2,\"q10\":null,\"q90\":null},"
             "{\"in_h\":8,\"mean\":7,\"q10\":6,\"q90\":8}]}]}}",
             text, sizeof(text));
    static const char *const parts[] = {
        "2.00 MW (1.00 MW to 3.00 MW),", "4.00 MW (learning how surely)\n",
        "24 h: 5.00 MW at then\n", "in 1 h 2, in 8 h 7 (6 to 8)\n"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(text, parts[i]) == NULL) {
            fail_msg("%s is not in %s", parts[i], text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known_is_null),
        cmocka_unit_test(what_is_known_is_told),
        cmocka_unit_test(a_band_that_is_not_known_is_said_to_be_learnt),
        cmocka_unit_test(a_strange_status_does_no_harm),
    };
    return cmocka_run_group_tests_name("status_forecast", tests, NULL, NULL);
}
