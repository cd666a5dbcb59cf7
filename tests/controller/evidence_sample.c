/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/controller/evidence_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char head_fields[] = "\"v\":1,\"site\":\"t\"";

int evidence_sample_setup(void **state)
{
    struct evidence_sample *f = calloc(1, sizeof(*f));
    sample_folder(f->folder);
    snprintf(f->path, sizeof(f->path), "%s/log", f->folder);
    *state = f;
    return 0;
}

int evidence_sample_teardown(void **state)
{
    struct evidence_sample *f = *state;
    sample_folder_remove(f->folder);
    free(f);
    return 0;
}

void evidence_sample_open(struct evidence_file *f, const char *path)
{
    char why[1024] = "";
    *f = (struct evidence_file){.at_ms = EVIDENCE_SAMPLE_MS,
                                .size_max = f->size_max};
    enum err e = evidence_file_open(f, path, why, sizeof(why));
    if (e != ERR_NONE) {
        print_message("%s\n", why);
    }
    assert_int_equal(e, ERR_NONE);
    assert_int_equal(
        evidence_file_append(f, EVIDENCE_SAMPLE_MS, "head", head_fields),
        ERR_NONE);
}

void evidence_sample_put(struct evidence_file *f, int i)
{
    char fields[64];
    snprintf(fields, sizeof(fields), "\"import_wh\":%d,\"low_w\":%d", i,
             i * 17);
    assert_int_equal(evidence_file_append(f, EVIDENCE_SAMPLE_MS + 60000 * i,
                                          "minute", fields),
                     ERR_NONE);
}

/* A head and n - 1 minutes. */
void evidence_sample_write(const char *path, int n)
{
    struct evidence_file f = {0};
    evidence_sample_open(&f, path);
    for (int i = 1; i < n; i++) {
        evidence_sample_put(&f, i);
    }
    evidence_file_close(&f);
}

enum evidence_verdict evidence_sample_check_bytes(const void *bytes, size_t n,
                                                  struct evidence_check *c)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    rewind(file);
    *c = (struct evidence_check){0};
    enum evidence_verdict v = evidence_check(file, c);
    fclose(file);
    return v;
}

enum evidence_verdict evidence_sample_check(const char *path,
                                            struct evidence_check *c)
{
    size_t n = 0;
    unsigned char *bytes = sample_read(path, &n);
    enum evidence_verdict v = evidence_sample_check_bytes(bytes, n, c);
    free(bytes);
    return v;
}

/* Where line 'k' (from 1) begins. */
size_t evidence_sample_line(const char *text, int k)
{
    const char *p = text;
    while (--k > 0) {
        p = strchr(p, '\n') + 1;
    }
    return (size_t)(p - text);
}
