/* print.c - the configuration as YAML, as JSON Schema and as a manual page. */
#include "conf/table.h"

static void put(struct yg_buf *b, const char *s)
{
	yg_buf_put(b, yg_sv_of(s));
}

static void put_value(struct yg_buf *out, const struct yg_conf_key *k, const void *base)
{
	char text[12300]; /* 4096 bytes, every one escaped or in quotes of its own */
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_conf_format(&b, k, base);
	yg_buf_put(out, yg_sb_sv(&b));
}

static void put_default(struct yg_buf *out, const struct yg_conf_key *k)
{
	union {
		struct yg_conf conf;
		struct yg_conf_listener listener;
		struct yg_conf_follow follow;
		struct yg_conf_mapping mapping;
		struct yg_conf_provider provider;
		struct yg_conf_dns_listen dns_listen;
		struct yg_conf_dns_client dns_client;
		struct yg_conf_dns_upstream dns_upstream;
		struct yg_conf_dns_policy dns_policy;
	} base;
	if (yg_conf_is_number(k))
		*yg_conf_u64(&base, k) = k->dflt;
	else
		*yg_conf_sv(&base, k) = yg_sv_of(k->dflt_text);
	put_value(out, k, &base);
}

/* True when `name` is "section.something". */
static bool in_section(const char *name, const char *section)
{
	size_t n = strlen(section);
	return strncmp(name, section, n) == 0 && name[n] == '.';
}

static void print_list(const struct yg_conf *c, const struct yg_conf_list *l, bool only_changed,
		       struct yg_buf *out)
{
	size_t n = yg_conf_item_count(c, l);
	yg_buf_printf(out, "  # %s\n  %s:%s\n", l->doc, yg_conf_short(l->name),
		      n == 0 ? " []" : "");
	for (size_t i = 0; i < n; i++) {
		const void *item = yg_conf_item(c, l, i);
		bool first = true;
		for (const struct yg_conf_key *k = l->keys; k->name != NULL; k++) {
			if ((k->flags & YG_CF_REQUIRED) == 0 && yg_conf_is_default(k, item) &&
			    only_changed)
				continue;
			yg_buf_printf(out, "    %s %s: ", first ? "-" : " ", k->name);
			put_value(out, k, item);
			yg_buf_putc(out, '\n');
			first = false;
		}
	}
}

static bool anything(const struct yg_conf *c, const char *section)
{
	for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++)
		if (in_section(k->name, section) && !yg_conf_is_default(k, c))
			return true;
	for (const struct yg_conf_list *l = yg_conf_lists; l->name != NULL; l++)
		if (in_section(l->name, section) && yg_conf_item_count(c, l) > 0)
			return true;
	return false;
}

void yg_conf_print(const struct yg_conf *c, bool only_changed, struct yg_buf *out)
{
	for (const struct yg_conf_section *s = yg_conf_sections; s->name != NULL; s++) {
		if (only_changed && !anything(c, s->name))
			continue;
		yg_buf_printf(out, "# %s\n%s:\n", s->doc, s->name);
		for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++) {
			if (!in_section(k->name, s->name) ||
			    (only_changed && yg_conf_is_default(k, c)))
				continue;
			yg_buf_printf(out, "  # %s\n  %s: ", k->doc, yg_conf_short(k->name));
			put_value(out, k, c);
			yg_buf_putc(out, '\n');
		}
		for (const struct yg_conf_list *l = yg_conf_lists; l->name != NULL; l++)
			if (in_section(l->name, s->name) &&
			    (!only_changed || yg_conf_item_count(c, l) > 0))
				print_list(c, l, only_changed, out);
	}
}

static void put_origin(struct yg_buf *out, const char *file, size_t line)
{
	if (line > 0)
		yg_buf_printf(out, "  # %s:%zu\n", file, line);
	else
		put(out, "  # default\n");
}

void yg_conf_print_origin(const struct yg_conf *c, const char *file, bool only_changed,
			  struct yg_buf *out)
{
	for (size_t i = 0; yg_conf_keys[i].name != NULL; i++) {
		const struct yg_conf_key *k = &yg_conf_keys[i];
		if (only_changed && yg_conf_is_default(k, c))
			continue;
		yg_buf_printf(out, "%s: ", k->name);
		put_value(out, k, c);
		put_origin(out, file, c->lines != NULL ? c->lines->key[i] : 0);
	}
	for (size_t l = 0; yg_conf_lists[l].name != NULL; l++) {
		const struct yg_conf_list *list = &yg_conf_lists[l];
		for (size_t i = 0; i < yg_conf_item_count(c, list); i++) {
			const void *item = yg_conf_item(c, list, i);
			for (const struct yg_conf_key *k = list->keys; k->name != NULL; k++) {
				if (yg_conf_is_default(k, item) && (k->flags & YG_CF_REQUIRED) == 0)
					continue;
				yg_buf_printf(out, "%s[%zu].%s: ", list->name, i, k->name);
				put_value(out, k, item);
				put_origin(out, file, c->lines != NULL ? c->lines->item[l][i] : 0);
			}
		}
	}
}

static void put_json(struct yg_buf *out, const char *s)
{
	yg_buf_putc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			yg_buf_putc(out, '\\');
		yg_buf_putc(out, *s);
	}
	yg_buf_putc(out, '"');
}

static void schema_options(struct yg_buf *out, const struct yg_conf_key *k)
{
	put(out, ",\"enum\":[");
	for (size_t i = 0; k->options[i] != NULL; i++) {
		if (i > 0)
			yg_buf_putc(out, ',');
		put_json(out, k->options[i]);
	}
	yg_buf_putc(out, ']');
}

static void schema_type(struct yg_buf *out, const struct yg_conf_key *k)
{
	switch (k->type) {
	case YG_CT_COUNT:
		yg_buf_printf(out, "\"type\":\"integer\",\"minimum\":%llu,\"maximum\":%llu",
			      (unsigned long long)k->min, (unsigned long long)k->max);
		return;
	case YG_CT_BOOL: put(out, "\"type\":\"boolean\""); return;
	case YG_CT_BYTES:
		put(out,
		    "\"type\":[\"string\",\"integer\"],\"pattern\":\"^[0-9]+(B|kB|KiB|MB|MiB|GB|GiB|TB|TiB)?$\"");
		return;
	case YG_CT_SPAN:
		put(out, "\"type\":\"string\",\"pattern\":\"^[0-9]+(us|ms|s|m|h|d)$\"");
		return;
	case YG_CT_ENUM:
		put(out, "\"type\":\"string\"");
		schema_options(out, k);
		return;
	case YG_CT_SLUG:
		put(out,
		    "\"type\":\"string\",\"pattern\":\"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$\"");
		return;
	case YG_CT_ADDRESS:
		yg_buf_printf(
			out,
			"\"type\":\"string\",\"pattern\":\"^([0-9.]+:[0-9]+|\\\\[[0-9a-fA-F:.]+\\\\]:[0-9]+|\\\\*:[0-9]+%s%s)$\"",
			(k->flags & YG_CF_NONE) != 0 ? "|none" : "",
			(k->flags & YG_CF_EMPTY) != 0 ? "|" : "");
		return;
	case YG_CT_URL:
		put(out,
		    "\"type\":\"string\",\"pattern\":\"^(embedded|https?://[^/]+:[0-9]+/?)$\"");
		return;
	case YG_CT_SOURCE:
		put(out, "\"type\":\"string\",\"pattern\":\"^(");
		for (size_t i = 0; k->options[i] != NULL; i++)
			yg_buf_printf(out, "%s|", k->options[i]);
		put(out, "ndjson:[a-z0-9-]+)$\"");
		return;
	case YG_CT_TEXT:
	case YG_CT_FILE:
	case YG_CT_DNS:
	case YG_CT_PREFIX:
	case YG_CT_DOMAIN:
		yg_buf_printf(out, "\"type\":\"string\",\"minLength\":%d,\"maxLength\":4096",
			      (k->flags & YG_CF_EMPTY) != 0 ? 0 : 1);
		return;
	}
}

static void schema_key(struct yg_buf *out, const struct yg_conf_key *k, bool *first)
{
	put(out, *first ? "\n" : ",\n");
	*first = false;
	put_json(out, yg_conf_short(k->name));
	put(out, ":{");
	if ((k->flags & YG_CF_MANY) != 0) {
		put(out, "\"anyOf\":[{");
		schema_type(out, k);
		put(out, "},{\"type\":\"array\",\"items\":{");
		schema_type(out, k);
		put(out, "}}]");
	} else {
		schema_type(out, k);
	}
	put(out, ",\"description\":");
	put_json(out, k->doc);
	if ((k->flags & YG_CF_REQUIRED) == 0) {
		put(out, ",\"default\":");
		if (k->type == YG_CT_COUNT) {
			yg_buf_printf(out, "%llu", (unsigned long long)k->dflt);
		} else if (k->type == YG_CT_BOOL) {
			put_default(out, k);
		} else if ((k->flags & YG_CF_MANY) != 0 && k->dflt_text[0] == '\0') {
			put(out, "[]");
		} else if (yg_conf_is_number(k)) {
			yg_buf_putc(out, '"');
			put_default(out, k);
			yg_buf_putc(out, '"');
		} else {
			put_json(out, k->dflt_text);
		}
	}
	yg_buf_putc(out, '}');
}

/* Keys of an entry; those with a dot are one level below, side by side in the table. */
static void schema_keys(struct yg_buf *out, const struct yg_conf_key *keys)
{
	bool first = true, any = false;
	put(out, "\"type\":\"object\",\"additionalProperties\":false,\"required\":[");
	for (const struct yg_conf_key *k = keys; k->name != NULL; k++)
		if ((k->flags & YG_CF_REQUIRED) != 0) {
			if (any)
				yg_buf_putc(out, ',');
			put_json(out, k->name);
			any = true;
		}
	put(out, "],\"properties\":{");
	for (const struct yg_conf_key *k = keys; k->name != NULL; k++) {
		const char *dot = strchr(k->name, '.');
		if (dot == NULL) {
			schema_key(out, k, &first);
			continue;
		}
		size_t n = (size_t)(dot - k->name) + 1;
		bool inner = true;
		yg_buf_printf(out,
			      "%s\"%.*s\":{\"type\":\"object\",\"additionalProperties\":false,"
			      "\"properties\":{",
			      first ? "\n" : ",\n", (int)n - 1, k->name);
		for (first = false;; k++) {
			schema_key(out, k, &inner);
			if (k[1].name == NULL || strncmp(k[1].name, k->name, n) != 0)
				break;
		}
		put(out, "}}");
	}
	put(out, "}");
}

static void schema_list(struct yg_buf *out, const struct yg_conf_list *l, bool *first)
{
	put(out, *first ? "\n" : ",\n");
	*first = false;
	put_json(out, yg_conf_short(l->name));
	yg_buf_printf(
		out,
		":{\"type\":[\"array\",\"null\"],\"maxItems\":%zu,\"default\":[],\"description\":",
		l->max);
	put_json(out, l->doc);
	put(out, (l->flags & YG_CL_SCALAR) != 0 ? ",\"items\":{\"anyOf\":[{" : ",\"items\":{");
	if ((l->flags & YG_CL_SCALAR) != 0) {
		schema_type(out, &l->keys[0]);
		put(out, "},{");
	}
	schema_keys(out, l->keys);
	put(out, (l->flags & YG_CL_SCALAR) != 0 ? "}]}}" : "}}");
}

void yg_conf_print_schema(struct yg_buf *out)
{
	put(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
		 "\"title\":\"yagura.yaml\",\"description\":\"Configuration of Yagura " YG_VERSION
		 "\",\n"
		 "\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"properties\":{");
	for (const struct yg_conf_section *s = yg_conf_sections; s->name != NULL; s++) {
		bool first = true;
		put(out, s == yg_conf_sections ? "\n" : ",\n");
		put_json(out, s->name);
		put(out,
		    ":{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"description\":");
		put_json(out, s->doc);
		put(out, ",\"properties\":{");
		for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++)
			if (in_section(k->name, s->name))
				schema_key(out, k, &first);
		for (const struct yg_conf_list *l = yg_conf_lists; l->name != NULL; l++)
			if (in_section(l->name, s->name))
				schema_list(out, l, &first);
		put(out, "}}");
	}
	put(out, "}}\n");
}

/* mdoc: a backslash would be an escape, a leading dot or quote a request. */
static void put_roff(struct yg_buf *out, const char *s)
{
	if (*s == '.' || *s == '\'')
		put(out, "\\&");
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			put(out, "\\e");
		else if (*s == '"')
			put(out, "\\(dq");
		else
			yg_buf_putc(out, *s);
	}
}

static const char *reload_text(enum yg_conf_reload reload)
{
	switch (reload) {
	case YG_RELOAD_LIVE: return "in force at once";
	case YG_RELOAD_ROLE: return "the processes concerned start again, ports stay open";
	case YG_RELOAD_RESTART: return "at the next start of the service";
	}
	return "";
}

static void manual_key(struct yg_buf *out, const struct yg_conf_key *k)
{
	char text[400];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_conf_expected(&b, k);
	if ((k->flags & YG_CF_MANY) != 0)
		yg_sb_put(&b, YG_SV("; one, or a list of them"));
	yg_buf_printf(out, ".It Cm %s\n", k->name);
	put_roff(out, k->doc);
	put(out, "\nExpected: ");
	put_roff(out, yg_sb_cstr(&b));
	if ((k->flags & YG_CF_REQUIRED) != 0) {
		put(out, "; it must be given.\n");
		return;
	}
	put(out, ".\nDefault: ");
	struct yg_buf d;
	yg_buf_init(&d, 12300);
	put_default(&d, k);
	yg_buf_putc(&d, '\0');
	if (!d.bad)
		put_roff(out, d.p);
	yg_buf_free(&d);
	yg_buf_printf(out, ".\nOn reload: %s.\n", reload_text(k->reload));
}

void yg_conf_print_manual(struct yg_buf *out)
{
	put(out,
	    ".Dd November 22, 2026\n.Dt YAGURA.YAML 5\n.Os Yagura\n.Sh NAME\n.Nm yagura.yaml\n"
	    ".Nd configuration of Yagura\n.Sh DESCRIPTION\n"
	    "One YAML file, given to\n.Ic yagura serve --config .\n"
	    "Every key has a working default; an empty file is a valid configuration.\n"
	    "Anchors, aliases, tags, a second document and keys that stand twice are refused.\n"
	    "Sizes have a unit (KiB, MiB, GiB, TiB; kB, MB, GB, TB), lengths of time too (ms, s, m, h, d).\n"
	    ".Pp\n.Ic yagura config check\nreports every problem with its file, line and key;\n"
	    ".Ic yagura config print\nshows the configuration in force;\n"
	    "SIGHUP makes the server read it again after checking all of it.\n");
	for (const struct yg_conf_section *s = yg_conf_sections; s->name != NULL; s++) {
		yg_buf_printf(out, ".Ss %s\n", s->name);
		put_roff(out, s->doc);
		put(out, "\n.Bl -tag -width Ds\n");
		for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++)
			if (in_section(k->name, s->name))
				manual_key(out, k);
		for (const struct yg_conf_list *l = yg_conf_lists; l->name != NULL; l++) {
			if (!in_section(l->name, s->name))
				continue;
			yg_buf_printf(out, ".It Cm %s\n", l->name);
			put_roff(out, l->doc);
			yg_buf_printf(out,
				      "\nA list of at most %zu entries with these keys%s%s%s.\n"
				      "On reload: %s.\n.Bl -tag -width Ds\n",
				      l->max,
				      (l->flags & YG_CL_SCALAR) != 0
					      ? "; one that is a single value gives its "
					      : "",
				      (l->flags & YG_CL_SCALAR) != 0 ? l->keys[0].name : "",
				      (l->flags & YG_CL_SCALAR) != 0 ? " alone" : "",
				      reload_text(l->reload));
			for (const struct yg_conf_key *k = l->keys; k->name != NULL; k++)
				manual_key(out, k);
			put(out, ".El\n");
		}
		put(out, ".El\n");
	}
	put(out, ".Sh EXAMPLES\n.Bd -literal -offset indent\n"
		 "api:\n  address: \"0.0.0.0:8443\"\ningest:\n  workers: 2\n  listeners:\n"
		 "    - name: firewall\n      org: example-city\n      protocol: udp\n"
		 "      address: \"0.0.0.0:5514\"\n.Ed\n.Sh SEE ALSO\n.Xr yagura 1\n");
}
