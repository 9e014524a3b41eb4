/* What two Posterns on one store say to each other: the second asks the first's engine, and hears
 * what happens there.  Frames on a stream socket: a length of four octets, high first, and so many
 * octets of a GVariant of type a{sv}; both run on one machine.  Unknown keys are passed over, missing
 * ones are empty.  Pure. */
#ifndef ENGINE_WIRE_PRIVATE_H
#define ENGINE_WIRE_PRIVATE_H

#include "engine-private.h"

#define WIRE_VERSION   1
#define WIRE_FRAME_MAX (320u * 1024 * 1024) /* octets; a message to be appended is the largest */

/* Appends a frame.  DICT may be floating; a reference is taken and dropped. */
void wire_put(GByteArray *out, GVariant *dict);
/* Takes the first frame off IN into *DICT (yours to unref), NULL when it is not there whole.  False: what
 * is there is no frame. */
bool wire_take(GByteArray *in, GVariant **dict);

/* "hello", "job", "cancel", "reconnect", "event", "no": what a frame is.  Borrowed from DICT. */
const char *wire_op(GVariant *dict);
GVariant *wire_simple(const char *op, EngineRequest request);
uint32_t wire_number(GVariant *dict, const char *key);

GVariant *wire_job(const char *account, const Job *job);
/* NULL: that is no job.  *ACCOUNT is yours to g_free, NULL for the default. */
Job *wire_job_read(GVariant *dict, char **account);

GVariant *wire_event(const EngineEvent *event, EngineRequest request, const EngineTotals *totals,
		     GPtrArray *report);

/* An event as it came; EVENT's strings live in it. */
typedef struct WireEvent {
	EngineEvent event;
	EngineStatus status;
	EngineTotals totals;
	GPtrArray *report; /* of char *; NULL */
	GError *error;
	GVariant *dict;
} WireEvent;
bool wire_event_read(GVariant *dict, WireEvent *out);
void wire_event_clear(WireEvent *event);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WireEvent, wire_event_clear)

#endif
