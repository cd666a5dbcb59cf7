/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * carry - what of the step's state outlives a run: the lives of batteries and
 * packs, the books of the guards, where the batteries are at home, the peak
 * that is paid for.
 *
 * In units, each of one asset or of CARRY_NODES cars and named after it, so
 * that an asset finds its own wherever it stands in the site file, and a new
 * one begins new:
 *
 *   site              the billing peak and the interval under way
 *   battery.NAME
 *   fleet.NAME.0032   the fleet's cars 32 to 63
 *   queue.CLASS       the work of a class that waits
 *   forecast.load, outlook.*   what the load, the classes, the price and the
 *                     fleets have taught: controller/step/foresee.h
 *
 * A unit is saved as its memory behind a head: layout, name, chemistry, when,
 * and a hash of it all.  What comes back is hostile: it is taken whole and
 * sound, or refused with a reason.
 *
 * Pure; the time between save and load is wall-clock time, so that a reboot
 * in between does not matter.  Where that clock went back it is not known: 0
 * for lives, so long for guards that every lease has been used to its end.
 */
#ifndef CONTROLLER_STEP_CARRY_H
#define CONTROLLER_STEP_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/step/step.h"

enum { CARRY_NODES = 32, CARRY_NAME_MAX = 64 };

/* The most that a unit takes. */
#define CARRY_SIZE_MAX ((size_t)262144)

#define CARRY_LIST(X)                                                      \
    X(TAKEN, "taken")                                                      \
    X(DAMAGED, "it is damaged: its hash differs")                          \
    X(VERSION, "another version of the program wrote it")                  \
    X(NAME, "it belongs to another asset")                                 \
    X(CHEMISTRY, "it is of another chemistry than the site file says now") \
    X(IMPOSSIBLE, "its values are none that can be")
#define CARRY_ENUM(name, text) CARRY_##name,
enum carry { CARRY_LIST(CARRY_ENUM) CARRY_COUNT };
#undef CARRY_ENUM

const char *carry_text(enum carry c);

/* Units of a site, and their names; -1 for a name that is none of them. */
int64_t carry_units(const struct step_cfg *cfg);
const char *carry_name(const struct step_cfg *cfg, int64_t unit,
                       char out[CARRY_NAME_MAX]);
int64_t carry_find(const struct step_cfg *cfg, const char *name);

/* When it is; both clocks of the same instant. */
struct carry_now {
    int64_t mono_ms;
    int64_t utc_ms;
    int64_t month_at_ms; /* UTC when the billing month began; load only */
    double blind_s; /* load only: longest time that was run after the save; 0
                       where it was the run's last act */
};

/* Bytes of a unit as it is saved; and whether it is a forecast, large and
 * slow to change. */
size_t carry_size(const struct step_cfg *cfg, int64_t unit);
bool carry_is_slow(const struct step_cfg *cfg, int64_t unit);

/* Copy unit 'unit' into 'blob' (carry_size() bytes) without its hash, in
 * the control thread; its size. */
size_t carry_save(const struct step_cfg *cfg, const struct step_state *state,
                  int64_t unit, const struct carry_now *now,
                  unsigned char *blob);

/* The hash, by whoever has the time for it. */
void carry_seal(unsigned char *blob, size_t size);

/*
 * Into a state before its first tick.  What is refused begins new, cars
 * without their first grant.  Of a unit of cars whose values cannot be, the
 * others are taken.
 */
enum carry carry_load(const struct step_cfg *cfg, struct step_state *state,
                      int64_t unit, const struct carry_now *now,
                      const unsigned char *blob, size_t size);

/* Of a blob that carry_save() made. */
const char *carry_asset(const unsigned char *blob, char out[CARRY_NAME_MAX]);
int64_t carry_saved_at_ms(const unsigned char *blob);

/*
 * Whether 'state' is what a run can begin with: new, but for what
 * carry_load() puts there, and that sound.  'fresh' comes from
 * step_state_init(), 'scratch' has room for a state.
 */
bool carry_begins(const struct step_cfg *cfg, const struct step_state *state,
                  const struct step_state *fresh, struct step_state *scratch);

#endif
