/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/override_book.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const int64_t VERSION = 1;
static const double POWER_MAX_W = 1e12;

static const enum utility_kind kinds[UTILITY_LOCAL] = {
    UTILITY_IMPORT_MAX, UTILITY_EXPORT_MAX, UTILITY_SETPOINT, UTILITY_RESERVE};

enum utility_kind override_kind(int index)
{
    assert(index >= 0 && index < UTILITY_LOCAL);
    return kinds[index];
}

int override_index(const char *name)
{
    for (int i = 0; i < UTILITY_LOCAL; i++) {
        if (strcmp(utility_name(kinds[i]), name) == 0) {
            return i;
        }
    }
    return -1;
}

void override_book_init(struct override_book *b)
{
    memset(b, 0, sizeof(*b));
    b->version = VERSION;
}

static bool value_sound(enum utility_kind kind, double value)
{
    double low = kind == UTILITY_SETPOINT ? -POWER_MAX_W : 0.0;
    double high = kind == UTILITY_RESERVE ? 1.0 : POWER_MAX_W;
    return isfinite(value) && value >= low && value <= high;
}

bool override_book_sound(const struct override_book *b)
{
    bool sound = b->version == VERSION && b->n_outs >= 0 &&
                 b->n_outs <= OVERRIDE_OUTS_MAX;
    for (int i = 0; i < UTILITY_LOCAL && sound; i++) {
        const struct utility_in *u = &b->limits[i];
        sound = memchr(u->id, '\0', sizeof(u->id)) != NULL &&
                (u->id[0] == '\0' || (u->kind == (int64_t)kinds[i] &&
                                      value_sound(kinds[i], u->value)));
    }
    for (int64_t i = 0; i < b->n_outs && sound; i++) {
        const char *event = b->outs[i].event;
        sound =
            event[0] != '\0' && memchr(event, '\0', OVERRIDE_NAME_MAX) != NULL;
    }
    return sound;
}

enum err override_book_limit(struct override_book *b, int index, double value,
                             int64_t from_ms, int64_t until_ms)
{
    enum utility_kind kind = override_kind(index);
    if (!value_sound(kind, value)) {
        return ERR_RANGE;
    }
    struct utility_in *u = &b->limits[index];
    *u = (struct utility_in){.kind = (int64_t)kind,
                             .start_at_ms = from_ms,
                             .end_at_ms = until_ms,
                             .value = value};
    snprintf(u->id, sizeof(u->id), "operator-%s", utility_name(kind));
    return ERR_NONE;
}

enum err override_book_opt_out(struct override_book *b, const char *event,
                               int64_t until_ms)
{
    int64_t i = 0;
    while (i < b->n_outs && strcmp(b->outs[i].event, event) != 0) {
        i++;
    }
    if (i == OVERRIDE_OUTS_MAX || strlen(event) >= OVERRIDE_NAME_MAX) {
        return ERR_FULL;
    }
    b->n_outs = i == b->n_outs ? i + 1 : b->n_outs;
    b->outs[i] = (struct override_out){.until_ms = until_ms};
    memcpy(b->outs[i].event, event, strlen(event) + 1);
    return ERR_NONE;
}

static void drop_out(struct override_book *b, int64_t i)
{
    b->n_outs--;
    memmove(&b->outs[i], &b->outs[i + 1],
            (size_t)(b->n_outs - i) * sizeof(b->outs[0]));
    b->outs[b->n_outs] = (struct override_out){.event = ""};
}

bool override_book_clear(struct override_book *b, const char *name)
{
    bool all = strcmp(name, "all") == 0;
    bool any = false;
    for (int i = 0; i < UTILITY_LOCAL; i++) {
        if (b->limits[i].id[0] != '\0' &&
            (all || strcmp(name, utility_name(kinds[i])) == 0)) {
            b->limits[i] = (struct utility_in){.id = ""};
            any = true;
        }
    }
    for (int64_t i = b->n_outs - 1; i >= 0; i--) {
        if (all || strcmp(name, b->outs[i].event) == 0) {
            drop_out(b, i);
            any = true;
        }
    }
    return any;
}

bool override_book_expire(struct override_book *b, int64_t utc_ms,
                          char name[OVERRIDE_NAME_MAX])
{
    for (int i = 0; i < UTILITY_LOCAL; i++) {
        if (b->limits[i].id[0] != '\0' && b->limits[i].end_at_ms <= utc_ms) {
            b->limits[i] = (struct utility_in){.id = ""};
            snprintf(name, OVERRIDE_NAME_MAX, "%s", utility_name(kinds[i]));
            return true;
        }
    }
    for (int64_t i = 0; i < b->n_outs; i++) {
        if (b->outs[i].until_ms <= utc_ms) {
            memcpy(name, b->outs[i].event, OVERRIDE_NAME_MAX);
            drop_out(b, i);
            return true;
        }
    }
    return false;
}

bool override_opted_out(const struct override_book *b, const char *event,
                        int64_t utc_ms)
{
    for (int64_t i = 0; i < b->n_outs; i++) {
        if (b->outs[i].until_ms > utc_ms &&
            strcmp(b->outs[i].event, event) == 0) {
            return true;
        }
    }
    return false;
}

bool override_drops(enum utility_kind kind)
{
    return kind == UTILITY_SETPOINT || kind == UTILITY_PRICE ||
           kind == UTILITY_RESERVE;
}

void override_apply(const struct override_book *b,
                    const struct utility_in *told, struct snapshot *in)
{
    memcpy(in->utility, told, UTILITY_MQTT * sizeof(in->utility[0]));
    for (int i = 0; i < UTILITY_MQTT && b->n_outs > 0; i++) {
        struct utility_in *u = &in->utility[i];
        if (override_drops((enum utility_kind)u->kind) &&
            override_opted_out(b, u->id, in->utc_ms)) {
            *u = (struct utility_in){.id = ""};
        }
    }
    memcpy(&in->utility[UTILITY_LOCAL_AT], b->limits, sizeof(b->limits));
}
