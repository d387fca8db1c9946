#include <stdio.h>

#include "role/store_internal.h"

/* The body of a streamed result, on the loop. */
static ssize_t on_read(void *ctx, uint64_t pos, char *to, size_t max)
{
	struct job *j = ctx;
	(void)pos;
	struct yg_sv from = j->result.error.n > 0 ? j->result.error : j->result.body;
	if (j->sent < from.n) {
		size_t n = YG_MIN(max, from.n - j->sent);
		memcpy(to, from.p + j->sent, n);
		j->sent += n;
		return (ssize_t)n;
	}
	if (j->result.error.n > 0) /* as ClickHouse does: its text, then the connection breaks */
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (j->stream_end)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (store_job_cancelled(j))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	j->suspended = true;
	MHD_suspend_connection(j->conn);
	store_watch_start(j);
	store_pool_add(j, WORK_READ, STEP_FETCH);
	return 0;
}

static void header(struct MHD_Response *r, const char *name, const char *value)
{
	(void)MHD_add_response_header(r, name,
				      value); /* NO only when memory is out: a header less */
}

static void add_headers(struct job *j, struct MHD_Response *r)
{
	char text[400];
	header(r, "X-ClickHouse-Server-Display-Name", "yagura");
	header(r, "X-ClickHouse-Timezone", "UTC");
	if (j->id[0] != '\0')
		header(r, "X-ClickHouse-Query-Id", j->id);
	if (j->code != 0) {
		(void)snprintf(text, sizeof text, "%" PRIu32, j->code);
		header(r, "X-ClickHouse-Exception-Code", text);
		header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=UTF-8");
		return;
	}
	header(r, MHD_HTTP_HEADER_CONTENT_TYPE, yg_store_format_mime(yg_sv_of(j->named)));
	if (j->named[0] != '\0')
		header(r, "X-ClickHouse-Format", j->named);
	const struct yg_chdb_result *s = &j->result;
	(void)snprintf(text, sizeof text,
		       "{\"read_rows\":\"%" PRIu64 "\",\"read_bytes\":\"%" PRIu64
		       "\",\"written_rows\":\"%" PRIu64 "\",\"written_bytes\":\"%" PRIu64
		       "\",\"total_rows_to_read\":\"0\",\"result_rows\":\"%" PRIu64
		       "\",\"result_bytes\":\"%zu\",\"elapsed_ns\":\"%" PRIu64 "\"}",
		       s->rows_read, s->bytes_read, s->rows_written, s->bytes_written, s->rows,
		       s->body.n,
		       j->begun_ms > 0 ? (store_now_ms(j->http) - j->begun_ms) * 1000000 : 0);
	header(r, "X-ClickHouse-Summary", text);
}

enum MHD_Result store_answer_send(struct job *j)
{
	struct MHD_Response *r;
	if (j->state == JOB_STREAM) {
		r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 128u << 10, on_read, j,
						      NULL);
		j->status = 200;
	} else {
		struct yg_sv body = j->text_out.n > 0       ? yg_buf_sv(&j->text_out)
				    : j->result.error.n > 0 ? j->result.error
							    : j->result.body;
		r = MHD_create_response_from_buffer(
			body.n, body.n > 0 ? (void *)(uintptr_t)body.p : (void *)(uintptr_t) "",
			MHD_RESPMEM_PERSISTENT);
	}
	if (r == NULL)
		return MHD_NO;
	add_headers(j, r);
	if (j->close_after)
		header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result ok = MHD_queue_response(j->conn, j->status, r);
	MHD_destroy_response(r);
	j->told = true;
	return ok;
}
