/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "adapters/json_in.h"
#include "adapters/mqtt_codec.h"

enum { SERIES_MAX = 4096 };

/* Spikes are real (4,858 USD/MWh and more) and must not be clipped; this is
 * a hundred times what any market allows. */
#define PRICE_MAX_PER_KWH 1000.0

static const int64_t hour_ms = 3600000;

/* A series as it was sent; slot i holds for [start + i step, + step). */
struct series {
    int64_t start_ms;
    int64_t step_ms;
    int64_t n;
    double per_kwh[SERIES_MAX];
};

static struct mqtt_result malformed(const char *why)
{
    return (struct mqtt_result){MQTT_MALFORMED, why};
}

static int64_t end_of(const struct series *s)
{
    return s->start_ms + s->n * s->step_ms;
}

static double value_at(const struct series *s, int64_t utc_ms)
{
    if (utc_ms < s->start_ms || utc_ms >= end_of(s)) {
        return NAN;
    }
    return s->per_kwh[(utc_ms - s->start_ms) / s->step_ms];
}

static bool covers(const struct series *s, int64_t utc_ms)
{
    return utc_ms >= s->start_ms && utc_ms < end_of(s);
}

/* What 'in' already knows and is not over; n is 0 where nothing is. */
static void known_series(const struct price_in *in, int64_t now_ms,
                         struct series *out)
{
    *out = (struct series){.step_ms = 1};
    int64_t step_ms = in->step_s >= 1.0 && in->step_s <= 86400.0
                          ? (int64_t)(in->step_s * 1e3)
                          : 0;
    if (in->mono_ms == 0 || in->n_slots <= 0 || in->n_slots > PRICE_SLOTS_MAX ||
        step_ms == 0 || in->start_at_ms + in->n_slots * step_ms <= now_ms) {
        return;
    }
    out->start_ms = in->start_at_ms;
    out->step_ms = step_ms;
    out->n = in->n_slots;
    memcpy(out->per_kwh, in->per_kwh, (size_t)in->n_slots * sizeof(double));
}

/* Two series can be one where the finer step divides the coarser and both
 * begin on its beat: today's hours and tomorrow's quarter hours. */
static bool can_join(const struct series *a, const struct series *b)
{
    int64_t fine = a->step_ms < b->step_ms ? a->step_ms : b->step_ms;
    int64_t coarse = a->step_ms < b->step_ms ? b->step_ms : a->step_ms;
    return a->n > 0 && coarse % fine == 0 &&
           (a->start_ms - b->start_ms) % fine == 0;
}

/* 'sent' over 'known', from the slot of 'now_ms' on, as far as it fits. */
static void join(const struct series *known, const struct series *sent,
                 int64_t now_ms, struct price_in *in)
{
    int64_t start_ms = sent->start_ms;
    int64_t end_ms = end_of(sent);
    int64_t step_ms = sent->step_ms;
    if (can_join(known, sent)) {
        step_ms = known->step_ms < step_ms ? known->step_ms : step_ms;
        start_ms = known->start_ms < start_ms ? known->start_ms : start_ms;
        end_ms = end_of(known) > end_ms ? end_of(known) : end_ms;
    }
    if (now_ms > start_ms) {
        start_ms += (now_ms - start_ms) / step_ms * step_ms;
    }
    int64_t n = (end_ms - start_ms) / step_ms;
    n = n > PRICE_SLOTS_MAX ? PRICE_SLOTS_MAX : n;

    *in = (struct price_in){
        .start_at_ms = start_ms,
        .step_s = (double)step_ms / 1e3,
        .n_slots = n,
        .value_per_kwh = NAN,
        .expires_at_ms = start_ms + n * step_ms,
    };
    for (int64_t i = 0; i < n; i++) {
        int64_t at_ms = start_ms + i * step_ms;
        in->per_kwh[i] = value_at(covers(sent, at_ms) ? sent : known, at_ms);
    }
}

/* kWh in the unit the prices are given per; 0 where it is not said. */
static double read_unit(const cJSON *object)
{
    return json_in_is_text(object, "unit", "kWh")   ? 1.0
           : json_in_is_text(object, "unit", "MWh") ? 1e3
                                                    : 0.0;
}

static const char *last_level(const char *topic)
{
    const char *slash = strrchr(topic, '/');
    return slash == NULL ? topic : slash + 1;
}

/* Who the message speaks of: another currency or market is not ours. */
static struct mqtt_result check_identity(const cJSON *object,
                                         const struct mqtt_price_feed *feed)
{
    const char *text = NULL;
    enum json_in_field has = json_in_text(object, "currency", &text);
    if (has == JSON_IN_BAD ||
        (has == JSON_IN_OK && strcmp(text, feed->site->currency) != 0)) {
        return malformed("\"currency\" is not the site's currency");
    }
    has = json_in_text(object, "market", &text);
    if (has == JSON_IN_OK &&
        strcmp(text, feed->site->prices[feed->price].market) != 0 &&
        strcmp(text, last_level(feed->topic)) != 0) {
        return (struct mqtt_result){MQTT_UNKNOWN,
                                    "\"market\" is another than the topic's"};
    }
    return has == JSON_IN_BAD ? malformed("\"market\" is not a text")
                              : (struct mqtt_result){MQTT_TAKEN, ""};
}

static const char *read_values(const cJSON *array, double unit_kwh,
                               struct series *out)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
    {
        if (out->n == SERIES_MAX) {
            return "\"values\" is too long";
        }
        double x = NAN;
        if (cJSON_IsNumber(item)) {
            x = item->valuedouble / unit_kwh;
            if (!(fabs(x) <= PRICE_MAX_PER_KWH)) {
                return "\"values\" holds a price out of range";
            }
        } else if (!cJSON_IsNull(item)) {
            return "\"values\" holds something else than numbers and null";
        }
        out->per_kwh[out->n++] = x;
    }
    return out->n > 0 ? NULL : "\"values\" is empty";
}

static const char *read_series(const cJSON *object, struct series *out)
{
    out->n = 0;
    int64_t step_s = 0;
    double unit_kwh = read_unit(object);
    if (unit_kwh == 0.0) {
        return "\"unit\" is missing: say \"kWh\" or \"MWh\"";
    }
    if (json_in_integer(object, "res_s", (struct json_in_range){1, 86400},
                        &step_s) != JSON_IN_OK) {
        return "\"res_s\" is not a whole number of seconds up to a day";
    }
    if (json_in_instant(object, "start", &out->start_ms) != JSON_IN_OK) {
        return "\"start\" is not an RFC 3339 instant";
    }
    out->step_ms = step_s * 1000;
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, "values");
    if (!cJSON_IsArray(array)) {
        return "\"values\" is not an array";
    }
    return read_values(array, unit_kwh, out);
}

/* {"value_per_kwh":x}, {"value_per_mwh":x} or {"price":x,"unit":"MWh"}. */
static const char *read_current(const cJSON *object, double *per_kwh)
{
    struct json_in_range any = {-1e3 * PRICE_MAX_PER_KWH,
                                1e3 * PRICE_MAX_PER_KWH};
    double unit_kwh = 0.0;
    double x = NAN;
    if (json_in_number(object, "value_per_kwh", any, &x) == JSON_IN_OK) {
        unit_kwh = 1.0;
    } else if (json_in_number(object, "value_per_mwh", any, &x) == JSON_IN_OK) {
        unit_kwh = 1e3;
    } else if (json_in_number(object, "price", any, &x) == JSON_IN_OK) {
        unit_kwh = read_unit(object);
    } else {
        return "has neither \"values\" nor a price";
    }
    if (unit_kwh == 0.0) {
        return "\"unit\" is missing: say \"kWh\" or \"MWh\"";
    }
    *per_kwh = x / unit_kwh;
    return fabs(*per_kwh) <= PRICE_MAX_PER_KWH ? NULL
                                               : "its price is out of range";
}

/* A bare number: only the topic can say what it is per. */
static const char *read_bare(const cJSON *number, const char *topic,
                             double *per_kwh)
{
    const char *level = last_level(topic);
    size_t n = strlen(level);
    const char *end = n >= 8 ? level + n - 8 : "";
    double unit_kwh = strcmp(end, "_per_kwh") == 0   ? 1.0
                      : strcmp(end, "_per_mwh") == 0 ? 1e3
                                                     : 0.0;
    if (unit_kwh == 0.0) {
        return "is a bare number: end the topic in _per_kwh or _per_mwh";
    }
    *per_kwh = number->valuedouble / unit_kwh;
    return fabs(*per_kwh) <= PRICE_MAX_PER_KWH ? NULL
                                               : "its price is out of range";
}

static struct mqtt_result take_series(const cJSON *object,
                                      const struct mqtt_message *msg,
                                      struct price_in *in)
{
    struct series sent;
    const char *why = read_series(object, &sent);
    if (why != NULL) {
        return malformed(why);
    }
    if (end_of(&sent) <= msg->utc_ms) {
        return (struct mqtt_result){MQTT_STALE, "its series is over"};
    }
    struct series known;
    known_series(in, msg->utc_ms, &known);
    join(&known, &sent, msg->utc_ms, in);
    in->mono_ms = msg->mono_ms;
    return (struct mqtt_result){MQTT_TAKEN, ""};
}

static struct mqtt_result take_current(double per_kwh, int64_t expires_ms,
                                       const struct mqtt_message *msg,
                                       struct price_in *in)
{
    if (expires_ms <= msg->utc_ms) {
        return (struct mqtt_result){MQTT_STALE, "its price has expired"};
    }
    *in = (struct price_in){
        .value_per_kwh = per_kwh,
        .mono_ms = msg->mono_ms,
        .expires_at_ms = expires_ms,
    };
    return (struct mqtt_result){MQTT_TAKEN, ""};
}

static struct mqtt_result read_object(const cJSON *object,
                                      const struct mqtt_message *msg,
                                      int64_t *ts_ms, struct price_in *in)
{
    bool series = cJSON_GetObjectItemCaseSensitive(object, "values") != NULL;
    int64_t version = 1;
    struct json_in_range one = {1, 1};
    enum json_in_field has = json_in_integer(object, "v", one, &version);
    if (has != JSON_IN_OK && (series || has != JSON_IN_ABSENT)) {
        return malformed("\"v\" is not 1");
    }
    int64_t at_ms = msg->utc_ms;
    has = json_in_instant(object, "ts", &at_ms);
    if (has != JSON_IN_OK && (series || has != JSON_IN_ABSENT)) {
        return malformed("\"ts\" is not an RFC 3339 instant");
    }
    if (at_ms > msg->utc_ms + MQTT_FEED_AHEAD_MAX_MS || at_ms < *ts_ms) {
        return (struct mqtt_result){
            MQTT_STALE, at_ms < *ts_ms ? "is older than what is known"
                                       : "its clock is ahead of ours"};
    }
    struct mqtt_result result;
    if (series) {
        result = take_series(object, msg, in);
    } else {
        int64_t expires_ms = at_ms + hour_ms;
        double per_kwh = NAN;
        const char *why = read_current(object, &per_kwh);
        if (json_in_instant(object, "expires", &expires_ms) == JSON_IN_BAD) {
            why = "\"expires\" is not an RFC 3339 instant";
        }
        result = why != NULL ? malformed(why)
                             : take_current(per_kwh, expires_ms, msg, in);
    }
    if (result.verdict == MQTT_TAKEN) {
        *ts_ms = at_ms;
    }
    return result;
}

struct mqtt_result mqtt_codec_price(const struct mqtt_message *msg,
                                    const struct mqtt_price_feed *feed,
                                    int64_t *ts_ms, struct price_in *in)
{
    const char *why = NULL;
    cJSON *tree = json_in_parse(msg->bytes, msg->size, &why);
    if (tree == NULL) {
        return malformed(why);
    }
    struct mqtt_result result = malformed("is neither an object nor a number");
    if (cJSON_IsNumber(tree)) {
        double per_kwh = NAN;
        why = read_bare(tree, feed->topic, &per_kwh);
        result = why != NULL
                     ? malformed(why)
                     : take_current(per_kwh, msg->utc_ms + hour_ms, msg, in);
    } else if (cJSON_IsObject(tree)) {
        result = check_identity(tree, feed);
        if (result.verdict == MQTT_TAKEN) {
            result = read_object(tree, msg, ts_ms, in);
        }
    }
    cJSON_Delete(tree);
    return result;
}
