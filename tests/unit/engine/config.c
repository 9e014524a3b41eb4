/* The configuration: what it takes, and how it says no. */
#include "base/error.h"
#include "base/paths.h"
#include "engine/config.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Dir {
	char *path, *file;
} Dir;

static int
make_dir(void **state)
{
	Dir *dir = g_new0(Dir, 1);

	dir->path = g_dir_make_tmp("postern-config-XXXXXX", NULL);
	dir->file = g_build_filename(dir->path, "config", NULL);
	*state = dir;
	return dir->path ? 0 : -1;
}

static int
remove_dir(void **state)
{
	Dir *dir = *state;

	unlink(dir->file);
	rmdir(dir->path);
	g_free(dir->path);
	g_free(dir->file);
	g_free(dir);
	return 0;
}

static void
write_config(const Dir *dir, const void *bytes, size_t size, mode_t mode)
{
	assert_true(g_file_set_contents(dir->file, bytes, (gssize)size, NULL));
	assert_int_equal(chmod(dir->file, mode), 0);
}

static Config *
load(const Dir *dir, const char *text)
{
	g_autoptr(GError) error = NULL;
	Config *config;

	write_config(dir, text, strlen(text), 0600);
	config = config_load(dir->file, &error);
	if (!config)
		fail_msg("%s", error->message);
	return config;
}

static const ConfigAccount *
account_of(const Config *config, unsigned i)
{
	return config->accounts->pdata[i];
}

/* The sentence must be "FILE" and then WANT; a WANT that ends in "..." is a beginning. */
static void
assert_refused_bytes(const Dir *dir, const void *bytes, size_t size, mode_t mode, const char *want)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *whole = g_strconcat(dir->file, want, NULL);
	Config *config;

	write_config(dir, bytes, size, mode);
	config = config_load(dir->file, &error);
	assert_null(config);
	assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
	if (g_str_has_suffix(whole, "...")) {
		whole[strlen(whole) - 3] = '\0';
		if (!g_str_has_prefix(error->message, whole))
			assert_string_equal(error->message, whole);
	} else {
		assert_string_equal(error->message, whole);
	}
}

static void
assert_refused(const Dir *dir, const char *text, const char *want)
{
	assert_refused_bytes(dir, text, strlen(text), 0600, want);
}

static void
test_a_whole_account_is_read(void **state)
{
	g_autoptr(Config) config =
	    load(*state,
		 "# mine\n"
		 "[account work]\n"
		 "address = Ada Example <ada@example.org>  # me\n"
		 "imap = imaps://ada@mail.example.org        # imaps: TLS from the first byte\n"
		 "smtp = smtp://ada%40example.org@mail.example.org:2587/\n"
		 "password-command = pass show mail/ada # run by /bin/sh\n");
	const ConfigAccount *account = account_of(config, 0);

	assert_int_equal(config->accounts->len, 1);
	assert_string_equal(account->name, "work");
	assert_string_equal(account->address, "Ada Example <ada@example.org>");
	assert_string_equal(account->imap_user, "ada");
	assert_string_equal(account->imap_host, "mail.example.org");
	assert_int_equal(account->imap_port, 993);
	assert_int_equal(account->imap_tls, NET_TLS_AT_ONCE);
	assert_string_equal(account->smtp_user, "ada@example.org");
	assert_int_equal(account->smtp_port, 2587);
	assert_int_equal(account->smtp_tls, NET_TLS_LATER);
	assert_string_equal(account->password_command, "pass show mail/ada # run by /bin/sh");
	assert_null(account->password);
	assert_true(account->is_default);
	assert_int_equal(account->connections, 3);
	assert_int_equal(account->keep_text_s, INT64_C(90) * 86400);
	assert_int_equal(account->keep_attachments, 0);
	assert_true(account->cache_size == UINT64_MAX);
}

static void
test_what_is_kept_is_a_time_and_a_size(void **state)
{
	static const struct {
		const char *value;
		int64_t seconds;
	} times[] = {
		{ "90d", INT64_C(90) * 86400 },
		{ "2W", INT64_C(14) * 86400 },
		{ "1y # so", INT64_C(365) * 86400 },
		{ "all", INT64_MAX },
		{ "none", 0 },
	};
	static const struct {
		const char *value;
		uint64_t bytes;
	} sizes[] = {
		{ "4096", 4096 },
		{ "500k", 512000 },
		{ "2G", UINT64_C(2) << 30 },
		{ "3T", UINT64_C(3) << 40 },
		{ "all", UINT64_MAX },
	};
	static const char *const wrong[] = {
		"90",
		"0d",
		"-1d",
		"90 d",
		"90days",
		"d",
		"forever",
		"99999999999999999999d",
		"9223372036854775807y",
	};
	static const char *const wrong_sizes[] = { "0",	   "-1",	  "2 M", "2MB",
						   "1.5G", "9999999999T", "big" };
	g_autoptr(Config) none = load(*state, "[account a]\nimap = imaps://u@h\n"
					      "keep-attachments = none\n");

	assert_int_equal(account_of(none, 0)->keep_attachments, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
		g_autofree char *text =
		    g_strdup_printf("[account a]\nimap = imaps://u@h\nkeep-text = %s\n",
				    times[i].value);
		g_autoptr(Config) config = load(*state, text);

		assert_true(account_of(config, 0)->keep_text_s == times[i].seconds);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *text =
		    g_strdup_printf("[account a]\nimap = imaps://u@h\nkeep-attachments = %s\n"
				    "cache-size = %s\n",
				    sizes[i].value, sizes[i].value);
		g_autoptr(Config) config = load(*state, text);

		assert_true(account_of(config, 0)->keep_attachments == sizes[i].bytes);
		assert_true(account_of(config, 0)->cache_size == sizes[i].bytes);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *text =
		    g_strdup_printf("[account a]\nimap = imaps://u@h\nkeep-text = %s\n", wrong[i]);

		assert_refused(*state, text,
			       ":3: keep-text is a time in days, weeks or years (90d, 12w, 1y), "
			       "all or "
			       "none");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(wrong_sizes); i++) {
		g_autofree char *text =
		    g_strdup_printf("[account a]\nimap = imaps://u@h\ncache-size = %s\n",
				    wrong_sizes[i]);

		assert_refused(*state, text, ":3: cache-size is a size (500k, 20M, 1G) or all");
	}
}

static void
test_connections_are_a_number_from_1_to_15(void **state)
{
	static const char *const wrong[] = {
		"0", "16", "-1", "three", "2 3", "99999999999999999999"
	};
	g_autoptr(Config) config = load(*state, "[account a]\n"
						"imap = imaps://u@h\n"
						"password = p\n"
						"connections = 15  # as Gmail allows\n");

	assert_int_equal(account_of(config, 0)->connections, 15);
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *text =
		    g_strdup_printf("[account a]\nimap = imaps://u@h\nconnections = %s\n",
				    wrong[i]);

		assert_refused(*state, text, ":3: connections is a number from 1 to 15");
	}
}

static void
test_a_byte_order_mark_and_crlf_are_taken(void **state)
{
	g_autoptr(Config) config = load(*state, "\xEF\xBB\xBF[account a]\r\n"
						"imap = imap://u@h\r\n"
						"password = with = and \\s kept#\r\n");
	const ConfigAccount *account = account_of(config, 0);

	assert_string_equal(account->name, "a");
	assert_int_equal(account->imap_port, 143);
	assert_string_equal(account->password, "with = and \\s kept#");
}

static void
test_the_default_comes_first(void **state)
{
	g_autoptr(Config) config =
	    load(*state, "[account a]\nimap=imap://u@h\n"
			 "[account b]\nimap=imap://u@h\n"
			 "[account   c d ] # the one\nimap=imap://u@h\ndefault=yes\n");
	g_autoptr(GError) error = NULL;

	assert_string_equal(account_of(config, 0)->name, "c d");
	assert_string_equal(account_of(config, 1)->name, "a");
	assert_string_equal(account_of(config, 2)->name, "b");
	assert_ptr_equal(config_account(config, NULL, NULL), account_of(config, 0));
	assert_ptr_equal(config_account(config, "b", NULL), account_of(config, 2));
	assert_null(config_account(config, "x", &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_USAGE));
	assert_non_null(strstr(error->message, "there is c d, a, b"));
}

static void
test_servers_are_read_whole(void **state)
{
	static const struct {
		const char *url, *user, *host;
		uint16_t port;
		NetTls tls;
	} rows[] = {
		{ "imaps://ada@h", "ada", "h", 993, NET_TLS_AT_ONCE },
		{ "IMAPS://ada@h", "ada", "h", 993, NET_TLS_AT_ONCE },
		{ "imaps://ada@example.org@h:1", "ada@example.org", "h", 1, NET_TLS_AT_ONCE },
		{ "imap://a%3Ab%25%c3%a4@h:65535/", "a:b%\xc3\xa4", "h", 65535, NET_TLS_LATER },
		{ "imap://CORP\\ada/shared@h", "CORP\\ada/shared", "h", 143, NET_TLS_LATER },
		{ "imaps://ada@[2001:db8::1]:44", "ada", "2001:db8::1", 44, NET_TLS_AT_ONCE },
		{ "imaps://ada@[::1]", "ada", "::1", 993, NET_TLS_AT_ONCE },
		{ "imaps://ada@b\xc3\xbc"
		  "cher.example.",
		  "ada",
		  "b\xc3\xbc"
		  "cher.example.",
		  993, NET_TLS_AT_ONCE },
		{ "imap+insecure://ada@127.0.0.1", "ada", "127.0.0.1", 143, NET_TLS_NEVER },
		{ "imap+insecure://ada@127.9.9.9:21143", "ada", "127.9.9.9", 21143, NET_TLS_NEVER },
		{ "imap+insecure://ada@[::1]", "ada", "::1", 143, NET_TLS_NEVER },
		{ "imap+insecure://ada@localhost", "ada", "localhost", 143, NET_TLS_NEVER },
		/* no user: the whole address */
		{ "imaps://h", "me@example.org", "h", 993, NET_TLS_AT_ONCE },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text =
		    g_strdup_printf("[account a]\naddress = Me, <me@example.org>\nimap = %s\n",
				    rows[i].url);
		g_autoptr(Config) config = load(*state, text);
		const ConfigAccount *account = account_of(config, 0);

		assert_string_equal(account->imap_user, rows[i].user);
		assert_string_equal(account->imap_host, rows[i].host);
		assert_int_equal(account->imap_port, rows[i].port);
		assert_int_equal(account->imap_tls, rows[i].tls);
	}
}

static void
test_a_wrong_server_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "mail.example.org", ":2: imap needs its protocol: imaps://USER@HOST" },
		{ "imaps:/h", ":2: imap needs its protocol: imaps://USER@HOST" },
		{ "imasp://a@h",
		  ":2: no such protocol \"imasp\" for imap: did you mean \"imaps\"?" },
		{ "https://a@h",
		  ":2: no such protocol \"https\" for imap: it is imaps (TLS) or imap (STARTTLS)" },
		{ "imaps://a:secret@h", ":2: a password does not belong into imap..." },
		{ "imaps://a:s@cret@h", ":2: a password does not belong into imap..." },
		{ "imaps://a;AUTH=PLAIN@h", ":2: a \";\" in the user's name..." },
		{ "imaps://50%@h", ":2: a \"%\" in the user's name is written %25 in imap" },
		{ "imaps://a%00@h",
		  ":2: the user's name has characters that cannot be shown in imap" },
		{ "imaps://a%0a@h",
		  ":2: the user's name has characters that cannot be shown in imap" },
		{ "imaps://@h", ":2: the user's name before \"@\" is empty in imap" },
		{ "imaps://a@", ":2: imap has no host: imaps://USER@HOST" },
		{ "imaps://a@:993", ":2: imap has no host: imaps://USER@HOST" },
		{ "imaps://a@ho st", ":2: imap has a host that is no name and no address" },
		{ "imaps://a@-h", ":2: imap has a host that is no name and no address" },
		{ "imaps://a@a..b", ":2: imap has a host that is no name and no address" },
		{ "imaps://a@.", ":2: imap has a host that is no name and no address" },
		{ "imaps://a@h\xe2\x80\xae", ":2: imap has a host that is no name and no address" },
		{ "imaps://a@2001:db8::1", ":2: an IPv6 address stands in brackets..." },
		{ "imaps://a@[127.0.0.1]", ":2: what stands between \"[\" and \"]\"..." },
		{ "imaps://a@[::1", ":2: what stands between \"[\" and \"]\"..." },
		{ "imaps://a@h:", ":2: the port in imap is a number from 1 to 65535" },
		{ "imaps://a@h:0", ":2: the port in imap is a number from 1 to 65535" },
		{ "imaps://a@h:65536", ":2: the port in imap is a number from 1 to 65535" },
		{ "imaps://a@h:99999999999999999999", ":2: the port in imap is a number..." },
		{ "imaps://a@h:993x", ":2: nothing may follow the host and its port in imap" },
		{ "imaps://a@h/INBOX", ":2: nothing may follow the host and its port in imap" },
		{ "imaps://a@[::1]x", ":2: nothing may follow the host and its port in imap" },
		{ "imap+insecure://a@mail.example.org",
		  ":2: imap+insecure:// sends the password..." },
		{ "imap+insecure://a@0.0.0.0", ":2: imap+insecure:// sends the password..." },
		{ "imap+insecure://a@[2001:db8::1]", ":2: imap+insecure:// sends the password..." },
		{ "imap+insecure://a@localhost.example.org", ":2: imap+insecure:// sends..." },
		{ "imaps://h",
		  ":1: who logs in at h?  Write imap = PROTOCOL://USER@h, or an address" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("[account a]\nimap = %s\n", rows[i][0]);

		assert_refused(*state, text, rows[i][1]);
	}
}

static void
test_no_error_repeats_a_password(void **state)
{
	static const char *const texts[] = {
		"[account a]\nimap = imaps://ada:canary@h\n",
		"[account a]\nimap = imaps://ada:can@canary@h\n",
		"[account a]\nimap = canary\n",
		"[account a]\npassword canary\n",
		"[account a]\nimap = imap://u@h\npassword = canary\npassword = canary\n",
		"[account a]\nimap = imap://u@h\npassword = canary\npasswort = canary\n",
		"password = canary\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		const Dir *dir = *state;
		g_autoptr(GError) error = NULL;

		write_config(dir, texts[i], strlen(texts[i]), 0600);
		assert_null(config_load(dir->file, &error));
		assert_null(strstr(error->message, "canary"));
	}
}

static void
test_a_slip_is_refused_with_its_line_and_the_right_name(void **state)
{
	static const char *const rows[][2] = {
		{ "[account work]\nimaps = imaps://a@h\n",
		  ":2: no such key \"imaps\" in [account work]: did you mean \"imap\"?" },
		{ "[account work]\r\n\r\nadress = a@b\r\n",
		  ":3: no such key \"adress\" in [account work]: did you mean \"address\"?" },
		{ "[account work]\nIMAP = imaps://a@h\n",
		  ":2: no such key \"IMAP\" in [account work]: did you mean \"imap\"?" },
		{ "[account work]\nxyzzy = 1\n", ":2: no such key \"xyzzy\" in [account work]: "
						 "postern-config(5) lists those there are" },
		{ "[account work]\nim\x1b[2Jap = 1\n",
		  ":2: no such key \"im\xef\xbf\xbd[2Jap\"..." },
		{ "\n[acount work]\n",
		  ":2: no such section [acount]: did you mean [account work]?" },
		{ "[Account work]\n",
		  ":1: no such section [Account]: did you mean [account work]?" },
		{ "[work]\n", ":1: no such section [work]: did you mean [account work]?" },
		{ "[my mail]\n", ":1: no such section [my mail]: a section is [account NAME], "
				 "[screen], [keys] or [command NAME]" },
		{ "[scren]\n", ":1: no such section [scren]: did you mean [screen]?" },
		{ "[screen big]\n", ":1: [screen] takes no name" },
		{ "[screen]\nkeymap = emacs\n", ":2: keymap is one of mutt, vim, alpine" },
		{ "[screen]\nimap = x\n", ":2: no such key \"imap\" in [screen]..." },
		{ "[keys]\n= x\n", ":2: no such key \"\" in [keys]..." },
		{ "[keys]\nflag =\n", ":2: flag has no value" },
		{ "[keys]\nflag = x\nflag = y\n",
		  ":3: flag a second time in [keys]: it stands at line 2" },
		{ "[command]\n", ":1: a command needs a name: [command NAME]" },
		{ "[command a]\nrun = x\n[command a]\n",
		  ":3: [command a] a second time: it begins at line 1" },
		{ "[command a]\nkeys = x\n[account a]\nimap = imap://u@h\n",
		  ":1: [command a] has no run: add run = COMMAND; COMMAND" },
		{ "[account]\n", ":1: an account needs a name: [account NAME]" },
		{ "[]\n", ":1: no such section []..." },
		{ "[account work\n", ":1: a section ends with \"]\"" },
		{ "[account work] imap\n", ":1: nothing may follow the \"]\" of a section" },
		{ "[account a[b]\n", ":1: a name is at most 64 bytes of text..." },
		{ "[account a\x1b]\n", ":1: a name is at most 64 bytes of text..." },
		{ "imap = imaps://a@h\n",
		  ":1: a key stands below a section: begin with [account NAME]" },
		{ "[account a]\nimap\n",
		  ":2: this is neither \"key = value\" nor a [section] nor a # comment" },
		{ "[account a]\nimap = # later\n", ":2: imap has no value" },
		{ "[account a]\nimap =\n", ":2: imap has no value" },
		{ "[account a]\nimap = imap://u@h\nimap = imap://u@h\n",
		  ":3: imap a second time in [account a]: it stands at line 2" },
		{ "[account a]\nimap = imap://u@h\n[account a]\n",
		  ":3: [account a] a second time: it begins at line 1" },
		{ "#\n[account a]\naddress = a@b\n",
		  ":2: [account a] has no imap: add imap = imaps://USER@HOST" },
		{ "[account a]\naddress = Ada\nimap = imap://u@h\n",
		  ":2: address is no mail address..." },
		{ "[account a]\naddress = <a@b> x\n", ":2: address is no mail address..." },
		{ "[account a]\naddress = a b@c\n", ":2: address is no mail address..." },
		{ "[account a]\ndefault = maybe\n", ":2: default is yes or no" },
		{ "[account a]\nimap = imap://u@h\ndefault = yes\n"
		  "[account b]\nimap = imap://u@h\ndefault = on\n",
		  ":4: [account a] and [account b] cannot both be the default" },
		{ "[account a]\nimap = imap://u@h\npassword-command = x\ntoken-command = y\n",
		  ":4: token-command beside password-command (line 3): keep one of the two" },
		{ "[account a]\nca-file = /nonexistent/ca.pem\n",
		  ":2: cannot read ca-file /nonexistent/ca.pem: No such file or directory" },
		{ "[account a]\nca-file = /\n", ":2: ca-file / is not a file" },
		{ "# nothing\n", " has no [account NAME] section.  These lines would do:..." },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_refused(*state, rows[i][0], rows[i][1]);
}

static void
test_bytes_that_are_no_text_are_refused_with_their_line(void **state)
{
	static const char latin1[] = "[account a]\naddress = J\xfcrgen <j@e.org>\n";
	static const char nul[] = "[account a]\n\nimap = \0\n";
	static const char utf16[] = "\xff\xfe[\0a\0";

	assert_refused(*state, latin1, ":2: this line is not UTF-8 text: save the file as UTF-8");
	assert_refused_bytes(*state, nul, sizeof nul - 1, 0600,
			     ":3: this line is not UTF-8 text...");
	assert_refused_bytes(*state, utf16, sizeof utf16 - 1, 0600,
			     ":1: this line is not UTF-8...");
}

static void
test_a_password_that_others_can_read_is_refused(void **state)
{
	static const char with[] = "[account a]\nimap = imap://u@h\npassword = x\n";
	static const char without[] = "[account a]\nimap = imap://u@h\npassword-command = x\n";
	const Dir *dir = *state;
	g_autofree char *want =
	    g_strdup_printf(":3: there is a password in it, and others can read "
			    "it: close it with chmod 600 '%s'",
			    dir->file);
	Config *config;

	assert_refused_bytes(dir, with, sizeof with - 1, 0644, want);
	assert_refused_bytes(dir, with, sizeof with - 1, 0640, want);
	write_config(dir, with, sizeof with - 1, 0400);
	config = config_load(dir->file, NULL);
	assert_string_equal(account_of(config, 0)->password, "x");
	config_free(config);
	write_config(dir, without, sizeof without - 1, 0644);
	config = config_load(dir->file, NULL);
	assert_non_null(config);
	config_free(config);
}

static void
test_a_file_that_everybody_can_write_is_refused(void **state)
{
	static const char text[] = "[account a]\nimap = imap://u@h\n";
	const Dir *dir = *state;
	g_autoptr(GError) error = NULL;

	write_config(dir, text, sizeof text - 1, 0646);
	assert_null(config_load(dir->file, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
	assert_non_null(strstr(error->message, "chmod 600"));
}

static void
test_no_file_says_where_it_looked_and_what_would_do(void **state)
{
	const Dir *dir = *state;
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(Config) config = NULL;

	assert_null(config_load(dir->file, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
	assert_non_null(strstr(error->message, dir->file));
	lines = g_strsplit(strchr(error->message, '\n') + 2, "\n", -1);
	assert_int_equal(g_strv_length(lines), 5);
	/* and they do */
	config = load(dir, strchr(error->message, '\n'));
	assert_string_equal(account_of(config, 0)->imap_host, "mail.example.org");
}

static void
test_files_are_found_from_home_and_beside_the_configuration(void **state)
{
	const Dir *dir = *state;
	g_autoptr(Config) config =
	    load(dir, "[account a]\nimap = imap://u@h\npassword-file = ~/secret # mine\n"
		      "[account b]\nimap = imap://u@h\npassword-file = secret\nca-file = config\n");
	g_autofree char *home = g_build_filename(g_get_home_dir(), "secret", NULL);
	g_autofree char *beside = g_build_filename(dir->path, "secret", NULL);

	assert_string_equal(account_of(config, 0)->password_file, home);
	assert_string_equal(account_of(config, 1)->password_file, beside);
	assert_string_equal(account_of(config, 1)->ca_file, dir->file);
}

static void
test_an_endless_file_is_refused(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(config_load("/dev/zero", &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
	g_clear_error(&error);
	assert_null(config_load("/", &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
}

static void
test_the_table_tells_each_key_in_a_sentence(void **state)
{
	for (const ConfigKey *key = config_keys; key->key; key++) {
		assert_true(g_str_has_suffix(key->sentence, "."));
		assert_ptr_equal(config_key(key->section, key->key), key);
		if (!strcmp(key->type, "choice"))
			assert_non_null(strstr(key->values, key->normal));
	}
	assert_null(config_key("screen", "imap"));
}

static void
test_the_screen_is_read_and_can_be_changed(void **state)
{
	g_autoptr(Config) config = load(*state, "[screen]\nkeymap = vim # as in vim\n"
						"[account work]\nimap = imaps://a@b.example\n");
	const ConfigKey *key = config_key("screen", "keymap");
	g_autoptr(GError) error = NULL;
	g_autofree char *shown = NULL;
	ConfigScreen mine;

	assert_string_equal(config->screen.keymap, "vim");
	config_screen_copy(&mine, &config->screen);
	assert_true(config_screen_set(&mine, key, "alpine", NULL));
	assert_string_equal(config->screen.keymap, "vim");
	shown = config_screen_get(&mine, key);
	assert_string_equal(shown, "alpine");
	assert_false(config_screen_set(&mine, key, "emacs", &error));
	assert_string_equal(error->message, "keymap is one of mutt, vim, alpine");
	assert_string_equal(mine.keymap, "alpine");
	assert_true(config_screen_set(&mine, key, NULL, NULL));
	assert_string_equal(mine.keymap, "mutt");
	config_screen_clear(&mine);
}

/* Sets keymap to VALUE in what TEXT says, saves it, and expects WANT in the file. */
static void
assert_saved(const Dir *dir, const char *text, const char *value, unsigned changed,
	     const char *want)
{
	g_autoptr(Config) config = load(dir, text);
	g_autofree char *now = NULL;
	ConfigScreen mine;
	unsigned n;

	config_screen_copy(&mine, &config->screen);
	assert_true(config_screen_set(&mine, config_key("screen", "keymap"), value, NULL));
	assert_true(config_screen_save(config, &mine, &n, NULL));
	assert_int_equal(n, changed);
	assert_true(g_file_get_contents(dir->file, &now, NULL, NULL));
	assert_string_equal(now, want);
	config_screen_clear(&mine);
}

#define ACCOUNT "[account work]\nimap = imaps://a@b.example # mine\n"

static void
test_what_was_changed_is_saved_and_all_else_stays(void **state)
{
	assert_saved(*state, ACCOUNT, "vim", 1, ACCOUNT "\n[screen]\nkeymap = vim\n");
	assert_saved(*state, ACCOUNT, "mutt", 0, ACCOUNT);
	assert_saved(*state, "[screen]\n# keys\nkeymap=vim # my own\n\n" ACCOUNT, "alpine", 1,
		     "[screen]\n# keys\nkeymap = alpine\n\n" ACCOUNT);
	assert_saved(*state, "[screen]\n# none yet\n\n" ACCOUNT "\n\n", "vim", 1,
		     "[screen]\n# none yet\nkeymap = vim\n\n" ACCOUNT);
	assert_saved(*state, "[screen]\nkeymap = vim\n" ACCOUNT, NULL, 1,
		     "[screen]\nkeymap = mutt\n" ACCOUNT);
}

static void
test_saving_keeps_the_mode_and_the_link_and_tells_what_it_cannot(void **state)
{
	const Dir *dir = *state;
	g_autoptr(Config) config = load(dir, ACCOUNT);
	g_autofree char *link = g_strconcat(dir->file, "-link", NULL);
	g_autoptr(Config) linked = NULL;
	g_autoptr(GError) error = NULL;
	ConfigScreen mine;
	struct stat info;
	unsigned n;

	assert_int_equal(chmod(dir->file, 0640), 0);
	assert_int_equal(symlink(dir->file, link), 0);
	linked = config_load(link, NULL);
	config_screen_copy(&mine, &linked->screen);
	assert_true(config_screen_set(&mine, config_key("screen", "keymap"), "vim", NULL));
	assert_true(config_screen_save(linked, &mine, &n, NULL));
	assert_int_equal(stat(dir->file, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0640);
	assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
	unlink(link);

	write_config(dir, "[acount]\n", 9, 0600);
	assert_false(config_screen_save(config, &mine, &n, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
	config_screen_clear(&mine);
}

static void
test_keys_and_commands_of_ones_own_are_kept_as_they_stand(void **state)
{
	g_autoptr(Config) config =
	    load(*state, "[account work]\nimap = imaps://a@b.example\n"
			 "[keys]\narchive = e #\n"
			 "[keys list]\narchive = x\n"
			 "[command file-it]\nrun = move A#1; down # no comment\n"
			 "keys = g,x\nwhere = list message\n");
	const ConfigKeys *first = config->keys->pdata[0], *second = config->keys->pdata[1];
	const ConfigCommand *own = config->commands->pdata[0];

	assert_int_equal(config->keys->len, 2);
	assert_null(first->place);
	assert_string_equal(first->command, "archive");
	assert_string_equal(first->keys, "e #");
	assert_int_equal(first->line, 4);
	assert_string_equal(second->place, "list");
	assert_string_equal(second->keys, "x");
	assert_string_equal(own->name, "file-it");
	assert_string_equal(own->run, "move A#1; down # no comment");
	assert_string_equal(own->keys, "g,x");
	assert_string_equal(own->where, "list message");
	assert_null(own->sentence);
	assert_int_equal(own->line, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_whole_account_is_read),
		TEST(test_a_byte_order_mark_and_crlf_are_taken),
		TEST(test_the_default_comes_first),
		TEST(test_servers_are_read_whole),
		TEST(test_connections_are_a_number_from_1_to_15),
		TEST(test_what_is_kept_is_a_time_and_a_size),
		TEST(test_a_wrong_server_is_refused),
		TEST(test_no_error_repeats_a_password),
		TEST(test_a_slip_is_refused_with_its_line_and_the_right_name),
		TEST(test_bytes_that_are_no_text_are_refused_with_their_line),
		TEST(test_a_password_that_others_can_read_is_refused),
		TEST(test_a_file_that_everybody_can_write_is_refused),
		TEST(test_no_file_says_where_it_looked_and_what_would_do),
		TEST(test_files_are_found_from_home_and_beside_the_configuration),
		TEST(test_an_endless_file_is_refused),
		TEST(test_the_table_tells_each_key_in_a_sentence),
		TEST(test_the_screen_is_read_and_can_be_changed),
		TEST(test_what_was_changed_is_saved_and_all_else_stays),
		TEST(test_saving_keeps_the_mode_and_the_link_and_tells_what_it_cannot),
		TEST(test_keys_and_commands_of_ones_own_are_kept_as_they_stand),
	};

	return cmocka_run_group_tests_name("/engine/config", tests, NULL, NULL);
}
