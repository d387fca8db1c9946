/* Fair shares: a worker that can answer so many a second, networks that ask so many; the
 * filter is run over packets by a small machine of the test's own. */
#include "role/resolve_fair.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

#define NETWORKS 24

static uint64_t dice = 88172645463325252u;

static uint32_t random32(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice >> 32);
}

static struct yg_ip v4(unsigned third, unsigned last)
{
	return (struct yg_ip){
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, (uint8_t)third, (uint8_t)last}};
}

/* ---- the filter ---- */

static uint32_t load(const uint8_t *packet, uint32_t k, unsigned size)
{
	if (k == (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM))
		return random32();
	const uint8_t *p = packet + (k - (uint32_t)SKF_NET_OFF);
	return size == 1 ? p[0]
			 : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool let_in(const struct sock_filter *code, size_t n, const uint8_t *packet)
{
	uint32_t a = 0, m[BPF_MEMWORDS] = {0};
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *c = &code[i];
		switch (c->code) {
		case BPF_LD | BPF_B | BPF_ABS: a = load(packet, c->k, 1); break;
		case BPF_LD | BPF_W | BPF_ABS: a = load(packet, c->k, 4); break;
		case BPF_LD | BPF_MEM: a = m[c->k]; break;
		case BPF_ST: m[c->k] = a; break;
		case BPF_ALU | BPF_AND | BPF_K: a &= c->k; break;
		case BPF_JMP | BPF_JEQ | BPF_K: i += a == c->k ? c->jt : c->jf; break;
		case BPF_JMP | BPF_JGE | BPF_K: i += a >= c->k ? c->jt : c->jf; break;
		case BPF_RET | BPF_K: return c->k != 0;
		default: return false;
		}
	}
	return false;
}

static unsigned part_let_in(const struct fair *f, struct yg_ip ip)
{
	struct sock_filter code[FAIR_PROGRAM];
	uint8_t packet[48] = {0};
	size_t n = fair_program(f, code);
	unsigned in = 0;
	packet[0] = yg_ip_is_v4(ip) ? 0x45 : 0x60;
	if (yg_ip_is_v4(ip))
		memcpy(packet + 12, ip.b + 12, 4);
	else
		memcpy(packet + 8, ip.b, 16);
	for (unsigned i = 0; i < 1000; i++)
		in += let_in(code, n, packet);
	return in;
}

static void filters(void)
{
	static struct fair f;
	struct yg_ip v6 = {{0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5}}, beside = v6, same = v6;
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	beside.b[6] = 9;
	same.b[7] = same.b[15] = 77;
	f.heavy_count = FAIR_HEAVY;
	for (unsigned i = 0; i < FAIR_HEAVY; i++)
		f.heavy[i] = (struct fair_network){fair_key(v4(i, 0)), 1, 0.5, false};
	f.heavy[3] = (struct fair_network){fair_key(v6), 1, 0.1, false};
	f.heavy[7].pass = 1;
	unsigned half = part_let_in(&f, v4(15, 200)), tenth = part_let_in(&f, same);
	T_OK(half > 400 && half < 600);
	T_OK(tenth > 50 && tenth < 150);
	T_OK(part_let_in(&f, v4(3, 1)) == 1000);
	T_OK(part_let_in(&f, v4(99, 1)) == 1000);
	T_OK(part_let_in(&f, beside) == 1000);
	T_OK(part_let_in(&f, v4(7, 1)) >= 999);
	f.heavy_count = 0;
	T_OK(part_let_in(&f, v4(1, 1)) == 1000);
	fair_network_text(fair_key(v6), &b);
	T_OK(yg_sv_eq(yg_sb_sv(&b), YG_SV("2001:db8:102:300::/56")));
	b = yg_sb_init(text, sizeof text);
	fair_network_text(fair_key(v4(3, 9)), &b);
	T_OK(yg_sv_eq(yg_sb_sv(&b), YG_SV("10.1.3.0/24")));
}

/* ---- the reckoning ---- */

struct world {
	struct fair f;
	double can;             /* answered a second */
	double asks[NETWORKS];  /* a second */
	double given[NETWORKS]; /* part of it that was answered in the last window */
	double all;             /* answered in it, part of what it can */
};

/* One window of 50 ms: what the filter lets in is answered alike as far as it goes. */
static void window(struct world *w)
{
	double in[NETWORKS], sum = 0, asked = 0, seconds = 0.05;
	for (unsigned i = 0; i < NETWORKS; i++) {
		double pass = 1;
		for (size_t k = 0; k < w->f.heavy_count; k++)
			if (w->f.heavy[k].key == fair_key(v4(i, 0)))
				pass = w->f.heavy[k].pass;
		in[i] = w->asks[i] * pass;
		sum += in[i];
		asked += w->asks[i];
	}
	double part = sum > w->can ? w->can / sum : 1;
	w->f.turns_full = sum > w->can ? 10 : 0;
	w->f.turns_short = sum > w->can ? 0 : 10;
	w->f.received = 0;
	memset(w->f.seen, 0, sizeof w->f.seen);
	for (unsigned i = 0; i < NETWORKS; i++) {
		double got = in[i] * part * seconds;
		w->given[i] = w->asks[i] > 0 ? in[i] * part / w->asks[i] : 1;
		for (unsigned n = 0; n < (unsigned)got / 16; n++) /* a sample for a batch of 16 */
			fair_sample(&w->f, v4(i, random32() % 256), 16);
	}
	w->all = sum * part / w->can;
	fair_reckon(&w->f, seconds, (uint64_t)((asked - sum * part) * seconds));
}

static void shares(void)
{
	static struct world w;
	w.can = 100000;
	w.f.mix = 0x123456789abcdef1u;
	w.asks[0] = 50000;
	for (unsigned i = 0; i < 20; i++)
		window(&w);
	T_OK(w.f.heavy_count == 0); /* there is room: nobody is held back */
	T_OK(w.f.overflowed == 0);
	w.asks[0] = 1000000;
	w.asks[1] = 2000;
	w.asks[2] = 400000;
	double least = 1, all = 0;
	for (unsigned i = 0; i < 200; i++) {
		window(&w);
		if (i >= 20) {
			least = YG_MIN(least, w.given[1]);
			all += w.all / 180;
		}
	}
	printf("# the small one gets %.3f at worst; %.3f of what can be answered is\n", least, all);
	T_OK(least > 0.9);
	T_OK(all > 0.85);
	T_OK(w.f.heavy_count == 2);
	T_OK(w.f.heavy[0].key == fair_key(v4(0, 0)));
	double ratio = w.given[0] * w.asks[0] / (w.given[2] * w.asks[2]);
	T_OK(ratio > 0.7 && ratio < 1.4); /* both the same, whatever they ask */
	T_OK(w.f.shed > w.f.overflowed * 5);
	for (unsigned i = 0; i < NETWORKS; i++) /* more than can be held back */
		w.asks[i] = 20000 + 1000.0 * i;
	for (unsigned i = 0; i < 200; i++)
		window(&w);
	T_OK(w.f.heavy_count <= FAIR_HEAVY && w.all > 0.5);
	memset(w.asks, 0, sizeof w.asks);
	w.asks[5] = 3000;
	for (unsigned i = 0; i < 60; i++)
		window(&w);
	T_OK(w.f.heavy_count == 0); /* it is over */
	T_OK(w.given[5] > 0.99);
}

int main(void)
{
	filters();
	shares();
	return tap_done();
}
