/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/policies/plan_vectors.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = "../shared/vectors/plan";
static const char ending[] = ".problem.json";

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

struct plan_vectors plan_vectors(void)
{
    struct plan_vectors v = {0};
    DIR *dir = opendir(folder);
    if (!dir) {
        return v;
    }
    char names[PLAN_VECTORS_MAX][256];
    for (struct dirent *e = readdir(dir); e && v.n < PLAN_VECTORS_MAX;
         e = readdir(dir)) {
        size_t n = strlen(e->d_name);
        size_t m = sizeof(ending) - 1;
        if (n > m && strcmp(e->d_name + n - m, ending) == 0) {
            snprintf(names[v.n++], sizeof(names[0]), "%.*s", (int)(n - m),
                     e->d_name);
        }
    }
    closedir(dir);
    qsort(names, (size_t)v.n, sizeof(names[0]), by_name);
    for (int i = 0; i < v.n; i++) {
        snprintf(v.problem[i], sizeof(v.problem[i]), "%s/%s%s", folder,
                 names[i], ending);
        snprintf(v.expected[i], sizeof(v.expected[i]), "%s/%s.expected.json",
                 folder, names[i]);
    }
    return v;
}

static cJSON *read_json(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        return NULL;
    }
    char *text = malloc(1 << 20);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    text[n] = '\0';
    cJSON *json = cJSON_Parse(text);
    free(text);
    return json;
}

static double number(const cJSON *in, const char *key, double fallback)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(in, key);
    return cJSON_IsNumber(v) ? v->valuedouble : fallback;
}

static void series(const cJSON *in, const char *key, int64_t n, double fallback,
                   double *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(in, key);
    const cJSON *item = cJSON_IsArray(v) ? v->child : NULL;
    for (int64_t t = 0; t < n; t++) {
        out[t] = cJSON_IsNumber(v) ? v->valuedouble : fallback;
        if (item) {
            out[t] = item->valuedouble;
            item = item->next;
        }
    }
}

static void text(const cJSON *in, char *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(in, "name");
    snprintf(out, SITE_NAME_MAX, "%s", cJSON_IsString(v) ? v->valuestring : "");
}

static void read_battery(const cJSON *j, int64_t n, struct schedule_battery *b)
{
    text(j, b->name);
    b->energy_wh = number(j, "energy_wh", NAN);
    b->soc_min_pu = number(j, "soc_min_pu", NAN);
    b->soc_max_pu = number(j, "soc_max_pu", NAN);
    b->soc_start_pu = number(j, "soc_start_pu", NAN);
    b->soc_end_min_pu = number(j, "soc_end_min_pu", NAN);
    b->charge_eff_pu = number(j, "charge_eff_pu", NAN);
    b->discharge_eff_pu = number(j, "discharge_eff_pu", NAN);
    b->terminal_value_per_kwh = number(j, "terminal_value_per_kwh", 0.0);
    series(j, "charge_max_w", n, NAN, b->charge_max_w);
    series(j, "discharge_max_w", n, NAN, b->discharge_max_w);
    series(j, "soc_floor_pu", n, b->soc_min_pu, b->soc_floor_pu);
    series(j, "soc_ceiling_pu", n, b->soc_max_pu, b->soc_ceiling_pu);
    const cJSON *s = NULL;
    cJSON_ArrayForEach(s, cJSON_GetObjectItemCaseSensitive(j, "wear"))
    {
        b->segments[b->n_segments++] = (struct schedule_segment){
            number(s, "width_pu", NAN), number(s, "start_pu", NAN),
            number(s, "per_kwh", NAN)};
    }
}

static void read_class(const cJSON *j, int64_t n, struct schedule_class *c)
{
    text(j, c->name);
    series(j, "demand_w", n, NAN, c->demand_w);
    c->value_per_kwh = number(j, "value_per_kwh", NAN);
    c->deferrable =
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j, "deferrable"));
    c->min_pu = number(j, "min_pu", 0.0);
    c->max_w = number(j, "max_w", 0.0);
    c->delay_per_kwh_h = number(j, "delay_per_kwh_h", 0.0);
}

bool plan_vector_read(const char *path, struct schedule_problem *out)
{
    cJSON *j = read_json(path);
    if (!j) {
        return false;
    }
    memset(out, 0, sizeof(*out));
    const cJSON *load = cJSON_GetObjectItemCaseSensitive(j, "load_w");
    int64_t n = out->n_steps = cJSON_GetArraySize(load);
    series(j, "step_s", n, NAN, out->step_s);
    series(j, "load_w", n, NAN, out->load_w);
    series(j, "price_import_per_kwh", n, NAN, out->import_per_kwh);
    series(j, "price_export_per_kwh", n, NAN, out->export_per_kwh);
    series(j, "import_max_w", n, NAN, out->import_max_w);
    series(j, "export_max_w", n, NAN, out->export_max_w);
    out->ramp_max_w_per_s = number(j, "ramp_max_w_per_s", INFINITY);
    out->grid_start_w = number(j, "grid_start_w", NAN);
    const cJSON *d = cJSON_GetObjectItemCaseSensitive(j, "demand_charge");
    out->peak_per_kw = number(d, "rate_per_kw", 0.0);
    out->peak_w = number(d, "incumbent_w", 0.0);
    const cJSON *at = NULL;
    cJSON_ArrayForEach(at, cJSON_GetObjectItemCaseSensitive(j, "batteries"))
    {
        read_battery(at, n, &out->batteries[out->n_batteries++]);
    }
    cJSON_ArrayForEach(at, cJSON_GetObjectItemCaseSensitive(j, "classes"))
    {
        read_class(at, n, &out->classes[out->n_classes++]);
    }
    cJSON_Delete(j);
    return true;
}

double plan_vector_cost(const char *path)
{
    cJSON *j = read_json(path);
    double cost = number(j, "objective_cur", NAN);
    cJSON_Delete(j);
    return cost;
}
