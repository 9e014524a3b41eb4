/* imap-dump: what our framer and parser make of a server's bytes, as JSON lines.  For tests, and
 * for people who debug: `imap-dump --help` is the manual. */
#include "imap-dump-response.h"

#include <errno.h>
#include <unistd.h>

static const char help_text[] =
    "usage: imap-dump [--chunk N] <bytes-from-the-server\n"
    "\n"
    "Reads what an IMAP server said, from its greeting on or from between any two responses, and\n"
    "prints one JSON object a line for each response.\n"
    "\n"
    "  --chunk N   feeds itself N bytes at a time; the output is the same\n"
    "\n"
    "Every object has \"tag\" (\"*\", \"+\" or the command's tag) and \"type\" (\"OK\", \"FETCH\", "
    "...;\n"
    "\"CONTINUE\" for \"+\"; \"UNKNOWN\" for a response that nobody knows, with its \"name\" and "
    "\"text\").\n"
    "Fields have IMAP's own names in small letters.  NIL is null.  A set of numbers is written as\n"
    "IMAP writes it (\"3:5,7\").  Times are RFC 3339 in the server's own zone; \"..._text\" is as\n"
    "sent.  THREAD is a flat list, depth first, with each message's depth.\n"
    "\n"
    "A response that cannot be parsed gives {\"error\":...,\"offset\":N,\"at\":M} in its place: N "
    "is the\n"
    "offset in the input of its first byte, M of the first that was not understood.  The dump "
    "then\n"
    "goes on with the next response: behind this one where its end is known, else (a line or a\n"
    "literal that is too large or has no size, input that ends early) behind the line's end.\n"
    "\n"
    "The output is ASCII.  A string that is valid UTF-8 stands as its characters, any other as "
    "its\n"
    "bytes, each as one character of the same number (0xE9 as \\u00e9).\n"
    "\n"
    "Exit status: 0 all parsed, 1 something did not, 2 wrong usage.\n";

/* More than a session would take: a saved session may hold whole messages. */
static const ImapLimits limits = {
	.max_line_bytes = 64 << 20,
	.max_response_bytes = 512 << 20,
	.max_literal_bytes = 512 << 20,
	.max_literals = 1000000,
};

typedef struct Dump {
	Json json;
	ImapFramer *framer;
	ImapParser *parser;
	uint64_t begin;	 /* offset of the response being read */
	bool skipping;	 /* to the next line end */
	bool has_failed; /* something could not be parsed */
} Dump;

static void
report(Dump *dump, const char *error, uint64_t at)
{
	json_open(&dump->json, NULL, '{');
	json_text(&dump->json, "error", error);
	json_number(&dump->json, "offset", dump->begin);
	json_number(&dump->json, "at", at);
	json_close(&dump->json, '}');
	json_line_end(&dump->json);
	dump->has_failed = true;
}

static void
parse(Dump *dump, const ImapFrame *frame)
{
	ImapResponse response;
	size_t error_offset;

	if (imap_parser_parse(dump->parser, frame, &response, &error_offset))
		dump_response(&dump->json, &response);
	else
		report(dump, "not the grammar of a response", dump->begin + error_offset);
}

/* IN is the bytes from OFFSET of the input on. */
static void
feed(Dump *dump, Span in, uint64_t offset)
{
	const char *start = in.at;

	while (!span_is_empty(in)) {
		ImapFrame frame;
		ImapFrameResult result;

		if (dump->skipping) {
			dump->skipping = !imap_framer_resync(dump->framer, &in);
			dump->begin = offset + (uint64_t)(in.at - start);
			continue;
		}
		result = imap_framer_take(dump->framer, &in, &frame);
		if (result == IMAP_FRAME_WHOLE) {
			parse(dump, &frame);
			dump->begin = offset + (uint64_t)(in.at - start);
		} else if (result != IMAP_FRAME_MORE) {
			g_autofree char *words = imap_framer_complaint(dump->framer);

			report(dump, words, offset + (uint64_t)(in.at - start));
			dump->skipping = true;
		}
	}
}

static bool
dump_input(Dump *dump, size_t chunk)
{
	g_autofree char *buffer = g_malloc(64 << 10);
	uint64_t offset = 0;
	ssize_t got;

	while ((got = read(STDIN_FILENO, buffer, 64 << 10)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fprintf(stderr, "imap-dump: standard input: %s\n", g_strerror(errno));
			return false;
		}
		for (size_t done = 0; done < (size_t)got;) {
			size_t size = MIN((size_t)got - done, chunk);

			feed(dump, span_of(buffer + done, size), offset);
			done += size;
			offset += size;
		}
	}
	if (!imap_framer_is_empty(dump->framer)) {
		g_autofree char *words = imap_framer_complaint(dump->framer);

		report(dump, words, offset);
	}
	return !dump->has_failed;
}

/* False: wrong usage. */
static bool
parse_arguments(int argc, char **argv, size_t *chunk)
{
	uint64_t number;

	*chunk = SIZE_MAX;
	if (argc == 1)
		return true;
	if (argc != 3 || strcmp(argv[1], "--chunk") != 0 ||
	    !span_to_number(span_of_string(argv[2]), SIZE_MAX, &number) || !number)
		return false;
	*chunk = (size_t)number;
	return true;
}

int
main(int argc, char **argv)
{
	g_autoptr(ImapFramer) framer = imap_framer_new(&limits, NULL, NULL);
	g_autoptr(ImapParser) parser = imap_parser_new();
	Dump dump = { .framer = framer, .parser = parser };
	size_t chunk;
	bool ok;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return fputs(help_text, stdout) < 0;
	if (!parse_arguments(argc, argv, &chunk)) {
		fputs(help_text, stderr);
		return 2;
	}
	json_init(&dump.json, stdout);
	ok = dump_input(&dump, chunk);
	if (!json_clear(&dump.json)) {
		fprintf(stderr, "imap-dump: standard output: %s\n", g_strerror(errno));
		ok = false;
	}
	return ok ? 0 : 1;
}
