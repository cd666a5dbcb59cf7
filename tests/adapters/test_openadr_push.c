/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/openadr_push and _feed: subscriptions, damaged listings,
 * and notices by MQTT, which are hints, whoever sends them.  The broker is
 * mosquitto. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/json_in.h"
#include "adapters/openadr.h"
#include "adapters/openadr_feed.h"
#include "adapters/openadr_hook.h"
#include "models/random.h"
#include "tests/adapters/openadr_notice.h"
#include "tests/adapters/openadr_server.h"

/* A VEN at the server's door. */
struct ven {
    struct openadr *o;
    char base[64];
    char node[32];
    struct link_state link;
    int64_t mono_ms;
};

static void open_ven(struct ven *v, int port, bool v30, bool notifier)
{
    memset(v, 0, sizeof(*v));
    v->mono_ms = 1000;
    snprintf(v->base, sizeof(v->base), "http://127.0.0.1:%d/v", port);
    const struct openadr_cfg cfg = {
        .base = v->base,
        .client = "",
        .secret_file = "",
        .program = "dc-capacity",
        .ca_file = "",
        .node = "demo",
        .n_resources = 1,
        .resources = {"demo"},
        .power_max_w = 16e6,
        .v30 = v30,
        .callback = notifier ? "" : "http://127.0.0.1:1/hook",
        .bearer = "0123456789abcdef",
        .notifier = notifier,
        .woken = count,
        .poll_s = 10.0,
        .timeout_s = 2.0,
        .terms = {.currency = "USD",
                  .power_max_w = 176e6,
                  .power_least_w = 16e3},
    };
    char why[200] = "";
    assert_int_equal(openadr_open(&cfg, &v->o, why, sizeof(why)), ERR_NONE);
}

static const struct openadr_events *pass(struct ven *v, double after_s)
{
    v->mono_ms += (int64_t)(after_s * 1e3);
    openadr_pass(v->o, v->mono_ms, INT64_C(1795219200000), &v->link);
    return openadr_events(v->o);
}

static int asked(const struct server *s, const char *starts)
{
    int n = 0;
    for (int i = 0; i < s->n_log; i++) {
        n += strncmp(s->log[i], starts, strlen(starts)) == 0;
    }
    return n;
}

#define PROGRAM                                                          \
    {                                                                    \
        "GET /v/programs", 200,                                          \
            "[{\"id\":\"p1\",\"programName\":\"dc-capacity\"}]", 0, 0, 0 \
    }
#define ENROL                                                \
    {"POST /v/vens", 201, "{\"id\":\"v1\"}", 0, 0, 0},       \
    {                                                        \
        "POST /v/resources", 201, "{\"id\":\"r1\"}", 0, 0, 0 \
    }
#define END                    \
    {                          \
        NULL, 0, NULL, 0, 0, 0 \
    }

static void a_subscription_is_kept(void **state)
{
    (void)state;
    struct answer script[] = {
        PROGRAM,
        ENROL,
        {"GET /v/events", 200, "[]", 3, 0, 0},
        {"GET /v/events", 503, "{}", 1, 0, 0},
        {"GET /v/events", 200, "[]", 0, 0, 0},
        {"GET /v/subscriptions?", 200,
         "[{\"id\":\"old\",\"clientName\":\"demo\"},"
         "{\"id\":\"x\",\"clientName\":\"other\"}]",
         1, 0, 0},
        {"GET /v/subscriptions?", 200, "[]", 0, 0, 0},
        {"DELETE /v/subscriptions/old", 200, "{}", 0, 0, 0},
        {"POST /v/subscriptions", 500, "{}", 1, 0, 0},
        {"POST /v/subscriptions", 201, "{\"id\":\"s1\"}", 1, 0, 0},
        {"POST /v/subscriptions", 201, "{\"id\":\"s2\"}", 0, 0, 0},
        {"GET /v/subscriptions/s1", 404, "{}", 0, 0, 0},
        {"GET /v/subscriptions/s2", 200,
         "{\"id\":\"s2\",\"clientName\":\"demo\"}", 0, 0, 0},
        {"DELETE /v/subscriptions/s2", 200, "{}", 0, 0, 0},
        END,
    };
    struct server s;
    server_start(&s, script);
    struct ven v;
    open_ven(&v, s.port, false, false);
    pass(&v, 0.0);
    assert_true(v.link.up); /* what is refused does no harm */
    assert_string_equal(openadr_push_text(v.o), "");
    assert_non_null(strstr(openadr_push_trouble(v.o), "500"));
    pass(&v, 30.0);
    assert_int_equal(asked(&s, "POST /v/subscriptions"), 1);
    pass(&v, 31.0);
    assert_string_equal(openadr_push_text(v.o), "webhook");
    assert_string_equal(openadr_push_trouble(v.o), "");
    assert_int_equal(asked(&s, "DELETE /v/subscriptions/old"), 1);
    pass(&v, 10.0); /* fails */
    assert_false(v.link.up);
    pass(&v, 2.0); /* the server is another: it knows of nothing */
    assert_true(v.link.up);
    assert_int_equal(asked(&s, "GET /v/subscriptions/s1"), 1);
    assert_int_equal(asked(&s, "POST /v/subscriptions"), 3);
    assert_string_equal(openadr_push_text(v.o), "webhook");
    openadr_close(v.o);
    assert_int_equal(asked(&s, "DELETE /v/subscriptions/s2"), 1);
    server_stop(&s);
}

/* Paths and words of 3.0.1, and nothing that it does not have. */
static void the_older_version_is_spoken(void **state)
{
    (void)state;
    struct answer script[] = {
        PROGRAM,
        {"POST /v/vens/v1/resources", 201, "{\"id\":\"r1\"}", 0, 0, 0},
        {"POST /v/vens ", 201, "{\"id\":\"v1\"}", 0, 0, 0},
        {"GET /v/subscriptions?", 200, "[]", 0, 0, 0},
        {"POST /v/subscriptions", 201, "{\"id\":\"s1\"}", 0, 0, 0},
        {"DELETE /v/subscriptions/s1", 200, "{}", 0, 0, 0},
        {"POST /v/reports", 201, "{\"id\":\"q1\"}", 0, 0, 0},
        {"GET /v/events", 200,
         "[{\"id\":\"e1\",\"objectType\":\"EVENT\",\"programID\":\"p1\","
         "\"targets\":[{\"type\":\"GROUP\",\"values\":[\"g1\"]}],"
         "\"intervalPeriod\":{\"start\":\"2026-11-21T00:00:00Z\","
         "\"duration\":\"PT1H\"},\"intervals\":[{\"id\":0,\"payloads\":[{"
         "\"type\":\"IMPORT_CAPACITY_LIMIT\",\"values\":[8000]}]}]}]",
         0, 0, 0},
        END,
    };
    struct server s;
    server_start(&s, script);
    struct ven v;
    open_ven(&v, s.port, true, false);
    const struct openadr_events *e = pass(&v, 0.0);
    assert_true(v.link.up);
    assert_int_equal(e->n, 1);
    assert_string_equal(e->list[0]->fault, "");
    assert_true(e->list[0]->values[0] > 7.9e6);
    assert_string_equal(openadr_push_text(v.o), "webhook");
    cJSON *report = cJSON_CreateObject();
    cJSON_AddStringToObject(report, "eventID", "e1");
    char why[200] = "";
    assert_int_equal(openadr_report(v.o, report, why, sizeof(why)), ERR_NONE);
    assert_true(json_in_is_text(report, "programID", "p1"));
    cJSON_Delete(report);
    openadr_close(v.o);
    assert_int_equal(asked(&s, "POST /v/vens/v1/resources"), 1);
    assert_int_equal(asked(&s, "GET /v/auth/server"), 0);
    assert_int_equal(asked(&s, "GET /v/notifiers"), 0);
    server_stop(&s);
}

/* Whole listings with bytes changed: the last good one holds, or what is read
 * is sane. */
static void damaged_listings_do_no_harm(void **state)
{
    (void)state;
    static const char good[] =
        "[{\"id\":\"e1\",\"programID\":\"p1\",\"priority\":1,"
        "\"intervalPeriod\":{\"start\":\"2026-11-21T00:00:00Z\","
        "\"duration\":\"PT1H\",\"randomizeStart\":\"PT5M\"},\"intervals\":["
        "{\"id\":0,\"payloads\":[{\"type\":\"IMPORT_CAPACITY_LIMIT\","
        "\"values\":[8000]}]},{\"id\":1,\"payloads\":[{\"type\":\"PRICE\","
        "\"values\":[0.1,0.2]}]}]},{\"id\":\"e2\",\"programID\":\"p1\","
        "\"intervals\":[{\"id\":0,\"payloads\":[{\"type\":\"SIMPLE\","
        "\"values\":[2]}]}]}]";
    const uint64_t seed = 77;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t random = random_seed(seed);
    char text[sizeof(good)];
    memcpy(text, good, sizeof(text));
    struct answer script[] = {
        PROGRAM, ENROL, {"GET /v/events", 200, text, 0, 0, 0}, END};
    struct server s;
    server_start(&s, script);
    struct ven v;
    open_ven(&v, s.port, false, true);
    assert_int_equal(pass(&v, 0.0)->n, 2);
    int n_read = 0;
    for (int round = 0; round < 600; round++) {
        memcpy(text, good, sizeof(text));
        size_t last = sizeof(good) - 1;
        for (int k = (int)random_draw(&random, 1.0, 4.0); k > 0; k--) {
            size_t at = (size_t)random_draw(&random, 0.0, (double)last - 0.5);
            text[at] = (char)random_draw(&random, 32.0, 126.9);
        }
        uint64_t before = openadr_events(v.o)->version;
        const struct openadr_events *e = pass(&v, 1.0);
        n_read += v.link.up;
        assert_true(v.link.up || e->version == before);
        for (int64_t i = 0; i < e->n; i++) {
            const struct dr_event *one = e->list[i];
            for (int64_t k = 0; k < one->n_values && one->fault[0] == '\0';
                 k++) {
                assert_true(one->values[k] >= -1e4 && one->values[k] <= 176e6);
            }
        }
    }
    assert_true(n_read > 50 && n_read < 600);
    openadr_close(v.o);
    server_stop(&s);
}

/* A mosquitto on a free port; 0 where there is none. */
static pid_t start_broker(int port, char conf[64])
{
    snprintf(conf, 64, "/tmp/ballast-test-%d.conf", (int)getpid());
    FILE *f = fopen(conf, "w");
    assert_non_null(f);
    fprintf(f, "listener %d 127.0.0.1\nallow_anonymous true\n", port);
    fclose(f);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("PATH", "/usr/bin:/bin:/usr/sbin", 1);
        execlp("mosquitto", "mosquitto", "-c", conf, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void stop_broker(pid_t pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

static int free_port(void)
{
    struct server taken;
    struct answer none[] = {END};
    server_start(&taken, none);
    server_stop(&taken);
    return taken.port;
}

static void say_notifiers(int port, char text[300])
{
    snprintf(text, 300,
             "{\"WEBHOOK\":true,\"MQTT\":{\"URIS\":[\"mqtt://127.0.0.1:%d\"],"
             "\"serialization\":\"JSON\",\"authentication\":{\"method\":"
             "\"ANONYMOUS\"}}}",
             port);
}

static void publish(int port, const char *topic)
{
    char command[256];
    snprintf(command, sizeof(command),
             "mosquitto_pub -h 127.0.0.1 -p %d -t '%s' -m '%s'", port, topic,
             "{\"objectType\":\"EVENT\",\"operation\":\"CREATE\"}");
    assert_int_equal(system(command), 0);
}

/* Until it has been woken 'n' times, five seconds at most. */
static bool woken_by(int n)
{
    for (int i = 0; i < 100 && atomic_load(&n_woken) < n; i++) {
        rest(50);
    }
    return atomic_load(&n_woken) >= n;
}

static void messages_wake(void **state)
{
    (void)state;
    if (access("/usr/sbin/mosquitto", X_OK) != 0) {
        print_message("skip: no mosquitto\n");
        skip();
    }
    int port = free_port();
    char notifiers[300];
    say_notifiers(port, notifiers);
    struct answer script[] = {
        PROGRAM,
        ENROL,
        {"GET /v/events", 200, "[]", 0, 0, 0},
        {"GET /v/notifiers/mqtt/topics/programs/p1/events", 200,
         "{\"topics\":{\"CREATE\":\"programs/p1/events/create\",\"DELETE\":"
         "\"programs/p1/events/delete\"}}",
         0, 0, 0},
        {"GET /v/notifiers/mqtt/topics/vens/v1/events", 200,
         "{\"topics\":{\"ALL\":\"vens/v1/events/+\"}}", 0, 0, 0},
        {"GET /v/notifiers ", 200, notifiers, 0, 0, 0},
        END,
    };
    struct server s;
    server_start(&s, script);
    char conf[64];
    pid_t broker = start_broker(port, conf);
    atomic_store(&n_woken, 0);
    struct ven v;
    open_ven(&v, s.port, false, true);
    rest(300);
    pass(&v, 0.0);
    bool subscribed = woken_by(1); /* something may have been missed */
    rest(100);
    bool told = strcmp(openadr_push_text(v.o), "MQTT") == 0;
    int before = atomic_load(&n_woken);
    publish(port, "vens/v1/events/update");
    bool update = woken_by(before + 1);
    publish(port, "programs/p1/events/delete");
    bool gone = woken_by(before + 2);
    publish(port, "vens/v2/events/update");
    rest(200);
    bool quiet = atomic_load(&n_woken) == before + 2;
    stop_broker(broker);
    broker = start_broker(port, conf);
    bool again = woken_by(before + 3); /* back, and subscribed again */
    openadr_close(v.o);
    stop_broker(broker);
    unlink(conf);
    server_stop(&s);
    assert_true(subscribed && told);
    assert_true(update && gone && quiet);
    assert_true(again);
}

static void a_notifier_of_another_kind_is_told(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "{\"WEBHOOK\":true}",
        "{\"MQTT\":{\"URIS\":[],\"authentication\":{}}}",
        "{\"MQTT\":{\"URIS\":[\"http://x\"]}}",
        "{\"MQTT\":{\"URIS\":[\"mqtts://x\"],\"authentication\":"
        "{\"method\":\"CERTIFICATE\"}}}",
        "[1,2]",
        "no JSON",
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct answer script[] = {
            PROGRAM,
            ENROL,
            {"GET /v/events", 200, "[]", 0, 0, 0},
            {"GET /v/notifiers/mqtt", 200, "{\"topics\":{\"ALL\":\"a/+\"}}", 0,
             0, 0},
            {"GET /v/notifiers ", 200, answers[i], 0, 0, 0},
            END,
        };
        struct server s;
        server_start(&s, script);
        struct ven v;
        open_ven(&v, s.port, false, true);
        pass(&v, 0.0);
        if (!v.link.up || openadr_push_trouble(v.o)[0] == '\0') {
            fail_msg("answer %zu: \"%s\"", i, openadr_push_trouble(v.o));
        }
        openadr_close(v.o);
        server_stop(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subscription_is_kept),
        cmocka_unit_test(the_older_version_is_spoken),
        cmocka_unit_test(damaged_listings_do_no_harm),
        cmocka_unit_test(messages_wake),
        cmocka_unit_test(a_notifier_of_another_kind_is_told),
    };
    return cmocka_run_group_tests_name("openadr_push", tests, NULL, NULL);
}
