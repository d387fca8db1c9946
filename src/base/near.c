#include "base/near.h"

size_t yg_near_distance(struct yg_sv a, struct yg_sv b)
{
	enum { MAX = 40 };
	size_t row[3][MAX + 1];
	if (a.n > MAX || b.n > MAX)
		return 99;
	for (size_t j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t cost = a.p[i - 1] == b.p[j - 1] ? 0 : 1;
			size_t d = YG_MIN(up[j - 1] + cost, YG_MIN(up[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				d = YG_MIN(d, up2[j - 2] + 1);
			now[j] = d;
		}
	}
	return row[a.n % 3][b.n];
}
