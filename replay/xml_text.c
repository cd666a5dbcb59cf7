/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/xml_text.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 character at 'c', 0 where there is none that XML allows
 * (over-long forms, surrogates, beyond U+10FFFF, U+FFFE and U+FFFF). */
static int utf8_length(const unsigned char *c)
{
    static const struct {
        unsigned char mask, lead;
        unsigned long least;
    } forms[] = {
        {0x80, 0x00, 0x20},
        {0xE0, 0xC0, 0xA0},
        {0xF0, 0xE0, 0x800},
        {0xF8, 0xF0, 0x10000},
    };
    for (int i = 0; i < 4; i++) {
        if ((c[0] & forms[i].mask) != forms[i].lead) {
            continue;
        }
        unsigned long code = c[0] & (unsigned char)~forms[i].mask;
        for (int k = 1; k <= i; k++) {
            if ((c[k] & 0xC0) != 0x80) {
                return 0;
            }
            code = code << 6 | (c[k] & 0x3F);
        }
        bool allowed = code >= forms[i].least && code != 0x7F &&
                       (code < 0xD800 || code > 0xDFFF) &&
                       (code & 0xFFFE) != 0xFFFE && code <= 0x10FFFF;
        return allowed ? i + 1 : 0;
    }
    return 0;
}

static const char *reserved(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void xml_text_print(const char *words, FILE *out)
{
    const unsigned char *c = (const unsigned char *)words;
    while (*c != '\0') {
        const char *escaped = reserved(*c);
        int n = utf8_length(c);
        if (escaped != NULL) {
            fputs(escaped, out);
        } else if (n > 0) {
            fwrite(c, 1, (size_t)n, out);
        } else {
            fputc('?', out);
        }
        c += n > 0 ? n : 1;
    }
}
