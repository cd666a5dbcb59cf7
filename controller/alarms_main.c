/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/alarms.h"
#include "controller/cli.h"
#include "controller/operator.h"
#include "controller/status.h"
#include "models/units.h"

static const double ASK_S = 3.0;

static const char *word(const cJSON *o, const char *name)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsString(s) ? s->valuestring : "?";
}

static bool is_critical(const cJSON *alarm)
{
    return strcmp(word(alarm, "severity"), severity_name(SEVERITY_CRITICAL)) ==
           0;
}

/* They come the most severe first (alarms_active()). */
static void print_alarm(const cJSON *alarm)
{
    const cJSON *since = cJSON_GetObjectItemCaseSensitive(alarm, "since_s");
    char text[32] = "?";
    if (cJSON_IsNumber(since)) {
        units_duration_text(since->valuedouble, text, sizeof(text));
    }
    printf("%-8s  for %-9s  %-16s  %s\n", word(alarm, "severity"), text,
           word(alarm, "id"), word(alarm, "text"));
}

/* EXIT_NO where one is critical, or 'json' is no status. */
static int tell(const char *json, bool as_json)
{
    cJSON *o = cJSON_ParseWithOpts(json, NULL, 1);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "alarms");
    if (!cJSON_IsArray(list)) {
        cli_error("alarms", "the controller has nothing to say yet: %s", json);
        cJSON_Delete(o);
        return EXIT_NO;
    }
    bool critical = false;
    const cJSON *alarm = NULL;
    cJSON_ArrayForEach(alarm, list)
    {
        critical = critical || is_critical(alarm);
        if (!as_json) {
            print_alarm(alarm);
        }
    }
    char *text = as_json ? cJSON_PrintUnformatted(list) : NULL;
    if (text != NULL) {
        puts(text);
    } else if (!as_json && cJSON_GetArraySize(list) == 0) {
        puts("no alarms");
    }
    free(text);
    cJSON_Delete(o);
    return critical ? EXIT_NO : EXIT_DONE;
}

int alarms_main(int argc, char **argv)
{
    bool as_json = false;
    const struct cli_option options[] = {
        {"json", CLI_FLAG, &as_json, NULL, "a JSON list on stdout"},
    };
    const struct cli cli = {
        .command = "alarms",
        .args = "SITE|DATABASE",
        .about = "What is wrong at the site of a running controller: the most\n"
                 "severe first, for how long, why, and what to do.  Exit code\n"
                 "1 where an alarm is critical, or no controller answers.",
        .example = "  ballast alarms site.yaml\n"
                   "  ballast alarms ballast-demo/ballast.db --json\n",
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
    char path[SITE_TEXT_MAX * 2 + 8];
    if (!status_where(argv[1], path, sizeof(path))) {
        return EXIT_USAGE;
    }
    char *json = NULL;
    enum err e = status_ask(path, ASK_S, &json);
    if (e != ERR_NONE) {
        return status_nobody(path, e);
    }
    code = tell(json, as_json);
    free(json);
    return code;
}
