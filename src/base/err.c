#include "base/err.h"

#include <stdio.h>

yg_status yg_err_set(struct yg_err *err, yg_status code, int os_errno, const char *where,
		     const char *fmt, ...)
{
	if (err == NULL)
		return code;
	err->code = code;
	err->os_errno = os_errno;
	err->where = where;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (os_errno != 0 && n >= 0 && (size_t)n < sizeof err->msg) {
		/* strerrordesc_np() is safe to call anywhere and never localised */
		const char *text = strerrordesc_np(os_errno);
		(void)snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s",
			       text != NULL ? text : "unknown error");
	}
	return code;
}

yg_status yg_err_wrap(struct yg_err *err, const char *fmt, ...)
{
	if (err == NULL)
		return YG_INTERNAL;
	char inner[sizeof err->msg];
	memcpy(inner, err->msg, sizeof inner);
	inner[sizeof inner - 1] = '\0';
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof err->msg)
		(void)snprintf(err->msg + n, sizeof err->msg - (size_t)n, "%s", inner);
	return err->code;
}
