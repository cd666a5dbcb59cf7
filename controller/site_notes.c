/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/site_notes.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "adapters/secret_file.h"
#include "policies/guard.h"

static void note_secret(const char *key, const char *path,
                        void (*say)(void *user, const char *note), void *user)
{
    char why[SITE_TEXT_MAX + 96];
    char note[SITE_TEXT_MAX + 160];
    if (path[0] != '\0' &&
        secret_file_check(path, true, why, sizeof(why)) != ERR_NONE) {
        snprintf(note, sizeof(note), "utility.openadr.%s: %s", key, why);
        say(user, note);
    }
}

static bool is_loopback(const char *host)
{
    size_t n = strcspn(host, ":/");
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           (n == 9 && strncmp(host, "localhost", 9) == 0);
}

/* Secrets and instructions that anybody on the way can read and change. */
static void note_open_address(const char *key, const char *url,
                              void (*say)(void *user, const char *note),
                              void *user)
{
    char note[SITE_TEXT_MAX + 160];
    if (strncmp(url, "http://", 7) == 0 && !is_loopback(url + 7)) {
        snprintf(note, sizeof(note),
                 "utility.openadr.%s: %s is not https: whoever is on the way "
                 "can read the secret and give instructions",
                 key, url);
        say(user, note);
    }
}

static void note_half_a_hook(const struct site_utility *u,
                             void (*say)(void *user, const char *note),
                             void *user)
{
    if ((u->listen[0] != '\0') != (u->callback[0] != '\0')) {
        say(user, u->listen[0] != '\0'
                      ? "utility.openadr.listen: without callback nobody is "
                        "told to call there"
                      : "utility.openadr.callback: without listen nothing "
                        "answers there, unless a proxy does");
    }
}

/* What the guard says of a car that could not be better, its accounts full. */
static enum reason best_answer(const struct site_fleet *f)
{
    const struct guard_terms terms = guard_terms_of(f);
    struct guard_cfg cfg;
    guard_init(&cfg, &terms);
    const struct node_in car = {
        .pack_mono_ms = 1,
        .agent_mono_ms = 1,
        .soc_pu = 0.7,
        .soc_limit_pu = 0.8,
        .energy_wh = 0.7 * f->pack_wh,
        .compute_avail_w = f->compute_w,
        .pack_c = 20.0,
        .ambient_c = 20.0,
        .flags = NODE_ONLINE | NODE_PLUGGED | NODE_CONSENT | NODE_PARKED |
                 NODE_HAS_DEPARTURE,
    };
    struct guard_now now = {.node = &car, .mono_ms = 1};
    struct guard_state state = {0};
    guard_step(&cfg, &state, &now);
    guard_fill(&cfg, &state);
    return guard_ask(&cfg, &state, &now, f->compute_w);
}

static void note_fleet(const struct site_fleet *f,
                       void (*say)(void *user, const char *note), void *user)
{
    static const char *const because[REASON_COUNT] = {
        [REASON_NODE_BUDGET] = "wear_budget or the warranty leaves too little "
                               "wear a day",
        [REASON_NODE_KM] = "distance_share leaves too few virtual km a year",
        [REASON_NODE_HEATING] = "compute would heat a pack of that size too "
                                "much",
        [REASON_NODE_RATE] = "compute draws too much for a pack of that size",
        [REASON_NODE_DEPARTURE] = "a lost charger would take too much of a "
                                  "pack of that size",
    };
    enum reason why = best_answer(f);
    if (why != REASON_NODE_OK) {
        char note[SITE_NAME_MAX + 160];
        snprintf(note, sizeof(note), "fleet %s: no car will ever compute: %s",
                 f->name,
                 because[why] != NULL ? because[why] : reason_word(why));
        say(user, note);
    }
}

void site_notes(const struct site *site,
                void (*say)(void *user, const char *note), void *user)
{
    for (int i = 0; i < site->n_fleets; i++) {
        note_fleet(&site->fleets[i], say, user);
    }
    if (site->http_listen[0] != '\0') {
        say(user, "http: this version serves no dashboard yet");
    }
    if (site->utility.openadr) {
        const struct site_utility *u = &site->utility;
        note_secret("secret_file", u->secret_file, say, user);
        note_secret("notifier_key_file", u->notifier_key_file, say, user);
        note_secret("notifier_password_file", u->notifier_password_file, say,
                    user);
        note_open_address("base", site->utility.base, say, user);
        note_open_address("callback", site->utility.callback, say, user);
        note_half_a_hook(&site->utility, say, user);
    }
}
