/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/maps.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/regmap.h"
#include "controller/cli.h"

enum { MAPS_SHIPPED_MAX = 64 };

static void print_place(const struct regmap_point *p)
{
    if (p->n_models == 0) {
        printf("%-14d", p->at);
        return;
    }
    char text[48];
    int n = 0;
    for (int i = 0; i < p->n_models; i++) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%d",
                      i > 0 ? "," : "", p->models[i]);
    }
    snprintf(text + n, sizeof(text) - (size_t)n, "+%d", p->at);
    printf("%-14s", text);
}

static void print_points(const struct regmap *map)
{
    static const char *const polls[] = {"fast", "slow", "once"};
    for (int i = 0; i < map->n_points; i++) {
        const struct regmap_point *p = &map->points[i];
        if (p->hidden) {
            continue;
        }
        printf("  ");
        print_place(p);
        printf(" %-4s %-4s %-2s %-4s %s", regcodec_word(p->codec.type), p->unit,
               p->writable ? "rw" : "r", polls[p->poll], p->id);
        if (p->confidence != '\0') {
            printf(" (confidence %c)", p->confidence);
        }
        printf("\n");
    }
}

static void print_roles(const struct regmap *map)
{
    for (enum reg_role r = 0; r < REG_ROLE_COUNT; r++) {
        const struct regmap_role *role = &map->roles[r];
        if (role->n_terms == 0) {
            continue;
        }
        printf("  %-20s", regmap_role_word(r));
        for (int i = 0; i < role->n_terms; i++) {
            const struct regmap_term *t = &role->terms[i];
            printf(" %s", map->points[t->a].id);
            if (t->op != REG_OP_POINT && t->b >= 0) {
                printf(" %c %s", t->op == REG_OP_RATIO ? '/' : '*',
                       map->points[t->b].id);
            } else if (t->op == REG_OP_RATIO) {
                printf(" / %g", t->divisor);
            }
        }
        printf("\n");
    }
}

/* What the core would like to have and this map does not name. */
static void print_missing(const struct regmap *map)
{
    static const enum reg_role wanted[][4] = {
        [DEVICE_BATTERY] = {REG_ROLE_POWER, REG_ROLE_SOC, REG_ROLE_SETPOINT,
                            REG_ROLE_IDENTITY},
        [DEVICE_METER] = {REG_ROLE_POWER, REG_ROLE_POWER, REG_ROLE_FREQUENCY,
                          REG_ROLE_IDENTITY},
    };
    for (int i = 0; i < 4; i++) {
        enum reg_role r = wanted[map->device][i];
        if (map->roles[r].n_terms == 0) {
            printf("  note: no role %s\n", regmap_role_word(r));
        }
    }
}

static bool show(const char *dir, const char *name, bool brief)
{
    static struct regmap map; /* too large for the stack */
    char why[512] = "";
    if (regmap_load(&map, dir, name, why, sizeof(why)) != ERR_NONE) {
        fprintf(stderr, "%s\n", why);
        return false;
    }
    int n = 0;
    for (int i = 0; i < map.n_points; i++) {
        n += !map.points[i].hidden;
    }
    bool writes = map.roles[REG_ROLE_SETPOINT].n_terms > 0;
    printf("%s: %s, %d points, %s", map.name,
           map.device == DEVICE_METER ? "meter" : "battery", n,
           !writes            ? "reads only"
           : map.commissioned ? "commissioned"
                              : "NOT commissioned: nothing is written");
    if (map.max_clients > 0) {
        printf(", at most %d client%s", map.max_clients,
               map.max_clients > 1 ? "s" : "");
    }
    printf("\n");
    if (!brief) {
        print_points(&map);
        print_roles(&map);
    }
    print_missing(&map);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The shipped maps, in the order of their names. */
static int list_dir(const char *dir, char names[][REGMAP_ID_MAX])
{
    DIR *d = opendir(dir);
    if (d == NULL) {
        return -1;
    }
    int n = 0;
    struct dirent *entry = NULL;
    while ((entry = readdir(d)) != NULL && n < MAPS_SHIPPED_MAX) {
        size_t len = strlen(entry->d_name);
        if (len > 5 && len - 5 < REGMAP_ID_MAX &&
            strcmp(entry->d_name + len - 5, ".json") == 0) {
            memcpy(names[n], entry->d_name, len - 5);
            names[n++][len - 5] = '\0';
        }
    }
    closedir(d);
    qsort(names, (size_t)n, REGMAP_ID_MAX, by_name);
    return n;
}

static bool show_shipped(const char *dir, bool brief)
{
    static char names[MAPS_SHIPPED_MAX][REGMAP_ID_MAX];
    int n = list_dir(dir, names);
    if (n <= 0) {
        cli_error("maps", "%s: no register maps there", dir);
        return false;
    }
    bool ok = true;
    for (int i = 0; i < n; i++) {
        ok = show(dir, names[i], brief) && ok;
    }
    return ok;
}

int maps_main(int argc, char **argv)
{
    bool brief = false;
    const struct cli_option options[] = {
        {.name = "brief",
         .kind = CLI_FLAG,
         .into = &brief,
         .help = "one line for each map"},
    };
    const struct cli cli = {
        .command = "maps",
        .args = "[FILE...]",
        .about = "Check register maps and list what they read and write; "
                 "without FILE the\nshipped ones.",
        .example = "  ballast maps my-battery.json\n"
                   "  ballast maps sunspec\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_args = 0,
        .max_args = 64,
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    const char *dir = cli_data_dir("maps");
    bool ok = n_args > 0 || show_shipped(dir, brief);
    for (int i = 1; i <= n_args; i++) {
        ok = show(dir, argv[i], brief) && ok;
    }
    return ok ? EXIT_DONE : EXIT_NO;
}
