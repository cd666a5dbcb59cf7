/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/temp_folder: where it is made, and what a sweep takes. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/temp_folder.h"

static char dir[] = "/tmp/test-temp-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) != NULL && setenv("TMPDIR", dir, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static const char *key_of(const char *folder)
{
    static char path[2 * TEMP_PATH_MAX];
    snprintf(path, sizeof(path), "%.*s/key", TEMP_PATH_MAX, folder);
    return path;
}

/* A folder with a file in it. */
static void leave(const char *folder, mode_t mode)
{
    assert_int_equal(mkdir(folder, 0700), 0);
    FILE *f = fopen(key_of(folder), "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(chmod(folder, mode), 0);
}

static bool has_key(const char *folder)
{
    return is_there(key_of(folder));
}

/* Of a process that was there a moment ago. */
static pid_t dead_pid(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return pid;
}

static void what_is_written_is_ours_alone_and_goes(void **state)
{
    (void)state;
    struct temp_folder f;
    char path[TEMP_PATH_MAX];
    struct stat st;
    assert_int_equal(temp_folder_make(&f), ERR_NONE);
    assert_memory_equal(f.path, dir, strlen(dir));
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(temp_folder_write(&f, "key.pem", "k", path), ERR_NONE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 1);
    assert_int_equal(temp_folder_write(&f, "key.pem", "k", path), ERR_IO);
    temp_folder_sweep(); /* we live */
    assert_true(is_there(path));
    struct temp_folder kept = f;
    temp_folder_remove(&f);
    assert_false(is_there(kept.path));
    temp_folder_remove(&f); /* again is nothing */
}

static void without_a_usable_tmpdir_it_says_so(void **state)
{
    (void)state;
    static char longest[TEMP_PATH_MAX + 1];
    struct temp_folder f;
    memset(longest, 'x', TEMP_PATH_MAX);
    longest[0] = '/';
    setenv("TMPDIR", longest, 1);
    assert_int_equal(temp_folder_make(&f), ERR_IO);
    assert_int_equal(errno, ENAMETOOLONG);
    setenv("TMPDIR", "/nonexistent", 1);
    assert_int_equal(temp_folder_make(&f), ERR_IO);
    assert_int_equal(f.path[0], '\0');
    temp_folder_sweep();
    setenv("TMPDIR", "", 1);
    assert_int_equal(temp_folder_make(&f), ERR_NONE);
    assert_memory_equal(f.path, "/tmp/", 5);
    temp_folder_remove(&f);
    setenv("TMPDIR", dir, 1);
}

static void a_sweep_takes_what_the_dead_left_and_nothing_else(void **state)
{
    (void)state;
    long dead = (long)dead_pid();
    const struct {
        const char *name; /* of the process's id */
        long pid;
        mode_t mode;
        bool goes;
    } cases[] = {
        {"ballast-%ld-aaaaaa", dead, 0700, true},
        {"ballast-%ld-bbbbbb", dead, 0755, false},
        {"ballast-%ld-cccccc", (long)getpid(), 0700, false},
        {"ballast-%ld-dddddd", (long)getppid(), 0700, false},
        {"ballast-%ld-ddddddd", dead, 0700, false},
        {"ballast-%ld", dead, 0700, false},
        {"ballast-%ldx-eeeee", dead, 0700, false},
        {"ballast-0%ld-ffffff", dead, 0700, false},
        {"ballast--%ld-gggggg", dead, 0700, false},
        {"ballast-9999999999999999999%ld-hhhhhh", dead, 0700, false},
        {"ballast-bench-%ld-iiiiii", dead, 0700, false},
        {"other-%ld-jjjjjj", dead, 0700, false},
    };
    enum { N = sizeof(cases) / sizeof(cases[0]) };
    char folder[N][TEMP_PATH_MAX];
    for (size_t i = 0; i < N; i++) {
        char name[128];
        snprintf(name, sizeof(name), cases[i].name, cases[i].pid);
        snprintf(folder[i], TEMP_PATH_MAX, "%s/%s", dir, name);
        leave(folder[i], cases[i].mode);
    }
    char link[TEMP_PATH_MAX];
    snprintf(link, sizeof(link), "%s/ballast-%ld-llllll", dir, dead);
    assert_int_equal(symlink(folder[N - 1], link), 0);
    temp_folder_sweep();
    for (size_t i = 0; i < N; i++) {
        if (has_key(folder[i]) == cases[i].goes ||
            is_there(folder[i]) == cases[i].goes) {
            fail_msg("%s", folder[i]);
        }
    }
    assert_true(is_there(link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_ours_alone_and_goes),
        cmocka_unit_test(without_a_usable_tmpdir_it_says_so),
        cmocka_unit_test(a_sweep_takes_what_the_dead_left_and_nothing_else),
    };
    return cmocka_run_group_tests_name("adapters/temp_folder", tests, set_up,
                                       tear_down);
}
