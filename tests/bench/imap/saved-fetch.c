#include "saved-fetch.h"

static const char *const first_names[] = { "Ada",   "Grace", "Edsger",	"Barbara", "Donald",
					   "Radia", "Ken",   "Frances", "Dennis",  "Katherine" };
static const char *const last_names[] = {
	"Lovelace", "Hopper",	"Dijkstra", "Liskov",  "Knuth",
	"Perlman",  "Thompson", "Allen",    "Ritchie", "Johnson"
};
static const char *const hosts[] = { "example.org", "mail.example.com", "lists.example.net",
				     "corp.example", "university.example.edu" };
static const char *const words[] = { "meeting", "report",   "invoice", "re-scheduled", "patch",
				     "release", "question", "holiday", "agenda",       "minutes",
				     "budget",	"the",	    "new",     "for",	       "on",
				     "friday",	"urgent",   "draft",   "final",	       "v2" };
static const char *const encoded[] = {
	"=?UTF-8?Q?Angebot_f=C3=BCr_die_Sanierung_der_B=C3=BCror=C3=A4ume?=",
	"=?utf-8?B?5Lya6K2w57qq6KaB77yI6I2J5qGI77yJ?= =?utf-8?B?6K+35Zyo5ZGo5LqU5YmN5Zue5aSN?=",
	"=?iso-8859-1?Q?R=E9union_du_comit=E9_d=E9plac=E9e?=",
	"=?UTF-8?B?0J7RgtGH0ZHRgiDQt9CwINC80LDRgNGC?=",
};
static const char *const flags[] = {
	"\\Seen",	    "\\Seen \\Answered",      "", "\\Seen $Forwarded NonJunk",
	"\\Seen \\Flagged", "\\Seen $MDNSent NonJunk"
};
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
				      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

typedef struct Maker {
	GString *out;
	guint64 state;
} Maker;

static guint
pick(Maker *maker, guint below)
{
	maker->state = maker->state * 6364136223846793005u + 1442695040888963407u;
	return (guint)(maker->state >> 33) % below;
}

#define ANY(maker, table) ((table)[pick((maker), G_N_ELEMENTS(table))])

static void
put(Maker *maker, const char *text)
{
	g_string_append(maker->out, text);
}

static void
put_address(Maker *maker)
{
	const char *first = ANY(maker, first_names), *last = ANY(maker, last_names);
	g_autofree char *user = g_ascii_strdown(first, -1);

	if (pick(maker, 4))
		g_string_append_printf(maker->out, "(\"%s %s\" NIL \"%s.%u\" \"%s\")", first, last,
				       user, pick(maker, 1000), ANY(maker, hosts));
	else
		g_string_append_printf(maker->out, "(NIL NIL \"%s\" \"%s\")", user,
				       ANY(maker, hosts));
}

static void
put_addresses(Maker *maker, guint count)
{
	if (!count) {
		put(maker, " NIL");
		return;
	}
	put(maker, " (");
	while (count--)
		put_address(maker);
	put(maker, ")");
}

static void
put_subject(Maker *maker)
{
	g_autoptr(GString) text = g_string_new(pick(maker, 3) ? "Re: " : "");
	guint kind = pick(maker, 20);

	for (guint n = 3 + pick(maker, 7); n--;)
		g_string_append_printf(text, "%s%s", ANY(maker, words), n ? " " : "");
	if (kind < 6)
		g_string_assign(text, ANY(maker, encoded));
	if (kind == 6) /* a server sends as literal what has 8-bit or quotes */
		g_string_append_printf(maker->out, "{%zu}\r\n\"%s\"", text->len + 2, text->str);
	else if (kind == 7)
		g_string_append_printf(maker->out, "\"%s \\\"%s\\\"\"", text->str,
				       ANY(maker, words));
	else
		g_string_append_printf(maker->out, "\"%s\"", text->str);
}

static void
put_envelope(Maker *maker)
{
	guint start, lists = pick(maker, 5) == 0;

	g_string_append_printf(maker->out, "(\"%s, %u %s 20%02u %02u:%02u:%02u +0%u00\" ", "Tue",
			       1 + pick(maker, 28), ANY(maker, months), 10 + pick(maker, 15),
			       pick(maker, 24), pick(maker, 60), pick(maker, 60), pick(maker, 10));
	put_subject(maker);
	start = (guint)maker->out->len;
	put_addresses(maker, 1);
	for (int i = 0; i < 2; i++) { /* sender and reply-to are mostly the same again */
		g_autofree char *from = g_strndup(maker->out->str + start, maker->out->len - start);
		char *end = strstr(from + 2, "))");

		end[2] = '\0';
		put(maker, from);
	}
	put_addresses(maker, 1 + pick(maker, lists ? 2 : 4));
	put_addresses(maker, pick(maker, 3) ? 0 : 1 + pick(maker, 6));
	put_addresses(maker, 0);
	if (pick(maker, 2))
		g_string_append_printf(maker->out, " \"<%08x.%08x@%s>\"", pick(maker, G_MAXUINT),
				       pick(maker, G_MAXUINT), ANY(maker, hosts));
	else
		put(maker, " NIL");
	g_string_append_printf(maker->out, " \"<%08x%08x.%u@%s>\")", pick(maker, G_MAXUINT),
			       pick(maker, G_MAXUINT), pick(maker, 100000), ANY(maker, hosts));
}

static void
put_text(Maker *maker, const char *subtype)
{
	guint lines = 1 + pick(maker, 400);

	g_string_append_printf(maker->out,
			       "(\"text\" \"%s\" (\"charset\" \"%s\"%s) NIL NIL \"%s\" %u %u NIL "
			       "NIL NIL NIL)",
			       subtype, pick(maker, 3) ? "utf-8" : "us-ascii",
			       pick(maker, 4) ? "" : " \"format\" \"flowed\"",
			       pick(maker, 2) ? "quoted-printable" : "7bit", lines * 40, lines);
}

static void
put_alternative(Maker *maker)
{
	put(maker, "(");
	put_text(maker, "plain");
	put_text(maker, "html");
	g_string_append_printf(maker->out,
			       " \"alternative\" (\"boundary\" \"----=_Part_%u_%u.%u\") NIL NIL "
			       "NIL)",
			       pick(maker, 100000), pick(maker, 100000), pick(maker, G_MAXUINT));
}

static void
put_attachment(Maker *maker)
{
	guint size = pick(maker, 5000000);
	const char *name = ANY(maker, words);

	g_string_append_printf(maker->out,
			       "(\"application\" \"pdf\" (\"name\" \"%s-%u.pdf\") NIL NIL "
			       "\"base64\" %u NIL "
			       "(\"attachment\" (\"filename\" \"%s-%u.pdf\")) NIL NIL)",
			       name, size % 100, size, name, size % 100);
}

static void
put_forwarded(Maker *maker)
{
	put(maker, "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 4711 ");
	put_envelope(maker);
	put(maker, " ");
	put_alternative(maker);
	put(maker, " 120 NIL (\"inline\" NIL) NIL NIL)");
}

static void
put_structure(Maker *maker)
{
	guint kind = pick(maker, 20);

	if (kind < 8) {
		put_text(maker, "plain");
		return;
	}
	if (kind < 14) {
		put_alternative(maker);
		return;
	}
	put(maker, "(");
	if (kind & 1)
		put_alternative(maker);
	else
		put_text(maker, "plain");
	if (kind == 19)
		put_forwarded(maker);
	for (guint n = 1 + pick(maker, 3); n--;)
		put_attachment(maker);
	g_string_append_printf(maker->out, " \"mixed\" (\"boundary\" \"=_%08x%08x\") NIL NIL NIL)",
			       pick(maker, G_MAXUINT), pick(maker, G_MAXUINT));
}

GString *
saved_fetch_make(guint messages)
{
	Maker maker = { g_string_new(NULL), 42 };
	guint uid = 1;

	for (guint i = 1; i <= messages; i++) {
		uid += 1 + (pick(&maker, 5) == 0);
		g_string_append_printf(maker.out,
				       "* %u FETCH (UID %u FLAGS (%s) INTERNALDATE "
				       "\"%2u-%s-20%02u %02u:%02u:%02u +0200\" RFC822.SIZE %u "
				       "ENVELOPE ",
				       i, uid, ANY(&maker, flags), 1 + pick(&maker, 28),
				       ANY(&maker, months), 10 + pick(&maker, 15), pick(&maker, 24),
				       pick(&maker, 60), pick(&maker, 60),
				       500 + pick(&maker, 9000000));
		put_envelope(&maker);
		put(&maker, " BODYSTRUCTURE ");
		put_structure(&maker);
		put(&maker, ")\r\n");
	}
	return maker.out;
}
