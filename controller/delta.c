/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/delta.h"

#include <string.h>

enum { COUNT_BYTES_MAX = 10 };

size_t delta_bound(size_t n_words)
{
    /* the worst is every other word in a run of its own */
    size_t runs = n_words / 2 + 1;
    return n_words * 9 + runs * 2 * COUNT_BYTES_MAX;
}

static unsigned char *put_count(unsigned char *p, uint64_t x)
{
    while (x >= 0x80) {
        *p++ = (unsigned char)(x & 0x7f) | 0x80;
        x >>= 7;
    }
    *p++ = (unsigned char)x;
    return p;
}

static unsigned char *put_word(unsigned char *p, uint64_t change)
{
    unsigned char bytes[8];
    memcpy(bytes, &change, sizeof(bytes));
    unsigned char *mask = p++;
    *mask = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (bytes[i] != 0) {
            *mask = (unsigned char)(*mask | 1u << i);
            *p++ = bytes[i];
        }
    }
    return p;
}

size_t delta_encode(uint64_t *old, const uint64_t *now, size_t n_words,
                    unsigned char *out)
{
    unsigned char *p = out;
    size_t i = 0;
    while (i < n_words) {
        size_t from = i;
        while (i < n_words && old[i] == now[i]) {
            i++;
        }
        size_t changed = i;
        while (i < n_words && old[i] != now[i]) {
            i++;
        }
        if (i == changed) {
            break;
        }
        p = put_count(p, changed - from);
        p = put_count(p, i - changed);
        for (size_t k = changed; k < i; k++) {
            p = put_word(p, old[k] ^ now[k]);
            old[k] = now[k];
        }
    }
    return (size_t)(p - out);
}

/* What is left to read. */
struct input {
    const unsigned char *at;
    const unsigned char *end;
};

static bool get_count(struct input *in, uint64_t *out)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < COUNT_BYTES_MAX && in->at < in->end; i++) {
        unsigned char byte = *in->at++;
        x |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out = x;
            return true;
        }
    }
    return false;
}

static bool get_word(struct input *in, uint64_t *word)
{
    if (in->at == in->end) {
        return false;
    }
    unsigned char mask = *in->at++;
    unsigned char bytes[8] = {0};
    for (unsigned i = 0; i < 8; i++) {
        if ((mask >> i & 1) != 0) {
            if (in->at == in->end) {
                return false;
            }
            bytes[i] = *in->at++;
        }
    }
    uint64_t change = 0;
    memcpy(&change, bytes, sizeof(change));
    *word ^= change;
    return true;
}

bool delta_decode(uint64_t *image, size_t n_words, const unsigned char *in,
                  size_t n_bytes)
{
    struct input input = {in, in + n_bytes};
    size_t i = 0;
    while (input.at < input.end) {
        uint64_t same = 0;
        uint64_t changed = 0;
        if (!get_count(&input, &same) || !get_count(&input, &changed) ||
            same > n_words - i || changed == 0 ||
            changed > n_words - i - same) {
            return false;
        }
        i += same;
        for (uint64_t k = 0; k < changed; k++) {
            if (!get_word(&input, &image[i++])) {
                return false;
            }
        }
    }
    return true;
}
