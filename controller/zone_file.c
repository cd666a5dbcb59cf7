/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/zone_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char folder[] = "/usr/share/zoneinfo";

enum { NAME_MAX_BYTES = 64, FILE_MAX_BYTES = 65536 };

static bool is_name(const char *name)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-";
    if (strlen(name) >= NAME_MAX_BYTES) {
        return false;
    }
    for (;;) {
        size_t n = strspn(name, word);
        if (n == 0) {
            return false;
        }
        name += n;
        if (*name == '\0') {
            return true;
        }
        if (*name++ != '/') {
            return false;
        }
    }
}

static enum err read_file(const char *path, unsigned char *bytes, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return errno == ENOENT || errno == ENOTDIR ? ERR_UNKNOWN : ERR_IO;
    }
    *n = fread(bytes, 1, FILE_MAX_BYTES, f);
    bool ok = ferror(f) == 0 && feof(f) != 0;
    fclose(f);
    return ok ? ERR_NONE : ERR_IO;
}

enum err zone_file_load(const char *name, struct zone *z, char *why,
                        size_t why_size)
{
    if (!is_name(name)) {
        snprintf(why, why_size,
                 "time zone \"%.64s\": expected a name such as "
                 "America/Chicago",
                 name);
        return ERR_SYNTAX;
    }
    if (strcmp(name, "UTC") == 0) {
        zone_utc(z);
        return ERR_NONE;
    }
    char path[NAME_MAX_BYTES + sizeof(folder) + 1];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unsigned char bytes[FILE_MAX_BYTES];
    size_t n = 0;
    enum err e = read_file(path, bytes, &n);
    if (e == ERR_NONE) {
        e = zone_parse_tzif(bytes, n, z);
    }
    if (e == ERR_UNKNOWN) {
        snprintf(why, why_size,
                 "time zone \"%s\": no %s: expected a name such as "
                 "America/Chicago (package tzdata)",
                 name, path);
    } else if (e != ERR_NONE) {
        snprintf(why, why_size, "time zone \"%s\": %s: %s", name, path,
                 err_text(e));
    }
    return e;
}

void zone_file_or_utc(const char *name, struct zone *z)
{
    char why[256];
    if (zone_file_load(name, z, why, sizeof(why)) != ERR_NONE) {
        zone_utc(z);
    }
}
