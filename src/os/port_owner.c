#include "os/port_owner.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "os/file.h"

/* Socket inode of a listener on that port, from /proc/net; 0: none found. */
static uint64_t inode_of(const char *table, uint16_t port, bool udp, uint64_t *uid)
{
	struct yg_buf b;
	uint64_t inode = 0;
	yg_buf_init(&b, (size_t)64 << 20);
	if (yg_file_read(table, (size_t)32 << 20, &b, NULL) != YG_OK) {
		yg_buf_free(&b);
		return 0;
	}
	struct yg_sv rest = yg_buf_sv(&b), line;
	(void)yg_sv_cut(&rest, '\n', &line); /* headings */
	while (inode == 0 && yg_sv_cut(&rest, '\n', &line)) {
		/* sl local remote state queues timer retransmits uid timeout inode */
		struct yg_sv word, local = {"", 0}, state = {"", 0}, user = {"", 0},
				   found = {"", 0};
		unsigned at = 0;
		while (yg_sv_cut(&line, ' ', &word)) {
			if (word.n == 0)
				continue;
			if (at == 1)
				local = word;
			else if (at == 3)
				state = word;
			else if (at == 7)
				user = word;
			else if (at == 9)
				found = word;
			at++;
		}
		uint8_t hex[2];
		size_t colon = yg_sv_find(local, ':', 0);
		if (yg_parse_hex(yg_sv_sub(local, colon + 1, local.n), hex, 2, NULL) != YG_OK)
			continue;
		bool listens = udp || YG_SV_IS(state, "0A");
		if (listens && ((unsigned)hex[0] << 8 | hex[1]) == port)
			if (yg_parse_u64(found, &inode, NULL) == YG_OK)
				(void)yg_parse_u64(user, uid, NULL);
	}
	yg_buf_free(&b);
	return inode;
}

static bool holds(const char *pid, uint64_t inode)
{
	char path[300], link[64], want[64];
	struct yg_sb w = yg_sb_init(want, sizeof want), p = yg_sb_init(path, sizeof path);
	yg_sb_printf(&w, "socket:[%llu]", (unsigned long long)inode);
	yg_sb_printf(&p, "/proc/%.16s/fd", pid);
	DIR *d = opendir(yg_sb_cstr(&p));
	bool found = false;
	if (d == NULL)
		return false;
	for (struct dirent *e = readdir(d); e != NULL && !found; e = readdir(d)) {
		p.n = 0;
		yg_sb_printf(&p, "/proc/%.16s/fd/%.16s", pid, e->d_name);
		ssize_t n = readlink(yg_sb_cstr(&p), link, sizeof link);
		found = n > 0 && yg_sv_eq((struct yg_sv){link, (size_t)n}, yg_sb_sv(&w));
	}
	(void)closedir(d);
	return found;
}

static void put_process(struct yg_sb *out, const char *pid)
{
	char path[64];
	struct yg_sb p = yg_sb_init(path, sizeof path);
	struct yg_buf name;
	yg_buf_init(&name, 4096);
	yg_sb_printf(&p, "/proc/%.16s/comm", pid);
	yg_sb_printf(out, "process %.16s", pid);
	if (yg_file_read(yg_sb_cstr(&p), 64, &name, NULL) == YG_OK) {
		yg_sb_put(out, YG_SV(" ("));
		yg_sb_put_untrusted(out, yg_sv_trim(yg_buf_sv(&name)));
		yg_sb_putc(out, ')');
	}
	yg_buf_free(&name);
}

bool yg_port_owner(const struct yg_addr *a, bool udp, struct yg_sb *out)
{
	uint16_t port = yg_addr_port(a);
	uint64_t uid = 0;
	uint64_t inode = inode_of(udp ? "/proc/net/udp" : "/proc/net/tcp", port, udp, &uid);
	if (inode == 0)
		inode = inode_of(udp ? "/proc/net/udp6" : "/proc/net/tcp6", port, udp, &uid);
	DIR *d = inode != 0 ? opendir("/proc") : NULL;
	bool found = false;
	if (d == NULL)
		return false;
	for (struct dirent *e = readdir(d); e != NULL && !found; e = readdir(d)) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9' || !holds(e->d_name, inode))
			continue;
		put_process(out, e->d_name);
		found = true;
	}
	(void)closedir(d);
	if (!found)
		yg_sb_printf(out, "a process of user %llu", (unsigned long long)uid);
	return true;
}
