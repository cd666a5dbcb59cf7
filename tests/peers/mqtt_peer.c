/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/peers/mqtt_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct peer {
    char dir[64];
    int port;
    enum peer_kind kind;
    pid_t broker;
    pid_t listener;
    int n_listens;
};

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

bool peer_has(const char *program)
{
    char command[200];
    snprintf(command, sizeof(command),
             "PATH=$PATH:/usr/sbin command -v %s >/dev/null 2>&1", program);
    return system(command) == 0;
}

void peer_path(const struct peer *p, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", p->dir, name);
}

void peer_write(const struct peer *p, const char *name, const char *text,
                unsigned mode)
{
    char path[128];
    peer_path(p, name, path, sizeof(path));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int free_port(void)
{
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static bool answers(int port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    bool ok = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    close(fd);
    return ok;
}

/* Runs a program with its output in a file of the folder. */
static pid_t spawn(const struct peer *p, const char *output,
                   const char *const argv[])
{
    char path[128];
    peer_path(p, output, path, sizeof(path));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        for (int i = 3; i < 256; i++) {
            close(i);
        }
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid;
}

void peer_reap(pid_t pid)
{
    if (pid > 0) {
        waitpid(pid, NULL, 0);
    }
}

static int run(const struct peer *p, const char *const argv[])
{
    int status = 0;
    pid_t pid = spawn(p, "run.log", argv);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_config(const struct peer *p)
{
    char text[1000];
    size_t n = (size_t)snprintf(
        text, sizeof(text),
        "listener %d 127.0.0.1\nallow_anonymous true\npersistence false\n",
        p->port);
    if (geteuid() == 0) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "user root\n");
    }
    if (p->kind == PEER_TLS) {
        snprintf(text + n, sizeof(text) - n,
                 "cafile %s/ca.crt\ncertfile %s/server.crt\n"
                 "keyfile %s/server.key\n",
                 p->dir, p->dir, p->dir);
    }
    peer_write(p, "mosquitto.conf", text, 0600);
}

/* Two authorities, and a server certificate of the first for localhost. */
static bool make_certificates(const struct peer *p)
{
    static const char script[] =
        "set -e; cd \"$0\"; for c in ca other; do openssl req -x509 "
        "-newkey rsa:2048 -nodes -days 2 -subj /CN=$c -keyout $c.key "
        "-out $c.crt; done; openssl req -newkey rsa:2048 -nodes "
        "-subj /CN=localhost -keyout server.key -out server.csr; "
        "echo subjectAltName=DNS:localhost > san; "
        "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key "
        "-CAcreateserial -days 2 -extfile san -out server.crt";
    const char *const argv[] = {"sh", "-c", script, p->dir, NULL};
    return run(p, argv) == 0;
}

void peer_start_broker(struct peer *p)
{
    char config[128];
    peer_path(p, "mosquitto.conf", config, sizeof(config));
    const char *const argv[] = {"mosquitto", "-c", config, NULL};
    p->broker = spawn(p, "mosquitto.log", argv);
    for (int i = 0; i < 250 && !answers(p->port); i++) {
        pause_ms(20);
    }
    if (!answers(p->port)) {
        fail_msg("mosquitto does not start: see %s/mosquitto.log", p->dir);
    }
}

struct peer *peer_start(enum peer_kind kind)
{
    const char *path = getenv("PATH");
    if (path != NULL && strstr(path, "/usr/sbin") == NULL) {
        char longer[4096];
        snprintf(longer, sizeof(longer), "%s:/usr/sbin", path);
        setenv("PATH", longer, 1);
    }
    struct peer *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    snprintf(p->dir, sizeof(p->dir), "/tmp/ballast-mqtt-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->kind = kind;
    p->port = free_port();
    if (kind == PEER_TLS && !make_certificates(p)) {
        peer_stop(p);
        return NULL;
    }
    if (kind != PEER_FILES) {
        write_config(p);
        peer_start_broker(p);
    }
    return p;
}

static void end(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        peer_reap(*pid);
        *pid = 0;
    }
}

void peer_kill_broker(struct peer *p)
{
    end(&p->broker);
}

void peer_stop(struct peer *p)
{
    end(&p->listener);
    end(&p->broker);
    const char *const argv[] = {"rm", "-rf", p->dir, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    peer_reap(pid);
    free(p);
}

int peer_port(const struct peer *p)
{
    return p->port;
}

void peer_publish(struct peer *p, const char *topic, const char *payload,
                  bool retained)
{
    char port[16];
    snprintf(port, sizeof(port), "%d", p->port);
    const char *const argv[] = {"mosquitto_pub",
                                "-h",
                                "127.0.0.1",
                                "-p",
                                port,
                                "-q",
                                "1",
                                "-t",
                                topic,
                                "-m",
                                payload,
                                retained ? "-r" : NULL,
                                NULL};
    if (run(p, argv) != 0) {
        fail_msg("mosquitto_pub to %s fails", topic);
    }
}

void peer_publish_size(struct peer *p, const char *topic, size_t size)
{
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, '[', size);
    text[size] = '\0';
    peer_write(p, "payload", text, 0600);
    free(text);
    char port[16];
    char path[128];
    snprintf(port, sizeof(port), "%d", p->port);
    peer_path(p, "payload", path, sizeof(path));
    const char *const argv[] = {
        "mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-q", "1", "-t",
        topic,           "-f", path,        NULL};
    assert_int_equal(run(p, argv), 0);
}

static void heard_path(const struct peer *p, char *out, size_t size)
{
    snprintf(out, size, "%s/heard-%d", p->dir, p->n_listens);
}

void peer_listen(struct peer *p, const char *filter)
{
    end(&p->listener);
    p->n_listens++;
    char port[16];
    char name[32];
    snprintf(port, sizeof(port), "%d", p->port);
    snprintf(name, sizeof(name), "heard-%d", p->n_listens);
    const char *const argv[] = {
        "mosquitto_sub", "-h", "127.0.0.1", "-p", port,       "-q", "1", "-t",
        filter,          "-t", "hello",     "-F", "%r %t %p", NULL};
    p->listener = spawn(p, name, argv);
    char line[100];
    for (int i = 0; i < 100; i++) {
        peer_publish(p, "hello", "hello", false);
        pause_ms(20);
        if (peer_heard(p, "hello", "hello", line, sizeof(line))) {
            return;
        }
    }
    fail_msg("mosquitto_sub hears nothing");
}

bool peer_heard(struct peer *p, const char *topic, const char *payload,
                char *line, size_t size)
{
    char path[128];
    heard_path(p, path, sizeof(path));
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        return false;
    }
    bool found = false;
    while (!found && fgets(line, (int)size, f) != NULL) {
        found = strstr(line, topic) != NULL && strstr(line, payload) != NULL;
    }
    fclose(f);
    return found;
}

/* The first message retained for the filter, as a line in a file. */
static void fetch_retained(struct peer *p, const char *filter)
{
    char port[16];
    char path[128];
    snprintf(port, sizeof(port), "%d", p->port);
    peer_path(p, "retained", path, sizeof(path));
    unlink(path);
    const char *const argv[] = {
        "mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-t", filter, "-F",
        "%r %t %p",      "-C", "1",         "-W", "1",  NULL};
    pid_t pid = spawn(p, "retained", argv);
    peer_reap(pid);
}

bool peer_retained(struct peer *p, const char *topic, const char *text,
                   char *out, size_t size)
{
    char path[128];
    peer_path(p, "retained", path, sizeof(path));
    for (int i = 0; i < 5; i++) {
        fetch_retained(p, topic);
        FILE *f = fopen(path, "r");
        bool found = f != NULL && fgets(out, (int)size, f) != NULL &&
                     strstr(out, text) != NULL;
        if (f != NULL) {
            fclose(f);
        }
        if (found) {
            return true;
        }
    }
    return false;
}

bool peer_retains(struct peer *p, const char *filter)
{
    char line[300];
    char path[128];
    peer_path(p, "retained", path, sizeof(path));
    fetch_retained(p, filter);
    FILE *f = fopen(path, "r");
    bool any =
        f != NULL && fgets(line, sizeof(line), f) != NULL && line[0] == '1';
    if (f != NULL) {
        fclose(f);
    }
    return any;
}
