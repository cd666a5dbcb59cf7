/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/evidence_line.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/sha256.h"

static const char head[] = "{\"n\":";
static const char kind_key[] = ",\"kind\":\"";
static const char hash_key[] = ",\"h\":\"";
static const char tail[] = "\"}";

/* Counts stay exact in every JSON reader. */
static const int64_t n_max = INT64_C(9007199254740991);

static size_t length(const char *text)
{
    return strlen(text);
}

static bool is_digit_16(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool evidence_is_hash(const char *text)
{
    for (size_t i = 0; i < EVIDENCE_HASH; i++) {
        if (!is_digit_16(text[i])) {
            return false;
        }
    }
    return text[EVIDENCE_HASH] == '\0';
}

void evidence_digest(const void *bytes, size_t size,
                     char out[EVIDENCE_HASH + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SHA256_SIZE];
    sha256(bytes, size, hash);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[EVIDENCE_HASH] = '\0';
}

struct evidence_chain evidence_chain_start(void)
{
    struct evidence_chain chain = {.n = 0};
    memset(chain.hash, '0', EVIDENCE_HASH);
    return chain;
}

/* Takes the number at 'at'; where it ends, or 0 for none. */
static size_t take_number(const char *line, size_t size, size_t at, int64_t *n)
{
    size_t from = at;
    *n = 0;
    while (at < size && line[at] >= '0' && line[at] <= '9' && *n <= n_max) {
        *n = *n * 10 + (line[at] - '0');
        at++;
    }
    bool plain = at > from && line[from] != '0' && *n <= n_max;
    return plain ? at : 0;
}

static bool has(const char *line, size_t size, size_t at, const char *what)
{
    size_t n = length(what);
    return at <= size && size - at >= n && memcmp(line + at, what, n) == 0;
}

static bool take_kind(const char *line, size_t size, size_t at, char *kind)
{
    size_t n = 0;
    while (
        at + n < size && n + 1 < EVIDENCE_KIND_MAX &&
        ((line[at + n] >= 'a' && line[at + n] <= 'z') || line[at + n] == '_')) {
        kind[n] = line[at + n];
        n++;
    }
    kind[n] = '\0';
    return n > 0 && has(line, size, at + n, "\"");
}

bool evidence_frame(const char *line, size_t size, struct evidence_frame *f)
{
    size_t end = length(hash_key) + EVIDENCE_HASH + length(tail);
    if (size <= end || size >= EVIDENCE_LINE_MAX || !has(line, size, 0, head)) {
        return false;
    }
    size_t at = take_number(line, size, length(head), &f->n);
    if (at == 0 || !has(line, size, at, kind_key) ||
        !take_kind(line, size, at + length(kind_key), f->kind)) {
        return false;
    }
    f->body = size - end;
    memcpy(f->hash, line + f->body + length(hash_key), EVIDENCE_HASH);
    f->hash[EVIDENCE_HASH] = '\0';
    return has(line, size, f->body, hash_key) && evidence_is_hash(f->hash) &&
           has(line, size, size - length(tail), tail);
}

static void chained(const struct evidence_chain *chain, const char *body,
                    size_t size, char out[EVIDENCE_HASH + 1])
{
    char bytes[EVIDENCE_HASH + EVIDENCE_LINE_MAX];
    assert(size <= EVIDENCE_LINE_MAX);
    memcpy(bytes, chain->hash, EVIDENCE_HASH);
    memcpy(bytes + EVIDENCE_HASH, body, size);
    evidence_digest(bytes, EVIDENCE_HASH + size, out);
}

bool evidence_follows(const struct evidence_chain *chain, const char *line,
                      const struct evidence_frame *f)
{
    char hash[EVIDENCE_HASH + 1];
    chained(chain, line, f->body, hash);
    return memcmp(hash, f->hash, EVIDENCE_HASH) == 0;
}

size_t evidence_seal(struct evidence_chain *chain, const char *kind,
                     const char *fields, char *out, size_t size)
{
    assert(length(kind) < EVIDENCE_KIND_MAX);
    int body =
        snprintf(out, size, "%s%" PRId64 "%s%s\"%s%s", head, chain->n + 1,
                 kind_key, kind, fields[0] != '\0' ? "," : "", fields);
    size_t end = length(hash_key) + EVIDENCE_HASH + length(tail) + 2;
    if (body < 0 || (size_t)body + end > size ||
        (size_t)body + end > EVIDENCE_LINE_MAX) {
        return 0;
    }
    char hash[EVIDENCE_HASH + 1];
    chained(chain, out, (size_t)body, hash);
    int rest = snprintf(out + body, size - (size_t)body, "%s%s%s\n", hash_key,
                        hash, tail);
    chain->n++;
    memcpy(chain->hash, hash, sizeof(hash));
    return (size_t)(body + rest);
}
