/* problem.h - errors as RFC 9457 problem documents.  One list gives the types,
 * their titles in English and Japanese, and the page that explains them. */
#pragma once
#include "api/http.h"

/* clang-format off */
/* slug, status, title, title in Japanese, what to do, the same in Japanese */
#define YG_PROBLEMS(X) \
	X("bad-request", 400, "The request cannot be understood", "リクエストを解釈できません", \
	  "Read `detail` and `errors`: each names the parameter, header or place in the body.", \
	  "`detail` と `errors` に、誤りのある引数・ヘッダー・本文の位置が示されています。") \
	X("unauthenticated", 401, "Sign-in is needed", "認証が必要です", \
	  "Sign in, or send `Authorization: Bearer TOKEN` with a token that is neither expired nor revoked.", \
	  "サインインするか、失効していないトークンを `Authorization: Bearer TOKEN` で送ってください。") \
	X("forbidden", 403, "Not permitted", "許可されていません", \
	  "The token lacks the scope this route needs, or the route is for the centre alone.", \
	  "トークンに必要なスコープがないか、中央組織だけが使える機能です。権限は組織の管理者に確認してください。") \
	X("cross-site", 403, "The request comes from another site", "別のサイトからの要求です", \
	  "Open Yagura itself and do it there; a program sends a token instead of a cookie.", \
	  "Yagura の画面を開いて、そこから操作してください。プログラムはクッキーではなくトークンを送ります。") \
	X("approval-needed", 403, "Another person has to approve it", "別の担当者の承認が必要です", \
	  "Ask for it by `POST /api/v1/approvals`; somebody else with the right to do it decides.", \
	  "`POST /api/v1/approvals` で申請してください。同じ操作の権限を持つ別の担当者が承認します。") \
	X("step-up-needed", 403, "Confirm that it is you", "本人確認が必要です", \
	  "Sign in again by `POST /api/v1/session/step-up`, then repeat the request within five minutes.", \
	  "`POST /api/v1/session/step-up` で本人確認を行い、5分以内にもう一度実行してください。") \
	X("not-found", 404, "No such object", "対象が見つかりません", \
	  "Check the id and the organisation. What belongs to another organisation is answered in the same way.", \
	  "識別子と組織を確認してください。他の組織の対象についても同じ回答になります。") \
	X("method-not-allowed", 405, "The path does not take this method", "このメソッドは使えません", \
	  "The header `Allow` names the methods it takes.", \
	  "使えるメソッドはヘッダー `Allow` に示されています。") \
	X("not-acceptable", 406, "No answer in the form asked for", "指定された形式では回答できません", \
	  "Accept the media type that the document of the API names for this route.", \
	  "API 文書に示されたメディア型を受け入れるようにしてください。") \
	X("conflict", 409, "It contradicts what is there", "現在の状態と矛盾します", \
	  "Read the object again and decide anew.", \
	  "対象を読み直してから、改めて判断してください。") \
	X("precondition-failed", 412, "The object changed meanwhile", "対象が更新されています", \
	  "Read the object again, and send its new ETag as `If-Match`.", \
	  "対象を読み直し、新しい ETag を `If-Match` で送ってください。") \
	X("too-large", 413, "The body is too large", "本文が大きすぎます", \
	  "Send it in several requests.", \
	  "複数回に分けて送ってください。") \
	X("target-too-long", 414, "The address is too long", "アドレスが長すぎます", \
	  "Shorten the query.", \
	  "検索条件などを短くしてください。") \
	X("unsupported-media-type", 415, "The form of the body is not supported", "本文の形式に対応していません", \
	  "Check `Content-Type` and `Content-Encoding`.", \
	  "`Content-Type` と `Content-Encoding` を確認してください。") \
	X("precondition-required", 428, "If-Match is needed", "If-Match が必要です", \
	  "Read the object and send its ETag as `If-Match`, so that nobody's change is lost.", \
	  "他の人の変更を失わないよう、対象を読み、その ETag を `If-Match` で送ってください。") \
	X("too-many", 429, "A limit was reached", "上限に達しました", \
	  "Wait for `Retry-After` seconds and send the same request again.", \
	  "`Retry-After` の秒数だけ待ち、同じ要求をもう一度送ってください。") \
	X("internal", 500, "Something went wrong here", "内部で問題が起きました", \
	  "Look for the `trace_id` in the server's log.", \
	  "サーバーの記録で `trace_id` を調べてください。") \
	X("unavailable", 503, "A needed part does not answer", "必要な機能が応答していません", \
	  "Try again later; `yagura doctor` says what is missing.", \
	  "しばらく待ってからやり直してください。`yagura doctor` が不足しているものを示します。")
/* clang-format on */

/* Turns a failed request into its answer: r->status from `st` (or from
 * r->problem), the document in r->body, Retry-After and the like in the headers;
 * texts in the request's language.  A browser that asks for a page outside the API
 * gets a page.  Details of faults of ours (5xx) are shown to the local
 * administrator only. */
void yg_problem(const struct yg_request *q, struct yg_response *r, yg_status st,
		const struct yg_err *err);
/* The page behind the `type` links. */
void yg_problem_page(const struct yg_request *q, struct yg_response *r);
/* HTTP status of a slug; 0 when there is none. */
int yg_problem_status(const char *slug);
