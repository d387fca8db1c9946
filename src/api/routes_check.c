/* What would happen with a value: which entries would recognise it, which allow it. */
#include "api/routes.h"
#include "intel/registry.h"

#define EACH_MAX   20  /* entries of one spelling; one per list */
#define FOUND_MAX  100 /* shown in all */
#define VALUES_MAX 132 /* a name has 127 parents, an address 129 prefixes */

struct check {
	struct yg_request *q;
	struct yg_state *db;
	struct yg_reach reach;
	bool one; /* it is about one organisation */
	struct yg_sv normalised;
	enum yg_indicator_type type;
	struct yg_sv value[VALUES_MAX]; /* every spelling that would recognise it */
	size_t values;
	const struct yg_indicator_row *found[FOUND_MAX];
	bool live[FOUND_MAX];
	size_t found_n;
	const struct yg_allow *allow[FOUND_MAX];
	size_t allow_n;
	bool allowed, in_force;
};

static yg_status add_value(struct check *c, struct yg_sv v, struct yg_err *err)
{
	if (c->values == VALUES_MAX)
		return YG_OK;
	struct yg_sv copy = yg_arena_dup(c->q->arena, v);
	if (copy.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	c->value[c->values++] = copy;
	return YG_OK;
}

/* A name is recognised by the names above it, an address by its prefixes. */
static yg_status widen_ip(struct check *c, struct yg_ip ip, struct yg_err *err)
{
	bool four = yg_ip_is_v4(ip);
	yg_status st = YG_OK;
	for (unsigned bits = four ? 32 : 128; st == YG_OK && bits-- > 0;) {
		char text[YG_IP_TEXT_MAX + 8];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		struct yg_ip net = ip;
		for (unsigned i = bits + (four ? 96 : 0); i < 128; i++)
			net.b[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
		yg_ip_format(&b, net);
		yg_sb_printf(&b, "/%u", bits);
		st = add_value(c, yg_sb_sv(&b), err);
	}
	return st;
}

static yg_status widen(struct check *c, struct yg_err *err)
{
	struct yg_ip ip;
	yg_status st = add_value(c, c->normalised, err);
	if (c->type == YG_IND_DOMAIN || c->type == YG_IND_FQDN) {
		size_t dot = yg_sv_find(c->normalised, '.', 0);
		while (st == YG_OK && dot < c->normalised.n) {
			st = add_value(c, yg_sv_sub(c->normalised, dot + 1, c->normalised.n), err);
			dot = yg_sv_find(c->normalised, '.', dot + 1);
		}
	} else if (c->type == YG_IND_IP && yg_host_ip(c->normalised, &ip) == YG_OK) {
		st = widen_ip(c, ip, err);
	}
	return st;
}

/* Only this name: of the names above, entries for that name alone do not count. */
static bool counts(const struct check *c, size_t at, enum yg_indicator_type type)
{
	if (c->type == YG_IND_DOMAIN || c->type == YG_IND_FQDN)
		return type == YG_IND_DOMAIN || (type == YG_IND_FQDN && at == 0);
	return type == c->type;
}

static yg_status note_row(struct check *c, const struct yg_indicator_row *row, struct yg_err *err)
{
	struct yg_list list;
	if (c->found_n == FOUND_MAX)
		return YG_OK;
	yg_status st = yg_list_get(c->db, row->list_uid, c->q->arena, &list, err);
	if (st != YG_OK)
		return st;
	int64_t now = yg_reach_now(&c->reach, c->q->now).us;
	c->live[c->found_n] = list.enabled && row->ind.valid_from.us <= now &&
			      (row->ind.valid_until.us == 0 || row->ind.valid_until.us > now);
	c->found[c->found_n++] = row;
	return YG_OK;
}

static yg_status look_up(struct check *c, size_t at, struct yg_err *err)
{
	struct yg_indicator_filter f = {
		.value = c->value[at], .reach = c->reach, .limit = EACH_MAX};
	struct yg_allow_filter af = {.value = c->value[at], .reach = c->reach, .limit = EACH_MAX};
	struct yg_indicator_row *rows = NULL;
	struct yg_allow *allows = NULL;
	int64_t now = yg_reach_now(&c->reach, c->q->now).us;
	size_t n = 0, m = 0;
	yg_status st = yg_indicator_list(c->db, &f, c->q->arena, &rows, &n, err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		if (counts(c, at, rows[i].ind.type))
			st = note_row(c, &rows[i], err);
	}
	if (st == YG_OK)
		st = yg_allow_list(c->db, &af, c->q->arena, &allows, &m, err);
	for (size_t i = 0; st == YG_OK && i < m && c->allow_n < FOUND_MAX; i++) {
		if (!counts(c, at, allows[i].type))
			continue;
		/* an entry of one organisation does not speak for the others */
		c->allowed |= (allows[i].expires.us == 0 || allows[i].expires.us > now) &&
			      (allows[i].org.n == 0 || c->one);
		c->allow[c->allow_n++] = &allows[i];
	}
	return st;
}

static yg_status read_value(struct check *c, struct yg_err *err)
{
	struct yg_sv value = yg_query(c->q, "value"), type = yg_query(c->q, "type");
	struct yg_err why = {0};
	char text[YG_KEY_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (value.p == NULL || yg_sv_trim(value).n == 0) {
		yg_request_error(c->q, "missing", YG_SV("value"), "say what to look for");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	value = yg_sv_trim(value);
	c->type = yg_indicator_guess(value);
	if (type.p != NULL && yg_indicator_type_parse(type, &c->type) != YG_OK)
		yg_request_error(c->q, "unknown_value", YG_SV("type"), "not a type of indicator");
	else if (c->type == YG_IND_NONE)
		yg_request_error(c->q, "bad_text", YG_SV("value"),
				 "neither an address, a name, a URL, a hash nor a mail address");
	else if (yg_indicator_normalize(c->type, value, &b, &why) != YG_OK)
		yg_request_error(c->q, "bad_text", YG_SV("value"), "%s", why.msg);
	c->normalised = yg_arena_dup(c->q->arena, yg_sb_sv(&b));
	if (c->normalised.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	return c->q->error_count == 0 ? widen(c, err)
				      : YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}

static void answer(const struct check *c, struct yg_response *r)
{
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "value", yg_query(c->q, "value"));
	yg_jo_str(&j, "type", yg_sv_of(yg_indicator_type_name(c->type)));
	yg_jo_str(&j, "normalised", c->normalised);
	yg_jo_key(&j, "matches");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < c->found_n; i++)
		yg_put_indicator(&j, c->found[i]);
	yg_jo_end(&j, ']');
	yg_jo_key(&j, "allow");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < c->allow_n; i++)
		yg_put_allow(&j, c->allow[i]);
	yg_jo_end(&j, ']');
	yg_jo_bool(&j, "in_force", c->in_force);
	yg_jo_end(&j, '}');
}

yg_status yg_r_indicator_check(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct check *c = YG_NEW(q->arena, struct check);
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	c->q = q;
	yg_status st = yg_lease_state(api, &l, err);
	c->db = l.db;
	if (st == YG_OK)
		st = yg_scope_reach(q, l.db, &c->reach, err);
	c->one = !c->reach.all && c->reach.org_count == 1;
	if (st == YG_OK)
		st = read_value(c, err);
	for (size_t i = 0; st == YG_OK && i < c->values; i++)
		st = look_up(c, i, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < c->found_n; i++)
		c->in_force |= c->live[i] && !c->allowed;
	answer(c, r);
	return YG_OK;
}
