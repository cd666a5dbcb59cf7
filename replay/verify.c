/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/verify.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/build_id.h"
#include "controller/cli.h"
#include "controller/evidence_check.h"
#include "controller/settlement_check.h"
#include "controller/parts.h"
#include "controller/site_file.h"
#include "controller/step/carry.h"
#include "controller/step/checkpoint.h"
#include "controller/step/step.h"
#include "models/calendar.h"
#include "replay/verify_evidence.h"
#include "replay/verify_settlement.h"

/* Ticks between two looks at how far it is. */
enum { PROGRESS_TICKS = 4096 };

/* What it takes to run the step again. */
struct rerun {
    struct site *site;
    struct step_cfg *cfg;
    struct step_state *state;
    struct step_scratch *scratch;
    struct step_out *out;
};

static void rerun_clear(struct rerun *r)
{
    free(r->site);
    free(r->cfg);
    free(r->state);
    free(r->scratch);
    free(r->out);
}

static void first_fault(void *user, const char *message)
{
    struct verify_report *report = user;
    if (report->why[0] == '\0') {
        snprintf(report->why, sizeof(report->why),
                 "its site file is not understood: %s", message);
    }
}

static bool say(struct verify_report *report, const char *what)
{
    snprintf(report->why, sizeof(report->why), "%s", what);
    return false;
}

static bool rerun_site(struct rerun *r, const struct recording_head *head,
                       struct verify_report *report)
{
    r->site = malloc(sizeof(*r->site));
    if (r->site == NULL) {
        return say(report, "out of memory");
    }
    return site_file_parse(head->site_path, head->site_text,
                           head->site_text_size, r->site, first_fault,
                           report) == ERR_NONE;
}

/* A part of a run goes on from a checkpoint, whose counts and indices must be
 * such that the step may have them. */
static bool rerun_checkpoint(struct rerun *r, const struct recording_head *head,
                             struct verify_report *report)
{
    memcpy(r->state, head->state, head->state_size);
    report->after_tick = head->after_tick;
    if (!checkpoint_valid(r->cfg, r->state)) {
        return say(report, "the state that it goes on from is none that a run "
                           "of its site can reach");
    }
    checkpoint_out(r->cfg, r->state, r->out);
    return true;
}

/* A run begins with a fresh state, but for what outlived the run before; any
 * other has been made up.  Another build's may be another. */
static bool rerun_state(struct rerun *r, const struct recording_head *head,
                        bool any_build, struct verify_report *report)
{
    struct step_state *fresh = calloc(1, head->state_size);
    struct step_state *scratch = malloc(head->state_size);
    bool room = fresh != NULL && scratch != NULL;
    memcpy(r->state, head->state, head->state_size);
    bool begins = false;
    if (room) {
        step_state_init(r->cfg, fresh);
        begins = carry_begins(r->cfg, r->state, fresh, scratch);
    }
    free(fresh);
    free(scratch);
    if (!room) {
        return say(report, "out of memory");
    }
    if (!begins && !any_build) {
        return say(report, "it does not begin where a run begins: its first "
                           "state is not that of its site");
    }
    return true;
}

static bool rerun_step(struct rerun *r, const struct recording_head *head,
                       bool any_build, struct verify_report *report)
{
    r->cfg = malloc(step_cfg_size());
    if (r->cfg == NULL) {
        return say(report, "out of memory");
    }
    if (head->policy < 0 || head->policy >= POLICY_COUNT ||
        step_cfg_init(r->cfg, r->site, (enum policy)head->policy) != ERR_NONE) {
        return say(report, "its site or policy is refused by this program");
    }
    if (head->state_size != step_state_size(r->cfg)) {
        return say(report, "its state has another size: recorded by another "
                           "version of the program");
    }
    struct parts parts;
    parts_init(&parts, r->site);
    r->state = calloc(1, head->state_size);
    r->scratch = calloc(1, step_scratch_size(r->cfg));
    r->out = parts_out(&parts);
    if (r->state == NULL || r->scratch == NULL || r->out == NULL) {
        return say(report, "out of memory");
    }
    r->out->n_nodes = r->site->n_nodes;
    return head->after_tick > 0 ? rerun_checkpoint(r, head, report)
                                : rerun_state(r, head, any_build, report);
}

static bool same_build(const struct recording_head *head,
                       struct verify_report *report)
{
    char build[BUILD_ID_MAX];
    build_id(build);
    if (strcmp(build, head->build) == 0) {
        return true;
    }
    snprintf(report->why, sizeof(report->why),
             "recorded by another build: %s\n  this is: %s\n  Verify it with "
             "the one that wrote it, or compare all the same with --any-build.",
             head->build, build);
    return false;
}

static void show_progress(const struct recording *rec)
{
    if (recording_ticks(rec) % PROGRESS_TICKS == 0) {
        fprintf(stderr, "\r%3.0f %%  %" PRIu64 " ticks",
                100.0 * recording_read_pu(rec), recording_ticks(rec));
    }
}

static enum verify_result run_ticks(const struct verify_cfg *cfg,
                                    struct recording *rec, struct rerun *r,
                                    struct verify_report *report)
{
    for (;;) {
        const struct snapshot *in = NULL;
        const struct plan *plan = NULL;
        const struct step_out *out = NULL;
        switch (recording_next(rec, &in, &plan, &out, report->why,
                               sizeof(report->why))) {
        case RECORDING_TICK:
            break;
        case RECORDING_CUT:
            report->is_cut = true;
            return VERIFY_SAME;
        case RECORDING_END:
            return VERIFY_SAME;
        case RECORDING_DAMAGE:
            return VERIFY_DAMAGED;
        }
        step(r->cfg, r->state, r->scratch, in, plan, r->out);
        if (fields_differ(r->site, out, r->out, &report->diff)) {
            report->tick = in->tick;
            report->utc_ms = in->utc_ms;
            return VERIFY_DIFFERS;
        }
        report->n_ticks++;
        if (cfg->show_progress) {
            show_progress(rec);
        }
    }
}

static enum verify_result run_open(const struct verify_cfg *cfg,
                                   struct recording *rec,
                                   struct verify_report *report)
{
    const struct recording_head *head = recording_head_of(rec);
    struct rerun r = {0};
    enum verify_result result = VERIFY_UNREADABLE;
    if ((cfg->any_build || same_build(head, report)) &&
        rerun_site(&r, head, report) &&
        rerun_step(&r, head, cfg->any_build, report)) {
        if (recording_start(rec, r.site) == ERR_NONE) {
            result = run_ticks(cfg, rec, &r, report);
        } else {
            say(report, "out of memory");
        }
    }
    rerun_clear(&r);
    return result;
}

enum verify_result verify_recording(const struct verify_cfg *cfg,
                                    struct verify_report *report)
{
    *report = (struct verify_report){0};
    struct recording *rec = NULL;
    enum err e =
        recording_open(cfg->path, &rec, report->why, sizeof(report->why));
    if (e != ERR_NONE) {
        return e == ERR_RANGE ? VERIFY_DAMAGED : VERIFY_UNREADABLE;
    }
    enum verify_result result = run_open(cfg, rec, report);
    recording_close(rec);
    if (cfg->show_progress) {
        fprintf(stderr, "\r%40s\r", "");
    }
    return result;
}

static const char *const result_words[] = {
    [VERIFY_SAME] = "same",
    [VERIFY_DIFFERS] = "differs",
    [VERIFY_DAMAGED] = "damaged",
    [VERIFY_UNREADABLE] = "unreadable",
};

static void print_json(const char *path, enum verify_result result,
                       const struct verify_report *report)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "recording", path);
    cJSON_AddStringToObject(o, "result", result_words[result]);
    cJSON_AddNumberToObject(o, "ticks", (double)report->n_ticks);
    cJSON_AddBoolToObject(o, "cut", report->is_cut);
    cJSON_AddNumberToObject(o, "after_tick", (double)report->after_tick);
    if (report->why[0] != '\0') {
        cJSON_AddStringToObject(o, "why", report->why);
    }
    if (result == VERIFY_DIFFERS) {
        char at[CALENDAR_TEXT_MAX];
        cJSON *d = cJSON_AddObjectToObject(o, "difference");
        cJSON_AddNumberToObject(d, "tick", (double)report->tick);
        cJSON_AddStringToObject(d, "time",
                                calendar_format_utc(report->utc_ms, at));
        cJSON_AddStringToObject(d, "field", report->diff.name);
        cJSON_AddStringToObject(d, "recorded", report->diff.recorded);
        cJSON_AddStringToObject(d, "computed", report->diff.computed);
    }
    char *text = cJSON_Print(o);
    puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(o);
}

static void print_before(const char *path, uint64_t n_ticks)
{
    if (n_ticks == 0) {
        printf("%s: no tick comes before it\n", path);
    } else if (n_ticks == 1) {
        printf("%s: the one tick before it is identical\n", path);
    } else {
        printf("%s: the %" PRIu64 " ticks before it are identical\n", path,
               n_ticks);
    }
}

static void print_text(const char *path, enum verify_result result,
                       const struct verify_report *report)
{
    char at[CALENDAR_TEXT_MAX];
    switch (result) {
    case VERIFY_SAME:
        printf("%s: %" PRIu64 " tick%s verified, commands identical\n", path,
               report->n_ticks, report->n_ticks == 1 ? "" : "s");
        if (report->after_tick > 0) {
            printf("%s: a later part of a run, from its state after tick "
                   "%" PRIu64 "\n",
                   path, report->after_tick);
        }
        if (report->is_cut) {
            printf("%s: %s\n", path, report->why);
        }
        return;
    case VERIFY_DIFFERS:
        printf("%s: tick %" PRIu64 ", %s: %s: recorded %s, computed %s\n", path,
               report->tick, calendar_format_utc(report->utc_ms, at),
               report->diff.name, report->diff.recorded, report->diff.computed);
        print_before(path, report->n_ticks);
        return;
    case VERIFY_DAMAGED:
        printf("%s: %s\n", path, report->why);
        print_before(path, report->n_ticks);
        return;
    case VERIFY_UNREADABLE:
        cli_error("verify", "%s: %s", path, report->why);
        return;
    }
}

/* Whether 'path' is of a kind by its content. */
static FILE *open_kind(const char *path, bool (*is)(FILE *file))
{
    FILE *file = fopen(path, "rb");
    if (file != NULL && !is(file)) {
        fclose(file);
        file = NULL;
    }
    return file;
}

struct proof {
    const char *path;
    const char *head;
    const char *evidence;
    bool json;
};

/* True where it is no recording, or is asked to be none: 'code' says how it
 * went. */
static bool verify_proof(const struct proof *p, int *code)
{
    FILE *log = open_kind(p->path, evidence_is_log);
    FILE *settlement = open_kind(p->path, settlement_is);
    bool wrong = true;
    *code = EXIT_USAGE;
    if (p->head != NULL && log == NULL) {
        cli_error("verify", "--head: %s is not an evidence log", p->path);
    } else if (p->evidence != NULL && settlement == NULL) {
        cli_error("verify", "--evidence: %s is not a settlement", p->path);
    } else {
        wrong = false;
    }
    if (!wrong && log != NULL) {
        *code = verify_evidence(p->path, log, p->head, p->json);
    } else if (!wrong && settlement != NULL) {
        *code = verify_settlement(p->path, settlement, p->evidence, p->json);
    }
    bool is = wrong || log != NULL || settlement != NULL;
    if (log != NULL) {
        fclose(log);
    }
    if (settlement != NULL) {
        fclose(settlement);
    }
    return is;
}

int verify_main(int argc, char **argv)
{
    bool any_build = false;
    const char *head = NULL;
    const char *evidence = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"any-build", CLI_FLAG, &any_build, NULL,
         "compare although another build of the program recorded it"},
        {"head", CLI_TEXT, &head, "HASH",
         "of an evidence log: its last line's, noted elsewhere before"},
        {"evidence", CLI_TEXT, &evidence, "FILE",
         "of a settlement: its evidence log, if not the one it names"},
        {"json", CLI_FLAG, &json, NULL, "for machines"},
    };
    const struct cli cli = {
        .command = "verify",
        .args = "FILE",
        .about = "Of a recording: runs its snapshots through the controller "
                 "again; every command\nmust come out bit for bit.  Of an "
                 "evidence log: checks the hashes that chain its\nlines, and "
                 "tells the first line that was changed, taken out or moved.  "
                 "Exit code 0:\nidentical or whole, 1: not, 2: neither a "
                 "recording of this program nor an evidence\nlog.",
        .example = "  ballast verify ballast.db.rec\n"
                   "  ballast verify ballast.db.evidence\n"
                   "  ballast verify cap-7.settlement.json\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_args = 1,
        .max_args = 1,
    };
    int n_args = 0;
    int exit_code = cli_parse(&cli, argc, argv, &n_args);
    if (exit_code >= 0) {
        return exit_code;
    }
    const struct proof proof = {argv[1], head, evidence, json};
    if (verify_proof(&proof, &exit_code)) {
        return exit_code;
    }
    const struct verify_cfg cfg = {
        .path = argv[1],
        .any_build = any_build,
        .show_progress = isatty(STDERR_FILENO) == 1,
    };
    struct verify_report report;
    enum verify_result result = verify_recording(&cfg, &report);
    if (json) {
        print_json(cfg.path, result, &report);
    } else {
        print_text(cfg.path, result, &report);
    }
    return result == VERIFY_SAME         ? EXIT_DONE
           : result == VERIFY_UNREADABLE ? EXIT_USAGE
                                         : EXIT_NO;
}
