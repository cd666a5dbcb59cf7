/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/evidence_span.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/evidence_file.h"
#include "models/calendar.h"

/* No sum of a minute is larger. */
static const double NUMBER_MAX = 1e15;

struct reader {
    struct evidence_span *s;
    char *line; /* EVIDENCE_LINE_MAX */
};

static double number_of(const cJSON *o, const char *key)
{
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(o, key);
    bool good = cJSON_IsNumber(x) && isfinite(x->valuedouble) &&
                fabs(x->valuedouble) <= NUMBER_MAX;
    return good ? x->valuedouble : 0.0;
}

static int64_t time_of(const cJSON *o, const char *key)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(o, key);
    int64_t at_ms = INT64_MIN;
    if (!cJSON_IsString(t) ||
        calendar_parse_utc(t->valuestring, &at_ms) != ERR_NONE) {
        return INT64_MIN;
    }
    return at_ms;
}

static void add_counts(struct evidence_span *s, const cJSON *o)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, "violations");
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        s->violations[i] += (int64_t)number_of(
            v, compliance_rule_name((enum compliance_rule)i));
    }
    v = cJSON_GetObjectItemCaseSensitive(o, "exempt");
    for (int i = COMPLIANCE_NONE + 1; i < COMPLIANCE_CAUSE_COUNT; i++) {
        s->exempt[i] += (int64_t)number_of(
            v, compliance_cause_name((enum compliance_cause)i));
    }
}

/* The line is written when the minute is over. */
static void take_minute(struct evidence_span *s, const cJSON *o, int64_t at_ms)
{
    int64_t from_ms = time_of(o, "from");
    if (from_ms < s->from_ms || at_ms > s->to_ms || from_ms >= at_ms) {
        return;
    }
    s->first_ms = s->n_minutes == 0 ? from_ms : s->first_ms;
    s->last_ms = at_ms;
    s->n_minutes++;
    double ticks = number_of(o, "ticks");
    double unmetered = number_of(o, "unmetered");
    double length_s = (double)(at_ms - from_ms) / 1e3;
    double all = ticks + number_of(o, "missed");
    s->seen_s +=
        all > 0.0 ? length_s * fmax(ticks - unmetered, 0.0) / all : 0.0;
    s->import_wh += number_of(o, "import_wh");
    s->export_wh += number_of(o, "export_wh");
    s->shed_wh += number_of(o, "shed_wh");
    add_counts(s, o);
}

static void take_line(struct evidence_span *s, const char *line, size_t n)
{
    struct evidence_frame f;
    if (!evidence_frame(line, n, &f) || s->over ||
        strcmp(f.kind, "extract") == 0) {
        return;
    }
    cJSON *o = cJSON_ParseWithLengthOpts(line, n, NULL, false);
    int64_t at_ms = time_of(o, "at");
    struct evidence_chain here = {.n = f.n};
    memcpy(here.hash, f.hash, sizeof(here.hash));
    if (at_ms != INT64_MIN) {
        if (at_ms <= s->from_ms) {
            s->head = here;
        }
        s->tail = here;
        s->over = at_ms >= s->to_ms;
        if (strcmp(f.kind, "minute") == 0) {
            take_minute(s, o, at_ms);
        }
        s->n_gaps += strcmp(f.kind, "gap") == 0 && at_ms > s->from_ms;
    }
    cJSON_Delete(o);
}

static bool read_part(struct reader *r, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t n = 0;
    int ch;
    while ((ch = getc(file)) != EOF && !r->s->over) {
        if (ch == '\n') {
            take_line(r->s, r->line, n);
            n = 0;
        } else if (n < EVIDENCE_LINE_MAX) {
            r->line[n++] = (char)ch;
        }
    }
    bool good = ferror(file) == 0;
    fclose(file);
    return good;
}

enum err evidence_span_read(struct evidence_span *s, const char *path)
{
    *s = (struct evidence_span){.from_ms = s->from_ms, .to_ms = s->to_ms};
    struct reader r = {s, malloc(EVIDENCE_LINE_MAX)};
    if (r.line == NULL) {
        return ERR_MEMORY;
    }
    bool good = true;
    int64_t n_parts = evidence_parts(path);
    for (int64_t k = 1; k <= n_parts && good && !s->over; k++) {
        char part[EVIDENCE_PATH_MAX + 32];
        good = read_part(&r, evidence_part_path(path, k, part, sizeof(part)));
    }
    good = good && (s->over || read_part(&r, path));
    free(r.line);
    return good ? ERR_NONE : ERR_IO;
}
