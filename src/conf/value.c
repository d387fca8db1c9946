/* value.c - one value of a key: read, checked, written. */
#include "base/limits.h"
#include "conf/table.h"
#include "os/socket.h"

bool yg_slug_ok(struct yg_sv s)
{
	if (s.n == 0 || s.n > YG_ORG_NAME_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

static void put_bytes(struct yg_sb *b, uint64_t v)
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
	size_t u = 0;
	while (u + 1 < YG_LEN(units) && v != 0 && v % 1024 == 0) {
		v /= 1024;
		u++;
	}
	yg_sb_u64(b, v);
	yg_sb_put(b, yg_sv_of(units[u]));
}

static void put_span(struct yg_sb *b, uint64_t us)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {{"d", 86400000000},
		     {"h", 3600000000},
		     {"m", 60000000},
		     {"s", 1000000},
		     {"ms", 1000}};
	for (size_t i = 0; i < YG_LEN(units); i++)
		if (us != 0 && us % units[i].us == 0 && us / units[i].us >= 1) {
			yg_sb_u64(b, us / units[i].us);
			yg_sb_put(b, yg_sv_of(units[i].name));
			return;
		}
	yg_sb_u64(b, us);
	yg_sb_put(b, us == 0 ? YG_SV("ms") : YG_SV("us"));
}

static void put_number(struct yg_sb *b, const struct yg_conf_key *k, uint64_t v)
{
	if (k->type == YG_CT_BYTES)
		put_bytes(b, v);
	else if (k->type == YG_CT_SPAN)
		put_span(b, v);
	else if (k->type == YG_CT_BOOL)
		yg_sb_put(b, v != 0 ? YG_SV("true") : YG_SV("false"));
	else
		yg_sb_u64(b, v);
}

static void put_options(struct yg_sb *b, const struct yg_conf_key *k)
{
	for (size_t i = 0; k->options != NULL && k->options[i] != NULL; i++) {
		if (i > 0)
			yg_sb_put(b, k->options[i + 1] == NULL ? YG_SV(" or ") : YG_SV(", "));
		yg_sb_put(b, yg_sv_of(k->options[i]));
	}
}

void yg_conf_expected(struct yg_sb *b, const struct yg_conf_key *k)
{
	switch (k->type) {
	case YG_CT_COUNT: yg_sb_put(b, YG_SV("a whole number")); break;
	case YG_CT_BYTES: yg_sb_put(b, YG_SV("a size such as 64KiB or 2GiB")); break;
	case YG_CT_SPAN: yg_sb_put(b, YG_SV("a length of time such as 250ms, 30s or 5m")); break;
	case YG_CT_BOOL: yg_sb_put(b, YG_SV("true or false")); break;
	case YG_CT_TEXT: yg_sb_put(b, YG_SV("text")); break;
	case YG_CT_ENUM:
		yg_sb_put(b, YG_SV("one of "));
		put_options(b, k);
		break;
	case YG_CT_SLUG:
		yg_sb_put(b, YG_SV("a name of 1 to 63 small letters, digits and inner hyphens"));
		break;
	case YG_CT_ADDRESS:
		yg_sb_put(
			b,
			YG_SV("an address and port such as \"127.0.0.1:8443\" or \"[::1]:8443\""));
		break;
	case YG_CT_FILE:
		yg_sb_put(b, (k->flags & YG_CF_BESIDE) != 0 ? YG_SV("a path")
							    : YG_SV("a path that begins with /"));
		break;
	case YG_CT_URL:
		yg_sb_put(b, YG_SV("\"embedded\" or a URL such as http://host:8123"));
		break;
	case YG_CT_SOURCE:
		yg_sb_put(b, YG_SV("one of "));
		put_options(b, k);
		yg_sb_put(b, YG_SV(", or ndjson:NAME"));
		break;
	case YG_CT_DNS:
		yg_sb_printf(b,
			     "an address, or address@port, such as \"127.0.0.1@%u\" or \"::1@%u\"",
			     (unsigned)k->min, (unsigned)k->min);
		break;
	case YG_CT_PREFIX:
		yg_sb_put(b, YG_SV("an address or a network such as \"192.0.2.0/24\""));
		break;
	case YG_CT_DOMAIN:
		yg_sb_put(b, YG_SV("a domain name such as \"example.org\", or \".\""));
		break;
	}
	if (yg_conf_is_number(k) && k->type != YG_CT_BOOL) {
		yg_sb_put(b, YG_SV(" from "));
		put_number(b, k, k->min);
		yg_sb_put(b, YG_SV(" to "));
		put_number(b, k, k->max);
	}
	if ((k->flags & YG_CF_STAR) != 0)
		yg_sb_put(b, YG_SV(" and has at most one *, in its last part"));
	if ((k->flags & YG_CF_LOOPBACK) != 0)
		yg_sb_put(b, YG_SV(" of the loopback"));
	if ((k->flags & YG_CF_NONE) != 0)
		yg_sb_put(b, YG_SV(", or none"));
	if ((k->flags & YG_CF_EMPTY) != 0)
		yg_sb_put(b, YG_SV(", or \"\""));
}

static bool set_number(const struct yg_conf_key *k, void *base, struct yg_sv text)
{
	uint64_t v = 0;
	int64_t us = 0;
	yg_status st;
	if (k->type == YG_CT_BYTES) {
		st = yg_parse_bytes(text, &v, NULL);
	} else if (k->type == YG_CT_SPAN) {
		st = yg_parse_span(text, &us, NULL);
		v = us < 0 ? UINT64_MAX : (uint64_t)us;
	} else if (k->type == YG_CT_BOOL) {
		v = YG_SV_IS(text, "true");
		st = v != 0 || YG_SV_IS(text, "false") ? YG_OK : YG_PARSE;
	} else {
		st = yg_parse_u64(text, &v, NULL);
	}
	if (st != YG_OK || v < k->min || v > k->max)
		return false;
	*yg_conf_u64(base, k) = v;
	return true;
}

static bool is_option(const struct yg_conf_key *k, struct yg_sv text)
{
	for (size_t i = 0; k->options[i] != NULL; i++)
		if (yg_sv_eq(text, yg_sv_of(k->options[i])))
			return true;
	return false;
}

static bool url_ok(struct yg_sv text)
{
	if (YG_SV_IS(text, "embedded"))
		return true;
	struct yg_sv rest = text;
	if (yg_sv_starts(text, YG_SV("http://")))
		rest = yg_sv_sub(text, 7, text.n);
	else if (yg_sv_starts(text, YG_SV("https://")))
		rest = yg_sv_sub(text, 8, text.n);
	else
		return false;
	if (rest.n > 0 && rest.p[rest.n - 1] == '/')
		rest.n--;
	size_t colon = rest.n;
	while (colon > 0 && rest.p[colon - 1] != ':')
		colon--;
	uint64_t port = 0;
	if (colon < 2 || yg_parse_u64(yg_sv_sub(rest, colon, rest.n), &port, NULL) != YG_OK ||
	    port == 0 || port > 65535)
		return false;
	for (size_t i = 0; i + 1 < colon; i++) {
		char c = rest.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      strchr("-._[]:", c) != NULL))
			return false;
	}
	return true;
}

static bool path_ok(const struct yg_conf_key *k, struct yg_sv text)
{
	/* relative to what? roles and checks run in several folders; those that may be
	 * relative to the configuration file were made absolute by its reader */
	if (text.p[0] != '/')
		return false;
	if ((k->flags & YG_CF_STAR) == 0)
		return true;
	size_t slash = text.n, stars = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '/')
			slash = i;
		stars += text.p[i] == '*';
	}
	size_t star = yg_sv_find(text, '*', 0);
	return slash + 1 < text.n && stars <= 1 && (stars == 0 || star > slash) &&
	       !yg_sv_has(text, YG_SV("/../"));
}

static bool address_ok(const struct yg_conf_key *k, struct yg_sv text)
{
	struct yg_addr a;
	if (yg_addr_parse(text, &a, NULL) != YG_OK)
		return false;
	return (k->flags & YG_CF_LOOPBACK) == 0 || yg_addr_is_loopback(&a);
}

/* "ip@port" and "ip" become what yg_addr_parse() reads; "#name" behind it stays. */
static bool dns_address(const struct yg_conf_key *k, struct yg_sv text, struct yg_sb *out)
{
	struct yg_addr a;
	struct yg_ip ip;
	uint64_t port = k->min;
	size_t hash = yg_sv_find(text, '#', 0), at = yg_sv_find(text, '@', 0);
	struct yg_sv where = yg_sv_sub(text, 0, hash), host = yg_sv_sub(where, 0, at);
	if (hash + 1 == text.n)
		return false;
	if (hash < text.n && port == 53) /* a server with a name is asked by TLS */
		port = 853;
	if (yg_addr_parse(where, &a, NULL) == YG_OK) { /* ip:port */
		yg_addr_format(out, &a);
	} else {
		if (yg_ip_parse(host, &ip) != YG_OK ||
		    (at < where.n &&
		     yg_parse_u64(yg_sv_sub(where, at + 1, where.n), &port, NULL) != YG_OK) ||
		    port > 65535)
			return false;
		bool v4 = yg_ip_is_v4(ip);
		yg_sb_put(out, v4 ? YG_SV("") : YG_SV("["));
		yg_ip_format(out, ip);
		yg_sb_put(out, v4 ? YG_SV(":") : YG_SV("]:"));
		yg_sb_u64(out, port);
	}
	yg_sb_put(out, yg_sv_sub(text, hash, text.n));
	return !out->cut;
}

static bool prefix_ok(struct yg_sv text)
{
	struct yg_ip ip;
	unsigned bits;
	return yg_ip_prefix_parse(text, &ip, &bits, NULL) == YG_OK;
}

/* RFC 1035 2.3.4; the letters of names that people give to zones. */
bool yg_conf_domain_ok(struct yg_sv text)
{
	if (YG_SV_IS(text, "."))
		return true;
	if (text.n > 1 && text.p[text.n - 1] == '.')
		text.n--;
	if (text.n > YG_DOMAIN_MAX)
		return false;
	struct yg_sv label;
	while (yg_sv_cut(&text, '.', &label)) {
		if (label.n == 0 || label.n > 63)
			return false;
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];
			if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			      (c >= '0' && c <= '9') || c == '-' || c == '_'))
				return false;
		}
	}
	return true;
}

static bool text_ok(const struct yg_conf_key *k, struct yg_sv text)
{
	if (text.n == 0)
		return (k->flags & YG_CF_EMPTY) != 0;
	if (text.n > 4096 || memchr(text.p, 0, text.n) != NULL || yg_utf8_valid(text) != text.n)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	if ((k->flags & YG_CF_NONE) != 0 && YG_SV_IS(text, "none"))
		return true;
	switch (k->type) {
	case YG_CT_ENUM: return is_option(k, text);
	case YG_CT_SLUG: return yg_slug_ok(text);
	case YG_CT_ADDRESS: return address_ok(k, text);
	case YG_CT_FILE: return path_ok(k, text);
	case YG_CT_URL: return url_ok(text);
	case YG_CT_PREFIX: return prefix_ok(text);
	case YG_CT_DOMAIN: return yg_conf_domain_ok(text);
	case YG_CT_SOURCE:
		return is_option(k, text) || (yg_sv_starts(text, YG_SV("ndjson:")) &&
					      yg_slug_ok(yg_sv_sub(text, 7, text.n)));
	default: return true;
	}
}

static void put_found(struct yg_sb *b, struct yg_sv text)
{
	if (text.n == 0) {
		yg_sb_put(b, YG_SV("nothing"));
		return;
	}
	yg_sb_putc(b, '\'');
	yg_sb_put_untrusted(b, yg_sv_sub(text, 0, 48));
	yg_sb_put(b, text.n > 48 ? YG_SV("...'") : YG_SV("'"));
}

/* The texts `before` and `text` of a key that may have many, into the arena. */
static bool keep_text(struct yg_sv *to, struct yg_sv before, struct yg_sv text,
		      struct yg_arena *arena, struct yg_sb *why)
{
	size_t n = before.n + (before.n > 0) + text.n;
	char *p = yg_arena_alloc(arena, n + 1, 1);
	if (p == NULL) {
		yg_sb_put(why, YG_SV("no memory for it"));
		return false;
	}
	struct yg_sb b = yg_sb_init(p, n + 1);
	yg_sb_put(&b, before);
	if (before.n > 0)
		yg_sb_putc(&b, ' ');
	yg_sb_put(&b, text);
	p[n] = '\0';
	*to = (struct yg_sv){p, n};
	return true;
}

static bool set_text(const struct yg_conf_key *k, struct yg_sv *to, struct yg_sv before,
		     struct yg_sv text, struct yg_arena *arena, struct yg_sb *why)
{
	char address[YG_ADDR_TEXT_MAX + 256];
	struct yg_sb b = yg_sb_init(address, sizeof address);
	if (k->type == YG_CT_DNS && text.n > 0) {
		/* blanks would part what belongs together */
		if (text.n > 300 || memchr(text.p, ' ', text.n) != NULL ||
		    !dns_address(k, text, &b))
			return false;
		text = yg_sb_sv(&b);
	} else if (!text_ok(k, text) ||
		   ((k->flags & YG_CF_MANY) != 0 && text.n > 0 &&
		    (memchr(text.p, ' ', text.n) != NULL || before.n + text.n > 4096))) {
		return false;
	}
	return keep_text(to, before, text, arena, why);
}

static bool set(const struct yg_conf_key *k, void *base, struct yg_sv before, struct yg_sv text,
		struct yg_arena *arena, struct yg_sb *why)
{
	bool ok = yg_conf_is_number(k) ? set_number(k, base, text)
				       : set_text(k, yg_conf_sv(base, k), before, text, arena, why);
	if (!ok && why->n > 0)
		return false;
	if (!ok) {
		yg_sb_put(why, YG_SV("expected "));
		yg_conf_expected(why, k);
		yg_sb_put(why, YG_SV(", found "));
		put_found(why, text);
	}
	return ok;
}

bool yg_conf_set(const struct yg_conf_key *k, void *base, struct yg_sv text, struct yg_arena *arena,
		 struct yg_sb *why)
{
	return set(k, base, YG_SV(""), text, arena, why);
}

bool yg_conf_add(const struct yg_conf_key *k, void *base, struct yg_sv text, struct yg_arena *arena,
		 struct yg_sb *why)
{
	return set(k, base, *yg_conf_sv(base, k), text, arena, why);
}

bool yg_conf_name_is(struct yg_sv found, const char *name)
{
	size_t i = 0;
	for (; i < found.n && name[i] != '\0'; i++) {
		char a = found.p[i] == '-' ? '_' : found.p[i], b = name[i] == '-' ? '_' : name[i];
		if (a != b)
			return false;
	}
	return i == found.n && name[i] == '\0';
}

/* Whether a plain YAML scalar means this text and nothing else to any reader. */
static bool plain_ok(struct yg_sv s)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
					    "off",  "null",  "y",   "n"};
	if (s.n == 0 || s.n > 200 || !((s.p[0] >= 'a' && s.p[0] <= 'z') || s.p[0] == '/'))
		return false;
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (yg_sv_ieq(s, yg_sv_of(words[i])))
			return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      strchr("/._-", c) != NULL))
			return false;
	}
	return true;
}

static void put_text(struct yg_sb *b, struct yg_sv s)
{
	if (plain_ok(s)) {
		yg_sb_put(b, s);
		return;
	}
	yg_sb_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) { /* no control characters: text_ok() */
		if (s.p[i] == '"' || s.p[i] == '\\')
			yg_sb_putc(b, '\\');
		yg_sb_putc(b, s.p[i]);
	}
	yg_sb_putc(b, '"');
}

void yg_conf_format(struct yg_sb *b, const struct yg_conf_key *k, const void *base)
{
	if (yg_conf_is_number(k)) {
		put_number(b, k, *yg_conf_u64(base, k));
		return;
	}
	struct yg_sv s = *yg_conf_sv(base, k), one;
	if ((k->flags & YG_CF_MANY) == 0) {
		put_text(b, s);
		return;
	}
	yg_sb_putc(b, '[');
	for (bool first = true; s.n > 0 && yg_sv_cut(&s, ' ', &one); first = false) {
		yg_sb_put(b, first ? YG_SV("") : YG_SV(", "));
		put_text(b, one);
	}
	yg_sb_putc(b, ']');
}
