/* zones_serve.c - who may have our zones (resolve.publish), and the SOA by UDP; by TCP:
 * zones_serve_tcp.c.  Who asks must come from an allowed network, and with the key when
 * there is one. */
#include <stdlib.h>
#include <sys/socket.h>

#include "dns/xfr_out.h"
#include "os/memfd.h"
#include "role/zones_served.h"

#define ROUNDS     16 /* packets taken before the loop turns */
#define UDP_BYTES  1232
#define SECRET_MAX 4096

/* ---- who may ---- */

bool served_knows(const struct served *s, const struct yg_addr *from)
{
	struct yg_ip ip = yg_addr_ip(from);
	if (s->allow_count == 0)
		return s->has_tsig;
	for (size_t i = 0; i < s->allow_count; i++) {
		unsigned bits = s->allow[i].bits, whole = bits / 8, rest = bits % 8;
		const uint8_t *a = s->allow[i].ip.b, *b = ip.b;
		if (memcmp(a, b, whole) == 0 &&
		    (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0))
			return true;
	}
	return false;
}

static bool is_allowed(const struct served *s, const struct yg_addr *from, bool is_signed)
{
	return (is_signed || !s->has_tsig) && served_knows(s, from);
}

/* ---- a question ---- */

static void take_serial(struct asked *a)
{
	struct yg_dns_iter it = yg_dns_records(&a->m);
	struct yg_dns_rr rr;
	while (yg_dns_rr_next(&it, &rr))
		if (rr.section == YG_DNS_AUTHORITY && rr.type == YG_DNS_SOA && rr.rdata_n >= 22) {
			a->serial = yg_dns_get32(a->m.p + rr.rdata + rr.rdata_n - 20);
			a->has_serial = true;
		}
}

bool served_read_ask(const struct served *s, const struct yg_addr *from, uint8_t *p, size_t *n,
		     struct yg_tsig *t, struct asked *a)
{
	bool is_signed = yg_tsig_is_signed(p, *n);
	*a = (struct asked){.rcode = 0};
	if (is_signed && s->has_tsig) {
		is_signed = yg_tsig_verify(t, p, n, served_wall(s->all), &is_signed, NULL) == YG_OK;
		a->sign = is_signed;
	} else {
		is_signed = false;
	}
	if (yg_dns_msg_read(p, *n, &a->m) != YG_OK || (a->m.flags & YG_DNS_QR) != 0 ||
	    a->m.questions != 1)
		return false;
	bool ours =
		yg_dns_name_eq(&a->m.name, &s->origin) && a->m.cls == YG_DNS_IN &&
		(a->m.type == YG_DNS_SOA || a->m.type == YG_DNS_IXFR || a->m.type == YG_DNS_AXFR);
	if ((a->m.flags & YG_DNS_OPCODE) != 0)
		a->rcode = YG_DNS_RCODE_NOTIMP;
	else if (!ours || !is_allowed(s, from, is_signed))
		a->rcode = YG_DNS_RCODE_REFUSED;
	else if (s->now == NULL)
		a->rcode = YG_DNS_RCODE_SERVFAIL;
	if (a->rcode == YG_DNS_RCODE_REFUSED) {
		char text[YG_ADDR_TEXT_MAX];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_addr_format(&b, from);
		yg_role_log(s->all->ctx, YG_EV_ZONES_SERVE_REFUSED, YG_KU("zone", s->conf->zone),
			    YG_KS("from", yg_sb_cstr(&b)), YG_KB("signed", is_signed));
	}
	take_serial(a);
	return true;
}

size_t served_put_error(const struct asked *a, uint8_t *p, size_t cap)
{
	struct yg_dns_wr w;
	yg_dns_wr_begin(&w, p, cap, a->m.id, (uint16_t)(YG_DNS_QR | a->rcode));
	yg_dns_wr_question(&w, &a->m.name, a->m.type, a->m.cls);
	return w.n;
}

/* ---- UDP ---- */

static void on_udp(uv_poll_t *h, int status, int events)
{
	struct served *s = h->data;
	uint8_t p[SERVED_ASK_BYTES], out[UDP_BYTES + SERVED_SIGN_BYTES];
	(void)status;
	(void)events;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct yg_addr from = {.n = sizeof from.sa};
		struct asked a;
		struct yg_tsig t;
		ssize_t got = recvfrom(s->udp_fd, p, sizeof p, MSG_DONTWAIT,
				       (struct sockaddr *)&from.sa, &from.n);
		if (got < 0)
			return;
		size_t n = (size_t)got;
		yg_tsig_begin(&t, &s->tsig);
		if (served_read_ask(s, &from, p, &n, &t, &a)) {
			struct yg_dns_xfr_out x = {.phase = 0};
			if (a.rcode == 0 && a.m.type == YG_DNS_AXFR)
				a.rcode = YG_DNS_RCODE_NOTIMP; /* RFC 5936 4.2: TCP alone */
			if (a.rcode == 0)
				yg_dns_xfr_out_begin(&x, &s->now->zone, YG_DNS_XFR_OUT_SOA,
						     (struct yg_sv){"", 0});
			n = a.rcode != 0
				    ? served_put_error(&a, out, UDP_BYTES)
				    : yg_dns_xfr_out_next(&x, a.m.id, a.m.type, out, UDP_BYTES);
			yg_dns_xfr_out_end(&x);
			if (a.sign)
				(void)yg_tsig_sign(&t, out, &n, sizeof out, served_wall(s->all),
						   NULL);
			(void)sendto(s->udp_fd, out, n, MSG_NOSIGNAL,
				     (const struct sockaddr *)&from.sa, from.n);
		}
		yg_tsig_end(&t);
	}
}

/* ---- at the start ---- */

static yg_status take_allow(struct served *s, struct yg_err *err)
{
	struct yg_sv rest = s->conf->allow, one;
	yg_status st = YG_OK;
	while (st == YG_OK && rest.n > 0) {
		(void)yg_sv_cut(&rest, ' ', &one);
		if (s->allow_count == SERVED_ALLOW_MAX)
			return YG_FAIL(err, YG_LIMIT, "more than %d networks", SERVED_ALLOW_MAX);
		st = yg_ip_prefix_parse(one, &s->allow[s->allow_count].ip,
					&s->allow[s->allow_count].bits, err);
		s->allow_count++;
	}
	return st;
}

static yg_status take_key(struct served *s, const char *name, struct yg_err *err)
{
	struct yg_sv map;
	if (s->conf->tsig_name.n == 0)
		return YG_OK;
	yg_status st = yg_memfd_map(yg_role_fd(s->all->ctx, name), SECRET_MAX, &map, err);
	if (st != YG_OK)
		return st;
	st = yg_tsig_key_init(&s->tsig, s->conf->tsig_name, s->conf->tsig_algorithm, map, err);
	yg_memfd_unmap(&map);
	s->has_tsig = st == YG_OK;
	return st;
}

static int named_fd(const struct zones *z, size_t i, const char *what, char *name, size_t n)
{
	struct yg_sb b = yg_sb_init(name, n);
	yg_sb_printf(&b, "publish.%zu.%s", i, what);
	return yg_role_fd(z->ctx, yg_sb_cstr(&b));
}

static yg_status serve_open(struct served *s, size_t i, struct yg_err *err)
{
	uv_loop_t *loop = s->all->ctx->loop;
	char name[48];
	yg_status st = yg_dns_name_parse(s->conf->zone, NULL, &s->origin, err);
	if (st == YG_OK)
		st = take_allow(s, err);
	(void)named_fd(s->all, i, "tsig", name, sizeof name);
	if (st == YG_OK)
		st = take_key(s, name, err);
	if (st != YG_OK)
		return st;
	s->udp_fd = named_fd(s->all, i, "udp", name, sizeof name);
	s->tcp_fd = named_fd(s->all, i, "tcp", name, sizeof name);
	s->udp.data = s->tcp.data = s;
	if (s->udp_fd < 0 || s->tcp_fd < 0 || uv_poll_init(loop, &s->udp, s->udp_fd) != 0 ||
	    uv_poll_init(loop, &s->tcp, s->tcp_fd) != 0 ||
	    uv_poll_start(&s->udp, UV_READABLE, on_udp) != 0 ||
	    uv_poll_start(&s->tcp, UV_READABLE, served_on_tcp) != 0)
		return YG_FAIL(err, YG_INTERNAL, "its sockets");
	return YG_OK;
}

yg_status zones_serve_open(struct zones *z, struct yg_err *err)
{
	if (z->conf->dns_publish_count == 0)
		return YG_OK;
	z->serve = calloc(1, sizeof *z->serve);
	if (z->serve == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for resolve.publish");
	for (size_t i = 0; i < z->conf->dns_publish_count; i++) {
		struct served *s = calloc(1, sizeof *s);
		if (s == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory for resolve.publish");
		s->next = z->serve->list;
		z->serve->list = s;
		s->all = z;
		s->conf = &z->conf->dns_publishes[i];
		yg_status st = serve_open(s, i, err);
		if (st != YG_OK) {
			(void)yg_err_wrap(err, "resolve.publish: " YG_SV_FMT ": ",
					  YG_SV_ARG(s->conf->zone));
			return st;
		}
	}
	return YG_OK;
}
