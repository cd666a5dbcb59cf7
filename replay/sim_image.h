/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_image - the register image of a simulated SunSpec device.
 *
 * "SunS", the models in the order they are added, the end model; every point
 * carries its not-implemented value until something is put there.  Offsets
 * are counted from a model's ID register, as in the SunSpec models
 * (sunspec/models 7abdf89).  Pure: no clock, no I/O, no allocation.
 */
#ifndef REPLAY_SIM_IMAGE_H
#define REPLAY_SIM_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SIM_BASE = 40000, /* of the first register, counted from 0 */
    SIM_REGS_MAX = 600,
    SIM_MODELS_MAX = 8,
};

struct sim_image {
    uint16_t regs[SIM_REGS_MAX];
    int n; /* registers in use */
    struct {
        int id;
        int at; /* index of its ID register in regs */
    } models[SIM_MODELS_MAX];
    int n_models;
};

/* The identity in model 1. */
struct sim_identity {
    const char *maker;
    const char *model;
    const char *version;
    const char *serial;
};

void sim_image_init(struct sim_image *m);

/* Append a model, all points not implemented; asserts that it is known and
 * that there is room. */
void sim_image_add(struct sim_image *m, int model);
void sim_image_identify(struct sim_image *m, const struct sim_identity *who);

/* Append the end model. */
void sim_image_end(struct sim_image *m);

/* Index in regs of the point at 'off' of 'model'; the model must be there. */
int sim_image_at(const struct sim_image *m, int model, int off);

void sim_put_u16(struct sim_image *m, int model, int off, unsigned value);
void sim_put_u32(struct sim_image *m, int model, int off, uint32_t value);
void sim_put_u64(struct sim_image *m, int model, int off, uint64_t value);
void sim_put_f32(struct sim_image *m, int model, int off, double value);
void sim_put_text(struct sim_image *m, int model, int off, int n_regs,
                  const char *text);

/* 'value' by 10^-sf into an unsigned or signed register, held at the ends of
 * the type; NAN becomes not implemented. */
void sim_put_scaled(struct sim_image *m, int model, int off, int sf,
                    double value);
void sim_put_signed(struct sim_image *m, int model, int off, int sf,
                    double value);

uint16_t sim_get_u16(const struct sim_image *m, int model, int off);
uint32_t sim_get_u32(const struct sim_image *m, int model, int off);

/* The smallest scale factor from 'least' with which 'max' fits in 'limit'. */
int sim_scale_for(double max, double limit, int least);

#endif
