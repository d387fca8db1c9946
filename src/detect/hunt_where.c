#include <stdlib.h>

#include "detect/hunt.h"
#include "detect/hunt_filter.h"
#include "snapshot/hashset.h"
#include "snapshot/intern.h"

struct part { /* one condition, in the text */
	size_t at, n;
};
struct joined { /* "a OR b", no two of them the same */
	struct yg_buf text;
	struct yg_vec parts;     /* struct part */
	struct yg_index by_hash; /* of `parts` */
	bool all;                /* one of them is always true, or they are too long together */
};
struct yg_hunt_where {
	struct yg_hash_key key;
	struct joined whole;   /* all that is known of each rule */
	struct joined sources; /* its log source alone: less, and many rules share it */
};

yg_status yg_hunt_where_new(const struct yg_env *env, struct yg_hunt_where **out,
			    struct yg_err *err)
{
	struct yg_hunt_where *w = calloc(1, sizeof *w);
	if (w == NULL)
		return YG_FAIL(err, YG_NOMEM, "the condition of rules");
	env->random(env->ctx, &w->key, sizeof w->key);
	yg_buf_init(&w->whole.text, 2 * YG_HUNT_FILTER_MAX);
	yg_buf_init(&w->sources.text, 2 * YG_HUNT_FILTER_MAX);
	*out = w;
	return YG_OK;
}

static void joined_free(struct joined *j)
{
	free(j->parts.p);
	free(j->by_hash.slots);
	yg_buf_free(&j->text);
}

void yg_hunt_where_free(struct yg_hunt_where *w)
{
	if (w == NULL)
		return;
	joined_free(&w->whole);
	joined_free(&w->sources);
	free(w);
}

/* Is the very same condition there already?  If not, *at is where its hash belongs. */
static bool known(const struct joined *j, struct yg_sv one, uint64_t hash, size_t *at)
{
	const struct part *parts = j->parts.p;
	uint32_t i;
	*at = SIZE_MAX;
	while (yg_index_next(&j->by_hash, hash, at, &i))
		if (yg_sv_eq((struct yg_sv){j->text.p + parts[i].at, parts[i].n}, one))
			return true;
	return false;
}

/* False: no memory. */
static bool append(const struct yg_hash_key *key, struct joined *j, struct yg_sv one)
{
	size_t at;
	uint64_t hash = yg_hash_of(key, 0, one);
	j->all = j->all || YG_SV_IS(one, "1");
	if (j->all || YG_SV_IS(one, "0"))
		return true;
	if (!yg_index_room(&j->by_hash))
		return false;
	if (known(j, one, hash, &at))
		return true;
	struct part *p = yg_vec_add(&j->parts, sizeof *p);
	if (p == NULL)
		return false;
	yg_buf_put(&j->text, j->text.n > 0 ? YG_SV(" OR ") : YG_SV(""));
	*p = (struct part){j->text.n, one.n};
	yg_buf_put(&j->text, one);
	yg_index_put(&j->by_hash, at, hash, (uint32_t)j->parts.n - 1);
	j->all = j->text.bad || (j->parts.n > 1 && j->text.n > YG_HUNT_WHERE_MAX);
	return !j->text.nomem;
}

yg_status yg_hunt_where_add(struct yg_hunt_where *w, const struct yg_sigma_rule *rule,
			    struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf whole = {0}, source = {0};
	yg_buf_init(&whole, YG_HUNT_FILTER_MAX + 64);
	yg_buf_init(&source, YG_HUNT_FILTER_MAX + 64);
	yg_status st = w->whole.all ? YG_OK : yg_hunt_filter(rule, &whole, err);
	if (st == YG_OK && !w->sources.all)
		st = yg_hunt_filter_source(rule, &source, err);
	if (st == YG_OK && (!append(&w->key, &w->whole, yg_buf_sv(&whole)) ||
			    !append(&w->key, &w->sources, yg_buf_sv(&source))))
		st = YG_FAIL(err, YG_NOMEM, "the condition of rules");
	return st;
}

struct yg_sv yg_hunt_where_text(const struct yg_hunt_where *w)
{
	const struct joined *j = w->whole.all ? &w->sources : &w->whole;
	if (j->all)
		return YG_SV("1");
	return j->text.n > 0 ? yg_buf_sv(&j->text) : YG_SV("0");
}
