/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/demo_screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char HINT[] = "Ctrl-C stops everything; logs are in ballast-demo/";

bool screen_fits(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term != NULL && term[0] != '\0' &&
           strcmp(term, "dumb") != 0;
}

static bool has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return strstr(value, "UTF-8") != NULL ||
                   strstr(value, "utf8") != NULL ||
                   strstr(value, "UTF8") != NULL;
        }
    }
    return false;
}

static void measure(struct view *v)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
        size.ws_row > 0) {
        v->columns = size.ws_col < 200 ? size.ws_col : 200;
        v->rows = size.ws_row;
    }
}

void screen_open(struct screen *s)
{
    const char *no_color = getenv("NO_COLOR");
    view_init(&s->view, 80, 24);
    s->view.color = no_color == NULL || no_color[0] == '\0';
    s->view.utf8 = has_utf8();
    s->view.hint = HINT;
    s->open = true;
    fputs("\033[?1049h\033[?25l\033[2J", stdout);
    fflush(stdout);
}

void screen_show(struct screen *s, const char *json, double mono_s,
                 struct screen_extremes *extremes)
{
    static struct view_status status;
    if (!view_read(json, &status)) {
        return;
    }
    if (!status.assumed) {
        extremes->n++;
        extremes->load_w = status.load_w;
        extremes->peak_w = fmax(extremes->peak_w, status.grid_w);
        extremes->ramp_w_per_s =
            fmax(extremes->ramp_w_per_s, fabs(status.ramp_w_per_s));
    }
    if (s->open) {
        static char frame[VIEW_FRAME_MAX];
        measure(&s->view);
        view_note(&s->view, &status, mono_s);
        fputs(view_frame(&s->view, &status, frame), stdout);
    } else {
        char line[700];
        puts(view_summary(&status, line, sizeof(line)));
    }
    fflush(stdout);
}

void screen_say(struct screen *s, const char *text)
{
    if (text == NULL) {
        return;
    }
    if (!s->open) {
        printf("demo: %s\n", text);
        fflush(stdout);
        return;
    }
    snprintf(s->said, sizeof(s->said), "just now: %s (Ctrl-C stops)", text);
    s->view.hint = s->said;
}

void screen_close(struct screen *s)
{
    if (s->open) {
        s->open = false;
        fputs("\033[?25h\033[?1049l", stdout);
        fflush(stdout);
    }
}
