/* engine.c - an engine as a whole: verified, written, opened. */
#include <stdlib.h>

#include "base/codec.h"
#include "detect/engine_internal.h"

/* ---- verification: after it every number leads somewhere, and every list ends ---- */

static bool text_in(const struct yg_detect *d, struct yg_detect_text t)
{
	return t.at <= d->pool_count && t.n <= d->pool_count - t.at;
}

static bool words_in(const struct yg_detect *d, uint64_t at, uint64_t n)
{
	return at <= d->words_count && n <= d->words_count - at;
}

static bool below(uint32_t v, uint64_t count) /* or none */
{
	return v == YG_DETECT_NONE || v < count;
}

static bool all_below(const struct yg_detect *d, uint64_t at, uint64_t n, uint64_t count)
{
	for (uint64_t i = 0; i < n; i++)
		if (!below(d->words[at + i], count))
			return false;
	return true;
}

static bool info_good(const struct yg_detect *d)
{
	const struct yg_detect_info *f = &d->info;
	uint64_t names = (uint64_t)f->name_mask + 1, exacts = (uint64_t)f->exact_mask + 1;
	uint64_t triggers = f->bits + d->sources_count;
	if (f->bits > YG_DETECT_BITS_MAX || f->stack > UINT16_MAX ||
	    f->exact_longest > YG_SIGMA_TEXT_MAX * 8 || (names & f->name_mask) != 0 ||
	    (exacts & f->exact_mask) != 0)
		return false;
	uint64_t anchors = (uint64_t)f->anchor_count * sizeof(struct yg_detect_anchor) / 4;
	return words_in(d, f->anchors, anchors) && words_in(d, f->name_slots, names) &&
	       words_in(d, f->exact_slots, exacts) && words_in(d, f->triggers, triggers) &&
	       words_in(d, f->owners, f->bits) && words_in(d, f->keywords, d->sources_count) &&
	       all_below(d, f->name_slots, names, d->names_count) &&
	       all_below(d, f->exact_slots, exacts, d->exacts_count) &&
	       all_below(d, f->triggers, triggers, d->links_count) &&
	       all_below(d, f->owners, f->bits, d->fields_count) &&
	       all_below(d, f->keywords, d->sources_count, d->fields_count);
}

static bool field_good(const struct yg_detect *d, uint64_t i)
{
	const struct yg_detect_field *f = &d->fields[i];
	if (!text_in(d, f->name) || !below(f->number, d->names_count) ||
	    f->source >= d->sources_count || f->present >= d->info.bits ||
	    f->present + 1 >= d->info.bits || !below(f->always, d->links_count) ||
	    !below(f->numbers, d->numbers_count))
		return false;
	if (f->anchors == 0)
		return true;
	if (f->filter_shift < 32 || f->filter_shift > 58 || f->slot_shift < 32 ||
	    f->slot_shift > 60)
		return false;
	uint64_t slots = UINT64_C(1) << (64 - f->slot_shift);
	uint64_t filter = UINT64_C(1) << (64 - f->filter_shift) >> 6;
	return f->filter <= d->filter_count && filter <= d->filter_count - f->filter &&
	       words_in(d, f->slots, slots) && all_below(d, f->slots, slots, d->info.anchor_count);
}

static bool anchors_good(const struct yg_detect *d)
{
	const struct yg_detect_anchor *anchors = yg_detect_anchors(d);
	for (uint32_t i = 0; i < d->info.anchor_count; i++) {
		const struct yg_detect_anchor *a = &anchors[i];
		if (a->kind < 1 || a->kind > YG_ANCHOR_FAR || a->literal >= d->literals_count ||
		    !below(a->next, i))
			return false;
		uint32_t n = yg_detect_gram_bytes(a->kind), most = d->literals[a->literal].text.n;
		if (n > most || a->offset > most - n)
			return false;
	}
	return true;
}

static bool texts_good(const struct yg_detect *d)
{
	for (uint64_t i = 0; i < d->exacts_count; i++) {
		const struct yg_detect_exact *x = &d->exacts[i];
		if (!text_in(d, x->text) || !below(x->next, i) || !below(x->bits, d->links_count))
			return false;
	}
	for (uint64_t i = 0; i < d->literals_count; i++) {
		const struct yg_detect_literal *l = &d->literals[i];
		if (!text_in(d, l->text) || !below(l->bits, d->links_count) ||
		    !below(l->patterns, d->links_count))
			return false;
	}
	for (uint64_t i = 0; i < d->parts_count; i++)
		if (!text_in(d, d->parts[i].text))
			return false;
	for (uint64_t i = 0; i < d->patterns_count; i++) {
		const struct yg_detect_pattern *p = &d->patterns[i];
		if (p->first > d->parts_count || p->count > d->parts_count - p->first ||
		    p->bit >= d->info.bits)
			return false;
	}
	return true;
}

static bool test_good(const struct yg_detect *d, uint64_t i)
{
	const struct yg_detect_test *t = &d->tests[i];
	uint64_t most = t->kind == YG_TEST_REGEX     ? d->regexes_count
			: t->kind == YG_TEST_PATTERN ? d->patterns_count
			: t->kind == YG_TEST_FIELD   ? d->fields_count
						     : 0;
	return t->which < most && t->affix <= YG_SIGMA_ENDS && below(t->next, i);
}

static bool others_good(const struct yg_detect *d)
{
	for (uint64_t i = 0; i < d->numbers_count; i++)
		if (d->numbers[i].bit >= d->info.bits || !below(d->numbers[i].next, i))
			return false;
	for (uint64_t i = 0; i < d->tests_count; i++)
		if (!test_good(d, i))
			return false;
	for (uint64_t i = 0; i < d->lazies_count; i++) {
		const struct yg_detect_lazy *l = &d->lazies[i];
		if (l->field >= d->fields_count || l->bit >= d->info.bits ||
		    l->guard >= d->info.bits || !below(l->tests, d->tests_count))
			return false;
	}
	for (uint64_t i = 0; i < d->links_count; i++)
		if (!below(d->links[i].next, i))
			return false;
	for (uint64_t i = 0; i < d->regexes_count; i++)
		if (!text_in(d, d->regexes[i]))
			return false;
	for (uint64_t i = 0; i < d->names_count; i++)
		if (!text_in(d, d->names[i].text) || !below(d->names[i].next, i))
			return false;
	for (uint64_t i = 0; i < d->sources_count; i++)
		if (!text_in(d, d->sources[i].category) || !text_in(d, d->sources[i].product) ||
		    !text_in(d, d->sources[i].service))
			return false;
	return true;
}

static bool rule_good(const struct yg_detect *d, const struct yg_detect_rule *r)
{
	uint32_t depth = 0;
	if (!words_in(d, r->first, r->count) || r->source >= d->sources_count ||
	    !text_in(d, r->title) || !text_in(d, r->id) || !text_in(d, r->name) ||
	    !text_in(d, r->file) || !text_in(d, r->tags))
		return false;
	for (uint32_t i = 0; i < r->count; i++) {
		uint32_t s = d->words[r->first + i], n = YG_STEP_N(s);
		switch (YG_STEP_OP(s)) {
		case YG_OP_BIT:
		case YG_OP_LAZY:
			if (n >= (YG_STEP_OP(s) == YG_OP_BIT ? d->info.bits : d->lazies_count) ||
			    ++depth > d->info.stack)
				return false;
			break;
		case YG_OP_NOT:
			if (depth < 1)
				return false;
			break;
		case YG_OP_AND:
		case YG_OP_OR:
			if (depth-- < 2)
				return false;
			break;
		default: return false;
		}
	}
	return depth == 1;
}

static bool good(const struct yg_detect *d)
{
	if (!info_good(d) || d->rules_count > YG_DETECT_RULES_MAX ||
	    d->literals_count >= YG_DETECT_NONE || d->patterns_count >= YG_DETECT_NONE)
		return false;
	for (uint64_t i = 0; i < d->fields_count; i++)
		if (!field_good(d, i))
			return false;
	if (!texts_good(d) || !anchors_good(d) || !others_good(d))
		return false;
	for (uint64_t i = 0; i < d->rules_count; i++)
		if (!rule_good(d, &d->rules[i]))
			return false;
	return true;
}

static yg_status open_automata(struct yg_detect *d, struct yg_err *err)
{
	d->automata = calloc(d->regexes_count + 1, sizeof(hs_database_t *));
	if (d->automata == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to open the rules");
	for (uint64_t i = 0; i < d->regexes_count; i++) {
		struct yg_sv s = yg_detect_sv(d, d->regexes[i]);
		hs_error_t rc = hs_deserialize_database(s.p, s.n, &d->automata[i]);
		if (rc == HS_NOMEM)
			return YG_FAIL(err, YG_NOMEM, "no memory to open the rules");
		if (rc != HS_SUCCESS)
			return YG_FAIL(err, YG_CORRUPT,
				       "an expression of the snapshot is damaged or for another "
				       "processor: compile it again");
	}
	return YG_OK;
}

yg_status yg_detect_ready(struct yg_detect *d, struct yg_err *err)
{
	if (d->infos_count == 1)
		d->info = d->infos[0];
	if (d->infos_count != 1 || !good(d))
		return YG_FAIL(err, YG_CORRUPT, "the tables of the rules do not fit together");
	memcpy(&d->key, d->info.key, sizeof d->key);
	return d->automata == NULL ? open_automata(d, err) : YG_OK;
}

/* ---- snapshots ---- */

/* The tables are those of this layout and of this version of the automata. */
static struct yg_sv schema(char *buf, size_t n, struct yg_sv more)
{
	struct yg_sb b = yg_sb_init(buf, n);
	yg_sb_put(&b, YG_SV("detect 3; automata "));
	yg_sb_put(&b, yg_sv_of(hs_version()));
#define X(id, name, type) yg_sb_printf(&b, "; " #id " " #name " %zu", sizeof(type));
	YG_DETECT_TABLES(X)
#undef X
	yg_sb_put(&b, more);
	return yg_sb_sv(&b);
}

yg_status yg_detect_write_more(const struct yg_detect *d, const struct yg_detect_more *more, int fd,
			       uint64_t generation, yg_wall created, uint64_t *out_bytes,
			       struct yg_err *err)
{
	char text[2000];
	struct yg_snap_part parts[YG_SNAP_SECTIONS_MAX] = {
#define X(id, name, type) {id, sizeof(type), d->name##_count, d->name},
		YG_DETECT_TABLES(X)
#undef X
	};
	size_t n = 0;
	while (n < YG_LEN(parts) && parts[n].id != 0)
		n++;
	if (more->count > YG_LEN(parts) - n)
		return YG_FAIL(err, YG_LIMIT, "too many tables for one snapshot");
	if (more->count > 0)
		memcpy(&parts[n], more->parts, more->count * sizeof parts[0]);
	const struct yg_snap_spec spec = {.kind = YG_SNAP_DETECT,
					  .schema = schema(text, sizeof text, more->schema),
					  .generation = generation,
					  .created = created,
					  .count = d->rules_count,
					  .key = {d->key.k[0], d->key.k[1]}};
	return yg_snap_write(fd, &spec, parts, n + more->count, out_bytes, err);
}

yg_status yg_detect_write(const struct yg_detect *d, int fd, uint64_t generation, yg_wall created,
			  uint64_t *out_bytes, struct yg_err *err)
{
	const struct yg_detect_more none = {.count = 0};
	return yg_detect_write_more(d, &none, fd, generation, created, out_bytes, err);
}

static yg_status open_tables(struct yg_detect *d, struct yg_err *err)
{
	static const struct {
		uint32_t id, elem;
		size_t table, count; /* where in the engine */
	} tables[] = {
#define X(id, name, type)                                                                          \
	{id, sizeof(type), offsetof(struct yg_detect, name),                                       \
	 offsetof(struct yg_detect, name##_count)},
		YG_DETECT_TABLES(X)
#undef X
	};
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(tables); i++) {
		const void *p = NULL;
		uint64_t count = 0;
		st = yg_snap_find(&d->snap, tables[i].id, tables[i].elem, &p, &count, err);
		memcpy((char *)d + tables[i].table, &p, sizeof p);
		memcpy((char *)d + tables[i].count, &count, sizeof count);
	}
	return st == YG_OK ? yg_detect_ready(d, err) : st;
}

yg_status yg_detect_open_more(int fd, const void *p, size_t n, struct yg_sv more,
			      uint64_t min_generation, struct yg_detect **out, struct yg_err *err)
{
	char text[2000];
	struct yg_sv layout = schema(text, sizeof text, more);
	struct yg_detect *d = calloc(1, sizeof *d);
	if (d == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to open the rules");
	yg_status st = p != NULL ? yg_snap_open_bytes(p, n, YG_SNAP_DETECT, layout, min_generation,
						      &d->snap, err)
				 : yg_snap_open_fd(fd, YG_SNAP_DETECT, layout, min_generation,
						   &d->snap, err);
	if (st == YG_OK)
		st = open_tables(d, err);
	if (st != YG_OK) {
		yg_detect_free(d);
		return st;
	}
	*out = d;
	return YG_OK;
}

yg_status yg_detect_open_fd(int fd, uint64_t min_generation, struct yg_detect **out,
			    struct yg_err *err)
{
	return yg_detect_open_more(fd, NULL, 0, YG_SV(""), min_generation, out, err);
}

yg_status yg_detect_open_bytes(const void *p, size_t n, struct yg_detect **out, struct yg_err *err)
{
	return yg_detect_open_more(-1, p, n, YG_SV(""), 0, out, err);
}

static void own_free(struct yg_detect *d)
{
#define X(id, name, type) free((void *)(uintptr_t)d->name);
	YG_DETECT_TABLES(X)
#undef X
}

void yg_detect_free(struct yg_detect *d)
{
	if (d == NULL)
		return;
	for (uint64_t i = 0; d->automata != NULL && i < d->regexes_count; i++)
		(void)hs_free_database(d->automata[i]);
	free(d->automata);
	if (d->own)
		own_free(d);
	yg_snap_close(&d->snap);
	free(d);
}

bool yg_detect_file(const struct yg_detect *d, size_t *at, struct yg_sv *name, struct yg_sv *text)
{
	if (*at >= d->files_count)
		return false;
	struct yg_rd r = yg_rd_init(d->files + *at, d->files_count - *at);
	*name = yg_rd_sv32(&r);
	*text = yg_rd_sv32(&r);
	*at = d->files_count - yg_rd_left(&r);
	return !r.bad;
}

size_t yg_detect_rule_count(const struct yg_detect *d)
{
	return d->rules_count;
}

struct yg_detect_about yg_detect_about(const struct yg_detect *d, uint32_t rule)
{
	struct yg_detect_about a = {.title = {"", 0}};
	if (rule >= d->rules_count)
		return a;
	const struct yg_detect_rule *r = &d->rules[rule];
	a.title = yg_detect_sv(d, r->title);
	a.id = yg_detect_sv(d, r->id);
	a.name = yg_detect_sv(d, r->name);
	a.file = yg_detect_sv(d, r->file);
	a.tags = yg_detect_sv(d, r->tags);
	a.level =
		r->level <= YG_SIGMA_CRITICAL ? (enum yg_sigma_level)r->level : YG_SIGMA_LEVEL_NONE;
	a.line = r->line;
	const struct yg_detect_source *s = &d->sources[r->source];
	a.logsource = (struct yg_detect_logsource){yg_detect_sv(d, s->category),
						   yg_detect_sv(d, s->product),
						   yg_detect_sv(d, s->service)};
	return a;
}
