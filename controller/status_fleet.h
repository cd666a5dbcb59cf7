/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * status_fleet - what the status says of vehicles: a fleet's sums for all who
 * ask, and single cars on request.
 *
 * A client sends the line "fleet NAME FROM N" and gets
 *
 *   {"v":1,"fleet":NAME,"nodes":..,"from":FROM,"currency":..,"cars":[..]}
 *
 * with the cars FROM .. FROM + N - 1 of the fleet, counted from 1, as far as
 * there are such; at most STATUS_CARS_MAX.
 */
#ifndef CONTROLLER_STATUS_FLEET_H
#define CONTROLLER_STATUS_FLEET_H

#include "controller/ledger_book.h"
#include "controller/watch.h"

struct cJSON;

enum { STATUS_CARS_MAX = 1000 };

/* Adds "fleets" to 'to'. */
void status_fleets(struct cJSON *to, const struct watched *w);

/* Who may be asked for cars. */
struct status_cars {
    const struct site *site;
    struct ledger_book *book;
};

/* The answer to 'request', free() it; NULL where it is not one for cars.
 * 'cars' is a struct status_cars; any thread. */
char *status_cars_answer(void *cars, const char *request);

/* Which cars `ballast status --fleet` asks for. */
struct status_page {
    const char *fleet;
    long from; /* counted from 1 */
    long n;
};

/* One line on stdout: what the cars of a fleet of the status gave; nothing
 * where it does not say. */
void status_ledger_print(const struct cJSON *fleet);

/* Ask the controller behind 'path' and print; an exit code. */
int status_cars_tell(const char *path, const struct status_page *page,
                     bool as_json);

#endif
