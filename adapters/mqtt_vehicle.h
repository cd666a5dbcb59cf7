/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_vehicle - what is known of one vehicle by its telemetry.
 */
#ifndef ADAPTERS_MQTT_VEHICLE_H
#define ADAPTERS_MQTT_VEHICLE_H

#include "adapters/mqtt_codec.h"

/* A field of the telemetry; name, how it is read, range as sent, factor. */
#define VEHICLE_FIELD_LIST(X)                             \
    X(SOC, "Soc", NUMBER, 0, 100, 1e-2)                   \
    X(LEVEL, "BatteryLevel", NUMBER, 0, 100, 1e-2)        \
    X(ENERGY, "EnergyRemaining", NUMBER, 0, 2000, 1e3)    \
    X(LIMIT, "ChargeLimitSoc", NUMBER, 0, 100, 1e-2)      \
    X(PLUG, "DetailedChargeState", PLUG, 0, 1, 1)         \
    X(GEAR, "Gear", GEAR, 0, 1, 1)                        \
    X(TEMP_MIN, "ModuleTempMin", NUMBER, -60, 120, 1)     \
    X(TEMP_MAX, "ModuleTempMax", NUMBER, -60, 120, 1)     \
    X(AC_POWER, "ACChargingPower", NUMBER, -1, 1500, 1e3) \
    X(DC_POWER, "DCChargingPower", NUMBER, -1, 1500, 1e3)
#define VEHICLE_FIELD_ENUM(name, text, form, lo, hi, factor) VEHICLE_##name,
enum vehicle_field { VEHICLE_FIELD_LIST(VEHICLE_FIELD_ENUM) VEHICLE_FIELDS };
#undef VEHICLE_FIELD_ENUM

enum { VEHICLE_ALERTS_MAX = 16, VEHICLE_LATE_MS = 5000 };

enum vehicle_link { VEHICLE_NEVER, VEHICLE_CONNECTED, VEHICLE_LOST };

struct vehicle {
    uint64_t key; /* of number and fleet */
    int64_t node; /* -1 for none */
    int64_t fleet;
    enum vehicle_link link;
    bool trusted;             /* heard live in this connection */
    uint32_t live;            /* bit per field: heard live */
    uint64_t connection;      /* hash of the id in force, 0 unknown */
    uint64_t lost_connection; /* of the last one that ended */
    int64_t connected_at_ms;  /* as the message says, 0 unknown */
    int64_t lost_mono_ms;
    double value[VEHICLE_FIELDS];        /* valid where mono_ms is not 0 */
    int64_t mono_ms[VEHICLE_FIELDS];     /* received */
    uint64_t alerts[VEHICLE_ALERTS_MAX]; /* hashes of names, 0 free */
};

/* The field of that name, -1 where we have no use for it. */
int vehicle_field_find(const char *name);

struct mqtt_result vehicle_take_field(struct vehicle *v,
                                      enum vehicle_field field,
                                      const struct mqtt_message *msg);
struct mqtt_result vehicle_take_connectivity(struct vehicle *v,
                                             const struct mqtt_message *msg);
struct mqtt_result vehicle_take_alert(struct vehicle *v, const char *name,
                                      const struct mqtt_message *msg);

bool vehicle_has_alert(const struct vehicle *v);

/* Write the pack's side of 'in'; all unknown where 'v' is NULL or not to be
 * trusted. */
void vehicle_write(const struct vehicle *v, struct node_in *in);

#endif
