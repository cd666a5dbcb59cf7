/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_curve.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

static const double rounding_pu = 4.0 * DBL_EPSILON;
/* Points nearer than that are one. */
static const double near_pu = 1e-13;

void schedule_curve_clear(struct schedule_curve *c, double dust)
{
    c->n = 0;
    c->full = false;
    c->dust = dust;
    c->low = 0.0;
}

/* The last point, where it may be left out once x, y follows. */
static void leave_out(struct schedule_curve *c, double x, double y)
{
    int n = c->n;
    if (n < 2) {
        return;
    }
    double part = (c->x[n - 1] - c->x[n - 2]) / (x - c->x[n - 2]);
    double over = c->y[n - 1] - c->y[n - 2] - part * (y - c->y[n - 2]);
    double rounding = rounding_pu * (fabs(y) + fabs(c->y[n - 1]));
    double low = fabs(over) + c->low;
    if (low <= rounding || (over >= 0.0 && low <= c->dust)) {
        c->low = low;
        c->n = n - 1;
    } else {
        c->low = 0.0;
    }
}

void schedule_curve_push(struct schedule_curve *c, double x, double y)
{
    if (c->full) {
        return;
    }
    if (c->n > 0 && x - c->x[c->n - 1] <= near_pu * fabs(x)) {
        c->y[c->n - 1] = fmin(c->y[c->n - 1], y);
        return;
    }
    leave_out(c, x, y);
    if (c->n == SCHEDULE_CURVE_MAX) {
        c->n = 0;
        c->full = true;
        return;
    }
    c->x[c->n] = x;
    c->y[c->n] = y;
    c->n++;
}

/* A curve, moved and mirrored, that is read from left to right. */
struct reader {
    const struct schedule_curve *c;
    double shift;
    double tilt;   /* a slope on top, of the curve's own x */
    bool mirrored; /* x means -x */
    int k;         /* the next point */
};

static int index_of(const struct reader *r, int k)
{
    return r->mirrored ? r->c->n - 1 - k : k;
}

static double point_x(const struct reader *r, int k)
{
    double x = r->c->x[index_of(r, k)];
    return (r->mirrored ? -x : x) + r->shift;
}

static double point_y(const struct reader *r, int k)
{
    int i = index_of(r, k);
    double x = r->mirrored ? -r->c->x[i] : r->c->x[i];
    return r->c->y[i] + r->tilt * x;
}

static double next_x(const struct reader *r)
{
    return r->k < r->c->n ? point_x(r, r->k) : INFINITY;
}

/* At 'x' between the points k - 1 and k; INFINITY outside. */
static double read_at(const struct reader *r, double x)
{
    if (r->k == 0 || r->k == r->c->n) {
        return INFINITY;
    }
    double x0 = point_x(r, r->k - 1);
    double x1 = point_x(r, r->k);
    double y0 = point_y(r, r->k - 1);
    double y1 = point_y(r, r->k);
    double part = fmin(fmax((x - x0) / (x1 - x0), 0.0), 1.0);
    return y0 + part * (y1 - y0);
}

static void skip_to(struct reader *r, double x)
{
    while (r->k < r->c->n && point_x(r, r->k) <= x) {
        r->k++;
    }
}

/* Lines over the same interval: their heights at its ends. */
struct line {
    double from;
    double to;
};

static double lowest(const struct line *lines, int n, double part)
{
    double y = INFINITY;
    for (int i = 0; i < n; i++) {
        double at = lines[i].from + part * (lines[i].to - lines[i].from);
        y = isfinite(lines[i].from) ? fmin(y, at) : y;
    }
    return y;
}

/* The lowest of some lines from x0 to x1; what is pushed at both ends is met
 * again by the neighbours. */
static void push_lowest(struct schedule_curve *out, const struct line *lines,
                        int n, const double x[2])
{
    double parts[5] = {0.0, 1.0};
    int m = 2;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            double before = lines[i].from - lines[j].from;
            double after = lines[i].to - lines[j].to;
            if (isfinite(before) && before * after < 0.0) {
                parts[m++] = before / (before - after);
            }
        }
    }
    for (int i = 1; i < m; i++) {
        for (int j = i; j > 0 && parts[j] < parts[j - 1]; j--) {
            double swap = parts[j];
            parts[j] = parts[j - 1];
            parts[j - 1] = swap;
        }
    }
    for (int i = 0; i < m; i++) {
        double y = lowest(lines, n, parts[i]);
        if (isfinite(y)) {
            double at = i == m - 1 ? x[1] : x[0] + parts[i] * (x[1] - x[0]);
            schedule_curve_push(out, at, y);
        }
    }
}

/* The least of the points in a window that moves to the right. */
struct window {
    struct reader *points;
    int first;
    int end;
    int16_t at[SCHEDULE_CURVE_MAX];
};

static void take_point(struct window *w, int k)
{
    double y = point_y(w->points, k);
    while (w->end > w->first && point_y(w->points, w->at[w->end - 1]) >= y) {
        w->end--;
    }
    w->at[w->end++] = (int16_t)k;
}

static void mirror(struct schedule_curve *c)
{
    for (int i = 0; i < c->n / 2; i++) {
        int j = c->n - 1 - i;
        double x = c->x[i];
        double y = c->y[i];
        c->x[i] = c->x[j];
        c->y[i] = c->y[j];
        c->x[j] = x;
        c->y[j] = y;
    }
    for (int i = 0; i < c->n; i++) {
        c->x[i] = -c->x[i];
    }
}

/* With the slope taken off, it is the least in the window behind x: at one of
 * its ends or at a point between. */
void schedule_curve_go(const struct schedule_curve *from,
                       const struct schedule_curve_way *way,
                       struct schedule_curve *out)
{
    bool back = way->most < 0.0;
    double most = fabs(way->most);
    schedule_curve_clear(out, from->dust);
    struct reader here = {from, 0.0, -way->slope, back, 0};
    struct reader behind = {from, most, -way->slope, back, 0};
    struct window w = {.points = &here};
    out->full = from->full;
    double x = from->n > 0 ? next_x(&here) : INFINITY;
    if (from->n == 1) {
        double y = from->y[0];
        schedule_curve_push(out, x, y);
        schedule_curve_push(out, x + most, y + way->slope * most);
    }
    while (from->n > 1) {
        while (here.k < from->n && point_x(&here, here.k) <= x) {
            take_point(&w, here.k++);
        }
        skip_to(&behind, x);
        double to = fmin(next_x(&here), next_x(&behind));
        if (!isfinite(to)) {
            break;
        }
        while (w.first < w.end && point_x(&behind, w.at[w.first]) < to) {
            w.first++;
        }
        double least =
            w.first < w.end ? point_y(&here, w.at[w.first]) : INFINITY;
        const struct line lines[] = {
            {read_at(&here, x), read_at(&here, to)},
            {read_at(&behind, x), read_at(&behind, to)},
            {least, least}};
        struct line tilted[3];
        for (int i = 0; i < 3; i++) {
            tilted[i].from = lines[i].from + way->slope * x;
            tilted[i].to = lines[i].to + way->slope * to;
        }
        push_lowest(out, tilted, 3, (const double[]){x, to});
        x = to;
    }
    if (back) {
        mirror(out);
    }
}

void schedule_curve_lower(const struct schedule_curve *a,
                          const struct schedule_curve *b,
                          struct schedule_curve *out)
{
    schedule_curve_clear(out, a->dust);
    struct reader ra = {a, 0.0, 0.0, false, 0};
    struct reader rb = {b, 0.0, 0.0, false, 0};
    out->full = a->full || b->full;
    double x = fmin(next_x(&ra), next_x(&rb));
    while (isfinite(x) && !out->full) {
        skip_to(&ra, x);
        skip_to(&rb, x);
        double to = fmin(next_x(&ra), next_x(&rb));
        if (!isfinite(to)) {
            break;
        }
        const struct line lines[] = {{read_at(&ra, x), read_at(&ra, to)},
                                     {read_at(&rb, x), read_at(&rb, to)}};
        push_lowest(out, lines, 2, (const double[]){x, to});
        x = to;
    }
}

/* The index of the first point right of x. */
static int right_of(const struct schedule_curve *c, double x)
{
    int lo = 0;
    int hi = c->n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (c->x[mid] <= x) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static double value_at(const struct schedule_curve *c, double x)
{
    int k = right_of(c, x);
    if (k == 0 || k == c->n) {
        return c->y[k == 0 ? 0 : c->n - 1];
    }
    double part = (x - c->x[k - 1]) / (c->x[k] - c->x[k - 1]);
    return c->y[k - 1] + part * (c->y[k] - c->y[k - 1]);
}

void schedule_curve_add(const struct schedule_curve *a,
                        const struct schedule_curve *b,
                        struct schedule_curve *out)
{
    schedule_curve_clear(out, a->dust);
    out->full = a->full || b->full;
    if (a->n == 0 || b->n == 0) {
        return;
    }
    double x = fmax(a->x[0], b->x[0]);
    double end = fmin(a->x[a->n - 1], b->x[b->n - 1]);
    while (x <= end) {
        schedule_curve_push(out, x, value_at(a, x) + value_at(b, x));
        int ka = right_of(a, x);
        int kb = right_of(b, x);
        x = fmin(ka < a->n ? a->x[ka] : INFINITY,
                 kb < b->n ? b->x[kb] : INFINITY);
    }
}

double schedule_curve_least(const struct schedule_curve *c)
{
    double y = INFINITY;
    for (int i = 0; i < c->n; i++) {
        y = fmin(y, c->y[i]);
    }
    return y;
}
