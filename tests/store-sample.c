#include "store-sample.h"

#include <inttypes.h>

#define NEWEST	    INT64_C(1767225600) /* 2026-01-01 */
#define SPACING_SEC 300

/* How a message is built: its BODYSTRUCTURE (sizes filled in), and where its text is. */
typedef struct Shape {
	const char *section;
	int attachments;
	const char *structure;
} Shape;

static const Shape shapes[] = {
	{ "1", 0,
	  "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"QUOTED-PRINTABLE\" %u %u NIL NIL "
	  "NIL NIL)" },
	{ "1", 0,
	  "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"QUOTED-PRINTABLE\" %u %u NIL NIL "
	  "NIL NIL)(\"TEXT\" \"HTML\" (\"CHARSET\" \"UTF-8\") NIL NIL \"QUOTED-PRINTABLE\" 9%u 120 "
	  "NIL NIL NIL NIL) \"ALTERNATIVE\" (\"BOUNDARY\" \"=_c4f1\") NIL NIL NIL)" },
	{ "1", 1,
	  "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"8BIT\" %u %u NIL NIL NIL NIL)"
	  "(\"APPLICATION\" \"PDF\" (\"NAME\" \"report-%u.pdf\") NIL NIL \"BASE64\" 184320 NIL "
	  "(\"ATTACHMENT\" (\"FILENAME\" \"report.pdf\")) NIL NIL) \"MIXED\" (\"BOUNDARY\" "
	  "\"=_b71\") NIL NIL NIL)" },
	{ "1.1", 2,
	  "(((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"QUOTED-PRINTABLE\" %u %u NIL "
	  "NIL "
	  "NIL NIL)(\"TEXT\" \"HTML\" (\"CHARSET\" \"UTF-8\") NIL NIL \"QUOTED-PRINTABLE\" 9%u 300 "
	  "NIL NIL NIL NIL) \"ALTERNATIVE\" (\"BOUNDARY\" \"=_a1\") NIL NIL NIL)(\"IMAGE\" "
	  "\"JPEG\" "
	  "(\"NAME\" \"beach.jpg\") NIL NIL \"BASE64\" 5242880 NIL (\"ATTACHMENT\" (\"FILENAME\" "
	  "\"beach.jpg\")) NIL NIL)(\"IMAGE\" \"PNG\" (\"NAME\" \"map.png\") NIL NIL \"BASE64\" "
	  "90210 NIL (\"ATTACHMENT\" (\"FILENAME\" \"map.png\")) NIL NIL) \"MIXED\" (\"BOUNDARY\" "
	  "\"=_a0\") NIL NIL NIL)" },
};

static const char *const given[] = {
	"Ada",	   "Bertrand", "Chloé", "Dmitri",  "Eszter", "Fatima",	"Gwen",	     "Henrik",
	"Ibrahim", "Jørgen",   "Klara", "Łukasz",  "Maria",  "Nguyễn",	"Oluwaseun", "Päivi",
	"Quentin", "Renée",    "Søren", "Tanaka",  "Ulrike", "Víctor",	"Wei",	     "Ximena",
	"Yusuf",   "Zoë",      "张伟",	"Наталья", "佐藤",   "Γιώργος", "محمد",	     "दीपक",
};

static const char *const family[] = {
	"Example", "Müller",   "Novák", "Smith",  "García",   "O'Brien", "Ivanova", "Kowalski",
	"Nielsen", "van Dijk", "Rossi", "Dubois", "Yamamoto", "Kim",	 "Silva",   "Haddad",
};

static const char *const domains[] = {
	"example.org",
	"example.com",
	"example.net",
	"mail.example.edu",
	"lists.example.org",
	"b\xc3\xbc"
	"cher.example",
};

static const char *const words[] = {
	"meeting", "notes",    "budget",   "draft",    "release",   "patch",   "kernel", "invoice",
	"travel",  "schedule", "review",   "question", "results",   "weekly",  "report", "server",
	"backup",  "failed",   "lunch",	   "tomorrow", "Grüße",	    "réunion", "отчёт",	 "会議",
	"photos",  "minutes",  "contract", "update",   "reminder",  "ticket",  "für",	 "garden",
	"🎉",	   "winter",   "library",  "proposal", "signature", "café",    "naïve",	 "deadline",
};

static const char *const lists[] = { "[postern-devel] ", "[announce] ", "", "", "", "", "", "" };

struct Sample {
	uint32_t total;
	uint64_t seed;
	GArray *messages; /* of StoreMessage, whose spans are offsets until all is written */
	GString *text;
};

Sample *
sample_new(uint32_t total, uint64_t seed)
{
	Sample *sample = g_new0(Sample, 1);

	sample->total = total;
	sample->seed = seed;
	sample->messages = g_array_new(FALSE, FALSE, sizeof(StoreMessage));
	sample->text = g_string_new(NULL);
	return sample;
}

void
sample_free(Sample *sample)
{
	g_array_unref(sample->messages);
	g_string_free(sample->text, TRUE);
	g_free(sample);
}

/* splitmix64: a number from a number, so that any message can be made by itself. */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static unsigned
draw(uint64_t *state, unsigned below)
{
	*state = mix(*state);
	return (unsigned)(*state >> 33) % below;
}

#define PICK(state, table) table[draw(state, G_N_ELEMENTS(table))]

/* A span as offsets into the text, which may still move. */
static Span
cut(GString *text, gsize from)
{
	return (Span){ (const char *)(uintptr_t)from, (const char *)(uintptr_t)text->len };
}

static void
settle(GString *text, Span *span)
{
	span->at = text->str + (uintptr_t)span->at;
	span->end = text->str + (uintptr_t)span->end;
}

static Span
write_person(GString *text, uint64_t *state)
{
	gsize from = text->len;
	const char *first = PICK(state, given), *last = PICK(state, family);

	g_string_append(text, first);
	g_string_append_c(text, ' ');
	g_string_append(text, last);
	g_string_append(text, " <u");
	g_string_append_printf(text, "%u", draw(state, 900));
	g_string_append_c(text, '@');
	g_string_append(text, PICK(state, domains));
	g_string_append_c(text, '>');
	return cut(text, from);
}

static Span
write_people(GString *text, uint64_t *state, unsigned n)
{
	gsize from = text->len;

	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			g_string_append(text, ", ");
		write_person(text, state);
	}
	return cut(text, from);
}

static Span
write_subject(GString *text, uint64_t *state)
{
	gsize from = text->len;
	unsigned n = 2 + draw(state, 6);

	if (draw(state, 5) < 2)
		g_string_append(text, "Re: ");
	g_string_append(text, PICK(state, lists));
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			g_string_append_c(text, ' ');
		g_string_append(text, PICK(state, words));
	}
	return cut(text, from);
}

static Span
write_message_id(GString *text, uint64_t id)
{
	gsize from = text->len;

	g_string_append_printf(text, "<%016" PRIx64 "@example.org>", mix(id));
	return cut(text, from);
}

static uint16_t
draw_flags(uint64_t *state, bool is_old)
{
	uint16_t flags = 0;

	if (draw(state, 100) < (is_old ? 97 : 70))
		flags |= STORE_FLAG_SEEN;
	if (draw(state, 100) < 20)
		flags |= STORE_FLAG_ANSWERED;
	if (draw(state, 100) < 2)
		flags |= STORE_FLAG_FLAGGED;
	return flags;
}

static const Shape *
draw_shape(uint64_t *state)
{
	unsigned n = draw(state, 100);

	return &shapes[n < 45 ? 0 : n < 85 ? 1 : n < 95 ? 2 : 3];
}

static uint64_t
state_of(const Sample *sample, uint32_t number)
{
	return mix(sample->seed << 32 ^ number);
}

static StoreMessage
write_message(Sample *sample, uint32_t number)
{
	GString *text = sample->text;
	uint64_t state = state_of(sample, number);
	const Shape *shape = draw_shape(&state);
	unsigned size = 200 + draw(&state, 6000);
	StoreMessage m = { .uid = number + 1 };
	gsize from;

	m.date = NEWEST - (int64_t)(sample->total - number) * SPACING_SEC - draw(&state, 900);
	m.received = m.date + 1 + draw(&state, 60);
	m.zone_min = ((int)draw(&state, 25) - 12) * 60;
	m.flags = draw_flags(&state, number + 1000 < sample->total);
	m.size = size * 3 + 2000;
	m.attachments = (uint16_t)shape->attachments;
	m.modseq = 1 + draw(&state, 1000000);
	if (shape->attachments) {
		m.flags |= STORE_FLAG_ATTACHMENT;
		m.size += 200000;
	}
	m.subject = write_subject(text, &state);
	m.from = write_person(text, &state);
	m.reply_to = draw(&state, 10) ? m.from : write_person(text, &state);
	m.to = write_people(text, &state, 1 + draw(&state, 2));
	if (draw(&state, 6) == 0)
		m.cc = write_people(text, &state, 1 + draw(&state, 4));
	m.message_id = write_message_id(text, sample->seed << 32 ^ number);
	if (number > 10 && draw(&state, 5) < 2)
		m.in_reply_to = write_message_id(text, sample->seed << 32 ^ (number - 7));
	if (draw(&state, 33) == 0) {
		from = text->len;
		g_string_append(text, draw(&state, 2) ? "$Forwarded" : "NonJunk work");
		m.keywords = cut(text, from);
	}
	from = text->len;
	g_string_append_printf(text, shape->structure, size, size / 60 + 1, size % 100);
	m.structure = cut(text, from);
	return m;
}

const StoreMessage *
sample_messages(Sample *sample, uint32_t first, size_t n)
{
	g_array_set_size(sample->messages, 0);
	g_string_truncate(sample->text, 0);
	for (size_t i = 0; i < n; i++) {
		StoreMessage message = write_message(sample, first + (uint32_t)i);

		g_array_append_val(sample->messages, message);
	}
	for (guint i = 0; i < sample->messages->len; i++) {
		StoreMessage *m = &g_array_index(sample->messages, StoreMessage, i);
		Span *spans[] = { &m->keywords,	  &m->subject,	   &m->from,
				  &m->to,	  &m->cc,	   &m->reply_to,
				  &m->message_id, &m->in_reply_to, &m->structure };

		for (size_t k = 0; k < G_N_ELEMENTS(spans); k++)
			settle(sample->text, spans[k]);
	}
	return &g_array_index(sample->messages, StoreMessage, 0);
}

char *
sample_text(Sample *sample, uint32_t number, const char **section)
{
	uint64_t state = state_of(sample, number);
	GString *text = g_string_new("Hello,\r\n\r\n");

	*section = draw_shape(&state)->section;
	for (unsigned i = 0; i < 120; i++)
		g_string_append_printf(text, "%s%s", PICK(&state, words),
				       i % 10 == 9 ? "\r\n" : " ");
	g_string_append_printf(text, "\r\n-- \r\nmessage %u\r\n", number + 1);
	return g_string_free(text, FALSE);
}

bool
sample_fill(Sample *sample, uint32_t total, Store *store, StoreId mailbox, size_t slice,
	    GError **error)
{
	for (uint32_t left = total; left > 0;) {
		uint32_t n = (uint32_t)MIN(slice, left);

		left -= n;
		if (!store_messages_put(store, mailbox, sample_messages(sample, left, n), n, error))
			return false;
	}
	return true;
}
