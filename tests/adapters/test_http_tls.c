/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/http_client with TLS, against `openssl s_server` and a
 * certificate authority of our own: which certificates are taken. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/http_client.h"
#include "tests/adapters/openadr_server.h"

static char dir[64];

/* The authority, and a certificate NAME for SUBJECT for DAYS. */
static const char make_ca[] =
    "cd %s && openssl req -x509 -newkey ec -pkeyopt "
    "ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 "
    "-subj /CN=test 2>log";
static const char make_cert[] =
    "cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
    "-nodes -keyout %s.key -out %s.csr -subj /CN=t 2>>log && "
    "printf 'subjectAltName=%s' >ext && openssl x509 -req -in %s.csr %s "
    "-days %d -extfile ext -out %s.pem 2>>log";

static const struct {
    const char *name;
    const char *subject;
    int days;
    bool own; /* signed by itself */
    enum err err;
    const char *says;
} cases[] = {
    {"good", "IP:127.0.0.1", 2, false, ERR_NONE, ""},
    {"other", "DNS:vtn.example", 2, false, ERR_IO, "name"},
    {"expired", "IP:127.0.0.1", -1, false, ERR_IO, "expired"},
    {"own", "IP:127.0.0.1", 2, true, ERR_IO, "self-signed"},
};

static bool make_certificate(size_t i)
{
    char by[128];
    char command[1024];
    const char *n = cases[i].name;
    snprintf(by, sizeof(by), "-CA ca.pem -CAkey ca.key -CAcreateserial");
    if (cases[i].own) {
        snprintf(by, sizeof(by), "-signkey %s.key", n);
    }
    snprintf(command, sizeof(command), make_cert, dir, n, n, cases[i].subject,
             n, by, cases[i].days, n);
    return system(command) == 0;
}

static int free_port(void)
{
    struct answer none[] = {{NULL, 0, NULL, 0, 0, 0}};
    struct server s;
    server_start(&s, none);
    server_stop(&s);
    return s.port;
}

static pid_t start_tls(const char *name, int port)
{
    char command[512];
    snprintf(command, sizeof(command),
             "cd %s && exec openssl s_server -accept 127.0.0.1:%d -cert %s.pem "
             "-key %s.key -www -quiet >log.s 2>&1",
             dir, port, name, name);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* Until it listens, three seconds at most. */
static enum err fetch(const char *ca_file, int port, char why[HTTP_WHY_MAX])
{
    const struct http_client_cfg cfg = {
        .ca_file = ca_file, .timeout_s = 3.0, .bytes_max = 1 << 20};
    struct http_client *c = NULL;
    assert_int_equal(http_client_open(&cfg, &c), ERR_NONE);
    char url[64];
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
    const struct http_request ask = {.method = "GET", .url = url};
    enum err e = ERR_IO;
    for (int i = 0; i < 60; i++) {
        struct http_reply reply;
        e = http_client_send(c, &ask, &reply, why);
        if (e == ERR_NONE || strstr(why, "onnect") == NULL) {
            break;
        }
        const struct timespec t = {0, 50000000};
        nanosleep(&t, NULL);
    }
    http_client_close(c);
    return e;
}

static void which_certificates_are_taken(void **state)
{
    (void)state;
    char command[512];
    snprintf(dir, sizeof(dir), "/tmp/ballast-tls-%d", (int)getpid());
    snprintf(command, sizeof(command), "mkdir -p %s", dir);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), make_ca, dir);
    if (system(command) != 0) {
        print_message("skip: no openssl\n");
        skip();
    }
    char ca[96];
    snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
    char said[256] = "";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char why[HTTP_WHY_MAX] = "";
        int port = free_port();
        assert_true(make_certificate(i));
        pid_t pid = start_tls(cases[i].name, port);
        enum err e = fetch(ca, port, why);
        char system_why[HTTP_WHY_MAX] = "";
        enum err by_system = fetch(NULL, port, system_why);
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
        if (e != cases[i].err || strstr(why, cases[i].says) == NULL) {
            snprintf(said, sizeof(said), "%s: %s, %.180s", cases[i].name,
                     err_text(e), why);
        }
        if (by_system != ERR_IO) { /* the system does not know our authority */
            snprintf(said, sizeof(said), "%s: taken without the authority",
                     cases[i].name);
        }
        print_message("%s: %s\n", cases[i].name, why);
    }
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    if (said[0] != '\0') {
        fail_msg("%s", said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_certificates_are_taken),
    };
    return cmocka_run_group_tests_name("http_tls", tests, NULL, NULL);
}
