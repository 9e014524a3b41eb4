#include "imap/quirks.h"

const ImapQuirkRow imap_quirks[] = {
	{ IMAP_QUIRK_NO_LIST_EXTENDED, "Courier-IMAP 5.0.13", "greeting", "*Courier-IMAP ready*",
	  "LIST (SUBSCRIBED) is answered OK, and lists everything" },
	{ IMAP_QUIRK_NO_LIST_EXTENDED, "Courier-IMAP 5.0.13", "capability", "* ACL2=UNION *",
	  "the same server behind STARTTLS, where no greeting counts" },
	{ IMAP_QUIRK_FEW_ERRORS, "Courier-IMAP 5.0.13", "greeting", "*Courier-IMAP ready*",
	  "says BYE at the tenth bad command in a row" },
	{ IMAP_QUIRK_FEW_ERRORS, "Courier-IMAP 5.0.13", "capability", "* ACL2=UNION *",
	  "the same server behind STARTTLS, where no greeting counts" },
	{ IMAP_QUIRK_OUTBOX_SENDS, "Courier-IMAP 5.0.13", "capability", "* XCOURIEROUTBOX=*",
	  "what is appended or copied into that folder is sent as mail" },
	{ IMAP_QUIRK_UIDS_MOVE, "GNU imap4d 3.15", "capability", "* AUTH=OPENID20 *",
	  "UIDs and UIDNEXT are not fixed until the first SELECT" },
	{ IMAP_QUIRK_NO_KEYWORDS, "GNU imap4d 3.15", "capability", "* AUTH=OPENID20 *",
	  "APPEND and STORE with any keyword are BAD" },
	{ IMAP_QUIRK_NO_SASL_IR, "126.com and 163.com (Coremail)", "greeting", "*Coremail*",
	  "SASL-IR is announced and not understood" },
	{ IMAP_QUIRK_NO_SASL_IR, "126.com and 163.com (Coremail)", "capability", "* X-CM-EXT-1 *",
	  "the same server behind STARTTLS, where no greeting counts" },
	{ IMAP_QUIRK_ID_BEFORE_SELECT, "126.com and 163.com (Coremail)", "greeting", "*Coremail*",
	  "SELECT is refused as unsafe login until ID was sent" },
	{ IMAP_QUIRK_ID_BEFORE_SELECT, "126.com and 163.com (Coremail)", "capability",
	  "* X-CM-EXT-1 *", "the same server behind STARTTLS, where no greeting counts" },
	{ IMAP_QUIRK_ID_BEFORE_SELECT, "mail.qq.com", "greeting", "*QQMail*",
	  "wants ID before it serves a client" },
	{ IMAP_QUIRK_NO_REV2, "Exchange Online, 2026", "greeting", "*Microsoft Exchange*",
	  "IMAP4rev2 is announced, and the answer to SEARCH is broken" },
	{ IMAP_QUIRK_FILES_SENT, "Exchange Online", "greeting", "*Microsoft Exchange*",
	  "submission files its own copy of what was sent" },
	{ IMAP_QUIRK_FILES_SENT, "Gmail", "capability", "* X-GM-EXT-1 *",
	  "submission files its own copy of what was sent" },
	{ IMAP_QUIRK_NO_NOTIFY_NONE, "Dovecot 2.3.19", "greeting", "*Dovecot*",
	  "after NOTIFY NONE not even our own EXPUNGE and FETCH are reported" },
	{ IMAP_QUIRK_NO_NOTIFY_NONE, "Dovecot 2.3.19", "id", "*\"name\" \"Dovecot\"*",
	  "the same server behind STARTTLS, where no greeting counts" },
	{ IMAP_QUIRK_NO_PAST_END, "hMailServer", "greeting", "IMAPrev1",
	  "crashes on BODY[]<n> with n behind the end" },
	{ IMAP_QUIRK_NO_RIDE, "Cyrus 3.6.1", "greeting", "*Cyrus IMAP*",
	  "a command sent behind AUTHENTICATE is lost without a word; behind LOGIN it is not" },
	{ IMAP_QUIRK_NO_RIDE, "Cyrus 3.6.1", "capability", "* NO_ATOMIC_RENAME *",
	  "the same server behind STARTTLS, where no greeting counts" },
	{ 0, NULL, NULL, NULL, NULL },
};

/* "*" is any run of bytes, "?" is any one; ASCII letters without case.  Linear in TEXT times the
 * pattern: only the last star is ever tried again. */
static bool
glob_matches(const char *pattern, Span text)
{
	const char *p = pattern, *at = text.at;
	const char *star = NULL, *retry = NULL;

	while (at < text.end) {
		if (*p == '*') {
			star = p++;
			retry = at;
		} else if (*p && (*p == '?' || g_ascii_tolower(*p) == g_ascii_tolower(*at))) {
			p++;
			at++;
		} else if (star) {
			p = star + 1;
			at = ++retry;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

unsigned
imap_quirks_match(const char *where, Span text)
{
	unsigned found = 0;

	for (const ImapQuirkRow *row = imap_quirks; row->seen_on; row++)
		if (!strcmp(row->where, where) && glob_matches(row->match, text))
			found |= row->quirk;
	return found;
}
