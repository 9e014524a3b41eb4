#include "mail/part.h"

#define DEPTH_MAX 100 /* as imap/response.h: what is deeper is not looked at */

/* A plain part of fewer octets than this may be only an excuse... */
#define EXCUSE_MAX 200
/* ...if the HTML beside it is at least this large, and so many times larger. */
#define LARGE_HTML   8192
#define TIMES_LARGER 60

/* How well a leaf reads. */
typedef enum {
	READS_NOT,
	READS_LAST, /* where there is nothing else */
	READS_HTML,
	READS_PLAIN,
} Reads;

MailPart *
mail_part_new(void)
{
	MailPart *part = g_new0(MailPart, 1);

	part->children = g_ptr_array_new();
	return part;
}

void
mail_part_free(MailPart *part)
{
	g_autoptr(GPtrArray) left = g_ptr_array_new();

	if (part)
		g_ptr_array_add(left, part);
	while (left->len > 0) {
		MailPart *one = g_ptr_array_steal_index_fast(left, left->len - 1);

		for (guint i = 0; i < one->children->len; i++)
			g_ptr_array_add(left, one->children->pdata[i]);
		g_ptr_array_unref(one->children);
		g_free(one->section);
		g_free(one->type);
		g_free(one->charset);
		g_free(one->encoding);
		g_free(one->name);
		g_free(one->description);
		g_free(one->content_id);
		g_free(one->subject);
		g_free(one->from);
		g_free(one);
	}
}

const MailPart *
mail_part_find(const MailPart *root, const char *section)
{
	g_autoptr(GPtrArray) left = g_ptr_array_new();

	g_ptr_array_add(left, (gpointer)root);
	while (left->len > 0) {
		const MailPart *part = g_ptr_array_steal_index_fast(left, left->len - 1);

		if (part->section && !strcmp(part->section, section))
			return part;
		for (guint i = part->children->len; i > 0; i--)
			g_ptr_array_add(left, part->children->pdata[i - 1]);
	}
	return NULL;
}

static bool
type_is(const MailPart *part, const char *type)
{
	return part->type && !strcmp(part->type, type);
}

static bool
type_begins(const MailPart *part, const char *prefix)
{
	return part->type && g_str_has_prefix(part->type, prefix);
}

static const MailPart *
child_of(const MailPart *part, guint i)
{
	return part->children->pdata[i];
}

static Reads
reads(const MailPart *leaf)
{
	static const char *const poor[] = {
		"text/calendar", "text/vcard",	  "text/x-vcard",    "text/directory",	"text/rtf",
		"text/richtext", "text/enriched", "text/x-amp-html", "text/x-vcalendar"
	};

	if (type_is(leaf, "text/html"))
		return READS_HTML;
	for (size_t i = 0; i < G_N_ELEMENTS(poor); i++)
		if (type_is(leaf, poor[i]))
			return READS_LAST;
	if (type_begins(leaf, "text/") || type_is(leaf, "message/delivery-status") ||
	    type_is(leaf, "message/disposition-notification"))
		return READS_PLAIN;
	return READS_NOT;
}

static uint64_t
decoded_size(const MailPart *leaf)
{
	bool base64 = leaf->encoding && !strcmp(leaf->encoding, "base64");

	return base64 ? leaf->size_octets / 4 * 3 : leaf->size_octets;
}

static bool
has_substance(const MailPart *plain, const MailPart *html)
{
	uint64_t octets = decoded_size(plain);

	if (octets <= 4) /* line ends */
		return false;
	return !html || octets >= EXCUSE_MAX || decoded_size(html) < LARGE_HTML ||
	       decoded_size(html) / octets < TIMES_LARGER;
}

static void collect(const MailPart *part, unsigned depth, GPtrArray *leaves);

/* What each of an alternative's choices would show decides, not its own type: the HTML is often in
 * a multipart/related. */
static void
collect_alternative(const MailPart *part, unsigned depth, GPtrArray *leaves)
{
	const MailPart *plain = NULL, *html = NULL;
	g_autoptr(GPtrArray) plain_leaves = NULL, html_leaves = NULL, other_leaves = NULL;
	GPtrArray *best;

	for (guint i = 0; i < part->children->len; i++) {
		g_autoptr(GPtrArray) choice = g_ptr_array_new();
		const MailPart *first;

		collect(child_of(part, i), depth, choice);
		if (choice->len == 0)
			continue;
		first = choice->pdata[0];
		if (reads(first) == READS_PLAIN && !plain) {
			plain = first;
			plain_leaves = g_steal_pointer(&choice);
		} else if (reads(first) == READS_HTML && !html) {
			html = first;
			html_leaves = g_steal_pointer(&choice);
		} else if (!other_leaves) {
			other_leaves = g_steal_pointer(&choice);
		}
	}
	best = plain && has_substance(plain, html) ? plain_leaves
	       : html				   ? html_leaves
	       : plain				   ? plain_leaves
						   : other_leaves;
	if (best)
		g_ptr_array_extend(leaves, best, NULL, NULL);
}

/* The first child that has something to read. */
static void
collect_first(const MailPart *part, unsigned depth, GPtrArray *leaves)
{
	guint before = leaves->len;

	for (guint i = 0; i < part->children->len && leaves->len == before; i++)
		collect(child_of(part, i), depth, leaves);
}

/* Every inline text; poor ones, too: they are weeded out at the end. */
static void
collect_each(const MailPart *part, unsigned depth, GPtrArray *leaves)
{
	bool report = type_is(part, "multipart/report");

	for (guint i = 0; i < part->children->len; i++)
		if (!report || !type_is(child_of(part, i), "text/rfc822-headers"))
			collect(child_of(part, i), depth, leaves);
}

static void
collect(const MailPart *part, unsigned depth, GPtrArray *leaves)
{
	if (depth > DEPTH_MAX || part->is_attachment)
		return;
	if (type_is(part, "multipart/alternative"))
		collect_alternative(part, depth + 1, leaves);
	else if (type_is(part, "multipart/related") || type_is(part, "multipart/signed"))
		collect_first(part, depth + 1, leaves);
	else if (type_begins(part, "multipart/"))
		collect_each(part, depth + 1, leaves);
	else if (reads(part) != READS_NOT)
		g_ptr_array_add(leaves, (gpointer)part);
}

GPtrArray *
mail_part_readable(const MailPart *root)
{
	GPtrArray *leaves = g_ptr_array_new();
	bool good = false;

	if (type_begins(root, "message/") && root->children->len > 0) {
		collect_each(root, 1, leaves);
	} else if (root->is_attachment && reads(root) != READS_NOT) {
		g_ptr_array_add(leaves, (gpointer)root); /* somebody asked for this one */
	} else {
		collect(root, 0, leaves);
	}
	for (guint i = 0; i < leaves->len; i++)
		good = good || reads(leaves->pdata[i]) > READS_LAST;
	for (guint i = leaves->len; good && i > 0; i--)
		if (reads(leaves->pdata[i - 1]) == READS_LAST)
			g_ptr_array_remove_index(leaves, i - 1);
	return leaves;
}

static bool
is_signature(const MailPart *part)
{
	return type_is(part, "application/pgp-signature") ||
	       type_is(part, "application/pkcs7-signature") ||
	       type_is(part, "application/x-pkcs7-signature") ||
	       type_is(part, "application/pgp-encrypted");
}

/* ---- what else there is ---------------------------------------------------------------------- */

typedef struct Step {		       /* one part on the way, and where it is */
	const MailPart *part, *parent; /* the root is its own */
	bool in_alternative;	       /* at any height */
} Step;

/* Goes on to the next part, depth first, that holds none to look at; false: there is none.  LEFT
 * begins with the root.  A message is only looked into where it is the root. */
static bool
next_leaf(GArray *left, Step *at)
{
	while (left->len > 0) {
		const MailPart *part;
		bool alternative;

		*at = g_array_index(left, Step, left->len - 1);
		g_array_set_size(left, left->len - 1);
		part = at->part;
		if (!type_begins(part, "multipart/") &&
		    (part != at->parent || part->children->len == 0))
			return true;
		alternative = at->in_alternative || type_is(part, "multipart/alternative");
		for (guint i = part->children->len; i > 0; i--) {
			Step step = { child_of(part, i - 1), part, alternative };

			g_array_append_val(left, step);
		}
	}
	return false;
}

/* Of no interest by itself: a signature, or a picture of an HTML. */
static bool
goes_with_another(const Step *at)
{
	const MailPart *part = at->part;
	bool picture = type_is(at->parent, "multipart/related") &&
		       part != child_of(at->parent, 0) && part->content_id &&
		       type_begins(part, "image/");

	return picture || is_signature(part);
}

static GArray *
begin_walk(const MailPart *root)
{
	GArray *left = g_array_new(FALSE, FALSE, sizeof(Step));
	Step first = { root, root, false };

	g_array_append_val(left, first);
	return left;
}

GPtrArray *
mail_part_unshown(const MailPart *root, const GPtrArray *shown)
{
	GPtrArray *parts = g_ptr_array_new();
	g_autoptr(GHashTable) known = g_hash_table_new(NULL, NULL);
	g_autoptr(GArray) left = begin_walk(root);
	Step at;

	for (guint i = 0; i < shown->len; i++)
		g_hash_table_add(known, shown->pdata[i]);
	while (next_leaf(left, &at)) {
		const MailPart *part = at.part;
		bool same_again = at.in_alternative && !part->is_attachment &&
				  reads(part) != READS_NOT && !type_is(part, "text/calendar");

		if (!same_again && !goes_with_another(&at) && !g_hash_table_contains(known, part))
			g_ptr_array_add(parts, (gpointer)part);
	}
	return parts;
}

unsigned
mail_part_attachments(const MailPart *root)
{
	g_autoptr(GArray) left = begin_walk(root);
	unsigned n = 0;
	Step at;

	while (next_leaf(left, &at)) {
		bool returned =
		    type_is(at.parent, "multipart/report") &&
		    (type_is(at.part, "message/rfc822") || type_is(at.part, "message/global"));

		if ((at.part->is_attachment || reads(at.part) == READS_NOT) && !returned &&
		    !type_is(at.parent, "multipart/encrypted") && !goes_with_another(&at))
			n++;
	}
	return n;
}
