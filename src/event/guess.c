#include "event/guess.h"

#include "format/evtx.h"

struct yg_sv yg_guess_whole(struct yg_sv sample)
{
	sample = yg_sv_sub(sample, 0, YG_GUESS_SAMPLE);
	size_t n = sample.n;
	if (yg_evtx_is_file(sample)) {
		bool parted = n > YG_EVTX_HEADER_BYTES + YG_EVTX_CHUNK_BYTES;
		size_t cut = parted ? (n - YG_EVTX_HEADER_BYTES) % YG_EVTX_CHUNK_BYTES : 0;
		return yg_sv_sub(sample, 0, n - cut);
	}
	while (n > 0 && sample.p[n - 1] != '\n')
		n--;
	return n > 0 ? yg_sv_sub(sample, 0, n) : sample;
}

static yg_status score(enum yg_source source, struct yg_sv sample, yg_wall now,
		       struct yg_guess *out, struct yg_err *err)
{
	struct yg_norm *n = NULL;
	struct yg_event ev;
	uint64_t read = 0, known = 0;
	yg_status st = yg_norm_new(source, NULL, &n, err);
	if (st != YG_OK)
		return st;
	yg_norm_begin(n, sample, now, false);
	while (yg_norm_next(n, &ev)) {
		read += ev.parse_error.n == 0;
		known += ev.parse_error.n == 0 && ev.class_uid != YG_OCSF_BASE_EVENT;
	}
	*out = (struct yg_guess){
		.source = source, .records = yg_norm_records(n), .unparsed = yg_norm_unparsed(n)};
	if (out->records > 0)
		out->score = (unsigned)((read + known) * 50 / out->records);
	yg_norm_free(n);
	return YG_OK;
}

yg_status yg_source_guess(struct yg_sv sample, yg_wall now, struct yg_guess out[YG_SOURCE_COUNT],
			  size_t *out_n, struct yg_err *err)
{
	/* the more particular first: of equals the first wins */
	static const enum yg_source order[] = {YG_SOURCE_SURICATA,   YG_SOURCE_ZEEK,
					       YG_SOURCE_CLOUDTRAIL, YG_SOURCE_WINDOWS,
					       YG_SOURCE_OCSF,       YG_SOURCE_SYSLOG};
	size_t n = 0;
	yg_status st = YG_OK;
	/* an escape of Frame Streams, or the magic of an event log: never text */
	bool dnstap = yg_sv_starts(sample, YG_SV("\0\0\0\0")), evtx = yg_evtx_is_file(sample);
	if (dnstap || evtx) {
		st = evtx ? score(YG_SOURCE_EVTX, yg_guess_whole(sample), now, out, err)
			  : score(YG_SOURCE_DNSTAP, yg_sv_sub(sample, 0, YG_GUESS_SAMPLE), now, out,
				  err);
		*out_n = st == YG_OK && out[0].score > 0 ? 1 : 0;
		return st;
	}
	sample = yg_guess_whole(sample);
	for (size_t i = 0; st == YG_OK && i < YG_LEN(order); i++) {
		struct yg_guess g;
		st = score(order[i], sample, now, &g, err);
		if (st != YG_OK || g.score == 0)
			continue;
		size_t at = n++;
		while (at > 0 && out[at - 1].score < g.score) {
			out[at] = out[at - 1];
			at--;
		}
		out[at] = g;
	}
	*out_n = n;
	return st;
}
