#include "snapshot/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/breath.h"

#define PIECE     ((size_t)256 << 10) /* then others may have the core */
#define MAP_PIECE ((size_t)2 << 20)   /* a large page */
#define ALIGN     64u /* sections begin on a cache line: a filter word never spans two */

static void put_digest(const XXH128_hash_t h, uint8_t out[static 16])
{
	XXH128_canonical_t c;
	XXH128_canonicalFromHash(&c, h);
	memcpy(out, c.digest, 16);
}

static void schema_digest(struct yg_sv text, uint8_t out[static 16])
{
	put_digest(XXH3_128bits(text.p, text.n), out);
}

static void digest_more(XXH3_state_t *state, const void *p, size_t n)
{
	const uint8_t *at = p;
	for (size_t done = 0; done < n; done += PIECE) {
		(void)XXH3_128bits_update(state, at + done, YG_MIN(n - done, PIECE));
		yg_breathe(YG_BREATH);
	}
}

static yg_status write_all(int fd, const void *p, size_t n, struct yg_err *err)
{
	const char *at = p;
	while (n > 0) {
		ssize_t w = write(fd, at, YG_MIN(n, PIECE));
		yg_breathe(YG_BREATH);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return YG_FAIL_OS(err, errno, "snapshot write");
		at += w;
		n -= (size_t)w;
	}
	return YG_OK;
}

/* Lays the parts out behind the head; *total is the size of the file. */
static yg_status lay_out(const struct yg_snap_part *parts, size_t n, struct yg_snap_section *table,
			 uint64_t *total, struct yg_err *err)
{
	uint64_t at = sizeof(struct yg_snap_head) + n * sizeof(struct yg_snap_section);
	for (size_t i = 0; i < n; i++) {
		uint64_t bytes;
		at = (at + ALIGN - 1) / ALIGN * ALIGN;
		if (parts[i].elem_bytes == 0 ||
		    __builtin_mul_overflow(parts[i].count, (uint64_t)parts[i].elem_bytes, &bytes) ||
		    bytes > YG_SNAP_BYTES_MAX - at)
			return YG_FAIL(err, YG_LIMIT, "snapshot section %u is too large",
				       parts[i].id);
		table[i] = (struct yg_snap_section){.id = parts[i].id,
						    .elem_bytes = parts[i].elem_bytes,
						    .off = at,
						    .count = parts[i].count};
		at += bytes;
	}
	*total = at;
	return YG_OK;
}

yg_status yg_snap_write(int fd, const struct yg_snap_spec *spec, const struct yg_snap_part *parts,
			size_t part_count, uint64_t *out_bytes, struct yg_err *err)
{
	struct yg_snap_section table[YG_SNAP_SECTIONS_MAX] = {{.id = 0}};
	static const char zero[ALIGN];
	struct yg_snap_head h = {.magic = YG_SNAP_MAGIC,
				 .version = YG_SNAP_VERSION,
				 .generation = spec->generation,
				 .kind = spec->kind,
				 .section_count = (uint32_t)part_count,
				 .created = (uint64_t)spec->created.us,
				 .count = spec->count,
				 .key = {spec->key[0], spec->key[1]}};
	if (part_count > YG_SNAP_SECTIONS_MAX)
		return YG_FAIL(err, YG_INVAL, "snapshot has %zu sections", part_count);
	yg_status st = lay_out(parts, part_count, table, &h.file_bytes, err);
	if (st != YG_OK)
		return st;
	size_t table_bytes = part_count * sizeof table[0];
	h.head_bytes = (uint32_t)(sizeof h + table_bytes);
	schema_digest(spec->schema, h.schema);
	XXH3_state_t *state = XXH3_createState();
	if (state == NULL || XXH3_128bits_reset(state) != XXH_OK) {
		(void)XXH3_freeState(state);
		return YG_FAIL(err, YG_NOMEM, "snapshot digest");
	}
	(void)XXH3_128bits_update(state, &h, sizeof h);
	(void)XXH3_128bits_update(state, table, table_bytes);
	uint64_t at = h.head_bytes;
	for (size_t i = 0; i < part_count; i++) {
		(void)XXH3_128bits_update(state, zero, (size_t)(table[i].off - at));
		digest_more(state, parts[i].p, (size_t)(parts[i].count * parts[i].elem_bytes));
		at = table[i].off + parts[i].count * parts[i].elem_bytes;
	}
	put_digest(XXH3_128bits_digest(state), h.digest);
	(void)XXH3_freeState(state);
	if (lseek(fd, 0, SEEK_SET) != 0 || ftruncate(fd, 0) != 0)
		return YG_FAIL_OS(err, errno, "snapshot file");
	st = write_all(fd, &h, sizeof h, err);
	if (st == YG_OK)
		st = write_all(fd, table, table_bytes, err);
	at = h.head_bytes;
	for (size_t i = 0; st == YG_OK && i < part_count; i++) {
		st = write_all(fd, zero, (size_t)(table[i].off - at), err);
		if (st == YG_OK)
			st = write_all(fd, parts[i].p,
				       (size_t)(parts[i].count * parts[i].elem_bytes), err);
		at = table[i].off + parts[i].count * parts[i].elem_bytes;
	}
	if (st == YG_OK && out_bytes != NULL)
		*out_bytes = h.file_bytes;
	return st;
}

static XXH128_hash_t digest_of(const uint8_t *p, size_t n)
{
	const size_t at = offsetof(struct yg_snap_head, digest);
	static const uint8_t zero[16];
	XXH3_state_t *state = XXH3_createState();
	XXH128_hash_t none = {0, 0};
	if (state == NULL || XXH3_128bits_reset(state) != XXH_OK) {
		(void)XXH3_freeState(state);
		return none; /* out of memory: no snapshot has this digest */
	}
	(void)XXH3_128bits_update(state, p, at);
	(void)XXH3_128bits_update(state, zero, sizeof zero);
	digest_more(state, p + at + 16, n - at - 16);
	XXH128_hash_t h = XXH3_128bits_digest(state);
	(void)XXH3_freeState(state);
	return h;
}

bool yg_snap_fix_digest(void *p, size_t n)
{
	uint8_t digest[16];
	if (n < sizeof(struct yg_snap_head))
		return false;
	put_digest(digest_of(p, n), digest);
	memcpy((uint8_t *)p + offsetof(struct yg_snap_head, digest), digest, 16);
	return true;
}

static yg_status check_head(const struct yg_snap_head *h, size_t n, enum yg_snap_kind kind,
			    struct yg_sv schema, struct yg_err *err)
{
	uint8_t want[16];
	if (memcmp(h->magic, YG_SNAP_MAGIC, 8) != 0)
		return YG_FAIL(err, YG_CORRUPT, "not a snapshot: wrong magic");
	if (h->version != YG_SNAP_VERSION)
		return YG_FAIL(err, YG_CORRUPT,
			       "snapshot of format version %u, this program reads %u", h->version,
			       YG_SNAP_VERSION);
	if (h->file_bytes != n)
		return YG_FAIL(err, YG_CORRUPT,
			       "snapshot has %zu bytes instead of %llu: cut short or grown", n,
			       (unsigned long long)h->file_bytes);
	if (h->kind != (uint32_t)kind)
		return YG_FAIL(err, YG_CORRUPT, "snapshot of another kind: %u", h->kind);
	if (h->section_count > YG_SNAP_SECTIONS_MAX ||
	    h->head_bytes != sizeof *h + h->section_count * sizeof(struct yg_snap_section) ||
	    h->head_bytes > n)
		return YG_FAIL(err, YG_CORRUPT, "snapshot head is damaged");
	schema_digest(schema, want);
	if (memcmp(h->schema, want, 16) != 0)
		return YG_FAIL(err, YG_CORRUPT,
			       "snapshot was compiled for another layout: compile it again");
	return YG_OK;
}

static yg_status check_sections(const uint8_t *p, size_t n, const struct yg_snap_head *h,
				struct yg_err *err)
{
	for (uint32_t i = 0; i < h->section_count; i++) {
		struct yg_snap_section s;
		uint64_t bytes;
		memcpy(&s, p + sizeof *h + i * sizeof s, sizeof s);
		if (s.elem_bytes == 0 || s.off % ALIGN != 0 || s.off < h->head_bytes || s.off > n ||
		    __builtin_mul_overflow(s.count, (uint64_t)s.elem_bytes, &bytes) ||
		    bytes > n - s.off)
			return YG_FAIL(err, YG_CORRUPT, "snapshot section %u is out of range",
				       s.id);
	}
	return YG_OK;
}

yg_status yg_snap_open_bytes(const void *p, size_t n, enum yg_snap_kind kind, struct yg_sv schema,
			     uint64_t min_generation, struct yg_snap *out, struct yg_err *err)
{
	struct yg_snap_head h;
	uint8_t digest[16];
	if (p == NULL || n < sizeof h)
		return YG_FAIL(err, YG_CORRUPT, "snapshot of %zu bytes is shorter than its head",
			       n);
	if (((uintptr_t)p & 7) != 0)
		return YG_FAIL(err, YG_INVAL, "snapshot bytes are not aligned");
	memcpy(&h, p, sizeof h);
	yg_status st = check_head(&h, n, kind, schema, err);
	if (st != YG_OK)
		return st;
	put_digest(digest_of(p, n), digest);
	if (memcmp(digest, h.digest, 16) != 0)
		return YG_FAIL(err, YG_CORRUPT, "snapshot is damaged: its checksum does not match");
	st = check_sections(p, n, &h, err);
	if (st != YG_OK)
		return st;
	if (h.generation < min_generation)
		return YG_FAIL(err, YG_CONFLICT, "snapshot of generation %llu is older than %llu",
			       (unsigned long long)h.generation,
			       (unsigned long long)min_generation);
	*out = (struct yg_snap){.base = p, .bytes = n, .head = h};
	return YG_OK;
}

/* True when neither the length nor the bytes can change under us. */
static bool is_sealed(int fd)
{
	const int need = F_SEAL_WRITE | F_SEAL_SHRINK;
	int seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & need) == need;
}

static yg_status load_copy(int fd, size_t n, void **out, struct yg_err *err)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return YG_FAIL(err, YG_NOMEM, "snapshot of %zu bytes", n);
	(void)madvise(p, n, MADV_HUGEPAGE); /* fewer TLB misses; only a hint */
	size_t at = 0;
	while (at < n) {
		ssize_t r = pread(fd, (char *)p + at, n - at, (off_t)at);
		int eno = errno;
		if (r < 0 && eno == EINTR)
			continue;
		if (r <= 0) {
			(void)munmap(p, n);
			return r == 0 ? YG_FAIL(err, YG_CORRUPT,
						"snapshot shrank while it was read")
				      : YG_FAIL_OS(err, eno, "snapshot read");
		}
		at += (size_t)r;
	}
	(void)mprotect(p, n, PROT_READ);
	*out = p;
	return YG_OK;
}

/* Where the large pages that it may lie in fit; NULL: errno says why. */
static void *map_sealed(int fd, size_t n)
{
	size_t most = n + MAP_PIECE;
	char *room =
		mmap(NULL, most, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return NULL;
	size_t before = (MAP_PIECE - (uintptr_t)room % MAP_PIECE) % MAP_PIECE;
	char *at = mmap(room + before, n, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	if (at == MAP_FAILED) {
		int eno = errno;
		(void)munmap(room, most);
		errno = eno;
		return NULL;
	}
	size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (n + page - 1) / page * page;
	if (before > 0)
		(void)munmap(room, before);
	if (before + whole < most)
		(void)munmap(at + whole, most - before - whole);
	return at;
}

/* All its pages, so that no look-up waits for one. */
static void bring_in(const void *p, size_t n)
{
	char *at = (char *)(uintptr_t)p;
	for (size_t done = 0; done < n; done += MAP_PIECE) {
		(void)madvise(at + done, YG_MIN(n - done, MAP_PIECE), MADV_POPULATE_READ);
		yg_breathe(YG_BREATH);
	}
}

static void unmap(const void *p, size_t n)
{
	char *at = (char *)(uintptr_t)p;
	for (size_t done = 0; done < n; done += MAP_PIECE) {
		(void)munmap(at + done, YG_MIN(n - done, MAP_PIECE));
		yg_breathe(YG_BREATH);
	}
}

yg_status yg_snap_open_fd(int fd, enum yg_snap_kind kind, struct yg_sv schema,
			  uint64_t min_generation, struct yg_snap *out, struct yg_err *err)
{
	struct stat sb;
	if (fstat(fd, &sb) != 0)
		return YG_FAIL_OS(err, errno, "snapshot");
	if (!S_ISREG(sb.st_mode))
		return YG_FAIL(err, YG_CORRUPT, "snapshot is not a regular file");
	if (sb.st_size < (off_t)sizeof(struct yg_snap_head))
		return YG_FAIL(err, YG_CORRUPT, "snapshot of %lld bytes is shorter than its head",
			       (long long)sb.st_size);
	if ((uint64_t)sb.st_size > YG_SNAP_BYTES_MAX)
		return YG_FAIL(err, YG_LIMIT, "snapshot of %lld bytes", (long long)sb.st_size);
	size_t n = (size_t)sb.st_size;
	void *p = NULL;
	if (is_sealed(fd)) {
		p = map_sealed(fd, n);
		if (p == NULL)
			return YG_FAIL_OS(err, errno, "snapshot mmap");
		bring_in(p, n);
	} else {
		yg_status st = load_copy(fd, n, &p, err);
		if (st != YG_OK)
			return st;
	}
	yg_status st = yg_snap_open_bytes(p, n, kind, schema, min_generation, out, err);
	if (st != YG_OK)
		(void)munmap(p, n);
	else
		out->mapped = true;
	return st;
}

void yg_snap_unmap(const void *p, size_t n)
{
	unmap(p, n);
}

void yg_snap_rest(const struct yg_snap *s)
{
	(void)madvise((void *)(uintptr_t)s->base, s->bytes, MADV_DONTNEED); /* only a hint */
}

void yg_snap_close(struct yg_snap *s)
{
	if (s->mapped)
		unmap(s->base, s->bytes);
	*s = (struct yg_snap){.base = NULL};
}

yg_status yg_snap_find(const struct yg_snap *s, uint32_t id, uint32_t elem_bytes, const void **out,
		       uint64_t *out_count, struct yg_err *err)
{
	for (uint32_t i = 0; i < s->head.section_count; i++) {
		struct yg_snap_section sec;
		memcpy(&sec, s->base + sizeof s->head + i * sizeof sec, sizeof sec);
		if (sec.id != id)
			continue;
		if (sec.elem_bytes != elem_bytes)
			return YG_FAIL(err, YG_CORRUPT,
				       "snapshot section %u has elements of %u bytes", id,
				       sec.elem_bytes);
		*out = s->base + sec.off;
		*out_count = sec.count;
		return YG_OK;
	}
	return YG_FAIL(err, YG_CORRUPT, "snapshot section %u is missing", id);
}
