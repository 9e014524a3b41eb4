/* What a literal in a FETCH response is, before it comes: from the response so far.  Pure. */
#ifndef ENGINE_LITERAL_PRIVATE_H
#define ENGINE_LITERAL_PRIVATE_H

#include "base/span.h"

typedef struct LiteralName {
	uint32_t
	    uid; /* 0: not said yet.  To be held against the whole response, when that is here. */
	Span section; /* in PREFIX */
	bool has_origin;
	uint64_t origin;
} LiteralName;

/* False: no body section. */
bool literal_name(Span prefix, LiteralName *name);

#endif
