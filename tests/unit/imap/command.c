/* Commands: what a value becomes, and that no value can become anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "command-private.h"

/* COMMAND as it would lie on the wire when every literal is granted. */
static GString *
wire_of(const ImapCommand *command, ImapLiterals literals)
{
	ImapWire wire = { 0 };
	ImapCursor cursor = { 0 };
	GString *bytes;

	while (!imap_command_write(command, "A1", literals, &cursor, &wire, NULL))
		;
	bytes = g_string_new_len(wire.at + wire.start, (gssize)(wire.end - wire.start));
	imap_wire_clear(&wire);
	return bytes;
}

static void
assert_wire(ImapCommand *command, ImapLiterals literals, const char *want)
{
	g_autoptr(GString) bytes = wire_of(command, literals);

	assert_true(imap_command_is_valid(command));
	assert_string_equal(bytes->str, want);
	imap_command_free(command);
}

static ImapCommand *
with(void (*verb)(ImapCommand *, Span), const char *value)
{
	ImapCommand *command = imap_command_new("X");

	verb(command, span_of_string(value));
	return command;
}

static void
bytes_decide_the_form(void **state)
{
	assert_wire(with(imap_command_astring, "INBOX"), IMAP_LITERALS_ASK, "A1 X INBOX\r\n");
	assert_wire(with(imap_command_astring, ""), IMAP_LITERALS_ASK, "A1 X \"\"\r\n");
	assert_wire(with(imap_command_astring, "a b"), IMAP_LITERALS_ASK, "A1 X \"a b\"\r\n");
	assert_wire(with(imap_command_astring, "nil"), IMAP_LITERALS_ASK, "A1 X \"nil\"\r\n");
	assert_wire(with(imap_command_astring, "a*%(){}"), IMAP_LITERALS_ASK,
		    "A1 X \"a*%(){}\"\r\n");
	assert_wire(with(imap_command_astring, "[Gmail]"), IMAP_LITERALS_ASK,
		    "A1 X \"[Gmail]\"\r\n");
	assert_wire(with(imap_command_string, "atom"), IMAP_LITERALS_ASK, "A1 X \"atom\"\r\n");
	assert_wire(with(imap_command_astring, "a\"b"), IMAP_LITERALS_ASK, "A1 X {3}\r\na\"b\r\n");
	assert_wire(with(imap_command_astring, "a\\b"), IMAP_LITERALS_ALL, "A1 X {3+}\r\na\\b\r\n");
	assert_wire(with(imap_command_astring, "a\r\nb"), IMAP_LITERALS_ASK,
		    "A1 X {4}\r\na\r\nb\r\n");
	assert_wire(with(imap_command_mailbox, "\xc3\xa9"), IMAP_LITERALS_SMALL,
		    "A1 X {2+}\r\n\xc3\xa9\r\n");
	assert_wire(with(imap_command_literal8, "ab"), IMAP_LITERALS_ALL, "A1 X ~{2+}\r\nab\r\n");
	assert_wire(with(imap_command_atom, "\\Seen"), IMAP_LITERALS_ASK, "A1 X \\Seen\r\n");
	assert_wire(with(imap_command_atom, "$Label1"), IMAP_LITERALS_ASK, "A1 X $Label1\r\n");
}

static void
parentheses_hold_without_spaces(void **state)
{
	ImapCommand *command = imap_command_new("SETMETADATA");

	imap_command_mailbox(command, SPAN_LITERAL("INBOX"));
	imap_command_open(command);
	imap_command_astring(command, SPAN_LITERAL("/private/comment"));
	imap_command_string(command, SPAN_LITERAL("x"));
	imap_command_close(command);
	imap_command_text(command, "%s %d", "END", 7);
	assert_wire(command, IMAP_LITERALS_ASK,
		    "A1 SETMETADATA INBOX (/private/comment \"x\") END 7\r\n");
}

static void
assert_refused(ImapCommand *command)
{
	assert_false(imap_command_is_valid(command));
	imap_command_free(command);
}

static ImapCommand *
with_text(const char *text)
{
	ImapCommand *command = imap_command_new("X");

	imap_command_text(command, "%s", text);
	return command;
}

static void
what_fits_no_form_is_refused(void **state)
{
	ImapCommand *command = imap_command_new("X");

	imap_command_astring(command, span_of("a\0b", 3));
	assert_refused(command);
	command = imap_command_new("X");
	imap_command_secret(command, span_of("\0", 1));
	assert_refused(command);
	command = imap_command_new("X");
	imap_command_literal8(command, span_of("a\0b", 3));
	assert_true(imap_command_is_valid(command));
	imap_command_free(command);
	assert_refused(with_text("a\r\nb"));
	assert_refused(with_text("a\nb"));
	assert_refused(with_text("\xc3\xa9"));
	assert_refused(with_text("{5}"));
	assert_refused(with(imap_command_atom, ""));
	assert_refused(with(imap_command_atom, "\\"));
	assert_refused(with(imap_command_atom, "a b"));
	assert_refused(with(imap_command_atom, "a)"));
	assert_refused(with(imap_command_atom, "a\\b"));
	assert_refused(with(imap_command_atom, "a\r\nA2 DELETE x"));
	assert_refused(with(imap_command_secret_atom, "ab cd"));
	command = imap_command_new("X");
	imap_command_uids(command, NULL, 0);
	assert_refused(command);
	command = imap_command_new("X");
	imap_command_range(command, 5, 4);
	assert_refused(command);
}

static void
literal_minus_ends_at_4096(void **state)
{
	g_autofree char *value = g_strnfill(4097, 'x');
	g_autoptr(GString) small = NULL, large = NULL;
	ImapCommand *command = imap_command_new("X");

	imap_command_astring(command, span_of(value, 4096));
	small = wire_of(command, IMAP_LITERALS_SMALL);
	assert_true(g_str_has_prefix(small->str, "A1 X {4096+}\r\n"));
	imap_command_free(command);
	command = imap_command_new("X");
	imap_command_astring(command, span_of(value, 4097));
	large = wire_of(command, IMAP_LITERALS_SMALL);
	assert_true(g_str_has_prefix(large->str, "A1 X {4097}\r\n"));
	imap_command_free(command);
}

static void
the_trace_shows_no_secret(void **state)
{
	static const char *const secrets[] = { "hunter2", "hunter 2", "hunter\"2", "h\xc3\xbcnter2",
					       "hunter2\r\nA2 NOOP" };

	for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++) {
		ImapCommand *command = imap_command_new("LOGIN");
		g_autoptr(GString) trace = g_string_new(NULL);
		ImapWire wire = { 0 };
		ImapCursor cursor = { 0 };

		imap_command_astring(command, SPAN_LITERAL("ada"));
		imap_command_secret(command, span_of_string(secrets[i]));
		while (!imap_command_write(command, "A1", IMAP_LITERALS_ASK, &cursor, &wire, trace))
			;
		assert_string_equal(trace->str, "A1 LOGIN ada [redacted]");
		imap_wire_clear(&wire);
		imap_command_free(command);
	}
}

static void
sequence_sets_are_short(void **state)
{
	static const struct {
		ImapUid uids[8];
		size_t count;
		const char *want;
	} rows[] = {
		{ { { 7 } }, 1, "7" },
		{ { { 7 }, { 8 } }, 2, "7:8" },
		{ { { 9 }, { 7 }, { 8 }, { 7 } }, 4, "7:9" },
		{ { { 3 }, { 1 }, { 9 }, { 2 }, { 5 } }, 5, "1:3,5,9" },
		{ { { 0 }, { 4 } }, 2, "4" },
		{ { { UINT32_MAX }, { UINT32_MAX - 1 }, { 1 } }, 3, "1,4294967294:4294967295" },
		{ { { 0 } }, 0, "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *set = imap_sequence_set(rows[i].uids, rows[i].count);

		assert_string_equal(set, rows[i].want);
	}
}

static void
ranges_end_in_a_star_when_open(void **state)
{
	ImapCommand *command = imap_command_new("X");

	imap_command_range(command, 5, 0);
	imap_command_range(command, 5, 5);
	imap_command_range(command, 5, 9);
	assert_wire(command, IMAP_LITERALS_ASK, "A1 X 5:* 5 5:9\r\n");
}

/* ---- any value at all -------------------------------------------------------------------- */

/* Reads one astring as a server does (RFC 9051, 9), knowing nothing of how it was written. */
static bool
read_astring(Span *in, GString *value)
{
	const char *p = in->at;

	g_string_truncate(value, 0);
	if (p < in->end && *p == '"') {
		for (p++; p < in->end && *p != '"'; p++) {
			if (*p == '\\')
				p++;
			if (p == in->end || *p == '\r' || *p == '\n' || (*p & 0x80) || !*p)
				return false;
			g_string_append_c(value, *p);
		}
		if (p == in->end)
			return false;
		in->at = p + 1;
		return true;
	}
	if (p < in->end && *p == '{') {
		uint64_t size = g_ascii_strtoull(p + 1, (char **)&p, 10);

		if (p < in->end && *p == '+')
			p++;
		if (in->end - p < 3 || memcmp(p, "}\r\n", 3) || size > (uint64_t)(in->end - p - 3))
			return false;
		g_string_append_len(value, p + 3, (gssize)size);
		in->at = p + 3 + size;
		return true;
	}
	while (p<in->end && * p> 0x20 && *p < 0x7f && !strchr("(){%*\"\\", *p))
		g_string_append_c(value, *p++);
	if (p == in->at)
		return false;
	in->at = p;
	return true;
}

static bool
read_byte(Span *in, char byte)
{
	if (span_is_empty(*in) || *in->at != byte)
		return false;
	in->at++;
	return true;
}

static void
put_random(GRand *random, GString *value)
{
	static const char tricky[] = "\r\n\"\\{}()%*+ ~A1[]&-\x80\xff\x7f\x1b,nilNIL0123456789";
	int size = g_rand_int_range(random, 0, g_rand_boolean(random) ? 6 : 40);

	g_string_truncate(value, 0);
	for (int i = 0; i < size; i++)
		g_string_append_c(value,
				  g_rand_boolean(random)
				      ? tricky[g_rand_int_range(random, 0, sizeof(tricky) - 1)]
				      : (char)g_rand_int_range(random, 1, 256));
}

static void
whatever_goes_in_is_read_back_and_injects_nothing(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(20);
	g_autoptr(GString) read = g_string_new(NULL);

	for (int round = 0; round < 20000; round++) {
		ImapCommand *command = imap_command_new("X");
		GString *values[3];
		g_autoptr(GString) bytes = NULL;
		Span in;

		for (int i = 0; i < 3; i++) {
			values[i] = g_string_new(NULL);
			put_random(random, values[i]);
			(i == 0	  ? imap_command_mailbox
			 : i == 1 ? imap_command_string
				  : imap_command_secret)(command,
							 span_of(values[i]->str, values[i]->len));
		}
		assert_true(imap_command_is_valid(command));
		bytes = wire_of(command, (ImapLiterals)g_rand_int_range(random, 0, 3));
		in = span_of(bytes->str, bytes->len);
		assert_true(span_starts_nocase(in, "A1 X"));
		in.at += 4;
		for (int i = 0; i < 3; i++) {
			assert_true(read_byte(&in, ' '));
			assert_true(read_astring(&in, read));
			assert_true(g_string_equal(read, values[i]));
		}
		assert_true(read_byte(&in, '\r') && read_byte(&in, '\n'));
		assert_true(span_is_empty(in));
		imap_command_free(command);
		for (int i = 0; i < 3; i++)
			g_string_free(values[i], TRUE);
	}
}

static void
nothing_leaves_before_its_literal_is_granted(void **state)
{
	ImapCommand *command = imap_command_new("X");
	ImapWire wire = { 0 };
	ImapCursor cursor = { 0 };

	imap_command_astring(command, SPAN_LITERAL("\r\n1"));
	imap_command_astring(command, SPAN_LITERAL("\r\n2"));
	assert_false(imap_command_write(command, "A1", IMAP_LITERALS_ASK, &cursor, &wire, NULL));
	assert_int_equal(wire.end - wire.start, strlen("A1 X {3}\r\n"));
	assert_false(imap_command_write(command, "A1", IMAP_LITERALS_ASK, &cursor, &wire, NULL));
	assert_int_equal(wire.end - wire.start, strlen("A1 X {3}\r\n\r\n1 {3}\r\n"));
	assert_true(imap_command_write(command, "A1", IMAP_LITERALS_ASK, &cursor, &wire, NULL));
	assert_memory_equal(wire.at + wire.end - 5, "\r\n2\r\n", 5);
	imap_wire_clear(&wire);
	imap_command_free(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_decide_the_form),
		cmocka_unit_test(parentheses_hold_without_spaces),
		cmocka_unit_test(what_fits_no_form_is_refused),
		cmocka_unit_test(literal_minus_ends_at_4096),
		cmocka_unit_test(the_trace_shows_no_secret),
		cmocka_unit_test(sequence_sets_are_short),
		cmocka_unit_test(ranges_end_in_a_star_when_open),
		cmocka_unit_test(whatever_goes_in_is_read_back_and_injects_nothing),
		cmocka_unit_test(nothing_leaves_before_its_literal_is_granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
