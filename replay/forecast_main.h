/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_main - `ballast forecast`: a rolling backtest over a trace. */
#ifndef REPLAY_FORECAST_MAIN_H
#define REPLAY_FORECAST_MAIN_H

int forecast_main(int argc, char **argv);

#endif
