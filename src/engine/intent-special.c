/* Where an account keeps its trash, archive and the like. */
#include "base/error.h"
#include "base/i18n.h"
#include "engine/engine.h"

/* Names in use, the first to be made where there is none.  Not translated: other clients of the same
 * account look for them too. */
static const struct {
	StoreMailboxRole role;
	const char *names[6];
} usual[] = {
	{ STORE_ROLE_TRASH, { "Trash", "Deleted Items", "Deleted Messages", "Bin", "Papierkorb" } },
	{ STORE_ROLE_ARCHIVE, { "Archive", "Archives", "Archiv" } },
	{ STORE_ROLE_DRAFTS, { "Drafts", "Draft", "Entw\xc3\xbcrfe" } },
	{ STORE_ROLE_SENT, { "Sent", "Sent Items", "Sent Messages", "Sent Mail", "Gesendet" } },
	{ STORE_ROLE_JUNK, { "Junk", "Spam", "Junk E-mail", "Bulk Mail" } },
};

static bool
is_usable(const StoreMailbox *box)
{
	return box->selectable && !box->gone && !box->deleted;
}

/* The last part of a name: "INBOX.Trash" is a Trash too. */
static const char *
last_part(const StoreMailbox *box)
{
	const char *cut = box->delimiter ? strrchr(box->name, box->delimiter) : NULL;

	return cut ? cut + 1 : box->name;
}

/* Below INBOX, or nowhere: a "work/Trash" is some folder of that name. */
static bool
is_top(const StoreMailbox *box)
{
	size_t prefix = (size_t)(last_part(box) - box->name);

	return !prefix || (prefix == 6 && !g_ascii_strncasecmp(box->name, "INBOX", 5));
}

static const char *
configured_name(const ConfigAccount *config, StoreMailboxRole role)
{
	if (!config)
		return NULL;
	switch (role) {
	case STORE_ROLE_TRASH:
		return config->trash;
	case STORE_ROLE_ARCHIVE:
		return config->archive;
	default:
		return NULL;
	}
}

static bool
take(GPtrArray *boxes, guint i, StoreMailbox **mailbox)
{
	*mailbox = boxes->pdata[i];
	boxes->pdata[i] = NULL;
	return true;
}

static bool
by_name(GPtrArray *boxes, const char *name, bool whole, StoreMailbox **mailbox)
{
	for (guint i = 0; i < boxes->len; i++) {
		const StoreMailbox *box = g_ptr_array_index(boxes, i);
		bool same = whole ? !g_strcmp0(box->name, name)
				  : is_top(box) && !g_ascii_strcasecmp(last_part(box), name);

		if (same && is_usable(box))
			return take(boxes, i, mailbox);
	}
	return false;
}

/* INBOX's children, where every folder is one (Courier, Cyrus). */
static char *
name_to_make(GPtrArray *boxes, const char *name)
{
	char delimiter = '\0';
	bool others = false;

	for (guint i = 0; i < boxes->len; i++) {
		const StoreMailbox *box = g_ptr_array_index(boxes, i);

		if (box->role == STORE_ROLE_INBOX) {
			delimiter = box->delimiter;
			continue;
		}
		if (!is_top(box) || !strchr(box->name, box->delimiter ? box->delimiter : '\1'))
			return g_strdup(name);
		others = true;
	}
	return others && delimiter ? g_strdup_printf("INBOX%c%s", delimiter, name) : g_strdup(name);
}

bool
engine_special(Store *store, const ConfigAccount *config, StoreId account, StoreMailboxRole role,
	       StoreMailbox **mailbox, char **name, GError **error)
{
	const char *wanted = configured_name(config, role);
	g_autoptr(GPtrArray) boxes = NULL;

	if (!store_mailboxes(store, account, &boxes, error))
		return false;
	if (wanted) {
		if (by_name(boxes, wanted, true, mailbox))
			return true;
	} else {
		for (guint i = 0; i < boxes->len; i++) {
			const StoreMailbox *box = g_ptr_array_index(boxes, i);

			if (box->role == role && is_usable(box))
				return take(boxes, i, mailbox);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(usual) && !wanted; i++) {
		if (usual[i].role != role)
			continue;
		for (size_t j = 0; j < G_N_ELEMENTS(usual[i].names) && usual[i].names[j]; j++)
			if (by_name(boxes, usual[i].names[j], false, mailbox))
				return true;
		wanted = usual[i].names[0];
		*name = name_to_make(boxes, wanted);
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("there is no folder for this yet; \"%s\" would do"), *name);
		return false;
	}
	*name = g_strdup(wanted ? wanted : "");
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("there is no folder \"%s\""),
		    *name);
	return false;
}
