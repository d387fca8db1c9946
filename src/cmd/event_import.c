#include "cmd/event_import.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/print.h"
#include "event/split.h"
#include "format/inflate.h"

#define READ_BYTES  262144
#define PLAIN_BYTES 1048576
#define TRIES       120 /* about two minutes of a server that is away; 429s do not count */

/* BLAKE2b over what makes a batch what it is; 20 bytes are plenty for a name. */
static void batch_name(const struct yg_import *im, struct yg_sv bytes, uint64_t offset,
		       char out[static 41])
{
	crypto_generichash_state h;
	unsigned char digest[20];
	(void)crypto_generichash_init(&h, NULL, 0, sizeof digest);
	const char *const parts[] = {im->org, im->source,
				     im->sensor != NULL ? im->sensor : "import"};
	for (size_t i = 0; i < YG_LEN(parts); i++)
		(void)crypto_generichash_update(&h, (const unsigned char *)parts[i],
						strlen(parts[i]) + 1);
	(void)crypto_generichash_update(&h, (const unsigned char *)&offset, sizeof offset);
	(void)crypto_generichash_update(&h, (const unsigned char *)bytes.p, bytes.n);
	(void)crypto_generichash_final(&h, digest, sizeof digest);
	(void)sodium_bin2hex(out, 41, digest, sizeof digest);
}

yg_status yg_import_batch(const struct yg_cli *c, struct yg_client *client,
			  const struct yg_import *import, struct yg_sv bytes, const char *name,
			  struct yg_import_count *count, struct yg_err *err)
{
	char url[512];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	yg_sb_put(&b, YG_SV("/api/v1/events"));
	yg_url_query(&b, "source", import->source);
	yg_url_query(&b, "org", import->org);
	yg_url_query(&b, "sensor", import->sensor != NULL ? import->sensor : "import");
	if (yg_sb_done(&b) != YG_OK)
		return YG_FAIL(err, YG_INVAL, "organisation, source and sensor are too long");
	const struct yg_call call = {.method = "POST",
				     .path = yg_sb_cstr(&b),
				     .body = bytes,
				     .type = "application/octet-stream",
				     .batch_id = name};
	for (unsigned tries = 0;;) {
		struct yg_reply r;
		yg_status st = yg_client_call(client, &call, &r, err);
		bool duplicate = json_is_true(json_object_get(r.json, "duplicate"));
		int64_t wait_s = r.retry_after_s;
		yg_reply_free(&r);
		if (st == YG_OK) {
			count->batches++;
			count->bytes += bytes.n;
			count->duplicates += duplicate;
			return YG_OK;
		}
		if ((st != YG_AGAIN && st != YG_LIMIT) || (st == YG_AGAIN && ++tries > TRIES))
			return st;
		if (st == YG_LIMIT || tries == 1)
			yg_note(c, "\nwaiting: %s\n", err->msg);
		(void)usleep((useconds_t)(wait_s > 0 ? YG_MIN(wait_s, 30) * 1000000 : 1000000));
	}
}

struct reader {
	const struct yg_cli *cli;
	struct yg_client *client;
	const struct yg_import *import;
	const char *file;
	struct yg_split *split;
	struct yg_inflate *inflate; /* NULL: plain */
	char *in, *plain;
	uint64_t read, size;
	struct yg_import_count count;
	int64_t shown_us;
};

static void reader_free(struct reader *r)
{
	yg_split_free(r->split);
	yg_inflate_free(r->inflate);
	free(r->in);
	free(r->plain);
}

static void progress(struct reader *r, bool last)
{
	int64_t now = yg_env_mono(yg_cli_env(r->cli)).us;
	if (!yg_cli_progress(r->cli) || (!last && now - r->shown_us < 200000))
		return;
	r->shown_us = now;
	yg_note(r->cli, "\r%s: %llu of %llu MB, %llu records%s", r->file,
		(unsigned long long)(r->read / 1000000), (unsigned long long)(r->size / 1000000),
		(unsigned long long)r->count.records, last ? "\n" : "");
}

static yg_status send_one(struct reader *r, const struct yg_split_batch *batch, struct yg_err *err)
{
	char name[41];
	batch_name(r->import, batch->bytes, batch->offset, name);
	yg_status st =
		yg_import_batch(r->cli, r->client, r->import, batch->bytes, name, &r->count, err);
	if (st != YG_OK)
		return st;
	r->count.records += batch->records;
	r->count.cut += batch->cut;
	progress(r, false);
	return YG_OK;
}

static yg_status take_plain(struct reader *r, struct yg_sv bytes, struct yg_err *err)
{
	struct yg_split_batch batch;
	while (yg_split_next(r->split, &bytes, &batch)) {
		yg_status st = send_one(r, &batch, err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

static yg_status take(struct reader *r, struct yg_sv bytes, struct yg_err *err)
{
	if (r->inflate == NULL)
		return take_plain(r, bytes, err);
	for (;;) {
		size_t n;
		yg_status st = yg_inflate(r->inflate, &bytes, r->plain, PLAIN_BYTES, &n, err);
		if (st != YG_OK)
			return st;
		if (n == 0 && bytes.n == 0)
			return YG_OK;
		st = take_plain(r, (struct yg_sv){r->plain, n}, err);
		if (st != YG_OK)
			return st;
	}
}

static yg_status read_all(struct reader *r, int fd, struct yg_err *err)
{
	bool first = true;
	for (;;) {
		size_t have = 0;
		while (have < READ_BYTES) { /* whole blocks: the first bytes decide the format */
			ssize_t n = read(fd, r->in + have, READ_BYTES - have);
			if (n < 0)
				return YG_FAIL(err, YG_IO, "reading failed");
			if (n == 0)
				break;
			have += (size_t)n;
		}
		if (have == 0)
			break;
		struct yg_sv bytes = {r->in, have};
		enum yg_encoding enc = first ? yg_encoding_sniff(bytes) : YG_PLAIN;
		yg_status st = YG_OK;
		if (first && enc != YG_PLAIN)
			st = yg_inflate_new(enc, UINT64_MAX, &r->inflate, err);
		first = false;
		if (st == YG_OK)
			st = take(r, bytes, err);
		if (st != YG_OK)
			return st;
		r->read += have;
		progress(r, false);
	}
	struct yg_split_batch batch;
	while (yg_split_end(r->split, &batch)) {
		yg_status st = send_one(r, &batch, err);
		if (st != YG_OK)
			return st;
	}
	if (r->inflate != NULL && !yg_inflate_complete(r->inflate))
		return YG_FAIL(err, YG_PARSE,
			       "the compressed file is cut short; what was there is imported");
	return YG_OK;
}

static void report(const struct reader *r)
{
	const struct yg_import_count *n = &r->count;
	if (yg_cli_json(r->cli)) {
		json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "file", r->file, "records",
				      (json_int_t)n->records, "bytes", (json_int_t)n->bytes,
				      "batches", (json_int_t)n->batches, "duplicates",
				      (json_int_t)n->duplicates, "cut", (json_int_t)n->cut);
		yg_print_object(r->cli, o);
		json_decref(o);
		return;
	}
	(void)printf("%s: %llu records in %llu batches", r->file, (unsigned long long)n->records,
		     (unsigned long long)n->batches);
	if (n->duplicates > 0)
		(void)printf(", %llu of them known already: nothing added by these",
			     (unsigned long long)n->duplicates);
	if (n->cut > 0)
		(void)printf(", %llu records longer than %u bytes cut", (unsigned long long)n->cut,
			     YG_RECORD_MAX);
	(void)printf("\n");
}

yg_status yg_import_file(const struct yg_cli *c, struct yg_client *client,
			 const struct yg_import *import, const char *file, struct yg_err *err)
{
	YG_AUTO(reader_free)
	struct reader r = {.cli = c, .client = client, .import = import, .file = file};
	enum yg_source source;
	struct yg_sv mapping;
	yg_status st = yg_source_parse(yg_sv_of(import->source), &source, &mapping, err);
	if (st != YG_OK || sodium_init() < 0)
		return st != YG_OK ? st : YG_FAIL(err, YG_INTERNAL, "libsodium does not start");
	bool standard = yg_sv_eq(yg_sv_of(file), YG_SV("-"));
	int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	struct stat info;
	if (fd < 0 || fstat(fd, &info) != 0)
		return YG_FAIL(err, YG_IO, "'%s' cannot be opened", file);
	r.size = (uint64_t)YG_MAX(info.st_size, 0);
	st = yg_split_new(source, import->batch_bytes, &r.split, err);
	r.in = malloc(READ_BYTES);
	r.plain = malloc(PLAIN_BYTES);
	if (st == YG_OK && (r.in == NULL || r.plain == NULL))
		st = YG_FAIL(err, YG_NOMEM, "read buffers");
	if (st == YG_OK)
		st = read_all(&r, fd, err);
	if (!standard)
		(void)close(fd);
	progress(&r, true);
	if (st != YG_OK) {
		(void)yg_err_wrap(err, "%s: after %llu batches: ", file,
				  (unsigned long long)r.count.batches);
		return st;
	}
	report(&r);
	return YG_OK;
}
