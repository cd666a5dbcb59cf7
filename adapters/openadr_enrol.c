/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_enrol.h"

#include <stdio.h>
#include <string.h>

#include "adapters/json_in.h"

/* A registration that was refused is tried again this rarely. */
static const double REGISTER_AGAIN_S = 3600.0;

bool openadr_take_id(const cJSON *json, char out[DR_ID_MAX])
{
    const char *id = NULL;
    if (json_in_text(json, "id", &id) != JSON_IN_OK || id[0] == '\0' ||
        strlen(id) >= DR_ID_MAX ||
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "0123456789-_") != strlen(id)) {
        return false;
    }
    snprintf(out, DR_ID_MAX, "%s", id);
    return true;
}

/* The object of a list whose 'key' is 'name', or NULL. */
static cJSON *named(const cJSON *list, const char *key, const char *name)
{
    cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (json_in_is_text(item, key, name)) {
            return item;
        }
    }
    return NULL;
}

enum err openadr_find(struct openadr *o, const struct openadr_sought *sought,
                      cJSON **out, char why[HTTP_WHY_MAX])
{
    const char *path = sought->path;
    *out = NULL;
    for (int page = 0; page < OPENADR_PAGES_MAX; page++) {
        char full[OPENADR_PATH_MAX];
        snprintf(full, sizeof(full), "%s?skip=%d&limit=%d", path,
                 page * OPENADR_PAGE, OPENADR_PAGE);
        const struct openadr_call call = {.method = "GET", .path = full};
        cJSON *list = NULL;
        long status = 0;
        enum err e =
            openadr_session_call(&o->session, &call, &list, &status, why);
        if (e != ERR_NONE) {
            return e;
        }
        cJSON *item = named(list, sought->key, sought->name);
        int n = cJSON_GetArraySize(list);
        if (item != NULL) {
            *out = cJSON_DetachItemViaPointer(list, item);
        }
        cJSON_Delete(list);
        if (*out != NULL || n < OPENADR_PAGE) {
            break;
        }
    }
    return ERR_NONE;
}

enum err openadr_enrol_program(struct openadr *o, char why[HTTP_WHY_MAX])
{
    cJSON *program = NULL;
    const struct openadr_sought sought = {"/programs", "programName",
                                          o->cfg.program};
    enum err e = openadr_find(o, &sought, &program, why);
    if (e != ERR_NONE) {
        return e;
    }
    if (program == NULL || !openadr_take_id(program, o->program_id)) {
        cJSON_Delete(program);
        snprintf(why, HTTP_WHY_MAX,
                 "the utility has no program \"%.80s\" for us", o->cfg.program);
        return ERR_UNKNOWN;
    }
    cJSON_Delete(o->program);
    o->program = program;
    o->cfg.terms.descriptors =
        cJSON_GetObjectItemCaseSensitive(program, "payloadDescriptors");
    return ERR_NONE;
}

/* ERR_NONE where it was created or was there before; its id where it is told.
 */
static enum err create(struct openadr *o, const char *path, cJSON *body,
                       char id[DR_ID_MAX], char *why)
{
    const struct openadr_call call = {
        .method = "POST", .path = path, .body = body};
    cJSON *made = NULL;
    long status = 0;
    enum err e = openadr_session_call(&o->session, &call, &made, &status, why);
    cJSON_Delete(body);
    if (e == ERR_NONE && !openadr_take_id(made, id)) {
        snprintf(why, HTTP_WHY_MAX, "%s: the answer has no id", path);
        e = ERR_SYNTAX;
    }
    cJSON_Delete(made);
    return e == ERR_REFUSED && status == 409 ? ERR_NONE : e;
}

static enum err register_node(struct openadr *o, char *why)
{
    cJSON *body = cJSON_CreateObject();
    if (!o->cfg.v30) {
        cJSON_AddStringToObject(body, "objectType", "VEN_VEN_REQUEST");
    }
    cJSON_AddStringToObject(body, "venName", o->cfg.node);
    cJSON *list = cJSON_AddArrayToObject(body, "attributes");
    cJSON *most = cJSON_CreateObject();
    cJSON_AddItemToArray(list, most);
    cJSON_AddStringToObject(most, "type", "MAX_POWER_CONSUMPTION");
    double kw[] = {o->cfg.power_max_w / 1e3};
    cJSON_AddItemToObject(most, "values", cJSON_CreateDoubleArray(kw, 1));
    enum err e = create(o, "/vens", body, o->ven_id, why);
    if (e != ERR_NONE || o->ven_id[0] != '\0') {
        return e;
    }
    cJSON *ven = NULL; /* it was there */
    const struct openadr_sought sought = {"/vens", "venName", o->cfg.node};
    e = openadr_find(o, &sought, &ven, why);
    if (e == ERR_NONE && (ven == NULL || !openadr_take_id(ven, o->ven_id))) {
        snprintf(why, HTTP_WHY_MAX, "the name \"%.80s\" belongs to another",
                 o->cfg.node);
        e = ERR_REFUSED;
    }
    cJSON_Delete(ven);
    return e;
}

static enum err register_resource(struct openadr *o, char *why)
{
    char path[OPENADR_PATH_MAX] = "/resources";
    cJSON *body = cJSON_CreateObject();
    if (o->cfg.v30) {
        snprintf(path, sizeof(path), "/vens/%s/resources", o->ven_id);
    } else {
        cJSON_AddStringToObject(body, "objectType", "VEN_RESOURCE_REQUEST");
        cJSON_AddStringToObject(body, "venID", o->ven_id);
    }
    cJSON_AddStringToObject(body, "resourceName",
                            o->cfg.resources[o->n_registered]);
    char id[DR_ID_MAX];
    enum err e = create(o, path, body, id, why);
    o->n_registered += e == ERR_NONE ? 1 : 0;
    return e;
}

enum err openadr_enrol_node(struct openadr *o, char why[HTTP_WHY_MAX])
{
    if (o->session.mono_ms < o->register_mono_ms) {
        return ERR_NONE;
    }
    enum err e = ERR_NONE;
    if (o->ven_id[0] == '\0') {
        e = register_node(o, why);
    }
    while (e == ERR_NONE && o->n_registered < o->cfg.n_resources) {
        e = register_resource(o, why);
    }
    if (e == ERR_REFUSED) {
        o->register_mono_ms =
            o->session.mono_ms + (int64_t)(REGISTER_AGAIN_S * 1e3);
    }
    return e;
}
