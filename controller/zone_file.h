/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zone_file - a time zone by its name, from the system's files.
 */
#ifndef CONTROLLER_ZONE_FILE_H
#define CONTROLLER_ZONE_FILE_H

#include <stddef.h>

#include "models/err.h"
#include "models/zone.h"

/*
 * Load "America/Chicago" from /usr/share/zoneinfo; "UTC" needs no file.  A
 * name is words of letters, digits, '_', '+' and '-' between single slashes,
 * so that it cannot leave that folder.  On failure 'why' says what was
 * expected.  Returns ERR_SYNTAX (not a name), ERR_UNKNOWN (no such zone),
 * ERR_IO, or what zone_parse_tzif() returns.
 */
CHECKED enum err zone_file_load(const char *name, struct zone *z, char *why,
                                size_t why_size);

/* That of the site's file; UTC where it cannot be loaded, for what must go on
 * without (the file's check says so). */
void zone_file_or_utc(const char *name, struct zone *z);

#endif
