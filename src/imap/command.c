#include "command-private.h"

#include <stdlib.h>

/* Longer values go as a literal: servers bound their command lines (RFC 2683, 3.2.1.5). */
#define QUOTED_MAX_BYTES 1000

typedef enum {
	PIECE_TEXT, /* goes out as it is */
	PIECE_LITERAL,
	PIECE_LITERAL8,
} PieceKind;

typedef struct Piece {
	PieceKind kind;
	bool secret;
	char *at; /* owned; wiped */
	size_t size;
} Piece;

struct ImapCommand {
	const char *name;
	GArray *pieces; /* of Piece */
	bool valid;
	bool opened; /* nothing stands behind the "(" yet */
};

static void
piece_clear(gpointer data)
{
	Piece *piece = data;

	if (piece->at)
		explicit_bzero(piece->at, piece->size);
	g_free(piece->at);
}

ImapCommand *
imap_command_new(const char *name)
{
	ImapCommand *command = g_new0(ImapCommand, 1);

	command->name = name;
	command->valid = true;
	command->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
	g_array_set_clear_func(command->pieces, piece_clear);
	return command;
}

void
imap_command_free(ImapCommand *command)
{
	if (!command)
		return;
	g_array_unref(command->pieces);
	g_free(command);
}

bool
imap_command_is_valid(const ImapCommand *command)
{
	return command->valid;
}

/* ---- what goes in ------------------------------------------------------------------------ */

static void
put_piece(ImapCommand *command, PieceKind kind, bool secret, Span bytes)
{
	size_t size = span_size(bytes);
	Piece piece = { kind, secret, g_malloc(size + 1), size };

	if (size)
		memcpy(piece.at, bytes.at, size);
	g_array_append_val(command->pieces, piece);
}

static void
put_space(ImapCommand *command)
{
	if (!command->opened)
		put_piece(command, PIECE_TEXT, false, SPAN_LITERAL(" "));
	command->opened = false;
}

static bool
is_printable(Span text)
{
	for (const char *p = text.at; p < text.end; p++)
		if (*p < 0x20 || *p > 0x7e)
			return false;
	return true;
}

void
imap_command_text(ImapCommand *command, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	put_space(command);
	if (is_printable(span_of_string(text)) && !strchr(text, '{'))
		put_piece(command, PIECE_TEXT, false, span_of_string(text));
	else
		command->valid = false;
}

/* ATOM-CHAR (RFC 9051, 9). */
static bool
is_atom_char(char c)
{
	return c > 0x20 && c < 0x7f && !strchr("(){%*\"\\]", c);
}

void
imap_command_atom(ImapCommand *command, Span value)
{
	const char *p = value.at;

	put_space(command);
	if (p < value.end && *p == '\\')
		p++;
	if (p == value.end)
		command->valid = false;
	for (; p < value.end; p++)
		if (!is_atom_char(*p))
			command->valid = false;
	if (command->valid)
		put_piece(command, PIECE_TEXT, false, value);
}

/* "astring" without the string.  ASTRING-CHAR is an ATOM-CHAR or "]", but brackets are quoted, as every
 * client quotes them, and so is NIL, which some servers would take for none. */
static bool
is_astring_atom(Span value)
{
	if (span_is_empty(value) || span_is_nocase(value, "NIL") ||
	    span_size(value) > QUOTED_MAX_BYTES)
		return false;
	for (const char *p = value.at; p < value.end; p++)
		if (*p == '[' || !is_atom_char(*p))
			return false;
	return true;
}

/* Without '"' and '\\', which the grammar would let us escape and servers unescape wrongly. */
static bool
is_quotable(Span value)
{
	if (span_size(value) > QUOTED_MAX_BYTES || !is_printable(value))
		return false;
	return span_is_empty(value) || (!memchr(value.at, '"', span_size(value)) &&
					!memchr(value.at, '\\', span_size(value)));
}

static void
put_string(ImapCommand *command, Span value, bool secret, bool may_be_atom)
{
	size_t size = span_size(value);

	put_space(command);
	if (size && memchr(value.at, '\0', size)) {
		command->valid = false;
	} else if (may_be_atom && is_astring_atom(value)) {
		put_piece(command, PIECE_TEXT, secret, value);
	} else if (is_quotable(value)) {
		Piece piece = { PIECE_TEXT, secret, g_malloc(size + 2), size + 2 };

		piece.at[0] = '"';
		if (size)
			memcpy(piece.at + 1, value.at, size);
		piece.at[size + 1] = '"';
		g_array_append_val(command->pieces, piece);
	} else {
		put_piece(command, PIECE_LITERAL, secret, value);
	}
}

void
imap_command_astring(ImapCommand *command, Span value)
{
	put_string(command, value, false, true);
}

void
imap_command_string(ImapCommand *command, Span value)
{
	put_string(command, value, false, false);
}

void
imap_command_mailbox(ImapCommand *command, Span raw)
{
	put_string(command, raw, false, true);
}

void
imap_command_literal8(ImapCommand *command, Span value)
{
	put_space(command);
	put_piece(command, PIECE_LITERAL8, false, value);
}

void
imap_command_secret(ImapCommand *command, Span value)
{
	put_string(command, value, true, true);
}

void
imap_command_secret_atom(ImapCommand *command, Span value)
{
	put_space(command);
	for (const char *p = value.at; p < value.end; p++)
		if (!is_atom_char(*p))
			command->valid = false;
	if (span_is_empty(value))
		command->valid = false;
	if (command->valid)
		put_piece(command, PIECE_TEXT, true, value);
}

void
imap_command_open(ImapCommand *command)
{
	put_space(command);
	put_piece(command, PIECE_TEXT, false, SPAN_LITERAL("("));
	command->opened = true;
}

void
imap_command_close(ImapCommand *command)
{
	put_piece(command, PIECE_TEXT, false, SPAN_LITERAL(")"));
	command->opened = false;
}

/* ---- sequence sets ----------------------------------------------------------------------- */

static int
compare_uids(const void *a, const void *b)
{
	uint32_t left = ((const ImapUid *)a)->value, right = ((const ImapUid *)b)->value;

	return left < right ? -1 : left > right;
}

char *
imap_sequence_set(const ImapUid *uids, size_t count)
{
	GString *text = g_string_new(NULL);
	g_autofree ImapUid *sorted = g_memdup2(uids, count * sizeof(*uids));
	size_t i = 0;

	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_uids);
	while (i < count && !sorted[i].value)
		i++;
	while (i < count) {
		uint32_t low = sorted[i].value, high = low;

		for (i++; i < count && sorted[i].value - high <= 1; i++)
			high = sorted[i].value;
		g_string_append_printf(text, "%s%u", text->len ? "," : "", low);
		if (high > low)
			g_string_append_printf(text, ":%u", high);
	}
	return g_string_free(text, FALSE);
}

void
imap_command_uids(ImapCommand *command, const ImapUid *uids, size_t count)
{
	g_autofree char *set = imap_sequence_set(uids, count);

	if (!*set)
		command->valid = false;
	put_space(command);
	put_piece(command, PIECE_TEXT, false, span_of_string(set));
}

void
imap_command_range(ImapCommand *command, uint32_t low, uint32_t high)
{
	if (!low || (high && high < low))
		command->valid = false;
	if (!high)
		imap_command_text(command, "%u:*", low);
	else if (high == low)
		imap_command_text(command, "%u", low);
	else
		imap_command_text(command, "%u:%u", low, high);
}

/* ---- what comes out ---------------------------------------------------------------------- */

const char *
imap_command_name(const ImapCommand *command)
{
	return command->name;
}

bool
imap_command_has_literal(const ImapCommand *command)
{
	for (guint i = 0; i < command->pieces->len; i++)
		if (g_array_index(command->pieces, Piece, i).kind != PIECE_TEXT)
			return true;
	return false;
}

bool
imap_command_begins(const ImapCommand *command, const char *text)
{
	const Piece *piece;

	if (command->pieces->len < 2) /* the first is the space */
		return false;
	piece = &g_array_index(command->pieces, Piece, 1);
	return piece->kind == PIECE_TEXT && !piece->secret &&
	       span_starts_nocase(span_of(piece->at, piece->size), text);
}

static void
put_text(ImapWire *wire, GString *trace, const char *text, size_t size, bool secret)
{
	imap_wire_put(wire, text, size);
	if (!trace)
		return;
	if (secret)
		g_string_append(trace, "[redacted]");
	else
		g_string_append_len(trace, text, (gssize)size);
}

/* True when PIECE's bytes may follow at once. */
static bool
announce(const Piece *piece, ImapLiterals literals, ImapWire *wire, GString *trace)
{
	bool at_once =
	    literals == IMAP_LITERALS_ALL ||
	    (literals == IMAP_LITERALS_SMALL && piece->size <= IMAP_LITERAL_MINUS_MAX_BYTES);
	g_autofree char *head =
	    g_strdup_printf("%s{%zu%s}", piece->kind == PIECE_LITERAL8 ? "~" : "", piece->size,
			    at_once ? "+" : "");

	put_text(wire, trace, head, strlen(head), piece->secret);
	imap_wire_put(wire, "\r\n", 2);
	if (trace && !piece->secret)
		g_string_append(trace, " ...");
	return at_once;
}

bool
imap_command_write(const ImapCommand *command, const char *tag, ImapLiterals literals,
		   ImapCursor *cursor, ImapWire *wire, GString *trace)
{
	if (!cursor->piece && !cursor->announced) {
		put_text(wire, trace, tag, strlen(tag), false);
		put_text(wire, trace, " ", 1, false);
		put_text(wire, trace, command->name, strlen(command->name), false);
	}
	for (; cursor->piece < command->pieces->len; cursor->piece++) {
		const Piece *piece = &g_array_index(command->pieces, Piece, cursor->piece);

		if (piece->kind == PIECE_TEXT) {
			put_text(wire, trace, piece->at, piece->size, piece->secret);
			continue;
		}
		if (!cursor->announced && !announce(piece, literals, wire, trace)) {
			cursor->announced = true;
			return false;
		}
		cursor->announced = false;
		imap_wire_put(wire, piece->at, piece->size);
	}
	imap_wire_put(wire, "\r\n", 2);
	return true;
}

/* ---- bytes on their way out -------------------------------------------------------------- */

void
imap_wire_put(ImapWire *wire, const void *bytes, size_t size)
{
	if (size > wire->capacity - wire->end) {
		size_t held = wire->end - wire->start;
		size_t capacity = MAX((size_t)512, (held + size) * 2);
		char *at = g_malloc(capacity);

		if (held)
			memcpy(at, wire->at + wire->start, held);
		if (wire->at)
			explicit_bzero(wire->at, wire->capacity);
		g_free(wire->at);
		*wire = (ImapWire){ at, 0, held, capacity };
	}
	if (size)
		memcpy(wire->at + wire->end, bytes, size);
	wire->end += size;
}

void
imap_wire_drop(ImapWire *wire, size_t size_bytes)
{
	g_assert(size_bytes <= wire->end - wire->start);
	if (!size_bytes)
		return;
	explicit_bzero(wire->at + wire->start, size_bytes);
	wire->start += size_bytes;
	if (wire->start == wire->end)
		wire->start = wire->end = 0;
}

void
imap_wire_clear(ImapWire *wire)
{
	if (wire->at)
		explicit_bzero(wire->at, wire->capacity);
	g_free(wire->at);
	*wire = (ImapWire){ 0 };
}
