/* console.h - the browser console's files, built into the program by
 * console/build.mjs: each as it is, as gzip and as brotli.
 *
 * Everything here is static and read only; any thread.
 */
#pragma once
#include "base/base.h"
#include "base/sv.h"

enum yg_coding { YG_CODING_NONE, YG_CODING_GZIP, YG_CODING_BR, YG_CODING_COUNT };
struct yg_asset {
	const char *name; /* as the sources call it: "main.js", "app.css", "index.html" */
	const char *file; /* as it is served: "main-0a1b2c3d4e.js" */
	const char *type; /* Content-Type */
	bool immutable;   /* the name has the content's hash in it */
	struct {
		const unsigned char *p;
		size_t n;
	} bytes[YG_CODING_COUNT];
};
extern const struct yg_asset yg_assets[];    /* ended by name == NULL; generated */
extern const char *const yg_console_pages[]; /* "alerts", ...; ended by NULL; generated */

/* By the name of the sources; NULL: there is none. */
const struct yg_asset *yg_asset_named(const char *name);
/* By the name it is served under; NULL: there is none. */
const struct yg_asset *yg_asset_served(struct yg_sv file);
/* Is the escaped path the address of a page of the console?  "/", "/alerts",
 * "/alerts/a-01...", "/o/shiokaze/s/y-01.../alerts". */
bool yg_console_is_page(struct yg_sv path);
/* The smallest coding that an Accept-Encoding header takes; p == NULL: none. */
enum yg_coding yg_coding_for(struct yg_sv accept_encoding);
