/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `ballast replay`: the command line of replay/replay. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cli.h"
#include "controller/site_file.h"
#include "replay/hindsight.h"
#include "replay/inputs.h"
#include "replay/outputs.h"
#include "replay/replay.h"
#include "replay/report.h"

struct options {
    struct inputs_options inputs;
    const char *policy;
    const char *out;
    double every_s;
    const char *record;
    long seed;
    bool json;
    bool strict;
};

struct job {
    const struct options *o;
    struct site *site;
    const char *site_path;
    struct inputs in;
    int policies[REPLAY_POLICIES];
    int n;
    struct replay_result results[REPLAY_POLICIES];
    struct replay_cfg known; /* of hindsight */
    struct hindsight *hindsight;
    const struct replay_result *none; /* watched for it; NULL: not yet */
};

static bool is_word(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && strncmp(word, text, n) == 0;
}

/* REPLAY_POLICIES for an unknown word. */
static int find_policy(const char *text, size_t n)
{
    int p = 0;
    while (p < REPLAY_POLICIES && !is_word(text, n, policy_name(p))) {
        p++;
    }
    return p;
}

static bool add_policy(struct job *j, const char *text, size_t n)
{
    int p = find_policy(text, n);
    bool fresh = p != REPLAY_POLICIES;
    for (int i = 0; i < j->n; i++) {
        fresh = fresh && j->policies[i] != p;
    }
    if (!fresh) {
        cli_error("replay",
                  "--policy: \"%.*s\": expected some of ballast, none, "
                  "limiter, hindsight, each once at most",
                  (int)n, text);
        return false;
    }
    j->policies[j->n++] = p;
    return true;
}

static bool read_policies(struct job *j, const char *text)
{
    for (;;) {
        size_t n = strcspn(text, ",");
        if (!add_policy(j, text, n)) {
            return false;
        }
        if (text[n] == '\0') {
            return true;
        }
        text += n + 1;
    }
}

static struct replay_cfg base_cfg(const struct job *j)
{
    return (struct replay_cfg){
        .site = j->site,
        .trace = &j->in.trace,
        .prices = j->in.prices.n > 0 ? &j->in.prices : NULL,
        .events = &j->in.events,
        .policy = POLICY_NONE,
        .start_utc_ms = j->in.start_utc_ms,
        .zone = &j->in.zone,
        .seed = (uint64_t)j->o->seed,
        .series_every_s = j->o->every_s,
        .progress = isatty(STDERR_FILENO) == 1,
    };
}

static bool is_asked(const struct job *j, int policy)
{
    for (int i = 0; i < j->n; i++) {
        if (j->policies[i] == policy) {
            return true;
        }
    }
    return false;
}

/* Fills the result; 'cfg' is what the run before it was told. */
static enum err run_one(struct job *j, int i, struct replay_cfg *cfg, char *why,
                        size_t why_size)
{
    struct replay_result *out = &j->results[i];
    if (j->policies[i] == REPLAY_HINDSIGHT) {
        j->known.series = cfg->series;
        return hindsight_run(j->hindsight, j->none, out, why, why_size);
    }
    cfg->policy = (enum policy)j->policies[i];
    if (cfg->policy == POLICY_NONE && j->hindsight != NULL) {
        cfg->watch = hindsight_watch;
        cfg->watch_context = j->hindsight;
        j->none = out;
    }
    return replay_run(cfg, out, why, why_size);
}

static bool run_policy(struct job *j, int i)
{
    const struct options *o = j->o;
    int policy = j->policies[i];
    struct replay_cfg cfg = base_cfg(j);
    const struct outputs to = {.dir = o->out,
                               .site = j->site,
                               .site_path = j->site_path,
                               .trace = &j->in.trace,
                               .start_utc_ms = j->in.start_utc_ms,
                               .policy = policy};
    struct evidence_out evidence = {.file = {.fd = -1}};
    struct settlement_out seen = {0};
    bool ok = true;
    if (o->out != NULL) {
        cfg.series = outputs_series(&to);
        ok = cfg.series != NULL;
    }
    if (ok && o->out != NULL && policy != REPLAY_HINDSIGHT) {
        ok = outputs_evidence(&to, &evidence);
        cfg.evidence = &evidence.file;
    }
    if (ok && cfg.evidence != NULL && j->in.events.n_utility > 0) {
        ok = settlement_out_open(&seen, j->in.start_utc_ms,
                                 j->in.trace.duration_s);
        cfg.settle = &seen;
    }
    if (ok && o->record != NULL) {
        cfg.recorder = outputs_recorder(&to, o->record);
        ok = cfg.recorder != NULL;
    }
    char why[512];
    if (ok && run_one(j, i, &cfg, why, sizeof(why)) != ERR_NONE) {
        cli_error("replay", "%s", why);
        ok = false;
    }
    int64_t end_ms =
        j->in.start_utc_ms + (int64_t)(j->results[i].duration_s * 1e3);
    ok = evidence_out_end(&evidence, end_ms, ok);
    if (ok && cfg.settle != NULL) {
        ok = outputs_settlements(&to, &j->in.events, &seen);
    }
    settlement_out_clear(&seen);
    return outputs_close(&to, cfg.series, cfg.recorder) && ok;
}

/* Hindsight last, so that it need not run 'none' again. */
static bool run_policies(struct job *j)
{
    bool asked = is_asked(j, REPLAY_HINDSIGHT);
    if (asked) {
        char why[512];
        j->known = base_cfg(j);
        j->hindsight = hindsight_open(&j->known, why, sizeof(why));
        if (j->hindsight == NULL) {
            cli_error("replay", "%s", why);
            return false;
        }
    }
    bool ok = true;
    for (int last = 0; last < 2; last++) {
        for (int i = 0; ok && i < j->n; i++) {
            if ((j->policies[i] == REPLAY_HINDSIGHT) == (last == 1)) {
                ok = run_policy(j, i);
            }
        }
    }
    hindsight_close(j->hindsight);
    return ok;
}

/* Which limits the run did not keep, on stderr; false where it kept all. */
static bool tell_violations(const struct job *j, int i)
{
    const struct compliance_result *g = &j->results[i].grid;
    const struct {
        const char *what;
        int64_t ticks;
    } rows[] = {
        {"the ramp limit", g->ramp_violations},
        {"the import limit", g->import_limit_violations},
        {"the export limit", g->export_limit_violations},
        {"the swing limit", g->swing_violations},
    };
    const char *policy = policy_name(j->policies[i]);
    bool any = false;
    for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        if (rows[k].ticks > 0) {
            cli_error("replay", "%s broke %s in %lld ticks", policy,
                      rows[k].what, (long long)rows[k].ticks);
            any = true;
        }
    }
    const struct site_grid *grid = &j->site->grid;
    for (int k = 0; k < grid->n_bands; k++) {
        if (g->bands[k].rms_w > grid->bands[k].rms_max_w) {
            cli_error("replay", "%s broke the limit of the band %g-%g Hz",
                      policy, grid->bands[k].from_hz, grid->bands[k].to_hz);
            any = true;
        }
    }
    return any;
}

static bool any_violation(const struct job *j)
{
    bool any = false;
    for (int i = 0; i < j->n; i++) {
        any = tell_violations(j, i) || any;
    }
    return any;
}

static int answer(struct job *j)
{
    struct report report = {
        .site = j->site,
        .trace = &j->in.trace,
        .results = j->results,
        .policies = j->policies,
        .n = j->n,
    };
    if (!j->o->json) {
        report_text(&report, stdout);
    } else if (report_json(&report, stdout) != ERR_NONE) {
        cli_error("replay", "the answer could not be written");
        return EXIT_USAGE;
    }
    return j->o->strict && any_violation(j) ? EXIT_NO : EXIT_DONE;
}

static int run_job(struct job *j)
{
    if (j->site->n_pods == 0) {
        cli_error("replay", "%s has no pods that could draw the load",
                  j->site_path);
        return EXIT_USAGE;
    }
    if (j->o->record != NULL && j->n > 1) {
        cli_error("replay", "--record keeps one policy; name one by --policy");
        return EXIT_USAGE;
    }
    if (j->o->record != NULL && j->policies[0] == REPLAY_HINDSIGHT) {
        cli_error("replay", "--record keeps what a controller decided; "
                            "hindsight is none");
        return EXIT_USAGE;
    }
    const struct inputs_options *in = &j->o->inputs;
    int n_markets = (in->price != NULL) + (in->ahead_column != NULL);
    if (j->o->record != NULL && j->site->n_prices < n_markets) {
        cli_error("replay",
                  "--record with --price: %s has %s prices, so the recording "
                  "could not be verified with it; add a market to the file",
                  j->site_path, j->site->n_prices == 0 ? "no" : "one market's");
        return EXIT_USAGE;
    }
    if (!inputs_load(&j->o->inputs, j->site, &j->in)) {
        return EXIT_USAGE;
    }
    int code = run_policies(j) ? answer(j) : EXIT_USAGE;
    inputs_clear(&j->in);
    return code;
}

static int start(const struct options *o, const char *site_path)
{
    const struct inputs_options *in = &o->inputs;
    if (in->load == NULL || !(in->scale > 0.0)) {
        cli_error("replay", in->load == NULL
                                ? "--load is missing: a file, or gen:training"
                                : "--scale must be above 0");
        return EXIT_USAGE;
    }
    if (o->every_s > 0.0 && o->out == NULL) {
        cli_error("replay",
                  "--every: the rows go to --out DIR, which is missing");
        return EXIT_USAGE;
    }
    struct job *j = calloc(1, sizeof(*j));
    if (j == NULL) {
        cli_error("replay", "out of memory");
        return EXIT_USAGE;
    }
    j->o = o;
    j->site_path = site_path;
    int code = EXIT_USAGE;
    if (read_policies(j, o->policy)) {
        j->site = site_file_load(site_path);
        code = j->site != NULL ? run_job(j) : EXIT_USAGE;
    }
    free(j->site);
    free(j);
    return code;
}

int replay_main(int argc, char **argv)
{
    struct options o = {
        .inputs = {.scale = 1.0, .repeat = 1}, .policy = "ballast", .seed = 1};
    struct inputs_options *in = &o.inputs;
    const struct cli_option options[] = {
        {"load", CLI_TEXT, &in->load, "FILE",
         "load trace, or gen:training|inference|mixed[,seed=N][,days=D]"},
        {"column", CLI_TEXT, &in->column, "C", "its power column"},
        {"where", CLI_TEXTS, &in->where, "COL=VALUE", "only these rows"},
        {"scale", CLI_NUMBER, &in->scale, "X", "multiply the load"},
        {"repeat", CLI_COUNT, &in->repeat, "N", "play it N times"},
        {"price", CLI_TEXT, &in->price, "FILE", "price file"},
        {"price-column", CLI_TEXT, &in->price_column, "C", "to plan with"},
        {"price-zone", CLI_TEXT, &in->price_zone, "TZ",
         "of its local times (default: the site's)"},
        {"price-known", CLI_TEXT, &in->price_known, "WHEN",
         "day-ahead (default), now or all"},
        {"settle-column", CLI_TEXT, &in->settle_column, "C",
         "to make the bill with"},
        {"ahead-column", CLI_TEXT, &in->ahead_column, "C",
         "of another market, a day of it known at 13:00 the day before: what "
         "to expect where C of --price-column is not known yet"},
        {"start", CLI_TEXT, &in->start, "TIME", "when it begins"},
        {"events", CLI_TEXT, &in->events, "FILE",
         "utility limits and job markers, a JSON object per line"},
        {"policy", CLI_TEXT, &o.policy, "P,P...",
         "ballast, none, limiter, and hindsight: the best that could have been "
         "done, had all been known"},
        {"out", CLI_TEXT, &o.out, "DIR",
         "write DIR/POLICY/series.csv and evidence.log"},
        {"every", CLI_DURATION, &o.every_s, "DURATION", "rows of it"},
        {"record", CLI_TEXT, &o.record, "FILE", "for 'ballast verify'"},
        {"seed", CLI_COUNT, &o.seed, "N", "of the simulated vehicles"},
        {"json", CLI_FLAG, &o.json, NULL, "the answer as JSON"},
        {"strict", CLI_FLAG, &o.strict, NULL, "exit 1 on any violation"},
    };
    const struct cli cli = {
        .command = "replay",
        .args = "SITE --load FILE",
        .about = "Runs the controller over a load trace against the simulated "
                 "site, as fast as\nit goes: what would it have cost, would "
                 "it have held the ramp.",
        .example = "  ballast replay replay/sites/demo.yaml --load "
                   "gen:training --policy ballast,limiter,none\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_args = 1,
        .max_args = 1,
    };
    int n = 0;
    int code = cli_parse(&cli, argc, argv, &n);
    if (code >= 0) {
        return code;
    }
    return start(&o, argv[1]);
}
