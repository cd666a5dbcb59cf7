/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/fields.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "models/reason.h"

enum field_kind { FIELD_NUMBER, FIELD_COUNT };

/* One 8-byte member. */
struct field {
    const char *name;
    enum field_kind kind;
};

static const struct field battery_fields[] = {
    {"set_w", FIELD_NUMBER},
    {"fallback_w", FIELD_NUMBER},
    {"fallback_ramp_w_per_s", FIELD_NUMBER},
    {"expiry_s", FIELD_NUMBER},
    {"valid", FIELD_COUNT},
};

static const struct field pod_fields[] = {
    {"cap_w", FIELD_NUMBER},   {"ramp_s", FIELD_NUMBER},
    {"floor_w", FIELD_NUMBER}, {"floor_down_s", FIELD_NUMBER},
    {"ttl_s", FIELD_NUMBER},   {"reason", FIELD_COUNT},
    {"valid", FIELD_COUNT},
};

static const struct field node_fields[] = {
    {"compute_w", FIELD_NUMBER}, {"charge_w", FIELD_NUMBER},
    {"ttl_s", FIELD_NUMBER},     {"reason", FIELD_COUNT},
    {"valid", FIELD_COUNT},
};

static const struct field why_fields[] = {
    {"code", FIELD_COUNT},   {"asset", FIELD_COUNT},  {"index", FIELD_COUNT},
    {"value", FIELD_NUMBER}, {"limit", FIELD_NUMBER}, {"need", FIELD_NUMBER},
};

/* Of tick_record, up to its reasons. */
static const struct field record_fields[] = {
    {"tick", FIELD_COUNT},
    {"utc_ms", FIELD_COUNT},
    {"grid_w", FIELD_NUMBER},
    {"grid_ref_w", FIELD_NUMBER},
    {"grid_max_w", FIELD_NUMBER},
    {"ramp_w_per_s", FIELD_NUMBER},
    {"load_w", FIELD_NUMBER},
    {"pods_w", FIELD_NUMBER},
    {"demand_w", FIELD_NUMBER},
    {"shed_w", FIELD_NUMBER},
    {"waiting_wh", FIELD_NUMBER},
    {"moved_w", FIELD_NUMBER},
    {"floor_w", FIELD_NUMBER},
    {"burn_w", FIELD_NUMBER},
    {"other_w", FIELD_NUMBER},
    {"battery_w", FIELD_NUMBER},
    {"battery_set_w", FIELD_NUMBER},
    {"fleet_w", FIELD_NUMBER},
    {"fleet_compute_w", FIELD_NUMBER},
    {"soc_pu", FIELD_NUMBER},
    {"price_per_kwh", FIELD_NUMBER},
    {"plan_battery_w", FIELD_NUMBER},
    {"reserve_short_w", FIELD_NUMBER},
    {"degraded", FIELD_COUNT},
};

#define N_FIELDS(table) (sizeof(table) / sizeof((table)[0]))
#define COVERS(table, bytes) \
    _Static_assert(N_FIELDS(table) * 8 == (bytes), "a member has no name")
COVERS(battery_fields, sizeof(struct battery_command));
COVERS(pod_fields, sizeof(struct pod_command));
COVERS(node_fields, sizeof(struct node_command));
COVERS(why_fields, sizeof(struct reason_line));
COVERS(record_fields, offsetof(struct tick_record, why));

/* A struct with a table of its members. */
struct piece {
    const struct field *fields;
    size_t n_fields;
    const void *recorded;
    const void *computed;
};

static void value_text(enum field_kind kind, uint64_t bits,
                       char out[FIELD_TEXT_MAX])
{
    if (kind == FIELD_COUNT) {
        int64_t n = 0;
        memcpy(&n, &bits, sizeof(n));
        snprintf(out, FIELD_TEXT_MAX, "%" PRId64, n);
    } else {
        double x = 0.0;
        memcpy(&x, &bits, sizeof(x));
        snprintf(out, FIELD_TEXT_MAX, "%.17g", x);
    }
}

/* True where 'piece' differs; its name is that of 'asset' and the member. */
static bool piece_differs(const struct piece *piece, const char *prefix,
                          const char *asset, struct field_diff *diff)
{
    if (memcmp(piece->recorded, piece->computed, piece->n_fields * 8) == 0) {
        return false;
    }
    for (size_t i = 0; i < piece->n_fields; i++) {
        uint64_t a = 0;
        uint64_t b = 0;
        memcpy(&a, (const unsigned char *)piece->recorded + 8 * i, 8);
        memcpy(&b, (const unsigned char *)piece->computed + 8 * i, 8);
        if (a != b) {
            const struct field *f = &piece->fields[i];
            snprintf(diff->name, sizeof(diff->name), "%s%s.%s", prefix, asset,
                     f->name);
            value_text(f->kind, a, diff->recorded);
            value_text(f->kind, b, diff->computed);
            break;
        }
    }
    return true;
}

#define PIECE(table, a, b)                 \
    {                                      \
        (table), N_FIELDS(table), (a), (b) \
    }

static bool batteries_differ(const struct site *site, const struct step_out *a,
                             const struct step_out *b, struct field_diff *diff)
{
    for (int i = 0; i < site->n_batteries; i++) {
        const struct piece p =
            PIECE(battery_fields, &a->batteries[i], &b->batteries[i]);
        if (piece_differs(&p, "battery.", site->batteries[i].name, diff)) {
            return true;
        }
    }
    return false;
}

static bool pods_differ(const struct site *site, const struct step_out *a,
                        const struct step_out *b, struct field_diff *diff)
{
    for (int i = 0; i < site->n_pods; i++) {
        const struct piece p = PIECE(pod_fields, &a->pods[i], &b->pods[i]);
        if (piece_differs(&p, "pod.", site->pods[i].name, diff)) {
            return true;
        }
    }
    return false;
}

static bool nodes_differ(const struct site *site, const struct step_out *a,
                         const struct step_out *b, struct field_diff *diff)
{
    for (int i = 0; i < site->n_nodes; i++) {
        const struct piece p = PIECE(node_fields, &a->nodes[i], &b->nodes[i]);
        char name[SITE_NAME_MAX + 16];
        asset_name(site, ASSET_NODE, i, name, sizeof(name));
        if (piece_differs(&p, "node.", name, diff)) {
            return true;
        }
    }
    return false;
}

static bool records_differ(const struct tick_record *a,
                           const struct tick_record *b, struct field_diff *diff)
{
    static const struct field n_why[] = {{"n_why", FIELD_COUNT}};
    const struct piece record = PIECE(record_fields, a, b);
    const struct piece n = PIECE(n_why, &a->n_why, &b->n_why);
    if (piece_differs(&record, "record", "", diff) ||
        piece_differs(&n, "record", "", diff)) {
        return true;
    }
    for (int i = 0; i < REASON_LINES; i++) {
        const struct piece p = PIECE(why_fields, &a->why[i], &b->why[i]);
        char name[16];
        snprintf(name, sizeof(name), ".why%d", i + 1);
        if (piece_differs(&p, "record", name, diff)) {
            return true;
        }
    }
    return false;
}

bool fields_differ(const struct site *site, const struct step_out *recorded,
                   const struct step_out *computed, struct field_diff *diff)
{
    return batteries_differ(site, recorded, computed, diff) ||
           pods_differ(site, recorded, computed, diff) ||
           nodes_differ(site, recorded, computed, diff) ||
           records_differ(&recorded->record, &computed->record, diff);
}
