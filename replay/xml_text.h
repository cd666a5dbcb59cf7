/* SPDX-License-Identifier: GPL-3.0-or-later */
/* xml_text - words that nobody vouches for, as the content of an element. */
#ifndef REPLAY_XML_TEXT_H
#define REPLAY_XML_TEXT_H

#include <stdio.h>

/* What XML reserves is escaped; control characters and what is no UTF-8
 * becomes "?". */
void xml_text_print(const char *words, FILE *out);

#endif
