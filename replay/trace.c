/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/trace.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/generator.h"
#include "replay/trace_file.h"

static const char generator_prefix[] = "gen:";

/* A sample this far ahead counts as reached, so that 60 ticks of 0.1 s reach
 * what stands at 6 s. */
static const double touch_s = 1e-6;

static enum err load_generator(const struct trace_cfg *cfg, struct trace *t,
                               char *why, size_t why_size)
{
    struct generator_cfg gen;
    const char *spec = cfg->load + strlen(generator_prefix);
    enum err e = generator_parse(spec, cfg->peak_w, &gen, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    if (cfg->column != NULL || cfg->n_where > 0) {
        snprintf(why, why_size,
                 "%s: expected neither --column nor --where: the generator "
                 "has no columns",
                 cfg->load);
        return ERR_UNKNOWN;
    }
    t->gen = generator_open(&gen);
    if (t->gen == NULL) {
        snprintf(why, why_size, "%s: out of memory", cfg->load);
        return ERR_MEMORY;
    }
    t->synthetic = true;
    t->step_s = 0.1;
    t->pass_s = gen.duration_s;
    snprintf(t->name, TRACE_NAME_MAX, "%.180s (synthetic)", cfg->load);
    return ERR_NONE;
}

static bool is_generator(const char *load)
{
    return strncmp(load, generator_prefix, strlen(generator_prefix)) == 0;
}

enum err trace_load(const struct trace_cfg *cfg, struct trace *out, char *why,
                    size_t why_size)
{
    assert(cfg->n_where >= 0 && cfg->n_where <= TRACE_WHERE_MAX);
    assert(cfg->repeat >= 1 && why_size > 0);
    *out = (struct trace){.start_utc_ms = -1, .scale = cfg->scale};
    if (!(cfg->scale > 0.0 && cfg->scale <= 1e12)) {
        snprintf(why, why_size, "--scale %g: expected a number above 0",
                 cfg->scale);
        return ERR_RANGE;
    }
    enum err e = is_generator(cfg->load)
                     ? load_generator(cfg, out, why, why_size)
                     : trace_file_load(cfg, out, why, why_size);
    if (e != ERR_NONE) {
        trace_clear(out);
        return e;
    }
    out->duration_s = out->pass_s * (double)cfg->repeat;
    return ERR_NONE;
}

void trace_clear(struct trace *t)
{
    free(t->t_s);
    free(t->power_w);
    generator_close(t->gen);
    *t = (struct trace){.start_utc_ms = -1};
}

/* Time within one pass. */
static double of_pass(const struct trace *t, double t_s)
{
    double x = fmax(0.0, t_s + touch_s);
    if (x >= t->duration_s) {
        return nextafter(t->pass_s, 0.0);
    }
    return x < t->pass_s ? x : fmod(x, t->pass_s);
}

/* Last sample at or before 'x', which is at least that of sample 0. */
static size_t search(const struct trace *t, double x)
{
    size_t lo = 0;
    size_t hi = t->n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->t_s[mid] <= x) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return lo;
}

double trace_at(const struct trace *t, double t_s, size_t *cursor)
{
    double x = of_pass(t, t_s);
    if (t->gen != NULL) {
        return t->scale * generator_at(t->gen, x);
    }
    size_t i = *cursor < t->n ? *cursor : 0;
    if (t->t_s[i] > x) {
        i = search(t, x);
    }
    while (i + 1 < t->n && t->t_s[i + 1] <= x) {
        i++;
    }
    *cursor = i;
    return t->power_w[i];
}

int trace_markers(const struct trace *t, double from_s, double to_s,
                  struct job_in *out, int max)
{
    assert(from_s >= 0.0);
    int n = 0;
    while (t->gen != NULL && from_s < to_s && n < max) {
        double begin_s = floor(from_s / t->pass_s + 1e-9) * t->pass_s;
        double end_s = fmin(to_s, begin_s + t->pass_s);
        int got = generator_markers(t->gen, fmax(0.0, from_s - begin_s),
                                    end_s - begin_s, out + n, max - n);
        for (int i = n; i < n + got; i++) {
            out[i].at_ms += llround(begin_s * 1e3);
            out[i].power_from_w *= t->scale;
            out[i].power_to_w *= t->scale;
        }
        n += got;
        from_s = end_s;
    }
    return n;
}
