/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "controller/operator.h"
#include "controller/overrides.h"
#include "controller/status.h"
#include "models/units.h"

static const double ASK_S = 5.0;

/* What was given on the command line. */
struct wanted {
    const char *limits[UTILITY_LOCAL]; /* as text, by override_kind() */
    const char *opt_out;
    const char *clear;
    double for_s; /* 0: not said */
    bool json;
};

static int n_acts(const struct wanted *w)
{
    int n = (w->opt_out != NULL) + (w->clear != NULL);
    for (int i = 0; i < UTILITY_LOCAL; i++) {
        n += w->limits[i] != NULL;
    }
    return n;
}

static const char *const limit_names[UTILITY_LOCAL] = {
    "import-max", "export-max", "setpoint", "reserve"};

/* False after a message. */
static bool limit_request(const struct wanted *w, int i, char *out, size_t size)
{
    enum utility_kind kind = override_kind(i);
    enum unit_kind unit = kind == UTILITY_RESERVE ? UNIT_FRACTION : UNIT_POWER;
    double value = NAN;
    if (units_parse(unit, w->limits[i], NULL, &value) != ERR_NONE) {
        cli_error("override", "--%s '%s': expected %s", limit_names[i],
                  w->limits[i], unit_expected(unit));
        return false;
    }
    snprintf(out, size, "override limit %s %.6f %.0f", utility_name(kind),
             value, w->for_s);
    return true;
}

static bool is_plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ') {
            return false;
        }
    }
    return text[0] != '\0' && strlen(text) < OVERRIDE_NAME_MAX;
}

/* The line to send; false after a message. */
static bool make_request(const struct wanted *w, char *out, size_t size)
{
    const char *name = w->opt_out != NULL ? w->opt_out : w->clear;
    if (name != NULL && !is_plain(name)) {
        cli_error("override", "'%s' cannot be the name of an event", name);
        return false;
    }
    if (w->clear != NULL) {
        snprintf(out, size, "override clear %s", w->clear);
        return true;
    }
    if (n_acts(w) == 0 && w->for_s > 0.0) {
        cli_error("override", "--for goes with what is to be set; see --help");
        return false;
    }
    if (n_acts(w) == 0) {
        snprintf(out, size, "override list");
        return true;
    }
    if (!(w->for_s >= 1.0 && w->for_s <= OVERRIDE_MOST_S)) {
        cli_error("override",
                  "say for how long, 1 s to 30 d: --for '2 h'; nothing set by "
                  "hand lasts for ever");
        return false;
    }
    if (w->opt_out != NULL) {
        snprintf(out, size, "override out %.0f %s", w->for_s, w->opt_out);
        return true;
    }
    int i = 0;
    while (w->limits[i] == NULL) {
        i++;
    }
    return limit_request(w, i, out, size);
}

static int print_answer(const char *json)
{
    cJSON *o = cJSON_ParseWithOpts(json, NULL, 1);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(o, "error");
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(o, "text");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "overrides");
    bool refused = cJSON_IsString(error) || !cJSON_IsArray(list);
    if (refused) {
        cli_error("override", "refused: %s",
                  cJSON_IsString(error) ? error->valuestring
                                        : "the controller is another version");
    } else if (cJSON_IsString(text) && text->valuestring[0] != '\0') {
        printf("%s\n", text->valuestring);
    } else if (cJSON_GetArraySize(list) == 0) {
        puts("nothing is set by hand");
    } else {
        overrides_print(list);
    }
    cJSON_Delete(o);
    return refused ? EXIT_NO : EXIT_DONE;
}

static int ask(const char *path, const struct wanted *w)
{
    char request[STATUS_REQUEST_MAX];
    if (!make_request(w, request, sizeof(request))) {
        return EXIT_USAGE;
    }
    char *json = NULL;
    enum err e = status_request(path, request, ASK_S, &json);
    if (e != ERR_NONE) {
        return status_nobody(path, e);
    }
    int code = EXIT_DONE;
    if (w->json) {
        puts(json);
        code = strstr(json, "\"error\":") != NULL ? EXIT_NO : EXIT_DONE;
    } else {
        code = print_answer(json);
    }
    free(json);
    return code;
}

int override_main(int argc, char **argv)
{
    struct wanted w = {.for_s = 0.0};
    const struct cli_option options[] = {
        {limit_names[0], CLI_TEXT, &w.limits[0], "POWER",
         "import no more than that"},
        {limit_names[1], CLI_TEXT, &w.limits[1], "POWER",
         "export no more than that"},
        {limit_names[2], CLI_TEXT, &w.limits[2], "POWER",
         "hold the grid there, where limits allow it"},
        {limit_names[3], CLI_TEXT, &w.limits[3], "FRACTION",
         "keep that share of the batteries' window for backup"},
        {"opt-out", CLI_TEXT, &w.opt_out, "EVENT",
         "take no part in that event of the utility: its id or name"},
        {"for", CLI_DURATION, &w.for_s, "DURATION",
         "until it ends by itself; must be said"},
        {"clear", CLI_TEXT, &w.clear, "NAME",
         "take back import_max, export_max, setpoint, reserve, an event or "
         "all"},
        {"json", CLI_FLAG, &w.json, NULL, "the answer as one JSON object"},
    };
    const struct cli cli = {
        .command = "override",
        .args = "SITE|DATABASE",
        .about =
            "Sets by hand what the running controller of a site obeys beside\n"
            "the site file and the utility, for a time; without options, says\n"
            "what is set.  Of several limits the tightest holds.  An opt-out\n"
            "drops set-points, shed levels 1 and 2, prices and reserves of an\n"
            "event; of its capacity limits the stricter of with and without\n"
            "it holds, and emergencies stay.  It outlives a restart, and goes\n"
            "to log, history, evidence and, as operating state, to a utility\n"
            "that asks for it.  Exit code 1 where it is refused.",
        .example =
            "  ballast override site.yaml --import-max '9 MW' --for '2 h'\n"
            "  ballast override site.yaml --opt-out peak-7 --for '4 h'\n"
            "  ballast override site.yaml --clear all\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_args = 1,
        .max_args = 1,
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    if (n_acts(&w) > 1) {
        cli_error("override", "one thing at a time, so that each is answered");
        return EXIT_USAGE;
    }
    char path[SITE_TEXT_MAX * 2 + 8];
    return status_where(argv[1], path, sizeof(path)) ? ask(path, &w)
                                                     : EXIT_USAGE;
}
