#include "dns/block.h"

#include "base/limits.h"
#include "dns/answer.h"
#include "intel/compile.h"
#include "org/audit_log.h"
#include "org/organisation.h"
#include "store/rows.h"

#define REASON_MAX 8000
#define COLUMNS                                                                                    \
	"id, type, value, org, category, ede, reason, actor, created, updated, expires, version"

yg_status yg_dns_state_touch(struct yg_state *db, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("UPDATE dns_change SET changes = changes + 1 WHERE id = 1"), &s, err);
	return st == YG_OK ? yg_stmt_run(s, err) : st;
}

static yg_status check_texts(struct yg_sv reason, struct yg_sv category, struct yg_err *err)
{
	if (yg_sv_trim(reason).n == 0 || reason.n > REASON_MAX || yg_utf8_valid(reason) != reason.n)
		return YG_FAIL(err, YG_INVAL, "a block entry has a reason of 1 to 2000 characters");
	if (!yg_dns_category_ok(category))
		return YG_FAIL(err, YG_INVAL, "a category is up to %d of a-z 0-9 . _ -",
			       YG_DNS_CATEGORY_MAX);
	return YG_OK;
}

/* Would it cover what belongs to thousands of others? */
static yg_status check_reach(const struct yg_block_new *n, struct yg_sv value, struct yg_err *err)
{
	struct yg_suffixes *suffixes = NULL;
	struct yg_ip ip;
	unsigned bits = 0;
	if (n->force || n->type == YG_IND_FQDN)
		return YG_OK;
	if (n->type == YG_IND_IP) {
		yg_status st = yg_ip_prefix_parse(value, &ip, &bits, err);
		unsigned least = st == YG_OK && yg_ip_is_v4(ip) ? 96 + 8 : 16;
		return st != YG_OK || bits >= least
			       ? st
			       : YG_FAIL(err, YG_DENIED, "a prefix that short covers too much");
	}
	char name[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_put(&b, value);
	yg_status st = yg_suffixes_new(&suffixes, err);
	if (st == YG_OK && yg_suffixes_covers(suffixes, yg_sb_cstr(&b)))
		st = YG_FAIL(err, YG_DENIED, "it covers a whole public suffix");
	yg_suffixes_free(suffixes);
	return st;
}

static yg_status insert(struct yg_act *act, const struct yg_block_new *n, struct yg_sv id,
			struct yg_sv value, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO block_entry (id, type, value, org, category, ede, reason, actor, created, updated, expires)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, n->type);
	yg_stmt_text(s, 3, value);
	yg_stmt_text_or_null(s, 4, n->org);
	yg_stmt_text(s, 5, n->category);
	yg_stmt_i64(s, 6, n->ede);
	yg_stmt_text(s, 7, n->reason);
	yg_stmt_text(s, 8, act->who);
	yg_stmt_i64(s, 9, yg_env_wall(act->env).us);
	yg_stmt_i64(s, 10, n->expires.us);
	return yg_stmt_run(s, err);
}

static yg_status add(struct yg_act *act, const struct yg_block_new *n, struct yg_sv id,
		     struct yg_sv value, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = n->org.n > 0 ? yg_org_known(act->db, n->org, err) : YG_OK;
	if (st == YG_OK)
		st = insert(act, n, id, value, err);
	if (st == YG_OK)
		st = yg_dns_state_touch(act->db, err);
	yg_detail_note(&d, "type", yg_sv_of(yg_indicator_type_name(n->type)));
	yg_detail_note(&d, "value", value);
	yg_detail_note(&d, "category", n->category);
	yg_detail_note(&d, "reason", n->reason);
	(void)yg_detail_time(&d, "expires", 0, n->expires.us);
	return st == YG_OK ? yg_audit_add(act, "block.add", id, n->org, &d, err) : st;
}

yg_status yg_block_add(struct yg_act *act, const struct yg_block_new *n, struct yg_id *out_id,
		       struct yg_err *err)
{
	char buf[YG_KEY_MAX];
	struct yg_sb value = yg_sb_init(buf, sizeof buf);
	struct yg_tx tx;
	struct yg_id id = yg_id_new(&act->ids, act->env, "k");
	yg_status st = check_texts(n->reason, n->category, err);
	if (st == YG_OK && n->type != YG_IND_IP && n->type != YG_IND_DOMAIN &&
	    n->type != YG_IND_FQDN)
		st = YG_FAIL(err, YG_INVAL, "DNS blocks a domain, an fqdn or an ip");
	if (st == YG_OK && n->ede != 0 && (n->ede < 15 || n->ede > 17))
		st = YG_FAIL(err, YG_INVAL, "the extended error is 15, 16 or 17");
	if (st == YG_OK && n->expires.us != 0 && n->expires.us <= yg_env_wall(act->env).us)
		st = YG_FAIL(err, YG_INVAL, "the entry would have expired already");
	if (st == YG_OK)
		st = yg_indicator_normalize(n->type, n->value, &value, err);
	if (st == YG_OK)
		st = check_reach(n, yg_sb_sv(&value), err);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_tx_end(&tx, add(act, n, yg_id_sv(&id), yg_sb_sv(&value), err), err);
	if (st == YG_OK)
		*out_id = id;
	return st;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_block *k = to;
	const struct yg_row_text texts[] = {{&k->id, 0},       {&k->value, 2},  {&k->org, 3},
					    {&k->category, 4}, {&k->reason, 6}, {&k->actor, 7}};
	k->type = (enum yg_indicator_type)yg_col_i64(s, 1);
	k->ede = (uint16_t)yg_col_i64(s, 5);
	k->created.us = yg_col_i64(s, 8);
	k->updated.us = yg_col_i64(s, 9);
	k->expires.us = yg_col_i64(s, 10);
	k->version = yg_col_i64(s, 11);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

yg_status yg_block_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_block *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	struct yg_block k = {0};
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM block_entry WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such block entry");
	if (st == YG_OK)
		st = take(s, arena, &k, err);
	if (st == YG_OK)
		*out = k;
	return st;
}

yg_status yg_block_list(struct yg_state *db, const struct yg_block_filter *f,
			struct yg_arena *arena, struct yg_block **out, size_t *out_n,
			struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS
		       " FROM block_entry WHERE ($1 = 1 OR org IS NULL OR org IN yg_set($4))"
		       " AND ($2 = '' OR id < $2) AND created < $5 ORDER BY id DESC LIMIT $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 4, f->reach.orgs, f->reach.org_count);
	yg_stmt_i64(s, 5, yg_reach_until(&f->reach));
	yg_stmt_text(s, 2, f->before);
	yg_stmt_i64(s, 3, f->limit);
	const struct yg_row_list how = {
		.each = sizeof(struct yg_block), .limit = f->limit, .take = take};
	return yg_row_list(s, &how, arena, out, out_n, err);
}

static yg_status write_change(struct yg_act *act, const struct yg_block *k, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE block_entry SET category = $2, reason = $3, expires = $4, updated = $5, version = version + 1 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, k->id);
	yg_stmt_text(s, 2, k->category);
	yg_stmt_text(s, 3, k->reason);
	yg_stmt_i64(s, 4, k->expires.us);
	yg_stmt_i64(s, 5, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status change(struct yg_act *act, struct yg_sv id, int64_t version,
			const struct yg_block_set *set, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_block old = {0}, k;
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_block_get(act->db, id, &arena, &old, err);
	if (st != YG_OK)
		return st;
	if (version != YG_ANY_VERSION && version != old.version)
		return YG_FAIL(err, YG_CONFLICT, "the block entry was changed meanwhile");
	k = old;
	k.category = set->category != NULL ? *set->category : k.category;
	k.reason = set->reason != NULL ? *set->reason : k.reason;
	k.expires = set->expires != NULL ? *set->expires : k.expires;
	st = check_texts(k.reason, k.category, err);
	bool differs = yg_detail_text(&d, "category", old.category, k.category);
	differs |= yg_detail_text(&d, "reason", old.reason, k.reason);
	differs |= yg_detail_time(&d, "expires", old.expires.us, k.expires.us);
	if (st != YG_OK || !differs)
		return st;
	st = write_change(act, &k, err);
	if (st == YG_OK)
		st = yg_dns_state_touch(act->db, err);
	return st == YG_OK ? yg_audit_add(act, "block.update", id, k.org, &d, err) : st;
}

yg_status yg_block_change(struct yg_act *act, struct yg_sv id, int64_t version,
			  const struct yg_block_set *set, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change(act, id, version, set, err), err) : st;
}

static yg_status remove_entry(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_stmt *s = NULL;
	struct yg_block k = {0};
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_block_get(act->db, id, &arena, &k, err);
	if (st == YG_OK)
		st = yg_state_prepare(act->db, YG_SQL("DELETE FROM block_entry WHERE id = $1"), &s,
				      err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		st = yg_dns_state_touch(act->db, err);
	yg_detail_note(&d, "value", k.value);
	return st == YG_OK ? yg_audit_add(act, "block.remove", id, k.org, &d, err) : st;
}

yg_status yg_block_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, remove_entry(act, id, err), err) : st;
}
