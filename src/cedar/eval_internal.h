/* eval_internal.h - the pieces of the evaluator; private to cedar. */
#pragma once
#include "cedar/eval.h"

/* One operation with its operands: a[0] .. ; the result goes to *out, which may be
 * a[0].  Each counts the elements that it looks at. */
yg_status yg_cv_arith(const struct yg_cedar_op *op, const struct yg_cedar_value *a,
		      struct yg_cedar_value *out, struct yg_err *err);
yg_status yg_cv_less(const struct yg_cedar_op *op, const struct yg_cedar_value *a,
		     struct yg_cedar_value *out, struct yg_err *err);
yg_status yg_cv_sets(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		     const struct yg_cedar_value *a, struct yg_cedar_value *out,
		     struct yg_err *err);
yg_status yg_cv_in(struct yg_cedar_eval *e, const struct yg_cedar_value *a,
		   struct yg_cedar_value *out, struct yg_err *err);
yg_status yg_cv_attr(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		     const struct yg_cedar_value *a, struct yg_cedar_value *out,
		     struct yg_err *err);
yg_status yg_cv_has(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		    const struct yg_cedar_value *a, struct yg_cedar_value *out, struct yg_err *err);
yg_status yg_cv_tag(struct yg_cedar_eval *e, const struct yg_cedar_op *op,
		    const struct yg_cedar_value *a, struct yg_cedar_value *out, struct yg_err *err);
/* YG_PARSE when it is of another kind. */
yg_status yg_cv_need(const struct yg_cedar_value *v, enum yg_cedar_kind kind, struct yg_err *err);
