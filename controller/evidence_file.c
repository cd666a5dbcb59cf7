/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/evidence_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/calendar.h"

/* At the end of a file, where its last whole line is looked for. */
enum { TAIL_MAX = 1 << 20 };

const char *evidence_part_path(const char *path, int64_t part, char *out,
                               size_t size)
{
    snprintf(out, size, "%s-%06" PRId64, path, part);
    return out;
}

int64_t evidence_parts(const char *path)
{
    char part[EVIDENCE_PATH_MAX + 32];
    int64_t n = 0;
    while (access(evidence_part_path(path, n + 1, part, sizeof(part)), F_OK) ==
           0) {
        n++;
    }
    return n;
}

/* The end of a file. */
struct tail {
    char *bytes; /* owned */
    size_t n;
    bool whole;  /* they are all of it */
    size_t good; /* up to here it is whole lines */
};

static bool read_tail(int fd, struct tail *t)
{
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0) {
        return false;
    }
    t->whole = size <= TAIL_MAX;
    t->n = t->whole ? (size_t)size : TAIL_MAX;
    t->bytes = malloc(t->n + 1);
    size_t got = 0;
    while (t->bytes != NULL && got < t->n) {
        ssize_t n = pread(fd, t->bytes + got, t->n - got,
                          size - (off_t)t->n + (off_t)got);
        if (n <= 0) {
            return false;
        }
        got += (size_t)n;
    }
    return t->bytes != NULL;
}

/* Where the line begins that ends before 'end'. */
static size_t line_start(const char *bytes, size_t end)
{
    while (end > 0 && bytes[end - 1] != '\n') {
        end--;
    }
    return end;
}

/* The last line that is one; false where there is none. */
static bool find_good(struct tail *t, struct evidence_chain *chain)
{
    size_t end = line_start(t->bytes, t->n); /* after the last newline */
    while (end > 0) {
        size_t from = line_start(t->bytes, end - 1);
        struct evidence_frame f;
        if (evidence_frame(t->bytes + from, end - 1 - from, &f)) {
            chain->n = f.n;
            memcpy(chain->hash, f.hash, sizeof(chain->hash));
            t->good = end;
            return true;
        }
        end = from;
    }
    return false;
}

/* True for an empty file, or what is left of a first line. */
static bool is_torn_first(const struct tail *t)
{
    static const char begin[] = "{\"n\":";
    size_t n = t->n < sizeof(begin) - 1 ? t->n : sizeof(begin) - 1;
    return t->whole && memcmp(t->bytes, begin, n) == 0 &&
           memchr(t->bytes, '\n', t->n) == NULL;
}

static enum err write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            errno = done == 0 ? ENOSPC : errno;
            return ERR_IO;
        }
        bytes += done;
        n -= (size_t)done;
    }
    return ERR_NONE;
}

/* Not a byte of what does not count may stay, where that can be had. */
static void give_up(struct evidence_file *f)
{
    int error = errno;
    if (f->fd >= 0) {
        if (ftruncate(f->fd, (off_t)f->size) != 0) {
            error = errno; /* the next opening marks it as torn */
        }
        close(f->fd);
        f->fd = -1;
    }
    errno = error;
}

static enum err put_line(struct evidence_file *f, int64_t at_ms,
                         const char *kind, const char *fields)
{
    char *line = malloc(2 * (size_t)EVIDENCE_LINE_MAX);
    if (line == NULL) {
        return ERR_MEMORY;
    }
    char at[CALENDAR_TEXT_MAX];
    char *all = line + EVIDENCE_LINE_MAX;
    int n = snprintf(all, EVIDENCE_LINE_MAX, "\"at\":\"%s\"%s%s",
                     calendar_format_utc(at_ms, at),
                     fields[0] != '\0' ? "," : "", fields);
    struct evidence_chain next = f->chain;
    size_t size = n > 0 && n < EVIDENCE_LINE_MAX
                      ? evidence_seal(&next, kind, all, line, EVIDENCE_LINE_MAX)
                      : 0;
    enum err e = size > 0 ? write_all(f->fd, line, size) : ERR_RANGE;
    if (e == ERR_NONE && f->sync && fdatasync(f->fd) != 0) {
        e = ERR_IO;
    }
    free(line);
    if (e == ERR_NONE) {
        f->chain = next;
        f->size += (int64_t)size;
        f->is_new = false;
    } else if (e == ERR_IO) {
        give_up(f);
    }
    return e;
}

/* Killed between a line and its newline: the line is good. */
static bool lacks_only_newline(const struct evidence_file *f,
                               const struct tail *t, struct evidence_frame *l)
{
    const char *line = t->bytes + t->good;
    size_t n = t->n - t->good;
    return memchr(line, '\n', n) == NULL && evidence_frame(line, n, l) &&
           l->n == f->chain.n + 1 && evidence_follows(&f->chain, line, l);
}

/* Ends what is torn and says so. */
static enum err mark_torn(struct evidence_file *f, const struct tail *t)
{
    size_t n = t->n - t->good;
    bool ended = t->bytes[t->n - 1] == '\n';
    struct evidence_frame line;
    bool whole = lacks_only_newline(f, t, &line);
    char hash[EVIDENCE_HASH + 1];
    evidence_digest(t->bytes + t->good, n - (ended ? 1 : 0), hash);
    f->size += (int64_t)n;
    if (!ended && write_all(f->fd, "\n", 1) != ERR_NONE) {
        give_up(f);
        return ERR_IO;
    }
    f->size += ended ? 0 : 1;
    if (whole) {
        f->chain.n = line.n;
        memcpy(f->chain.hash, line.hash, sizeof(line.hash));
        return ERR_NONE;
    }
    char fields[160];
    snprintf(fields, sizeof(fields), "\"bytes\":%zu,\"sha256\":\"%s\"",
             n - (ended ? 1 : 0), hash);
    return put_line(f, f->at_ms, "torn", fields);
}

static enum err take_lock(int fd, char *why, size_t why_size, const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &whole) == 0) {
        return ERR_NONE;
    }
    snprintf(why, why_size, "%s: another process writes this evidence log",
             path);
    return ERR_MISMATCH;
}

/* Where the chain stands in an empty file: at the end of the part before. */
static enum err chain_of_last_part(struct evidence_file *f)
{
    f->chain = evidence_chain_start();
    if (f->part == 1) {
        return ERR_NONE;
    }
    char path[EVIDENCE_PATH_MAX + 32];
    evidence_part_path(f->path, f->part - 1, path, sizeof(path));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct tail t = {0};
    bool ok = fd >= 0 && read_tail(fd, &t) && find_good(&t, &f->chain);
    free(t.bytes);
    if (fd >= 0) {
        close(fd);
    }
    return ok ? ERR_NONE : ERR_IO;
}

static enum err go_on(struct evidence_file *f, const struct tail *t,
                      bool has_good)
{
    f->size = (int64_t)lseek(f->fd, 0, SEEK_END) - (int64_t)(t->n - t->good);
    f->is_new = f->size == 0;
    if (!has_good) {
        /* a first line that was not finished holds nothing that counts */
        bool clean = t->n == 0 || ftruncate(f->fd, 0) == 0;
        return clean ? chain_of_last_part(f) : ERR_IO;
    }
    return t->good < t->n ? mark_torn(f, t) : ERR_NONE;
}

static enum err open_path(struct evidence_file *f, char *why, size_t why_size)
{
    f->fd = open(f->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (f->fd < 0) {
        snprintf(why, why_size, "%s: %s", f->path, strerror(errno));
        return ERR_IO;
    }
    enum err e = take_lock(f->fd, why, why_size, f->path);
    if (e != ERR_NONE) {
        return e;
    }
    f->part = evidence_parts(f->path) + 1;
    struct tail t = {0};
    if (!read_tail(f->fd, &t)) {
        snprintf(why, why_size, "%s: %s", f->path, strerror(errno));
        e = ERR_IO;
    }
    bool good = e == ERR_NONE && find_good(&t, &f->chain);
    if (e == ERR_NONE && !good && !is_torn_first(&t)) {
        snprintf(why, why_size,
                 "%s: is not an evidence log, or its end is destroyed; move "
                 "it away, or give history.evidence another name",
                 f->path);
        e = ERR_MISMATCH;
    }
    if (e == ERR_NONE && go_on(f, &t, good) != ERR_NONE) {
        snprintf(why, why_size, "%s: %s", f->path, strerror(errno));
        e = ERR_IO;
    }
    free(t.bytes);
    return e;
}

static enum err reopen(struct evidence_file *f, char *why, size_t why_size)
{
    enum err e = open_path(f, why, why_size);
    if (e != ERR_NONE && f->fd >= 0) {
        close(f->fd);
        f->fd = -1;
    }
    return e;
}

enum err evidence_file_open(struct evidence_file *f, const char *path,
                            char *why, size_t why_size)
{
    f->fd = -1;
    f->head = NULL;
    f->because = NULL;
    f->size_max = f->size_max > 0 ? f->size_max : EVIDENCE_SIZE_MAX;
    int n = snprintf(f->path, sizeof(f->path), "%s", path);
    if (n < 0 || (size_t)n >= sizeof(f->path)) {
        snprintf(why, why_size, "the path of the evidence log is too long");
        return ERR_RANGE;
    }
    return reopen(f, why, why_size);
}

void evidence_file_close(struct evidence_file *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        f->fd = -1;
    }
}

static enum err put_head(struct evidence_file *f, int64_t at_ms)
{
    size_t size = strlen(f->head) + 256;
    char *fields = malloc(size);
    if (fields == NULL) {
        return ERR_MEMORY;
    }
    snprintf(fields, size,
             "\"because\":\"%s\",\"part\":%" PRId64 ",\"prev\":\"%s\",%s",
             f->because, f->part, f->chain.hash, f->head);
    enum err e = put_line(f, at_ms, "head", fields);
    free(fields);
    if (e == ERR_NONE) {
        f->because = NULL;
    }
    return e;
}

/* The full part gets its number; where that fails, the file grows on. */
static enum err rotate(struct evidence_file *f)
{
    char to[EVIDENCE_PATH_MAX + 32];
    evidence_part_path(f->path, f->part, to, sizeof(to));
    if (access(to, F_OK) == 0 || rename(f->path, to) != 0) {
        return ERR_NONE;
    }
    evidence_file_close(f);
    f->because = f->because == NULL ? "full part" : f->because;
    char why[EVIDENCE_PATH_MAX + 200];
    return reopen(f, why, sizeof(why));
}

enum err evidence_file_append(struct evidence_file *f, int64_t at_ms,
                              const char *kind, const char *fields)
{
    f->at_ms = at_ms;
    enum err e = ERR_NONE;
    if (f->fd < 0) {
        char why[EVIDENCE_PATH_MAX + 200];
        e = reopen(f, why, sizeof(why));
    } else if (f->size >= f->size_max && f->head != NULL) {
        e = rotate(f);
    }
    bool is_head = strcmp(kind, "head") == 0;
    if (is_head) {
        f->head = fields;
        f->because = f->is_new && f->part == 1 ? "new" : "start";
    }
    if (e == ERR_NONE && f->because != NULL) {
        e = put_head(f, at_ms);
    }
    if (e == ERR_NONE && !is_head) {
        e = put_line(f, at_ms, kind, fields);
    }
    return e;
}
