/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/trace_time.h"

#include <stdlib.h>

static const double gap_steps = 10.0;

static bool begins_part(const struct trace *t, size_t sample)
{
    return t->n_parts > 0 && t->parts[t->n_parts - 1] == sample;
}

/* The last sample lies ahead of the row, the one before it does not. */
static bool last_is_ahead(const struct trace *t, double t_s)
{
    return t->n > 1 && t_s > t->t_s[t->n - 2] && !begins_part(t, t->n - 1);
}

bool trace_time_mend(struct trace *t, double *t_s, double *shift_s)
{
    *t_s += *shift_s;
    if (t->n == 0 || *t_s > t->t_s[t->n - 1]) {
        return true;
    }
    double last_s = t->t_s[t->n - 1];
    if (*t_s == last_s || t->n < 2 || t->n_parts == TRACE_PARTS_MAX) {
        t->report.n_repeated++;
        return false;
    }
    if (last_is_ahead(t, *t_s)) {
        t->n--;
        t->report.n_ahead++;
        return true;
    }
    double next_s = last_s + (last_s - t->t_s[t->n - 2]);
    *shift_s += next_s - *t_s;
    *t_s = next_s;
    t->parts[t->n_parts++] = t->n;
    return true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

enum err trace_time_measure(struct trace *t, const long *lines)
{
    double *steps = malloc((t->n - 1) * sizeof(*steps));
    if (steps == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 1; i < t->n; i++) {
        steps[i - 1] = t->t_s[i] - t->t_s[i - 1];
    }
    qsort(steps, t->n - 1, sizeof(*steps), compare);
    t->step_s = steps[(t->n - 2) / 2];
    free(steps);
    for (size_t i = 1; i < t->n; i++) {
        double step_s = t->t_s[i] - t->t_s[i - 1];
        if (step_s > gap_steps * t->step_s) {
            t->report.n_gaps++;
            if (step_s > t->report.longest_s) {
                t->report.longest_s = step_s;
                t->report.longest_line = lines[i];
            }
        }
    }
    t->pass_s = t->t_s[t->n - 1] + t->step_s;
    return ERR_NONE;
}
