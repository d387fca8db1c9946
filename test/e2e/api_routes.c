/* Prints the server's table of routes, for test/e2e/openapi.py. */
#include <stdio.h>

#include "api/routes.h"

int main(void)
{
	for (const struct yg_route *r = yg_routes; r->handler != NULL; r++)
		(void)printf("%s\t%s\t%s\t%s\t%u\t%u\t%s\t%s\n", yg_http_method_name(r->method),
			     r->path, r->operation, r->scope != NULL ? r->scope : "", r->flags,
			     r->body_max, r->types != NULL ? r->types : "",
			     r->query != NULL ? r->query : "");
	return 0;
}
