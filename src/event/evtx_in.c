#include "event/evtx_in.h"

#define JSON_TAIL 256 /* bytes that "Evtx" and its members have at most */

void yg_evtx_in_init(struct yg_evtx_in *in)
{
	yg_binxml_init(&in->xml);
	yg_buf_init(&in->json, YG_RECORD_MAX - JSON_TAIL);
}

void yg_evtx_in_free(struct yg_evtx_in *in)
{
	yg_binxml_free(&in->xml);
	yg_buf_free(&in->json);
}

void yg_evtx_in_begin(struct yg_evtx_in *in, struct yg_norm *n)
{
	in->is_evtx = !n->framed && yg_evtx_is_file(n->batch);
	in->is_other = !n->framed && !in->is_evtx && n->source == YG_SOURCE_EVTX;
	in->is_broken = in->in_chunk = in->has_said = false;
}

/* ---- the header ---- */

static bool give_broken(struct yg_evtx_in *in, struct yg_sv bytes, struct yg_sv *out)
{
	in->is_broken = true;
	*out = yg_sv_sub(bytes, 0, YG_RECORD_MAX);
	return true;
}

/* True: something is wrong with it, which *out is. */
static bool read_header(struct yg_evtx_in *in, struct yg_norm *n, struct yg_sv *out)
{
	struct yg_sv batch = n->batch;
	in->has_said = true;
	if (batch.n == 0)
		return false;
	yg_status st = yg_evtx_file_read(batch, &in->file, &in->err);
	if (st != YG_OK) {
		n->batch.n = 0;
		return give_broken(in, batch, out);
	}
	n->batch = yg_sv_sub(batch, YG_EVTX_HEADER_BYTES, batch.n);
	in->next_chunk = in->file.first_chunk;
	if (in->next_chunk > 0) /* said already of the first part */
		return false;
	return yg_evtx_file_check(&in->file, &in->err) != YG_OK &&
	       give_broken(in, yg_sv_sub(batch, 0, 128), out);
}

/* ---- records ---- */

static void put_recovered(struct yg_evtx_in *in, const struct yg_evtx_record *r)
{
	char text[JSON_TAIL];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(
		&b,
		",\"Evtx\":{\"Recovered\":\"%s\",\"Chunk\":%llu,\"Offset\":%u,\"RecordID\":%llu}",
		yg_evtx_how_text(r->how), (unsigned long long)in->chunk.number, r->at,
		(unsigned long long)r->id);
	yg_buf_put(&in->json, yg_sb_sv(&b));
}

static bool give_record(struct yg_evtx_in *in, struct yg_norm *n, const struct yg_evtx_record *r,
			struct yg_sv *out)
{
	in->json.n = 0;
	in->json.limit = YG_RECORD_MAX - JSON_TAIL;
	yg_status st = yg_binxml_json(&in->xml, r->at + YG_EVTX_RECORD_HEAD,
				      r->at + (uint32_t)r->bytes.n - 4, &in->json, &in->err);
	if (st != YG_OK) {
		(void)yg_err_wrap(&in->err,
				  "chunk %llu: record %llu: ", (unsigned long long)in->chunk.number,
				  (unsigned long long)r->id);
		return give_broken(in, r->bytes, out);
	}
	in->json.limit = YG_RECORD_MAX;
	if (r->how != YG_EVTX_LISTED)
		put_recovered(in, r);
	yg_buf_putc(&in->json, '}');
	in->how = r->how;
	in->is_broken = false;
	*out = yg_arena_dup(&n->arena, yg_buf_sv(&in->json));
	if (yg_buf_done(&in->json) == YG_OK && out->p != NULL)
		return true;
	(void)YG_FAIL(&in->err, YG_NOMEM, "no memory left for this batch");
	in->json.bad = false;
	return give_broken(in, r->bytes, out);
}

bool yg_evtx_in_next(struct yg_evtx_in *in, struct yg_norm *n, struct yg_sv *out)
{
	struct yg_evtx_record r;
	if (in->is_other) {
		*out = yg_sv_sub(yg_sv_trim(n->batch), 0, YG_RECORD_MAX);
		n->batch.n = 0;
		return out->n > 0;
	}
	if (!in->has_said && read_header(in, n, out))
		return true;
	for (;;) {
		if (!in->in_chunk) {
			struct yg_sv chunk = yg_sv_sub(n->batch, 0, YG_EVTX_CHUNK_BYTES);
			if (chunk.n == 0)
				return false;
			n->batch = yg_sv_sub(n->batch, chunk.n, n->batch.n);
			in->in_chunk =
				yg_evtx_chunk_open(&in->chunk, chunk, in->next_chunk++, &in->file);
			yg_binxml_begin(&in->xml, chunk);
			continue;
		}
		switch (yg_evtx_next(&in->chunk, &r, &in->err)) {
		case YG_EVTX_RECORD: return give_record(in, n, &r, out);
		case YG_EVTX_BROKEN: return give_broken(in, r.bytes, out);
		case YG_EVTX_END: in->in_chunk = false; break;
		}
	}
}

yg_status yg_evtx_in_judge(const struct yg_evtx_in *in, struct yg_norm *n, struct yg_event *ev,
			   struct yg_err *err)
{
	char text[96];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (!in->is_evtx && n->source == YG_SOURCE_EVTX)
		return YG_FAIL(err, YG_PARSE,
			       "no Windows event log file: it does not begin with ElfFile");
	if (!in->is_evtx)
		return YG_OK;
	if (in->is_broken)
		return YG_FAIL(err, YG_PARSE, "%s", in->err.msg);
	if (in->how != YG_EVTX_LISTED) {
		yg_sb_printf(&b, "recovered: %s", yg_evtx_how_text(in->how));
		ev->parse_error = yg_arena_dup(&n->arena, yg_sb_sv(&b));
		n->recovered++;
	}
	return YG_OK;
}
