/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cli.h"
#include "controller/site_file.h"

bool history_is_database(const char *path)
{
    static const char magic[16] = "SQLite format 3";
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    char head[sizeof(magic)] = {0};
    bool is = fread(head, 1, sizeof(head), f) == sizeof(head) &&
              memcmp(head, magic, sizeof(magic)) == 0;
    fclose(f);
    return is;
}

bool history_where(const char *given, char *out, size_t size)
{
    if (history_is_database(given)) {
        snprintf(out, size, "%s", given);
        return true;
    }
    struct site *site = site_file_load(given);
    if (site == NULL) {
        return false;
    }
    snprintf(out, size, "%s", site->history.file);
    free(site);
    return true;
}

void history_where_missing(const char *command, const char *path,
                           const char *why, const char *or_for)
{
    char folder[4096] = "";
    if (access(path, F_OK) == 0) {
        cli_error(command, "%s: %s", path, why);
        return;
    }
    if (path[0] != '/' && getcwd(folder, sizeof(folder)) == NULL) {
        snprintf(folder, sizeof(folder), ".");
    }
    cli_error(command,
              "there is no %s%s%s: ask from the folder in which 'ballast run' "
              "was started%s%s",
              path, folder[0] != '\0' ? " in " : "", folder,
              or_for != NULL ? ", or " : "", or_for != NULL ? or_for : "");
}
