/* A file of rules taken apart into documents that are kept, and the text of an exception: what
 * is kept stands alone, and every line that is told of is one of the file's. */
#include "detect/document.h"
#include "detect/exception.h"
#include "fuzz/replay.h"

static struct yg_env env;

static size_t lines_of(struct yg_sv text)
{
	size_t n = 1;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static void begin(struct yg_detect_documents *d)
{
	static struct yg_env_sim sim = {.seed = 6};
	env = yg_env_sim(&sim);
	if (yg_detect_documents_begin(d, &env, NULL) != YG_OK)
		abort();
}

/* The text that is kept is read again by itself, later: it is the same document. */
static void again(const struct yg_detect_document *doc)
{
	struct yg_detect_documents d;
	begin(&d);
	if (yg_detect_documents_add(&d, YG_SV("x"), doc->text, NULL) != YG_OK || d.count != 1 ||
	    d.refused != 0 || d.list[0].kind != doc->kind || d.list[0].line != 1 ||
	    !yg_sv_eq(d.list[0].title, doc->title) || !yg_sv_eq(d.list[0].tags, doc->tags))
		abort();
	yg_detect_documents_free(&d);
}

static void documents(struct yg_sv text)
{
	struct yg_detect_documents d;
	struct yg_err err = {.code = YG_OK};
	size_t lines = lines_of(text);
	begin(&d);
	yg_status st = yg_detect_documents_add(&d, YG_SV("f"), text, &err);
	if (st != YG_OK && (st != YG_NOMEM || err.code != st))
		abort();
	if (d.problem_count > d.refused)
		abort();
	for (size_t i = 0; i < d.problem_count; i++)
		if (d.problems[i].line > lines || d.problems[i].reason.n == 0)
			abort();
	for (size_t i = 0; st == YG_OK && i < d.count; i++) {
		const struct yg_detect_document *doc = &d.list[i];
		if (doc->text.p < text.p || doc->text.p + doc->text.n > text.p + text.n ||
		    doc->line == 0 || doc->line > lines)
			abort();
		again(doc);
	}
	yg_detect_documents_free(&d);
}

static void exception(struct yg_sv text)
{
	struct yg_arena arena;
	struct yg_sigma_rule rule;
	struct yg_err err = {.code = YG_OK};
	yg_arena_init(&arena, (size_t)16 << 20);
	yg_status st = yg_detect_exception_read(text, &arena, &rule, &err);
	if (st == YG_OK && (rule.kind != YG_SIGMA_RULE || rule.detection.step_count == 0 ||
			    rule.category.n + rule.product.n + rule.service.n != 0))
		abort(); /* it says more than searches and a condition */
	if (st != YG_OK && (err.code != st || err.msg[0] == '\0'))
		abort();
	yg_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_sv text = {(const char *)exact, size};
	documents(text);
	exception(text);
	free(exact);
	return 0;
}
