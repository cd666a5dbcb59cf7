/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/temp_folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "ballast-";

static const char *base(void)
{
    const char *dir = getenv("TMPDIR");
    return dir != NULL && dir[0] == '/' ? dir : "/tmp";
}

enum err temp_folder_make(struct temp_folder *f)
{
    int n = snprintf(f->path, sizeof(f->path), "%s/%s%ld-XXXXXX", base(),
                     prefix, (long)getpid());
    bool fits = n > 0 && (size_t)n < sizeof(f->path);
    if (!fits) {
        errno = ENAMETOOLONG;
    }
    if (!fits || mkdtemp(f->path) == NULL) {
        f->path[0] = '\0';
        return ERR_IO;
    }
    return ERR_NONE;
}

enum err temp_folder_write(const struct temp_folder *f, const char *name,
                           const char *text, char path[TEMP_PATH_MAX])
{
    assert(strlen(name) < TEMP_NAME_MAX);
    snprintf(path, TEMP_PATH_MAX, "%s/%s", f->path, name);
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    size_t size = strlen(text);
    bool good = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    good = (fd < 0 || close(fd) == 0) && good;
    return good ? ERR_NONE : ERR_IO;
}

/* By descriptors, so that nobody can put a link in the way meanwhile. */
static void empty(int fd)
{
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return;
    }
    const struct dirent *e = readdir(dir);
    for (; e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            unlinkat(dirfd(dir), e->d_name, 0);
        }
    }
    closedir(dir);
}

static void remove_at(int parent, const char *name)
{
    int fd =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid() ||
        (st.st_mode & 07777) != S_IRWXU) {
        close(fd);
        return;
    }
    empty(fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}

void temp_folder_remove(struct temp_folder *f)
{
    if (f->path[0] != '\0') {
        remove_at(AT_FDCWD, f->path);
        f->path[0] = '\0';
    }
}

/* Whether it is named as ours are, by a process that is not there. */
static bool is_stale(const char *name)
{
    size_t n = sizeof(prefix) - 1;
    if (strncmp(name, prefix, n) != 0 || name[n] < '1' || name[n] > '9') {
        return false;
    }
    char *end = NULL;
    errno = 0;
    long pid = strtol(name + n, &end, 10);
    return errno == 0 && *end == '-' && strlen(end) == sizeof("-XXXXXX") - 1 &&
           (pid_t)pid == pid && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void temp_folder_sweep(void)
{
    DIR *dir = opendir(base());
    if (dir == NULL) {
        return;
    }
    const struct dirent *e = readdir(dir);
    for (; e != NULL; e = readdir(dir)) {
        if (is_stale(e->d_name)) {
            remove_at(dirfd(dir), e->d_name);
        }
    }
    closedir(dir);
}
