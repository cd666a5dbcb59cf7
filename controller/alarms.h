/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * alarms - one table of everything that can be wrong, and its bookkeeping.
 *
 * An alarm is raised when its value has been above 'raise' for 'raise_s', and
 * cleared when it has been below 'clear' for 'clear_s': delay and hysteresis
 * for all of them, no flapping.  A value that is not finite counts as above.
 * Pure: the time is told, the caller reports what changed.
 */
#ifndef CONTROLLER_ALARMS_H
#define CONTROLLER_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/reason.h"
#include "models/site.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };

/*
 * name, id, asset, severity, value, raise, clear, raise_s, clear_s,
 * what one asset does, what several do ("" where there is one only), why, what
 * to do.  Thresholds are in the unit of the value; a FLAG is 1 while the
 * condition holds.
 */
#define ALARM_FLAG 0.5, 0.5
#define ALARM_LIST(X)                                                          \
    X(OFFLINE, "device_offline", BATTERY, CRITICAL, ALARM_FLAG, 2, 2,          \
      "does not answer", "batteries do not answer", "no Modbus connection",    \
      "check power and network of the device, host and port in the site file") \
    X(STALE, "device_stale", BATTERY, WARNING, ALARM_FLAG, 1, 2,               \
      "sends values that are too old",                                         \
      "batteries send values that are too old",                                \
      "answers come late, in part or not at all",                              \
      "see the last error in 'ballast status'; check load of the gateway")     \
    X(LOCAL, "device_local", BATTERY, WARNING, ALARM_FLAG, 1, 2,               \
      "is under local control", "batteries are under local control",           \
      "the LOCAL/REMOTE switch stands at LOCAL",                               \
      "set it to REMOTE once the work on it is done")                          \
    X(FAULT, "device_fault", BATTERY, CRITICAL, ALARM_FLAG, 0.5, 5,            \
      "reports a fault", "batteries report a fault",                           \
      "the device has tripped or is not running",                              \
      "read the device's own alarm log; reset it there")                       \
    X(DISOBEYS, "device_disobeys", BATTERY, CRITICAL, ALARM_FLAG, 2, 5,        \
      "does not take its set-point", "batteries do not take their set-points", \
      "what is read back is not what was set",                                 \
      "check for a second master and for limits set in the device")            \
    X(FROZEN, "device_frozen", BATTERY, CRITICAL, ALARM_FLAG, 1, 5,            \
      "has a heartbeat that stands still",                                     \
      "batteries have a heartbeat that stands still",                          \
      "the gateway answers, the controller behind it does not",                \
      "restart the device's controller")                                       \
    X(READ_ONLY, "device_read_only", BATTERY, WARNING, ALARM_FLAG, 2, 2,       \
      "is only read", "batteries are only read",                               \
      "the register map is not commissioned",                                  \
      "test the map on site, then set 'commissioned' in it")                   \
    X(FALLBACK, "worker_fallback", BATTERY, CRITICAL, ALARM_FLAG, 0, 2,        \
      "moves to its fallback by itself",                                       \
      "batteries move to their fallbacks by themselves",                       \
      "the control thread gives no command",                                   \
      "look for 'loop' lines in the log; restart the controller")              \
    X(METER_LOST, "meter_lost", METER, CRITICAL, ALARM_FLAG, 1, 5,             \
      "gives no fresh power", "",                                              \
      "the meter is silent; the assets' sum stands in",                        \
      "check power and network of the meter, host and port in the site file")  \
    X(METER_WRONG, "meter_wrong", METER, CRITICAL, ALARM_FLAG, 0, 10,          \
      "contradicts the assets", "",                                            \
      "it stands still, or its sign or place is wrong; their sum stands in",   \
      "compare it with the assets in 'ballast status'; check its wiring")      \
    X(POD_SILENT, "pod_silent", POD, WARNING, ALARM_FLAG, 5, 2, "is silent",   \
      "pods are silent", "agent offline or state too old",                     \
      "check the agent and its MQTT user; full power is assumed")              \
    X(POD_DISOBEYS, "pod_disobeys", POD, CRITICAL, ALARM_FLAG, 0, 2,           \
      "does not come under its cap", "pods do not come under their caps",      \
      "it draws more than it was told to; others give in its place",           \
      "check its agent and power manager, and 'response' in the site file")    \
    X(POD_COOLING, "pod_cooling", POD, CRITICAL, ALARM_FLAG, 0, 30,            \
      "has lost its cooling", "pods have lost their cooling",                  \
      "pumps and fans draw far less than the servers' power needs",            \
      "it goes to its cap_min; check its pumps, fans and their supply")        \
    X(POD_HOT, "pod_hot", POD, WARNING, ALARM_FLAG, 1, 30, "is too hot",       \
      "pods are too hot", "inlet_max or coolant_max is passed",                \
      "it is throttled; check the hall's cooling")                             \
    X(POD_FEEDER, "pod_feeder", POD, WARNING, ALARM_FLAG, 10, 30,              \
      "is at the limit of its power distribution",                             \
      "pods are at the limit of their power distribution",                     \
      "feeder_max is reached", "move work to other pods")                      \
    X(BROKER_LOST, "broker_lost", SITE, CRITICAL, ALARM_FLAG, 3, 2,            \
      "the MQTT broker is not reached", "", "no connection",                   \
      "check the broker, host, port and certificates in the site file")        \
    X(RIVAL, "rival", SITE, CRITICAL, ALARM_FLAG, 0, 10,                       \
      "another controller steers this site too", "",                           \
      "another instance announces itself on the status topic",                 \
      "stop one of the two: they undo each other's commands")                  \
    X(UTILITY_LOST, "utility_lost", SITE, CRITICAL, ALARM_FLAG, 60, 5,         \
      "the utility's server is not reached", "", "no complete list of events", \
      "see 'openadr' in 'ballast status --json'; its last word still holds")   \
    X(EVENT_REFUSED, "event_refused", SITE, WARNING, ALARM_FLAG, 0, 5,         \
      "an event of the utility is not acted on", "",                           \
      "it contradicts itself, or asks for what cannot be meant",               \
      "see 'openadr' in 'ballast status --json', and call the utility")        \
    X(EVENT_LATE, "event_late", SITE, WARNING, ALARM_FLAG, 1, 2,               \
      "a limit of the utility came too late for the ramp", "",                 \
      "the grid goes down as fast as the ramp lets it, and is there later",    \
      "see 'utility' in 'ballast status'; agree on a longer notice")           \
    X(RESERVE_SHORT, "reserve_short", SITE, WARNING, ALARM_FLAG, 10, 60,       \
      "an edge that should be covered would break the ramp", "",               \
      "the batteries lack power, energy or time for it; see 'ballast status'", \
      "'ballast check' tells what it would take; pods with a floor_max help")  \
    X(PRICE_LOST, "price_lost", PRICE, WARNING, ALARM_FLAG, 60, 5,             \
      "has no price for now", "markets have no price for now",                 \
      "the feed is silent or has a gap",                                       \
      "check the feed; the fallback price of the site file is used")           \
    X(HISTORY_FAILING, "history_failing", SITE, CRITICAL, ALARM_FLAG, 1, 5,    \
      "history is not written", "", "the database or its disk refuses",        \
      "free space or repair the disk of history.file")                         \
    X(EVIDENCE_FAILING, "evidence_failing", SITE, CRITICAL, ALARM_FLAG, 0, 5,  \
      "evidence is not written", "", "the evidence log or its disk refuses",   \
      "free space or repair the disk of history.evidence")                     \
    X(HISTORY_DROPPING, "history_dropping", SITE, WARNING, ALARM_FLAG, 0, 60,  \
      "history loses ticks", "",                                               \
      "its queue is full: more is recorded than disk and processor take",      \
      "lengthen control.period, use a faster disk for history.file, or "       \
      "--no-record")                                                           \
    X(OVERRUNS, "overruns", SITE, WARNING, 0.01, 0.005, 10, 60,                \
      "more than 1 % of the ticks come late", "", "the machine is too busy",   \
      "stop other programs, give it a core, or lengthen control.period")       \
    X(LOOP_SILENT, "loop_silent", SITE, CRITICAL, ALARM_FLAG, 0, 2,            \
      "the control thread does not tick", "", "it hangs or gets no time",      \
      "restart the controller; devices go to their fallbacks meanwhile")       \
    X(CLOCK_JUMP, "clock_jump", SITE, WARNING, ALARM_FLAG, 0, 60,              \
      "the wall clock jumped", "", "somebody or NTP set it",                   \
      "check NTP; durations are not affected, plan and prices follow it")      \
    X(PLAN_MISSING, "plan_missing", SITE, WARNING, ALARM_FLAG, 30, 5,          \
      "no plan is in force", "",                                               \
      "the planner is late or had no valid problem",                           \
      "rules alone steer; see prices and batteries in 'ballast status'")

#define ALARM_ENUM(name, ...) ALARM_##name,
enum alarm { ALARM_LIST(ALARM_ENUM) ALARM_COUNT };
#undef ALARM_ENUM

struct alarm_row {
    const char *id;
    enum asset_kind asset;
    enum severity severity;
    double raise;
    double clear;
    double raise_s;
    double clear_s;
    const char *what;
    const char *many;
    const char *why;
    const char *todo;
};

const struct alarm_row *alarm_row(enum alarm id);
const char *severity_name(enum severity s);

enum { ALARM_TEXT_MAX = 448 };

struct alarms; /* the state of every alarm of every asset, opaque */

/* For as many assets of a kind as 'site' has.  ERR_MEMORY. */
CHECKED enum err alarms_open(const struct site *site, struct alarms **out);
void alarms_close(struct alarms *a);

enum alarm_change { ALARM_SAME, ALARM_RAISED, ALARM_CLEARED };

/* Tell the value of alarm 'id' of asset 'index' (0 for site and meter). */
enum alarm_change alarms_tell(struct alarms *a, enum alarm id, int index,
                              double value, int64_t mono_ms);

enum { ALARM_NAMED_MAX = 8 };

/* One alarm that is raised, of all assets that have it. */
struct alarm_group {
    enum alarm id;
    int n;                      /* assets that have it, > 0 */
    int named[ALARM_NAMED_MAX]; /* the first of them */
    int64_t since_mono_ms;      /* of the oldest */
    int64_t newest_mono_ms;
};

/* The alarms that are raised, the most severe first, and of those the one that
 * rose last; returns how many groups there are. */
int alarms_active(const struct alarms *a, struct alarm_group out[ALARM_COUNT]);

/* "megablock1 does not answer: no Modbus connection; check ..."; returns
 * 'out'. */
const char *alarm_text(const struct site *site, enum alarm id, int index,
                       char *out, size_t size);

/* The same of a group: "37 pods are silent (hall1-001, hall1-002, hall1-003
 * and 34 more): ..."; returns 'out'. */
const char *alarm_group_text(const struct site *site,
                             const struct alarm_group *g, char *out,
                             size_t size);

#endif
