/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/openadr_hook: notices by webhook are hints, whoever sends
 * them; damaged bodies do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "adapters/http_client.h"
#include "adapters/openadr.h"
#include "adapters/openadr_feed.h"
#include "adapters/openadr_hook.h"
#include "models/random.h"
#include "tests/adapters/openadr_notice.h"
#include "tests/adapters/openadr_server.h"

struct hooked {
    struct openadr_hook *hook;
    struct http_client *http;
    char base[64];
};

static struct hooked open_hook(void)
{
    struct hooked x = {.hook = NULL};
    atomic_store(&n_woken, 0);
    const struct openadr_hook_cfg cfg = {
        .listen = "127.0.0.1:0", .bearer = "good", .woken = count};
    char why[200] = "";
    if (openadr_hook_open(&cfg, &x.hook, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    snprintf(x.base, sizeof(x.base), "http://127.0.0.1:%d/hook",
             openadr_hook_port(x.hook));
    const struct http_client_cfg http = {.timeout_s = 5.0, .bytes_max = 4096};
    assert_int_equal(http_client_open(&http, &x.http), ERR_NONE);
    return x;
}

static void close_hook(struct hooked *x)
{
    http_client_close(x->http);
    openadr_hook_close(x->hook);
}

/* The status; -1 where the connection was cut. */
static long call(struct hooked *x, const struct http_request *request,
                 const char **body)
{
    struct http_reply reply = {.status = -1};
    char why[HTTP_WHY_MAX];
    enum err e = http_client_send(x->http, request, &reply, why);
    *body = reply.body;
    return e == ERR_NONE ? reply.status : -1;
}

static void who_may_call_and_how(void **state)
{
    (void)state;
    char *huge = malloc(OPENADR_NOTICE_MAX + 100);
    assert_non_null(huge);
    memset(huge, ' ', OPENADR_NOTICE_MAX + 99);
    huge[OPENADR_NOTICE_MAX + 99] = '\0';
    const struct {
        const char *method;
        const char *query;
        const char *token;
        const char *body;
        long status;
        int wakes;
        const char *says;
    } cases[] = {
        {"GET", "?echo=a1-B2", NULL, NULL, 200, 0, "a1-B2"},
        {"GET", "?echo=", NULL, NULL, 400, 0, ""},
        {"GET", "?echo=%01", NULL, NULL, 400, 0, ""},
        {"GET", "", NULL, NULL, 400, 0, ""},
        {"POST", "", "good", NOTICE, 200, 1, ""},
        {"POST", "", "goo", NOTICE, 401, 0, ""},
        {"POST", "", "goodgood", NOTICE, 401, 0, ""},
        {"POST", "", NULL, NOTICE, 401, 0, ""},
        {"POST", "", "good", "", 400, 0, ""},
        {"POST", "", "good", "[]", 400, 0, ""},
        {"POST", "", "good", "{\"objectType\":1,\"operation\":2}", 400, 0, ""},
        {"POST", "", "good", "{\"objectType\":\"EVENT\"", 400, 0, ""},
        {"POST", "", "good", huge, 413, 0, ""},
        {"PUT", "", "good", NOTICE, 405, 0, ""},
        {"DELETE", "", "good", NULL, 405, 0, ""},
    };
    struct hooked x = open_hook();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char url[128];
        snprintf(url, sizeof(url), "%s%s", x.base, cases[i].query);
        const struct http_request r = {cases[i].method, url, cases[i].token,
                                       "application/json", cases[i].body};
        int before = atomic_load(&n_woken);
        const char *said = "";
        long status = call(&x, &r, &said);
        if (status != cases[i].status ||
            atomic_load(&n_woken) - before != cases[i].wakes ||
            strcmp(said, cases[i].says) != 0) {
            fail_msg("case %zu: %ld, \"%s\"", i, status, said);
        }
    }
    close_hook(&x);
    free(huge);
}

/* Whatever comes with the right token: an answer, and it goes on. */
static void damaged_notices_do_no_harm(void **state)
{
    (void)state;
    const uint64_t seed = 907;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t random = random_seed(seed);
    struct hooked x = open_hook();
    int n_taken = 0;
    for (int round = 0; round < 1500; round++) {
        char text[sizeof(NOTICE)];
        memcpy(text, NOTICE, sizeof(text));
        size_t last = sizeof(NOTICE) - 1;
        for (int k = (int)random_draw(&random, 0.0, 4.0); k > 0; k--) {
            size_t at = (size_t)random_draw(&random, 0.0, (double)last - 0.5);
            text[at] = (char)(1 + (int)random_draw(&random, 0.0, 254.9));
        }
        text[(size_t)random_draw(&random, 0.5 * (double)last,
                                 2.0 * (double)last) %
             (last + 1)] = '\0';
        const struct http_request r = {"POST", x.base, "good",
                                       "application/json", text};
        const char *said = "";
        long status = call(&x, &r, &said);
        assert_true(status == 200 || status == 400);
        n_taken += status == 200;
    }
    struct openadr_hook_counts counts = openadr_hook_counts(x.hook);
    assert_int_equal(counts.n_taken, n_taken);
    assert_int_equal(counts.n_refused, 1500 - n_taken);
    assert_int_equal(atomic_load(&n_woken), n_taken);
    close_hook(&x);
}

static void an_address_that_is_none_is_told(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "x", ":80", "127.0.0.1:", "nosuch:1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct openadr_hook_cfg cfg = {
            .listen = bad[i], .bearer = "t", .woken = count};
        struct openadr_hook *h = NULL;
        char why[200] = "";
        enum err e = openadr_hook_open(&cfg, &h, why, sizeof(why));
        if (e == ERR_NONE || why[0] == '\0') {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_call_and_how),
        cmocka_unit_test(damaged_notices_do_no_harm),
        cmocka_unit_test(an_address_that_is_none_is_told),
    };
    return cmocka_run_group_tests_name("openadr_hook", tests, NULL, NULL);
}
