#include "dns/policy_file.h"

#include "base/limits.h"

#define SINKHOLE_TTL 60u

struct reader {
	const char *file;
	struct yg_arena *arena;
	struct yg_err *err;
};

static yg_status fail(const struct reader *r, const struct yg_yaml *n, const char *what)
{
	char key[160];
	struct yg_sb b = yg_sb_init(key, sizeof key);
	yg_sb_put_untrusted(&b, yg_sv_sub(n->key, 0, 32));
	return YG_FAIL(r->err, YG_PARSE, "%s:%zu: %s%s%s", r->file, n->line, yg_sb_cstr(&b),
		       b.n > 0 ? ": " : "", what);
}

/* ---- values ---- */

static yg_status text_of(const struct reader *r, const struct yg_yaml *n, struct yg_sv *out)
{
	if (n->kind != YG_YAML_TEXT || n->text.n == 0 || n->text.n > 1000)
		return fail(r, n, "expected a text");
	*out = n->text;
	return YG_OK;
}

/* Letters of a slug: what stands in logs and in addresses of pages. */
static yg_status slug_of(const struct reader *r, const struct yg_yaml *n, struct yg_sv *out)
{
	yg_status st = text_of(r, n, out);
	for (size_t i = 0; st == YG_OK && i < out->n; i++) {
		char c = out->p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			  (i > 0 && strchr("-._", c) != NULL);
		if (!ok || out->n > YG_ORG_NAME_MAX)
			return fail(r, n, "expected a-z, 0-9 and -, at most 63 of them");
	}
	return st;
}

static yg_status bool_of(const struct reader *r, const struct yg_yaml *n, bool *out)
{
	if (n->kind != YG_YAML_TEXT || (!YG_SV_IS(n->text, "true") && !YG_SV_IS(n->text, "false")))
		return fail(r, n, "expected true or false");
	*out = YG_SV_IS(n->text, "true");
	return YG_OK;
}

static yg_status name_of(const struct reader *r, const struct yg_yaml *n, struct yg_sv text,
			 struct yg_dns_name *out)
{
	if (yg_dns_name_parse(text, NULL, out, NULL) != YG_OK)
		return fail(r, n, "expected a domain name");
	return YG_OK;
}

static yg_status ttl_of(const struct reader *r, const struct yg_yaml *n, uint32_t *out)
{
	if (n->kind != YG_YAML_TEXT || yg_zone_ttl_parse(n->text, out) != YG_OK)
		return fail(r, n, "expected seconds, or a time such as 5m");
	return YG_OK;
}

/* One address, or a list of them. */
static yg_status addresses_of(const struct reader *r, const struct yg_yaml *n,
			      struct yg_dns_answer_spec *out)
{
	const struct yg_yaml *item = n->kind == YG_YAML_LIST ? n->first : n;
	for (; item != NULL; item = n->kind == YG_YAML_LIST ? item->next : NULL) {
		if (out->sinkhole_count == YG_DNS_SINKHOLES_MAX)
			return fail(r, n, "too many addresses");
		if (item->kind != YG_YAML_TEXT ||
		    yg_ip_parse(item->text, &out->sinkhole[out->sinkhole_count]) != YG_OK)
			return fail(r, item, "expected an address");
		out->sinkhole_count++;
	}
	return out->sinkhole_count > 0 ? YG_OK : fail(r, n, "expected an address");
}

/* "nxdomain", "cname walled.example": the word, and the target behind it. */
static yg_status override_of(const struct reader *r, const struct yg_yaml *n,
			     enum yg_dns_override *out, struct yg_dns_answer_spec *spec)
{
	struct yg_sv text, word;
	yg_status st = text_of(r, n, &text);
	if (st != YG_OK)
		return st;
	struct yg_sv rest = text;
	(void)yg_sv_cut(&rest, ' ', &word);
	if (yg_dns_override_parse(word, out) != YG_OK)
		return fail(r, n,
			    "expected given, disabled, nxdomain, nodata, passthru, drop, tcp-only, "
			    "cname NAME or sinkhole");
	if (*out == YG_DNS_OVERRIDE_CNAME)
		return name_of(r, n, yg_sv_trim(rest), &spec->target);
	return word.n == text.n ? YG_OK : fail(r, n, "expected one word");
}

/* ---- a zone ---- */

static yg_status take_ede(const struct reader *r, const struct yg_yaml *n, uint16_t *out)
{
	static const struct {
		const char *word;
		uint16_t code;
	} words[] = {{"blocked", 15}, {"censored", 16}, {"filtered", 17}, {"none", 0}};
	for (size_t i = 0; n->kind == YG_YAML_TEXT && i < YG_LEN(words); i++)
		if (yg_sv_eq(n->text, yg_sv_of(words[i].word))) {
			*out = words[i].code;
			return YG_OK;
		}
	return fail(r, n, "expected blocked, censored, filtered or none");
}

enum zone_key {
	K_NAME,
	K_RPZ,
	K_LIST,
	K_AXFR,
	K_TSIG,
	K_ZONE,
	K_OVERRIDE,
	K_MODE,
	K_LAYER,
	K_ORG,
	K_SCOPE,
	K_CATEGORY,
	K_SINKHOLE,
	K_TTL,
	K_EDE,
	K_TEXT,
	K_FORCE,
	K_COUNT,
};
static const char *const zone_keys[K_COUNT] = {
	"name",     "rpz",  "list",  "axfr",         "tsig",        "zone",
	"override", "mode", "layer", "organisation", "scope",       "category",
	"sinkhole", "ttl",  "ede",   "text",         "force-suffix"};

struct zone_seen {
	bool override, ede, layer;
};

static yg_status take_word(const struct reader *r, const struct yg_yaml *n, enum zone_key k,
			   struct yg_dns_zone_spec *s, struct zone_seen *seen)
{
	struct yg_sv text = {0};
	yg_status st = text_of(r, n, &text);
	if (st != YG_OK)
		return st;
	if (k == K_LAYER) {
		seen->layer = true;
		return yg_dns_layer_parse(text, &s->layer) == YG_OK
			       ? YG_OK
			       : fail(r, n,
				      "expected org-allow, centre-allow, org-block, centre-zone "
				      "or indicators");
	}
	return yg_dns_mode_parse(text, &s->mode) == YG_OK
		       ? YG_OK
		       : fail(r, n, "expected enforce, audit-only or off");
}

static yg_status take_key(const struct reader *r, const struct yg_yaml *n,
			  struct yg_dns_policy_zone *z, struct zone_seen *seen)
{
	struct yg_dns_zone_spec *s = &z->spec;
	unsigned k = 0;
	while (k < K_COUNT && !yg_sv_eq(n->key, yg_sv_of(zone_keys[k])))
		k++;
	switch ((enum zone_key)k) {
	case K_NAME: return slug_of(r, n, &s->name);
	case K_RPZ: return text_of(r, n, &z->rpz);
	case K_LIST: return text_of(r, n, &z->list);
	case K_AXFR: return text_of(r, n, &z->axfr);
	case K_TSIG:
		z->tsig = n;
		return n->kind == YG_YAML_MAP ? YG_OK : fail(r, n, "expected keys below it");
	case K_ZONE: {
		struct yg_sv text;
		yg_status st = text_of(r, n, &text);
		if (st == YG_OK)
			st = name_of(r, n, text, &z->own_origin);
		if (st == YG_OK)
			s->origin = &z->own_origin;
		return st;
	}
	case K_OVERRIDE: seen->override = true; return override_of(r, n, &s->override, &s->answer);
	case K_MODE:
	case K_LAYER: return take_word(r, n, (enum zone_key)k, s, seen);
	case K_ORG:
	case K_SCOPE: return slug_of(r, n, &s->org);
	case K_CATEGORY: return slug_of(r, n, &s->category);
	case K_SINKHOLE: return addresses_of(r, n, &s->answer);
	case K_TTL: return ttl_of(r, n, &s->answer.ttl);
	case K_EDE: seen->ede = true; return take_ede(r, n, &s->ede_code);
	case K_TEXT: return text_of(r, n, &s->ede_text);
	case K_FORCE: return bool_of(r, n, &z->force);
	case K_COUNT: break;
	}
	return fail(r, n, "there is no such key");
}

/* What follows from the other keys. */
static yg_status finish_zone(const struct reader *r, const struct yg_yaml *n,
			     struct yg_dns_policy_zone *z, const struct zone_seen *seen)
{
	struct yg_dns_zone_spec *s = &z->spec;
	s->is_list = z->list.n > 0;
	size_t sources = (size_t)(z->rpz.n > 0) + (z->list.n > 0) + (z->axfr.n > 0);
	if (s->name.n == 0)
		return fail(r, n, "the key 'name' is missing");
	if (sources != 1)
		return fail(r, n,
			    "one of 'rpz', 'list' and 'axfr' must say where the zone comes from");
	if (z->axfr.n > 0 && s->origin == NULL)
		return fail(r, n, "'axfr' needs the key 'zone'");
	if (s->answer.sinkhole_count > 0 && !seen->override)
		s->override = YG_DNS_OVERRIDE_SINKHOLE;
	if (s->override == YG_DNS_OVERRIDE_SINKHOLE && s->answer.sinkhole_count == 0)
		return fail(r, n, "the override sinkhole needs the key 'sinkhole'");
	bool of_org = s->layer == YG_DNS_LAYER_ORG_ALLOW || s->layer == YG_DNS_LAYER_ORG_BLOCK;
	if (of_org && s->org.n == 0)
		return fail(r, n, "an organisation's layer needs the key 'organisation'");
	if (!seen->ede) /* RFC 8914: 17 when the client's own side asked for it */
		s->ede_code = s->layer == YG_DNS_LAYER_ORG_BLOCK ? 17 : 15;
	if (s->ede_text.n == 0) {
		char *text = yg_arena_alloc(r->arena, 160, 1);
		struct yg_sb b = yg_sb_init(text, 160);
		if (text == NULL)
			return YG_FAIL(r->err, YG_NOMEM, "no memory to read %s", r->file);
		yg_sb_put(&b, s->category);
		yg_sb_put(&b, s->category.n > 0 ? YG_SV(": ") : YG_SV(""));
		yg_sb_put(&b, s->name);
		s->ede_text = yg_sb_sv(&b);
	}
	return YG_OK;
}

static yg_status take_zone(const struct reader *r, const struct yg_yaml *n,
			   struct yg_dns_policy_zone *z)
{
	struct zone_seen seen = {.override = false};
	z->line = n->line;
	z->spec.layer = YG_DNS_LAYER_CENTRE_ZONE;
	z->spec.answer.ttl = SINKHOLE_TTL;
	yg_dns_name_root(&z->spec.answer.target);
	if (n->kind != YG_YAML_MAP)
		return fail(r, n, "expected an entry with keys");
	for (const struct yg_yaml *k = n->first; k != NULL; k = k->next) {
		yg_status st = take_key(r, k, z, &seen);
		if (st != YG_OK)
			return st;
	}
	return finish_zone(r, n, z, &seen);
}

/* ---- organisations ---- */

static yg_status take_mode(const struct reader *r, const struct yg_yaml *n,
			   struct yg_dns_policy_mode *out)
{
	bool layer = false, mode = false;
	for (const struct yg_yaml *k = n->first; n->kind == YG_YAML_MAP && k != NULL; k = k->next) {
		yg_status st = YG_OK;
		if (YG_SV_IS(k->key, "organisation")) {
			st = slug_of(r, k, &out->org);
		} else if (YG_SV_IS(k->key, "layer")) {
			layer = k->kind == YG_YAML_TEXT &&
				yg_dns_layer_parse(k->text, &out->layer) == YG_OK;
			st = layer ? YG_OK : fail(r, k, "there is no such layer");
		} else if (YG_SV_IS(k->key, "mode")) {
			mode = k->kind == YG_YAML_TEXT &&
			       yg_dns_mode_parse(k->text, &out->mode) == YG_OK;
			st = mode ? YG_OK : fail(r, k, "expected enforce, audit-only or off");
		} else {
			st = fail(r, k, "there is no such key");
		}
		if (st != YG_OK)
			return st;
	}
	return layer && mode && out->org.n > 0
		       ? YG_OK
		       : fail(r, n, "expected organisation, layer and mode");
}

static yg_status answer_word(const struct reader *r, const struct yg_yaml *n,
			     struct yg_dns_policy_answer *out)
{
	enum yg_dns_override o;
	yg_status st = override_of(r, n, &o, &out->spec);
	if (st != YG_OK)
		return st;
	switch (o) {
	case YG_DNS_OVERRIDE_NXDOMAIN: out->action = YG_DNS_ACTION_NXDOMAIN; return YG_OK;
	case YG_DNS_OVERRIDE_NODATA: out->action = YG_DNS_ACTION_NODATA; return YG_OK;
	case YG_DNS_OVERRIDE_CNAME: out->action = YG_DNS_ACTION_CNAME; return YG_OK;
	case YG_DNS_OVERRIDE_SINKHOLE: out->action = YG_DNS_ACTION_DATA; return YG_OK;
	default: return fail(r, n, "expected nxdomain, nodata, cname NAME or sinkhole");
	}
}

static yg_status take_answer(const struct reader *r, const struct yg_yaml *n,
			     struct yg_dns_policy_answer *out)
{
	out->spec.ttl = SINKHOLE_TTL;
	yg_dns_name_root(&out->spec.target);
	for (const struct yg_yaml *k = n->first; n->kind == YG_YAML_MAP && k != NULL; k = k->next) {
		yg_status st = YG_SV_IS(k->key, "organisation") ? slug_of(r, k, &out->org)
			       : YG_SV_IS(k->key, "category")   ? slug_of(r, k, &out->category)
			       : YG_SV_IS(k->key, "answer")     ? answer_word(r, k, out)
			       : YG_SV_IS(k->key, "sinkhole")   ? addresses_of(r, k, &out->spec)
			       : YG_SV_IS(k->key, "ttl")        ? ttl_of(r, k, &out->spec.ttl)
							 : fail(r, k, "there is no such key");
		if (st != YG_OK)
			return st;
	}
	if (out->action == YG_DNS_ACTION_NONE && out->spec.sinkhole_count > 0)
		out->action = YG_DNS_ACTION_DATA;
	if (out->action == YG_DNS_ACTION_DATA && out->spec.sinkhole_count == 0)
		return fail(r, n, "the answer sinkhole needs the key 'sinkhole'");
	return out->action != YG_DNS_ACTION_NONE ? YG_OK : fail(r, n, "expected the key 'answer'");
}

/* ---- the file ---- */

static yg_status count_items(const struct reader *r, const struct yg_yaml *n, size_t most,
			     size_t *out)
{
	*out = 0;
	if (n == NULL || n->kind == YG_YAML_NONE)
		return YG_OK;
	if (n->kind != YG_YAML_LIST)
		return fail(r, n, "expected a list: entries that begin with '- '");
	for (const struct yg_yaml *i = n->first; i != NULL; i = i->next)
		++*out;
	return *out <= most ? YG_OK : fail(r, n, "too many entries");
}

static yg_status take_zones(const struct reader *r, const struct yg_yaml *list,
			    struct yg_dns_policy_file *out)
{
	yg_status st = count_items(r, list, YG_DNS_ZONES_MAX, &out->zone_count);
	if (st != YG_OK || out->zone_count == 0)
		return st;
	out->zones = YG_NEW_N(r->arena, struct yg_dns_policy_zone, out->zone_count);
	if (out->zones == NULL)
		return YG_FAIL(r->err, YG_NOMEM, "no memory to read %s", r->file);
	size_t i = 0;
	for (const struct yg_yaml *n = list->first; st == YG_OK && n != NULL; n = n->next)
		st = take_zone(r, n, &out->zones[i++]);
	return st;
}

yg_status yg_dns_policy_take(const struct yg_yaml *policy, const struct yg_yaml *modes,
			     const struct yg_yaml *answers, const char *file_name,
			     struct yg_arena *arena, struct yg_dns_policy_file *out,
			     struct yg_err *err)
{
	struct reader r = {file_name, arena, err};
	size_t i = 0;
	*out = (struct yg_dns_policy_file){.zones = NULL};
	yg_status st = take_zones(&r, policy, out);
	if (st == YG_OK)
		st = count_items(&r, modes, YG_DNS_ZONES_MAX, &out->mode_count);
	if (st == YG_OK)
		st = count_items(&r, answers, YG_DNS_ZONES_MAX, &out->answer_count);
	if (st != YG_OK)
		return st;
	out->modes = YG_NEW_N(arena, struct yg_dns_policy_mode, out->mode_count + 1);
	out->answers = YG_NEW_N(arena, struct yg_dns_policy_answer, out->answer_count + 1);
	if (out->modes == NULL || out->answers == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to read %s", file_name);
	for (const struct yg_yaml *n = out->mode_count > 0 ? modes->first : NULL;
	     st == YG_OK && n != NULL; n = n->next)
		st = take_mode(&r, n, &out->modes[i++]);
	i = 0;
	for (const struct yg_yaml *n = out->answer_count > 0 ? answers->first : NULL;
	     st == YG_OK && n != NULL; n = n->next)
		st = take_answer(&r, n, &out->answers[i++]);
	return st;
}

yg_status yg_dns_policy_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
			     struct yg_dns_policy_file *out, struct yg_err *err)
{
	const struct yg_yaml *root;
	struct reader r = {file_name, arena, err};
	yg_status st = yg_yaml_read(yaml, file_name, arena, &root, err);
	if (st != YG_OK)
		return st;
	if (root->kind != YG_YAML_MAP)
		return fail(&r, root, "expected the key 'policy:' at the top");
	for (const struct yg_yaml *n = root->first; n != NULL; n = n->next)
		if (!YG_SV_IS(n->key, "policy") && !YG_SV_IS(n->key, "modes") &&
		    !YG_SV_IS(n->key, "answers"))
			return fail(&r, n, "there is no such key");
	return yg_dns_policy_take(yg_yaml_get(root, "policy"), yg_yaml_get(root, "modes"),
				  yg_yaml_get(root, "answers"), file_name, arena, out, err);
}

yg_status yg_dns_policy_apply(const struct yg_dns_policy_file *f, struct yg_dns_builder *b,
			      struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < f->mode_count; i++)
		st = yg_dns_builder_mode(b, f->modes[i].org, f->modes[i].layer, f->modes[i].mode,
					 err);
	for (size_t i = 0; st == YG_OK && i < f->answer_count; i++)
		st = yg_dns_builder_answer(b, f->answers[i].org, f->answers[i].category,
					   f->answers[i].action, &f->answers[i].spec, err);
	return st;
}
