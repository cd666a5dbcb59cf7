/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the simulated devices' Modbus side: requests of a stranger, and the
 * server on a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <modbus/modbus.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "models/random.h"
#include "replay/sim_battery.h"
#include "replay/sim_modbus.h"

static struct site_battery megablock(void)
{
    return (struct site_battery){
        .name = "megablock1",
        .energy_wh = 20e6,
        .charge_max_w = 10e6,
        .discharge_max_w = 8e6,
        .soc_min_pu = 0.1,
        .soc_max_pu = 0.9,
    };
}

/* One battery behind unit 1. */
static bool never;
static struct sim_battery device;

static int write_device(void *user, int addr, int n, const uint16_t *values)
{
    return sim_battery_write(user, addr, n, values, 0.0);
}

static struct sim_slave slave(void)
{
    struct site_battery site = megablock();
    sim_battery_init(&device, &site, 0.0);
    return (struct sim_slave){
        .at = {.present = true, .host = "127.0.0.1", .unit = 1},
        .image = &device.image,
        .silent = &never,
        .write = write_device,
        .user = &device,
    };
}

static void test_requests_are_answered_or_refused(void **state)
{
    (void)state;
    struct sim_slave s = slave();
    static const struct {
        const char *what;
        int n;
        uint8_t request[16];
        int n_reply;
        uint8_t reply[8];
    } rows[] = {
        {"SunS",
         6,
         {1, 3, 0x9C, 0x40, 0, 2},
         7,
         {1, 3, 4, 0x53, 0x75, 0x6E, 0x53}},
        {"other unit", 6, {9, 3, 0x9C, 0x40, 0, 2}, 3, {9, 0x83, 11}},
        {"other function", 6, {1, 4, 0x9C, 0x40, 0, 2}, 3, {1, 0x84, 1}},
        {"below the base", 6, {1, 3, 0, 0, 0, 2}, 3, {1, 0x83, 2}},
        {"past the end", 6, {1, 3, 0xFF, 0xFF, 0, 2}, 3, {1, 0x83, 2}},
        {"none", 6, {1, 3, 0x9C, 0x40, 0, 0}, 3, {1, 0x83, 3}},
        {"too many", 6, {1, 3, 0x9C, 0x40, 0, 126}, 3, {1, 0x83, 3}},
        {"cut short", 4, {1, 3, 0x9C, 0x40}, 3, {1, 0x83, 3}},
        {"only a function", 2, {1, 16}, 3, {1, 0x90, 3}},
        {"count and bytes differ",
         11,
         {1, 16, 0x9C, 0x40, 0, 2, 2, 0, 0, 0, 0},
         3,
         {1, 0x90, 3}},
        {"more than it says",
         13,
         {1, 16, 0x9C, 0x40, 0, 2, 4, 0, 0, 0, 0, 0, 0},
         3,
         {1, 0x90, 3}},
        {"read-only", 6, {1, 6, 0x9C, 0x40, 0, 2}, 3, {1, 0x86, 2}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[260];
        int n = sim_pdu_answer(&s, 1, rows[i].request, rows[i].n, out);
        if (n != rows[i].n_reply || memcmp(out, rows[i].reply, (size_t)n)) {
            fail_msg("%s: %d bytes %02x %02x %02x", rows[i].what, n, out[0],
                     out[1], out[2]);
        }
    }
    uint8_t out[260];
    bool silent = true;
    s.silent = &silent;
    assert_int_equal(sim_pdu_answer(&s, 1, rows[0].request, 6, out), 0);
}

static void test_random_requests_do_no_harm(void **state)
{
    (void)state;
    struct sim_slave s = slave();
    uint64_t r = random_seed(11);
    print_message("seed 11\n");
    for (int i = 0; i < 100000; i++) {
        uint8_t request[254];
        uint8_t out[260];
        int n = (int)random_draw(&r, 2.0, 40.0);
        for (int k = 0; k < n; k++) {
            request[k] = (uint8_t)random_draw(&r, 0.0, 256.0);
        }
        request[0] = 1;
        static const uint8_t functions[] = {3, 6, 16};
        request[1] = functions[(int)random_draw(&r, 0.0, 3.0)];
        int size = sim_pdu_answer(&s, 1, request, n, out);
        assert_in_range(size, 3, 253);
        assert_int_equal(out[0], 1);
    }
}

/* A port that was free a moment ago. */
static int free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static int dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    struct timeval limit = {.tv_sec = 2};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

/* Reads exactly 'n' bytes; false at the end or after two seconds. */
static bool read_all(int fd, uint8_t *out, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = recv(fd, out + done, n - done, 0);
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

static void check_framing(int port)
{
    static const uint8_t two[] = {0, 1, 0, 0, 0, 6, 1, 3, 0x9C, 0x40, 0, 1,
                                  0, 2, 0, 0, 0, 6, 7, 3, 0x9C, 0x40, 0, 1};
    uint8_t reply[20];
    int fd = dial(port);
    for (size_t i = 0; i < sizeof(two); i++) { /* dribbled, two in a row */
        assert_int_equal(send(fd, two + i, 1, MSG_NOSIGNAL), 1);
    }
    assert_true(read_all(fd, reply, 11 + 9));
    assert_int_equal(reply[1], 1);
    assert_int_equal(reply[9] << 8 | reply[10], 0x5375);
    assert_int_equal(reply[11 + 1], 2);
    assert_int_equal(reply[11 + 8], SIM_NO_TARGET);
    close(fd);

    static const uint8_t broken[][8] = {
        {0, 1, 0, 1, 0, 6, 1, 3},      /* another protocol */
        {0, 1, 0, 0, 0, 1, 1, 3},      /* too short to be a request */
        {0, 1, 0, 0, 0xFF, 0xFF, 1, 3} /* longer than any request */
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        fd = dial(port);
        assert_int_equal(send(fd, broken[i], 8, MSG_NOSIGNAL), 8);
        assert_int_equal(recv(fd, reply, 1, 0), 0); /* dropped */
        close(fd);
    }
}

static void test_a_server_survives_its_clients(void **state)
{
    (void)state;
    struct sim_slave s = slave();
    s.at.port = free_port();
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct sim_modbus *server = NULL;
    char why[200] = "";
    assert_int_equal(sim_modbus_open(&s, 1, &lock, &server, why, sizeof(why)),
                     ERR_NONE);
    check_framing(s.at.port);

    modbus_t *m = modbus_new_tcp("127.0.0.1", s.at.port);
    modbus_set_slave(m, 1);
    assert_int_equal(modbus_connect(m), 0);
    uint16_t regs[125];
    assert_int_equal(modbus_read_registers(m, SIM_BASE, 125, regs), 125);
    assert_int_equal(regs[0], 0x5375);
    uint16_t w[2] = {0, 1000};
    int at = SIM_BASE + sim_image_at(&device.image, 704, 24);
    assert_int_equal(modbus_write_registers(m, at, 2, w), 2);
    assert_int_equal(modbus_read_registers(m, at, 2, regs), 2);
    assert_memory_equal(regs, w, sizeof(w));
    assert_int_equal(modbus_write_register(m, SIM_BASE, 1), -1);

    struct sim_modbus *second = NULL;
    assert_int_equal(sim_modbus_open(&s, 1, &lock, &second, why, sizeof(why)),
                     ERR_IO);
    assert_non_null(strstr(why, "another program has this port"));
    sim_modbus_close(server); /* with a client still connected */
    modbus_close(m);
    modbus_free(m);
}

static void test_two_devices_with_one_address_are_refused(void **state)
{
    (void)state;
    struct sim_slave two[] = {slave(), slave()};
    two[0].at.port = two[1].at.port = free_port();
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct sim_modbus *server = NULL;
    char why[200] = "";
    assert_int_equal(sim_modbus_open(two, 2, &lock, &server, why, sizeof(why)),
                     ERR_MISMATCH);
    two[1].at.unit = 2; /* a gateway: one port, two units */
    assert_int_equal(sim_modbus_open(two, 2, &lock, &server, why, sizeof(why)),
                     ERR_NONE);
    sim_modbus_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_answered_or_refused),
        cmocka_unit_test(test_random_requests_do_no_harm),
        cmocka_unit_test(test_a_server_survives_its_clients),
        cmocka_unit_test(test_two_devices_with_one_address_are_refused),
    };
    return cmocka_run_group_tests_name("sim_modbus", tests, NULL, NULL);
}
