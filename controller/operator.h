/* SPDX-License-Identifier: GPL-3.0-or-later */
/* operator - what an operator asks of a running controller. */
#ifndef CONTROLLER_OPERATOR_H
#define CONTROLLER_OPERATOR_H

/* `ballast override SITE|DATABASE [what] --for DURATION` */
int override_main(int argc, char **argv);

/* `ballast alarms SITE|DATABASE [--json]`: exit code 1 where one is critical,
 * or nobody answers. */
int alarms_main(int argc, char **argv);

#endif
