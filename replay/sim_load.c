/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_load.h"

#include <math.h>

enum err sim_load_open(struct sim_load *l, const struct trace_cfg *cfg,
                       char *why, size_t why_size)
{
    *l = (struct sim_load){0};
    return trace_load(cfg, &l->trace, why, why_size);
}

void sim_load_close(struct sim_load *l)
{
    trace_clear(&l->trace);
}

double sim_load_at(struct sim_load *l, double t_s)
{
    double t = fmod(t_s, l->trace.duration_s);
    return trace_at(&l->trace, t, &l->cursor);
}

int sim_load_markers(struct sim_load *l, double from_s, double to_s,
                     struct job_in *out, int max)
{
    return trace_markers(&l->trace, from_s, to_s, out, max);
}
