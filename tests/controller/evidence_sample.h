/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evidence_sample - small evidence logs in a folder of their own, for tests. */
#ifndef TESTS_CONTROLLER_EVIDENCE_SAMPLE_H
#define TESTS_CONTROLLER_EVIDENCE_SAMPLE_H

#include "controller/evidence_check.h"
#include "controller/evidence_file.h"
#include "tests/controller/history_sample.h"

#define EVIDENCE_SAMPLE_MS INT64_C(1790000000000)

struct evidence_sample {
    char folder[64];
    char path[96];
};

int evidence_sample_setup(void **state);
int evidence_sample_teardown(void **state);

/* Open 'path' and append a head; f->size_max is set before. */
void evidence_sample_open(struct evidence_file *f, const char *path);
/* Append minute 'i'. */
void evidence_sample_put(struct evidence_file *f, int i);
/* A head and n - 1 minutes. */
void evidence_sample_write(const char *path, int n);

enum evidence_verdict evidence_sample_check_bytes(const void *bytes, size_t n,
                                                  struct evidence_check *c);
enum evidence_verdict evidence_sample_check(const char *path,
                                            struct evidence_check *c);

/* Where line 'k' (from 1) begins. */
size_t evidence_sample_line(const char *text, int k);

#endif
