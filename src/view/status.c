#include "view/status.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

void
view_status_clear(ViewStatus *status)
{
	g_clear_pointer(&status->error, g_free);
	g_clear_pointer(&status->doing, g_free);
}

void
view_status_take(ViewStatus *status, const EngineStatus *said, gint64 now_us)
{
	view_status_clear(status);
	status->known = true;
	status->link = said->link;
	status->retry_at_us =
	    said->link == ENGINE_WAITING ? now_us + said->retry_in_s * G_USEC_PER_SEC : 0;
	status->error = said->error ? safe_line(said->error->message) : NULL;
	status->doing = said->doing ? safe_line(said->doing) : NULL;
	status->done = said->done;
	status->total = said->total;
	status->silent_s = said->silent_s;
}

bool
view_status_ticks(const ViewStatus *status)
{
	return status->known && status->link == ENGINE_WAITING;
}

/* "reading INBOX 3200/100000": what, and how far. */
static char *
activity(const ViewStatus *status)
{
	if (!status->doing)
		return NULL;
	if (status->total == 0)
		return g_strdup(status->doing);
	return g_strdup_printf("%s %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, status->doing,
			       status->done, status->total);
}

static char *
waiting_text(const ViewStatus *status, gint64 now_us)
{
	/* Rounded up: "in 0 s" is said by nobody who waits. */
	gint64 left = (status->retry_at_us - now_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
	g_autofree char *when = g_strdup_printf(_("trying again in %d s"), (int)MAX(left, 1));

	if (left <= 0) {
		g_free(when);
		when = g_strdup(_("trying again"));
	}
	if (status->error)
		return g_strdup_printf(_("no line, %s: %s"), when, status->error);
	return g_strdup_printf(_("no line, %s"), when);
}

char *
view_status_text(const ViewStatus *status, gint64 now_us)
{
	g_autofree char *doing = activity(status);

	if (status->alone)
		return g_strdup(_("offline"));
	if (!status->known)
		return g_strdup(_("starting"));
	switch (status->link) {
	case ENGINE_OFFLINE:
		return status->error ? g_strdup_printf(_("offline: %s"), status->error)
				     : g_strdup(_("offline"));
	case ENGINE_WAITING:
		return waiting_text(status, now_us);
	case ENGINE_CONNECTING:
		return g_strdup(_("connecting"));
	case ENGINE_LOGGING_IN:
		return g_strdup(_("logging in"));
	case ENGINE_ONLINE:
		break;
	}
	if (status->silent_s > 0)
		return g_strdup_printf(_("connected, no answer for %d s (F5 tries anew)"),
				       status->silent_s);
	return doing ? g_strdup_printf(_("connected, %s"), doing) : g_strdup(_("connected"));
}

char *
view_size_text(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double size = (double)bytes / 1024;
	int unit = 0;

	if (bytes < 1000)
		return g_strdup_printf("%d", (int)bytes);
	for (; size >= 999.5 && units[unit + 1]; unit++)
		size /= 1024;
	return g_strdup_printf(size < 9.95 ? "%.1f%c" : "%.0f%c", size, units[unit]);
}

/* A year would say nothing about the last months, nor a day's time about years ago. */
#define MONTHS_DAYS 300

char *
view_date_text(int64_t seconds, GDateTime *now, bool wide)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(seconds);
	GTimeSpan age = date ? g_date_time_difference(now, date) : 0;
	const char *format = wide ? "%b %d  %Y" : "%b %Y";
	char *text;

	if (!date)
		return g_strdup("?");
	if (age >= 0 && age < MONTHS_DAYS * G_TIME_SPAN_DAY)
		format = wide ? "%b %d %H:%M"
			 : age < G_TIME_SPAN_DAY && g_date_time_get_day_of_month(date) ==
							g_date_time_get_day_of_month(now)
			     ? "%H:%M"
			     : "%b %d";
	text = g_date_time_format(date, format);
	return text ? text : g_strdup("?");
}

char *
view_date_long(int64_t seconds, int zone_min)
{
	g_autoptr(GTimeZone) zone = NULL;
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(seconds);
	g_autoptr(GDateTime) date = NULL;
	char *text;

	/* No zone on earth is beyond these, but a header may say so. */
	zone_min = CLAMP(zone_min, -24 * 60 + 1, 24 * 60 - 1);
	zone = g_time_zone_new_offset(zone_min * 60);
	date = utc ? g_date_time_to_timezone(utc, zone) : NULL;
	text = date ? g_date_time_format(date, "%a, %-d %b %Y %H:%M %z") : NULL;
	return text ? text : g_strdup("?");
}

char *
view_position_text(uint64_t at, uint64_t total)
{
	return g_strdup_printf("%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, at, total);
}
