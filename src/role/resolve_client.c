/* Who asks: by certificate, by token, by the name asked for over TLS, else by prefix,
 * the longest one; everybody else is refused. */
#include <stdlib.h>

#include "base/codec.h"
#include "os/memfd.h"
#include "role/resolve_internal.h"

#define TOKEN_LEAST 16 /* octets */
#define TOKEN_MOST  128

struct resolve_proof { /* other ways than a prefix to know a row */
	uint8_t sha256[32];
	uint64_t token[2]; /* keyed hash: comparing it tells nothing about the token */
	bool has_sha256, has_token;
};

uint32_t resolve_org(const struct resolve_clients *c, struct yg_sv name)
{
	for (size_t i = 0; i < c->org_count && name.n > 0; i++)
		if (yg_sv_eq(c->orgs[i], name))
			return (uint32_t)i + 1;
	return 0;
}

static yg_status tree_build(struct resolve_clients *c, struct yg_err *err)
{
	struct yg_prefix_item *items = calloc(c->count + 1, sizeof *items);
	size_t n = 0;
	if (items == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the clients");
	yg_status st = YG_OK;
	for (size_t i = 0; i < c->count && st == YG_OK; i++) {
		unsigned bits;
		if (c->conf[i].prefix.n == 0)
			continue;
		st = yg_ip_prefix_parse(c->conf[i].prefix, &items[n].ip, &bits, err);
		items[n].bits = (uint8_t)bits;
		items[n++].value = (uint32_t)i;
	}
	if (st == YG_OK)
		st = yg_prefix_build(items, n, &c->tree, err);
	free(items);
	return st;
}

static yg_status read_certificate(struct yg_sv text, struct resolve_proof *p, struct yg_err *err)
{
	char hex[65];
	struct yg_sb b = yg_sb_init(hex, sizeof hex);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ':')
			yg_sb_putc(&b, text.p[i]);
	p->has_sha256 = true;
	if (yg_parse_hex(yg_sb_sv(&b), p->sha256, sizeof p->sha256, NULL) == YG_OK)
		return YG_OK;
	return YG_FAIL(err, YG_PARSE, "certificate: expected SHA-256 as 64 hexadecimal digits");
}

static void token_hash(const struct resolve_clients *c, struct yg_sv token, uint64_t out[static 2])
{
	uint8_t second[16];
	for (size_t i = 0; i < sizeof second; i++)
		second[i] = (uint8_t)(c->key[i] ^ 0x5c);
	out[0] = yg_siphash(c->key, token.p, token.n);
	out[1] = yg_siphash(second, token.p, token.n);
}

static bool token_ok(struct yg_sv t)
{
	if (t.n < TOKEN_LEAST || t.n > TOKEN_MOST)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];
		bool word =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!word && c != '-' && c != '_' && c != '.' && c != '~')
			return false;
	}
	return true;
}

static yg_status read_token(struct resolve_clients *c, struct yg_role_ctx *ctx, size_t i,
			    struct yg_err *err)
{
	char name[32];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	struct yg_sv file;
	yg_sb_printf(&b, "client.%zu", i);
	int fd = yg_role_fd(ctx, yg_sb_cstr(&b));
	if (fd < 0)
		return YG_FAIL(err, YG_INTERNAL, "doh-token-file: it was not handed over");
	yg_status st = yg_memfd_map(fd, 4096, &file, err);
	if (st != YG_OK)
		return st;
	struct yg_sv token = yg_sv_trim(file);
	if (token_ok(token)) {
		token_hash(c, token, c->proofs[i].token);
		c->proofs[i].has_token = true;
	} else {
		st = YG_FAIL(err, YG_PARSE,
			     "doh-token-file: expected %d to %d letters, digits and -_.~",
			     TOKEN_LEAST, TOKEN_MOST);
	}
	yg_memfd_unmap(&file);
	return st;
}

static yg_status read_proofs(struct resolve_clients *c, struct yg_role_ctx *ctx, struct yg_err *err)
{
	yg_status st = YG_OK;
	ctx->env.random(ctx->env.ctx, c->key, sizeof c->key);
	for (size_t i = 0; i < c->count && st == YG_OK; i++) {
		if (c->conf[i].certificate.n > 0)
			st = read_certificate(c->conf[i].certificate, &c->proofs[i], err);
		if (st == YG_OK && c->conf[i].doh_token_file.n > 0)
			st = read_token(c, ctx, i, err);
		if (st != YG_OK)
			(void)yg_err_wrap(err, "resolve.clients, entry %zu: ", i + 1);
	}
	return st;
}

static void org_add(struct resolve_clients *c, struct yg_sv org)
{
	if (org.n > 0 && resolve_org(c, org) == 0)
		c->orgs[c->org_count++] = org;
}

yg_status resolve_clients_open(struct resolve_clients *c, struct yg_role_ctx *ctx,
			       struct yg_err *err)
{
	const struct yg_conf *conf = ctx->conf;
	c->count = conf->dns_client_count;
	c->conf = conf->dns_clients;
	c->rows = calloc(c->count + 1, sizeof *c->rows);
	c->proofs = calloc(c->count + 1, sizeof *c->proofs);
	c->orgs = calloc(c->count + conf->dns_upstream_count + conf->dns_local_count +
				 conf->dns_record_count + 1,
			 sizeof *c->orgs);
	if (c->rows == NULL || c->proofs == NULL || c->orgs == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the clients");
	/* one that has upstreams or zones, but no client, is still not everyone */
	for (size_t i = 0; i < conf->dns_upstream_count; i++)
		org_add(c, conf->dns_upstreams[i].org);
	for (size_t i = 0; i < conf->dns_local_count; i++)
		org_add(c, conf->dns_locals[i].org);
	for (size_t i = 0; i < conf->dns_record_count; i++)
		org_add(c, conf->dns_records[i].org);
	for (size_t i = 0; i < c->count; i++) {
		struct yg_sv org = c->conf[i].org;
		org_add(c, org);
		c->rows[i].org = resolve_org(c, org);
		c->rows[i].network = (uint32_t)i;
	}
	c->rows[c->count] = (struct yg_dns_client){.refused = true, .network = (uint32_t)c->count};
	yg_status st = read_proofs(c, ctx, err);
	return st == YG_OK ? tree_build(c, err) : st;
}

static struct yg_sv without_dot(struct yg_sv name)
{
	return yg_sv_ends(name, YG_SV(".")) ? yg_sv_sub(name, 0, name.n - 1) : name;
}

bool resolve_client_tls(const struct resolve_clients *c, struct yg_sv name, const uint8_t *sha256,
			uint32_t *row)
{
	for (size_t i = 0; i < c->count && sha256 != NULL; i++)
		if (c->proofs[i].has_sha256 && memcmp(c->proofs[i].sha256, sha256, 32) == 0) {
			*row = (uint32_t)i;
			return true;
		}
	name = without_dot(name);
	for (size_t i = 0; i < c->count && name.n > 0; i++)
		if (yg_sv_ieq(without_dot(c->conf[i].dot_name), name)) {
			*row = (uint32_t)i;
			return true;
		}
	return false;
}

uint32_t resolve_client_token(const struct resolve_clients *c, struct yg_sv token)
{
	uint64_t hash[2];
	uint32_t row = (uint32_t)c->count;
	token_hash(c, token, hash);
	for (uint32_t i = 0; i < c->count; i++) { /* all of them, the same way for each */
		const struct resolve_proof *p = &c->proofs[i];
		uint64_t differs =
			(hash[0] ^ p->token[0]) | (hash[1] ^ p->token[1]) | (uint64_t)!p->has_token;
		uint32_t same = (uint32_t)((differs | (0 - differs)) >> 63) - 1; /* all ones */
		row = (i & same) | (row & ~same);
	}
	return row;
}

void resolve_clients_close(struct resolve_clients *c)
{
	free(c->rows);
	free(c->orgs);
	free(c->proofs);
	free((void *)(uintptr_t)c->tree.nodes);
	free((void *)(uintptr_t)c->tree.values);
	free((void *)(uintptr_t)c->tree.front);
	*c = (struct resolve_clients){0};
}

void resolve_clients_views(struct resolve_clients *c, const struct yg_dns_policy *p)
{
	for (size_t i = 0; i < c->count; i++)
		c->rows[i].view = p != NULL ? yg_dns_policy_view(p, c->conf[i].org) : 0;
}

const struct yg_dns_client *resolve_client_of(const struct resolve_clients *c, struct yg_ip ip,
					      struct yg_dns_client *out)
{
	uint32_t rows[YG_PREFIX_HITS_MAX];
	size_t n = yg_prefix_maybe(&c->tree, ip) ? yg_prefix_find(&c->tree, ip, rows) : 0;
	*out = c->rows[n > 0 ? rows[0] : c->count];
	out->ip = ip;
	return out;
}
