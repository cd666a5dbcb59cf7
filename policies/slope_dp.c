/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/slope_dp.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A convex function: where it begins and its pieces. */
struct convex {
    double begin;
    int n;
    struct slope_piece *at;
};

/* Half as many pieces, each the mean of two. */
static void coarsen(struct convex *v)
{
    int n = 0;
    for (int i = 0; i < v->n; i += 2) {
        struct slope_piece a = v->at[i];
        struct slope_piece b =
            i + 1 < v->n ? v->at[i + 1] : (struct slope_piece){0.0, 0.0};
        double width = a.width + b.width;
        double area = a.slope * a.width + b.slope * b.width;
        v->at[n++] =
            (struct slope_piece){width > 0.0 ? area / width : a.slope, width};
    }
    v->n = n;
}

/* 'to' becomes the least of cost(change) + from(energy + change). */
static void step_back(const struct slope_step *s, const struct convex *from,
                      struct convex *to)
{
    double change_max = s->change_min;
    for (int i = 0; i < s->n; i++) {
        change_max += s->pieces[i].width;
    }
    to->begin = from->begin - change_max;
    to->n = 0;
    int a = 0;
    int b = s->n - 1;
    while (a < from->n || b >= 0) {
        bool old =
            b < 0 || (a < from->n && from->at[a].slope <= -s->pieces[b].slope);
        struct slope_piece piece =
            old ? from->at[a++]
                : (struct slope_piece){-s->pieces[b].slope, s->pieces[b].width};
        b -= old ? 0 : 1;
        if (piece.width > 0.0) {
            to->at[to->n++] = piece;
        }
    }
}

static void cut(struct convex *v, double lo, double hi)
{
    int first = 0;
    while (first < v->n && v->begin < lo) {
        double off = fmin(v->at[first].width, lo - v->begin);
        v->begin += off;
        v->at[first].width -= off;
        if (v->at[first].width > 0.0) {
            break;
        }
        first++;
    }
    v->begin = fmax(v->begin, lo);
    memmove(v->at, v->at + first, (size_t)(v->n - first) * sizeof(*v->at));
    v->n -= first;
    double end = v->begin;
    for (int i = 0; i < v->n; i++) {
        if (end + v->at[i].width >= hi) {
            v->at[i].width = fmax(hi - end, 0.0);
            v->n = i + 1;
            return;
        }
        end += v->at[i].width;
    }
}

static void keep(struct slope_work *w, int t, struct convex *v)
{
    /* An equal share of what is left for each of the steps to come. */
    size_t room = (w->n_pool - w->first[t + 1]) / (size_t)(t + 1);
    while ((size_t)v->n > room && v->n > 1) {
        coarsen(v);
    }
    size_t n = (size_t)v->n <= room ? (size_t)v->n : room;
    w->begin[t] = v->begin;
    memcpy(w->pool + w->first[t + 1], v->at, n * sizeof(*v->at));
    w->first[t] = w->first[t + 1] + n;
}

/* From 'energy' the change that costs least with what comes after it. */
static double choose(const struct slope_step *s, const struct slope_piece *v,
                     const struct slope_piece *v_end, double begin,
                     double energy)
{
    double at = energy + s->change_min;
    int i = 0;
    double left = s->n > 0 ? s->pieces[0].width : 0.0;
    while (at < begin && i < s->n) {
        double go = fmin(left, begin - at);
        at += go;
        left -= go;
        if (left <= 0.0 && ++i < s->n) {
            left = s->pieces[i].width;
        }
        if (go <= 0.0 && left <= 0.0 && i >= s->n) {
            break;
        }
    }
    double skip = at - begin;
    while (v < v_end && skip >= v->width) {
        skip -= v->width;
        v++;
    }
    double room = v < v_end ? v->width - skip : 0.0;
    while (i < s->n && v < v_end && s->pieces[i].slope + v->slope < 0.0) {
        double go = fmin(left, room);
        at += go;
        left -= go;
        room -= go;
        if (left <= 0.0 && ++i < s->n) {
            left = s->pieces[i].width;
        }
        if (room <= 0.0 && ++v < v_end) {
            room = v->width;
        }
    }
    return at;
}

void slope_dp_solve(const struct slope_problem *p, struct slope_work *w,
                    double *energy)
{
    int n = p->n_steps;
    struct convex v = {.at = w->live[0], .n = p->n_final};
    struct convex next = {.at = w->live[1]};
    v.begin = p->steps[n - 1].lo;
    memcpy(v.at, p->final, (size_t)p->n_final * sizeof(*v.at));
    w->first[n] = 0;
    for (int t = n - 1; t >= 0; t--) {
        cut(&v, p->steps[t].lo, p->steps[t].hi);
        keep(w, t, &v);
        while (v.n + SLOPE_PIECES_MAX > SLOPE_LIVE_MAX) {
            coarsen(&v);
        }
        step_back(&p->steps[t], &v, &next);
        struct convex swap = v;
        v = next;
        next = swap;
    }
    double at = p->start;
    for (int t = 0; t < n; t++) {
        at = choose(&p->steps[t], w->pool + w->first[t + 1],
                    w->pool + w->first[t], w->begin[t], at);
        energy[t] = at;
    }
}
