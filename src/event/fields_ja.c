#include "event/fields.h"

/* In Japanese, and in English where event.h has no more than the name. */
static const struct {
	const char *name, *ja, *en;
} texts[] = {
	{"org", "所有する組織", NULL},
	{"received", "櫓が受け取った時刻", NULL},
	{"day", "受信日(UTC、YYYYMMDD)", NULL},
	{"spool", "届けたスプール", NULL},
	{"batch", "スプール内のバッチ", NULL},
	{"row", "バッチ内の行", NULL},
	{"source", "ログの種類(zeek、suricata など)", NULL},
	{"sensor", "届けたリスナー・トークン・ファイル", NULL},
	{"time", "発生した時刻", NULL},
	{"class_uid", "OCSF のクラス", NULL},
	{"activity_id", "クラス内の OCSF 活動", NULL},
	{"severity_id", "重大度(0 不明、1 情報 … 6 致命的)", NULL},
	{"status_id", "結果(0 不明、1 成功、2 失敗)", NULL},
	{"log_name", "ログ名(dns、conn、Security など)", NULL},
	{"event_code", "ログ側のコード(4624、シグネチャ番号)", NULL},
	{"uid", "ログ側のフローまたは記録の ID", NULL},
	{"message", "人が読む一行", NULL},
	{"src_ip", "始めた側の IP アドレス", NULL},
	{"src_port", "始めた側のポート", "port of who began it"},
	{"src_host", "始めた側のホスト名", "name of who began it"},
	{"dst_ip", "相手の IP アドレス", NULL},
	{"dst_port", "相手のポート", "port of the other side"},
	{"dst_host", "サーバー名(HTTP Host、TLS SNI)", NULL},
	{"proto", "トランスポート(tcp、udp、icmp)", NULL},
	{"app", "観測されたアプリケーションプロトコル", NULL},
	{"bytes_out", "送信バイト数(始めた側から)", NULL},
	{"bytes_in", "受信バイト数(相手から)", NULL},
	{"duration", "継続時間(マイクロ秒)", NULL},
	{"query", "DNS の問い合わせ名(小文字)", NULL},
	{"query_type", "DNS の種類(A、AAAA など)", NULL},
	{"rcode", "DNS の応答コード", NULL},
	{"answers", "応答された名前とアドレス", NULL},
	{"url", "URL(分かるときは絶対形)", NULL},
	{"http_method", "HTTP メソッド", "request method"},
	{"http_status", "HTTP ステータス", "status of the answer"},
	{"user_agent", "ユーザーエージェント", "what the client says it is"},
	{"referrer", "リファラー", "page that led there"},
	{"tls_version", "TLS の版", "version that was agreed on"},
	{"tls_subject", "証明書の主体者", "subject of the certificate"},
	{"tls_issuer", "証明書の発行者", "issuer of the certificate"},
	{"ja3", "クライアント指紋(JA3、JA4)", NULL},
	{"mail_from", "差出人アドレス(小文字)", "address, lower case"},
	{"mail_to", "宛先", "addresses it goes to"},
	{"subject", "メールの件名", "subject of the mail"},
	{"network", "クライアントのネットワーク(リゾルバーが知る名前)", NULL},
	{"flags", "DNS 応答のフラグ", NULL},
	{"ede_code", "拡張 DNS エラー(RFC 8914)の INFO-CODE。空はなし", NULL},
	{"origin", "DNS 応答の出どころ(cache、upstream、policy など)", NULL},
	{"verdict", "判定(allowed、passed、noted、blocked、dropped、refused、failed)", NULL},
	{"layer", "判定した、または記録したポリシーの層", NULL},
	{"policy", "判定した、または記録したポリシーゾーン", NULL},
	{"trigger", "レコードが見るもの(qname、response-ip など)", NULL},
	{"rule", "判定した、または記録したレコード", NULL},
	{"category", "ゾーンの分類(malware など)", NULL},
	{"host", "報告した、または操作された端末", NULL},
	{"user", "行った利用者", NULL},
	{"target_user", "対象となった利用者", NULL},
	{"process", "プロセスの実行ファイル", NULL},
	{"pid", "プロセス ID", "number of the process"},
	{"cmd_line", "コマンドライン", "command line"},
	{"parent_process", "親プロセスの実行ファイル", "image path of the parent"},
	{"parent_cmd_line", "親プロセスのコマンドライン", "command line of the parent"},
	{"file_path", "ファイル、モジュール、レジストリキー、オブジェクト", NULL},
	{"hashes", "ハッシュ値(16 進、小文字)", NULL},
	{"api_service", "API のサービス", "service that was called"},
	{"api_operation", "API の操作", "what was called"},
	{"cloud_account", "クラウドのアカウント", "account it belongs to"},
	{"cloud_region", "クラウドのリージョン", "where it happened"},
	{"finding_uid", "検知の ID", NULL},
	{"finding_title", "検知の題名", "what the finding is called"},
	{"indicator", "一致した脅威インジケーター", NULL},
	{"list", "リストまたはルールセット", NULL},
	{"confidence", "確度(0〜100)", NULL},
	{"related", "根拠となったイベントの ID", NULL},
	{"names", "含まれるすべての名前・アドレス・ハッシュ・利用者(小文字)。語だけの検索が見る列",
	 NULL},
	{"parse_error", "対応付けできなかった理由。できたときは空", NULL},
	{"raw", "届いたままの記録", NULL},
};
static_assert(YG_LEN(texts) == YG_EVENT_FIELD_COUNT, "every field has its words");

const char *yg_event_field_text(enum yg_event_field f, bool japanese)
{
	const char *own = yg_event_fields[f].doc;
	if (japanese)
		return texts[f].ja;
	return texts[f].en != NULL && own[0] == '\0' ? texts[f].en : own;
}

const char *yg_event_type_name(enum yg_event_type t)
{
	switch (t) {
	case YG_ET_I64:
	case YG_ET_U64:
	case YG_ET_U32:
	case YG_ET_U16:
	case YG_ET_U8: return "number";
	case YG_ET_STR: return "text";
	case YG_ET_LSTR: return "word";
	case YG_ET_IP: return "address";
	case YG_ET_STRS: return "list";
	}
	return "text";
}

bool yg_event_fields_named(void)
{
	for (size_t i = 0; i < YG_LEN(texts); i++)
		if (strcmp(texts[i].name, yg_event_fields[i].name) != 0)
			return false;
	return true;
}
