#include "org/tree.h"

/* Kinds and depths around a place: of the parent, and of what is below the node. */
struct around {
	enum yg_org_kind parent, child_top; /* NONE: there is none */
	int64_t parent_depth, height;       /* nodes from the root to the parent; below the node */
	bool parent_found, circle;
};

static yg_status look_up(struct yg_state *db, const struct yg_org *o, struct around *out,
			 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT p.kind, (SELECT max(depth) + 1 FROM organisation_path WHERE slug = $1),"
		       " (SELECT count(*) FROM organisation_path WHERE ancestor = $2 AND slug = $1)"
		       " FROM organisation p WHERE p.slug = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, o->parent);
	yg_stmt_text(s, 2, o->slug);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	out->parent_found = true;
	(void)yg_org_kind_parse(yg_col_text(s, 0), &out->parent);
	out->parent_depth = yg_col_i64(s, 1);
	out->circle = yg_col_i64(s, 2) > 0;
	return YG_OK;
}

static yg_status look_down(struct yg_state *db, struct yg_sv slug, struct around *out,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT p.depth, o.kind FROM organisation_path p JOIN organisation o ON o.slug = p.slug"
		       " WHERE p.ancestor = $1 AND p.depth > 0"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, slug);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		enum yg_org_kind kind = YG_ORG_KIND_NONE;
		out->height = YG_MAX(out->height, yg_col_i64(s, 0));
		(void)yg_org_kind_parse(yg_col_text(s, 1), &kind);
		if (out->child_top == YG_ORG_KIND_NONE || kind < out->child_top)
			out->child_top = kind;
	}
	return st;
}

yg_status yg_tree_check(struct yg_state *db, const struct yg_org *o, struct yg_err *err)
{
	struct around a = {.parent_depth = 0};
	yg_status st = o->parent.n > 0 ? look_up(db, o, &a, err) : YG_OK;
	if (st == YG_OK)
		st = look_down(db, o->slug, &a, err);
	if (st != YG_OK)
		return st;
	if (o->parent.n > 0 && !a.parent_found)
		return YG_FAIL(err, YG_NOTFOUND, "there is no such parent");
	if (a.circle)
		return YG_FAIL(err, YG_CONFLICT, "the parent stands below the organisation");
	if (o->parent.n > 0 && (o->kind == YG_ORG_CENTRE || a.parent > o->kind))
		return YG_FAIL(err, YG_INVAL, "a %s does not stand below a %s",
			       yg_org_kind_name(o->kind), yg_org_kind_name(a.parent));
	if (a.child_top != YG_ORG_KIND_NONE && a.child_top < o->kind)
		return YG_FAIL(err, YG_INVAL, "a %s does not stand above a %s",
			       yg_org_kind_name(o->kind), yg_org_kind_name(a.child_top));
	if (a.parent_depth + a.height > YG_ORG_DEPTH_MAX)
		return YG_FAIL(err, YG_LIMIT, "the tree has at most %d levels below a root",
			       YG_ORG_DEPTH_MAX);
	return YG_OK;
}

static yg_status run(struct yg_state *db, const char *sql, struct yg_sv slug, struct yg_sv parent,
		     bool two, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, slug);
	if (two)
		yg_stmt_text(s, 2, parent);
	return yg_stmt_run(s, err);
}

static yg_status hang(struct yg_state *db, struct yg_sv slug, struct yg_sv parent,
		      struct yg_err *err)
{
	return run(
		db,
		YG_SQL("INSERT INTO organisation_path (ancestor, slug, depth)"
		       " SELECT a.ancestor, d.slug, a.depth + d.depth + 1"
		       " FROM organisation_path a JOIN organisation_path d ON d.ancestor = $1 WHERE a.slug = $2"),
		slug, parent, true, err);
}

yg_status yg_tree_add(struct yg_state *db, struct yg_sv slug, struct yg_sv parent,
		      struct yg_err *err)
{
	yg_status st = run(
		db,
		YG_SQL("INSERT INTO organisation_path (ancestor, slug, depth) VALUES ($1, $1, 0)"),
		slug, parent, false, err);
	return st == YG_OK && parent.n > 0 ? hang(db, slug, parent, err) : st;
}

yg_status yg_tree_move(struct yg_state *db, struct yg_sv slug, struct yg_sv parent,
		       struct yg_err *err)
{
	yg_status st = run(
		db,
		YG_SQL("DELETE FROM organisation_path"
		       " WHERE slug IN (SELECT slug FROM organisation_path WHERE ancestor = $1)"
		       " AND ancestor NOT IN (SELECT slug FROM organisation_path WHERE ancestor = $1)"),
		slug, parent, false, err);
	return st == YG_OK && parent.n > 0 ? hang(db, slug, parent, err) : st;
}
