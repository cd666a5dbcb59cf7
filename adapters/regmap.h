/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * regmap - a device type as data: its registers, what they mean, how it is
 * commanded (reference/protocols.md 2.1).
 *
 * A map is a JSON file, checked whole when it is loaded; adapters/maps/ has
 * the shipped ones and README.md there the format.  Signs are turned here and
 * nowhere else: power into an asset is positive.
 *
 * Plain data; no pointers.  About 100 kB, so on the heap.
 */
#ifndef ADAPTERS_REGMAP_H
#define ADAPTERS_REGMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "adapters/regcodec.h"
#include "models/err.h"

enum {
    REGMAP_ID_MAX = 48,
    REGMAP_POINTS_MAX = 160, /* with the hidden scale factors */
    REGMAP_MODELS_MAX = 4,   /* alternatives of one point */
    REGMAP_VALUES_MAX = 12,
    REGMAP_TERMS_MAX = 10,
    REGMAP_STEPS_MAX = 24,
    REGMAP_GROUPS_MAX = 24, /* given in the map */
    REGMAP_BASES_MAX = 4,
    REGMAP_FILE_MAX = 256 * 1024,
};

/* What a number measures; a role takes only its own. */
#define REG_DIMENSION_LIST(X)       \
    X(ANY, "any")                   \
    X(POWER, "a power")             \
    X(ENERGY, "an energy")          \
    X(FRACTION, "a fraction")       \
    X(TEMPERATURE, "a temperature") \
    X(VOLTAGE, "a voltage")         \
    X(CURRENT, "a current")         \
    X(FREQUENCY, "a frequency")     \
    X(DURATION, "a duration")       \
    X(RAMP, "a ramp")               \
    X(RAMP_PU, "a relative ramp")   \
    X(TEXT, "a text")
#define REG_DIMENSION_ENUM(name, text) REG_DIMENSION_##name,
enum reg_dimension {
    REG_DIMENSION_LIST(REG_DIMENSION_ENUM) REG_DIMENSION_COUNT
};
#undef REG_DIMENSION_ENUM

/*
 * What the core needs to know of a device.  The value of a role is its first
 * term that the device implements, except for lists: all of them count.
 * name, word, dimension, writable, list
 */
#define REG_ROLE_LIST(X)                                      \
    X(POWER, "power", POWER, 0, 0)                            \
    X(SOC, "soc", FRACTION, 0, 0)                             \
    X(SOH, "soh", FRACTION, 0, 0)                             \
    X(CHARGE_LIMIT, "charge_limit", POWER, 0, 0)              \
    X(CHARGE_NOW, "charge_limit_now", POWER, 0, 0)            \
    X(DISCHARGE_LIMIT, "discharge_limit", POWER, 0, 0)        \
    X(DISCHARGE_NOW, "discharge_limit_now", POWER, 0, 0)      \
    X(ENERGY_RATING, "energy_rating", ENERGY, 0, 0)           \
    X(TEMPERATURE, "temperature", TEMPERATURE, 0, 0)          \
    X(VOLTAGE, "voltage", FRACTION, 0, 0)                     \
    X(FREQUENCY, "frequency", FREQUENCY, 0, 0)                \
    X(IMPORT_ENERGY, "import_energy", ENERGY, 0, 0)           \
    X(EXPORT_ENERGY, "export_energy", ENERGY, 0, 0)           \
    X(SETPOINT, "setpoint", POWER, 1, 0)                      \
    X(ENABLE, "enable", ANY, 0, 0)                            \
    X(COMMAND_TIMEOUT, "command_timeout", DURATION, 1, 0)     \
    X(COMMAND_REMAINING, "command_remaining", DURATION, 0, 0) \
    X(HEARTBEAT, "heartbeat", ANY, 1, 1)                      \
    X(HEARTBEAT_DEVICE, "heartbeat_device", ANY, 0, 1)        \
    X(LOCAL_REMOTE, "local_remote", ANY, 0, 1)                \
    X(STATE, "state", ANY, 0, 1)                              \
    X(ALARMS, "alarms", ANY, 0, 1)                            \
    X(IDENTITY, "identity", TEXT, 0, 1)
#define REG_ROLE_ENUM(name, word, dimension, writable, list) REG_ROLE_##name,
enum reg_role { REG_ROLE_LIST(REG_ROLE_ENUM) REG_ROLE_COUNT };
#undef REG_ROLE_ENUM

/* How often a point is read: in every pass, about once a second, once after
 * each connect. */
enum reg_poll { REG_POLL_FAST, REG_POLL_SLOW, REG_POLL_ONCE };

enum reg_beat { REG_BEAT_NONE, REG_BEAT_COUNT, REG_BEAT_TOGGLE, REG_BEAT_ECHO };

struct regmap_point {
    char id[REGMAP_ID_MAX];
    char unit[8];
    int models[REGMAP_MODELS_MAX]; /* the first that the device has */
    int n_models;                  /* 0: 'at' is an absolute address */
    int at;                        /* address, or offset from the model's ID */
    int read_fc;                   /* 3 or 4 */
    int write_fc;                  /* 6 or 16 */
    struct reg_codec codec;
    enum reg_dimension dimension;
    int sf;         /* index of its scale factor, or -1 */
    bool sf_cached; /* SunSpec 7xx: read once; else with the value */
    bool hidden;    /* a scale factor */
    bool writable;
    bool confirm; /* read back after a write */
    bool counter; /* unsigned, wraps */
    bool range_given;
    enum reg_poll poll;
    enum reg_beat beat;
    int64_t toggle[2];
    int echo_of;                       /* index of the point, for ECHO */
    int64_t blocks[REGMAP_VALUES_MAX]; /* values that mean: not running */
    int n_blocks;
    uint64_t blocks_bits; /* bits that mean it */
    int64_t local[REGMAP_VALUES_MAX];
    int n_local;
    char names[REGMAP_VALUES_MAX][24]; /* of an enum's values */
    int64_t name_values[REGMAP_VALUES_MAX];
    int n_names;
    char confidence; /* of third-party maps: A, B, C; 0 where not said */
};

enum reg_op { REG_OP_POINT, REG_OP_RATIO, REG_OP_PRODUCT };

struct regmap_term {
    enum reg_op op;
    int a; /* index of a point */
    int b; /* index of the other one; -1: 'divisor' */
    double divisor;
};

struct regmap_role {
    struct regmap_term terms[REGMAP_TERMS_MAX];
    int n_terms;
};

/* What a sequence writes.  name, word, dimension */
#define REG_VAR_LIST(X)                                     \
    X(NUMBER, "", ANY)                                      \
    X(W, "$w", POWER)                                       \
    X(FALLBACK_W, "$fallback_w", POWER)                     \
    X(FALLBACK_ENABLE, "$fallback_enable", ANY)             \
    X(FALLBACK_RAMP, "$fallback_ramp_w_per_s", RAMP)        \
    X(FALLBACK_RAMP_PU, "$fallback_ramp_pu_per_s", RAMP_PU) \
    X(EXPIRY, "$expiry_s", DURATION)                        \
    X(HEARTBEAT, "$heartbeat", ANY)                         \
    X(KEEP, "$keep", ANY)
#define REG_VAR_ENUM(name, word, dimension) REG_VAR_##name,
enum reg_var { REG_VAR_LIST(REG_VAR_ENUM) REG_VAR_COUNT };
#undef REG_VAR_ENUM

/* WRITE, WAIT (nothing is written for so long), QUIET (nothing is sent). */
enum reg_step { REG_STEP_WRITE, REG_STEP_WAIT, REG_STEP_QUIET };

struct regmap_step {
    enum reg_step kind;
    int point;
    enum reg_var var;
    double number; /* what the register shall hold, scaled but no sign */
    double wait_s;
    bool optional; /* left out where the device does not implement it */
};

#define REG_SEQUENCE_LIST(X)        \
    X(TAKE_CONTROL, "take_control") \
    X(SETPOINT, "setpoint")         \
    X(RELEASE, "release")           \
    X(SHUTDOWN, "shutdown")
#define REG_SEQUENCE_ENUM(name, word) REG_SEQUENCE_##name,
enum reg_sequence { REG_SEQUENCE_LIST(REG_SEQUENCE_ENUM) REG_SEQUENCE_COUNT };
#undef REG_SEQUENCE_ENUM

struct regmap_sequence {
    struct regmap_step steps[REGMAP_STEPS_MAX];
    int n_steps;
};

/* A block that the map wants read at once. */
struct regmap_group {
    int models[REGMAP_MODELS_MAX];
    int n_models;
    int at;
    int count; /* 1..125 */
    int read_fc;
    enum reg_poll poll;
};

struct regmap {
    char name[REGMAP_ID_MAX];
    enum device_role device;
    bool commissioned; /* false: nothing is ever written */
    bool sunspec;      /* discover models */
    int bases[REGMAP_BASES_MAX];
    int n_bases;
    int max_gap;     /* registers read for nothing within a block */
    int max_clients; /* connections the device stands; 0 not said */
    double poll_s;   /* least time between fast reads; 0: every pass */
    double slow_s;
    double quiet_s; /* between connecting and the first request */
    int read_fc;
    int write_fc;
    bool low_word_first;
    bool swap_bytes;
    struct regmap_point points[REGMAP_POINTS_MAX];
    int n_points;
    struct regmap_role roles[REG_ROLE_COUNT];
    struct regmap_sequence sequences[REG_SEQUENCE_COUNT];
    struct regmap_group groups[REGMAP_GROUPS_MAX];
    int n_groups;
};

/*
 * Parse and check 'size' bytes of 'text'; 'file' is for messages.  'why'
 * says the first fault: "FILE: $.points[3].type: expected ..." or
 * "FILE:LINE:COLUMN: not JSON".
 * Errors: ERR_SYNTAX (not JSON), ERR_RANGE (JSON, but not a usable map).
 */
CHECKED enum err regmap_parse(struct regmap *map, const char *file,
                              const char *text, size_t size, char *why,
                              size_t why_size);

/*
 * Load 'name' from 'dir', or from the path 'name' where it has a '/' or ends
 * in ".json"; "sunspec" is another name of "sunspec-der".
 * Errors as above, ERR_UNKNOWN (no such shipped map), ERR_IO (unreadable),
 * ERR_MEMORY.
 */
CHECKED enum err regmap_load(struct regmap *map, const char *dir,
                             const char *name, char *why, size_t why_size);

/* Index of the point 'id', or -1. */
int regmap_find(const struct regmap *map, const char *id);

const char *regmap_role_word(enum reg_role role);
enum reg_dimension regmap_role_dimension(enum reg_role role);
bool regmap_role_is_list(enum reg_role role);
bool regmap_role_is_written(enum reg_role role);
const char *regmap_dimension_text(enum reg_dimension d);
const char *regmap_sequence_word(enum reg_sequence s);

#endif
