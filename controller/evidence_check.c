/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/evidence_check.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a killed process can have left between two lines; more is not
 * believed to be that. */
enum { TORN_MAX = 1 << 20 };

/* One line of the file, at most EVIDENCE_LINE_MAX bytes of it. */
struct line {
    char *bytes;
    size_t n;      /* without the newline */
    bool ended;    /* by one */
    bool too_long; /* the rest is not in 'bytes' */
};

/* What does not fit, until a line "torn" accounts for it. */
struct pending {
    char *bytes;
    size_t n;
    bool overflow;
    int64_t line; /* the first of it; 0: nothing is pending */
    int64_t next_n;
    bool framed;
    bool ended;
    bool too_long;
    struct evidence_frame frame;
    int64_t found; /* line with the number that was expected; 0: none */
};

struct checker {
    struct evidence_check *c;
    struct line line;
    struct pending bad;
    struct evidence_chain chain;
    int64_t at; /* line of the file */
    bool seen_head;
};

static const char begin[] = "{\"n\":";

bool evidence_is_log(FILE *file)
{
    char text[sizeof(begin) - 1];
    size_t n = fread(text, 1, sizeof(text), file);
    rewind(file);
    return n == sizeof(text) && memcmp(text, begin, n) == 0;
}

const char *evidence_fault_name(enum evidence_fault fault)
{
    static const char *const names[] = {
        [EVIDENCE_NO_FAULT] = "none",
        [EVIDENCE_CHANGED] = "changed",
        [EVIDENCE_MISSING] = "missing",
        [EVIDENCE_MOVED] = "moved",
        [EVIDENCE_CUT] = "cut",
        [EVIDENCE_HEADLESS] = "headless",
        [EVIDENCE_NO_SUCH_HEAD] = "no such head",
    };
    return names[fault];
}

/* False at the end of the file. */
static bool read_line(FILE *file, struct line *l)
{
    l->n = 0;
    l->ended = false;
    l->too_long = false;
    int ch = getc(file);
    if (ch == EOF) {
        return false;
    }
    while (ch != EOF && ch != '\n') {
        if (l->n < EVIDENCE_LINE_MAX) {
            l->bytes[l->n++] = (char)ch;
        } else {
            l->too_long = true;
        }
        ch = getc(file);
    }
    l->ended = ch == '\n';
    return true;
}

/* A text or number of a line that is in the chain; the program wrote it, but
 * anyone can make a chain. */
static bool take_text(const cJSON *o, const char *key, char *out, size_t size)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!cJSON_IsString(t) || strlen(t->valuestring) >= size) {
        return false;
    }
    for (const char *p = t->valuestring; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~') {
            return false;
        }
    }
    snprintf(out, size, "%s", t->valuestring);
    return true;
}

static void count(struct evidence_check *c, const struct evidence_frame *f,
                  const cJSON *o)
{
    char because[32] = "";
    take_text(o, "because", because, sizeof(because));
    const struct {
        const char *kind;
        int64_t *n;
    } kinds[] = {
        {"minute", &c->n_minutes}, {"violation", &c->n_violations},
        {"exempt", &c->n_exempt},  {"limit", &c->n_limits},
        {"gap", &c->n_gaps},       {"torn", &c->n_torn},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        *kinds[i].n += strcmp(f->kind, kinds[i].kind) == 0;
    }
    c->n_runs +=
        strcmp(f->kind, "head") == 0 && strcmp(because, "full part") != 0;
    char at[CALENDAR_TEXT_MAX];
    if (take_text(o, "at", at, sizeof(at))) {
        memcpy(c->last_at, at, sizeof(at));
        if (c->first_at[0] == '\0') {
            memcpy(c->first_at, at, sizeof(at));
        }
    }
    c->stopped = strcmp(f->kind, "stop") == 0;
}

/* The line is good: the chain moves on. */
static void accept(struct checker *k, const struct evidence_frame *f,
                   const cJSON *o)
{
    struct evidence_check *c = k->c;
    k->chain.n = f->n;
    memcpy(k->chain.hash, f->hash, sizeof(f->hash));
    c->last = k->chain;
    c->n_good = k->at;
    count(c, f, o);
    c->after_head++;
    if (c->head != NULL && strcmp(c->head, f->hash) == 0) {
        k->seen_head = true;
        c->after_head = 0;
    }
}

static enum evidence_verdict broken(struct checker *k, int64_t line,
                                    enum evidence_fault fault, const char *why)
{
    k->c->bad_line = line;
    k->c->fault = fault;
    snprintf(k->c->why, sizeof(k->c->why), "%s", why);
    return EVIDENCE_BROKEN;
}

/* The first line says where the chain comes from. */
static enum evidence_verdict take_first(struct checker *k)
{
    const struct line *l = &k->line;
    struct evidence_frame f;
    if (!l->ended) {
        return broken(k, 1, EVIDENCE_CUT, "it has no end");
    }
    if (l->too_long || !evidence_frame(l->bytes, l->n, &f)) {
        return broken(k, 1, EVIDENCE_CHANGED,
                      "it is not framed as a line of an evidence log");
    }
    cJSON *o = cJSON_ParseWithLengthOpts(l->bytes, l->n, NULL, false);
    char prev[EVIDENCE_HASH + 1] = "";
    bool told =
        take_text(o, "prev", prev, sizeof(prev)) && evidence_is_hash(prev);
    bool extract = strcmp(f.kind, "extract") == 0;
    struct evidence_chain from = evidence_chain_start();
    enum evidence_verdict v = EVIDENCE_WHOLE;
    if (!extract && strcmp(f.kind, "head") != 0) {
        v = broken(k, 1, EVIDENCE_HEADLESS,
                   "the log begins in the middle: the lines before it, with "
                   "the head, are missing");
    } else if (!extract && told && f.n > 1) {
        memcpy(from.hash, prev, sizeof(prev));
    }
    if (v == EVIDENCE_WHOLE &&
        (!told || !evidence_follows(&from, l->bytes, &f))) {
        v = broken(k, 1, EVIDENCE_CHANGED,
                   "its content does not give its hash");
    }
    if (v == EVIDENCE_WHOLE) {
        k->c->first_n = f.n;
        accept(k, &f, o);
    }
    if (v == EVIDENCE_WHOLE && extract) {
        k->c->is_extract = true;
        memcpy(k->chain.hash, prev, sizeof(prev));
    }
    cJSON_Delete(o);
    return v;
}

static void keep_pending(struct checker *k, bool framed,
                         const struct evidence_frame *f)
{
    struct pending *p = &k->bad;
    const struct line *l = &k->line;
    if (p->line == 0) {
        *p = (struct pending){.bytes = p->bytes,
                              .line = k->at,
                              .framed = framed,
                              .ended = l->ended,
                              .too_long = l->too_long,
                              .frame = *f};
    } else if (p->next_n == 0 && framed) {
        p->next_n = f->n;
    }
    if (framed && f->n == k->chain.n + 1 && p->found == 0) {
        p->found = k->at;
    }
    if (l->too_long || p->n + l->n + 1 > TORN_MAX) {
        p->overflow = true;
        return;
    }
    memcpy(p->bytes + p->n, l->bytes, l->n);
    p->n += l->n;
    p->bytes[p->n++] = '\n';
}

/* Whether 'o', a line "torn" that follows the chain, is about what is
 * pending. */
static bool explains(const struct pending *p, const cJSON *o)
{
    char said[EVIDENCE_HASH + 1] = "";
    char is[EVIDENCE_HASH + 1];
    const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(o, "bytes");
    if (p->line == 0 || p->overflow || p->n == 0 ||
        !take_text(o, "sha256", said, sizeof(said)) || !cJSON_IsNumber(bytes) ||
        bytes->valuedouble != (double)(p->n - 1)) {
        return false;
    }
    evidence_digest(p->bytes, p->n - 1, is);
    return strcmp(said, is) == 0;
}

/* One line after the first. */
static void take(struct checker *k)
{
    const struct line *l = &k->line;
    struct evidence_frame f = {0};
    bool framed =
        l->ended && !l->too_long && evidence_frame(l->bytes, l->n, &f);
    bool next = framed && f.n == k->chain.n + 1 &&
                evidence_follows(&k->chain, l->bytes, &f);
    cJSON *o =
        next ? cJSON_ParseWithLengthOpts(l->bytes, l->n, NULL, false) : NULL;
    bool torn = next && strcmp(f.kind, "torn") == 0;
    if (next && (torn ? explains(&k->bad, o) : k->bad.line == 0)) {
        k->bad.line = 0;
        k->bad.n = 0;
        accept(k, &f, o);
    } else {
        keep_pending(k, framed, &f);
    }
    cJSON_Delete(o);
}

/* What was done to the first line that does not fit. */
static enum evidence_verdict diagnose(struct checker *k)
{
    const struct pending *p = &k->bad;
    int64_t expected = k->chain.n + 1;
    char why[320];
    if (!p->ended) {
        return broken(k, p->line, EVIDENCE_CUT,
                      "it has no end: the process was killed while it wrote, "
                      "or the end of the file was taken away or changed");
    }
    if (!p->framed) {
        return broken(k, p->line, EVIDENCE_CHANGED,
                      p->too_long
                          ? "it is longer than any line of an evidence log"
                          : "it is not framed as a line of an evidence log");
    }
    if (p->frame.n == expected || p->next_n == expected + 1) {
        return broken(k, p->line, EVIDENCE_CHANGED,
                      "its content does not give its hash after the line "
                      "before it");
    }
    if (p->frame.n > expected && p->found == 0) {
        if (p->frame.n == expected + 1) {
            snprintf(why, sizeof(why),
                     "the line with n %" PRId64 " is missing before it",
                     expected);
        } else {
            snprintf(why, sizeof(why),
                     "the lines with n %" PRId64 " to %" PRId64
                     " are missing before it",
                     expected, p->frame.n - 1);
        }
        return broken(k, p->line, EVIDENCE_MISSING, why);
    }
    snprintf(why, sizeof(why),
             "it has n %" PRId64 " where %" PRId64 " was expected%s",
             p->frame.n, expected,
             p->found != 0 ? ", which comes later: lines were reordered"
                           : ": a line was moved or repeated");
    return broken(k, p->line, EVIDENCE_MOVED, why);
}

static enum evidence_verdict run(struct checker *k, FILE *file)
{
    struct evidence_check *c = k->c;
    enum evidence_verdict v = EVIDENCE_WHOLE;
    while (v == EVIDENCE_WHOLE && read_line(file, &k->line)) {
        k->at++;
        if (k->at == 1) {
            v = take_first(k);
        } else {
            take(k);
        }
    }
    if (ferror(file)) {
        snprintf(c->why, sizeof(c->why), "it cannot be read");
        return EVIDENCE_UNREADABLE;
    }
    if (v == EVIDENCE_WHOLE && k->bad.line != 0) {
        v = diagnose(k);
    }
    if (v == EVIDENCE_WHOLE && c->head != NULL && !k->seen_head) {
        v = broken(k, 0, EVIDENCE_NO_SUCH_HEAD,
                   "no line has the hash asked for: the end of the log was "
                   "taken away, or all of it was written anew");
    }
    return v;
}

enum evidence_verdict evidence_check(FILE *file, struct evidence_check *c)
{
    const char *head = c->head;
    *c = (struct evidence_check){.head = head};
    if (!evidence_is_log(file)) {
        snprintf(c->why, sizeof(c->why), "it is not an evidence log");
        return EVIDENCE_NOT_ONE;
    }
    struct checker k = {.c = c, .chain = evidence_chain_start()};
    k.line.bytes = malloc(EVIDENCE_LINE_MAX);
    k.bad.bytes = malloc(TORN_MAX);
    enum evidence_verdict v = EVIDENCE_UNREADABLE;
    if (k.line.bytes != NULL && k.bad.bytes != NULL) {
        v = run(&k, file);
    } else {
        snprintf(c->why, sizeof(c->why), "out of memory");
    }
    free(k.line.bytes);
    free(k.bad.bytes);
    return v;
}
