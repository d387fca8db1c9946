/* routes_detect.h - shared by the handlers of detection rules; nothing else includes it. */
#pragma once
#include "api/body.h"
#include "api/routes.h"
#include "detect/registry.h"

#define LEVEL_WORDS "informational low medium high critical"

/* Rules are not what they were: they are compiled again. */
void yg_rules_changed(struct yg_api *api);
/* A rule for all organisations is everybody's to read and the centre's to change; one of a
 * node above is there to be read by all below it. */
yg_status yg_find_rule(struct yg_request *q, struct yg_state *db, struct yg_sv uid, bool change,
		       struct yg_drule *out, struct yg_err *err);
/* The whole rule, with its ETag and what stands beside it. */
yg_status yg_answer_rule(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_state *db, int status, struct yg_sv uid, struct yg_err *err);
/* Said by a node above: who may not see it does not learn its name, nor who works there. */
bool yg_is_inherited(const struct yg_request *q, struct yg_sv org);
void yg_put_exception(struct yg_jo *j, const struct yg_request *q,
		      const struct yg_detect_exception *x);
void yg_put_override(struct yg_jo *j, const struct yg_request *q,
		     const struct yg_detect_override *o);
/* For whom a stage is in force: ?org=, else the caller's own node. */
struct yg_sv yg_stage_org(const struct yg_request *q);
/* What a filter of rules finds: stage, level, kind, q, technique ... of the query. */
yg_status yg_rules_read_filter(struct yg_request *q, struct yg_drule_filter *f, struct yg_err *err);
/* A tactic of the matrix ("execution"; "none": none that it knows) as parts of tags in the
 * arena, into f->one_of or f->none_of.  False: there is no such tactic; or no memory. */
bool yg_attack_tactic(struct yg_request *q, struct yg_sv word, struct yg_drule_filter *f);
/* "T1059", "execution" -> "attack.t1059", "attack.execution", in the arena. */
struct yg_sv yg_attack_tag(struct yg_request *q, struct yg_sv word);
/* The i-th technique ("T1059.001") of a rule's tags, at most 16 bytes; false: no i-th. */
bool yg_attack_technique(struct yg_sv tags, size_t i, struct yg_sb *out);
