#include <stdlib.h>

#include "event/norm.h"

/* Up to 16 bytes and the length take part: the names are ours, and who sends
 * other names can only miss.  Reads nothing outside the key. */
static inline uint64_t key_hash(unsigned section, struct yg_sv key)
{
	uint64_t a = 0, b = 0;
	if (key.n >= 8) {
		memcpy(&a, key.p, 8);
		memcpy(&b, key.p + key.n - 8, 8);
	} else if (key.n >= 4) {
		uint32_t x, y;
		memcpy(&x, key.p, 4);
		memcpy(&y, key.p + key.n - 4, 4);
		a = x;
		b = y;
	} else {
		for (size_t i = 0; i < key.n; i++)
			a = a << 8 | (unsigned char)key.p[i];
	}
	uint64_t h = (a ^ (key.n << 56 | (uint64_t)section << 48)) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 29 ^ b) * 0xbf58476d1ce4e5b9u;
	return h ^ h >> 32;
}

static struct yg_rule_slot *slot_of(const struct yg_rules *r, unsigned section, struct yg_sv key)
{
	uint32_t at = (uint32_t)key_hash(section, key) & r->mask;
	while (r->slots[at].used &&
	       (r->slots[at].section != section || !yg_sv_eq(r->slots[at].key, key)))
		at = (at + 1) & r->mask;
	return &r->slots[at];
}

yg_status yg_rules_init(struct yg_rules *r, const struct yg_rule *rows, size_t count,
			unsigned sections, struct yg_err *err)
{
	size_t most = 1, slots = 16;
	for (size_t i = 0; i < count; i++)
		most += rows[i].section == YG_RULE_ANY ? sections : 1;
	while (slots < most * 3)
		slots *= 2;
	r->slots = calloc(slots, sizeof *r->slots);
	if (r->slots == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules of a source");
	r->mask = (uint32_t)slots - 1;
	for (int pass = 0; pass < 2; pass++) /* a section's own rules first: they win */
		for (size_t i = 0; i < count; i++) {
			unsigned from = rows[i].section, to = from;
			if ((from == YG_RULE_ANY) != (pass == 1))
				continue;
			if (from == YG_RULE_ANY) {
				from = 1;
				to = sections;
			}
			for (unsigned section = from; section <= to; section++) {
				struct yg_rule_slot *s = slot_of(r, section, rows[i].key);
				if (!s->used)
					*s = (struct yg_rule_slot){rows[i].key, (uint8_t)section,
								   rows[i].op, rows[i].field, 1};
			}
		}
	return YG_OK;
}

void yg_rules_free(struct yg_rules *r)
{
	free(r->slots);
	*r = (struct yg_rules){0};
}

const struct yg_rule_slot *yg_rules_find(const struct yg_rules *r, unsigned section,
					 struct yg_sv key)
{
	const struct yg_rule_slot *s = slot_of(r, section, key);
	return s->used ? s : NULL;
}

/* Unsigned decimal up to `most`; a fraction is cut off ("53.0").  False otherwise. */
static bool unsigned_of(struct yg_sv s, uint64_t most, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	if (i == 0 || v > most)
		return false;
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
	if (i < s.n)
		return false;
	*out = v;
	return true;
}

static void put_number(void *at, enum yg_event_type type, struct yg_sv text)
{
	uint64_t v;
	int64_t i;
	switch (type) {
	case YG_ET_I64:
		if (yg_parse_i64(text, &i, NULL) == YG_OK)
			*(int64_t *)at = i;
		break;
	case YG_ET_U64:
		if (unsigned_of(text, UINT64_MAX, &v))
			*(uint64_t *)at = v;
		break;
	case YG_ET_U32:
		if (unsigned_of(text, UINT32_MAX, &v))
			*(uint32_t *)at = (uint32_t)v;
		break;
	case YG_ET_U16:
		if (unsigned_of(text, UINT16_MAX, &v))
			*(uint16_t *)at = (uint16_t)v;
		break;
	case YG_ET_U8:
		if (unsigned_of(text, UINT8_MAX, &v))
			*(uint8_t *)at = (uint8_t)v;
		break;
	default: break;
	}
}

static struct yg_sv email_of(struct yg_norm *n, struct yg_sv s)
{
	size_t open = yg_sv_find(s, '<', 0);
	if (open < s.n) {
		size_t close = yg_sv_find(s, '>', open);
		s = yg_sv_sub(s, open + 1, close - open - 1);
	}
	return yg_norm_lower(n, yg_sv_trim(s));
}

void yg_norm_put(struct yg_norm *n, struct yg_event *ev, unsigned op, unsigned field,
		 struct yg_sv text)
{
	const struct yg_event_field_info *info = &yg_event_fields[field];
	void *at = (char *)ev + info->offset;
	int64_t us;
	switch (op) {
	case YG_OP_TIME:
		if (yg_norm_time(text, &us) == YG_OK)
			*(int64_t *)at = us;
		else
			n->bad_time = n->bad_time || field == YG_EF_time;
		return;
	case YG_OP_SECONDS:
		if (yg_norm_seconds(text, &us) == YG_OK)
			*(int64_t *)at = us;
		return;
	case YG_OP_DOMAIN: text = yg_norm_domain(n, text); break;
	case YG_OP_LOWER: text = yg_norm_lower(n, text); break;
	case YG_OP_EMAIL: text = email_of(n, text); break;
	default: break;
	}
	switch (info->type) {
	case YG_ET_STR:
	case YG_ET_LSTR:
		if (text.n > 0 && (op != YG_OP_FILL || ((struct yg_sv *)at)->n == 0))
			*(struct yg_sv *)at = text;
		break;
	case YG_ET_IP:
		(void)yg_ip_parse(text, at); /* not an address: the column stays as it is */
		break;
	case YG_ET_STRS: yg_norm_append(n, at, text); break;
	default: put_number(at, info->type, text); break;
	}
}

void yg_norm_put_node(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		      uint32_t node)
{
	const struct yg_json_node *v = yg_json_at(&n->json, node);
	bool scalar = v->type == YG_JSON_STRING || v->type == YG_JSON_NUMBER;
	if (rule->op >= YG_OP_OWN) {
		struct yg_sv text =
			rule->op >= YG_OP_NODE ? YG_SV("") : yg_json_str(&n->json, node, &n->arena);
		n->ops->own(n, ev, rule, text.p != NULL ? text : YG_SV(""), node);
		return;
	}
	if (scalar) {
		yg_norm_put(n, ev, rule->op, rule->field, yg_json_str(&n->json, node, &n->arena));
		return;
	}
	if (v->type != YG_JSON_ARRAY)
		return;
	uint32_t most = yg_event_fields[rule->field].type == YG_ET_STRS ? YG_ARRAY_MAX : 1;
	for (uint32_t i = node + 1; i < v->next && most > 0;
	     i = yg_json_at(&n->json, i)->next, most--) {
		uint8_t type = yg_json_at(&n->json, i)->type;
		if (type == YG_JSON_STRING || type == YG_JSON_NUMBER)
			yg_norm_put(n, ev, rule->op, rule->field,
				    yg_json_str(&n->json, i, &n->arena));
	}
}

struct todo { /* objects still to be gone through: a list, not recursion */
	uint32_t node;
	uint8_t section;
};
enum { TODO_MAX = 64 }; /* nested objects of one record; real ones have under 12 */
struct work {
	struct todo at[TODO_MAX];
	size_t n;
};

static void later(struct work *w, uint32_t node, uint8_t section)
{
	if (w->n < TODO_MAX)
		w->at[w->n++] = (struct todo){node, section};
}

static void object(struct yg_norm *n, struct yg_event *ev, unsigned section, uint32_t obj,
		   struct work *w)
{
	const struct yg_json_node *nodes = n->json.nodes;
	for (uint32_t k = obj + 1, end = nodes[obj].next; k < end; k = nodes[k + 1].next) {
		/* no name of ours needs an escape; one that is written with escapes is undone */
		struct yg_sv key = nodes[k].escaped ? yg_json_str(&n->json, k, &n->arena)
						    : yg_json_raw(&n->json, k);
		const struct yg_rule_slot *rule = yg_rules_find(&n->rules, section, key);
		if (rule == NULL)
			continue;
		if (rule->op == YG_OP_ENTER)
			later(w, k + 1, rule->field);
		else
			yg_norm_put_node(n, ev, rule, k + 1);
	}
}

void yg_norm_apply(struct yg_norm *n, struct yg_event *ev, unsigned section, uint32_t obj)
{
	const struct yg_json_node *nodes = n->json.nodes;
	struct work w;
	w.n = 0;
	later(&w, obj, (uint8_t)section);
	for (size_t i = 0; i < w.n; i++) {
		struct todo t = w.at[i];
		uint32_t end = nodes[t.node].next, most = YG_ARRAY_MAX;
		if (nodes[t.node].type == YG_JSON_OBJECT)
			object(n, ev, t.section, t.node, &w);
		if (nodes[t.node].type != YG_JSON_ARRAY)
			continue;
		for (uint32_t k = t.node + 1; k < end && most > 0; k = nodes[k].next, most--)
			if (nodes[k].type == YG_JSON_OBJECT)
				object(n, ev, t.section, k, &w);
	}
}
