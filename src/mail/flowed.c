#include "flowed-private.h"

/* One line of the text, taken apart (RFC 3676, 4.1 to 4.5). */
typedef struct Line {
	Span marks; /* ">>" */
	Span text;
	bool flows; /* into the next one */
	bool signature;
} Line;

static Line
take_line(Span *in)
{
	const char *newline = memchr(in->at, '\n', span_size(*in));
	Line line = { .text = { in->at, newline ? newline : in->end } };

	in->at = newline ? newline + 1 : in->end;
	if (newline && line.text.end > line.text.at && line.text.end[-1] == '\r')
		line.text.end--;
	line.marks.at = line.text.at;
	while (line.text.at < line.text.end && *line.text.at == '>')
		line.text.at++;
	line.marks.end = line.text.at;
	if (line.text.at < line.text.end && *line.text.at == ' ')
		line.text.at++;
	line.signature = span_is(line.text, "-- ");
	line.flows = !line.signature && line.text.end > line.text.at && line.text.end[-1] == ' ';
	return line;
}

void
flowed_join(Span text, bool delsp, GString *out)
{
	bool open = false; /* a paragraph goes on */
	size_t depth = 0;  /* of that paragraph */

	while (!span_is_empty(text)) {
		bool last;
		Line line = take_line(&text);

		last = span_is_empty(text);
		/* A paragraph ends where the quoting changes, whatever its last line says. */
		if (open && (line.signature || span_size(line.marks) != depth)) {
			g_string_append_c(out, '\n');
			open = false;
		}
		if (!open) {
			depth = span_size(line.marks);
			g_string_append_len(out, line.marks.at, (gssize)depth);
			if (depth > 0 && !span_is_empty(line.text))
				g_string_append_c(out, ' ');
		}
		if (line.flows && delsp)
			line.text.end--;
		g_string_append_len(out, line.text.at, (gssize)span_size(line.text));
		open = line.flows;
		if (!open && !(last && text.end[-1] != '\n'))
			g_string_append_c(out, '\n');
	}
}
