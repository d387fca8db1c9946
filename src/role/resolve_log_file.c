#include "role/resolve_log_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "format/dns.h"
#include "format/fstrm.h"
#include "os/file.h"

#define FOLDER      "dnslog"
#define FILE_MOST   (32u << 20)
#define FILE_LEAST  (1u << 20)
#define FILE_FOR_US (600 * YG_US_PER_S)
#define LOOK_US     (YG_US_PER_S / 2) /* while it is full: is there room again? */

static int64_t now_us(const struct log_files *f)
{
	return yg_env_mono(&f->ctx->env).us;
}

static void name_of(const struct log_files *f, uint64_t number, char *out, size_t cap)
{
	(void)snprintf(out, cap, FOLDER "/%u-%016llu.tap", f->ctx->index,
		       (unsigned long long)number);
}

struct found {
	uint64_t bytes, oldest, newest;
};

/* The worker's files but the one at hand. */
static void look(struct log_files *f, struct found *out)
{
	char prefix[24];
	*out = (struct found){.oldest = UINT64_MAX};
	(void)snprintf(prefix, sizeof prefix, "%u-", f->ctx->index);
	DIR *d = opendir(FOLDER);
	for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
		struct yg_sv name = yg_sv_of(e->d_name);
		struct stat st;
		uint64_t number;
		if (!yg_sv_starts(name, yg_sv_of(prefix)) || !yg_sv_ends(name, YG_SV(".tap")))
			continue;
		size_t at = strlen(prefix);
		if (yg_parse_u64(yg_sv_sub(name, at, name.n - at - 4), &number, NULL) != YG_OK ||
		    (f->fd >= 0 && number == f->number) ||
		    fstatat(dirfd(d), e->d_name, &st, 0) != 0)
			continue;
		out->bytes += (uint64_t)st.st_size;
		out->oldest = YG_MIN(out->oldest, number);
		out->newest = YG_MAX(out->newest, number);
	}
	if (d != NULL)
		(void)closedir(d);
}

static void trouble(struct log_files *f, const char *what)
{
	struct yg_err err = {0};
	(void)YG_FAIL_OS(&err, errno, "%s", what);
	f->counts.failures++;
	yg_role_log(f->ctx, YG_EV_RESOLVE_LOG_FAILED, YG_KERR(&err));
}

/* ---- the file at hand ---- */

void log_files_end(struct log_files *f)
{
	uint8_t stop[YG_FSTRM_CONTROL_ROOM];
	if (f->fd < 0)
		return;
	size_t n = yg_fstrm_control(stop, sizeof stop, YG_FSTRM_STOP, YG_SV(""));
	if (write(f->fd, stop, n) == (ssize_t)n)
		f->file_n += n;
	yg_fd_close(&f->fd);
	f->others_n += f->file_n;
	f->file_n = 0;
}

static bool file_begin(struct log_files *f)
{
	char name[64];
	uint8_t start[YG_FSTRM_CONTROL_ROOM];
	name_of(f, ++f->number, name, sizeof name);
	f->own[f->number % LOG_OWN] = 0;
	f->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (f->fd < 0) {
		trouble(f, name);
		return false;
	}
	size_t n = yg_fstrm_control(start, sizeof start, YG_FSTRM_START, YG_SV(YG_FSTRM_DNSTAP));
	if (write(f->fd, start, n) != (ssize_t)n) {
		trouble(f, name);
		(void)unlink(name);
		yg_fd_close(&f->fd);
		return false;
	}
	f->file_n = n;
	f->begun_us = now_us(f);
	f->counts.files++;
	return true;
}

/* All of it; false: nothing of it is in the file. */
static bool write_out(struct log_files *f, const uint8_t *p, size_t n)
{
	size_t done = 0;
	while (done < n) {
		ssize_t k = write(f->fd, p + done, n - done);
		if (k > 0) {
			done += (size_t)k;
		} else if (k == 0 || errno != EINTR) {
			trouble(f, "cannot write into " FOLDER);
			/* half a frame must not stand before a whole one */
			if (ftruncate(f->fd, (off_t)f->file_n) != 0)
				yg_fd_close(&f->fd);
			return false;
		}
	}
	f->file_n += done;
	return true;
}

/* ---- the bound ---- */

/* Whole frames of a file, by their lengths alone. */
static uint64_t frames_of(const char *name)
{
	uint8_t buf[8192];
	struct stat st;
	uint64_t at = 0, frames = 0;
	YG_AUTO(yg_fd_close) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0)
		return 0;
	for (;;) {
		ssize_t got = pread(fd, buf, sizeof buf, (off_t)at);
		size_t i = 0;
		while (got > 0 && i + 8 <= (size_t)got) {
			size_t n = yg_dns_get32(buf + i);
			bool data = n > 0;
			n = data ? n + 4 : 8 + (size_t)yg_dns_get32(buf + i + 4);
			if (at + i + n > (uint64_t)st.st_size)
				return frames;
			frames += data;
			i += n;
		}
		if (i == 0)
			return frames;
		at += i;
	}
}

/* One of this process is known; one of a process before is read. */
static bool remove_old(struct log_files *f, uint64_t number)
{
	char name[64];
	name_of(f, number, name, sizeof name);
	bool own = number >= f->first && number + LOG_OWN > f->number;
	uint64_t frames = own ? f->own[number % LOG_OWN] : frames_of(name);
	if (unlink(name) != 0)
		return false;
	f->counts.files_dropped++;
	f->counts.dropped_old += frames;
	return true;
}

/* Makes room for n bytes more; false: there is none. */
static bool room(struct log_files *f, size_t n)
{
	if (f->file_n + f->others_n + n <= f->most)
		return true;
	if (log_files_full(f))
		return false;
	struct found now;
	bool removed = false;
	look(f, &now);
	while (f->drop_old && now.bytes > 0 && f->file_n + now.bytes + n > f->most &&
	       remove_old(f, now.oldest)) {
		removed = true;
		look(f, &now);
	}
	f->others_n = now.bytes;
	bool ok = f->file_n + f->others_n + n <= f->most;
	if ((!ok && !f->full) || (removed && !f->told_old))
		yg_role_log(f->ctx, YG_EV_RESOLVE_LOG_FULL, YG_KN("bytes", f->others_n),
			    YG_KN("dropped", f->counts.dropped + f->counts.dropped_old));
	f->told_old = f->told_old || removed;
	f->full = !ok;
	f->look_us = now_us(f) + LOOK_US;
	return ok;
}

bool log_files_full(const struct log_files *f)
{
	return f->full && now_us(f) < f->look_us;
}

void log_files_write(struct log_files *f, const uint8_t *p, size_t n, uint32_t frames)
{
	bool old = f->fd >= 0 &&
		   (f->file_n + n > f->file_most || now_us(f) - f->begun_us > FILE_FOR_US);
	if (old)
		log_files_end(f);
	if (!room(f, n) || (f->fd < 0 && !file_begin(f)) || !write_out(f, p, n)) {
		f->counts.dropped += frames;
		return;
	}
	f->own[f->number % LOG_OWN] += frames;
	f->counts.written += frames;
	f->counts.bytes += n;
}

void log_files_open(struct log_files *f, struct yg_role_ctx *ctx)
{
	const struct yg_conf *c = ctx->conf;
	struct found found;
	f->ctx = ctx;
	f->fd = -1;
	f->most = c->resolve_log_bytes / YG_MAX(c->resolve_workers, 1u);
	f->file_most = YG_MAX(YG_MIN(f->most / 8, (uint64_t)FILE_MOST), (uint64_t)FILE_LEAST);
	f->drop_old = YG_SV_IS(c->resolve_log_full, "drop-old");
	look(f, &found);
	f->others_n = found.bytes;
	/* above what was ever there, also when the folder was emptied by hand */
	f->number = YG_MAX(found.newest, (uint64_t)(yg_env_wall(&ctx->env).us / 1000));
	f->first = f->number + 1;
}
