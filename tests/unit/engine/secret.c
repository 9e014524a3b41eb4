/* Where a password comes from, and every way in which it does not. */
#include "base/error.h"
#include "engine/secret.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Answer {
	GMainContext *context;
	SecretRequest *request; /* freed inside the callback when set */
	char *secret;
	GError *error;
	int calls;
} Answer;

static void
on_secret(void *data, const char *secret, const GError *error)
{
	Answer *answer = data;

	answer->calls++;
	answer->secret = g_strdup(secret);
	answer->error = error ? g_error_copy(error) : NULL;
	secret_request_free(g_steal_pointer(&answer->request));
}

static void
answer_clear(Answer *answer)
{
	secret_request_free(answer->request);
	secret_free(answer->secret);
	g_clear_error(&answer->error);
	g_main_context_unref(answer->context);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static Answer
ask(const ConfigAccount *account, int timeout_ms)
{
	Answer answer = { .context = g_main_context_new() };

	/* the callback wants the answer where it will be: run the loop here */
	answer.request = secret_ask(account, answer.context, timeout_ms, on_secret, &answer);
	assert_int_equal(answer.calls, 0);
	while (!answer.calls)
		g_main_context_iteration(answer.context, TRUE);
	while (g_main_context_iteration(answer.context, FALSE))
		;
	assert_int_equal(answer.calls, 1);
	return answer;
}

static Answer
ask_command(const char *command, int timeout_ms)
{
	ConfigAccount account = { .name = (char *)"work", .password_command = (char *)command };

	return ask(&account, timeout_ms);
}

static void
assert_gives(const char *command, const char *secret)
{
	g_auto(Answer) answer = ask_command(command, 0);

	if (answer.error)
		fail_msg("%s: %s", command, answer.error->message);
	assert_string_equal(answer.secret, secret);
}

static void
assert_fails(const char *command, const char *sentence)
{
	g_auto(Answer) answer = ask_command(command, 0);

	assert_null(answer.secret);
	assert_true(postern_error_is(answer.error, POSTERN_ERROR_LOGIN));
	assert_string_equal(answer.error->message, sentence);
}

static void
test_the_first_line_is_the_secret(void **state)
{
	g_autofree char *longest = g_strnfill(SECRET_LINE_MAX, 'x');

	assert_gives("echo hunter2", "hunter2");
	assert_gives("printf hunter2", "hunter2");
	assert_gives("printf 'hunter2\\r\\nuser: ada\\n'", "hunter2");
	assert_gives("printf ' two  words \\n'", " two  words ");
	assert_gives("printf 'a # no comment\\n' # but this is", "a # no comment");
	assert_gives("printf hun; printf ter2; echo", "hunter2");
	assert_gives("echo warning >&2; echo hunter2", "hunter2");
	assert_gives("head -c 16384 /dev/zero | tr '\\0' x; echo; seq 10000", longest);
}

static void
test_a_failing_command_says_why(void **state)
{
	assert_fails("echo gpg: no secret key >&2; echo more >&2; exit 2",
		     "password-command of [account work] ended with status 2: gpg: no secret key");
	assert_fails("echo hunter2; exit 1",
		     "password-command of [account work] ended with status 1");
	assert_fails("kill -9 $$", "password-command of [account work] was ended by signal 9");
	assert_fails("true",
		     "password-command of [account work] printed nothing as its first line");
	assert_fails("echo; echo x",
		     "password-command of [account work] printed nothing as its first line");
	assert_fails("printf '\\r\\n'",
		     "password-command of [account work] gave an empty first line");
	assert_fails("printf 'a\\0b\\n'",
		     "password-command of [account work] gave a line with a NUL in it");
	assert_fails("printf 'no \\033[2J\\n' >&2; exit 1",
		     "password-command of [account work] ended with status 1: no \xef\xbf\xbd[2J");
	assert_fails("head -c 16385 /dev/zero | tr '\\0' x",
		     "password-command of [account work] printed a line of more than 16384 bytes");
}

static void
test_a_command_without_end_is_stopped(void **state)
{
	assert_fails("exec yes",
		     "password-command of [account work] printed more than 1048576 bytes "
		     "and was stopped");
}

static void
test_a_command_that_takes_too_long_is_stopped(void **state)
{
	g_auto(Answer) answer = ask_command("exec sleep 60", 50);

	assert_string_equal(answer.error->message,
			    "password-command of [account work] took too long and was stopped");
}

static void
test_a_daemon_that_keeps_the_pipe_does_not_keep_us(void **state)
{
	assert_gives("sleep 20 & echo hunter2", "hunter2");
	assert_gives("sleep 20 & printf hunter2", "hunter2");
	assert_fails("sleep 20 & exit 3", "password-command of [account work] ended with status 3");
}

static void
test_a_token_has_its_own_command(void **state)
{
	ConfigAccount account = { .name = (char *)"work",
				  .token_command = (char *)"echo t; exit 7" };
	g_auto(Answer) answer = ask(&account, 0);

	assert_int_equal(secret_kind(&account), SECRET_TOKEN);
	assert_string_equal(answer.error->message,
			    "token-command of [account work] ended with status 7");
}

static void
test_the_configuration_may_hold_it_or_nothing(void **state)
{
	ConfigAccount with = { .name = (char *)"work", .password = (char *)"hunter2" };
	ConfigAccount without = { .name = (char *)"work" };
	g_auto(Answer) good = ask(&with, 0);
	g_auto(Answer) bad = ask(&without, 0);

	assert_int_equal(secret_kind(&with), SECRET_PASSWORD);
	assert_int_equal(secret_kind(&without), SECRET_NONE);
	assert_string_equal(good.secret, "hunter2");
	assert_true(postern_error_is(bad.error, POSTERN_ERROR_LOGIN));
	assert_string_equal(bad.error->message, "password of [account work] is not there: add "
						"password-command or password-file");
}

static void
test_a_file_must_be_closed_to_others(void **state)
{
	g_autofree char *dir = g_dir_make_tmp("postern-secret-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "pass", NULL);
	g_autofree char *want = g_strdup_printf("password-file of [account work] is open to "
						"others: close it with chmod 600 '%s'",
						path);
	g_autofree char *missing = g_strdup_printf(
	    "password-file of [account work] cannot be read: %s: No such file or directory", path);
	ConfigAccount account = { .name = (char *)"work", .password_file = path };

	assert_true(g_file_set_contents(path, "hunter2\nnotes\n", -1, NULL));
	for (int i = 0; i < 3; i++) {
		static const mode_t modes[] = { 0604, 0640, 0600 };
		g_auto(Answer) answer = { 0 };

		assert_int_equal(chmod(path, modes[i]), 0);
		answer = ask(&account, 0);
		if (i < 2) {
			assert_true(postern_error_is(answer.error, POSTERN_ERROR_CONFIG));
			assert_string_equal(answer.error->message, want);
		} else {
			assert_string_equal(answer.secret, "hunter2");
		}
	}
	unlink(path);
	{
		g_auto(Answer) answer = ask(&account, 0);

		assert_true(postern_error_is(answer.error, POSTERN_ERROR_CONFIG));
		assert_string_equal(answer.error->message, missing);
	}
	account.password_file = dir;
	{
		g_auto(Answer) answer = ask(&account, 0);

		assert_non_null(strstr(answer.error->message, "is not a file"));
	}
	rmdir(dir);
}

/* Freed at each moment of a command's and a file's life: nothing is called, nothing is touched. */
static void
test_a_freed_request_never_calls(void **state)
{
	ConfigAccount accounts[] = {
		{ .name = (char *)"work", .password_command = (char *)"echo a; echo b >&2" },
		{ .name = (char *)"work", .password_file = (char *)"/dev/null" },
		{ .name = (char *)"work", .password = (char *)"x" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(accounts); i++)
		for (int turns = 0; turns < 8; turns++) {
			Answer answer = { .context = g_main_context_new() };
			SecretRequest *request =
			    secret_ask(&accounts[i], answer.context, 0, on_secret, &answer);
			int calls;

			for (int turn = 0; turn < turns && !answer.calls; turn++)
				g_main_context_iteration(answer.context, TRUE);
			calls = answer.calls;
			secret_request_free(request);
			for (int turn = 0; turn < 20; turn++) {
				g_usleep(1000);
				g_main_context_iteration(answer.context, FALSE);
			}
			assert_int_equal(answer.calls, calls);
			answer_clear(&answer);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_line_is_the_secret),
		cmocka_unit_test(test_a_failing_command_says_why),
		cmocka_unit_test(test_a_command_without_end_is_stopped),
		cmocka_unit_test(test_a_command_that_takes_too_long_is_stopped),
		cmocka_unit_test(test_a_daemon_that_keeps_the_pipe_does_not_keep_us),
		cmocka_unit_test(test_a_token_has_its_own_command),
		cmocka_unit_test(test_the_configuration_may_hold_it_or_nothing),
		cmocka_unit_test(test_a_file_must_be_closed_to_others),
		cmocka_unit_test(test_a_freed_request_never_calls),
	};

	return cmocka_run_group_tests_name("/engine/secret", tests, NULL, NULL);
}
