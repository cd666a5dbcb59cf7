/* SPDX-License-Identifier: GPL-3.0-or-later */
/* controller - a running controller put together from its parts, and taken
 * apart again. */
#ifndef CONTROLLER_CONTROLLER_H
#define CONTROLLER_CONTROLLER_H

#include <stdbool.h>

#include "controller/claim.h"
#include "controller/evidence_keeper.h"
#include "controller/historian.h"
#include "controller/ledger_keep.h"
#include "controller/loop.h"
#include "controller/mqtt_worker.h"
#include "controller/openadr_worker.h"
#include "controller/overrides.h"
#include "controller/planner.h"
#include "controller/status.h"
#include "controller/status_fleet.h"
#include "controller/watch.h"
#include "controller/worker.h"

enum { CONTROLLER_PATH_MAX = 512, CONTROLLER_WHY_MAX = 400 };

struct controller_options {
    bool shadow;
    bool no_record;
    bool take_over;     /* although another controller says that it steers */
    const char *record; /* NULL: history.file with .rec */
    double for_s;       /* 0: until a signal */
};

/* Zero, lock_fd -1 at first; what is NULL has not been opened. */
struct controller {
    struct controller_options options;
    const char *site_path;
    char *site_text;   /* owned */
    struct site *site; /* owned */
    char record_path[CONTROLLER_PATH_MAX];
    int lock_fd;
    struct claim claim; /* none in shadow */
    struct ports *ports;
    struct kept_price kept[SITE_PRICES_MAX]; /* from the last run */
    struct price_in prices[SITE_PRICES_MAX]; /* of them */
    struct loop *loop;
    struct historian *historian;
    struct workers *workers;
    struct mqtt_worker *mqtt;       /* NULL where the site has no broker */
    struct openadr_worker *openadr; /* NULL where no utility speaks it */
    struct planner *planner;
    struct ledger_book *book;
    struct ledger_keep keep;          /* what of it goes to the history */
    struct status_cars cars;          /* what of it goes to who asks */
    struct evidence_keeper *evidence; /* NULL where none is kept */
    struct overrides *overrides;
    struct watch *watch;
    struct status_server *server;
    bool looping;
    const char *because; /* why it ends; NULL: it never ran */
    char why[CONTROLLER_WHY_MAX];
};

/* From site, text and options on: all parts and their threads, the control
 * thread last.  False after a message on stderr; then and at the end
 * controller_close() takes apart what there is. */
bool controller_open(struct controller *c);

/* A few times a second: what is new of the cars. */
void controller_ledgers(struct controller *c);

/* The control thread first: from then on nothing is commanded any more. */
void controller_close(struct controller *c);

#endif
