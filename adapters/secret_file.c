/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/secret_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Looks at the open file, not at its name: it cannot change in between. */
static enum err check_open(FILE *f, const char *path, bool only_owner,
                           char *why, size_t why_size)
{
    struct stat st;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        snprintf(why, why_size, "%s: is not a plain file", path);
        return ERR_RANGE;
    }
    if (only_owner && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        snprintf(why, why_size,
                 "%s: may be read by others (mode %03o): chmod 600 it", path,
                 (unsigned)(st.st_mode & 0777));
        return ERR_RANGE;
    }
    return ERR_NONE;
}

static FILE *open_file(const char *path, char *why, size_t why_size)
{
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        snprintf(why, why_size, "%s: %s", path,
                 errno == ENOENT ? "no such file" : "cannot be read");
    }
    return f;
}

enum err secret_file_check(const char *path, bool only_owner, char *why,
                           size_t why_size)
{
    FILE *f = open_file(path, why, why_size);
    if (f == NULL) {
        return ERR_RANGE;
    }
    enum err err = check_open(f, path, only_owner, why, why_size);
    fclose(f);
    return err;
}

enum err secret_file_read(const struct secret_file *file, char *why,
                          size_t why_size)
{
    FILE *f = open_file(file->path, why, why_size);
    if (f == NULL) {
        return ERR_RANGE;
    }
    enum err err = check_open(f, file->path, true, why, why_size);
    if (err == ERR_NONE) {
        /* No stream buffer: nothing of it stays behind in the heap. */
        setvbuf(f, NULL, _IONBF, 0);
        char *line = fgets(file->text, (int)file->size, f);
        size_t n = line == NULL ? 0 : strcspn(line, "\r\n");
        if (n == 0 || n + 1 >= file->size) {
            snprintf(why, why_size, "%s: expected one line of 1 to %zu bytes",
                     file->path, file->size - 2);
            secret_file_wipe(file->text, file->size);
            err = ERR_RANGE;
        } else {
            file->text[n] = '\0';
        }
    }
    fclose(f);
    return err;
}

void secret_file_wipe(char *text, size_t size)
{
    volatile char *p = text;
    for (size_t i = 0; i < size; i++) {
        p[i] = '\0';
    }
}
