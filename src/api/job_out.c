/* job_out.c - a job as the answer of a request. */
#include "alert/alert.h"
#include "api/routes.h"
#include "api/text.h"
#include "format/json.h"
#include "org/job.h"

#define RESULT_NODES 65536

/* What could not be done, with why in the reader's language. */
static void put_faults(struct yg_jo *j, const struct yg_request *q, const struct yg_json *doc,
		       uint32_t list)
{
	yg_jo_begin(j, '[');
	for (uint32_t i = 0, at = list + 1; i < yg_json_at(doc, list)->n; i++) {
		bool object = yg_json_at(doc, at)->type == YG_JSON_OBJECT;
		yg_jo_begin(j, '{');
		for (uint32_t k = 0, key = at + 1; object && k < yg_json_at(doc, at)->n; k++) {
			yg_jo_key_sv(j, yg_json_raw(doc, key));
			if (YG_SV_IS(yg_json_raw(doc, key), "reason"))
				yg_jo_text(j, yg_text(q, yg_json_str(doc, key + 1, q->arena)));
			else
				yg_jo_raw(j, yg_json_text(doc, key + 1));
			key = yg_json_at(doc, key + 1)->next;
		}
		yg_jo_end(j, '}');
		at = yg_json_at(doc, at)->next;
	}
	yg_jo_end(j, ']');
}

static void put_result(struct yg_jo *j, const struct yg_request *q, struct yg_sv result)
{
	struct yg_json doc;
	yg_json_init(&doc, RESULT_NODES);
	bool read = q->japanese && result.n > 0 && yg_json_parse(&doc, result, NULL) == YG_OK;
	uint32_t list = read ? yg_json_get(&doc, 0, YG_SV("faults")) : 0;
	yg_jo_key(j, "result");
	if (list == 0 || yg_json_at(&doc, list)->type != YG_JSON_ARRAY) {
		yg_jo_raw(j, result);
	} else {
		yg_jo_begin(j, '{');
		for (uint32_t i = 0, key = 1; i < yg_json_at(&doc, 0)->n; i++) {
			yg_jo_key_sv(j, yg_json_raw(&doc, key));
			if (key + 1 == list)
				put_faults(j, q, &doc, list);
			else
				yg_jo_raw(j, yg_json_text(&doc, key + 1));
			key = yg_json_at(&doc, key + 1)->next;
		}
		yg_jo_end(j, '}');
	}
	yg_json_free(&doc);
}

void yg_put_job(struct yg_jo *j, const struct yg_request *q, const struct yg_job *job)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", job->id);
	yg_jo_str(j, "kind", job->kind);
	yg_jo_str_or_null(j, "org", job->org);
	yg_jo_str(j, "state", yg_sv_of(yg_job_state_name(job->state)));
	yg_jo_int(j, "done", job->done);
	if (job->total > 0)
		yg_jo_int(j, "total", job->total);
	else
		yg_jo_str_or_null(j, "total", YG_SV(""));
	yg_jo_int(j, "errors", job->errors);
	yg_jo_str(j, "message", yg_text(q, job->message));
	put_result(j, q, job->result);
	yg_jo_time(j, "created_at", job->created.us);
	yg_jo_time(j, "started_at", job->started.us);
	yg_jo_time(j, "finished_at", job->finished.us);
	yg_jo_int(j, "undo_left", job->undo_left);
	yg_jo_time(j, "undo_until",
		   job->undo_left > 0 && job->finished.us > 0
			   ? job->finished.us + YG_ALERT_UNDO_S * YG_US_PER_S
			   : 0);
	yg_jo_end(j, '}');
}
