/* replay.h - one function, two programs.  With -fsanitize=fuzzer the target
 * explores; with -DYG_REPLAY this main runs every file and folder named on the
 * command line through it, so that each past crash is a test on every commit. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly `size` bytes on the heap: one byte over is caught. */
static inline uint8_t *fuzz_exact(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	if (exact != NULL && size > 0)
		memcpy(exact, data, size);
	return exact;
}

#ifdef YG_REPLAY
#include <dirent.h>
#include <stdio.h>

static int replay_n, replay_bad;

static void replay_file(const char *path)
{
	static uint8_t buf[4 << 20];
	FILE *f = fopen(path, "rb");
	replay_n++;
	if (f == NULL) {
		replay_bad++;
		(void)printf("not ok %d - %s\n", replay_n, path);
		return;
	}
	size_t n = fread(buf, 1, sizeof buf, f);
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(buf, n);
	(void)printf("ok %d - %s\n", replay_n, path);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		if (d == NULL) {
			replay_file(argv[i]);
			continue;
		}
		for (struct dirent *e; (e = readdir(d)) != NULL;) {
			char path[4096];
			if (e->d_name[0] == '.')
				continue;
			(void)snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
			replay_file(path);
		}
		(void)closedir(d);
	}
	(void)printf("1..%d\n", replay_n);
	return replay_bad != 0 || replay_n == 0;
}
#endif
