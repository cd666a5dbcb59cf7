/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * site_reader - what the parts of the site file's parser share: the faults
 * found so far, and from which place of the file each value came.
 *
 * One reader per parse.  Nothing here is for anyone but controller/site_*.c.
 */
#ifndef CONTROLLER_SITE_READER_H
#define CONTROLLER_SITE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "controller/site_file.h"
#include "controller/site_schema.h"

enum {
    SITE_FILE_MAX = 1 << 20, /* bytes */
    SITE_DEPTH_MAX = 8,      /* of nested sections and lists */
    SITE_KEYS_MAX = 64,      /* of one section */
    SITE_FAULTS_MAX = 500,   /* told; more are counted */
    SITE_WORDS_MAX = 400,    /* bytes of what was expected */
    SITE_FAULT_TEXT_MAX = 640,
    SITE_PATH_MAX = 160, /* "battery.megablock1.modbus.port" */
    SITE_QUOTE_MAX = 64, /* bytes of a file's text in a message */
};

struct site_spot {
    int line; /* from 1; 0: not in the file, a default */
    int column;
};

/* Where a value of the draft came from. */
struct site_place {
    const void *at; /* the value */
    struct site_spot spot;
    const char *text; /* as it stands there, or the default's */
    char path[SITE_PATH_MAX];
};

struct site_fault {
    struct site_spot spot;
    int seq;
    char text[SITE_FAULT_TEXT_MAX]; /* all but the file and the place */
};

struct site_reader {
    const char *file; /* as given; for relative file names too */
    const char *text;
    size_t size;
    struct site_draft *draft;
    yaml_document_t *doc;
    struct site_fault *faults;
    int n_faults;
    int n_more; /* faults that found no room */
    struct site_place *places;
    size_t n_places;
    size_t n_places_max;
    bool sorted; /* the places, by address */
    bool no_memory;
};

/* site_fault.c */

/* A fault at 'spot' of 'path'; 'text' is what stands there, or NULL. */
void site_fault_add(struct site_reader *r, struct site_spot spot,
                    const char *path, const char *text, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Tell all faults in the order of the file. */
void site_fault_tell(struct site_reader *r, site_fault_fn *fault, void *user);

/* 'at' was filled from 'place' (its .at is ignored). */
void site_place_add(struct site_reader *r, const void *at,
                    const struct site_place *place);

/* Once all places are in; makes the look-ups fast. */
void site_place_sort(struct site_reader *r);

/* Where the value at 'at' came from; NULL where it was faulty or missing. */
const struct site_place *site_place_of(const struct site_reader *r,
                                       const void *at);

/*
 * Values 'a' and 'b' contradict each other: a fault at the one that stands in
 * the file (a first), naming the other.  'b' may be NULL.
 */
void site_clash(struct site_reader *r, const void *a, const void *b,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The nearest of several words, by editing distance. */
struct site_guess {
    const char *text;
    const char *best; /* NULL: nothing near enough */
    int distance;
};
void site_guess_try(struct site_guess *guess, const char *word);

/* site_yaml.c: syntax, size, depth, anchors, aliases, tags, one document.
 * True where the text may be loaded. */
bool site_yaml_scan(struct site_reader *r);

/* site_walk.c: the document into the draft, by the schema. */
void site_walk(struct site_reader *r);

/* site_value.c: one scalar. */
struct site_value {
    const struct site_key *key;
    const char *text;
    bool plain; /* not quoted */
    const char *path;
    struct site_spot spot;
    void *into;
};
void site_value_read(struct site_reader *r, const struct site_value *v);
/* The default of 'key' into 'into'. */
void site_value_preset(struct site_reader *r, const struct site_key *key,
                       const char *path, void *into);

/* site_expect.c */

/* The site's currency, or NULL while it is not known. */
const char *site_currency(const struct site_reader *r);
/* What 'key' expects, with its range; 'currency' for prices, or NULL. */
const char *site_value_expected(const struct site_key *key,
                                const char *currency, char *out, size_t size);
/* Faults: 'v' is not of its kind; is of it, but out of range or too long. */
void site_value_wrong(struct site_reader *r, const struct site_value *v);
void site_value_beyond(struct site_reader *r, const struct site_value *v);

/* site_check.c: computed defaults, expansion and contradictions. */
void site_check(struct site_reader *r);
/* site_check_grid.c: those of grid and control. */
void site_check_grid(struct site_reader *r);

#endif
