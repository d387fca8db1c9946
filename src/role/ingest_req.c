/* A batch on its way onto the disk: a copy of everything it points to. */
#include "role/ingest_internal.h"

static char *req_copy(char **to, struct yg_sv *s)
{
	char *at = *to;
	if (s->n > 0)
		memcpy(at, s->p, s->n);
	s->p = at;
	*to += s->n;
	return at;
}

struct ingest_req *ingest_req_new(const struct yg_spool_batch *b)
{
	struct ingest_req *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	r->b = *b;
	struct yg_sv *views[] = {&r->b.org,      &r->b.sensor, &r->b.mapping, &r->b.batch_id,
				 &r->b.mark_key, &r->b.mark,   &r->b.body};
	for (size_t i = 0; i < YG_LEN(views); i++)
		r->mem_n += views[i]->n;
	r->mem = malloc(r->mem_n + 1);
	if (r->mem == NULL) {
		free(r);
		return NULL;
	}
	char *to = r->mem;
	for (size_t i = 0; i < YG_LEN(views); i++)
		(void)req_copy(&to, views[i]);
	return r;
}

void ingest_req_free(struct ingest_req *r)
{
	if (r == NULL)
		return;
	free(r->mem);
	free(r);
}
