/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * csv - rows of a comma-separated file that nobody vouches for.
 *
 * RFC 4180 with a header line: quoted cells (commas, doubled quotes, line
 * breaks), LF or CRLF, an optional UTF-8 byte-order mark, empty lines
 * skipped.  Refused with FILE:LINE: a NUL byte, a record over CSV_RECORD_MAX
 * bytes, more than CSV_COLUMNS_MAX columns, a row with more or fewer cells
 * than the header, text behind a closing quote, a quote that never closes, an
 * empty or repeated column name.
 */
#ifndef REPLAY_CSV_H
#define REPLAY_CSV_H

#include <stddef.h>

#include "models/err.h"

enum { CSV_RECORD_MAX = 65536, CSV_COLUMNS_MAX = 1024 };

struct csv;

enum csv_got {
    CSV_ROW, /* a row is there */
    CSV_END, /* the file is over */
    CSV_BAD, /* the row is faulty; the next call goes on behind it */
};

/*
 * Open 'path' and read its header.  On failure nothing is left open and 'why'
 * says FILE:LINE: what.  Returns ERR_IO, ERR_MEMORY or ERR_SYNTAX.
 */
CHECKED enum err csv_open(const char *path, struct csv **out, char *why,
                          size_t why_size);

void csv_close(struct csv *csv);

/* The next row; at CSV_BAD 'why' says FILE:LINE: what: expected.  A read
 * error of the file is CSV_BAD once and then CSV_END. */
enum csv_got csv_next(struct csv *csv, char *why, size_t why_size);

/* Index of the column 'name', or -1. */
int csv_column(const struct csv *csv, const char *name);

int csv_columns(const struct csv *csv);
const char *csv_name(const struct csv *csv, int column);

/* Cell of the row that csv_next() returned last, valid until the next call,
 * without leading and trailing spaces; never NULL. */
const char *csv_cell(const struct csv *csv, int column);

/* Line at which that row begins, from 1. */
long csv_line(const struct csv *csv);

/* A finite decimal number and nothing else (no nan, inf, hexadecimal, empty
 * text).  Returns ERR_SYNTAX, or ERR_RANGE where it overflows. */
CHECKED enum err csv_number(const char *cell, double *value);

/* The column names as "a, b, c", cut to 'size'; returns 'out'. */
const char *csv_names(const struct csv *csv, char *out, size_t size);

#endif
