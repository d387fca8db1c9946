/* print.c - what both forms of writing share. */
#include "cedar/print_internal.h"

void yg_cp_put(struct yg_cp *w, struct yg_cp_task task)
{
	struct yg_cp_task *to = w->bad == YG_OK ? yg_vec_add(&w->tasks, sizeof *to) : NULL;
	if (to != NULL)
		*to = task;
	else if (w->bad == YG_OK)
		w->bad = YG_FAIL(w->err, YG_NOMEM, "no memory to write a policy");
}

yg_status yg_cp_run(struct yg_cp *w, struct yg_cedar_range code,
		    void (*write)(struct yg_cp *w, const struct yg_cp_task *task))
{
	w->tasks.n = 0;
	yg_cp_node(w, code.end - 1, 0);
	while (w->bad == YG_OK && !w->out->bad && w->tasks.n > 0) {
		const struct yg_cp_task t = ((struct yg_cp_task *)w->tasks.p)[--w->tasks.n];
		if (t.kind == YG_CP_TEXT)
			yg_buf_put(w->out, yg_sv_of(t.text));
		else
			write(w, &t);
	}
	return w->bad;
}
