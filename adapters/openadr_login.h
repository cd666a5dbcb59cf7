/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_login - who we are to the broker of a VTN's MQTT notifier: nobody,
 * the token that the VTN gave us, or a certificate, of our own or one that the
 * VTN hands out (OpenADR 3.1 yaml, mqttNotifierAuthentication...).
 *
 * Our own key and password lie in files that only their owner may read; what
 * the VTN hands out is kept in a temp_folder of ours while it is used, as paho
 * takes certificates as files only; openadr_open sweeps what a killed process
 * left.
 */
#ifndef ADAPTERS_OPENADR_LOGIN_H
#define ADAPTERS_OPENADR_LOGIN_H

#include "adapters/http_client.h"
#include "adapters/temp_folder.h"
#include "models/err.h"

#include <cjson/cJSON.h>

enum { OPENADR_PASSWORD_MAX = 256 };

struct openadr_login_cfg {
    const char *client; /* our name, for "{clientID}" */
    const char *token;  /* "": none */
    const char *ca_file;
    const char *cert_file; /* "": none; likewise below */
    const char *key_file;
    const char *user;
    const char *password_file;
};

/* Zero at first.  What is not its own array is the cfg's or the JSON's. */
struct openadr_login {
    const char *user;     /* "": nobody */
    const char *password; /* the token, or 'secret' */
    const char *ca_file;  /* "": the system's */
    const char *cert_file;
    const char *key_file;
    char secret[OPENADR_PASSWORD_MAX];
    struct temp_folder folder;
    char ca_pem[TEMP_PATH_MAX];
    char cert_pem[TEMP_PATH_MAX];
    char key_pem[TEMP_PATH_MAX];
};

/*
 * By "authentication" of the notifier's MQTT binding.  ERR_UNKNOWN: a way that
 * we do not know or are not equipped for; ERR_RANGE: a file that is not as it
 * must be; ERR_IO.  'out' is to be cleared in any case.
 */
CHECKED enum err openadr_login_make(const struct openadr_login_cfg *cfg,
                                    const cJSON *authentication,
                                    struct openadr_login *out,
                                    char why[HTTP_WHY_MAX]);
void openadr_login_clear(struct openadr_login *l);

#endif
