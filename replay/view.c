/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/units.h"
#include "replay/view_line.h"

enum { LABEL = 10, BAR = 30, CURVE_ROWS = 2, MARGIN = 1 };

/* A frame under way: the rows that are left, the bytes so far. */
struct frame {
    const struct view *v;
    const struct view_status *s;
    struct view_line line;
    int rows_left;
    char *out;
    size_t n;
};

static const char *power(double w, char out[24])
{
    return units_power_text(w, out, 24);
}

/* "+0.42", in MW/min, the unit of the contracts. */
static double per_minute(double w_per_s)
{
    return w_per_s * 60.0 / 1e6;
}

/* A count, "?" where it is not known. */
static const char *count(double n, char out[24])
{
    if (isfinite(n)) {
        snprintf(out, 24, "%.0f", n);
    } else {
        strcpy(out, "?");
    }
    return out;
}

static struct view_line *begin(struct frame *f, const char *label)
{
    f->line = (struct view_line){
        .width = f->v->columns, .color = f->v->color, .utf8 = f->v->utf8};
    view_to(&f->line, MARGIN);
    view_put(&f->line, VIEW_BOLD, "%s", label);
    view_to(&f->line, LABEL);
    return &f->line;
}

static void end(struct frame *f)
{
    static const char behind[] = "\033[K\r\n";
    size_t n = f->line.n;
    if (f->rows_left == 0 || f->n + n + sizeof(behind) > VIEW_FRAME_MAX - 32) {
        return;
    }
    memcpy(f->out + f->n, f->line.bytes, n);
    f->n += n;
    f->rows_left--;
    /* no line break behind the last row: it would scroll */
    const char *tail = f->rows_left > 0 ? behind : "\033[K";
    memcpy(f->out + f->n, tail, strlen(tail) + 1);
    f->n += strlen(tail);
}

static void blank(struct frame *f)
{
    (void)begin(f, "");
    end(f);
}

static void draw_title(struct frame *f)
{
    const struct view_status *s = f->s;
    struct view_line *l = begin(f, "");
    l->n = 0;
    l->columns = 0;
    view_put(l, VIEW_BOLD, " Ballast  %s", s->site);
    view_put(l, VIEW_PLAIN, "  ");
    bool shadow = strcmp(s->mode, "shadow") == 0;
    view_put(l, shadow ? VIEW_YELLOW : VIEW_GREEN, "%s",
             shadow ? "shadow: writes nothing" : "in control");
    if (isfinite(s->uptime_s)) {
        view_put(l, VIEW_DIM, " for %d:%02d", (int)s->uptime_s / 60,
                 (int)s->uptime_s % 60);
    }
    const char *clock = strchr(s->at, 'T');
    if (clock != NULL && strlen(clock) > 8) {
        view_to(l, l->width - 12 - MARGIN);
        view_put(l, VIEW_DIM, "%.8s UTC", clock + 1);
    }
    end(f);
}

static enum view_color judged(double pu)
{
    return pu > 1.0 ? VIEW_RED : pu > 0.9 ? VIEW_YELLOW : VIEW_GREEN;
}

static void draw_grid(struct frame *f)
{
    const struct view_status *s = f->s;
    char a[24];
    char b[24];
    struct view_line *l = begin(f, "grid");
    double pu = s->grid_w / s->import_max_w;
    view_bar(l, judged(pu), pu, BAR);
    view_to(l, LABEL + BAR + 2);
    view_put(l, VIEW_BOLD, "%s", power(s->grid_w, a));
    if (isfinite(s->import_max_w)) {
        view_put(l, VIEW_PLAIN, " of %s", power(s->import_max_w, b));
    }
    if (s->assumed) {
        view_put(l, VIEW_RED, "  assumed");
    }
    end(f);

    l = begin(f, "ramp");
    double ramp_pu = s->ramp_w_per_s / s->ramp_max_w_per_s;
    view_needle(l, judged(fabs(ramp_pu)), ramp_pu, BAR);
    view_to(l, LABEL + BAR + 2);
    if (isfinite(s->ramp_w_per_s) && isfinite(s->ramp_max_w_per_s)) {
        view_put(l, VIEW_BOLD, "%+.2f MW/min", per_minute(s->ramp_w_per_s));
        view_put(l, VIEW_PLAIN, " of %.2f either way",
                 per_minute(s->ramp_max_w_per_s));
    }
    end(f);
}

/* The range both curves are drawn in, so that they compare. */
static void curve_range(const struct view *v, double *lo, double *hi)
{
    *lo = INFINITY;
    *hi = -INFINITY;
    for (int i = 0; i < VIEW_SAMPLES; i++) {
        *lo = fmin(*lo, fmin(v->grid_w[i], v->load_w[i]));
        *hi = fmax(*hi, fmax(v->grid_w[i], v->load_w[i]));
    }
    double least_w = 0.1 * fmax(fabs(*hi), 1e3);
    if (*hi - *lo < least_w) {
        double middle_w = 0.5 * (*hi + *lo);
        *lo = middle_w - 0.5 * least_w;
        *hi = middle_w + 0.5 * least_w;
    }
}

static void draw_curve(struct frame *f, const char *label, const double *w,
                       enum view_color color)
{
    double lo = 0.0;
    double hi = 1.0;
    char text[24];
    curve_range(f->v, &lo, &hi);
    for (int row = 0; row < CURVE_ROWS; row++) {
        struct view_line *l = begin(f, row == 0 ? label : "");
        for (int i = 0; i < VIEW_SAMPLES; i++) {
            view_spark(l, color, (w[i] - lo) / (hi - lo), row, CURVE_ROWS);
        }
        double edge_w = row == 0 ? hi : lo;
        if (isfinite(edge_w)) {
            view_put(l, VIEW_DIM, " %s", power(edge_w, text));
        }
        end(f);
    }
}

static void draw_battery(struct frame *f, const struct view_battery *b)
{
    char text[24];
    struct view_line *l = begin(f, "");
    l->columns = 0;
    l->n = 0;
    view_put(l, VIEW_PLAIN, " %.16s", b->name);
    view_to(l, 18);
    view_bar(l, VIEW_CYAN, b->soc_pu, 20);
    if (isfinite(b->soc_pu)) {
        view_put(l, VIEW_PLAIN, " %5.1f %%", 100.0 * b->soc_pu);
    }
    view_to(l, 49);
    /* below a kilowatt it neither charges nor discharges for a person */
    const char *verb = b->power_w > 500.0    ? "charges"
                       : b->power_w < -500.0 ? "gives"
                                             : "rests";
    view_put(l, VIEW_PLAIN, "%-8s", isfinite(b->power_w) ? verb : "unknown");
    if (fabs(b->power_w) > 500.0) {
        view_put(l, VIEW_BOLD, "%9s", power(fabs(b->power_w), text));
    }
    view_to(l, 69);
    bool ready = strcmp(b->state, "ready") == 0;
    view_put(l, ready ? VIEW_GREEN : VIEW_RED, "%s", b->state);
    end(f);
}

static void draw_batteries(struct frame *f, int max)
{
    const struct view_status *s = f->s;
    int shown = s->n_batteries <= max ? s->n_batteries : max - 1;
    for (int i = 0; i < shown; i++) {
        draw_battery(f, &s->batteries[i]);
    }
    if (shown < s->n_batteries) {
        char text[24];
        struct view_line *l = begin(f, "");
        view_put(l, VIEW_DIM, "and %d more; %s in all", s->n_batteries - shown,
                 power(s->battery_w, text));
        end(f);
    }
}

static void draw_pods(struct frame *f)
{
    const struct view_status *s = f->s;
    char text[24];
    struct view_line *l = begin(f, "pods");
    char n[24];
    view_put(l, VIEW_PLAIN, "%s of ", count(s->pods_online, n));
    view_put(l, VIEW_PLAIN, "%s online", count(s->pods, n));
    view_put(l, VIEW_PLAIN, ", draw %s", power(s->served_w, text));
    if (s->pods_capped > 0.0) {
        view_put(l, VIEW_YELLOW, ", %.0f capped", s->pods_capped);
    }
    if (s->shed_w > 500.0) {
        view_put(l, VIEW_YELLOW, ", %s held back", power(s->shed_w, text));
    } else if (isfinite(s->shed_w)) {
        view_put(l, VIEW_GREEN, ", nothing held back");
    }
    end(f);
}

static void draw_fleets(struct frame *f, int max)
{
    const struct view_status *s = f->s;
    for (int i = 0; i < s->n_fleets && i < max; i++) {
        const struct view_fleet *fl = &s->fleets[i];
        char n[5][24];
        struct view_line *l = begin(f, i == 0 ? "cars" : "");
        view_put(l, VIEW_PLAIN, "%s: %s of %s online, %s compute, %s charge, ",
                 fl->name, count(fl->online, n[0]), count(fl->nodes, n[1]),
                 count(fl->computing, n[2]), count(fl->charging, n[3]));
        view_put(l, VIEW_PLAIN, "%s", power(fl->power_w, n[4]));
        end(f);
    }
}

static void draw_price(struct frame *f)
{
    const struct view_status *s = f->s;
    char text[24];
    struct view_line *l = begin(f, "price");
    if (isfinite(s->price_per_kwh)) {
        view_put(l, VIEW_PLAIN, "%.2f %s/MWh now", s->price_per_kwh * 1e3,
                 s->currency);
        bool fed = strcmp(s->price_source, "feed") == 0;
        bool kept = strcmp(s->price_source, "kept") == 0;
        view_put(l, fed ? VIEW_PLAIN : VIEW_YELLOW, " (%s%s", s->market,
                 fed    ? ""
                 : kept ? ", of the last run"
                        : ", fallback: no news");
        if (kept && isfinite(s->price_age_s)) {
            view_put(l, VIEW_YELLOW, ", %s old",
                     units_duration_text(floor(s->price_age_s), text, 24));
        }
        view_put(l, fed ? VIEW_PLAIN : VIEW_YELLOW, ")");
    } else {
        view_put(l, VIEW_DIM, "none");
    }
    view_put(l, VIEW_PLAIN, "    ");
    view_put(l, VIEW_BOLD, "plan ");
    view_put(l, VIEW_PLAIN, "%s", s->plan[0] != '\0' ? s->plan : "none");
    if (isfinite(s->plan_age_s)) {
        view_put(l, VIEW_DIM, ", %s old",
                 units_duration_text(floor(s->plan_age_s), text, 24));
    }
    end(f);
}

/* Bytes of 'text' that fit in 'columns', cut at a space where there is one. */
static size_t fitting(const char *text, int columns)
{
    size_t n = strlen(text);
    if (n <= (size_t)columns) {
        return n;
    }
    size_t at = (size_t)columns;
    while (at > 0 && text[at] != ' ') {
        at--;
    }
    return at > 0 ? at : (size_t)columns;
}

/* A sentence over at most 'rows' rows. */
static void draw_sentence(struct frame *f, const char *label,
                          enum view_color color, const char *text, int rows)
{
    for (int row = 0; row < rows && *text != '\0'; row++) {
        struct view_line *l = begin(f, row == 0 ? label : "");
        size_t n = fitting(text, f->v->columns - LABEL - MARGIN);
        view_put(l, color, "%.*s", (int)n, text);
        end(f);
        text += n;
        text += strspn(text, " ");
    }
}

static void draw_why(struct frame *f, int rows)
{
    const struct view_status *s = f->s;
    int until = f->rows_left - rows;
    for (int i = 0; i < s->n_why && f->rows_left > until; i++) {
        draw_sentence(f, i == 0 ? "why" : "", VIEW_PLAIN, s->why[i],
                      f->rows_left - until);
    }
    while (f->rows_left > until) {
        blank(f);
    }
}

static void draw_alarm(struct frame *f, int i, int rows)
{
    const struct view_alarm *a = &f->s->alarms[i];
    char text[VIEW_TEXT_MAX + 64];
    snprintf(text, sizeof(text), "%s: %s", a->severity, a->text);
    draw_sentence(f, i == 0 ? "alarms" : "", VIEW_RED, text, rows);
}

static void draw_alarms(struct frame *f, int rows)
{
    const struct view_status *s = f->s;
    if (s->alarms_all == 0) {
        struct view_line *l = begin(f, "alarms");
        view_put(l, VIEW_GREEN, "none");
        end(f);
        return;
    }
    bool more = s->alarms_all > rows;
    int shown = more ? rows - 1 : s->n_alarms;
    for (int i = 0; i < shown && i < s->n_alarms; i++) {
        draw_alarm(f, i, shown == 1 && !more ? rows : 1);
    }
    if (more) {
        struct view_line *l = begin(f, "");
        view_put(l, VIEW_RED, "and %d more", s->alarms_all - shown);
        end(f);
    }
}

static void draw_hint(struct frame *f)
{
    while (f->rows_left > 1) {
        blank(f);
    }
    struct view_line *l = begin(f, "");
    l->n = 0;
    l->columns = 0;
    view_put(l, VIEW_DIM, " %s", f->v->hint);
    end(f);
}

const char *view_frame(const struct view *v, const struct view_status *s,
                       char *out)
{
    struct frame f = {.v = v, .s = s, .rows_left = v->rows, .out = out};
    /* the rows that a higher terminal has go to batteries, fleets, alarms */
    int extra = v->rows > 24 ? v->rows - 24 : 0;
    int fleets = s->n_fleets > 1 && extra > 0 ? 1 + extra / 3 : 1;
    memcpy(out, "\033[H", 4);
    f.n = 3;
    draw_title(&f);
    blank(&f);
    draw_grid(&f);
    blank(&f);
    draw_curve(&f, "load", v->load_w, VIEW_YELLOW);
    draw_curve(&f, "grid", v->grid_w, VIEW_CYAN);
    blank(&f);
    draw_batteries(&f, 3 + extra / 2);
    blank(&f);
    draw_pods(&f);
    draw_fleets(&f, fleets);
    draw_price(&f);
    draw_alarms(&f, 2 + extra / 3);
    blank(&f);
    draw_why(&f, f.rows_left > 2 ? f.rows_left - 2 : 0);
    draw_hint(&f);
    return out;
}

const char *view_summary(const struct view_status *s, char *out, size_t size)
{
    char w[5][24];
    char ramp[2][24];
    char n[3][24];
    snprintf(out, size,
             "%4s s  grid %s of %s, ramp %s of %s, load %s, "
             "batteries %s, pods %s of %s, held back %s, alarms %d: %s",
             count(s->uptime_s, n[2]), power(s->grid_w, w[0]),
             power(s->import_max_w, w[1]),
             units_ramp_text(s->ramp_w_per_s, ramp[0], 24),
             units_ramp_text(s->ramp_max_w_per_s, ramp[1], 24),
             power(s->load_w, w[2]), power(s->battery_w, w[3]),
             count(s->pods_online, n[0]), count(s->pods, n[1]),
             power(s->shed_w, w[4]), s->alarms_all,
             s->n_why > 0 ? s->why[0] : "nothing to say");
    return out;
}
