/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/reel_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/reel.h"
#include "models/calendar.h"

enum { STAMP_SIZE = 16, TRIES_MAX = 3600 }; /* "20261121T140300Z" */
enum { OLD_AT_ONCE = 2 };

/* "2026-11-21T14:03:00.123Z" to "20261121T140300Z". */
static void stamp(int64_t at_ms, char out[STAMP_SIZE + 1])
{
    char text[CALENDAR_TEXT_MAX];
    calendar_format_utc(at_ms - (at_ms % 1000 + 1000) % 1000, text);
    size_t n = 0;
    for (const char *p = text; *p != '\0' && n < STAMP_SIZE - 1; p++) {
        if (*p == '.') {
            break;
        }
        if (*p != '-' && *p != ':' && *p != 'Z') {
            out[n++] = *p;
        }
    }
    out[n++] = 'Z';
    out[n] = '\0';
}

/* The instant of a name that stamp() gave; false for any other. */
static bool read_stamp(const char *s, int64_t *at_ms)
{
    char text[32];
    if (strlen(s) != STAMP_SIZE || s[8] != 'T' || s[15] != 'Z' ||
        strspn(s, "0123456789") != 8 || strspn(s + 9, "0123456789") != 6) {
        return false;
    }
    snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", s, s + 4,
             s + 6, s + 9, s + 11, s + 13);
    return calendar_parse_utc(text, at_ms) == ERR_NONE;
}

enum err reel_files_aside(const char *path, int64_t at_ms, char *why,
                          size_t why_size)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return ERR_NONE;
    }
    if (!S_ISREG(st.st_mode)) {
        snprintf(why, why_size, "%s: not a plain file, nothing written", path);
        errno = EEXIST;
        return ERR_IO;
    }
    char aside[REEL_PATH_MAX + STAMP_SIZE + 2];
    for (int i = 0; i < TRIES_MAX; i++) {
        char name[STAMP_SIZE + 1];
        stamp(at_ms + 1000 * (int64_t)i, name);
        snprintf(aside, sizeof(aside), "%s.%s", path, name);
        if (lstat(aside, &st) != 0) {
            break;
        }
    }
    if (rename(path, aside) != 0) {
        snprintf(why, why_size, "%s: cannot be moved to %s: %s", path, aside,
                 strerror(errno));
        return ERR_IO;
    }
    return ERR_NONE;
}

int64_t reel_files_written_ms(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_mtime * 1000 : 0;
}

/* What lies on the disk. */
struct found {
    char oldest[REEL_PATH_MAX + STAMP_SIZE + 2]; /* "" for none */
    int64_t oldest_ms;
    double bytes;
};

/* A part of 'path' in the folder 'folder'. */
static void add(struct found *f, const char *folder, const char *name,
                int64_t at_ms)
{
    char file[sizeof(f->oldest)];
    struct stat st;
    int n = snprintf(file, sizeof(file), "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof(file) || lstat(file, &st) != 0 ||
        !S_ISREG(st.st_mode)) {
        return;
    }
    f->bytes += (double)st.st_size;
    if (f->oldest[0] == '\0' || at_ms < f->oldest_ms) {
        memcpy(f->oldest, file, sizeof(file));
        f->oldest_ms = at_ms;
    }
}

static struct found find(const char *path)
{
    struct found f = {.bytes = 0.0};
    char folder[REEL_PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    int n = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    snprintf(folder, sizeof(folder), "%.*s", n, slash == NULL ? "." : path);
    size_t n_base = strlen(base);
    DIR *d = opendir(folder);
    if (d == NULL) {
        return f;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        int64_t at_ms = 0;
        if (strncmp(e->d_name, base, n_base) == 0 && e->d_name[n_base] == '.' &&
            read_stamp(e->d_name + n_base + 1, &at_ms)) {
            add(&f, folder, e->d_name, at_ms);
        }
    }
    closedir(d);
    return f;
}

void reel_files_prune(const char *path, const struct reel_limits *limits)
{
    for (int n_old = 0;;) {
        struct found f = find(path);
        bool full = f.bytes > limits->bytes_max;
        bool old = f.oldest_ms < limits->oldest_ms && n_old < OLD_AT_ONCE;
        if (f.oldest[0] == '\0' || !(full || old) || unlink(f.oldest) != 0) {
            return;
        }
        n_old += full ? 0 : 1;
    }
}

bool reel_files_drop(const char *path)
{
    struct found f = find(path);
    return f.oldest[0] != '\0' && unlink(f.oldest) == 0;
}
