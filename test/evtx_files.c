/* evtx_files DIR: event log files for the tests that put us beside other readers.
 * evtx_files FILE RECORDS: one file of that many, for the benchmark. */
#include <stdio.h>

#include "evtx_make.h"

#define S(label, text)                                                                             \
	{                                                                                          \
		.name = (label), .type = 1, .p = (text)                                            \
	}
#define H(label, text)                                                                             \
	{                                                                                          \
		.name = (label), .type = 0x15, .p = (text), .n = 8                                 \
	}
#define N(label, text)                                                                             \
	{                                                                                          \
		.name = (label), .type = 8, .p = (text), .n = 4                                    \
	}

static const uint8_t guid[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
				 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01};
static const uint8_t sid[28] = {1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0,  0, 1, 2,
				3, 4, 5, 6, 7, 8, 9, 1, 2,  3, 80, 4, 0, 0};

/* Texts are made UTF-16 when they are written. */
static const struct mk_value logon[] = {
	{.name = "SubjectUserSid", .type = 0x13, .p = sid, .n = 28},
	S("SubjectUserName", "PC1$"),
	S("SubjectDomainName", "CORP"),
	H("SubjectLogonId", "\xe7\3\0\0\0\0\0"),
	{.name = "TargetUserSid", .type = 0x13, .p = sid, .n = 28},
	S("TargetUserName", "taro"),
	S("TargetDomainName", "CORP"),
	H("TargetLogonId", "\x12\x34\x56\0\0\0\0"),
	N("LogonType", "\3\0\0"),
	S("LogonProcessName", "Kerberos"),
	S("AuthenticationPackageName", "Kerberos"),
	S("WorkstationName", "-"),
	{.name = "LogonGuid", .type = 0x0f, .p = guid, .n = 16},
	S("TransmittedServices", "-"),
	S("LmPackageName", "-"),
	N("KeyLength", "\0\0\0"),
	{.name = "ProcessId", .type = 0x15, .p = "\x14\3\0\0\0\0\0", .n = 8},
	S("ProcessName", "-"),
	S("IpAddress", "192.0.2.17"),
	S("IpPort", "49812"),
	S("ImpersonationLevel", "%%1833"),
};
static const struct mk_value process[] = {
	S("RuleName", "-"),
	S("UtcTime", "2024-01-14 00:00:00.123"),
	{.name = "ProcessGuid", .type = 0x0f, .p = guid, .n = 16},
	N("ProcessId", "\x34\x12\0"),
	S("Image", "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"),
	S("FileVersion", "10.0.19041.546 (WinBuild.160101.0800)"),
	S("Description", "Windows PowerShell"),
	S("Product", "Microsoft Windows Operating System"),
	S("Company", "Microsoft Corporation"),
	S("OriginalFileName", "PowerShell.EXE"),
	S("CommandLine",
	  "powershell.exe -NoProfile -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoA"),
	S("CurrentDirectory", "C:\\Users\\taro\\"),
	S("User", "CORP\\taro"),
	{.name = "LogonGuid", .type = 0x0f, .p = guid, .n = 16},
	H("LogonId", "\x12\x34\x56\0\0\0\0"),
	N("TerminalSessionId", "\1\0\0"),
	S("IntegrityLevel", "Medium"),
	S("Hashes", "MD5=04029E121A0CFA5991749937DD22A1D9,"
		    "SHA256=9F914D42706FE215501044ACD85A32D58AAEF1419D404FDDFA5D3B48F66CCD9F"),
	{.name = "ParentProcessGuid", .type = 0x0f, .p = guid, .n = 16},
	N("ParentProcessId", "\x78\x56\0"),
	S("ParentImage", "C:\\Windows\\explorer.exe"),
	S("ParentCommandLine", "C:\\Windows\\Explorer.EXE"),
};
static const struct mk_value service[] = {
	S("param1", "Windows Update"),
	S("param2", "running"),
	{.name = "Binary", .type = 0x0e, .p = "wuauserv", .n = 8}};
static const struct mk_value types[] = {
	S("string", "text with <markup> & \"quotes\""),
	{.name = "ansi", .type = 2, .p = "plain", .n = 6},
	{.name = "int8", .type = 3, .p = "\xfe", .n = 1},
	{.name = "uint8", .type = 4, .p = "\xfe", .n = 1},
	{.name = "int16", .type = 5, .p = "\xfe\xff", .n = 2},
	{.name = "uint16", .type = 6, .p = "\xfe\xff", .n = 2},
	{.name = "int32", .type = 7, .p = "\xfe\xff\xff\xff", .n = 4},
	{.name = "uint32", .type = 8, .p = "\xfe\xff\xff\xff", .n = 4},
	{.name = "int64", .type = 9, .p = "\xfe\xff\xff\xff\xff\xff\xff\xff", .n = 8},
	{.name = "uint64", .type = 10, .p = "\xfe\xff\xff\xff\xff\xff\xff\xff", .n = 8},
	{.name = "bool", .type = 13, .p = "\1\0\0", .n = 4},
	{.name = "binary", .type = 14, .p = "\0\x1f\xff", .n = 3},
	{.name = "guid", .type = 15, .p = guid, .n = 16},
	{.name = "filetime", .type = 17, .p = "\0\x80\x3e\xd5\xde\xb1\x9d\1", .n = 8},
	{.name = "sid", .type = 19, .p = sid, .n = 28},
	{.name = "hex32", .type = 20, .p = "\xef\xbe\0", .n = 4},
	{.name = "hex64", .type = 21, .p = "\xef\xbe\0\0\0\0\0", .n = 8},
};
static const struct mk_event events[] = {
	{.channel = "Security",
	 .provider = "Microsoft-Windows-Security-Auditing",
	 .id = 4624,
	 .keywords = 0x8020000000000000u,
	 .data = logon,
	 .data_n = sizeof logon / sizeof logon[0]},
	{.channel = "Microsoft-Windows-Sysmon/Operational",
	 .provider = "Microsoft-Windows-Sysmon",
	 .id = 1,
	 .level = 4,
	 .keywords = 0x8000000000000000u,
	 .data = process,
	 .data_n = sizeof process / sizeof process[0]},
	{.channel = "System",
	 .provider = "Service Control Manager",
	 .id = 7036,
	 .level = 4,
	 .keywords = 0x8080000000000000u,
	 .data = service,
	 .data_n = sizeof service / sizeof service[0]},
	{.channel = "Application",
	 .provider = "Types",
	 .id = 1,
	 .level = 4,
	 .data = types,
	 .data_n = sizeof types / sizeof types[0]},
	{.channel = "Application", .provider = "Plain", .id = 2, .level = 2, .plain = "an error"},
};

/* The event with its texts as UTF-16. */
static void put_event(struct mk *m, const struct mk_event *like)
{
	static uint8_t texts[8192];
	struct mk_value v[32];
	struct mk_event e = *like;
	size_t at = 0;
	for (size_t i = 0; i < e.data_n; i++) {
		v[i] = e.data[i];
		if (v[i].type != 1)
			continue;
		v[i].n = (uint16_t)mk_utf16(like->data[i].p, texts + at);
		v[i].p = texts + at;
		at += v[i].n;
	}
	e.data = v;
	mk_event(m, &e);
}

/* Room for any of them and its templates. */
static bool is_full(const struct mk *m)
{
	return m->n + 12000 > m->chunk + MK_CHUNK;
}

static void make(struct mk *m, size_t chunks, size_t each, size_t kinds)
{
	mk_init(m, chunks);
	for (size_t c = 0; c < chunks; c++) {
		mk_chunk_begin(m);
		for (size_t i = 0; i < each && !is_full(m); i++)
			put_event(m, &events[(c + i) % kinds]);
		mk_chunk_end(m);
	}
	mk_file_end(m, 0);
}

static void save(const struct mk *m, const char *path, size_t n)
{
	FILE *f = fopen(path, "wb");
	if (f == NULL || fwrite(m->p, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void save_in(struct mk *m, const char *dir, const char *name, size_t n)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/%s.evtx", dir, name);
	save(m, path, n);
	mk_free(m);
}

static size_t record_at(const struct mk *m, size_t n)
{
	size_t at = MK_HEADER + 512;
	for (uint32_t size; n > 0; n--, at += size)
		memcpy(&size, m->p + at + 4, 4);
	return at;
}

static void all(const char *dir)
{
	static struct mk m;
	make(&m, 3, 1000, 3);
	save_in(&m, dir, "three-chunks", m.n);
	make(&m, 1, 5, 5);
	save_in(&m, dir, "kinds", m.n);
	make(&m, 1, 0, 1);
	save_in(&m, dir, "empty", m.n);
	make(&m, 2, 10, 3);
	mk_set(&m, 120, 1, 4);
	mk_set(&m, 42, 1, 2);
	mk_file_sum(&m);
	save_in(&m, dir, "dirty", m.n);
	make(&m, 3, 10, 3);
	mk_set(&m, 42, 2, 2);
	mk_file_sum(&m);
	save_in(&m, dir, "unlinked", m.n);
	make(&m, 1, 10, 3);
	mk_set(&m, MK_HEADER + 48, record_at(&m, 7) - MK_HEADER, 4);
	mk_set(&m, MK_HEADER + 44, record_at(&m, 6) - MK_HEADER, 4);
	mk_set(&m, MK_HEADER + 16, 7, 8);
	mk_set(&m, MK_HEADER + 32, 7, 8);
	mk_chunk_sums(&m, MK_HEADER);
	save_in(&m, dir, "slack", m.n);
	make(&m, 2, 10, 3);
	save_in(&m, dir, "cut", MK_HEADER + MK_CHUNK + 20000);
	make(&m, 2, 10, 3);
	m.p[MK_HEADER + 124] ^= 1;
	save_in(&m, dir, "chunk-sum", m.n);
	make(&m, 2, 10, 3);
	m.p[MK_HEADER + 52] ^= 1;
	save_in(&m, dir, "records-sum", m.n);
	make(&m, 2, 10, 3);
	mk_set(&m, record_at(&m, 4) + 4, 0xffffff, 4);
	mk_chunk_sums(&m, MK_HEADER);
	save_in(&m, dir, "size", m.n);
	make(&m, 2, 10, 3);
	memset(m.p + m.n, 0x41, 1000);
	save_in(&m, dir, "junk", m.n + 1000);
}

int main(int argc, char **argv)
{
	static struct mk m;
	if (argc == 2) {
		all(argv[1]);
		return 0;
	}
	if (argc != 3)
		return 2;
	unsigned long long wanted = strtoull(argv[2], NULL, 10);
	size_t chunks = wanted / 20 + 1;
	mk_init(&m, chunks);
	for (size_t i = 0; i < wanted;) {
		mk_chunk_begin(&m);
		for (; i < wanted && !is_full(&m); i++)
			put_event(&m, &events[i % 3]);
		mk_chunk_end(&m);
	}
	mk_file_end(&m, 0);
	save(&m, argv[1], m.n);
	mk_free(&m);
	return 0;
}
