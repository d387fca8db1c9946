#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/sandbox_parts.h"

/* Supplementary groups of the account ("adm" to follow system logs), without 0. */
static int groups_of(uint32_t uid, uint32_t gid, gid_t *out, int max)
{
	struct passwd pw, *found = NULL;
	char buf[8192];
	int n = max;
	if (getpwuid_r(uid, &pw, buf, sizeof buf, &found) != 0 || found == NULL ||
	    getgrouplist(pw.pw_name, gid, out, &n) < 0) {
		out[0] = gid;
		return 1;
	}
	int kept = 0;
	for (int i = 0; i < n; i++)
		if (out[i] != 0)
			out[kept++] = out[i];
	return kept;
}

yg_status yg_privilege_drop(uint32_t uid, uint32_t gid, struct yg_err *err)
{
	if (geteuid() != 0 && getuid() != 0)
		return YG_OK;
	if (uid == 0 || gid == 0)
		return YG_FAIL(err, YG_INVAL, "a role never runs as root");
	gid_t groups[64];
	int n = groups_of(uid, gid, groups, (int)YG_LEN(groups));
	if (setgroups((size_t)n, groups) != 0)
		return YG_FAIL_OS(err, errno, "setgroups");
	if (setresgid(gid, gid, gid) != 0)
		return YG_FAIL_OS(err, errno, "setresgid %u", gid);
	if (setresuid(uid, uid, uid) != 0)
		return YG_FAIL_OS(err, errno, "setresuid %u", uid);
	/* believe it only when the way back is shut */
	uid_t r, e, s;
	gid_t gr, ge, gs;
	if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid ||
	    getresgid(&gr, &ge, &gs) != 0 || gr != gid || ge != gid || gs != gid)
		return YG_FAIL(err, YG_INTERNAL, "the user did not change");
	if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0 || setgroups(0, NULL) == 0)
		return YG_FAIL(err, YG_INTERNAL, "there is a way back to root");
	return YG_OK;
}

static yg_status caps_set(uint64_t keep, struct yg_err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t)keep, .permitted = (uint32_t)keep},
		{.effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32)},
	};
	if (syscall(SYS_capset, &head, data) != 0)
		return YG_FAIL_OS(err, errno, "capset");
	return YG_OK;
}

static uint64_t caps_have(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	if (syscall(SYS_capget, &head, data) != 0)
		return 0;
	return data[0].permitted | ((uint64_t)data[1].permitted << 32);
}

yg_status yg_caps_clear(struct yg_err *err)
{
	/* EINVAL: a kernel without ambient capabilities has none to clear */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
		return YG_FAIL_OS(err, errno, "clearing ambient capabilities");
	yg_status st = caps_set(0, err);
	if (st == YG_OK && caps_have() != 0)
		st = YG_FAIL(err, YG_INTERNAL, "capabilities are still there");
	return st;
}

yg_status yg_privilege_trim(struct yg_err *err)
{
	uint64_t want = (1ULL << CAP_SETUID) | (1ULL << CAP_SETGID) | (1ULL << CAP_KILL) |
			(1ULL << CAP_CHOWN) | (1ULL << CAP_FOWNER) | (1ULL << CAP_DAC_OVERRIDE) |
			(1ULL << CAP_NET_BIND_SERVICE);
	uint64_t have = caps_have();
	if (have == 0)
		return YG_OK;
	if ((have & (1ULL << CAP_SETPCAP)) != 0)
		for (unsigned cap = 0; cap < 64; cap++)
			if ((want & (1ULL << cap)) == 0 &&
			    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 &&
			    errno != EINVAL) /* past the last one this kernel knows */
				return YG_FAIL_OS(err, errno, "dropping capability %u", cap);
	return caps_set(have & want, err);
}
