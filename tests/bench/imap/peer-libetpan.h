/* libetpan's parser on a saved FETCH answer: the speed to beat. */
#ifndef TESTS_BENCH_IMAP_PEER_LIBETPAN_H
#define TESTS_BENCH_IMAP_PEER_LIBETPAN_H

#include <stddef.h>

/* Parses BYTES, whose lines end responses (literals aside), SLICE messages a command.  The number of
 * messages that came out. */
size_t peer_libetpan_parse(const char *bytes, size_t size, size_t slice);

#endif
