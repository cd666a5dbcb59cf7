/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/site_file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/site_reader.h"

/* As much of 'f' as fits 'room' bytes, or ERR_IO with errno. */
static enum err read_all(FILE *f, char *text, size_t room, size_t *size)
{
    *size = 0;
    while (*size < room) {
        size_t n = fread(text + *size, 1, room - *size, f);
        if (n == 0) {
            break;
        }
        *size += n;
    }
    return ferror(f) ? ERR_IO : ERR_NONE;
}

enum err site_file_read(const char *path, char **text, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return ERR_IO;
    }
    char *all = malloc(SITE_FILE_MAX + 2);
    if (all == NULL) {
        fclose(f);
        return ERR_MEMORY;
    }
    enum err e = read_all(f, all, SITE_FILE_MAX + 1, size);
    int why = errno;
    fclose(f);
    if (e == ERR_NONE && *size > SITE_FILE_MAX) {
        e = ERR_RANGE;
    }
    if (e != ERR_NONE) {
        free(all);
        errno = why;
        return e;
    }
    all[*size] = '\0';
    *text = all;
    return ERR_NONE;
}

/* The tree of text that has passed the scan. */
static bool load(struct site_reader *r, yaml_document_t *doc)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        return false;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->text,
                                 r->size);
    bool ok = yaml_parser_load(&parser, doc) != 0;
    yaml_parser_delete(&parser);
    return ok;
}

static void parse(struct site_reader *r)
{
    if (r->size > SITE_FILE_MAX) {
        site_fault_add(r, (struct site_spot){1, 1}, "file", NULL,
                       "expected at most %d bytes", SITE_FILE_MAX);
        return;
    }
    if (!site_yaml_scan(r)) {
        return;
    }
    yaml_document_t doc;
    if (!load(r, &doc)) {
        r->no_memory = true;
        return;
    }
    r->doc = &doc;
    site_walk(r);
    site_check(r);
    r->doc = NULL;
    yaml_document_delete(&doc);
}

enum err site_file_parse(const char *path, const char *text, size_t size,
                         struct site *site, site_fault_fn *fault, void *user)
{
    struct site_reader r = {
        .file = path,
        .text = text,
        .size = size,
        .draft = calloc(1, sizeof(*r.draft)),
        .faults = calloc(SITE_FAULTS_MAX, sizeof(*r.faults)),
    };
    if (r.draft == NULL || r.faults == NULL) {
        r.no_memory = true;
    } else {
        parse(&r);
    }
    enum err e = r.n_faults > 0 || r.no_memory ? ERR_SYNTAX : ERR_NONE;
    if (e == ERR_NONE) {
        *site = r.draft->site;
    } else {
        site_fault_tell(&r, fault, user);
    }
    free(r.places);
    free(r.faults);
    free(r.draft);
    return e;
}

static void to_stderr(void *user, const char *message)
{
    (void)user;
    fprintf(stderr, "%s\n", message);
}

struct site *site_file_load(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    enum err e = site_file_read(path, &text, &size);
    if (e != ERR_NONE) {
        fprintf(stderr, "%s: %s\n", path,
                e == ERR_IO      ? strerror(errno)
                : e == ERR_RANGE ? "larger than 1 MiB: not a site file"
                                 : err_text(e));
        return NULL;
    }
    struct site *site = calloc(1, sizeof(*site));
    if (site == NULL) {
        fprintf(stderr, "%s: %s\n", path, err_text(ERR_MEMORY));
    } else if (site_file_parse(path, text, size, site, to_stderr, NULL) !=
               ERR_NONE) {
        free(site);
        site = NULL;
    }
    free(text);
    return site;
}
