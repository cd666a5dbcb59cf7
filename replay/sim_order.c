/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_order.h"

#include <math.h>
#include <string.h>

#include "adapters/json_in.h"
#include "models/clamp.h"

static const int64_t FUTURE_MS = 5000;    /* clocks may differ by this much */
static const double RAMP_MIN_S = 5.0;     /* of going safe */
static const double STAGGER_S = 5.0;      /* between neighbouring pods */
static const double FLOOR_DOWN_S = 600.0; /* where nobody has said */

enum { STAGGERS = 16 };

/* Reads the number under 'key', untouched where there is none; false where it
 * is no number or out of range. */
static bool read_number(const cJSON *json, const char *key,
                        struct json_in_range range, double *out)
{
    return json_in_number(json, key, range, out) != JSON_IN_BAD;
}

static bool read_id(const cJSON *json, char out[SIM_ID_MAX])
{
    const char *id = NULL;
    if (json_in_text(json, "id", &id) != JSON_IN_OK || id[0] == '\0' ||
        strlen(id) >= SIM_ID_MAX) {
        return false;
    }
    strcpy(out, id);
    return true;
}

static enum err read_fields(const cJSON *json, struct sim_order *out,
                            const char **why)
{
    static const struct json_in_range power = {0.0, 1e10};
    static const struct json_in_range ttl = {1.0, 3600.0};
    static const struct json_in_range ramp = {0.0, 3600.0};
    static const struct json_in_range down = {1.0, 3600.0};
    if (!read_id(json, out->id)) {
        *why = "id: expected a text of 1 to 63 bytes";
        return ERR_SYNTAX;
    }
    if (json_in_instant(json, "ts", &out->ts_ms) != JSON_IN_OK) {
        *why = "ts: expected an instant";
        return ERR_SYNTAX;
    }
    if (json_in_number(json, "ttl_s", ttl, &out->ttl_s) != JSON_IN_OK) {
        *why = "ttl_s: expected 1 to 3600";
        return ERR_RANGE;
    }
    if (!read_number(json, "ramp_s", ramp, &out->ramp_s)) {
        *why = "ramp_s: expected 0 to 3600";
        return ERR_RANGE;
    }
    if (!read_number(json, "floor_down_s", down, &out->floor_down_s)) {
        *why = "floor_down_s: expected 1 to 3600";
        return ERR_RANGE;
    }
    if (!read_number(json, "cap_w", power, &out->cap_w) ||
        !read_number(json, "floor_w", power, &out->floor_w) ||
        !read_number(json, "charge_w", power, &out->charge_w) ||
        !read_number(json, "compute_w", power, &out->compute_w)) {
        *why = "expected a power from 0";
        return ERR_RANGE;
    }
    return ERR_NONE;
}

enum err sim_order_parse(const char *json, size_t size, struct sim_order *out,
                         const char **why)
{
    *out = (struct sim_order){.cap_w = NAN,
                              .floor_w = NAN,
                              .floor_down_s = NAN,
                              .charge_w = NAN,
                              .compute_w = NAN};
    cJSON *root = json_in_parse(json, size, why);
    if (!cJSON_IsObject(root)) {
        *why = root != NULL ? "not a JSON object" : *why;
        cJSON_Delete(root);
        return ERR_SYNTAX;
    }
    enum err e = read_fields(root, out, why);
    cJSON_Delete(root);
    return e;
}

static bool known_id(const struct sim_lease *l, const char *id)
{
    for (int i = 0; i < SIM_IDS_MAX; i++) {
        if (strcmp(l->ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

enum ack_status sim_lease_offer(struct sim_lease *l,
                                const struct sim_order *order, bool retained,
                                int64_t utc_ms, double now_s,
                                const char **detail)
{
    int64_t age_ms = utc_ms - order->ts_ms;
    if (retained) {
        *detail = "retained commands are refused";
        return ACK_REJECTED;
    }
    if (age_ms < -FUTURE_MS) {
        *detail = "ts lies in the future";
        return ACK_REJECTED;
    }
    if ((double)age_ms > order->ttl_s * 1e3) {
        *detail = "older than its ttl";
        return ACK_EXPIRED;
    }
    if (known_id(l, order->id)) {
        *detail = "";
        return ACK_DUPLICATE;
    }
    if (order->ts_ms < l->ts_ms) {
        *detail = "a newer command was taken";
        return ACK_REJECTED;
    }
    *detail = "";
    strcpy(l->ids[l->next], order->id);
    l->next = (l->next + 1) % SIM_IDS_MAX;
    l->ts_ms = order->ts_ms;
    l->held = true;
    l->until_s = now_s + order->ttl_s - fmax(0.0, (double)age_ms * 1e-3);
    return ACK_APPLIED;
}

void sim_pod_init(struct sim_pod *p, const struct site_pod *site, double safe_w,
                  int index)
{
    *p = (struct sim_pod){
        .cap_min_w = site->cap_min_w,
        .cap_max_w = site->power_max_w,
        .safe_w = safe_w,
        .stagger_s = STAGGER_S * (1 + index % STAGGERS),
        .cap_w = site->power_max_w,
        .from_w = site->power_max_w,
        .to_w = site->power_max_w,
        .floor_max_w = site->floor_max_w,
        .floor_down_s = FLOOR_DOWN_S,
    };
}

/* A cap above what is drawn changes nothing on its way down: begin where it
 * bites. */
static void begin_ramp(struct sim_pod *p, double from_w, double to_w,
                       double now_s)
{
    p->from_w = from_w;
    p->to_w = to_w;
    p->ramp_from_s = now_s;
}

enum ack_status sim_pod_take(struct sim_pod *p, const struct sim_order *order,
                             double power_w, double now_s)
{
    double to_w = clamp(order->cap_w, p->cap_min_w, p->cap_max_w);
    double from_w = p->cap_w;
    if (to_w < from_w) {
        from_w = fmax(to_w, fmin(from_w, power_w));
    }
    if (to_w != p->to_w || p->going_safe) {
        begin_ramp(p, from_w, to_w, now_s);
    }
    p->ramp_s = order->ramp_s;
    p->going_safe = false;
    double floor_w = isnan(order->floor_w) ? p->floor_w : order->floor_w;
    p->floor_w = fmin(floor_w, p->floor_max_w);
    if (order->floor_down_s > 0.0) {
        p->floor_down_s = order->floor_down_s;
    }
    bool whole = to_w == order->cap_w && p->floor_w == floor_w;
    return whole ? ACK_APPLIED : ACK_PARTIAL;
}

double sim_pod_tick(struct sim_pod *p, double now_s)
{
    if (p->lease.held && now_s >= p->lease.until_s + p->stagger_s) {
        p->lease.held = false;
        p->going_safe = true;
        p->ramp_s = fmax(p->ramp_s, RAMP_MIN_S);
        begin_ramp(p, p->cap_w, p->safe_w, now_s);
    }
    double done = p->ramp_s > 0.0 ? (now_s - p->ramp_from_s) / p->ramp_s : 1.0;
    p->cap_w = p->from_w + (p->to_w - p->from_w) * clamp(done, 0.0, 1.0);
    return p->cap_w;
}

double sim_pod_floor_w(const struct sim_pod *p, double now_s)
{
    double over_s = fmax(now_s - p->lease.until_s, 0.0);
    return p->floor_w * fmax(1.0 - over_s / p->floor_down_s, 0.0);
}

void sim_car_init(struct sim_car *c, int index)
{
    *c = (struct sim_car){.stagger_s = (double)(index % 60)};
}

enum ack_status sim_car_take(struct sim_car *c, const struct sim_order *order,
                             double charge_max_w, double compute_max_w)
{
    double charge_w = isnan(order->charge_w) ? c->charge_w : order->charge_w;
    double compute_w =
        isnan(order->compute_w) ? c->compute_w : order->compute_w;
    c->charge_w = fmin(charge_w, charge_max_w);
    c->compute_w = fmin(compute_w, compute_max_w);
    bool whole = c->charge_w == charge_w && c->compute_w == compute_w;
    return whole ? ACK_APPLIED : ACK_PARTIAL;
}

void sim_car_tick(struct sim_car *c, double now_s)
{
    if (c->lease.held && now_s >= c->lease.until_s + c->stagger_s) {
        c->lease.held = false;
        c->compute_w = 0.0;
    }
}
