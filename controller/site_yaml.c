/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file before it is a tree: what libyaml's document API would hide
 * (aliases, anchors, tags, further documents) is refused here, and nesting is
 * cut before it costs anything. */
#include "controller/site_reader.h"

#include <string.h>

/* What goes on between two events. */
struct scan {
    struct site_reader *r;
    int depth;
    int n_documents;
    bool ok;
};

static struct site_spot spot_of(yaml_mark_t mark)
{
    return (struct site_spot){(int)mark.line + 1, (int)mark.column + 1};
}

/* Line and column of a byte; for faults of the reader, which has no mark. */
static struct site_spot spot_at(const struct site_reader *r, size_t offset)
{
    struct site_spot spot = {1, 1};
    for (size_t i = 0; i < offset && i < r->size; i++) {
        unsigned char c = (unsigned char)r->text[i];
        if (c == '\n') {
            spot.line++;
            spot.column = 1;
        } else if ((c & 0xc0) != 0x80) {
            spot.column++;
        }
    }
    return spot;
}

static void tell_syntax(struct site_reader *r, const yaml_parser_t *p)
{
    const char *what = p->problem != NULL ? p->problem : "cannot be parsed";
    if (p->error == YAML_READER_ERROR) {
        site_fault_add(r, spot_at(r, p->problem_offset), "yaml", NULL,
                       "expected a text file in UTF-8: %s", what);
    } else if (p->context != NULL) {
        struct site_spot from = spot_of(p->context_mark);
        site_fault_add(r, spot_of(p->problem_mark), "yaml", NULL,
                       "expected valid YAML: %s, %s that begins at %d:%d", what,
                       p->context, from.line, from.column);
    } else {
        site_fault_add(r, spot_of(p->problem_mark), "yaml", NULL,
                       "expected valid YAML: %s", what);
    }
}

static void refuse(struct scan *s, const yaml_event_t *e, const char *text,
                   const char *expected)
{
    site_fault_add(s->r, spot_of(e->start_mark), "yaml", text, "expected %s",
                   expected);
    s->ok = false;
}

static void check_marks(struct scan *s, const yaml_event_t *e,
                        const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        refuse(s, e, (const char *)anchor, "no anchors (&name)");
    }
    if (tag != NULL) {
        refuse(s, e, (const char *)tag, "no tags (!name)");
    }
}

/* True while the scan may go on. */
static bool take_event(struct scan *s, const yaml_event_t *e)
{
    switch ((int)e->type) {
    case YAML_STREAM_END_EVENT:
        return false;
    case YAML_DOCUMENT_START_EVENT:
        if (++s->n_documents > 1) {
            refuse(s, e, "---", "one document in the file");
            return false;
        }
        return true;
    case YAML_ALIAS_EVENT:
        refuse(s, e, (const char *)e->data.alias.anchor, "no aliases (*name)");
        return true;
    case YAML_SCALAR_EVENT:
        check_marks(s, e, e->data.scalar.anchor, e->data.scalar.tag);
        return true;
    case YAML_SEQUENCE_START_EVENT:
        check_marks(s, e, e->data.sequence_start.anchor,
                    e->data.sequence_start.tag);
        s->depth++;
        break;
    case YAML_MAPPING_START_EVENT:
        check_marks(s, e, e->data.mapping_start.anchor,
                    e->data.mapping_start.tag);
        s->depth++;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        s->depth--;
        return true;
    default:
        return true;
    }
    if (s->depth > SITE_DEPTH_MAX) {
        refuse(s, e, NULL, "sections and lists nested at most 8 deep");
        return false;
    }
    return true;
}

bool site_yaml_scan(struct site_reader *r)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        r->no_memory = true;
        return false;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->text,
                                 r->size);
    struct scan s = {.r = r, .ok = true};
    for (bool on = true; on;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            tell_syntax(r, &parser);
            s.ok = false;
            break;
        }
        on = take_event(&s, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (s.ok && s.n_documents == 0) {
        site_fault_add(r, (struct site_spot){1, 1}, "file", NULL,
                       "empty: expected site:, grid: and the assets");
        s.ok = false;
    }
    return s.ok;
}
