/* correlate_rules.c - correlations from their documents: references, cycles, aliases,
 * and which fields of which rule's events each of them needs. */
#include <stdio.h>

#include "detect/correlate_internal.h"

struct names {           /* ids and names of all documents */
	uint32_t *slots; /* index * 2 + (is it the name) + 1; 0: free */
	size_t mask;
};
struct job {
	struct yg_correlate *c;
	const struct yg_sigma_rule *const *rules;
	struct names names;
	yg_correlate_report_fn *report;
	void *ctx;
};

#define REFUSE(j, k, ...)                                                                          \
	do {                                                                                       \
		char text[400];                                                                    \
		struct yg_sb said = yg_sb_init(text, sizeof text);                                 \
		yg_sb_printf(&said, __VA_ARGS__);                                                  \
		refuse((j), (k), yg_sb_cstr(&said));                                               \
	} while (0)

static void refuse(const struct job *j, struct yg_corr *k, const char *reason)
{
	if (k->broken)
		return;
	k->broken = true;
	if (j->report != NULL)
		j->report(j->ctx, k->rule, reason);
}

/* Text of a rule, fit for a message. */
struct quote {
	char text[96];
};
static const char *quoted(struct quote *q, struct yg_sv s)
{
	struct yg_sb b = yg_sb_init(q->text, sizeof q->text);
	yg_sb_put_untrusted(&b, yg_sv_sub(s, 0, 20));
	if (s.n > 20)
		yg_sb_put(&b, YG_SV("..."));
	return yg_sb_cstr(&b);
}

static struct yg_sv text_of(const struct job *j, uint32_t slot)
{
	const struct yg_sigma_rule *r = j->rules[(slot - 1) / 2];
	return (slot - 1) % 2 == 1 ? r->name : r->id;
}

static yg_status fill_names(struct job *j, size_t count)
{
	size_t slots = 16;
	while (slots < count * 4)
		slots *= 2;
	j->names.slots = YG_NEW_N(&j->c->arena, uint32_t, slots);
	j->names.mask = slots - 1;
	if (j->names.slots == NULL)
		return YG_NOMEM;
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t name = 0; name < 2; name++) {
			struct yg_sv s = text_of(j, i * 2 + name + 1);
			size_t at = yg_siphash(j->c->key, s.p, s.n) & j->names.mask;
			while (s.n > 0 && j->names.slots[at] != 0)
				at = (at + 1) & j->names.mask;
			if (s.n > 0)
				j->names.slots[at] = i * 2 + name + 1;
		}
	return YG_OK;
}

/* How many documents have this id or name; the first of them. */
static size_t look_up(const struct job *j, struct yg_sv s, uint32_t *out)
{
	size_t at = yg_siphash(j->c->key, s.p, s.n) & j->names.mask, n = 0;
	for (; s.n > 0 && j->names.slots[at] != 0; at = (at + 1) & j->names.mask) {
		uint32_t rule = (j->names.slots[at] - 1) / 2;
		if (!yg_sv_eq(text_of(j, j->names.slots[at]), s) || (n > 0 && rule == *out))
			continue;
		if (n++ == 0)
			*out = rule;
	}
	return n;
}

static yg_status resolve(const struct job *j, struct yg_corr *k)
{
	const struct yg_sigma_correlation *from = &j->rules[k->rule]->correlation;
	struct quote q;
	k->refs = YG_NEW_N(&j->c->arena, uint32_t, from->rule_count + 1);
	if (k->refs == NULL)
		return YG_NOMEM;
	for (uint32_t i = 0; i < k->rule_count && !k->broken; i++) {
		size_t n = look_up(j, from->rules[i], &k->refs[i]);
		const char *name = quoted(&q, from->rules[i]);
		if (n == 0)
			REFUSE(j, k, "there is no rule '%s'", name);
		else if (n > 1)
			REFUSE(j, k, "'%s' is the name of %zu rules", name, n);
		else if (j->rules[k->refs[i]]->kind == YG_SIGMA_FILTER)
			REFUSE(j, k, "'%s' is a filter", name);
		for (uint32_t b = 0; b < i && !k->broken; b++)
			if (k->refs[b] == k->refs[i])
				REFUSE(j, k, "the rule '%s' stands twice", name);
	}
	return YG_OK;
}

/* The field that stands for `name` in events of the rule at `pos`. */
static struct yg_sv field_of(const struct yg_sigma_correlation *from, uint32_t pos,
			     struct yg_sv name, bool *missing)
{
	bool alias = false;
	for (size_t i = 0; i < from->alias_count; i++) {
		if (!yg_sv_eq(from->aliases[i].name, name))
			continue;
		alias = true;
		if (yg_sv_eq(from->aliases[i].rule, from->rules[pos]))
			return from->aliases[i].field;
	}
	*missing = *missing || alias;
	return name;
}

static bool copy_names(struct yg_correlate *c, const struct yg_sv *from, size_t n,
		       struct yg_corr_names *to)
{
	to->v = YG_NEW_N(&c->arena, struct yg_sv, n + 1);
	for (size_t i = 0; to->v != NULL && i < n; i++) {
		to->v[i] = yg_arena_dup(&c->arena, from[i]);
		if (to->v[i].p == NULL)
			return false;
	}
	to->n = (uint32_t)n;
	return to->v != NULL;
}

static bool has(const struct yg_corr_names *names, struct yg_sv s)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (yg_sv_eq(names->v[i], s))
			return true;
	return false;
}

/* Names as fields of the events of the rule at `pos`; a correlation below is told what it
 * must hand up beside its group. */
static yg_status fields_for(const struct job *j, struct yg_corr *k, uint32_t pos,
			    const struct yg_corr_names *names, struct yg_corr_names *to)
{
	const struct yg_sigma_correlation *from = &j->rules[k->rule]->correlation;
	uint32_t below = j->c->by_rule[k->refs[pos]];
	struct yg_sv fields[YG_SIGMA_GROUP_MAX + YG_CORRELATE_CARRY_MAX];
	struct quote q;
	for (uint32_t i = 0; i < names->n; i++) {
		bool missing = false;
		fields[i] = field_of(from, pos, names->v[i], &missing);
		if (missing)
			REFUSE(j, k, "the alias '%s' has no field for every rule",
			       quoted(&q, names->v[i]));
		struct yg_corr *b = below != YG_CORR_NONE ? &j->c->corrs[below] : NULL;
		if (k->broken || b == NULL || has(&b->group, fields[i]) ||
		    has(&b->carry, fields[i]))
			continue;
		if (b->carry.n == YG_CORRELATE_CARRY_MAX) {
			REFUSE(j, k, "more than %d fields of one correlation below",
			       YG_CORRELATE_CARRY_MAX);
			continue;
		}
		b->carry.v[b->carry.n] = yg_arena_dup(&j->c->arena, fields[i]);
		if (b->carry.v[b->carry.n++].p == NULL)
			return YG_NOMEM;
	}
	return copy_names(j->c, fields, names->n, to) ? YG_OK : YG_NOMEM;
}

static yg_status use_fields(const struct job *j, struct yg_corr *k, uint32_t pos)
{
	const struct yg_sigma_correlation *from = &j->rules[k->rule]->correlation;
	struct yg_corr_uses *u = &j->c->uses[k->refs[pos]];
	struct yg_corr_use *use = &u->v[u->n];
	struct yg_corr_names fields = {from->fields, (uint32_t)from->field_count};
	use->corr = (uint32_t)(k - j->c->corrs);
	use->pos = (uint16_t)pos;
	yg_status st = fields_for(j, k, pos, &k->group, &use->group);
	if (st == YG_OK)
		st = fields_for(j, k, pos, &fields, &use->fields);
	if (st == YG_OK)
		st = fields_for(j, k, pos, &k->carry, &use->carry);
	u->n += st == YG_OK;
	return st;
}

/* Depth by rounds: one more than the deepest below it.  What gets none is in a cycle,
 * refers to one, or is too deep. */
static void find_depths(const struct job *j)
{
	struct yg_correlate *c = j->c;
	for (uint32_t round = 1; round <= YG_CORRELATE_DEPTH_MAX; round++)
		for (uint32_t i = 0; i < c->corr_count; i++) {
			struct yg_corr *k = &c->corrs[i];
			bool ready = !k->broken && k->depth == 0;
			for (uint32_t r = 0; ready && r < k->rule_count; r++) {
				uint32_t b = c->by_rule[k->refs[r]];
				ready = b == YG_CORR_NONE ||
					(c->corrs[b].depth > 0 && c->corrs[b].depth < round);
			}
			if (ready)
				k->depth = round;
		}
}

/* The first below it that has no depth and is not refused; NULL. */
static struct yg_corr *undecided_below(struct yg_correlate *c, const struct yg_corr *k)
{
	for (uint32_t r = 0; r < k->rule_count; r++) {
		uint32_t b = c->by_rule[k->refs[r]];
		if (b != YG_CORR_NONE && !c->corrs[b].broken &&
		    (c->corrs[b].depth == 0 || c->corrs[b].depth == YG_CORR_NONE))
			return &c->corrs[b];
	}
	return NULL;
}

static void refuse_cycles(const struct job *j)
{
	struct yg_correlate *c = j->c;
	for (uint32_t i = 0; i < c->corr_count; i++) {
		struct yg_corr *k = &c->corrs[i], *at = k;
		char path[300];
		struct yg_sb b = yg_sb_init(path, sizeof path - 8);
		uint32_t steps = 0;
		struct quote q;
		if (k->broken || k->depth > 0)
			continue;
		do {
			at = undecided_below(c, at);
			if (at != NULL && steps < 8) {
				const struct yg_sigma_rule *r = j->rules[at->rule];
				yg_sb_printf(&b, "%s%s", steps > 0 ? ", " : "",
					     quoted(&q, r->name.n > 0 ? r->name : r->id));
			}
		} while (at != NULL && at != k && ++steps < c->corr_count);
		if (at == k)
			REFUSE(j, k, "its rules lead back to itself: %s", yg_sb_cstr(&b));
		else if (at == NULL)
			REFUSE(j, k, "correlations more than %d deep", YG_CORRELATE_DEPTH_MAX);
		else
			REFUSE(j, k, "it refers to rules that lead back to themselves");
		k->broken = false; /* those that refer to it are told what it is, too */
		k->depth = YG_CORR_NONE;
	}
	for (uint32_t i = 0; i < c->corr_count; i++)
		if (c->corrs[i].depth == YG_CORR_NONE)
			c->corrs[i].broken = true;
}

/* True: it is refused now, for a rule of it was. */
static bool refuse_for_below(const struct job *j, struct yg_corr *k)
{
	struct quote q;
	for (uint32_t r = 0; !k->broken && r < k->rule_count; r++) {
		uint32_t b = j->c->by_rule[k->refs[r]];
		if (b == YG_CORR_NONE || !j->c->corrs[b].broken)
			continue;
		REFUSE(j, k, "its rule '%s' was refused",
		       quoted(&q, j->rules[k->rule]->correlation.rules[r]));
		return true;
	}
	return false;
}

/* What refers to something refused is refused. */
static void refuse_above(const struct job *j)
{
	bool more = true;
	while (more) {
		more = false;
		for (uint32_t i = 0; i < j->c->corr_count; i++)
			more = refuse_for_below(j, &j->c->corrs[i]) || more;
	}
}

/* Modes, bounds and what the condition compares with. */
static void find_mode(const struct job *j, struct yg_corr *k)
{
	bool counts = k->type == YG_SIGMA_EVENT_COUNT || k->type == YG_SIGMA_VALUE_COUNT;
	bool temporal = k->type == YG_SIGMA_TEMPORAL || k->type == YG_SIGMA_TEMPORAL_ORDERED;
	double most = 0;
	k->settled = !counts && !temporal && k->type != YG_SIGMA_VALUE_SUM;
	for (uint32_t i = 0; i < k->criterion_count; i++) {
		enum yg_sigma_compare how = k->criteria[i].compare;
		k->settled = k->settled || (how != YG_SIGMA_GT && how != YG_SIGMA_GTE);
		k->marks[i] = yg_corr_thousandths(k->criteria[i].number);
		most = YG_MAX(most, k->criteria[i].number);
	}
	k->state = temporal                          ? YG_CORR_MARKS
		   : k->type == YG_SIGMA_VALUE_COUNT ? YG_CORR_SET
		   : k->settled                      ? YG_CORR_TOTAL
						     : YG_CORR_RING;
	if (counts && most > YG_CORRELATE_COUNT_MAX)
		REFUSE(j, k, "it counts to more than %d", YG_CORRELATE_COUNT_MAX);
	else if (counts)
		k->cap = (uint32_t)most + 1;
}

static void print_names(struct yg_buf *b, const struct yg_corr_names *names)
{
	yg_wr_le32(b, names->n);
	for (uint32_t i = 0; i < names->n; i++)
		yg_wr_sv32(b, names->v[i]);
}

/* What the state of a correlation depends on.  The keys are constant: the same rule gives
 * the same print in every process. */
static yg_status fingerprint(const struct job *j, struct yg_corr *k)
{
	static const uint8_t first[16] = "correlation one", second[16] = "correlation two";
	const struct yg_sigma_rule *r = j->rules[k->rule];
	struct yg_buf b;
	yg_buf_init(&b, (size_t)4 << 20);
	yg_wr_sv32(&b, r->id);
	yg_wr_sv32(&b, r->name);
	yg_wr_sv32(&b, r->title);
	yg_wr_le32(&b, (uint32_t)k->type);
	yg_wr_le64(&b, (uint64_t)k->span);
	yg_wr_le32(&b, k->percentile);
	for (uint32_t i = 0; i < k->criterion_count; i++) {
		uint64_t bits;
		memcpy(&bits, &k->criteria[i].number, sizeof bits);
		yg_wr_le32(&b, (uint32_t)k->criteria[i].compare);
		yg_wr_le64(&b, bits);
	}
	print_names(&b, &k->group);
	print_names(&b, &k->carry);
	for (uint32_t i = 0; i < k->rule_count; i++) {
		const struct yg_corr_uses *u = &j->c->uses[k->refs[i]];
		yg_wr_sv32(&b, r->correlation.rules[i]);
		for (uint32_t n = 0; n < u->n; n++) {
			if (u->v[n].corr != (uint32_t)(k - j->c->corrs))
				continue;
			print_names(&b, &u->v[n].group);
			print_names(&b, &u->v[n].fields);
			print_names(&b, &u->v[n].carry);
		}
	}
	yg_status st = yg_buf_done(&b);
	if (st == YG_OK) {
		uint64_t print[2] = {yg_siphash(first, b.p, b.n), yg_siphash(second, b.p, b.n)};
		memcpy(k->print, print, sizeof print);
	}
	yg_buf_free(&b);
	return st;
}

static yg_status take_documents(const struct job *j, size_t count)
{
	struct yg_correlate *c = j->c;
	for (uint32_t i = 0; i < count; i++)
		c->corr_count += j->rules[i]->kind == YG_SIGMA_CORRELATION;
	c->corrs = YG_NEW_N(&c->arena, struct yg_corr, c->corr_count + 1U);
	c->uses = YG_NEW_N(&c->arena, struct yg_corr_uses, count + 1);
	c->by_rule = YG_NEW_N(&c->arena, uint32_t, count + 1);
	if (c->corrs == NULL || c->uses == NULL || c->by_rule == NULL)
		return YG_NOMEM;
	struct yg_corr *k = c->corrs;
	for (uint32_t i = 0; i < count; i++) {
		const struct yg_sigma_correlation *from = &j->rules[i]->correlation;
		c->uses[i].tells = true;
		c->by_rule[i] = YG_CORR_NONE;
		if (j->rules[i]->kind != YG_SIGMA_CORRELATION)
			continue;
		c->by_rule[i] = (uint32_t)(k - c->corrs);
		k->rule = i;
		k->type = from->type;
		k->span = from->span_us;
		k->armed = YG_CORR_NEVER;
		k->rule_count = (uint32_t)from->rule_count;
		k->criterion_count = (uint32_t)from->criterion_count;
		memcpy(k->criteria, from->criteria, sizeof k->criteria);
		k->percentile = (uint32_t)yg_corr_thousandths(from->percentile);
		k->carry.v = YG_NEW_N(&c->arena, struct yg_sv, YG_CORRELATE_CARRY_MAX);
		if (k->carry.v == NULL ||
		    !copy_names(c, from->group_by, from->group_count, &k->group))
			return YG_NOMEM;
		find_mode(j, k++);
	}
	return YG_OK;
}

/* Who takes whose events, from the outermost down: it says what those below hand up. */
static yg_status link_uses(const struct job *j, size_t count)
{
	struct yg_correlate *c = j->c;
	yg_status st = YG_OK;
	for (uint32_t i = 0; i < c->corr_count; i++)
		for (uint32_t r = 0; !c->corrs[i].broken && r < c->corrs[i].rule_count; r++)
			c->uses[c->corrs[i].refs[r]].n++;
	for (uint32_t i = 0; i < count; i++) {
		c->uses[i].v = YG_NEW_N(&c->arena, struct yg_corr_use, c->uses[i].n + 1U);
		c->uses[i].n = 0;
		if (c->uses[i].v == NULL)
			return YG_NOMEM;
	}
	for (uint32_t depth = YG_CORRELATE_DEPTH_MAX; depth > 0; depth--)
		for (uint32_t i = 0; i < c->corr_count; i++) {
			struct yg_corr *k = &c->corrs[i];
			for (uint32_t r = 0; st == YG_OK && r < k->rule_count; r++)
				if (!k->broken && k->depth == depth)
					st = use_fields(j, k, r);
		}
	return st;
}

/* Uses by what was refused after all go away; the others say who may tell. */
static void finish_uses(const struct job *j, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct yg_corr_uses *u = &j->c->uses[i];
		uint32_t kept = 0;
		bool generate = false;
		for (uint32_t n = 0; n < u->n; n++) {
			const struct yg_corr *k = &j->c->corrs[u->v[n].corr];
			if (k->broken)
				continue;
			generate = generate || j->rules[k->rule]->correlation.generate;
			u->v[kept++] = u->v[n];
		}
		u->n = kept;
		u->tells = kept == 0 || generate;
	}
}

yg_status yg_corr_rules(struct yg_correlate *c, const struct yg_sigma_rule *const *rules,
			size_t count, yg_correlate_report_fn *report, void *ctx)
{
	struct job j = {.c = c, .rules = rules, .report = report, .ctx = ctx};
	c->rule_count = count;
	yg_status st = fill_names(&j, count);
	if (st == YG_OK)
		st = take_documents(&j, count);
	for (uint32_t i = 0; st == YG_OK && i < c->corr_count; i++)
		st = resolve(&j, &c->corrs[i]);
	if (st != YG_OK)
		return st;
	refuse_above(&j);
	find_depths(&j);
	refuse_cycles(&j);
	st = link_uses(&j, count);
	if (st != YG_OK)
		return st;
	refuse_above(&j);
	finish_uses(&j, count);
	uint32_t order = 0;
	for (uint32_t i = 0; st == YG_OK && i < c->corr_count; i++) {
		if (c->corrs[i].broken)
			continue;
		c->corrs[i].order = order++;
		st = fingerprint(&j, &c->corrs[i]);
	}
	return st;
}
