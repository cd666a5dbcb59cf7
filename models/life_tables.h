/* SPDX-License-Identifier: GPL-3.0-or-later */
/* life_tables - measured and tabulated curves behind the life models. */
#ifndef MODELS_LIFE_TABLES_H
#define MODELS_LIFE_TABLES_H

enum { LIFE_ANODE_STEPS = 400, LIFE_SANYO_POINTS = 58 };

struct life_voltage {
    double soc_pu;
    double ocv_v;
};

/* life_anode_v() at i / LIFE_ANODE_STEPS of charge. */
extern const double life_anode_table_v[LIFE_ANODE_STEPS + 1];

/* Open-circuit voltage of the Sanyo UR18650E (NREL BLAST-Lite, BSD-3-Clause,
 * (c) 2023 Alliance for Sustainable Energy, LLC), rising in both columns. */
extern const struct life_voltage life_sanyo_table[LIFE_SANYO_POINTS];

#endif
