/* notice_words.c - why, for people. */
#include "detect/notice.h"

struct text {
	char p[64];
};

/* "3 h 20 min" */
static const char *span(struct text *t, double seconds, bool ja)
{
	static const struct {
		double s;
		const char *en, *ja;
	} units[] = {{86400, "d", "日"}, {3600, "h", "時間"}, {60, "min", "分"}, {1, "s", "秒"}};
	struct yg_sb b = yg_sb_init(t->p, sizeof t->p);
	uint64_t left = (uint64_t)(YG_MIN(YG_MAX(seconds, 0.0), 1e12) + 0.5);
	unsigned parts = 0;
	for (size_t i = 0; i < YG_LEN(units) && parts < 2; i++) {
		uint64_t n = left / (uint64_t)units[i].s;
		left -= n * (uint64_t)units[i].s;
		if (n == 0 && (parts > 0 || i + 1 < YG_LEN(units)))
			continue;
		yg_sb_printf(&b, ja ? "%s%llu%s" : "%s%llu %s", parts++ > 0 && !ja ? " " : "",
			     (unsigned long long)n, ja ? units[i].ja : units[i].en);
	}
	return yg_sb_cstr(&b);
}

static const char *bytes(struct text *t, double n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	struct yg_sb b = yg_sb_init(t->p, sizeof t->p);
	size_t i = 0;
	for (; n >= 999.5 && i + 1 < YG_LEN(units); i++)
		n /= 1000;
	yg_sb_printf(&b, "%.3g %s", n, units[i]);
	return yg_sb_cstr(&b);
}

static void put_beacon(const struct yg_notice *n, bool ja, struct yg_sb *b)
{
	struct text t;
	yg_sb_printf(b,
		     ja ? "直近%.0f回の通信が%sごとの一定間隔（ゆらぎ%.0f%%）"
			: "the last %.0f contacts came every %s, with a jitter of %.0f %%",
		     n->numbers[0], span(&t, n->numbers[1], ja), n->numbers[2]);
}

static void put_spray(const struct yg_notice *n, bool ja, struct yg_sb *b)
{
	struct text t;
	yg_sb_printf(b,
		     ja ? "%.0f個のアカウントへ計%.0f回の認証失敗（%s以内）"
			: "%.0f accounts with %.0f failed logins within %s",
		     n->numbers[0], n->numbers[1], span(&t, n->numbers[2], ja));
	if (n->flag)
		yg_sb_put(b, ja ? YG_SV("、うち1個でログインに成功")
				: YG_SV(", then a login to one of them that succeeded"));
}

static void put_travel(const struct yg_notice *n, bool ja, struct yg_sb *b)
{
	struct text t;
	yg_sb_printf(b,
		     ja ? "少なくとも%.0f km離れた2か所から%s以内にログイン（時速%.0f km相当）"
			: "logins from places at least %.0f km apart within %s (%.0f km/h)",
		     n->numbers[0], span(&t, n->numbers[1], ja), YG_MIN(n->numbers[2], 1e9));
}

static void put_scan(const struct yg_notice *n, bool ja, struct yg_sb *b)
{
	if (ja)
		yg_sb_printf(b,
			     "%sから%.0f件の新しい接続先を試し、%.0f件が失敗"
			     "（ホスト%.0f、ポート%.0f）",
			     n->flag ? "外部" : "内部", n->numbers[0], n->numbers[1], n->numbers[2],
			     n->numbers[3]);
	else
		yg_sb_printf(b,
			     "from %s, %.0f services tried for the first time and %.0f of them "
			     "without success (hosts: %.0f, ports: %.0f)",
			     n->flag ? "outside" : "inside", n->numbers[0], n->numbers[1],
			     n->numbers[2], n->numbers[3]);
}

static void put_volume(const struct yg_notice *n, bool ja, struct yg_sb *b)
{
	struct text now, usual;
	yg_sb_printf(b,
		     ja ? "この1時間に%sを送信。過去%.0f日の同じ時間帯は通常%s（%.1f σ）"
			: "%s sent in this hour; in this hour of %.0f days before it was %s "
			  "(%.1f sigma)",
		     bytes(&now, n->numbers[0]), n->numbers[3], bytes(&usual, n->numbers[1]),
		     n->numbers[2]);
}

static void put_silence(const struct yg_notice *n, bool ja, struct yg_sb *b)
{
	struct text gap, mean, longest;
	yg_sb_printf(b,
		     ja ? "%sの間ログが届いていない。通常は平均%sごと、7日間で最長%s"
			: "nothing came for %s; on average it comes every %s, the longest gap of "
			  "seven days was %s",
		     span(&gap, n->numbers[0], ja), span(&mean, n->numbers[1], ja),
		     span(&longest, n->numbers[2], ja));
}

static void put_flood(const struct yg_notice *n, bool ja, struct yg_sb *b)
{
	yg_sb_printf(b,
		     ja ? "毎秒%.1f件の要求（通常は%.1f件）"
			: "%.1f requests a second, usual are %.1f",
		     n->numbers[0], n->numbers[1]);
	for (size_t i = 0; i < n->top_count && i < 3; i++) {
		yg_sb_put(b, i > 0 ? (ja ? YG_SV("、") : YG_SV(", "))
			     : ja  ? YG_SV("。主な送信元: ")
				   : YG_SV("; most from "));
		yg_ip_format(b, n->top[i].ip);
		yg_sb_printf(b, ja ? "（%llu件）" : " (%llu)", (unsigned long long)n->top[i].count);
	}
}

/* UTF-8 without control characters stands as it is: people's names are Japanese, too. */
static void put_outside(struct yg_sb *out, struct yg_sv s)
{
	bool plain = yg_utf8_valid(s) == s.n;
	for (size_t i = 0; plain && i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		unsigned char next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
		plain = c >= 0x20 && c != 0x7f && !(c == 0xc2 && next < 0xa0);
	}
	if (plain)
		yg_sb_put(out, s);
	else
		yg_sb_put_untrusted(out, s);
}

void yg_notice_put_who(enum yg_notice_kind kind, struct yg_sv who, bool japanese, struct yg_sb *out)
{
	static const char of[] = " of ";
	const char *at = kind == YG_NOTICE_SILENCE && japanese && who.n > 0
				 ? memmem(who.p, who.n, of, sizeof of - 1)
				 : NULL;
	size_t source = at != NULL ? (size_t)(at - who.p) : who.n;
	put_outside(out, yg_sv_sub(who, 0, source));
	if (at == NULL)
		return;
	yg_sb_put(out, YG_SV("（"));
	put_outside(out, yg_sv_sub(who, source + sizeof of - 1, who.n));
	yg_sb_put(out, YG_SV("）"));
}

void yg_notice_words(const struct yg_notice *n, bool japanese, struct yg_sb *out)
{
	yg_notice_put_who(n->kind, n->who, japanese, out);
	yg_sb_put(out, japanese ? YG_SV("：") : YG_SV(": "));
	switch (n->kind) {
	case YG_NOTICE_BEACON: put_beacon(n, japanese, out); break;
	case YG_NOTICE_SPRAY: put_spray(n, japanese, out); break;
	case YG_NOTICE_TRAVEL: put_travel(n, japanese, out); break;
	case YG_NOTICE_SCAN: put_scan(n, japanese, out); break;
	case YG_NOTICE_VOLUME: put_volume(n, japanese, out); break;
	case YG_NOTICE_SILENCE: put_silence(n, japanese, out); break;
	case YG_NOTICE_FLOOD: put_flood(n, japanese, out); break;
	case YG_NOTICE_KIND_COUNT: break;
	}
}
