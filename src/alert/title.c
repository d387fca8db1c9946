#include "alert/title.h"

#include "detect/watch_finding.h"

#define BAD    "known-bad"
#define BAD_JA "既知の悪性"

/* Between Japanese and Latin letters stands a space. */
static const struct {
	struct yg_sv en, ja;
} types[] = {
	{YG_SV_INIT("ip"), YG_SV_INIT(" IP アドレス")},
	{YG_SV_INIT("ip-port"), YG_SV_INIT("アドレスとポート")},
	{YG_SV_INIT("domain"), YG_SV_INIT("ドメイン")},
	{YG_SV_INIT("fqdn"), YG_SV_INIT("ホスト名")},
	{YG_SV_INIT("url"), YG_SV_INIT(" URL")},
	{YG_SV_INIT("hash"), YG_SV_INIT("ハッシュ値")},
	{YG_SV_INIT("email"), YG_SV_INIT("メールアドレス")},
};

/* What a title begins with, by what the alert is of. */
static const struct {
	struct yg_sv type, en, ja;
} begins[] = {
	{YG_SV_INIT("dns-block"), YG_SV_INIT("DNS blocked by "), YG_SV_INIT("DNS で遮断: ")},
	{YG_SV_INIT("dns-note"), YG_SV_INIT("DNS, not blocked (only noted) by "),
	 YG_SV_INIT("DNS で記録のみ（遮断せず）: ")},
};

struct yg_sv yg_alert_type_ja(struct yg_sv type)
{
	for (size_t i = 0; i < YG_LEN(types); i++)
		if (yg_sv_eq(type, types[i].en))
			return yg_sv_trim(types[i].ja);
	return type;
}

/* " domain", as it stands behind what the indicator is known for; " のドメイン". */
static struct yg_sv infix(size_t type, struct yg_sb *b)
{
	yg_sb_putc(b, ' ');
	yg_sb_put(b, types[type].en);
	return yg_sb_sv(b);
}

static struct yg_sv infix_ja(size_t type, bool bad, struct yg_sb *b)
{
	yg_sb_put(b, bad ? YG_SV(BAD_JA) : YG_SV(" の"));
	yg_sb_put(b, types[type].ja);
	return yg_sb_sv(b);
}

/* "Emotet domain: evil.example", where an indicator of a list was seen. */
static bool put_listed(struct yg_sv type, struct yg_sv title, struct yg_sb *out)
{
	char en[32], ja[64];
	struct yg_sb e = yg_sb_init(en, sizeof en), j = yg_sb_init(ja, sizeof ja);
	size_t i = 0;
	while (i < YG_LEN(types) && !yg_sv_eq(type, types[i].en))
		i++;
	if (i == YG_LEN(types))
		return false;
	(void)infix(i, &e);
	yg_sb_put(&e, YG_SV(": "));
	struct yg_sv between = yg_sb_sv(&e);
	const char *at = memmem(title.p, title.n, between.p, between.n);
	if (at == NULL)
		return false;
	struct yg_sv known = yg_sv_sub(title, 0, (size_t)(at - title.p));
	bool bad = YG_SV_IS(known, BAD);
	yg_sb_put(out, bad ? YG_SV("") : known);
	yg_sb_put(out, infix_ja(i, bad, &j));
	yg_sb_put(out, YG_SV(": "));
	yg_sb_put(out, yg_sv_sub(title, known.n + between.n, title.n));
	return true;
}

void yg_alert_title_ja(struct yg_sv type, struct yg_sv indicator, struct yg_sv title,
		       struct yg_sb *out)
{
	if (YG_SV_IS(type, "notice") && yg_watch_title(indicator, true, out))
		return;
	for (size_t i = 0; i < YG_LEN(begins); i++) {
		if (!yg_sv_eq(type, begins[i].type) || !yg_sv_starts(title, begins[i].en))
			continue;
		yg_sb_put(out, begins[i].ja);
		yg_sb_put(out, yg_sv_sub(title, begins[i].en.n, title.n));
		return;
	}
	if (!put_listed(type, title, out))
		yg_sb_put(out, title);
}

/* ---- looked for ---- */

/* Writes q with the first `ja` in it as `en`; false: it is not in it. */
static bool put_kept(struct yg_sv q, struct yg_sv ja, struct yg_sv en, struct yg_sb *b)
{
	const char *at = q.n >= ja.n ? memmem(q.p, q.n, ja.p, ja.n) : NULL;
	if (at == NULL)
		return false;
	yg_sb_put(b, (struct yg_sv){q.p, (size_t)(at - q.p)});
	yg_sb_put(b, en);
	yg_sb_put(b, yg_sv_sub(q, (size_t)(at - q.p) + ja.n, q.n));
	return true;
}

/* Of a kind of indicator, with what is written before it, or with its colon alone. */
static bool put_type(struct yg_sv q, size_t type, struct yg_sb *b)
{
	for (int bad = 1; bad >= 0; bad--) {
		char en[32], ja[64];
		struct yg_sb e = yg_sb_init(en, sizeof en), j = yg_sb_init(ja, sizeof ja);
		yg_sb_put(&e, bad ? YG_SV(BAD) : YG_SV(""));
		if (put_kept(q, infix_ja(type, bad, &j), infix(type, &e), b))
			return true;
	}
	char en[32], ja[64];
	struct yg_sb e = yg_sb_init(en, sizeof en), j = yg_sb_init(ja, sizeof ja);
	yg_sb_put(&e, types[type].en);
	yg_sb_putc(&e, ':');
	yg_sb_put(&j, yg_sv_trim(types[type].ja));
	yg_sb_putc(&j, ':');
	return put_kept(q, yg_sb_sv(&j), yg_sb_sv(&e), b);
}

struct yg_sv yg_alert_words_kept(struct yg_sv q, struct yg_sb *room)
{
	bool put = false;
	for (size_t i = 0; !put && i < YG_LEN(begins); i++)
		put = put_kept(q, begins[i].ja, begins[i].en, room);
	for (int k = 0; !put && k < YG_NOTICE_KIND_COUNT; k++)
		put = put_kept(q, yg_sv_of(yg_notice_title((enum yg_notice_kind)k, true)),
			       yg_sv_of(yg_notice_title((enum yg_notice_kind)k, false)), room);
	for (size_t i = 0; !put && i < YG_LEN(types); i++)
		put = put_type(q, i, room);
	if (!put)
		put = put_kept(q, YG_SV(BAD_JA), YG_SV(BAD " "), room);
	return put && yg_sb_done(room) == YG_OK ? yg_sb_sv(room) : q;
}

static bool ascii(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* The n-th of all forms; the words are in it. */
static bool form(struct yg_sv q, size_t n, struct yg_sb *out)
{
	char ja[80];
	struct yg_sb j = yg_sb_init(ja, sizeof ja);
	if (n < YG_LEN(begins)) {
		yg_sb_printf(out, "a.indicator_type = '" YG_SV_FMT "'", YG_SV_ARG(begins[n].type));
		return yg_sv_has(begins[n].ja, q);
	}
	n -= YG_LEN(begins);
	if (n < YG_NOTICE_KIND_COUNT) {
		enum yg_notice_kind k = (enum yg_notice_kind)n;
		yg_sb_printf(out, "a.indicator_type = 'notice' AND a.category = '%s'",
			     yg_notice_name(k));
		return yg_sv_has(yg_sv_of(yg_notice_title(k, true)), q);
	}
	n -= YG_NOTICE_KIND_COUNT;
	bool bad = n % 2 == 1;
	yg_sb_printf(out, "a.indicator_type = '" YG_SV_FMT "'%s", YG_SV_ARG(types[n / 2].en),
		     bad ? " AND a.title LIKE '" BAD " %'" : " AND a.title NOT LIKE '" BAD " %'");
	(void)infix_ja(n / 2, bad, &j);
	yg_sb_put(&j, YG_SV(": "));
	return yg_sv_has(yg_sb_sv(&j), q);
}

bool yg_alert_words_form(struct yg_sv q, size_t *at, struct yg_sb *out)
{
	const size_t count = YG_LEN(begins) + YG_NOTICE_KIND_COUNT + 2 * YG_LEN(types);
	while (*at < count && !ascii(q)) {
		out->n = 0;
		if (form(q, (*at)++, out))
			return true;
	}
	return false;
}
