/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts and bytes of models/zone: POSIX TZ rules and TZif files. */
#include "models/zone.h"

#include <string.h>

enum {
    HOUR_S = 3600,
    OFFSET_MAX_S = 26 * HOUR_S, /* RFC 8536, 3.2 */
    TIME_MAX_H = 167,           /* of a rule's time of day, likewise */
    HEADER = 44,                /* bytes */
    RULE_MAX = 128,
};

/* Decimal digits to a number of at most 'max'; -1 where there is none. */
static int64_t take_number(const char **p, int64_t max)
{
    int64_t x = -1;
    while (**p >= '0' && **p <= '9') {
        x = (x < 0 ? 0 : 10 * x) + (**p - '0');
        if (x > max) {
            return -1;
        }
        (*p)++;
    }
    return x;
}

/* "[+-]h[h][:mm[:ss]]" to seconds. */
static bool take_time(const char **p, int64_t max_h, int64_t *out_s)
{
    int64_t sign = **p == '-' ? -1 : 1;
    *p += **p == '-' || **p == '+';
    int64_t h = take_number(p, max_h);
    int64_t m = 0;
    int64_t s = 0;
    if (h >= 0 && **p == ':') {
        (*p)++;
        m = take_number(p, 59);
        if (m >= 0 && **p == ':') {
            (*p)++;
            s = take_number(p, 59);
        }
    }
    *out_s = sign * (h * HOUR_S + m * 60 + s);
    return h >= 0 && m >= 0 && s >= 0;
}

/* A name of three or more letters, or anything like <+1030>. */
static bool skip_name(const char **p)
{
    const char *from = *p;
    if (**p == '<') {
        *p += strcspn(*p, ">");
        return *(*p)++ == '>';
    }
    while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z')) {
        (*p)++;
    }
    return *p - from >= 3;
}

/* POSIX counts offsets to the west. */
static bool take_offset(const char **p, int64_t *out_s)
{
    if (!take_time(p, 24, out_s)) {
        return false;
    }
    *out_s = -*out_s;
    return true;
}

static bool in_range(int64_t x, int64_t lo, int64_t hi)
{
    return x >= lo && x <= hi;
}

static bool take_month(const char **p, struct zone_change *c)
{
    c->kind = ZONE_DAY_MONTH;
    c->month = take_number(p, 12);
    if (*(*p)++ != '.') {
        return false;
    }
    c->week = take_number(p, 5);
    if (*(*p)++ != '.') {
        return false;
    }
    c->day = take_number(p, 6);
    return in_range(c->month, 1, 12) && in_range(c->week, 1, 5) && c->day >= 0;
}

static bool take_change(const char **p, struct zone_change *c)
{
    *c = (struct zone_change){.time_s = 2 * HOUR_S};
    if (*(*p)++ != ',') {
        return false;
    }
    bool ok = false;
    if (**p == 'M') {
        (*p)++;
        ok = take_month(p, c);
    } else if (**p == 'J') {
        (*p)++;
        c->kind = ZONE_DAY_JULIAN;
        c->day = take_number(p, 365);
        ok = c->day >= 1;
    } else {
        c->kind = ZONE_DAY_ZERO;
        c->day = take_number(p, 365);
        ok = c->day >= 0;
    }
    if (ok && **p == '/') {
        (*p)++;
        ok = take_time(p, TIME_MAX_H, &c->time_s);
    }
    return ok;
}

enum err zone_parse_rule(const char *text, struct zone_rule *rule)
{
    const char *p = text;
    struct zone_rule r = {0};
    if (!skip_name(&p) || !take_offset(&p, &r.standard_s)) {
        return ERR_SYNTAX;
    }
    r.summer_s = r.standard_s;
    if (*p != '\0') {
        r.has_summer = 1;
        r.summer_s = r.standard_s + HOUR_S;
        if (!skip_name(&p) || (*p != ',' && !take_offset(&p, &r.summer_s)) ||
            !take_change(&p, &r.to_summer) ||
            !take_change(&p, &r.to_standard) || *p != '\0') {
            return ERR_SYNTAX;
        }
    }
    *rule = r;
    return ERR_NONE;
}

static int64_t big_endian(const unsigned char *p, int n)
{
    uint64_t x = p[0] >= 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < n; i++) {
        x = x << 8 | p[i];
    }
    return (int64_t)x;
}

struct counts {
    size_t is_ut, is_standard, leap, time, type, name;
};

/* The counts of the header at 'at'; false where there is none. */
static bool read_header(const unsigned char *bytes, size_t n, size_t at,
                        struct counts *c)
{
    if (n < HEADER || at > n - HEADER || memcmp(bytes + at, "TZif", 4) != 0 ||
        bytes[at + 4] < '2') {
        return false;
    }
    size_t x[6];
    for (size_t i = 0; i < 6; i++) {
        int64_t count = big_endian(bytes + at + 20 + 4 * i, 4);
        if (count < 0 || count > 65536) {
            return false;
        }
        x[i] = (size_t)count;
    }
    *c = (struct counts){x[0], x[1], x[2], x[3], x[4], x[5]};
    return true;
}

static size_t body_size(const struct counts *c, size_t time_size)
{
    return c->time * (time_size + 1) + c->type * 6 + c->name +
           c->leap * (time_size + 4) + c->is_standard + c->is_ut;
}

static enum err read_transitions(const unsigned char *body,
                                 const struct counts *c, struct zone *z)
{
    const unsigned char *index = body + 8 * c->time;
    const unsigned char *types = index + c->time;
    for (size_t i = 0; i < c->type; i++) {
        int64_t offset_s = big_endian(types + 6 * i, 4);
        if (!in_range(offset_s, -OFFSET_MAX_S, OFFSET_MAX_S)) {
            return ERR_RANGE;
        }
    }
    z->first_s = big_endian(types, 4); /* type 0, RFC 8536, 3.2 */
    z->n = (int64_t)c->time;
    for (size_t i = 0; i < c->time; i++) {
        z->at_s[i] = big_endian(body + 8 * i, 8);
        if (index[i] >= c->type || (i > 0 && z->at_s[i] <= z->at_s[i - 1])) {
            return ERR_RANGE;
        }
        z->offset_s[i] = big_endian(types + 6 * (size_t)index[i], 4);
    }
    return ERR_NONE;
}

/* "\nRULE\n" to the end of the bytes. */
static enum err read_footer(const unsigned char *p, size_t n, struct zone *z)
{
    char text[RULE_MAX];
    if (n < 3 || n - 2 >= RULE_MAX || p[0] != '\n' || p[n - 1] != '\n' ||
        memchr(p, '\0', n) != NULL) {
        return ERR_SYNTAX;
    }
    memcpy(text, p + 1, n - 2);
    text[n - 2] = '\0';
    return zone_parse_rule(text, &z->rule);
}

enum err zone_parse_tzif(const unsigned char *bytes, size_t n, struct zone *z)
{
    struct counts c;
    if (!read_header(bytes, n, 0, &c)) {
        return ERR_SYNTAX;
    }
    size_t at = HEADER + body_size(&c, 4);
    if (!read_header(bytes, n, at, &c)) {
        return ERR_SYNTAX;
    }
    at += HEADER;
    size_t size = body_size(&c, 8);
    if (c.type == 0 || size > n - at) {
        return ERR_SYNTAX;
    }
    if (c.leap > 0) {
        return ERR_MISMATCH;
    }
    if (c.time > ZONE_TRANSITIONS_MAX) {
        return ERR_FULL;
    }
    struct zone out = {0};
    enum err e = read_transitions(bytes + at, &c, &out);
    if (e == ERR_NONE) {
        e = read_footer(bytes + at + size, n - at - size, &out);
    }
    if (e == ERR_NONE) {
        *z = out;
    }
    return e;
}
