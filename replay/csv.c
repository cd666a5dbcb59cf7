/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/csv.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record of this many bytes ends the file: it is no text at all. */
enum { ENDLESS = 64 * CSV_RECORD_MAX };

/* The cells of a record are copied into one text, each with its NUL. */
struct record {
    char text[CSV_RECORD_MAX];
    size_t at[CSV_COLUMNS_MAX];
    int n;
};

struct csv {
    FILE *file;
    char *path;
    long line;  /* being read */
    long first; /* of the current record */
    bool over;
    struct record header;
    struct record row;
};

/* Where the reader stands inside a record. */
enum place { AT_START, IN_PLAIN, IN_QUOTES, AFTER_QUOTES };

struct reader {
    struct record *record;
    enum place place;
    size_t n;          /* bytes of text */
    size_t raw;        /* bytes of the file */
    const char *fault; /* first one, NULL for none */
};

static void fault(struct reader *r, const char *text)
{
    if (r->fault == NULL) {
        r->fault = text;
    }
}

/* A faulty record is read to its end, but no longer kept. */
static void put(struct reader *r, char c)
{
    if (r->n >= CSV_RECORD_MAX) {
        fault(r, "record too long: expected at most 64 KiB");
        return;
    }
    r->record->text[r->n++] = c;
}

static void open_cell(struct reader *r)
{
    if (r->record->n >= CSV_COLUMNS_MAX) {
        fault(r, "too many cells: expected at most 1024");
        return;
    }
    r->record->at[r->record->n++] = r->n;
    r->place = AT_START;
}

/* Ends the cell, without the spaces around it. */
static void close_cell(struct reader *r)
{
    struct record *rec = r->record;
    if (r->fault != NULL) {
        return;
    }
    size_t from = rec->at[rec->n - 1];
    while (r->n > from &&
           (rec->text[r->n - 1] == ' ' || rec->text[r->n - 1] == '\t')) {
        r->n--;
    }
    size_t lead = 0;
    while (from + lead < r->n &&
           (rec->text[from + lead] == ' ' || rec->text[from + lead] == '\t')) {
        lead++;
    }
    rec->at[rec->n - 1] = from + lead;
    put(r, '\0');
}

/* One byte of the record that does not end it. */
static void take(struct reader *r, char c)
{
    switch (r->place) {
    case AT_START:
        if (c == '"') {
            r->place = IN_QUOTES;
            return;
        }
        r->place = IN_PLAIN;
        break;
    case IN_PLAIN:
        break;
    case IN_QUOTES:
        if (c == '"') {
            r->place = AFTER_QUOTES;
        } else {
            put(r, c);
        }
        return;
    case AFTER_QUOTES:
        if (c == '"') {
            put(r, c);
            r->place = IN_QUOTES;
            return;
        }
        break;
    }
    if (c == ',') {
        close_cell(r);
        open_cell(r);
        return;
    }
    if (r->place == AFTER_QUOTES && (c == ' ' || c == '\t')) {
        return;
    }
    if (r->place == AFTER_QUOTES) {
        fault(r, "text behind a closing quote: expected ',' or the line's end");
        return;
    }
    put(r, c);
}

/* Carriage return, line feed, NUL and the end of the file; everything else
 * is take()n.  Returns true at the end of the record. */
static bool feed(struct csv *csv, struct reader *r, int c)
{
    if (c == EOF || (c == '\n' && r->place != IN_QUOTES)) {
        if (c == EOF && r->place == IN_QUOTES) {
            fault(r, "a quote is not closed: expected '\"'");
        }
        csv->line += c == '\n';
        return true;
    }
    r->raw++;
    if (c == '\0') {
        fault(r, "a NUL byte: expected text");
    }
    if (c == '\n') {
        csv->line++;
    }
    if (c == '\r' && r->place != IN_QUOTES) {
        int ahead = getc_unlocked(csv->file);
        if (ahead != EOF) {
            ungetc(ahead, csv->file);
        }
        if (ahead == '\n' || ahead == EOF) {
            r->raw--;
            return false;
        }
    }
    /* An open quote would swallow the rest of a large file. */
    if (r->raw > 2 * CSV_RECORD_MAX && r->place == IN_QUOTES) {
        r->place = IN_PLAIN;
    }
    take(r, (char)c);
    return false;
}

/* Reads one record that is not an empty line. */
static enum csv_got read_record(struct csv *csv, struct record *record,
                                const char **fault_text)
{
    struct reader r = {0};
    int c = 0;
    do {
        r = (struct reader){.record = record};
        record->n = 0;
        csv->first = csv->line;
        open_cell(&r);
        do {
            c = r.raw < ENDLESS ? getc_unlocked(csv->file) : EOF;
        } while (!feed(csv, &r, c));
        close_cell(&r);
    } while (r.raw == 0 && c != EOF);
    if (ferror(csv->file)) {
        csv->over = true;
        *fault_text = "cannot be read on: expected a readable file";
        return CSV_BAD;
    }
    csv->over = c == EOF;
    if (r.fault != NULL) {
        *fault_text = r.fault;
        return CSV_BAD;
    }
    return r.raw == 0 ? CSV_END : CSV_ROW;
}

enum csv_got csv_next(struct csv *csv, char *why, size_t why_size)
{
    if (csv->over) {
        return CSV_END;
    }
    const char *fault_text = NULL;
    enum csv_got got = read_record(csv, &csv->row, &fault_text);
    if (got == CSV_BAD) {
        snprintf(why, why_size, "%s:%ld: %s", csv->path, csv->first,
                 fault_text);
    } else if (got == CSV_ROW && csv->row.n != csv->header.n) {
        snprintf(why, why_size,
                 "%s:%ld: %d cells: expected %d as in the header", csv->path,
                 csv->first, csv->row.n, csv->header.n);
        return CSV_BAD;
    }
    return got;
}

static void skip_byte_order_mark(FILE *file)
{
    static const int mark[] = {0xEF, 0xBB, 0xBF};
    for (int i = 0; i < 3; i++) {
        int c = getc(file);
        if (c != mark[i]) {
            /* a pipe takes one byte back, and does not rewind */
            if (i == 0 && c != EOF) {
                ungetc(c, file);
            } else {
                rewind(file);
            }
            return;
        }
    }
}

static const char *header_fault(const struct csv *csv)
{
    for (int i = 0; i < csv->header.n; i++) {
        const char *name = csv_name(csv, i);
        if (name[0] == '\0') {
            return "a column without a name: expected a header line";
        }
        if (csv_column(csv, name) != i) {
            return "two columns of one name: expected different names";
        }
    }
    return NULL;
}

static enum err read_header(struct csv *csv, char *why, size_t why_size)
{
    skip_byte_order_mark(csv->file);
    const char *text = NULL;
    enum csv_got got = read_record(csv, &csv->header, &text);
    if (got == CSV_END) {
        text = "the file is empty: expected a header line";
    } else if (got == CSV_ROW) {
        text = header_fault(csv);
    }
    if (text == NULL) {
        return ERR_NONE;
    }
    snprintf(why, why_size, "%s:%ld: %s", csv->path, csv->first, text);
    return ERR_SYNTAX;
}

enum err csv_open(const char *path, struct csv **out, char *why,
                  size_t why_size)
{
    struct csv *csv = calloc(1, sizeof(*csv));
    char *copy = strdup(path);
    if (csv == NULL || copy == NULL) {
        free(csv);
        free(copy);
        snprintf(why, why_size, "%s: out of memory", path);
        return ERR_MEMORY;
    }
    csv->path = copy;
    csv->line = 1;
    csv->file = fopen(path, "rb");
    if (csv->file == NULL) {
        snprintf(why, why_size, "%s: cannot be opened: %s", path,
                 strerror(errno));
        csv_close(csv);
        return ERR_IO;
    }
    enum err e = read_header(csv, why, why_size);
    if (e != ERR_NONE) {
        csv_close(csv);
        return e;
    }
    *out = csv;
    return ERR_NONE;
}

void csv_close(struct csv *csv)
{
    if (csv == NULL) {
        return;
    }
    if (csv->file != NULL) {
        fclose(csv->file);
    }
    free(csv->path);
    free(csv);
}

int csv_column(const struct csv *csv, const char *name)
{
    for (int i = 0; i < csv->header.n; i++) {
        if (strcmp(csv_name(csv, i), name) == 0) {
            return i;
        }
    }
    return -1;
}

int csv_columns(const struct csv *csv)
{
    return csv->header.n;
}

const char *csv_name(const struct csv *csv, int column)
{
    assert(column >= 0 && column < csv->header.n);
    return csv->header.text + csv->header.at[column];
}

const char *csv_cell(const struct csv *csv, int column)
{
    assert(column >= 0 && column < csv->row.n);
    return csv->row.text + csv->row.at[column];
}

long csv_line(const struct csv *csv)
{
    return csv->first;
}

enum err csv_number(const char *cell, double *value)
{
    size_t n = strlen(cell);
    if (n == 0 || n > 64 || strspn(cell, "0123456789+-.eE") != n) {
        return ERR_SYNTAX;
    }
    char *end = NULL;
    double x = strtod(cell, &end);
    if (*end != '\0') {
        return ERR_SYNTAX;
    }
    if (!isfinite(x)) {
        return ERR_RANGE;
    }
    *value = x;
    return ERR_NONE;
}

const char *csv_names(const struct csv *csv, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < csv->header.n && n < size; i++) {
        int w = snprintf(out + n, size - n, "%s%s", i == 0 ? "" : ", ",
                         csv_name(csv, i));
        n += w > 0 ? (size_t)w : 0;
    }
    return out;
}
