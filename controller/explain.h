/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain - what bound at a given time, from the historian's database. */
#ifndef CONTROLLER_EXPLAIN_H
#define CONTROLLER_EXPLAIN_H

/* `ballast explain SITE|DATABASE [--at TIME] [--json]`. */
int explain_main(int argc, char **argv);

#endif
