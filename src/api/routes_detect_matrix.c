/* The matrix of ATT&CK: which techniques have rules, data and hits. */
#include <stdlib.h>

#include "api/routes_detect.h"

/* Ids and names of the tactics for enterprises; what else rules call them. */
static const struct tactic {
	const char *id, *word, *name_en, *name_ja;
} tactics[] = {
	{"TA0043", "reconnaissance", "Reconnaissance", "偵察"},
	{"TA0042", "resource-development", "Resource Development", "リソース開発"},
	{"TA0001", "initial-access", "Initial Access", "初期アクセス"},
	{"TA0002", "execution", "Execution", "実行"},
	{"TA0003", "persistence", "Persistence", "永続化"},
	{"TA0004", "privilege-escalation", "Privilege Escalation", "権限昇格"},
	{"TA0005", "defense-evasion", "Defense Evasion", "防御回避"},
	{"TA0006", "credential-access", "Credential Access", "認証情報へのアクセス"},
	{"TA0007", "discovery", "Discovery", "探索"},
	{"TA0008", "lateral-movement", "Lateral Movement", "横展開"},
	{"TA0009", "collection", "Collection", "収集"},
	{"TA0011", "command-and-control", "Command and Control", "指令と制御"},
	{"TA0010", "exfiltration", "Exfiltration", "持ち出し"},
	{"TA0040", "impact", "Impact", "影響"},
};
enum { DEFENSE_EVASION = 6, OTHER = YG_LEN(tactics), TECHNIQUES_MAX = 64, TACTICS_ALL = OTHER + 1 };

struct numbers {
	int64_t stages[YG_STAGE_COUNT], hits, alerts;
	bool data;
};
struct use { /* a rule at a technique of a tactic */
	unsigned tactic;
	struct yg_sv technique;
	const struct yg_detect_cover *rule;
};
struct matrix {
	struct use *uses;
	size_t count, cap;
	struct numbers none; /* rules without a technique */
	struct yg_arena *arena;
};

/* Older rules write "defense_evasion"; newer ones split it into two, which stand there. */
static bool is_tactic(struct yg_sv tag, const char *word)
{
	struct yg_sv w = yg_sv_of(word);
	tag = yg_sv_sub(tag, 7, tag.n);
	if (w.n != tag.n)
		return false;
	for (size_t i = 0; i < w.n; i++)
		if (w.p[i] != tag.p[i] && (w.p[i] != '-' || tag.p[i] != '_'))
			return false;
	return true;
}

/* What rules call defense evasion by its newer halves. */
static const char *const halves[] = {"stealth", "defense-impairment"};

bool yg_attack_tactic(struct yg_request *q, struct yg_sv word, struct yg_drule_filter *f)
{
	struct yg_sv *list = YG_NEW_N(q->arena, struct yg_sv, OTHER + YG_LEN(halves));
	bool none = YG_SV_IS(word, "none");
	size_t n = 0;
	for (size_t i = 0; list != NULL && i < OTHER + YG_LEN(halves); i++) {
		const char *name = i < OTHER ? tactics[i].word : halves[i - OTHER];
		bool same = yg_sv_eq(word, yg_sv_of(name)) ||
			    (i >= OTHER && yg_sv_eq(word, yg_sv_of(tactics[DEFENSE_EVASION].word)));
		char text[40];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		if (!none && !same)
			continue;
		yg_sb_printf(&b, "attack.%s,", name);
		for (size_t k = 7; k < b.n; k++) /* any one character, as LIKE reads it */
			text[k] = text[k] == '-' ? '_' : text[k];
		list[n] = yg_arena_dup(q->arena, yg_sb_sv(&b));
		if (list[n++].p == NULL)
			return false;
	}
	if (none) {
		f->none_of = list;
		f->none_of_count = n;
	} else {
		f->one_of = list;
		f->one_of_count = n;
	}
	return n > 0;
}

static unsigned tactics_of(struct yg_sv tags)
{
	struct yg_sv one;
	unsigned bits = 0;
	while (yg_sv_cut(&tags, ',', &one)) {
		if (!yg_sv_starts(one, YG_SV("attack.")))
			continue;
		for (unsigned i = 0; i < OTHER; i++)
			if (is_tactic(one, tactics[i].word))
				bits |= 1u << i;
		for (size_t i = 0; i < YG_LEN(halves); i++)
			if (is_tactic(one, halves[i]))
				bits |= 1u << DEFENSE_EVASION;
	}
	return bits != 0 ? bits : 1u << OTHER;
}

static void add(struct numbers *n, const struct yg_detect_cover *r, bool data)
{
	n->stages[r->stage]++;
	n->hits += r->hits_30d;
	n->alerts += r->alerts_30d;
	n->data |= data;
}

static bool use(struct matrix *m, unsigned tactic, struct yg_sv technique,
		const struct yg_detect_cover *rule)
{
	if (m->count == m->cap) {
		size_t cap = m->cap > 0 ? m->cap * 2 : 1024;
		struct use *grown = YG_NEW_N(m->arena, struct use, cap);
		if (grown == NULL)
			return false;
		if (m->count > 0)
			memcpy(grown, m->uses, m->count * sizeof *grown);
		m->uses = grown;
		m->cap = cap;
	}
	m->uses[m->count++] = (struct use){tactic, technique, rule};
	return true;
}

static bool place(struct matrix *m, const struct yg_detect_cover *r)
{
	unsigned in = tactics_of(r->tags);
	for (size_t i = 0; i < TECHNIQUES_MAX; i++) {
		char text[24];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		if (!yg_attack_technique(r->tags, i, &b)) {
			if (i == 0)
				add(&m->none, r, r->data);
			return true;
		}
		struct yg_sv technique = yg_arena_dup(m->arena, yg_sb_sv(&b));
		if (technique.p == NULL)
			return false;
		for (unsigned t = 0; t < TACTICS_ALL; t++)
			if ((in & 1u << t) != 0 && !use(m, t, technique, r))
				return false;
	}
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	if (x->tactic != y->tactic)
		return x->tactic < y->tactic ? -1 : 1;
	return yg_sv_cmp(x->technique, y->technique);
}

static void put_numbers(struct yg_jo *j, const struct numbers *n)
{
	yg_jo_key(j, "rules");
	yg_jo_begin(j, '{');
	yg_jo_int(j, "live", n->stages[YG_STAGE_LIVE]);
	yg_jo_int(j, "audit_only", n->stages[YG_STAGE_AUDIT]);
	yg_jo_int(j, "test", n->stages[YG_STAGE_TEST]);
	yg_jo_int(j, "off", n->stages[YG_STAGE_OFF]);
	yg_jo_end(j, '}');
	yg_jo_bool(j, "has_rule", n->stages[YG_STAGE_LIVE] + n->stages[YG_STAGE_AUDIT] > 0);
	yg_jo_bool(j, "has_data", n->data);
	yg_jo_int(j, "hits_30d", n->hits);
	yg_jo_int(j, "alerts_30d", n->alerts);
}

static size_t put_technique(struct yg_jo *j, const struct matrix *m, size_t at, const char *tactic)
{
	struct numbers n = {.hits = 0};
	size_t end = at;
	for (; end < m->count && by_place(&m->uses[at], &m->uses[end]) == 0; end++)
		add(&n, m->uses[end].rule, m->uses[end].rule->data);
	yg_jo_begin(j, '{');
	yg_jo_str(j, "tactic", yg_sv_of(tactic));
	yg_jo_str(j, "id", m->uses[at].technique);
	put_numbers(j, &n);
	yg_jo_end(j, '}');
	return end;
}

static void put_matrix(struct yg_jo *j, const struct matrix *m, yg_wall as_of, bool japanese)
{
	size_t at = 0;
	yg_jo_begin(j, '{');
	yg_jo_key(j, "tactics");
	yg_jo_begin(j, '[');
	for (unsigned t = 0; t < TACTICS_ALL; t++) {
		bool known = t < OTHER;
		if (!known && at == m->count)
			break; /* every technique has a tactic */
		yg_jo_begin(j, '{');
		yg_jo_str(j, "id", yg_sv_of(known ? tactics[t].id : ""));
		yg_jo_str(j, "word", yg_sv_of(known ? tactics[t].word : ""));
		yg_jo_str(j, "name",
			  !known ? yg_sv_of(japanese ? "戦術の記載なし" : "No tactic given")
			  : japanese ? yg_sv_of(tactics[t].name_ja)
				     : yg_sv_of(tactics[t].name_en));
		yg_jo_key(j, "techniques");
		yg_jo_begin(j, '[');
		while (at < m->count && m->uses[at].tactic == t)
			at = put_technique(j, m, at, known ? tactics[t].id : "");
		yg_jo_end(j, ']');
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	yg_jo_key(j, "no_technique");
	yg_jo_begin(j, '{');
	put_numbers(j, &m->none);
	yg_jo_end(j, '}');
	yg_jo_time(j, "as_of", as_of.us);
	yg_jo_end(j, '}');
}

yg_status yg_r_attack_matrix(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_reach reach;
	struct matrix m = {.arena = q->arena};
	struct yg_detect_cover *list = NULL;
	size_t n = 0;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_reach(q, l.db, &reach, err);
	if (st == YG_OK)
		st = yg_detect_covers(l.db, &reach, yg_stage_org(q), q->now, q->arena, &list, &n,
				      err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++)
		if (!place(&m, &list[i]))
			return YG_FAIL(err, YG_NOMEM, "no memory for the matrix");
	if (m.count > 0)
		qsort(m.uses, m.count, sizeof *m.uses, by_place);
	struct yg_jo j = yg_answer(r, 200);
	put_matrix(&j, &m, yg_reach_now(&reach, q->now), q->japanese);
	return YG_OK;
}
