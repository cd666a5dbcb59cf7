/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wear_main - the subcommands that count cycles and age batteries. */
#ifndef REPLAY_WEAR_MAIN_H
#define REPLAY_WEAR_MAIN_H

/* `ballast wear --chemistry NAME --profile FILE` */
int wear_main(int argc, char **argv);

/* `ballast rainflow FILE` */
int rainflow_main(int argc, char **argv);

#endif
