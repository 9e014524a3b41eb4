/* Flags and keywords: changing them here, and what the server says with what waits on top. */
#include "journal-private.h"

/* ---- keywords -------------------------------------------------------------------------------------- */

static bool
take_word(Span *in, Span *word)
{
	while (in->at < in->end && *in->at == ' ')
		in->at++;
	word->at = in->at;
	while (in->at < in->end && *in->at != ' ')
		in->at++;
	word->end = in->at;
	return word->at < word->end;
}

bool
keywords_has(Span keywords, const char *keyword)
{
	Span word;

	while (take_word(&keywords, &word)) {
		if (span_is_nocase(word, keyword))
			return true;
	}
	return false;
}

char *
keywords_with(Span keywords, const char *keyword, bool set)
{
	GString *text = g_string_new(NULL);
	bool has = false;
	Span word;

	while (take_word(&keywords, &word)) {
		bool is = span_is_nocase(word, keyword);

		if (is && (has || !set))
			continue;
		has |= is;
		if (text->len)
			g_string_append_c(text, ' ');
		g_string_append_len(text, word.at, (gssize)span_size(word));
	}
	if (set && !has)
		g_string_append_printf(text, "%s%s", text->len ? " " : "", keyword);
	return g_string_free(text, FALSE);
}

/* ---- changing ---------------------------------------------------------------------------------------- */

/* The keyword in the row of each of MEANT; meant[].changed says where it was otherwise, and flags has
 * KEYWORDS when any is left. */
static bool
change_keywords(Store *store, const char *keyword, bool set, GArray *meant, bool *changed,
		GError **error)
{
	for (guint i = 0; i < meant->len; i++) {
		Meant *m = &g_array_index(meant, Meant, i);
		g_autofree char *old = NULL, *now = NULL;
		bool differed;

		if (!store_keywords_get(store, m->id, &old, error))
			return false;
		m->changed = keywords_has(span_of_string(old), keyword) != set
				 ? TARGET_CHANGED | TARGET_DIFFERS
				 : 0;
		now = keywords_with(span_of_string(old), keyword, set);
		m->flags = *now ? STORE_FLAG_KEYWORDS : 0;
		if (m->changed &&
		    !store_keywords_set(store, m->id, span_of_string(now), &differed, error))
			return false;
		*changed |= m->changed != 0;
	}
	return true;
}

bool
journal_flag(Desk *desk, Sheet *sheet, uint16_t flag, const char *keyword, bool set, GArray *meant,
	     GError **error)
{
	g_autoptr(GArray) edits = g_array_sized_new(FALSE, FALSE, sizeof(OrderEdit), meant->len);
	bool changed = false, applied;

	if (keyword && !change_keywords(desk->store, keyword, set, meant, &changed, error))
		return false;
	for (guint i = 0; i < meant->len; i++) {
		const Meant *m = &g_array_index(meant, Meant, i);
		OrderEdit edit = { .kind = ORDER_FLAGS, .tag = i };

		edit.record = order_record(m->date, m->uid, m->id, 0);
		edit.keep = (uint16_t) ~(keyword ? STORE_FLAG_KEYWORDS : flag);
		edit.set = keyword ? m->flags : set ? flag : 0;
		g_array_append_val(edits, edit);
	}
	if (!desk_apply(desk, error) ||
	    !order_apply(desk->store, &sheet->head, edits, &applied, error))
		return false;
	for (guint i = 0; i < edits->len; i++) {
		const OrderEdit *edit = &g_array_index(edits, OrderEdit, i);
		Meant *m = &g_array_index(meant, Meant, edit->tag);

		if (!keyword)
			m->changed = edit->was != edit->now ? TARGET_CHANGED | TARGET_DIFFERS : 0;
		m->flags = edit->now;
	}
	sheet->touched |= changed && !applied;
	return true;
}

/* ---- the server's word --------------------------------------------------------------------------------- */

/* One waiting delta on top; TARGET_DIFFERS of its target follows the server. */
static bool
lay_over(Store *store, StoreId id, const Claim *claim, Overlay *out, GError **error)
{
	bool has = claim->keyword ? keywords_has(span_of_string(out->keywords), claim->keyword)
				  : (out->flags & claim->flag) != 0;
	uint8_t changed = (uint8_t)((claim->changed & ~TARGET_DIFFERS) |
				    (has != claim->value ? TARGET_DIFFERS : 0));

	if (changed != claim->changed &&
	    !target_set(store, claim->row, id, claim->target, changed, error))
		return false;
	if (has == claim->value)
		return true;
	if (claim->keyword) {
		g_autofree char *old = g_steal_pointer(&out->keywords);

		out->keywords = keywords_with(span_of_string(old), claim->keyword, claim->value);
	} else {
		out->flags =
		    (uint16_t)(claim->value ? out->flags | claim->flag : out->flags & ~claim->flag);
	}
	return true;
}

bool
journal_overlay(Store *store, StoreId id, uint16_t flags, Span keywords, Overlay *out,
		GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;

	*out = (Overlay){ flags, NULL };
	if (!journal_claims(store, id, &claims, error))
		return false;
	if (claims->len == 0)
		return true;
	out->keywords = g_strndup(span_is_empty(keywords) ? "" : keywords.at, span_size(keywords));
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (claim->kind == STORE_INTENT_FLAG && !claim->by_copy &&
		    !lay_over(store, id, claim, out, error)) {
			g_clear_pointer(&out->keywords, g_free);
			return false;
		}
	}
	return true;
}
