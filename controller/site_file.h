/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * site_file - the site file: YAML with units, checked against one schema.
 *
 * The schema table (key, kind, range, default, meaning) is the only
 * description of the file: parser, checks, `ballast check` and `ballast help
 * site` come from it.
 */
#ifndef CONTROLLER_SITE_FILE_H
#define CONTROLLER_SITE_FILE_H

#include <stddef.h>

#include "models/err.h"
#include "models/site.h"

/* Told once per fault, in the order of the file: "site.yaml:14:9:
 * battery.bess1.energy: "3.9 MW": expected an energy (Wh, kWh, MWh)". */
typedef void site_fault_fn(void *user, const char *message);

/* A site file's text, read whole; free() it.  ERR_IO with errno, ERR_RANGE
 * where it is larger than 1 MiB. */
CHECKED enum err site_file_read(const char *path, char **text, size_t *size);

/*
 * Parse and check 'text'; 'path' is for the messages and for relative paths.
 * 'site' is filled with the values and the defaults.  All faults are told, not
 * only the first.  Returns ERR_NONE, or ERR_SYNTAX where there was any fault
 * (then 'site' must not be used).
 */
CHECKED enum err site_file_parse(const char *path, const char *text,
                                 size_t size, struct site *site,
                                 site_fault_fn *fault, void *user);

/* Both in one; faults go to stderr.  For commands that just need the site:
 * NULL after the messages, else a site to free(). */
struct site *site_file_load(const char *path);

/* Print the schema as a manual to stdout: every key with unit, range, default
 * and meaning. */
void site_file_help(void);

/* `ballast check SITE [--probe]`, `ballast help [site]`. */
int check_main(int argc, char **argv);
int help_main(int argc, char **argv);

#endif
