/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * site - what stands on the site, as the site file says it.
 *
 * One plain, pointer-free struct: controller/site_file fills it, everything
 * else only reads it.  All values are in base units (W, Wh, s, fractions);
 * the ranges are those of the schema table (`ballast help site`).  Arrays are
 * filled from the front, n_* says how far.
 *
 * Signs: power is positive when it flows INTO an asset.
 */
#ifndef MODELS_SITE_H
#define MODELS_SITE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SITE_NAME_MAX = 48,  /* bytes of a name with its NUL */
    SITE_TEXT_MAX = 128, /* bytes of a host, topic, path or URL */
    SITE_DAYS_MAX = 704, /* bytes of 64 days with commas */
    SITE_BATTERIES_MAX = 128,
    SITE_PODS_MAX = 1024,
    SITE_FLEETS_MAX = 16,
    SITE_CLASSES_MAX = 16,
    SITE_PRICES_MAX = 4,
    SITE_CONTINGENCIES_MAX = 16,
    SITE_BANDS_MAX = 8,
    SITE_NODES_MAX = 1000000, /* over all fleets */
};

/* Where a Modbus TCP device answers and which register map describes it. */
struct site_modbus {
    bool present;
    char host[SITE_TEXT_MAX];
    int port;
    int unit;
    char map[SITE_TEXT_MAX]; /* name of a shipped map, or a path */
};

struct site_band {
    double from_hz;
    double to_hz;
    double rms_max_w;
};

/* Which battery a contingency takes: none, the one whose loss is worst, or
 * number n from SITE_LOSES_FIRST + n on. */
enum { SITE_LOSES_NONE, SITE_LOSES_LARGEST, SITE_LOSES_FIRST };

/* What the reserve must cover at any time: an edge of the load, or the loss of
 * a battery. */
struct site_contingency {
    char name[SITE_NAME_MAX];
    double drop_w;               /* >= 0, load that vanishes at once */
    double rise_w;               /* >= 0, load that appears at once */
    double stop_w;               /* >= 0, of jobs that end: floors hold it */
    char battery[SITE_NAME_MAX]; /* its name, or "largest"; "" for none */
    int loses;                   /* the same: SITE_LOSES_ */
};

/* How the load comes back to the grid after an island. */
enum grid_return { GRID_RETURN_STAGED, GRID_RETURN_FAST };

struct site_grid {
    double import_max_w;     /* on the mean over import_average_s */
    double import_average_s; /* default 60 */
    double import_trip_w;    /* never passed in any tick */
    double export_max_w;
    double ramp_max_w_per_s; /* of the mean over ramp_average_s */
    double ramp_average_s;   /* default 10 */
    double swing_max_w;      /* INFINITY where none is set */
    double swing_average_s;  /* default 2 */
    struct site_band bands[SITE_BANDS_MAX];
    int n_bands;
    struct site_contingency contingencies[SITE_CONTINGENCIES_MAX];
    int n_contingencies;
    bool contingencies_given;    /* false: the largest pod, the largest recent
                                  * edge, the loss of any battery of several */
    double demand_charge_per_kw; /* per billing month; 0 for none */
    double demand_interval_s;    /* default 900 */
    double billing_peak_w;       /* incumbent peak of the billing month */
    double island_load_w;        /* served while cut off; INFINITY: any */
    double island_s;             /* the batteries are to last so long */
    int return_by;               /* enum grid_return */
    struct site_modbus meter;    /* not present: grid = sum of the assets */
};

enum battery_kind { BATTERY_MEGAPACK, BATTERY_MEGABLOCK, BATTERY_GENERIC };

#define CHEMISTRY_LIST(X)         \
    X(LFP, "lfp")                 \
    X(LFP_NAUMANN, "lfp_naumann") \
    X(NCA, "nca")                 \
    X(NMC, "nmc")                 \
    X(NMC_SCHMALSTIEG, "nmc_schmalstieg")
#define CHEMISTRY_ENUM(name, text) CHEMISTRY_##name,
enum chemistry { CHEMISTRY_LIST(CHEMISTRY_ENUM) CHEMISTRY_COUNT };
#undef CHEMISTRY_ENUM

struct site_battery {
    char name[SITE_NAME_MAX];
    enum battery_kind kind;
    int units;             /* of which one can be lost; default 1 */
    double transformer_va; /* shared by the units; INFINITY for none */
    double aux_w;          /* drawn also at rest; booked in other_w */
    double energy_wh;      /* of the whole block */
    double charge_max_w;
    double discharge_max_w;
    double efficiency_pu; /* round trip */
    double soc_min_pu;
    double soc_max_pu;
    enum chemistry chemistry;
    double replacement_per_kwh; /* site currency; default 150 */
    double warranty_efc_per_y;  /* throughput; INFINITY where none is set */
    double reserve_wh;          /* kept for backup; default 0 */
    struct site_modbus modbus;
    double sim_soc_start_pu; /* default: middle of the window */
    double sim_response_s;   /* first-order response; default 0.1 */
    double sim_delay_s;      /* whole ticks before it; default 0 */
};

enum pod_profile { POD_GENERIC, POD_GB200_NVL72 };

/* 'count' in the file is expanded: hall1 with count 100 is hall1-001 ... */
struct site_pod {
    char name[SITE_NAME_MAX];
    enum pod_profile profile;
    int racks;
    double power_max_w;
    double cap_min_w;
    int priority;      /* a higher number is throttled later; default 1 */
    int class_id;      /* index into classes */
    double cap_step_w; /* of caps, above cap_min; 0: 0.1 % of power_max */
    double response_s; /* in which it follows a cap; default 1.5 */
    double checkpoint_hold_s; /* after one began it is not capped lower */
    double inlet_max_c;       /* air; 0 for none */
    double coolant_max_c;     /* likewise */
    double feeder_max_w;      /* of all but cooling; INFINITY where none is */
    double floor_max_w;       /* it can be told to draw so much; 0: no floor */
};

enum node_profile { NODE_HW4, NODE_AI5, NODE_AI6 };

/* What the makers of a fleet's packs promise, and what of it compute may
 * take.  The defaults are those of the schema. */
struct site_warranty {
    double loss_pu;          /* of the capacity at its end; > 0 */
    double expected_loss_pu; /* by driving and parking alone; by chemistry */
    double life_s;           /* > 0 */
    double distance_km;      /* > 0 */
    double wear_share_pu;    /* of what they leave between them */
    double distance_share_pu;
};

/* A fleet is 'nodes' parked vehicles, named FLEET-0001 ... in the topics. */
struct site_fleet {
    char name[SITE_NAME_MAX];
    int nodes;
    int first_node; /* index of its first node among all nodes */
    enum node_profile profile;
    double compute_w;    /* of one car: the profile's, or as overridden */
    double feeder_max_w; /* INFINITY where none is set */
    enum chemistry chemistry;
    double pack_wh;
    int class_id;
    bool behind_poi;               /* only these enter the grid power */
    char telemetry[SITE_TEXT_MAX]; /* fleet-telemetry topic base, or "" */
    bool from_pack;                /* owners let compute run unplugged */
    bool takes_over; /* works only on what throttled pods are held back from */
    double replacement_per_kwh; /* of a pack's capacity; default 130 */
    double energy_per_kwh; /* what owners are paid; NAN: the price just then */
    double consumption_wh_per_km; /* of driving; > 0, default 160 */
    double wear_ppm_per_day; /* by compute; default: what the warranty leaves */
    struct site_warranty warranty;
};

struct site_class {
    char name[SITE_NAME_MAX];
    double value_per_kwh;
    bool firm;
    double deadline_s; /* of deferrable work; INFINITY for firm */
};

/* Cooling, UPS and house load outside the pods. */
struct site_other {
    bool present;
    double pue_pu; /* >= 1 */
    double lag_s;
};

struct site_price {
    char market[SITE_NAME_MAX];
    char topic[SITE_TEXT_MAX];
    double fallback_per_kwh; /* while the feed says nothing */
};

enum openadr_version { OPENADR_3_1, OPENADR_3_0 };

/* How what an event delivered is counted; see policies/baseline.h. */
struct site_baseline {
    bool present; /* else the presets of policies/baseline.h hold */
    int method;   /* 0: high days, 1: meter before */
    int high;
    int most;
    int look_back; /* days */
    int adjust;    /* 0: none, 1: multiply, 2: add */
    double adjust_from_s;
    double adjust_to_s;
    double cap_pu;
    double before_s;
    char holidays[SITE_DAYS_MAX]; /* "2026-11-26,2026-12-25"; "": none */
};

struct site_utility {
    bool present;
    bool openadr;
    char base[SITE_TEXT_MAX];
    char client[SITE_NAME_MAX];
    char secret_file[SITE_TEXT_MAX];
    char program[SITE_NAME_MAX];
    char ca_file[SITE_TEXT_MAX]; /* "": the system's authorities */
    char node[SITE_NAME_MAX];    /* our venName; "": the site's name */
    int version;                 /* enum openadr_version */
    double poll_s;
    char listen[SITE_TEXT_MAX];   /* for webhooks; "": none */
    char callback[SITE_TEXT_MAX]; /* the address by which it is reached */
    bool notifier;                /* the server's MQTT notifier is used */
    char notifier_cert_file[SITE_TEXT_MAX]; /* "": none; likewise below */
    char notifier_key_file[SITE_TEXT_MAX];
    char notifier_user[SITE_NAME_MAX];
    char notifier_password_file[SITE_TEXT_MAX];
    double shed_pu[4];          /* of shed level 0 (nothing) to 3 */
    double reserve_pu;          /* kept while an outage may come */
    double subscribed_import_w; /* INFINITY where none is set */
    struct site_baseline baseline;
};

struct site_mqtt {
    bool present;
    char host[SITE_TEXT_MAX];
    int port;
    char ca_file[SITE_TEXT_MAX]; /* given: TLS, host name verified */
    char cert_file[SITE_TEXT_MAX];
    char key_file[SITE_TEXT_MAX];
    char user[SITE_NAME_MAX];
    char password_file[SITE_TEXT_MAX];
};

struct site_control {
    double period_s;     /* 0.02 .. 10, default 0.1 */
    double plan_every_s; /* default 300 */
    double horizon_s;    /* 24 h .. 48 h, default 48 h */
};

struct site_history {
    char file[SITE_TEXT_MAX];
    char evidence[SITE_TEXT_MAX]; /* "": file + .evidence; "none": none */
    double keep_s;                /* default 30 d */
    double record_max_bytes;      /* of all recordings; default 10 GB */
};

struct site {
    char name[SITE_NAME_MAX];
    char time_zone[SITE_NAME_MAX];
    char currency[8];
    struct site_grid grid;
    struct site_battery batteries[SITE_BATTERIES_MAX];
    int n_batteries;
    struct site_pod pods[SITE_PODS_MAX];
    int n_pods;
    struct site_fleet fleets[SITE_FLEETS_MAX];
    int n_fleets;
    int n_nodes; /* over all fleets */
    struct site_class classes[SITE_CLASSES_MAX];
    int n_classes;
    struct site_other other;
    struct site_price prices[SITE_PRICES_MAX];
    int n_prices;
    struct site_utility utility;
    struct site_mqtt mqtt;
    struct site_control control;
    struct site_history history;
    char http_listen[SITE_TEXT_MAX]; /* "" for none */
};

#endif
