/* tree.h - the organisation tree as pairs of a node and what is below it, so that
 * "everything below" is one look-up.  For org/organisation.c alone; all of it in
 * the caller's transaction. */
#pragma once
#include "org/organisation.h"

/* May o->slug (there or not yet) stand where o says?  YG_NOTFOUND: no such
 * parent; YG_INVAL: its kind does not fit; YG_CONFLICT: a circle; YG_LIMIT: too deep. */
yg_status yg_tree_check(struct yg_state *db, const struct yg_org *o, struct yg_err *err);
/* Pairs of a new node without anything below it. */
yg_status yg_tree_add(struct yg_state *db, struct yg_sv slug, struct yg_sv parent,
		      struct yg_err *err);
/* Pairs of a node that moves with everything below it; parent empty: becomes a root. */
yg_status yg_tree_move(struct yg_state *db, struct yg_sv slug, struct yg_sv parent,
		       struct yg_err *err);
