/* data.c - the data folder: made, owned, reachable, and ours alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "os/sandbox.h"
#include "role/sup.h"

static bool user_by_name(struct yg_sv name, uint32_t *uid, uint32_t *gid)
{
	char text[256], buf[8192];
	struct passwd pw, *found = NULL;
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, name);
	if (b.cut || getpwnam_r(yg_sb_cstr(&b), &pw, buf, sizeof buf, &found) != 0 || found == NULL)
		return false;
	*uid = pw.pw_uid;
	*gid = pw.pw_gid;
	return true;
}

yg_status sup_user_find(struct sup *s, struct yg_err *err)
{
	struct stat st;
	s->uid = getuid();
	s->gid = getgid();
	if (geteuid() != 0)
		return YG_OK;
	if (user_by_name(s->conf.user, &s->uid, &s->gid)) {
		if (s->uid == 0)
			return YG_FAIL(err, YG_INVAL, "process.user must not be root");
		return YG_OK;
	}
	if (!YG_SV_IS(s->conf.user, "yagura"))
		return YG_FAIL(err, YG_NOTFOUND, "process.user: there is no user '" YG_SV_FMT "'",
			       YG_SV_ARG(s->conf.user));
	if (stat(s->data, &st) == 0 && st.st_uid != 0) {
		s->uid = st.st_uid;
		s->gid = st.st_gid != 0 ? st.st_gid : st.st_uid;
		return YG_OK;
	}
	if (!user_by_name(YG_SV("nobody"), &s->uid, &s->gid))
		return YG_FAIL(err, YG_NOTFOUND, "there is neither a user 'yagura' nor 'nobody'");
	return YG_OK;
}

/* mkdir -p; what it makes is open to be passed through, the data folder is not. */
static yg_status make_parents(const char *path, struct yg_err *err)
{
	char part[PATH_MAX];
	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		struct yg_sb b = yg_sb_init(part, sizeof part);
		yg_sb_put(&b, (struct yg_sv){path, (size_t)(slash - path)});
		if (mkdir(yg_sb_cstr(&b), 0755) != 0 && errno != EEXIST)
			return YG_FAIL_OS(err, errno, "cannot make folder %s", part);
	}
	return YG_OK;
}

/* To be given to the roles' user as root a folder must be ours for certain:
 * `--data /etc` is a slip of the hand, not a wish. */
static yg_status ours_or_empty(struct sup *s, struct yg_err *err)
{
	struct stat st;
	size_t strange = 0;
	if (stat("state", &st) == 0 && S_ISDIR(st.st_mode) && stat("spool", &st) == 0 &&
	    S_ISDIR(st.st_mode))
		return YG_OK;
	DIR *d = opendir(".");
	if (d == NULL)
		return YG_FAIL_OS(err, errno, "cannot read the data folder %s", s->data);
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		strange += e->d_name[0] != '.' && strcmp(e->d_name, "lost+found") != 0;
	(void)closedir(d);
	if (strange > 0)
		return YG_FAIL(err, YG_CONFLICT,
			       "%s is not empty and is no data folder of Yagura; name another one",
			       s->data);
	return YG_OK;
}

static yg_status give_entry(struct sup *s, const FTSENT *e, struct yg_err *err)
{
	switch (e->fts_info) {
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS: return YG_FAIL_OS(err, e->fts_errno, "%s/%s", s->data, e->fts_path);
	case FTS_F: /* a second name of a file could be somebody else's: only what lies here alone */
		if (e->fts_statp->st_nlink != 1)
			return YG_OK;
		break;
	case FTS_D:
	case FTS_SL:
	case FTS_SLNONE: break;
	default: return YG_OK;
	}
	if (lchown(e->fts_accpath, s->uid, s->gid) != 0)
		return YG_FAIL_OS(err, errno, "cannot give %s/%s to user %u", s->data, e->fts_path,
				  s->uid);
	return YG_OK;
}

static yg_status give_away(struct sup *s, struct yg_err *err)
{
	struct stat st;
	char here[] = ".";
	char *const roots[] = {here, NULL};
	if (geteuid() != 0)
		return YG_OK;
	if (stat(".", &st) != 0)
		return YG_FAIL_OS(err, errno, "cannot stat %s", s->data);
	if (st.st_uid == s->uid && st.st_gid == s->gid)
		return YG_OK;
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	if (walk == NULL)
		return YG_FAIL_OS(err, errno, "cannot walk %s", s->data);
	yg_status result = YG_OK;
	for (FTSENT *e = fts_read(walk); e != NULL && result == YG_OK; e = fts_read(walk))
		result = give_entry(s, e, err);
	(void)fts_close(walk);
	return result;
}

static yg_status folder(struct sup *s, const char *path, bool ours, struct yg_err *err)
{
	yg_status st = yg_dir_make(path, 0700, err);
	if (st != YG_OK || geteuid() != 0)
		return st;
	/* keys/ stays root's: no role ever opens it */
	if (lchown(path, ours ? 0 : s->uid, ours ? 0 : s->gid) != 0)
		return YG_FAIL_OS(err, errno, "cannot set the owner of %s/%s", s->data, path);
	return YG_OK;
}

static yg_status tree(struct sup *s, struct yg_err *err)
{
	static const char *const folders[] = {"state",      "events", "spool", "snapshot",
					      "quarantine", "run",    "zones", "dnslog"};
	yg_status st = folder(s, "keys", true, err);
	for (size_t i = 0; i < YG_LEN(folders) && st == YG_OK; i++)
		st = folder(s, folders[i], false, err);
	return st;
}

/* In a child that has become the roles' user: can it come here and write? */
static yg_status reachable(struct sup *s, struct yg_err *err)
{
	if (geteuid() != 0)
		return access(".", W_OK) == 0
			       ? YG_OK
			       : YG_FAIL_OS(err, errno, "data folder %s cannot be used", s->data);
	pid_t pid = fork();
	if (pid < 0)
		return YG_FAIL_OS(err, errno, "fork");
	if (pid == 0) {
		bool ok = yg_privilege_drop(s->uid, s->gid, NULL) == YG_OK && chdir(s->data) == 0 &&
			  access("state", W_OK) == 0;
		_exit(ok ? 0 : 1);
	}
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return YG_OK;
	return YG_FAIL(err, YG_DENIED,
		       "user %u, whom the roles run as, cannot reach the data folder %s: "
		       "a folder above it is closed to others",
		       s->uid, s->data);
}

static yg_status lock(struct sup *s, struct yg_err *err)
{
	s->lock_fd = open(".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return YG_FAIL_OS(err, errno, "cannot open %s/.lock", s->data);
	char pid[32];
	struct yg_sb b = yg_sb_init(pid, sizeof pid);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		int eno = errno;
		ssize_t n = pread(s->lock_fd, pid, sizeof pid - 1, 0);
		struct yg_sv who = yg_sv_trim((struct yg_sv){pid, n > 0 ? (size_t)n : 0});
		uint64_t number = 0;
		if (eno != EWOULDBLOCK)
			return YG_FAIL_OS(err, eno, "cannot lock %s", s->data);
		(void)yg_parse_u64(who, &number, NULL);
		return YG_FAIL(err, YG_CONFLICT,
			       "data folder %s is in use by another yagura (process %llu)", s->data,
			       (unsigned long long)number);
	}
	yg_sb_printf(&b, "%d\n", (int)getpid());
	if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, b.p, b.n, 0) < 0)
		return YG_FAIL_OS(err, errno, "cannot write %s/.lock", s->data);
	return YG_OK;
}

yg_status sup_data_open(struct sup *s, struct yg_err *err)
{
	char full[PATH_MAX];
	struct yg_sb b = yg_sb_init(s->data, sizeof s->data);
	if (s->what->data[0] != '/') {
		if (getcwd(full, sizeof full) == NULL)
			return YG_FAIL_OS(err, errno, "the current folder");
		yg_sb_put(&b, yg_sv_of(full));
		yg_sb_putc(&b, '/');
	}
	yg_sb_put(&b, yg_sv_of(s->what->data));
	if (b.cut || b.n + 1 >= sizeof s->data)
		return YG_FAIL(err, YG_INVAL, "the path of the data folder is too long");
	(void)yg_sb_cstr(&b);
	yg_status st = make_parents(s->data, err);
	if (st != YG_OK)
		return st;
	if (mkdir(s->data, 0700) != 0 && errno != EEXIST)
		return YG_FAIL_OS(err, errno, "cannot make the data folder %s", s->data);
	if (chdir(s->data) != 0)
		return YG_FAIL_OS(err, errno, "cannot use the data folder %s", s->data);
	st = ours_or_empty(s, err);
	if (st == YG_OK)
		st = lock(s, err);
	if (st == YG_OK)
		st = sup_user_find(s, err);
	if (st == YG_OK)
		st = give_away(s, err);
	if (st == YG_OK)
		st = tree(s, err);
	if (st == YG_OK)
		st = reachable(s, err);
	return st;
}
