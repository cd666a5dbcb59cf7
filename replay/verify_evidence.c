/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/verify_evidence.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

#include "controller/cli.h"
#include "controller/evidence_check.h"

static void print_json(const char *path, enum evidence_verdict verdict,
                       const struct evidence_check *c)
{
    static const char *const words[] = {
        [EVIDENCE_WHOLE] = "whole",
        [EVIDENCE_BROKEN] = "broken",
        [EVIDENCE_NOT_ONE] = "unreadable",
        [EVIDENCE_UNREADABLE] = "unreadable",
    };
    const struct {
        const char *key;
        int64_t n;
    } counts[] = {
        {"lines", c->n_good},      {"runs", c->n_runs},
        {"minutes", c->n_minutes}, {"violations", c->n_violations},
        {"exempt", c->n_exempt},   {"limits", c->n_limits},
        {"gaps", c->n_gaps},       {"torn", c->n_torn},
        {"first_n", c->first_n},   {"last_n", c->last.n},
    };
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "evidence", path);
    cJSON_AddStringToObject(o, "result", words[verdict]);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        cJSON_AddNumberToObject(o, counts[i].key, (double)counts[i].n);
    }
    cJSON_AddStringToObject(o, "from", c->first_at);
    cJSON_AddStringToObject(o, "to", c->last_at);
    cJSON_AddStringToObject(o, "head", c->last.hash);
    cJSON_AddBoolToObject(o, "extract", c->is_extract);
    cJSON_AddBoolToObject(o, "ended", c->stopped);
    if (c->fault != EVIDENCE_NO_FAULT) {
        cJSON_AddNumberToObject(o, "bad_line", (double)c->bad_line);
        cJSON_AddStringToObject(
            o, "fault", evidence_fault_name((enum evidence_fault)c->fault));
    }
    if (c->why[0] != '\0') {
        cJSON_AddStringToObject(o, "why", c->why);
    }
    char *text = cJSON_Print(o);
    puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(o);
}

static void print_count(int64_t n, const char *one, const char *many)
{
    if (n > 0) {
        printf(", %" PRId64 " %s", n, n == 1 ? one : many);
    }
}

static void print_found(const char *path, const struct evidence_check *c)
{
    printf("%s: evidence of %s to %s: %" PRId64 " run%s", path, c->first_at,
           c->last_at, c->n_runs, c->n_runs == 1 ? "" : "s");
    print_count(c->n_minutes, "minute", "minutes");
    print_count(c->n_violations, "violation", "violations");
    print_count(c->n_exempt, "exempt time", "exempt times");
    print_count(c->n_limits, "change of the limit", "changes of the limit");
    print_count(c->n_gaps, "gap", "gaps");
    print_count(c->n_torn, "line torn by a kill and marked",
                "lines torn by kills and marked");
    puts("");
}

static void print_whole(const char *path, const struct evidence_check *c)
{
    printf("%s: %" PRId64 " line%s, none changed, missing or moved%s\n", path,
           c->n_good, c->n_good == 1 ? "" : "s",
           c->is_extract ? "; a part cut out of a longer log" : "");
    print_found(path, c);
    if (c->first_n > 1 && !c->is_extract) {
        printf("%s: goes on from n %" PRId64
               ", the last line of the part before it\n",
               path, c->first_n - 1);
    }
    if (!c->stopped && !c->is_extract) {
        printf("%s: has no line of an orderly end: it is still written, the "
               "process was killed, or lines were taken off its end\n",
               path);
    }
    printf("%s: last n %" PRId64 ", hash %s\n", path, c->last.n, c->last.hash);
    if (c->head != NULL) {
        printf("%s: the hash asked for is in it, %" PRId64
               " line%s before the end\n",
               path, c->after_head, c->after_head == 1 ? "" : "s");
    } else if (!c->is_extract) {
        printf("%s: lines taken off the end show only against a hash noted "
               "elsewhere: --head\n",
               path);
    }
}

static void print_broken(const char *path, const struct evidence_check *c)
{
    if (c->bad_line > 0) {
        printf("%s: line %" PRId64 ": %s\n", path, c->bad_line, c->why);
    } else {
        printf("%s: %s\n", path, c->why);
    }
    if (c->n_good > 0) {
        printf("%s: the %" PRId64 " line%s before it %s whole\n", path,
               c->n_good, c->n_good == 1 ? "" : "s",
               c->n_good == 1 ? "is" : "are");
        print_found(path, c);
    }
}

int verify_evidence(const char *path, FILE *file, const char *head, bool json)
{
    if (head != NULL && !evidence_is_hash(head)) {
        cli_error("verify",
                  "--head: \"%s\": expected the 64 digits of a line's hash",
                  head);
        return EXIT_USAGE;
    }
    struct evidence_check c = {.head = head};
    enum evidence_verdict verdict = evidence_check(file, &c);
    if (json) {
        print_json(path, verdict, &c);
    } else if (verdict == EVIDENCE_WHOLE) {
        print_whole(path, &c);
    } else if (verdict == EVIDENCE_BROKEN) {
        print_broken(path, &c);
    } else {
        cli_error("verify", "%s: %s", path, c.why);
    }
    return verdict == EVIDENCE_WHOLE    ? EXIT_DONE
           : verdict == EVIDENCE_BROKEN ? EXIT_NO
                                        : EXIT_USAGE;
}
