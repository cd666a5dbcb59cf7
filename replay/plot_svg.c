/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/plot_svg.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "models/calendar.h"
#include "replay/xml_text.h"

/* The sheet and the frame in it. */
static const double sheet_w = 1180.0;
static const double sheet_h = 520.0;
static const double left = 84.0;
static const double right = 1156.0;
static const double top = 96.0;
static const double bottom = 456.0;

static const char ink[] = "#1f2933";
static const char pale[] = "#616e7c";
static const char grid_colour[] = "#e4e7eb";
static const char band_colour[] = "#cbe6f7";
static const char mean_colour[] = "#1380c4";

/* Seconds between ticks that people like. */
static const double steps_s[] = {
    0.1,   0.2,   0.5,   1,      2,      5,      10,      20,      30,
    60,    120,   300,   600,    1200,   1800,   3600,    7200,    10800,
    21600, 43200, 86400, 172800, 345600, 604800, 1209600, 2592000,
};

/* From values to the sheet. */
struct frame {
    const struct plot_svg *p;
    FILE *out;
    double lo, hi; /* of the values shown */
    double factor; /* values to the unit shown */
    char unit[32];
};

static double x_of(const struct frame *f, double i)
{
    return left + (right - left) * i / (double)(f->p->n - 1);
}

static double y_of(const struct frame *f, double y)
{
    return bottom - (bottom - top) * (y - f->lo) / (f->hi - f->lo);
}

static void widen(struct frame *f, const double *y)
{
    for (size_t i = 0; i < f->p->n; i++) {
        if (isfinite(y[i])) {
            f->lo = fmin(f->lo, y[i]);
            f->hi = fmax(f->hi, y[i]);
        }
    }
}

/* 1, 2 or 5 times a power of ten, for about 'n' ticks over 'range'. */
static double nice_step(double range, double n)
{
    double raw = range / n;
    double base = pow(10.0, floor(log10(raw)));
    double m = raw / base;
    return base * (m <= 1.0 ? 1.0 : m <= 2.0 ? 2.0 : m <= 5.0 ? 5.0 : 10.0);
}

/* What came decides; a band that is far wider is cut off at the frame. */
static void choose_range(struct frame *f)
{
    f->lo = INFINITY;
    f->hi = -INFINITY;
    widen(f, f->p->came);
    if (!(f->lo <= f->hi)) {
        f->lo = 0.0;
        f->hi = 1.0;
    }
    double lo = f->lo;
    double hi = f->hi;
    double range = fmax(hi - lo, 0.01 * fmax(fabs(hi), fabs(lo)));
    range = fmax(range, 1e-9);
    widen(f, f->p->lo);
    widen(f, f->p->hi);
    f->lo = fmax(f->lo, lo - 0.4 * range) - 0.05 * range;
    f->hi = fmin(f->hi, hi + 0.4 * range) + 0.05 * range;
    if (lo >= 0.0 && f->lo < 0.35 * f->hi) {
        f->lo = 0.0;
    }
}

static void choose_unit(struct frame *f)
{
    double most = fmax(fabs(f->lo), fabs(f->hi));
    f->factor = 1.0;
    snprintf(f->unit, sizeof(f->unit), "%.30s", f->p->unit);
    if (strcmp(f->p->unit, "W") == 0 && most >= 1e3) {
        bool mega = most >= 1e6;
        f->factor = mega ? 1e-6 : 1e-3;
        snprintf(f->unit, sizeof(f->unit), mega ? "MW" : "kW");
    }
}

static void text(const struct frame *f, double x, double y, const char *style,
                 const char *words)
{
    fprintf(f->out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
    xml_text_print(words, f->out);
    fprintf(f->out, "</text>\n");
}

static void draw_heights(const struct frame *f)
{
    double step = nice_step((f->hi - f->lo) * f->factor, 6.0);
    double from = ceil(f->lo * f->factor / step - 1e-9);
    double to = floor(f->hi * f->factor / step + 1e-9);
    int digits = (int)fmax(0.0, -floor(log10(step) + 1e-9));
    for (double i = from; i <= to; i += 1.0) {
        double y = y_of(f, i * step / f->factor);
        char label[32];
        snprintf(label, sizeof(label), "%.*f", digits, i * step + 0.0);
        fprintf(f->out,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
                "stroke=\"%s\"/>\n",
                left, right, y, y, grid_colour);
        text(f, left - 10.0, y + 4.0, "class=\"tick\" text-anchor=\"end\"",
             label);
    }
    text(f, left - 10.0, top - 12.0, "class=\"tick\" text-anchor=\"end\"",
         f->unit);
}

static double tick_step_s(double length_s)
{
    size_t n = sizeof(steps_s) / sizeof(steps_s[0]);
    for (size_t i = 0; i < n; i++) {
        if (length_s / steps_s[i] <= 12.0) {
            return steps_s[i];
        }
    }
    return nice_step(length_s, 8.0);
}

/* Days are shown by their date where it is known. */
static bool by_date(const struct frame *f, double step_s)
{
    return step_s >= 43200.0 && f->p->start_utc_ms >= 0;
}

/* "12.5", "4:10", "1:04:10", or a date; 's' since the begin. */
static void time_label(const struct frame *f, double s, double step_s,
                       char *out, size_t size)
{
    long long whole = llround(floor(s + 1e-6));
    if (by_date(f, step_s)) {
        char stamp[CALENDAR_TEXT_MAX];
        calendar_format_utc(f->p->start_utc_ms + llround(s * 1e3), stamp);
        bool midnight = strncmp(stamp + 11, "00:00", 5) == 0;
        snprintf(out, size, "%.*s", midnight ? 10 : 5,
                 midnight ? stamp : stamp + 11);
    } else if (step_s < 1.0) {
        snprintf(out, size, "%.1f", s);
    } else if (step_s >= 43200.0) {
        snprintf(out, size, "%.1f", s / 86400.0);
    } else if (s < 3600.0) {
        snprintf(out, size, "%lld:%02lld", whole / 60, whole % 60);
    } else {
        snprintf(out, size, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                 whole % 60);
    }
}

static const char *time_unit(const struct frame *f, double step_s)
{
    if (step_s >= 43200.0) {
        return by_date(f, step_s) ? "date" : "days since the begin";
    }
    return step_s < 1.0 ? "seconds since the begin"
                        : "time since the begin (min:s or h:min:s)";
}

static void draw_times(const struct frame *f)
{
    double length_s = (double)(f->p->n - 1) * f->p->step_s;
    double step_s = tick_step_s(length_s);
    double into_s = by_date(f, step_s)
                        ? fmod((double)f->p->start_utc_ms / 1e3, 86400.0)
                        : 0.0;
    double from_s = f->p->start_s + into_s;
    double first = ceil(from_s / step_s - 1e-9);
    double last = floor((from_s + length_s) / step_s + 1e-9);
    for (double i = first; i <= last; i += 1.0) {
        double s = i * step_s - into_s;
        double x = x_of(f, (s - f->p->start_s) / f->p->step_s);
        char label[48];
        time_label(f, s, step_s, label, sizeof(label));
        fprintf(f->out,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
                "stroke=\"%s\"/>\n",
                x, x, bottom, bottom + 5.0, pale);
        text(f, x, bottom + 20.0, "class=\"tick\" text-anchor=\"middle\"",
             label);
    }
    text(f, 0.5 * (left + right), bottom + 44.0,
         "class=\"tick\" text-anchor=\"middle\"", time_unit(f, step_s));
}

/* End of the run of values from 'i' on that are all there. */
static size_t run_end(const struct frame *f, const double *a, const double *b,
                      size_t i)
{
    while (i < f->p->n && isfinite(a[i]) && isfinite(b[i])) {
        i++;
    }
    return i;
}

static void draw_line(const struct frame *f, const double *y, const char *style)
{
    for (size_t i = 0; i < f->p->n; i++) {
        size_t end = run_end(f, y, y, i);
        if (end - i >= 2) {
            fprintf(f->out, "<polyline %s points=\"", style);
            for (size_t k = i; k < end; k++) {
                fprintf(f->out, "%.1f,%.1f ", x_of(f, (double)k),
                        y_of(f, y[k]));
            }
            fprintf(f->out, "\"/>\n");
        }
        i = end;
    }
}

static void draw_band(const struct frame *f)
{
    const double *lo = f->p->lo;
    const double *hi = f->p->hi;
    for (size_t i = 0; i < f->p->n; i++) {
        size_t end = run_end(f, lo, hi, i);
        if (end - i >= 2) {
            fprintf(f->out, "<polygon fill=\"%s\" points=\"", band_colour);
            for (size_t k = i; k < end; k++) {
                fprintf(f->out, "%.1f,%.1f ", x_of(f, (double)k),
                        y_of(f, hi[k]));
            }
            for (size_t k = end; k > i; k--) {
                fprintf(f->out, "%.1f,%.1f ", x_of(f, (double)(k - 1)),
                        y_of(f, lo[k - 1]));
            }
            fprintf(f->out, "\"/>\n");
        }
        i = end;
    }
}

static void draw_legend(const struct frame *f)
{
    double y = top - 16.0;
    /* about 6.6 a letter of the key's font */
    double name_w = 62.0 + 6.6 * (double)strlen(f->p->forecast_name);
    double x = right - 236.0 - name_w;
    fprintf(f->out,
            "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
            "stroke=\"%s\" stroke-width=\"1.6\"/>\n",
            x, x + 26.0, y - 4.0, y - 4.0, ink);
    text(f, x + 32.0, y, "class=\"key\"", "what came");
    x += 120.0;
    fprintf(f->out,
            "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
            "stroke=\"%s\" stroke-width=\"1.6\"/>\n",
            x, x + 26.0, y - 4.0, y - 4.0, mean_colour);
    text(f, x + 32.0, y, "class=\"key\"", f->p->forecast_name);
    x += name_w;
    fprintf(f->out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"26\" height=\"10\" "
            "fill=\"%s\"/>\n",
            x, y - 9.0, band_colour);
    text(f, x + 32.0, y, "class=\"key\"", "10 to 90 %");
}

static void draw_head(const struct frame *f)
{
    fprintf(f->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f "
            "%.0f\" width=\"%.0f\" height=\"%.0f\" font-family=\"DejaVu "
            "Sans, Helvetica, Arial, sans-serif\">\n"
            "<style>.tick{font-size:12px;fill:%s}.key{font-size:13px;fill:%s}"
            "</style>\n"
            "<clipPath id=\"frame\"><rect x=\"%.1f\" y=\"%.1f\" "
            "width=\"%.1f\" height=\"%.1f\"/></clipPath>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            sheet_w, sheet_h, sheet_w, sheet_h, pale, ink, left, top,
            right - left, bottom - top);
    char style[96];
    snprintf(style, sizeof(style),
             "font-size=\"18\" font-weight=\"bold\" fill=\"%s\"", ink);
    text(f, 24.0, 32.0, style, f->p->title);
    snprintf(style, sizeof(style), "font-size=\"14\" fill=\"%s\"", pale);
    text(f, 24.0, 54.0, style, f->p->subtitle);
}

enum err plot_svg_write(const struct plot_svg *p, FILE *out)
{
    assert(p->n >= 2 && p->step_s > 0.0);
    struct frame f = {.p = p, .out = out};
    choose_range(&f);
    choose_unit(&f);
    draw_head(&f);
    draw_heights(&f);
    draw_times(&f);
    fprintf(out, "<g clip-path=\"url(#frame)\" stroke-linejoin=\"round\">\n");
    char style[96];
    draw_band(&f);
    snprintf(style, sizeof(style),
             "fill=\"none\" stroke=\"%s\" stroke-width=\"2\"", mean_colour);
    draw_line(&f, p->mean, style);
    snprintf(style, sizeof(style),
             "fill=\"none\" stroke=\"%s\" stroke-width=\"1.2\"", ink);
    draw_line(&f, p->came, style);
    fprintf(out, "</g>\n");
    draw_legend(&f);
    fprintf(out, "</svg>\n");
    return fflush(out) == 0 && ferror(out) == 0 ? ERR_NONE : ERR_IO;
}
