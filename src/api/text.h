/* text.h - what is wrong, in Japanese.
 *
 * The program's own words for faults are English (base/err.h).  One table
 * (api/text_ja.h) has each of them beside its Japanese; a text is found by its
 * English form, and what stood in its place holders is put into the Japanese.
 * tools/check-texts finds what is missing from the table, and what nobody says
 * any more.
 */
#pragma once
#include "api/http.h"

/* `english` in the request's language, in its arena; `english` itself when it is
 * asked for or no Japanese is known. */
struct yg_sv yg_text(const struct yg_request *q, struct yg_sv english);
/* Does `text` have the form ("at most %u bytes")?  What stands for its place holders,
 * at most `max` of them, in `out`; -1: no. */
int yg_text_match(const char *form, struct yg_sv text, struct yg_sv *out, size_t max);
