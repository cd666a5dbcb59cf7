/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/status: the text, and a socket that no client can
 * disturb. */
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/clock.h"
#include "controller/parts.h"
#include "controller/status.h"
#include "controller/status_life.h"
#include "models/random.h"
#include "tests/controller/history_sample.h"
#include "tests/site_fixture.h"

struct served {
    char folder[64];
    char path[96];
    struct status_server *server;
};

static int setup(void **state)
{
    struct served *s = calloc(1, sizeof(*s));
    char why[200] = "";
    sample_folder(s->folder);
    snprintf(s->path, sizeof(s->path), "%s/h.db.sock", s->folder);
    *state = s;
    return status_server_open(s->path, &s->server, why, sizeof(why)) == ERR_NONE
               ? 0
               : -1;
}

static int teardown(void **state)
{
    struct served *s = *state;
    status_server_close(s->server);
    sample_folder_remove(s->folder);
    free(s);
    return 0;
}

static int connected(const struct served *s)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, s->path, strlen(s->path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

/* Send 'bytes', read to the end of the stream. */
static size_t talk(const struct served *s, const void *bytes, size_t n,
                   char *answer, size_t size)
{
    int fd = connected(s);
    ssize_t sent = write(fd, bytes, n);
    (void)sent;
    size_t got = 0;
    for (;;) {
        ssize_t k = read(fd, answer + got, size - 1 - got);
        if (k <= 0) {
            break;
        }
        got += (size_t)k;
    }
    answer[got] = '\0';
    close(fd);
    return got;
}

static void test_answers_with_the_newest(void **state)
{
    struct served *s = *state;
    char *json = NULL;
    assert_int_equal(status_ask(s->path, 2.0, &json), ERR_NONE);
    assert_non_null(strstr(json, "starting"));
    free(json);
    status_server_set(s->server, strdup("{\"v\":1}"));
    status_server_set(s->server, strdup("{\"v\":2}"));
    assert_int_equal(status_ask(s->path, 2.0, &json), ERR_NONE);
    assert_string_equal(json, "{\"v\":2}");
    free(json);
    struct stat st;
    assert_int_equal(stat(s->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_rejects_garbage(void **state)
{
    struct served *s = *state;
    char answer[512];
    static const char *const requests[] = {
        "\n", "state\n", "statusx\n", " status\n", "{}\n",
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        talk(s, requests[i], strlen(requests[i]), answer, sizeof(answer));
        assert_non_null(strstr(answer, "unknown request"));
    }
    uint64_t seed = 99;
    print_message("seed 99\n");
    for (int i = 0; i < 50; i++) {
        unsigned char bytes[300];
        size_t n = (size_t)random_draw(&seed, 64.0, 300.0);
        for (size_t k = 0; k < n; k++) {
            bytes[k] = (unsigned char)random_draw(&seed, 0.0, 256.0);
        }
        talk(s, bytes, n, answer, sizeof(answer));
    }
    char *json = NULL;
    assert_int_equal(status_ask(s->path, 2.0, &json), ERR_NONE);
    free(json);
}

static char *echo(void *user, const char *request)
{
    ++*(int *)user;
    return strncmp(request, "echo ", 5) == 0 ? strdup(request + 5) : NULL;
}

static void test_others_may_answer(void **state)
{
    struct served *s = *state;
    int n = 0;
    status_server_answer(s->server, echo, &n);
    char *json = NULL;
    assert_int_equal(status_request(s->path, "echo {}", 2.0, &json), ERR_NONE);
    assert_string_equal(json, "{}");
    free(json);
    assert_int_equal(status_request(s->path, "other", 2.0, &json), ERR_NONE);
    assert_non_null(strstr(json, "unknown request"));
    free(json);
    assert_int_equal(status_ask(s->path, 2.0, &json), ERR_NONE);
    assert_null(strstr(json, "unknown request"));
    free(json);
    assert_int_equal(n, 2);
    char longest[STATUS_REQUEST_MAX];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memcpy(longest, "echo ", 5);
    assert_int_equal(status_request(s->path, longest, 2.0, &json), ERR_NONE);
    assert_string_equal(json, longest + 5);
    free(json);
    char beyond[STATUS_REQUEST_MAX + 1];
    memset(beyond, 'x', sizeof(beyond) - 1);
    beyond[sizeof(beyond) - 1] = '\0';
    assert_int_equal(status_request(s->path, beyond, 2.0, &json), ERR_RANGE);
}

static void test_slow_clients_do_not_disturb(void **state)
{
    struct served *s = *state;
    size_t size = 1000000; /* more than a socket holds */
    char *big = malloc(size + 1);
    memset(big, 'x', size);
    big[size] = '\0';
    status_server_set(s->server, big);
    int fds[10];
    for (int i = 0; i < 10; i++) {
        fds[i] = connected(s); /* say nothing, or read nothing */
        ssize_t sent = write(fds[i], "status\n", i % 2 == 0 ? 7 : 3);
        (void)sent;
    }
    int64_t start_ms = clock_mono_ms();
    char *json = NULL;
    assert_int_equal(status_ask(s->path, 2.0, &json), ERR_NONE);
    assert_int_equal(strlen(json), size);
    free(json);
    /* they are thrown out in the end, so that all places come free again */
    while (clock_mono_ms() - start_ms < 2600) {
        clock_sleep_until(clock_mono_ns() + 100000000);
    }
    char byte = 0;
    for (int i = 0; i < 10; i++) {
        if (i % 2 == 1) {
            assert_int_equal(read(fds[i], &byte, 1), 0);
        }
        close(fds[i]);
    }
    assert_int_equal(status_ask(s->path, 2.0, &json), ERR_NONE);
    free(json);
}

static void test_nobody_there_is_said(void **state)
{
    (void)state;
    char *json = NULL;
    assert_int_equal(status_ask("/tmp/no-such-socket", 1.0, &json), ERR_IO);
    char path[200];
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(status_ask(path, 1.0, &json), ERR_RANGE);
    struct status_server *server = NULL;
    char why[400] = "";
    assert_int_equal(status_server_open(path, &server, why, sizeof(why)),
                     ERR_RANGE);
    assert_non_null(strstr(why, "shorter"));
}

static const char *const groups[] = {
    "grid", "load",   "batteries", "pods", "fleets",  "price",   "plan",
    "why",  "alarms", "loop",      "mqtt", "history", "devices",
};

static void test_text_is_json_whatever_is_known(void **state)
{
    (void)state;
    struct site *site = fixture_site(2, 3, 4);
    site->batteries[0].modbus.present = true;
    site->n_prices = 1;
    struct parts parts;
    parts_init(&parts, site);
    struct watched w = {
        .site = site, .in = parts_snapshot(&parts), .out = parts_out(&parts)};
    w.out->record.grid_w = NAN; /* would be a bug, and must not break it */
    w.out->record.n_why = 1;
    w.n_alarms = 1;
    w.alarms[0] = (struct alarm_group){.id = ALARM_OFFLINE, .n = 1};
    char *json = status_json(&w);
    cJSON *o = cJSON_ParseWithOpts(json, NULL, 1);
    assert_non_null(o);
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (cJSON_GetObjectItemCaseSensitive(o, groups[i]) == NULL) {
            fail_msg("no %s", groups[i]);
        }
    }
    const cJSON *grid = cJSON_GetObjectItemCaseSensitive(o, "grid");
    assert_true(
        cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(grid, "power_w")));
    const cJSON *b =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "batteries"), 0);
    assert_string_equal(
        cJSON_GetObjectItemCaseSensitive(b, "state")->valuestring, "offline");
    cJSON_Delete(o);
    char small[STATUS_SHORT_MAX];
    o = cJSON_Parse(status_short_json(&w, small, sizeof(small)));
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "online")));
    cJSON_Delete(o);
    assert_int_equal(status_print("{\"v\":1,\"error\":\"starting\"}"),
                     ERR_SYNTAX);
    assert_int_equal(status_print("not json"), ERR_SYNTAX);
    free(json);
    free(w.in);
    free(w.out);
    free(site);
}

static double pu(const cJSON *o, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsNumber(n) ? n->valuedouble : NAN;
}

/* The worse of two models, and what the other says; null before any. */
static void test_a_life_is_told_by_both_models(void **state)
{
    (void)state;
    struct battery_life life = {
        .known = true,
        .worse = {.model = LIFE_LFP_NAUMANN,
                  .loss = {.calendar_pu = 0.03,
                           .cycle_pu = 0.02,
                           .capacity_pu = 0.95,
                           .resistance_pu = 1.1}},
        .other = {.model = LIFE_LFP_250,
                  .loss = {.calendar_pu = 0.01, .capacity_pu = 0.99},
                  .flags = 1u << LIFE_FLAG_FAST},
        .efc = 412.0,
        .scale = 1.25,
        .soh_pu = 0.94,
        .is_assumed = true,
        .n_jumps = 2,
        .jumped_pu = 0.2,
    };
    cJSON *b = cJSON_CreateObject();
    status_life_add(b, &life);
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(b, "life");
    const cJSON *other = cJSON_GetObjectItemCaseSensitive(o, "other");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "out_of_range");
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, "measured");
    assert_true(fabs(pu(o, "capacity_pu") - 0.95) < 1e-12);
    assert_true(fabs(pu(o, "loss_calendar_pu") - 0.03) < 1e-12);
    assert_true(fabs(pu(o, "loss_cycle_pu") - 0.02) < 1e-12);
    assert_true(fabs(pu(o, "efc") - 412.0) < 1e-12);
    assert_true(fabs(pu(other, "capacity_pu") - 0.99) < 1e-12);
    assert_true(fabs(pu(m, "soh_pu") - 0.94) < 1e-12);
    assert_true(fabs(pu(m, "scale") - 1.25) < 1e-12);
    assert_true(fabs(pu(o, "gauge_jumps") - 2.0) < 1e-12);
    assert_int_equal(cJSON_GetArraySize(list), 1);
    assert_true(cJSON_IsTrue(
        cJSON_GetObjectItemCaseSensitive(o, "temperature_assumed")));
    status_life_print(b);
    cJSON_Delete(b);

    life.known = false;
    b = cJSON_CreateObject();
    status_life_add(b, &life);
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(b, "life")));
    status_life_print(b);
    cJSON_Delete(b);
}

#define SERVED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_answers_with_the_newest),
        SERVED(test_rejects_garbage),
        SERVED(test_others_may_answer),
        SERVED(test_slow_clients_do_not_disturb),
        cmocka_unit_test(test_nobody_there_is_said),
        cmocka_unit_test(test_text_is_json_whatever_is_known),
        cmocka_unit_test(test_a_life_is_told_by_both_models),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
