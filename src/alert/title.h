/* title.h - titles of alerts in the reader's language.
 *
 * Rooms that find something write a title in English, and the alert keeps it so.  Where it is
 * made of our own words, a reader of Japanese has them in Japanese, and finds the alert by
 * them; names of rules stay what their authors wrote.
 *
 * Runs in:    any thread; allocates nothing. */
#pragma once
#include "base/sb.h"

/* A kind of indicator, or what else an alert is of, in Japanese; as it is where it has no
 * name of ours.  Borrowed or static. */
struct yg_sv yg_alert_type_ja(struct yg_sv type);
/* `title`, of an alert of that type and indicator, as a reader of Japanese has it. */
void yg_alert_title_ja(struct yg_sv type, struct yg_sv indicator, struct yg_sv title,
		       struct yg_sb *out);
/* The words looked for as titles are kept: the first Japanese form that stands in them whole,
 * in English; `q` itself when none does or `room` has no space.  Borrowed of both. */
struct yg_sv yg_alert_words_kept(struct yg_sv q, struct yg_sb *room);
/* The n-th condition, in SQL of alert a, of titles whose Japanese form holds the words: from
 * 0 on, counting `*at` up.  False: no more.  Words of ASCII alone are in the English ones. */
bool yg_alert_words_form(struct yg_sv q, size_t *at, struct yg_sb *out);
