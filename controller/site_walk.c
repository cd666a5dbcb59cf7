/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree of the file and the schema, walked together. */
#include "controller/site_reader.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* One section, or one item of a list, that is being read. */
struct here {
    const struct site_table *table;
    unsigned char *owner; /* what the table's offsets point into */
    const char *path;     /* "" at the top */
    yaml_node_t *node;    /* NULL: not in the file, defaults only */
};

static void read_section(struct site_reader *r, const struct here *h);

static struct site_spot spot_of(const yaml_node_t *node)
{
    return (struct site_spot){(int)node->start_mark.line + 1,
                              (int)node->start_mark.column + 1};
}

static yaml_node_t *node_at(struct site_reader *r, int index)
{
    yaml_node_t *node = yaml_document_get_node(r->doc, index);
    assert(node != NULL);
    return node;
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* A scalar's text, or NULL; one with a NUL inside is none. */
static const char *plain_text(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE ||
        strlen(text_of(node)) != node->data.scalar.length) {
        return NULL;
    }
    return text_of(node);
}

static void join(char out[SITE_PATH_MAX], const char *base, const char *key)
{
    snprintf(out, SITE_PATH_MAX, "%.99s%s%.59s", base,
             base[0] != '\0' ? "." : "", key);
}

static yaml_node_t *find(struct site_reader *r, const yaml_node_t *map,
                         const char *key)
{
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    for (; pair < map->data.mapping.pairs.top; pair++) {
        const char *text = plain_text(node_at(r, pair->key));
        if (text != NULL && strcmp(text, key) == 0) {
            return node_at(r, pair->value);
        }
    }
    return NULL;
}

/* "a, b, c" of the table's keys. */
static const char *key_names(const struct site_table *table, char *out,
                             size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < table->n && n < size; i++) {
        int w = snprintf(out + n, size - n, "%s%s", i > 0 ? ", " : "",
                         table->keys[i].key);
        n += w > 0 ? (size_t)w : 0;
    }
    return out;
}

static void tell_unknown(struct site_reader *r, const struct here *h,
                         const yaml_node_t *key, const char *text)
{
    struct site_guess guess = {.text = text};
    for (size_t i = 0; i < h->table->n; i++) {
        site_guess_try(&guess, h->table->keys[i].key);
    }
    char path[SITE_PATH_MAX];
    join(path, h->path, text);
    char names[SITE_WORDS_MAX - 80];
    if (guess.best != NULL) {
        site_fault_add(r, spot_of(key), path, text,
                       "expected a known key: did you mean %s?", guess.best);
    } else {
        site_fault_add(r, spot_of(key), path, text, "expected a known key: %s",
                       key_names(h->table, names, sizeof(names)));
    }
}

static bool is_known(const struct site_table *table, const char *text)
{
    for (size_t i = 0; i < table->n; i++) {
        if (strcmp(table->keys[i].key, text) == 0) {
            return true;
        }
    }
    return false;
}

static void tell_twice(struct site_reader *r, const struct here *h,
                       const yaml_node_t *first, const yaml_node_t *again)
{
    char path[SITE_PATH_MAX];
    join(path, h->path, text_of(again));
    struct site_spot spot = spot_of(first);
    site_fault_add(r, spot_of(again), path, text_of(again),
                   "expected each key once (first at %d:%d)", spot.line,
                   spot.column);
}

/* The key 'text' before 'end', or NULL. */
static const yaml_node_t *key_before(struct site_reader *r,
                                     const yaml_node_pair_t *start,
                                     const yaml_node_pair_t *end,
                                     const char *text)
{
    for (const yaml_node_pair_t *p = start; p < end; p++) {
        const yaml_node_t *key = node_at(r, p->key);
        const char *other = plain_text(key);
        if (other != NULL && strcmp(other, text) == 0) {
            return key;
        }
    }
    return NULL;
}

/* Keys that are not text, unknown, or there twice. */
static void check_keys(struct site_reader *r, const struct here *h)
{
    const yaml_node_pair_t *start = h->node->data.mapping.pairs.start;
    const yaml_node_pair_t *top = h->node->data.mapping.pairs.top;
    const char *at = h->path[0] != '\0' ? h->path : "file";
    if (top - start > SITE_KEYS_MAX) {
        site_fault_add(r, spot_of(node_at(r, start[SITE_KEYS_MAX].key)), at,
                       NULL, "expected at most %d keys", SITE_KEYS_MAX);
        top = start + SITE_KEYS_MAX;
    }
    for (const yaml_node_pair_t *pair = start; pair < top; pair++) {
        const yaml_node_t *key = node_at(r, pair->key);
        const char *text = plain_text(key);
        if (text == NULL) {
            site_fault_add(r, spot_of(key), at, NULL,
                           "expected a plain word as key");
            continue;
        }
        const yaml_node_t *first = key_before(r, start, pair, text);
        if (first != NULL) {
            tell_twice(r, h, first, key);
        } else if (!is_known(h->table, text)) {
            tell_unknown(r, h, key, text);
        }
    }
}

static void read_scalar(struct site_reader *r, const struct site_key *key,
                        const struct here *h)
{
    const char *text = plain_text(h->node);
    char expected[256];
    if (text == NULL) {
        site_value_expected(key, NULL, expected, sizeof(expected));
        site_fault_add(r, spot_of(h->node), h->path, NULL, "expected %s",
                       expected);
        return;
    }
    const struct site_value v = {
        .key = key,
        .text = text,
        .plain = h->node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
        .path = h->path,
        .spot = spot_of(h->node),
        .into = h->owner + key->offset,
    };
    site_value_read(r, &v);
}

/* The item's own name where it has one: its table's first key. */
static const char *item_name(struct site_reader *r, const struct site_key *list,
                             const yaml_node_t *item)
{
    if (list->tuple || item->type != YAML_MAPPING_NODE) {
        return NULL;
    }
    const yaml_node_t *name = find(r, item, list->table->keys[0].key);
    const char *text = name != NULL ? plain_text(name) : NULL;
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* "battery.bess1" below the list's section, or "batteries[2]". */
static void item_path(struct site_reader *r, const struct site_key *list,
                      const struct here *item, const char *base, int n,
                      char out[SITE_PATH_MAX])
{
    char word[SITE_PATH_MAX];
    const char *name = item_name(r, list, item->node);
    if (name != NULL) {
        snprintf(word, sizeof(word), "%s.%.47s", list->item, name);
    } else {
        snprintf(word, sizeof(word), "%s[%d]", list->key, n + 1);
    }
    join(out, base, word);
}

/* [a, b, c] in the order of the table. */
static void read_tuple(struct site_reader *r, const struct here *h)
{
    const yaml_node_t *node = h->node;
    ptrdiff_t n =
        node->type != YAML_SEQUENCE_NODE
            ? -1
            : node->data.sequence.items.top - node->data.sequence.items.start;
    if (n != (ptrdiff_t)h->table->n) {
        char names[128];
        site_fault_add(r, spot_of(node), h->path, NULL, "expected [%s]",
                       key_names(h->table, names, sizeof(names)));
        return;
    }
    for (size_t i = 0; i < h->table->n; i++) {
        char path[SITE_PATH_MAX];
        join(path, h->path, h->table->keys[i].key);
        const struct here value = {
            .owner = h->owner,
            .path = path,
            .node = node_at(r, node->data.sequence.items.start[i]),
        };
        read_scalar(r, &h->table->keys[i], &value);
    }
}

static void read_list(struct site_reader *r, const struct site_key *key,
                      const struct here *h, const char *base)
{
    if (h->node->type != YAML_SEQUENCE_NODE) {
        site_fault_add(r, spot_of(h->node), h->path, plain_text(h->node),
                       "expected a list ([] for none)");
        return;
    }
    const yaml_node_item_t *start = h->node->data.sequence.items.start;
    const yaml_node_item_t *top = h->node->data.sequence.items.top;
    int *count = (int *)(void *)(h->owner + key->count_offset);
    for (int i = 0; i < top - start; i++) {
        struct here item = {
            .table = key->table,
            .owner = h->owner + key->offset + (size_t)i * key->size,
            .node = node_at(r, start[i]),
        };
        if (i == key->max) {
            site_fault_add(r, spot_of(item.node), h->path, NULL,
                           "expected at most %d items", key->max);
            return;
        }
        char path[SITE_PATH_MAX];
        item_path(r, key, &item, base, i, path);
        item.path = path;
        *count = i + 1;
        if (key->tuple) {
            read_tuple(r, &item);
        } else {
            read_section(r, &item);
        }
    }
}

static void tell_missing(struct site_reader *r, const struct here *h,
                         const struct site_key *key, const char *path)
{
    char expected[256];
    if (key->table != NULL) {
        char names[SITE_WORDS_MAX - 80];
        site_fault_add(r, spot_of(h->node), path, NULL,
                       "missing: expected a section with %s",
                       key_names(key->table, names, sizeof(names)));
        return;
    }
    const char *currency = r->draft->site.currency;
    site_fault_add(
        r, spot_of(h->node), path, NULL, "missing: expected %s",
        site_value_expected(key, currency, expected, sizeof(expected)));
}

static void read_key(struct site_reader *r, const struct here *h,
                     const struct site_key *key)
{
    char path[SITE_PATH_MAX];
    join(path, h->path, key->key);
    struct here below = {
        .table = key->table,
        .owner = h->owner,
        .path = path,
        .node = h->node != NULL ? find(r, h->node, key->key) : NULL,
    };
    if (below.node == NULL && key->required && h->node != NULL) {
        tell_missing(r, h, key, path);
    }
    if (below.node != NULL && key->flagged) {
        *(bool *)(void *)(h->owner + key->flag_offset) = true;
    }
    if (key->kind == KEY_SECTION) {
        below.owner += key->offset;
        read_section(r, &below);
    } else if (key->kind == KEY_LIST) {
        if (below.node != NULL) {
            read_list(r, key, &below, h->path);
        }
    } else if (below.node != NULL) {
        read_scalar(r, key, &below);
    } else if (!key->required) {
        site_value_preset(r, key, path, h->owner + key->offset);
    }
}

static void read_section(struct site_reader *r, const struct here *h)
{
    struct here section = *h;
    if (h->node != NULL && h->node->type != YAML_MAPPING_NODE) {
        char names[SITE_WORDS_MAX - 80];
        site_fault_add(r, spot_of(h->node),
                       h->path[0] != '\0' ? h->path : "file",
                       plain_text(h->node), "expected a section with %s",
                       key_names(h->table, names, sizeof(names)));
        section.node = NULL;
    }
    if (section.node != NULL) {
        check_keys(r, &section);
    }
    for (size_t i = 0; i < h->table->n; i++) {
        read_key(r, &section, &h->table->keys[i]);
    }
}

void site_walk(struct site_reader *r)
{
    const struct here top = {
        .table = &site_schema,
        .owner = (unsigned char *)r->draft,
        .path = "",
        .node = yaml_document_get_root_node(r->doc),
    };
    assert(top.node != NULL);
    read_section(r, &top);
}
