/* What `postern check` says of a line: what was negotiated, and what Postern makes of it. */
#include "engine-private.h"

#include "base/safetext.h"

/* What the engine makes use of where a server has it; everything else is announced, and not used. */
static const char *const used[] = {
	"IMAP4rev1",	 "SASL-IR",	     "LITERAL+",    "LITERAL-",	   "ID",       "IDLE",
	"CONDSTORE",	 "ESEARCH",	     "LIST-STATUS", "SPECIAL-USE", "CHILDREN", "STARTTLS",
	"LIST-EXTENDED", "COMPRESS=DEFLATE", "ENABLE",	    "QRESYNC",	   "NOTIFY",   "UIDPLUS",
	"MOVE",
};

static void
add(GPtrArray *report, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	g_ptr_array_add(report, g_strdup(label));
	g_ptr_array_add(report, safe_line(text));
}

static void G_GNUC_PRINTF(3, 4)
    add_format(GPtrArray *report, const char *label, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	add(report, label, text);
}

static bool
is_used(const char *capability, const char *mechanism)
{
	if (!g_ascii_strncasecmp(capability, "AUTH=", 5))
		return !g_ascii_strcasecmp(capability + 5, mechanism ? mechanism : "");
	for (size_t i = 0; i < G_N_ELEMENTS(used); i++)
		if (!g_ascii_strcasecmp(used[i], capability))
			return true;
	return false;
}

static void
add_capabilities(GPtrArray *report, Line *line, const char *mechanism)
{
	g_auto(GStrv) all = imap_session_capabilities(connection_session(line->connection));
	g_autoptr(GString) uses = g_string_new(NULL);
	g_autoptr(GString) rest = g_string_new(NULL);

	for (size_t i = 0; all[i]; i++) {
		GString *into = is_used(all[i], mechanism) ? uses : rest;

		g_string_append_printf(into, "%s%s", into->len ? " " : "", all[i]);
	}
	add(report, "capabilities used", uses->str);
	add(report, "capabilities unused", rest->str);
}

/* How much a folder that was read before costs to bring up to date; and who says that another changed. */
static void
add_level(GPtrArray *report, Line *line)
{
	bool enable = line_has(line, "ENABLE");

	if (line_has(line, "QRESYNC") && enable && !line->no_qresync)
		add(report, "changes", "QRESYNC: one round trip");
	else if (line_has(line, "CONDSTORE") || line_has(line, "QRESYNC"))
		add_format(report, "changes", "CONDSTORE: flags by MODSEQ, what is gone by %s",
			   line_has(line, "ESEARCH") ? "ESEARCH" : "comparing UIDs");
	else
		add(report, "changes", "RFC 3501: every flag is read again, newest first");
	add(report, "news",
	    line_has(line, "NOTIFY") ? "NOTIFY, of every folder"
	    : line_has(line, "IDLE") ? "IDLE, of the folder that is open"
				     : "asked for every minute");
}

static void
add_folders(GPtrArray *report, Account *account)
{
	g_autoptr(GPtrArray) boxes = NULL;
	int64_t messages = 0;
	unsigned n = 0;

	if (!store_mailboxes(account->engine->store, account->id, &boxes, NULL))
		return;
	for (guint i = 0; i < boxes->len; i++) {
		const StoreMailbox *box = g_ptr_array_index(boxes, i);

		if (box->gone)
			continue;
		n++;
		messages += MAX(box->server_total, 0);
	}
	add_format(report, "folders", "%u, %" G_GINT64_FORMAT " messages", n, messages);
}

GPtrArray *
report_make(Line *line)
{
	GPtrArray *report = g_ptr_array_new_with_free_func(g_free);
	Account *account = line->account;
	const ConfigAccount *config = account->config;
	ConnectionFacts facts;

	connection_facts(line->connection, &facts);
	add(report, "account", config->name);
	add_format(report, "server", "%s port %u (%s)", config->imap_host, config->imap_port,
		   facts.transport);
	add(report, "address", facts.security.peer_address);
	add(report, "software", account->server_id);
	if (facts.encrypted) {
		add_format(report, "encryption", "%s, %s", facts.security.protocol,
			   facts.security.cipher);
		add(report, "certificate", facts.security.subject);
		add(report, "valid for", facts.security.names);
		add(report, "issued by", facts.security.issuer);
		add_format(report, "valid", "%s to %s", facts.security.not_before,
			   facts.security.not_after);
		add(report, "fingerprint", facts.security.sha256);
	} else {
		add(report, "encryption", "none: this machine only");
	}
	add_format(report, "login", "%s as %s%s%s", facts.mechanism, config->imap_user,
		   facts.binding ? ", bound to TLS by " : "", facts.binding ? facts.binding : "");
	add(report, "compression",
	    facts.compressed			 ? "DEFLATE"
	    : line_has(line, "COMPRESS=DEFLATE") ? "DEFLATE, once there is much to read"
						 : "not offered");
	add_level(report, line);
	add_capabilities(report, line, facts.mechanism);
	add_folders(report, account);
	return report;
}
