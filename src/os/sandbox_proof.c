/* What a process finds out about itself: the kernel's own words in /proc/self/status,
 * opened before the sandbox is closed and read behind it. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/check.h"
#include "os/file.h"
#include "os/sandbox_parts.h"

#define STATUS_MAX 8192

static bool number(struct yg_sv s, unsigned base, uint64_t *out)
{
	uint64_t n = 0;
	if (s.n == 0 || s.n > 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
							: 99;
		if (digit >= base || n > (UINT64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	*out = n;
	return true;
}

/* "1000\t1000\t1000\t1000": real, effective, saved, of the file system. */
static bool one_id(struct yg_sv s, uint32_t *out)
{
	struct yg_sv id;
	uint64_t first = 0, n = 0;
	for (unsigned i = 0; i < 4; i++) {
		(void)yg_sv_cut(&s, '\t', &id);
		if (!number(id, 10, &n) || n > UINT32_MAX || (i > 0 && n != first))
			return false;
		first = n;
	}
	*out = (uint32_t)first;
	return true;
}

static bool small(struct yg_sv s, uint32_t *out)
{
	uint64_t n = 0;
	if (!number(s, 10, &n) || n > UINT32_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

static uint32_t words(struct yg_sv s)
{
	struct yg_sv one;
	uint32_t n = 0;
	while (s.n > 0) {
		(void)yg_sv_cut(&s, ' ', &one);
		n += one.n > 0;
	}
	return n;
}

enum { UID = 1, GID = 2, PRM = 4, EFF = 8, BND = 16, NNP = 32, SEC = 64, NEEDED = 127 };

/* Which of the needed lines it was; 0: another one. */
static unsigned take_line(struct yg_sv name, struct yg_sv v, struct yg_sandbox_proof *p)
{
	uint32_t n = 0;
	if (YG_SV_IS(name, "Uid"))
		return one_id(v, &p->uid) ? UID : 0;
	if (YG_SV_IS(name, "Gid"))
		return one_id(v, &p->gid) ? GID : 0;
	if (YG_SV_IS(name, "CapPrm"))
		return number(v, 16, &p->cap_permitted) ? PRM : 0;
	if (YG_SV_IS(name, "CapEff"))
		return number(v, 16, &p->cap_effective) ? EFF : 0;
	if (YG_SV_IS(name, "CapBnd"))
		return number(v, 16, &p->cap_bounding) ? BND : 0;
	if (YG_SV_IS(name, "Seccomp"))
		return small(v, &p->seccomp) ? SEC : 0;
	if (YG_SV_IS(name, "NoNewPrivs")) {
		bool good = small(v, &n);
		p->no_new_privs = n == 1;
		return good ? NNP : 0;
	}
	if (YG_SV_IS(name, "Groups"))
		p->groups = words(v);
	else if (YG_SV_IS(name, "Seccomp_filters")) /* Linux 5.9 */
		(void)small(v, &p->filters);
	return 0;
}

yg_status yg_proof_read(struct yg_sv text, struct yg_sandbox_proof *p, struct yg_err *err)
{
	unsigned seen = 0;
	struct yg_sv line, name;
	while (text.n > 0) {
		(void)yg_sv_cut(&text, '\n', &line);
		if (yg_sv_cut(&line, ':', &name))
			seen |= take_line(name, yg_sv_trim(line), p);
	}
	return seen == NEEDED
		       ? YG_OK
		       : YG_FAIL(err, YG_INTERNAL, "the kernel does not say all of a process (%#x)",
				 seen ^ NEEDED);
}

yg_status yg_proof_open(int *out_fd, struct yg_err *err)
{
	*out_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	return *out_fd >= 0 ? YG_OK : YG_FAIL_OS(err, errno, "reading about this process");
}

yg_status yg_proof_end(int fd, bool supervisor, struct yg_sandbox_proof *p, struct yg_err *err)
{
	char buf[STATUS_MAX];
	size_t n = 0;
	for (ssize_t got = 1; got > 0 && n < sizeof buf; n += (size_t)got) {
		got = read(fd, buf + n, sizeof buf - n);
		if (got < 0)
			return YG_FAIL_OS(err, errno, "reading about this process");
	}
	yg_status st = yg_proof_read((struct yg_sv){buf, n}, p, err);
	if (st != YG_OK)
		return st;
	if (!p->no_new_privs || p->seccomp != 2)
		return YG_FAIL(err, YG_INTERNAL,
			       "the kernel says: no_new_privs %d, seccomp %u, and means open",
			       p->no_new_privs, p->seccomp);
	if (!supervisor && (p->cap_effective | p->cap_permitted) != 0)
		return YG_FAIL(err, YG_INTERNAL, "the kernel says that capabilities are left");
	return YG_OK;
}

void yg_proof_tried(struct yg_sandbox_proof *p, const char *what, const char *object, int eno)
{
	static const struct {
		int eno;
		const char *name;
	} names[] = {{EACCES, "EACCES"}, {EPERM, "EPERM"}, {ENOENT, "ENOENT"}, {EROFS, "EROFS"}};
	if (!YG_CHECK(p->tried_count < YG_SANDBOX_TRIED))
		return;
	struct yg_sandbox_tried *t = &p->tried[p->tried_count++];
	*t = (struct yg_sandbox_tried){what, object, eno == 0 ? "SIGSYS" : "refused"};
	for (size_t i = 0; i < YG_LEN(names); i++)
		if (names[i].eno == eno)
			t->result = names[i].name;
}
