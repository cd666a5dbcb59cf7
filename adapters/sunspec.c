/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/sunspec.h"

#include <stdio.h>

enum {
    MAGIC_HIGH = 0x5375, /* "Su" */
    MAGIC_LOW = 0x6e53,  /* "nS" */
    END_ID = 0xffff,
    COMMON_ID = 1,
    ADDRESSES = 65536,
};

const struct sunspec_model *sunspec_find(const struct sunspec *s, int id)
{
    for (int i = 0; i < s->n_models; i++) {
        if (s->models[i].id == id) {
            return &s->models[i];
        }
    }
    return NULL;
}

static enum err find_magic(const struct sunspec_reader *r, int base, char *why,
                           size_t why_size)
{
    uint16_t magic[2] = {0, 0};
    enum err e = r->read(r->ctx, base, 2, magic);
    if (e != ERR_NONE && e != ERR_REFUSED) {
        return e;
    }
    if (e == ERR_REFUSED || magic[0] != MAGIC_HIGH || magic[1] != MAGIC_LOW) {
        snprintf(why, why_size, "no SunSpec mark at %d", base);
        return ERR_UNKNOWN;
    }
    return ERR_NONE;
}

/* ID and L of the model at 'addr'; ID is END_ID where the chain ends.  L is
 * read on its own: some devices do not serve one for the end model. */
static enum err read_header(const struct sunspec_reader *r, int addr,
                            struct sunspec_model *m)
{
    uint16_t id = 0;
    uint16_t length = 0;
    *m = (struct sunspec_model){.id = END_ID, .addr = addr};
    enum err e = r->read(r->ctx, addr, 1, &id);
    if (e == ERR_REFUSED) {
        return ERR_NONE;
    }
    if (e != ERR_NONE || id == END_ID) {
        return e;
    }
    e = r->read(r->ctx, addr + 1, 1, &length);
    m->id = id;
    m->length = length;
    return e;
}

static enum err check_model(const struct sunspec *s,
                            const struct sunspec_model *m, char *why,
                            size_t why_size)
{
    if (s->n_models == 0 && m->id != COMMON_ID) {
        snprintf(why, why_size, "first model is %d, not 1", m->id);
        return ERR_SYNTAX;
    }
    if (m->length > SUNSPEC_LENGTH_MAX ||
        m->addr + 2 + m->length >= ADDRESSES) {
        snprintf(why, why_size, "model %d at %d claims %d registers", m->id,
                 m->addr, m->length);
        return ERR_SYNTAX;
    }
    if (s->n_models == SUNSPEC_MODELS_MAX) {
        snprintf(why, why_size, "more than %d models", SUNSPEC_MODELS_MAX);
        return ERR_SYNTAX;
    }
    return ERR_NONE;
}

enum err sunspec_walk(const struct sunspec_reader *r, int base,
                      struct sunspec *out, char *why, size_t why_size)
{
    *out = (struct sunspec){.base = base};
    enum err e = find_magic(r, base, why, why_size);
    int addr = base + 2;
    while (e == ERR_NONE) {
        struct sunspec_model m;
        e = read_header(r, addr, &m);
        if (e != ERR_NONE) {
            break;
        }
        if (m.id == END_ID) {
            if (out->n_models == 0) {
                snprintf(why, why_size, "no models after the mark at %d", base);
                return ERR_SYNTAX;
            }
            return ERR_NONE;
        }
        e = check_model(out, &m, why, why_size);
        if (e == ERR_NONE) {
            out->models[out->n_models++] = m;
            addr += 2 + m.length;
        }
    }
    return e;
}
