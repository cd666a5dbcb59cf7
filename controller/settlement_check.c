/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/settlement_check.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/calendar.h"

static const char begin[] = "{\n\t\"settlement\":\t1,";
static const char seal[] = ",\n\t\"sha256\":\t\"";
static const char seal_end[] = "\"\n}\n";

enum { SEAL_BYTES = sizeof(seal) - 1 + EVIDENCE_HASH + sizeof(seal_end) - 1 };

bool settlement_is(FILE *file)
{
    char text[sizeof(begin) - 1];
    size_t n = fread(text, 1, sizeof(text), file);
    rewind(file);
    return n == sizeof(text) && memcmp(text, begin, n) == 0;
}

static enum settlement_verdict say(struct settlement_check *c,
                                   enum settlement_verdict v, const char *why)
{
    snprintf(c->why, sizeof(c->why), "%s", why);
    return v;
}

/* The text between the seal's ends is the hash of all before it. */
static bool check_seal(struct settlement_check *c, const char *text, size_t n)
{
    if (n <= SEAL_BYTES) {
        return false;
    }
    const char *at = text + n - SEAL_BYTES;
    const char *hash = at + sizeof(seal) - 1;
    if (memcmp(at, seal, sizeof(seal) - 1) != 0 ||
        memcmp(hash + EVIDENCE_HASH, seal_end, sizeof(seal_end) - 1) != 0) {
        return false;
    }
    memcpy(c->hash, hash, EVIDENCE_HASH);
    c->hash[EVIDENCE_HASH] = '\0';
    char ours[EVIDENCE_HASH + 1];
    evidence_digest(text, (size_t)(at - text), ours);
    return strcmp(ours, c->hash) == 0;
}

static bool take_text(const cJSON *o, const char *key, char *out, size_t size)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!cJSON_IsString(t) || strlen(t->valuestring) >= size) {
        return false;
    }
    for (const char *p = t->valuestring; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 127) {
            return false;
        }
    }
    snprintf(out, size, "%s", t->valuestring);
    return true;
}

static double number_of(const cJSON *o, const char *key)
{
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(x) && isfinite(x->valuedouble) ? x->valuedouble
                                                         : (double)NAN;
}

static int64_t count_of(const cJSON *o, const char *key)
{
    double x = number_of(o, key);
    return x >= 0.0 && x < 1e15 ? (int64_t)x : 0;
}

static bool take_chain(const cJSON *o, const char *key,
                       struct evidence_chain *c)
{
    const cJSON *chain = cJSON_GetObjectItemCaseSensitive(o, key);
    c->n = count_of(chain, "n");
    c->hash[0] = '\0';
    return take_text(chain, "h", c->hash, sizeof(c->hash)) &&
           (c->n == 0 || evidence_is_hash(c->hash));
}

static void take_counts(const cJSON *o, struct evidence_span *e)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, "violations");
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        e->violations[i] =
            count_of(v, compliance_rule_name((enum compliance_rule)i));
    }
    v = cJSON_GetObjectItemCaseSensitive(o, "exempt");
    for (int i = COMPLIANCE_NONE + 1; i < COMPLIANCE_CAUSE_COUNT; i++) {
        e->exempt[i] =
            count_of(v, compliance_cause_name((enum compliance_cause)i));
    }
}

static bool take_evidence(struct settlement_check *c, const cJSON *root)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, "evidence");
    struct evidence_span *e = &c->evidence;
    if (cJSON_IsNull(o)) {
        return true;
    }
    c->has_evidence = true;
    e->n_minutes = count_of(o, "minutes");
    e->n_gaps = count_of(o, "gaps");
    e->over = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "over"));
    e->import_wh = number_of(o, "import_wh");
    e->export_wh = number_of(o, "export_wh");
    e->seen_s = number_of(o, "seen_s");
    c->settled_wh = number_of(o, "settled_wh");
    take_counts(o, e);
    return take_text(o, "file", c->evidence_path, sizeof(c->evidence_path)) &&
           take_chain(o, "head", &e->head) && take_chain(o, "tail", &e->tail) &&
           calendar_parse_utc(c->from, &e->from_ms) == ERR_NONE &&
           calendar_parse_utc(c->to, &e->to_ms) == ERR_NONE;
}

static bool take(struct settlement_check *c, const char *text, size_t n)
{
    cJSON *o = cJSON_ParseWithLengthOpts(text, n, NULL, false);
    const cJSON *totals = cJSON_GetObjectItemCaseSensitive(o, "totals");
    const cJSON *accuracy = cJSON_GetObjectItemCaseSensitive(o, "accuracy");
    c->delivered_wh = number_of(totals, "delivered_wh");
    c->above_s = number_of(accuracy, "above_s");
    bool good = take_text(o, "site", c->site, sizeof(c->site)) &&
                take_text(o, "event", c->event, sizeof(c->event)) &&
                take_text(o, "from", c->from, sizeof(c->from)) &&
                take_text(o, "to", c->to, sizeof(c->to)) && take_evidence(c, o);
    cJSON_Delete(o);
    return good;
}

enum settlement_verdict settlement_check(FILE *file, struct settlement_check *c)
{
    *c = (struct settlement_check){.delivered_wh = NAN, .above_s = NAN};
    char *text = malloc(SETTLEMENT_BYTES_MAX + 1);
    if (text == NULL) {
        return say(c, SETTLEMENT_UNREADABLE, "out of memory");
    }
    size_t n = fread(text, 1, SETTLEMENT_BYTES_MAX + 1, file);
    enum settlement_verdict v = SETTLEMENT_WHOLE;
    if (ferror(file) != 0) {
        v = say(c, SETTLEMENT_UNREADABLE, strerror(errno));
    } else if (n > SETTLEMENT_BYTES_MAX) {
        v = say(c, SETTLEMENT_UNREADABLE, "larger than any settlement is");
    } else if (!check_seal(c, text, n)) {
        v = say(c, SETTLEMENT_CHANGED,
                "it was changed, or is not whole: the hash at its end is not "
                "that of what comes before");
    } else if (!take(c, text, n)) {
        v = say(c, SETTLEMENT_CHANGED,
                "its hash is right but it is none that this program writes");
    }
    free(text);
    return v;
}

static bool differ(struct settlement_check *c, const char *what, double a,
                   double b)
{
    snprintf(c->why, sizeof(c->why),
             "%s: the settlement has %.9g, the evidence %.9g", what, a, b);
    return false;
}

static bool same_chain(struct settlement_check *c, const char *what,
                       const struct evidence_chain *a,
                       const struct evidence_chain *b)
{
    if (a->n == b->n &&
        strcmp(a->n > 0 ? a->hash : "", b->n > 0 ? b->hash : "") == 0) {
        return true;
    }
    snprintf(c->why, sizeof(c->why),
             "the %s of the settlement is line n %" PRId64
             " of another chain: the evidence has n %" PRId64 ", hash %s",
             what, a->n, b->n, b->n > 0 ? b->hash : "none");
    return false;
}

static bool near(double a, double b, double share, double least)
{
    return fabs(a - b) <= fmax(share * fmax(fabs(a), fabs(b)), least);
}

static bool same_counts(struct settlement_check *c,
                        const struct evidence_span *b)
{
    const struct evidence_span *a = &c->evidence;
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        if (a->violations[i] != b->violations[i]) {
            return differ(c, "ticks of a violation", (double)a->violations[i],
                          (double)b->violations[i]);
        }
    }
    for (int i = 0; i < COMPLIANCE_CAUSE_COUNT; i++) {
        if (a->exempt[i] != b->exempt[i]) {
            return differ(c, "exempt ticks", (double)a->exempt[i],
                          (double)b->exempt[i]);
        }
    }
    return true;
}

bool settlement_agrees(struct settlement_check *c, const char *path)
{
    const struct evidence_span *a = &c->evidence;
    struct evidence_span b = {.from_ms = a->from_ms, .to_ms = a->to_ms};
    if (evidence_span_read(&b, path) != ERR_NONE) {
        snprintf(c->why, sizeof(c->why), "%.200s: %s", path, strerror(errno));
        return false;
    }
    /* a part cut out of a log begins with the line after the head */
    if (b.head.n > 0 && !same_chain(c, "head", &a->head, &b.head)) {
        return false;
    }
    if (!a->over) {
        snprintf(c->why, sizeof(c->why),
                 "it was made before the evidence of its end was written: "
                 "export it again");
        return false;
    }
    if (!same_chain(c, "tail", &a->tail, &b.tail)) {
        return false;
    }
    if (a->n_minutes != b.n_minutes) {
        return differ(c, "minutes", (double)a->n_minutes, (double)b.n_minutes);
    }
    if (!near(a->import_wh, b.import_wh, 1e-6, 1e-3) ||
        !near(a->export_wh, b.export_wh, 1e-6, 1e-3)) {
        return differ(c, "net energy, Wh", a->import_wh - a->export_wh,
                      b.import_wh - b.export_wh);
    }
    /* a second at either edge may lie in the minute next to it */
    double net_wh = b.import_wh - b.export_wh;
    double edge_wh =
        b.seen_s > 0.0 ? 2.0 * (b.import_wh + b.export_wh) / b.seen_s : 0.0;
    if (!near(c->settled_wh, net_wh, SETTLEMENT_ENERGY_PU, edge_wh)) {
        return differ(c, "energy in the evidence's minutes, Wh", c->settled_wh,
                      net_wh);
    }
    return same_counts(c, &b);
}
