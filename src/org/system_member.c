/* Which networks and hosts belong to a system, and which system an asset belongs to. */
#include "org/audit_log.h"
#include "org/system.h"

#define VALUE_MAX 256

static bool host_ok(struct yg_sv s)
{
	if (s.n == 0 || s.n > 253)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c == 0x7f || c == '/' || c == '"' || c == '\\' || c == '\'' ||
		    c == '*')
			return false;
	}
	return yg_utf8_valid(s) == s.n;
}

/* Every asset whose text is the same means the same host. */
static void put_host(struct yg_sb *out, struct yg_sv s)
{
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	for (size_t i = 0; i < s.n; i++)
		yg_sb_putc(out, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i]);
}

yg_status yg_member_normalize(const struct yg_member *m, struct yg_sb *out, struct yg_err *err)
{
	struct yg_ip ip;
	struct yg_sv rest = m->value, head;
	uint64_t length = 128;
	if (!m->network && yg_ip_parse(m->value, &ip) != YG_OK) {
		if (!host_ok(m->value))
			return YG_FAIL(err, YG_INVAL, "not the name of a host");
		put_host(out, m->value);
		return out->cut ? YG_FAIL(err, YG_INVAL, "not the name of a host") : YG_OK;
	}
	bool prefix = m->network && yg_sv_find(m->value, '/', 0) < m->value.n;
	(void)yg_sv_cut(&rest, '/', &head);
	if (yg_ip_parse(head, &ip) != YG_OK ||
	    (prefix && (yg_parse_u64(rest, &length, NULL) != YG_OK ||
			length > (yg_ip_is_v4(ip) ? 32u : 128u))))
		return YG_FAIL(err, YG_INVAL, "not an address or network (192.0.2.0/24)");
	if (!m->network) { /* a host by its address, as assets are written */
		yg_ip_format(out, ip);
		return YG_OK;
	}
	if (prefix && yg_ip_is_v4(ip))
		length += 96;
	for (unsigned i = (unsigned)length; i < 128; i++)
		ip.b[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
	yg_ip_format(out, ip);
	yg_sb_putc(out, '/');
	yg_sb_u64(out, yg_ip_is_v4(ip) && length >= 96 ? length - 96 : length);
	return out->cut ? YG_FAIL(err, YG_INVAL, "not a network") : YG_OK;
}

yg_status yg_system_members(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			    struct yg_member **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	const size_t cap = YG_SYSTEM_MEMBERS_MAX;
	struct yg_member *list = YG_NEW_N(arena, struct yg_member, cap);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "members");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT type, value FROM system_member WHERE system = $1 ORDER BY type DESC, value"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	size_t n = 0;
	bool row = true;
	while (n < cap && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		list[n].network = YG_SV_IS(yg_col_text(s, 0), "network");
		list[n].value = yg_arena_dup(arena, yg_col_text(s, 1));
		if (list[n++].value.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "members");
	}
	*out = list;
	*out_n = n;
	return st;
}

struct place {                     /* one member of one system of an organisation */
	struct yg_sv system, host; /* host empty: a network */
	struct yg_ip ip;
	unsigned bits;
};
struct places {
	struct place *list;
	size_t n;
};

static yg_status read_places(struct yg_state *db, struct yg_sv org, struct yg_arena *arena,
			     struct places *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	size_t cap = 0;
	bool row = true;
	*out = (struct places){NULL, 0};
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT s.id, m.type, m.value FROM information_system s"
		       " JOIN system_member m ON m.system = s.id WHERE s.org = $1 ORDER BY s.id"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		if (out->n == cap) {
			cap = cap == 0 ? 16 : cap * 4;
			struct place *more = YG_NEW_N(arena, struct place, cap);
			if (more == NULL)
				return YG_FAIL(err, YG_NOMEM, "members of systems");
			if (out->n > 0)
				memcpy(more, out->list, out->n * sizeof *more);
			out->list = more;
		}
		struct place *p = &out->list[out->n++];
		*p = (struct place){.system = yg_arena_dup(arena, yg_col_text(s, 0)),
				    .host = YG_SV_INIT("")};
		struct yg_sv value = yg_col_text(s, 2);
		if (YG_SV_IS(yg_col_text(s, 1), "host"))
			p->host = yg_arena_dup(arena, value);
		else if (yg_ip_prefix_parse(value, &p->ip, &p->bits, NULL) != YG_OK)
			out->n--; /* cannot be: it was written by us */
		if (p->system.p == NULL || p->host.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "members of systems");
	}
	return st;
}

static bool inside(struct yg_ip ip, const struct place *p)
{
	for (unsigned i = 0; i < p->bits; i++) {
		unsigned bit = 0x80u >> (i % 8);
		if (((unsigned)ip.b[i / 8] & bit) != ((unsigned)p->ip.b[i / 8] & bit))
			return false;
	}
	return true;
}

static struct yg_sv find_place(const struct places *all, struct yg_sv asset)
{
	const struct place *best = NULL;
	struct yg_ip ip;
	char text[VALUE_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	bool address = yg_ip_parse(asset, &ip) == YG_OK;
	if (address)
		yg_ip_format(&b, ip);
	else
		put_host(&b, asset);
	for (size_t i = 0; i < all->n; i++) {
		const struct place *p = &all->list[i];
		if (p->host.n > 0) {
			if (yg_sv_eq(p->host, yg_sb_sv(&b)))
				return p->system;
			continue;
		}
		if (address && inside(ip, p) && (best == NULL || p->bits > best->bits))
			best = p;
	}
	return best != NULL ? best->system : YG_SV("");
}

yg_status yg_system_of(struct yg_state *db, struct yg_sv org, struct yg_sv asset,
		       struct yg_arena *arena, struct yg_sv *out, struct yg_err *err)
{
	struct places all;
	*out = YG_SV("");
	if (asset.n == 0 || asset.n >= VALUE_MAX)
		return YG_OK;
	yg_status st = read_places(db, org, arena, &all, err);
	if (st == YG_OK)
		*out = find_place(&all, asset);
	return st;
}

static yg_status mark_asset(struct yg_act *act, struct yg_sv org, struct yg_sv asset,
			    struct yg_sv system, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE alert SET system = CASE WHEN EXISTS (SELECT 1 FROM alert_part p"
		       " WHERE p.alert = alert.seq AND p.asset <> alert.asset) THEN '' ELSE $3 END"
		       " WHERE org = $1 AND asset = $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, asset);
	yg_stmt_text(s, 3, system);
	return yg_stmt_run(s, err);
}

yg_status yg_system_mark(struct yg_act *act, int64_t alert, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sv org, asset, system;
	bool row = false;
	yg_arena_init(&arena, 64 << 20);
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("SELECT org, asset FROM alert WHERE seq = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, alert);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	org = yg_arena_dup(&arena, yg_col_text(s, 0));
	asset = yg_arena_dup(&arena, yg_col_text(s, 1));
	if (org.p == NULL || asset.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "members of systems");
	yg_stmt_reset(s);
	st = yg_system_of(act->db, org, asset, &arena, &system, err);
	return st == YG_OK ? mark_asset(act, org, asset, system, err) : st;
}

/* The next asset behind `after` that alerts of `org` have. */
static yg_status next_asset(struct yg_state *db, struct yg_sv org, struct yg_sb *after,
			    bool *out_found, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT asset FROM alert WHERE org = $1 AND asset > $2 ORDER BY asset LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, yg_sb_sv(after));
	st = yg_stmt_step(s, out_found, err);
	if (st == YG_OK && *out_found) {
		struct yg_sv asset = yg_col_text(s, 0);
		if (asset.n >= after->cap)
			*out_found = false; /* longer than any asset is: those sort last */
		after->n = 0;
		yg_sb_put(after, *out_found ? asset : YG_SV(""));
	}
	return st;
}

/* Every alert of `org` gets the system its asset belongs to now. */
static yg_status mark_alerts(struct yg_act *act, struct yg_sv org, struct yg_arena *arena,
			     struct yg_err *err)
{
	struct places all;
	char text[VALUE_MAX * 4];
	struct yg_sb asset = yg_sb_init(text, sizeof text);
	bool found = true;
	yg_status st = read_places(act->db, org, arena, &all, err);
	while (st == YG_OK && (st = next_asset(act->db, org, &asset, &found, err)) == YG_OK &&
	       found)
		st = mark_asset(act, org, yg_sb_sv(&asset), find_place(&all, yg_sb_sv(&asset)),
				err);
	return st;
}

static yg_status insert_member(struct yg_act *act, const struct yg_system *y,
			       const struct yg_member *m, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	char text[VALUE_MAX];
	struct yg_sb value = yg_sb_init(text, sizeof text);
	bool row = false;
	yg_status st = yg_member_normalize(m, &value, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			YG_SQL("INSERT INTO system_member (system, type, value) SELECT $1, $2, $3"
			       " WHERE NOT EXISTS (SELECT 1 FROM information_system s JOIN system_member m"
			       " ON m.system = s.id WHERE s.org = $4 AND s.id <> $1 AND m.type = $2 AND m.value = $3)"
			       " ON CONFLICT (system, type, value) DO UPDATE SET value = excluded.value RETURNING 1"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, y->id);
	yg_stmt_text(s, 2, m->network ? YG_SV("network") : YG_SV("host"));
	yg_stmt_text(s, 3, yg_sb_sv(&value));
	yg_stmt_text(s, 4, y->org);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_INVAL, "another system of the organisation has '%.200s'",
			       yg_sb_cstr(&value));
	return st == YG_OK ? yg_stmt_step(s, &row, err) : st;
}

/* Version and time of a system whose members changed. */
static yg_status touch(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE information_system SET updated = $2, version = version + 1 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status set_members(struct yg_act *act, struct yg_sv id, int64_t version,
			     const struct yg_member *members, size_t n, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_system y = {0};
	struct yg_stmt *s = NULL;
	yg_arena_init(&arena, 64 << 20);
	yg_detail_init(&d);
	yg_status st = yg_system_get(act->db, id, &arena, &y, err);
	if (st == YG_OK && version != YG_ANY_VERSION && version != y.version)
		st = YG_FAIL(err, YG_CONFLICT, "the system was changed meanwhile");
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db, YG_SQL("DELETE FROM system_member WHERE system = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_run(s, err);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = insert_member(act, &y, &members[i], err);
	if (st == YG_OK)
		st = touch(act, id, err);
	if (st == YG_OK)
		st = mark_alerts(act, y.org, &arena, err);
	if (st != YG_OK)
		return st;
	YG_AUTO(yg_buf_free) struct yg_buf list = {0};
	yg_buf_init(&list, 1 << 20);
	for (size_t i = 0; i < YG_MIN(n, 100u); i++) {
		yg_buf_put(&list, i > 0 ? YG_SV(" ") : YG_SV(""));
		yg_buf_put(&list, members[i].value);
	}
	yg_detail_count(&d, "count", (int64_t)n);
	yg_detail_note(&d, "members", yg_buf_sv(&list));
	return yg_audit_add(act, "system.members", id, y.org, &d, err);
}

yg_status yg_system_set_members(struct yg_act *act, struct yg_sv id, int64_t version,
				const struct yg_member *members, size_t n, struct yg_err *err)
{
	struct yg_tx tx;
	if (n > YG_SYSTEM_MEMBERS_MAX)
		return YG_FAIL(err, YG_LIMIT, "a system has at most %d members",
			       YG_SYSTEM_MEMBERS_MAX);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, set_members(act, id, version, members, n, err), err)
			   : st;
}
