/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log - one line per event on stderr: "INSTANT level text".
 *
 * Never called from the control thread.  Lines with the same key are limited
 * to one in LOG_QUIET_S, so that a device that flaps does not fill a disk; the
 * next line that passes says how many were held back.
 */
#ifndef CONTROLLER_LOG_H
#define CONTROLLER_LOG_H

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };

enum { LOG_QUIET_S = 10 };

/* 'key' NULL: never held back.  Any thread but the control thread. */
void log_line(enum log_level level, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
