/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * modbus_priv - the inside of the Modbus adapter, for its own files only.
 *
 *   modbus.c        open, pass, close
 *   modbus_find.c   connect, discover, compare identity
 *   modbus_read.c   requests into points
 *   modbus_lease.c  commands out, read back, heartbeat
 *   modbus_roles.c  points into the snapshot's readings and flags
 */
#ifndef ADAPTERS_MODBUS_PRIV_H
#define ADAPTERS_MODBUS_PRIV_H

#include "adapters/adapter.h"
#include "adapters/modbus_link.h"
#include "adapters/regmap.h"
#include "adapters/regplan.h"
#include "adapters/sunspec.h"

enum {
    DEVICE_TEXT_MAX = 36,
    DEVICE_IDENTITY_MAX = 120,
    DEVICE_BEAT_MS = 1000,
    DEVICE_FROZEN_MS = 5000,       /* a heartbeat that stands still */
    DEVICE_RETRY_WRITE_MS = 500,   /* after a set-point did not read back */
    DEVICE_FORGIVE_MS = 10000,     /* without a lease: OBEYS again */
    DEVICE_ARM_MS = 2000,          /* for the reversion timer to show */
    DEVICE_UNSUPPORTED_MS = 30000, /* until a refused block is asked again */
    DEVICE_EXPIRY_MIN_S = 10,
    DEVICE_EXPIRY_MAX_S = 3600,
};

/* Time a pass may take, in response time-outs. */
#define DEVICE_PASS_RESPONSES 4.0
#define DEVICE_FIND_RESPONSES 8.0

/* A point as last read. */
struct point_now {
    enum reg_state state;
    int sf; /* in force at that read */
    double value;
    uint64_t raw;
    uint16_t regs[REG_NUMBER_MAX];
    int64_t mono_ms;  /* 0: not since the connect */
    int64_t moved_ms; /* when raw last changed */
    char text[DEVICE_TEXT_MAX];
};

/* What outlives a connection: of a counter, and of a heartbeat of ours. */
struct point_past {
    uint64_t raw;
    bool known;
    double wraps;
    uint64_t beat;
    bool beat_known;
};

struct group_now {
    bool seen; /* answered since the connect */
    int64_t due_ms;
};

/* What a register must read back as. */
struct expected {
    int point;
    uint16_t regs[REG_NUMBER_MAX];
};

struct device_control {
    uint64_t seq;
    struct battery_command command; /* last seen */
    int64_t fresh_ms;               /* when either last changed */
    bool active;                    /* a live lease is being kept */
    int64_t idle_ms;                /* since when it is not */
    bool taken;                     /* take_control is through */
    int step;                       /* of take_control */
    int64_t wait_ms;                /* nothing written before */
    bool written;
    int64_t write_ms; /* last set-point */
    int64_t retry_ms; /* none before, after one that failed */
    int64_t armed_ms; /* first of an unbroken row of set-points */
    double set_w;     /* last written */
    double fallback_w;
    bool odd; /* which of n and n+1 is next */
    int64_t beat_ms;
    bool obeys;
    bool judged; /* the last write was compared */
    struct expected expect[REGMAP_STEPS_MAX];
    int n_expect;
    int64_t remaining_ms; /* when WSetRvrtRem last moved, or we wrote */
    uint64_t remaining;
};

struct device {
    struct device_cfg cfg;
    struct modbus_link link;
    struct regmap map;
    struct sunspec found;
    struct regplan plan;
    struct point_now now[REGMAP_POINTS_MAX];
    struct point_past past[REGMAP_POINTS_MAX];
    struct group_now groups[REGPLAN_GROUPS_MAX];
    struct device_control control;
    struct link_state *state; /* of the pass under way */
    int64_t mono_ms;          /* of the pass under way */
    bool ready;               /* connected, found, read once */
    bool fresh;               /* a fast block was read in this pass */
    bool stranger;            /* another device answers */
    int base;                 /* index of the next base to try */
    int first_group;          /* rotates, so that none starves */
    int64_t fast_ms;          /* next fast reads */
    int64_t retry_ms;         /* next connect */
    int64_t quiet_ms;         /* nothing is sent before */
    double backoff_s;
    uint64_t random;
    char identity[DEVICE_IDENTITY_MAX]; /* "" until first read */
};

/* Close, and say when to try again (jittered, doubling to 5 s). */
void device_drop(struct device *d);

/* Note 'what' as the error of this pass; returns 'e'. */
enum err device_error(struct device *d, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Connect, discover, plan, read everything once, compare the identity. */
CHECKED enum err device_find(struct device *d);

/* Read one block; read all that is due. */
CHECKED enum err device_read_group(struct device *d, int group);
CHECKED enum err device_read_due(struct device *d);

/* Scale factor to encode or decode a point with. */
int device_sf(const struct device *d, int point);

/* The point exists in this device and was read as implemented. */
bool device_has(const struct device *d, int point);

/* Nothing forbids writing: map, configuration, device. */
bool device_writable(const struct device *d);
bool device_is_local(const struct device *d);

/* Note how new the lease is, in every pass, connected or not. */
void device_follow(struct device *d, const struct device_lease *lease);

/* Write what the lease asks for; compare what was read. */
CHECKED enum err device_keep_lease(struct device *d,
                                   const struct device_lease *lease);
CHECKED enum err device_beat(struct device *d);
void device_verify(struct device *d);

/* Next value of our heartbeat in 'point', or false where it has none. */
bool device_next_beat(struct device *d, int point, uint16_t *regs);

/*
 * Write a sequence from step '*at' on, up to a wait or its end.  Neighbouring
 * registers go out in one request.  Where 'keep' is set, what must read back
 * is left in control.expect; else it is read back here.
 */
CHECKED enum err device_run(struct device *d, enum reg_sequence which,
                            const struct battery_command *c, bool keep,
                            int *at);

void device_report(const struct device *d, struct device_values *values);

#endif
