#include "detect/place.h"

#include <stdlib.h>

struct network {
	struct yg_ip ip;
	uint32_t bits; /* in the 16-byte form */
	float latitude, longitude, radius;
};
struct yg_places {
	struct network *v; /* the longest first, then by address; none twice */
	size_t n, cap;
	size_t begin[130]; /* of those with so many bits; [bits] .. [bits - 1] */
};

/* "-12.5": digits, one point, no exponent. */
static bool number(struct yg_sv s, double most, double *out)
{
	double v = 0, unit = 1;
	bool minus = s.n > 0 && s.p[0] == '-', point = false, any = false;
	for (size_t i = minus; i < s.n; i++) {
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' || s.n > 32)
			return false;
		any = true;
		v = v * 10 + (s.p[i] - '0');
		unit = point ? unit * 10 : unit;
	}
	*out = (minus ? -v : v) / unit;
	return any && v / unit <= most;
}

static bool line_read(struct yg_sv line, struct network *out)
{
	struct yg_sv part[4], rest = line;
	double latitude, longitude, radius;
	unsigned bits;
	for (size_t i = 0; i < YG_LEN(part); i++) {
		if (i + 1 < YG_LEN(part) && yg_sv_find(rest, ',', 0) == rest.n)
			return false;
		if (!yg_sv_cut(&rest, ',', &part[i]))
			return false;
		part[i] = yg_sv_trim(part[i]);
	}
	if (rest.n > 0 || yg_ip_prefix_parse(part[0], &out->ip, &bits, NULL) != YG_OK ||
	    !number(part[1], 90, &latitude) || !number(part[2], 180, &longitude) ||
	    !number(part[3], YG_PLACES_RADIUS, &radius) || radius < 0)
		return false;
	out->bits = bits;
	out->latitude = (float)latitude;
	out->longitude = (float)longitude;
	out->radius = (float)radius;
	return true;
}

static int network_cmp(const void *a, const void *b)
{
	const struct network *x = a, *y = b;
	if (x->bits != y->bits)
		return x->bits > y->bits ? -1 : 1;
	return memcmp(x->ip.b, y->ip.b, sizeof x->ip.b);
}

static yg_status add(struct yg_places *p, const struct network *n, struct yg_err *err)
{
	if (p->n == YG_PLACES_MAX)
		return YG_FAIL(err, YG_LIMIT, "places: more than %u lines", YG_PLACES_MAX);
	if (p->n == p->cap) {
		size_t cap = p->cap == 0 ? 1024 : p->cap * 2;
		struct network *more = reallocarray(p->v, cap, sizeof *more);
		if (more == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory for places");
		p->v = more;
		p->cap = cap;
	}
	p->v[p->n++] = *n;
	return YG_OK;
}

static yg_status lines(struct yg_places *p, struct yg_sv text, struct yg_err *err)
{
	struct yg_sv rest = text, line;
	yg_status st = YG_OK;
	for (size_t at = 1; st == YG_OK && yg_sv_cut(&rest, '\n', &line); at++) {
		struct network n;
		line = yg_sv_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		st = line_read(line, &n)
			     ? add(p, &n, err)
			     : YG_FAIL(err, YG_PARSE,
				       "places, line %zu: expected prefix,latitude,longitude,radius",
				       at);
	}
	return st;
}

/* Of two lines for one network the first stays. */
static void order(struct yg_places *p)
{
	size_t n = 0;
	if (p->n > 1)
		qsort(p->v, p->n, sizeof *p->v, network_cmp);
	for (size_t i = 0; i < p->n; i++)
		if (i == 0 || network_cmp(&p->v[n - 1], &p->v[i]) != 0)
			p->v[n++] = p->v[i];
	p->n = n;
	size_t at = 0;
	for (unsigned bits = 129; bits-- > 0;) {
		p->begin[bits] = at;
		while (at < p->n && p->v[at].bits == bits)
			at++;
	}
}

yg_status yg_places_read(struct yg_sv text, struct yg_places **out, struct yg_err *err)
{
	struct yg_places *p = calloc(1, sizeof *p);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for places");
	yg_status st = lines(p, text, err);
	if (st != YG_OK) {
		yg_places_free(p);
		return st;
	}
	order(p);
	*out = p;
	return YG_OK;
}

void yg_places_free(struct yg_places *p)
{
	if (p == NULL)
		return;
	free(p->v);
	free(p);
}

size_t yg_places_count(const struct yg_places *p)
{
	return p->n;
}

bool yg_places_find(const struct yg_places *p, struct yg_ip ip, struct yg_place *out)
{
	struct network key = {.ip = ip};
	for (unsigned bits = 129; bits-- > 0;) {
		size_t end = bits > 0 ? p->begin[bits - 1] : p->n;
		if (bits < 128) /* one bit less of the address */
			key.ip.b[bits / 8] &= (uint8_t)(0xff00u >> (bits % 8));
		if (end == p->begin[bits])
			continue;
		key.bits = bits;
		const struct network *at = bsearch(&key, p->v + p->begin[bits],
						   end - p->begin[bits], sizeof key, network_cmp);
		if (at != NULL) {
			*out = (struct yg_place){(double)at->latitude, (double)at->longitude,
						 (double)at->radius};
			return true;
		}
	}
	return false;
}
