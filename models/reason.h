/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reason - why a decision was taken, as data and as a sentence.
 *
 * The step fills in codes and numbers (it is pure and prints nothing); status,
 * historian and terminal turn them into words with reason_text().
 */
#ifndef MODELS_REASON_H
#define MODELS_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/site.h"

/* name, word for logs, sentence.  In a sentence %a is the asset's name, %v the
 * value, %l the limit, %n what it would take; each is printed with its unit by
 * reason_text(). */
#define REASON_LIST(X)                                                         \
    X(NONE, "none", "nothing to do")                                           \
    X(LISTEN, "listen", "listening to the devices before acting")              \
    X(HOLD, "hold", "holding the grid at %v: the load is steady")              \
    X(SMOOTH, "smooth",                                                        \
      "the batteries give %n so that the grid stays near %v")                  \
    X(RAMP, "ramp",                                                            \
      "the grid follows the load toward %v, at most %l; the batteries give "   \
      "%n "                                                                    \
      "meanwhile")                                                             \
    X(IMPORT, "import",                                                        \
      "grid held at its import limit of %l: the load is %v, the batteries "    \
      "give %n")                                                               \
    X(EXPORT, "export",                                                        \
      "grid held at its export limit of %l: the load is %v, the batteries "    \
      "give %n")                                                               \
    X(RECENTRE, "recentre", "state of charge is brought back: %v to %l")       \
    X(CHARGE_CHEAP, "charge_cheap", "charging %v while power costs %l")        \
    X(DISCHARGE_DEAR, "discharge_dear", "discharging %v while power costs %l") \
    X(RATING, "rating", "%a can do no more than %l, %n short")                 \
    X(SOC, "soc", "%a is at its state-of-charge limit of %l, %n short")        \
    X(SHED, "shed",                                                            \
      "compute held back by %v: the batteries alone cannot keep the grid at "  \
      "%l, they lack %n")                                                      \
    X(RETURN, "return", "compute is given back in stages, %v still held")      \
    X(STALE, "stale", "%a says nothing: its worst case is assumed")            \
    X(LOCAL, "local", "%a is under local control, not dispatchable")           \
    X(FAULT, "fault", "%a reports a fault and is not used")                    \
    X(DISOBEYS, "disobeys", "%a does not do what it is told: %v, not %l")      \
    X(NO_METER, "no_meter",                                                    \
      "the grid meter is lost: the grid is taken as the sum of the assets")    \
    X(EVENT, "event",                                                          \
      "the utility limits import to %l: the load is %v, the batteries give "   \
      "%n")                                                                    \
    X(EMERGENCY, "emergency",                                                  \
      "emergency instruction, import at most %l: the load is %v, the "         \
      "batteries give %n")                                                     \
    X(NO_PLAN, "no_plan", "no plan in force: rules alone")                     \
    X(NODE_OK, "node_ok", "%a may compute")                                    \
    X(NODE_UNPLUGGED, "node_unplugged", "%a is not plugged in")                \
    X(NODE_NO_CONSENT, "node_no_consent", "the owner of %a does not agree")    \
    X(NODE_COLD, "node_cold", "the pack of %a is too cold: %v below %l")       \
    X(NODE_HOT, "node_hot", "the pack of %a is too hot: %v above %l")          \
    X(NODE_DEPARTURE, "node_departure",                                        \
      "%a needs %l when it leaves and has %v")                                 \
    X(NODE_STALE, "node_stale", "%a is silent or its state is too old")        \
    X(NODE_ALARM, "node_alarm", "%a reports an alarm")                         \
    X(NODE_FEEDER, "node_feeder", "the feeder of %a is full: %l")              \
    X(METER_WRONG, "meter_wrong",                                              \
      "the grid meter contradicts the assets: their sum is taken")             \
    X(NODE_IN_USE, "node_in_use", "%a is not parked")                          \
    X(NODE_IMPLAUSIBLE, "node_implausible", "%a reports what cannot be true")  \
    X(NODE_HEATING, "node_heating",                                            \
      "compute would warm the pack of %a too much")                            \
    X(NODE_RATE, "node_rate", "compute would draw too much on the pack of %a") \
    X(NODE_BUDGET, "node_budget",                                              \
      "the pack of %a has no wear left to give today")                         \
    X(NODE_NOT_OFFERED, "node_not_offered", "%a offers no compute now")        \
    X(NODE_PRICE, "node_price",                                                \
      "computing on %a would cost more than it is worth")                      \
    X(NODE_KM, "node_km", "the pack of %a has no virtual km left to give")     \
    X(NODE_NO_WORK, "node_no_work",                                            \
      "no throttled pod has work for %a to take over")                         \
    X(POD_HOT, "pod_hot", "%a is too hot: %v above %l, held at %n")            \
    X(POD_COOLING, "pod_cooling",                                              \
      "%a has lost its cooling: it draws %v and goes to %l")                   \
    X(POD_FEEDER, "pod_feeder",                                                \
      "the power distribution of %a carries no more than %l: it is held at "   \
      "%v")                                                                    \
    X(CHECKPOINT, "checkpoint", "%a writes a checkpoint and is not capped")    \
    X(DEFER, "defer",                                                          \
      "work that can wait is held back by %v, as the plan has it")             \
    X(FREEZE, "freeze",                                                        \
      "the grid voltage is %v of nominal: every set-point stands as it is "    \
      "until it is back above %l")                                             \
    X(RESERVE, "reserve",                                                      \
      "were the load to change by %v at once, %n of it would break the ramp: " \
      "the batteries can take up %l now")                                      \
    X(EVENT_EXPORT, "event_export",                                            \
      "the utility limits export to %l: the load is %v, the batteries give "   \
      "%n")                                                                    \
    X(SETPOINT, "setpoint",                                                    \
      "the utility asks the site to draw %l: the load is %v, the batteries "   \
      "give %n")                                                               \
    X(OPERATOR, "operator",                                                    \
      "the operator limits import to %l: the load is %v, the batteries give "  \
      "%n")                                                                    \
    X(OPERATOR_EXPORT, "operator_export",                                      \
      "the operator limits export to %l: the load is %v, the batteries give "  \
      "%n")                                                                    \
    X(OPERATOR_HOLD, "operator_hold",                                          \
      "the operator holds the grid at %l: the load is %v, the batteries give " \
      "%n")                                                                    \
    X(EVENT_LATE, "event_late",                                                \
      "the utility's limit of %l came too late for the ramp: the grid, at "    \
      "%v, goes down as fast as it may, %n to go")                             \
    X(TRIP, "trip",                                                            \
      "were %a to trip, the others could carry %l of the %v that the "         \
      "batteries carry together")                                              \
    X(AHEAD, "ahead",                                                          \
      "jobs will change the load of %v: the grid goes toward %l ahead of "     \
      "them, the batteries give %n")                                           \
    X(ISLAND, "island",                                                        \
      "the site is cut off from the grid: the load is %v, the batteries give " \
      "%n, others %l")                                                         \
    X(ISLAND_LOAD, "island_load",                                              \
      "compute held back by %v: cut off from the grid, the site serves at "    \
      "most %l")                                                               \
    X(ISLAND_BACK, "island_back",                                              \
      "back on the grid, which takes the load of %v over at once")             \
    X(FLOOR, "floor",                                                          \
      "pods burn %v to hold the load up: the batteries can take no more than " \
      "%l while the grid comes down")                                          \
    X(SHED_LIMIT, "shed_limit",                                                \
      "compute held back by %v: the edges of the load keep the grid from "     \
      "coming down to its limit, %n to go")                                    \
    X(RESERVE_POD, "reserve_pod",                                              \
      "were %a to start or stop at once, %n of its %v would break the ramp: "  \
      "the batteries can take up %l now")                                      \
    X(PEAK, "peak",                                                            \
      "the load is %v: the mean of the demand interval is held at %l, lest a " \
      "higher peak be billed; the batteries give %n")

#define REASON_ENUM(name, word, text) REASON_##name,
enum reason { REASON_LIST(REASON_ENUM) REASON_COUNT };
#undef REASON_ENUM

/* Which array of the site 'index' of a reason_line points into. */
enum asset_kind {
    ASSET_SITE,
    ASSET_METER,
    ASSET_BATTERY,
    ASSET_POD,
    ASSET_FLEET,
    ASSET_NODE,
    ASSET_PRICE,
};

enum { REASON_LINES = 6 };

struct reason_line {
    int64_t code;  /* enum reason */
    int64_t asset; /* enum asset_kind */
    int64_t index;
    double value; /* what came out */
    double limit; /* what bound */
    double need;  /* by how much, or what it would take */
};

/* True where 'b' says the same as 'a' with numbers that a person would call
 * others: a power by a tenth of the largest in the sentence, a state of charge
 * by two points, a temperature by a degree, a price or a ramp by a tenth. */
bool reason_numbers_differ(const struct reason_line *a,
                           const struct reason_line *b);

/* The word of 'code' for logs and CSV; static storage. */
const char *reason_word(enum reason code);

/* Name of an asset: the site's, a battery's ...; a node is FLEET-0001.
 * Writes at most 'size' bytes with the NUL to 'out' and returns it. */
const char *asset_name(const struct site *site, enum asset_kind kind,
                       int64_t index, char *out, size_t size);

/*
 * The sentence of 'line' in 'out', at most 'size' bytes with the NUL.
 * Returns 'out'.  Numbers carry their unit: W, kW or MW for powers, W/s as
 * MW/min, fractions in percent, degrees, prices in the site's currency.
 */
const char *reason_text(const struct site *site, const struct reason_line *line,
                        char *out, size_t size);

#endif
