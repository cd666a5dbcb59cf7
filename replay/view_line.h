/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view_line - one line of the terminal: bytes, and how many columns they take.
 *
 * Text beyond the width is cut; colours take no column.
 */
#ifndef REPLAY_VIEW_LINE_H
#define REPLAY_VIEW_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { VIEW_LINE_MAX = 1200 };

enum view_color {
    VIEW_PLAIN,
    VIEW_BOLD,
    VIEW_DIM,
    VIEW_GREEN,
    VIEW_YELLOW,
    VIEW_RED,
    VIEW_CYAN,
};

struct view_line {
    char bytes[VIEW_LINE_MAX];
    size_t n;
    int columns; /* used */
    int width;
    bool color;
    bool utf8;
};

/* Text in a colour, as printf. */
void view_put(struct view_line *l, enum view_color color, const char *format,
              ...) __attribute__((format(printf, 3, 4)));

/* Spaces up to column 'column'. */
void view_to(struct view_line *l, int column);

/* A bar of 'columns' columns, filled to 'pu' (0..1; NAN: empty). */
void view_bar(struct view_line *l, enum view_color color, double pu,
              int columns);

/* A bar from its middle, -1 left to 1 right. */
void view_needle(struct view_line *l, enum view_color color, double pu,
                 int columns);

/* One row of a curve that is 'rows' high: the part of column height 'pu' that
 * lies in row 'row', counted from the top. */
void view_spark(struct view_line *l, enum view_color color, double pu, int row,
                int rows);

#endif
