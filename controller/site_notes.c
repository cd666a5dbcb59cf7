/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/site_notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void note_secret(const char *path,
                        void (*say)(void *user, const char *note), void *user)
{
    char note[SITE_TEXT_MAX + 128];
    if (access(path, R_OK) != 0) {
        snprintf(note, sizeof(note), "utility.openadr.secret_file: %s: %s",
                 path, strerror(errno));
        say(user, note);
    }
}

void site_notes(const struct site *site,
                void (*say)(void *user, const char *note), void *user)
{
    if (site->http_listen[0] != '\0') {
        say(user, "http: this version serves no dashboard yet");
    }
    if (site->utility.openadr) {
        say(user, "utility.openadr: this version does not speak OpenADR yet; "
                  "limits come by MQTT utility/limit");
        note_secret(site->utility.secret_file, say, user);
    }
}
