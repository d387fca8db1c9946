/* applies.c - which rules' log sources hold for an event, and which fields they have. */
#include <stdlib.h>

#include "detect/eval_internal.h"

#define KEPT_MAX   256       /* combinations of log sources that are remembered */
#define KEPT_LEAST 8         /* also: places where one may be */
#define KEPT_WORDS (4 << 20) /* of all of them */

static bool source_fits(struct yg_sv want, struct yg_sv have)
{
	return want.n == 0 || yg_sv_eq(want, have);
}

static bool fits(const struct yg_detect *d, uint32_t source, const struct yg_detect_logsource *have,
		 size_t n)
{
	const struct yg_detect_source *s = &d->sources[source];
	for (size_t i = 0; i < n; i++)
		if (source_fits(yg_detect_sv(d, s->category), have[i].category) &&
		    source_fits(yg_detect_sv(d, s->product), have[i].product) &&
		    source_fits(yg_detect_sv(d, s->service), have[i].service))
			return true;
	return false;
}

bool yg_detect_keywords(const struct yg_detect *d, const struct yg_detect_logsource *sources,
			size_t n)
{
	for (uint32_t i = 0; i < d->sources_count; i++)
		if (d->words[d->info.keywords + i] != YG_DETECT_NONE && fits(d, i, sources, n))
			return true;
	return false;
}

static void find_sources(const struct yg_detect *d, const struct yg_detect_record *r,
			 struct yg_detect_applies *a)
{
	a->source_count = a->keyword_count = 0;
	for (uint32_t i = 0; i < d->sources_count; i++) {
		bool yes = fits(d, i, r->sources, r->source_count);
		a->source[i] = yes;
		if (!yes)
			continue;
		a->sources[a->source_count++] = i;
		if (d->words[d->info.keywords + i] != YG_DETECT_NONE)
			a->keywords[a->keyword_count++] = d->words[d->info.keywords + i];
	}
}

static bool has_field(const struct yg_detect *d, const struct yg_detect_applies *a, uint32_t i)
{
	return d->fields[i].number != YG_DETECT_NONE && a->source[d->fields[i].source] != 0;
}

/* The fields of the sources that hold, by name. */
static void find_fields(const struct yg_detect *d, struct yg_detect_applies *a, uint32_t *cursors)
{
	uint32_t at = 1;
	a->fields[0] = YG_DETECT_NONE;
	memset(cursors, 0, d->names_count * sizeof *cursors);
	for (uint32_t i = 0; i < d->fields_count; i++)
		if (has_field(d, a, i))
			cursors[d->fields[i].number]++;
	for (uint32_t i = 0; i < d->names_count; i++) {
		a->first[i] = cursors[i] > 0 ? at : 0;
		at += cursors[i];
		if (cursors[i] > 0)
			a->fields[at++] = YG_DETECT_NONE;
	}
	for (uint32_t i = 0; i < d->fields_count; i++)
		if (has_field(d, a, i)) {
			uint32_t name = d->fields[i].number;
			a->fields[a->first[name] + --cursors[name]] = i;
		}
}

/* Two combinations of one hash are taken for one: it is keyed, and 64 bits long. */
const struct yg_detect_applies *yg_detect_applies_to(struct yg_detect_eval *e,
						     const struct yg_detect_record *r)
{
	const struct yg_hash_key *key = &e->d->key;
	struct yg_detect_applies *a = NULL;
	uint64_t h = yg_hash_begin(key, 5);
	for (size_t i = 0; i < r->source_count; i++) {
		const struct yg_detect_logsource *s = &r->sources[i];
		h = yg_hash_more(key, h, s->category.p, s->category.n);
		h = yg_hash_more(key, h, s->product.p, s->product.n);
		h = yg_hash_more(key, h, s->service.p, s->service.n);
	}
	h = yg_hash_end(key, h);
	for (size_t i = 0; i < KEPT_LEAST; i++) {
		a = &e->applies[(h + i) & e->applies_mask];
		if (a->used && a->hash == h)
			return a;
		if (!a->used)
			break;
	}
	if (a->used) /* one of those that are there goes */
		a = &e->applies[(h + e->applies_turn++ % KEPT_LEAST) & e->applies_mask];
	find_sources(e->d, r, a);
	find_fields(e->d, a, e->cursors);
	a->used = true;
	a->hash = h;
	return a;
}

bool yg_detect_applies_make(struct yg_detect_eval *e)
{
	const struct yg_detect *d = e->d;
	size_t sources = d->sources_count, names = d->names_count, kept = KEPT_MAX;
	size_t fields = d->fields_count + names + 1, words = 2 * sources + names + fields;
	while (kept > KEPT_LEAST && kept * words > KEPT_WORDS)
		kept /= 2;
	e->applies_mask = kept - 1;
	e->applies = calloc(kept, sizeof *e->applies);
	e->flags = calloc(kept, sources + 1);
	e->words = calloc(kept * words, sizeof *e->words);
	e->cursors = calloc(names + 1, sizeof *e->cursors);
	if (e->applies == NULL || e->flags == NULL || e->words == NULL || e->cursors == NULL)
		return false;
	for (size_t i = 0; i < kept; i++) {
		uint32_t *w = e->words + i * words;
		e->applies[i].source = e->flags + i * (sources + 1);
		e->applies[i].sources = w;
		e->applies[i].keywords = w + sources;
		e->applies[i].first = w + 2 * sources;
		e->applies[i].fields = w + 2 * sources + names;
	}
	return true;
}

void yg_detect_applies_drop(struct yg_detect_eval *e)
{
	free(e->applies);
	free(e->flags);
	free(e->words);
	free(e->cursors);
}
