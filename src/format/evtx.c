#include "format/evtx.h"

#include <zlib.h>

#include "base/sb.h"

enum { /* offsets */
       CHUNK_HEADER = 512,
       CHUNK_LAST_ID = 32,
       CHUNK_FREE = 48,
       CHUNK_RECORDS_SUM = 52,
       CHUNK_SUM = 124,
       FILE_CHUNKS = 42,
       FILE_FLAGS = 120,
       FILE_SUM = 124,
       FILE_PART = 128, /* our own: "YGPART", then the number of the first chunk */
       FILE_LOST = 144, /* our own: "YGLOST" */
       RECORD_LEAST = YG_EVTX_RECORD_HEAD + 4,
};
#define PART_MAGIC "YGPART\0"
#define LOST_MAGIC "YGLOST\0"
static const char record_magic[4] = "**";

static uint64_t le(struct yg_sv s, size_t at, size_t n)
{
	uint64_t v = 0;
	memcpy(&v, s.p + at, n);
	return v;
}

static uint32_t sum(uint32_t before, struct yg_sv s, size_t at, size_t n)
{
	return (uint32_t)crc32(before, (const unsigned char *)s.p + at, (unsigned)n);
}

static bool is_blank(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != 0)
			return false;
	return true;
}

/* ---- the file ---- */

yg_status yg_evtx_file_read(struct yg_sv bytes, struct yg_evtx_file *out, struct yg_err *err)
{
	if (!yg_evtx_is_file(bytes))
		return YG_FAIL(err, YG_PARSE,
			       "no Windows event log file: it does not begin with "
			       "ElfFile");
	if (bytes.n < YG_EVTX_HEADER_BYTES)
		return YG_FAIL(err, YG_PARSE,
			       "the file is cut off within its header, at %zu of %d bytes", bytes.n,
			       YG_EVTX_HEADER_BYTES);
	uint64_t flags = le(bytes, FILE_FLAGS, 4);
	*out = (struct yg_evtx_file){
		.minor = (uint16_t)le(bytes, 36, 2),
		.major = (uint16_t)le(bytes, 38, 2),
		.chunks = (uint16_t)le(bytes, FILE_CHUNKS, 2),
		.is_dirty = (flags & 1) != 0,
		.is_full = (flags & 2) != 0,
		.is_sound = sum(0, bytes, 0, 120) == le(bytes, FILE_SUM, 4),
	};
	if (memcmp(bytes.p + FILE_PART, PART_MAGIC, 8) == 0)
		out->first_chunk = le(bytes, FILE_PART + 8, 8);
	out->is_lost = memcmp(bytes.p + FILE_LOST, LOST_MAGIC, 8) == 0;
	return YG_OK;
}

yg_status yg_evtx_file_check(const struct yg_evtx_file *file, struct yg_err *err)
{
	if (file->is_lost)
		return YG_FAIL(err, YG_PARSE,
			       "the file header is lost; chunks are behind it, and read");
	if (!file->is_sound)
		return YG_FAIL(err, YG_PARSE, "the checksum of the file header is wrong");
	if (file->major != 3 || file->minor > 2)
		return YG_FAIL(err, YG_PARSE, "an event log of version %u.%u; 3.0 to 3.2 are known",
			       file->major, file->minor);
	return YG_OK;
}

void yg_evtx_header_at(uint8_t header[static YG_EVTX_HEADER_BYTES], uint64_t chunk)
{
	memcpy(header + FILE_PART, PART_MAGIC, 8);
	memcpy(header + FILE_PART + 8, &chunk, 8);
}

void yg_evtx_header_lost(uint8_t header[static YG_EVTX_HEADER_BYTES])
{
	memcpy(header, YG_EVTX_MAGIC, sizeof YG_EVTX_MAGIC);
	memcpy(header + FILE_LOST, LOST_MAGIC, 8);
	yg_evtx_header_at(header, 0);
}

/* ---- chunks ---- */

const char *yg_evtx_how_text(enum yg_evtx_how how)
{
	switch (how) {
	case YG_EVTX_LISTED: return "listed";
	case YG_EVTX_SLACK: return "from the unused end of the chunk";
	case YG_EVTX_DAMAGE: return "from behind damage in the chunk";
	case YG_EVTX_UNLINKED: return "from a chunk that the file does not count";
	case YG_EVTX_HEADLESS: return "from a chunk without a header";
	case YG_EVTX_LOST: return "from a file without its header";
	}
	return "";
}

bool yg_evtx_chunk_open(struct yg_evtx_chunk *c, struct yg_sv bytes, uint64_t number,
			const struct yg_evtx_file *file)
{
	bytes = yg_sv_sub(bytes, 0, YG_EVTX_CHUNK_BYTES);
	*c = (struct yg_evtx_chunk){
		.bytes = bytes, .number = number, .at = 0, .is_dirty = file->is_dirty};
	c->has_header = bytes.n >= CHUNK_HEADER && yg_evtx_is_chunk(bytes);
	if (!c->has_header) {
		c->how = YG_EVTX_HEADLESS;
		c->scanning = true;
		return !is_blank(bytes);
	}
	bool counted = file->is_dirty || !file->is_sound || number < file->chunks;
	c->how = counted ? YG_EVTX_LISTED : YG_EVTX_UNLINKED;
	if (file->is_lost)
		c->how = YG_EVTX_LOST;
	c->is_sound = sum(sum(0, bytes, 0, 120), bytes, 128, CHUNK_HEADER - 128) ==
		      le(bytes, CHUNK_SUM, 4);
	c->at = CHUNK_HEADER;
	c->end = (uint32_t)le(bytes, CHUNK_FREE, 4);
	c->last = le(bytes, CHUNK_LAST_ID, 8);
	return true;
}

static enum yg_evtx_what broken(const struct yg_evtx_chunk *c, uint32_t at, size_t n,
				struct yg_evtx_record *out)
{
	*out = (struct yg_evtx_record){
		.bytes = yg_sv_sub(c->bytes, at, n), .at = at, .how = c->how};
	return YG_EVTX_BROKEN;
}

/* In a file that was not closed the last header is older than the records. */
static bool records_fit(const struct yg_evtx_chunk *c)
{
	return c->is_dirty || sum(0, c->bytes, CHUNK_HEADER, c->end - CHUNK_HEADER) ==
				      le(c->bytes, CHUNK_RECORDS_SUM, 4);
}

static void put_damage(const struct yg_evtx_chunk *c, struct yg_sb *b)
{
	size_t n = c->bytes.n;
	if (!c->has_header) {
		yg_sb_put(b, n < CHUNK_HEADER ? YG_SV("it is cut off within its header")
					      : YG_SV("it has no header"));
		return;
	}
	if (!c->is_sound)
		yg_sb_put(b, YG_SV("the checksum of its header is wrong"));
	const char *comma = b->n > 0 ? ", " : "";
	if (n < YG_EVTX_CHUNK_BYTES)
		yg_sb_printf(b, "%sit is cut off at %zu of %d bytes", comma, n,
			     YG_EVTX_CHUNK_BYTES);
	else if (c->end < CHUNK_HEADER || c->end > n)
		yg_sb_printf(b, "%sits records would end at %u", comma, c->end);
	else if (!records_fit(c))
		yg_sb_printf(b, "%sthe checksum of its records is wrong", comma);
}

/* What is wrong with the chunk as a whole, said once and first. */
static bool say_damage(struct yg_evtx_chunk *c, struct yg_evtx_record *out, struct yg_err *err)
{
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	c->begun = true;
	put_damage(c, &b);
	if (c->end < CHUNK_HEADER || c->end > c->bytes.n)
		c->end = (uint32_t)c->bytes.n;
	if (b.n == 0)
		return false;
	(void)YG_FAIL(err, YG_PARSE, "chunk %llu: %s", (unsigned long long)c->number,
		      yg_sb_cstr(&b));
	(void)broken(c, 0, CHUNK_HEADER, out);
	return true;
}

/* The size of the record there; 0: there is none that is whole. */
static uint32_t record_size(const struct yg_evtx_chunk *c, uint32_t at)
{
	size_t left = c->bytes.n - at;
	if (left < RECORD_LEAST || memcmp(c->bytes.p + at, record_magic, 4) != 0)
		return 0;
	uint64_t size = le(c->bytes, at + 4, 4);
	if (size < RECORD_LEAST || size > left || le(c->bytes, at + size - 4, 4) != size)
		return 0;
	return (uint32_t)size;
}

static enum yg_evtx_what give(struct yg_evtx_chunk *c, uint32_t size, enum yg_evtx_how how,
			      struct yg_evtx_record *out)
{
	*out = (struct yg_evtx_record){.id = le(c->bytes, c->at + 8, 8),
				       .written = le(c->bytes, c->at + 16, 8),
				       .bytes = yg_sv_sub(c->bytes, c->at, size),
				       .at = c->at,
				       .how = how};
	c->at += size;
	return YG_EVTX_RECORD;
}

/* From here on every record that can be found, wherever it begins. */
static enum yg_evtx_what scan(struct yg_evtx_chunk *c, struct yg_evtx_record *out)
{
	while (c->at < c->bytes.n) {
		const char *p = memmem(c->bytes.p + c->at, c->bytes.n - c->at, record_magic, 4);
		if (p == NULL)
			break;
		c->at = (uint32_t)(p - c->bytes.p);
		uint32_t size = record_size(c, c->at);
		enum yg_evtx_how how = c->how;
		if (how == YG_EVTX_LISTED)
			how = c->at < c->end ? YG_EVTX_DAMAGE : YG_EVTX_SLACK;
		if (size > 0)
			return give(c, size, how, out);
		c->at++;
	}
	c->at = (uint32_t)c->bytes.n;
	return YG_EVTX_END;
}

/* Where a record should be and none is. */
static enum yg_evtx_what say_broken(struct yg_evtx_chunk *c, struct yg_evtx_record *out,
				    struct yg_err *err)
{
	uint32_t at = c->at;
	size_t left = c->bytes.n - at, n = YG_MIN(left, (size_t)RECORD_LEAST);
	unsigned long long chunk = c->number;
	uint32_t next = at + 4;
	if (record_size(c, at) > 0) {
		(void)YG_FAIL(
			err, YG_PARSE,
			"chunk %llu: offset %u: record %llu goes on behind %u, where the records "
			"would end",
			chunk, at, (unsigned long long)le(c->bytes, at + 8, 8), c->end);
		next = c->end = at;
	} else if (left < RECORD_LEAST || memcmp(c->bytes.p + at, record_magic, 4) != 0) {
		(void)YG_FAIL(err, YG_PARSE, "chunk %llu: offset %u: no record where one should be",
			      chunk, at);
	} else {
		uint64_t size = le(c->bytes, at + 4, 4);
		bool fits = size >= RECORD_LEAST && size <= left;
		n = fits ? (size_t)size : left;
		(void)YG_FAIL(err, YG_PARSE, "chunk %llu: offset %u: record %llu: %s (%llu bytes)",
			      chunk, at, (unsigned long long)le(c->bytes, at + 8, 8),
			      fits ? "its size stands differently at its end"
				   : "its size is not within the chunk",
			      (unsigned long long)size);
	}
	c->scanning = true;
	c->at = (uint32_t)YG_MIN(c->bytes.n, (size_t)next);
	return broken(c, at, n, out);
}

enum yg_evtx_what yg_evtx_next(struct yg_evtx_chunk *c, struct yg_evtx_record *out,
			       struct yg_err *err)
{
	if (!c->begun && say_damage(c, out, err))
		return YG_EVTX_BROKEN;
	if (c->scanning)
		return scan(c, out);
	uint32_t at = c->at, size = record_size(c, at);
	bool in_list = at < c->end && !c->seen_last;
	if (in_list && size > 0 && size <= c->end - at) {
		enum yg_evtx_what what = give(c, size, c->how, out);
		c->seen_last = c->is_sound && out->id == c->last;
		return what;
	}
	/* the listed ones end at `end`, or before with nothing but zeroes behind them */
	if (in_list && !is_blank(yg_sv_sub(c->bytes, at, c->end - at)))
		return say_broken(c, out, err);
	c->end = at;
	c->scanning = true;
	return scan(c, out);
}

uint64_t yg_evtx_count(struct yg_sv chunk, uint64_t number, const struct yg_evtx_file *file)
{
	struct yg_evtx_chunk c;
	struct yg_evtx_record record;
	uint64_t n = 0;
	if (!yg_evtx_chunk_open(&c, chunk, number, file))
		return 0;
	while (yg_evtx_next(&c, &record, NULL) != YG_EVTX_END)
		n++;
	return n;
}
