/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/schedule_file.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/json_in.h"
#include "replay/json_place.h"
#include "replay/schedule_fields.h"

enum { BUFFER_MIN = 65536, DEPTH_MAX = 8, VALUES_MAX = 300000 };

/* Of the sums that must agree; files have six digits and more. */
static const double sum_tolerance_pu = 1e-6;

static enum err bad_sum(struct schedule_reader *r, const char *key, double got,
                        const char *rule, double sum)
{
    schedule_down(r, key, 0);
    snprintf(r->why, r->why_size, "%s: %.10g: expected %s, %.10g", r->path, got,
             rule, sum);
    return ERR_RANGE;
}

static enum err check_sums(struct schedule_reader *r,
                           const struct schedule_battery *b)
{
    double width_pu = 0.0;
    double start_pu = 0.0;
    for (int64_t i = 0; i < b->n_segments; i++) {
        width_pu += b->segments[i].width_pu;
        start_pu += b->segments[i].start_pu;
    }
    width_pu += b->soc_min_pu;
    start_pu += b->soc_min_pu;
    if (b->soc_max_pu < b->soc_min_pu) {
        return bad_sum(r, "soc_max_pu", b->soc_max_pu, "at least soc_min_pu",
                       b->soc_min_pu);
    }
    if (fabs(b->soc_max_pu - width_pu) > sum_tolerance_pu) {
        return bad_sum(r, "soc_max_pu", b->soc_max_pu,
                       "soc_min_pu plus the sum of the segments' width_pu",
                       width_pu);
    }
    if (fabs(b->soc_start_pu - start_pu) > sum_tolerance_pu) {
        return bad_sum(r, "soc_start_pu", b->soc_start_pu,
                       "soc_min_pu plus the sum of the segments' start_pu",
                       start_pu);
    }
    for (int64_t t = 0; t < r->n_steps; t++) {
        if (b->soc_floor_pu[t] > b->soc_ceiling_pu[t]) {
            char key[32];
            snprintf(key, sizeof(key), "soc_floor_pu[%lld]", (long long)t);
            return bad_sum(r, key, b->soc_floor_pu[t],
                           "at most the soc_ceiling_pu of the step",
                           b->soc_ceiling_pu[t]);
        }
    }
    return ERR_NONE;
}

/* In the order of their price; there are few. */
static void sort_segments(struct schedule_battery *b)
{
    for (int64_t i = 1; i < b->n_segments; i++) {
        struct schedule_segment s = b->segments[i];
        int64_t k = i;
        for (; k > 0 && b->segments[k - 1].per_kwh > s.per_kwh; k--) {
            b->segments[k] = b->segments[k - 1];
        }
        b->segments[k] = s;
    }
}

/* The array under 'key', of at most 'max'; NULL is one without elements. */
static enum err find_list(struct schedule_reader *r, const cJSON *object,
                          const char *key, int max, const cJSON **list)
{
    *list = cJSON_GetObjectItemCaseSensitive(object, key);
    if (*list == NULL || cJSON_IsNull(*list)) {
        *list = NULL;
        return ERR_NONE;
    }
    if (!cJSON_IsArray(*list) || cJSON_GetArraySize(*list) > max) {
        char expected[40];
        snprintf(expected, sizeof(expected), "an array of at most %d", max);
        schedule_down(r, key, 0);
        return schedule_bad(r, *list, expected);
    }
    return ERR_NONE;
}

static enum err read_wear(struct schedule_reader *r, const cJSON *object,
                          struct schedule_battery *b)
{
    const cJSON *list = NULL;
    enum err e = find_list(r, object, "wear", SCHEDULE_SEGMENTS_MAX, &list);
    if (e != ERR_NONE) {
        return e;
    }
    if (list == NULL) {
        b->n_segments = 1;
        b->segments[0] = (struct schedule_segment){
            .width_pu = fmax(b->soc_max_pu - b->soc_min_pu, 0.0),
            .start_pu = b->soc_start_pu - b->soc_min_pu,
        };
        return ERR_NONE;
    }
    size_t up = schedule_down(r, "wear", 0);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        size_t here = schedule_down(r, NULL, b->n_segments);
        e = schedule_fields_read(r, item, schedule_fields_segment,
                                 &b->segments[b->n_segments]);
        if (e != ERR_NONE) {
            return e;
        }
        b->n_segments++;
        schedule_up(r, here);
    }
    if (b->n_segments == 0) {
        return schedule_bad(r, list, "1 to 8 segments, or null");
    }
    schedule_up(r, up);
    sort_segments(b);
    return ERR_NONE;
}

static enum err read_battery(struct schedule_reader *r, const cJSON *item,
                             struct schedule_problem *p)
{
    struct schedule_battery *b = &p->batteries[p->n_batteries];
    enum err e = schedule_fields_read(r, item, schedule_fields_battery, b);
    if (e == ERR_NONE) {
        e = read_wear(r, item, b);
    }
    if (e == ERR_NONE) {
        e = check_sums(r, b);
    }
    for (int64_t i = 0; i < p->n_batteries && e == ERR_NONE; i++) {
        if (strcmp(p->batteries[i].name, b->name) == 0) {
            schedule_down(r, "name", 0);
            e = schedule_bad(r, cJSON_GetObjectItemCaseSensitive(item, "name"),
                             "a name that no battery before it has");
        }
    }
    p->n_batteries++;
    return e;
}

static enum err read_class(struct schedule_reader *r, const cJSON *item,
                           struct schedule_problem *p)
{
    struct schedule_class *c = &p->classes[p->n_classes];
    bool deferrable =
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "deferrable"));
    enum err e = schedule_fields_read(
        r, item, deferrable ? schedule_fields_deferrable : schedule_fields_firm,
        c);
    for (int64_t i = 0; i < p->n_classes && e == ERR_NONE; i++) {
        if (strcmp(p->classes[i].name, c->name) == 0) {
            schedule_down(r, "name", 0);
            e = schedule_bad(r, cJSON_GetObjectItemCaseSensitive(item, "name"),
                             "a name that no class before it has");
        }
    }
    p->n_classes++;
    return e;
}

/* 'batteries' or 'classes'. */
struct list_of {
    const char *key;
    int max;
    enum err (*read)(struct schedule_reader *r, const cJSON *item,
                     struct schedule_problem *p);
};

static enum err read_list(struct schedule_reader *r, const cJSON *root,
                          const struct list_of *of, struct schedule_problem *p)
{
    const cJSON *list = NULL;
    enum err e = find_list(r, root, of->key, of->max, &list);
    size_t up = schedule_down(r, of->key, 0);
    int64_t i = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        size_t here = schedule_down(r, NULL, i++);
        e = of->read(r, item, p);
        if (e != ERR_NONE) {
            return e;
        }
        schedule_up(r, here);
    }
    if (e == ERR_NONE) {
        schedule_up(r, up);
    }
    return e;
}

static enum err find_steps(struct schedule_reader *r, const cJSON *root,
                           struct schedule_problem *p)
{
    const cJSON *load = cJSON_GetObjectItemCaseSensitive(root, "load_w");
    int64_t n = cJSON_IsArray(load) ? cJSON_GetArraySize(load) : 0;
    if (!cJSON_IsObject(root)) {
        return schedule_bad(r, root, "an object with a problem's keys");
    }
    if (n < 1 || n > SCHEDULE_STEPS_MAX) {
        schedule_down(r, "load_w", 0);
        return schedule_bad(r, load,
                            "an array of 1 to 2880 powers in W, one per step");
    }
    p->n_steps = n;
    r->n_steps = n;
    return ERR_NONE;
}

static enum err read_root(struct schedule_reader *r, const cJSON *root,
                          struct schedule_problem *p)
{
    static const struct list_of lists[] = {
        {"batteries", SCHEDULE_BATTERIES_MAX, read_battery},
        {"classes", SCHEDULE_CLASSES_MAX, read_class},
    };
    enum err e = find_steps(r, root, p);
    if (e == ERR_NONE) {
        e = schedule_fields_read(r, root, schedule_fields_top, p);
    }
    const cJSON *charge =
        cJSON_GetObjectItemCaseSensitive(root, "demand_charge");
    if (e == ERR_NONE && charge != NULL && !cJSON_IsNull(charge)) {
        size_t up = schedule_down(r, "demand_charge", 0);
        e = schedule_fields_read(r, charge, schedule_fields_charge, p);
        if (e == ERR_NONE) {
            schedule_up(r, up);
        }
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (e == ERR_NONE) {
            e = read_list(r, root, &lists[i], p);
        }
    }
    return e;
}

static enum err tell_fault(struct schedule_reader *r, const char *text,
                           size_t size, const struct json_in_fault *fault)
{
    static const char *const words[] = {"NaN", "nan", "Infinity", "-Infinity"};
    char place[400];
    json_place(text, size, fault->at, place, sizeof(place));
    const char *at = text + fault->at;
    size_t left = size - fault->at;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);
        if (left >= n && memcmp(at, words[i], n) == 0) {
            snprintf(r->why, r->why_size, "%s: %s: expected a finite number",
                     place, words[i]);
            return ERR_SYNTAX;
        }
    }
    snprintf(r->why, r->why_size, "%s: %s: expected one JSON object", place,
             fault->why);
    return ERR_SYNTAX;
}

enum err schedule_file_read(const char *text, size_t size,
                            struct schedule_problem *out, char *why,
                            size_t why_size)
{
    static const struct json_in_limits limits = {
        .bytes_max = SCHEDULE_FILE_MAX,
        .depth_max = DEPTH_MAX,
        .values_max = VALUES_MAX,
    };
    struct schedule_reader r = {.why = why, .why_size = why_size};
    struct json_in_fault fault;
    memset(out, 0, sizeof(*out));
    cJSON *root = json_in_parse_within(text, size, &limits, &fault);
    if (root == NULL) {
        return tell_fault(&r, text, size, &fault);
    }
    enum err e = read_root(&r, root, out);
    cJSON_Delete(root);
    return e;
}

/* The whole stream, no more than SCHEDULE_FILE_MAX; the caller frees '*out'. */
static enum err read_stream(FILE *f, char **out, size_t *n)
{
    size_t room = BUFFER_MIN;
    char *text = malloc(room);
    *n = 0;
    while (text != NULL) {
        *n += fread(text + *n, 1, room - *n, f);
        if (*n < room) {
            break;
        }
        if (room > SCHEDULE_FILE_MAX) {
            free(text);
            return ERR_FULL;
        }
        room = 2 * room <= SCHEDULE_FILE_MAX ? 2 * room : SCHEDULE_FILE_MAX + 1;
        char *more = realloc(text, room);
        if (more == NULL) {
            free(text);
        }
        text = more;
    }
    *out = text;
    return text != NULL ? ERR_NONE : ERR_MEMORY;
}

enum err schedule_file_load(const char *path, struct schedule_problem *out,
                            char *why, size_t why_size)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return ERR_IO;
    }
    char *text = NULL;
    size_t size = 0;
    errno = 0;
    enum err e = read_stream(f, &text, &size);
    if (e == ERR_NONE && ferror(f) != 0) {
        e = ERR_IO;
    }
    snprintf(why, why_size, "%s: %s", path,
             e == ERR_IO     ? strerror(errno)
             : e == ERR_FULL ? "too long: expected at most 32 MiB"
                             : err_text(e));
    fclose(f);
    if (e == ERR_NONE) {
        int n = snprintf(why, why_size, "%s: ", path);
        size_t at = n > 0 && (size_t)n < why_size ? (size_t)n : 0;
        e = schedule_file_read(text, size, out, why + at, why_size - at);
    }
    free(text);
    return e;
}
