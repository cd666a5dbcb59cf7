/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json_place - where in a JSON text a byte is, for people: "line 3, column 15,
 * in batteries[1].wear[0].width_pu".
 *
 * The text need not be JSON behind that byte, nor before it; at most
 * JSON_PLACE_DEPTH levels are told.
 */
#ifndef REPLAY_JSON_PLACE_H
#define REPLAY_JSON_PLACE_H

#include <stddef.h>

enum { JSON_PLACE_DEPTH = 8, JSON_PLACE_KEY = 40 };

/* 'at' <= 'size'; 'out' gets a NUL. */
void json_place(const char *text, size_t size, size_t at, char *out,
                size_t out_size);

#endif
