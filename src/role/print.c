#include <stdlib.h>

#include "role/main.h"
#include "role/role.h"

static const struct {
	unsigned bit;
	const char *name;
} calls[] = {
	{YG_CALLS_FILES, "files"},   {YG_CALLS_THREADS, "threads"}, {YG_CALLS_UNIX, "unix"},
	{YG_CALLS_INET_OUT, "inet"}, {YG_CALLS_ACCEPT, "accept"},   {YG_CALLS_ENGINE, "engine"},
	{YG_CALLS_FORK, "fork"},     {YG_CALLS_BIND, "bind"},
};

static void put_words(struct yg_buf *out, unsigned bits)
{
	for (size_t i = 0; i < YG_LEN(calls); i++)
		if ((bits & calls[i].bit) != 0)
			yg_buf_printf(out, " %s", calls[i].name);
}

static void put_peers(struct yg_buf *out, unsigned bits)
{
	for (size_t i = 0; yg_roles[i] != NULL; i++)
		if ((bits & yg_roles[i]->bit) != 0)
			yg_buf_printf(out, " %s", yg_roles[i]->name);
}

static void put_paths(struct yg_buf *out, const struct yg_role_profile *p)
{
	for (size_t i = 0; i < p->box.path_count; i++) {
		const struct yg_sandbox_path *at = &p->paths[i];
		yg_buf_printf(out, "  path %s%s%s%s %s\n",
			      (at->access & YG_ACCESS_READ) != 0 ? "r" : "-",
			      (at->access & YG_ACCESS_WRITE) != 0 ? "w" : "-",
			      (at->access & YG_ACCESS_EXEC) != 0 ? "x" : "-",
			      at->optional ? "?" : " ", at->path);
	}
}

void yg_roles_print(const struct yg_conf *conf, struct yg_buf *out)
{
	struct yg_role_ctx *ctx = calloc(1, sizeof *ctx);
	if (ctx == NULL) {
		out->bad = true;
		return;
	}
	for (size_t i = 0; yg_roles[i] != NULL; i++) {
		const struct yg_role *r = yg_roles[i];
		ctx->role = r;
		ctx->conf = conf;
		struct yg_role_profile p = {.box = {.role = r->name,
						    .calls = r->calls,
						    .w_xor_x = r->w_xor_x,
						    .memory_max = r->memory_max,
						    .files_max = r->files_max}};
		p.box.paths = p.paths;
		if (r->profile != NULL)
			r->profile(ctx, &p);
		yg_buf_printf(out, "%s\n  %s\n  calls basic", r->name, r->doc);
		put_words(out, p.box.calls);
		yg_buf_printf(out, "\n  peers main");
		put_peers(out, r->peers);
		yg_buf_printf(out, "\n  memory %llu\n  files %u\n  writable-code %s\n",
			      (unsigned long long)p.box.memory_max, p.box.files_max,
			      p.box.w_xor_x ? "no" : "yes");
		put_paths(out, &p);
	}
	free(ctx);
}
