/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/openadr_feed and openadr_login against mosquitto by TLS:
 * whom we believe, and who we are: nobody, a name with its password, a token,
 * a certificate of ours or one that was handed out. */
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

#include "adapters/openadr_feed.h"
#include "adapters/openadr_login.h"
#include "tests/adapters/openadr_notice.h"
#include "tests/peers/mqtt_peer.h"

enum { PATH_BYTES = 128, UP_MS = 5000, DOWN_MS = 1500 };

static struct peer *peer;
static char ca[PATH_BYTES], other[PATH_BYTES];
static char cert[PATH_BYTES], key[PATH_BYTES], password[PATH_BYTES];

static void shell(const char *command)
{
    char dir[PATH_BYTES];
    char line[1200];
    peer_path(peer, "", dir, sizeof(dir));
    snprintf(line, sizeof(line), "cd '%s' && { %s; } >>shell.log 2>&1", dir,
             command);
    if (system(line) != 0) {
        fail_msg("fails: %s", command);
    }
}

static int setup(void **state)
{
    (void)state;
    if (!peer_has("mosquitto") || !peer_has("openssl") ||
        !peer_has("mosquitto_passwd") || !peer_has("mosquitto_pub")) {
        print_message("skip: no mosquitto or no openssl\n");
        return 0;
    }
    peer = peer_start(PEER_TLS);
    if (peer == NULL) {
        print_message("skip: openssl makes no certificates\n");
        return 0;
    }
    peer_path(peer, "ca.crt", ca, sizeof(ca));
    peer_path(peer, "other.crt", other, sizeof(other));
    peer_path(peer, "us.crt", cert, sizeof(cert));
    peer_path(peer, "us.key", key, sizeof(key));
    peer_path(peer, "password", password, sizeof(password));
    shell("for c in ca other; do openssl req -newkey rsa:2048 -nodes -subj "
          "/CN=us -keyout us-$c.key -out us.csr && openssl x509 -req -in "
          "us.csr -CA $c.crt -CAkey $c.key -CAcreateserial -days 2 -out "
          "us-$c.crt || exit 1; done; cp us-ca.key us.key; cp us-ca.crt "
          "us.crt; chmod 600 us.key us-*.key");
    shell("mosquitto_passwd -c -b users us sesame && chmod 600 users && "
          "mosquitto_passwd -b users ven t0ken");
    peer_write(peer, "password", "sesame\n", 0600);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (peer != NULL) {
        peer_stop(peer);
    }
    return 0;
}

static void need_peer(void)
{
    if (peer == NULL) {
        skip();
    }
}

/* The broker again, by TLS, with more lines to its configuration. */
static void restart_broker(const char *more)
{
    char dir[PATH_BYTES];
    char text[1200];
    peer_kill_broker(peer);
    peer_path(peer, "", dir, sizeof(dir));
    snprintf(text, sizeof(text),
             "listener %d 127.0.0.1\npersistence false\n%scafile %s/ca.crt\n"
             "certfile %s/server.crt\nkeyfile %s/server.key\n%s\n",
             peer_port(peer), geteuid() == 0 ? "user root\n" : "", dir, dir,
             dir, more);
    peer_write(peer, "mosquitto.conf", text, 0600);
    peer_start_broker(peer);
}

static struct openadr_feed *connect_as(const struct openadr_login *login,
                                       const char *host)
{
    char uri[64];
    char why[300] = "";
    struct openadr_feed *feed = NULL;
    snprintf(uri, sizeof(uri), "mqtts://%s:%d", host, peer_port(peer));
    const struct openadr_feed_cfg cfg = {.uri = uri,
                                         .client = "b1",
                                         .user = login->user,
                                         .password = login->password,
                                         .ca_file = login->ca_file,
                                         .cert_file = login->cert_file,
                                         .key_file = login->key_file,
                                         .n_topics = 1,
                                         .topics = {"vens/v1/events/+"},
                                         .woken = count};
    if (openadr_feed_open(&cfg, &feed, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return feed;
}

static bool gets_up(const struct openadr_feed *feed, int wait_ms)
{
    for (int ms = 0; ms < wait_ms && !openadr_feed_up(feed); ms += 20) {
        rest(20);
    }
    return openadr_feed_up(feed);
}

static bool is_let_in(const struct openadr_login *login, const char *host,
                      int wait_ms)
{
    struct openadr_feed *feed = connect_as(login, host);
    bool up = gets_up(feed, wait_ms);
    openadr_feed_close(feed);
    return up;
}

static const struct openadr_login nobody = {
    .user = "", .password = "", .cert_file = "", .key_file = ""};

static void whom_we_believe(void **state)
{
    (void)state;
    need_peer();
    restart_broker("allow_anonymous true");
    struct openadr_login login = nobody;
    login.ca_file = ca;
    assert_true(is_let_in(&login, "localhost", UP_MS));
    assert_false(is_let_in(&login, "127.0.0.1", DOWN_MS)); /* another name */
    login.ca_file = other;
    assert_false(is_let_in(&login, "localhost", DOWN_MS));
    login.ca_file = ""; /* the system's */
    assert_false(is_let_in(&login, "localhost", DOWN_MS));
}

/* What the site's owner gave us, and the VTN's token. */
static struct openadr_login_cfg ours(void)
{
    return (struct openadr_login_cfg){.client = "ven",
                                      .token = "t0ken",
                                      .ca_file = ca,
                                      .cert_file = "",
                                      .key_file = "",
                                      .user = "",
                                      .password_file = ""};
}

static enum err make(const struct openadr_login_cfg *cfg, const char *json,
                     struct openadr_login *out, char why[HTTP_WHY_MAX])
{
    cJSON *o = cJSON_Parse(json);
    why[0] = '\0';
    enum err e = openadr_login_make(cfg, o, out, why);
    bool named = out->user != NULL && strcmp(out->user, "ven") == 0;
    out->user = named ? "ven" : out->user;
    cJSON_Delete(o);
    return e;
}

#define TOKEN "{\"method\":\"OAUTH2_BEARER_TOKEN\",\"username\":\"{clientID}\"}"

static void names_and_tokens_let_us_in(void **state)
{
    (void)state;
    need_peer();
    char users[PATH_BYTES];
    char more[PATH_BYTES + 64];
    char why[HTTP_WHY_MAX];
    peer_path(peer, "users", users, sizeof(users));
    snprintf(more, sizeof(more), "allow_anonymous false\npassword_file %s",
             users);
    restart_broker(more);
    struct openadr_login login;
    struct openadr_login_cfg cfg = ours();
    assert_int_equal(make(&cfg, "{\"method\":\"ANONYMOUS\"}", &login, why),
                     ERR_NONE);
    assert_false(is_let_in(&login, "localhost", DOWN_MS));
    openadr_login_clear(&login);
    assert_int_equal(make(&cfg, TOKEN, &login, why), ERR_NONE);
    assert_true(is_let_in(&login, "localhost", UP_MS));
    openadr_login_clear(&login);
    cfg.token = "t1ken";
    assert_int_equal(make(&cfg, TOKEN, &login, why), ERR_NONE);
    assert_false(is_let_in(&login, "localhost", DOWN_MS));
    openadr_login_clear(&login);
    cfg.user = "us";
    cfg.password_file = password;
    assert_int_equal(make(&cfg, "{\"method\":\"ANONYMOUS\"}", &login, why),
                     ERR_NONE);
    assert_true(is_let_in(&login, "localhost", UP_MS));
    openadr_login_clear(&login);
    assert_int_equal(login.secret[0], '\0');
}

static void a_certificate_lets_us_in(void **state)
{
    (void)state;
    need_peer();
    char why[HTTP_WHY_MAX];
    struct openadr_login login = nobody;
    restart_broker("allow_anonymous true\nrequire_certificate true");
    login.ca_file = ca;
    assert_false(is_let_in(&login, "localhost", DOWN_MS));
    char wrong_cert[PATH_BYTES];
    char wrong_key[PATH_BYTES];
    peer_path(peer, "us-other.crt", wrong_cert, sizeof(wrong_cert));
    peer_path(peer, "us-other.key", wrong_key, sizeof(wrong_key));
    struct openadr_login_cfg cfg = ours();
    cfg.cert_file = wrong_cert;
    cfg.key_file = wrong_key;
    assert_int_equal(make(&cfg, "{\"method\":\"CERTIFICATE\"}", &login, why),
                     ERR_NONE);
    assert_false(is_let_in(&login, "localhost", DOWN_MS));
    openadr_login_clear(&login);
    cfg.cert_file = cert;
    cfg.key_file = key;
    assert_int_equal(make(&cfg, "{\"method\":\"CERTIFICATE\"}", &login, why),
                     ERR_NONE);
    struct openadr_feed *feed = connect_as(&login, "localhost");
    assert_true(gets_up(feed, UP_MS));
    int before = atomic_load(&n_woken);
    char line[300];
    snprintf(line, sizeof(line),
             "mosquitto_pub -h localhost -p %d --cafile ca.crt --cert us.crt "
             "--key us.key -t vens/v1/events/update -m x",
             peer_port(peer));
    shell(line);
    for (int i = 0; i < 100 && atomic_load(&n_woken) == before; i++) {
        rest(20);
    }
    assert_true(atomic_load(&n_woken) > before);
    openadr_feed_close(feed);
    openadr_login_clear(&login);
}

static char *read_text(const char *path)
{
    static char text[3][8192];
    static int next;
    char *to = text[next++ % 3];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    to[fread(to, 1, sizeof(text[0]) - 1, f)] = '\0';
    fclose(f);
    return to;
}

/* As the yaml has it: PEM in the answer.  It is ours alone while it is used,
 * and gone afterwards. */
static void a_certificate_may_be_handed_out(void **state)
{
    (void)state;
    need_peer();
    char why[HTTP_WHY_MAX];
    struct openadr_login login;
    struct openadr_login_cfg cfg = ours();
    cfg.ca_file = "";
    restart_broker("allow_anonymous true\nrequire_certificate true");
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "method", "CERTIFICATE");
    cJSON_AddStringToObject(o, "caCert", read_text(ca));
    cJSON_AddStringToObject(o, "clientCert", read_text(cert));
    cJSON_AddStringToObject(o, "clientKey", read_text(key));
    assert_int_equal(openadr_login_make(&cfg, o, &login, why), ERR_NONE);
    cJSON_Delete(o);
    struct stat st;
    assert_int_equal(stat(login.key_file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(login.folder.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(is_let_in(&login, "localhost", UP_MS));
    struct temp_folder folder = login.folder;
    openadr_login_clear(&login);
    assert_int_not_equal(stat(folder.path, &st), 0);
}

static void what_is_refused(void **state)
{
    (void)state;
    need_peer();
    static const char *const texts[] = {
        "{\"method\":\"CERTIFICATE\"}",
        "{\"method\":\"CERTIFICATE\",\"clientCert\":\"x\",\"clientKey\":\"y\"}",
        "{\"method\":\"CERTIFICATE\",\"clientCert\":7,\"clientKey\":[]}",
        "{\"method\":\"PIGEON\"}",
        "{\"method\":\"OAUTH2_BEARER_TOKEN\"}",
        "[]",
    };
    struct openadr_login login;
    struct openadr_login_cfg cfg = ours();
    char why[HTTP_WHY_MAX];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(make(&cfg, texts[i], &login, why), ERR_UNKNOWN);
        assert_true(why[0] != '\0' && strstr(why, "t0ken") == NULL);
        assert_int_equal(login.folder.path[0], '\0');
        openadr_login_clear(&login);
    }
    /* keys and passwords that others may read */
    cfg.cert_file = cert;
    cfg.key_file = key;
    assert_int_equal(chmod(key, 0640), 0);
    assert_int_equal(make(&cfg, "{\"method\":\"CERTIFICATE\"}", &login, why),
                     ERR_RANGE);
    assert_non_null(strstr(why, "us.key"));
    assert_int_equal(chmod(key, 0600), 0);
    cfg = ours();
    cfg.user = "us";
    cfg.password_file = password;
    assert_int_equal(chmod(password, 0604), 0);
    assert_int_equal(make(&cfg, "{\"method\":\"ANONYMOUS\"}", &login, why),
                     ERR_RANGE);
    assert_null(strstr(why, "sesame"));
    openadr_login_clear(&login);
    assert_int_equal(chmod(password, 0600), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whom_we_believe),
        cmocka_unit_test(names_and_tokens_let_us_in),
        cmocka_unit_test(a_certificate_lets_us_in),
        cmocka_unit_test(a_certificate_may_be_handed_out),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests_name("notifier_tls", tests, setup, teardown);
}
