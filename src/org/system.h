/* system.h - information systems of organisations: who answers for one, how much
 * matters, its grades, and which networks and hosts belong to it.
 *
 * Grades follow the unified standards (cia3: confidentiality 1..3, integrity and
 * availability 1..2) or the guideline for local governments (local5:
 * confidentiality 1, 2, 3C, 3B, 3A).
 */
#pragma once
#include "base/arena.h"
#include "base/ip.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/reach.h"

#define YG_SYSTEM_MEMBERS_MAX 1000 /* of one system; more: YG_LIMIT */

struct yg_member {
	bool network;       /* else a host */
	struct yg_sv value; /* "192.0.2.0/24"; "mail.example", lower case */
};
struct yg_system {
	struct yg_sv id; /* "y-..." */
	struct yg_sv org, name, title_ja, title_en;
	struct yg_sv owner;                   /* person id or empty */
	int importance;                       /* 1..3, 3 the highest */
	struct yg_sv scheme, confidentiality; /* "cia3" or "local5"; "1" "2" "3" "3C" "3B" "3A" */
	int integrity, availability;          /* 1..2 */
	yg_wall created, updated;
	int64_t version;
};
/* id, times and version are made; empty titles, scheme and grades and importance
 * 0 get defaults.  YG_INVAL: a bad name, title or grade; YG_NOTFOUND: no such
 * organisation; YG_CONFLICT: the organisation has one of that name. */
yg_status yg_system_add(struct yg_act *act, const struct yg_system *y, struct yg_id *out_id,
			struct yg_err *err) YG_MUST_USE;
yg_status yg_system_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			struct yg_system *out, struct yg_err *err);
/* Within reach (by organisation or itself), by id, from behind `after`. */
yg_status yg_system_list(struct yg_state *db, const struct yg_reach *reach, struct yg_sv after,
			 uint32_t limit, struct yg_arena *arena, struct yg_system **out,
			 size_t *out_n, struct yg_err *err);
struct yg_system_set { /* NULL, 0: as it is */
	const struct yg_sv *title_ja, *title_en, *owner, *scheme, *confidentiality;
	int importance, integrity, availability;
};
yg_status yg_system_change(struct yg_act *act, struct yg_sv id, int64_t version,
			   const struct yg_system_set *set, struct yg_err *err) YG_MUST_USE;
/* Its members, its grants and the mark on its alerts go with it. */
yg_status yg_system_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err) YG_MUST_USE;

/* Networks first, each in the order of their text. */
yg_status yg_system_members(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			    struct yg_member **out, size_t *out_n, struct yg_err *err);
/* Makes these its members, and marks the alerts of its organisation anew.
 * YG_INVAL: not a network or host name, or one that another system of the
 * organisation has; nothing changes then. */
yg_status yg_system_set_members(struct yg_act *act, struct yg_sv id, int64_t version,
				const struct yg_member *members, size_t n,
				struct yg_err *err) YG_MUST_USE;
/* A member as it is kept: a prefix with its host bits cleared, a name in lower
 * case without a final dot.  YG_INVAL. */
yg_status yg_member_normalize(const struct yg_member *m, struct yg_sb *out, struct yg_err *err);

/* An alert belongs to the system of its asset; one that was merged from several
 * assets belongs to none.  Marks this alert, and others of the same asset, anew. */
yg_status yg_system_mark(struct yg_act *act, int64_t alert, struct yg_err *err) YG_MUST_USE;

/* Which system of `org` an asset (an address or a host name) belongs to: a host
 * of that name, else the longest network; empty: none. */
yg_status yg_system_of(struct yg_state *db, struct yg_sv org, struct yg_sv asset,
		       struct yg_arena *arena, struct yg_sv *out, struct yg_err *err);
