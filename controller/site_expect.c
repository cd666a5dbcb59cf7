/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a row of the schema expects, and what to say where it got another. */
#include "controller/site_reader.h"

#include <stdio.h>
#include <string.h>

static const char *const texts[KEY_KIND_COUNT] = {
#define KEY_TEXT_ROW(name, text) text,
    KEY_LIST(KEY_TEXT_ROW)
#undef KEY_TEXT_ROW
};

const char *site_currency(const struct site_reader *r)
{
    const char *currency = r->draft->site.currency;
    return currency[0] != '\0' ? currency : NULL;
}

/* 'text' with the placeholder CUR replaced by the site's currency. */
static void with_currency(const char *text, const char *currency, char *out,
                          size_t size)
{
    snprintf(out, size, "%s", text);
    char *p = currency != NULL ? strstr(out, "CUR") : NULL;
    for (; p != NULL; p = strstr(p + 3, "CUR")) {
        memcpy(p, currency, 3);
    }
}

static void word_names(const struct site_key *key, char *out, size_t size)
{
    size_t n = 0;
    for (int i = 0; key->words[i] != NULL && n < size; i++) {
        const char *between = i == 0                      ? ""
                              : key->words[i + 1] == NULL ? " or "
                                                          : ", ";
        int w = snprintf(out + n, size - n, "%s%s", between, key->words[i]);
        n += w > 0 ? (size_t)w : 0;
    }
}

/* Without the range. */
static void kind_text(const struct site_key *key, const char *currency,
                      char *out, size_t size)
{
    if (key->kind == KEY_QUANTITY) {
        with_currency(unit_expected(key->unit), currency, out, size);
    } else if (key->kind == KEY_WORD) {
        word_names(key, out, size);
    } else {
        snprintf(out, size, "%s", texts[key->kind]);
    }
}

const char *site_value_expected(const struct site_key *key,
                                const char *currency, char *out, size_t size)
{
    if (currency != NULL && currency[0] == '\0') {
        currency = NULL;
    }
    kind_text(key, currency, out, size);
    size_t n = strlen(out);
    if (key->lo != NULL) {
        char lo[48];
        char hi[48];
        with_currency(key->lo, currency, lo, sizeof(lo));
        with_currency(key->hi, currency, hi, sizeof(hi));
        snprintf(out + n, size - n, " from %s to %s", lo, hi);
    }
    return out;
}

static void tell_word(struct site_reader *r, const struct site_value *v)
{
    struct site_guess guess = {.text = v->text};
    char words[256];
    if (v->key->kind == KEY_WORD) {
        word_names(v->key, words, sizeof(words));
        for (int i = 0; v->key->words[i] != NULL; i++) {
            site_guess_try(&guess, v->key->words[i]);
        }
    } else {
        const struct site *site = &r->draft->site;
        size_t n = (size_t)snprintf(
            words, sizeof(words), "%s",
            site->n_classes > 0 ? "one of the classes"
                                : "a class, but the file has no classes");
        for (int i = 0; i < site->n_classes && n < sizeof(words); i++) {
            site_guess_try(&guess, site->classes[i].name);
            n += (size_t)snprintf(words + n, sizeof(words) - n, "%s %s",
                                  i > 0 ? "," : "", site->classes[i].name);
        }
    }
    site_fault_add(r, v->spot, v->path, v->text, "expected %s%s%s%s", words,
                   guess.best != NULL ? ": did you mean " : "",
                   guess.best != NULL ? guess.best : "",
                   guess.best != NULL ? "?" : "");
}

void site_value_wrong(struct site_reader *r, const struct site_value *v)
{
    const struct site_key *key = v->key;
    const char *currency = site_currency(r);
    char expected[256];
    kind_text(key, currency, expected, sizeof(expected));
    double x = 0.0;
    if (key->kind == KEY_WORD || key->kind == KEY_CLASS) {
        tell_word(r, v);
    } else if (key->kind == KEY_QUANTITY && currency != NULL &&
               units_parse(key->unit, v->text, NULL, &x) == ERR_NONE) {
        const struct site_place *p = site_place_of(r, r->draft->site.currency);
        site_fault_add(r, v->spot, v->path, v->text,
                       "expected %s: site.currency at %d:%d is %s", expected,
                       p != NULL ? p->spot.line : 1,
                       p != NULL ? p->spot.column : 1, currency);
    } else if (!v->plain && (key->kind == KEY_COUNT || key->kind == KEY_BOOL ||
                             key->kind == KEY_RATIO)) {
        site_fault_add(r, v->spot, v->path, v->text,
                       "expected %s, without quotes", expected);
    } else {
        site_fault_add(r, v->spot, v->path, v->text, "expected %s", expected);
    }
}

void site_value_beyond(struct site_reader *r, const struct site_value *v)
{
    char expected[256];
    site_value_expected(v->key, site_currency(r), expected, sizeof(expected));
    if (v->key->lo != NULL) {
        site_fault_add(r, v->spot, v->path, v->text, "expected %s", expected);
    } else {
        site_fault_add(r, v->spot, v->path, v->text,
                       "expected %s, at most %d bytes", expected,
                       (int)v->key->size - 1);
    }
}
