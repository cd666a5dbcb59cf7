/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sim - `ballast sim`: plays a site's devices over real Modbus TCP and MQTT. */
#ifndef REPLAY_SIM_H
#define REPLAY_SIM_H

int sim_main(int argc, char **argv);

#endif
