/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manual of the site file, printed from its schema. */
#include <stdio.h>
#include <string.h>

#include "controller/site_reader.h"

enum { WIDTH = 78 };

/* 'text' in lines of at most WIDTH, each behind 'indent' spaces. */
static void print_wrapped(int indent, const char *text)
{
    int column = 0;
    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        if (column > 0 && column + 1 + (int)n > WIDTH) {
            putchar('\n');
            column = 0;
        }
        if (column == 0) {
            printf("%*s%.*s", indent, "", (int)n, text);
            column = indent + (int)n;
        } else {
            printf(" %.*s", (int)n, text);
            column += 1 + (int)n;
        }
        text += n + strspn(text + n, " ");
    }
    putchar('\n');
}

static void describe(const struct site_key *key, char *out, size_t size)
{
    char expected[256];
    site_value_expected(key, NULL, expected, sizeof(expected));
    if (key->kind == KEY_LIST) {
        snprintf(out, size, "%s: a list of at most %d", key->key, key->max);
    } else if (key->kind == KEY_SECTION) {
        snprintf(out, size, "%s: a section", key->key);
    } else {
        snprintf(out, size, "%s: %s", key->key, expected);
    }
    size_t n = strlen(out);
    const char *usual = key->preset != NULL     ? key->preset
                        : key->computed != NULL ? key->computed
                                                : "none";
    if (key->required) {
        snprintf(out + n, size - n, ". Required.");
    } else {
        snprintf(out + n, size - n, ". Default: %s.", usual);
    }
}

static void print_table(const struct site_table *table, int indent)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct site_key *key = &table->keys[i];
        char line[512];
        describe(key, line, sizeof(line));
        print_wrapped(indent, line);
        snprintf(line, sizeof(line), "%s.", key->meaning);
        print_wrapped(indent + 6, line);
        if (key->table != NULL) {
            print_table(key->table, indent + 2);
        }
        if (indent == 0) {
            putchar('\n');
        }
    }
}

void site_file_help(void)
{
    printf("The site file: YAML.  Quantities carry their unit (160 MW, 60 %%, "
           "45 USD/MWh);\ncounts are whole numbers; booleans are true and "
           "false.  Unknown keys, missing\nunits, anchors, aliases and tags "
           "are refused.  CUR stands for site.currency.\nPower into an asset "
           "is positive.  Examples: demo.yaml and ten_megablocks.yaml\nof "
           "the shipped sites; 'ballast check SITE' tells every fault.\n\n");
    print_table(&site_schema, 0);
}
