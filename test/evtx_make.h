/* evtx_make.h - writes Windows event log files, for tests only: templates kept once a chunk
 * and pointed at, names likewise, values of every type, the event data as a fragment of its
 * own, as Windows does it.  Not for anything but bytes that a test wants. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MK_CHUNK  65536
#define MK_HEADER 4096
#define MK_TIME   133496640000000000ull /* 2024-01-14T00:00:00Z as a FILETIME */

struct mk_value {
	const char *name; /* NULL: a Data element without one */
	uint8_t type;
	const void *p;
	uint16_t n;
	bool optional;
};
struct mk_known { /* a name or template that lies in the chunk already */
	char text[256];
	uint32_t at;
};
struct mk {
	uint8_t *p; /* owned: mk_free() */
	size_t n, cap;
	size_t chunk;  /* where the chunk at hand begins */
	uint64_t next; /* id of the next record */
	uint64_t first;
	uint32_t last_at;
	struct mk_known known[512];
	size_t known_n;
	size_t record; /* where the record at hand begins */
	size_t opened[32], attributes[32];
	size_t depth;
	bool bare; /* elements without a dependency id, as directly in a value */
};

static inline void mk_init(struct mk *m, size_t chunks)
{
	memset(m, 0, sizeof *m);
	m->cap = MK_HEADER + (chunks + 1) * MK_CHUNK;
	m->p = calloc(1, m->cap);
	if (m->p == NULL)
		abort();
	m->n = MK_HEADER;
	m->next = 1;
}
static inline void mk_free(struct mk *m)
{
	free(m->p);
	m->p = NULL;
}

/* ---- numbers ---- */

static inline void mk_bytes(struct mk *m, const void *p, size_t n)
{
	if (n > m->cap - m->n)
		abort();
	if (n > 0)
		memcpy(m->p + m->n, p, n);
	m->n += n;
}
static inline void mk_set(struct mk *m, size_t at, uint64_t v, size_t bytes)
{
	memcpy(m->p + at, &v, bytes);
}
static inline void mk_num(struct mk *m, uint64_t v, size_t bytes)
{
	mk_bytes(m, &v, bytes);
}
static inline uint32_t mk_here(const struct mk *m)
{
	return (uint32_t)(m->n - m->chunk);
}
static inline size_t mk_utf16(const char *s, uint8_t *out)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = (uint8_t)s[i];
		out[2 * i + 1] = 0;
	}
	return 2 * n;
}
static inline void mk_chars(struct mk *m, const char *s)
{
	for (; *s != '\0'; s++)
		mk_num(m, (uint8_t)*s, 2);
}

/* ---- tokens ---- */

static inline uint32_t *mk_find(struct mk *m, const char *text)
{
	for (size_t i = 0; i < m->known_n; i++)
		if (strcmp(m->known[i].text, text) == 0)
			return &m->known[i].at;
	if (m->known_n == sizeof m->known / sizeof m->known[0] || strlen(text) > 255)
		abort();
	m->known[m->known_n] = (struct mk_known){.at = 0};
	memcpy(m->known[m->known_n].text, text, strlen(text) + 1);
	return &m->known[m->known_n++].at;
}
static inline void mk_name(struct mk *m, const char *name)
{
	uint32_t *at = mk_find(m, name), hash = 0;
	bool here = *at == 0;
	if (here)
		*at = mk_here(m) + 4;
	mk_num(m, *at, 4);
	if (!here)
		return;
	for (const char *s = name; *s != '\0'; s++)
		hash = hash * 65599 + (uint8_t)*s;
	mk_num(m, 0, 4);
	mk_num(m, hash & 0xffff, 2);
	mk_num(m, strlen(name), 2);
	mk_chars(m, name);
	mk_num(m, 0, 2);
}
static inline void mk_open(struct mk *m, const char *name, bool attributes)
{
	mk_num(m, attributes ? 0x41 : 1, 1);
	if (!m->bare)
		mk_num(m, 0xffff, 2);
	m->opened[m->depth] = m->n;
	mk_num(m, 0, 4);
	mk_name(m, name);
	m->attributes[m->depth++] = attributes ? m->n : 0;
	if (attributes)
		mk_num(m, 0, 4);
}
static inline void mk_attribute(struct mk *m, const char *name, bool more)
{
	mk_num(m, more ? 0x46 : 6, 1);
	mk_name(m, name);
}
static inline void mk_text(struct mk *m, const char *s)
{
	mk_num(m, 5, 1);
	mk_num(m, 1, 1);
	mk_num(m, strlen(s), 2);
	mk_chars(m, s);
}
static inline void mk_put(struct mk *m, unsigned index, uint8_t type, bool optional)
{
	mk_num(m, optional ? 0x0e : 0x0d, 1);
	mk_num(m, index, 2);
	mk_num(m, type, 1);
}
static inline void mk_start_ends(struct mk *m)
{
	size_t at = m->attributes[m->depth - 1];
	if (at != 0)
		mk_set(m, at, m->n - at - 4, 4);
}
static inline void mk_close_start(struct mk *m)
{
	mk_start_ends(m);
	mk_num(m, 2, 1);
}
static inline void mk_element_ends(struct mk *m)
{
	size_t at = m->opened[--m->depth];
	mk_set(m, at, m->n - at - 4, 4);
}
static inline void mk_close_empty(struct mk *m)
{
	mk_start_ends(m);
	mk_num(m, 3, 1);
	mk_element_ends(m);
}
static inline void mk_end(struct mk *m)
{
	mk_num(m, 4, 1);
	mk_element_ends(m);
}
static inline void mk_fragment(struct mk *m)
{
	mk_bytes(m, "\x0f\1\1", 4);
}

/* ---- templates: begin is true when the text of it is to be written, then end ---- */

static inline bool mk_template_begin(struct mk *m, const char *key, size_t *out_size_at)
{
	char text[256] = "template ";
	uint32_t hash = 2166136261u;
	if (strlen(key) + 10 > sizeof text)
		abort();
	memcpy(text + 9, key, strlen(key) + 1);
	for (const char *s = key; *s != '\0'; s++)
		hash = (hash ^ (uint8_t)*s) * 16777619u;
	uint32_t *at = mk_find(m, text);
	bool here = *at == 0;
	mk_num(m, 0x0c, 1);
	mk_num(m, 1, 1);
	mk_num(m, hash, 4);
	if (here)
		*at = mk_here(m) + 4;
	mk_num(m, *at, 4);
	if (!here)
		return false;
	mk_num(m, 0, 4);
	mk_num(m, hash, 4); /* the GUID */
	mk_bytes(m, "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc", 12);
	*out_size_at = m->n;
	mk_num(m, 0, 4);
	mk_fragment(m);
	return true;
}
static inline void mk_template_end(struct mk *m, size_t size_at)
{
	mk_num(m, 0, 1);
	mk_set(m, size_at, m->n - size_at - 4, 4);
}
static inline void mk_values(struct mk *m, const struct mk_value *v, size_t n)
{
	mk_num(m, n, 4);
	for (size_t i = 0; i < n; i++) {
		mk_num(m, v[i].n, 2);
		mk_num(m, v[i].type, 2);
	}
	for (size_t i = 0; i < n; i++)
		mk_bytes(m, v[i].p, v[i].n);
}

/* ---- chunks and the file ---- */

static inline void mk_chunk_begin(struct mk *m)
{
	m->chunk = m->n;
	m->known_n = 0;
	m->first = m->next;
	m->last_at = 0;
	mk_bytes(m, "ElfChnk", 8);
	m->n = m->chunk + 512;
}
static inline uint32_t mk_crc(const struct mk *m, uint32_t before, size_t at, size_t n)
{
	return (uint32_t)crc32(before, m->p + at, (unsigned)n);
}
/* Its checksums; call again after a change that is not meant as damage. */
static inline void mk_chunk_sums(struct mk *m, size_t chunk)
{
	uint32_t end;
	memcpy(&end, m->p + chunk + 48, 4);
	if (end >= 512 && end <= MK_CHUNK)
		mk_set(m, chunk + 52, mk_crc(m, 0, chunk + 512, end - 512), 4);
	mk_set(m, chunk + 124, mk_crc(m, mk_crc(m, 0, chunk, 120), chunk + 128, 384), 4);
}
static inline void mk_chunk_end(struct mk *m)
{
	uint64_t last = m->next > m->first ? m->next - 1 : UINT64_MAX;
	uint64_t first = m->next > m->first ? m->first : 1;
	mk_set(m, m->chunk + 8, first, 8);
	mk_set(m, m->chunk + 16, last, 8);
	mk_set(m, m->chunk + 24, first, 8);
	mk_set(m, m->chunk + 32, last, 8);
	mk_set(m, m->chunk + 40, 128, 4);
	mk_set(m, m->chunk + 44, m->last_at, 4);
	mk_set(m, m->chunk + 48, mk_here(m), 4);
	mk_chunk_sums(m, m->chunk);
	m->n = m->chunk + MK_CHUNK;
}
static inline void mk_file_sum(struct mk *m)
{
	mk_set(m, 124, mk_crc(m, 0, 0, 120), 4);
}
static inline void mk_file_end(struct mk *m, uint32_t flags)
{
	size_t chunks = (m->n - MK_HEADER) / MK_CHUNK;
	memcpy(m->p, "ElfFile", 8);
	mk_set(m, 16, chunks > 0 ? chunks - 1 : 0, 8);
	mk_set(m, 24, m->next, 8);
	mk_set(m, 32, 128, 4);
	mk_set(m, 36, 1, 2);
	mk_set(m, 38, 3, 2);
	mk_set(m, 40, MK_HEADER, 2);
	mk_set(m, 42, chunks, 2);
	mk_set(m, 120, flags, 4);
	mk_file_sum(m);
}

/* ---- records ---- */

static inline void mk_record_begin(struct mk *m)
{
	m->record = m->n;
	m->last_at = mk_here(m);
	mk_bytes(m, "**\0", 4);
	mk_num(m, 0, 4);
	mk_num(m, m->next, 8);
	mk_num(m, MK_TIME + m->next * 10000000, 8);
	mk_fragment(m);
}
static inline void mk_record_end(struct mk *m)
{
	mk_num(m, 0, 1);
	while ((m->n + 4 - m->record) % 8 != 0)
		mk_num(m, 0, 1);
	size_t size = m->n + 4 - m->record;
	mk_num(m, size, 4);
	mk_set(m, m->record + 4, size, 4);
	m->next++;
}

struct mk_event {
	const char *channel, *provider;
	uint16_t id;
	uint8_t level;
	uint64_t keywords;
	const struct mk_value *data;
	size_t data_n;
	const char *plain; /* data as an element of its own, without a template: its text */
};

static inline void mk_data_template(struct mk *m, const struct mk_event *e)
{
	mk_open(m, "EventData", false);
	mk_close_start(m);
	for (size_t i = 0; i < e->data_n; i++) {
		const struct mk_value *v = &e->data[i];
		mk_open(m, "Data", v->name != NULL);
		if (v->name != NULL) {
			mk_attribute(m, "Name", false);
			mk_text(m, v->name);
		}
		mk_close_start(m);
		mk_put(m, (unsigned)i, v->type, v->optional);
		mk_end(m);
	}
	mk_end(m);
}
/* The event data as binary XML; its bytes are a value of the outer template, and lie there. */
static inline void mk_data(struct mk *m, const struct mk_event *e)
{
	size_t size_at;
	if (e->plain != NULL) {
		m->bare = true;
		mk_open(m, "EventData", false);
		mk_close_start(m);
		mk_open(m, "Data", false);
		mk_close_start(m);
		mk_text(m, e->plain);
		mk_end(m);
		mk_end(m);
		m->bare = false;
		mk_num(m, 0, 1);
		return;
	}
	char key[200] = "data";
	size_t n = 4;
	for (size_t i = 0; i < e->data_n && n < sizeof key - 8; i++) {
		const struct mk_value *v = &e->data[i];
		key[n++] = (char)('A' + v->type % 26);
		key[n++] = v->name != NULL ? v->name[0] : '-';
		key[n++] = v->name != NULL ? v->name[strlen(v->name) / 2] : '-';
	}
	mk_fragment(m);
	if (mk_template_begin(m, key, &size_at)) {
		mk_data_template(m, e);
		mk_template_end(m, size_at);
	}
	mk_values(m, e->data, e->data_n);
	mk_num(m, 0, 1);
}

static inline void mk_simple(struct mk *m, const char *name, unsigned index, uint8_t type)
{
	mk_open(m, name, false);
	mk_close_start(m);
	mk_put(m, index, type, false);
	mk_end(m);
}
static inline void mk_system_template(struct mk *m, const struct mk_event *e)
{
	mk_open(m, "System", false);
	mk_close_start(m);
	mk_open(m, "Provider", true);
	mk_attribute(m, "Name", true);
	mk_text(m, e->provider);
	mk_attribute(m, "Guid", false);
	mk_put(m, 12, 0x0f, true);
	mk_close_empty(m);
	mk_open(m, "EventID", true);
	mk_attribute(m, "Qualifiers", false);
	mk_put(m, 4, 6, true);
	mk_close_start(m);
	mk_put(m, 3, 6, false);
	mk_end(m);
	mk_simple(m, "Version", 11, 4);
	mk_simple(m, "Level", 0, 4);
	mk_simple(m, "Task", 2, 6);
	mk_simple(m, "Opcode", 1, 4);
	mk_simple(m, "Keywords", 5, 0x15);
	mk_open(m, "TimeCreated", true);
	mk_attribute(m, "SystemTime", false);
	mk_put(m, 6, 0x11, false);
	mk_close_empty(m);
	mk_simple(m, "EventRecordID", 10, 0x0a);
	mk_open(m, "Correlation", true);
	mk_attribute(m, "ActivityID", false);
	mk_put(m, 7, 0x0f, true);
	mk_close_empty(m);
	mk_open(m, "Execution", true);
	mk_attribute(m, "ProcessID", true);
	mk_put(m, 8, 8, false);
	mk_attribute(m, "ThreadID", false);
	mk_put(m, 9, 8, false);
	mk_close_empty(m);
	mk_open(m, "Channel", false);
	mk_close_start(m);
	mk_text(m, e->channel);
	mk_end(m);
	mk_open(m, "Computer", false);
	mk_close_start(m);
	mk_text(m, "pc1.example");
	mk_end(m);
	mk_open(m, "Security", true);
	mk_attribute(m, "UserID", false);
	mk_put(m, 13, 0x13, true);
	mk_close_empty(m);
	mk_end(m);
}

static inline void mk_event(struct mk *m, const struct mk_event *e)
{
	static const uint8_t system[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
	static const uint8_t guid[16] = {0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49,
					 0xa5, 0xba, 0x3e, 0x3b, 3,    0x28, 0xc3, 0x0d};
	uint16_t task = 12544, id = e->id;
	uint8_t level = e->level, opcode = 0, version = 2;
	uint32_t pid = 788, tid = 792;
	uint64_t record = m->next, time = MK_TIME + m->next * 10000000 + 1234567;
	const struct mk_value v[] = {
		{.type = 4, .p = &level, .n = 1},
		{.type = 4, .p = &opcode, .n = 1},
		{.type = 6, .p = &task, .n = 2},
		{.type = 6, .p = &id, .n = 2},
		{.type = 0},
		{.type = 0x15, .p = &e->keywords, .n = 8},
		{.type = 0x11, .p = &time, .n = 8},
		{.type = 0},
		{.type = 8, .p = &pid, .n = 4},
		{.type = 8, .p = &tid, .n = 4},
		{.type = 0x0a, .p = &record, .n = 8},
		{.type = 4, .p = &version, .n = 1},
		{.type = 0x0f, .p = guid, .n = 16},
		{.type = 0x13, .p = system, .n = 12},
		{.type = 0x21},
	};
	const size_t n = sizeof v / sizeof v[0];
	char key[200] = "event ";
	size_t size_at;
	if (strlen(e->channel) + strlen(e->provider) + 8 > sizeof key)
		abort();
	memcpy(key + 6, e->channel, strlen(e->channel) + 1);
	memcpy(key + strlen(key), e->provider, strlen(e->provider) + 1);
	mk_record_begin(m);
	if (mk_template_begin(m, key, &size_at)) {
		mk_open(m, "Event", true);
		mk_attribute(m, "xmlns", false);
		mk_text(m, "http://schemas.microsoft.com/win/2004/08/events/event");
		mk_close_start(m);
		mk_system_template(m, e);
		mk_put(m, 14, 0x21, true);
		mk_end(m);
		mk_template_end(m, size_at);
	}
	size_t sizes = m->n + 4;
	mk_values(m, v, n);
	size_t data = m->n;
	if (e->data_n > 0 || e->plain != NULL)
		mk_data(m, e);
	mk_set(m, sizes + 4 * (n - 1), m->n - data, 2);
	if (m->n == data)
		mk_set(m, sizes + 4 * (n - 1) + 2, 0, 1);
	mk_record_end(m);
}
