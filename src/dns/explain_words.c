/* An explanation as JSON, and the same in sentences of both languages. */
#include "dns/explain.h"
#include "format/json.h"

#define LINE_MAX    2048
#define ANSWERS_MAX 32 /* records shown */

static const char *const verdict_words[] = {"answered", "allowed", "noted",
					    "blocked",  "refused", "failed"};
static const char *const source_words[] = {"none",  "cache",  "stale", "upstream",
					   "local", "policy", "guard", "failure"};

const char *yg_dns_verdict_word(enum yg_dns_verdict_word w)
{
	return (size_t)w < YG_LEN(verdict_words) ? verdict_words[w] : "unknown";
}

const char *yg_dns_source_word(uint8_t source)
{
	return source < YG_LEN(source_words) ? source_words[source] : "unknown";
}

/* ---- sentences: {0} to {5} are filled in ---- */

struct say {
	struct yg_buf *out;
	bool ja, some;
	struct yg_sv arg[6];
};

static void say(struct say *s, const char *en, const char *ja)
{
	char line[LINE_MAX];
	struct yg_sb b = yg_sb_init(line, sizeof line);
	for (const char *p = s->ja ? ja : en; *p != '\0'; p++) {
		if (p[0] == '{' && p[1] >= '0' && p[1] <= '5' && p[2] == '}') {
			yg_sb_put(&b, s->arg[p[1] - '0']);
			p += 2;
		} else {
			yg_sb_putc(&b, *p);
		}
	}
	if (s->some)
		yg_buf_putc(s->out, ',');
	s->some = true;
	yg_json_put_str(s->out, yg_sb_sv(&b));
}

static struct yg_sv pick(const struct say *s, const char *en, const char *ja)
{
	return yg_sv_of(s->ja ? ja : en);
}

/* clang-format off */
static struct yg_sv layer_word(const struct say *s, enum yg_dns_layer l)
{
	switch (l) {
	case YG_DNS_LAYER_ORG_ALLOW:    return pick(s, "the organisation's allow list", "組織の許可リスト");
	case YG_DNS_LAYER_CENTRE_ALLOW: return pick(s, "the centre's allow list", "センターの許可リスト");
	case YG_DNS_LAYER_ORG_BLOCK:    return pick(s, "the organisation's blocks", "組織の遮断リスト");
	case YG_DNS_LAYER_CENTRE_ZONE:  return pick(s, "the centre's zones", "センターのゾーン");
	default:                        return pick(s, "Yagura's indicators", "Yagura の脅威情報");
	}
}

static struct yg_sv trigger_word(const struct say *s, enum yg_dns_trigger t)
{
	switch (t) {
	case YG_DNS_TRIGGER_CLIENT_IP:   return pick(s, "the client's address", "端末のアドレス");
	case YG_DNS_TRIGGER_RESPONSE_IP: return pick(s, "an address in the answer", "応答のアドレス");
	case YG_DNS_TRIGGER_NSDNAME:     return pick(s, "the name of a name server", "ネームサーバーの名前");
	case YG_DNS_TRIGGER_NSIP:        return pick(s, "the address of a name server", "ネームサーバーのアドレス");
	default:                         return pick(s, "the name", "名前");
	}
}

static struct yg_sv action_word(const struct say *s, enum yg_dns_action a)
{
	switch (a) {
	case YG_DNS_ACTION_NXDOMAIN: return pick(s, "no such name (NXDOMAIN)", "名前なし(NXDOMAIN)");
	case YG_DNS_ACTION_NODATA:   return pick(s, "no data (NODATA)", "データなし(NODATA)");
	case YG_DNS_ACTION_DROP:     return pick(s, "no answer at all (drop)", "無応答(drop)");
	case YG_DNS_ACTION_TCP_ONLY: return pick(s, "ask again by TCP (tcp-only)", "TCP での再問い合わせ(tcp-only)");
	case YG_DNS_ACTION_DATA:     return pick(s, "other records (data)", "別のレコード(data)");
	case YG_DNS_ACTION_CNAME:    return pick(s, "another name (CNAME)", "別の名前(CNAME)");
	case YG_DNS_ACTION_PASSTHRU: return pick(s, "the true answer (passthru)", "本来の応答(passthru)");
	default:                     return pick(s, "nothing", "なし");
	}
}
/* clang-format on */

static struct yg_sv number(struct yg_sb *b, uint64_t v)
{
	*b = yg_sb_init(b->p, b->cap);
	yg_sb_u64(b, v);
	return yg_sb_sv(b);
}

static void say_verdict(struct say *s, const struct yg_dns_explained *e)
{
	switch (e->says) {
	case YG_DNS_SAYS_REFUSED:
		say(s, "{0} ({1}) is refused (REFUSED).", "{0}({1})は拒否されます(REFUSED)。");
		return;
	case YG_DNS_SAYS_FAILED:
		say(s, "{0} ({1}): no answer is to be had (SERVFAIL).",
		    "{0}({1})は解決できません(SERVFAIL)。");
		return;
	case YG_DNS_SAYS_BLOCKED:
		if (e->source == YG_DNS_FROM_GUARD) {
			say(s,
			    "{0} ({1}) is blocked by rebinding protection: a public name with a "
			    "private address.",
			    "{0}({1})はリバインディング対策で遮断されます。公開の名前がプライベート"
			    "アドレスを指しています。");
			return;
		}
		s->arg[2] = action_word(s, e->verdict.action);
		say(s, "{0} ({1}) is blocked: {2}.", "{0}({1})は遮断されます: {2}。");
		return;
	case YG_DNS_SAYS_ALLOWED:
		say(s, "{0} ({1}) is allowed: it gets the true answer.",
		    "{0}({1})は許可されており、本来の応答が返ります。");
		return;
	case YG_DNS_SAYS_NOTED:
		say(s, "{0} ({1}) gets the true answer; the policy only notes it.",
		    "{0}({1})には本来の応答が返り、ポリシーは記録だけを行います。");
		return;
	default:
		say(s, "{0} ({1}) gets the true answer; no record of the policy is about it.",
		    "{0}({1})には本来の応答が返ります。該当するポリシーのレコードはありません。");
	}
}

static void say_record(struct say *s, const struct yg_dns_explained *e)
{
	char text[YG_DNS_NAME_TEXT_MAX + 64], at[YG_DNS_NAME_TEXT_MAX], digits[24];
	struct yg_sb b = yg_sb_init(text, sizeof text), n = yg_sb_init(at, sizeof at);
	struct yg_sb d = yg_sb_init(digits, sizeof digits);
	const struct yg_dns_verdict *v = &e->verdict;
	yg_dns_eval_record(&e->eval, SIZE_MAX, &b);
	s->arg[0] = yg_sb_sv(&b);
	s->arg[1] = v->zone.name;
	s->arg[2] = layer_word(s, v->zone.layer);
	s->arg[3] = trigger_word(s, v->trigger);
	s->arg[4] = number(&d, v->zone.serial);
	if (v->zone.serial > 0)
		say(s,
		    "Decided by record \"{0}\" of zone {1} (layer: {2}; serial {4}); it is about {3}.",
		    "決めたレコード: ゾーン {1}({2}、シリアル {4})の「{0}」。対象は{3}です。");
	else /* a list, or what people enter */
		say(s, "Decided by record \"{0}\" of zone {1} (layer: {2}); it is about {3}.",
		    "決めたレコード: ゾーン {1}({2})の「{0}」。対象は{3}です。");
	if (e->set_aside)
		say(s, "It is not applied: this client is only watched.",
		    "この端末は記録だけの対象のため、適用されません。");
	if (v->zone.category.n > 0) {
		s->arg[0] = v->zone.category;
		say(s, "Category: {0}.", "分類: {0}。");
	}
	if (v->hit.stage > 0) {
		yg_dns_name_format(&n, &e->at);
		s->arg[0] = yg_sb_sv(&n);
		say(s, "The name leads to {0} (CNAME), and the record is about that.",
		    "名前は CNAME で {0} に続き、レコードはその名前に当たります。");
	}
	if (e->says == YG_DNS_SAYS_BLOCKED && v->zone.ede_code != 0) {
		s->arg[0] = number(&d, v->zone.ede_code);
		s->arg[1] = v->zone.ede_text;
		say(s, "The client is told: error {0} \"{1}\" (EDE).",
		    "端末への説明(EDE {0}): 「{1}」。");
	}
}

static void say_notes(struct say *s, const struct yg_dns_explained *e)
{
	for (size_t i = 0; i < e->eval.note_count; i++) {
		char text[YG_DNS_NAME_TEXT_MAX + 64];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		struct yg_dns_verdict v;
		yg_dns_eval_note(&e->eval, i, &v);
		yg_dns_eval_record(&e->eval, i, &b);
		s->arg[0] = v.zone.name;
		s->arg[1] = yg_sb_sv(&b);
		s->arg[2] = action_word(s, v.action);
		say(s, "Zone {0} only notes; its record \"{1}\" would have given: {2}.",
		    "ゾーン {0} は記録だけです。レコード「{1}」の本来の動作: {2}。");
	}
}

static void say_unknown(struct say *s, const struct yg_dns_explained *e)
{
	if (!e->unknown)
		return;
	if (e->missing == 0)
		say(s,
		    "The answer is not known yet, so the names, addresses and servers in it could "
		    "not be judged.",
		    "応答がまだないため、その中の名前、アドレス、サーバーは判定していません。");
	else
		say(s,
		    "Not known yet: addresses or servers of the answer; a record about them may "
		    "change this.",
		    "応答のアドレスやサーバーがまだ不明です。該当するレコードがあれば結果が"
		    "変わります。");
}

static void say_cache(struct say *s, const struct yg_dns_explained *e,
		      const struct yg_dns_explain_text *t)
{
	char digits[24], word[32];
	struct yg_sb d = yg_sb_init(digits, sizeof digits), w = yg_sb_init(word, sizeof word);
	const struct yg_dns_known *k = &e->known;
	if (k->route == NULL || e->says == YG_DNS_SAYS_REFUSED)
		return;
	if (e->source == YG_DNS_FROM_LOCAL) {
		say(s, "Local data answers for it.", "ローカルデータが答えます。");
		return;
	}
	if (k->entry != NULL) {
		yg_dns_rcode_format(&w, k->entry->rcode);
		s->arg[0] = yg_sb_sv(&w);
		s->arg[1] = number(&d, k->ttl > 0 ? k->ttl : k->stale);
		if (k->ttl > 0)
			say(s, "In the cache: {0}, fresh for {1} s.",
			    "キャッシュ: {0}、あと {1} 秒有効。");
		else
			say(s, "In the cache past its time: {0}, may be served for {1} s more.",
			    "期限切れのキャッシュ: {0}、あと {1} 秒は使用可能。");
	} else {
		say(s, "Not in the cache of this worker.",
		    "このワーカーのキャッシュにはありません。");
	}
	if (k->being_asked)
		say(s, "It is being asked for at this moment.", "いま上流に問い合わせ中です。");
	s->arg[0] = t->upstream;
	if (t->upstream.n > 0)
		say(s, "Upstream for it: {0}.", "上流: {0}。");
}

static void say_all(struct say *s, const struct yg_dns_explained *e,
		    const struct yg_dns_explain_text *t)
{
	char name[YG_DNS_NAME_TEXT_MAX], type[32];
	struct yg_sb n = yg_sb_init(name, sizeof name), k = yg_sb_init(type, sizeof type);
	yg_dns_name_format(&n, t->ask->name);
	yg_dns_type_format(&k, t->ask->type);
	s->arg[0] = yg_sb_sv(&n);
	s->arg[1] = yg_sb_sv(&k);
	say_verdict(s, e);
	if (e->says == YG_DNS_SAYS_REFUSED) {
		if (t->ask->client->refused)
			say(s, "No entry of resolve.clients knows this client.",
			    "resolve.clients にこの端末の項目がありません。");
		else
			say(s, "No upstream and no local zone is there for it.",
			    "この名前の上流もローカルゾーンもありません。");
	}
	if (e->decided)
		say_record(s, e);
	say_notes(s, e);
	if (e->signed_data)
		say(s, "The client asks for DNSSEC and the answer is signed: it is left alone.",
		    "端末が DNSSEC を求め応答に署名があるため、書き換えません。");
	if (e->generation == 0)
		say(s, "No policy is in force.", "有効なポリシーはありません。");
	say_unknown(s, e);
	say_cache(s, e, t);
}

/* ---- JSON ---- */

static void member(struct yg_buf *b, const char *key, struct yg_sv s)
{
	yg_buf_printf(b, ",\"%s\":", key);
	yg_json_put_str(b, s);
}

static void put_name(struct yg_buf *b, const struct yg_dns_name *name)
{
	char text[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	yg_dns_name_format(&s, name);
	yg_json_put_str(b, yg_sb_sv(&s));
}

static void put_record(struct yg_buf *b, const struct yg_dns_explained *e, size_t i,
		       const struct yg_dns_verdict *v)
{
	char text[YG_DNS_NAME_TEXT_MAX + 64];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	yg_dns_eval_record(&e->eval, i, &s);
	yg_buf_put(b, YG_SV("{\"action\":"));
	yg_json_put_str(b, yg_sv_of(yg_dns_action_name(v->action)));
	member(b, "given", yg_sv_of(yg_dns_action_name(v->given)));
	member(b, "layer", yg_sv_of(yg_dns_layer_name(v->zone.layer)));
	member(b, "zone", v->zone.name);
	yg_buf_printf(b, ",\"serial\":%u", v->zone.serial);
	member(b, "trigger", yg_sv_of(yg_dns_trigger_name(v->trigger)));
	member(b, "record", yg_sb_sv(&s));
	member(b, "category", v->zone.category);
	yg_buf_printf(b, ",\"ede\":%u", v->zone.ede_code);
	member(b, "ede_text", v->zone.ede_text);
	yg_buf_putc(b, '}');
}

static void put_answers(struct yg_buf *b, const struct yg_dns_entry *e)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	unsigned n = 0;
	yg_buf_put(b, YG_SV(",\"answers\":["));
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) == YG_OK) {
		struct yg_dns_iter it = yg_dns_records(&m);
		while (n < ANSWERS_MAX && yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER) {
			char text[LINE_MAX];
			struct yg_sb s = yg_sb_init(text, sizeof text);
			yg_dns_type_format(&s, rr.type);
			yg_sb_putc(&s, ' ');
			yg_dns_rdata_format(&s, &m, &rr);
			if (n++ > 0)
				yg_buf_putc(b, ',');
			yg_json_put_str(b, yg_sb_sv(&s));
		}
	}
	yg_buf_putc(b, ']');
}

void yg_dns_explain_cache(const struct yg_dns_explained *e, struct yg_buf *b)
{
	const struct yg_dns_known *k = &e->known;
	bool failure = k->entry != NULL && (k->entry->flags & YG_DNS_ENTRY_FAILURE) != 0;
	const char *state = k->entry == NULL ? "absent"
			    : failure        ? "failure"
			    : k->ttl > 0     ? "fresh"
					     : "stale";
	yg_buf_put(b, YG_SV("{\"state\":"));
	yg_json_put_str(b, yg_sv_of(state));
	yg_buf_printf(b, ",\"ttl\":%u,\"stale_for\":%u,\"held_for\":%u,\"being_asked\":%s", k->ttl,
		      k->stale, k->held, k->being_asked ? "true" : "false");
	if (k->entry != NULL) {
		char word[32];
		struct yg_sb w = yg_sb_init(word, sizeof word);
		yg_dns_rcode_format(&w, k->entry->rcode);
		member(b, "rcode", yg_sb_sv(&w));
		yg_buf_printf(b, ",\"validated\":%s",
			      (k->entry->flags & YG_DNS_ENTRY_SECURE) != 0 ? "true" : "false");
		if (k->entry->ede != YG_DNS_EDE_NONE)
			member(b, "why", yg_sv_of(yg_dns_ede_text(k->entry->ede)));
		put_answers(b, k->entry);
	}
	yg_buf_putc(b, '}');
}

static void put_words(const struct yg_dns_explained *e, const struct yg_dns_explain_text *t,
		      struct yg_buf *b)
{
	for (unsigned ja = 0; ja < 2; ja++) {
		struct say s = {.out = b, .ja = ja == 1};
		yg_buf_put(b, ja == 1 ? YG_SV(",\"words_ja\":[") : YG_SV(",\"words_en\":["));
		say_all(&s, e, t);
		yg_buf_putc(b, ']');
	}
}

static void put_policy(struct yg_buf *b, const struct yg_dns_explained *e)
{
	struct yg_dns_verdict v;
	yg_buf_put(b, YG_SV(",\"decision\":"));
	if (e->decided)
		put_record(b, e, SIZE_MAX, &e->verdict);
	else
		yg_buf_put(b, YG_SV("null"));
	yg_buf_printf(b, ",\"applied\":%s,\"at\":", e->decided && !e->set_aside ? "true" : "false");
	if (e->decided)
		put_name(b, &e->at);
	else
		yg_buf_put(b, YG_SV("null"));
	yg_buf_put(b, YG_SV(",\"noted\":["));
	for (size_t i = 0; i < e->eval.note_count; i++) {
		if (i > 0)
			yg_buf_putc(b, ',');
		yg_dns_eval_note(&e->eval, i, &v);
		put_record(b, e, i, &v);
	}
	yg_buf_putc(b, ']');
}

void yg_dns_explain_json(const struct yg_dns_explained *e, const struct yg_dns_explain_text *t,
			 struct yg_buf *b)
{
	static const char *const kinds[] = {"none", "upstream", "local", "overlay", "refuse"};
	char type[32];
	struct yg_sb k = yg_sb_init(type, sizeof type);
	yg_dns_type_format(&k, t->ask->type);
	yg_buf_put(b, YG_SV("\"name\":"));
	put_name(b, t->ask->name);
	member(b, "type", yg_sb_sv(&k));
	member(b, "org", t->org);
	member(b, "network", t->network);
	member(b, "verdict", yg_sv_of(yg_dns_verdict_word(e->says)));
	member(b, "source", yg_sv_of(yg_dns_source_word(e->source)));
	yg_buf_printf(b, ",\"final\":%s,\"generation\":%llu", e->unknown ? "false" : "true",
		      (unsigned long long)e->generation);
	put_policy(b, e);
	yg_buf_put(b, YG_SV(",\"chain\":["));
	for (unsigned i = 0; i < e->chain_n; i++) {
		if (i > 0)
			yg_buf_putc(b, ',');
		put_name(b, &e->chain[i]);
	}
	uint8_t kind = e->known.route != NULL ? e->known.route->kind : 0;
	yg_buf_putc(b, ']');
	member(b, "answered_by", yg_sv_of(kind < YG_LEN(kinds) ? kinds[kind] : kinds[0]));
	member(b, "upstream", t->upstream);
	yg_buf_put(b, YG_SV(",\"cache\":"));
	yg_dns_explain_cache(e, b);
	put_words(e, t, b);
}
