/* SPDX-License-Identifier: GPL-3.0-or-later */
/* demo - `ballast demo`: broker, devices and controller on this machine, and a
 * view of them. */
#ifndef REPLAY_DEMO_H
#define REPLAY_DEMO_H

int demo_main(int argc, char **argv);

#endif
