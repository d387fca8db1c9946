/* snapshot.h - the compiled artefact that goes down to the workers: one file of
 * offsets, never pointers.  The layout is in doc/snapshot.md.
 *
 * A snapshot is verified in full once, by yg_snap_open_fd(); after that the
 * readers still bound every step, because "verified" is a claim made by other
 * code.  It is never migrated: another version or another schema is refused and
 * the file is compiled again.
 *
 * Read only, so any number of threads may share an opened one.
 */
#pragma once
#include "base/err.h"
#include "base/units.h"

#define YG_SNAP_MAGIC        "YGSNAP\r\n" /* \r\n: damage by text mode shows at once */
#define YG_SNAP_VERSION      1u
#define YG_SNAP_SECTIONS_MAX 32
#define YG_SNAP_BYTES_MAX    (4ull << 30) /* pool offsets are 32 bits */

enum yg_snap_kind {
	YG_SNAP_INDICATORS = 1,
	YG_SNAP_DNS_POLICY = 2,
	YG_SNAP_DETECT = 3,
	YG_SNAP_DNS_INPUTS = 4,
};

struct yg_snap_head { /* on disk, little endian; the section table follows it */
	char magic[8];
	uint32_t version, head_bytes; /* head_bytes: this and the section table */
	uint64_t file_bytes;          /* must equal the size of the file */
	uint64_t generation;          /* rises with every publish; a worker refuses to go back */
	uint8_t schema[16];           /* digest of the text that describes the sections */
	uint8_t digest[16];           /* XXH3-128 of the whole file with this field zero */
	uint32_t kind, section_count;
	uint64_t created; /* yg_wall.us */
	uint64_t count;   /* things in it, for people */
	uint64_t key[2];  /* of the hashes of this file's tables: unknown to who writes logs */
};
struct yg_snap_section {
	uint32_t id, elem_bytes;
	uint64_t off, count;
};
static_assert(sizeof(struct yg_snap_head) == 104, "the head has no padding");
static_assert(sizeof(struct yg_snap_section) == 24, "the table has no padding");

/* What is written: the bytes of each section, borrowed until the write is done. */
struct yg_snap_part {
	uint32_t id, elem_bytes;
	uint64_t count;
	const void *p;
};
struct yg_snap_spec {
	enum yg_snap_kind kind;
	struct yg_sv schema; /* text that names every section's layout */
	uint64_t generation;
	yg_wall created;
	uint64_t count;
	uint64_t key[2];
};
/* Writes a whole snapshot to `fd` from its start and cuts the file there; does
 * not sync it.  fd: borrowed, a file or a memfd.  YG_IO | YG_LIMIT. */
yg_status yg_snap_write(int fd, const struct yg_snap_spec *spec, const struct yg_snap_part *parts,
			size_t part_count, uint64_t *out_bytes, struct yg_err *err) YG_MUST_USE;

struct yg_snap {
	const uint8_t *base; /* owned mapping; yg_snap_close() */
	size_t bytes;
	bool mapped;              /* base is ours to unmap */
	struct yg_snap_head head; /* a copy, checked */
};

/* Maps a memfd sealed against writing and shrinking in place; copies anything
 * else into memory of our own first, because a file can change or shrink after
 * it was checked.  Then checks magic, version, kind, schema, sizes, the digest
 * of every byte and the bounds of every section.  fd: borrowed.
 * YG_OK | YG_CORRUPT (with what is wrong) | YG_CONFLICT (its generation is
 * below min_generation) | YG_LIMIT | YG_NOMEM | YG_IO. */
yg_status yg_snap_open_fd(int fd, enum yg_snap_kind kind, struct yg_sv schema,
			  uint64_t min_generation, struct yg_snap *out,
			  struct yg_err *err) YG_MUST_USE;
/* The same on bytes in memory, borrowed until the close; for tests. */
yg_status yg_snap_open_bytes(const void *p, size_t n, enum yg_snap_kind kind, struct yg_sv schema,
			     uint64_t min_generation, struct yg_snap *out,
			     struct yg_err *err) YG_MUST_USE;
void yg_snap_close(struct yg_snap *s);
/* Of a mapped file: its pages leave this process's memory until they are read again. */
void yg_snap_rest(const struct yg_snap *s);
void yg_snap_unmap(const void *p, size_t n); /* what was mapped and is no snapshot */

/* The section `id`, whose elements must be elem_bytes long.  YG_CORRUPT when
 * it is missing or has another element size. */
yg_status yg_snap_find(const struct yg_snap *s, uint32_t id, uint32_t elem_bytes, const void **out,
		       uint64_t *out_count, struct yg_err *err) YG_MUST_USE;

/* Recomputes the digest inside a snapshot in memory, so that a fuzzer and the
 * tests reach the checks behind it.  False when it is shorter than a head. */
bool yg_snap_fix_digest(void *p, size_t n);
