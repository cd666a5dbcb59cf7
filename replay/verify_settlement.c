/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/verify_settlement.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "controller/cli.h"
#include "controller/evidence_check.h"
#include "controller/settlement_check.h"
#include "models/units.h"

enum { PATH_SIZE = 2 * EVIDENCE_PATH_MAX };

/* Where its evidence may lie: as named, else beside the settlement. */
static void find_evidence(const char *path, const struct settlement_check *c,
                          const char *given, char out[PATH_SIZE])
{
    snprintf(out, PATH_SIZE, "%s", given != NULL ? given : c->evidence_path);
    const char *slash = strrchr(path, '/');
    if (given != NULL || access(out, R_OK) == 0) {
        return;
    }
    const char *name = strrchr(c->evidence_path, '/');
    name = name != NULL ? name + 1 : c->evidence_path;
    int n = slash != NULL ? (int)(slash - path) + 1 : 0;
    char beside[PATH_SIZE];
    snprintf(beside, sizeof(beside), "%.*s%s", n, path, name);
    if (access(beside, R_OK) == 0) {
        memcpy(out, beside, sizeof(beside));
    }
}

/* Its chain must be whole and hold the line that the settlement ends with. */
static bool chain_is_whole(struct settlement_check *c, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(c->why, sizeof(c->why), "its evidence log %.200s: %s", path,
                 strerror(errno));
        return false;
    }
    struct evidence_check e = {
        .head = c->evidence.tail.n > 0 ? c->evidence.tail.hash : NULL};
    enum evidence_verdict v = evidence_check(file, &e);
    fclose(file);
    if (v != EVIDENCE_WHOLE) {
        snprintf(c->why, sizeof(c->why), "its evidence log %.120s: %.180s",
                 path, e.why);
    }
    return v == EVIDENCE_WHOLE;
}

static void print_json(const char *path, const char *evidence,
                       const struct settlement_check *c, const char *result)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "settlement", path);
    cJSON_AddStringToObject(o, "result", result);
    cJSON_AddStringToObject(o, "site", c->site);
    cJSON_AddStringToObject(o, "event", c->event);
    cJSON_AddStringToObject(o, "from", c->from);
    cJSON_AddStringToObject(o, "to", c->to);
    cJSON_AddNumberToObject(o, "delivered_wh", c->delivered_wh);
    cJSON_AddNumberToObject(o, "above_s", c->above_s);
    cJSON_AddStringToObject(o, "sha256", c->hash);
    cJSON_AddStringToObject(o, "evidence", evidence);
    if (c->why[0] != '\0') {
        cJSON_AddStringToObject(o, "why", c->why);
    }
    char *text = cJSON_Print(o);
    puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(o);
}

static void print_text(const char *path, const char *evidence,
                       const struct settlement_check *c, bool good)
{
    char energy[32];
    if (!good) {
        printf("%s: %s\n", path, c->why);
        return;
    }
    units_energy_text(c->delivered_wh, energy, sizeof(energy));
    printf("%s: settlement of %s%s%s, %s to %s: %s delivered, %.9g s above "
           "the limit\n",
           path, c->site, c->event[0] != '\0' ? ", event " : "", c->event,
           c->from, c->to, energy, c->above_s);
    if (!c->has_evidence) {
        printf("%s: not changed since it was made; it names no evidence log\n",
               path);
    } else {
        printf("%s: not changed since it was made, and %s says the same: "
               "lines n %" PRId64 " to %" PRId64 ", %" PRId64 " minutes\n",
               path, evidence, c->evidence.head.n, c->evidence.tail.n,
               c->evidence.n_minutes);
    }
    printf("%s: its hash is %s\n", path, c->hash);
}

int verify_settlement(const char *path, FILE *file, const char *given,
                      bool json)
{
    struct settlement_check c;
    char evidence[PATH_SIZE] = "";
    enum settlement_verdict v = settlement_check(file, &c);
    if (v == SETTLEMENT_UNREADABLE) {
        cli_error("verify", "%s: %s", path, c.why);
        return EXIT_USAGE;
    }
    bool good = v == SETTLEMENT_WHOLE;
    const char *result = good ? "whole" : "changed";
    if (good && !c.has_evidence && given != NULL) {
        cli_error("verify", "--evidence: %s names no evidence log", path);
        return EXIT_USAGE;
    }
    if (good && c.has_evidence) {
        find_evidence(path, &c, given, evidence);
        good = chain_is_whole(&c, evidence) && settlement_agrees(&c, evidence);
        result = good ? "whole" : "contradicted";
    }
    if (json) {
        print_json(path, evidence, &c, result);
    } else {
        print_text(path, evidence, &c, good);
    }
    return good ? EXIT_DONE : EXIT_NO;
}
