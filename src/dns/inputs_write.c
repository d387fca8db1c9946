/* inputs_write.c - the snapshot of what people say of protective DNS, made. */
#include <stdlib.h>

#include "dns/inputs_internal.h"
#include "snapshot/hashset.h"
#include "snapshot/intern.h"

#define BYTES_MAX ((size_t)1 << 30)

struct yg_dns_inputs_out {
	struct yg_vec orgs, entries, modes, answers; /* as in the layout */
	struct yg_buf strings;
	struct yg_index by_name, by_string;
};
static const struct yg_hash_key hash_key; /* no outsider looks anything up here */

static yg_status no_memory(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for what DNS goes by");
}

yg_status yg_dns_inputs_out_new(struct yg_dns_inputs_out **out, struct yg_err *err)
{
	struct yg_dns_inputs_out *o = calloc(1, sizeof *o);
	if (o == NULL)
		return no_memory(err);
	yg_buf_init(&o->strings, BYTES_MAX);
	yg_buf_put(&o->strings, (struct yg_sv){"\0", 2}); /* the empty one, at 0 */
	if (o->strings.bad) {
		yg_dns_inputs_out_free(o);
		return no_memory(err);
	}
	*out = o;
	return YG_OK;
}

void yg_dns_inputs_out_free(struct yg_dns_inputs_out *o)
{
	if (o == NULL)
		return;
	free(o->orgs.p);
	free(o->entries.p);
	free(o->modes.p);
	free(o->answers.p);
	free(o->by_name.slots);
	free(o->by_string.slots);
	yg_buf_free(&o->strings);
	free(o);
}

static struct yg_sv string_at(const struct yg_dns_inputs_out *o, uint32_t at)
{
	uint16_t n;
	memcpy(&n, o->strings.p + at, sizeof n);
	return (struct yg_sv){o->strings.p + at + 2, n};
}

static yg_status string_of(struct yg_dns_inputs_out *o, struct yg_sv s, uint32_t *out,
			   struct yg_err *err)
{
	uint64_t hash = yg_hash_of(&hash_key, 0, s);
	uint16_t n = (uint16_t)s.n;
	size_t at = SIZE_MAX;
	*out = 0;
	if (s.n == 0)
		return YG_OK;
	if (s.n > UINT16_MAX)
		return YG_FAIL(err, YG_LIMIT, "a text is too long");
	if (!yg_index_room(&o->by_string))
		return no_memory(err);
	while (yg_index_next(&o->by_string, hash, &at, out))
		if (yg_sv_eq(string_at(o, *out), s))
			return YG_OK;
	*out = (uint32_t)o->strings.n;
	yg_buf_put(&o->strings, (struct yg_sv){(const char *)&n, sizeof n});
	yg_buf_put(&o->strings, s);
	if (o->strings.bad)
		return no_memory(err);
	yg_index_put(&o->by_string, at, hash, *out);
	return YG_OK;
}

/* Number + 1, made when it is new; 0 for "". */
static yg_status org_of(struct yg_dns_inputs_out *o, struct yg_sv name, uint32_t *out,
			struct yg_err *err)
{
	uint64_t hash = yg_hash_of(&hash_key, 1, name);
	size_t at = SIZE_MAX;
	uint32_t i;
	*out = 0;
	if (name.n == 0)
		return YG_OK;
	if (!yg_index_room(&o->by_name))
		return no_memory(err);
	while (yg_index_next(&o->by_name, hash, &at, &i))
		if (yg_sv_eq(string_at(o, ((struct yg_di_org *)o->orgs.p)[i].name), name)) {
			*out = i + 1;
			return YG_OK;
		}
	struct yg_di_org org = {.above = 0};
	yg_status st = string_of(o, name, &org.name, err);
	if (st != YG_OK)
		return st;
	struct yg_di_org *to = yg_vec_add(&o->orgs, sizeof *to);
	if (to == NULL)
		return no_memory(err);
	*to = org;
	*out = (uint32_t)o->orgs.n;
	yg_index_put(&o->by_name, at, hash, *out - 1);
	return YG_OK;
}

yg_status yg_dns_inputs_org(struct yg_dns_inputs_out *o, struct yg_sv name, struct yg_sv above,
			    struct yg_err *err)
{
	uint32_t org, up;
	yg_status st = org_of(o, name, &org, err);
	if (st == YG_OK)
		st = org_of(o, above, &up, err);
	if (st == YG_OK && org > 0)
		((struct yg_di_org *)o->orgs.p)[org - 1].above = up;
	return st;
}

yg_status yg_dns_inputs_entry(struct yg_dns_inputs_out *o, const struct yg_dns_input *e,
			      struct yg_err *err)
{
	struct yg_di_entry r = {.expires_us = e->expires.us,
				.type = (uint8_t)e->type,
				.allow = e->allow,
				.ede = (uint8_t)e->ede};
	yg_status st = org_of(o, e->org, &r.org, err);
	if (st == YG_OK)
		st = string_of(o, e->value, &r.value, err);
	if (st == YG_OK)
		st = string_of(o, e->category, &r.category, err);
	if (st != YG_OK)
		return st;
	struct yg_di_entry *to = yg_vec_add(&o->entries, sizeof *to);
	if (to == NULL)
		return no_memory(err);
	*to = r;
	return YG_OK;
}

yg_status yg_dns_inputs_mode(struct yg_dns_inputs_out *o, struct yg_sv org, enum yg_dns_layer layer,
			     enum yg_dns_mode mode, struct yg_err *err)
{
	struct yg_di_mode r = {.layer = (uint8_t)layer, .mode = (uint8_t)mode};
	yg_status st = org_of(o, org, &r.org, err);
	if (st != YG_OK)
		return st;
	struct yg_di_mode *to = yg_vec_add(&o->modes, sizeof *to);
	if (to == NULL)
		return no_memory(err);
	*to = r;
	return YG_OK;
}

yg_status yg_dns_inputs_answer(struct yg_dns_inputs_out *o, const struct yg_dns_answer_row *row,
			       struct yg_err *err)
{
	struct yg_di_answer r = {.ttl = row->ttl, .answer = (uint8_t)row->answer};
	yg_status st = org_of(o, row->org, &r.org, err);
	if (st == YG_OK)
		st = string_of(o, row->category, &r.category, err);
	if (st == YG_OK)
		st = string_of(o, row->target, &r.target, err);
	if (st == YG_OK)
		st = string_of(o, row->addresses, &r.addresses, err);
	if (st != YG_OK)
		return st;
	struct yg_di_answer *to = yg_vec_add(&o->answers, sizeof *to);
	if (to == NULL)
		return no_memory(err);
	*to = r;
	return YG_OK;
}

/* What goes into one zone together; names before addresses. */
static int by_zone(const void *x, const void *y)
{
	const struct yg_di_entry *a = x, *b = y;
	if (a->allow != b->allow)
		return a->allow > b->allow ? -1 : 1;
	if ((a->type == YG_IND_IP) != (b->type == YG_IND_IP))
		return a->type == YG_IND_IP ? 1 : -1;
	if (a->org != b->org)
		return a->org < b->org ? -1 : 1;
	if (a->category != b->category)
		return a->category < b->category ? -1 : 1;
	if (a->ede != b->ede)
		return a->ede < b->ede ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

yg_status yg_dns_inputs_finish(struct yg_dns_inputs_out *o, int fd, uint64_t generation,
			       yg_wall created, struct yg_err *err)
{
	const struct yg_snap_part parts[] = {
		{YG_DI_ORGS, sizeof(struct yg_di_org), o->orgs.n, o->orgs.p},
		{YG_DI_ENTRIES, sizeof(struct yg_di_entry), o->entries.n, o->entries.p},
		{YG_DI_MODES, sizeof(struct yg_di_mode), o->modes.n, o->modes.p},
		{YG_DI_ANSWERS, sizeof(struct yg_di_answer), o->answers.n, o->answers.p},
		{YG_DI_STRINGS, 1, o->strings.n, o->strings.p},
	};
	const struct yg_snap_spec spec = {.kind = YG_SNAP_DNS_INPUTS,
					  .schema = YG_DNS_INPUTS_SCHEMA,
					  .generation = generation,
					  .created = created,
					  .count = o->entries.n};
	uint64_t bytes;
	if (o->entries.n > 1)
		qsort(o->entries.p, o->entries.n, sizeof(struct yg_di_entry), by_zone);
	return yg_snap_write(fd, &spec, parts, YG_LEN(parts), &bytes, err);
}
