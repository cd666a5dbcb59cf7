/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/demo_child.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "replay/sim_clock.h"

enum { TAIL_LINES = 12, TAIL_BYTES = 4096 };

static const double GRACE_S = 10.0; /* from SIGTERM to SIGKILL */

static pid_t guard;
static int guard_pipe = -1; /* children's pids go in */

static void nap(double s)
{
    struct timespec t = {.tv_sec = (time_t)s};
    t.tv_nsec = (long)((s - (double)t.tv_sec) * 1e9);
    nanosleep(&t, NULL);
}

/* In the guard: collects pids until the demo has gone, then ends their groups.
 * Never returns. */
static void watch_over(int pipe_end)
{
    enum { GROUPS_MAX = 8 };
    pid_t groups[GROUPS_MAX];
    int n = 0;
    pid_t pid = 0;
    setpgid(0, 0);
    for (;;) {
        ssize_t got = read(pipe_end, &pid, sizeof(pid));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got != (ssize_t)sizeof(pid)) {
            break;
        }
        if (n < GROUPS_MAX) {
            groups[n++] = pid;
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        kill(-groups[i], SIGTERM);
    }
    for (double s = 0.0; n > 0 && s < GRACE_S; s += 0.1) {
        nap(0.1);
        while (n > 0 && kill(-groups[n - 1], 0) != 0) {
            n--;
        }
    }
    for (int i = 0; i < n; i++) {
        kill(-groups[i], SIGKILL);
    }
    _exit(0);
}

enum err demo_guard_start(void)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return ERR_IO;
    }
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        watch_over(ends[0]);
    }
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return ERR_IO;
    }
    guard = pid;
    guard_pipe = ends[1];
    return ERR_NONE;
}

void demo_guard_stop(void)
{
    if (guard_pipe < 0) {
        return;
    }
    /* before the pipe is closed: what it would end then has gone, and the
     * numbers may be others' */
    kill(guard, SIGKILL);
    while (waitpid(guard, NULL, 0) < 0 && errno == EINTR) {
    }
    close(guard_pipe);
    guard_pipe = -1;
}

/* In the child: never returns. */
static void become(const char *log, const char *const argv[])
{
    setpgid(0, 0);
    int in = open("/dev/null", O_RDONLY);
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0) {
        _exit(127);
    }
    close(in);
    close(out);
    execv(argv[0], (char *const *)argv);
    static const char failed[] = "cannot be executed\n";
    _exit(write(STDERR_FILENO, failed, sizeof(failed) - 1) < 0 ? 126 : 127);
}

enum err demo_child_start(struct demo_child *c, const char *const argv[])
{
    pid_t pid = fork();
    if (pid < 0) {
        return ERR_IO;
    }
    if (pid == 0) {
        become(c->log, argv);
    }
    setpgid(pid, pid); /* here too: whoever comes first */
    c->pid = pid;
    /* a guard that has gone leaves only its protection undone */
    return write(guard_pipe, &pid, sizeof(pid)) < 0 && errno == EBADF
               ? ERR_IO
               : ERR_NONE;
}

bool demo_child_runs(struct demo_child *c)
{
    if (c->pid != 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid) {
        c->pid = 0;
    }
    return c->pid != 0;
}

void demo_child_stop(struct demo_child *c, double patience_s)
{
    if (!demo_child_runs(c)) {
        return;
    }
    pid_t group = c->pid;
    kill(c->pid, SIGTERM);
    double until_s = sim_mono_s() + patience_s;
    while (demo_child_runs(c) && sim_mono_s() < until_s) {
        nap(0.02);
    }
    if (c->pid != 0) {
        kill(-group, SIGKILL);
        while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR) {
        }
        c->pid = 0;
    }
}

const char *demo_child_end(const struct demo_child *c, char *out, size_t size)
{
    if (WIFSIGNALED(c->status)) {
        snprintf(out, size, "signal %d", WTERMSIG(c->status));
    } else {
        snprintf(out, size, "exit %d", WEXITSTATUS(c->status));
    }
    return out;
}

void demo_child_tail(const struct demo_child *c, FILE *out)
{
    FILE *f = fopen(c->log, "re");
    if (f == NULL) {
        return;
    }
    char text[TAIL_BYTES + 1];
    if (fseek(f, -TAIL_BYTES, SEEK_END) != 0) {
        rewind(f);
    }
    size_t n = fread(text, 1, TAIL_BYTES, f);
    fclose(f);
    text[n] = '\0';
    char *at = text + n;
    for (int lines = 0; at > text && lines <= TAIL_LINES;) {
        at--;
        lines += *at == '\n' && at[1] != '\0';
    }
    for (at += *at == '\n'; *at != '\0'; at++) {
        fputc(isprint((unsigned char)*at) || *at == '\n' ? *at : ' ', out);
    }
}
