/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "controller/clock.h"
#include "models/calendar.h"

enum { KEYS_MAX = 256, KEY_MAX = 64, LINE_MAX_BYTES = 512 };

/* When a key was last let through and what was held back since. */
struct key {
    char name[KEY_MAX];
    int64_t mono_ms; /* 0: free */
    unsigned n_held;
};

static struct {
    pthread_mutex_t lock;
    struct key keys[KEYS_MAX];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const words[] = {
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

/* The entry of 'name'; where the table is full the oldest gives way. */
static struct key *find_key(const char *name)
{
    struct key *oldest = &table.keys[0];
    for (int i = 0; i < KEYS_MAX; i++) {
        struct key *k = &table.keys[i];
        if (k->mono_ms != 0 && strncmp(k->name, name, KEY_MAX - 1) == 0) {
            return k;
        }
        if (k->mono_ms < oldest->mono_ms) {
            oldest = k;
        }
    }
    *oldest = (struct key){0};
    snprintf(oldest->name, sizeof(oldest->name), "%s", name);
    return oldest;
}

/* -1: hold it back; else how many were held back before it. */
static int admit(const char *name)
{
    struct key *k = find_key(name);
    int64_t now_ms = clock_mono_ms();
    if (k->mono_ms != 0 && now_ms - k->mono_ms < LOG_QUIET_S * 1000) {
        k->n_held++;
        return -1;
    }
    int n_held = (int)k->n_held;
    k->mono_ms = now_ms;
    k->n_held = 0;
    return n_held;
}

void log_line(enum log_level level, const char *key, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    char at[CALENDAR_TEXT_MAX];
    calendar_format_utc(clock_utc_ms(), at);
    pthread_mutex_lock(&table.lock);
    int n_held = key != NULL ? admit(key) : 0;
    if (n_held > 0) {
        fprintf(stderr, "%s %-5s %s (suppressed %d like it)\n", at,
                words[level], text, n_held);
    } else if (n_held == 0) {
        fprintf(stderr, "%s %-5s %s\n", at, words[level], text);
    }
    pthread_mutex_unlock(&table.lock);
}
