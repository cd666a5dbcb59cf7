/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/site_reader.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 'text' with what a terminal must not get replaced, cut at a whole
 * character. */
static const char *quoted(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (; text[n] != '\0' && n + 4 < size; n++) {
        unsigned char c = (unsigned char)text[n];
        out[n] = c < 0x20 || c == 0x7f || c == '"' ? '?' : text[n];
    }
    if (text[n] != '\0') {
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
            n--;
        }
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = '\0';
    return out;
}

static void add_words(struct site_reader *r, struct site_spot spot,
                      const char *path, const char *text, const char *words)
{
    if (r->n_faults == SITE_FAULTS_MAX) {
        r->n_more++;
        return;
    }
    struct site_fault *f = &r->faults[r->n_faults];
    *f = (struct site_fault){.spot = spot, .seq = r->n_faults};
    r->n_faults++;
    char safe_path[SITE_PATH_MAX];
    quoted(path, safe_path, sizeof(safe_path));
    if (text == NULL) {
        snprintf(f->text, sizeof(f->text), "%s: %s", safe_path, words);
        return;
    }
    char safe[SITE_QUOTE_MAX];
    snprintf(f->text, sizeof(f->text), "%s: \"%s\": %s", safe_path,
             quoted(text, safe, sizeof(safe)), words);
}

void site_fault_add(struct site_reader *r, struct site_spot spot,
                    const char *path, const char *text, const char *format, ...)
{
    char words[SITE_WORDS_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    add_words(r, spot, path, text, words);
}

static int by_spot(const void *a, const void *b)
{
    const struct site_fault *x = a;
    const struct site_fault *y = b;
    if (x->spot.line != y->spot.line) {
        return x->spot.line < y->spot.line ? -1 : 1;
    }
    if (x->spot.column != y->spot.column) {
        return x->spot.column < y->spot.column ? -1 : 1;
    }
    return x->seq < y->seq ? -1 : 1;
}

void site_fault_tell(struct site_reader *r, site_fault_fn *fault, void *user)
{
    qsort(r->faults, (size_t)r->n_faults, sizeof(r->faults[0]), by_spot);
    size_t size = strlen(r->file) + SITE_FAULT_TEXT_MAX + 32;
    char *line = malloc(size);
    for (int i = 0; line != NULL && i < r->n_faults; i++) {
        const struct site_fault *f = &r->faults[i];
        snprintf(line, size, "%s:%d:%d: %s", r->file, f->spot.line,
                 f->spot.column, f->text);
        fault(user, line);
    }
    if (line != NULL && r->n_more > 0) {
        snprintf(line, size, "%s:1:1: file: and %d more faults", r->file,
                 r->n_more);
        fault(user, line);
    }
    if (line == NULL || r->no_memory) {
        fault(user, "out of memory");
    }
    free(line);
}

void site_place_add(struct site_reader *r, const void *at,
                    const struct site_place *place)
{
    if (r->n_places == r->n_places_max) {
        size_t n = r->n_places_max > 0 ? 2 * r->n_places_max : 512;
        struct site_place *more = realloc(r->places, n * sizeof(*more));
        if (more == NULL) {
            r->no_memory = true;
            return;
        }
        r->places = more;
        r->n_places_max = n;
    }
    r->places[r->n_places] = *place;
    r->places[r->n_places].at = at;
    r->n_places++;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct site_place *)a)->at;
    uintptr_t y = (uintptr_t)((const struct site_place *)b)->at;
    return x < y ? -1 : x > y;
}

void site_place_sort(struct site_reader *r)
{
    if (r->n_places > 0) {
        qsort(r->places, r->n_places, sizeof(r->places[0]), by_address);
    }
    r->sorted = true;
}

const struct site_place *site_place_of(const struct site_reader *r,
                                       const void *at)
{
    if (r->n_places == 0) {
        return NULL;
    }
    for (size_t i = 0; !r->sorted && i < r->n_places; i++) {
        if (r->places[i].at == at) {
            return &r->places[i];
        }
    }
    if (!r->sorted) {
        return NULL;
    }
    const struct site_place key = {.at = at};
    return bsearch(&key, r->places, r->n_places, sizeof(key), by_address);
}

/* " (grid.import_max is "160 MW" at 3:15)" */
static void name_other(const struct site_place *p, char *out, size_t size)
{
    char safe[SITE_QUOTE_MAX];
    out[0] = '\0';
    if (p == NULL) {
        return;
    }
    quoted(p->text, safe, sizeof(safe));
    if (p->spot.line > 0) {
        snprintf(out, size, " (%s is \"%s\" at %d:%d)", p->path, safe,
                 p->spot.line, p->spot.column);
    } else {
        snprintf(out, size, " (%s is %s by default)", p->path, safe);
    }
}

void site_clash(struct site_reader *r, const void *a, const void *b,
                const char *format, ...)
{
    static const struct site_place nowhere = {
        .spot = {1, 1}, .text = "", .path = "file"};
    const struct site_place *first = site_place_of(r, a);
    const struct site_place *other = b != NULL ? site_place_of(r, b) : NULL;
    if ((first == NULL || first->spot.line == 0) && other != NULL &&
        other->spot.line > 0) {
        const struct site_place *swap = first;
        first = other;
        other = swap;
    }
    if (first == NULL) {
        first = &nowhere;
    }
    char words[140];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    char suffix[SITE_PATH_MAX + SITE_QUOTE_MAX + 40];
    name_other(other, suffix, sizeof(suffix));
    struct site_spot spot =
        first->spot.line > 0 ? first->spot : (struct site_spot){1, 1};
    site_fault_add(r, spot, first->path, first->text, "%s%s", words, suffix);
}

static int min3(int a, int b, int c)
{
    int m = a < b ? a : b;
    return m < c ? m : c;
}

enum { GUESS_MAX = 24 }; /* characters compared */

/* Edits (insert, delete, replace, swap of neighbours) from 'a' to 'b'. */
static int distance(const char *a, int n, const char *b, int m)
{
    int d[GUESS_MAX + 1][GUESS_MAX + 1];
    for (int i = 0; i <= n; i++) {
        for (int j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            int cost = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] =
                min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < d[i][j]) {
                d[i][j] = d[i - 2][j - 2] + 1;
            }
        }
    }
    return d[n][m];
}

void site_guess_try(struct site_guess *guess, const char *word)
{
    size_t n = strlen(guess->text);
    size_t m = strlen(word);
    if (n == 0 || n > GUESS_MAX || m > GUESS_MAX) {
        return;
    }
    int near = 1 + (int)m / 4;
    int d = distance(guess->text, (int)n, word, (int)m);
    if (d <= near && (guess->best == NULL || d < guess->distance)) {
        guess->best = word;
        guess->distance = d;
    }
}
