/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view_note - the last minute, for the curves. */
#include <math.h>

#include "replay/view.h"

enum { HOLD = 3 };

void view_init(struct view *v, int columns, int rows)
{
    *v = (struct view){.columns = columns < 200 ? columns : 200,
                       .rows = rows,
                       .utf8 = true,
                       .hint = "",
                       .second = NAN};
    for (int i = 0; i < VIEW_SAMPLES; i++) {
        v->grid_w[i] = NAN;
        v->load_w[i] = NAN;
    }
}

/* Move a curve on by 'steps' samples; what was missed in between is held for
 * a few seconds, then it is a gap. */
static void shift(double *curve, int steps)
{
    double held = steps <= HOLD ? curve[VIEW_SAMPLES - 1] : NAN;
    for (int i = 0; i < VIEW_SAMPLES; i++) {
        curve[i] = i + steps < VIEW_SAMPLES ? curve[i + steps] : held;
    }
}

/* Bring 'x' into the mean of the 'n' before it. */
static double averaged(double mean, int n, double x)
{
    if (isnan(x)) {
        return mean;
    }
    return n == 0 || isnan(mean) ? x : mean + (x - mean) / (n + 1);
}

void view_note(struct view *v, const struct view_status *s, double mono_s)
{
    double second = floor(mono_s);
    int last = VIEW_SAMPLES - 1;
    if (!(second <= v->second)) {
        double steps = isnan(v->second) ? 1.0 : second - v->second;
        shift(v->grid_w, (int)fmin(steps, VIEW_SAMPLES));
        shift(v->load_w, (int)fmin(steps, VIEW_SAMPLES));
        v->second = second;
        v->n_in_second = 0;
    }
    double grid_w = s->assumed ? NAN : s->grid_w;
    double load_w = s->assumed ? NAN : s->load_w;
    v->grid_w[last] = averaged(v->grid_w[last], v->n_in_second, grid_w);
    v->load_w[last] = averaged(v->load_w[last], v->n_in_second, load_w);
    v->n_in_second++;
}
