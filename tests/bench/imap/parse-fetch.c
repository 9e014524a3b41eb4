/* parse-fetch [MESSAGES [alone]]: a saved answer to a FETCH for the list, parsed into the records that
 * the store takes, beside libetpan on the same bytes in the same run.  CPU time; ours the best of
 * three runs.
 *
 * Ours comes in pieces of 16 KiB, as from a connection, and ends in StoreMessage rows, header fields
 * decoded and lists of addresses written out.  libetpan reads from memory and is asked for no more
 * than its own structures: as one response, as its clients do; and in slices, which spare it from
 * holding a gigabyte. */
#include "saved-fetch.h"

#include "imap/response.h"
#include "../../../src/engine/record-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef HAVE_LIBETPAN
#include "peer-libetpan.h"
#endif

#define PIECE_BYTES (16 << 10)
#define BATCH	    1000

static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every response of BYTES; into records, unless RECORDS is NULL.  The number of messages. */
static size_t
parse(Span bytes, size_t piece, RecordBatch *records)
{
	g_autoptr(ImapFramer) framer = imap_framer_new(NULL, NULL, NULL);
	g_autoptr(ImapParser) parser = imap_parser_new();
	size_t messages = 0, in_batch;

	while (!span_is_empty(bytes)) {
		Span in = { bytes.at, bytes.at + MIN(piece, span_size(bytes)) };
		ImapFrame frame;

		bytes.at = in.end;
		while (imap_framer_take(framer, &in, &frame) == IMAP_FRAME_WHOLE) {
			ImapResponse response;
			size_t error_offset;

			if (!imap_parser_parse(parser, &frame, &response, &error_offset))
				return 0;
			messages += response.type == IMAP_RESPONSE_FETCH;
			if (!records)
				continue;
			record_batch_add(records, &response.fetch);
			record_batch_messages(records, &in_batch);
			if (in_batch == BATCH)
				record_batch_clear(records);
		}
	}
	return messages;
}

static double
report(const char *what, double seconds, size_t bytes, size_t messages)
{
	double speed = (double)bytes / 1e6 / seconds;

	printf("%-34s %7.1f MB/s  %9.0f messages/s  %.3f s\n", what, speed,
	       (double)messages / seconds, seconds);
	return speed;
}

static double
measure(const char *what, Span bytes, size_t piece, RecordBatch *records, size_t want)
{
	double best = 1e9;

	for (int run = 0; run < 3; run++) {
		double start = cpu_seconds();

		if (parse(bytes, piece, records) != want) {
			fprintf(stderr, "parse-fetch: %s: not every message was parsed\n", what);
			exit(1);
		}
		best = MIN(best, cpu_seconds() - start);
	}
	return report(what, best, span_size(bytes), want);
}

#ifdef HAVE_LIBETPAN
static void
measure_peer(const char *what, Span bytes, size_t slice, size_t want, double ours)
{
	double start = cpu_seconds(), speed;
	size_t got = peer_libetpan_parse(bytes.at, span_size(bytes), slice);

	if (got != want) {
		fprintf(stderr, "parse-fetch: libetpan parsed %zu of %zu\n", got, want);
		exit(1);
	}
	speed = report(what, cpu_seconds() - start, span_size(bytes), want);
	printf("%-34s %7.1f times libetpan\n", "  records for the store:", ours / speed);
}
#endif

int
main(int argc, char **argv)
{
	guint messages = argc > 1 ? (guint)MAX(atoi(argv[1]), 1) : 100000;
	GString *saved = saved_fetch_make(messages);
	g_autoptr(RecordBatch) records = record_batch_new();
	Span bytes = span_of(saved->str, saved->len);
	double ours;

	printf("%u messages, %.1f MB, %zu bytes each\n", messages, (double)saved->len / 1e6,
	       saved->len / messages);
	measure("parser alone, all in memory", bytes, SIZE_MAX, NULL, messages);
	measure("parser alone, pieces of 16 KiB", bytes, PIECE_BYTES, NULL, messages);
	ours = measure("records for the store, 16 KiB", bytes, PIECE_BYTES, records, messages);
#ifdef HAVE_LIBETPAN
	if (argc < 3) { /* "alone": for a profiler */
		measure_peer("libetpan, one response", bytes, messages, messages, ours);
		measure_peer("libetpan, slices of 1,000", bytes, BATCH, messages, ours);
	}
#else
	printf("libetpan: not installed\n");
	(void)ours;
#endif
	g_string_free(saved, TRUE);
	return 0;
}
