/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/evidence_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cli.h"

bool evidence_out_open(struct evidence_out *o, const char *path,
                       const struct evidence_writer *writer, int64_t at_ms)
{
    char why[2 * EVIDENCE_PATH_MAX] = "out of memory";
    o->file =
        (struct evidence_file){.fd = -1, .size_max = INT64_MAX, .at_ms = at_ms};
    unlink(path);
    o->head = evidence_head(writer);
    bool ok = o->head != NULL &&
              evidence_file_open(&o->file, path, why, sizeof(why)) == ERR_NONE;
    if (ok &&
        evidence_file_append(&o->file, at_ms, "head", o->head) != ERR_NONE) {
        snprintf(why, sizeof(why), "%s: %s", path, strerror(errno));
        ok = false;
    }
    if (!ok) {
        cli_error("replay", "--out: %s", why);
    }
    return ok;
}

bool evidence_out_end(struct evidence_out *o, int64_t at_ms, bool ok)
{
    static const char because[] = "\"because\":\"end of the trace\"";
    if (ok && o->head != NULL &&
        evidence_file_append(&o->file, at_ms, "stop", because) != ERR_NONE) {
        cli_error("replay", "--out: %s: %s", o->file.path, strerror(errno));
        ok = false;
    }
    evidence_file_close(&o->file);
    free(o->head);
    o->head = NULL;
    return ok;
}
