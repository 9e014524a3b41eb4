/* Made-up mail, varied as real mail is, and the same from the same seed: for filling a store. */
#ifndef STORE_SAMPLE_H
#define STORE_SAMPLE_H

#include "store/store.h"

typedef struct Sample Sample;

/* TOTAL messages of which number N (from 0) has UID N + 1 and is older than number N + 1, give or
 * take some minutes. */
Sample *sample_new(uint32_t total, uint64_t seed);
void sample_free(Sample *sample);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sample, sample_free)

/* Messages FIRST .. FIRST + N - 1; borrowed until the next call. */
const StoreMessage *sample_messages(Sample *sample, uint32_t first, size_t n);

/* The section of message NUMBER's text, and that text; yours to g_free. */
char *sample_text(Sample *sample, uint32_t number, const char **section);

/* Puts all of SAMPLE's messages into MAILBOX, newest first, in slices of SLICE. */
bool sample_fill(Sample *sample, uint32_t total, Store *store, StoreId mailbox, size_t slice,
		 GError **error);

#endif
