#include "peer-libetpan.h"

#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the "server" has said and not been read yet: a prefix of ours, then bytes of the dump. */
typedef struct Script {
	char line[64];
	size_t line_size, line_at;
	const char *at, *end;
	char done[64];
	size_t done_size, done_at;
} Script;

static size_t
take(char *to, size_t room, const char *from, size_t size, size_t *at)
{
	size_t n = size - *at < room ? size - *at : room;

	memcpy(to, from + *at, n);
	*at += n;
	return n;
}

static ssize_t
script_read(mailstream_low *low, void *buffer, size_t room)
{
	Script *script = low->data;
	size_t n = take(buffer, room, script->line, script->line_size, &script->line_at);

	if (!n && script->at < script->end) {
		n = (size_t)(script->end - script->at) < room ? (size_t)(script->end - script->at)
							      : room;
		memcpy(buffer, script->at, n);
		script->at += n;
	}
	if (!n)
		n = take(buffer, room, script->done, script->done_size, &script->done_at);
	return (ssize_t)n;
}

static ssize_t
script_write(mailstream_low *low, const void *buffer, size_t size)
{
	return (ssize_t)size;
}

static int
script_close(mailstream_low *low)
{
	return 0;
}

static int
script_fd(mailstream_low *low)
{
	return -1;
}

static void
script_free(mailstream_low *low)
{
	free(low);
}

static void
script_cancel(mailstream_low *low)
{
}

/* The end of the N-th response of [AT, END); a literal's line end is none. */
static const char *
skip_responses(const char *at, const char *end, size_t n)
{
	while (n && at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (lf - at < 2 || lf[-2] != '}')
			n--;
		at = lf + 1;
	}
	return at;
}

size_t
peer_libetpan_parse(const char *bytes, size_t size, size_t slice)
{
	mailstream_low_driver driver = { script_read, script_write, script_close,
					 script_fd,   script_free,  script_cancel };
	Script script = { .at = bytes, .end = bytes };
	mailstream_low *low = mailstream_low_new(&script, &driver);
	mailstream *stream = mailstream_new(low, 16384);
	mailimap *imap = mailimap_new(0, NULL);
	struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();
	struct mailimap_set *set = mailimap_set_new_interval(1, 0);
	const char *end = bytes + size;
	size_t messages = 0;

	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_uid());
	script.line_size = (size_t)snprintf(script.line, sizeof script.line, "* PREAUTH ready\r\n");
	if (mailimap_connect(imap, stream) != MAILIMAP_NO_ERROR_AUTHENTICATED)
		return 0;
	for (unsigned tag = 1; script.at < end; tag++) {
		clist *result;

		script.end = skip_responses(script.at, end, slice);
		script.done_at = 0;
		script.done_size =
		    (size_t)snprintf(script.done, sizeof script.done, "%u OK done\r\n", tag);
		imap->imap_state = MAILIMAP_STATE_SELECTED;
		if (mailimap_uid_fetch(imap, set, type, &result) != MAILIMAP_NO_ERROR)
			break;
		messages += (size_t)clist_count(result);
		mailimap_fetch_list_free(result);
	}
	mailimap_set_free(set);
	mailimap_fetch_type_free(type);
	mailimap_free(imap);
	return messages;
}
