/* Greetings, status responses and their codes, continuations; and what is no response. */
#include "rows.h"

static const Row rows[] = {
	/* Greetings and capability lines, as the servers named sent them. */
	{ "/imap/greeting/dovecot",
	  "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS "
	  "AUTH=PLAIN] Dovecot (Debian) ready.\r\n",
	  "'type':'OK','code':'CAPABILITY','code_text':'IMAP4rev1 SASL-IR LOGIN-REFERRALS ID "
	  "ENABLE "
	  "IDLE LITERAL+ STARTTLS AUTH=PLAIN','capabilities':['IMAP4rev1','SASL-IR',"
	  "'LOGIN-REFERRALS','ID','ENABLE','IDLE','LITERAL+','STARTTLS','AUTH=PLAIN'],'text':'"
	  "Dovecot "
	  "(Debian) ready.'" },
	{ "/imap/greeting/cyrus",
	  "* OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE STARTTLS SASL-IR] localhost Cyrus IMAP "
	  "3.6.1-Debian-3.6.1-4+deb12u3 server ready\r\n",
	  "'type':'OK','code':'CAPABILITY','code_text':'IMAP4rev1 LITERAL+ ID ENABLE STARTTLS "
	  "SASL-IR','capabilities':['IMAP4rev1','LITERAL+','ID','ENABLE','STARTTLS','SASL-IR'],'"
	  "text':"
	  "'localhost Cyrus IMAP 3.6.1-Debian-3.6.1-4+deb12u3 server ready'" },
	{ "/imap/greeting/courier",
	  "* OK [CAPABILITY IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=REFERENCES SORT QUOTA IDLE "
	  "ACL ACL2=UNION STARTTLS] Courier-IMAP ready. Copyright 1998-2022 Double Precision, Inc. "
	  " "
	  "See COPYING for distribution information.\r\n",
	  "'type':'OK','code':'CAPABILITY','code_text':'IMAP4rev1 UIDPLUS CHILDREN NAMESPACE "
	  "THREAD=REFERENCES SORT QUOTA IDLE ACL ACL2=UNION STARTTLS','capabilities':['IMAP4rev1',"
	  "'UIDPLUS','CHILDREN','NAMESPACE','THREAD=REFERENCES','SORT','QUOTA','IDLE','ACL',"
	  "'ACL2=UNION','STARTTLS'],'text':'Courier-IMAP ready. Copyright 1998-2022 Double "
	  "Precision, "
	  "Inc.  See COPYING for distribution information.'" },
	{ "/imap/greeting/mailutils", "* OK IMAP4rev1\r\n", "'type':'OK','text':'IMAP4rev1'" },
	{ "/imap/greeting/gmail",
	  "* OK Gimap ready for requests from 192.0.2.1 ffacd0b85a97d-3a4mb77\r\n",
	  "'type':'OK','text':'Gimap ready for requests from 192.0.2.1 ffacd0b85a97d-3a4mb77'" },
	{ "/imap/greeting/exchange",
	  "* OK The Microsoft Exchange IMAP4 service is ready. "
	  "[QgBFADEAUAAyADgAMQBDAEEAMAAwADEAMgAuAEQARQBVAA==]\r\n",
	  "'type':'OK','text':'The Microsoft Exchange IMAP4 service is ready. "
	  "[QgBFADEAUAAyADgAMQBDAEEAMAAwADEAMgAuAEQARQBVAA==]'" },
	{ "/imap/greeting/preauth", "* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n",
	  "'type':'PREAUTH','code':'CAPABILITY','code_text':'IMAP4rev1','capabilities':['IMAP4rev1'"
	  "],"
	  "'text':'hello'" },
	{ "/imap/greeting/bye", "* BYE Too many connections\r\n",
	  "'type':'BYE','text':'Too many connections'" },
	{ "/imap/capability/mailutils-names-gssapi-twice",
	  "* CAPABILITY IMAP4rev1 NAMESPACE AUTH=GSSAPI AUTH=GS2-KRB5 AUTH=GSSAPI \r\n",
	  "'type':'CAPABILITY','capabilities':['IMAP4rev1','NAMESPACE','AUTH=GSSAPI','AUTH=GS2-"
	  "KRB5',"
	  "'AUTH=GSSAPI']" },
	{ "/imap/capability/cyrus-has-odd-characters",
	  "* CAPABILITY IMAP4rev1 RIGHTS=kxten X-QUOTA=X-NUM-FOLDERS APPENDLIMIT=4294967295\r\n",
	  "'type':'CAPABILITY','capabilities':['IMAP4rev1','RIGHTS=kxten','X-QUOTA=X-NUM-FOLDERS',"
	  "'APPENDLIMIT=4294967295']" },
	{ "/imap/capability/exchange-sends-it-before-and-after",
	  "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT "
	  "CHILDREN "
	  "IDLE NAMESPACE LITERAL+\r\nA1 OK CAPABILITY completed.\r\n",
	  "'type':'CAPABILITY','capabilities':['IMAP4','IMAP4rev1','AUTH=PLAIN','AUTH=XOAUTH2',"
	  "'SASL-IR','UIDPLUS','ID','UNSELECT','CHILDREN','IDLE','NAMESPACE','LITERAL+']\n"
	  "{'tag':'A1','type':'OK','text':'CAPABILITY completed.'" },
	{ "/imap/enabled/names", "* ENABLED CONDSTORE QRESYNC\r\n* ENABLED\r\n",
	  "'type':'ENABLED','capabilities':['CONDSTORE','QRESYNC']\n"
	  "'type':'ENABLED','capabilities':[]" },

	/* Tagged answers. */
	{ "/imap/tagged/ok-no-bad", "A1 OK done\r\nA1 NO sorry\r\nA1 BAD what\r\n",
	  "{'tag':'A1','type':'OK','text':'done'\n{'tag':'A1','type':'NO','text':'sorry'\n"
	  "{'tag':'A1','type':'BAD','text':'what'" },
	{ "/imap/tagged/without-text", "A1 OK\r\nA2 OK \r\n",
	  "{'tag':'A1','type':'OK','text':''\n{'tag':'A2','type':'OK','text':''" },
	{ "/imap/tagged/in-small-letters", "a1 ok done\r\n",
	  "{'tag':'a1','type':'OK','text':'done'" },
	{ "/imap/tagged/with-two-spaces", "A1  OK  done\r\n",
	  "{'tag':'A1','type':'OK','text':'done'" },
	{ "/imap/tagged/with-8-bit-text", "A1 NO d\xc3\xa9j\xc3\xa0\r\nA1 NO d\xe9j\xe0\r\n",
	  "{'tag':'A1','type':'NO','text':'d\\u00e9j\\u00e0'\n"
	  "{'tag':'A1','type':'NO','text':'d\\u00e9j\\u00e0'" },
	{ "/imap/tagged/bye-is-refused", "A1 BYE\r\n", "!" },
	{ "/imap/tagged/data-is-refused", "A1 SEARCH 1\r\n", "!" },
	{ "/imap/tagged/garbage-is-refused", "A1\r\nA1 OKAY\r\nA1 O K\r\n", "!\n!\n!" },
	{ "/imap/courier/error-is-no",
	  "A1 NO Error in IMAP command received by server.\r\n* BYE [ALERT] Fatal error: TOO MANY "
	  "CONSECUTIVE PROTOCOL VIOLATIONS\r\n",
	  "{'tag':'A1','type':'NO','text':'Error in IMAP command received by server.'\n"
	  "'type':'BYE','code':'ALERT','text':'Fatal error: TOO MANY CONSECUTIVE PROTOCOL "
	  "VIOLATIONS'" },

	/* Codes. */
	{ "/imap/code/gmail-highestmodseq-without-text", "* OK [HIGHESTMODSEQ 990107]\r\n",
	  "'type':'OK','code':'HIGHESTMODSEQ','code_text':'990107','highestmodseq':990107,'text':'"
	  "'" },
	{ "/imap/code/select",
	  "* OK [PERMANENTFLAGS (\\Answered \\Deleted $Junk \\*)] Flags permitted.\r\n"
	  "* OK [UNSEEN 17] x\r\n* OK [UIDVALIDITY 3857529045] UIDs valid\r\n"
	  "* OK [UIDNEXT 4392] Predicted next UID\r\n* OK [NOMODSEQ]\r\nA2 OK [READ-WRITE] ok\r\n"
	  "A3 OK [read-only] ok\r\n",
	  "'type':'OK','code':'PERMANENTFLAGS','code_text':'(\\\\Answered \\\\Deleted $Junk "
	  "\\\\*)',"
	  "'permanentflags':['\\\\Answered','\\\\Deleted','\\\\*','$Junk'],'text':'Flags "
	  "permitted.'\n"
	  "'type':'OK','code':'UNSEEN','code_text':'17','unseen':17,'text':'x'\n"
	  "'type':'OK','code':'UIDVALIDITY','code_text':'3857529045','uidvalidity':3857529045,'"
	  "text':"
	  "'UIDs valid'\n"
	  "'type':'OK','code':'UIDNEXT','code_text':'4392','uidnext':4392,'text':'Predicted next "
	  "UID'\n"
	  "'type':'OK','code':'NOMODSEQ','text':''\n"
	  "{'tag':'A2','type':'OK','code':'READ-WRITE','text':'ok'\n"
	  "{'tag':'A3','type':'OK','code':'READ-ONLY','text':'ok'" },
	{ "/imap/code/uids-of-a-copy-keep-their-order",
	  "A1 OK [COPYUID 38505 304,319:320 3956,10:9] Done\r\n"
	  "A2 OK [APPENDUID 38505 3955] APPEND completed\r\n* OK [COPYUID 1 2 3]\r\n",
	  "{'tag':'A1','type':'OK','code':'COPYUID','code_text':'38505 304,319:320 3956,10:9',"
	  "'uidvalidity':38505,'source_uids':'304,319:320','uids':'3956,9:10','text':'Done'\n"
	  "{'tag':'A2','type':'OK','code':'APPENDUID','code_text':'38505 3955','uidvalidity':38505,"
	  "'uids':'3955','text':'APPEND completed'\n"
	  "'type':'OK','code':'COPYUID','code_text':'1 2 "
	  "3','uidvalidity':1,'source_uids':'2','uids':"
	  "'3','text':''" },
	{ "/imap/code/modified", "A1 OK [MODIFIED 7,9] Conditional STORE failed\r\n",
	  "{'tag':'A1','type':'OK','code':'MODIFIED','code_text':'7,9','modified':'7,9','text':"
	  "'Conditional STORE failed'" },
	{ "/imap/code/badcharset",
	  "A1 NO [BADCHARSET] a\r\nA1 NO [BADCHARSET (UTF-8 \"X Y\")] b\r\n"
	  "A1 NO [BADCHARSET ({5}\r\nUTF-8)] c\r\n",
	  "{'tag':'A1','type':'NO','code':'BADCHARSET','charsets':null,'text':'a'\n"
	  "{'tag':'A1','type':'NO','code':'BADCHARSET','code_text':'(UTF-8 \\'X Y\\')','charsets':["
	  "'UTF-8','X Y'],'text':'b'\n"
	  "{'tag':'A1','type':'NO','code':'BADCHARSET','code_text':'({5}\\r\\nUTF-8)','charsets':["
	  "'UTF-8'],'text':'c'" },
	{ "/imap/code/strings",
	  "A1 OK [MAILBOXID (F2212ea87)] x\r\nA1 NO [BADURL \"/a]b\"] x\r\n"
	  "* OK [NOUPDATE \"B01\"] x\r\n* NO [NEWNAME a \"b c\"] x\r\n",
	  "{'tag':'A1','type':'OK','code':'MAILBOXID','code_text':'(F2212ea87)','strings':["
	  "'F2212ea87'],'text':'x'\n"
	  "{'tag':'A1','type':'NO','code':'BADURL','code_text':'\\'/a]b\\'','strings':['/"
	  "a]b'],'text':"
	  "'x'\n"
	  "'type':'OK','code':'NOUPDATE','code_text':'\\'B01\\'','strings':['B01'],'text':'x'\n"
	  "'type':'NO','code':'NEWNAME','code_text':'a \\'b c\\'','strings':['a','b "
	  "c'],'text':'x'" },
	{ "/imap/code/rfc5530",
	  "A1 NO [UNAVAILABLE] x\r\nA1 NO [AUTHENTICATIONFAILED] x\r\nA1 NO [OVERQUOTA] x\r\n"
	  "A1 NO [ALREADYEXISTS] x\r\nA1 NO [NONEXISTENT] x\r\n* NO [EXPUNGEISSUED] x\r\n",
	  "{'tag':'A1','type':'NO','code':'UNAVAILABLE','text':'x'\n"
	  "{'tag':'A1','type':'NO','code':'AUTHENTICATIONFAILED','text':'x'\n"
	  "{'tag':'A1','type':'NO','code':'OVERQUOTA','text':'x'\n"
	  "{'tag':'A1','type':'NO','code':'ALREADYEXISTS','text':'x'\n"
	  "{'tag':'A1','type':'NO','code':'NONEXISTENT','text':'x'\n"
	  "'type':'NO','code':'EXPUNGEISSUED','text':'x'" },
	{ "/imap/code/arguments-kept-as-text",
	  "A1 OK [METADATA LONGENTRIES 2199] x\r\n"
	  "* NO [REFERRAL imap://u;AUTH=*@[::1]/] x\r\n* OK [INPROGRESS (\"A1\" 175 1000)] x\r\n",
	  "{'tag':'A1','type':'OK','code':'METADATA','code_text':'LONGENTRIES 2199','text':'x'\n"
	  "'type':'NO','code':'REFERRAL','code_text':'imap://u;AUTH=*@[::1]/','text':'x'\n"
	  "'type':'OK','code':'INPROGRESS','code_text':'(\\'A1\\' 175 1000)','text':'x'" },
	{ "/imap/code/unknown-is-kept-whole", "* OK [X-FOO bar (1 \"]\" 2)] x\r\n* OK [] x\r\n",
	  "'type':'OK','code':'X-FOO','code_unknown':true,'code_text':'bar (1 \\']\\' "
	  "2)','text':'x'\n"
	  "'type':'OK','code':'','code_unknown':true,'text':'x'" },
	{ "/imap/code/malformed-is-unknown",
	  "* OK [UIDNEXT 4294967296] x\r\n* OK [UIDVALIDITY] x\r\n* OK [COPYUID 5 a b] x\r\n"
	  "* OK [HIGHESTMODSEQ 9223372036854775808] x\r\n* OK [UNSEEN 5 6] x\r\n",
	  "'type':'OK','code':'UIDNEXT','code_unknown':true,'code_text':'4294967296','text':'x'\n"
	  "'type':'OK','code':'UIDVALIDITY','code_unknown':true,'text':'x'\n"
	  "'type':'OK','code':'COPYUID','code_unknown':true,'code_text':'5 a b','text':'x'\n"
	  "'type':'OK','code':'HIGHESTMODSEQ','code_unknown':true,'code_text':'9223372036854775808'"
	  ","
	  "'text':'x'\n"
	  "'type':'OK','code':'UNSEEN','code_unknown':true,'code_text':'5 6','text':'x'" },
	{ "/imap/code/zero-uidvalidity-is-passed-on", "* OK [UIDVALIDITY 0] x\r\n",
	  "'type':'OK','code':'UIDVALIDITY','code_text':'0','uidvalidity':0,'text':'x'" },
	{ "/imap/code/unclosed-is-text", "* OK [ALERT x\r\n", "'type':'OK','text':'[ALERT x'" },
	{ "/imap/code/brackets-that-do-not-pair", "* OK [X a[b] x\r\n* OK [X \"a] x\r\n",
	  "'type':'OK','code':'X','code_unknown':true,'code_text':'a[b','text':'x'\n"
	  "'type':'OK','code':'X','code_unknown':true,'code_text':'\\'a','text':'x'" },
	{ "/imap/code/no-space-around", "* OK[ALERT]x\r\n* OK [PERMANENTFLAGS(\\*)]x\r\n",
	  "'type':'OK','code':'ALERT','text':'x'\n"
	  "'type':'OK','code':'PERMANENTFLAGS','code_text':'(\\\\*)','permanentflags':['\\\\*'],"
	  "'text':'x'" },

	/* Continuations. */
	{ "/imap/continue/text-or-none", "+ idling\r\n+\r\n+ \r\n+ [ALERT] x\r\n+ GO AHEAD\r\n",
	  "{'tag':'+','type':'CONTINUE','text':'idling'\n{'tag':'+','type':'CONTINUE','text':''\n"
	  "{'tag':'+','type':'CONTINUE','text':''\n"
	  "{'tag':'+','type':'CONTINUE','code':'ALERT','text':'x'\n"
	  "{'tag':'+','type':'CONTINUE','text':'GO AHEAD'" },
	{ "/imap/continue/challenge", "+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+==\r\n+abc=\r\n",
	  "{'tag':'+','type':'CONTINUE','text':'PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+=='\n"
	  "{'tag':'+','type':'CONTINUE','text':'abc='" },

	/* No response at all. */
	{ "/imap/garbage/is-refused",
	  "\r\n \r\n*\r\n* \r\n*OK\r\nHTTP/1.1 400 Bad Request\r\n220 mx ESMTP\r\n* (\r\n* \"\r\n"
	  "+OK POP3\r\n* \x01\r\n* $%&\r\n",
	  "!\n!\n!\n!\n!\n!\n!\n!\n!\n{'tag':'+','type':'CONTINUE','text':'OK POP3'\n!\n!" },
	{ "/imap/unknown/is-skipped-whole",
	  "* XFOO (a (b \"c)\" {2}\r\n)) d)) ]\r\n* 5 XBAR baz\r\n* XEMPTY\r\n* x-quux\r\n",
	  "'type':'UNKNOWN','name':'XFOO','text':'(a (b \\'c)\\' {2}\\r\\n)) d)) ]'\n"
	  "'type':'UNKNOWN','name':'XBAR','text':'baz'\n"
	  "'type':'UNKNOWN','name':'XEMPTY','text':''\n"
	  "'type':'UNKNOWN','name':'x-quux','text':''" },
};

int
main(void)
{
	return rows_run("imap-parser-status", rows, G_N_ELEMENTS(rows), NULL, 0);
}
