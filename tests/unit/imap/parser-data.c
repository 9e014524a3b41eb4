/* Mailboxes, searches, and what else is said without being asked. */
#include "rows.h"

static const Row rows[] = {
	{ "/imap/list/plain",
	  "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LSUB () \".\" \"INBOX.Sent Mail\"\r\n"
	  "* XLIST (\\HasNoChildren \\Sent) \"/\" \"[Gmail]/Sent\"\r\n* LIST () \"/\" "
	  "{3}\r\na\"b\r\n",
	  "'type':'LIST','attributes':['\\\\HasNoChildren'],'delimiter':'/','name':'INBOX',"
	  "'decoded_name':'INBOX'\n"
	  "'type':'LSUB','attributes':[],'delimiter':'.','name':'INBOX.Sent Mail','decoded_name':"
	  "'INBOX.Sent Mail'\n"
	  "'type':'XLIST','attributes':['\\\\HasNoChildren','\\\\Sent'],'delimiter':'/','name':"
	  "'[Gmail]/Sent','decoded_name':'[Gmail]/Sent'\n"
	  "'type':'LIST','attributes':[],'delimiter':'/','name':'a\\'b','decoded_name':'a\\'b'" },
	{ "/imap/list/delimiters",
	  "* LIST () NIL a\r\n* LIST () nil a\r\n* LIST () \"\\\\\" a\r\n* LIST () \"\\\" a\r\n"
	  "* LIST () \"\" a\r\n* LIST () / a\r\n* LIST () \"\\\"\" a\r\n",
	  "'type':'LIST','attributes':[],'delimiter':null,'name':'a','decoded_name':'a'\n"
	  "'type':'LIST','attributes':[],'delimiter':null,'name':'a','decoded_name':'a'\n"
	  "'type':'LIST','attributes':[],'delimiter':'\\\\','name':'a','decoded_name':'a'\n"
	  "'type':'LIST','attributes':[],'delimiter':'\\\\','name':'a','decoded_name':'a'\n"
	  "'type':'LIST','attributes':[],'delimiter':null,'name':'a','decoded_name':'a'\n"
	  "'type':'LIST','attributes':[],'delimiter':'/','name':'a','decoded_name':'a'\n"
	  "'type':'LIST','attributes':[],'delimiter':'\\'','name':'a','decoded_name':'a'" },
	{ "/imap/list/mailutils-inbox-has-no-delimiter", "* LIST (\\NoInferiors) NIL INBOX\r\n",
	  "'type':'LIST','attributes':['\\\\NoInferiors'],'delimiter':null,'name':'INBOX',"
	  "'decoded_name':'INBOX'" },
	{ "/imap/list/broken-modified-utf7-keeps-its-bytes",
	  "* LIST () \"/\" \"&broken\"\r\n* LIST () \"/\" \"caf\xe9\"\r\n* LIST () \"/\" a%*]b\r\n",
	  "'type':'LIST','attributes':[],'delimiter':'/','name':'&broken','decoded_name':null\n"
	  "'type':'LIST','attributes':[],'delimiter':'/','name':'caf\\u00e9','decoded_name':null\n"
	  "'type':'LIST','attributes':[],'delimiter':'/','name':'a%*]b','decoded_name':'a%*]b'" },
	{ "/imap/list/mailbox-named-nil", "* LIST () \"/\" NIL\r\n",
	  "'type':'LIST','attributes':[],'delimiter':'/','name':'NIL','decoded_name':'NIL'" },
	{ "/imap/list/extended-data",
	  "* LIST (\\Subscribed) \"/\" a (\"CHILDINFO\" (\"SUBSCRIBED\" \"X\") X-FOO (1 (2 \")\")) "
	  "OLDNAME (\"b c\") MYRIGHTS \"lrs\")\r\n* LIST () \"/\" a ()\r\n",
	  "'type':'LIST','attributes':['\\\\Subscribed'],'delimiter':'/','name':'a','decoded_name':"
	  "'a','childinfo':['SUBSCRIBED','X'],'oldname':'b c','myrights':'lrs'\n"
	  "'type':'LIST','attributes':[],'delimiter':'/','name':'a','decoded_name':'a'" },
	{ "/imap/list/spaces-and-attributes-in-odd-forms",
	  "*  LIST  ( \\A  \\Weird%Name \"\\\\Q\" plain )  \"/\"  a \r\n* LIST NIL \"/\" a\r\n",
	  "'type':'LIST','attributes':['\\\\A','\\\\Weird%Name','\\\\Q','plain'],'delimiter':'/"
	  "','name':"
	  "'a','decoded_name':'a'\n"
	  "'type':'LIST','attributes':null,'delimiter':'/','name':'a','decoded_name':'a'" },
	{ "/imap/list/broken-is-refused",
	  "* LIST\r\n* LIST ()\r\n* LIST () \"/\"\r\n* LIST (\r\n* LIST () \"/\" \"a\r\n"
	  "* LIST () \"/\" a b\r\n* LIST () \"/\" a (\r\n",
	  "!\n!\n!\n!\n!\n!\n!" },

	{ "/imap/status/every-item",
	  "* STATUS blurdybloop (MESSAGES 231 RECENT 1 UNSEEN 2 UIDNEXT 44292 UIDVALIDITY 5 "
	  "DELETED 3 "
	  "SIZE 9223372036854775807 HIGHESTMODSEQ 7011231777 APPENDLIMIT 257890 DELETED-STORAGE 8 "
	  "MAILBOXID (F2212ea87))\r\n",
	  "'type':'STATUS','mailbox':'blurdybloop','messages':231,'recent':1,'unseen':2,'uidnext':"
	  "44292,"
	  "'uidvalidity':5,'deleted':3,'size':9223372036854775807,'highestmodseq':7011231777,"
	  "'deleted_storage':8,'appendlimit':257890,'mailboxid':'F2212ea87'" },
	{ "/imap/status/unknown-items-are-skipped",
	  "* STATUS \"a b\" (X-FOO (1 (2)) MESSAGES 5 X-BAR \"x\" APPENDLIMIT NIL)\r\n",
	  "'type':'STATUS','mailbox':'a b','messages':5,'appendlimit':null" },
	{ "/imap/status/number-out-of-range-is-no-number",
	  "* STATUS a (MESSAGES 4294967296 UIDNEXT 4294967295 UNSEEN NIL)\r\n",
	  "'type':'STATUS','mailbox':'a','uidnext':4294967295" },
	{ "/imap/status/nothing-in-it", "* STATUS a ()\r\n", "'type':'STATUS','mailbox':'a'" },
	{ "/imap/status/broken-is-refused", "* STATUS\r\n* STATUS a\r\n* STATUS a (MESSAGES\r\n",
	  "!\n!\n!" },

	{ "/imap/namespace/rfc2342",
	  "* NAMESPACE ((\"\" \"/\")(\"#mhinbox\" NIL)(\"#mh/\" \"/\")) ((\"~\" \"/\")) "
	  "((\"#shared/\" "
	  "\"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\")))\r\n",
	  "'type':'NAMESPACE','personal':[{'prefix':'','delimiter':'/'},{'prefix':'#mhinbox',"
	  "'delimiter':null},{'prefix':'#mh/','delimiter':'/"
	  "'}],'others':[{'prefix':'~','delimiter':"
	  "'/'}],'shared':[{'prefix':'#shared/','delimiter':'/'}]" },
	{ "/imap/namespace/exchange-and-short-forms",
	  "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n* NAMESPACE NIL\r\n* NAMESPACE () () ()\r\n",
	  "'type':'NAMESPACE','personal':[{'prefix':'','delimiter':'/"
	  "'}],'others':null,'shared':null\n"
	  "'type':'NAMESPACE','personal':null,'others':null,'shared':null\n"
	  "'type':'NAMESPACE','personal':[],'others':[],'shared':[]" },

	{ "/imap/search/numbers",
	  "* SEARCH\r\n* SEARCH 2 84 882\r\n* SEARCH 2 5 (MODSEQ 917162500)\r\n* SORT 5 3 4 \r\n"
	  "* SEARCH 0 4294967295\r\n",
	  "'type':'SEARCH','numbers':[]\n'type':'SEARCH','numbers':[2,84,882]\n"
	  "'type':'SEARCH','numbers':[2,5],'modseq':917162500\n'type':'SORT','numbers':[5,3,4]\n"
	  "'type':'SEARCH','numbers':[4294967295]" },
	{ "/imap/search/garbage-is-refused",
	  "* SEARCH 4294967296\r\n* SEARCH 1 a\r\n* SEARCH -1\r\n* SEARCH 1 (X 5)\r\n",
	  "!\n!\n!\n!" },
	{ "/imap/esearch/rfc4731",
	  "* ESEARCH (TAG \"A282\") MIN 2 COUNT 3\r\n* ESEARCH UID ALL 4:18,21,28\r\n* ESEARCH\r\n"
	  "* ESEARCH (TAG \"a\") UID MAX 5 MODSEQ 917162500 X-FOO (1 (2)) X-BAR 7\r\n"
	  "* ESEARCH (TAG a567) UID COUNT 0\r\n",
	  "'type':'ESEARCH','correlator':'A282','uid':false,'min':2,'count':3\n"
	  "'type':'ESEARCH','correlator':null,'uid':true,'all':'4:18,21,28'\n"
	  "'type':'ESEARCH','correlator':null,'uid':false\n"
	  "'type':'ESEARCH','correlator':'a','uid':true,'max':5,'modseq':917162500\n"
	  "'type':'ESEARCH','correlator':'a567','uid':true,'count':0" },
	{ "/imap/esearch/partial-context-relevancy-and-other-mailboxes",
	  "* ESEARCH (TAG \"A01\") UID PARTIAL (-1:-100 200:250,252)\r\n"
	  "* ESEARCH (TAG \"A02\") PARTIAL (23500:24000 NIL)\r\n"
	  "* ESEARCH (TAG \"B01\") UID ADDTO (0 32768:32769 1 5) REMOVEFROM (0 3)\r\n"
	  "* ESEARCH (TAG \"C\") COUNT 2 ALL 3,9 RELEVANCY (4 99)\r\n"
	  "* ESEARCH (TAG \"t\" MAILBOX \"folder 1\" UIDVALIDITY 7) UID ALL 4001,4003\r\n",
	  "'type':'ESEARCH','correlator':'A01','uid':true,'partial_range':'-1:-100','partial':"
	  "'200:250,252'\n"
	  "'type':'ESEARCH','correlator':'A02','uid':false,'partial_range':'23500:24000','partial':"
	  "''\n"
	  "'type':'ESEARCH','correlator':'B01','uid':true,'updates':[{'type':'ADDTO','position':0,"
	  "'set':'32768:32769'},{'type':'ADDTO','position':1,'set':'5'},{'type':'REMOVEFROM',"
	  "'position':0,'set':'3'}]\n"
	  "'type':'ESEARCH','correlator':'C','uid':false,'count':2,'all':'3,9','relevancy':[4,99]\n"
	  "'type':'ESEARCH','correlator':'t','mailbox':'folder 1','uidvalidity':7,'uid':true,'all':"
	  "'4001,4003'" },
	{ "/imap/esearch/garbage-is-refused",
	  "* ESEARCH (TAG\r\n* ESEARCH MIN\r\n* ESEARCH MIN x\r\n* ESEARCH ALL 1,\r\n"
	  "* ESEARCH ALL 0\r\n* ESEARCH X-FOO (1\r\n",
	  "!\n!\n!\n!\n!\n!" },
	{ "/imap/thread/rfc5256", "* THREAD\r\n* THREAD (2)(3 6 (4 23)(44 7 96))\r\n",
	  "'type':'THREAD','threads':[]\n"
	  "'type':'THREAD','threads':[{'number':2,'depth':0},{'number':3,'depth':0},{'number':6,"
	  "'depth':1},{'number':4,'depth':2},{'number':23,'depth':3},{'number':44,'depth':2},{"
	  "'number':7,'depth':3},{'number':96,'depth':4}]" },
	{ "/imap/thread/missing-parents-are-nodes", "* THREAD ((1 (2)(4))(3))(5)\r\n",
	  "'type':'THREAD','threads':[{'number':null,'depth':0},{'number':1,'depth':1},{'number':2,"
	  "'depth':2},{'number':4,'depth':2},{'number':3,'depth':1},{'number':5,'depth':0}]" },
	{ "/imap/thread/garbage-is-refused",
	  "* THREAD 1\r\n* THREAD (1\r\n* THREAD (1))\r\n* THREAD (a)\r\n", "!\n!\n!\n!" },
	{ "/imap/vanished/uids",
	  "* VANISHED (EARLIER) 300:310,405,411\r\n* VANISHED 5:3\r\n* VANISHED (EARLIER)\r\n",
	  "'type':'VANISHED','earlier':true,'uids':'300:310,405,411'\n"
	  "'type':'VANISHED','earlier':false,'uids':'3:5'\n"
	  "'type':'VANISHED','earlier':true,'uids':''" },
	{ "/imap/vanished/garbage-is-refused",
	  "* VANISHED a\r\n* VANISHED 1,,2\r\n* VANISHED 0\r\n", "!\n!\n!" },

	{ "/imap/counts/exists-recent-expunge",
	  "* 23 EXISTS\r\n* 0 EXISTS\r\n* 5 RECENT\r\n* 44 EXPUNGE\r\n* 4294967295 exists\r\n",
	  "'type':'EXISTS','number':23\n'type':'EXISTS','number':0\n'type':'RECENT','number':5\n"
	  "'type':'EXPUNGE','number':44\n'type':'EXISTS','number':4294967295" },
	{ "/imap/counts/garbage-is-refused",
	  "* 4294967296 EXISTS\r\n* 0 EXPUNGE\r\n* 0 FETCH ()\r\n* -1 EXISTS\r\n* 5 EXISTS 6\r\n* "
	  "5\r\n",
	  "!\n!\n!\n!\n!\n!" },
	{ "/imap/flags/untagged",
	  "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen NonJunk $MDNSent)\r\n* FLAGS "
	  "()\r\n",
	  "'type':'FLAGS','flags':['\\\\Seen','\\\\Answered','\\\\Flagged','\\\\Deleted','"
	  "\\\\Draft',"
	  "'NonJunk','$MDNSent']\n'type':'FLAGS','flags':[]" },

	{ "/imap/id/pairs",
	  "* ID NIL\r\n* ID (\"name\" \"Cyrus\" \"os\" NIL \"odd\" \"\")\r\n* ID ()\r\n",
	  "'type':'ID','parameters':null\n"
	  "'type':'ID','parameters':{'name':'Cyrus','os':null,'odd':''}\n"
	  "'type':'ID','parameters':{}" },
	{ "/imap/quota/rfc9208",
	  "* QUOTA \"\" (STORAGE 10 512 MESSAGE 20 100)\r\n* QUOTAROOT INBOX \"\" "
	  "\"#user/alice\"\r\n"
	  "* QUOTAROOT comp.mail.mime\r\n* QUOTA a ()\r\n* QUOTA a (X 99999999999999999999 1)\r\n",
	  "'type':'QUOTA','root':'','resources':[{'name':'STORAGE','usage':10,'limit':512},{'name':"
	  "'MESSAGE','usage':20,'limit':100}]\n"
	  "'type':'QUOTAROOT','mailbox':'INBOX','roots':['','#user/alice']\n"
	  "'type':'QUOTAROOT','mailbox':'comp.mail.mime','roots':[]\n"
	  "'type':'QUOTA','root':'a','resources':[]\n"
	  "'type':'QUOTA','root':'a','resources':[{'name':'X','usage':9223372036854775807,'limit':"
	  "1}]" },
	{ "/imap/acl/rfc4314",
	  "* ACL INBOX Fred rwipslda \"a b\" lrs\r\n* LISTRIGHTS ~/Mail/saved smith la r "
	  "swicdkxte\r\n"
	  "* MYRIGHTS INBOX rwiptsldaex\r\n* ACL a\r\n* MYRIGHTS a\r\n",
	  "'type':'ACL','mailbox':'INBOX','rights':{'Fred':'rwipslda','a b':'lrs'}\n"
	  "'type':'LISTRIGHTS','mailbox':'~/Mail/"
	  "saved','identifier':'smith','required':'la','optional':["
	  "'r','swicdkxte']\n"
	  "'type':'MYRIGHTS','mailbox':'INBOX','rights':'rwiptsldaex'\n"
	  "'type':'ACL','mailbox':'a','rights':{}\n!" },
	{ "/imap/metadata/rfc5464",
	  "* METADATA \"INBOX\" (/private/comment \"My comment\" /shared/x NIL /shared/y "
	  "{3}\r\na\nb)\r\n"
	  "* METADATA \"\" /shared/comment /private/x\r\n",
	  "'type':'METADATA','mailbox':'INBOX','entries':{'/private/comment':'My "
	  "comment','/shared/x':"
	  "null,'/shared/y':'a\\nb'}\n"
	  "'type':'METADATA','mailbox':'','changed':['/shared/comment','/private/x']" },
	{ "/imap/i18n/language-and-comparator",
	  "* LANGUAGE (\"DE\" \"EN\")\r\n* COMPARATOR \"i;unicode-casemap\" (\"i;octet\")\r\n"
	  "* COMPARATOR i;octet\r\n",
	  "'type':'LANGUAGE','languages':['DE','EN']\n"
	  "'type':'COMPARATOR','comparators':['i;unicode-casemap','i;octet']\n"
	  "'type':'COMPARATOR','comparators':['i;octet']" },
	{ "/imap/urlauth/rfc4467",
	  "* GENURLAUTH \"imap://a/x;urlauth=anonymous:internal:91354a\"\r\n"
	  "* URLFETCH \"imap://a/x\" \"body\" \"imap://a/y\" NIL\r\n"
	  "* URLFETCH \"imap://a/z\" (BODY {2}\r\nab) (X)\r\n",
	  "'type':'GENURLAUTH','urls':['imap://a/x;urlauth=anonymous:internal:91354a']\n"
	  "'type':'URLFETCH','urls':{'imap://a/x':'body','imap://a/y':null}\n"
	  "'type':'URLFETCH','urls':{'imap://a/z':null}" },
};

int
main(void)
{
	return rows_run("imap-parser-data", rows, G_N_ELEMENTS(rows), NULL, 0);
}
