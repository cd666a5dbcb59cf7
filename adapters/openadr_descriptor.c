/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_descriptor.h"

#include <string.h>

#include "adapters/json_in.h"

static const char *text_of(const cJSON *o, const char *key)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(t) ? t->valuestring : "";
}

/* False for what is there and is no count of intervals. */
static bool take_count(const cJSON *o, const char *key, int64_t preset,
                       int64_t *out)
{
    const struct json_in_range range = {-1.0, INT32_MAX};
    *out = preset;
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, key);
    return m == NULL || cJSON_IsNull(m) ||
           json_in_integer(o, key, range, out) != JSON_IN_BAD;
}

static bool take_flag(const cJSON *o, const char *key, int64_t preset,
                      int64_t *out)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, key);
    *out = cJSON_IsBool(m) ? cJSON_IsTrue(m) : preset;
    return m == NULL || cJSON_IsNull(m) || cJSON_IsBool(m);
}

/* The User Guide's own examples write payLoadType now and then. */
static struct dr_report read_one(const cJSON *o)
{
    struct dr_report r = {0};
    const char *type = text_of(o, "payloadType");
    r.kind = dr_report_kind(type[0] != '\0' ? type : text_of(o, "payLoadType"));
    r.peak = strcmp(text_of(o, "readingType"), "PEAK") == 0;
    r.open = strcmp(text_of(o, "reportIntervals"), "OPEN_INTERVALS") == 0;
    r.parts = strcmp(text_of(o, "reportIntervals"), "SUB_INTERVALS") == 0;
    r.energy =
        r.kind == DR_REPORT_BASELINE && strcmp(text_of(o, "units"), "KWH") == 0;
    bool good = take_count(o, "startInterval", -1, &r.start) &&
                take_count(o, "numIntervals", -1, &r.number) &&
                take_count(o, "frequency", -1, &r.frequency) &&
                take_count(o, "repeat", 1, &r.repeat) &&
                take_flag(o, "historical", 1, &r.historical) &&
                take_flag(o, "aggregate", 0, &r.aggregate);
    if (strcmp(text_of(o, "readingType"), "FORECAST") == 0) {
        r.historical = 0;
    }
    if (!good) {
        r.kind = DR_REPORT_UNKNOWN;
    }
    return r;
}

int64_t openadr_descriptors_read(const cJSON *event,
                                 struct dr_report out[DR_REPORTS_MAX])
{
    int64_t n = 0;
    const cJSON *list =
        cJSON_GetObjectItemCaseSensitive(event, "reportDescriptors");
    const cJSON *item = NULL;
    if (!cJSON_IsArray(list)) {
        return 0;
    }
    cJSON_ArrayForEach(item, list)
    {
        if (n == DR_REPORTS_MAX) {
            break;
        }
        out[n++] = read_one(item);
    }
    return n;
}
