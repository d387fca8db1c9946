/* The matcher against a slow one that looks at every indicator for every value:
 * random indicators and events over a tiny alphabet, so that they often meet. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "intel/compile.h"
#include "intel/match.h"
#include "tap.h"

#define INDICATORS_MAX 120
#define EVENTS         400
#define WORLDS         60

static uint64_t seed = 88172645463325252ull;
static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 20) % n;
}

/* ---- the world ---- */

struct known {
	struct yg_indicator ind;
	char value[256], key[256];
	struct yg_indicator_key k;
};
static struct known known[INDICATORS_MAX];
static size_t known_count;
static const yg_wall now = {1700000000000000};

static const char *const words[] = {"a", "b", "cc", "mail", "x-y", "_t"};
static const char *const tops[] = {"com", "jp", "example"};
static const char *const orgs[] = {"", "one", "two"};

static void put_name(struct yg_sb *b)
{
	for (unsigned i = rnd(4); i > 0; i--) {
		yg_sb_put(b, yg_sv_of(words[rnd(6)]));
		yg_sb_putc(b, '.');
	}
	yg_sb_put(b, yg_sv_of(words[rnd(4)]));
	yg_sb_putc(b, '.');
	yg_sb_put(b, yg_sv_of(tops[rnd(3)]));
}

static void put_ip(struct yg_sb *b)
{
	if (rnd(4) == 0)
		yg_sb_printf(b, "2001:db8:%x::%x", rnd(3), rnd(3));
	else
		yg_sb_printf(b, "192.0.%u.%u", rnd(3), rnd(4) * 60);
}

static void put_prefix(struct yg_sb *b)
{
	unsigned bits = rnd(3) == 0 ? 8 * (2 + rnd(3)) : 16 + rnd(17);
	unsigned v = 192u << 24 | rnd(3) << 8 | rnd(4) * 60;
	v &= bits == 32 ? ~0u : ~(~0u >> bits);
	if (rnd(4) == 0)
		yg_sb_printf(b, "2001:db8:%x::/%u", rnd(3), 48 + rnd(60));
	else
		yg_sb_printf(b, "%u.%u.%u.%u/%u", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255,
			     bits);
}

static void put_path(struct yg_sb *b)
{
	unsigned deep = rnd(5) == 0 ? 9 + rnd(3) : rnd(4);
	for (unsigned i = 0; i < deep; i++) {
		yg_sb_putc(b, '/');
		yg_sb_put(b, yg_sv_of(words[rnd(3)]));
	}
	if (deep == 0 || rnd(3) == 0)
		yg_sb_putc(b, '/');
	if (rnd(3) == 0)
		yg_sb_put(b, rnd(2) == 0   ? YG_SV("?")
			     : rnd(2) == 0 ? YG_SV("?id=")
					   : YG_SV("?id=1&z=2"));
}

static void put_url(struct yg_sb *b)
{
	if (rnd(3) > 0) {
		if (rnd(2) == 0)
			yg_sb_put(b, rnd(2) == 0 ? YG_SV("http://") : YG_SV("https://"));
		if (rnd(3) == 0)
			yg_sb_printf(b, "192.0.%u.%u", rnd(3), rnd(4) * 60);
		else
			put_name(b);
		if (rnd(4) == 0)
			yg_sb_printf(b, ":%u", rnd(2) == 0 ? 80 : 8080);
	}
	put_path(b);
}

static void put_hash(struct yg_sb *b)
{
	static const char a[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	size_t n = rnd(2) == 0 ? 32 : 64;
	yg_sb_put(b, (struct yg_sv){a, n - 1});
	yg_sb_putc(b, a[rnd(4)]);
}

static void put_value(enum yg_indicator_type t, struct yg_sb *b)
{
	switch (t) {
	case YG_IND_IP: rnd(2) == 0 ? put_ip(b) : put_prefix(b); break;
	case YG_IND_IPPORT:
		yg_sb_printf(b, "192.0.%u.%u:%u", rnd(3), rnd(4) * 60, 80 + rnd(3));
		break;
	case YG_IND_DOMAIN:
	case YG_IND_FQDN: put_name(b); break;
	case YG_IND_URL: put_url(b); break;
	case YG_IND_HASH: put_hash(b); break;
	case YG_IND_EMAIL:
		yg_sb_put(b, yg_sv_of(words[rnd(3)]));
		yg_sb_putc(b, '@');
		put_name(b);
		break;
	case YG_IND_NONE:
	case YG_IND_TYPE_COUNT: break;
	}
}

static void make_known(void)
{
	known_count = 0;
	for (size_t want = 10 + rnd(INDICATORS_MAX - 10); known_count < want;) {
		struct known *k = &known[known_count];
		struct yg_sb b = yg_sb_init(k->value, sizeof k->value);
		enum yg_indicator_type t = (enum yg_indicator_type)(1 + rnd(YG_IND_TYPE_COUNT - 1));
		put_value(t, &b);
		k->ind = (struct yg_indicator){.type = t,
					       .value = yg_sb_sv(&b),
					       .list = YG_SV("l"),
					       .org = yg_sv_of(orgs[rnd(8) < 6 ? 0 : 1 + rnd(2)]),
					       .allow = rnd(12) == 0};
		if (rnd(6) == 0)
			k->ind.valid_until.us = now.us + (int64_t)rnd(3) - 1;
		if (rnd(6) == 0)
			k->ind.valid_from.us = now.us + (int64_t)rnd(3) - 1;
		char buf[YG_KEY_MAX];
		if (yg_indicator_key(t, k->ind.value, buf, sizeof buf, &k->k, NULL) != YG_OK ||
		    k->k.key.n > sizeof k->key)
			continue;
		memcpy(k->key, k->k.key.p, k->k.key.n);
		k->k.key.p = k->key;
		known_count++;
	}
}

/* ---- the slow matcher ---- */

enum class { C_NAME, C_IP, C_IPPORT, C_URL, C_HASH, C_EMAIL, C_COUNT };
struct judged { /* what one value meets, per class the most particular */
	const struct known *best[C_COUNT];
	unsigned rank[C_COUNT];
	bool allowed[C_COUNT];
};
struct answers {
	char text[YG_MATCHES_MAX][320];
	size_t n;
};

static bool applies(const struct known *k, struct yg_sv org)
{
	const struct yg_indicator *i = &k->ind;
	return (i->valid_from.us == 0 || now.us >= i->valid_from.us) &&
	       (i->valid_until.us == 0 || now.us < i->valid_until.us) &&
	       (i->org.n == 0 || yg_sv_eq(i->org, org));
}

static void meet(struct judged *j, enum class c, unsigned rank, const struct known *k)
{
	if (k->ind.allow) {
		for (unsigned all = 0; all < C_COUNT; all++)
			j->allowed[all] |= c == C_NAME || c == C_IP || all == c;
		return;
	}
	if (j->best[c] == NULL || rank < j->rank[c]) {
		j->best[c] = k;
		j->rank[c] = rank;
	}
}

static void meet_ip(struct judged *j, const struct known *k, struct yg_ip ip, unsigned port)
{
	size_t n = yg_ip_is_v4(ip) ? 4 : 16;
	const uint8_t *want = (const uint8_t *)k->key, *have = ip.b + 16 - n;
	if (k->ind.type == YG_IND_IPPORT && k->k.key.n == n + 2 && memcmp(want, have, n) == 0 &&
	    (unsigned)(want[n] << 8 | want[n + 1]) == port)
		meet(j, C_IPPORT, 0, k);
	if (k->ind.type != YG_IND_IP)
		return;
	size_t bits = 8 * n;
	if (k->k.key.n == n + 1)
		bits = want[n];
	else if (k->k.key.n != n)
		return;
	for (size_t i = 0; i < bits; i++)
		if (((want[i / 8] ^ have[i / 8]) & (0x80 >> (i % 8))) != 0)
			return;
	meet(j, C_IP, (unsigned)(1000 - bits), k);
}

static void meet_name(struct judged *j, const struct known *k, struct yg_sv name)
{
	struct yg_sv want = k->k.key;
	bool same = yg_sv_eq(name, want);
	bool under =
		name.n > want.n + 1 && yg_sv_ends(name, want) && name.p[name.n - want.n - 1] == '.';
	if ((k->ind.type == YG_IND_DOMAIN && (same || under)) ||
	    (k->ind.type == YG_IND_FQDN && same))
		meet(j, C_NAME, (unsigned)(1000 - 2 * want.n - (k->ind.type == YG_IND_FQDN)), k);
}

static void meet_forms(struct judged *j, const struct known *k, struct yg_sv text, unsigned rank)
{
	size_t q = yg_sv_find(text, '?', 0), eq = yg_sv_find(text, '=', q);
	struct yg_sv want = k->k.key;
	if (yg_sv_eq(want, text))
		meet(j, C_URL, rank, k);
	if (q < text.n && eq < text.n && yg_sv_eq(want, yg_sv_sub(text, 0, eq + 1)))
		meet(j, C_URL, rank + 1, k);
	if (q < text.n && yg_sv_eq(want, yg_sv_sub(text, 0, q + 1)))
		meet(j, C_URL, rank + 2, k);
	if (q < text.n && yg_sv_eq(want, yg_sv_sub(text, 0, q)))
		meet(j, C_URL, rank + 3, k);
}

/* `want` names a folder, not behind the eighth, that `text` lies in. */
static void meet_folder(struct judged *j, const struct known *k, struct yg_sv text, size_t path_at,
			unsigned rank)
{
	struct yg_sv want = k->k.key, path = yg_sv_sub(text, 0, yg_sv_find(text, '?', 0));
	size_t slashes = 0;
	if (want.n == 0 || want.p[want.n - 1] != '/' || want.n >= path.n || want.n <= path_at ||
	    !yg_sv_starts(path, want) || want.n == 1)
		return;
	for (size_t i = path_at; i < want.n; i++)
		slashes += want.p[i] == '/';
	if (slashes <= 8)
		meet(j, C_URL, rank + (unsigned)(1000 - want.n), k);
}

static void meet_url(struct judged *j, const struct known *k, const struct yg_url *u)
{
	struct yg_sv path = yg_sv_sub(u->text, u->path_at, u->text.n);
	if (k->ind.type != YG_IND_URL)
		return;
	if (u->host_n > 0) {
		meet_forms(j, k, u->text, 0);
		meet_folder(j, k, u->text, u->path_at, 10);
	}
	meet_forms(j, k, path, 2000);
	meet_folder(j, k, path, 0, 2010);
	struct yg_sv plain = yg_sv_sub(path, 0, yg_sv_find(path, '?', 0));
	const char *slash = memrchr(plain.p, '/', plain.n);
	if (slash != NULL && slash > plain.p && slash + 1 < plain.p + plain.n)
		meet_forms(j, k, yg_sv_sub(path, (size_t)(slash - path.p), path.n), 4000);
}

static void conclude(const struct judged *j, struct answers *out, const char *field)
{
	for (unsigned c = 0; c < C_COUNT; c++) {
		char text[320];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		if (j->best[c] == NULL || j->allowed[c])
			continue;
		/* one of two entries with the same value: the texts differ in scheme at most */
		yg_sb_printf(&b, "%s:", yg_indicator_type_name(j->best[c]->ind.type));
		yg_indicator_text(j->best[c]->ind.type, YG_URL_BARE, j->best[c]->k.key, &b);
		bool again = false;
		for (size_t i = 0; i < out->n; i++)
			again |= strncmp(out->text[i], text, b.n) == 0 && out->text[i][b.n] == '@';
		yg_sb_printf(&b, "@%s", field);
		if (!again && out->n < YG_MATCHES_MAX)
			(void)snprintf(out->text[out->n++], sizeof out->text[0], "%s",
				       yg_sb_cstr(&b));
	}
}

static void each(struct answers *out, const char *field, struct yg_sv org, const struct yg_ip *ip,
		 unsigned port, struct yg_sv name, const struct yg_url *url, struct yg_sv mail,
		 struct yg_sv hash)
{
	struct judged j = {.rank = {0}};
	for (size_t i = 0; i < known_count; i++) {
		const struct known *k = &known[i];
		if (!applies(k, org))
			continue;
		if (ip != NULL)
			meet_ip(&j, k, *ip, port);
		if (name.n > 0)
			meet_name(&j, k, name);
		if (url != NULL)
			meet_url(&j, k, url);
		if (mail.n > 0 && k->ind.type == YG_IND_EMAIL && yg_sv_eq(mail, k->k.key))
			meet(&j, C_EMAIL, 0, k);
		if (hash.n > 0 && k->ind.type == YG_IND_HASH && yg_sv_eq(hash, k->k.key))
			meet(&j, C_HASH, 0, k);
	}
	conclude(&j, out, field);
}

static const struct yg_sv none = {"", 0};

static void slow_host(struct answers *out, const char *field, const struct yg_event *ev,
		      struct yg_sv v)
{
	struct yg_ip ip;
	if (v.n == 0)
		return;
	if (yg_ip_parse(v, &ip) == YG_OK)
		each(out, field, ev->org, &ip, 0, none, NULL, none, none);
	else
		each(out, field, ev->org, NULL, 0, v, NULL, none, none);
}

static void slow_url(struct answers *out, const char *field, const struct yg_event *ev,
		     struct yg_sv v)
{
	char text[1024];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_url u;
	if (v.n == 0 || yg_url_normalize(v, true, &b, &u, NULL) != YG_OK)
		return;
	unsigned port = u.port != 0 ? u.port : u.scheme == YG_URL_HTTPS ? 443 : 80;
	struct yg_sv name = u.is_ip ? none : yg_sv_sub(u.text, 0, u.host_n);
	each(out, field, ev->org, u.is_ip ? &u.ip : NULL, port, name, &u, none, none);
}

static void slow_hash(struct answers *out, const struct yg_event *ev)
{
	uint8_t b[32];
	for (uint32_t i = 0; i < ev->hashes.n; i++)
		if (yg_parse_hex(ev->hashes.v[i], b, ev->hashes.v[i].n / 2, NULL) == YG_OK)
			each(out, "hashes", ev->org, NULL, 0, none, NULL, none,
			     (struct yg_sv){(const char *)b, ev->hashes.v[i].n / 2});
}

static void slow_match(const struct yg_event *ev, struct answers *out)
{
	out->n = 0;
	slow_host(out, "query", ev, ev->query);
	slow_host(out, "dst_host", ev, ev->dst_host);
	if (!yg_ip_is_zero(ev->dst_ip))
		each(out, "dst_ip", ev->org, &ev->dst_ip, ev->dst_port, none, NULL, none, none);
	slow_url(out, "url", ev, ev->url);
	for (uint32_t i = 0; i < ev->answers.n; i++)
		slow_host(out, "answers", ev, ev->answers.v[i]);
	if (!yg_ip_is_zero(ev->src_ip))
		each(out, "src_ip", ev->org, &ev->src_ip, ev->src_port, none, NULL, none, none);
	slow_host(out, "src_host", ev, ev->src_host);
	slow_url(out, "referrer", ev, ev->referrer);
	if (ev->mail_from.n > 0) {
		size_t at = yg_sv_find(ev->mail_from, '@', 0);
		each(out, "mail_from", ev->org, NULL, 0,
		     yg_sv_sub(ev->mail_from, at + 1, ev->mail_from.n), NULL, ev->mail_from, none);
	}
	slow_hash(out, ev);
}

/* ---- both ---- */

static struct yg_intel *compiled(void)
{
	static struct yg_env_sim sim = {.wall = {1}, .seed = 3};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_intel_build_opts opts = {.env = &env, .force_suffix = true};
	struct yg_intel_builder *b = NULL;
	struct yg_intel *in = NULL;
	int fd = memfd_create("naive", MFD_CLOEXEC);
	yg_status st = yg_intel_builder_new(&opts, &b, NULL);
	for (size_t i = 0; st == YG_OK && i < known_count; i++)
		st = yg_intel_builder_add(b, &known[i].ind, NULL);
	if (st == YG_OK)
		st = yg_intel_builder_finish(b, fd, 1, NULL, NULL);
	if (st == YG_OK)
		st = yg_intel_open_fd(fd, 0, &in, NULL);
	yg_intel_builder_free(b);
	(void)close(fd);
	return st == YG_OK ? in : NULL;
}

static char texts[16][256];
static struct yg_sv random_text(unsigned slot, void (*put)(struct yg_sb *b))
{
	struct yg_sb b = yg_sb_init(texts[slot], sizeof texts[0]);
	put(&b);
	return yg_sb_sv(&b);
}

static void random_event(struct yg_event *ev, struct yg_sv lists[static 12])
{
	*ev = (struct yg_event){.org = yg_sv_of(orgs[1 + rnd(2)])};
	struct yg_sv ip = random_text(0, put_ip);
	if (rnd(2) == 0)
		(void)yg_ip_parse(ip, &ev->dst_ip);
	ip = random_text(0, put_ip);
	if (rnd(2) == 0)
		(void)yg_ip_parse(ip, &ev->src_ip);
	ev->dst_port = (uint16_t)(80 + rnd(3));
	ev->src_port = (uint16_t)(80 + rnd(3));
	if (rnd(2) == 0)
		ev->query = random_text(1, put_name);
	if (rnd(3) == 0)
		ev->dst_host = random_text(2, rnd(3) == 0 ? put_ip : put_name);
	if (rnd(2) == 0)
		ev->url = random_text(3, put_url);
	if (rnd(5) == 0)
		ev->referrer = random_text(4, put_url);
	if (rnd(5) == 0)
		ev->src_host = random_text(5, put_name);
	if (rnd(4) == 0) {
		struct yg_sb b = yg_sb_init(texts[6], sizeof texts[0]);
		put_value(YG_IND_EMAIL, &b);
		ev->mail_from = yg_sb_sv(&b);
	}
	ev->answers.v = lists;
	for (unsigned n = rnd(4); ev->answers.n < n; ev->answers.n++)
		lists[ev->answers.n] =
			random_text(7 + ev->answers.n, rnd(2) == 0 ? put_ip : put_name);
	ev->hashes.v = lists + 6;
	for (unsigned n = rnd(2); ev->hashes.n < n; ev->hashes.n++)
		lists[6 + ev->hashes.n] = random_text(12 + ev->hashes.n, put_hash);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void fast_match(const struct yg_intel *in, const struct yg_event *ev,
		       struct yg_match_set *set, struct answers *out)
{
	yg_intel_match(in, ev, now, set);
	out->n = 0;
	for (uint32_t i = 0; i < set->n; i++) {
		const struct yg_match *m = &set->m[i];
		struct yg_sv text = m->indicator;
		size_t scheme = m->type == YG_IND_URL && yg_sv_starts(text, YG_SV("http"))
					? yg_sv_find(text, '/', 0) + 2
					: 0;
		text = yg_sv_sub(text, scheme, text.n);
		(void)snprintf(out->text[out->n++], sizeof out->text[0], "%s:" YG_SV_FMT "@%s",
			       yg_indicator_type_name(m->type), YG_SV_ARG(text),
			       yg_event_fields[m->field].name);
	}
}

static bool same_answers(struct answers *fast, struct answers *slow, const struct yg_event *ev)
{
	qsort(fast->text, fast->n, sizeof fast->text[0], by_text);
	qsort(slow->text, slow->n, sizeof slow->text[0], by_text);
	bool same = fast->n == slow->n;
	for (size_t i = 0; same && i < fast->n; i++)
		same = strcmp(fast->text[i], slow->text[i]) == 0;
	if (same)
		return true;
	(void)printf("# query '" YG_SV_FMT "' url '" YG_SV_FMT "'\n", YG_SV_ARG(ev->query),
		     YG_SV_ARG(ev->url));
	for (size_t i = 0; i < fast->n; i++)
		(void)printf("# fast %s\n", fast->text[i]);
	for (size_t i = 0; i < slow->n; i++)
		(void)printf("# slow %s\n", slow->text[i]);
	return false;
}

int main(void)
{
	struct yg_match_set *set = malloc(sizeof *set);
	static struct answers fast, slow;
	uint64_t matches = 0, different = 0, events = 0;
	for (int world = 0; set != NULL && world < WORLDS && different == 0; world++) {
		make_known();
		struct yg_intel *in = compiled();
		if (!T_NAMED(in != NULL, "compiled"))
			break;
		for (int i = 0; i < EVENTS && different == 0; i++, events++) {
			struct yg_event ev;
			struct yg_sv lists[12];
			random_event(&ev, lists);
			fast_match(in, &ev, set, &fast);
			slow_match(&ev, &slow);
			matches += slow.n;
			different += !same_answers(&fast, &slow, &ev);
		}
		yg_intel_close(in);
	}
	(void)printf("# %llu events, %llu matches\n", (unsigned long long)events,
		     (unsigned long long)matches);
	T_NAMED(different == 0, "the same matches as a linear search");
	T_NAMED(matches > 10000, "and enough of them");
	free(set);
	return tap_done();
}
