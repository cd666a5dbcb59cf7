/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A test is linked with the support files of its own folder only; this one
 * lends them to the tests of verify. */
#include "tests/controller/history_sample.c"
