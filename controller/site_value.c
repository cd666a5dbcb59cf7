/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One scalar of the site file, by the kind its row asks for. */
#include "controller/site_reader.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum verdict {
    TAKEN,
    WRONG,  /* not of that kind */
    BEYOND, /* of that kind, but out of range */
};

typedef enum verdict value_fn(struct site_reader *r,
                              const struct site_value *v);

/* The ends of a range are parsed as if they stood in a file. */
static double quantity(const struct site_key *key, const char *text)
{
    double x = INFINITY;
    if (strcmp(text, "none") != 0) {
        enum err e = units_parse(key->unit, text, NULL, &x);
        assert(e == ERR_NONE);
        (void)e;
    }
    return x;
}

static enum verdict take_quantity(struct site_reader *r,
                                  const struct site_value *v)
{
    double x = 0.0;
    if (units_parse(v->key->unit, v->text, site_currency(r), &x) != ERR_NONE) {
        return WRONG;
    }
    if (x < quantity(v->key, v->key->lo) || x > quantity(v->key, v->key->hi)) {
        return BEYOND;
    }
    *(double *)v->into = x + 0.0; /* -0 W is 0 W */
    return TAKEN;
}

static bool ratio(const char *text, double *x)
{
    char pu[64];
    int n = snprintf(pu, sizeof(pu), "%s pu", text);
    return n < (int)sizeof(pu) && strchr(text, ' ') == NULL &&
           units_parse(UNIT_FRACTION, pu, NULL, x) == ERR_NONE;
}

static enum verdict take_ratio(struct site_reader *r,
                               const struct site_value *v)
{
    (void)r;
    double x = 0.0;
    if (!v->plain || !ratio(v->text, &x)) {
        return WRONG;
    }
    double lo = 0.0;
    double hi = 0.0;
    bool ok = ratio(v->key->lo, &lo) && ratio(v->key->hi, &hi);
    assert(ok);
    if (!ok || x < lo || x > hi) {
        return BEYOND;
    }
    *(double *)v->into = x;
    return TAKEN;
}

static enum verdict take_count(struct site_reader *r,
                               const struct site_value *v)
{
    (void)r;
    size_t n = strspn(v->text, "0123456789");
    if (!v->plain || n == 0 || v->text[n] != '\0' ||
        (n > 1 && v->text[0] == '0')) {
        return WRONG;
    }
    long x = n < 10 ? strtol(v->text, NULL, 10) : 1000000000L;
    if (x < strtol(v->key->lo, NULL, 10) || x > strtol(v->key->hi, NULL, 10)) {
        return BEYOND;
    }
    *(int *)v->into = (int)x;
    return TAKEN;
}

static enum verdict take_bool(struct site_reader *r, const struct site_value *v)
{
    (void)r;
    bool yes = strcmp(v->text, "true") == 0;
    if (!v->plain || (!yes && strcmp(v->text, "false") != 0)) {
        return WRONG;
    }
    *(bool *)v->into = yes;
    return TAKEN;
}

static enum verdict take_word(struct site_reader *r, const struct site_value *v)
{
    (void)r;
    assert(v->key->size == sizeof(int));
    for (int i = 0; v->key->words[i] != NULL; i++) {
        if (strcmp(v->key->words[i], v->text) == 0) {
            memcpy(v->into, &i, sizeof(i));
            return TAKEN;
        }
    }
    return WRONG;
}

static enum verdict take_class(struct site_reader *r,
                               const struct site_value *v)
{
    const struct site *site = &r->draft->site;
    for (int i = 0; i < site->n_classes; i++) {
        if (v->text[0] != '\0' && strcmp(site->classes[i].name, v->text) == 0) {
            *(int *)v->into = i;
            return TAKEN;
        }
    }
    return WRONG;
}

static enum verdict store_text(const struct site_value *v, const char *text)
{
    size_t n = strlen(text);
    if (n >= v->key->size) {
        return BEYOND;
    }
    memcpy(v->into, text, n + 1);
    return TAKEN;
}

/* Whether 'text' has letters, digits and those of 'others' only. */
static bool only(const char *text, const char *others)
{
    for (; *text != '\0'; text++) {
        bool alnum = (*text >= 'a' && *text <= 'z') ||
                     (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9');
        if (!alnum && strchr(others, *text) == NULL) {
            return false;
        }
    }
    return true;
}

static enum verdict take_name(struct site_reader *r, const struct site_value *v)
{
    (void)r;
    bool ok = v->text[0] != '\0' && only(v->text, "_-");
    return ok ? store_text(v, v->text) : WRONG;
}

static bool printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

static enum verdict take_text(struct site_reader *r, const struct site_value *v)
{
    (void)r;
    bool ok = v->text[0] != '\0' && printable(v->text);
    return ok ? store_text(v, v->text) : WRONG;
}

static enum verdict take_currency(struct site_reader *r,
                                  const struct site_value *v)
{
    (void)r;
    bool ok = strlen(v->text) == 3;
    for (int i = 0; ok && i < 3; i++) {
        ok = v->text[i] >= 'A' && v->text[i] <= 'Z';
    }
    return ok ? store_text(v, v->text) : WRONG;
}

/* Whether the zone's file is there and is one; without any zone data the name
 * need only look like Area/City. */
static bool zone_exists(const char *name)
{
    static const char folder[] = "/usr/share/zoneinfo";
    if (access(folder, R_OK) != 0) {
        return isupper((unsigned char)name[0]) &&
               (strchr(name, '/') != NULL || strcmp(name, "UTC") == 0);
    }
    char path[sizeof(folder) + SITE_NAME_MAX + 1];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    char magic[4] = {0};
    bool ok = fread(magic, 1, sizeof(magic), f) == sizeof(magic) &&
              memcmp(magic, "TZif", sizeof(magic)) == 0;
    fclose(f);
    return ok;
}

static enum verdict take_zone(struct site_reader *r, const struct site_value *v)
{
    (void)r;
    if (v->text[0] == '\0' || v->text[0] == '/' || !only(v->text, "/_+-") ||
        strlen(v->text) >= v->key->size || !zone_exists(v->text)) {
        return WRONG;
    }
    return store_text(v, v->text);
}

static enum verdict take_host(struct site_reader *r, const struct site_value *v)
{
    (void)r;
    bool ok = v->text[0] != '\0' && v->text[0] != '-' && only(v->text, ".:_-%");
    return ok ? store_text(v, v->text) : WRONG;
}

static enum verdict take_topic(struct site_reader *r,
                               const struct site_value *v)
{
    (void)r;
    bool ok = v->text[0] != '\0' && printable(v->text) &&
              strpbrk(v->text, "+#") == NULL;
    return ok ? store_text(v, v->text) : WRONG;
}

/* A relative file name is one beside the site file. */
static enum verdict take_file(struct site_reader *r, const struct site_value *v)
{
    if (v->text[0] == '\0' || !printable(v->text)) {
        return WRONG;
    }
    const char *slash = strrchr(r->file, '/');
    if (v->text[0] == '/' || slash == NULL) {
        return store_text(v, v->text);
    }
    char path[SITE_TEXT_MAX];
    int n = snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - r->file),
                     r->file, v->text);
    return n < (int)sizeof(path) ? store_text(v, path) : BEYOND;
}

static enum verdict take_map(struct site_reader *r, const struct site_value *v)
{
    bool path = strchr(v->text, '/') != NULL;
    return path ? take_file(r, v) : take_name(r, v);
}

static enum verdict take_url(struct site_reader *r, const struct site_value *v)
{
    (void)r;
    size_t n = strncmp(v->text, "http://", 7) == 0    ? 7
               : strncmp(v->text, "https://", 8) == 0 ? 8
                                                      : 0;
    if (n == 0 || v->text[n] == '\0' || v->text[n] == '/' ||
        !printable(v->text) || strchr(v->text, ' ') != NULL) {
        return WRONG;
    }
    return store_text(v, v->text);
}

static enum verdict take_listen(struct site_reader *r,
                                const struct site_value *v)
{
    (void)r;
    const char *colon = strrchr(v->text, ':');
    if (colon == NULL || colon == v->text || !only(v->text, ".:[]_-")) {
        return WRONG;
    }
    size_t n = strspn(colon + 1, "0123456789");
    if (n == 0 || n > 5 || colon[1 + n] != '\0') {
        return WRONG;
    }
    long port = strtol(colon + 1, NULL, 10);
    return port >= 1 && port <= 65535 ? store_text(v, v->text) : WRONG;
}

static value_fn *const takes[KEY_KIND_COUNT] = {
    [KEY_QUANTITY] = take_quantity, [KEY_RATIO] = take_ratio,
    [KEY_COUNT] = take_count,       [KEY_BOOL] = take_bool,
    [KEY_WORD] = take_word,         [KEY_CLASS] = take_class,
    [KEY_NAME] = take_name,         [KEY_TEXT] = take_text,
    [KEY_CURRENCY] = take_currency, [KEY_ZONE] = take_zone,
    [KEY_HOST] = take_host,         [KEY_TOPIC] = take_topic,
    [KEY_FILE] = take_file,         [KEY_MAP] = take_map,
    [KEY_URL] = take_url,           [KEY_LISTEN] = take_listen,
};

void site_value_read(struct site_reader *r, const struct site_value *v)
{
    switch (takes[v->key->kind](r, v)) {
    case TAKEN: {
        struct site_place place = {.spot = v->spot, .text = v->text};
        snprintf(place.path, sizeof(place.path), "%s", v->path);
        site_place_add(r, v->into, &place);
        return;
    }
    case WRONG:
        site_value_wrong(r, v);
        return;
    case BEYOND:
        site_value_beyond(r, v);
        return;
    }
}

void site_value_preset(struct site_reader *r, const struct site_key *key,
                       const char *path, void *into)
{
    struct site_place place = {.text = key->computed};
    if (key->preset != NULL) {
        const struct site_value v = {
            .key = key, .text = key->preset, .plain = true, .into = into};
        place.text = key->preset;
        if (strcmp(key->preset, "none") == 0) {
            *(double *)into = INFINITY;
        } else {
            enum verdict verdict = takes[key->kind](r, &v);
            assert(verdict == TAKEN);
            (void)verdict;
        }
    } else if (key->kind == KEY_QUANTITY) {
        *(double *)into = NAN; /* until site_check computes it */
    }
    snprintf(place.path, sizeof(place.path), "%s", path);
    site_place_add(r, into, &place);
}
