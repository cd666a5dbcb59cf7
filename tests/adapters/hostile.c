/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/adapters/hostile.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 600, BASE = 40000, LATE_MS = 150, DRIBBLE_MS = 20 };

static const uint16_t models[][2] = {{1, 66},   {701, 153}, {702, 50},
                                     {704, 65}, {713, 7},   {715, 7}};

const char *hostile_text(enum hostile_fault f)
{
    static const char *const texts[HOSTILE_COUNT] = {
#define HOSTILE_TEXT(name, text) [HOSTILE_##name] = text,
        HOSTILE_LIST(HOSTILE_TEXT)
#undef HOSTILE_TEXT
    };
    return texts[f];
}

int hostile_addr(int model, int off)
{
    int at = BASE + 2;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (models[i][0] == model) {
            return at + off;
        }
        at += 2 + models[i][1];
    }
    assert(model == 0xffff);
    return at;
}

void hostile_put(struct hostile *h, int addr, uint16_t value)
{
    pthread_mutex_lock(&h->lock);
    h->regs[addr] = value;
    pthread_mutex_unlock(&h->lock);
}

uint16_t hostile_get(struct hostile *h, int addr)
{
    pthread_mutex_lock(&h->lock);
    uint16_t value = h->regs[addr];
    pthread_mutex_unlock(&h->lock);
    return value;
}

static void put_text(struct hostile *h, int addr, const char *text)
{
    for (size_t i = 0; i < strlen(text); i++) {
        int shift = i % 2 == 0 ? 8 : 0;
        h->regs[addr + (int)(i / 2)] |=
            (uint16_t)((unsigned char)text[i] << shift);
    }
}

static void build_image(struct hostile *h)
{
    static const struct {
        int model;
        int off;
        uint16_t value;
    } values[] = {
        {701, 3, 1},        {701, 4, 3},       {701, 5, 1},
        {701, 10, 0xfa24}, /* -1500 kW: charges */
        {701, 17, 0},       {701, 18, 60000},  {701, 36, 250},
        {701, 115, 0xfffd}, {701, 116, 3},     {701, 122, 0xffff},
        {702, 10, 2000},    {702, 11, 2000},   {702, 34, 1800},
        {702, 35, 0xffff},  {702, 45, 3},      {704, 23, 1},
        {704, 28, 0x8000},  {704, 29, 0x8000}, {704, 55, 3},
        {713, 2, 4000},     {713, 3, 2400},    {713, 4, 6000},
        {713, 5, 9900},     {713, 7, 3},       {713, 8, 0xfffe},
    };
    h->regs[BASE] = 0x5375;
    h->regs[BASE + 1] = 0x6e53;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        h->regs[hostile_addr(models[i][0], 0)] = models[i][0];
        h->regs[hostile_addr(models[i][0], 1)] = models[i][1];
    }
    h->regs[hostile_addr(0xffff, 0)] = 0xffff;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        h->regs[hostile_addr(values[i].model, values[i].off)] = values[i].value;
    }
    put_text(h, hostile_addr(1, 2), "Maker");
    put_text(h, hostile_addr(1, 18), "Pack");
    put_text(h, hostile_addr(1, 50), "SN1");
}

static void pause_ms(int ms)
{
    struct timespec t = {0, ms * 1000000L};
    nanosleep(&t, NULL);
}

static uint8_t draw(struct hostile *h)
{
    h->random ^= h->random >> 12;
    h->random ^= h->random << 25;
    h->random ^= h->random >> 27;
    return (uint8_t)(h->random >> 24);
}

static uint16_t word(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put_word(uint8_t *p, int value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* The device's own life, a step at every read of its registers. */
static void live(struct hostile *h, int addr, int n)
{
    int beat = hostile_addr(715, 4);
    int left = hostile_addr(704, 34);
    if (h->beats && addr <= beat && beat < addr + n) {
        h->regs[beat]++;
    }
    if (addr <= left && left < addr + n && h->regs[left] > 1) {
        h->regs[left]--;
    }
}

static int read_pdu(struct hostile *h, const uint8_t *q, uint8_t *out)
{
    int addr = word(q + 1);
    int n = word(q + 3);
    int model = h->refused_model;
    if (n < 1 || n > 125 || addr + n > 65536 ||
        (model != 0 && addr > hostile_addr(model, 1) &&
         addr < hostile_addr(model, 2) + h->regs[hostile_addr(model, 1)])) {
        out[0] = q[0] | 0x80;
        out[1] = 2;
        return 2;
    }
    pthread_mutex_lock(&h->lock);
    live(h, addr, n);
    out[0] = q[0];
    out[1] = (uint8_t)(2 * n);
    for (int i = 0; i < n; i++) {
        bool random = h->fault == HOSTILE_RANDOM_VALUES;
        int value = h->regs[addr + i];
        put_word(out + 2 + 2 * i, random ? draw(h) << 8 | draw(h) : value);
    }
    pthread_mutex_unlock(&h->lock);
    return 2 + 2 * n;
}

static void store(struct hostile *h, int addr, int n, const uint8_t *data)
{
    int setpoint = hostile_addr(704, 22);
    h->n_writes++;
    h->n_setpoints += addr == setpoint;
    int fault = h->fault;
    if (fault == HOSTILE_IGNORES || fault == HOSTILE_WRONG_ADDRESS ||
        fault == HOSTILE_WRONG_VALUE) {
        return;
    }
    pthread_mutex_lock(&h->lock);
    for (int i = 0; i < n; i++) {
        h->regs[addr + i] = word(data + 2 * i);
    }
    if (addr == setpoint) {
        h->regs[hostile_addr(704, 34)] =
            h->timer_runs ? h->regs[hostile_addr(704, 32)] : 0;
    }
    pthread_mutex_unlock(&h->lock);
}

static int write_pdu(struct hostile *h, const uint8_t *q, uint8_t *out)
{
    int addr = word(q + 1);
    bool one = q[0] == 6;
    int n = one ? 1 : word(q + 3);
    memcpy(out, q, 5);
    if (addr + n <= 65536) {
        store(h, addr, n, one ? q + 3 : q + 6);
    }
    if (h->fault == HOSTILE_WRONG_ADDRESS) {
        put_word(out + 1, addr + 7);
    }
    if (h->fault == HOSTILE_WRONG_VALUE && one) {
        put_word(out + 3, word(q + 3) + 1);
    }
    return 5;
}

/* The reply's PDU to the request's PDU 'q'. */
static int answer(struct hostile *h, const uint8_t *q, uint8_t *out)
{
    if (h->fault == HOSTILE_EXCEPTION) {
        out[0] = q[0] | 0x80;
        out[1] = (uint8_t)h->exception;
        return 2;
    }
    return q[0] == 3 || q[0] == 4 ? read_pdu(h, q, out) : write_pdu(h, q, out);
}

static bool push(int fd, const uint8_t *data, int n)
{
    return send(fd, data, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool dribble(struct hostile *h, int fd, const uint8_t *data, int n)
{
    for (int i = 0; i < n && !h->stop; i++) {
        if (!push(fd, data + i, 1)) {
            return false;
        }
        pause_ms(DRIBBLE_MS);
    }
    return true;
}

static void reset(int fd)
{
    struct linger l = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

/* Sends a whole reply the way the fault wants it; false: close. */
static bool deliver(struct hostile *h, int fd, uint8_t *frame, int n)
{
    switch ((enum hostile_fault)h->fault) {
    case HOSTILE_LATE:
        pause_ms(LATE_MS);
        return push(fd, frame, n);
    case HOSTILE_TRUNCATED:
        return push(fd, frame, n - 3);
    case HOSTILE_DOUBLED:
        return push(fd, frame, n) && push(fd, frame, n);
    case HOSTILE_DRIBBLE:
        return dribble(h, fd, frame, n);
    case HOSTILE_CLOSES:
        (void)push(fd, frame, n / 2);
        return false;
    case HOSTILE_WRONG_UNIT:
        frame[6] ^= 0x55;
        return push(fd, frame, n);
    case HOSTILE_WRONG_TID:
        put_word(frame, word(frame) - 1);
        return push(fd, frame, n);
    case HOSTILE_WRONG_COUNT:
        frame[8] = (uint8_t)(frame[8] + 2);
        return push(fd, frame, n);
    case HOSTILE_FEWER:
        if (frame[7] == 3 && n > 11) {
            put_word(frame + 4, n - 6 - 2);
            frame[8] = (uint8_t)(frame[8] - 2);
            n -= 2;
        }
        return push(fd, frame, n);
    case HOSTILE_RESET:
        reset(fd);
        return false;
    case HOSTILE_SILENT:
        return true;
    case HOSTILE_GARBAGE:
        for (int i = 0; i < n; i++) {
            frame[i] = draw(h);
        }
        return push(fd, frame, n);
    case HOSTILE_NONE:
    case HOSTILE_WRONG_ADDRESS:
    case HOSTILE_WRONG_VALUE:
    case HOSTILE_IGNORES:
    case HOSTILE_EXCEPTION:
    case HOSTILE_RANDOM_VALUES:
    case HOSTILE_COUNT:
        break;
    }
    return push(fd, frame, n);
}

static bool receive(struct hostile *h, int fd, uint8_t *p, int n)
{
    for (int got = 0; got < n;) {
        struct pollfd f = {.fd = fd, .events = POLLIN};
        if (h->stop) {
            return false;
        }
        if (poll(&f, 1, 20) <= 0) {
            continue;
        }
        ssize_t m = recv(fd, p + got, (size_t)(n - got), 0);
        if (m <= 0) {
            return false;
        }
        got += (int)m;
    }
    return true;
}

static void serve(struct hostile *h, int fd)
{
    uint8_t request[FRAME_MAX];
    uint8_t reply[FRAME_MAX];
    while (receive(h, fd, request, 6)) {
        int n = word(request + 4);
        if (n < 2 || n > FRAME_MAX - 6 || !receive(h, fd, request + 6, n)) {
            return;
        }
        memcpy(reply, request, 7);
        int m = answer(h, request + 7, reply + 7);
        put_word(reply + 4, 1 + m);
        if (!deliver(h, fd, reply, 7 + m)) {
            return;
        }
    }
}

static void *run(void *arg)
{
    struct hostile *h = arg;
    while (!h->stop) {
        struct pollfd f = {.fd = h->listener, .events = POLLIN};
        if (poll(&f, 1, 20) <= 0) {
            continue;
        }
        int fd = accept(h->listener, NULL, NULL);
        if (fd >= 0) {
            h->n_connects++;
            serve(h, fd);
            close(fd);
        }
    }
    return NULL;
}

void hostile_start(struct hostile *h)
{
    memset(h, 0, sizeof(*h));
    h->random = 99;
    h->beats = true;
    h->timer_runs = true;
    build_image(h);
    pthread_mutex_init(&h->lock, NULL);
    struct sockaddr_in a = {.sin_family = AF_INET};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(a);
    h->listener = socket(AF_INET, SOCK_STREAM, 0);
    int rc = bind(h->listener, (struct sockaddr *)&a, sizeof(a));
    rc |= listen(h->listener, 8);
    rc |= getsockname(h->listener, (struct sockaddr *)&a, &size);
    assert(rc == 0);
    h->port = ntohs(a.sin_port);
    rc = pthread_create(&h->thread, NULL, run, h);
    assert(rc == 0);
}

void hostile_stop(struct hostile *h)
{
    h->stop = true;
    pthread_join(h->thread, NULL);
    close(h->listener);
    pthread_mutex_destroy(&h->lock);
}
