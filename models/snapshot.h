/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * snapshot - everything the controller knows at one tick.
 *
 * The only way in for measurements, prices, job markers and utility limits,
 * live and in replay.  Pointer-free and without padding, so that a recording
 * holds its bytes; the nodes of all fleets follow the fixed part in the same
 * block (snapshot_size()).
 *
 * A reading carries when it was received (monotonic clock of the controller)
 * and what the adapter thought of it.  Whether it is too old is decided in
 * the step, from 'mono_ms' of the snapshot: see reading_quality().
 */
#ifndef MODELS_SNAPSHOT_H
#define MODELS_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "models/site.h"

/* In rising order of trust. */
#define QUALITY_LIST(X)                                                     \
    X(MISSING, "missing") /* never received */                              \
    X(BAD, "bad")         /* device says so, or not finite, out of range */ \
    X(STALE, "stale")     /* older than its time-out */                     \
    X(SUSPECT, "suspect") /* usable, but contradicted or frozen */          \
    X(GOOD, "good")
#define QUALITY_ENUM(name, text) QUALITY_##name,
enum quality { QUALITY_LIST(QUALITY_ENUM) QUALITY_COUNT };
#undef QUALITY_ENUM

struct reading {
    double value;    /* NAN where unknown */
    int64_t mono_ms; /* when received, monotonic; 0 for never */
    int64_t quality; /* enum quality as the adapter saw it */
};

/* A reading received now and found good. */
static inline struct reading reading_good(double value, int64_t mono_ms)
{
    return (struct reading){value, mono_ms, QUALITY_GOOD};
}

/*
 * What 'r' is worth at 'now_mono_ms': its own quality, BAD where the value is
 * not finite, STALE where it is older than 'max_age_s' or from the future.
 */
enum quality reading_quality(const struct reading *r, int64_t now_mono_ms,
                             double max_age_s);

/* The value if it is SUSPECT or better, else NAN. */
double reading_value(const struct reading *r, int64_t now_mono_ms,
                     double max_age_s);

const char *quality_name(enum quality q);

/* Grid connection, import positive. */
struct meter_in {
    struct reading power_w;
    struct reading voltage_pu; /* of nominal; MISSING where not metered */
    struct reading frequency_hz;
    struct reading import_wh; /* counter, wrap already taken out */
    struct reading export_wh;
};

/* Flags of a battery, as bits of battery_in.flags. */
enum {
    BATTERY_ONLINE = 1 << 0,   /* answers on its bus */
    BATTERY_REMOTE = 1 << 1,   /* takes our commands (not LOCAL) */
    BATTERY_RUNNING = 1 << 2,  /* connected, no blocking fault */
    BATTERY_OBEYS = 1 << 3,    /* last write was read back as written */
    BATTERY_ALIVE = 1 << 4,    /* its heartbeat moves (or it has none) */
    BATTERY_WRITABLE = 1 << 5, /* map commissioned and not shadowed */
    BATTERY_READY = (1 << 6) - 1,
};

struct battery_in {
    struct reading power_w; /* at the terminals, + charge */
    struct reading soc_pu;
    struct reading soh_pu;
    struct reading charge_max_w;    /* possible now, >= 0 */
    struct reading discharge_max_w; /* possible now, >= 0 */
    struct reading temperature_c;
    struct reading setpoint_w; /* as read back, + charge */
    int64_t flags;
    int64_t alarms; /* the device's own bits, shown and logged */
};

/* Flags of a pod. */
enum { POD_ONLINE = 1 << 0 };

struct pod_in {
    struct reading power_w;
    struct reading cap_w; /* the cap in force */
    struct reading cap_min_w;
    struct reading cap_max_w;
    struct reading safe_w; /* where it goes without us */
    struct reading inlet_c;
    struct reading coolant_c;
    struct reading servers_w; /* parts of power_w */
    struct reading network_w;
    struct reading distribution_w;
    struct reading cooling_w;
    struct reading checkpoint_s; /* age of the last checkpoint */
    struct reading floor_w;      /* the floor in force */
    struct reading burn_w;       /* of power_w, for the floor alone */
    int64_t flags;
    int64_t ack_status; /* enum ack_status of the last command */
};

/* What became of a command sent by MQTT. */
#define ACK_LIST(X)         \
    X(NONE, "none")         \
    X(APPLIED, "applied")   \
    X(PARTIAL, "partial")   \
    X(REJECTED, "rejected") \
    X(EXPIRED, "expired")   \
    X(DUPLICATE, "duplicate")
#define ACK_ENUM(name, text) ACK_##name,
enum ack_status { ACK_LIST(ACK_ENUM) ACK_COUNT };
#undef ACK_ENUM

/* Flags of a node.  A flag that is not known is not set. */
enum {
    NODE_ONLINE = 1 << 0, /* its compute agent speaks */
    NODE_PLUGGED = 1 << 1,
    NODE_CONSENT = 1 << 2, /* the owner agrees, now */
    NODE_PARKED = 1 << 3,  /* or not known to move */
    NODE_ALARM = 1 << 4,
    NODE_HAS_DEPARTURE = 1 << 5,
};

/* One parked vehicle.  Two ages: what the car's telemetry says of the pack,
 * and what the compute agent says.  NAN where unknown. */
struct node_in {
    int64_t pack_mono_ms;  /* oldest of soc and plug state; 0 for never */
    int64_t agent_mono_ms; /* last state of the agent; 0 for never */
    double soc_pu;
    double soc_limit_pu; /* the owner's charge limit */
    double energy_wh;    /* in the pack */
    double charge_w;     /* drawn for charging now */
    double compute_w;    /* drawn for compute now */
    double compute_avail_w;
    double pack_c;
    double ambient_c;
    double departs_soc_pu; /* needed at departure */
    int64_t departs_at_ms; /* UTC; valid with NODE_HAS_DEPARTURE */
    int64_t until_at_ms;   /* UTC, compute offered until; 0 open */
    int64_t flags;
};

enum { PRICE_SLOTS_MAX = 400 }; /* four days of quarter hours and more */

/* One market: a series of equal steps, NAN where there is a gap.  n_slots 0
 * with a finite value_per_kwh is a bare current value. */
struct price_in {
    int64_t start_at_ms; /* UTC of slot 0 */
    double step_s;
    int64_t n_slots;
    double value_per_kwh;  /* current value where the feed sends only that */
    int64_t mono_ms;       /* when received */
    int64_t expires_at_ms; /* UTC; after it the fallback price holds */
    double per_kwh[PRICE_SLOTS_MAX];
};

#define UTILITY_LIST(X)         \
    X(IMPORT_MAX, "import_max") \
    X(EXPORT_MAX, "export_max") \
    X(SETPOINT, "setpoint")     \
    X(EMERGENCY, "emergency")   \
    X(PRICE, "price")           \
    X(RESERVE, "reserve")       \
    X(ISLAND, "island")
#define UTILITY_ENUM(name, text) UTILITY_##name,
enum utility_kind { UTILITY_LIST(UTILITY_ENUM) UTILITY_COUNT };
#undef UTILITY_ENUM

/* Places for instructions: those that come by MQTT first, then those of
 * OpenADR, of which a replay's events file has all; last what the operator has
 * set by hand, which binds the site and is nobody's to judge. */
enum {
    UTILITY_MQTT = 32,
    UTILITY_OPENADR = 64,
    UTILITY_LOCAL_AT = UTILITY_MQTT + UTILITY_OPENADR,
    UTILITY_LOCAL = 4,
    UTILITY_EVENTS_MAX = UTILITY_LOCAL_AT + UTILITY_LOCAL,
    UTILITY_ID_MAX = 40,
};

/* One instruction of the utility, from MQTT, OpenADR or an events file; or of
 * the operator. */
struct utility_in {
    char id[UTILITY_ID_MAX]; /* "" is an empty slot */
    int64_t kind;            /* enum utility_kind */
    int64_t start_at_ms;     /* UTC */
    int64_t end_at_ms;       /* UTC, INT64_MAX for open */
    double value;            /* W; per kWh for PRICE; of RESERVE the share
                              * of the batteries' window kept for backup;
                              * of ISLAND what others feed into it, in W */
    int64_t priority;        /* lower wins */
};

#define JOB_LIST(X)                         \
    X(START, "start")                       \
    X(STOP, "stop")                         \
    X(CHECKPOINT_START, "checkpoint_start") \
    X(CHECKPOINT_END, "checkpoint_end")     \
    X(EVAL_START, "eval_start")             \
    X(EVAL_END, "eval_end")                 \
    X(PHASE, "phase")
#define JOB_ENUM(name, text) JOB_##name,
enum job_event { JOB_LIST(JOB_ENUM) JOB_COUNT };
#undef JOB_ENUM

enum { JOB_MARKERS_MAX = 64 };

/* A marker of the scheduler; 'seq' rises with each, 0 is an empty slot. */
struct job_in {
    int64_t seq;
    int64_t pod;         /* index, or -1 */
    int64_t event;       /* enum job_event */
    int64_t at_ms;       /* UTC, may lie ahead */
    double power_from_w; /* NAN where not said */
    double power_to_w;
    double period_s;
};

struct snapshot {
    uint64_t tick;
    int64_t mono_ms; /* of this tick */
    int64_t utc_ms;  /* of this tick */
    double dt_s;     /* since the tick before: whole periods */
    /* UTC of the billing month that holds utc_ms, by the site's time zone; 0
     * where that is not known. */
    int64_t month_from_ms;
    int64_t month_to_ms;
    struct meter_in meter;
    struct battery_in batteries[SITE_BATTERIES_MAX];
    struct pod_in pods[SITE_PODS_MAX];
    struct price_in prices[SITE_PRICES_MAX];
    struct utility_in utility[UTILITY_EVENTS_MAX];
    struct job_in jobs[JOB_MARKERS_MAX]; /* a ring by seq */
    int64_t n_nodes;
    struct node_in nodes[]; /* of all fleets, in the site's order */
};

/* Bytes of a snapshot with 'n_nodes' nodes. */
size_t snapshot_size(int n_nodes);

/* All readings missing, no prices, no events. */
void snapshot_clear(struct snapshot *s, int n_nodes);

/*
 * Price of 'p' at 'utc_ms', site currency per kWh; NAN where it has none for
 * that instant: a gap, before its start, past its end or expired.
 */
double price_at(const struct price_in *p, int64_t utc_ms);

/* Where 'p' has no price for a slot, that of 'other' at its begin. */
void price_fill(struct price_in *p, const struct price_in *other);

/* The tightest import limit between two instants (UTC, the second left out):
 * 'site_w', or a limit or emergency of the utility that touches them, >= 0. */
double import_limit_w(const struct snapshot *s, double site_w, int64_t from_ms,
                      int64_t to_ms);

/* The same without what the operator has set: what the grid may rely on. */
double import_owed_w(const struct snapshot *s, double site_w, int64_t from_ms,
                     int64_t to_ms);

/* The same for export: 'site_w' or a lower limit of the utility, >= 0. */
double export_limit_w(const struct snapshot *s, double site_w, int64_t from_ms,
                      int64_t to_ms);

/* What the utility says that a kWh costs at 'utc_ms', of the lowest priority
 * number; NAN where it says nothing. */
double utility_price(const struct snapshot *s, int64_t utc_ms);

/* The largest share of the batteries' window that is to be kept between two
 * instants, 0 .. 1. */
double utility_reserve_pu(const struct snapshot *s, int64_t from_ms,
                          int64_t to_ms);

/* What says that the site is cut off from the grid at 'utc_ms'; NULL: it is
 * not. */
const struct utility_in *utility_island(const struct snapshot *s,
                                        int64_t utc_ms);

const char *ack_name(enum ack_status s);
const char *utility_name(enum utility_kind k);
const char *job_name(enum job_event e);

#endif
