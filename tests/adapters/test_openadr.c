/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/openadr (and http_client, openadr_session) against a
 * server on loopback that says what a script tells it to: the usual way,
 * tokens that end, errors of every kind, bodies that break off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/openadr.h"
#include "tests/adapters/openadr_server.h"

/* A VEN at the server's door. */
struct ven {
    struct openadr *o;
    char base[64];
    char secret[64];
    struct link_state link;
    int64_t mono_ms;
    double wait_s;
};

static void open_ven(struct ven *v, int port, const char *client)
{
    memset(v, 0, sizeof(*v));
    v->mono_ms = 1000;
    snprintf(v->base, sizeof(v->base), "http://127.0.0.1:%d/v", port);
    snprintf(v->secret, sizeof(v->secret), "/tmp/ballast-test-%d",
             (int)getpid());
    FILE *f = fopen(v->secret, "w");
    assert_non_null(f);
    fputs("s&cret=1\n", f);
    fclose(f);
    chmod(v->secret, 0600);
    const struct openadr_cfg cfg = {
        .base = v->base,
        .client = client,
        .secret_file = v->secret,
        .program = "dc-capacity",
        .ca_file = "",
        .node = "demo",
        .n_resources = 1,
        .resources = {"demo"},
        .power_max_w = 16e6,
        .poll_s = 10.0,
        .timeout_s = 1.0,
        .terms = {.currency = "USD",
                  .power_max_w = 176e6,
                  .power_least_w = 16e3},
    };
    char why[200] = "";
    assert_int_equal(openadr_open(&cfg, &v->o, why, sizeof(why)), ERR_NONE);
}

static void close_ven(struct ven *v)
{
    openadr_close(v->o);
    unlink(v->secret);
}

static const struct openadr_events *pass(struct ven *v, double after_s)
{
    v->mono_ms += (int64_t)(after_s * 1e3);
    v->wait_s =
        openadr_pass(v->o, v->mono_ms, INT64_C(1795219200000), &v->link);
    return openadr_events(v->o);
}

#define TOKEN                                                       \
    {"GET /v/auth/server", 404, "{}", 0, 0, 0},                     \
        {"POST /v/auth/token",                                      \
         200,                                                       \
         "{\"access_token\":\"t1\",\"token_type\":\"Bearer\","      \
         "\"expires_in\":100}",                                     \
         1,                                                         \
         0,                                                         \
         0},                                                        \
    {                                                               \
        "POST /v/auth/token", 200,                                  \
            "{\"access_token\":\"t2\",\"expires_in\":100}", 0, 0, 0 \
    }
#define PROGRAM                                                 \
    {                                                           \
        "GET /v/programs", 200,                                 \
            "[{\"id\":\"p0\",\"programName\":\"other\"},"       \
            "{\"id\":\"p1\",\"programName\":\"dc-capacity\"}]", \
            0, 0, 0                                             \
    }
#define ENROL                                                \
    {"POST /v/vens", 201, "{\"id\":\"v1\"}", 0, 0, 0},       \
    {                                                        \
        "POST /v/resources", 201, "{\"id\":\"r1\"}", 0, 0, 0 \
    }
#define EVENT(id, kw)                                                   \
    "{\"id\":\"" id "\",\"programID\":\"p1\",\"intervals\":[{\"id\":0," \
    "\"payloads\":[{\"type\":\"IMPORT_CAPACITY_LIMIT\",\"values\":[" kw \
    "]}]}]}"
#define TEN "          "
#define BLANKS TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define END                    \
    {                          \
        NULL, 0, NULL, 0, 0, 0 \
    }

static void the_usual_way(void **state)
{
    (void)state;
    struct answer script[] = {
        TOKEN,
        PROGRAM,
        ENROL,
        {"GET /v/events", 200, "[" EVENT("e1", "8000") "]", 2, 0, 0},
        {"GET /v/events", 200, "[]", 0, 0, 0},
        END};
    struct server s;
    struct ven v;
    server_start(&s, script);
    open_ven(&v, s.port, "ven_client");
    const struct openadr_events *e = pass(&v, 0.0);
    assert_true(v.link.up);
    assert_string_equal(v.link.last_error, "");
    assert_int_equal(e->n, 1);
    assert_int_equal(e->version, 1);
    assert_string_equal(e->list[0]->id, "e1");
    assert_true(e->list[0]->values[0] > 7.9e6);
    assert_true(v.wait_s >= 8.0 && v.wait_s <= 12.0);
    e = pass(&v, 10.0); /* nothing new */
    assert_int_equal(e->version, 1);
    e = pass(&v, 10.0); /* cancelled */
    assert_int_equal(e->n, 0);
    assert_int_equal(e->version, 2);
    server_stop(&s);
    close_ven(&v);
    /* the token came once, its secret encoded, and went with every call */
    int n_tokens = 0;
    for (int i = 0; i < s.n_log; i++) {
        bool token = strncmp(s.log[i], "POST /v/auth/token", 18) == 0;
        n_tokens += token;
        if (!token && strstr(s.log[i], "auth/server") == NULL) {
            assert_string_equal(s.tokens[i], "t1");
        }
    }
    assert_int_equal(n_tokens, 1);
}

static void a_token_is_renewed_before_its_end_and_when_refused(void **state)
{
    (void)state;
    struct answer script[] = {TOKEN,
                              PROGRAM,
                              ENROL,
                              {"GET /v/events", 200, "[]", 1, 0, 0},
                              {"GET /v/events", 401, "{}", 1, 0, 0},
                              {"GET /v/events", 200, "[]", 0, 0, 0},
                              END};
    struct server s;
    struct ven v;
    server_start(&s, script);
    open_ven(&v, s.port, "ven_client");
    pass(&v, 0.0);
    assert_true(v.link.up);
    pass(&v, 10.0); /* 401, a new token, and well */
    assert_true(v.link.up);
    assert_string_equal(s.tokens[s.n_log - 1], "t2");
    int before = s.n_log;
    pass(&v, 80.0); /* 100 s, renewed a while before */
    assert_true(v.link.up);
    assert_true(strstr(s.log[before], "POST /v/auth/token") != NULL);
    server_stop(&s);
    close_ven(&v);
}

static void no_client_asks_for_no_token(void **state)
{
    (void)state;
    struct answer script[] = {
        PROGRAM, ENROL, {"GET /v/events", 200, "[]", 0, 0, 0}, END};
    struct server s;
    struct ven v;
    server_start(&s, script);
    open_ven(&v, s.port, "");
    pass(&v, 0.0);
    assert_true(v.link.up);
    assert_string_equal(s.tokens[0], "");
    server_stop(&s);
    close_ven(&v);
}

/* Whatever goes wrong: it is told, the events stay, and the waits grow. */
static void faults_leave_the_events_as_they_were(void **state)
{
    (void)state;
    static const struct {
        struct answer answer;
        const char *says;
    } faults[] = {
        {{"GET /v/events", 500, "{\"title\":\"oops\\u0007\"}", 0, 0, 0},
         "status 500: oops?"},
        {{"GET /v/events", 403, "{}", 0, 0, 0}, "status 403"},
        {{"GET /v/events", 302, "", 0, 0, 0}, "redirect"},
        {{"GET /v/events", 200, "[{\"id\":", 0, 0, 0}, "not JSON"},
        {{"GET /v/events", 200, "{}", 0, 0, 0}, "no list"},
        {{"GET /v/events", 200, "[                  ]", 0, 9, 0}, ""},
        {{"GET /v/events", 200, BLANKS, 0, 0, 45000}, "larger"},
        {{"GET /v/events", 401, "{}", 0, 0, 0}, "status 401"},
        {{"GET /v/nothing", 0, "", 0, 0, 0}, ""}, /* hangs up */
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct answer script[] = {
            TOKEN,
            PROGRAM,
            ENROL,
            {"GET /v/events", 200, "[" EVENT("e1", "8000") "]", 1, 0, 0},
            faults[i].answer,
            END};
        struct server s;
        struct ven v;
        server_start(&s, script);
        open_ven(&v, s.port, "ven_client");
        const struct openadr_events *e = pass(&v, 0.0);
        assert_true(v.link.up);
        double waited_s = 0.0;
        for (int k = 0; k < 9; k++) {
            e = pass(&v, 1.0);
            waited_s = v.wait_s;
            if (v.link.up || e->n != 1 || v.link.last_error[0] == '\0' ||
                strstr(v.link.last_error, faults[i].says) == NULL ||
                strstr(v.link.last_error, "cret") != NULL) {
                fail_msg("fault %zu: up %d, %lld events, said \"%s\"", i,
                         v.link.up, (long long)e->n, v.link.last_error);
            }
        }
        assert_true(waited_s > 40.0 && waited_s < 73.0);
        server_stop(&s);
        close_ven(&v);
    }
}

static void a_server_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct server s;
    struct answer script[] = {END};
    struct ven v;
    server_start(&s, script);
    server_stop(&s);
    open_ven(&v, s.port, "ven_client");
    const struct openadr_events *e = pass(&v, 0.0);
    assert_false(v.link.up);
    assert_int_equal(e->version, 0);
    assert_true(strstr(v.link.last_error, "connect") != NULL);
    assert_true(v.wait_s >= 0.8 && v.wait_s <= 1.2);
    close_ven(&v);
}

static void an_unknown_program_is_told(void **state)
{
    (void)state;
    struct answer script[] = {
        TOKEN, {"GET /v/programs", 200, "[]", 0, 0, 0}, END};
    struct server s;
    struct ven v;
    server_start(&s, script);
    open_ven(&v, s.port, "ven_client");
    pass(&v, 0.0);
    assert_false(v.link.up);
    assert_true(strstr(v.link.last_error, "\"dc-capacity\"") != NULL);
    server_stop(&s);
    close_ven(&v);
}

/* Fifty a page, and one that moved while we turned it. */
static void pages_are_turned(void **state)
{
    (void)state;
    char first[16384] = "[";
    for (int i = 0; i < 50; i++) {
        char event[200];
        snprintf(event, sizeof(event), "%s{\"id\":\"e%d\",\"intervals\":[]}",
                 i > 0 ? "," : "", i);
        strncat(first, event, sizeof(first) - strlen(first) - 1);
    }
    strncat(first, "]", sizeof(first) - strlen(first) - 1);
    struct answer script[] = {
        TOKEN,
        PROGRAM,
        ENROL,
        {"GET /v/events?programID=p1&skip=0&", 200, first, 0, 0, 0},
        {"GET /v/events?programID=p1&skip=50&", 200,
         "[{\"id\":\"e49\"},{\"id\":\"f\"},{\"no\":1}]", 0, 0, 0},
        END};
    struct server s;
    struct ven v;
    server_start(&s, script);
    open_ven(&v, s.port, "ven_client");
    const struct openadr_events *e = pass(&v, 0.0);
    assert_true(v.link.up);
    assert_int_equal(e->n, 51);
    assert_int_equal(e->n_unread, 1);
    server_stop(&s);
    close_ven(&v);
}

/* Registered by somebody before us; refused; neither stops the events. */
static void registration_takes_what_is_there(void **state)
{
    (void)state;
    struct answer script[] = {
        TOKEN,
        PROGRAM,
        {"POST /v/vens", 409, "{}", 0, 0, 0},
        {"GET /v/vens", 200, "[{\"id\":\"v7\",\"venName\":\"demo\"}]", 0, 0, 0},
        {"POST /v/resources", 403, "{}", 0, 0, 0},
        {"GET /v/events", 200, "[" EVENT("e1", "8000") "]", 0, 0, 0},
        END};
    struct server s;
    struct ven v;
    server_start(&s, script);
    open_ven(&v, s.port, "ven_client");
    const struct openadr_events *e = pass(&v, 0.0);
    assert_true(v.link.up);
    assert_int_equal(e->n, 1);
    assert_true(strstr(v.link.last_error, "/resources: status 403") != NULL);
    int before = s.n_log;
    pass(&v, 10.0); /* not again so soon */
    assert_int_equal(s.n_log, before + 1);
    server_stop(&s);
    close_ven(&v);
}

static void reports_are_sent_or_refused(void **state)
{
    (void)state;
    struct answer script[] = {
        {"GET /v/auth/server", 404, "{}", 0, 0, 0},
        {"POST /v/auth/token", 200,
         "{\"access_token\":\"t1\",\"token_type\":\"Bearer\","
         "\"expires_in\":3600}",
         1, 0, 0},
        {"POST /v/auth/token", 503, "", 0, 0, 0},
        PROGRAM,
        ENROL,
        {"GET /v/events", 200, "[]", 0, 0, 0},
        {"POST /v/reports", 201, "{\"id\":\"x\"}", 1, 0, 0},
        {"POST /v/reports", 400, "{\"detail\":\"no\"}", 1, 0, 0},
        {"POST /v/reports", 503, "", 1, 0, 0},
        {"POST /v/reports", 401, "{}", 0, 0, 0}, /* and no new token */
        END};
    struct server s;
    struct ven v;
    server_start(&s, script);
    open_ven(&v, s.port, "ven_client");
    pass(&v, 0.0);
    static const enum err want[] = {ERR_NONE, ERR_REFUSED, ERR_IO, ERR_IO};
    for (int i = 0; i < 4; i++) {
        cJSON *report = cJSON_CreateObject();
        cJSON_AddStringToObject(report, "eventID", "e1");
        char why[200] = "";
        assert_int_equal(openadr_report(v.o, report, why, sizeof(why)),
                         want[i]);
        cJSON_Delete(report);
    }
    server_stop(&s);
    close_ven(&v);
}

static void an_open_secret_is_refused(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof(path), "/tmp/ballast-open-%d", (int)getpid());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("999\n", f);
    fclose(f);
    chmod(path, 0644);
    const struct openadr_cfg cfg = {.base = "http://127.0.0.1:1",
                                    .client = "c",
                                    .secret_file = path,
                                    .timeout_s = 1.0};
    struct openadr *o = NULL;
    char why[200] = "";
    assert_int_equal(openadr_open(&cfg, &o, why, sizeof(why)), ERR_RANGE);
    assert_true(strstr(why, "chmod 600") != NULL);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_way),
        cmocka_unit_test(a_token_is_renewed_before_its_end_and_when_refused),
        cmocka_unit_test(no_client_asks_for_no_token),
        cmocka_unit_test(faults_leave_the_events_as_they_were),
        cmocka_unit_test(a_server_that_is_not_there_is_told),
        cmocka_unit_test(an_unknown_program_is_told),
        cmocka_unit_test(pages_are_turned),
        cmocka_unit_test(registration_takes_what_is_there),
        cmocka_unit_test(reports_are_sent_or_refused),
        cmocka_unit_test(an_open_secret_is_refused),
    };
    return cmocka_run_group_tests_name("openadr", tests, NULL, NULL);
}
