/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hostile - a Modbus TCP device on loopback that misbehaves on demand.
 *
 * Raw sockets, no libmodbus: it can send what no library would.  Its image is
 * a SunSpec battery of 2 MW / 4 MWh (1 701 702 704 713 715) at base 40000;
 * tests poke registers by model.
 */
#ifndef TESTS_ADAPTERS_HOSTILE_H
#define TESTS_ADAPTERS_HOSTILE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HOSTILE_LIST(X)                           \
    X(NONE, "none")                               \
    X(LATE, "late reply")                         \
    X(TRUNCATED, "truncated, then silence")       \
    X(DOUBLED, "every reply twice")               \
    X(DRIBBLE, "one byte at a time")              \
    X(CLOSES, "closes in the middle of a frame")  \
    X(WRONG_UNIT, "another unit answers")         \
    X(WRONG_TID, "another transaction's reply")   \
    X(WRONG_COUNT, "wrong byte count")            \
    X(FEWER, "fewer registers than asked for")    \
    X(WRONG_ADDRESS, "write echo, other address") \
    X(WRONG_VALUE, "write echo, other value")     \
    X(IGNORES, "accepts writes and does nothing") \
    X(EXCEPTION, "exception")                     \
    X(RESET, "connection reset")                  \
    X(SILENT, "never answers")                    \
    X(GARBAGE, "random bytes")                    \
    X(RANDOM_VALUES, "random registers, good frame")
#define HOSTILE_ENUM(name, text) HOSTILE_##name,
enum hostile_fault { HOSTILE_LIST(HOSTILE_ENUM) HOSTILE_COUNT };
#undef HOSTILE_ENUM

struct hostile {
    pthread_t thread;
    int listener;
    int port;
    atomic_bool stop;
    atomic_int fault; /* enum hostile_fault */
    atomic_int exception;
    atomic_int refused_model; /* reads of its block: exception 2 */
    atomic_bool beats;        /* 715.DERHb moves */
    atomic_bool timer_runs;   /* 704.WSetRvrtRem */
    atomic_int n_setpoints;   /* writes that touched 704 */
    atomic_int n_writes;
    atomic_int n_connects;
    uint64_t random;
    pthread_mutex_t lock; /* of regs */
    uint16_t regs[65536];
};

void hostile_start(struct hostile *h);
void hostile_stop(struct hostile *h);

/* Address of register 'off' of 'model'. */
int hostile_addr(int model, int off);
void hostile_put(struct hostile *h, int addr, uint16_t value);
uint16_t hostile_get(struct hostile *h, int addr);
const char *hostile_text(enum hostile_fault f);

#endif
