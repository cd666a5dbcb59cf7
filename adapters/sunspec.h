/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sunspec - finds the models of a SunSpec device (reference/protocols.md 1.1).
 *
 * The register image is read through a function, so the walk is tested
 * without a socket.  What the device says of itself is not believed further
 * than it leads: bounded models, lengths and addresses, so no image can make
 * the walk loop.
 */
#ifndef ADAPTERS_SUNSPEC_H
#define ADAPTERS_SUNSPEC_H

#include <stddef.h>
#include <stdint.h>

#include "models/err.h"

enum {
    SUNSPEC_MODELS_MAX = 64,
    SUNSPEC_LENGTH_MAX = 1000, /* registers of one model after ID and L */
};

struct sunspec_model {
    int id;
    int addr;   /* of the ID register */
    int length; /* L: the model takes 2 + L registers */
};

struct sunspec {
    int base; /* of "SunS" */
    int n_models;
    struct sunspec_model models[SUNSPEC_MODELS_MAX];
};

/* One read of 'n' holding registers.  ERR_REFUSED is a Modbus exception;
 * anything else but ERR_NONE ends the walk. */
struct sunspec_reader {
    enum err (*read)(void *ctx, int addr, int n, uint16_t *regs);
    void *ctx;
};

/*
 * Walk the models from 'base'.
 *
 * Errors: ERR_UNKNOWN (exception or other data where "SunS" should be: try
 * the next base), ERR_SYNTAX (a chain that cannot be: no model 1 first, L
 * over 1000, past 65535, over 64 models), and what the reader returned.  An
 * exception where the next ID should be ends the chain: some devices do not
 * serve the end model.  'why' says it in words.
 */
CHECKED enum err sunspec_walk(const struct sunspec_reader *r, int base,
                              struct sunspec *out, char *why, size_t why_size);

/* The first model with this ID, or NULL. */
const struct sunspec_model *sunspec_find(const struct sunspec *s, int id);

#endif
