/* Several engines on one store: the first has it, the others ask that one, and one of them follows. */
#include "fixture.h"

#include "../../../src/engine/serve-private.h"
#include "../../../src/engine/wire-private.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A second front end, on the fixture's store. */
typedef struct Second {
	Engine *engine;
	EngineRequest waiting;
	bool done;
	GError *error;
	unsigned folders, notices, statuses;
} Second;

static void
on_event(void *data, const EngineEvent *event)
{
	Second *second = data;

	if (event->type == ENGINE_EVENT_DONE && event->request == second->waiting) {
		second->done = true;
		g_clear_error(&second->error);
		second->error = event->error ? g_error_copy(event->error) : NULL;
	}
	second->folders += event->type == ENGINE_EVENT_FOLDERS;
	second->notices += event->type == ENGINE_EVENT_NOTICE;
	second->statuses += event->type == ENGINE_EVENT_STATUS;
}

static void
start(Second *second, Fixture *fixture, bool hold)
{
	EngineOptions options = { .config = fixture->config,
				  .data_dir = fixture->dir,
				  .hold = hold,
				  .on_event = on_event,
				  .data = second };
	g_autoptr(GError) error = NULL;

	second->engine = engine_start(&options, &error);
	if (!second->engine)
		fail_msg("%s", error->message);
}

static void
second_clear(Second *second)
{
	engine_stop(second->engine);
	g_clear_error(&second->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Second, second_clear)

static void
ask(Second *second, EngineRequest request)
{
	second->waiting = request;
	second->done = false;
}

static void
until_done(Second *second)
{
	int64_t end = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;

	while (!second->done) {
		if (g_get_monotonic_time() > end)
			fail_msg("no answer");
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
	}
}

static void
what_the_second_asks_the_first_does(void **state)
{
	Fixture *fixture = *state;
	g_auto(Second) second = { 0 };
	EngineTotals totals;

	fake_server_add(fixture->server, "INBOX", 30, "");
	fixture_start(fixture);
	fixture_until(fixture, is_online, 0);
	start(&second, fixture, true);
	ask(&second, engine_sync(second.engine, NULL, "INBOX", ENGINE_BODIES_NONE));
	until_done(&second);
	assert_null(second.error);
	assert_int_equal(fixture_total(fixture, "INBOX"), 30);
	assert_int_equal(fake_server_count(fixture->server, "AUTHENTICATE"), 1);
	engine_totals(second.engine, &totals);
	assert_int_equal(totals.messages, 30);
	assert_true(totals.wire_in > 0 && totals.wire_in < fake_server_bytes_out(fixture->server));
	assert_true(second.folders && second.statuses);
	/* An error comes with its words and its kind. */
	ask(&second, engine_sync(second.engine, NULL, "Nowhere", ENGINE_BODIES_NONE));
	until_done(&second);
	assert_non_null(second.error);
	assert_true(strlen(second.error->message) > 0);
	ask(&second, engine_folders(second.engine, "nobody"));
	until_done(&second);
	assert_true(postern_error_is(second.error, POSTERN_ERROR_GONE));
	fixture_check(fixture);
}

static void
when_the_first_ends_the_second_has_the_store(void **state)
{
	Fixture *fixture = *state;
	g_auto(Second) second = { 0 };

	fake_server_add(fixture->server, "INBOX", 30, "");
	fixture_start(fixture);
	fixture_until(fixture, is_online, 0);
	start(&second, fixture, false);
	ask(&second, engine_folders(second.engine, NULL));
	until_done(&second);
	/* What is asked while nobody has it waits for who comes. */
	fixture_stop(fixture);
	ask(&second, engine_sync(second.engine, NULL, "INBOX", ENGINE_BODIES_NONE));
	until_done(&second);
	assert_null(second.error);
	assert_int_equal(second.notices, 1);
	assert_int_equal(fixture_total(fixture, "INBOX"), 30);
	assert_int_equal(fake_server_count(fixture->server, "AUTHENTICATE"), 2);
}

static void
of_two_that_wait_one_follows_and_serves_the_other(void **state)
{
	Fixture *fixture = *state;
	g_auto(Second) second = { 0 };
	g_auto(Second) third = { 0 };

	fake_server_add(fixture->server, "INBOX", 30, "");
	fixture_start(fixture);
	fixture_until(fixture, is_online, 0);
	start(&second, fixture, false);
	start(&third, fixture, false);
	ask(&second, engine_folders(second.engine, NULL));
	until_done(&second);
	ask(&third, engine_folders(third.engine, NULL));
	until_done(&third);
	fixture_stop(fixture);
	ask(&second, engine_sync(second.engine, NULL, "INBOX", ENGINE_BODIES_NONE));
	ask(&third, engine_sync(third.engine, NULL, "INBOX", ENGINE_BODIES_NONE));
	until_done(&second);
	until_done(&third);
	assert_null(second.error);
	assert_null(third.error);
	assert_int_equal(fake_server_count(fixture->server, "AUTHENTICATE"), 2);
}

static bool
noise_ended(Fixture *fixture, unsigned fd)
{
	uint8_t octet;

	return recv((int)fd, &octet, 1, MSG_DONTWAIT) == 0;
}

static int
dial(Fixture *fixture)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), dir_fd = -1;

	assert_true(serve_address(fixture->dir, &address, &dir_fd));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	if (dir_fd >= 0)
		close(dir_fd);
	return fd;
}

static void
noise_on_the_socket_is_cut_off(void **state)
{
	Fixture *fixture = *state;
	static const uint8_t too_long[] = { 0xff, 0xff, 0xff, 0xff, 'x' };
	/* a frame of three octets that are no dictionary, then one cut short */
	static const uint8_t odd[] = { 0, 0, 0, 3, 0xff, 0xfe, 0xfd, 0, 0, 0, 9, 'y' };
	int first, second;

	fake_server_add(fixture->server, "INBOX", 3, "");
	fixture_start(fixture);
	fixture_until(fixture, is_online, 0);
	first = dial(fixture);
	assert_int_equal(send(first, too_long, sizeof too_long, MSG_NOSIGNAL), sizeof too_long);
	fixture_until(fixture, noise_ended, (unsigned)first);
	second = dial(fixture);
	assert_int_equal(send(second, odd, sizeof odd, MSG_NOSIGNAL), sizeof odd);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_NONE));
	close(first);
	close(second);
}

static void
loop_ms(int ms)
{
	int64_t end = g_get_monotonic_time() + ms * INT64_C(1000);

	while (g_get_monotonic_time() < end)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
}

static unsigned
jobs_of(int fd)
{
	g_autoptr(GByteArray) in = g_byte_array_new();
	uint8_t piece[4096];
	ssize_t n;
	GVariant *dict;
	unsigned jobs = 0;

	while ((n = recv(fd, piece, sizeof piece, MSG_DONTWAIT)) > 0)
		g_byte_array_append(in, piece, (guint)n);
	while (wire_take(in, &dict) && dict) {
		jobs += g_str_equal(wire_op(dict), "job");
		g_variant_unref(dict);
	}
	return jobs;
}

/* One that has the store and takes its time to say hello. */
static void
what_is_asked_before_the_hello_is_asked_once(void **state)
{
	Fixture *fixture = *state;
	g_auto(Second) second = { 0 };
	g_autoptr(Store) store = store_open(fixture->dir, STORE_WRITER, NULL, NULL, NULL);
	g_autoptr(GByteArray) hello = g_byte_array_new();
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), dir_fd = -1, line;

	assert_non_null(store);
	assert_true(serve_address(fixture->dir, &address, &dir_fd));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 8), 0);
	start(&second, fixture, true);
	ask(&second, engine_folders(second.engine, NULL));
	loop_ms(300);
	line = accept(fd, NULL, NULL);
	assert_true(line >= 0);
	assert_int_equal(accept(fd, NULL, NULL), -1); /* nobody came twice */
	assert_int_equal(jobs_of(line), 0);
	wire_put(hello, wire_simple("hello", 0));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(send(line, hello->data, hello->len, MSG_NOSIGNAL), hello->len);
		loop_ms(100);
		assert_int_equal(jobs_of(line), i == 0 ? 1 : 0);
	}
	close(line);
	close(fd);
	if (dir_fd >= 0)
		close(dir_fd);
}

/* One that has the store and was stopped: before its hello, and behind it. */
static void
one_that_does_not_answer_holds_nobody_up(void **state)
{
	Fixture *fixture = *state;
	g_auto(Second) second = { 0 };
	g_autoptr(Store) store = store_open(fixture->dir, STORE_WRITER, NULL, NULL, NULL);
	g_autoptr(GByteArray) hello = g_byte_array_new();
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), dir_fd = -1, line;

	assert_non_null(store);
	assert_true(serve_address(fixture->dir, &address, &dir_fd));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 8), 0);
	start(&second, fixture, true);
	/* A person's Ctrl-C counts at once. */
	ask(&second, engine_folders(second.engine, NULL));
	engine_cancel(second.engine, second.waiting);
	until_done(&second);
	assert_true(postern_error_is(second.error, POSTERN_ERROR_CANCELLED));
	ask(&second, engine_folders(second.engine, NULL));
	until_done(&second);
	assert_true(postern_error_is(second.error, POSTERN_ERROR_OFFLINE));
	assert_int_equal(second.notices, 1);
	/* It says hello, takes what is asked, and is stopped then. */
	close(accept(fd, NULL, NULL));
	while ((line = accept(fd, NULL, NULL)) < 0)
		loop_ms(10);
	wire_put(hello, wire_simple("hello", 0));
	assert_int_equal(send(line, hello->data, hello->len, MSG_NOSIGNAL), hello->len);
	ask(&second, engine_folders(second.engine, NULL));
	until_done(&second);
	assert_true(postern_error_is(second.error, POSTERN_ERROR_OFFLINE));
	close(line);
	close(fd);
	if (dir_fd >= 0)
		close(dir_fd);
}

/* Every octet of frames, changed one after the other: none is read past its end. */
static void
a_spoilt_frame_is_a_frame_or_is_not(void **state)
{
	char *sections[] = { (char *)"1", (char *)"2.MIME", NULL };
	Job job = { .kind = JOB_PARTS, .request = 7, .message = 17, .sections = sections };
	EngineStatus status = { .account = "test", .link = ENGINE_WAITING, .doing = "this" };
	EngineEvent event = { .type = ENGINE_EVENT_STATUS, .status = &status, .text = "words" };
	EngineTotals totals = { .wire_in = 1 };
	g_autoptr(GByteArray) whole = g_byte_array_new();

	wire_put(whole, wire_job("test", &job));
	wire_put(whole, wire_event(&event, 9, &totals, NULL));
	for (guint at = 0; at < whole->len; at++) {
		g_autoptr(GByteArray) in = g_byte_array_new();
		GVariant *dict;

		g_byte_array_append(in, whole->data, whole->len);
		in->data[at] ^= (uint8_t)(1 + at % 255);
		while (wire_take(in, &dict) && dict) {
			g_auto(WireEvent) read = { 0 };
			char *account = NULL;
			Job *got = wire_job_read(dict, &account);

			wire_event_read(dict, &read);
			if (got)
				job_free(got);
			g_free(account);
			g_variant_unref(dict);
		}
	}
}

static void
a_job_and_an_event_come_as_they_were_sent(void **state)
{
	char *sections[] = { (char *)"1", (char *)"", NULL };
	Job job = { .kind = JOB_PARTS, .request = 7, .message = 17, .sections = sections };
	g_autoptr(GError) error =
	    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_REFUSED, "no \xff words");
	EngineEvent event = { .type = ENGINE_EVENT_DONE, .error = error, .group = 5, .n = 3 };
	EngineTotals totals = { .messages = 12 };
	g_autoptr(GByteArray) wire = g_byte_array_new();
	g_autofree char *account = NULL;
	g_auto(WireEvent) read = { 0 };
	g_autoptr(GVariant) first = NULL;
	g_autoptr(GVariant) second = NULL;
	Job *got;

	wire_put(wire, wire_job("w\xffrk", &job));
	wire_put(wire, wire_event(&event, 9, &totals, NULL));
	assert_true(wire_take(wire, &first) && first);
	assert_true(wire_take(wire, &second) && second);
	assert_int_equal(wire->len, 0);
	got = wire_job_read(first, &account);
	assert_non_null(got);
	assert_string_equal(account, "w\xffrk");
	assert_int_equal(got->message, 17);
	assert_string_equal(got->sections[0], "1");
	assert_string_equal(got->sections[1], "");
	assert_null(got->sections[2]);
	job_free(got);
	assert_true(wire_event_read(second, &read));
	assert_true(postern_error_is(read.event.error, POSTERN_ERROR_REFUSED));
	assert_string_equal(read.event.error->message, "no \xff words");
	assert_int_equal(read.event.request, 9);
	assert_int_equal(read.event.group, 5);
	assert_int_equal(read.event.n, 3);
	assert_int_equal(read.totals.messages, 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_second_asks_the_first_does, fixture_set_up,
						fixture_tear_down),
		cmocka_unit_test_setup_teardown(when_the_first_ends_the_second_has_the_store,
						fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(of_two_that_wait_one_follows_and_serves_the_other,
						fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(noise_on_the_socket_is_cut_off, fixture_set_up,
						fixture_tear_down),
		cmocka_unit_test_setup_teardown(what_is_asked_before_the_hello_is_asked_once,
						fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(one_that_does_not_answer_holds_nobody_up,
						fixture_set_up, fixture_tear_down),
		cmocka_unit_test(a_spoilt_frame_is_a_frame_or_is_not),
		cmocka_unit_test(a_job_and_an_event_come_as_they_were_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
