/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/controller.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/mqtt_rival.h"
#include "controller/cli.h"
#include "controller/clock.h"
#include "controller/log.h"
#include "controller/zone_file.h"
#include "models/billing.h"

/* On this machine, from whatever folder; two that begin at once, too. */
static enum err claim_devices(struct controller *c)
{
    if (c->options.shadow) {
        return ERR_NONE;
    }
    enum err e = claim_take(&c->claim, c->site, c->why, sizeof(c->why));
    if (e == ERR_REFUSED && c->options.take_over) {
        log_line(LOG_WARN, NULL, "taking over: %s", c->why);
        return ERR_NONE;
    }
    return e;
}

/* From another machine no lock keeps a second controller away. */
static enum err look_for_rival(struct controller *c)
{
    if (!c->site->mqtt.present || c->options.shadow) {
        return ERR_NONE;
    }
    struct mqtt_rival rival;
    enum err e = mqtt_rival_find(c->site, &rival, c->why, sizeof(c->why));
    if (e == ERR_TIMEOUT) {
        log_line(LOG_WARN, NULL,
                 "the broker is not reached: whether another controller "
                 "steers %s is not known",
                 c->site->name);
        return ERR_NONE;
    }
    if (e != ERR_REFUSED) {
        return e;
    }
    if (c->options.take_over) {
        log_line(LOG_WARN, NULL,
                 "taking over from another controller (instance %s)",
                 rival.instance);
        return ERR_NONE;
    }
    snprintf(c->why, sizeof(c->why),
             "another controller (instance %s) steers it, heard on "
             "ballast/v1/%s/status; stop that one, watch beside it with "
             "--shadow, or give --take-over where you know that it is gone",
             rival.instance, c->site->name);
    return e;
}

static enum err open_loop(struct controller *c)
{
    c->ports = calloc(1, sizeof(*c->ports));
    if (c->ports == NULL) {
        return ERR_MEMORY;
    }
    enum err e = ports_init(c->ports, c->site);
    if (e != ERR_NONE) {
        free(c->ports);
        c->ports = NULL;
        return e;
    }
    struct zone zone;
    zone_file_or_utc(c->site->time_zone, &zone);
    struct loop_cfg cfg = {
        .site = c->site,
        .policy = POLICY_BALLAST,
        .shadow = c->options.shadow,
        .ports = c->ports,
        .zone = &zone,
    };
    return loop_open(&cfg, &c->loop);
}

/* When the billing month began, in the site's zone. */
static int64_t month_began_at_ms(const struct site *site, int64_t utc_ms)
{
    struct zone zone;
    zone_file_or_utc(site->time_zone, &zone);
    return billing_month(&zone, utc_ms).from_ms;
}

static void say_carried(const struct controller *c, const struct carrier *k,
                        int64_t utc_ms)
{
    if (k->n_taken + k->n_refused == 0) {
        return;
    }
    char text[160];
    snprintf(text, sizeof(text),
             "lives and ledgers of the last run go on, as of %.0f s ago%s",
             fmax((double)(utc_ms - k->saved_at_ms) / 1e3, 0.0),
             k->n_refused > 0 ? "; some are not taken over" : "");
    log_line(LOG_INFO, NULL, "%s",
             k->n_taken > 0 ? text : "nothing of the last run is taken over");
    if (k->n_refused > 0) {
        historian_event(
            c->historian, utc_ms, "carried", "",
            k->n_taken > 0 ? text : "nothing of the last run is taken over");
    }
}

static enum err open_history(struct controller *c)
{
    const char *record = c->options.record;
    if (record == NULL && !c->options.no_record) {
        snprintf(c->record_path, sizeof(c->record_path), "%s.rec",
                 c->site->history.file);
        record = c->record_path;
    }
    struct historian_cfg cfg = {
        .site = c->site,
        .site_text = c->site_text,
        .site_path = c->site_path,
        .db_path = c->site->history.file,
        .record_path = record,
        .policy = POLICY_BALLAST,
        .utc_ms = clock_utc_ms(),
    };
    cfg.state = loop_state(c->loop, &cfg.state_size);
    struct carrier *carrier = loop_carrier(c->loop);
    cfg.carried = carrier_take;
    cfg.carried_user = carrier;
    carrier->now = (struct carry_now){
        .mono_ms = clock_mono_ms(),
        .utc_ms = cfg.utc_ms,
        .month_at_ms = month_began_at_ms(c->site, cfg.utc_ms),
    };
    enum err e = historian_open(&cfg, &c->historian, c->why, sizeof(c->why));
    if (e != ERR_NONE) {
        return e;
    }
    loop_record(c->loop, c->historian);
    int n_kept = 0;
    for (int i = 0; i < c->site->n_prices; i++) {
        n_kept +=
            historian_kept_price(c->historian, c->site->prices[i].market,
                                 clock_mono_ms(), clock_utc_ms(), &c->kept[i]);
        c->prices[i] = c->kept[i].price;
    }
    loop_prices(c->loop, c->prices);
    log_line(LOG_INFO, NULL, "history in %s, recording %s%s%s",
             c->site->history.file, record != NULL ? "in " : "off",
             record != NULL ? record : "",
             n_kept > 0 ? ", prices of the last run still hold" : "");
    say_carried(c, carrier, cfg.utc_ms);
    return ERR_NONE;
}

static enum err open_workers(struct controller *c)
{
    struct workers_cfg cfg = {
        .site = c->site,
        .ports = c->ports,
        .ops = &modbus_device,
        .map_dir = cli_data_dir("maps"),
        .shadow = c->options.shadow,
    };
    return workers_open(&cfg, &c->workers, c->why, sizeof(c->why));
}

static enum err open_evidence(struct controller *c)
{
    char path[EVIDENCE_PATH_MAX];
    if (!evidence_path(c->site, path)) {
        return ERR_NONE;
    }
    const struct evidence_keeper_cfg cfg = {
        .writer = {.site = c->site,
                   .site_text = c->site_text,
                   .mode = c->options.shadow ? "shadow" : "run",
                   .detail = ""},
        .path = path,
        .ring = &c->ports->witness,
        .historian = c->historian,
        .utc_ms = clock_utc_ms(),
    };
    return evidence_keeper_open(&cfg, &c->evidence, c->why, sizeof(c->why));
}

/* Nobody is owed for what shadow makes of it. */
static enum err open_ledgers(struct controller *c)
{
    size_t size = 0;
    enum err e =
        ledger_book_open(c->site, loop_state(c->loop, &size), &c->book);
    if (e == ERR_NONE) {
        c->keep = ledger_keep_begin(c->book, c->historian, c->site);
        c->cars = (struct status_cars){.site = c->site, .book = c->book};
    }
    return e;
}

void controller_ledgers(struct controller *c)
{
    ledger_book_fetch(c->book, &c->ports->cars);
    if (!c->options.shadow) {
        ledger_keep_look(&c->keep, clock_mono_ms(), clock_utc_ms());
    }
}

static void end_ledgers(struct controller *c)
{
    size_t size = 0;
    ledger_book_finish(c->book, loop_state(c->loop, &size), clock_mono_ms());
    if (!c->options.shadow && !ledger_keep_end(&c->keep, clock_utc_ms())) {
        log_line(LOG_WARN, NULL,
                 "the disk is too slow: what some cars gave in the last "
                 "minutes is not in the history");
    }
    ledger_book_close(c->book);
}

static enum err open_overrides(struct controller *c)
{
    const struct overrides_cfg cfg = {.site = c->site,
                                      .box = &c->ports->overrides,
                                      .historian = c->historian,
                                      .evidence = c->evidence};
    return overrides_open(&cfg, &c->overrides);
}

/* Whatever is asked over the status socket beside "status". */
static char *answer(void *user, const char *request)
{
    struct controller *c = user;
    char *json = overrides_answer(c->overrides, request);
    return json != NULL ? json : status_cars_answer(&c->cars, request);
}

static enum err open_status(struct controller *c)
{
    char path[CONTROLLER_PATH_MAX];
    status_path(c->site->history.file, path, sizeof(path));
    enum err e = status_server_open(path, &c->server, c->why, sizeof(c->why));
    struct watch_cfg cfg = {
        .site = c->site,
        .shadow = c->options.shadow,
        .ports = c->ports,
        .historian = c->historian,
        .book = c->book,
        .kept = c->kept,
        .evidence = c->evidence,
        .overrides = c->overrides,
    };
    if (e == ERR_NONE) {
        status_server_answer(c->server, answer, c);
    }
    return e == ERR_NONE ? watch_open(&cfg, &c->watch) : e;
}

static enum err open_mqtt(struct controller *c)
{
    if (!c->site->mqtt.present) {
        return ERR_NONE;
    }
    struct mqtt_worker_cfg cfg = {
        .site = c->site,
        .ports = c->ports,
        .historian = c->historian,
        .prices = c->prices,
        .shadow = c->options.shadow,
    };
    return mqtt_worker_open(&cfg, &c->mqtt, c->why, sizeof(c->why));
}

static enum err open_openadr(struct controller *c)
{
    if (!c->site->utility.openadr) {
        return ERR_NONE;
    }
    const struct openadr_worker_cfg cfg = {
        .site = c->site,
        .ports = c->ports,
        .historian = c->historian,
        .overrides = c->overrides,
    };
    return openadr_worker_open(&cfg, &c->openadr, c->why, sizeof(c->why));
}

static enum err start_threads(struct controller *c)
{
    enum err e = workers_start(c->workers);
    if (e == ERR_NONE) {
        struct planner_cfg cfg = {
            .site = c->site, .ports = c->ports, .deadline_s = PLAN_DEADLINE_S};
        e = planner_open(&cfg, &c->planner);
    }
    if (e == ERR_NONE) {
        e = loop_start(c->loop);
        c->looping = e == ERR_NONE;
    }
    return e;
}

/* What may be refused comes before anything moves. */
bool controller_open(struct controller *c)
{
    static enum err (*const phases[])(struct controller *) = {
        look_for_rival, claim_devices, open_loop,     open_workers,
        open_history,   open_ledgers,  open_evidence, open_overrides,
        open_status,    open_mqtt,     open_openadr,  start_threads,
    };
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        c->why[0] = '\0';
        enum err e = phases[i](c);
        if (e != ERR_NONE) {
            cli_error("run", "%s: not started: %s", c->site_path,
                      c->why[0] != '\0' ? c->why : err_text(e));
            return false;
        }
    }
    return true;
}

void controller_close(struct controller *c)
{
    if (c->looping) {
        loop_stop(c->loop);
    }
    if (c->planner != NULL) {
        planner_close(c->planner);
    }
    if (c->workers != NULL) {
        workers_close(c->workers);
    }
    if (c->mqtt != NULL) {
        mqtt_worker_close(c->mqtt);
    }
    if (c->openadr != NULL) {
        openadr_worker_close(c->openadr);
    }
    if (c->looping) {
        loop_save(c->loop);
    }
    if (c->server != NULL) {
        status_server_close(c->server);
    }
    if (c->watch != NULL) {
        watch_close(c->watch);
    }
    if (c->overrides != NULL) {
        overrides_close(c->overrides);
    }
    if (c->book != NULL) {
        end_ledgers(c);
    }
    if (c->evidence != NULL) {
        evidence_keeper_close(c->evidence,
                              c->because != NULL ? c->because : "not started");
    }
    if (c->historian != NULL) {
        historian_close(c->historian);
    }
    if (c->loop != NULL) {
        loop_close(c->loop);
    }
    if (c->ports != NULL) {
        ports_clear(c->ports);
        free(c->ports);
    }
    claim_release(&c->claim);
    if (c->lock_fd >= 0) {
        close(c->lock_fd);
    }
    free(c->site_text);
    free(c->site);
}
