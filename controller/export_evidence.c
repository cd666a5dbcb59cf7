/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export_evidence - an evidence log in one piece, or a part of it. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "controller/evidence_check.h"
#include "controller/evidence_file.h"
#include "controller/evidence_keeper.h"
#include "controller/export.h"
#include "controller/history_where.h"
#include "controller/site_file.h"

struct export
{
    const struct export_cfg *cfg;
    struct evidence_chain before; /* of the last whole line */
    char *head;                   /* the last one, owned; NULL: none */
    char *line;                   /* EVIDENCE_LINE_MAX, owned */
    size_t n;                     /* without its newline */
    int64_t n_written;
    int64_t last_ms; /* when the last line was written that is told */
    bool started;
    bool over;
};

static bool is_log(const char *path)
{
    FILE *f = fopen(path, "rb");
    bool is = f != NULL && evidence_is_log(f);
    if (f != NULL) {
        fclose(f);
    }
    return is;
}

/* False after a message. */
static bool find_log(const char *given, char *out)
{
    char database[EVIDENCE_PATH_MAX];
    if (is_log(given)) {
        snprintf(out, EVIDENCE_PATH_MAX, "%s", given);
        return true;
    }
    if (!history_where(given, database, sizeof(database) - 16)) {
        return false;
    }
    if (strcmp(database, given) == 0) {
        snprintf(out, EVIDENCE_PATH_MAX, "%s", database);
        strcat(out, ".evidence");
        return true;
    }
    struct site *site = site_file_load(given);
    bool keeps = site != NULL && evidence_path(site, out);
    if (site != NULL && !keeps) {
        cli_error("export", "%s keeps no evidence: history.evidence is none",
                  given);
    }
    free(site);
    return keeps;
}

/* "at" of a line that is framed; INT64_MIN where it has none. */
static int64_t time_of(const char *line, size_t n)
{
    static const char key[] = "\",\"at\":\"";
    char at[CALENDAR_TEXT_MAX];
    int64_t at_ms = INT64_MIN;
    size_t from = 0;
    size_t most = n < 64 ? n : 64; /* n and kind come before it */
    while (from + sizeof(key) - 1 <= most &&
           memcmp(line + from, key, sizeof(key) - 1) != 0) {
        from++;
    }
    from += sizeof(key) - 1;
    size_t k = 0;
    while (k + 1 < sizeof(at) && from + k < n && line[from + k] != '"') {
        at[k] = line[from + k];
        k++;
    }
    at[k] = '\0';
    return calendar_parse_utc(at, &at_ms) == ERR_NONE ? at_ms : INT64_MIN;
}

static void write_line(struct export *x)
{
    fwrite(x->line, 1, x->n, x->cfg->out);
    fputc('\n', x->cfg->out);
    x->n_written++;
}

/* What a check of a part needs: the hash before it, and the last head. */
static void write_extract(struct export *x, int64_t at_ms)
{
    char *fields = malloc(EVIDENCE_LINE_MAX);
    char *line = malloc(EVIDENCE_LINE_MAX);
    if (fields != NULL && line != NULL) {
        char at[CALENDAR_TEXT_MAX];
        snprintf(fields, EVIDENCE_LINE_MAX - 256,
                 "\"at\":\"%s\",\"prev\":\"%s\",\"head\":%s",
                 calendar_format_utc(at_ms, at), x->before.hash,
                 x->head != NULL ? x->head : "null");
        struct evidence_chain chain = evidence_chain_start();
        chain.n = x->before.n - 1;
        size_t n =
            evidence_seal(&chain, "extract", fields, line, EVIDENCE_LINE_MAX);
        fwrite(line, 1, n, x->cfg->out);
    }
    free(fields);
    free(line);
}

/* Keeps the newest head, if it is JSON. */
static void keep_head(struct export *x)
{
    cJSON *o = cJSON_ParseWithLengthOpts(x->line, x->n, NULL, false);
    if (o != NULL && x->n < EVIDENCE_LINE_MAX / 2) {
        free(x->head);
        x->head = calloc(1, x->n + 1);
        if (x->head != NULL) {
            memcpy(x->head, x->line, x->n);
        }
    }
    cJSON_Delete(o);
}

static void take_framed(struct export *x, const struct evidence_frame *f)
{
    int64_t at_ms = time_of(x->line, x->n);
    bool first =
        !x->started && at_ms >= x->cfg->from_ms && strcmp(f->kind, "torn") != 0;
    if (at_ms > x->cfg->to_ms) {
        x->over = true;
        return;
    }
    if (first && x->before.n > 0) {
        write_extract(x, at_ms);
    }
    x->started = x->started || first;
    if (strcmp(f->kind, "head") == 0) {
        keep_head(x);
    }
    if (x->started) {
        write_line(x);
    }
    x->before.n = f->n;
    memcpy(x->before.hash, f->hash, sizeof(f->hash));
}

/* A line that is not one is what a kill left; it goes with those around it. */
static void take(struct export *x)
{
    struct evidence_frame f;
    if (evidence_frame(x->line, x->n, &f)) {
        take_framed(x, &f);
    } else if (x->started) {
        write_line(x);
    }
}

/* What has no newline yet is being written, or was torn. */
static void read_part(struct export *x, FILE *file)
{
    x->n = 0;
    int ch;
    while (!x->over && (ch = getc(file)) != EOF) {
        if (ch == '\n') {
            take(x);
            x->n = 0;
        } else if (x->n < EVIDENCE_LINE_MAX) {
            x->line[x->n++] = (char)ch;
        }
    }
}

/* False where there is no such part. */
static bool take_part(struct export *x, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    read_part(x, file);
    fclose(file);
    return true;
}

static bool take_parts(struct export *x, const char *path)
{
    int64_t n_parts = evidence_parts(path);
    for (int64_t k = 1; k <= n_parts && !x->over; k++) {
        char part[EVIDENCE_PATH_MAX + 32];
        evidence_part_path(path, k, part, sizeof(part));
        if (!take_part(x, part)) {
            cli_error("export", "%s: %s", part, strerror(errno));
            return false;
        }
    }
    if (!x->over && !take_part(x, path)) {
        history_where_missing("export", path, strerror(errno),
                              "for its DATABASE or EVIDENCE");
        return false;
    }
    if (x->n > 0) {
        cli_error("export",
                  "%s: the last line has no end yet and is left out: it is "
                  "being written, or its process was killed",
                  path);
    }
    return true;
}

int export_evidence(const struct export_cfg *cfg)
{
    char path[EVIDENCE_PATH_MAX + 16];
    if (!find_log(cfg->given, path)) {
        return EXIT_USAGE;
    }
    struct export x = {.cfg = cfg,
                       .before = evidence_chain_start(),
                       .line = malloc(EVIDENCE_LINE_MAX)};
    bool ok = x.line != NULL && take_parts(&x, path);
    free(x.line);
    free(x.head);
    if (ok && x.n_written == 0) {
        cli_error("export", "%s: nothing is kept of that time", path);
        return EXIT_NO;
    }
    return ok ? EXIT_DONE : EXIT_USAGE;
}
