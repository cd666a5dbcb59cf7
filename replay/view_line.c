/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/view_line.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const codes[] = {
    [VIEW_PLAIN] = "",          [VIEW_BOLD] = "\033[1m",
    [VIEW_DIM] = "\033[2m",     [VIEW_GREEN] = "\033[32m",
    [VIEW_YELLOW] = "\033[33m", [VIEW_RED] = "\033[1;31m",
    [VIEW_CYAN] = "\033[36m",
};

/* Eighths of a column from the left, and of a row from below. */
static const char *const left[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const below[] = {" ", "▁", "▂", "▃", "▄",
                                    "▅", "▆", "▇", "█"};
static const char below_ascii[] = " .:#";

enum { EIGHTHS = 8, CODE_MAX = 8 };

static void raw(struct view_line *l, const char *bytes)
{
    size_t n = strlen(bytes);
    /* room is always kept for the sequence that ends a colour */
    if (l->n + n + CODE_MAX < sizeof(l->bytes)) {
        memcpy(l->bytes + l->n, bytes, n + 1);
        l->n += n;
    }
}

static void start(struct view_line *l, enum view_color color)
{
    if (l->color && color != VIEW_PLAIN) {
        raw(l, codes[color]);
    }
}

static void stop(struct view_line *l, enum view_color color)
{
    if (l->color && color != VIEW_PLAIN) {
        memcpy(l->bytes + l->n, "\033[0m", 5);
        l->n += 4;
    }
}

/* Whole characters as far as there is width. */
static void characters(struct view_line *l, const char *text)
{
    while (*text != '\0' && l->columns < l->width) {
        char one[5] = {*text++};
        for (int i = 1; i < 4 && ((unsigned char)*text & 0xC0) == 0x80; i++) {
            one[i] = *text++;
        }
        raw(l, l->utf8 || ((unsigned char)one[0] & 0x80) == 0 ? one : "?");
        l->columns++;
    }
}

void view_put(struct view_line *l, enum view_color color, const char *format,
              ...)
{
    char text[VIEW_LINE_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    start(l, color);
    characters(l, text);
    stop(l, color);
}

void view_to(struct view_line *l, int column)
{
    while (l->columns < column && l->columns < l->width) {
        raw(l, " ");
        l->columns++;
    }
}

static double clamp(double x, double lo, double hi)
{
    return isnan(x) ? lo : fmax(lo, fmin(hi, x));
}

void view_bar(struct view_line *l, enum view_color color, double pu,
              int columns)
{
    int eighths = (int)lround(clamp(pu, 0.0, 1.0) * columns * EIGHTHS);
    int full = eighths / EIGHTHS;
    int part = eighths % EIGHTHS;
    start(l, color);
    for (int i = 0; i < full; i++) {
        characters(l, l->utf8 ? left[EIGHTHS] : "#");
    }
    if (full < columns && part > 0) {
        characters(l, l->utf8 ? left[part] : part > 3 ? "#" : ".");
        full++;
    }
    stop(l, color);
    start(l, VIEW_DIM);
    for (int i = full; i < columns; i++) {
        characters(l, l->utf8 ? "·" : ".");
    }
    stop(l, VIEW_DIM);
}

void view_needle(struct view_line *l, enum view_color color, double pu,
                 int columns)
{
    int half = columns / 2;
    int end = (int)lround(clamp(pu, -1.0, 1.0) * half);
    for (int i = -half; i <= half; i++) {
        bool on = (i < 0 && i >= end) || (i > 0 && i <= end);
        enum view_color shade = on ? color : VIEW_DIM;
        start(l, shade);
        if (i == 0) {
            characters(l, l->utf8 ? "│" : "|");
        } else if (on) {
            characters(l, l->utf8 ? "█" : "#");
        } else {
            characters(l, l->utf8 ? "·" : ".");
        }
        stop(l, shade);
    }
}

void view_spark(struct view_line *l, enum view_color color, double pu, int row,
                int rows)
{
    if (isnan(pu)) {
        characters(l, " ");
        return;
    }
    /* the lowest row never shows nothing: a low value is not a missing one */
    double height = clamp(pu, 0.0, 1.0) * rows - (rows - 1 - row);
    double least = row == rows - 1 ? 1.0 / EIGHTHS : 0.0;
    double part = clamp(height, least, 1.0);
    start(l, color);
    characters(l, l->utf8 ? below[(int)lround(part * EIGHTHS)]
                          : (char[2]){below_ascii[(int)ceil(part * 3.0)]});
    stop(l, color);
}
