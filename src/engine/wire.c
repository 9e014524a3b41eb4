#include "wire-private.h"

#include <string.h>

enum { LENGTH_OCTETS = 4, REPORT_MAX = 1000 };

/* ---- frames ----------------------------------------------------------------------------------- */

void
wire_put(GByteArray *out, GVariant *dict)
{
	g_autoptr(GVariant) held = g_variant_ref_sink(dict);
	gsize size = g_variant_get_size(held);
	uint8_t length[LENGTH_OCTETS] = { (uint8_t)(size >> 24), (uint8_t)(size >> 16),
					  (uint8_t)(size >> 8), (uint8_t)size };

	g_byte_array_append(out, length, LENGTH_OCTETS);
	g_byte_array_append(out, g_variant_get_data(held), (guint)size);
}

bool
wire_take(GByteArray *in, GVariant **dict)
{
	const uint8_t *at = in->data;
	g_autoptr(GBytes) bytes = NULL;
	uint32_t size;

	*dict = NULL;
	if (in->len < LENGTH_OCTETS)
		return true;
	size = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	if (size > WIRE_FRAME_MAX)
		return false;
	if (in->len - LENGTH_OCTETS < size)
		return true;
	bytes = g_bytes_new(at + LENGTH_OCTETS, size);
	/* not trusted: what is not the type's form reads as its empty value */
	*dict = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE_VARDICT, bytes, FALSE));
	g_byte_array_remove_range(in, 0, LENGTH_OCTETS + size);
	return true;
}

/* ---- values ----------------------------------------------------------------------------------- */

static void
put_text(GVariantBuilder *builder, const char *key, const char *text)
{
	if (text)
		g_variant_builder_add(builder, "{sv}", key,
				      g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, text,
								strlen(text) + 1, 1));
}

static void
put_number(GVariantBuilder *builder, const char *key, uint32_t number)
{
	if (number)
		g_variant_builder_add(builder, "{sv}", key, g_variant_new_uint32(number));
}

static void
put_wide(GVariantBuilder *builder, const char *key, uint64_t number)
{
	if (number)
		g_variant_builder_add(builder, "{sv}", key, g_variant_new_uint64(number));
}

/* As octets: a folder's name need not be UTF-8.  Borrowed from DICT; NULL: none. */
static const char *
get_text(GVariant *dict, const char *key)
{
	g_autoptr(GVariant) value = g_variant_lookup_value(dict, key, G_VARIANT_TYPE_BYTESTRING);
	const char *text;
	gsize size;

	if (!value)
		return NULL;
	text = g_variant_get_fixed_array(value, &size, 1);
	return text && size && !text[size - 1] ? text : NULL;
}

uint32_t
wire_number(GVariant *dict, const char *key)
{
	uint32_t number = 0;

	g_variant_lookup(dict, key, "u", &number);
	return number;
}

static uint64_t
get_wide(GVariant *dict, const char *key)
{
	uint64_t number = 0;

	g_variant_lookup(dict, key, "t", &number);
	return number;
}

static StoreId
get_id(GVariant *dict, const char *key)
{
	uint64_t number = get_wide(dict, key);

	return number <= INT64_MAX ? (StoreId)number : 0;
}

const char *
wire_op(GVariant *dict)
{
	const char *op = get_text(dict, "op");

	return op ? op : "";
}

GVariant *
wire_simple(const char *op, EngineRequest request)
{
	GVariantBuilder builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

	put_text(&builder, "op", op);
	put_number(&builder, "version", WIRE_VERSION);
	put_number(&builder, "request", request);
	return g_variant_builder_end(&builder);
}

/* ---- jobs ------------------------------------------------------------------------------------- */

static void
put_texts(GVariantBuilder *builder, const char *key, char **texts)
{
	GVariantBuilder array = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_BYTESTRING_ARRAY);

	if (!texts)
		return;
	for (char **text = texts; *text; text++)
		g_variant_builder_add_value(&array, g_variant_new_bytestring(*text));
	g_variant_builder_add(builder, "{sv}", key, g_variant_builder_end(&array));
}

GVariant *
wire_job(const char *account, const Job *job)
{
	GVariantBuilder builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

	put_text(&builder, "op", "job");
	put_text(&builder, "account", account);
	put_number(&builder, "request", job->request);
	put_number(&builder, "kind", job->kind);
	put_text(&builder, "folder", job->folder);
	put_number(&builder, "offset", job->offset);
	put_number(&builder, "rows", job->rows);
	put_number(&builder, "fill", job->fill);
	put_number(&builder, "accepts", job->accepts);
	put_number(&builder, "bodies", job->bodies);
	put_number(&builder, "uid", job->uid);
	put_wide(&builder, "message", (uint64_t)job->message);
	put_texts(&builder, "sections", job->sections);
	if (job->wish)
		wish_put(&builder, job->wish);
	return g_variant_builder_end(&builder);
}

/* What a job of this kind cannot do without is there. */
static bool
is_whole(const Job *job)
{
	switch (job->kind) {
	case JOB_OPEN:
	case JOB_MESSAGE:
		return job->folder;
	case JOB_PARTS:
		return job->message && job->sections;
	case JOB_LOOKED:
		return job->message;
	case JOB_WISH:
		return job->wish != NULL;
	case JOB_FOLDERS:
	case JOB_SYNC:
	case JOB_CHECK:
		return true;
	}
	return false;
}

Job *
wire_job_read(GVariant *dict, char **account)
{
	uint32_t bodies = wire_number(dict, "bodies");
	Job *job = job_new((JobKind)wire_number(dict, "kind"));

	job->request = wire_number(dict, "request");
	job->folder = g_strdup(get_text(dict, "folder"));
	job->offset = wire_number(dict, "offset");
	job->rows = wire_number(dict, "rows");
	job->fill = wire_number(dict, "fill");
	job->accepts = wire_number(dict, "accepts");
	job->bodies = bodies <= ENGINE_BODIES_ALL ? (EngineBodies)bodies : ENGINE_BODIES_NONE;
	job->uid = wire_number(dict, "uid");
	job->message = get_id(dict, "message");
	g_variant_lookup(dict, "sections", "^aay", &job->sections);
	if (job->kind == JOB_WISH)
		job->wish = wish_read(dict);
	*account = g_strdup(get_text(dict, "account"));
	if (job->request && is_whole(job))
		return job;
	job_free(job);
	g_clear_pointer(account, g_free);
	return NULL;
}

/* ---- events ----------------------------------------------------------------------------------- */

static void
put_error(GVariantBuilder *builder, const GError *error)
{
	if (!error)
		return;
	put_number(builder, "code", (uint32_t)error->code + 1);
	put_text(builder, "error", error->message);
}

static void
put_status(GVariantBuilder *builder, const EngineStatus *status)
{
	put_text(builder, "account", status->account);
	put_number(builder, "link", status->link);
	put_number(builder, "retry", (uint32_t)MAX(status->retry_in_s, 0));
	put_error(builder, status->error);
	put_text(builder, "doing", status->doing);
	put_wide(builder, "done", status->done);
	put_wide(builder, "total", status->total);
	put_number(builder, "silent", (uint32_t)MAX(status->silent_s, 0));
}

static void
put_totals(GVariantBuilder *builder, const EngineTotals *totals)
{
	put_wide(builder, "wire-in", totals->wire_in);
	put_wide(builder, "wire-out", totals->wire_out);
	put_wide(builder, "round-trips", totals->round_trips);
	put_wide(builder, "messages", totals->messages);
	put_wide(builder, "parts", totals->parts);
}

static void
put_report(GVariantBuilder *builder, GPtrArray *report)
{
	g_autoptr(GPtrArray) ended = g_ptr_array_new();

	if (!report)
		return;
	g_ptr_array_extend(ended, report, NULL, NULL);
	g_ptr_array_add(ended, NULL);
	put_texts(builder, "report", (char **)ended->pdata);
}

GVariant *
wire_event(const EngineEvent *event, EngineRequest request, const EngineTotals *totals,
	   GPtrArray *report)
{
	GVariantBuilder builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

	put_text(&builder, "op", "event");
	put_number(&builder, "type", event->type);
	put_wide(&builder, "account-id", (uint64_t)event->account);
	put_wide(&builder, "mailbox", (uint64_t)event->mailbox);
	put_wide(&builder, "message", (uint64_t)event->message);
	put_number(&builder, "request", request);
	put_wide(&builder, "group", (uint64_t)event->group);
	put_number(&builder, "n", event->n);
	put_text(&builder, "section", event->section);
	put_text(&builder, "text", event->text);
	if (event->status) {
		put_status(&builder, event->status);
	} else {
		put_error(&builder, event->error);
		put_wide(&builder, "done", event->done);
		put_wide(&builder, "total", event->total);
	}
	put_totals(&builder, totals);
	put_report(&builder, report);
	return g_variant_builder_end(&builder);
}

static void
read_status(GVariant *dict, WireEvent *out)
{
	uint32_t link = wire_number(dict, "link");
	const char *account = get_text(dict, "account");

	out->status = (EngineStatus){
		.account = account ? account : "",
		.link = link <= ENGINE_ONLINE ? (EngineLink)link : ENGINE_OFFLINE,
		.retry_in_s = (int)MIN(wire_number(dict, "retry"), 1000000),
		.error = out->error,
		.doing = get_text(dict, "doing"),
		.done = out->event.done,
		.total = out->event.total,
		.silent_s = (int)MIN(wire_number(dict, "silent"), 1000000),
	};
	out->event.status = &out->status;
	out->event.error = NULL;
}

static GPtrArray *
read_report(GVariant *dict)
{
	g_auto(GStrv) texts = NULL;
	GPtrArray *report;

	if (!g_variant_lookup(dict, "report", "^aay", &texts))
		return NULL;
	report = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; texts[i] && i < REPORT_MAX; i++)
		g_ptr_array_add(report, g_strdup(texts[i]));
	return report;
}

bool
wire_event_read(GVariant *dict, WireEvent *out)
{
	uint32_t type = wire_number(dict, "type"), code = wire_number(dict, "code");
	const char *words = get_text(dict, "error");

	*out = (WireEvent){ .dict = g_variant_ref(dict) };
	if (type > ENGINE_EVENT_NOTICE)
		return false;
	if (code)
		out->error = g_error_new_literal(POSTERN_ERROR, (int)MIN(code - 1, 1000),
						 words ? words : "");
	out->event = (EngineEvent){
		.type = (EngineEventType)type,
		.account = get_id(dict, "account-id"),
		.mailbox = get_id(dict, "mailbox"),
		.message = get_id(dict, "message"),
		.request = wire_number(dict, "request"),
		.group = get_id(dict, "group"),
		.n = wire_number(dict, "n"),
		.section = get_text(dict, "section"),
		.text = get_text(dict, "text"),
		.done = get_wide(dict, "done"),
		.total = get_wide(dict, "total"),
		.error = out->error,
	};
	out->totals = (EngineTotals){
		.wire_in = get_wide(dict, "wire-in"),
		.wire_out = get_wide(dict, "wire-out"),
		.round_trips = get_wide(dict, "round-trips"),
		.messages = get_wide(dict, "messages"),
		.parts = get_wide(dict, "parts"),
	};
	out->report = read_report(dict);
	if (out->event.type == ENGINE_EVENT_STATUS)
		read_status(dict, out);
	return true;
}

void
wire_event_clear(WireEvent *event)
{
	g_clear_error(&event->error);
	g_clear_pointer(&event->report, g_ptr_array_unref);
	g_clear_pointer(&event->dict, g_variant_unref);
}
