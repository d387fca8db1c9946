/* The pages /signin, /setup and /enrol: plain HTML forms that need no script.
 * A script of the console, when it is there, adds passkeys to them. */
#include <sodium.h>

#include "api/console.h"
#include "api/html.h"
#include "api/routes.h"
#include "api/sign_in.h"
#include "api/text.h"

struct words {
	const char *sign_in, *login, *password, *code, *code_hint, *go, *wrong, *busy, *other_site;
	const char *set_up, *set_up_lead, *enrol, *enrol_lead, *name, *language, *password_hint,
		*totp, *totp_lead, *totp_code, *make, *invalid, *codes, *codes_lead, *on, *faults,
		*by, *signed_out, *ended;
};
static const struct words english = {
	.sign_in = "Sign in",
	.login = "Login",
	.password = "Password",
	.code = "Code of the app, or a recovery code",
	.code_hint =
		"Six digits from the authenticator app. Without the app, one of the recovery codes.",
	.go = "Sign in",
	.wrong = "The login, the password or the code is wrong.",
	.busy = "Too many tries from here. Wait a minute, or sign in with a passkey.",
	.other_site = "The form was sent from another site. Send it from this page.",
	.set_up = "Set up Yagura",
	.set_up_lead = "Make the first administrator. This address works once and for 30 minutes.",
	.enrol = "Welcome to Yagura",
	.enrol_lead = "Choose how you will sign in. This address works once.",
	.name = "Name",
	.language = "Language",
	.password_hint = "At least 12 characters. Length counts; nothing else is asked for.",
	.totp = "Second step",
	.totp_lead = "Enter this key in an authenticator app, then type the code that it shows.",
	.totp_code = "Code of the app",
	.make = "Finish",
	.invalid =
		"This address is no longer valid. On the server, `yagura setup-code` prints a new one; "
		"who was invited asks their administrator.",
	.codes = "Recovery codes",
	.codes_lead =
		"Keep these in a safe place, on paper or in a password manager. Each works once, "
		"when the app or the passkey is lost. They are not shown again.",
	.on = "Go on to Yagura",
	.faults = "Something has to be mended:",
	.by = "Sign in by",
	.signed_out = "You are signed out.",
	.ended =
		"Your session has ended: it was revoked, or not used for a while. Sign in again; you come back to where you were.",
};
static const struct words japanese = {
	.sign_in = "サインイン",
	.login = "ログイン名",
	.password = "パスワード",
	.code = "確認コードまたは回復コード",
	.code_hint =
		"認証アプリに表示された6桁の数字。アプリが使えないときは回復コードを入力します。",
	.go = "サインインする",
	.wrong = "ログイン名、パスワード、確認コードのいずれかが違います。",
	.busy = "試行が多すぎます。1分ほど待つか、パスキーでサインインしてください。",
	.other_site = "別のサイトから送信されました。このページから送信してください。",
	.set_up = "初期設定",
	.set_up_lead = "最初の管理者を作成します。このアドレスは30分間、1回だけ使えます。",
	.enrol = "利用の開始",
	.enrol_lead = "サインインの方法を設定します。このアドレスは1回だけ使えます。",
	.name = "氏名",
	.language = "表示言語",
	.password_hint = "12文字以上。文字の種類は問いません。",
	.totp = "二段階認証",
	.totp_lead = "認証アプリにこの鍵を登録し、表示された確認コードを入力してください。",
	.totp_code = "確認コード",
	.make = "設定を完了する",
	.invalid =
		"このアドレスは無効です。サーバー上で yagura setup-code を実行すると新しいアドレスを"
		"表示します。招待された方は管理者に依頼してください。",
	.codes = "回復コード",
	.codes_lead =
		"紙やパスワード管理ソフトなど安全な場所に保管してください。認証アプリやパスキーを"
		"失ったとき、それぞれ1回だけ使えます。再表示はできません。",
	.on = "Yagura に進む",
	.faults = "入力を確認してください。",
	.by = "次で認証:",
	.signed_out = "サインアウトしました。",
	.ended = "セッションが終了しました（取り消されたか、しばらく操作がありませんでした）。"
		 "もう一度サインインすると、元のページに戻ります。",
};

static struct yg_sv local_path(struct yg_sv s)
{
	return yg_html_local_path(s) ? s : YG_SV("/");
}

static void put_field(struct yg_buf *b, const char *label, const char *name, const char *type,
		      const char *complete, const char *more, struct yg_sv value, const char *hint)
{
	yg_buf_printf(b, "<p class=\"field\"><label for=\"%s\">%s</label>", name, label);
	if (hint != NULL)
		yg_buf_printf(b, "<span class=\"soft\" id=\"%s-hint\">%s</span>", name, hint);
	yg_buf_printf(b, "<input id=\"%s\" name=\"%s\" type=\"%s\" autocomplete=\"%s\"%s", name,
		      name, type, complete, more);
	if (hint != NULL)
		yg_buf_printf(b, " aria-describedby=\"%s-hint\"", name);
	yg_buf_put(b, YG_SV(" value=\""));
	yg_html_text(b, value);
	yg_buf_put(b, YG_SV("\"></p>\n"));
}

static void put_hidden(struct yg_buf *b, const char *name, struct yg_sv value)
{
	yg_buf_printf(b, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	yg_html_text(b, value);
	yg_buf_put(b, YG_SV("\">\n"));
}

static const struct words *begin_page(struct yg_request *q, struct yg_response *r, int status,
				      const char *en, const char *ja)
{
	const struct yg_html_page page = {en, ja, "narrow", status == 201};
	yg_html_begin(q, r, status, &page);
	return q->japanese ? &japanese : &english;
}

/* The console's script for these pages, when it is built in: passkeys. */
static void put_script(struct yg_buf *b)
{
	const struct yg_asset *a = yg_asset_named("auth.js");
	if (a != NULL)
		yg_buf_printf(b, "<script type=\"module\" src=\"/assets/%s\"></script>\n", a->file);
}

/* --- sign-in --- */

/* Providers that one may sign in by. */
static void put_providers(struct yg_api *api, const struct words *w, struct yg_sv next,
			  struct yg_buf *b)
{
	const struct yg_conf *conf = yg_api_conf(api);
	for (size_t i = 0; i < conf->provider_count; i++) {
		struct yg_sv name = conf->providers[i].name; /* a slug */
		yg_buf_put(b, YG_SV("<p><a class=\"button\" href=\"/oidc/start?provider="));
		yg_html_text(b, name);
		yg_buf_put(b, YG_SV("&amp;next="));
		yg_percent_put(b, next);
		yg_buf_printf(b, "\">%s ", w->by);
		yg_html_text(b, name);
		yg_buf_put(b, YG_SV("</a></p>\n"));
	}
}

static void signin_form(struct yg_api *api, struct yg_request *q, struct yg_response *r, int status,
			const char *fault, struct yg_sv login, struct yg_sv next)
{
	next = local_path(next);
	yg_html_keep(q, "next", next);
	const struct words *w = begin_page(q, r, status, english.sign_in, japanese.sign_in);
	struct yg_buf *b = &r->body;
	struct yg_sv why = yg_query(q, "why");
	if (fault == NULL && why.p != NULL)
		yg_buf_printf(b, "<p class=\"state\" role=\"status\">%s</p>\n",
			      YG_SV_IS(why, "ended") ? w->ended : w->signed_out);
	if (fault != NULL)
		yg_buf_printf(b, "<p class=\"state critical\" role=\"alert\">▲ %s</p>\n", fault);
	yg_buf_put(b, YG_SV("<div id=\"passkey\" hidden></div>\n"
			    "<form method=\"post\" action=\"/signin\" id=\"signin\">\n"));
	put_hidden(b, "next", next);
	put_field(b, w->login, "login", "text", "username", " required maxlength=\"64\" autofocus",
		  login, NULL);
	put_field(b, w->password, "password", "password", "current-password", " required",
		  YG_SV(""), NULL);
	put_field(b, w->code, "code", "text", "one-time-code", " required maxlength=\"32\"",
		  YG_SV(""), w->code_hint);
	yg_buf_printf(b, "<p><button type=\"submit\">%s</button></p>\n</form>\n", w->go);
	put_providers(api, w, next, b);
	put_script(b);
	yg_html_end(b);
}

yg_status yg_r_signin_page(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	struct yg_sv next = yg_query(q, "next");
	(void)err;
	signin_form(api, q, r, 200, NULL, YG_SV(""), next.p != NULL ? next : YG_SV("/"));
	return YG_OK;
}

static void go_to(struct yg_request *q, struct yg_response *r, struct yg_sv path)
{
	struct yg_sv at = yg_arena_dup(q->arena, path);
	r->status = 303;
	r->type = NULL;
	if (at.p != NULL)
		yg_response_header(r, "Location", at);
}

static bool is_recovery(struct yg_sv code)
{
	char plain[17];
	return yg_recovery_read(code, plain);
}

yg_status yg_r_signin(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_form f;
	struct yg_person p;
	struct yg_session s;
	const char *method;
	const struct words *w = q->japanese ? &japanese : &english;
	yg_status st = yg_form_read(q, &f, err);
	if (st != YG_OK)
		return st;
	struct yg_sv code = yg_form_get(&f, "code"), next = yg_form_get(&f, "next");
	struct yg_password_try t = {yg_sv_trim(yg_form_get(&f, "login")),
				    yg_form_get(&f, "password"), YG_SV(""), YG_SV("")};
	*(is_recovery(code) ? &t.recovery_code : &t.totp) = code;
	if (yg_same_site(q, r, false, err) != YG_OK) {
		r->problem = NULL;
		signin_form(api, q, r, 403, w->other_site, t.login, next);
		return YG_OK;
	}
	st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_password_proof(api, q, r, l.db, &t, &p, &method, err);
	if (st == YG_UNAUTH || st == YG_LIMIT) {
		signin_form(api, q, r, st == YG_LIMIT ? 429 : 401,
			    st == YG_LIMIT ? w->busy : w->wrong, t.login, next);
		return YG_OK;
	}
	if (st == YG_OK)
		st = yg_session_begin(api, q, r, l.db, &p, method, &s, err);
	if (st == YG_OK)
		go_to(q, r, local_path(next));
	return st;
}

/* --- set-up and invitation --- */

struct enrol_page {
	struct yg_sv code;
	struct yg_enrol e;
	struct yg_person person;    /* of an invitation */
	const struct yg_form *form; /* what was sent before; NULL: nothing */
};

static void put_key(struct yg_buf *b, const struct words *w, const struct enrol_page *p)
{
	char text[YG_TOTP_TEXT], uri[256];
	struct yg_sb t = yg_sb_init(text, sizeof text), u = yg_sb_init(uri, sizeof uri);
	yg_totp_text(p->e.totp, &t);
	yg_totp_uri(p->e.totp, p->e.person.n > 0 ? p->person.login : YG_SV("administrator"), &u);
	yg_buf_printf(b, "<h2>%s</h2>\n<p>%s</p>\n<p><a href=\"", w->totp, w->totp_lead);
	yg_html_text(b, yg_sb_sv(&u));
	yg_buf_put(b, YG_SV("\"><code class=\"key\">"));
	for (size_t i = 0; i < t.n; i++) {
		if (i > 0 && i % 4 == 0)
			yg_buf_putc(b, ' ');
		yg_buf_putc(b, text[i]);
	}
	yg_buf_put(b, YG_SV("</code></a></p>\n"));
	sodium_memzero(text, sizeof text);
}

static void put_faults(struct yg_buf *b, const struct words *w, const struct yg_request *q)
{
	if (q->error_count == 0)
		return;
	yg_buf_printf(b, "<div class=\"critical\" role=\"alert\"><p>▲ %s</p><ul>\n", w->faults);
	for (size_t i = 0; i < q->error_count; i++) {
		struct yg_sv at = q->errors[i].pointer;
		const char *label = YG_SV_IS(at, "/login")      ? w->login
				    : YG_SV_IS(at, "/name")     ? w->name
				    : YG_SV_IS(at, "/password") ? w->password
				    : YG_SV_IS(at, "/totp")     ? w->totp_code
								: "";
		yg_buf_printf(b, "<li>%s: ", label);
		yg_html_text(b, yg_text(q, q->errors[i].message));
		yg_buf_put(b, YG_SV("</li>\n"));
	}
	yg_buf_put(b, YG_SV("</ul></div>\n"));
}

static struct yg_sv sent(const struct enrol_page *p, const char *name, struct yg_sv dflt)
{
	return p->form != NULL ? yg_form_get(p->form, name) : dflt;
}

static void enrol_form(struct yg_request *q, struct yg_response *r, int status,
		       const struct enrol_page *p)
{
	bool setup = p->e.person.n == 0;
	yg_html_keep(q, "code", p->code);
	const struct words *w = begin_page(q, r, status, setup ? english.set_up : english.enrol,
					   setup ? japanese.set_up : japanese.enrol);
	struct yg_buf *b = &r->body;
	struct yg_sv language =
		sent(p, "language",
		     setup ? (q->japanese ? YG_SV("ja") : YG_SV("en")) : p->person.language);
	yg_buf_printf(b, "<p>%s</p>\n", setup ? w->set_up_lead : w->enrol_lead);
	put_faults(b, w, q);
	yg_buf_printf(b,
		      "<div id=\"passkey\" hidden></div>\n"
		      "<form method=\"post\" action=\"/%s\" id=\"enrol\">\n",
		      setup ? "setup" : "enrol");
	put_hidden(b, "code", p->code);
	put_field(b, w->login, "login", "text", "username",
		  setup ? " required maxlength=\"64\" autofocus" : " readonly",
		  setup ? sent(p, "login", YG_SV("")) : p->person.login, NULL);
	put_field(b, w->name, "name", "text", "name", " required maxlength=\"100\"",
		  sent(p, "name", setup ? YG_SV("") : p->person.name), NULL);
	yg_buf_printf(
		b,
		"<p class=\"field\"><label for=\"language\">%s</label>"
		"<select id=\"language\" name=\"language\"><option value=\"ja\"%s>日本語</option>"
		"<option value=\"en\"%s>English</option></select></p>\n",
		w->language, YG_SV_IS(language, "ja") ? " selected" : "",
		YG_SV_IS(language, "en") ? " selected" : "");
	put_field(b, w->password, "password", "password", "new-password",
		  " required minlength=\"12\" maxlength=\"256\"", YG_SV(""), w->password_hint);
	put_key(b, w, p);
	put_field(b, w->totp_code, "totp", "text", "one-time-code",
		  " required inputmode=\"numeric\" maxlength=\"8\"", YG_SV(""), NULL);
	yg_buf_printf(b, "<p><button type=\"submit\">%s</button></p>\n</form>\n", w->make);
	put_script(b);
	yg_html_end(b);
}

static void invalid_page(struct yg_request *q, struct yg_response *r)
{
	const struct words *w = begin_page(q, r, 404, english.set_up, japanese.set_up);
	yg_buf_printf(&r->body,
		      "<p class=\"state critical\">▲ %s</p>\n"
		      "<p><a class=\"button\" href=\"/signin\">%s</a></p>\n",
		      w->invalid, w->sign_in);
	yg_html_end(&r->body);
}

static yg_status find_code(struct yg_api *api, struct yg_request *q, struct yg_state *db,
			   struct enrol_page *p, struct yg_err *err)
{
	struct yg_act act = yg_request_act(q, api, db);
	yg_status st = yg_enrol_get(&act, p->code, q->arena, &p->e, err);
	if (st == YG_OK && p->e.person.n > 0)
		st = yg_person_get(db, p->e.person, q->arena, &p->person, err);
	return st;
}

yg_status yg_r_setup_page(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct enrol_page p = {.code = yg_query(q, "code")};
	if (p.code.p == NULL)
		p.code = YG_SV("");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_code(api, q, l.db, &p, err);
	if (st == YG_OK)
		enrol_form(q, r, 200, &p);
	if (st == YG_NOTFOUND || st == YG_CONFLICT)
		invalid_page(q, r);
	return st == YG_NOTFOUND || st == YG_CONFLICT ? YG_OK : st;
}

static void codes_page(struct yg_request *q, struct yg_response *r,
		       const struct yg_recovery_codes *codes)
{
	const struct words *w = begin_page(q, r, 201, english.codes, japanese.codes);
	struct yg_buf *b = &r->body;
	yg_buf_printf(b, "<p>%s</p>\n<ul class=\"codes\">\n", w->codes_lead);
	for (size_t i = 0; i < YG_RECOVERY_N; i++)
		yg_buf_printf(b, "<li><code>%s</code></li>\n", codes->s[i]);
	yg_buf_printf(b, "</ul>\n<p><a href=\"/\">%s</a></p>\n", w->on);
	yg_html_end(b);
}

static void read_try(const struct yg_form *f, struct yg_enrol_try *t)
{
	*t = (struct yg_enrol_try){.code = yg_form_get(f, "code"),
				   .login = yg_sv_trim(yg_form_get(f, "login")),
				   .name = yg_sv_trim(yg_form_get(f, "name")),
				   .language = yg_form_get(f, "language"),
				   .password = yg_form_get(f, "password"),
				   .totp = yg_form_get(f, "totp")};
	if (!YG_SV_IS(t->language, "en"))
		t->language = YG_SV("ja");
}

yg_status yg_r_setup(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_form f;
	struct enrol_page p = {.form = &f};
	struct yg_enrol_try t;
	struct yg_enrolled done;
	struct yg_session s;
	yg_status st = yg_same_site(q, r, false, err);
	if (st == YG_OK)
		st = yg_form_read(q, &f, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	read_try(&f, &t);
	p.code = t.code;
	st = find_code(api, q, l.db, &p, err);
	if (st == YG_OK)
		st = yg_enrol_finish(api, q, l.db, &t, &done, err);
	if (st == YG_NOTFOUND || (st == YG_CONFLICT && p.e.person.p == NULL)) {
		invalid_page(q, r);
		return YG_OK;
	}
	if (st == YG_CONFLICT)
		yg_request_error(q, "taken", YG_SV("/login"), "%s", err->msg);
	if (st == YG_CONFLICT || (st == YG_PARSE && q->error_count > 0)) {
		enrol_form(q, r, 400, &p);
		q->error_count = 0; /* the page has them */
		return YG_OK;
	}
	if (st == YG_OK)
		st = yg_session_begin(api, q, r, l.db, &done.person, "enrolment", &s, err);
	if (st == YG_OK)
		codes_page(q, r, &done.codes);
	sodium_memzero(&done.codes, sizeof done.codes);
	return st;
}
