/* SPDX-License-Identifier: GPL-3.0-or-later */
/* maps - `ballast maps [FILE...]`: check register maps and list them. */
#ifndef CONTROLLER_MAPS_H
#define CONTROLLER_MAPS_H

/* Exit codes: 0 all maps are sound, 1 one is not, 2 wrong usage. */
int maps_main(int argc, char **argv);

#endif
