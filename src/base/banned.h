/* banned.h - given to every compile with -include; built with
 * -Werror=deprecated-declarations.  A front-end check on use: it sees through
 * _FORTIFY_SOURCE inlines, and system headers may still declare the names
 * (#pragma poison and git's #define both break headers included later). */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __clang__ /* glibc defines a few of these inline under -O2; harmless */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wignored-attributes"
#endif
#define YG_BAN(ret, name, args, why)                                                               \
	extern ret name args __attribute__((deprecated(#name " is banned: " why)))
YG_BAN(char *, strcpy, (char *, const char *), "use yg_sb_put");
YG_BAN(char *, strcat, (char *, const char *), "use yg_sb_put");
YG_BAN(char *, strncpy, (char *, const char *, size_t), "use yg_sb_put");
YG_BAN(int, sprintf, (char *, const char *, ...), "use yg_sb_printf");
YG_BAN(int, vsprintf, (char *, const char *, va_list), "use yg_sb_printf");
YG_BAN(char *, strtok, (char *, const char *), "use yg_sv_cut");
YG_BAN(int, atoi, (const char *), "use yg_parse_u64");
YG_BAN(int, sscanf, (const char *, const char *, ...), "overflow is undefined; use yg_rd");
YG_BAN(int, rand, (void), "use env->random");
YG_BAN(time_t, time, (time_t *), "use env->wall");
YG_BAN(int, clock_gettime, (clockid_t, struct timespec *), "use env->mono");
YG_BAN(struct tm *, gmtime, (const time_t *), "use yg_time_format");
YG_BAN(struct tm *, localtime, (const time_t *), "logs are UTC");
YG_BAN(int, system, (const char *), "roles do not run shells");
YG_BAN(FILE *, popen, (const char *, const char *), "roles do not run shells");
YG_BAN(int, setuid, (uid_t), "use setresuid");
YG_BAN(void, exit, (int), "return from main or use _exit")
__attribute__((noreturn));
#ifdef __clang__
#pragma clang diagnostic pop
#endif
