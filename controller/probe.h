/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe - contacts a site's Modbus devices once, without writing anything.
 */
#ifndef CONTROLLER_PROBE_H
#define CONTROLLER_PROBE_H

#include <stdbool.h>

#include "models/site.h"

/* Prints one line per device to stdout: what it answered, or why it did not.
 * True where all of them answered with what the controller needs.  Takes at
 * most a few seconds per device. */
bool probe_site(const struct site *site);

#endif
