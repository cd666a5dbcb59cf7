/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan_main - `ballast plan PROBLEM.json` */
#ifndef REPLAY_PLAN_MAIN_H
#define REPLAY_PLAN_MAIN_H

int plan_main(int argc, char **argv);

#endif
