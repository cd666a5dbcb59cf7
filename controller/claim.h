/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim - what this controller steers, held against another one on this
 * machine: each battery's Modbus address, and the site's name at its broker.  A
 * claim is a bound socket of Linux's abstract name space: taken at once or not
 * at all, and gone with the process, however it ends.
 */
#ifndef CONTROLLER_CLAIM_H
#define CONTROLLER_CLAIM_H

#include <stddef.h>

#include "models/err.h"
#include "models/site.h"

struct claim {
    int fds[SITE_BATTERIES_MAX + 1];
    int n;
};

/*
 * ERR_REFUSED where another process has claimed one of them; 'why' says which.
 * The site's addresses differ (site_check.c).  What cannot be claimed for
 * another reason is left unclaimed.  Zero at first;
 * to be released in any case.
 */
CHECKED enum err claim_take(struct claim *c, const struct site *site, char *why,
                            size_t why_size);
void claim_release(struct claim *c);

#endif
