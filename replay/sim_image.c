/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_image.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* The types of points as their not-implemented values tell them apart. */
enum fill { FILL_END, U16, I16, U32, I32, U64, F32, ZERO };

/* Registers of one type one after the other. */
struct run {
    enum fill fill;
    int n;
};

enum { RUNS_MAX = 24 };

/* The points behind ID and L of the models we play. */
static const struct layout {
    int id;
    struct run runs[RUNS_MAX];
} layouts[] = {
    {1, {{ZERO, 64}, {U16, 1}, {I16, 1}}},
    {213, {{F32, 122}, {U32, 2}}},
    {701,
     {{U16, 4},
      {U32, 4},
      {I16, 5},
      {U16, 2},
      {U32, 2},
      {U64, 16},
      {I16, 11},
      {U16, 2},
      {U64, 16},
      {I16, 5},
      {U16, 2},
      {U64, 16},
      {I16, 5},
      {U16, 2},
      {U64, 16},
      {U16, 1},
      {U32, 2},
      {I16, 10},
      {ZERO, 32}}},
    {702, {{U16, 21}, {U32, 2}, {U16, 20}, {I16, 7}}},
    {704,
     {{U16, 2},
      {U32, 4},
      {U16, 2},
      {U32, 4},
      {U16, 4},
      {U32, 4},
      {U16, 2},
      {I32, 4},
      {I16, 2},
      {U16, 1},
      {U32, 4},
      {U16, 3},
      {I32, 4},
      {I16, 2},
      {U16, 1},
      {U32, 4},
      {U16, 4},
      {I16, 6},
      {U16, 8}}},
    {713, {{U16, 5}, {I16, 2}}},
    {715, {{U16, 1}, {U32, 4}, {U16, 2}}},
    {802,
     {{U16, 12},
      {U32, 2},
      {U16, 8},
      {U32, 10},
      {U16, 10},
      {I16, 1},
      {U16, 2},
      {I16, 1},
      {U16, 1},
      {I16, 1},
      {U16, 2},
      {I16, 12}}},
};

/* One point of 'fill' at 'regs'; returns its length in registers. */
static int fill_point(enum fill fill, uint16_t *regs)
{
    static const struct {
        int n;
        uint16_t regs[4];
    } values[] = {
        [U16] = {1, {0xFFFF}},
        [I16] = {1, {0x8000}},
        [U32] = {2, {0xFFFF, 0xFFFF}},
        [I32] = {2, {0x8000, 0}},
        [U64] = {4, {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}},
        [F32] = {2, {0x7FC0, 0}},
        [ZERO] = {1, {0}},
    };
    memcpy(regs, values[fill].regs, (size_t)values[fill].n * sizeof(*regs));
    return values[fill].n;
}

static const struct layout *find_layout(int model)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        if (layouts[i].id == model) {
            return &layouts[i];
        }
    }
    return NULL;
}

void sim_image_init(struct sim_image *m)
{
    *m = (struct sim_image){.regs = {0x5375, 0x6E53}, .n = 2};
}

void sim_image_add(struct sim_image *m, int model)
{
    const struct layout *l = find_layout(model);
    assert(l != NULL && m->n_models < SIM_MODELS_MAX);
    int start = m->n;
    m->models[m->n_models].id = model;
    m->models[m->n_models++].at = start;
    m->n += 2;
    for (const struct run *r = l->runs; r->fill != FILL_END; r++) {
        assert(m->n + r->n <= SIM_REGS_MAX);
        for (int done = 0; done < r->n;) {
            int n = fill_point(r->fill, m->regs + m->n);
            m->n += n;
            done += n;
        }
    }
    m->regs[start] = (uint16_t)model;
    m->regs[start + 1] = (uint16_t)(m->n - start - 2);
}

void sim_image_identify(struct sim_image *m, const struct sim_identity *who)
{
    sim_put_text(m, 1, 2, 16, who->maker);
    sim_put_text(m, 1, 18, 16, who->model);
    sim_put_text(m, 1, 42, 8, who->version);
    sim_put_text(m, 1, 50, 16, who->serial);
}

void sim_image_end(struct sim_image *m)
{
    assert(m->n + 2 <= SIM_REGS_MAX);
    m->regs[m->n++] = 0xFFFF;
    m->regs[m->n++] = 0;
}

int sim_image_at(const struct sim_image *m, int model, int off)
{
    for (int i = 0; i < m->n_models; i++) {
        if (m->models[i].id == model) {
            int at = m->models[i].at + off;
            assert(off >= 0 && at < m->n);
            return at;
        }
    }
    assert(false && "the image has no such model");
    return 0;
}

void sim_put_u16(struct sim_image *m, int model, int off, unsigned value)
{
    m->regs[sim_image_at(m, model, off)] = (uint16_t)value;
}

void sim_put_u32(struct sim_image *m, int model, int off, uint32_t value)
{
    int at = sim_image_at(m, model, off);
    m->regs[at] = (uint16_t)(value >> 16);
    m->regs[at + 1] = (uint16_t)value;
}

void sim_put_u64(struct sim_image *m, int model, int off, uint64_t value)
{
    sim_put_u32(m, model, off, (uint32_t)(value >> 32));
    sim_put_u32(m, model, off + 2, (uint32_t)value);
}

void sim_put_f32(struct sim_image *m, int model, int off, double value)
{
    float f = (float)value;
    uint32_t bits = 0x7FC00000;
    if (isfinite(f)) {
        memcpy(&bits, &f, sizeof(bits));
    }
    sim_put_u32(m, model, off, bits);
}

void sim_put_text(struct sim_image *m, int model, int off, int n_regs,
                  const char *text)
{
    size_t n = strlen(text);
    int at = sim_image_at(m, model, off);
    for (int i = 0; i < n_regs; i++) {
        size_t k = 2 * (size_t)i;
        unsigned hi = k < n ? (unsigned char)text[k] : 0u;
        unsigned lo = k + 1 < n ? (unsigned char)text[k + 1] : 0u;
        m->regs[at + i] = (uint16_t)(hi << 8 | lo);
    }
}

void sim_put_scaled(struct sim_image *m, int model, int off, int sf,
                    double value)
{
    double x = round(value * pow(10.0, -sf));
    unsigned reg = isnan(x) ? 0xFFFFu : (unsigned)fmax(0.0, fmin(x, 65534.0));
    sim_put_u16(m, model, off, reg);
}

void sim_put_signed(struct sim_image *m, int model, int off, int sf,
                    double value)
{
    double x = round(value * pow(10.0, -sf));
    int reg = isnan(x) ? -32768 : (int)fmax(-32767.0, fmin(x, 32767.0));
    sim_put_u16(m, model, off, (unsigned)reg);
}

uint16_t sim_get_u16(const struct sim_image *m, int model, int off)
{
    return m->regs[sim_image_at(m, model, off)];
}

uint32_t sim_get_u32(const struct sim_image *m, int model, int off)
{
    int at = sim_image_at(m, model, off);
    return (uint32_t)m->regs[at] << 16 | m->regs[at + 1];
}

int sim_scale_for(double max, double limit, int least)
{
    int sf = least;
    while (sf < 10 && max * pow(10.0, -sf) > limit) {
        sf++;
    }
    return sf;
}
