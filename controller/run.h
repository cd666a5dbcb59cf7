/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run - `ballast run SITE`: the controller, put together and kept running. */
#ifndef CONTROLLER_RUN_H
#define CONTROLLER_RUN_H

int run_main(int argc, char **argv);

#endif
