/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_meter.h"

#include <math.h>

static const double NOMINAL_V = 34.5e3; /* line to line */

void sim_meter_init(struct sim_image *m, const char *site_name)
{
    sim_image_init(m);
    sim_image_add(m, 1);
    sim_image_add(m, 213);
    sim_image_end(m);
    sim_image_identify(m, &(struct sim_identity){.maker = "Ballast",
                                                 .model = "Simulated meter",
                                                 .version = "1",
                                                 .serial = site_name});
    sim_put_u32(m, 213, 124, 0);
}

void sim_meter_show(struct sim_image *m, const struct meter_in *seen)
{
    double w = seen->power_w.value;
    double line_v = seen->voltage_pu.value * NOMINAL_V;
    sim_put_f32(m, 213, 2, line_v > 0.0 ? fabs(w) / (sqrt(3.0) * line_v) : 0.0);
    sim_put_f32(m, 213, 10, line_v / sqrt(3.0));
    sim_put_f32(m, 213, 18, line_v);
    sim_put_f32(m, 213, 26, seen->frequency_hz.value);
    sim_put_f32(m, 213, 28, w);
    for (int phase = 0; phase < 3; phase++) {
        sim_put_f32(m, 213, 30 + 2 * phase, w / 3.0);
    }
    sim_put_f32(m, 213, 36, fabs(w));
    sim_put_f32(m, 213, 44, 0.0);
    sim_put_f32(m, 213, 52, 1.0);
    sim_put_f32(m, 213, 60, seen->export_wh.value);
    sim_put_f32(m, 213, 68, seen->import_wh.value);
}
