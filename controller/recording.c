/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recording - the reading half.  Every byte of the file is taken as hostile
 * until its checksum is right, and every count after it as well. */
#include "controller/recording.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/delta.h"
#include "controller/parts.h"
#include "controller/recording_format.h"

struct recording {
    FILE *file;
    uint64_t size;
    uint64_t offset;
    unsigned char *header; /* whole; 'head' points into it */
    char *site_text;
    struct recording_head head;
    struct parts parts;
    uint64_t *image;
    unsigned char *content;
    size_t content_max;
    struct snapshot *in;
    struct plan plan;
    struct step_out *out;
    uint64_t sum;
    uint64_t n_ticks;
    uint64_t tick;            /* number of the last whole one */
    enum recording_next last; /* not RECORDING_TICK: stays so */
    char why[192];
};

/* What a message is written to. */
struct told {
    char *why;
    size_t size;
};

static enum err tell(const struct told *told, enum err e, const char *what)
{
    snprintf(told->why, told->size, "%s", what);
    return e;
}

static enum err check_prelude(const struct recording_prelude *p, uint64_t size,
                              const struct told *told)
{
    if (memcmp(p->magic, RECORDING_MAGIC, sizeof(p->magic)) != 0) {
        return tell(told, ERR_SYNTAX, "not a recording");
    }
    if (p->byte_order != RECORDING_BYTE_ORDER) {
        return tell(told, ERR_MISMATCH,
                    "recorded on a machine with another byte order, or the "
                    "header is damaged");
    }
    if (p->format != RECORDING_FORMAT) {
        return tell(told, ERR_MISMATCH,
                    "recorded in another format: verify it with the program "
                    "that wrote it");
    }
    if (p->head_size < sizeof(struct recording_prelude) +
                           sizeof(struct recording_fixed) + sizeof(uint64_t) ||
        p->head_size > size) {
        return tell(told, ERR_RANGE,
                    "the file ends inside its header, or the header is "
                    "damaged");
    }
    return ERR_NONE;
}

/* Bytes of the four pieces that the header's checksum covers, one by one. */
static bool header_pieces(const struct recording_fixed *f, size_t header_size,
                          size_t pieces[4])
{
    size_t rest = header_size - sizeof(struct recording_prelude) - sizeof(*f) -
                  sizeof(uint64_t);
    pieces[0] = sizeof(struct recording_prelude);
    pieces[1] = sizeof(*f);
    pieces[2] = (size_t)f->site_text_size;
    pieces[3] = (size_t)f->state_size;
    return f->site_text_size <= rest &&
           f->state_size == rest - f->site_text_size;
}

static enum err check_header(struct recording *r, size_t n,
                             const struct recording_fixed *f,
                             const struct told *told)
{
    size_t pieces[4];
    if (!header_pieces(f, n, pieces)) {
        return tell(told, ERR_RANGE, "the header is damaged");
    }
    const unsigned char *p = r->header;
    r->sum = RECORDING_SUM_START;
    for (int i = 0; i < 4; i++) {
        r->sum = recording_sum(r->sum, p, pieces[i]);
        p += pieces[i];
    }
    uint64_t sum = 0;
    memcpy(&sum, p, sizeof(sum));
    if (r->sum != sum || memchr(f->build, '\0', sizeof(f->build)) == NULL ||
        memchr(f->site_path, '\0', sizeof(f->site_path)) == NULL) {
        return tell(told, ERR_RANGE, "the header is damaged");
    }
    uint64_t sizes[RECORDING_SIZES];
    recording_sizes(sizes);
    if (memcmp(sizes, f->sizes, sizeof(sizes)) != 0) {
        return tell(told, ERR_MISMATCH,
                    "recorded by another version of the program: verify it "
                    "with that one");
    }
    return ERR_NONE;
}

/* Point 'head' at the parts of the header, whose sizes are known to be right.
 * The state is copied to where any type may begin. */
static enum err take_head(struct recording *r, const struct recording_fixed *f)
{
    const unsigned char *text =
        r->header + sizeof(struct recording_prelude) + sizeof(*f);
    size_t n = (size_t)f->site_text_size;
    r->site_text = malloc(n + 1);
    if (r->site_text == NULL) {
        return ERR_MEMORY;
    }
    memcpy(r->site_text, text, n);
    r->site_text[n] = '\0';
    r->head = (struct recording_head){
        .site_text = r->site_text,
        .site_text_size = n,
        .policy = f->policy,
        .after_tick = f->after_tick,
        .state = r->header,
        .state_size = (size_t)f->state_size,
    };
    memcpy(r->head.site_path, f->site_path, sizeof(r->head.site_path));
    memcpy(r->head.build, f->build, sizeof(r->head.build));
    memmove(r->header, text + n, r->head.state_size);
    return ERR_NONE;
}

static enum err read_header(struct recording *r, const struct told *told)
{
    struct recording_prelude prelude = {{0}, 0, 0, 0};
    size_t done = sizeof(prelude);
    if (fread(&prelude, 1, done, r->file) != done) {
        return tell(told, ERR_SYNTAX, "not a recording: too short");
    }
    enum err e = check_prelude(&prelude, r->size, told);
    if (e != ERR_NONE) {
        return e;
    }
    size_t n = (size_t)prelude.head_size;
    r->header = malloc(n);
    if (r->header == NULL) {
        return tell(told, ERR_MEMORY, "out of memory");
    }
    memcpy(r->header, &prelude, done);
    if (fread(r->header + done, 1, n - done, r->file) != n - done) {
        return tell(told, ERR_IO, "cannot be read");
    }
    struct recording_fixed fixed;
    memcpy(&fixed, r->header + done, sizeof(fixed));
    e = check_header(r, n, &fixed, told);
    if (e != ERR_NONE) {
        return e;
    }
    r->offset = n;
    return take_head(r, &fixed);
}

enum err recording_open(const char *path, struct recording **out, char *why,
                        size_t why_size)
{
    const struct told told = {why, why_size};
    struct recording *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return tell(&told, ERR_MEMORY, "out of memory");
    }
    r->file = fopen(path, "rb");
    struct stat st;
    enum err e = ERR_NONE;
    if (r->file == NULL || fstat(fileno(r->file), &st) != 0) {
        e = tell(&told, ERR_IO, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        e = tell(&told, ERR_IO, "not a plain file");
    } else {
        r->size = (uint64_t)st.st_size;
        e = read_header(r, &told);
    }
    if (e != ERR_NONE) {
        recording_close(r);
        return e;
    }
    *out = r;
    return ERR_NONE;
}

const struct recording_head *recording_head_of(const struct recording *r)
{
    return &r->head;
}

enum err recording_start(struct recording *r, const struct site *site)
{
    assert(r->image == NULL);
    parts_init(&r->parts, site);
    size_t n = r->parts.total_words;
    r->content_max = delta_bound(n);
    r->image = calloc(n, sizeof(*r->image));
    r->content = malloc(r->content_max);
    r->in = parts_snapshot(&r->parts);
    r->out = parts_out(&r->parts);
    bool all = r->image != NULL && r->content != NULL && r->in != NULL &&
               r->out != NULL;
    return all ? ERR_NONE : ERR_MEMORY;
}

static void say_where(struct recording *r, const char *begin, const char *what)
{
    char last[48] = "";
    if (r->n_ticks > 0) {
        snprintf(last, sizeof(last), " (the last is tick %" PRIu64 ")",
                 r->tick);
    }
    snprintf(r->why, sizeof(r->why),
             "%s at byte %" PRIu64 ", after %" PRIu64 " whole tick%s%s: %s",
             begin, r->offset, r->n_ticks, r->n_ticks == 1 ? "" : "s", last,
             what);
}

static enum recording_next damage(struct recording *r, const char *what)
{
    say_where(r, "damaged in the record", what);
    return RECORDING_DAMAGE;
}

static enum recording_next cut(struct recording *r)
{
    say_where(r, "cut short", "the writer was stopped");
    return RECORDING_CUT;
}

/* The next record's content in r->content; RECORDING_TICK where it is whole
 * and its checksum right. */
static enum recording_next read_record(struct recording *r,
                                       enum record_kind *kind, size_t *length)
{
    struct record_head head = {0, 0};
    if (fread(&head, 1, sizeof(head), r->file) != sizeof(head)) {
        return ferror(r->file) ? damage(r, "cannot be read") : cut(r);
    }
    uint64_t sum = recording_sum(r->sum, &head.word, sizeof(head.word));
    uint64_t n = head.word & (record_word(RECORD_TICK, 0) - 1);
    uint64_t k = head.word >> RECORDING_LENGTH_BITS;
    if (sum != head.sum || n > r->content_max ||
        (k != RECORD_TICK && k != RECORD_END)) {
        return damage(r, "its length or checksum is wrong");
    }
    uint64_t told = 0;
    if (fread(r->content, 1, (size_t)n, r->file) != n ||
        fread(&told, 1, sizeof(told), r->file) != sizeof(told)) {
        return ferror(r->file) ? damage(r, "cannot be read") : cut(r);
    }
    sum = recording_sum(sum, r->content, (size_t)n);
    if (sum != told) {
        return damage(r, "its checksum is wrong");
    }
    r->sum = sum;
    *kind = (enum record_kind)k;
    *length = (size_t)n;
    return RECORDING_TICK;
}

static enum recording_next take_end(struct recording *r, size_t length)
{
    uint64_t n_ticks = 0;
    if (length != sizeof(n_ticks)) {
        return damage(r, "the end has a wrong length");
    }
    memcpy(&n_ticks, r->content, sizeof(n_ticks));
    if (n_ticks != r->n_ticks) {
        return damage(r, "the end counts other ticks");
    }
    if (fgetc(r->file) != EOF) {
        return damage(r, "something follows the end");
    }
    return RECORDING_END;
}

static enum recording_next read_next(struct recording *r)
{
    enum record_kind kind = RECORD_TICK;
    size_t length = 0;
    enum recording_next next = read_record(r, &kind, &length);
    if (next != RECORDING_TICK) {
        return next;
    }
    if (kind == RECORD_END) {
        return take_end(r, length);
    }
    if (!delta_decode(r->image, r->parts.total_words, r->content, length)) {
        return damage(r, "its changes lie outside the tick");
    }
    parts_scatter(&r->parts, PART_SNAPSHOT, r->image, r->in);
    parts_scatter(&r->parts, PART_PLAN, r->image, &r->plan);
    parts_scatter(&r->parts, PART_OUT, r->image, r->out);
    const char *what = NULL;
    if (!parts_check(&r->parts, r->in, &r->plan, r->out, &what)) {
        return damage(r, what);
    }
    r->n_ticks++;
    r->tick = r->in->tick;
    r->offset += sizeof(struct record_head) + length + sizeof(uint64_t);
    return RECORDING_TICK;
}

enum recording_next recording_next(struct recording *r,
                                   const struct snapshot **in,
                                   const struct plan **plan,
                                   const struct step_out **out, char *why,
                                   size_t why_size)
{
    assert(r->image != NULL);
    if (r->last == RECORDING_TICK) {
        r->last = read_next(r);
    }
    *in = r->in;
    *plan = &r->plan;
    *out = r->out;
    snprintf(why, why_size, "%s", r->why);
    return r->last;
}

uint64_t recording_ticks(const struct recording *r)
{
    return r->n_ticks;
}

double recording_read_pu(const struct recording *r)
{
    return r->size > 0 ? (double)r->offset / (double)r->size : 1.0;
}

void recording_close(struct recording *r)
{
    if (r->file != NULL) {
        fclose(r->file);
    }
    free(r->header);
    free(r->site_text);
    free(r->image);
    free(r->content);
    free(r->in);
    free(r->out);
    free(r);
}
