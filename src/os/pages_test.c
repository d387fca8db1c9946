#include "os/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

/* Kilobytes of files that are in this process's memory. */
static long file_kb(void)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "RssFile:", 8) == 0)
			kb = strtol(line + 8, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return kb;
}

int main(void)
{
	const size_t n = (size_t)16 << 20;
	char dir[] = "/tmp/yagura-pages-XXXXXX";
	struct yg_pages m = {.fd = -1}, other = {.fd = -1};
	T_OK(mkdtemp(dir) != NULL);
	T_OK(yg_pages_open("/nowhere", n, &m, NULL) != YG_OK && m.p == NULL);
	yg_pages_close(&m);
	T_OK(yg_pages_open(dir, (size_t)4 << 30, &m, NULL) == YG_OK);
	T_OK(yg_pages_open(dir, n, &other, NULL) == YG_OK); /* two at a time */
	T_OK(yg_pages_back(&other, n) && !yg_pages_back(&other, n + 1));
	T_OK(yg_pages_back(&m, n) && m.backed >= n);
	char *at = m.p;
	bool zero = true;
	for (size_t i = 0; i < n; i += 4096)
		zero = zero && m.p[i] == 0;
	memset(m.p, 7, n);
	long full = file_kb();
	yg_pages_rest(&m);
	long rested = file_kb();
	T_OK(zero);
	T_OK(full - rested > 12 << 10);
	bool kept = true;
	for (size_t i = 0; i < n; i++)
		kept = kept && m.p[i] == 7;
	T_NAMED(kept, "nothing is lost");
	T_OK(yg_pages_back(&m, 2 * n) && m.p == at && m.p[n - 1] == 7 && m.p[2 * n - 1] == 0);
	yg_pages_close(&m);
	yg_pages_close(&m);
	yg_pages_close(&other);
	T_NAMED(rmdir(dir) == 0, "no file is left");
	return tap_done();
}
