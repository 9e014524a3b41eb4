/* A wish between two Posterns on one store (wire-private.h). */
#include "intent-private.h"

static void
put_array(GVariantBuilder *builder, const char *key, const char *type, const void *at, size_t n,
	  size_t size)
{
	if (n)
		g_variant_builder_add(builder, "{sv}", key,
				      g_variant_new_fixed_array(G_VARIANT_TYPE(type), at, n, size));
}

static void
put_bytes(GVariantBuilder *builder, const char *key, const char *text)
{
	if (text)
		g_variant_builder_add(builder, "{sv}", key, g_variant_new_bytestring(text));
}

static void
put_number(GVariantBuilder *builder, const char *key, int64_t number)
{
	if (number)
		g_variant_builder_add(builder, "{sv}", key, g_variant_new_int64(number));
}

void
wish_put(GVariantBuilder *builder, const Wish *wish)
{
	const StoreIntent *intent = &wish->intent;

	put_number(builder, "wish", wish->kind + 1);
	put_number(builder, "until", wish->until);
	put_number(builder, "intent", intent->kind);
	put_number(builder, "action", intent->action);
	put_number(builder, "wish-group", intent->group);
	put_number(builder, "wish-account", intent->account);
	put_number(builder, "from", intent->mailbox);
	put_number(builder, "dest", intent->dest);
	put_array(builder, "messages", "x", wish->messages, intent->n_messages, sizeof(StoreId));
	put_array(builder, "ranges", "u", wish->uid_ranges, intent->n_uid_ranges * 2,
		  sizeof(uint32_t));
	put_number(builder, "all", intent->all);
	put_number(builder, "flag", intent->flag);
	put_bytes(builder, "keyword", wish->keyword);
	put_number(builder, "set", intent->set);
	put_bytes(builder, "name", wish->name);
	put_bytes(builder, "raw", wish->raw);
	put_bytes(builder, "of", wish->account);
	put_number(builder, "row", wish->row);
	if (wish->content)
		g_variant_builder_add(builder, "{sv}", "content",
				      g_variant_new_from_bytes(G_VARIANT_TYPE("ay"), wish->content,
							       TRUE));
	put_number(builder, "flags", wish->flags);
	put_bytes(builder, "keywords", wish->keywords);
	put_number(builder, "date", wish->date);
}

static int64_t
get_number(GVariant *dict, const char *key)
{
	int64_t number = 0;

	g_variant_lookup(dict, key, "x", &number);
	return number;
}

static char *
get_bytes(GVariant *dict, const char *key)
{
	char *text = NULL;

	g_variant_lookup(dict, key, "^ay", &text);
	return text;
}

/* A copy of what is there; yours to g_free. */
static void *
get_array(GVariant *dict, const char *key, const char *type, size_t size, size_t *n)
{
	g_autoptr(GVariant) value = g_variant_lookup_value(dict, key, G_VARIANT_TYPE(type));
	const void *at;

	*n = 0;
	if (!value)
		return NULL;
	at = g_variant_get_fixed_array(value, n, size);
	return g_memdup2(at, *n * size);
}

static bool
is_whole(const Wish *wish)
{
	const StoreIntent *intent = &wish->intent;

	switch (wish->kind) {
	case WISH_INTEND:
		return intent->kind >= STORE_INTENT_FLAG &&
		       intent->kind <= STORE_INTENT_UNSUBSCRIBE &&
		       intent->kind != STORE_INTENT_APPEND;
	case WISH_APPEND:
		return intent->kind == STORE_INTENT_APPEND && wish->content && wish->keywords;
	case WISH_RETRY:
	case WISH_DROP:
		return wish->row != 0;
	case WISH_UNDO:
		return true;
	}
	return false;
}

Wish *
wish_read(GVariant *dict)
{
	Wish *wish = wish_new((WishKind)(get_number(dict, "wish") - 1),
			      get_number(dict, "until") ? ENGINE_THERE : ENGINE_QUEUED);
	StoreIntent *intent = &wish->intent;
	g_autoptr(GVariant) content = g_variant_lookup_value(dict, "content", G_VARIANT_TYPE("ay"));
	size_t n_ranges;

	intent->kind = (StoreIntentKind)get_number(dict, "intent");
	intent->action = (StoreAction)get_number(dict, "action");
	intent->group = get_number(dict, "wish-group");
	intent->account = get_number(dict, "wish-account");
	intent->mailbox = get_number(dict, "from");
	intent->dest = get_number(dict, "dest");
	wish->messages = get_array(dict, "messages", "ax", sizeof(StoreId), &intent->n_messages);
	wish->uid_ranges = get_array(dict, "ranges", "au", sizeof(uint32_t), &n_ranges);
	intent->n_uid_ranges = n_ranges / 2;
	intent->all = get_number(dict, "all") != 0;
	intent->flag = (uint16_t)get_number(dict, "flag");
	wish->keyword = get_bytes(dict, "keyword");
	intent->set = get_number(dict, "set") != 0;
	wish->name = get_bytes(dict, "name");
	wish->raw = get_bytes(dict, "raw");
	wish->account = get_bytes(dict, "of");
	wish->row = get_number(dict, "row");
	if (content)
		wish->content = g_variant_get_data_as_bytes(content);
	wish->flags = (uint16_t)get_number(dict, "flags");
	wish->keywords = get_bytes(dict, "keywords");
	wish->date = get_number(dict, "date");
	wish_tie(wish);
	if (is_whole(wish))
		return wish;
	wish_free(wish);
	return NULL;
}
