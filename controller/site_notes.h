/* SPDX-License-Identifier: GPL-3.0-or-later */
/* site_notes - what a site file asks for and this version does not do. */
#ifndef CONTROLLER_SITE_NOTES_H
#define CONTROLLER_SITE_NOTES_H

#include "models/site.h"

/* Calls 'say' with one line, without its end, for each; looks whether the
 * secret file can be read, and reads nothing of it. */
void site_notes(const struct site *site,
                void (*say)(void *user, const char *note), void *user);

#endif
