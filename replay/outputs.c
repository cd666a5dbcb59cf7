/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/cli.h"
#include "controller/site_file.h"
#include "replay/report.h"

enum { PATH_BYTES = 4096 };

/* DIR/POLICY/NAME, its folders made; false after a message. */
static bool make_path(const struct outputs *o, const char *name,
                      char out[PATH_BYTES])
{
    int n = snprintf(out, PATH_BYTES, "%s/%s/%s", o->dir,
                     policy_name(o->policy), name);
    if (n < 0 || n >= PATH_BYTES) {
        cli_error("replay", "--out: the path is too long");
        return false;
    }
    for (char *slash = strchr(out + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(out, 0777) != 0 && errno != EEXIST) {
            cli_error("replay", "%s: %s", out, strerror(errno));
            return false;
        }
        *slash = '/';
    }
    return true;
}

FILE *outputs_series(const struct outputs *o)
{
    char path[PATH_BYTES];
    if (!make_path(o, "series.csv", path)) {
        return NULL;
    }
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        cli_error("replay", "%s: %s", path, strerror(errno));
    }
    return file;
}

bool outputs_evidence(const struct outputs *o, struct evidence_out *out)
{
    char path[PATH_BYTES];
    char detail[2048];
    /* the name of what is synthetic says so */
    snprintf(detail, sizeof(detail), "policy %s over %s",
             policy_name(o->policy), o->trace->name);
    const struct evidence_writer writer = {.site = o->site,
                                           .mode = "replay",
                                           .detail = detail,
                                           .meter = "the simulated plant"};
    return make_path(o, "evidence.log", path) &&
           evidence_out_open(out, path, &writer, o->start_utc_ms);
}

bool outputs_settlements(const struct outputs *o, const struct events *events,
                         const struct settlement_out *seen)
{
    char dir[PATH_BYTES];
    const struct settlement_out_cfg cfg = {
        .site = o->site, .events = events, .dir = dir};
    snprintf(dir, sizeof(dir), "%s/%s", o->dir, policy_name(o->policy));
    return settlement_out_write(seen, &cfg);
}

struct recorder *outputs_recorder(const struct outputs *o, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    struct recorder *r = NULL;
    struct step_cfg *cfg = calloc(1, step_cfg_size());
    struct step_state *state = NULL;
    char why[512] = "out of memory";
    if (cfg != NULL && site_file_read(o->site_path, &text, &size) == ERR_NONE &&
        step_cfg_init(cfg, o->site, (enum policy)o->policy) == ERR_NONE) {
        state = calloc(1, step_state_size(cfg));
    }
    if (state != NULL) {
        step_state_init(cfg, state);
        struct recording_head head = {
            .site_text = text,
            .site_text_size = size,
            .policy = (enum policy)o->policy,
            .state = state,
            .state_size = step_state_size(cfg),
        };
        snprintf(head.site_path, sizeof(head.site_path), "%s", o->site_path);
        if (recorder_open(path, &head, o->site, &r, why, sizeof(why)) !=
            ERR_NONE) {
            r = NULL;
        }
    }
    if (r == NULL) {
        cli_error("replay", "--record %s: %s", path, why);
    }
    free(state);
    free(cfg);
    free(text);
    return r;
}

bool outputs_close(const struct outputs *o, FILE *series,
                   struct recorder *recorder)
{
    bool ok = true;
    if (series != NULL && fclose(series) != 0) {
        cli_error("replay", "--out %s: %s", o->dir, strerror(errno));
        ok = false;
    }
    if (recorder != NULL && recorder_close(recorder) != ERR_NONE) {
        cli_error("replay", "--record: could not be written whole: %s",
                  strerror(errno));
        ok = false;
    }
    return ok;
}
