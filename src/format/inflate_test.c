#include "format/inflate.h"

#include "tap.h"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

static struct yg_sv gzip(struct yg_sv s, char *out, size_t cap)
{
	z_stream z = {0};
	if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return (struct yg_sv){out, 0};
	z.next_in = (const Bytef *)s.p;
	z.avail_in = (uInt)s.n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)cap;
	(void)deflate(&z, Z_FINISH);
	size_t n = cap - z.avail_out;
	(void)deflateEnd(&z);
	return (struct yg_sv){out, n};
}

static struct yg_sv zstd(struct yg_sv s, char *out, size_t cap)
{
	size_t n = ZSTD_compress(out, cap, s.p, s.n, 19);
	return (struct yg_sv){out, ZSTD_isError(n) ? 0 : n};
}

static yg_status all(enum yg_encoding e, struct yg_sv in, size_t limit, struct yg_buf *b)
{
	yg_buf_free(b);
	yg_buf_init(b, limit);
	return yg_inflate_all(e, in, b, NULL);
}

static char packed[300000], plain[64 << 20];

static void test_one(enum yg_encoding e, struct yg_sv (*pack)(struct yg_sv, char *, size_t))
{
	struct yg_buf b = {0};
	struct yg_sv hello = YG_SV("hello, hello, hello\n");
	struct yg_sv z = pack(hello, packed, sizeof packed);
	T_OK(yg_encoding_sniff(z) == e);
	T_OK(all(e, z, 1000, &b) == YG_OK && yg_sv_eq(yg_buf_sv(&b), hello));
	T_OK(all(e, z, hello.n, &b) == YG_OK && b.n == hello.n);
	T_OK(all(e, z, hello.n - 1, &b) == YG_TOOBIG);
	size_t refused = 0;
	for (size_t cut = 1; cut < z.n; cut++)
		refused += all(e, yg_sv_sub(z, 0, cut), 1000, &b) == YG_PARSE;
	T_OK(refused == z.n - 1);
	T_OK(all(e, yg_sv_sub(z, 0, 0), 1000, &b) == YG_OK && b.n == 0);
	/* members one behind the other; the second cut off */
	struct yg_sv again = pack(hello, packed + z.n, sizeof packed - z.n);
	T_OK(all(e, (struct yg_sv){packed, z.n + again.n}, 1000, &b) == YG_OK &&
	     b.n == 2 * hello.n);
	T_OK(all(e, (struct yg_sv){packed, z.n + again.n - 1}, 1000, &b) == YG_PARSE);
	memcpy(packed + z.n, "garbage", 7);
	T_OK(all(e, (struct yg_sv){packed, z.n + 7}, 1000, &b) == YG_PARSE);
	/* 64 MiB of zeroes in a few KiB */
	z = pack((struct yg_sv){plain, sizeof plain}, packed, sizeof packed);
	T_OK(z.n > 0 && z.n < 200000);
	T_OK(all(e, z, 1 << 20, &b) == YG_TOOBIG && b.cap <= 1 << 20);
	yg_buf_free(&b);
}

/* One byte in, three bytes of room: the same bytes come out. */
static void test_pieces(enum yg_encoding e, struct yg_sv (*pack)(struct yg_sv, char *, size_t))
{
	struct yg_inflate *z = NULL;
	char out[100];
	size_t total = 0, n = 1;
	yg_status st = yg_inflate_new(e, 100, &z, NULL);
	struct yg_sv in = pack(YG_SV("one line\nand another\n"), packed, sizeof packed);
	for (size_t i = 0; st == YG_OK && i <= in.n; i++) {
		struct yg_sv one = yg_sv_sub(in, i, 1);
		do {
			st = yg_inflate(z, &one, out + total, 3, &n, NULL);
			total += n;
		} while (st == YG_OK && (one.n > 0 || n > 0));
		T_OK(yg_inflate_complete(z) == (i == in.n || i == in.n - 1) || i + 1 < in.n);
	}
	T_OK(st == YG_OK && yg_sv_eq((struct yg_sv){out, total}, YG_SV("one line\nand another\n")));
	T_OK(yg_inflate_complete(z));
	yg_inflate_free(z);
}

int main(void)
{
	struct yg_buf b = {0};
	test_one(YG_GZIP, gzip);
	test_one(YG_ZSTD, zstd);
	test_pieces(YG_GZIP, gzip);
	test_pieces(YG_ZSTD, zstd);
	T_OK(yg_encoding_sniff(YG_SV("{\"a\":1}")) == YG_PLAIN &&
	     yg_encoding_sniff(YG_SV("\x1f")) == YG_PLAIN);
	T_OK(all(YG_PLAIN, YG_SV("abc"), 3, &b) == YG_OK && YG_SV_IS(yg_buf_sv(&b), "abc"));
	T_OK(all(YG_PLAIN, YG_SV("abcd"), 3, &b) == YG_TOOBIG);
	/* zeroes behind the last member are padding */
	struct yg_sv z = gzip(YG_SV("x"), packed, sizeof packed);
	memset(packed + z.n, 0, 100);
	T_OK(all(YG_GZIP, (struct yg_sv){packed, z.n + 100}, 3, &b) == YG_OK && b.n == 1);
	packed[z.n - 5] ^= 1; /* the CRC */
	T_OK(all(YG_GZIP, z, 3, &b) == YG_PARSE);
	/* what zstd wrote before 0.8 has other magic numbers */
	T_OK(all(YG_ZSTD, YG_SV("\x25\xb5\x2f\xfd\x04\xc8\xc8\xc8"), 1000, &b) == YG_PARSE);
	T_OK(all(YG_ZSTD, YG_SV("\x28\xb5"), 1000, &b) == YG_PARSE);
	/* a skippable frame gives nothing, and another may follow */
	T_OK(all(YG_ZSTD, YG_SV("\x50\x2a\x4d\x18\x02\0\0\0xx"), 1000, &b) == YG_OK && b.n == 0);
	yg_buf_free(&b);
	return tap_done();
}
