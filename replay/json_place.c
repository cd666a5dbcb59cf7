/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/json_place.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* One level that is open. */
struct level {
    bool list;
    bool value; /* of an object: behind the colon */
    long index;
    size_t n_key;
    char key[JSON_PLACE_KEY];
};

struct walk {
    struct level levels[JSON_PLACE_DEPTH];
    int depth; /* may be more than there are levels */
    bool in_text;
    bool escaped;
    long line;
    long column;
};

/* The innermost level, NULL outside all and too deep. */
static struct level *inner(struct walk *w)
{
    return w->depth >= 1 && w->depth <= JSON_PLACE_DEPTH
               ? &w->levels[w->depth - 1]
               : NULL;
}

static void walk_text(struct walk *w, char c)
{
    struct level *l = inner(w);
    w->in_text = w->escaped || c != '"';
    w->escaped = !w->escaped && c == '\\';
    if (w->in_text && l != NULL && !l->list && !l->value &&
        l->n_key + 1 < sizeof(l->key) && (unsigned char)c >= 0x20 &&
        c != 0x7F) {
        l->key[l->n_key++] = c;
        l->key[l->n_key] = '\0';
    }
}

static void enter(struct walk *w, bool list)
{
    w->depth++;
    struct level *l = inner(w);
    if (l != NULL) {
        *l = (struct level){.list = list};
    }
}

static void walk_mark(struct walk *w, char c)
{
    struct level *l = inner(w);
    switch (c) {
    case '{':
    case '[':
        enter(w, c == '[');
        break;
    case '}':
    case ']':
        w->depth -= w->depth > 0;
        break;
    case ':':
        if (l != NULL) {
            l->value = true;
        }
        break;
    case ',':
        if (l != NULL) {
            l->index++;
            l->value = false;
        }
        break;
    case '"':
        w->in_text = true;
        if (l != NULL && !l->list && !l->value) {
            l->n_key = 0;
            l->key[0] = '\0';
        }
        break;
    default:
        break;
    }
}

static void walk_byte(struct walk *w, char c)
{
    w->column++;
    if (c == '\n') {
        w->line++;
        w->column = 0;
    }
    if (w->in_text) {
        walk_text(w, c);
    } else {
        walk_mark(w, c);
    }
}

static size_t tell_level(const struct level *l, bool first, char *out,
                         size_t size)
{
    int n = 0;
    if (l->list) {
        n = snprintf(out, size, "[%ld]", l->index);
    } else if (l->value) {
        n = snprintf(out, size, "%s%s", first ? "" : ".", l->key);
    }
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

void json_place(const char *text, size_t size, size_t at, char *out,
                size_t out_size)
{
    assert(at <= size && out_size > 0);
    struct walk w = {.line = 1};
    for (size_t i = 0; i < at; i++) {
        walk_byte(&w, text[i]);
    }
    char path[JSON_PLACE_DEPTH * (JSON_PLACE_KEY + 1)] = "";
    size_t n = 0;
    for (int i = 0; i < w.depth && i < JSON_PLACE_DEPTH; i++) {
        n += tell_level(&w.levels[i], n == 0, path + n, sizeof(path) - n);
    }
    snprintf(out, out_size, "line %ld, column %ld%s%s", w.line, w.column + 1,
             n > 0 ? ", in " : "", path);
}
