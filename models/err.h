/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * err - the one error enum of the program.
 *
 * Returned by anything that can fail at run time for a reason outside the
 * code: a file, a socket, a device, a configuration value.  A wrong argument
 * from our own code is a bug and is asserted instead.  Old or missing
 * measurements are not errors either: they are data, and carry a quality.
 *
 * Add a line to ERR_LIST and nothing else; the names and texts follow.
 */
#ifndef MODELS_ERR_H
#define MODELS_ERR_H

#define ERR_LIST(X)                                \
    X(NONE, "no error")                            \
    X(RANGE, "value outside its allowed range")    \
    X(SYNTAX, "cannot be parsed")                  \
    X(UNKNOWN, "no such name")                     \
    X(IO, "input or output failed")                \
    X(TIMEOUT, "no answer in time")                \
    X(REFUSED, "device refused the request")       \
    X(MISMATCH, "does not match what is expected") \
    X(MEMORY, "out of memory")                     \
    X(FULL, "no room left")

#define ERR_ENUM(name, text) ERR_##name,
enum err { ERR_LIST(ERR_ENUM) ERR_COUNT };
#undef ERR_ENUM

/* Every function that returns an enum err is marked so. */
#define CHECKED __attribute__((warn_unused_result))

/* A short lower-case English text for 'e'; never NULL. */
static inline const char *err_text(enum err e)
{
#define ERR_TEXT(name, text) text,
    static const char *const texts[ERR_COUNT] = {ERR_LIST(ERR_TEXT)};
#undef ERR_TEXT
    return (unsigned)e < ERR_COUNT ? texts[e] : "unknown error";
}

#endif
